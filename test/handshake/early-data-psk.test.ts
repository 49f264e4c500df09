/** Early data under external PSKs, in both roles: RFC 9846 §4.3.10, §4.3.11, §8; RFC 9258 §5.1. */

import { expect } from 'chai';
import { ClientConnection, type ClientOptions, type ConnectOptions, defineClient } from '../../src/client.ts';
import { recordHellos } from '../../src/engine/server/record-hellos.ts';
import { singleUse } from '../../src/engine/server/single-use.ts';
import type { HelloDraft } from '../../src/handshake/client/hello-draft.ts';
import {
  type AntiReplay,
  defineServer,
  type EarlyDataAttempt,
  type ExternalPsk,
  type NoEarlyData,
  type PskEarlyData,
  ServerConnection,
  type ServerOptions,
} from '../../src/index.ts';
import { faults, type Pair, pair, record, replay, type SeededWorld, seededWorld } from '../../src/testing.ts';
import { ascii, toHex } from '../../src/wire/bytes.ts';
import { CipherSuite } from '../../src/wire/registry.ts';
import { certificates } from '../fixtures.ts';
import { testProvider } from '../support/provider.ts';

const REQUEST = ascii('GET / HTTP/1.1\r\n\r\n');
const SECRET = ascii('0123456789abcdef0123456789abcdef');
const SUITE = 'TLS_AES_128_GCM_SHA256';
const PSK: ExternalPsk = {
  identity: ascii('sensor 7'),
  secret: SECRET,
  earlyData: { maxSize: 1000, cipherSuite: SUITE },
};

/** A PSK whose early data is otherwise. */
const withTerms = (changes: Partial<PskEarlyData>): ExternalPsk => ({
  ...PSK,
  earlyData: { maxSize: 1000, cipherSuite: SUITE, ...changes },
});

/** A store of the application's, which forgets nothing. */
class Store implements AntiReplay {
  readonly keepsForever: boolean | undefined = true;
  readonly attempts: EarlyDataAttempt[] = [];
  readonly #known = new Set<string>();

  admit(attempt: EarlyDataAttempt): boolean {
    this.attempts.push(attempt);
    const isNew = !this.#known.has(toHex(attempt.key));
    this.#known.add(toHex(attempt.key));
    return isNew;
  }
}

interface Changes {
  readonly server?: Partial<ServerOptions>;
  readonly client?: Partial<ClientOptions>;
  readonly connection?: Partial<ConnectOptions>;
  readonly world?: SeededWorld;
}

function setUp({ server = {}, client = {}, world = seededWorld('early data under a PSK') }: Changes = {}) {
  const store = new Store();
  return {
    store,
    server: defineServer({
      credentials: undefined,
      crypto: testProvider,
      world: world.fork('server'),
      psks: [PSK],
      earlyData: { maxSize: 1000, antiReplay: store },
      ...server,
    }),
    client: defineClient({ crypto: testProvider, world: world.fork('client'), psks: [PSK], ...client }),
  };
}

function connect(changes: Changes = {}): { run: Pair; store: Store } {
  const { store, server, client } = setUp(changes);
  const options = { client: { serverName: 'localhost', earlyData: REQUEST, ...changes.connection } };
  return { run: pair(client, server, options).runSync(), store };
}

function outcome({ client, server, events }: Pair) {
  const data = events.flatMap(({ side, event }) =>
    side === 'server' && event.type === 'data' && event.early ? [toHex(event.data)] : [],
  );
  return { client: client.earlyData, server: server.earlyData, refusal: server.earlyDataRefusal, data: data.join('') };
}

const ACCEPTED = { client: 'accepted', server: 'accepted', refusal: undefined, data: toHex(REQUEST) };
const NONE = { client: 'none', server: 'none', refusal: undefined, data: '' };
const rejected = (refusal: NoEarlyData) => ({ client: 'rejected', server: 'rejected', refusal, data: '' });

describe('early data under an external PSK', () => {
  for (const pskModes of [['psk_dhe_ke'], ['psk_ke']] as const)
    for (const isImported of [false, true])
      for (const credentials of [undefined, [certificates.ecdsaP256]])
        it(`is accepted: ${isImported ? 'imported' : 'plain'}, ${pskModes}, ${credentials ? 'beside a certificate' : 'alone'}`, () => {
          const psks = [{ ...PSK, import: isImported }];
          const { run, store } = connect({ server: { psks, pskModes, credentials }, client: { psks, pskModes } });
          expect(outcome(run)).to.deep.equal(ACCEPTED);
          const mechanism = isImported ? 'psk-imported' : 'psk-external';
          expect(run.server.resumption).to.include({ mechanism, pskMode: pskModes[0], resumed: false });
          expect(run.server.verdicts[0]).to.include({ accepted: true, earlyData: 'accepted' });
          expect(store.attempts.map(({ expiresIn }) => expiresIn)).to.deep.equal([Number.POSITIVE_INFINITY]);
          run.take('client', run.client.write(ascii('more'))).runSync();
          expect(run.eventsOf('server', 'data').map(({ early }) => early)).to.deep.equal([true, undefined]);
        });

  for (const isImported of [false, true])
    it(`goes under the suite that is provisioned, whatever the order of suites, and of the targets: ${isImported ? 'imported' : 'plain'}`, () => {
      for (const cipherSuite of ['TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'] as const) {
        const hash = cipherSuite.endsWith('384') && !isImported ? 'sha384' : 'sha256';
        const psks = [{ ...withTerms({ cipherSuite }), hash, import: isImported } as const];
        const offered: number[] = [];
        const edits = {
          hello: (draft: HelloDraft) => {
            offered.push(...draft.cipherSuites);
            return undefined;
          },
        };
        const { run } = connect({ server: { psks }, client: { psks }, connection: { edits } });
        expect(outcome(run)).to.deep.equal(ACCEPTED);
        expect(run.server.cipherSuite).to.equal(cipherSuite);
        expect(offered[0], 'for servers that take the first').to.equal(CipherSuite[cipherSuite]);
        expect(run.server.resumption.identityIndex).to.equal(0);
      }
    });

  it('is of a PSK that a function finds, at once or later', async () => {
    for (const psks of [() => PSK, async () => PSK]) {
      const { server, client } = setUp({ server: { psks } });
      const run = pair(client, server, { client: { serverName: 'localhost', earlyData: REQUEST } });
      expect(outcome(await run.run())).to.deep.equal(ACCEPTED);
    }
  });

  it('goes where there are no tickets', () => {
    expect(outcome(connect({ server: { tickets: { mode: 'off' } } }).run)).to.deep.equal(ACCEPTED);
  });

  it('states no age (§4.3.11), and a server ignores one', () => {
    const { run } = connect({
      connection: {
        edits: {
          hello: (draft) => {
            expect(draft.psks.map(({ obfuscatedTicketAge }) => obfuscatedTicketAge)).to.deep.equal([0]);
            return { ...draft, psks: draft.psks.map((psk) => ({ ...psk, obfuscatedTicketAge: 0x12345678 })) };
          },
        },
      },
    });
    expect(outcome(run)).to.deep.equal(ACCEPTED);
  });

  describe('is admitted by a strategy that keeps its records for ever, and by no other', () => {
    it('a replayed flight is accepted once, also years later', () => {
      const world = seededWorld('replayed');
      const { server, client, store } = setUp({ world });
      const connection = new ClientConnection(client, { serverName: 'localhost', earlyData: REQUEST });
      const flight = connection.connect().output;
      const statuses = [0, 0, 10 * 365 * 86_400_000].map((later) => {
        world.advance(later);
        const end = new ServerConnection(server);
        end.receive(flight);
        return [end.earlyData, end.earlyDataRefusal];
      });
      expect(statuses).to.deep.equal([
        ['accepted', undefined],
        ['rejected', 'replay'],
        ['rejected', 'replay'],
      ]);
      expect(new Set(store.attempts.map(({ key }) => toHex(key))).size).to.equal(1);
      connection.dispose();
    });

    const asked: unknown[] = [];
    const forgetful: AntiReplay = { admit: (attempt) => asked.push(attempt) > 0 };
    const world = seededWorld('strategies');
    const strategies: Readonly<Record<string, () => AntiReplay>> = {
      'one that does not say so is not asked': () => forgetful,
      'one that says no is not asked': () => ({ ...forgetful, keepsForever: false }),
      'recordHellos() forgets': () => {
        const strategy = recordHellos({ world });
        world.advance(60_000);
        return strategy;
      },
      'singleUse() has no session to take': () => singleUse(),
    };
    for (const [title, antiReplay] of Object.entries(strategies))
      it(`${title}: age, and the handshake goes on`, () => {
        const { run } = connect({ server: { world, earlyData: { maxSize: 1000, antiReplay: antiReplay() } } });
        expect(outcome(run)).to.deep.equal(rejected('age'));
        expect(run.server.resumption.mechanism).to.equal('psk-external');
        expect(run.client.isEstablished && run.server.isEstablished).to.equal(true);
        expect(run.server.verdicts[0]?.earlyData).to.equal('age');
        expect(asked).to.deep.equal([]);
      });

    it('the admission of a hello by recordHellos() itself is a RangeError', () => {
      const clock = seededWorld('clock');
      const strategy = recordHellos({ world: clock });
      clock.advance(60_000);
      expect(() => strategy.admit({ key: new Uint8Array(32), expiresIn: Number.POSITIVE_INFINITY })).to.throw(
        RangeError,
        /expiresIn is Infinity/,
      );
    });

    it('one that fails, is blacked out, or holds too much rejects early data, not the connection', () => {
      const rows: readonly [NoEarlyData, Partial<AntiReplay>][] = [
        ['replay', { admit: () => false }],
        ['blackout', { isBlackedOut: true }],
        [
          'store-error',
          {
            admit: () => {
              throw new Error('down');
            },
          },
        ],
      ];
      for (const [refusal, changes] of rows) {
        const antiReplay = { keepsForever: true, admit: () => true, ...changes };
        const { run } = connect({ server: { earlyData: { maxSize: 1000, antiReplay } } });
        expect(outcome(run)).to.deep.equal(rejected(refusal));
        expect(run.server.isEstablished).to.equal(true);
      }
    });

    it('maxHeld counts it', () => {
      const { server, client } = setUp({
        server: { earlyData: { maxSize: 1000, maxHeld: 1500, antiReplay: new Store() } },
      });
      const ends = [1, 2].map(() => {
        const connection = new ClientConnection(client, { serverName: 'localhost', earlyData: REQUEST });
        const end = new ServerConnection(server);
        end.receive(connection.connect().output);
        connection.dispose();
        return end;
      });
      expect(ends.map(({ earlyDataRefusal }) => earlyDataRefusal)).to.deep.equal([undefined, 'held']);
      for (const end of ends) end.dispose();
    });
  });

  describe('is rejected by a server to which something else was provisioned, and nothing is used up', () => {
    const serving = (psk: ExternalPsk, others: Partial<ServerOptions> = {}) => ({ psks: [psk], ...others });
    const rows: Readonly<Record<string, [NoEarlyData, Changes]>> = {
      'no early data': ['not-allowed', { server: serving({ ...PSK, earlyData: undefined }) }],
      'more than the server takes': ['not-allowed', { server: serving(withTerms({ maxSize: 1001 })) }],
      'a suite that the server does not have': [
        'cipher-suite',
        { server: serving(PSK, { ciphers: ['TLS_CHACHA20_POLY1305_SHA256'] }) },
      ],
      'a protocol, where none is negotiated': ['alpn', { server: serving(withTerms({ alpnProtocol: 'h2' })) }],
      'none, where one is negotiated': ['alpn', { server: serving(PSK, { alpn: ['h2'] }), client: { alpn: ['h2'] } }],
      'another protocol': [
        'alpn',
        {
          server: serving(withTerms({ alpnProtocol: 'h2' }), { alpn: ['http/1.1'] }),
          client: { psks: [withTerms({ alpnProtocol: 'http/1.1' })], alpn: ['http/1.1'] },
        },
      ],
      'another name': ['scope', { server: serving(withTerms({ serverName: 'other.example' })) }],
      'a name, where the client gives none': [
        'scope',
        { server: serving(withTerms({ serverName: 'localhost' })), connection: { serverName: undefined } },
      ],
      'nothing, as it takes no early data': ['disabled', { server: serving(PSK, { earlyData: undefined }) }],
      'another group, so that there is a HelloRetryRequest': [
        'retry',
        { server: serving(PSK, { groups: ['secp384r1'] }) },
      ],
      'another group and no early data': [
        'retry',
        { server: serving({ ...PSK, earlyData: undefined }, { groups: ['secp384r1'] }) },
      ],
    };
    for (const [title, [refusal, changes]] of Object.entries(rows))
      it(`${title}: ${refusal}`, () => {
        const { run, store } = connect(changes);
        expect(outcome(run)).to.deep.equal(rejected(refusal));
        expect(run.client.isEstablished && run.server.isEstablished).to.equal(true);
        expect(store.attempts).to.deep.equal([]);
        run.take('client', run.client.write(ascii('more'))).runSync();
        expect(run.eventsOf('server', 'data').map(({ data }) => toHex(data))).to.deep.equal([toHex(ascii('more'))]);
      });

    it('where it knows the second identity alone: not-first', () => {
      const stranger = { ...PSK, identity: ascii('a stranger') };
      for (const known of [PSK, { ...PSK, earlyData: undefined }]) {
        const { run, store } = connect({
          server: { credentials: [certificates.ecdsaP256], psks: [known] },
          client: { psks: [stranger, known] },
        });
        expect(outcome(run)).to.deep.equal(rejected('not-first'));
        expect(store.attempts).to.deep.equal([]);
      }
    });

    it('and one byte more than was provisioned is unexpected_message', () => {
      const { run } = connect({
        server: { psks: [withTerms({ maxSize: REQUEST.length - 1 })] },
      });
      expect(run.eventsOf('server', 'failed').map(({ error }) => error.alert)).to.deep.equal(['unexpected_message']);
    });

    it('a wrong binder is decrypt_error, before the strategy is asked', () => {
      const { run, store } = connect({
        server: { psks: [{ ...PSK, secret: ascii('another secret of 32 bytes......') }] },
      });
      expect(run.eventsOf('server', 'failed').map(({ error }) => error.alert)).to.deep.equal(['decrypt_error']);
      expect(store.attempts).to.deep.equal([]);
    });
  });

  it('goes under its name in any case of letters, with the dot of the root or without', () => {
    const psks = [withTerms({ serverName: 'LocalHost.' })];
    for (const serverName of ['localhost', 'LOCALHOST', 'localhost.'])
      expect(outcome(connect({ server: { psks }, client: { psks }, connection: { serverName } }).run)).to.deep.equal(
        ACCEPTED,
      );
  });

  describe('of a client', () => {
    const rows: Readonly<Record<string, Changes>> = {
      'the key allows none': { client: { psks: [{ ...PSK, earlyData: undefined }] } },
      'it allows less': { client: { psks: [withTerms({ maxSize: REQUEST.length - 1 })] } },
      'its suite is not offered': { client: { ciphers: ['TLS_CHACHA20_POLY1305_SHA256'] } },
      'its protocol is not offered': { client: { psks: [withTerms({ alpnProtocol: 'h2' })] } },
      'it is for another name': { client: { psks: [withTerms({ serverName: 'other.example' })] } },
      'it is for a name, and there is none': {
        client: { psks: [withTerms({ serverName: 'localhost' })] },
        connection: { serverName: undefined },
      },
      'only the second key allows it': {
        client: { psks: [{ ...PSK, identity: ascii('a stranger'), earlyData: undefined }, PSK] },
        server: { credentials: [certificates.ecdsaP256] },
      },
      'the application has none': { connection: { earlyData: undefined } },
    };
    for (const [title, changes] of Object.entries(rows))
      it(`is not sent where ${title}`, () => {
        expect(outcome(connect(changes).run)).to.deep.equal(NONE);
      });

    it('goes out in pieces, as many bytes as the key allows', () => {
      const { server, client } = setUp();
      const run = pair(client, server, { client: { serverName: 'localhost', earlyData: true } });
      run.take('client', run.client.connect());
      expect(run.client.earlyRoom).to.equal(1000);
      run.take('client', run.client.writeEarlyData(REQUEST));
      expect(outcome(run.runSync())).to.deep.equal(ACCEPTED);
    });

    it('goes under a session, where there is one: it is offered first', () => {
      const { server, client, store } = setUp();
      const run = () => pair(client, server, { client: { serverName: 'localhost', earlyData: REQUEST } }).runSync();
      expect(outcome(run())).to.deep.equal(ACCEPTED);
      const second = run();
      expect(second.server.resumption.resumed).to.equal(true);
      expect(outcome(second)).to.deep.equal(ACCEPTED);
      expect(store.attempts.map(({ expiresIn }) => Number.isFinite(expiresIn))).to.deep.equal([false, true]);
    });

    const lies: Readonly<Record<string, Changes>> = {
      'another identity': {
        server: { credentials: [certificates.ecdsaP256] },
        client: { psks: [{ ...PSK, identity: ascii('a stranger') }, PSK] },
      },
      'another protocol': { server: { alpn: ['h2'] }, client: { alpn: ['h2'] } },
    };
    for (const [title, changes] of Object.entries(lies))
      it(`accepted with ${title}: illegal_parameter`, () => {
        const { server, client } = setUp(changes);
        const run = pair(client, server, {
          client: { serverName: 'localhost', earlyData: REQUEST },
          server: { faults: [faults.extension('encrypted_extensions', 42, new Uint8Array(0))] },
        }).runSync();
        expect(run.eventsOf('client', 'failed').map(({ error }) => error.alert)).to.deep.equal(['illegal_parameter']);
      });

    it('accepted with another suite, as another was provisioned to the server: illegal_parameter', () => {
      const psks = [withTerms({ cipherSuite: 'TLS_CHACHA20_POLY1305_SHA256' })];
      const { run } = connect({ server: { psks } });
      expect(outcome(run).data).to.equal('');
      expect(run.client.hasFailed && run.server.hasFailed).to.equal(true);
      expect(run.eventsOf('client', 'alert').map(({ description }) => description)).to.include(47);
    });

    it('answered by TLS 1.2: protocol_version', () => {
      const { run } = connect({
        server: { credentials: [certificates.ecdsaP256], maxVersion: 'TLSv1.2' },
        client: { verifyServer: 'any' },
      });
      expect(run.eventsOf('client', 'failed').map(({ error }) => error.alert)).to.deep.equal(['protocol_version']);
    });
  });

  it('is an option whose mistakes are told', () => {
    const rows: readonly [object, ErrorConstructor | typeof TypeError, RegExp][] = [
      [{ cipherSuite: SUITE }, TypeError, /psks\[0\]\.earlyData: maxSize is missing/],
      [{ maxSize: 1 }, TypeError, /psks\[0\]\.earlyData: cipherSuite is missing/],
      [{ maxSize: 0, cipherSuite: SUITE }, RangeError, /psks\[0\]\.earlyData\.maxSize is 0/],
      [{ maxSize: 2 ** 32, cipherSuite: SUITE }, RangeError, /psks\[0\]\.earlyData\.maxSize/],
      [{ maxSize: 1, cipherSuite: 'TLS_AES_128_GCM' }, TypeError, /is 'TLS_AES_128_GCM_SHA256' meant/],
      [{ maxSize: 1, cipherSuite: 'TLS_AES_256_GCM_SHA384' }, TypeError, /cipherSuite: has not the hash of the key/],
      [{ maxSize: 1, cipherSuite: SUITE, alpnProtocol: '' }, TypeError, /psks\[0\]\.earlyData\.alpnProtocol: "" is no/],
      [{ maxSize: 1, cipherSuite: SUITE, serverName: 7 }, TypeError, /psks\[0\]\.earlyData\.serverName: a string/],
      [{ maxSize: 1, cipherSuite: SUITE, alpn: 'h2' }, TypeError, /unknown option psks\[0\]\.earlyData\.alpn/],
    ];
    for (const [earlyData, kind, message] of rows) {
      const psks = [{ ...PSK, earlyData: earlyData as PskEarlyData }];
      expect(() => defineServer({ psks }), String(message)).to.throw(kind as typeof TypeError, message);
      expect(() => defineClient({ psks }), String(message)).to.throw(kind as typeof TypeError, message);
    }
    const forgetful = { maxSize: 1000, antiReplay: { admit: () => true } };
    expect(() => defineServer({ psks: [PSK], tickets: { mode: 'off' }, earlyData: forgetful })).to.throw(
      TypeError,
      /needs keepsForever/,
    );
    expect(() =>
      defineServer({
        psks: [PSK],
        earlyData: { maxSize: 1, antiReplay: { admit: () => true, keepsForever: 1 as never } },
      }),
    ).to.throw(TypeError, /keepsForever/);
  });

  for (const isImported of [false, true])
    it(`is recorded at both ends, and replays: ${isImported ? 'imported' : 'plain'}`, async () => {
      const psks = [{ ...PSK, import: isImported }];
      const { server, client } = setUp({ server: { psks: async () => psks[0] }, client: { psks } });
      const tapes = [record(), record()] as const;
      const run = pair(client, server, {
        client: { serverName: 'localhost', earlyData: REQUEST, faults: [tapes[0]] },
        server: { faults: [tapes[1]] },
      });
      expect(outcome(await run.run())).to.deep.equal(ACCEPTED);
      run.dispose();
      for (const { recording } of tapes) expect(replay(recording).connection.earlyData).to.equal('accepted');
    });
});
