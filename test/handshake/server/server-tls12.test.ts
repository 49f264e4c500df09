/** The TLS 1.2 server against a scripted client: RFC 5246 §7, RFC 8422, RFC 7627, RFC 5746. */

import { expect } from 'chai';
import { type Credential, credentialFromPem } from '../../../src/crypto/credentials/credential.ts';
import { webCryptoCredential } from '../../../src/crypto/credentials/web-crypto-credential.ts';
import { noble } from '../../../src/crypto/providers/noble.ts';
import type { ServerOptions } from '../../../src/engine/server/options.ts';
import { ServerConnection } from '../../../src/engine/server/server-connection.ts';
import { ServerECDHParams, type ServerKeyExchange } from '../../../src/handshake/messages/server-key-exchange.ts';
import { nodeCrypto } from '../../../src/node/node-crypto.ts';
import { ascii, concat, EMPTY, toHex } from '../../../src/wire/bytes.ts';
import { encode } from '../../../src/wire/codec.ts';
import { AlertLevel, CipherSuite, ContentType, type SignatureSchemeName } from '../../../src/wire/registry.ts';
import { certificates } from '../../fixtures.ts';
import { Exchange } from '../../support/exchange.ts';
import { type ClientOptions, exchange, ScriptedClient } from '../../support/scripted-client.ts';
import { rawExtension, rawMessage } from '../../support/scripted-hello.ts';
import {
  type CredentialKind,
  credential,
  quickCredential,
  quickRsaCredential,
  testServer,
} from '../../support/servers.ts';
import { verifySignature } from '../../support/signatures.ts';

/** The lines of the key log are events. */
const TOLD = { wantsKeylog: () => true };

function connect(client: ClientOptions = {}, server: Partial<ServerOptions> = {}): Exchange {
  return exchange(
    new ScriptedClient({ version: 'TLSv1.2', ...client }),
    new ServerConnection(testServer(server), TOLD),
  );
}

/** A full handshake, and a second one that offers its session. */
function resume(client: ClientOptions = {}, server: Partial<ServerOptions> = {}, again: ClientOptions = {}): Exchange {
  const config = testServer(server);
  const options = { version: 'TLSv1.2', ...client } as const;
  const { session } = exchange(new ScriptedClient(options), new ServerConnection(config)).client;
  return exchange(new ScriptedClient({ ...options, session, ...again }), new ServerConnection(config, TOLD));
}

/**
 * A handshake whose signature OpenSSL has verified: for the client or, with a scheme that the client does not offer and so refuses,
 * afterwards.
 */
async function signed(client: ScriptedClient, connection: ServerConnection): Promise<Exchange> {
  const link = new Exchange(client, connection);
  const schemes = client.options.signatureAlgorithms || [];
  if (!schemes.includes('ecdsa_secp521r1_sha512')) return expectWorking(await link.runAsync());
  const refusal: unknown = await link.runAsync().catch((error: unknown) => error);
  expect(refusal).to.include({ alert: 'illegal_parameter', origin: 'local' });
  const { params, signed } = client.serverKeyExchange as ServerKeyExchange;
  const random = client.serverHello?.random ?? EMPTY;
  const content = concat(client.clientRandom, random, encode(ServerECDHParams, params));
  expect(verifySignature(client.certificates?.[0], signed, content)).to.equal(true);
  return link;
}

/** Established on both sides, and data goes through both ways. */
function expectWorking(link: Exchange): Exchange {
  const { client, connection } = link;
  expect(link.failure).to.equal(undefined);
  expect(connection.isEstablished && client.isEstablished).to.equal(true);
  expect(connection.version).to.equal('TLSv1.2');
  expect(connection.cipherSuite).to.equal(client.suite?.name);
  client.sendData(ascii('ping'));
  link.run().step(connection.write(ascii('pong')));
  expect(toHex(link.data)).to.equal(toHex(ascii('ping')));
  expect(toHex(client.data)).to.equal(toHex(ascii('pong')));
  return link;
}

const ECDSA = ['ecdsa_secp256r1_sha256', 'ecdsa_secp384r1_sha384', 'ecdsa_secp521r1_sha512'] as const;
/** Types of the extensions in ServerHello. */
const answered = ({ client }: Exchange) => client.serverHello?.extensions.order;
const sentinel = ({ client }: Exchange) => toHex(client.serverHello?.random.subarray(24) ?? new Uint8Array(0));
const DOWNGRADE_TLS12 = '444f574e47524401';

const FULL = [
  'server_hello',
  'certificate',
  'server_key_exchange',
  'server_hello_done',
  'change_cipher_spec',
  'finished',
];

describe('the TLS 1.2 server', () => {
  describe('full handshake', () => {
    const ciphers = [
      'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256',
      'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384',
      'TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256',
      'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256',
      'TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384',
      'TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256',
    ] as const;
    for (const suite of ciphers) {
      for (const ems of [true, false]) {
        it(`${suite} ${ems ? 'with' : 'without'} extended_master_secret`, () => {
          const credentials = suite.includes('_RSA_') ? [quickRsaCredential] : undefined;
          const link = expectWorking(connect({ ciphers: [suite], ems }, credentials && { credentials }));
          expect(link.connection.cipherSuite).to.equal(suite);
          expect(answered(link)?.includes(23)).to.equal(ems);
        });
      }
    }

    for (const group of ['x25519', 'secp256r1', 'secp384r1'] as const) {
      it(`with ${group}`, () => {
        const link = expectWorking(connect({}, { groups: [group] }));
        expect(link.connection.group).to.equal(group);
        expect(link.client.group).to.equal(group);
      });
    }

    const signatures: readonly [CredentialKind, SignatureSchemeName][] = [
      ['ecdsaP256', 'ecdsa_secp256r1_sha256'],
      ['ecdsaP384', 'ecdsa_secp384r1_sha384'],
      ['ecdsaP256', 'ecdsa_secp384r1_sha384'],
      ['ecdsaP256', 'ecdsa_secp521r1_sha512'],
      ['ecdsaP384', 'ecdsa_secp256r1_sha256'],
      ['ecdsaP384', 'ecdsa_secp521r1_sha512'],
      ['ed25519', 'ed25519'],
      ['rsa2048', 'rsa_pss_rsae_sha256'],
      ['rsa2048', 'rsa_pkcs1_sha256'],
      ['rsa2048', 'rsa_pkcs1_sha384'],
      ['rsa2048', 'rsa_pkcs1_sha512'],
    ];
    for (const [kind, scheme] of signatures) {
      it(`${kind} signs with ${scheme}, and OpenSSL verifies it`, async () => {
        const config = testServer({ credentials: [credential(kind)] });
        const client = new ScriptedClient({ version: 'TLSv1.2', signatureAlgorithms: [scheme], verify: true });
        const link = await signed(client, new ServerConnection(config, TOLD));
        expect(link.connection.signatureScheme).to.equal(scheme);
        expect(client.certificates).to.deep.equal(credential(kind).certificateChain);
      });
    }

    it('signs with any hash by the credentials of every provider (RFC 9846 §4.3.3)', async () => {
      const { ecdsaP256, ecdsaP384 } = certificates;
      for (const pem of [ecdsaP256, ecdsaP384]) {
        const made = [credentialFromPem(pem, nodeCrypto), await webCryptoCredential(pem)];
        for (const credentials of made.map((one) => [one])) {
          for (const scheme of ECDSA) {
            const client = new ScriptedClient({ version: 'TLSv1.2', signatureAlgorithms: [scheme], verify: true });
            const link = await signed(client, new ServerConnection(testServer({ credentials }), TOLD));
            expect(link.connection.signatureScheme).to.equal(scheme);
          }
        }
      }
    });

    it('prefers the hash that TLS 1.3 has with the curve, and of several keys one that can use it', () => {
      const [p256, p384] = [credential('ecdsaP256'), credential('ecdsaP384')];
      const chosen = (client: ClientOptions, ...credentials: Credential[]) => {
        const { client: peer, connection } = connect(client, { credentials });
        const shown = toHex(peer.certificates?.[0] ?? EMPTY);
        const at = credentials.findIndex(({ certificateChain: [first = EMPTY] }) => toHex(first) === shown);
        return [at, connection.signatureScheme];
      };
      expect(chosen({}, p384)).to.deep.equal([0, 'ecdsa_secp384r1_sha384']);
      expect(chosen({}, p384, p256)).to.deep.equal([0, 'ecdsa_secp384r1_sha384']);
      const sha256: ClientOptions = { signatureAlgorithms: ['ecdsa_secp256r1_sha256'] };
      expect(chosen(sha256, p384, p256)).to.deep.equal([1, 'ecdsa_secp256r1_sha256']);
      expect(chosen({ ...sha256, groups: ['x25519', 'secp384r1'] }, p256, p384)).to.deep.equal([
        1,
        'ecdsa_secp256r1_sha256',
      ]);
    });

    it('signs with no other hash by a credential that does not say it can, nor on a curve that the client has not', () => {
      const signatureAlgorithms = ['ecdsa_secp384r1_sha384'] as const;
      expect(connect({ signatureAlgorithms }).failure?.alert).to.equal('handshake_failure');
      const credentials = [credential('ecdsaP384')];
      const sha256 = ['ecdsa_secp256r1_sha256'] as const;
      const groups = ['x25519', 'secp256r1'] as const;
      const link = connect({ signatureAlgorithms: sha256, groups }, { credentials });
      expect(link.failure?.alert).to.equal('handshake_failure');
    });

    it('is the flight of Figure 1', () => {
      const { client, events } = connect();
      expect(client.heard).to.deep.equal(FULL);
      expect(events.map(({ type }) => type)).to.deep.equal(['keylog', 'new-session', 'established']);
    });

    it('sends its first flight in one record', () => {
      const { client } = connect();
      expect(client.receivedRecords.map(({ type }) => type)).to.deep.equal([
        ContentType.handshake,
        ContentType.change_cipher_spec,
        ContentType.handshake,
      ]);
    });

    it('takes the server’s first group, suite, and the credential that goes with it', () => {
      const credentials = [quickRsaCredential, credential('ecdsaP256')];
      const { connection } = connect({}, { credentials });
      expect(connection.cipherSuite).to.equal('TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256');
      const other = connect({ signatureAlgorithms: ['rsa_pkcs1_sha256'] }, { credentials });
      expect(other.connection.cipherSuite).to.equal('TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256');
      expect(other.connection.signatureScheme).to.equal('rsa_pkcs1_sha256');
    });

    it('does not use an ECDSA certificate on a curve that the client has not (RFC 8422 §5.1)', () => {
      const credentials = [credential('ecdsaP256'), quickRsaCredential];
      const { connection } = connect({ groups: ['x25519'] }, { credentials });
      expect(connection.signatureScheme).to.equal('rsa_pss_rsae_sha256');
    });

    it('shows the certificate for the server name, though the suites of another key come first (RFC 6066 §3)', () => {
      const credentials = [{ ...quickCredential, names: ['b.example'] }, quickRsaCredential];
      const chosen = (sni: string) => connect({ sni }, { credentials }).connection.signatureScheme;
      expect(chosen('localhost')).to.equal('rsa_pss_rsae_sha256');
      expect(chosen('b.example')).to.equal('ecdsa_secp256r1_sha256');
      expect(chosen('c.example')).to.equal('ecdsa_secp256r1_sha256');
    });

    it('takes secp256r1 where the client names no groups, whatever stands before it (RFC 8422 §4)', () => {
      const all = [undefined, ['secp384r1', 'x25519', 'secp256r1'], ['secp256r1']] as const;
      for (const groups of all) {
        const { connection } = expectWorking(connect({ groups: false }, { groups }));
        expect(connection.group).to.equal('secp256r1');
      }
    });

    it('takes its own first group where the client names none and it has no secp256r1 (RFC 8422 §4)', () => {
      const { secp256r1: _, ...groups } = noble.groups;
      const group = (server: Partial<ServerOptions>) => connect({ groups: false }, server).connection.group;
      expect(group({ groups: ['secp384r1', 'x25519'] })).to.equal('secp384r1');
      expect(group({ crypto: { ...noble, groups } })).to.equal('x25519');
    });

    it('takes the group by the list of the client where there is one', () => {
      expect(expectWorking(connect({ groups: ['secp256r1', 'x25519'] })).connection.group).to.equal('x25519');
    });

    it('takes a hello by supported_versions as by legacy_version (RFC 9846 §4.3.1)', () => {
      const link = connect({ version: 'TLSv1.3', supportedVersions: [0x0303] }, { maxVersion: 'TLSv1.2' });
      expectWorking(link);
    });

    it('takes legacy_version 0x0304 and above for the highest that there is (RFC 5246 App. E.1)', () => {
      expectWorking(connect({ rewriteHello: (hello) => ({ ...hello, legacyVersion: 0x0304 }) }));
    });

    it('takes a ClientHello of unknown things for what it knows of it', () => {
      expectWorking(
        connect({
          ciphers: [0x2a2a, 0xc013, 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256'],
          groups: [0x3a3a, 'x25519', 'secp256r1'],
          rewriteExtensions: (list) => [rawExtension(0x4a4a), ...list, rawExtension(5, 1, 0, 0, 0, 0)],
        }),
      );
    });

    it('ignores compression methods beside null', () => {
      expectWorking(connect({ rewriteHello: (hello) => ({ ...hello, legacyCompressionMethods: [1, 0] }) }));
    });
  });

  describe('downgrade sentinel (RFC 9846 §4.2.3)', () => {
    it('is there where the server has TLS 1.3', () => expect(sentinel(connect())).to.equal(DOWNGRADE_TLS12));
    it('is there on resumption too', () => expect(sentinel(resume())).to.equal(DOWNGRADE_TLS12));
    it('is not there where it has not', () => {
      expect(sentinel(connect({}, { maxVersion: 'TLSv1.2' }))).not.to.equal(DOWNGRADE_TLS12);
    });
    it('is not there in TLS 1.3', () => {
      expect(sentinel(connect({ version: 'TLSv1.3' }))).not.to.equal(DOWNGRADE_TLS12);
    });
  });

  describe('ServerHello', () => {
    it('has a random of its own each time, whatever the client’s, but for the sentinel (RFC 5246 §7.4.1.3)', () => {
      const config = testServer();
      const links = [0, 1].map(() =>
        exchange(new ScriptedClient({ version: 'TLSv1.2' }), new ServerConnection(config)),
      );
      const [theirs = '', same] = links.map(({ client }) => toHex(client.hellos[0]?.random ?? EMPTY).slice(0, 48));
      const [first = '', second = ''] = links.map(({ client }) =>
        toHex(client.serverHello?.random ?? EMPTY).slice(0, 48),
      );
      expect(theirs).to.equal(same);
      expect(new Set([theirs, first, second, '0'.repeat(48)]).size).to.equal(4);
    });

    it('answers what was offered, and in a full handshake the name and the point formats', () => {
      const link = connect({ sni: 'localhost', alpn: ['h2'], recordSizeLimit: 16384 }, { alpn: ['h2'] });
      expect(answered(link)).to.deep.equal([0, 0xff01, 11, 16, 23, 28]);
      expect(link.connection.serverName).to.equal('localhost');
      expect(link.connection.alpnProtocol).to.equal('h2');
    });

    it('answers nothing that was not offered', () => {
      const link = connect({ ems: false, renegotiationInfo: false, ecPointFormats: false }, { alpn: ['h2'] });
      expect(link.client.heard).to.deep.equal(FULL);
      expect(answered(link)).to.equal(undefined);
    });

    it('leaves the block of extensions out for a hello without one (RFC 5246 §7.4.1.4)', () => {
      const bare = { rewriteHello: (hello: ScriptedClient['hellos'][number]) => ({ ...hello, extensions: {} }) };
      const link = resume({ ems: false }, {}, bare);
      expect(link.connection.resumption.resumed).to.equal(true);
      expect(answered(link)).to.equal(undefined);
      expectWorking(link);
    });

    it('has a session id of 32 fresh bytes, or none where nobody could keep the session', () => {
      expect(connect().client.serverHello?.legacySessionIdEcho).to.have.lengthOf(32);
      const { client } = connect({}, { sessions: { cache: false } });
      expect(client.serverHello?.legacySessionIdEcho).to.have.lengthOf(0);
    });

    it('does not echo a session id that it does not know', () => {
      const sessionId = new Uint8Array(32).fill(1);
      const { client } = expectWorking(connect({ sessionId }));
      expect(toHex(client.session.id)).not.to.equal(toHex(sessionId));
    });

    it('answers to secure renegotiation, whichever way it is asked (RFC 5746 §3.6)', () => {
      for (const renegotiationInfo of ['extension', 'scsv'] as const) {
        const link = connect({ renegotiationInfo });
        expect(link.client.serverHello?.extensions).to.have.deep.property('renegotiationInfo', new Uint8Array(0));
      }
      expect(answered(connect({ renegotiationInfo: false }))).not.to.include(0xff01);
    });

    it('has the server’s protocol of ALPN (RFC 7301 §3.2)', () => {
      const { client } = connect({ alpn: ['http/1.1', 'h2'] }, { alpn: ['h2', 'http/1.1'] });
      expect(client.serverHello?.extensions).to.have.deep.property('alpn', ['h2']);
    });

    it('does not promise a ticket', () => {
      const link = connect({ ticketExt: new Uint8Array(0) });
      expect(answered(link)).not.to.include(35);
      expect(link.client.heard).to.deep.equal(FULL);
    });

    it('is given to a client that fell back no further than the server’s highest version (RFC 7507)', () => {
      expectWorking(connect({ fallbackScsv: true }, { maxVersion: 'TLSv1.2' }));
      expect(connect({ fallbackScsv: true, version: 'TLSv1.3' }).connection.isEstablished).to.equal(true);
    });
  });

  describe('abbreviated handshake', () => {
    for (const ems of [true, false]) {
      it(`has the server’s Finished first (Figure 2), ${ems ? 'with' : 'without'} extended_master_secret`, () => {
        const link = resume({ ems });
        expect(link.client.heard).to.deep.equal(['server_hello', 'change_cipher_spec', 'finished']);
        expect(link.client.isResumed).to.equal(true);
        expect(link.connection.resumption).to.deep.include({
          resumed: true,
          mechanism: 'session-id',
          reason: undefined,
        });
        expectWorking(link);
      });
    }

    for (const ciphers of [
      ['TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384'],
      ['TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256'],
    ] as const) {
      it(`under ${ciphers}`, () => void expectWorking(resume({ ciphers })));
    }

    it('echoes the session id', () => {
      const { client } = resume();
      expect(client.serverHello?.legacySessionIdEcho).to.deep.equal(client.options.session?.id);
    });

    it('does not acknowledge the server name (RFC 6066 §3), nor repeat the point formats', () => {
      const link = resume({ sni: 'localhost' });
      expect(link.connection.resumption.resumed).to.equal(true);
      expect(answered(link)).to.deep.equal([0xff01, 23]);
    });

    it('negotiates ALPN anew (RFC 7301 §3.1)', () => {
      const link = resume({ alpn: ['h2'] }, { alpn: ['h2', 'http/1.1'] }, { alpn: ['http/1.1'] });
      expect(link.connection.resumption.resumed).to.equal(true);
      expect(link.client.serverHello?.extensions).to.have.deep.property('alpn', ['http/1.1']);
    });

    it('makes fresh keys from the same master secret', () => {
      const link = resume();
      const { client } = link;
      expect(toHex(client.session.secret)).to.equal(toHex(client.options.session?.secret ?? new Uint8Array(0)));
      expect(client.session.cipherSuite).to.equal(CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256);
    });
  });

  describe('exporters (RFC 5705)', () => {
    for (const ciphers of [
      ['TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256'],
      ['TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384'],
    ] as const) {
      it(`are the same on both sides, ${ciphers}`, () => {
        const { client, connection } = connect({ ciphers });
        for (const [length, label, context] of [
          [32, 'EXPORTER-Channel-Binding', undefined],
          [20, 'EXPERIMENTAL-test', ascii('context')],
          [200, 'EXPERIMENTAL-test', new Uint8Array(0)],
          [32, '', undefined],
          [32, '', new Uint8Array(0)],
          [32, 'x'.repeat(250), undefined],
        ] as const) {
          expect(toHex(connection.exportKeyingMaterial(length, label, context))).to.equal(
            toHex(client.exportKeyingMaterial(length, label, context)),
          );
        }
      });
    }

    it('tell no context from an empty one, also with an empty label', () => {
      const { connection } = connect();
      for (const label of ['EXPERIMENTAL-test', '']) {
        const none = connection.exportKeyingMaterial(32, label);
        const empty = connection.exportKeyingMaterial(32, label, new Uint8Array(0));
        expect(toHex(none)).not.to.equal(toHex(empty));
      }
    });

    it('want a label in ASCII', () => {
      const { connection } = connect();
      for (const label of ['\n', 'é', 'a\x7f'])
        expect(() => connection.exportKeyingMaterial(32, label)).to.throw(RangeError, 'a label of ASCII');
    });

    it('differ between a session and its resumption', () => {
      const config = testServer();
      const first = exchange(new ScriptedClient({ version: 'TLSv1.2' }), new ServerConnection(config));
      const { session } = first.client;
      const second = exchange(new ScriptedClient({ version: 'TLSv1.2', session }), new ServerConnection(config));
      const [a, b] = [first, second].map(({ connection }) => toHex(connection.exportKeyingMaterial(32, 'a')));
      expect(a).not.to.equal(b);
    });
  });

  describe('key log', () => {
    it('has one line, on resumption too', () => {
      const options = { keylog: () => {} };
      for (const link of [connect({}, options), resume({}, options)]) {
        const { client } = link;
        const lines = link.events.flatMap((event) => (event.type === 'keylog' ? [event.line] : []));
        const secret = client.secrets.get('CLIENT_RANDOM') ?? new Uint8Array(0);
        expect(lines).to.deep.equal([`CLIENT_RANDOM ${toHex(client.clientRandom)} ${toHex(secret)}`]);
      }
    });
  });

  describe('renegotiation (RFC 5746 §5)', () => {
    it('is refused by a warning, and the connection goes on', () => {
      const link = connect();
      link.client.sendMessage(rawMessage('client_hello', ...new Array<number>(50).fill(0)));
      link.run();
      const { warning: level } = AlertLevel;
      expect(link.client.alert).to.deep.include({ level, description: 100, name: 'no_renegotiation', protected: true });
      expectWorking(link);
    });

    it('is refused twice where it is asked twice in one record', () => {
      const link = connect();
      const hello = rawMessage('client_hello', ...new Array<number>(50).fill(0));
      link.client.sendRecord(ContentType.handshake, Uint8Array.of(...hello, ...hello));
      link.run();
      expect(link.client.alerts.map(({ name }) => name)).to.deep.equal(['no_renegotiation', 'no_renegotiation']);
      expectWorking(link);
    });
  });

  describe('the end (RFC 5246 §7.2.1)', () => {
    it('is heard behind a request, which can still be answered', () => {
      const link = connect();
      link.client.sendData(ascii('request'));
      link.client.close();
      link.run();
      expect(link.events.map(({ type }) => type).filter((type) => type === 'data' || type === 'end')).to.deep.equal([
        'data',
        'end',
      ]);
      link.step(link.connection.write(ascii('answer')));
      expect(toHex(link.client.data)).to.equal(toHex(ascii('answer')));
      link.step(link.connection.end());
      expect(link.client.alert).to.deep.include({ level: 1, name: 'close_notify', protected: true });
      expect(link.failure).to.equal(undefined);
      expect(() => link.connection.write(Uint8Array.of(1))).to.throw('write()');
      expect(link.connection.end().output).to.have.lengthOf(0);
    });

    it('of our direction leaves the client’s open until it answers', () => {
      const link = connect();
      link.step(link.connection.end());
      link.client.sendData(ascii('one more'));
      link.client.close();
      link.run();
      expect(toHex(link.data)).to.equal(toHex(ascii('one more')));
      expect(link.client.alerts).to.have.lengthOf(1);
      expect(link.events.at(-1)).to.deep.equal({ type: 'end' });
    });

    it('keeps the session where both have said so', () => {
      const config = testServer();
      const link = exchange(new ScriptedClient({ version: 'TLSv1.2' }), new ServerConnection(config));
      link.client.close();
      link.run();
      link.step(link.connection.end());
      link.connection.dispose();
      const { session } = link.client;
      const again = exchange(new ScriptedClient({ version: 'TLSv1.2', session }), new ServerConnection(config));
      expect(again.connection.resumption.resumed).to.equal(true);
    });
  });

  it('carries 100 kB both ways, in records of 2^14 bytes', () => {
    const link = connect();
    const data = Uint8Array.from({ length: 100_000 }, (_, i) => i & 0xff);
    link.client.sendData(data);
    link.run().step(link.connection.write(data));
    expect(toHex(link.data)).to.equal(toHex(data));
    expect(toHex(link.client.data)).to.equal(toHex(data));
    const sizes = link.client.receivedRecords.filter(({ type }) => type === 23).map(({ content }) => content.length);
    expect(Math.max(...sizes)).to.equal(16384);
  });
});
