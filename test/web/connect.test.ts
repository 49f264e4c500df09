/** The client's Web shell, against the server's, over streams and over message ports. */

import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import {
  type ClientOptions,
  connect,
  defineClient,
  type Session,
  type StreamConnectOptions,
  TlsAlert,
  TruncationError,
} from '../../src/client.ts';
import * as client13 from '../../src/client13.ts';
import { type AcceptOptions, accept, type BytesPair, defineServer, type ServerOptions } from '../../src/index.ts';
import { faults } from '../../src/testing.ts';
import { certificates } from '../fixtures.ts';
import { until } from '../node/support.ts';
import { testProvider as crypto } from '../support/provider.ts';
import { Timers } from '../support/timers.ts';
import {
  chunked,
  type Link,
  Meter,
  portLink,
  readChunks,
  readText,
  rejection,
  streamLink,
  VERSIONS,
  type Version,
  writeText,
} from './support.ts';

const serve = (options: Partial<ServerOptions> = {}) =>
  defineServer({ credentials: [certificates.ecdsaP256], crypto, ...options });
const visitor = (options: Partial<ClientOptions> = {}) => defineClient({ verifyServer: 'any', crypto, ...options });
const only = (version: Version) => ({ minVersion: version, maxVersion: version });
const PEER = { serverName: 'localhost' };

interface Meeting {
  readonly link?: Link;
  readonly server?: ReturnType<typeof serve>;
  readonly client?: ReturnType<typeof visitor>;
  readonly accepting?: AcceptOptions;
  readonly connecting?: StreamConnectOptions;
}

/** Both ends, once both handshakes are complete. */
async function meet({ link = streamLink(), server = serve(), client = visitor(), ...options }: Meeting = {}) {
  const accepted = accept(link.server, server, options.accepting);
  const connected = connect(link.client, client, { ...PEER, ...options.connecting });
  accepted.catch(() => {});
  const here = await connected;
  return { here, there: await accepted };
}

/** What each end rejects with, in a handshake that fails. */
async function quarrel({ link = streamLink(), server = serve(), client = visitor(), ...options }: Meeting) {
  const accepted = rejection(accept(link.server, server, options.accepting));
  const connected = rejection(connect(link.client, client, { ...PEER, ...options.connecting }));
  return { ours: await connected, theirs: await accepted };
}

type Ends = Awaited<ReturnType<typeof meet>>;

/** Both say something and end. Returns what each has heard. */
async function converse({ here, there }: Ends): Promise<string[]> {
  const heard = Promise.all([readText(there.readable), readText(here.readable)]);
  for (const [end, text] of [
    [here, 'from the client'],
    [there, 'from the server'],
  ] as const) {
    await writeText(end.writable, text);
    await end.writable.close();
  }
  const said = await heard;
  await Promise.all([here.closed, there.closed]);
  return said;
}

const SAID = ['from the client', 'from the server'];
const LINKS: readonly (readonly [string, () => Link])[] = [
  ['stream pairs', streamLink],
  ['a MessageChannel', portLink],
];

/** A stream passes on the reason of its abort; a port has just ended. */
function endOf(name: string): RegExp {
  return name === 'stream pairs' ? /^Error: enough$/ : /^TruncationError: /;
}

for (const [name, makeLink] of LINKS) {
  describe(`connect over ${name}`, () => {
    for (const version of VERSIONS) {
      it(`${version}: full, then resumed from the client's cache`, async () => {
        const [server, client] = [serve(only(version)), visitor()];
        const first = await meet({ link: makeLink(), server, client });
        expect(first.here.resumption).to.include({ resumed: false, reason: 'not-offered' });
        expect(first.here.peerCertificateChain).to.have.length(1);
        expect(await converse(first)).to.deep.equal(SAID);
        const second = await meet({ link: makeLink(), server, client });
        expect(second.here.resumption).to.include({
          resumed: true,
          mechanism: version === 'TLSv1.2' ? 'session-id' : 'psk',
        });
        expect(second.there.resumption.resumed).to.equal(true);
        expect(await converse(second)).to.deep.equal(SAID);
      });

      it(`${version}: says what was negotiated, and exports what the server does`, async () => {
        const server = serve({ ...only(version), alpn: ['echo'] });
        const { here, there } = await meet({ link: makeLink(), server, client: visitor({ alpn: ['echo'] }) });
        expect(here).to.include({ version, alpnProtocol: 'echo', serverName: 'localhost' });
        expect(here).to.include({ cipherSuite: there.cipherSuite, group: there.group });
        expect(here.peerCertificate).to.have.length.above(100);
        expect(here.connection.isEstablished).to.equal(true);
        expect(here.exportKeyingMaterial(32, 'EXPORTER-x')).to.deep.equal(there.exportKeyingMaterial(32, 'EXPORTER-x'));
        await converse({ here, there });
        expect(here.sessions).to.deep.equal([]);
      });

      it(`${version}: goes on to read after it has ended, and the server after that`, async () => {
        const { here, there } = await meet({ link: makeLink(), server: serve(only(version)) });
        await writeText(here.writable, 'a question');
        await here.writable.close();
        expect(await readText(there.readable)).to.equal('a question');
        await writeText(there.writable, 'an answer');
        await there.writable.close();
        expect(await readText(here.readable)).to.equal('an answer');
        await Promise.all([here.closed, there.closed]);
      });

      it(`${version}: may answer a server that has ended first`, async () => {
        const { here, there } = await meet({ link: makeLink(), server: serve(only(version)) });
        const [heard, reading] = [readText(there.readable), readText(here.readable)];
        await there.writable.close();
        expect(await reading).to.equal('');
        await writeText(here.writable, 'nevertheless');
        await here.writable.close();
        expect(await heard).to.equal('nevertheless');
        await Promise.all([here.closed, there.closed]);
      });

      it(`${version}: an abort is a truncation for the other, whoever aborts`, async () => {
        for (const who of ['here', 'there'] as const) {
          const ends = await meet({ link: makeLink(), server: serve(only(version)) });
          const other = who === 'here' ? ends.there : ends.here;
          const heard = rejection(readText(other.readable));
          await ends[who].writable.abort(new Error('enough'));
          expect(await rejection(ends[who].closed)).to.have.property('message', 'enough');
          expect(String(await heard)).to.match(endOf(name));
          await rejection(other.closed);
        }
      });

      it(`${version}: a cancelled readable leaves writable going, on either side`, async () => {
        for (const who of ['here', 'there'] as const) {
          const ends = await meet({ link: makeLink(), server: serve(only(version)) });
          const [deaf, other] = who === 'here' ? [ends.here, ends.there] : [ends.there, ends.here];
          const heard = readText(other.readable);
          await deaf.readable.cancel('not interested');
          await writeText(other.writable, 'to nobody');
          await other.writable.close();
          await writeText(deaf.writable, 'still here');
          await deaf.writable.close();
          expect(await heard).to.equal('still here');
          await Promise.all([deaf.closed, other.closed]);
        }
      });

      it(`${version}: close() ends both directions, from either side`, async () => {
        for (const who of ['here', 'there'] as const) {
          const ends = await meet({ link: makeLink(), server: serve(only(version)) });
          const other = who === 'here' ? ends.there : ends.here;
          const heard = readText(other.readable);
          await ends[who].close();
          expect(await heard).to.equal('');
          await other.close();
        }
      });

      it(`${version}: a server that is refused gets the alert, and so does the caller`, async () => {
        for (const [verifyServer, alert] of [
          [() => false, 'certificate_unknown'],
          [() => delay(5, false), 'certificate_unknown'],
          [
            () => {
              throw new TlsAlert('certificate_revoked', 'it is on the list');
            },
            'certificate_revoked',
          ],
        ] as const) {
          const client = visitor({ verifyServer });
          const { ours, theirs } = await quarrel({ link: makeLink(), server: serve(only(version)), client });
          expect(ours).to.be.instanceOf(TlsAlert).and.to.include({ alert, origin: 'local' });
          expect(theirs).to.be.instanceOf(TlsAlert).and.to.include({ alert, origin: 'remote' });
        }
      });

      it(`${version}: a server that leaves, in the handshake and after it, is a truncation`, async () => {
        const link = makeLink();
        const connected = rejection(connect(link.client, visitor(only(version))));
        const reader = link.server.readable.getReader();
        await reader.read();
        await link.server.writable.getWriter().close();
        expect(await connected)
          .to.be.instanceOf(TruncationError)
          .and.to.have.property(
            'message',
            'the transport has ended without close_notify in the middle of the handshake',
          );
        const { here, there } = await meet({ link: makeLink(), server: serve(only(version)) });
        const heard = rejection(readText(here.readable));
        there.writable.abort(new Error('enough')).catch(() => {});
        expect(String(await heard)).to.match(endOf(name));
        await rejection(here.closed);
      });
    }

    it('has the limit of time of every shell, and aborts the transport then', async () => {
      const timers = new Timers(60_000);
      try {
        const link = makeLink();
        const connected = rejection(connect(link.client, visitor()));
        expect(timers.times).to.deep.equal([120_000]);
        timers.expire();
        expect(await connected).to.include({
          code: 'ERR_TLS_HANDSHAKE_TIMEOUT',
          message: 'no handshake within 120000 ms',
        });
        const reader = link.server.readable.getReader();
        const heard = (async () => {
          while (!(await reader.read()).done);
        })().catch(() => {});
        await heard; // the hello, and then the end
        expect(timers.times).to.deep.equal([]);
        const giving = new AbortController(); // a port that is left open would keep the process
        const none = rejection(connect(makeLink().client, visitor(), { handshakeTimeout: 0, signal: giving.signal }));
        expect(timers.times).to.deep.equal([]);
        giving.abort();
        await none;
        const { here } = await meet({ link: makeLink() });
        expect(timers.times).to.deep.equal([]);
        await here.close();
      } finally {
        timers.restore();
      }
    });

    it('can be given up by a signal, before the hello and after it', async () => {
      const reason = new Error('too late');
      for (const [when, signal] of [
        ['before', AbortSignal.abort(reason)],
        ['after', undefined],
      ] as const) {
        const controller = new AbortController();
        const connected = rejection(connect(makeLink().client, visitor(), { signal: signal ?? controller.signal }));
        controller.abort(reason);
        expect(await connected, when).to.equal(reason);
      }
    });

    it('echoes a megabyte through pipeTo', async () => {
      const { here, there } = await meet({ link: makeLink() });
      const sent = Buffer.alloc(1 << 20, 'tls-resume');
      const echoed = there.readable.pipeTo(there.writable);
      const heard = readChunks(here.readable);
      const writer = here.writable.getWriter();
      await writer.write(sent);
      await writer.close();
      expect(Buffer.concat(await heard).equals(sent)).to.equal(true);
      await Promise.all([echoed, here.closed, there.closed]);
    });
  });
}

describe('connect', () => {
  it('byte by byte both ways', async () => {
    const slow = ({ readable, writable }: BytesPair): BytesPair => ({
      readable: (readable as ReadableStream<Uint8Array>).pipeThrough(chunked(1)),
      writable,
    });
    for (const version of VERSIONS) {
      const link = streamLink();
      const slowLink = { server: slow(link.server), client: slow(link.client) };
      expect(await converse(await meet({ link: slowLink, server: serve(only(version)) }))).to.deep.equal(SAID);
    }
  });

  it('takes options in place of a configuration, and of tls-resume/client13 a configuration alone', async () => {
    const link = streamLink();
    const accepted = accept(link.server, serve());
    const here = await connect(link.client, { verifyServer: 'any', crypto }, PEER);
    expect(await converse({ here, there: await accepted })).to.deep.equal(SAID);
    const small = streamLink();
    const other = accept(small.server, serve());
    const client = client13.defineClient({ verifyServer: 'any' });
    expect(
      await converse({ here: await client13.connect(small.client, client, PEER), there: await other }),
    ).to.deep.equal(SAID);
    const options: unknown = { verifyServer: 'any' };
    expect(await rejection(client13.connect(streamLink().client, options as typeof client)))
      .to.be.instanceOf(TypeError)
      .and.to.have.property('message', 'config: what defineClient() returned is wanted, and no copy');
  });

  it('offers the sessions that it is given, and holds them no longer than the connection', async () => {
    const given: Session[] = [];
    const client = visitor({ sessions: { cache: false, onNew: (session) => void given.push(session.upRef()) } });
    const server = serve({ tickets: { initial: 1, afterResumption: 0 } });
    const first = await meet({ server, client });
    await converse(first);
    const [session] = given;
    if (session === undefined) throw new Error('no session');
    expect(session.holds).to.equal(1);
    const second = await meet({ server, client, connecting: { sessions: [session] } });
    expect(second.here.resumption).to.include({ resumed: true, session });
    expect(second.here.session).to.equal(session);
    await converse(second);
    expect(session.holds).to.equal(1);
    const refused = [
      connect(streamLink().client, client, { ...PEER, sessions: [session], handshakeTimeout: -1 }),
      connect(streamLink().client, client, { serverName: 'other.example', sessions: [session] }),
    ];
    for (const promise of refused) expect(await rejection(promise)).to.be.instanceOf(Error);
    const gone = streamLink();
    const failed = rejection(connect(gone.client, client, { ...PEER, sessions: [session] }));
    await gone.server.readable.getReader().cancel(new Error('gone'));
    expect(await failed).to.be.instanceOf(Error);
    const locked = streamLink();
    locked.client.readable.getReader();
    expect(await rejection(connect(locked.client, client, { ...PEER, sessions: [session] }))).to.be.instanceOf(
      TypeError,
    );
    expect(session.holds).to.equal(1);
    session.free();
  });

  it('waits for a store, and reports its failure', async () => {
    const failures: string[] = [];
    const store = {
      load: () => delay(10).then(() => Promise.reject(new Error('no disk'))),
      save: () => {
        throw new Error('full');
      },
    };
    const onCallbackError = (callback: string, error: unknown) => void failures.push(`${callback}: ${error}`);
    const ends = await meet({ client: visitor({ sessions: { store } }), connecting: { onCallbackError } });
    await converse(ends);
    expect(failures[0]).to.equal('load: Error: no disk');
    expect(failures.slice(1)).to.include('save: Error: full');
  });

  it('updates keys in TLS 1.3 alone', async () => {
    for (const version of VERSIONS) {
      const ends = await meet({ server: serve(only(version)) });
      if (version === 'TLSv1.2') expect(() => ends.here.updateKeys()).to.throw('updateKeys() is for TLS 1.3');
      else for (const requestPeer of [false, true]) ends.here.updateKeys(requestPeer);
      expect(await converse(ends)).to.deep.equal(SAID);
    }
  });

  it('hears by its streams of a server that refuses its certificate after the handshake', async () => {
    const clientAuth = { mode: 'require', verifyClient: () => delay(20, false) } as const;
    const link = streamLink();
    const accepted = rejection(
      accept(link.server, serve({ ...only('TLSv1.3'), clientAuth, sessions: { idContext: Uint8Array.of(1) } })),
    );
    const here = await connect(link.client, visitor({ credential: certificates.ecdsaP384 }), PEER);
    const reading = rejection(readText(here.readable));
    expect(await accepted).to.be.instanceOf(TlsAlert);
    expect(await reading)
      .to.be.instanceOf(TlsAlert)
      .and.to.have.property('origin', 'remote');
    expect(await rejection(here.closed)).to.be.instanceOf(TlsAlert);
  });

  it('takes faults, as accept() does', async () => {
    const both = { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3' } as const;
    const wrong = faults.change<{ verifyData: Uint8Array }>('finished', () => ({ verifyData: new Uint8Array(32) }));
    const ours = await quarrel({ server: serve(both), accepting: { faults: [wrong] } });
    expect(ours.ours).to.include({ alert: 'decrypt_error', origin: 'local' });
    const link = streamLink();
    const accepted = rejection(accept(link.server, serve(both)));
    const here = await connect(link.client, visitor(), { faults: [wrong] });
    expect(await accepted).to.include({ alert: 'decrypt_error', origin: 'local' });
    await rejection(readText(here.readable));
  });

  it('rejects with the TypeError of a fault that asks for what cannot be sent', async () => {
    const none = faults.change<{ nothing: number }>('client_hello', (body) => ({ ...body, nothing: 1 }));
    expect(await rejection(connect(streamLink().client, visitor(), { faults: [none] }))).to.be.instanceOf(TypeError);
  });
});

describe('connect: back-pressure', () => {
  const FLOOD = Buffer.alloc(4 << 20, 7);

  it('reads nothing while the application does not, and everything when it does', async () => {
    const link = streamLink();
    const meter = new Meter();
    const readable = (link.client.readable as ReadableStream<Uint8Array>)
      .pipeThrough(chunked(16384))
      .pipeThrough(meter);
    const { here, there } = await meet({ link: { ...link, client: { ...link.client, readable } } });
    const writer = there.writable.getWriter();
    const written = writer.write(FLOOD).then(() => writer.close());
    await delay(100);
    expect(meter.count.bytes).to.be.below(200_000);
    expect(Buffer.concat(await readChunks(here.readable)).equals(FLOOD)).to.equal(true);
    await written;
    await Promise.all([here.close(), there.close()]);
  });

  it('protects nothing before the transport has room for it', async () => {
    const link = streamLink();
    const meter = new Meter();
    const readable = (link.server.readable as ReadableStream<Uint8Array>).pipeThrough(meter);
    const { here, there } = await meet({ link: { ...link, server: { ...link.server, readable } } });
    const writer = here.writable.getWriter();
    let isWritten = false;
    const written = writer.write(FLOOD).then(() => {
      isWritten = true;
    });
    await delay(100);
    expect(isWritten).to.equal(false);
    expect(meter.count.bytes).to.be.below(400_000);
    const heard = readChunks(there.readable);
    await written;
    await writer.close();
    expect(Buffer.concat(await heard).equals(FLOOD)).to.equal(true);
    await Promise.all([here.close(), there.close()]);
  });

  it('reads nothing while verifyServer has yet to answer', async () => {
    const link = streamLink();
    const meter = new Meter();
    const readable = (link.client.readable as ReadableStream<Uint8Array>).pipeThrough(meter);
    let answer = (): void => {};
    let isAsked = false;
    const answered = new Promise<boolean>((resolve) => {
      answer = () => resolve(true);
    });
    const verifyServer = () => {
      isAsked = true;
      return answered;
    };
    const connected = connect({ ...link.client, readable }, visitor({ verifyServer, ...only('TLSv1.3') }), PEER);
    const accepted = accept(link.server, serve());
    await until(() => isAsked);
    await delay(20);
    const before = meter.count.bytes;
    await delay(20);
    expect(meter.count.bytes - before).to.equal(0);
    answer();
    expect(await converse({ here: await connected, there: await accepted })).to.deep.equal(SAID);
  });
});

describe('connect: a hostile transport', () => {
  /** A transport whose server says this, chunk by chunk. */
  function saying(...chunks: readonly unknown[]): BytesPair {
    const readable = new ReadableStream<never>({
      start: (controller) => {
        for (const chunk of chunks) controller.enqueue(chunk as never);
      },
    });
    return { readable, writable: new WritableStream<Uint8Array>() };
  }

  it('that speaks no TLS is named', async () => {
    const error = await rejection(connect(saying(Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')), visitor()));
    expect(error).to.be.instanceOf(TlsAlert);
    expect(String(error)).to.match(/not TLS but plain HTTP/);
  });

  it('that brings no bytes fails the handshake', async () => {
    for (const chunk of ['text', 5, {}, null]) {
      expect(await rejection(connect(saying(chunk), visitor()))).to.be.instanceOf(TypeError);
    }
  });

  it('that errors, or refuses what it is given, fails the handshake with its error', async () => {
    const broken = new Error('the cable');
    const readable = new ReadableStream<Uint8Array>({ start: (controller) => controller.error(broken) });
    expect(await rejection(connect({ readable, writable: new WritableStream() }, visitor()))).to.equal(broken);
    const refuse = () => {
      throw broken;
    };
    const writable = new WritableStream<Uint8Array>({ write: refuse });
    expect(await rejection(connect({ readable: new ReadableStream<Uint8Array>(), writable }, visitor()))).to.equal(
      broken,
    );
  });

  it('that ends at once is a truncation', async () => {
    const readable = new ReadableStream<Uint8Array>({ start: (controller) => controller.close() });
    const error = await rejection(connect({ readable, writable: new WritableStream() }, visitor()));
    expect(error).to.be.instanceOf(TruncationError);
  });

  it('that is none, or is locked, is a TypeError, and nothing is sent', async () => {
    for (const none of [undefined, null, {}, 5, new MessageChannel()] as unknown[]) {
      expect(await rejection(connect(none as BytesPair, visitor()))).to.be.instanceOf(TypeError);
    }
    const { client } = streamLink();
    client.writable.getWriter();
    expect(await rejection(connect(client, visitor()))).to.be.instanceOf(TypeError);
    client.readable.getReader(); // it was let go
  });

  it('is not touched if an option is wrong', async () => {
    const { client } = streamLink();
    for (const [wrong, message] of [
      [{ handshakeTimeout: -1 }, 'handshakeTimeout is -1; 0 to 2147483647 milliseconds are possible'],
      [{ signal: {} }, 'signal: an AbortSignal is wanted, not an object'],
      [{ servername: 'x' }, 'is serverName meant?'],
      [{ wantsKeylog: () => true }, 'unknown option wantsKeylog'],
      [{ serverName: 'no host name' }, 'serverName: "no host name" is no host name'],
      [{ sessions: [5] }, 'sessions[0]: a Session is wanted'],
    ] as const) {
      const options: object = wrong;
      const error = await rejection(connect(client, visitor(), options));
      expect(String(error)).to.contain(message);
    }
    client.readable.getReader();
  });
});
