/** Early data, from hello to EndOfEarlyData, in both roles: RFC 9846 §2.3, §4.3.10, §4.6, §8. */

import { expect } from 'chai';
import { ClientConnection, type ClientOptions, type ConnectOptions, defineClient } from '../../src/client.ts';
import { singleUse } from '../../src/engine/server/single-use.ts';
import { endOfEarlyData } from '../../src/handshake/messages/end-of-early-data.ts';
import { frame } from '../../src/handshake/messages/message.ts';
import {
  type AntiReplay,
  type ConnectionOptions,
  defineServer,
  type EarlyDataAttempt,
  type NoEarlyData,
  type ServerConfig,
  ServerConnection,
  type ServerOptions,
  type Session,
  SessionCache,
} from '../../src/index.ts';
import { faults, injector, type Pair, pair, type SeededWorld, seededWorld } from '../../src/testing.ts';
import { ascii, toHex } from '../../src/wire/bytes.ts';
import { certificates } from '../fixtures.ts';
import { testProvider } from '../support/provider.ts';

const REQUEST = ascii('GET / HTTP/1.1\r\n\r\n');

/** Admits all hellos once, for ever, and remembers what it was asked. */
class Records implements AntiReplay {
  readonly attempts: EarlyDataAttempt[] = [];
  readonly windowMs: number | undefined;
  readonly #known = new Set<string>();

  constructor(windowMs?: number) {
    this.windowMs = windowMs;
  }

  admit(attempt: EarlyDataAttempt): boolean {
    this.attempts.push(attempt);
    const key = toHex(attempt.key);
    if (this.#known.has(key)) return false;
    this.#known.add(key);
    return true;
  }
}

interface Changes {
  readonly client?: Partial<ConnectOptions>;
  readonly config?: Partial<ClientOptions>;
  /** The options of another server, which has the sessions of the first. */
  readonly server?: Partial<ServerOptions>;
  /** Those of the server's connection. */
  readonly on?: ConnectionOptions;
}

interface World {
  readonly world: SeededWorld;
  readonly antiReplay: Records;
  session(): Session;
  resume(changes?: Changes): Pair;
  /** The first flight of a client that resumes, and the server that it is for. */
  capture(): { readonly flight: Uint8Array; readonly server: ServerConfig };
}

/** A server that takes early data, and a client with four sessions of it. */
function setUp(
  options: Partial<ServerOptions> = {},
  clientOptions: Partial<ClientOptions> = {},
  { seed = 'early data', now = Date.UTC(2026, 0, 1) } = {},
): World {
  const world = seededWorld(seed, { now });
  const antiReplay = new Records();
  const serverOptions: ServerOptions = {
    credentials: [certificates.ecdsaP256],
    crypto: testProvider,
    world: world.fork('server'),
    earlyData: { maxSize: 1000, antiReplay },
    ...options,
    tickets: { initial: 5, ...options.tickets },
    sessions: { cache: new SessionCache(), ...options.sessions },
  };
  const server = defineServer(serverOptions);
  const defaults = {
    verifyServer: 'any' as const,
    crypto: testProvider,
    world: world.fork('client'),
    ...clientOptions,
  };
  const full = pair(defineClient(defaults), server, { client: { serverName: 'localhost' } }).runSync();
  const sessions = [...full.client.sessions];
  const session = () => {
    const next = sessions.shift();
    if (next === undefined) throw new Error('no session');
    return next;
  };
  const resume = ({ client = {}, config = {}, server: changed, on }: Changes = {}) =>
    pair(
      defineClient({ ...defaults, ...config }),
      changed === undefined ? server : defineServer({ ...serverOptions, ...changed }),
      {
        client: { serverName: 'localhost', sessions: client.sessions ?? [session()], earlyData: REQUEST, ...client },
        server: on,
      },
    );
  const capture = () => {
    const client = new ClientConnection(defineClient(defaults), {
      serverName: 'localhost',
      sessions: [session()],
      earlyData: REQUEST,
    });
    return { flight: client.connect().output, server };
  };
  return { world, antiReplay, session, resume, capture };
}

/** The early data that a server was sent, and what has become of it on both sides. */
function outcome({ client, server, events }: Pair) {
  const data = events.flatMap(({ side, event }) =>
    side === 'server' && event.type === 'data' && event.early ? [toHex(event.data)] : [],
  );
  return { client: client.earlyData, server: server.earlyData, refusal: server.earlyDataRefusal, data: data.join('') };
}

const ACCEPTED = { client: 'accepted', server: 'accepted', refusal: undefined, data: toHex(REQUEST) };

function rejected(refusal: NoEarlyData) {
  return { client: 'rejected', server: 'rejected', refusal, data: '' };
}

describe('early data', () => {
  for (const mode of ['stateful', 'stateless'] as const)
    for (const pskModes of [['psk_dhe_ke'], ['psk_ke']] as const)
      for (const timing of ['after-finished', 'half-rtt'] as const)
        it(`is accepted: ${mode}, ${pskModes}, tickets ${timing}`, () => {
          const set = setUp({ tickets: { mode, timing }, pskModes }, { pskModes });
          const run = set.resume().runSync();
          expect(outcome(run)).to.deep.equal(ACCEPTED);
          expect(run.client.resumption).to.include({ resumed: true, mechanism: 'psk' });
          expect(run.server.verdicts[0]).to.include({ accepted: true, earlyData: 'accepted' });
          expect(run.client.sessions[0]?.foreign.maxEarlyData).to.equal(1000);
          run
            .take('client', run.client.write(ascii('more')))
            .take('server', run.server.write(ascii('answer')))
            .runSync();
          expect(run.eventsOf('client', 'data')).to.have.lengthOf(1);
          expect(run.eventsOf('server', 'data').map(({ early }) => early)).to.deep.equal([true, undefined]);
        });

  describe('is rejected, the strategy is not asked, and the handshake goes on', () => {
    const strategy = (changes: Partial<AntiReplay>): AntiReplay => ({ admit: () => true, ...changes });
    const rows: Readonly<Record<string, [NoEarlyData, () => { set: World; run: Pair }]>> = {
      'by a server that takes none': ['disabled', () => resuming({}, { server: { earlyData: undefined } })],
      'where nothing is resumed': ['not-resumed', () => resuming({ sessions: { mayResume: () => false } })],
      'where the ticket allows more than the server does by now': [
        'not-allowed',
        () => resuming({}, { server: { earlyData: { maxSize: 999, antiReplay: strategy({}) } } }),
      ],
      'under another suite of the same hash': [
        'cipher-suite',
        () => resuming({}, { server: { ciphers: ['TLS_CHACHA20_POLY1305_SHA256'] } }),
      ],
      'under another protocol': [
        'alpn',
        () => resuming({ alpn: ['h2'] }, { server: { alpn: ['http/1.1'] } }, { alpn: ['h2', 'http/1.1'] }),
      ],
      'under none, where there was a protocol': [
        'alpn',
        () => resuming({ alpn: ['h2'] }, { server: { alpn: [] } }, { alpn: ['h2'] }),
      ],
      'for another name that shares its sessions': [
        'scope',
        () =>
          resuming({ scope: { shareAcross: 'all' } }, { client: { serverName: 'other.example', forceSessions: true } }),
      ],
      'after a HelloRetryRequest': ['retry', () => resuming({}, { server: { groups: ['secp384r1'] } })],
    };
    for (const [title, [refusal, act]] of Object.entries(rows))
      it(`${title}: ${refusal}`, () => {
        const { set, run } = act();
        expect(outcome(run.runSync())).to.deep.equal(rejected(refusal));
        expect(run.client.isEstablished && run.server.isEstablished).to.equal(true);
        expect(run.server.verdicts[0]?.earlyData).to.equal(refusal);
        expect(set.antiReplay.attempts).to.deep.equal([]);
        run.take('client', run.client.write(ascii('more'))).runSync();
        expect(run.eventsOf('server', 'data').map(({ data }) => toHex(data))).to.deep.equal([toHex(ascii('more'))]);
      });

    it('where another identity than the first is accepted: not-first', () => {
      const set = setUp();
      const foreign = setUp({}, {}, { seed: 'another server' }).session();
      const run = set.resume({ client: { sessions: [foreign, set.session()] } }).runSync();
      expect(outcome(run)).to.deep.equal(rejected('not-first'));
      expect(run.server.resumption).to.include({ resumed: true, identityIndex: 1 });
      expect(run.server.verdicts.map(({ earlyData }) => earlyData)).to.deep.equal(['not-first', undefined]);
      expect(set.antiReplay.attempts).to.deep.equal([]);
    });
  });

  describe('is fresh within the window, either side of the time that its age leads to, inclusive (§8.3)', () => {
    /** Of the second in which the tickets are issued. */
    const later = Date.UTC(2026, 0, 1) + 999;
    for (const [window, now, when] of [
      [10_000, undefined, ''],
      [3_000, undefined, ''],
      [10_000, later, ', 999 ms later'],
    ] as const)
      for (const off of [
        -window - 1000,
        -window - 1,
        -window,
        1000 - window,
        0,
        window - 1000,
        window,
        window + 1,
        window + 1000,
      ]) {
        const isFresh = Math.abs(off) <= window;
        it(`${off} ms of ±${window}${when}: ${isFresh ? 'accepted' : 'age'}`, () => {
          const antiReplay = new Records(window === 10_000 ? undefined : window);
          const set = setUp({ earlyData: { maxSize: 1000, antiReplay } }, {}, { now });
          set.world.advance(60_000);
          const run = set.resume({ client: { ticketAge: 60_000 - off } }).runSync();
          expect(outcome(run)).to.deep.equal(isFresh ? ACCEPTED : rejected('age'));
          expect(run.server.resumption.resumed).to.equal(true);
          expect(antiReplay.attempts.map(({ expiresIn }) => expiresIn)).to.deep.equal(isFresh ? [window - off] : []);
        });
      }

    it('no more once lookups have taken until it was not', async () => {
      let found: (() => void) | undefined;
      const set = setUp({ sessions: { mayResume: () => new Promise((resolve) => (found = () => resolve(true))) } });
      set.world.advance(60_000);
      const run = set.resume({ client: { ticketAge: 55_000 } });
      const ran = run.run();
      await new Promise(setImmediate);
      set.world.advance(5_001); // it came 5 s late, which is fresh, and is looked at another 5 s later
      found?.();
      await ran;
      expect(outcome(run)).to.deep.equal(rejected('age'));
      expect(set.antiReplay.attempts).to.deep.equal([]);
    });

    it('never where the time of a session moves when it is used', () => {
      expect(() => setUp({ sessions: { updateTime: true } })).to.throw(TypeError, /updateTime needs singleUse/);
    });
  });

  describe('a replayed flight', () => {
    for (const mode of ['stateful', 'stateless'] as const)
      it(`is accepted once, ${mode}, however often it comes, and whole or byte by byte`, () => {
        const set = setUp({ tickets: { mode } });
        const { flight, server } = set.capture();
        const first = replay(server, [flight]);
        expect(first.earlyData).to.equal('accepted');
        for (const chunks of [[flight], [...flight].map((byte) => Uint8Array.of(byte))]) {
          const again = replay(server, chunks);
          expect([again.earlyData, again.earlyDataRefusal]).to.deep.equal(['rejected', 'replay']);
          expect(again.waitingFor).to.include({ kind: 'message', name: 'finished' });
        }
        expect(new Set(set.antiReplay.attempts.map(({ key }) => toHex(key))).size).to.equal(1);
        expect(set.antiReplay.attempts).to.have.lengthOf(3);
      });

    it('with another binder is refused before the strategy is asked', () => {
      const set = setUp();
      const run = set
        .resume({
          client: { faults: [faults.extension('client_hello', 41, otherBinder)] },
        })
        .runSync();
      expect(run.server.hasFailed).to.equal(true);
      expect(run.eventsOf('server', 'failed')[0]?.error).to.include({ alert: 'decrypt_error' });
      expect(set.antiReplay.attempts).to.deep.equal([]);
    });

    it('under singleUse() finds no session, and burns none of who has not proved it', () => {
      const set = setUp({ earlyData: { maxSize: 1000, antiReplay: singleUse() } });
      const { flight, server } = set.capture();
      expect(replay(server, [flight]).earlyData).to.equal('accepted');
      const again = replay(server, [flight]);
      expect([again.earlyData, again.earlyDataRefusal]).to.deep.equal(['rejected', 'not-resumed']);
      expect(again.resumption.reason).to.equal('consumed');
    });

    it('under singleUse() resumes without early data if it is rejected, and can come back', () => {
      const set = setUp({ earlyData: { maxSize: 1000, antiReplay: singleUse() } });
      set.world.advance(60_000);
      const session = set.session();
      const late = set.resume({ client: { sessions: [session], ticketAge: 0 } }).runSync();
      expect(outcome(late)).to.deep.equal(rejected('age'));
      expect(outcome(set.resume({ client: { sessions: [session] } }).runSync())).to.deep.equal(ACCEPTED);
    });
  });

  describe('a strategy', () => {
    const cases: Readonly<Record<string, [NoEarlyData, Partial<AntiReplay>]>> = {
      'that says no': ['replay', { admit: () => false }],
      'that says something else': ['replay', { admit: (() => 1) as unknown as AntiReplay['admit'] }],
      'that throws': [
        'store-error',
        {
          admit: () => {
            throw new Error('down');
          },
        },
      ],
      'that rejects': ['store-error', { admit: () => Promise.reject(new Error('down')) }],
      'that is blacked out': ['blackout', { isBlackedOut: true }],
    };
    for (const [title, [refusal, changes]] of Object.entries(cases))
      it(`${title} rejects early data, not the connection: ${refusal}`, async () => {
        const set = setUp({ earlyData: { maxSize: 1000, antiReplay: { admit: () => true, ...changes } } });
        const run = await set.resume().run();
        expect(outcome(run)).to.deep.equal(rejected(refusal));
        expect(run.server.isEstablished).to.equal(true);
        const failures = run.eventsOf('server', 'callback-error').map(({ callback }) => callback);
        expect(failures).to.deep.equal(refusal === 'store-error' ? ['admit'] : []);
      });

    it('may answer later, and what comes meanwhile waits', async () => {
      const set = setUp({
        earlyData: {
          maxSize: 1000,
          antiReplay: { admit: () => new Promise((resolve) => setImmediate(resolve, true)) },
        },
      });
      expect(outcome(await set.resume().run())).to.deep.equal(ACCEPTED);
    });

    it('that does not answer in time rejects early data: store-timeout', () => {
      const set = setUp({ earlyData: { maxSize: 1000, antiReplay: { admit: () => new Promise(() => {}) } } });
      const { flight, server } = set.capture();
      const connection = new ServerConnection(server);
      const { question } = connection.receive(flight);
      expect(question).to.include({ kind: 'early-data', budgeted: true });
      if (question !== undefined) connection.answer(question, { late: true });
      expect([connection.earlyData, connection.earlyDataRefusal]).to.deep.equal(['rejected', 'store-timeout']);
      connection.dispose();
    });

    it('that says no leaves nothing held: replays do not use up maxHeld', () => {
      const set = setUp({ earlyData: { maxSize: 1000, antiReplay: { admit: () => false }, maxHeld: 1000 } });
      const open = [1, 2, 3].map(() => {
        const { flight, server } = set.capture();
        return replay(server, [flight]);
      });
      expect(open.map(({ earlyDataRefusal }) => earlyDataRefusal)).to.deep.equal(['replay', 'replay', 'replay']);
      for (const connection of open) connection.dispose();
    });

    it('that disposes of its connection leaves nothing held', () => {
      let connection: ServerConnection | undefined;
      const antiReplay = {
        get isBlackedOut(): boolean {
          connection?.dispose();
          return false;
        },
        admit: () => true,
      };
      const set = setUp({ earlyData: { maxSize: 1000, antiReplay, maxHeld: 1000 } });
      const { flight, server } = set.capture();
      connection = new ServerConnection(server);
      connection.receive(flight);
      connection = undefined;
      expect(outcome(set.resume().runSync())).to.deep.equal(ACCEPTED);
    });

    it('is asked by connections that hold maxHeld bytes together, and no more', () => {
      const antiReplay = new Records();
      const set = setUp({ earlyData: { maxSize: 1000, antiReplay, maxHeld: 2500 } });
      const flights = [1, 2, 3, 4].map(() => set.capture());
      const open = flights.map(({ flight, server }) => {
        const connection = new ServerConnection(server);
        connection.receive(flight);
        return connection;
      });
      expect(open.map(({ earlyDataRefusal }) => earlyDataRefusal)).to.deep.equal([
        undefined,
        undefined,
        'held',
        'held',
      ]);
      expect(antiReplay.attempts).to.have.lengthOf(2);
      for (const connection of open) connection.dispose();
      expect(outcome(set.resume().runSync()), 'once they have let go').to.deep.equal(ACCEPTED);
    });
  });

  describe('is counted, and ends, as the RFC says (§4.3.10, §4.6)', () => {
    const ended = (run: Pair) => run.eventsOf('server', 'failed').map(({ error }) => error.alert);

    it('maxSize bytes are accepted, in any number of records, with any padding', () => {
      const set = setUp();
      const run = set.resume({
        client: {
          earlyData: new Uint8Array(1000),
          faults: [faults.split('application_data', 7, 'each'), faults.pad('application_data', 100, 'each')],
        },
      });
      expect(outcome(run.runSync()).data).to.equal('00'.repeat(1000));
    });

    it('what is handed out keeps no padding alive', () => {
      const run = setUp().resume({ client: { faults: [faults.pad('application_data', 16_000, 'each')] } });
      run.runSync();
      run.take('client', run.client.write(REQUEST));
      run.runSync();
      const kept = run.eventsOf('server', 'data').map(({ data }) => data.buffer.byteLength);
      expect(kept).to.have.lengthOf(2);
      for (const bytes of kept) expect(bytes).to.be.below(1000);
    });

    it('one more is unexpected_message', () => {
      const hand = injector();
      const run = setUp().resume({ client: { earlyData: new Uint8Array(1000), faults: [hand] } });
      run.take('client', run.client.connect());
      hand.record('application_data', Uint8Array.of(0));
      run.take('client', run.client.receive(new Uint8Array(0)));
      expect(ended(run.runSync())).to.deep.equal(['unexpected_message']);
    });

    it('what does not open once it is accepted is bad_record_mac', () => {
      const run = setUp().resume({ client: { faults: [faults.corrupt('application_data')] } });
      expect(ended(run.runSync())).to.deep.equal(['bad_record_mac']);
    });

    it('a Finished without EndOfEarlyData is bad_record_mac or unexpected_message, by its key', () => {
      const run = setUp().resume({ client: { faults: [faults.drop('end_of_early_data')] } });
      expect(ended(run.runSync())).to.deep.equal(['bad_record_mac']);
    });

    it('an EndOfEarlyData that ends nothing is unexpected_message', () => {
      const end = frame(endOfEarlyData, {});
      const run = setUp().resume({ client: { earlyData: undefined, faults: [faults.insert('finished', end)] } });
      expect(ended(run.runSync())).to.deep.equal(['unexpected_message']);
    });

    it('an EndOfEarlyData that is not empty is decode_error', () => {
      const run = setUp().resume({
        client: { faults: [faults.raw('end_of_early_data', (raw) => Uint8Array.of(raw[0] ?? 0, 0, 0, 1, 0))] },
      });
      expect(ended(run.runSync())).to.deep.equal(['decode_error']);
    });

    // A record is longer than its data by 17 bytes. maxSize counts the data.
    for (const [skippedEarlyData, maxSize, skipped, protection] of [
      [0, 1200, 1200, 0],
      [3000, 1200, 3000, 17],
      [0, 3000, 3000, 0],
    ] as const)
      for (const isRetried of [false, true])
        it(`of what is rejected ${skipped} bytes ${protection > 0 ? 'of records ' : ''}are skipped, max(${skippedEarlyData}, ${maxSize})${isRetried ? ', after a HelloRetryRequest' : ''}`, () => {
          for (const extra of [0, 1]) {
            const hand = injector();
            const set = setUp({
              earlyData: { maxSize, antiReplay: { admit: () => false } },
              limits: { skippedEarlyData },
            });
            const server = isRetried ? { groups: ['secp384r1' as const] } : {};
            const run = set.resume({ client: { earlyData: true, faults: [hand] }, server });
            run.take('client', run.client.connect());
            const sizes = [300 + extra, ...new Array(skipped / 300 - 1).fill(300)];
            for (const size of sizes) hand.record('application_data', new Uint8Array(size - protection));
            run.take('client', run.client.receive(new Uint8Array(0)));
            expect(ended(run.runSync())).to.deep.equal(extra === 0 ? [] : ['unexpected_message']);
          }
        });
  });

  it('that fills what its ticket allows is skipped, whatever the size of its records', () => {
    for (const size of [1, 17, 333, 1000]) {
      const run = setUp().resume({
        client: { earlyData: new Uint8Array(1000), faults: [faults.split('application_data', size, 'each')] },
        server: { earlyData: { maxSize: 1000, antiReplay: { admit: () => false } }, limits: { skippedEarlyData: 0 } },
      });
      expect(outcome(run.runSync())).to.deep.equal(rejected('replay'));
      expect(run.client.isEstablished && run.server.isEstablished, `${size}`).to.equal(true);
    }
  });

  describe('of a client', () => {
    it('is not offered where nothing says that the server has TLS 1.3: without a session, and under one of TLS 1.2', () => {
      const set = setUp();
      const none = { client: 'none', server: 'none' };
      expect(outcome(set.resume({ client: { sessions: [] } }).runSync())).to.include(none);
      const old = set.resume({ client: { sessions: [], earlyData: undefined }, config: { maxVersion: 'TLSv1.2' } });
      const session = old.runSync().client.session?.upRef();
      if (session === undefined) throw new Error('no session');
      const run = set.resume({ client: { sessions: [session] } }).runSync();
      expect(outcome(run)).to.include(none);
      expect(run.client.isEstablished).to.equal(true);
      session.free();
    });

    it('is not offered by a session that allows less, or none, or whose protocol or suite the client has no more', () => {
      const none = setUp({ earlyData: undefined });
      expect(outcome(none.resume().runSync())).to.include({ client: 'none', server: 'none' });
      const long = setUp();
      expect(outcome(long.resume({ client: { earlyData: new Uint8Array(1001) } }).runSync())).to.include({
        client: 'none',
        server: 'none',
      });
      const alpn = setUp({ alpn: ['h2'] }, { alpn: ['h2'] });
      expect(
        outcome(alpn.resume({ config: { alpn: ['http/1.1'] }, server: { alpn: ['http/1.1'] } }).runSync()),
      ).to.include({ client: 'none' });
      const suite = setUp();
      expect(outcome(suite.resume({ config: { ciphers: ['TLS_CHACHA20_POLY1305_SHA256'] } }).runSync())).to.include({
        client: 'none',
      });
    });

    it('goes out in pieces, as many bytes as the ticket allows', () => {
      const run = setUp().resume({ client: { earlyData: true } });
      expect(run.client.earlyRoom).to.equal(0);
      run.take('client', run.client.connect());
      expect(run.client.earlyRoom).to.equal(1000);
      run.take('client', run.client.writeEarlyData(REQUEST));
      expect(run.client.earlyRoom).to.equal(1000 - REQUEST.length);
      expect(() => run.client.writeEarlyData(new Uint8Array(1000))).to.throw(RangeError, /982 may still be sent/);
      expect(outcome(run.runSync())).to.deep.equal(ACCEPTED);
      expect(() => run.client.writeEarlyData(REQUEST)).to.throw(Error, /no early data may be sent/);
    });

    it('stays below what its key may protect, for there is no KeyUpdate: recordsPerKey (§5.5)', () => {
      const run = setUp().resume({ client: { earlyData: true }, config: { recordsPerKey: 6 } });
      run.take('client', run.client.connect());
      for (let i = 0; i < 4; i++) run.take('client', run.client.writeEarlyData(Uint8Array.of(i)));
      expect(run.client.earlyRoom).to.equal(0);
      expect(() => run.client.writeEarlyData(Uint8Array.of(4))).to.throw(Error, /or no more of it/);
      expect(outcome(run.runSync()).data).to.equal('00010203');
      run.take('client', run.client.write(ascii('more'))).runSync();
      expect(run.eventsOf('server', 'data').at(-1)?.early, 'under the next key').to.equal(undefined);
    });

    for (const [suite, limit] of [
      ['TLS_AES_128_GCM_SHA256', 23726566],
      ['TLS_CHACHA20_POLY1305_SHA256', 2 ** 48 - 1],
    ] as const)
      it(`stays below what its suite allows (§5.5): ${suite}`, () => {
        const set = setUp({ ciphers: [suite] }, { ciphers: [suite] });
        const run = set.resume({ client: { earlyData: true } });
        run.take('client', run.client.connect());
        let records = limit - 3;
        Object.defineProperty(run.client.channel.writer, 'records', { get: () => records });
        expect(run.client.earlyRoom).to.equal(1000);
        run.client.writeEarlyData(Uint8Array.of(1));
        records++;
        expect(run.client.earlyRoom).to.equal(0);
        expect(() => run.client.writeEarlyData(Uint8Array.of(1))).to.throw(Error, /or no more of it/);
      });

    it('is not offered where the key may not protect all of it', () => {
      const set = setUp({ earlyData: { maxSize: 100_000, antiReplay: new Records() } });
      const of = (length: number) =>
        outcome(set.resume({ client: { earlyData: new Uint8Array(length) }, config: { recordsPerKey: 4 } }).runSync())
          .server;
      expect(of(2 * 16384)).to.equal('accepted');
      expect(of(2 * 16384 + 1)).to.equal('none');
    });

    it('half a round trip before its end the server stays below what its key may protect, too', () => {
      const run = setUp({ limits: { recordsPerKey: 6 } }).resume();
      run.take('client', run.client.connect());
      while (run.eventsOf('server', 'early-data').length === 0) run.step();
      expect(run.server.earlyRoom).to.equal(4 * 16384);
      for (let i = 0; i < 4; i++) run.take('server', run.server.writeEarlyData(Uint8Array.of(i)));
      expect(() => run.server.writeEarlyData(Uint8Array.of(4))).to.throw(Error, /or no more of it/);
      run.runSync();
      run.take('server', run.server.write(Uint8Array.of(4))).runSync();
      expect(run.eventsOf('client', 'data').map(({ data }) => toHex(data))).to.deep.equal([
        '00',
        '01',
        '02',
        '03',
        '04',
      ]);
    });

    it('is answered by the server before its Finished has come', () => {
      const run = setUp().resume();
      run.take('client', run.client.connect());
      while (run.eventsOf('server', 'early-data').length === 0) run.step();
      expect(run.server.isEstablished).to.equal(false);
      run.take('server', run.server.writeEarlyData(ascii('half a round trip')));
      expect(outcome(run.runSync())).to.deep.equal(ACCEPTED);
      expect(run.eventsOf('client', 'data').map(({ data }) => toHex(data))).to.deep.equal([
        toHex(ascii('half a round trip')),
      ]);
      expect(() => run.server.writeEarlyData(REQUEST)).to.throw(Error, /no early data may be sent/);
    });

    const alerts: Readonly<Record<string, [string, Partial<ConnectOptions>, Parameters<typeof faults.extension>[2]?]>> =
      {
        'accepted, but not offered': ['unsupported_extension', { earlyData: undefined }],
      };
    for (const [title, [alert, client]] of Object.entries(alerts))
      it(`${title}: ${alert}`, () => {
        const run = setUp().resume({
          client,
          on: { faults: [faults.extension('encrypted_extensions', 42, new Uint8Array(0))] },
        });
        run.runSync();
        expect(run.eventsOf('client', 'failed').map(({ error }) => error.alert)).to.deep.equal([alert]);
      });

    it('accepted with another identity: illegal_parameter', () => {
      const set = setUp();
      const run = set
        .resume({
          client: { sessions: [set.session(), set.session()] },
          on: { faults: [faults.selectIdentity(1), faults.extension('encrypted_extensions', 42, new Uint8Array(0))] },
        })
        .runSync();
      expect(run.eventsOf('client', 'failed').map(({ error }) => error.alert)).to.deep.equal(['illegal_parameter']);
    });

    it('accepted in a full handshake: illegal_parameter', () => {
      const set = setUp({ sessions: { mayResume: () => false } });
      const run = set
        .resume({ on: { faults: [faults.extension('encrypted_extensions', 42, new Uint8Array(0))] } })
        .runSync();
      expect(run.eventsOf('client', 'failed').map(({ error }) => error.alert)).to.deep.equal(['illegal_parameter']);
    });

    it('accepted with another suite: illegal_parameter', () => {
      const set = setUp();
      const run = set
        .resume({
          server: { ciphers: ['TLS_CHACHA20_POLY1305_SHA256'] },
          on: { faults: [faults.extension('encrypted_extensions', 42, new Uint8Array(0))] },
        })
        .runSync();
      expect(run.eventsOf('client', 'failed').map(({ error }) => error.alert)).to.deep.equal(['illegal_parameter']);
    });

    it('accepted with another protocol: illegal_parameter', () => {
      const set = setUp({ alpn: ['h2'] }, { alpn: ['h2', 'http/1.1'] });
      const run = set
        .resume({
          server: { alpn: ['http/1.1'] },
          on: { faults: [faults.extension('encrypted_extensions', 42, new Uint8Array(0))] },
        })
        .runSync();
      expect(run.eventsOf('client', 'failed').map(({ error }) => error.alert)).to.deep.equal(['illegal_parameter']);
    });

    it('answered by TLS 1.2: protocol_version, and never sent again', () => {
      const run = setUp()
        .resume({ server: { maxVersion: 'TLSv1.2' } })
        .runSync();
      expect(run.eventsOf('client', 'failed').map(({ error }) => error.alert)).to.deep.equal(['protocol_version']);
    });
  });

  it('has a line in the key log, and an exporter that both ends agree on', () => {
    const run = setUp()
      .resume({ client: { wantsKeylog: () => true }, on: { wantsKeylog: () => true } })
      .runSync();
    const [ours, theirs] = (['client', 'server'] as const).map((side) =>
      run
        .eventsOf(side, 'keylog')
        .map(({ line }) => line)
        .filter((line) => line.includes('EARLY')),
    );
    expect(ours).to.deep.equal(theirs);
    expect(ours?.map((line) => line.split(' ')[0])).to.deep.equal([
      'CLIENT_EARLY_TRAFFIC_SECRET',
      'EARLY_EXPORTER_SECRET',
    ]);
    const [one, other] = [run.client, run.server].map((end) =>
      toHex(end.exportEarlyKeyingMaterial(32, 'EXPORTER-test')),
    );
    expect(one).to.equal(other);
    expect(one).not.to.equal(toHex(run.client.exportKeyingMaterial(32, 'EXPORTER-test')));
    run.dispose();
    expect(() => run.client.exportEarlyKeyingMaterial(32, 'EXPORTER-test')).to.throw(Error, /after its end/);
  });
});

function resuming(
  options: Partial<ServerOptions>,
  changes: Parameters<World['resume']>[0] = {},
  client: Partial<ClientOptions> = {},
) {
  const set = setUp(options, client);
  return { set, run: set.resume(changes) };
}

/** The content of pre_shared_key with another last byte, which is a binder's. */
function otherBinder(data: Uint8Array | undefined): Uint8Array | undefined {
  const changed = data?.slice();
  if (changed !== undefined) changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
  return changed;
}

/** A server that has been sent these bytes. */
function replay(server: ServerConfig, chunks: readonly Uint8Array[]): ServerConnection {
  const connection = new ServerConnection(server);
  for (const chunk of chunks) connection.receive(chunk);
  return connection;
}
