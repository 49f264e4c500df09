/** External PSKs, plain and imported, between our client and our server: RFC 9846 §2.2, §4.3.11; RFC 9257; RFC 9258. */

import { createHash, createHmac } from 'node:crypto';
import { expect } from 'chai';
import { type ClientOptions, defineClient } from '../../src/client.ts';
import * as client13 from '../../src/client13.ts';
import type { ExternalPsk } from '../../src/engine/psk-options.ts';
import type { HelloDraft } from '../../src/handshake/client/hello-draft.ts';
import { importPsk } from '../../src/handshake/psk-importer.ts';
import {
  defineServer,
  importedIdentity,
  ServerConnection,
  type ServerOptions,
  type Session,
  SessionCache,
} from '../../src/index.ts';
import { type Pair, type PairOptions, pair, replay, seededWorld } from '../../src/testing.ts';
import * as tls13 from '../../src/tls13.ts';
import { concat, toHex } from '../../src/wire/bytes.ts';
import { certificates } from '../fixtures.ts';
import { counting } from '../support/counting.ts';
import { testProvider } from '../support/provider.ts';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const SECRET = text('0123456789abcdef0123456789abcdef');
const PLAIN: ExternalPsk = { identity: text('sensor 7'), secret: SECRET };
const OTHER: ExternalPsk = { identity: text('sensor 8'), secret: text('another secret of 32 bytes......') };
const NO_CERTIFICATE = { credentials: undefined } as const;

function ends(server: Partial<ServerOptions>, client: Partial<ClientOptions> = {}) {
  const world = seededWorld('external PSKs');
  return {
    server: defineServer({
      credentials: [certificates.ecdsaP256],
      crypto: testProvider,
      world: world.fork('server'),
      ...server,
    }),
    client: defineClient({ verifyServer: 'any', crypto: testProvider, world: world.fork('client'), ...client }),
  };
}

function connect(server: Partial<ServerOptions>, client: Partial<ClientOptions> = {}, options?: PairOptions): Pair {
  const both = ends(server, client);
  return pair(both.client, both.server, { client: { serverName: 'localhost' }, ...options }).runSync();
}

const isEstablished = ({ client, server }: Pair): boolean => client.isEstablished && server.isEstablished;
const messagesOf = ({ trace }: Pair): string => JSON.stringify(trace);
const alertOf = (both: Pair): string | undefined =>
  [...both.eventsOf('server', 'failed'), ...both.eventsOf('client', 'failed')].map(({ error }) => error.alert)[0];

describe('an external PSK', () => {
  it('takes the place of the certificate, and resumes nothing', () => {
    const both = connect({ psks: [PLAIN] }, { psks: [PLAIN] });
    expect(isEstablished(both)).to.equal(true);
    const expected = {
      resumed: false,
      mechanism: 'psk-external',
      pskMode: 'psk_dhe_ke',
      identityIndex: 0,
      session: undefined,
      reason: undefined,
    };
    expect(both.server.resumption).to.deep.equal(expected);
    expect(both.client.resumption).to.deep.equal(expected);
    expect(both.server.peerCertificate ?? both.client.peerCertificate).to.equal(undefined);
    const label = 'EXPORTER-test';
    expect(both.client.exportKeyingMaterial(8, label)).to.deep.equal(both.server.exportKeyingMaterial(8, label));
  });

  it('goes without (EC)DHE in psk_ke', () => {
    const both = connect({ psks: [PLAIN], pskModes: ['psk_ke'] }, { psks: [PLAIN], pskModes: ['psk_ke'] });
    expect(both.server.resumption).to.include({ mechanism: 'psk-external', pskMode: 'psk_ke' });
    expect([both.server.group, isEstablished(both)]).to.deep.equal([undefined, true]);
  });

  for (const hash of ['sha256', 'sha384'] as const) {
    const suite = hash === 'sha256' ? 'TLS_AES_128_GCM_SHA256' : 'TLS_AES_256_GCM_SHA384';
    for (const ciphers of [
      ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384'],
      ['TLS_AES_256_GCM_SHA384', 'TLS_AES_128_GCM_SHA256'],
    ]) {
      it(`of ${hash} leads to ${suite}, also where ${ciphers[0]} comes first`, () => {
        const psks = [{ ...PLAIN, hash }];
        const both = connect({ psks, ciphers }, { psks, ciphers });
        expect([both.server.cipherSuite, isEstablished(both)]).to.deep.equal([suite, true]);
      });
    }

    it(`survives a HelloRetryRequest with ${hash}, and is looked up once`, () => {
      let asked = 0;
      const find = () => {
        asked++;
        return { secret: SECRET, hash };
      };
      const psks = [{ ...PLAIN, hash }];
      const both = connect({ psks: find, groups: ['secp256r1'] }, { psks });
      expect([both.server.resumption.mechanism, asked]).to.deep.equal(['psk-external', 1]);
      expect(both.server.group).to.equal('secp256r1');
    });
  }

  it('is not used where no common suite has its hash, and the verdict says so', () => {
    const both = connect(
      { psks: [{ ...PLAIN, hash: 'sha384' }], ciphers: ['TLS_AES_128_GCM_SHA256'] },
      { psks: [PLAIN] },
    );
    expect(both.server.resumption).to.include({ resumed: false, mechanism: undefined, reason: 'hash' });
    expect(isEstablished(both)).to.equal(true);
    expect(both.server.verdicts[0]?.toJSON()).to.deep.include({ mechanism: 'psk-external', accepted: false });
    expect(both.server.verdicts[0]?.remedy).to.match(/suite with the hash/);
  });

  it('that is unknown is passed over, and a full handshake follows', () => {
    const both = connect({ psks: [OTHER] }, { psks: [PLAIN] });
    expect(both.server.resumption).to.include({ reason: 'unknown', mechanism: undefined });
    expect(both.client.resumption).to.include({ reason: 'declined', mechanism: undefined });
    expect(isEstablished(both)).to.equal(true);
  });

  it('is found behind others that are unknown', () => {
    const both = connect({ psks: [OTHER] }, { psks: [PLAIN, OTHER] });
    expect(both.server.resumption).to.include({ mechanism: 'psk-external', identityIndex: 1 });
    expect(both.client.resumption).to.include({ mechanism: 'psk-external', identityIndex: 1 });
    expect(both.server.verdicts.map(({ reason }) => reason)).to.deep.equal(['unknown', undefined]);
  });

  it('of another secret ends the handshake', () => {
    const both = connect({ psks: [{ ...PLAIN, secret: OTHER.secret }] }, { psks: [PLAIN] });
    expect(alertOf(both)).to.equal('decrypt_error');
    expect(both.server.resumption.reason).to.equal('binder');
    expect(both.server.verdicts[0]?.remedy).to.match(/the same secret/);
  });

  it('is taken whatever its age says (RFC 9846 §4.3.11)', () => {
    for (const age of [1, 2 ** 31, 2 ** 32 - 1]) {
      const hello = (draft: HelloDraft) => {
        for (const psk of draft.psks) psk.obfuscatedTicketAge = age;
        return undefined;
      };
      const both = connect({ psks: [PLAIN] }, { psks: [PLAIN] }, { client: { edits: { hello } } });
      expect([both.server.resumption.mechanism, isEstablished(both)]).to.deep.equal(['psk-external', true]);
    }
  });

  it('has tickets, whose sessions resume before it', () => {
    for (const mode of ['stateful', 'stateless'] as const) {
      const made: Session[] = [];
      const { server, client } = ends(
        {
          psks: [PLAIN],
          tickets: { mode },
          sessions: {
            onNew: (session) => {
              made.push(session);
            },
          },
        },
        { psks: [PLAIN] },
      );
      const first = pair(client, server, { client: { serverName: 'localhost' } }).runSync();
      expect([first.server.resumption.mechanism, made.length]).to.deep.equal(['psk-external', 2]);
      const again = pair(client, server, { client: { serverName: 'localhost' } }).runSync();
      expect(again.server.resumption).to.include({ resumed: true, mechanism: `psk-${mode}`, identityIndex: 0 });
      expect(again.client.resumption).to.include({ resumed: true, mechanism: 'psk' });
      const once = pair(client, server, { client: { serverName: 'localhost', sessions: [] } }).runSync();
      expect(once.server.resumption).to.include({ resumed: false, mechanism: 'psk-external' });
    }
  });

  it('has its server name confirmed, and its protocol selected', () => {
    const alpn = ['coap'];
    const both = connect({ psks: [PLAIN], alpn, ...NO_CERTIFICATE }, { psks: [PLAIN], alpn });
    expect(both.client.alpnProtocol).to.equal('coap');
    expect(messagesOf(both)).to.match(/encrypted_extensions\W.*serverName/i);
  });
});

describe('an imported PSK (RFC 9258)', () => {
  const IMPORTED: ExternalPsk = { ...PLAIN, import: true, context: text('sensor 7 and gateway 1') };

  for (const ciphers of [['TLS_AES_128_GCM_SHA256'], ['TLS_AES_256_GCM_SHA384']]) {
    it(`has a key for ${ciphers[0]}`, () => {
      const both = connect({ psks: [IMPORTED], ciphers }, { psks: [IMPORTED] });
      expect(both.server.resumption).to.include({ resumed: false, mechanism: 'psk-imported' });
      expect(both.client.resumption).to.include({ resumed: false, mechanism: 'psk-imported' });
      expect([both.server.cipherSuite, isEstablished(both)]).to.deep.equal([ciphers[0], true]);
    });
  }

  it('is no plain one, and no plain one is it', () => {
    for (const [server, client] of [
      [IMPORTED, PLAIN],
      [PLAIN, IMPORTED],
      [IMPORTED, { ...IMPORTED, context: text('another') }],
    ] as const)
      expect(connect({ psks: [server] }, { psks: [client] }).server.resumption.reason).to.equal('unknown');
  });

  it('has a binder of its own label: the derived key as a plain PSK does not verify', () => {
    const hash = 'sha256' as const;
    const target = { externalIdentity: PLAIN.identity, context: new Uint8Array(0), targetHash: hash };
    const made = importPsk(testProvider, { secret: SECRET, hash }, target);
    const hello = (draft: { psks: { identity: Uint8Array; secret?: Uint8Array | undefined }[] }) => {
      for (const psk of draft.psks) Object.assign(psk, { identity: made.identity, secret: made.secret });
      return undefined;
    };
    const both = connect(
      { psks: [{ ...PLAIN, import: true }] },
      { psks: [PLAIN] },
      { client: { serverName: 'localhost', edits: { hello } } },
    );
    expect(alertOf(both)).to.equal('decrypt_error');
  });

  /** RFC 9258 §5.1 and RFC 9846 §7.1, once more and without anything of the library. */
  function independent(secret: Uint8Array, context: Uint8Array, kdf: 1 | 2, provisioned: 'sha256' | 'sha384') {
    const block = (bytes: Uint8Array) => concat(Uint8Array.of(bytes.length >> 8, bytes.length & 255), bytes);
    const identity = concat(block(PLAIN.identity), block(context), Uint8Array.of(3, 4, 0, kdf));
    const size = provisioned === 'sha256' ? 32 : 48;
    const length = kdf === 1 ? 32 : 48;
    const prk = createHmac(provisioned, new Uint8Array(size)).update(secret).digest();
    const label = text('tls13 derived psk');
    const digest = createHash(provisioned).update(identity).digest();
    const info = concat(Uint8Array.of(0, length, label.length), label, Uint8Array.of(digest.length), digest);
    let output = new Uint8Array(0);
    let before = new Uint8Array(0);
    for (let i = 1; output.length < length; i++) {
      before = new Uint8Array(
        createHmac(provisioned, prk)
          .update(concat(before, info, Uint8Array.of(i)))
          .digest(),
      );
      output = concat(output, before) as Uint8Array<ArrayBuffer>;
    }
    return { identity: toHex(identity), secret: toHex(output.subarray(0, length)) };
  }

  for (const targetHash of ['sha256', 'sha384'] as const)
    for (const hash of ['sha256', 'sha384'] as const)
      it(`of ${hash} has for ${targetHash} the key that another computation gives`, () => {
        const context = text('context');
        const target = { externalIdentity: PLAIN.identity, context, targetHash };
        const { identity, secret } = importPsk(testProvider, { secret: SECRET, hash }, target);
        const expected = independent(SECRET, context, targetHash === 'sha256' ? 1 : 2, hash);
        expect({ identity: toHex(identity), secret: toHex(secret) }).to.deep.equal(expected);
        expect(importedIdentity(identity)).to.deep.equal(target);
      });

  it('is of SHA-256 unless it says otherwise (§5.1)', () => {
    for (const [hash, mechanism] of [
      ['sha256', 'psk-imported'],
      ['sha384', undefined],
    ] as const) {
      const both = connect({ psks: [IMPORTED] }, { psks: [{ ...IMPORTED, hash }] });
      expect([both.server.resumption.mechanism, alertOf(both)]).to.deep.equal([
        mechanism,
        mechanism === undefined ? 'decrypt_error' : undefined,
      ]);
    }
  });

  it('is offered for each hash of the suites, and for no other (§5.1)', () => {
    const offered = (ciphers?: string[]) => {
      let hashes: unknown[] = [];
      const hello = (draft: HelloDraft) => {
        hashes = draft.psks.map(({ identity, hash }) => [importedIdentity(identity)?.targetHash, hash]);
        return undefined;
      };
      connect({ psks: [IMPORTED] }, { psks: [IMPORTED], ciphers }, { client: { edits: { hello } } });
      return hashes;
    };
    const [sha256, sha384] = [
      ['sha256', 'sha256'],
      ['sha384', 'sha384'],
    ];
    expect(offered()).to.deep.equal([sha256, sha384]);
    expect(offered(['TLS_CHACHA20_POLY1305_SHA256'])).to.deep.equal([sha256]);
    expect(offered(['TLS_AES_256_GCM_SHA384'])).to.deep.equal([sha384]);
  });

  it('is found by a function, which reads the identity', () => {
    const find = (identity: Uint8Array) => {
      const imported = importedIdentity(identity);
      return imported && { secret: SECRET, import: true, context: imported.context };
    };
    const both = connect({ psks: find }, { psks: [IMPORTED] });
    expect(both.server.resumption).to.include({ mechanism: 'psk-imported' });
    expect(isEstablished(both)).to.equal(true);
  });
});

describe('psks as a function', () => {
  const client = { psks: [PLAIN] };

  it('is asked with the identity and the connection, and may answer later', async () => {
    const asked: unknown[] = [];
    const { server, client: mine } = ends(
      {
        psks: async (identity, connection) => {
          asked.push(Buffer.from(identity).toString(), connection.serverName);
          return { secret: SECRET };
        },
      },
      client,
    );
    const both = await pair(mine, server, { client: { serverName: 'localhost' } }).run();
    expect(asked).to.deep.equal(['sensor 7', 'localhost']);
    expect(both.server.resumption.mechanism).to.equal('psk-external');
  });

  const bad: Record<string, () => unknown> = {
    'that throws': () => {
      throw new Error('no database');
    },
    'that answers with a text': () => 'secret',
    'that answers with a short secret': () => ({ secret: new Uint8Array(15) }),
    'that answers with another identity': () => OTHER,
    'that answers with an imported PSK to a plain identity': () => ({ secret: SECRET, import: true }),
    'that answers with a getter that throws': () => ({
      get secret() {
        throw new Error('no secret');
      },
    }),
    'that answers with a misspelt property': () => ({ secret: SECRET, hsh: 'sha384' }),
  };
  for (const [name, answer] of Object.entries(bad))
    it(`${name} knows nothing, and there is an event`, () => {
      const both = connect({ psks: answer as () => undefined }, client);
      expect(isEstablished(both)).to.equal(true);
      expect(both.server.resumption.mechanism).to.equal(undefined);
      expect(both.server.resumption.reason).to.be.oneOf(['store-error', 'malformed']);
      expect(both.eventsOf('server', 'callback-error').map(({ callback }) => callback)).to.deep.equal(['psks']);
    });

  it('that answers too late knows nothing', () => {
    const { server, client: mine } = ends({ psks: () => new Promise(() => {}) }, client);
    const connection = new ServerConnection(server);
    const both = pair(mine, defineServer({ credentials: [certificates.ecdsaP256] }), { client: {} });
    const hello = both.client.connect().output;
    const step = connection.receive(hello);
    expect(step.question?.kind).to.equal('psk');
    expect(step.question?.budgeted).to.equal(true);
    if (step.question === undefined) throw new Error('no question');
    const after = connection.answer(step.question, { late: true });
    expect(after.output.length).to.be.greaterThan(0);
    expect(connection.verdicts.map(({ reason }) => reason)).to.deep.equal(['store-timeout']);
    connection.dispose();
  });

  it('is not asked for more identities than sessions.maxIdentities', () => {
    let asked = 0;
    const psks = Array.from({ length: 1000 }, (_, i) => ({ ...PLAIN, identity: text(`sensor ${i}`) }));
    const both = connect({ psks: () => void asked++ }, { psks });
    expect([asked, both.server.resumption.reason, isEstablished(both)]).to.deep.equal([5, 'too-many-identities', true]);
  });

  it('is asked about an identity of 65000 bytes', () => {
    const psks = [{ ...PLAIN, identity: new Uint8Array(65000).fill(7) }];
    expect(connect({ psks }, { psks }).server.resumption.mechanism).to.equal('psk-external');
    expect(connect({ psks: () => ({ secret: SECRET }) }, { psks }).server.resumption.mechanism).to.equal(
      'psk-external',
    );
  });

  it('leaves out an identity for which the hello has no room', () => {
    const psks = [{ ...PLAIN, identity: new Uint8Array(65535) }, PLAIN];
    const both = connect({ psks: [PLAIN] }, { psks });
    expect(both.client.resumption).to.include({ mechanism: 'psk-external', identityIndex: 0 });
  });
});

describe('an identity is of one kind', () => {
  it('refuses a plain PSK whose identity is that of an imported one', () => {
    const target = { externalIdentity: PLAIN.identity, context: new Uint8Array(0), targetHash: 'sha256' as const };
    const { identity } = importPsk(testProvider, { secret: SECRET, hash: 'sha256' }, target);
    for (const define of [defineServer, defineClient])
      expect(() => define({ psks: [{ ...PLAIN, identity }] })).to.throw(RangeError, /^psks\[0\]\.identity: .*importer/);
    const both = connect({ psks: () => ({ secret: SECRET }) }, { psks: [{ ...PLAIN, import: true }] });
    expect(both.server.resumption.reason).to.equal('malformed');
  });

  it('refuses two PSKs of one identity', () => {
    expect(() => ends({ psks: [PLAIN, { ...OTHER, identity: PLAIN.identity }] })).to.throw(
      TypeError,
      /^psks\[1\]\.identity/,
    );
  });

  it('hands out no session under the identity of a PSK', () => {
    const identity = text('an id of 32 bytes, and a PSK too');
    const psks = [{ ...PLAIN, identity }];
    const both = connect({ psks, sessions: { generateId: () => identity } });
    expect(both.eventsOf('server', 'callback-error').map(({ callback }) => callback)).to.include('generateId');
    expect(both.eventsOf('server', 'new-session').map(({ session }) => toHex(session.id))).not.to.include(
      toHex(identity),
    );
  });

  it('looks for a PSK first, so that a session of its identity is no ticket, and its binder none of a PSK', () => {
    const identity = text('an id of 32 bytes, and a PSK too');
    const cache = new SessionCache();
    const { server, client } = ends({ sessions: { cache, generateId: () => identity }, tickets: { initial: 1 } });
    const first = pair(client, server, { client: { serverName: 'localhost' } }).runSync();
    const sessions = [...first.client.sessions];
    const both = ends({ psks: [{ ...PLAIN, identity }], sessions: { cache } });
    const asTicket = pair(client, both.server, { client: { serverName: 'localhost', sessions } }).runSync();
    expect(alertOf(asTicket)).to.equal('decrypt_error');
    const asPsk = connect({ psks: [{ ...PLAIN, identity }], sessions: { cache } }, { psks: [{ ...PLAIN, identity }] });
    expect(asPsk.server.resumption.mechanism).to.equal('psk-external');
  });
});

describe('clientAuth and an external PSK', () => {
  const clientAuth = { mode: 'require', verifyClient: () => true } as const;
  const sessions = { idContext: text('members') };

  it('declines it under require, and asks for the certificate', () => {
    const both = connect(
      { psks: [PLAIN], clientAuth, sessions },
      { psks: [PLAIN], credential: certificates.ecdsaP256 },
    );
    expect(both.server.resumption).to.include({ reason: 'client-certificate', mechanism: undefined });
    expect(isEstablished(both)).to.equal(true);
    expect(both.server.peerCertificate).not.to.equal(undefined);
  });

  it('takes it if it replaces the certificate, without a CertificateRequest, and so with each session that descends from it', () => {
    const psks = [{ ...PLAIN, replacesClientCertificate: true }];
    const { server, client } = ends({ psks, clientAuth, sessions }, { psks });
    const visit = () => pair(client, server, { client: { serverName: 'localhost' } }).runSync();
    const first = visit();
    expect(first.server.resumption.mechanism).to.equal('psk-external');
    expect(messagesOf(first)).not.to.match(/certificate_request/i);
    for (let i = 0; i < 3; i++) {
      const again = visit();
      expect(again.server.resumption).to.include({ resumed: true, mechanism: 'psk-stateful' });
      expect(again.server.session?.scope).to.have.property('clientPsk');
    }
  });

  it('does not resume a session of a PSK that does not replace it', () => {
    const cache = new SessionCache();
    const options = { psks: [PLAIN], sessions: { ...sessions, cache } };
    const first = connect({ ...options, clientAuth: { ...clientAuth, mode: 'request' } }, { psks: [PLAIN] });
    expect(first.server.resumption.mechanism).to.equal('psk-external');
    const kept = [...first.client.sessions];
    const again = connect(
      { ...options, clientAuth },
      { psks: [PLAIN], credential: certificates.ecdsaP256 },
      { client: { serverName: 'localhost', sessions: kept } },
    );
    expect(again.server.resumption.resumed).to.equal(false);
  });

  it('needs a certificate of the server', () => {
    expect(() => ends({ ...NO_CERTIFICATE, psks: [PLAIN], clientAuth })).to.throw(TypeError, /^clientAuth/);
  });
});

describe('Selfie: an endpoint that is client and server', () => {
  /** What the client of an endpoint sends, sent back to its own server. */
  function reflect(psks: readonly ExternalPsk[]): Pair {
    return connect({ ...NO_CERTIFICATE, psks }, { psks, verifyServer: undefined });
  }

  it('talks to itself under one key', () => {
    expect(isEstablished(reflect([PLAIN]))).to.equal(true);
  });

  it('does not under two keys with roles', () => {
    const both = reflect([
      { ...PLAIN, role: 'client' },
      { ...OTHER, role: 'server' },
    ]);
    expect([isEstablished(both), alertOf(both)]).to.deep.equal([false, 'decrypt_error']);
    expect(both.server.verdicts.map(({ reason }) => reason)).to.deep.equal(['role']);
  });

  it('does not under one key that is imported for each direction', () => {
    const one = (from: string, to: string, role: 'client' | 'server'): ExternalPsk => {
      return { ...PLAIN, import: true, context: text(`client ${from}, server ${to}`), role };
    };
    const endpoint = (me: string, peer: string) => [one(me, peer, 'client'), one(peer, me, 'server')];
    expect(isEstablished(reflect(endpoint('A', 'B')))).to.equal(false);
    const [A, B] = [endpoint('A', 'B'), endpoint('B', 'A')];
    const both = connect({ ...NO_CERTIFICATE, psks: B }, { psks: A, verifyServer: undefined });
    expect(isEstablished(both)).to.equal(true);
  });
});

/** The length of a binder. */
const BINDER = { sha256: 32, sha384: 48 } as const;

describe('a server without credentials', () => {
  /** What a server puts out, and the work that it takes. */
  function refusal(
    offered: ExternalPsk | ExternalPsk[],
    options: Partial<ServerOptions> = {},
    binders: Uint8Array | Uint8Array[] = [],
  ) {
    const world = seededWorld('alone');
    const crypto = counting(testProvider);
    const server = defineServer({ psks: [PLAIN], crypto, world: world.fork('server'), ...options });
    const client = defineClient({ psks: [offered].flat(), crypto: testProvider, world: world.fork('client') });
    const edit = (draft: HelloDraft) => {
      for (const [i, psk] of draft.psks.entries()) psk.binder = [binders].flat()[i];
      return undefined;
    };
    const both = pair(client, server, { client: { edits: { hello: edit } } });
    const hello = both.client.connect().output;
    const connection = new ServerConnection(server);
    connection.receive(new Uint8Array(0));
    crypto.take();
    const { output } = connection.receive(hello);
    return { output: toHex(output), work: crypto.take() };
  }

  it('answers an unknown identity as it does a wrong key: the same bytes after the same work', () => {
    for (const options of [{}, { tickets: { mode: 'stateless' } }, { tickets: { mode: 'off' } }] as const) {
      const unknown = refusal({ ...PLAIN, identity: text('sensor 9') }, options);
      const wrong = refusal({ ...PLAIN, secret: OTHER.secret }, options);
      expect(unknown).to.deep.equal(wrong);
      expect(unknown.output).to.equal('15030300020233'); // decrypt_error
    }
    const find = (identity: Uint8Array) => (identity[7] === 0x37 ? { secret: SECRET } : undefined);
    const unknown = refusal({ ...PLAIN, identity: text('sensor 9') }, { psks: find });
    expect(unknown).to.deep.equal(refusal({ ...PLAIN, secret: OTHER.secret }, { psks: find }));
  });

  it('asks the store of the sessions about both', () => {
    const identity = text('an id of 32 bytes, and a PSK too');
    for (const offered of [
      { ...PLAIN, identity },
      { ...OTHER, identity: identity.map((byte) => byte ^ 1) },
    ]) {
      const asked: string[] = [];
      const onGet = (id: Uint8Array) => void asked.push(toHex(id));
      const psks = [{ ...PLAIN, identity, secret: OTHER.secret }];
      refusal(offered, { psks, sessions: { cache: false, onGet } });
      expect(asked).to.deep.equal([toHex(offered.identity)]);
    }
  });

  it('looks for the identities behind a known one as for those behind an unknown one', () => {
    for (const offered of [PLAIN, { ...PLAIN, identity: text('sensor 9') }]) {
      const asked: string[] = [];
      const find = (identity: Uint8Array) => {
        asked.push(Buffer.from(identity).toString());
        return toHex(identity) === toHex(PLAIN.identity) ? { secret: OTHER.secret } : undefined;
      };
      const both = connect({ ...NO_CERTIFICATE, psks: find }, { psks: [offered, OTHER] });
      expect([alertOf(both), ...asked]).to.deep.equal([
        'decrypt_error',
        Buffer.from(offered.identity).toString(),
        'sensor 8',
      ]);
    }
  });

  it('does so as well for a binder of another length than that of the PSK', () => {
    for (const length of [32, 48])
      for (const hash of ['sha256', 'sha384'] as const) {
        const options = { psks: [{ ...PLAIN, hash }] };
        const binder = new Uint8Array(length);
        const unknown = refusal({ ...PLAIN, hash, identity: text('sensor 9') }, options, binder);
        expect(unknown, `${hash} ${length}`).to.deep.equal(refusal({ ...PLAIN, hash }, options, binder));
      }
  });

  it('does so as well where the binder in front has another length than that of the PSK', () => {
    const front = { ...PLAIN, identity: text('sensor 0') };
    for (const hash of ['sha256', 'sha384'] as const) {
      const [known, unknown] = ['sensor 7', 'sensor 9'].map((name) => {
        const offered = { ...PLAIN, hash, identity: text(name) };
        const other = hash === 'sha256' ? 'sha384' : 'sha256';
        const binders = [new Uint8Array(BINDER[other]), new Uint8Array(BINDER[hash])];
        return refusal(
          [{ ...front, secret: OTHER.secret, hash: other }, offered],
          { psks: [{ ...PLAIN, hash }] },
          binders,
        );
      });
      expect(unknown, hash).to.deep.equal(known);
    }
  });

  it('says unknown_psk_identity with hideUnknownPsks: false', () => {
    const { output } = refusal({ ...PLAIN, identity: text('sensor 9') }, { hideUnknownPsks: false });
    expect(output).to.equal('15030300020273');
    expect(() => ends({ psks: [PLAIN], hideUnknownPsks: true })).to.throw(TypeError, /^hideUnknownPsks/);
    expect(() => ends({ hideUnknownPsks: true })).to.throw(TypeError, /^hideUnknownPsks/);
  });

  it('refuses a client that offers none', () => {
    expect(alertOf(connect({ ...NO_CERTIFICATE, psks: [PLAIN] }))).to.equal('handshake_failure');
  });

  it('does not ask for another share before it refuses', () => {
    const both = connect({ ...NO_CERTIFICATE, psks: [PLAIN], groups: ['secp256r1'] }, { psks: [OTHER] });
    expect([alertOf(both), /hello_retry/i.test(messagesOf(both))]).to.deep.equal(['decrypt_error', false]);
  });

  it('resumes', () => {
    const { server, client } = ends({ ...NO_CERTIFICATE, psks: [PLAIN] }, { psks: [PLAIN], verifyServer: undefined });
    const visit = () => pair(client, server, { client: { serverName: 'localhost' } }).runSync().server.resumption;
    expect([visit().mechanism, visit().mechanism]).to.deep.equal(['psk-external', 'psk-stateful']);
  });
});

describe('a client with psks', () => {
  it('needs nobody to judge certificates, and then accepts none', () => {
    const both = connect({}, { psks: [PLAIN], verifyServer: undefined });
    expect([alertOf(both), isEstablished(both)]).to.deep.equal(['certificate_unknown', false]);
  });

  it('refuses a server that selects an identity it has not offered, or a suite of another hash', () => {
    const hello = (draft: { psks: { hash?: string | undefined }[] }) => {
      for (const psk of draft.psks) psk.hash = 'sha384';
      return undefined;
    };
    const both = connect({ psks: [PLAIN] }, { psks: [PLAIN] }, { client: { edits: { hello } } });
    expect(isEstablished(both)).to.equal(false);
  });

  it('states the age 0', () => {
    const ages: number[] = [];
    const hello = (draft: HelloDraft) => {
      ages.push(...draft.psks.map(({ obfuscatedTicketAge }) => obfuscatedTicketAge));
      return undefined;
    };
    connect({ psks: [PLAIN], groups: ['secp256r1'] }, { psks: [PLAIN] }, { client: { edits: { hello } } });
    expect(ages).to.deep.equal([0, 0]); // a HelloRetryRequest comes between
  });
});

describe('an external PSK in TLS 1.2', () => {
  const ciphers = ['TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256'];
  const TLS12 = { maxVersion: 'TLSv1.2', ciphers } as const;

  it('authenticates both sides, and resumes as usual', () => {
    for (const mode of ['stateful', 'stateless'] as const) {
      const { server, client } = ends(
        { ...TLS12, ...NO_CERTIFICATE, psks: [OTHER, PLAIN], tickets: { mode } },
        { ...TLS12, psks: [PLAIN], verifyServer: undefined },
      );
      const visit = () => pair(client, server, { client: { serverName: 'localhost' } }).runSync();
      const first = visit();
      expect(isEstablished(first)).to.equal(true);
      const expected = { resumed: false, mechanism: 'psk-external', pskMode: undefined, reason: undefined };
      expect(first.server.resumption).to.include(expected);
      expect(first.client.resumption).to.include(expected);
      expect(messagesOf(first)).not.to.match(/"certificate"/);
      const again = visit();
      expect(again.server.resumption).to.include({
        resumed: true,
        mechanism: mode === 'stateful' ? 'session-id' : 'ticket',
      });
    }
  });

  it('is not used unless its suite is named, and that is of no use without psks', () => {
    const both = connect({ psks: [PLAIN], maxVersion: 'TLSv1.2' }, { psks: [PLAIN] });
    expect(both.server.cipherSuite).to.match(/ECDSA/);
    for (const define of [() => ends({ ciphers }), () => ends({}, { ciphers })])
      expect(define).to.throw(TypeError, /^ciphers: .*needs psks/);
    expect(() => ends({ ...NO_CERTIFICATE, psks: [PLAIN], maxVersion: 'TLSv1.2' })).to.throw(RangeError, /^ciphers: /);
  });

  it('is not imported', () => {
    for (const psk of [
      { ...PLAIN, import: true },
      { ...PLAIN, role: 'server' as const },
    ])
      expect(() => ends({}, { ...TLS12, psks: [psk] })).to.throw(TypeError, /^ciphers: .*not imported/);
    const both = connect({ ...TLS12, psks: [{ ...PLAIN, import: true }] }, { ...TLS12, psks: [PLAIN] });
    expect(alertOf(both)).to.equal('unknown_psk_identity');
  });

  it('lets both versions through', () => {
    const all = [...ciphers, 'TLS_AES_128_GCM_SHA256'];
    const server = { ...NO_CERTIFICATE, psks: [PLAIN], ciphers: all };
    expect(connect(server, { psks: [PLAIN], ciphers: all }).server.version).to.equal('TLSv1.3');
    const old = connect(server, { psks: [PLAIN], ...TLS12 });
    expect([old.server.version, old.server.resumption.mechanism]).to.deep.equal(['TLSv1.2', 'psk-external']);
  });

  it('that is unknown ends as a wrong key does, or says so', () => {
    const run = (options: Partial<ServerOptions>, psk: ExternalPsk) =>
      connect({ ...TLS12, psks: [PLAIN], ...options }, { ...TLS12, psks: [psk] });
    const wrong = { ...PLAIN, secret: OTHER.secret };
    for (const psk of [OTHER, wrong]) expect(alertOf(run(NO_CERTIFICATE, psk))).to.equal('bad_record_mac');
    const open = { ...NO_CERTIFICATE, hideUnknownPsks: false };
    for (const options of [{}, open]) expect(alertOf(run(options, OTHER))).to.equal('unknown_psk_identity');
    expect(run(open, OTHER).server.verdicts.map(({ reason }) => reason)).to.deep.equal(['unknown']);
  });

  it('asks for no certificate, and stands for one only if it may', () => {
    const clientAuth = { mode: 'require', verifyClient: () => true } as const;
    const sessions = { idContext: text('members') };
    const server = { ...TLS12, clientAuth, sessions };
    const asked = connect({ ...server, psks: [PLAIN] }, { ...TLS12, psks: [PLAIN] });
    expect(alertOf(asked)).to.equal('unknown_psk_identity');
    const psks = [{ ...PLAIN, replacesClientCertificate: true }];
    const both = ends({ ...server, psks }, { ...TLS12, psks });
    const visit = () => pair(both.client, both.server, { client: { serverName: 'localhost' } }).runSync();
    expect(isEstablished(visit())).to.equal(true);
    expect(visit().server.resumption).to.include({ resumed: true, mechanism: 'session-id' });
    const certificateToo = ['TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256'];
    const all = [...ciphers, ...certificateToo];
    const both12 = connect(
      { ...server, ciphers: all, psks: [PLAIN] },
      { ...TLS12, ciphers: all, psks: [PLAIN], credential: certificates.ecdsaP256 },
    );
    expect(both12.server.cipherSuite).to.equal(certificateToo[0]);
  });

  it('is found by a function, and replays', async () => {
    const both = ends({ ...TLS12, psks: async () => ({ secret: SECRET }) }, { ...TLS12, psks: [PLAIN] });
    const run = await pair(both.client, both.server, { record: true }).run();
    expect(run.server.resumption.mechanism).to.equal('psk-external');
    for (const recording of Object.values(run.recordings)) replay(recording);
  });
});

describe('the options of PSKs', () => {
  const wrong: [RegExp, unknown][] = [
    [/^psks: /, []],
    [/^psks: /, PLAIN],
    [/^psks\[0\]/, [undefined]],
    [/^psks\[0\]\.identity/, [{ ...PLAIN, identity: 'sensor' }]],
    [/^psks\[0\]\.identity/, [{ ...PLAIN, identity: new Uint8Array(0) }]],
    [/^psks\[0\]\.identity/, [{ ...PLAIN, identity: new Uint8Array(65536) }]],
    [/^psks\[0\]\.secret has 15 bytes.*RFC 9257/, [{ ...PLAIN, secret: new Uint8Array(15) }]],
    [/^psks\[0\]\.hash/, [{ ...PLAIN, hash: 'sha512' }]],
    [/^psks\[0\]\.context/, [{ ...PLAIN, context: text('context') }]],
    [/^psks\[0\]\.role/, [{ ...PLAIN, role: 'both' }]],
    [/^psks\[0\]\.import/, [{ ...PLAIN, import: 'yes' }]],
    [/^unknown option psks\[0\]\.secrt/, [{ ...PLAIN, secrt: SECRET }]],
    [/^psks\[0\]\.replacesClientCertificate/, [{ ...PLAIN, replacesClientCertificate: 1 }]],
    [/^psks\[0\]: identity and context/, [{ ...PLAIN, import: true, context: new Uint8Array(65535) }]],
  ];
  for (const [message, psks] of wrong)
    it(`says ${message.source}`, () => {
      for (const define of [defineServer, defineClient])
        expect(() => define({ psks: psks as ExternalPsk[] })).to.throw(Error, message);
    });

  it('say that a key is imported or not, and has one hash (RFC 9258 §4)', () => {
    const another = { ...PLAIN, identity: text('sensor 9') };
    for (const define of [defineServer, defineClient]) {
      const defining =
        (...psks: ExternalPsk[]) =>
        () =>
          define({ psks, crypto: testProvider });
      for (const second of [
        { ...PLAIN, import: true },
        { ...another, hash: 'sha384' as const },
      ])
        expect(defining(PLAIN, second)).to.throw(TypeError, /^psks\[1\]\.secret: another PSK has it/);
      expect(defining({ ...PLAIN, import: true }, { ...another, import: true, hash: 'sha384' })).to.throw(TypeError);
      expect(defining(PLAIN, another, { ...OTHER, import: true })).not.to.throw();
      expect(defining({ ...PLAIN, import: true }, { ...PLAIN, import: true, context: text('b') })).not.to.throw();
    }
  });

  it('copies what it is given', () => {
    const psk = { identity: text('sensor 7'), secret: SECRET.slice() };
    const { server } = ends({ psks: [psk] });
    psk.secret.fill(0);
    const client = defineClient({ psks: [PLAIN], crypto: testProvider });
    expect(pair(client, server).runSync().server.resumption.mechanism).to.equal('psk-external');
  });
});

describe('psks of the entries for small bundles', () => {
  const verifyServer = 'any' as const;

  it('are a part that is named', () => {
    const server = tls13.defineServer({ psks: [PLAIN] }, { externalPsks: tls13.externalPsks });
    const client = client13.defineClient({ psks: [PLAIN] }, { externalPsks: client13.externalPsks });
    const connection = new tls13.ServerConnection(server);
    expect(server.psks?.has(PLAIN.identity)).to.equal(true);
    expect(client.psks.map(({ kind }) => kind)).to.deep.equal(['external']);
    connection.dispose();
  });

  it('are refused without it, with what to write', () => {
    expect(() => tls13.defineServer({ psks: [PLAIN] })).to.throw(TypeError, /^psks: .*\{ externalPsks \}/);
    expect(() => client13.defineClient({ psks: [PLAIN], verifyServer })).to.throw(
      TypeError,
      /^psks: .*\{ externalPsks \}/,
    );
  });
});

describe('recordings of external PSKs', () => {
  const find = (identity: Uint8Array) => (identity[7] === PLAIN.identity[7] ? { secret: SECRET } : undefined);
  for (const psks of [[PLAIN], find] as const)
    it(`replay, with ${typeof psks === 'function' ? 'a function' : 'an array'}`, () => {
      const both = connect({ psks }, { psks: [OTHER, PLAIN] }, { record: true });
      const { client, server } = both.recordings;
      for (const recording of [client, server]) replay(recording); // which throws at the first difference
      expect(JSON.stringify(client)).to.contain(toHex(SECRET));
      expect(JSON.stringify(client)).not.to.contain(toHex(OTHER.secret));
    });
});
