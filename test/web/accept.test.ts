import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { ConnectionOptions } from 'node:tls';
import { expect } from 'chai';
import {
  accept,
  type BytesPair,
  defineServer,
  type ServerOptions,
  systemWorld,
  TlsAlert,
  TruncationError,
} from '../../src/index.ts';
import { certificates } from '../fixtures.ts';
import { until } from '../node/support.ts';
import { testProvider } from '../support/provider.ts';
import { ScriptedClient } from '../support/scripted-client.ts';
import { Timers } from '../support/timers.ts';
import {
  type Client,
  chunked,
  type Link,
  Meter,
  portLink,
  readChunks,
  readText,
  rejection,
  sessionOf,
  startClient,
  streamLink,
  VERSIONS,
  versionOnly,
  writeText,
} from './support.ts';

const credentials = [certificates.ecdsaP256];
const server = (options: Partial<ServerOptions> = {}) =>
  defineServer({ credentials, crypto: testProvider, ...options });

/** A store that keeps bytes and takes its time. */
function slowStore() {
  const rows = new Map<string, Uint8Array>();
  const key = (id: Uint8Array): string => Buffer.from(id).toString('hex');
  return {
    asked: 0,
    onNew(session: { readonly id: Uint8Array; toDer(): Uint8Array }): void {
      rows.set(key(session.id), session.toDer());
    },
    async onGet(id: Uint8Array): Promise<Uint8Array | undefined> {
      this.asked++;
      await delay(30);
      return rows.get(key(id))?.slice();
    },
  };
}

async function connect(
  config: Parameters<typeof accept>[1],
  options: ConnectionOptions = {},
  link: Link = streamLink(),
) {
  const client = startClient(link.client, options);
  const connected = once(client.socket, 'secureConnect');
  const tls = await accept(link.server, config);
  await connected;
  return { tls, client };
}

/** Both sides say something and end; returns what each has heard. */
async function converse(tls: Awaited<ReturnType<typeof accept>>, { socket }: Client) {
  socket.setEncoding('latin1');
  let heard = '';
  socket.on('data', (text: string) => {
    heard += text;
  });
  socket.write('from the client');
  const { value } = await tls.readable.getReader().read();
  const writer = tls.writable.getWriter();
  await writer.write(Buffer.from('from the server'));
  const ended = once(socket, 'end');
  await writer.close();
  await ended;
  socket.end();
  await tls.closed;
  return [Buffer.from(value ?? []).toString(), heard];
}

const SAID = ['from the client', 'from the server'];
const LINKS: readonly (readonly [string, () => Link])[] = [
  ['stream pairs', streamLink],
  ['a MessageChannel', portLink],
];

describe('accept on Web Streams', () => {
  for (const version of VERSIONS) {
    for (const [name, link] of LINKS) {
      for (const hasStore of [false, true]) {
        it(`${version} over ${name}: full, then resumed${hasStore ? ' from a store that takes 30 ms' : ''}`, async () => {
          const store = slowStore();
          const config = server(
            hasStore
              ? { sessions: { cache: false, onNew: (session) => store.onNew(session), onGet: (id) => store.onGet(id) } }
              : {},
          );
          const first = await connect(config, versionOnly(version), link());
          expect(first.tls.resumption.resumed).to.equal(false);
          const session = await sessionOf(first.client);
          expect(await converse(first.tls, first.client)).to.deep.equal(SAID);

          const second = await connect(config, { ...versionOnly(version), session }, link());
          expect(second.client.socket.isSessionReused()).to.equal(true);
          expect(second.tls.resumption.mechanism).to.equal(version === 'TLSv1.2' ? 'session-id' : 'psk-stateful');
          expect(await converse(second.tls, second.client)).to.deep.equal(SAID);
          expect(store.asked).to.equal(hasStore ? 1 : 0);
          expect([...first.client.errors, ...second.client.errors]).to.deep.equal([]);
        });
      }
    }

    it(`${version}, byte by byte both ways`, async () => {
      const link = streamLink();
      const slow = ({ readable, writable }: BytesPair): BytesPair => ({
        readable: (readable as ReadableStream<Uint8Array>).pipeThrough(chunked(1)),
        writable,
      });
      const slowLink = { server: slow(link.server), client: slow(link.client) };
      const { tls, client } = await connect(server(), versionOnly(version), slowLink);
      expect(await converse(tls, client)).to.deep.equal(SAID);
    });

    it(`${version} with a signature that takes a promise`, async () => {
      const { cert } = certificates.rsa2048;
      const config = server({ credentials: [certificates.rsa2048] });
      const { tls, client } = await connect(config, { ...versionOnly(version), ca: cert });
      expect(await converse(tls, client)).to.deep.equal(SAID);
    });

    it(`${version} with a certificate of the client, and a verdict that takes a promise`, async () => {
      const clientAuth = { mode: 'require', verifyClient: () => delay(5, true) } as const;
      const config = server({ clientAuth, sessions: { idContext: Uint8Array.of(1) } });
      const first = await connect(config, {
        ...versionOnly(version),
        ...certificates.rsa2048,
        ca: certificates.ecdsaP256.cert,
      });
      const leaf = new Uint8Array(new X509Certificate(certificates.rsa2048.cert).raw);
      expect(first.tls.peerCertificate).to.deep.equal(leaf);
      const session = await sessionOf(first.client);
      expect(await converse(first.tls, first.client)).to.deep.equal(SAID);
      const second = await connect(config, { ...versionOnly(version), session });
      expect(second.tls.resumption.resumed).to.equal(true);
      expect(second.tls.peerCertificate).to.deep.equal(leaf);
      expect(await converse(second.tls, second.client)).to.deep.equal(SAID);
    });

    it(`${version}: says what was negotiated, and exports what the client does`, async () => {
      const lines: string[] = [];
      const config = server({ alpn: ['echo'], keylog: (line) => lines.push(line) });
      const { tls, client } = await connect(config, { ...versionOnly(version), ALPNProtocols: ['echo'] });
      expect(tls).to.include({ version, alpnProtocol: 'echo', serverName: 'localhost' });
      expect(tls.cipherSuite).to.match(/^TLS_/);
      expect(tls.group).to.be.oneOf(['x25519', 'secp256r1']);
      expect(tls.connection.isEstablished).to.equal(true);
      const exported = client.socket.exportKeyingMaterial(32, 'label', Buffer.from('context'));
      expect(Buffer.from(tls.exportKeyingMaterial(32, 'label', Buffer.from('context')))).to.deep.equal(exported);
      expect(lines).to.have.length.above(0);
      expect(tls.session).to.not.equal(undefined);
      await tls.close();
    });
  }

  it('gives a client one more ticket, TLSv1.3', async () => {
    const { tls, client } = await connect(server({ tickets: { timing: 'manual' } }), versionOnly('TLSv1.3'));
    client.socket.resume();
    expect(client.sessions).to.have.length(0);
    tls.sendTicket();
    await sessionOf(client);
    await tls.close();
    tls.sendTicket(); // nobody is there any more, which is no error
    expect(client.sessions).to.have.length(1);
  });

  it('takes options in place of a configuration', async () => {
    const { tls, client } = await connect({ credentials });
    expect(await converse(tls, client)).to.deep.equal(SAID);
  });

  it('echoes a megabyte through pipeTo', async () => {
    const { tls, client } = await connect(server());
    const sent = Buffer.alloc(1 << 20, 'tls-resume');
    const echoed = tls.readable.pipeTo(tls.writable);
    const heard: Buffer[] = [];
    client.socket.on('data', (chunk) => heard.push(chunk));
    client.socket.end(sent);
    await Promise.all([echoed, once(client.socket, 'end')]);
    expect(Buffer.concat(heard).equals(sent)).to.equal(true);
    await tls.closed;
  });
});

describe('accept: back-pressure', () => {
  const FLOOD = Buffer.alloc(4 << 20, 7);

  it('reads nothing while the application does not, and everything when it does', async () => {
    const link = streamLink();
    const meter = new Meter();
    const readable = (link.server.readable as ReadableStream<Uint8Array>)
      .pipeThrough(chunked(16384))
      .pipeThrough(meter);
    const { tls, client } = await connect(server(), {}, { ...link, server: { ...link.server, readable } });
    client.socket.end(FLOOD);
    await delay(100);
    expect(meter.count.bytes).to.be.below(200_000);
    const chunks = await readChunks(tls.readable);
    expect(Buffer.concat(chunks).equals(FLOOD)).to.equal(true);
    await tls.close();
  });

  it('reads nothing while a callback has yet to answer', async () => {
    const { up, serverSide, client } = meteredClient();
    let answer = (): void => {};
    const answered = new Promise<undefined>((resolve) => {
      answer = () => resolve(undefined);
    });
    const accepted = accept(serverSide, server({ onServerName: () => answered }));
    await delay(30);
    const before = up.count.bytes;
    const writer = client.writable.getWriter();
    const flood = Promise.all(Array.from({ length: 64 }, () => writer.write(new Uint8Array(65536)))).catch(() => {});
    await delay(50);
    expect(up.count.bytes - before).to.be.at.most(2 * 65536);
    answer();
    expect(await rejection(accepted)).to.be.instanceOf(TlsAlert); // what has come was no TLS
    await flood;
  });

  it('loses nothing to a transport that transfers what it takes, when it comes to it', async () => {
    const link = streamLink();
    const onward = link.server.writable.getWriter();
    const write = async (chunk: Uint8Array) => {
      await delay(1); // what is written meanwhile waits
      await onward.write(structuredClone(chunk, { transfer: [chunk.buffer as ArrayBuffer] }));
    };
    const writable = new WritableStream<Uint8Array>({ write }, { highWaterMark: 100 });
    const { tls, client, reader } = await acceptScripted({ ...link, server: { ...link.server, writable } });
    const writer = tls.writable.getWriter();
    const written = Promise.all([1, 2, 3, 4].map((byte) => writer.write(Uint8Array.of(byte))));
    while (client.data.length < 4) client.receive((await reader.read()).value ?? new Uint8Array(0));
    await written;
    expect([...client.data]).to.deep.equal([1, 2, 3, 4]);
  });

  it('protects nothing before the transport has room for it', async () => {
    const link = streamLink();
    const meter = new Meter();
    const clientReadable = (link.client.readable as ReadableStream<Uint8Array>).pipeThrough(meter);
    const { tls, client } = await connect(
      server(),
      {},
      { ...link, client: { ...link.client, readable: clientReadable } },
    );
    client.socket.pause();
    const writer = tls.writable.getWriter();
    let isWritten = false;
    const written = writer.write(FLOOD).then(() => {
      isWritten = true;
    });
    await delay(100);
    expect(isWritten).to.equal(false);
    expect(meter.count.bytes).to.be.below(400_000);
    let heard = 0;
    client.socket.on('data', (chunk: Buffer) => {
      heard += chunk.length;
    });
    client.socket.resume();
    await written;
    await writer.close();
    await once(client.socket, 'end');
    expect(heard).to.equal(FLOOD.length);
    client.socket.end();
    await tls.close();
  });

  it('is not made to say more than the transport takes', async () => {
    const { tls, client, writer } = await acceptScripted(streamLink());
    await tls.readable.cancel();
    let taken = 0;
    for (let batch = 0; batch < 60; batch++) {
      for (let i = 0; i < 100; i++) {
        client.sendKeyUpdate('update_requested');
        client.sendData(Uint8Array.of(i)); // KeyUpdates alone are refused
      }
      void writer.write(client.take()).then(
        () => taken++,
        () => {},
      );
    }
    await delay(500);
    expect(taken).to.be.within(20, 40); // 100 answers are 2700 bytes, and 65536 may wait
    await tls.writable.abort();
  });

  it('reads while a write of its own waits: the peer may write everything before it reads', async () => {
    const link = streamLink();
    const { tls, client, reader, writer } = await acceptScripted(link);
    const written = tls.writable.getWriter().write(FLOOD);
    const read = tls.readable.getReader();
    let heard = 0;
    const all = (async () => {
      while (heard < FLOOD.length) heard += (await read.read()).value?.length ?? 0;
    })();
    for (let at = 0; at < FLOOD.length; at += 16384) {
      client.sendData(FLOOD.subarray(at, at + 16384));
      await writer.write(client.take());
    }
    await all;
    void (async () => {
      while (!(await reader.read()).done);
    })();
    await written;
    await tls.close();
  });
});

/** A link whose client has sent a real ClientHello, and may go on with anything; what it sends is counted. */
function meteredClient() {
  const link = streamLink();
  const up = new Meter();
  const serverSide: BytesPair = {
    readable: (link.server.readable as ReadableStream<Uint8Array>).pipeThrough(up),
    writable: link.server.writable,
  };
  const mine = new TransformStream<Uint8Array, Uint8Array>();
  void (async () => {
    const reader = mine.readable.getReader();
    const writer = link.client.writable.getWriter();
    for (let next = await reader.read(); !next.done; next = await reader.read()) await writer.write(next.value);
  })().catch(() => {});
  const { socket } = startClient({ readable: link.client.readable, writable: tap(mine) });
  socket.on('error', () => {});
  return { up, serverSide, client: mine };
}

/** Writes to the stream without locking it for good. */
function tap({ writable }: TransformStream<Uint8Array, Uint8Array>): WritableStream<Uint8Array> {
  return new WritableStream<Uint8Array>({
    write: async (chunk) => {
      const writer = writable.getWriter();
      const written = writer.write(chunk);
      writer.releaseLock();
      await written;
    },
  });
}

/** A handshake with the scripted client, which then does as it is told; it reads nothing more by itself. */
async function acceptScripted(link: Link, config = server()) {
  const client = new ScriptedClient({ version: 'TLSv1.3' });
  const [reader, writer] = [link.client.readable.getReader(), link.client.writable.getWriter()];
  const accepted = accept(link.server, config);
  for (;;) {
    const bytes = client.take();
    if (bytes.length > 0) await writer.write(bytes);
    if (client.tickets.length > 0) return { tls: await accepted, client, reader, writer };
    const { value } = await reader.read();
    client.receive(value ?? new Uint8Array(0));
  }
}

describe('accept: ends', () => {
  for (const version of VERSIONS) {
    it(`${version}: our end leaves the peer talking`, async () => {
      const { tls, client } = await connect(server(), versionOnly(version));
      client.socket.resume();
      const ended = once(client.socket, 'end');
      await tls.writable.close();
      await ended;
      client.socket.write('one ');
      await delay(10);
      client.socket.end('two');
      expect(await readText(tls.readable)).to.equal('one two');
      await tls.closed;
      expect(client.errors).to.deep.equal([]);
    });

    it(`${version}: the peer's end leaves us talking`, async () => {
      const { tls, client } = await connect(server(), versionOnly(version));
      let heard = '';
      client.socket.on('data', (chunk) => {
        heard += chunk;
      });
      client.socket.end('question');
      expect(await readText(tls.readable)).to.equal('question');
      await writeText(tls.writable, 'answer');
      const ended = once(client.socket, 'end');
      await tls.writable.close();
      await ended;
      expect(heard).to.equal('answer');
      await tls.closed;
    });
  }

  it('a transport that just ends is a truncation, behind what has come', async () => {
    const { tls, client } = await connect(server());
    client.socket.write('half');
    await delay(20);
    client.socket.destroy();
    await delay(20);
    const reader = tls.readable.getReader();
    const { value } = await reader.read();
    expect(Buffer.from(value ?? []).toString()).to.equal('half');
    await rejection(reader.read());
    await rejection(tls.closed);
  });

  it('EOF without close_notify: TruncationError everywhere', async () => {
    const link = streamLink();
    const cut = cuttable(link.server.readable);
    const { tls, client } = await connect(
      server(),
      {},
      { ...link, server: { ...link.server, readable: cut.readable } },
    );
    client.socket.resume();
    client.socket.write('half');
    await delay(20);
    cut.end();
    const reader = tls.readable.getReader();
    expect(Buffer.from((await reader.read()).value ?? []).toString()).to.equal('half');
    expect(await rejection(reader.read())).to.be.instanceOf(TruncationError);
    expect(await rejection(tls.closed)).to.be.instanceOf(TruncationError);
    expect(await rejection(tls.writable.getWriter().write(Uint8Array.of(1)))).to.be.instanceOf(TruncationError);
    expect(tls.connection.isEstablished).to.equal(false);
  });

  it('an error of the transport is an error of ours', async () => {
    const link = streamLink();
    const cut = cuttable(link.server.readable);
    const { tls, client } = await connect(
      server(),
      {},
      { ...link, server: { ...link.server, readable: cut.readable } },
    );
    client.socket.resume();
    const broken = new Error('the cable');
    cut.fail(broken);
    expect(await rejection(tls.readable.getReader().read())).to.equal(broken);
    expect(await rejection(tls.closed)).to.equal(broken);
  });

  it('a readable that is cancelled forgets what comes, and the rest goes on', async () => {
    const { tls, client } = await connect(server(), versionOnly('TLSv1.3'));
    let heard = '';
    client.socket.on('data', (chunk) => {
      heard += chunk;
    });
    client.socket.write('first');
    for await (const chunk of tls.readable) {
      expect(Buffer.from(chunk).toString()).to.equal('first');
      break; // cancels
    }
    client.socket.write(Buffer.alloc(1 << 20));
    await writeText(tls.writable, 'still here');
    await tls.writable.close();
    await tls.closed;
    await once(client.socket, 'end');
    expect(heard).to.equal('still here');
  });

  it('a transport that ends behind a cancelled readable has nothing to miss', async () => {
    const { tls, writer, reader } = await acceptScripted(streamLink());
    await tls.readable.cancel();
    await writer.close();
    const ended = tls.writable.close();
    while (!(await reader.read()).done);
    await ended;
    await tls.closed;
  });

  it('a peer that does not end is left after two seconds', async () => {
    const { tls, client, reader, writer } = await acceptScripted(streamLink());
    const timers = new Timers(2000);
    const closed = tls.close();
    while (!(await reader.read()).done);
    await closed;
    client.sendData(new Uint8Array(1000));
    await writer.write(client.take()); // read, and forgotten
    expect(timers.times).to.deep.equal([2000]);
    timers.expire();
    await rejection((writer as WritableStreamDefaultWriter).closed);
    timers.restore();
  });

  it('a write that the connection does not survive does not seem to have succeeded', async () => {
    const config = server({ limits: { recordsPerKey: 6 } });
    const { tls, client } = await connect(config, versionOnly('TLSv1.2'));
    client.socket.resume();
    const error = await rejection(tls.writable.getWriter().write(Buffer.alloc(65536 * 2)));
    expect(String(error)).to.match(/ended|close_notify/);
    expect(await rejection(tls.closed)).to.include({ alert: 'close_notify', origin: 'local' });
  });

  it('a writable that is aborted leaves no close_notify', async () => {
    const { tls, client } = await connect(server());
    let isEnded = false;
    client.socket.on('end', () => {
      isEnded = true;
    });
    client.socket.resume();
    const reason = new Error('enough');
    await tls.writable.abort(reason);
    expect(await rejection(tls.closed)).to.equal(reason);
    expect(await rejection(tls.readable.getReader().read())).to.equal(reason);
    await new Promise((resolve) => client.socket.on('close', resolve));
    expect(isEnded).to.equal(false);
  });

  it('a writable is aborted at once, also over a peer that does not read', async () => {
    const { tls, client } = await connect(server());
    client.socket.pause();
    const writer = tls.writable.getWriter();
    const written = writer.write(Buffer.alloc(8 << 20));
    await delay(20);
    const [error] = await Promise.all([rejection(written), writer.abort(new Error('enough'))]);
    expect(error).to.be.instanceOf(Error);
    expect(String(await rejection(tls.closed))).to.contain('enough');
  });

  it('close() ends both, behind what has been written', async () => {
    const { tls, client } = await connect(server());
    let heard = '';
    client.socket.on('data', (chunk) => {
      heard += chunk;
    });
    const ended = once(client.socket, 'end');
    await writeText(tls.writable, 'good bye');
    await tls.close();
    await ended;
    expect(heard).to.equal('good bye');
    expect(await readText(tls.readable)).to.equal('');
    await tls.close();
    expect(() => tls.exportKeyingMaterial(32, 'label')).to.throw(Error, 'after the end');
  });

  it('close() under a writer waits for the write under way and refuses the next', async () => {
    const { tls, client } = await connect(server());
    let heard = 0;
    client.socket.on('data', (chunk: Buffer) => {
      heard += chunk.length;
    });
    const writer = tls.writable.getWriter();
    const first = writer.write(Buffer.alloc(1 << 20));
    const second = writer.write(Buffer.alloc(1 << 20));
    await Promise.all([tls.close(), once(client.socket, 'end'), first, rejection(second)]);
    expect(heard).to.equal(1 << 20);
  });
});

/** A readable that can be ended or broken from outside. */
function cuttable(readable: BytesPair['readable']) {
  const reader = readable.getReader();
  let controller: ReadableStreamDefaultController<Uint8Array>;
  const stream = new ReadableStream<Uint8Array>({
    start: (given) => {
      controller = given;
    },
    pull: async () => {
      const { done, value } = await reader.read();
      if (!done) controller.enqueue(value);
    },
  });
  return { readable: stream, end: () => controller.close(), fail: (error: Error) => controller.error(error) };
}

describe('accept: failures', () => {
  it('rejects with our alert when it has been sent and the writable closed', async () => {
    const link = streamLink();
    const client = startClient(link.client, versionOnly('TLSv1.2'));
    const error = await rejection(accept(link.server, server({ minVersion: 'TLSv1.3' })));
    expect(error).to.be.instanceOf(TlsAlert).and.include({ alert: 'protocol_version', origin: 'local' });
    if (client.errors.length === 0) await once(client.socket, 'error').catch(() => {});
    expect(String(client.errors[0])).to.match(/alert protocol version/i);
  });

  it("rejects with the peer's alert", async () => {
    const link = streamLink();
    void writeText(link.client.writable, '\x15\x03\x03\x00\x02\x02\x28');
    void readChunks(link.client.readable).catch(() => {});
    const error = await rejection(accept(link.server, server()));
    expect(error).to.be.instanceOf(TlsAlert).and.include({ alert: 'handshake_failure', origin: 'remote' });
  });

  it('rejects what is no TLS, and closes the transport', async () => {
    const link = streamLink();
    const answer = readChunks(link.client.readable);
    await Promise.all([
      rejection(accept(link.server, server())).then((error) => expect(error).to.be.instanceOf(TlsAlert)),
      writeText(link.client.writable, 'GET / HTTP/1.1\r\n\r\n').catch(() => {}),
    ]);
    expect(Buffer.concat(await answer)[0]).to.equal(21);
  });

  it('rejects in time when the peer does not even read the alert', async () => {
    const link = streamLink();
    const writer = link.client.writable.getWriter();
    void writer.write(Buffer.from('GET / HTTP/1.1\r\n\r\n')).catch(() => {});
    const timers = new Timers(2000);
    const accepted = accept(link.server, server(), { handshakeTimeout: 0 });
    await until(() => timers.times.length > 0);
    expect(timers.times).to.deep.equal([2000]);
    timers.expire();
    expect(await rejection(accepted)).to.be.instanceOf(TlsAlert);
    timers.restore();
  });

  it('rejects with a TruncationError where the transport ends in the handshake', async () => {
    const link = streamLink();
    link.client.readable.getReader().read();
    void link.client.writable.getWriter().close();
    const error = await rejection(accept(link.server, server()));
    expect(error).to.be.instanceOf(TruncationError);
    expect(String(error)).to.contain('handshake');
  });

  it('rejects with the reason of the signal, and aborts the transport', async () => {
    const link = streamLink();
    const started = accept(link.server, server(), { signal: AbortSignal.timeout(20) });
    expect(await rejection(started)).to.have.property('name', 'TimeoutError');
    await rejection(link.client.readable.getReader().read());
    const reason = new Error('no');
    expect(await rejection(accept(streamLink().server, server(), { signal: AbortSignal.abort(reason) }))).to.equal(
      reason,
    );
  });

  it('a signal has no effect after the handshake', async () => {
    const link = streamLink();
    const client = startClient(link.client);
    const abort = new AbortController();
    const tls = await accept(link.server, server(), { signal: abort.signal });
    abort.abort();
    expect(await converse(tls, client)).to.deep.equal(SAID);
  });

  it('rejects options and streams that cannot be', async () => {
    const { server: pair } = streamLink();
    expect(await rejection(accept(pair, { credentials: [] }))).to.be.instanceOf(TypeError);
    expect(await rejection(accept(pair, undefined as unknown as ServerOptions))).to.be.instanceOf(TypeError);
    expect(await rejection(accept(pair, { credentials, store: 1 } as ServerOptions))).to.be.instanceOf(TypeError);
    const { readable, writable } = pair;
    for (const wrong of [
      undefined,
      null,
      {},
      'x',
      { readable },
      { writable },
      new MessageChannel().port1,
    ] as unknown[]) {
      const error = await rejection(accept(wrong as BytesPair, server()));
      expect(String(error)).to.match(/^TypeError: transport: \{ readable, writable \} is wanted/);
    }
    expect(
      await rejection(accept({ readable: writable, writable: readable } as unknown as BytesPair, server())),
    ).to.be.instanceOf(TypeError);
    expect(readable).to.have.property('locked', false);
    pair.writable.getWriter();
    expect(await rejection(accept(pair, server()))).to.be.instanceOf(TypeError);
    expect((pair.readable as ReadableStream).locked).to.equal(false);
  });

  it("an error that is nobody's but ours is told as it is", async () => {
    const broken = new Error('no clock');
    const now = (): number => {
      throw broken;
    };
    const { server: pair, client } = streamLink();
    startClient(client);
    const { randomBytes } = systemWorld;
    expect(await rejection(accept(pair, server({ world: { now, randomBytes } })))).to.equal(broken);
  });

  it('a chunk that is no bytes is an error of the transport', async () => {
    const readable = new ReadableStream({ start: (controller) => controller.enqueue('text') });
    const { server: pair, client } = streamLink();
    void readChunks(client.readable);
    expect(await rejection(accept({ ...pair, readable }, server()))).to.be.instanceOf(TypeError);
  });

  it('tells of callbacks that fail, and goes on', async () => {
    const told: unknown[] = [];
    const link = streamLink();
    const client = startClient(link.client);
    const config = server({
      sessions: {
        onNew: () => {
          throw new Error('the store is down');
        },
      },
    });
    const tls = await accept(link.server, config, {
      onCallbackError: (callback, error) => told.push([callback, error]),
    });
    expect(await converse(tls, client)).to.deep.equal(SAID);
    expect(String(told[0])).to.equal('onNew,Error: the store is down');
    expect(told).to.have.length(2); // once a ticket
  });
});
