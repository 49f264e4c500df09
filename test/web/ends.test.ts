/** A connection over Web Streams can always be closed, and says so: after wrong input, and if one side does not read. */

import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { accept, type BytesPair, defineServer, type TlsConnection } from '../../src/index.ts';
import { certificates } from '../fixtures.ts';
import { until } from '../node/support.ts';
import { testProvider } from '../support/provider.ts';
import { Timers } from '../support/timers.ts';
import { type Client, portLink, rejection, startClient, streamLink, VERSIONS, versionOnly } from './support.ts';

const config = (): ReturnType<typeof defineServer> =>
  defineServer({ credentials: [certificates.ecdsaP256], crypto: testProvider });

async function connect(link = streamLink(), options = {}): Promise<{ tls: TlsConnection; client: Client }> {
  const client = startClient(link.client, options);
  const connected = once(client.socket, 'secureConnect');
  const tls = await accept(link.server, config());
  await connected;
  return { tls, client };
}

async function textOf({ socket }: Client): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(socket, 'end');
  return Buffer.concat(chunks).toString('latin1');
}

function detached(): Uint8Array {
  const view = new Uint8Array(8);
  structuredClone(view.buffer, { transfer: [view.buffer] });
  return view;
}

/** Chunks that are no bytes. */
const WRONG: Readonly<Record<string, () => unknown>> = {
  'a string': () => 'x',
  'an empty string': () => '',
  undefined: () => undefined,
  null: () => null,
  'a number': () => 1,
  'an object': () => ({}),
  'an object with a byteLength': () => ({ byteLength: 3 }),
  'an object with an impossible byteLength': () => ({ byteLength: -1 }),
  'an ArrayBuffer': () => new ArrayBuffer(3),
  'an array': () => [1, 2],
  'a hostile Proxy': () =>
    new Proxy(
      {},
      {
        get: () => {
          throw new Error('hostile');
        },
      },
    ),
};

for (const [name, makeLink] of [
  ['stream pairs', streamLink],
  ['a MessageChannel', portLink],
] as const) {
  describe(`a chunk that is no bytes, over ${name}`, () => {
    for (const [what, make] of Object.entries(WRONG)) {
      it(`fails its write, and the connection ends cleanly behind the data before it: ${what}`, async () => {
        const { tls, client } = await connect(makeLink());
        const text = textOf(client);
        const writer = tls.writable.getWriter();
        void writer.write(Buffer.from('the data before it'));
        const wrong = make() as Uint8Array;
        expect(await rejection(writer.write(wrong))).to.be.instanceOf(TypeError);
        writer.releaseLock();
        expect(await text).to.equal('the data before it');
        await tls.close();
        await tls.closed;
        expect(client.errors).to.deep.equal([]);
      });
    }

    it('fails its write also if the writer is still locked and close() is called at once', async () => {
      const { tls, client } = await connect(makeLink());
      const text = textOf(client);
      const writer = tls.writable.getWriter();
      const wrong: unknown = 'x';
      writer.write(wrong as Uint8Array).catch(() => {});
      await tls.close();
      expect(await text).to.equal('');
    });

    it('from a pipe fails the pipe, and closed settles when the client has ended as well', async () => {
      const { tls, client } = await connect(makeLink());
      const text = textOf(client);
      const source = new ReadableStream<never>({ start: (controller) => controller.enqueue('x' as never) });
      expect(await rejection(source.pipeTo(tls.writable as WritableStream))).to.be.instanceOf(TypeError);
      expect(await text).to.equal('');
      client.socket.end();
      await tls.closed;
    });
  });
}

describe('other views', () => {
  for (const [what, view] of [
    ['a DataView', new DataView(Uint8Array.from(Buffer.from('view')).buffer)],
    ['a view of a SharedArrayBuffer', new Uint8Array(new SharedArrayBuffer(4)).fill(65)],
    ['a view of wider numbers', Uint16Array.of(0x4242, 0x4343)],
  ] as const) {
    it(`are bytes: ${what}`, async () => {
      const { tls, client } = await connect();
      const text = textOf(client);
      const writer = tls.writable.getWriter();
      const chunk: unknown = view;
      await writer.write(chunk as Uint8Array);
      await writer.close();
      expect(await text).to.equal(Buffer.from(view.buffer).toString('latin1'));
      await tls.close();
    });
  }

  it('over memory that is gone do not keep the connection from being closed', async () => {
    const { tls, client } = await connect();
    client.socket.resume();
    await tls.writable
      .getWriter()
      .write(detached())
      .catch(() => {});
    await tls.close();
  });
});

/** Runs both, whichever way it settles. */
async function settledBoth(tls: TlsConnection): Promise<PromiseSettledResult<void>[]> {
  return await Promise.allSettled([tls.close(), tls.closed]);
}

describe('close() and closed settle', () => {
  /** The transport of an accepted connection whose writable then behaves as `sink` says. */
  async function over(sink: { write?: () => unknown; close?: () => unknown }) {
    const link = streamLink();
    const writer = link.server.writable.getWriter();
    let isChanged = false;
    let isAborted = false;
    const writable = new WritableStream<Uint8Array>({
      write: (chunk) => (isChanged && sink.write ? sink.write() : writer.write(chunk)) as Promise<void>,
      close: () => (sink.close ? sink.close() : writer.close()) as Promise<void>,
      abort: () => {
        isAborted = true;
      },
    });
    const pair: BytesPair = { readable: link.server.readable, writable };
    const { tls, client } = await connect({ server: pair, client: link.client });
    isChanged = true;
    return { tls, client, isAborted: () => isAborted };
  }

  const never = () => new Promise(() => {});

  for (const [what, sink] of [
    ['takes nothing', { write: never }],
    ['does not close', { close: never }],
  ] as const) {
    it(`when the transport ${what}, which is aborted after two seconds`, async () => {
      const { tls, client, isAborted } = await over(sink);
      const timers = new Timers(2000);
      void tls.writable
        .getWriter()
        .write(Buffer.alloc(100_000))
        .catch(() => {});
      const settling = settledBoth(tls);
      await until(() => timers.times.length > 0);
      expect(timers.times).to.deep.equal([2000]);
      expect(isAborted()).to.equal(false);
      timers.expire();
      const settled = await settling;
      expect(settled.map(({ status }) => status)).to.deep.equal(['rejected', 'rejected']);
      timers.restore();
      client.socket.destroy();
    });
  }

  it('with a write that waits behind another, which fails with not a byte of it sent', async () => {
    const { tls, client } = await connect();
    const text = textOf(client);
    const writer = tls.writable.getWriter();
    const first = writer.write(Buffer.alloc(200_000, 'a'));
    const behind = rejection(writer.write(Buffer.alloc(10, 'b')));
    const closed = tls.close();
    expect(await behind).to.have.property('message', 'the application has closed the connection');
    await first;
    await closed;
    expect(await text).to.equal('a'.repeat(200_000));
  });

  it('and leave no timer, once the peer has ended, too', async () => {
    const { tls, client } = await connect();
    const timers = new Timers(2000);
    try {
      const closed = tls.close();
      expect(timers.times, 'while the transport may stall').to.deep.equal([2000]);
      client.socket.resume().end();
      await closed;
      await until(() => timers.times.length === 0);
    } finally {
      timers.restore();
    }
  });

  it('when the transport refuses what it is given', async () => {
    const refuse = () => {
      throw new Error('refused');
    };
    for (const sink of [{ write: refuse }, { close: refuse }]) {
      const { tls, client } = await over(sink);
      const settled = await settledBoth(tls);
      expect(settled.map(({ status }) => status)).to.deep.equal(['rejected', 'rejected']);
      client.socket.destroy();
    }
  });

  it('after a peer that takes its time, with everything sent', async () => {
    const { tls, client } = await connect();
    const writer = tls.writable.getWriter();
    writer.write(Buffer.alloc(1_000_000)).catch(() => {});
    let heard = 0;
    client.socket.on('data', (data: Buffer) => {
      heard += data.length;
      client.socket.pause();
      setTimeout(() => client.socket.resume(), 20);
    });
    const ended = once(client.socket, 'end');
    await tls.close();
    await ended;
    expect(heard).to.equal(1_000_000);
  });

  for (const [what, act] of [
    ['locked streams', (tls: TlsConnection) => void [tls.readable.getReader(), tls.writable.getWriter()]],
    ['a readable that was teed', (tls: TlsConnection) => void (tls.readable as ReadableStream).tee()],
    ['a readable that was cancelled', (tls: TlsConnection) => void tls.readable.cancel('why')],
    ['a writable that was aborted', (tls: TlsConnection) => void tls.writable.abort('why')],
    ['a writable that is closing', (tls: TlsConnection) => void tls.writable.close()],
    ['an earlier close()', (tls: TlsConnection) => void tls.close()],
  ] as const) {
    it(`with ${what}`, async () => {
      const { tls, client } = await connect();
      client.socket.resume();
      act(tls);
      const [one, other] = await settledBoth(tls);
      expect(one).to.deep.equal(other);
    });
  }
});

describe('an application that does not read', () => {
  for (const version of VERSIONS) {
    for (const [name, makeLink] of [
      ['stream pairs', streamLink],
      ['a MessageChannel', portLink],
    ] as const) {
      it(`hears by closed of a client that has left, ${version} over ${name}`, async () => {
        const { tls, client } = await connect(makeLink(), versionOnly(version));
        client.socket.resume().end();
        await tls.closed;
      });

      it(`and has written hears of it when it has closed its writer, ${version} over ${name}`, async () => {
        const { tls, client } = await connect(makeLink(), versionOnly(version));
        const text = textOf(client);
        const writer = tls.writable.getWriter();
        await writer.write(Buffer.from('hello'));
        client.socket.end('something unread');
        await writer.close();
        expect(await text).to.equal('hello');
        await tls.closed;
      });

      it(`hears of a transport that just ends, ${version} over ${name}`, async () => {
        const link = makeLink();
        const { tls, client } = await connect(link, versionOnly(version));
        client.socket.on('error', () => {});
        client.socket.destroy();
        await rejection(tls.closed);
      });
    }
  }

  it('but writes goes on when the client has only ended its direction', async () => {
    const { tls, client } = await connect();
    const text = textOf(client);
    const writer = tls.writable.getWriter();
    await writer.write(Buffer.from('one, '));
    client.socket.end();
    await delay(20);
    await writer.write(Buffer.from('two'));
    await writer.close();
    expect(await text).to.equal('one, two');
    await tls.closed;
  });

  it('may still read what has come, and answer', async () => {
    const { tls, client } = await connect();
    const text = textOf(client);
    client.socket.end('a question');
    await delay(20);
    const { value } = await tls.readable.getReader().read();
    const writer = tls.writable.getWriter();
    await writer.write(Buffer.concat([Buffer.from('no answer to '), Buffer.from(value ?? [])]));
    await writer.close();
    expect(await text).to.equal('no answer to a question');
  });
});

describe('updateKeys()', () => {
  it("replaces our key, and the peer's on request, in TLS 1.3 alone", async () => {
    for (const version of VERSIONS) {
      const { tls, client } = await connect(streamLink(), versionOnly(version));
      if (version === 'TLSv1.2') expect(() => tls.updateKeys()).to.throw('updateKeys() is for TLS 1.3');
      else {
        tls.updateKeys();
        tls.updateKeys(true);
      }
      const text = textOf(client);
      const writer = tls.writable.getWriter();
      await writer.write(Buffer.from('under the new key'));
      await writer.close();
      expect(await text).to.equal('under the new key');
      client.socket.end('and the answer');
      expect(Buffer.from((await tls.readable.getReader().read()).value ?? []).toString()).to.equal('and the answer');
    }
  });
});
