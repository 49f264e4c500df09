import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { expect } from 'chai';
import { fromMessagePort, type PortLike } from '../../src/index.ts';
import { readChunks, readText, rejection, writeText } from './support.ts';

/** One end as streams, the other bare. */
function openPort(maxBuffered?: number) {
  const { port1, port2 } = new MessageChannel();
  return { streams: fromMessagePort(port1, { maxBuffered }), port: port2 };
}

/** Everything that a bare port is sent, until it closes. */
async function listen(port: MessagePort): Promise<unknown[]> {
  const heard: unknown[] = [];
  port.on('message', (message) => heard.push(message));
  await once(port, 'close');
  return heard;
}

describe('fromMessagePort', () => {
  it('is a byte stream each way, with an end each, and closes the port after both', async () => {
    const { port1, port2 } = new MessageChannel();
    const [one, two] = [fromMessagePort(port1), fromMessagePort(port2)];
    await writeText(one.writable, 'there ');
    await writeText(one.writable, 'it goes');
    await one.writable.close();
    expect(await readText(two.readable)).to.equal('there it goes');
    await writeText(two.writable, 'and back');
    const closed = Promise.all([once(port1, 'close'), once(port2, 'close')]);
    await two.writable.close();
    expect(await readText(one.readable)).to.equal('and back');
    await closed;
  });

  it('posts Uint8Arrays of their own, then null', async () => {
    const { streams, port } = openPort();
    const heard = listen(port);
    const pool = Buffer.from('0123456789');
    const writer = streams.writable.getWriter();
    await writer.write(pool.subarray(2, 5));
    expect(pool.toString()).to.equal('0123456789'); // not transferred away
    await writer.close();
    port.postMessage(null);
    const [bytes, end] = await heard;
    expect(bytes).to.be.instanceOf(Uint8Array);
    expect((bytes as Uint8Array).buffer.byteLength).to.equal(3);
    expect(Buffer.from(bytes as Uint8Array).toString()).to.equal('234');
    expect(end).to.equal(null);
  });

  it('takes views and ArrayBuffers, and nothing after null', async () => {
    const { streams, port } = openPort();
    port.postMessage(Uint8Array.of(0x61));
    port.postMessage(Uint8Array.of(0x62).buffer);
    port.postMessage(new DataView(Uint8Array.of(0, 0x63).buffer, 1));
    port.postMessage(new Uint8Array(0));
    port.postMessage(null);
    port.postMessage(Uint8Array.of(0x64));
    expect(await readText(streams.readable)).to.equal('abc');
    await streams.writable.close();
  });

  it('a port that closes is the end of what it has said, and of what it hears', async () => {
    const { streams, port } = openPort();
    port.postMessage(Uint8Array.of(0x61));
    port.close();
    expect(await readText(streams.readable)).to.equal('a');
    expect(String(await rejection(streams.writable.getWriter().write(Uint8Array.of(1))))).to.contain('closed');
  });

  it('any other message is an error, and closes the port', async () => {
    const { streams, port } = openPort();
    port.postMessage('hello');
    const closed = once(port, 'close');
    expect(await rejection(streams.readable.getReader().read())).to.be.instanceOf(TypeError);
    expect(await rejection(streams.writable.getWriter().write(Uint8Array.of(1)))).to.be.instanceOf(TypeError);
    await closed;
  });

  it('aborting or cancelling closes the port', async () => {
    for (const stop of ['abort', 'cancel'] as const) {
      const { streams, port } = openPort();
      const closed = once(port, 'close');
      await (stop === 'abort' ? streams.writable.abort(new Error('enough')) : streams.readable.cancel());
      await closed;
    }
  });

  it('holds no more than maxBuffered bytes that nobody reads', async () => {
    const { streams, port } = openPort(1000);
    const closed = once(port, 'close');
    for (let i = 0; i < 4; i++) port.postMessage(new Uint8Array(300));
    await closed;
    expect(await rejection(readChunks(streams.readable))).to.be.instanceOf(RangeError);
  });

  it('takes a port and a number of bytes, and says so', () => {
    for (const wrong of [undefined, null, {}, 'x', new MessageChannel()] as unknown[]) {
      expect(() => fromMessagePort(wrong as PortLike)).to.throw(
        TypeError,
        /^port: a MessagePort or a Worker is wanted/,
      );
    }
    for (const maxBuffered of [-1, Number.NaN]) {
      const make = () => fromMessagePort(new MessageChannel().port1 as unknown as PortLike, { maxBuffered });
      expect(make).to.throw(RangeError, /^maxBuffered is .*; a number of bytes is wanted$/);
    }
  });

  it('closes the port over a chunk that is no bytes', async () => {
    const { streams, port } = openPort();
    const closed = once(port, 'close');
    const chunk: unknown = 'x';
    expect(await rejection(streams.writable.getWriter().write(chunk as Uint8Array))).to.be.instanceOf(TypeError);
    await closed;
  });

  it('takes a message of maxBuffered bytes, and none of one more', async () => {
    const { streams, port } = openPort(1000);
    port.postMessage(new Uint8Array(1000));
    port.postMessage(null);
    expect(Buffer.concat(await readChunks(streams.readable))).to.have.length(1000);
    await streams.writable.close();
    const other = openPort(1000);
    other.port.postMessage(new Uint8Array(1001));
    expect(await rejection(readChunks(other.streams.readable))).to.be.instanceOf(RangeError);
  });

  it('a reader that keeps up may read any amount', async () => {
    const { streams, port } = openPort(1000);
    const read = readChunks(streams.readable);
    for (let i = 0; i < 10; i++) {
      port.postMessage(new Uint8Array(900));
      await delay(1);
    }
    port.postMessage(null);
    expect(Buffer.concat(await read)).to.have.length(9000);
    await streams.writable.close();
  });

  it('takes a port without start and close, as a Worker is', async () => {
    const { port1, port2 } = new MessageChannel();
    const worker: PortLike = {
      postMessage: (message, transfer) => port1.postMessage(message, transfer),
      addEventListener: (type, listener) => port1.on(type, (data: unknown) => listener({ type, data })),
    };
    const streams = fromMessagePort(worker);
    port2.postMessage(Uint8Array.of(0x61));
    port2.postMessage(null);
    expect(await readText(streams.readable)).to.equal('a');
    await streams.writable.close();
    port2.close();
  });
});
