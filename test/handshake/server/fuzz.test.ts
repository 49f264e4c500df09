/**
 * Whatever comes in, a connection ends in an alert or waits for more: no exception comes out of it, it says nothing after its
 * end, and what it keeps is bounded. A failure prints the seed and the path for `fc.assert`.
 */

import { expect } from 'chai';
import fc from 'fast-check';
import type { Event, Step } from '../../../src/engine/events.ts';
import type { Question } from '../../../src/engine/questions.ts';
import type { ServerConfig } from '../../../src/engine/server/config.ts';
import type { TicketOptions } from '../../../src/engine/server/options.ts';
import { ServerConnection } from '../../../src/engine/server/server-connection.ts';
import type { Outcome } from '../../../src/handshake/wait.ts';
import { TicketKeyRing } from '../../../src/tickets/key-ring.ts';
import { alertName } from '../../../src/wire/alert.ts';
import { concat, EMPTY } from '../../../src/wire/bytes.ts';
import { AlertLevel, ContentType, type Version } from '../../../src/wire/registry.ts';
import { runs } from '../../support/runs.ts';
import { type ClientOptions, exchange, ScriptedClient } from '../../support/scripted-client.ts';
import type { HelloFields, RawExtension } from '../../support/scripted-hello.ts';
import { quickCredential, testServer, toyCrypto } from '../../support/servers.ts';
import { TestWorld } from '../../support/world.ts';
import { newKey, sealed } from '../../tickets/support.ts';

const PSK = { identity: new Uint8Array(8), secret: new Uint8Array(32) };

const server = (tickets: TicketOptions): ServerConfig =>
  testServer({
    crypto: toyCrypto,
    groups: ['x25519'],
    credentials: [{ ...quickCredential, ocspResponse: () => new Uint8Array(20) }],
    onAlpn: ([first]) => first,
    pskModes: ['psk_dhe_ke', 'psk_ke'],
    psks: [{ ...PSK, earlyData: { maxSize: 1000, cipherSuite: 'TLS_AES_128_GCM_SHA256', alpnProtocol: 'h2' } }],
    earlyData: { maxSize: 1000, antiReplay: { keepsForever: true, admit: () => true } },
    recordSizeLimit: 2000,
    tickets,
  });

const client = (options: ClientOptions) =>
  new ScriptedClient({
    crypto: toyCrypto,
    groups: ['x25519', 'secp256r1'],
    sni: 'localhost',
    alpn: ['h2'],
    ...options,
  });

/** What every connection keeps to, whatever it has been fed. */
class Watched {
  readonly connection: ServerConnection;
  readonly events: Event[] = [];
  readonly output: Uint8Array[] = [];
  question: Question | undefined;
  #hasAnswers = false;

  constructor(config: ServerConfig) {
    this.connection = new ServerConnection(config);
  }

  get isOver(): boolean {
    return this.events.some(({ type }) => type === 'failed' || type === 'end');
  }

  receive(bytes: Uint8Array): void {
    this.#watch(() => this.connection.receive(bytes));
  }

  answer(question: Question, outcome: Outcome): void {
    this.#hasAnswers = true;
    this.#watch(() => this.connection.answer(question, outcome));
  }

  #watch(call: () => Step): void {
    const wasOver = this.isOver;
    const { output, events, question } = call();
    if (wasOver) expect(output.length + events.length).to.equal(0);
    this.events.push(...events);
    this.output.push(output);
    this.question = question;
    if (events.length > 0) this.#requireAlert(events);
  }

  /** A failure of our making has its one fatal alert, under a name that the RFC has, as the last thing that is sent. */
  #requireAlert(events: readonly Event[]): void {
    const failures = events.flatMap((event) => (event.type === 'failed' ? [event.error] : []));
    const sent = events.flatMap((event) => (event.type === 'alert' && event.direction === 'sent' ? [event] : []));
    const fatal = sent.filter(({ level }) => level === AlertLevel.fatal);
    const [failure] = failures;
    expect(failures.length).to.be.at.most(1);
    expect(fatal.map(({ description }) => alertName(description))).to.deep.equal(
      failure?.origin === 'local' ? [failure.alert] : [],
    );
    if (failure === undefined) return;
    expect(this.connection.isEstablished).to.equal(false);
    // Only a user's callback may fail without its being the peer's fault.
    if (failure.origin === 'local' && !this.#hasAnswers) expect(failure.alert).not.to.equal('internal_error');
  }
}

/** A full handshake of each version at one server, for its tickets and its session. */
function acquainted(tickets: TicketOptions): {
  readonly config: ServerConfig;
  readonly offers: readonly ClientOptions[];
} {
  const config = server(tickets);
  const tls13 = exchange(client({}), new ServerConnection(config)).client;
  const tls12 = exchange(client({ version: 'TLSv1.2' }), new ServerConnection(config)).client;
  const ticketed = exchange(client({ version: 'TLSv1.2', ticketExt: EMPTY }), new ServerConnection(config)).client;
  return {
    config,
    offers: [
      {},
      { psks: tls13.tickets },
      { psks: tls13.tickets, pskModes: ['psk_ke'] },
      { keyShares: [], psks: tls13.tickets },
      { psks: [{ ...PSK, hash: 'sha256', kind: 'external' }], earlyData: true },
      { version: 'TLSv1.2' },
      { version: 'TLSv1.2', session: tls12.session },
      { version: 'TLSv1.2', session: tls12.session, ticketExt: EMPTY },
      { version: 'TLSv1.2', session: ticketed.session, sessionId: new Uint8Array(9).fill(1) },
    ],
  };
}

const bytes = (maxLength: number) => fc.uint8Array({ maxLength });
const uint16 = fc.integer({ min: 0, max: 0xffff });

/** A number that means something in one registry or another, or any. */
const code = fc.oneof(
  fc.constantFrom(
    0,
    1,
    23,
    24,
    29,
    0x00ff,
    0x0300,
    0x0303,
    0x0304,
    0x0403,
    0x0804,
    0x1301,
    0x1302,
    0x5600,
    0xc02b,
    0xc02f,
  ),
  uint16,
);
const codes = (minLength: number) => fc.array(code, { minLength, maxLength: 8 });
const name = fc.string({ unit: 'binary-ascii', minLength: 1, maxLength: 20 });

const fields: fc.Arbitrary<Partial<HelloFields>> = fc.record(
  {
    legacyVersion: code,
    random: fc.uint8Array({ minLength: 32, maxLength: 32 }),
    legacySessionId: bytes(32),
    cipherSuites: codes(1),
    legacyCompressionMethods: fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 1, maxLength: 4 }),
  },
  { requiredKeys: [] },
);

const keyShare = fc.array(fc.record({ group: code, keyExchange: fc.uint8Array({ minLength: 1, maxLength: 100 }) }), {
  maxLength: 4,
});
const identity = fc.record({
  identity: fc.uint8Array({ minLength: 1, maxLength: 40 }),
  obfuscatedTicketAge: fc.integer({ min: 0, max: 0xffffffff }),
});
const preSharedKey = fc.record({
  identities: fc.array(identity, { minLength: 1, maxLength: 8 }),
  binders: fc.array(fc.uint8Array({ minLength: 32, maxLength: 64 }), { minLength: 1, maxLength: 8 }),
});

const extensions: fc.Arbitrary<HelloFields['extensions']> = fc.record(
  {
    serverName: fc.array(fc.record({ nameType: fc.integer({ min: 0, max: 255 }), name }), {
      minLength: 1,
      maxLength: 3,
    }),
    supportedGroups: codes(1),
    ecPointFormats: fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 1, maxLength: 4 }),
    signatureAlgorithms: codes(1),
    signatureAlgorithmsCert: codes(1),
    alpn: fc.array(name, { minLength: 1, maxLength: 4 }),
    extendedMasterSecret: fc.constantFrom(true as const, undefined),
    recordSizeLimit: uint16,
    sessionTicket: bytes(40),
    renegotiationInfo: bytes(40),
    supportedVersions: codes(1),
    cookie: fc.uint8Array({ minLength: 1, maxLength: 40 }),
    earlyData: fc.constantFrom(true as const, undefined),
    pskKeyExchangeModes: fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 1, maxLength: 4 }),
    keyShare,
    preSharedKey,
  },
  { requiredKeys: [] },
);

/** Which extensions are taken out of a hello. */
const removed = fc.subarray(
  [
    'supportedVersions',
    'supportedGroups',
    'keyShare',
    'signatureAlgorithms',
    'pskKeyExchangeModes',
    'preSharedKey',
    'alpn',
    'extendedMasterSecret',
  ] as const,
  { maxLength: 3 },
);

const changedHello = fc.record({
  changes: fields,
  added: extensions,
  removed,
  attempt: fc.integer({ min: 1, max: 2 }),
});

function changing(plan: {
  readonly changes: Partial<HelloFields>;
  readonly added: HelloFields['extensions'];
  readonly removed: readonly string[];
  readonly attempt: number;
}): ClientOptions {
  return {
    rewriteHello: (hello, attempt) => {
      if (attempt !== plan.attempt) return hello;
      const merged = Object.entries({ ...hello.extensions, ...plan.added }).filter(
        ([key]) => !plan.removed.includes(key),
      );
      return { ...hello, ...plan.changes, extensions: Object.fromEntries(merged) };
    },
  };
}

/** One change in a string of bytes, wherever it may be. */
type Mutation = {
  readonly at: number;
  readonly kind: 'flip' | 'set' | 'delete' | 'insert' | 'repeat' | 'cut';
  readonly value: number;
};
const mutation: fc.Arbitrary<Mutation> = fc.record({
  at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  kind: fc.constantFrom('flip', 'set', 'delete', 'insert', 'repeat', 'cut'),
  value: fc.integer({ min: 1, max: 255 }),
});

function mutate(given: Uint8Array, { at, kind, value }: Mutation): Uint8Array {
  const i = Math.floor(at * given.length);
  const [before, after] = [given.subarray(0, i), given.subarray(i)];
  switch (kind) {
    case 'flip':
      return concat(before, Uint8Array.of((after[0] ?? 0) ^ value), after.subarray(1));
    case 'set':
      return concat(before, Uint8Array.of(value), after.subarray(1));
    case 'delete':
      return concat(before, after.subarray(Math.min(value, 8)));
    case 'insert':
      return concat(before, new Uint8Array(Math.min(value, 8)).fill(value), after);
    case 'repeat':
      return concat(given, after);
    case 'cut':
      return before;
  }
}

const mutations = fc.array(mutation, { minLength: 1, maxLength: 4 });
const mutateAll = (given: Uint8Array, list: readonly Mutation[]) => list.reduce(mutate, given);
const pieces = fc.integer({ min: 1, max: 400 });

function feed(watched: Watched, input: Uint8Array, piece: number): void {
  for (let at = 0; at < input.length; at += piece) watched.receive(input.subarray(at, at + piece));
}

/** Runs a client against a watched connection until one of them has had enough. */
function converse(peer: ScriptedClient, watched: Watched, change = (input: Uint8Array) => input): void {
  for (let round = 0; round < 6; round++) {
    const input = take(peer);
    if (input.length === 0) return;
    const from = watched.output.length;
    watched.receive(change(input));
    for (const output of watched.output.slice(from)) if (!hear(peer, output)) return;
  }
}

/** A client whose own hello has gone wrong may not be able to go on: it is the server that is tested. */
function hear(peer: ScriptedClient, output: Uint8Array): boolean {
  try {
    peer.receive(output);
    return true;
  } catch {
    return false;
  }
}

function take(peer: ScriptedClient): Uint8Array {
  try {
    return peer.take();
  } catch {
    return new Uint8Array(0);
  }
}

const SERVERS: readonly TicketOptions[] = [{ mode: 'stateful' }, { mode: 'stateless', timing: 'half-rtt' }];

for (const tickets of SERVERS) {
  describe(`fuzz, ${tickets.mode}`, () => {
    let config: ServerConfig;
    let offers: readonly ClientOptions[];
    before(() => {
      ({ config, offers } = acquainted(tickets));
    });
    const offer = fc.nat();
    const offered = (index: number) => offers[index % offers.length] as ClientOptions;

    it('ClientHellos with other fields and extensions', () => {
      fc.assert(
        fc.property(offer, changedHello, (index, plan) => {
          converse(client({ ...offered(index), ...changing(plan) }), new Watched(config));
        }),
        runs(60),
      );
    });

    it('ClientHellos with other bytes in their extensions', () => {
      const plan = fc.record({ which: fc.nat(20), how: mutations, type: fc.option(code) });
      fc.assert(
        fc.property(offer, plan, (index, { which, how, type }) => {
          const rewriteExtensions = (list: readonly RawExtension[]) =>
            list.map((extension, i) =>
              i === which % list.length
                ? { type: type ?? extension.type, data: mutateAll(extension.data, how) }
                : extension,
            );
          converse(client({ ...offered(index), rewriteExtensions }), new Watched(config));
        }),
        runs(60),
      );
    });

    it('ClientHellos with other bytes anywhere, in records that are right', () => {
      fc.assert(
        fc.property(offer, mutations, (index, how) => {
          const rewriteMessage = (_name: string, raw: Uint8Array) => {
            const body = mutateAll(raw.subarray(4), how);
            return concat(Uint8Array.of(1, body.length >> 16, (body.length >> 8) & 0xff, body.length & 0xff), body);
          };
          converse(client({ ...offered(index), rewriteMessage }), new Watched(config));
        }),
        runs(60),
      );
    });

    it('ClientHellos cut off after every byte, with the lengths of message and record as they then are', () => {
      for (const options of offers) {
        const raw = helloOf(options);
        for (let length = 0; length < raw.length - 4; length++) {
          const body = raw.subarray(4, 4 + length);
          const watched = new Watched(config);
          watched.receive(recordOf(22, concat(Uint8Array.of(1, 0, length >> 8, length & 0xff), body)));
          expect(watched.isOver, `cut to ${length} bytes`).to.equal(true);
        }
      }
    });

    it('ClientHellos cut off after every byte, which are waited for', () => {
      for (const options of offers) {
        const bytes = client(options).take();
        const end = 5 + 256 * (bytes[3] ?? 0) + (bytes[4] ?? 0); // a ChangeCipherSpec may follow, before early data
        for (let length = 0; length < end; length++) {
          const watched = new Watched(config);
          watched.receive(bytes.subarray(0, length));
          expect(watched.events).to.have.lengthOf(0);
          expect(watched.connection.waitingFor).to.deep.include({ kind: 'message', name: 'client_hello' });
        }
      }
    });

    it('handshakes with messages of other bytes, under the right keys', () => {
      const plan = fc.record({ which: fc.nat(3), how: mutations });
      fc.assert(
        fc.property(offer, plan, (index, { which, how }) => {
          let count = 0;
          const rewriteWire = (_name: string, raw: Uint8Array) => (count++ === which ? mutateAll(raw, how) : raw);
          converse(client({ ...offered(index), rewriteWire }), new Watched(config));
        }),
        runs(45),
      );
    });

    it('streams with other bytes at any stage', () => {
      fc.assert(
        fc.property(offer, fc.nat(3), mutations, (index, stage, how) => {
          let round = 0;
          const change = (input: Uint8Array) => (round++ === stage ? mutateAll(input, how) : input);
          converse(client(offered(index)), new Watched(config), change);
        }),
        runs(45),
      );
    });

    it('protected records of any type and content, in the handshake and after it', () => {
      const record = fc.record({
        type: fc.oneof(fc.constantFrom(20, 21, 22, 22, 22, 23), fc.integer({ min: 0, max: 255 })),
        content: fc.oneof(
          bytes(60),
          fc
            .tuple(fc.constantFrom(1, 4, 5, 11, 15, 16, 20, 24), bytes(40))
            .map(([type, body]) => Uint8Array.of(type, 0, 0, body.length, ...body)),
          fc.tuple(fc.constantFrom(1, 2), fc.integer({ min: 0, max: 255 })).map((alert) => Uint8Array.from(alert)),
        ),
        plaintext: fc.boolean(),
        padding: fc.nat(40),
      });
      const stages = [
        'client_hello',
        'second_client_hello',
        'client_key_exchange',
        'change_cipher_spec',
        'finished',
        undefined,
      ] as const;
      fc.assert(
        fc.property(
          offer,
          fc.constantFrom(...stages),
          fc.array(record, { minLength: 1, maxLength: 6 }),
          (index, stopBefore, records) => {
            const watched = new Watched(config);
            const peer = client({ ...offered(index), stopBefore });
            converse(peer, watched);
            for (const { type, content, plaintext, padding } of records) {
              peer.injector.record(type, content, { plaintext, padding: peer.version === 'TLSv1.3' ? padding : 0 });
            }
            watched.receive(peer.take());
          },
        ),
        runs(60),
      );
    });

    it('answers of any kind, late or never, with other bytes behind the hello', () => {
      const later = () => new Promise<never>(() => {});
      const asynchronous = testServer({
        crypto: toyCrypto,
        onServerName: later,
        sessions: { onGet: later },
        credentials: [{ ...quickCredential, sign: later }],
      });
      const answer: fc.Arbitrary<Outcome> = fc.oneof(
        { weight: 4, arbitrary: fc.record({ value: fc.constant(undefined) }) },
        fc.record({ value: fc.oneof(bytes(80), fc.string(), fc.constant(null), fc.constant({}), fc.integer()) }),
        fc.record({ error: fc.constant(new Error('the store is gone')) }),
        fc.constant({ late: true as const }),
      );
      const plan = fc.record({
        answers: fc.array(answer, { maxLength: 6 }),
        tail: bytes(300),
        doesRepeat: fc.boolean(),
      });
      fc.assert(
        fc.property(offer, plan, (index, { answers, tail, doesRepeat }) => {
          const watched = new Watched(asynchronous);
          watched.receive(client(offered(index)).take());
          watched.receive(tail);
          for (const outcome of answers) {
            const { question } = watched;
            if (question === undefined) break;
            watched.answer(question, outcome);
            if (doesRepeat && watched.question !== question) watched.answer(question, outcome);
          }
          watched.connection.dispose();
          expect(watched.connection.receive(tail).events).to.deep.equal([]);
        }),
        runs(45),
      );
    });

    it('an end at any stage, after which nothing moves any more', () => {
      fc.assert(
        fc.property(offer, fc.double({ min: 0, max: 1, noNaN: true }), bytes(40), (index, portion, tail) => {
          const watched = new Watched(config);
          const peer = client(offered(index));
          const hello = peer.take();
          const rest = portion > 0.5 ? hello.length : Math.floor(2 * portion * hello.length);
          watched.receive(hello.subarray(0, rest));
          if (portion > 0.75) converse(peer, watched);
          watched.connection.end();
          watched.connection.dispose();
          const calls = [
            () => watched.connection.receive(tail),
            () => watched.connection.end(),
            () => watched.connection.dispose(),
          ];
          for (const call of calls) {
            const { output, events } = call();
            expect(output.length + events.length).to.equal(0);
          }
          expect(() => watched.connection.write(tail)).to.throw('write()');
        }),
        runs(45),
      );
    });

    it('noise', () => {
      const start = fc.constantFrom<readonly number[]>(
        [],
        [22, 3, 1],
        [22, 3, 3, 0, 80, 1, 0, 0, 76],
        [0x80, 40, 1, 3, 1],
        [21, 3, 3, 0, 2],
      );
      fc.assert(
        fc.property(start, bytes(500), pieces, (head, tail, piece) => {
          feed(new Watched(config), Uint8Array.of(...head, ...tail), piece);
        }),
        runs(45),
      );
    });

    describe('what is kept is bounded:', () => {
      /** The longest hello, the records around it, and one more record. */
      const MOST = 131_396 + 9 * 5 + 16_645;

      const floods: readonly [string, (i: number) => Uint8Array][] = [
        ['zeros', () => new Uint8Array(1000)],
        [
          'handshake records that never make a message',
          (i) => recordOf(22, i === 0 ? Uint8Array.of(1, 2, 0, 0) : new Uint8Array(16)),
        ],
        [
          'long handshake records',
          (i) => recordOf(22, i === 0 ? Uint8Array.of(1, 255, 255, 255) : new Uint8Array(16384)),
        ],
        ['a hello as long as can be', (i) => recordOf(22, i === 0 ? Uint8Array.of(1, 2, 0, 0) : new Uint8Array(16384))],
        ['ChangeCipherSpec', () => recordOf(20, Uint8Array.of(1))],
        ['warnings', () => recordOf(21, Uint8Array.of(1, 90))],
        ['empty data', () => recordOf(23, new Uint8Array(0))],
      ];
      for (const [what, next] of floods) {
        it(`a flood of ${what} ends`, () => {
          const watched = new Watched(config);
          let taken = 0;
          for (let i = 0; !watched.isOver; i++) {
            const input = next(i);
            watched.receive(input);
            taken += input.length;
            expect(taken).to.be.below(MOST * 7); // records of one byte have headers of five
          }
        });
      }

      for (const version of ['TLSv1.3', 'TLSv1.2'] as const satisfies readonly Version[]) {
        const after: readonly [string, number, readonly number[]][] = [
          ['empty data', ContentType.application_data, []],
          ['user_canceled', ContentType.alert, [1, 90]],
          ['handshake messages that never end', ContentType.handshake, version === 'TLSv1.3' ? [24, 0] : [1, 0]],
        ];
        for (const [what, type, content] of after) {
          it(`a flood of ${what} after the handshake ends, ${version}`, () => {
            const watched = new Watched(config);
            const peer = client({ version });
            converse(peer, watched);
            expect(watched.connection.isEstablished).to.equal(true);
            for (let i = 0; i < 1000 && !watched.isOver; i++) {
              peer.sendRecord(type, Uint8Array.from(content));
              watched.receive(peer.take());
            }
            expect(watched.isOver).to.equal(true);
          });
        }

        it(`truncated streams wait, at every byte, and say nothing, ${version}`, () => {
          const watched = new Watched(config);
          const peer = client({ version });
          converse(peer, watched);
          peer.sendData(new Uint8Array(30));
          const input = peer.take();
          const before = watched.events.length;
          for (const byte of input.subarray(0, -1)) watched.receive(Uint8Array.of(byte));
          expect(watched.events).to.have.lengthOf(before);
          watched.receive(input.subarray(-1));
          expect(watched.events.at(-1)?.type).to.equal('data');
        });
      }
    });
  });
}

describe('fuzz, tickets', () => {
  const key = newKey();
  const keys = TicketKeyRing.of([key], new TestWorld(4));
  const config = server({ mode: 'stateless', keys });
  let tickets: ScriptedClient['tickets'];
  let session: ScriptedClient['session'];
  before(() => {
    ({ tickets } = exchange(client({}), new ServerConnection(config)).client);
    ({ session } = exchange(client({ version: 'TLSv1.2', ticketExt: EMPTY }), new ServerConnection(config)).client);
  });
  const versions = fc.constantFrom<Version>('TLSv1.2', 'TLSv1.3');

  /** The client of either version shows what has become of its ticket. */
  function show(version: Version, change: (ticket: Uint8Array) => Uint8Array, sessionId: Uint8Array): ClientOptions {
    if (version === 'TLSv1.2') return { version, session, ticketExt: change(session.ticket ?? EMPTY), sessionId };
    const psks = tickets.map((ticket) => ({ ...ticket, identity: atLeastOne(change(ticket.identity)) }));
    return { psks };
  }

  /** `opaque identity<1..2^16-1>` */
  const atLeastOne = (identity: Uint8Array) => (identity.length === 0 ? Uint8Array.of(0) : identity);

  /** A connection, of which nothing is left held in the end but what the cache holds. */
  function visit(options: ClientOptions): void {
    const watched = new Watched(config);
    converse(client(options), watched);
    const { session: current, resumption } = watched.connection;
    const made = watched.events.flatMap((event) => (event.type === 'new-session' ? [event.session] : []));
    watched.connection.dispose();
    for (const each of [current, resumption.session, ...made]) {
      if (each !== undefined) expect(each.holds).to.equal(each.isCached ? 1 : 0);
    }
  }

  it('with other bytes', () => {
    fc.assert(
      fc.property(versions, mutations, bytes(32), (version, how, id) => {
        visit(show(version, (ticket) => mutateAll(ticket, how), id));
      }),
      runs(45),
    );
  });

  it('of our own keys, with other bytes in what is sealed', () => {
    const plaintextOf = (ticket: Uint8Array) => key.open(ticket) as Uint8Array;
    fc.assert(
      fc.property(versions, mutations, bytes(32), (version, how, id) => {
        visit(show(version, (ticket) => sealed(key, mutateAll(plaintextOf(ticket), how)), id));
      }),
      runs(75),
    );
  });

  it('of our own keys, with anything sealed', () => {
    fc.assert(
      fc.property(versions, bytes(300), bytes(32), (version, content, id) => {
        visit(show(version, () => sealed(key, content), id));
      }),
      runs(30),
    );
  });
});

function helloOf(options: ClientOptions): Uint8Array {
  const peer = client(options);
  peer.take();
  return peer.sent[0]?.raw ?? new Uint8Array(0);
}

function recordOf(type: number, content: Uint8Array): Uint8Array {
  return concat(Uint8Array.of(type, 3, 3, content.length >> 8, content.length & 0xff), content);
}
