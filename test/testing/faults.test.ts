/** Faults: each does what it says, and what the peer makes of it. */

import { expect } from 'chai';
import { defineClient } from '../../src/client.ts';
import { defineServer, type ServerOptions } from '../../src/index.ts';
import { faults, pair, seededWorld } from '../../src/testing.ts';
import type { Fault } from '../../src/types.ts';
import type { Version } from '../../src/wire/registry.ts';
import { certificates } from '../fixtures.ts';
import { testProvider as crypto } from '../support/provider.ts';

function run(
  given: { readonly client?: readonly Fault[]; readonly server?: readonly Fault[] },
  version: Version = 'TLSv1.3',
  options: Partial<ServerOptions> = {},
) {
  const world = seededWorld('faults');
  const settings = { crypto, world, minVersion: version, maxVersion: version };
  const server = defineServer({ ...settings, credentials: [certificates.ecdsaP256], ...options });
  const client = defineClient({ ...settings, verifyServer: 'any' });
  const both = pair(client, server, { client: { faults: given.client }, server: { faults: given.server } });
  return both.runSync();
}

/** What each side makes of it: the alert that it sends, or that it is established. */
function outcome(both: ReturnType<typeof run>, side: 'client' | 'server'): string {
  const [failed] = both.eventsOf(side, 'failed');
  if (failed?.error.origin === 'local') return failed.error.alert;
  return both[side].isEstablished ? 'established' : 'waits';
}

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
    ['extension: none of supported_groups', faults.extension('client_hello', 10, undefined), 'missing_extension'],
    [
      'raw, hashed: another random',
      faults.raw('client_hello', (bytes) => bytes.map((byte, i) => (i === 10 ? byte ^ 1 : byte)), { isHashed: true }),
      'established',
    ],
    ['drop: nothing comes', faults.drop('finished'), 'waits'],
    ['insert: another kind', faults.insert('finished', Uint8Array.of(24, 0, 0, 1, 0)), 'unexpected_message'],
  ];
  for (const [title, fault, expected, version] of ofClient) {
    it(`of a client, ${title}: ${expected}`, () => {
      expect(outcome(run({ client: [fault] }, version), 'server')).to.equal(expected);
    });
  }

  it('raw, not hashed: the transcript has the message as it was', () => {
    const flip = faults.raw('client_hello', (bytes) => bytes.map((byte, i) => (i === 10 ? byte ^ 1 : byte)));
    expect(outcome(run({ client: [flip] }, 'TLSv1.2'), 'client')).to.equal('decrypt_error');
    expect(outcome(run({ client: [flip] }, 'TLSv1.3'), 'client')).to.equal('bad_record_mac');
  });

  it('keep the secrets consistent: a changed nonce gets its PSK, and resumes', () => {
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
    const extended = faults.extension('finished', 1, undefined);
    expect(() => run({ server: [extended] })).to.throw(TypeError, 'extension(): finished has none; use raw()');
  });

  it('go together, in the order in which they are given', () => {
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
    ['corrupt', faults.corrupt('handshake', { which: 2 }), 'bad_record_mac'],
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

  it('merge: two writes in one record', () => {
    const both = run({ client: [faults.merge('application_data')] });
    for (const text of ['one', 'two', 'three']) both.take('client', both.client.write(Buffer.from(text)));
    both.runSync();
    const records = both.trace.entries.filter(
      (entry) => entry.kind === 'record' && entry.type === 'application_data' && entry.direction === 'sent',
    );
    expect(records.map((record) => record.kind === 'record' && record.length)).to.deep.equal([6, 5]);
    expect(Buffer.concat(both.eventsOf('server', 'data').map(({ data }) => data)).toString()).to.equal('onetwothree');
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

  it('go together with faults', () => {
    const given = [faults.ticket({ lifetime: 5 }), faults.drop('new_session_ticket'), faults.retryWith('secp256r1')];
    const both = pair(client(), server, { server: { faults: given } }).runSync();
    expect(both.client.sessions.map(({ timeout }) => timeout)).to.deep.equal([5]);
    expect(both.client.group).to.equal('secp256r1');
  });
});
