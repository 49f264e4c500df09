/** Certificates of clients: when they are asked for, what proves them, who judges them, and what a session remembers of them. */

import { generateKeyPairSync, sign } from 'node:crypto';
import { expect } from 'chai';
import fc from 'fast-check';
import { SessionCache } from '../../../src/cache/session-cache.ts';
import { Oid } from '../../../src/crypto/credentials/certificate.ts';
import { type CryptoProvider, InvalidPublicKey, type Verify } from '../../../src/crypto/provider.ts';
import { webCrypto } from '../../../src/crypto/providers/web-crypto.ts';
import type { ServerConfig } from '../../../src/engine/server/config.ts';
import type { ClientAuthOptions, ServerOptions } from '../../../src/engine/server/options.ts';
import { ServerConnection } from '../../../src/engine/server/server-connection.ts';
import type {
  CertificateRequest,
  CertificateRequestTls12,
} from '../../../src/handshake/messages/certificate-request.ts';
import { nodeCrypto } from '../../../src/node/index.ts';
import { ownCertificate, Session } from '../../../src/sessions/session.ts';
import { TlsAlert } from '../../../src/wire/alert.ts';
import { concat, toHex } from '../../../src/wire/bytes.ts';
import { bitString, boolean, octetString, oid, sequence, Tag, tlv } from '../../../src/wire/der.ts';
import {
  AlertDescription,
  SignatureScheme,
  type SignatureSchemeName,
  type Version,
} from '../../../src/wire/registry.ts';
import { certificates, rootCertificate } from '../../fixtures.ts';
import {
  type ClientCertificateKind,
  certificateFor,
  certificateUntil,
  clientCertificate,
} from '../../support/client-certificates.ts';
import { unhandledIn } from '../../support/rejections.ts';
import { runs } from '../../support/runs.ts';
import {
  type ClientOptions,
  type Exchange,
  exchange,
  exchangeAsync,
  ScriptedClient,
} from '../../support/scripted-client.ts';
import { testServer, toyCrypto } from '../../support/servers.ts';
import { withSubtle } from '../../support/web-crypto.ts';
import { NEW_YEAR, TestWorld } from '../../support/world.ts';

type Verifier = NonNullable<CryptoProvider['verifier']>;

const VERSIONS: readonly Version[] = ['TLSv1.2', 'TLSv1.3'];
const ID_CONTEXT = Uint8Array.of(1);
const NO_TICKETS: ClientOptions = {};
const accept = () => true;

/** A server that asks, and hands out sessions. */
function server(clientAuth: Partial<ClientAuthOptions> = {}, options: Partial<ServerOptions> = {}): ServerConfig {
  return testServer({
    crypto: toyCrypto,
    ...options,
    sessions: { idContext: ID_CONTEXT, ...options.sessions },
    clientAuth: { mode: 'require', verifyClient: accept, ...clientAuth },
  });
}

const client = (options: ClientOptions) => new ScriptedClient({ crypto: toyCrypto, sni: 'localhost', ...options });

/** Shows the P-256 certificate, unless told otherwise. */
function connect(config: ServerConfig, options: ClientOptions = {}): Exchange {
  return exchange(client({ certificate: clientCertificate('ecdsaP256'), ...options }), new ServerConnection(config));
}

const leafOf = (kind: ClientCertificateKind) => clientCertificate(kind).chain[0];

function expectAccepted({ failure, connection }: Exchange, kind: ClientCertificateKind = 'ecdsaP256'): void {
  expect(failure).to.equal(undefined);
  expect(connection.isEstablished).to.equal(true);
  expect(connection.peerCertificate).to.deep.equal(leafOf(kind));
}

function expectRefused({ failure, connection, client: peer }: Exchange, alert: string): void {
  expect(failure?.alert).to.equal(alert);
  expect(connection.isEstablished).to.equal(false);
  expect(peer.alert?.name).to.equal(alert);
  expect(connection.peerCertificate).to.equal(undefined);
  expect(connection.peerCertificateChain).to.equal(undefined);
}

const both = (title: string, body: (version: Version) => void | Promise<void>): void => {
  for (const version of VERSIONS) it(`${title} (${version})`, () => body(version));
};

const P256: readonly SignatureSchemeName[] = ['ecdsa_secp256r1_sha256'];
const P384: readonly SignatureSchemeName[] = ['ecdsa_secp384r1_sha384'];
const ECDSA = [...P256, ...P384];
const PSS: readonly SignatureSchemeName[] = ['rsa_pss_rsae_sha256', 'rsa_pss_rsae_sha384', 'rsa_pss_rsae_sha512'];
const PKCS1: readonly SignatureSchemeName[] = ['rsa_pkcs1_sha256', 'rsa_pkcs1_sha384', 'rsa_pkcs1_sha512'];

/** The schemes that a server verifies: there are no keys of P-521. */
const VERIFIABLE = [...ECDSA, 'ed25519' as const, ...PSS, ...PKCS1].map((scheme) => SignatureScheme[scheme]);

/** What each key may sign with. */
const SCHEMES: Readonly<Record<Version, Readonly<Record<ClientCertificateKind, readonly SignatureSchemeName[]>>>> = {
  'TLSv1.3': { ecdsaP256: P256, ecdsaP384: P384, ed25519: ['ed25519'], rsa2048: PSS, chain: P256 },
  'TLSv1.2': { ecdsaP256: ECDSA, ecdsaP384: ECDSA, ed25519: ['ed25519'], rsa2048: [...PSS, ...PKCS1], chain: ECDSA },
};

describe('certificates of clients', () => {
  describe('are asked for', () => {
    it('after EncryptedExtensions, RFC 9846 §4.4.2', () => {
      const { client: peer } = connect(server());
      const heard = peer.heard.filter((name) => name !== 'change_cipher_spec');
      expect(heard.slice(0, 6)).to.deep.equal([
        'server_hello',
        'encrypted_extensions',
        'certificate_request',
        'certificate',
        'certificate_verify',
        'finished',
      ]);
      const { certificateRequestContext, extensions } = peer.certificateRequest as CertificateRequest;
      expect(certificateRequestContext).to.have.length(0);
      expect(extensions.signatureAlgorithms).to.have.members(VERIFIABLE);
      expect(extensions.certificateAuthorities).to.equal(undefined);
    });

    it('before ServerHelloDone, RFC 5246 §7.4.4', () => {
      const { client: peer } = connect(server(), { version: 'TLSv1.2' });
      expect(peer.heard.slice(0, 5)).to.deep.equal([
        'server_hello',
        'certificate',
        'server_key_exchange',
        'certificate_request',
        'server_hello_done',
      ]);
      const request = peer.certificateRequest as CertificateRequestTls12;
      expect(request.certificateTypes).to.have.members([1, 64]);
      expect(request.supportedSignatureAlgorithms).to.have.members(VERIFIABLE);
      expect(request.certificateAuthorities).to.deep.equal([]);
    });

    both('with the names of the authorities', (version) => {
      const config = server({ authorities: [rootCertificate, certificates.aExample.cert] });
      const request = connect(config, { version }).client.certificateRequest;
      const names =
        request !== undefined && 'extensions' in request
          ? request.extensions.certificateAuthorities
          : request?.certificateAuthorities;
      const dn = (name: string) => [0x30, name.length + 11, 0x31, name.length + 9, 0x30, name.length + 7];
      expect(names?.map((name) => [...name.subarray(0, 6)])).to.deep.equal([
        dn('tls-resume test root'),
        dn('a.example'),
      ]);
      expect(config.clientAuth?.authorities).to.deep.equal(names);
      expect(config.clientAuth?.anchors).to.have.length(2);
    });

    both('of nobody, unless it is wanted', (version) => {
      const { client: peer, connection } = connect(testServer({ crypto: toyCrypto }), { version });
      expect(peer.certificateRequest).to.equal(undefined);
      expect(connection.isEstablished).to.equal(true);
      expect(connection.peerCertificate).to.equal(undefined);
    });

    both('where the virtual host wants it, and it judges', (version) => {
      const judged: string[] = [];
      const host = server({ verifyClient: (_, { serverName }) => judged.push(String(serverName)) > 0 });
      const config = testServer({
        crypto: toyCrypto,
        onServerName: (name) => (name === 'a.example' ? host : undefined),
      });
      expectAccepted(connect(config, { version, sni: 'a.example' }));
      expect(connect(config, { version, sni: 'b.example' }).client.certificateRequest).to.equal(undefined);
      expect(judged).to.deep.equal(['a.example']);
    });

    it('after a HelloRetryRequest', () => {
      const link = connect(server(), { keyShares: [] });
      expect(link.client.helloRetryRequest).to.not.equal(undefined);
      expectAccepted(link);
    });
  });

  for (const version of VERSIONS) {
    describe(`are proved in ${version}`, () => {
      for (const [kind, schemes] of Object.entries(SCHEMES[version]) as [
        ClientCertificateKind,
        SignatureSchemeName[],
      ][]) {
        for (const scheme of schemes) {
          it(`by ${kind} with ${scheme}`, async () => {
            const shown = clientCertificate(kind, scheme);
            const peer = client({ version, certificate: shown });
            const chains: (readonly Uint8Array[])[] = [];
            const config = server({ verifyClient: (chain) => chains.push(chain) > 0 });
            const link = await exchangeAsync(peer, new ServerConnection(config));
            expectAccepted(link, kind);
            expect(chains).to.deep.equal([shown.chain]);
            expect(link.connection.peerCertificateChain).to.deep.equal(shown.chain);
          });
        }

        it(`not by ${kind} with anything else`, () => {
          const others = Object.keys(SignatureScheme).filter((name) => !schemes.includes(name as SignatureSchemeName));
          for (const other of others as SignatureSchemeName[]) {
            const shown = { ...clientCertificate(kind), scheme: other };
            expectRefused(connect(server(), { version, certificate: shown }), 'illegal_parameter');
          }
        });

        it(`not by ${kind} with a signature of something else`, async () => {
          const shown = clientCertificate(kind);
          const sign = (content: Uint8Array) => shown.sign(content.map((byte, i) => (i === 70 ? byte ^ 1 : byte)));
          const peer = client({ version, certificate: { ...shown, sign } });
          expectRefused(await exchangeAsync(peer, new ServerConnection(server())), 'decrypt_error');
        });
      }

      it('not by what only looks like a signature', async () => {
        for (const kind of ['ecdsaP256', 'ecdsaP384', 'ed25519', 'rsa2048'] as const) {
          for (const length of [0, 1, 64, 70, 256]) {
            const shown = { ...clientCertificate(kind), sign: () => new Uint8Array(length).fill(0x30) };
            const link = await exchangeAsync(client({ version, certificate: shown }), new ServerConnection(server()));
            expectRefused(link, 'decrypt_error');
          }
        }
      });

      it('with internal_error where the host fails, and not the certificate', async () => {
        const shown = clientCertificate('rsa2048');
        const alertFor = async (fault: unknown) => {
          const peer = client({ version, certificate: shown });
          const connection = new ServerConnection(server({}, { crypto: { ...toyCrypto, verifier: undefined } }));
          const link = await withSubtle({ importKey: () => Promise.reject(fault) }, () =>
            exchangeAsync(peer, connection),
          );
          return link.failure?.alert;
        };
        expect(await alertFor(new DOMException('no key', 'DataError'))).to.equal('bad_certificate');
        expect(await alertFor(new DOMException('no RSA', 'NotSupportedError'))).to.equal('internal_error');
        expect(await alertFor(new RangeError('Maximum call stack size exceeded'))).to.equal('internal_error');
      });

      for (const [name, verifier] of [
        ['nodeCrypto', nodeCrypto.verifier],
        ['webCrypto', webCrypto.verifier],
      ] as const) {
        it(`by the verifier of ${name}, or not: decrypt_error`, async () => {
          for (const [kind, schemes] of Object.entries(SCHEMES[version]) as [ClientCertificateKind, typeof P256][]) {
            for (const scheme of schemes) {
              const shown = clientCertificate(kind, scheme);
              const visit = (certificate: typeof shown) =>
                exchangeAsync(
                  client({ version, certificate }),
                  new ServerConnection(server({}, { crypto: { ...toyCrypto, verifier: verifier as Verifier } })),
                );
              expectAccepted(await visit(shown), kind);
              const sign = (content: Uint8Array) => shown.sign(content.subarray(1));
              expectRefused(await visit({ ...shown, sign }), 'decrypt_error');
            }
          }
        });
      }

      it('by a verifier of the user’s, at once or later', async () => {
        for (const isAsync of [false, true]) {
          const later = <T>(value: T) => (isAsync ? Promise.resolve(value) : value);
          const asked: unknown[] = [];
          const crypto: CryptoProvider = {
            ...toyCrypto,
            verifier: ({ kind }) => {
              asked.push(kind);
              return later<Verify>((scheme) => {
                asked.push(scheme);
                return later(true);
              });
            },
          };
          const shown = { ...clientCertificate('ecdsaP256'), sign: () => new Uint8Array(70) };
          const link = connect(server({}, { crypto }), { version, certificate: shown });
          expect(link.question?.kind).to.equal(isAsync ? 'verification' : undefined);
          expect(link.question?.budgeted).to.equal(isAsync ? false : undefined);
          expectAccepted(await link.runAsync());
          expect(asked).to.deep.equal(['secp256r1', 'ecdsa_secp256r1_sha256']);
        }
      });

      it('not by a verifier that fails: internal_error, and an event; the key it does not accept is bad_certificate', async () => {
        const fault = new Error('broken');
        const faults: Readonly<Record<string, Verifier>> = {
          throws: () => raise(fault),
          rejects: () => Promise.reject(fault),
          'gives what is no function': () => 7 as never,
          'gives what throws': () => () => raise(fault),
          'gives what rejects': () => () => Promise.reject(fault),
          'gives what answers 1': () => () => 1 as never,
          'gives what answers nothing': () => () => undefined as never,
          'gives what answers later with a string': () => () => Promise.resolve('true' as never),
        };
        for (const [what, verifier] of Object.entries(faults)) {
          const link = await connect(server({}, { crypto: { ...toyCrypto, verifier } }), { version }).runAsync();
          expectRefused(link, 'internal_error');
          const told = link.events.filter((event) => event.type === 'callback-error');
          expect(told, what).to.have.length(1);
          expect(told[0], what).to.have.property('callback', 'verify');
        }
        const verifier = () => () => raise(new InvalidPublicKey('weak'));
        const link = connect(server({}, { crypto: { ...toyCrypto, verifier } }), { version });
        expectRefused(link, 'bad_certificate');
        expect(link.has('callback-error')).to.equal(false);
      });

      it('by a verifier that answers once the connection has gone: neither heard nor unhandled', async () => {
        for (const fault of [undefined, new Error('broken')]) {
          const answers: (() => void)[] = [];
          const verifier = () => () =>
            new Promise<boolean>((resolve, reject) => {
              answers.push(() => (fault === undefined ? resolve(true) : reject(fault)));
            });
          const link = connect(server({}, { crypto: { ...toyCrypto, verifier } }), { version });
          const { question } = link;
          link.step(link.connection.dispose());
          const unhandled = await unhandledIn(async () => {
            for (const answer of answers) answer();
            const outcome = await Promise.resolve(question?.promise).then(
              (value) => ({ value }),
              (error: unknown) => ({ error }),
            );
            link.step(link.connection.answer(question as never, outcome));
          });
          expect(unhandled).to.deep.equal([]);
          expect(answers).to.have.length(1);
          expect(link.connection.isEstablished).to.equal(false);
        }
      });

      it('before anybody is asked what to make of them', () => {
        const verifyClient = () => expect.fail('asked');
        const shown = { ...clientCertificate('ecdsaP256'), sign: () => new Uint8Array(70) };
        expectRefused(connect(server({ verifyClient }), { version, certificate: shown }), 'decrypt_error');
      });
    });

    describe(`may sign in ${version}`, () => {
      const digitalSignature = bitString(Uint8Array.of(0x80), 7);
      const extension = (value: Uint8Array, ...critical: Uint8Array[]) =>
        sequence(oid(Oid.keyUsage), ...critical, octetString(value));
      const other = sequence(oid(Oid.basicConstraints), octetString(sequence()));
      const uuid = sequence(tlv(Tag.oid, new Uint8Array(20).fill(0xff).fill(1, 19)), octetString(sequence())); // RFC 4122, 2.25
      const usages: readonly [string, readonly Uint8Array[], string | undefined][] = [
        ['without extensions', [], undefined],
        ['without KeyUsage', [other], undefined],
        ['with digitalSignature', [extension(digitalSignature)], undefined],
        ['with digitalSignature, critical', [other, extension(digitalSignature, boolean(true))], undefined],
        ['with all bits', [extension(bitString(Uint8Array.of(0xff, 0x80), 7))], undefined],
        ['with zeros at the end', [extension(bitString(Uint8Array.of(0x80, 0)))], undefined],
        ['after an extension of somebody’s own', [uuid, extension(digitalSignature)], undefined],
        ['with keyCertSign and cRLSign', [extension(bitString(Uint8Array.of(0x06), 1))], 'unsupported_certificate'],
        ['the same, critical', [extension(bitString(Uint8Array.of(6), 1), boolean(true))], 'unsupported_certificate'],
        ['with keyEncipherment', [other, extension(bitString(Uint8Array.of(0x20), 5))], 'unsupported_certificate'],
        ['with all bits but that', [extension(bitString(Uint8Array.of(0x7f, 0x80), 7))], 'unsupported_certificate'],
        ['with no bit', [uuid, extension(bitString(new Uint8Array(0)))], 'unsupported_certificate'],
        ['with a KeyUsage of another type', [extension(octetString(Uint8Array.of(0x80)))], 'bad_certificate'],
        ['with an empty one', [extension(new Uint8Array(0))], 'bad_certificate'],
        ['with one that breaks off', [extension(Uint8Array.of(3, 3, 7, 0x80))], 'bad_certificate'],
        ['with bytes after it', [extension(concat(digitalSignature, Uint8Array.of(0)))], 'bad_certificate'],
        ['with unused bits that are set', [extension(bitString(Uint8Array.of(0x81), 7))], 'bad_certificate'],
        ['with nine unused bits', [extension(bitString(Uint8Array.of(0x80), 9))], 'bad_certificate'],
        ['with unused bits of nothing', [extension(bitString(new Uint8Array(0), 7))], 'bad_certificate'],
        ['with two', [extension(digitalSignature), extension(digitalSignature)], 'bad_certificate'],
      ];
      for (const [what, extensions, alert] of usages) {
        it(`${what}: ${alert ?? 'yes'}`, async () => {
          const { publicKey, privateKey } = generateKeyPairSync('ed25519');
          const spki = publicKey.export({ format: 'der', type: 'spki' });
          const leaf = certificateFor(spki, 'somebody', { extensions });
          const authority = certificateFor(spki, 'somebody', {
            extensions: [extension(bitString(Uint8Array.of(0x06), 1))],
          });
          const scheme = 'ed25519';
          const certificate = {
            chain: [leaf, authority],
            scheme,
            sign: (content: Uint8Array) => sign(null, content, privateKey),
          } as const;
          let asked = 0;
          const link = connect(server({ verifyClient: () => ++asked > 0 }), { version, certificate });
          if (alert === undefined) expect(link.failure).to.equal(undefined);
          else expectRefused(link, alert);
          expect(link.connection.isEstablished).to.equal(alert === undefined);
          expect(asked).to.equal(alert === undefined ? 1 : 0);
        });
      }
    });

    describe(`are judged in ${version}`, () => {
      it('by a callback that knows whose connection it is', () => {
        const seen: unknown[] = [];
        const verifyClient = (chain: readonly Uint8Array[], info: unknown) => seen.push([...chain], info) > 0;
        expectAccepted(connect(server({ verifyClient }), { version }));
        expect(seen).to.deep.equal([[leafOf('ecdsaP256')], { serverName: 'localhost', version }]);
      });

      it('in their own time', async () => {
        const config = server({ verifyClient: () => Promise.resolve(true) });
        const link = connect(config, { version });
        expect(link.question?.kind).to.equal('client-certificate');
        expect(link.question?.budgeted).to.equal(false);
        expect(link.connection.isEstablished).to.equal(false);
        expectAccepted(await link.runAsync());
      });

      const refusals: readonly [string, () => unknown][] = [
        ['false', () => false],
        ['a promise of false', () => Promise.resolve(false)],
        ['nothing', () => undefined],
        ['what is only like true', () => 1],
      ];
      for (const [what, answer] of refusals) {
        it(`and refused by ${what}: certificate_unknown`, async () => {
          const verifyClient = answer as () => boolean;
          const link = await connect(server({ verifyClient }), { version }).runAsync();
          expectRefused(link, 'certificate_unknown');
          expect(link.has('callback-error')).to.equal(false);
        });
      }

      const mishaps: readonly [string, () => Promise<boolean> | boolean][] = [
        ['throws', () => raise(new Error('broken'))],
        ['rejects', () => Promise.reject(new Error('broken'))],
      ];
      for (const [what, verifyClient] of mishaps) {
        it(`by one that ${what}: internal_error, and an event`, async () => {
          const link = await connect(server({ verifyClient }), { version }).runAsync();
          expectRefused(link, 'internal_error');
          const told = link.events.find((event) => event.type === 'callback-error');
          expect(told).to.deep.include({ callback: 'verifyClient' });
          expect(told).to.have.property('error').that.is.an('error').with.property('message', 'broken');
        });
      }

      it('by one that is given no more time: internal_error, and an event', () => {
        const link = connect(server({ verifyClient: () => new Promise(() => {}) }), { version });
        expectRefused(link.answer({ late: true }), 'internal_error');
        expect(link.events.find((event) => event.type === 'callback-error')).to.deep.include({
          callback: 'verifyClient',
        });
      });

      it('by one that names the alert', async () => {
        const revoked = new TlsAlert('certificate_revoked', 'on the list');
        for (const verifyClient of [() => raise(revoked), () => Promise.reject(revoked)]) {
          const link = await connect(server({ verifyClient }), { version }).runAsync();
          expectRefused(link, 'certificate_revoked');
          expect(link.has('callback-error')).to.equal(false);
        }
      });

      it('by one that passes on an alert of another connection, with internal_error', () => {
        const received = new TlsAlert('certificate_revoked', 'on the list', 'remote');
        const link = connect(server({ verifyClient: () => raise(received) }), { version });
        expectRefused(link, 'internal_error');
        expect(link.has('callback-error')).to.equal(true);
      });

      it('by one that disposes of the connection meanwhile', () => {
        let connection: ServerConnection | undefined;
        const config = server({
          verifyClient: () => {
            connection?.dispose();
            return true;
          },
        });
        connection = new ServerConnection(config);
        const peer = client({ version, certificate: clientCertificate('ecdsaP256') });
        const link = exchange(peer, connection);
        expect(link.connection.isEstablished).to.equal(false);
        expect(link.failure).to.equal(undefined);
      });
    });

    describe(`are missing in ${version}`, () => {
      it('and must not be', () => {
        const alert = version === 'TLSv1.3' ? 'certificate_required' : 'handshake_failure';
        expectRefused(connect(server(), { version, certificate: undefined }), alert);
      });

      it('and may be: nobody is asked', () => {
        const config = server({ mode: 'request', verifyClient: () => expect.fail('asked') });
        const { connection, failure, client: peer } = connect(config, { version, certificate: undefined });
        expect(failure).to.equal(undefined);
        expect(connection.isEstablished).to.equal(true);
        expect(peer.sent.map(({ name }) => name))
          .to.include('certificate')
          .and.not.include('certificate_verify');
        expect(connection.peerCertificate).to.equal(undefined);
        expect(connection.session?.peerCertificate).to.equal(undefined);
      });

      it('and may be, but where there is one it is judged', () => {
        expectAccepted(connect(server({ mode: 'request' }), { version }));
        const verifyClient = () => false;
        expectRefused(connect(server({ mode: 'request', verifyClient }), { version }), 'certificate_unknown');
      });
    });
  }

  interface Way {
    readonly name: string;
    readonly version: Version;
    readonly mode: 'stateful' | 'stateless';
    readonly mechanism: string;
  }
  const WAYS: readonly Way[] = [
    { name: 'session id', version: 'TLSv1.2', mode: 'stateful', mechanism: 'session-id' },
    { name: 'ticket of TLS 1.2', version: 'TLSv1.2', mode: 'stateless', mechanism: 'ticket' },
    { name: 'stateful ticket', version: 'TLSv1.3', mode: 'stateful', mechanism: 'psk-stateful' },
    { name: 'stateless ticket', version: 'TLSv1.3', mode: 'stateless', mechanism: 'psk-stateless' },
  ];
  const first = ({ version, mode }: Way): ClientOptions => ({
    version,
    ...(version === 'TLSv1.2' && mode === 'stateless' ? { ticketExt: new Uint8Array(0) } : NO_TICKETS),
  });
  const again = ({ client: before }: Exchange): ClientOptions =>
    before.version === 'TLSv1.2'
      ? { version: 'TLSv1.2', session: before.session }
      : { version: 'TLSv1.3', psks: before.tickets.slice(-1) };

  for (const way of WAYS) {
    describe(`are kept in the session: ${way.name}`, () => {
      const tickets = { mode: way.mode } as const;

      it('and shown again when it is resumed, from one resumption to the next', () => {
        let judged = 0;
        const config = server({ verifyClient: () => ++judged > 0 }, { tickets });
        let link = connect(config, first(way));
        expectAccepted(link);
        for (let i = 0; i < 3; i++) {
          link = connect(config, { ...again(link), certificate: clientCertificate('ed25519') });
          expectAccepted(link);
          expect(link.connection.resumption).to.deep.include({ resumed: true, mechanism: way.mechanism });
          expect(link.connection.peerCertificateChain).to.equal(undefined);
          expect(link.client.certificateRequest).to.equal(undefined);
          expect(link.connection.session?.peerCertificate).to.deep.equal(leafOf('ecdsaP256'));
        }
        expect(judged).to.equal(1);
      });

      it('once for all sessions of the connection, and nobody outside can change that copy', () => {
        const told: Session[] = [];
        const onNew = (session: Session) => told.push(session) > 0; // keeps them
        const seen: Uint8Array[] = [];
        const verifyClient = (chain: readonly Uint8Array[]) => seen.push(...chain) > 0;
        const config = server({ verifyClient }, { tickets, sessions: { onNew } });
        const link = connect(config, first(way));
        const [one] = told.map(ownCertificate);
        for (const session of told) expect(ownCertificate(session)).to.equal(one);
        for (const shown of [...seen, link.connection.peerCertificate, ...(link.connection.peerCertificateChain ?? [])])
          shown?.fill(0);
        expectAccepted(link);
        const next = connect(config, again(link));
        next.connection.peerCertificate?.fill(0);
        expectAccepted(next);
        expect(next.connection.session && ownCertificate(next.connection.session)).to.equal(
          next.connection.resumption.session && ownCertificate(next.connection.resumption.session),
        );
      });

      it('as OpenSSL keeps them, field [3], verify_result 0', () => {
        const { session } = connect(server({}, { tickets }), first(way)).connection;
        const again = Session.fromDer((session as Session).toDer());
        expect(again.peerCertificate).to.deep.equal(leafOf('ecdsaP256'));
        expect(again.foreign.verifyResult).to.equal(0);
      });

      it('but not before the Finished of the client has proved that it has the session', () => {
        const config = server({}, { tickets });
        const options = { ...again(connect(config, first(way))), stopBefore: 'finished' } as const;
        const link = connect(config, options);
        expect(link.connection.peerCertificate).to.equal(undefined);
        link.client.proceed();
        expectAccepted(link.run());
        expect(link.connection.peerCertificate).to.deep.equal(leafOf('ecdsaP256'));
      });

      /** A server in a world of its own, and a certificate that expires there in half an hour. */
      const withEnd = (options: Partial<ServerOptions> = {}) => {
        const world = new TestWorld(3);
        const seen: number[] = [];
        const verifyClient = () => seen.push(world.time) > 0;
        const config = server({ verifyClient }, { world, tickets, ...options });
        return { world, seen, config, certificate: certificateUntil(NEW_YEAR + 1_800_000) };
      };
      const lifetimeOf = ({ client: peer }: Exchange) =>
        peer.tickets.at(-1)?.lifetime ?? peer.ticketTls12?.ticketLifetimeHint;

      it('which ends with the certificate: to its last second, and not after it', () => {
        const { world, seen, config, certificate } = withEnd();
        const link = connect(config, { ...first(way), certificate });
        const second = connect(config, { ...again(link), certificate });
        expect(second.connection.resumption.resumed).to.equal(true);
        world.advance(1800);
        expect(connect(config, { ...again(link), certificate }).connection.resumption.resumed).to.equal(true);
        world.advance(1);
        const late = connect(config, { ...again(link), certificate });
        expect(late.connection.resumption).to.deep.include({ resumed: false, reason: 'expired' });
        expect(seen).to.have.length(2);
        const { reason } = connect(config, { ...again(second), certificate }).connection.resumption;
        const isGone = way.mechanism === 'session-id'; // it is the one that has just been removed
        expect(reason, 'from one resumption to the next').to.equal(isGone ? 'unknown' : 'expired');
      });

      it('whose tickets say so', () => {
        const { world, config, certificate } = withEnd();
        const link = connect(config, { ...first(way), certificate });
        const stated = way.name === 'session id' ? undefined : 1800;
        expect(lifetimeOf(link)).to.equal(stated);
        world.advance(800);
        if (way.version === 'TLSv1.3') expect(lifetimeOf(connect(config, again(link)))).to.equal(1000);
        const longer = { ...first(way), certificate: certificateUntil(NEW_YEAR + 10 ** 10) };
        expect(lifetimeOf(connect(config, longer))).to.equal(stated && 7200);
      });

      it('which in its last second is in no ticket of TLS 1.3, as a client discards one that lives for no second', () => {
        const { world, config, certificate } = withEnd();
        world.advance(1799);
        const lifetime = way.name === 'session id' ? undefined : 1;
        expect(lifetimeOf(connect(config, { ...first(way), certificate }))).to.equal(lifetime);
        world.advance(1);
        const link = connect(config, { ...first(way), certificate });
        expect(lifetimeOf(link)).to.equal(way.version === 'TLSv1.3' ? undefined : lifetime);
        const told = link.events.flatMap((event) => (event.type === 'no-ticket' ? [event.reason] : []));
        expect(told).to.deep.equal(way.version === 'TLSv1.3' ? ['expired', 'expired'] : []);
      });

      it('and none is handed out whose certificate has expired, though it was accepted', () => {
        const { world, config, certificate } = withEnd();
        world.advance(1801);
        const link = connect(config, { ...first(way), certificate });
        expect(link.connection.isEstablished).to.equal(true);
        expect(link.client.tickets).to.have.length(0);
        expect(config.statistics().number).to.equal(0);
        const reasons = new Set(link.events.map((event) => (event.type === 'no-ticket' ? event.reason : undefined)));
        expect([...reasons])
          .to.include('expired')
          .and.have.length(2);
        if (way.version === 'TLSv1.2')
          expect(connect(config, { ...again(link), certificate }).connection.resumption.resumed).to.equal(false);
      });

      it('which one without does not stand in for: scope', () => {
        const shared = server({ mode: 'request' }, { tickets });
        const link = connect(shared, { ...first(way), certificate: undefined });
        expect(connect(shared, again(link)).connection.resumption.resumed).to.equal(true);
        const { keys } = shared.ticketPolicy;
        const strict = server(
          {},
          {
            tickets: way.mode === 'stateless' ? { mode: way.mode, keys } : tickets,
            sessions: { cache: shared.store.cache },
            world: new TestWorld(5), // or it would give out the same ids
          },
        );
        const second = connect(strict, again(link));
        expectAccepted(second);
        expect(second.connection.resumption).to.deep.include({ resumed: false, reason: 'scope' });
        expectRefused(
          connect(strict, { ...again(link), certificate: undefined }),
          way.version === 'TLSv1.3' ? 'certificate_required' : 'handshake_failure',
        );
      });

      it('and not handed out without a session id context', () => {
        const told: Session[] = [];
        const onNew = (session: Session) => void told.push(session);
        const sessions = { idContext: new Uint8Array(0), onNew };
        for (const timing of ['after-finished', 'half-rtt', 'with-first-write', 'manual'] as const) {
          const link = connect(server({}, { tickets: { ...tickets, timing }, sessions }), first(way));
          expectAccepted(link);
          if (way.version === 'TLSv1.3') expect(() => link.connection.sendTicket()).to.throw('sendTicket()');
          link.step(link.connection.write(Uint8Array.of(1)));
          expect(link.client.tickets).to.deep.equal([]);
          if (way.version === 'TLSv1.2')
            expect(link.client.session).to.deep.include({ id: new Uint8Array(0), ticket: undefined });
          expect(link.connection.session?.isResumable).to.equal(false);
        }
        expect(told).to.deep.equal([]);
      });

      it('where there is no session id context, an older session leads to a full handshake: session-id-context', () => {
        const before = testServer({ crypto: toyCrypto, tickets });
        const link = connect(before, first(way));
        const { keys } = before.ticketPolicy;
        const after = server(
          { mode: 'request' },
          {
            tickets: way.mode === 'stateless' ? { mode: way.mode, keys } : tickets,
            sessions: { idContext: new Uint8Array(0), cache: before.store.cache },
          },
        );
        const second = connect(after, again(link));
        expectAccepted(second);
        expect(second.connection.resumption).to.deep.include({ resumed: false, reason: 'session-id-context' });
        expect(second.connection.verdicts[0]?.remedy).to.contain('clientAuth');
        expect(connect(before, again(link)).connection.resumption.resumed).to.equal(true);
      });
    });
  }

  both('accepted elsewhere, with a bad result, are as good as none: client-certificate', (version) => {
    for (const mode of ['request', 'require'] as const) {
      const db = new Map<string, Uint8Array>();
      const sessions = {
        cache: false as const,
        foreign: true,
        onNew: (session: Session) => {
          const selfSigned = session.dup({ scope: undefined, foreign: { ...session.foreign, verifyResult: 18 } });
          db.set(toHex(session.id), selfSigned.toDer());
        },
        onGet: (id: Uint8Array) => db.get(toHex(id))?.slice(),
      };
      const config = server({ mode }, { sessions });
      const link = connect(config, again(connect(config, { version })));
      expectAccepted(link);
      expect(link.connection.resumption.reason).to.equal('client-certificate');
      const careless = testServer({ crypto: toyCrypto, sessions: { ...sessions, idContext: ID_CONTEXT } });
      const resumed = connect(careless, again(connect(config, { version })));
      expect(resumed.connection.resumption.resumed).to.equal(true);
      expect(resumed.connection.peerCertificate).to.equal(undefined);
      expect(resumed.connection.session?.peerCertificate === undefined).to.equal(version === 'TLSv1.3');
    }
  });

  it('keep half-RTT tickets back until the client has proved itself', () => {
    const config = server({}, { tickets: { timing: 'half-rtt' } });
    const link = connect(config, { stopBefore: 'certificate' });
    expect(link.client.heard.at(-1)).to.equal('finished');
    link.client.proceed();
    expectAccepted(link.run());
    expect(link.client.tickets).to.have.length(2);
    const resumed = connect(config, { ...again(link), stopBefore: 'finished' });
    expect(resumed.connection.resumption.resumed).to.equal(true);
    expect(resumed.client.heard.at(-1)).to.equal('new_session_ticket');
    resumed.client.proceed();
    expectAccepted(resumed.run());
    expectAccepted(connect(config, again(resumed)));
  });

  both(
    'of the same authorities are the same demand, whatever their order and however often they are named',
    (version) => {
      const cache = new SessionCache();
      const world = new TestWorld(3); // of all, as two sessions with one id would be one
      const asking = (...authorities: string[]) => server({ authorities }, { world, sessions: { cache } });
      const other = certificates.aExample.cert;
      const link = connect(asking(rootCertificate, other), { version });
      const same = asking(other, rootCertificate, `\n${other}`);
      expect(connect(same, again(link)).connection.resumption.resumed).to.equal(true);
      expect(connect(asking(other), again(link)).connection.resumption.reason).to.equal('scope');
    },
  );

  both('in a session from elsewhere end it: expired, also where the end cannot be read', (version) => {
    const world = new TestWorld(3);
    const db = new Map<string, Uint8Array>();
    const strange = Uint8Array.of(0x30, 0);
    const ends: [certificate: Uint8Array | undefined, resumed: boolean][] = [
      [undefined, true],
      [certificateUntil(NEW_YEAR).chain[0], true],
      [certificateUntil(NEW_YEAR - 1000).chain[0], false],
      [strange, false],
    ];
    for (const [peerCertificate, resumed] of ends) {
      const sessions = {
        cache: false as const,
        idContext: ID_CONTEXT,
        onNew: (session: Session) => void db.set(toHex(session.id), session.dup({ peerCertificate }).toDer()),
        onGet: (id: Uint8Array) => db.get(toHex(id)),
      };
      const config = testServer({ world, crypto: toyCrypto, sessions });
      const link = connect(config, again(connect(config, { version })));
      expect(link.connection.resumption).to.deep.include({ resumed, reason: resumed ? undefined : 'expired' });
    }
  });

  both('cut into single bytes are the same', (version) => {
    const pieces = (bytes: Uint8Array) => Array.from(bytes, (byte) => Uint8Array.of(byte));
    const peer = client({ version, certificate: clientCertificate('chain'), fragment: 50 });
    expectAccepted(exchange(peer, new ServerConnection(server()), pieces), 'chain');
  });

  both('of which any byte is another end in an alert', (version) => {
    const names = Object.keys(AlertDescription).filter((name) => name !== 'internal_error');
    const config = server();
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        fc.integer({ min: 1, max: 255 }),
        (at, mask) => {
          const rewriteMessage = (name: string, raw: Uint8Array) => {
            if (name !== 'certificate') return raw;
            const place = 4 + Math.floor(at * (raw.length - 4));
            return raw.map((byte, i) => (i === place ? byte ^ mask : byte));
          };
          const link = connect(config, { version, rewriteMessage, certificate: clientCertificate('ed25519') });
          // The key is all that is read of it; the rest is the application's business.
          if (link.failure === undefined) expect(link.connection.isEstablished).to.equal(true);
          else expect(names).to.include(link.failure.alert);
        },
      ),
      runs(50),
    );
  });
});

function raise(error: unknown): never {
  throw error;
}
