/** Faults: each does what it says, and what the peer makes of it. */

import { expect } from 'chai';
import { type ConnectOptions, defineClient, type HelloDraft } from '../../src/client.ts';
import { defineServer, type ServerOptions } from '../../src/index.ts';
import { faults, type MessageName, pair, seededWorld } from '../../src/testing.ts';
import type { Fault } from '../../src/types.ts';
import { toHex } from '../../src/wire/bytes.ts';
import { ExtensionType, HandshakeType, type Version } from '../../src/wire/registry.ts';
import { certificates } from '../fixtures.ts';
import { testProvider as crypto } from '../support/provider.ts';

function run(
  given: { readonly client?: readonly Fault[]; readonly server?: readonly Fault[] },
  version: Version = 'TLSv1.3',
  options: Partial<ServerOptions> = {},
  edits: ConnectOptions['edits'] = undefined,
) {
  const world = seededWorld('faults');
  const settings = { crypto, world, minVersion: version, maxVersion: version };
  const server = defineServer({ ...settings, credentials: [certificates.ecdsaP256], ...options });
  const client = defineClient({ ...settings, verifyServer: 'any', credential: certificates.ecdsaP256 });
  const both = pair(client, server, { client: { faults: given.client, edits }, server: { faults: given.server } });
  return both.runSync();
}

/** What each side makes of it: the alert that it sends, or that it is established. */
function outcome(both: ReturnType<typeof run>, side: 'client' | 'server'): string {
  const [failed] = both.eventsOf(side, 'failed');
  if (failed?.error.origin === 'local') return failed.error.alert;
  return both[side].isEstablished ? 'established' : 'waits';
}

const clientAuth = { mode: 'request', verifyClient: () => true } as const;

interface Hello {
  readonly cipherSuite: number;
  readonly extensions: object;
}

describe('faults of messages', () => {
  const ofServer: readonly (readonly [string, Fault, string, Version?])[] = [
    [
      'change: another suite',
      faults.change<Hello>('server_hello', (body) => ({ ...body, cipherSuite: 0x1302 })),
      'decrypt',
    ],
    [
      'change: a suite that is none',
      faults.change<Hello>('server_hello', (body) => ({ ...body, cipherSuite: 5 })),
      'illegal_parameter',
    ],
    [
      'change: verify_data',
      faults.change<{ verifyData: Uint8Array }>('finished', () => ({ verifyData: new Uint8Array(32) })),
      'decrypt_error',
    ],
    [
      'raw: a bit on the wire alone',
      faults.raw('encrypted_extensions', (bytes) => bytes.map((byte, i) => (i === 5 ? 1 : byte))),
      'decode_error',
    ],
    ['drop: no certificate_verify', faults.drop('certificate_verify'), 'unexpected_message'],
    ['repeat: encrypted_extensions', faults.repeat('encrypted_extensions'), 'unexpected_message'],
    [
      'insert: a message before finished',
      faults.insert('finished', Uint8Array.of(8, 0, 0, 2, 0, 0)),
      'unexpected_message',
    ],
    ['swap: certificate and what follows', faults.swap('certificate'), 'unexpected_message'],
    [
      'extension: one that was not offered',
      faults.extension('encrypted_extensions', 0xffce, Uint8Array.of(1)),
      'unsupported_extension',
    ],
    ['extension: key_share taken away', faults.extension('server_hello', 51, undefined), 'missing_extension'],
    ['change: no ticket at all is lost', faults.drop('new_session_ticket', 'each'), 'established'],
    ['drop in TLS 1.2', faults.drop('server_key_exchange'), 'unexpected_message', 'TLSv1.2'],
  ];
  for (const [title, fault, expected, version] of ofServer) {
    it(`of a server, ${title}: ${expected}`, () => {
      const both = run({ server: [fault] }, version);
      if (expected === 'decrypt') expect(both.client.isEstablished).to.equal(false);
      else expect(outcome(both, 'client')).to.equal(expected);
    });
  }

  const ofClient: readonly (readonly [string, Fault, string, Version?])[] = [
    ['extension: unknown ones are ignored', faults.extension('client_hello', 0x0a0a, new Uint8Array(0)), 'established'],
    ['extension: by what is there', faults.extension('client_hello', 10, (data) => data?.subarray(1)), 'decode_error'],
    ['extension: none of supported_groups', faults.extension('client_hello', 10, undefined), 'missing_extension'],
    [
      'raw, hashed: another random',
      faults.raw('client_hello', (bytes) => bytes.map((byte, i) => (i === 10 ? byte ^ 1 : byte)), { isHashed: true }),
      'established',
    ],
    ['drop: nothing comes', faults.drop('finished'), 'waits'],
    ['insert: another kind', faults.insert('finished', Uint8Array.of(24, 0, 0, 1, 0)), 'unexpected_message'],
    [
      'change: verify_data',
      faults.change<{ verifyData: Uint8Array }>('finished', () => ({ verifyData: new Uint8Array(32) })),
      'decrypt_error',
    ],
    [
      'change: legacy_session_id, which the transcript has',
      faults.change<{ legacySessionId: Uint8Array }>('client_hello', (body) => ({
        ...body,
        legacySessionId: new Uint8Array(5),
      })),
      'illegal_parameter by the client',
    ],
    ['repeat: client_hello', faults.repeat('client_hello'), 'unexpected_message'],
    ['drop: no client_key_exchange', faults.drop('client_key_exchange'), 'unexpected_message', 'TLSv1.2'],
    ['swap: client_key_exchange and finished', faults.swap('client_key_exchange'), 'unexpected_message', 'TLSv1.2'],
  ];
  for (const [title, fault, expected, version] of ofClient) {
    it(`of a client, ${title}: ${expected}`, () => {
      const both = run({ client: [fault] }, version);
      if (expected.endsWith(' by the client')) expect(outcome(both, 'client')).to.equal(expected.split(' ')[0]);
      else expect(outcome(both, 'server')).to.equal(expected);
    });
  }

  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    for (const mode of ['stateful', 'stateless'] as const) {
      it(`change, which changes nothing, leaves every message as it was, ${version}, ${mode}`, () => {
        const names = Object.keys(HandshakeType) as MessageName[];
        const same = (name: MessageName) => faults.change(name, (fields) => ({ ...fields }), 'each');
        const all = [...names, 'hello_retry_request' as const].map(same);
        const grease = {
          hello: (draft: HelloDraft) => {
            const extensions = draft.extensions?.filter(({ type }) => type !== 0x0a0a) ?? [];
            return { ...draft, extensions: [{ type: 0x0a0a, data: Uint8Array.of(1) }, ...extensions] };
          },
        };
        const options = {
          groups: ['secp384r1' as const],
          tickets: { mode },
          clientAuth,
          sessions: { idContext: Uint8Array.of(1) },
        };
        const plain = run({}, version, options, grease);
        const changed = run({ client: all, server: all }, version, options, grease);
        const raws = (both: typeof plain) => both.trace.messages.map(({ side, raw }) => `${side} ${toHex(raw)}`);
        expect(raws(changed)).to.deep.equal(raws(plain));
        expect(plain.client.isEstablished && plain.client.sessions.length).to.be.above(0);
      });
    }
  }

  it('change leaves extensions that it does not know, and faults of one message share its transcript', () => {
    const flow = run({
      client: [
        faults.extension('client_hello', 0x0a0a, Uint8Array.of(7)),
        faults.change<{ extensions: object; legacyCompressionMethods: Iterable<number> }>('client_hello', (body) => ({
          ...body,
          legacyCompressionMethods: [0],
          extensions: { ...body.extensions, sessionTicket: Uint8Array.of(3), serverName: undefined },
        })),
        faults.extension('client_hello', 0x1a1a, Uint8Array.of(8)),
      ],
    });
    expect(flow.client.isEstablished).to.equal(true);
    const [hello] = flow.trace.messages.filter(({ name }) => name === 'client_hello');
    const { order } = (hello as { fields: { extensions: { order: number[] } } }).fields.extensions;
    expect(order.slice(-3)).to.deep.equal([0x1a1a, 35, 0x0a0a]); // the last fault is the first to see it;
  });

  it('change of a list, in place of which there may be an array', () => {
    const suites = faults.change<{ cipherSuites: Iterable<number> }>('client_hello', (body) => ({
      ...body,
      cipherSuites: [0x0a0a, ...body.cipherSuites],
    }));
    expect(outcome(run({ client: [suites] }), 'server')).to.equal('established');
  });

  it('change: a text where bytes are wanted is refused', () => {
    const text = faults.change<{ verifyData: unknown }>('finished', () => ({ verifyData: 'text' }));
    expect(() => run({ client: [text] })).to.throw(
      TypeError,
      'change(finished): a string stands where a Uint8Array is wanted',
    );
  });

  it('of a client of TLS 1.2 know its messages', () => {
    const point = faults.change<{ point: Uint8Array }>('client_key_exchange', () => ({ point: new Uint8Array(32) }));
    expect(outcome(run({ client: [point] }, 'TLSv1.2'), 'server')).to.equal('illegal_parameter');
  });

  it('extension: TLS 1.2 has none in tickets', () => {
    const fault = faults.extension('new_session_ticket', 42, new Uint8Array(4));
    const stateless = { tickets: { mode: 'stateless' as const } };
    expect(() => run({ server: [fault] }, 'TLSv1.2', stateless)).to.throw(TypeError, 'new_session_ticket has none');
    expect(run({ server: [fault] }, 'TLSv1.3', stateless).client.sessions).to.have.length(2);
  });

  it('raw, not hashed: the transcript has the message as it was', () => {
    const flip = faults.raw('client_hello', (bytes) => bytes.map((byte, i) => (i === 10 ? byte ^ 1 : byte)));
    expect(outcome(run({ client: [flip] }, 'TLSv1.2'), 'client')).to.equal('decrypt_error');
    expect(outcome(run({ client: [flip] }, 'TLSv1.3'), 'client')).to.equal('bad_record_mac');
  });

  it('keep the secrets consistent: a changed nonce that would not get its PSK is refused', () => {
    const nonce = faults.change<{ ticketNonce: Uint8Array }>('new_session_ticket', (body) => ({
      ...body,
      ticketNonce: Uint8Array.of(9),
    }));
    expect(() => run({ server: [nonce] })).to.throw(TypeError, 'ticket({ nonce }) changes both, and raw() one alone');
  });

  it('keep the secrets consistent: a changed lifetime resumes', () => {
    const world = seededWorld('nonce');
    const server = defineServer({
      crypto,
      world,
      credentials: [certificates.ecdsaP256],
      tickets: { mode: 'stateless' },
    });
    const client = defineClient({ crypto, world, verifyServer: 'any' });
    const edit = faults.change<{ ticketLifetime: number }>(
      'new_session_ticket',
      (body) => ({ ...body, ticketLifetime: 2 ** 32 - 1 }),
      'each',
    );
    const first = pair(client, server, { server: { faults: [edit] } }).runSync();
    expect(first.client.session?.timeout).to.equal(604_800);
    expect(pair(client, server).runSync().client.resumption.resumed).to.equal(true);
  });

  it('set extensions of tickets, and grease them: the client keeps the session, and nothing of the extension', () => {
    const known: number[] = Object.values(ExtensionType);
    for (const [fault, isWanted] of [
      [faults.extension('new_session_ticket', 0x1234, Uint8Array.of(1, 2), 'each'), (type: number) => type === 0x1234],
      [
        faults.grease('new_session_ticket'),
        (type: number) => type >> 8 === (type & 255) && (type & 15) === 10 && !known.includes(type),
      ],
    ] as const) {
      const types: number[] = [];
      const note = faults.raw(
        'new_session_ticket',
        (raw) => {
          const at = 4 + 8 + 1 + 8 + 2 + 32; // header, lifetime and age, nonce, ticket of a stateful server
          types.push(256 * (raw[at + 2] ?? 0) + (raw[at + 3] ?? 0));
          return raw;
        },
        { which: 'each' },
      );
      const world = seededWorld('greased');
      const server = defineServer({ crypto, world, credentials: [certificates.ecdsaP256] });
      const [plain, client] = [0, 1].map(() => defineClient({ crypto, world, verifyServer: 'any' })) as [
        ReturnType<typeof defineClient>,
        ReturnType<typeof defineClient>,
      ];
      const { session } = pair(plain, server).runSync().client;
      const first = pair(client, server, { server: { faults: [note, fault] } }).runSync();
      expect(types).not.to.have.length(0);
      expect(types.every(isWanted), `${types}`).to.equal(true);
      expect(first.client.session?.byteLength).to.equal(session?.byteLength);
      expect(pair(client, server).runSync().client.resumption.resumed).to.equal(true);
    }
  });

  it('count: the second ticket alone', () => {
    const both = run({ server: [faults.drop('new_session_ticket', 2)] });
    expect(both.client.sessions).to.have.length(1);
  });

  it('refuse a field that would be lost', () => {
    const lost = faults.change<Hello>('server_hello', (body) => ({
      ...body,
      extensions: { ...body.extensions, cookie: 1 },
    }));
    expect(() => run({ server: [lost] })).to.throw(
      TypeError,
      'change(server_hello): it has no cookie; extension() sends any',
    );
    const inList = faults.change<{ certificateList: Iterable<object> }>('certificate', (body) => ({
      ...body,
      certificateList: [...body.certificateList].map((entry) => ({ ...entry, extensions: { padding: 1 } })),
    }));
    expect(() => run({ server: [inList] })).to.throw(TypeError, 'change(certificate): it has no padding');
    const long = faults.change<{ ticketLifetime: number }>('new_session_ticket', (body) => ({
      ...body,
      ticketLifetime: 2 ** 32,
    }));
    expect(() => run({ server: [long] }), 'cannot be encoded').to.throw(RangeError, '4294967296');
    const none = faults.extension('encrypted_extensions', 70_000, new Uint8Array(0));
    expect(() => run({ server: [none] }), 'no number of an extension').to.throw(RangeError, '70000');
    const extended = faults.extension('finished', 1, undefined);
    expect(() => run({ server: [extended] })).to.throw(TypeError, 'extension(): finished has none; use raw()');
  });

  it('go together', () => {
    const both = run({ server: [faults.repeat('new_session_ticket'), faults.drop('new_session_ticket', 2)] });
    expect(
      both.trace.messages.filter(({ name, direction }) => name === 'new_session_ticket' && direction === 'sent'),
    ).to.have.length(2);
  });

  it('are new in each connection', () => {
    const fault = faults.drop('finished');
    for (let i = 0; i < 2; i++) expect(outcome(run({ server: [fault] }), 'client')).to.equal('waits');
  });
});

describe('faults of records', () => {
  const rows: readonly (readonly [string, Fault, string])[] = [
    ['split', faults.split('handshake', 7, 'each'), 'established'],
    ['pad', faults.pad('handshake', 100, 2), 'established'],
    ['pad by one byte', faults.pad('handshake', 1, 2), 'established'],
    ['pad all, but for what is in the clear', faults.pad('handshake', 100, 'each'), 'established'],
    ['corrupt', faults.corrupt('handshake', { which: 2 }), 'bad_record_mac'],
    ['wrong key', faults.wrongKey('handshake'), 'bad_record_mac'],
    ['plaintext', faults.plaintext('handshake', 2), 'unexpected_message'],
    ['header: type', faults.header('handshake', { type: 21 }, 1), 'decode_error'],
    ['header: a type that is none', faults.header('handshake', { type: 99 }, 1), 'unexpected_message'],
    ['header: version, which is ignored', faults.header('handshake', { version: 0x0305 }, 1), 'established'],
    ['header: length', faults.header('handshake', { length: 0xffff }, 1), 'record_overflow'],
    ['content type', faults.contentType('handshake', 24, 2), 'unexpected_message'],
  ];
  for (const [title, fault, expected] of rows) {
    it(`${title}: ${expected}`, () => {
      expect(outcome(run({ server: [fault] }), 'client')).to.equal(expected);
    });
  }

  const ofClient: readonly (readonly [string, Fault, string])[] = [
    ['split', faults.split('handshake', 7, 'each'), 'established'],
    ['pad', faults.pad('handshake', 100, 2), 'established'],
    ['corrupt', faults.corrupt('handshake', { which: 2 }), 'bad_record_mac'],
    ['wrong key', faults.wrongKey('handshake'), 'bad_record_mac'],
    ['plaintext', faults.plaintext('handshake', 2), 'unexpected_message'],
    ['header: type', faults.header('handshake', { type: 21 }), 'decode_error'],
    ['header: a type that is none', faults.header('handshake', { type: 99 }), 'unexpected_message'],
    ['header: version, which is ignored', faults.header('handshake', { version: 0x0305 }), 'established'],
    ['header: length', faults.header('handshake', { length: 0xffff }), 'record_overflow'],
    ['content type', faults.contentType('handshake', 24, 2), 'unexpected_message'],
  ];
  for (const [title, fault, expected] of ofClient) {
    it(`of a client, ${title}: ${expected}`, () => {
      expect(outcome(run({ client: [fault] }), 'server')).to.equal(expected);
    });
  }

  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    for (const side of ['client', 'server'] as const) {
      it(`wrong key, of the second record of data of a ${side}: the first is read, ${version}`, () => {
        const other = side === 'client' ? 'server' : 'client';
        const both = run({ [side]: [faults.wrongKey('application_data', 2)] }, version);
        for (const text of ['one', 'two']) both.take(side, both[side].write(Buffer.from(text)));
        both.runSync();
        expect(both.eventsOf(other, 'data').map(({ data }) => Buffer.from(data).toString())).to.deep.equal(['one']);
        expect(outcome(both, other)).to.equal('bad_record_mac');
      });
    }
  }

  for (const side of ['client', 'server'] as const) {
    it(`merge: two writes of a ${side} in one record`, () => {
      const other = side === 'client' ? 'server' : 'client';
      const both = run({ [side]: [faults.merge('application_data')] });
      for (const text of ['one', 'two', 'three']) both.take(side, both[side].write(Buffer.from(text)));
      both.runSync();
      const records = both.trace.entries.filter(
        (entry) => entry.kind === 'record' && entry.type === 'application_data' && entry.direction === 'sent',
      );
      expect(records.map((record) => record.kind === 'record' && record.length)).to.deep.equal([6, 5]);
      expect(Buffer.concat(both.eventsOf(other, 'data').map(({ data }) => data)).toString()).to.equal('onetwothree');
    });
  }
});

describe('what a fault is given', () => {
  const word = 'finish' as 'finished';
  const type = 'data' as 'application_data';
  const nothing = undefined as never;
  const rows: readonly (readonly [string, () => unknown, typeof TypeError | typeof RangeError, string])[] = [
    ['change: no message', () => faults.change(word, (body) => body), TypeError, "is 'finished' meant?"],
    ['change: no function', () => faults.change('finished', 1 as never), TypeError, 'change(edit): a function'],
    ['raw: no message', () => faults.raw(word, (bytes) => bytes), TypeError, "is 'finished' meant?"],
    ['drop: no message', () => faults.drop(nothing), TypeError, 'drop: '],
    ['swap: no message', () => faults.swap(word), TypeError, "is 'finished' meant?"],
    ['extension: no message', () => faults.extension(word, 1, undefined), TypeError, "is 'finished' meant?"],
    ['split: no content', () => faults.split(type, 1), TypeError, "is 'application_data' meant?"],
    ['split: no size', () => faults.split('alert', 0), RangeError, 'split(size) is 0'],
    ['merge: no content', () => faults.merge(type), TypeError, "is 'application_data' meant?"],
    ['pad: no length', () => faults.pad('alert', -1), RangeError, 'pad(length) is -1'],
    ['wrongKey: no content', () => faults.wrongKey(type), TypeError, "is 'application_data' meant?"],
    ['insert: no bytes', () => faults.insert('finished', 'x' as never), TypeError, 'insert(message): a Uint8Array'],
    ['contentType: no number', () => faults.contentType('alert', 256), RangeError, 'contentType(type) is 256'],
    ['header: no field', () => faults.header('alert', { size: 1 } as object), TypeError, 'unknown option header.size'],
    ['header: no length', () => faults.header('alert', { length: 70_000 }), RangeError, 'header.length is 70000'],
    ['retryWith: no group', () => faults.retryWith('P-256' as 'x25519'), TypeError, "is 'secp256r1' meant?"],
    ['selectIdentity: no number', () => faults.selectIdentity(-1), RangeError, 'selectIdentity is -1'],
    ['resumeUnder: no suite', () => faults.resumeUnder('AES' as never), TypeError, 'resumeUnder: "AES" is not one of'],
    ['ticket: no lifetime', () => faults.ticket({ lifetime: 2 ** 32 }), RangeError, 'ticket.lifetime is 4294967296'],
    ['ticket: no nonce', () => faults.ticket({ nonce: new Uint8Array(256) }), RangeError, 'ticket.nonce is 256'],
    ['ticket: no field', () => faults.ticket({ age: 1 } as object), TypeError, 'unknown option ticket.age'],
    ['drop: no which', () => faults.drop('finished', 0), RangeError, 'drop: which is 0; the first is 1'],
  ];
  for (const [title, make, kind, message] of rows) {
    it(`${title}: is refused at once`, () => expect(make).to.throw(kind, message));
  }

  for (const given of ['drop', [1], ['drop'], [{ name: 'drop' }], [undefined], faults.drop('finished')]) {
    it(`a connection refuses ${JSON.stringify(given)} as faults`, () => {
      const faulty = given as never;
      expect(() => run({ client: faulty }), 'client').to.throw(TypeError, /^faults: /);
      expect(() => run({ server: faulty }), 'server').to.throw(TypeError, /^faults: /);
    });
  }

  it('a fault of another copy of the library would be ignored, and is refused', () => {
    const { channel, decisionsOf, worldOf } = faults.drop('finished');
    const foreign = { name: 'foreign', channel, decisionsOf, worldOf };
    expect(() => run({ server: [faults.repeat('finished'), foreign] })).to.throw(
      TypeError,
      "'foreign' is of another copy",
    );
  });
});

describe('decisions of a server', () => {
  const world = seededWorld('decisions');
  const settings = { crypto, world, minVersion: 'TLSv1.3' } as const;
  const server = defineServer({ ...settings, credentials: [certificates.ecdsaP256] });
  const client = () => defineClient({ ...settings, verifyServer: 'any' });

  it('retryWith: a HelloRetryRequest, to which a correct client answers', () => {
    const both = pair(client(), server, { server: { faults: [faults.retryWith('secp384r1')] } }).runSync();
    expect(both.trace.messages.map(({ name }) => name)).to.include('hello_retry_request');
    expect(both.client.isEstablished && both.client.group).to.equal('secp384r1');
  });

  it('retryWith a group that was shared already: illegal_parameter', () => {
    const both = pair(client(), server, { server: { faults: [faults.retryWith('x25519')] } }).runSync();
    expect(both.eventsOf('client', 'failed')[0]?.error.alert).to.equal('illegal_parameter');
  });

  it('selectIdentity: the second of two', () => {
    const one = client();
    const sessions = pair(one, server)
      .runSync()
      .client.sessions.map((session) => session.upRef());
    for (const index of [0, 1]) {
      const both = pair(one, server, {
        client: { sessions },
        server: { faults: [faults.selectIdentity(index)] },
      }).runSync();
      expect(both.client.resumption).to.include({ resumed: true, identityIndex: index });
    }
  });

  it('resumeUnder: another suite with the hash of the session', () => {
    const one = client();
    pair(one, server).runSync();
    const suite = 'TLS_CHACHA20_POLY1305_SHA256';
    const both = pair(one, server, { server: { faults: [faults.resumeUnder(suite)] } }).runSync();
    expect([both.client.resumption.resumed, both.client.cipherSuite]).to.deep.equal([true, suite]);
    const other = pair(one, server, { server: { faults: [faults.resumeUnder('TLS_AES_256_GCM_SHA384')] } }).runSync();
    expect([other.client.resumption.resumed, other.client.cipherSuite], 'another hash').to.deep.equal([true, suite]);
  });

  for (const mode of ['stateful', 'stateless'] as const) {
    it(`ticket: nonce, lifetime and age_add, and the ticket resumes, ${mode}`, () => {
      const serving = defineServer({ ...settings, credentials: [certificates.ecdsaP256], tickets: { mode } });
      const one = client();
      for (const nonce of [new Uint8Array(0), new Uint8Array(255).fill(7)]) {
        const fields = { nonce, lifetime: 1, ageAdd: 0xffffffff };
        const both = pair(one, serving, {
          client: { sessions: [] },
          server: { faults: [faults.ticket(fields)] },
        }).runSync();
        const sent = both.trace.messages.find(({ name }) => name === 'new_session_ticket')?.fields;
        expect(sent).to.deep.include({ ticketNonce: nonce, ticketLifetime: 1, ticketAgeAdd: 0xffffffff });
        expect(pair(one, serving).runSync().client.resumption.resumed).to.equal(true);
      }
    });
  }

  it('of tickets add up', () => {
    const given = [faults.ticket({ lifetime: 5 }), faults.ticket({ nonce: Uint8Array.of(1) })];
    const { trace } = pair(client(), server, { server: { faults: given } }).runSync();
    const sent = trace.messages.find(({ name }) => name === 'new_session_ticket')?.fields;
    expect(sent).to.deep.include({ ticketLifetime: 5, ticketNonce: Uint8Array.of(1) });
  });

  it('go together with faults', () => {
    const given = [faults.ticket({ lifetime: 5 }), faults.drop('new_session_ticket'), faults.retryWith('secp256r1')];
    const both = pair(client(), server, { server: { faults: given } }).runSync();
    expect(both.client.sessions.map(({ timeout }) => timeout)).to.deep.equal([5]);
    expect(both.client.group).to.equal('secp256r1');
  });
});
