/** The Node shell's socket as a stream: ends of every kind, errors, time. */

import { once } from 'node:events';
import { connect as connectPlain, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { finished } from 'node:stream/promises';
import { connect } from 'node:tls';
import { expect } from 'chai';
import { defineServer } from '../../src/engine/server/define-server.ts';
import { TlsAlert } from '../../src/index.ts';
import { accept, type NodeServerOptions, type Server, type TlsSocket } from '../../src/node/index.ts';
import type { Version } from '../../src/wire/registry.ts';
import { testProvider } from '../support/provider.ts';
import { ScriptedClient } from '../support/scripted-client.ts';
import { quickCredential } from '../support/servers.ts';
import { credentials, memoryPair, only, open, startServer, stopServers, textOf, VERSIONS } from './support.ts';

afterEach(stopServers);

const config = defineServer({ credentials, crypto: testProvider });
const quick = defineServer({ credentials: [quickCredential], crypto: testProvider });

/** A server's end and Node's client over a transport that is no socket. */
async function overMemory(version: Version, options: NodeServerOptions = {}) {
  const [left, right] = memoryPair();
  const socket = accept(left, { config, ...options });
  const client = connect({ socket: right, rejectUnauthorized: false, ...only(version) });
  await Promise.all([once(socket, 'secure'), once(client, 'secureConnect')]);
  return { socket, client, wire: right };
}

/** A server's end and the scripted client, whose bytes pass by hand. */
function scripted(client = new ScriptedClient({})) {
  const [left, right] = memoryPair();
  const socket = accept(left, quick);
  right.on('data', (bytes: Uint8Array) => {
    client.receive(bytes);
    const answer = client.take();
    if (answer.length > 0) right.write(answer);
  });
  const say = () => right.write(client.take());
  say();
  return { socket, client, transport: left, wire: right, say };
}

/** Counts. A stream closes once, and errs at most once. */
function ends(socket: TlsSocket) {
  const counts = { close: 0, error: 0, end: 0 };
  for (const name of ['close', 'error', 'end'] as const) socket.on(name, () => void counts[name]++);
  return counts;
}

async function connected(server: Server, port: number, version: Version) {
  const [[socket], [transport], client] = await Promise.all([
    once(server, 'secureConnection') as Promise<[TlsSocket]>,
    once(server, 'connection') as Promise<[Socket]>,
    open({ port, ...only(version) }),
  ]);
  return { socket, transport, client };
}

for (const version of VERSIONS) {
  describe(`the Node shell's socket, ${version}`, () => {
    it('passes data both ways over any Duplex, then close_notify', async () => {
      const { socket, client } = await overMemory(version);
      const counts = ends(socket);
      socket.pipe(socket);
      const data = Buffer.alloc(300_000, 'abc');
      client.end(data);
      expect(await textOf(client)).to.equal(data.toString('latin1'));
      await closed(socket);
      expect(counts).to.deep.equal({ close: 1, error: 0, end: 1 });
      expect(socket.isTruncated).to.equal(false);
      expect([socket.bytesRead, socket.bytesWritten]).to.deep.equal([300_000, 300_000]);
    });

    it('sends what is written, corked and ended before the handshake is complete', async () => {
      const [left, right] = memoryPair();
      const socket = accept(left, config);
      const written: string[] = [];
      socket.write('one ', () => written.push('one'));
      socket.cork();
      socket.write('two ', () => written.push('two'));
      socket.write(Buffer.alloc(0), () => written.push('nothing'));
      socket.uncork();
      socket.end('three', () => written.push('end'));
      expect(written).to.deep.equal([]);
      const client = connect({ socket: right, rejectUnauthorized: false, ...only(version) });
      expect(await textOf(client)).to.equal('one two three');
      if (!socket.writableFinished) await once(socket, 'finish');
      await new Promise((resolve) => setImmediate(resolve));
      expect(written).to.deep.equal(['one', 'two', 'nothing', 'end']);
    });

    it('ends its own direction when the peer has ended its, unless allowHalfOpen', async () => {
      const { socket, client } = await overMemory(version, { allowHalfOpen: true });
      client.end('question');
      expect(await textOf(socket)).to.equal('question');
      expect(socket.writable).to.equal(true);
      // Node's client answers a close_notify of ours with the end of everything, so ours comes last.
      socket.end('answer');
      await finished(socket);
      expect(socket.destroyed).to.equal(true);
    });

    it('ends without an error where the transport ends without close_notify, and says so', async () => {
      const { socket, client, wire } = await overMemory(version);
      const counts = ends(socket);
      client.write('part');
      await once(socket, 'readable');
      wire.end();
      expect(await textOf(socket)).to.equal('part');
      await closed(socket);
      expect(socket.isTruncated).to.equal(true);
      expect(counts).to.deep.equal({ close: 1, error: 0, end: 1 });
    });

    it('closes once when it is destroyed, with what was being written told', async () => {
      const { socket, client } = await overMemory(version);
      const counts = ends(socket);
      client.pause();
      const results: unknown[] = [];
      socket.write(Buffer.alloc(1_000_000), (error) => results.push(error?.message));
      socket.write('more', (error) => results.push(error?.message));
      socket.destroy();
      socket.destroy();
      await once(socket, 'close');
      expect(results.length).to.equal(2);
      for (const result of results) expect(result).to.be.a('string');
      expect(counts).to.deep.equal({ close: 1, error: 0, end: 0 });
      expect(() => socket.connection.write(new Uint8Array(1))).to.throw();
      expect(() => socket.exportKeyingMaterial(1, 'x')).to.throw();
      expect(socket.setTimeout(10).timeout).to.equal(0);
    });

    it('emits an error after the handshake on the socket, and only there', async () => {
      const { server, port } = await startServer({}, () => {});
      server.on('tlsClientError', () => expect.fail('tlsClientError after secureConnection'));
      const { socket, transport, client } = await connected(server, port, version);
      const counts = ends(socket);
      transport.destroy(Object.assign(new Error('reset'), { code: 'ECONNRESET' }));
      transport.emit('error', new Error('another'));
      const [error] = await once(socket, 'error');
      expect(error.message).to.match(/reset|another/);
      await closed(socket);
      expect(counts).to.deep.equal({ close: 1, error: 1, end: 0 });
      client.destroy();
    });

    it('sends what is written with an idle timeout on, in pieces, and calls back', async () => {
      const { socket, client } = await overMemory(version);
      socket.setTimeout(60_000);
      let called = 0;
      for (const size of [1, 100_000]) socket.write(Buffer.alloc(size, 'x'), () => called++);
      socket.end('the last');
      expect(await textOf(client)).to.equal(`${'x'.repeat(100_001)}the last`);
      expect([called, socket.bytesWritten]).to.deep.equal([2, 100_009]);
      client.destroy();
    });

    it('emits timeout when nothing passes, and stays', async () => {
      const { socket, client } = await overMemory(version);
      expect(socket.setTimeout(20).timeout).to.equal(20);
      await once(socket, 'timeout');
      expect(socket.destroyed).to.equal(false);
      client.write('x');
      await Promise.all([once(socket, 'data'), once(socket, 'timeout')]);
      const never = () => expect.fail('a timeout that was called off');
      socket.setTimeout(20, never);
      socket.setTimeout(0, never);
      expect(socket.listenerCount('timeout')).to.equal(0);
      expect(() => socket.setTimeout(-1)).to.throw(RangeError);
      expect(() => socket.setTimeout('1' as never)).to.throw(TypeError);
      socket.destroy();
    });
  });
}

describe("the Node shell's socket", () => {
  it('may go on when the peer has ended, in TLS 1.3', async () => {
    const { socket, client, wire, say } = scripted();
    await once(socket, 'secure');
    expect(socket.allowHalfOpen).to.equal(false);
    client.close();
    say();
    socket.resume();
    await once(socket, 'close');
    expect(client.alerts.map(({ name }) => name)).to.deep.equal(['close_notify']);
    wire.destroy();
  });

  it('half-closes, and hears the peer until it ends, in TLS 1.3', async () => {
    const { socket, client, wire, say } = scripted();
    await once(socket, 'secure');
    socket.end('all');
    await once(socket, 'finish');
    client.sendData(Buffer.from('more'));
    say();
    const [data] = await once(socket, 'data');
    expect(data.toString()).to.equal('more');
    client.close();
    say();
    wire.end();
    await once(socket, 'close');
    expect(Buffer.from(client.data).toString()).to.equal('all');
  });

  it('lets what has been received be read when the transport has closed already', async () => {
    const { socket, client, wire, say } = scripted();
    await once(socket, 'secure');
    const counts = ends(socket);
    client.sendData(Buffer.alloc(10_000, 'x'));
    client.close();
    say();
    wire.end();
    await once(wire, 'finish');
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect((await textOf(socket)).length).to.equal(10_000);
    await closed(socket);
    expect(counts).to.deep.equal({ close: 1, error: 0, end: 1 });
  });

  const reset = () => Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });

  const farewells: [string, (socket: TlsSocket, transport: Duplex) => unknown][] = [
    ['while the rest is read', (_, transport) => transport.destroy(reset())],
    [
      'half-closed',
      async (socket, transport) => {
        socket.end('all');
        await once(socket, 'finish');
        transport.destroy(reset());
      },
    ],
    [
      'in the act of half-closing',
      (socket, transport) => {
        const { end } = transport;
        transport.end = (...rest: unknown[]) => {
          transport.destroy(reset());
          return Reflect.apply(end, transport, rest);
        };
        socket.end();
      },
    ],
  ];
  for (const [when, leave] of farewells) {
    it(`ends without an error where the transport is reset behind close_notify, ${when}`, async () => {
      const { socket, client, transport, say } = scripted();
      await once(socket, 'secure');
      const counts = ends(socket);
      client.sendData(Buffer.alloc(10_000, 'x'));
      client.close();
      say();
      await once(socket, 'readable');
      await leave(socket, transport);
      if (!transport.closed) await new Promise((resolve) => transport.once('close', resolve));
      expect((await textOf(socket)).length).to.equal(10_000);
      await closed(socket);
      expect([counts, socket.isTruncated]).to.deep.equal([{ close: 1, error: 0, end: 1 }, false]);
    });
  }

  it('fails where the transport is reset behind close_notify, and not all is sent', async () => {
    const { socket, client, transport, wire, say } = scripted();
    await once(socket, 'secure');
    const counts = ends(socket);
    wire.pause();
    client.close();
    say();
    socket.resume();
    socket.write(Buffer.alloc(1_000_000));
    await once(transport, 'data');
    transport.destroy(reset());
    expect((await once(socket, 'error'))[0].code).to.equal('EPIPE');
    await closed(socket);
    expect(counts).to.include({ close: 1, error: 1 });
  });

  it('emits a fatal alert of the peer’s as an error', async () => {
    const { socket, client, say } = scripted();
    await once(socket, 'secure');
    client.sendAlert('bad_certificate');
    say();
    const [error] = await once(socket, 'error');
    expect(error).to.be.instanceOf(TlsAlert);
    expect([error.alert, error.origin]).to.deep.equal(['bad_certificate', 'remote']);
    await closed(socket);
  });

  it('fails with the alert it sends, in the middle of a write', async () => {
    const { socket, client, wire } = scripted();
    await once(socket, 'secure');
    const counts = ends(socket);
    socket.write('x');
    wire.write(Buffer.from('1703030020'.padEnd(74, '0'), 'hex'));
    const [error] = await once(socket, 'error');
    expect([error.alert, error.origin]).to.deep.equal(['bad_record_mac', 'local']);
    await closed(socket);
    expect(counts.close).to.equal(1);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(client.alert?.name).to.equal('bad_record_mac');
    expect(socket.connection.isEstablished).to.equal(false);
  });

  it('has its fatal alert reach a peer that is still sending', async () => {
    const { server, port } = await startServer();
    const errors: Error[] = [];
    server.on('tlsClientError', (error) => errors.push(error));
    for (let i = 0; i < 5; i++) {
      const plain = connectPlain({ port, host: '127.0.0.1' });
      const failures: Error[] = [];
      plain.on('error', (error) => failures.push(error));
      plain.write('GET / HTTP/1.0\r\n\r\n');
      plain.write(Buffer.alloc(200_000));
      const heard = await textOf(plain);
      expect(failures).to.deep.equal([]);
      expect(Buffer.from(heard, 'latin1').subarray(0, 1).toString('hex')).to.equal('15');
      expect(heard.length).to.equal(7);
    }
    expect(errors.map((error) => error instanceof TlsAlert)).to.deep.equal([true, true, true, true, true]);
  });

  it('drops a peer that goes on and on after a fatal alert', async () => {
    const [left, right] = memoryPair();
    const socket = accept(left, config);
    socket.on('error', () => {});
    let sent = 0;
    right.resume();
    const pour = (): void => {
      while (!left.destroyed && !right.destroyed) {
        sent += 16384;
        if (!right.write(Buffer.alloc(16384))) return void right.once('drain', () => setImmediate(pour));
      }
    };
    pour();
    await once(left, 'close');
    expect(sent).to.be.greaterThan(262144).and.lessThan(524288);
    right.destroy();
  });

  it('takes at most a second for a peer that is silent after a fatal alert', async () => {
    const [left, right] = memoryPair();
    const socket = accept(left, config);
    socket.on('error', () => {});
    right.write(Buffer.alloc(100));
    await closed(socket);
    expect(left.destroyed).to.equal(false);
    await once(left, 'close');
  });

  for (const [how, leave] of [
    ['ends', (wire: Duplex) => wire.end()],
    ['is destroyed', (wire: Duplex) => wire.destroy()],
  ] as const) {
    it(`fails when the transport ${how} in the handshake`, async () => {
      const [left, right] = memoryPair();
      const socket = accept(left, config);
      const counts = ends(socket);
      right.write(Buffer.from('16030100ff', 'hex'));
      setImmediate(leave, right);
      const [error] = await once(socket, 'error');
      expect(error.code).to.equal('ECONNRESET');
      await closed(socket);
      expect(counts).to.deep.equal({ close: 1, error: 1, end: 0 });
    });
  }

  it('fails where the transport is over already', async () => {
    const [left] = memoryPair();
    left.destroy();
    await once(left, 'close');
    const socket = accept(left, config);
    const [error] = await once(socket, 'error');
    expect(error.code).to.equal('ECONNRESET');
  });

  it('closes without an error when it is destroyed in the handshake', async () => {
    const [left, right] = memoryPair();
    const socket = accept(left, config);
    const counts = ends(socket);
    socket.end('never sent');
    right.write(Buffer.from('16030100ff', 'hex'));
    setImmediate(() => socket.destroy());
    await once(socket, 'close');
    expect(counts).to.deep.equal({ close: 1, error: 0, end: 0 });
    expect(left.destroyed).to.equal(true);
  });

  it('does not wait for a handshake for ever', async () => {
    const { server, port } = await startServer({ handshakeTimeout: 30 });
    const plain = connectPlain({ port, host: '127.0.0.1' });
    plain.on('error', () => {});
    const [error] = await once(server, 'tlsClientError');
    expect(error.code).to.equal('ERR_TLS_HANDSHAKE_TIMEOUT');
    plain.destroy();
  });

  it('needs no listener for what goes wrong before the handshake is complete', async () => {
    const { port } = await startServer();
    const plain = connectPlain({ port, host: '127.0.0.1' });
    plain.end('no TLS');
    await textOf(plain);
    const reset = connectPlain({ port, host: '127.0.0.1' });
    await once(reset, 'connect');
    reset.resetAndDestroy();
    const client = connect({ port, host: '127.0.0.1', servername: 'localhost' });
    const [error] = await once(client, 'error');
    expect(error.code).to.equal('DEPTH_ZERO_SELF_SIGNED_CERT');
  });

  it('takes leave by destroySoon() with everything sent', async () => {
    const { server, port } = await startServer({}, (socket) => {
      socket.write(Buffer.alloc(500_000, 'x'));
      socket.destroySoon();
    });
    const [[socket], client] = await Promise.all([
      once(server, 'secureConnection') as Promise<[TlsSocket]>,
      open({ port }),
    ]);
    client.write(Buffer.alloc(50_000)); // nobody reads this
    expect((await textOf(client)).length).to.equal(500_000);
    await closed(socket);
  });
});

/** `closed` comes before the event. */
async function closed(socket: TlsSocket): Promise<void> {
  if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve));
  await new Promise((resolve) => setImmediate(resolve));
}
