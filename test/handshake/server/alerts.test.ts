/** The rules whose breach the RFCs answer with an alert: one row each, and what the server says on the wire. */

import { expect } from 'chai';
import type { CryptoProvider, KeyAgreement } from '../../../src/crypto/provider.ts';
import { noble } from '../../../src/crypto/providers/noble.ts';
import type { ServerOptions } from '../../../src/engine/server/options.ts';
import { ServerConnection } from '../../../src/engine/server/server-connection.ts';
import { certificateTls12 } from '../../../src/handshake/messages/certificate.ts';
import { KeyUpdate } from '../../../src/handshake/messages/key-update.ts';
import { frame } from '../../../src/handshake/messages/message.ts';
import { TlsAlert } from '../../../src/wire/alert.ts';
import { concat, fromHex } from '../../../src/wire/bytes.ts';
import { encode } from '../../../src/wire/codec.ts';
import {
  AlertDescription,
  AlertLevel,
  type AlertName,
  ContentType,
  ExtensionType,
  NamedGroup,
  nameOf,
  type Version,
} from '../../../src/wire/registry.ts';
import { certificateFor, clientCertificate, strangeCertificate } from '../../support/client-certificates.ts';
import {
  type ClientOptions,
  type ClientStep,
  type Exchange,
  exchange,
  ScriptedClient,
} from '../../support/scripted-client.ts';
import { rawExtension, rawMessage, withExtension, withoutExtension } from '../../support/scripted-hello.ts';
import { credential, quickCredential, testServer } from '../../support/servers.ts';

interface Rule {
  readonly rule: string;
  readonly rfc: string;
  /** The highest that the client offers; default TLS 1.3. */
  readonly version?: Version;
  readonly server?: Partial<ServerOptions>;
  /** A function is given a client that has done a full handshake at the same server. */
  readonly client?: ClientOptions | ((before: ScriptedClient) => ClientOptions);
  /** What goes wrong once the client has come to where it stops by itself. */
  readonly act?: (link: Exchange) => void;
  readonly alert: AlertName;
}

function run({ version = 'TLSv1.3', server, client = {}, act }: Omit<Rule, 'alert' | 'rule' | 'rfc'>): Exchange {
  const config = testServer(server);
  const connect = (options: ClientOptions) =>
    exchange(new ScriptedClient({ version, ...options }), new ServerConnection(config));
  const link = connect(typeof client === 'function' ? client(connect({}).client) : client);
  act?.(link);
  return link.run();
}

/** One fatal alert on the wire, under the key of the moment; one `failed`; and silence from then on. */
function expectAlert(link: Exchange, alert: AlertName): void {
  const { client, connection, events } = link;
  expect(link.failure?.alert).to.equal(alert);
  expect(link.failure?.origin).to.equal('local');
  expect(events.filter(({ type }) => type === 'failed')).to.have.lengthOf(1);
  const description = AlertDescription[alert];
  const isProtected = client.version === 'TLSv1.3' || (client.version === 'TLSv1.2' && hasServerKeys(client));
  expect(client.received.at(-1)).to.deep.equal({
    kind: 'alert',
    level: AlertLevel.fatal,
    description,
    name: alert,
    protected: isProtected,
  });
  expect(events).to.deep.include({ type: 'alert', direction: 'sent', level: AlertLevel.fatal, description });
  expect(connection.isEstablished).to.equal(false);
  expect(() => connection.write(Uint8Array.of(1))).to.throw('write()');
  const after = connection.receive(Uint8Array.of(22, 3, 3, 0, 1, 1));
  expect(after.output.length + after.events.length).to.equal(0);
}

const hasServerKeys = ({ heard }: ScriptedClient) => heard.includes('change_cipher_spec');

function table(title: string, rules: readonly Rule[]): void {
  describe(title, () => {
    for (const rule of rules) {
      const version = rule.version === 'TLSv1.2' ? ' (TLS 1.2)' : '';
      it(`${rule.rfc}: ${rule.rule}${version} → ${rule.alert}`, () => expectAlert(run(rule), rule.alert));
    }
  });
}

/** The same rule in both versions. */
const inBoth = (rule: Omit<Rule, 'version'>): Rule[] => [
  { ...rule, version: 'TLSv1.3' },
  { ...rule, version: 'TLSv1.2' },
];

type Hello = Parameters<NonNullable<ClientOptions['rewriteHello']>>[0];

/** A hello with other extensions. */
const extended = (changes: Partial<Hello['extensions']>): ClientOptions => ({
  rewriteHello: (hello) => ({ ...hello, extensions: { ...hello.extensions, ...changes } }),
});
/** A hello with one extension of these bytes. */
const withBytes = (type: number, ...data: number[]): ClientOptions => ({
  rewriteExtensions: (list) => withExtension(list, type, ...data),
});
const without = (...types: number[]): ClientOptions => ({
  rewriteExtensions: (list) => withoutExtension(list, ...types),
});
/** A HelloRetryRequest is provoked, and the second hello is another than the first. */
const secondHello = (change: (hello: Hello) => Hello, options: ClientOptions = {}): ClientOptions => ({
  keyShares: [],
  sni: 'localhost',
  alpn: ['h2'],
  ...options,
  rewriteHello: (hello, attempt) => (attempt === 2 ? change(hello) : hello),
});
const secondExtensions = (changes: Partial<Hello['extensions']>, options: ClientOptions = {}): ClientOptions =>
  secondHello((hello) => ({ ...hello, extensions: { ...hello.extensions, ...changes } }), options);

/** Changes the bytes of one kind of message, and the length in its header with them. */
const rewriting = (name: string, rewrite: (body: number[]) => number[]): ClientOptions => ({
  rewriteMessage: (sent, raw) =>
    sent === name ? rawMessage(name as 'finished', ...rewrite([...raw.subarray(4)])) : raw,
});

const atHello: ClientOptions = { stopBefore: 'client_hello' };
const atSecondHello: ClientOptions = { stopBefore: 'second_client_hello', keyShares: [] };
const atKeyExchange: ClientOptions = { stopBefore: 'client_key_exchange' };
const atFinished: ClientOptions = { stopBefore: 'finished' };
const atChangeCipherSpec: ClientOptions = { stopBefore: 'change_cipher_spec' };

const send =
  (type: number, ...content: number[]) =>
  ({ client }: Exchange): void =>
    client.sendRecord(type, Uint8Array.from(content));
const sendPlaintext =
  (type: number, ...content: number[]) =>
  ({ client }: Exchange): void =>
    client.injector.record(type, Uint8Array.from(content), { plaintext: true });
const sendMessage =
  (...message: Parameters<typeof rawMessage>) =>
  ({ client }: Exchange): void =>
    client.sendMessage(rawMessage(...message));
const sendRaw =
  (...bytes: number[]) =>
  (link: Exchange): void =>
    void link.send(Uint8Array.from(bytes));
/** The next record of the client's with its last byte changed: a wrong tag. */
function sendDamaged(link: Exchange): void {
  link.client.sendData(Uint8Array.of(1));
  const bytes = link.client.take();
  link.send(bytes.map((byte, i) => (i === bytes.length - 1 ? byte ^ 1 : byte)));
}
const many =
  (count: number, act: (link: Exchange) => void) =>
  (link: Exchange): void => {
    for (let i = 0; i < count; i++) act(link);
  };

const zeros = (length: number): number[] => new Array<number>(length).fill(0);
/** Values of legacy_version at both sides of each limit. */
const ALL_VERSIONS = [0x0000, 0x0002, 0x0299, 0x0300, 0x0301, 0x0302, 0x0303, 0x0304, 0x0305, 0x0a0a, 0x7f1c, 0xffff];
const hex = (versions: readonly number[]) => versions.map((value) => `0x${value.toString(16).padStart(4, '0')}`).join();
const SSL2_HELLO = fromHex('802e0100020015000000100100800300800700c0');

table('versions', [
  {
    rfc: 'RFC 9846 App. E.5',
    rule: 'an SSLv2 hello',
    client: atHello,
    act: sendRaw(...SSL2_HELLO),
    alert: 'protocol_version',
  },
  {
    rfc: 'RFC 9846 §4.3.1',
    rule: 'supported_versions with nothing that the server has',
    client: { supportedVersions: [0x0302, 0x7a7a, 0x7f1c] },
    alert: 'protocol_version',
  },
  {
    rfc: 'RFC 9846 §4.3.1',
    rule: 'supported_versions decides, legacy_version TLS 1.2 or not',
    client: { supportedVersions: [0x0301] },
    alert: 'protocol_version',
  },
  {
    rfc: 'RFC 9846 §4.3.1',
    rule: 'a TLS 1.2 hello at a server for TLS 1.3 only',
    version: 'TLSv1.2',
    server: { minVersion: 'TLSv1.3' },
    alert: 'protocol_version',
  },
  {
    rfc: 'RFC 9846 §4.3.1',
    rule: 'a hello for TLS 1.3 only at a server for TLS 1.2 only',
    server: { maxVersion: 'TLSv1.2' },
    client: { supportedVersions: [0x0304] },
    alert: 'protocol_version',
  },
  {
    rfc: 'RFC 7507 §3',
    rule: 'TLS_FALLBACK_SCSV below the highest version',
    version: 'TLSv1.2',
    client: { fallbackScsv: true },
    alert: 'inappropriate_fallback',
  },
  {
    rfc: 'RFC 7507 §3',
    rule: 'TLS_FALLBACK_SCSV and TLS 1.1 at a server for TLS 1.2 only',
    version: 'TLSv1.2',
    server: { maxVersion: 'TLSv1.2' },
    client: { fallbackScsv: true, rewriteHello: (hello) => ({ ...hello, legacyVersion: 0x0302 }) },
    alert: 'inappropriate_fallback',
  },
  {
    rfc: 'RFC 7507 §3',
    rule: 'TLS_FALLBACK_SCSV with supported_versions below the highest version',
    client: { fallbackScsv: true, supportedVersions: [0x0303] },
    alert: 'inappropriate_fallback',
  },
]);

describe('legacy_version, RFC 9846 §4.2.2 and §4.3.1', () => {
  const tls12Only = { maxVersion: 'TLSv1.2' } as const;
  const rows: readonly {
    readonly supportedVersions: readonly number[] | false;
    readonly server?: Partial<ServerOptions>;
    /** The values that lead to a handshake of this version. Any other leads to protocol_version. */
    readonly good: readonly number[];
    readonly version: Version;
  }[] = [
    { supportedVersions: [0x0304], good: [0x0303], version: 'TLSv1.3' },
    { supportedVersions: [0x0304, 0x0303], good: [0x0303], version: 'TLSv1.3' },
    { supportedVersions: [0x0303], good: ALL_VERSIONS, version: 'TLSv1.2' },
    { supportedVersions: [0x0303, 0x0302], good: ALL_VERSIONS, version: 'TLSv1.2' },
    { supportedVersions: [0x0304, 0x0303], server: tls12Only, good: ALL_VERSIONS, version: 'TLSv1.2' },
    { supportedVersions: [0x0304], server: tls12Only, good: [], version: 'TLSv1.2' },
    { supportedVersions: [0x0302], good: [], version: 'TLSv1.2' },
    { supportedVersions: false, good: ALL_VERSIONS.filter((value) => value >= 0x0303), version: 'TLSv1.2' },
    {
      supportedVersions: false,
      server: tls12Only,
      good: ALL_VERSIONS.filter((value) => value >= 0x0303),
      version: 'TLSv1.2',
    },
    { supportedVersions: false, server: { minVersion: 'TLSv1.3' }, good: [], version: 'TLSv1.3' },
  ];
  for (const { supportedVersions, server = {}, good, version } of rows) {
    for (const legacyVersion of ALL_VERSIONS) {
      const beside =
        supportedVersions === false ? 'no supported_versions' : `supported_versions ${hex(supportedVersions)}`;
      const { minVersion = 'TLSv1.2', maxVersion = 'TLSv1.3' } = server;
      const outcome = good.includes(legacyVersion) ? version : 'protocol_version';
      it(`${hex([legacyVersion])} with ${beside} at a server for ${minVersion} to ${maxVersion} → ${outcome}`, () => {
        const client = {
          supportedVersions,
          rewriteHello: (hello: Hello) => ({ ...hello, legacyVersion }),
          ...(supportedVersions === false && withoutTls13),
        };
        const link = run({ server, client });
        if (outcome === 'protocol_version') return expectAlert(link, outcome);
        expect(link.connection.isEstablished).to.equal(true);
        expect(link.connection.version).to.equal(version);
      });
    }
  }
});

/** As hellos of TLS 1.2 are, so that nothing but the version can be refused. */
const withoutTls13 = without(ExtensionType.key_share, ExtensionType.psk_key_exchange_modes);

table('ClientHello, RFC 9846 §4.2.2 and RFC 5246 §7.4.1.2', [
  ...inBoth({
    rfc: '§4.2.1',
    rule: 'no cipher suite in common',
    client: { ciphers: [0x1304, 0xc014] },
    alert: 'handshake_failure',
  }),
  {
    rfc: '§4.2.1',
    rule: 'TLS 1.3 with suites of TLS 1.2 only',
    client: { ciphers: ['TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256'] },
    alert: 'handshake_failure',
  },
  {
    rfc: '§4.2.1',
    rule: 'TLS 1.2 with suites of TLS 1.3 only',
    version: 'TLSv1.2',
    client: { ciphers: ['TLS_AES_128_GCM_SHA256'] },
    alert: 'handshake_failure',
  },
  {
    rfc: 'RFC 5246 §7.4.2',
    rule: 'no certificate for the suites offered',
    version: 'TLSv1.2',
    client: { ciphers: ['TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256'] },
    alert: 'handshake_failure',
  },
  ...inBoth({
    rfc: '§4.2.2',
    rule: 'compression methods without null',
    client: { rewriteHello: (hello) => ({ ...hello, legacyCompressionMethods: [1] }) },
    alert: 'illegal_parameter',
  }),
  {
    rfc: '§4.2.2',
    rule: 'a compression method beside null',
    client: { rewriteHello: (hello) => ({ ...hello, legacyCompressionMethods: [0, 1] }) },
    alert: 'illegal_parameter',
  },
  {
    rfc: '§4.2.2',
    rule: 'null compression twice',
    client: { rewriteHello: (hello) => ({ ...hello, legacyCompressionMethods: [0, 0] }) },
    alert: 'illegal_parameter',
  },
  ...inBoth({
    rfc: '§4.2.2',
    rule: 'a session id of 33 bytes',
    client: rewriting('client_hello', (body) => [...body.slice(0, 34), 33, ...zeros(33), ...body.slice(35)]),
    alert: 'decode_error',
  }),
  ...inBoth({
    rfc: '§4.2.2',
    rule: 'no cipher suites at all',
    client: { sessionId: new Uint8Array(0), ...rewriting('client_hello', (body) => cutSuites(body, 0)) },
    alert: 'decode_error',
  }),
  ...inBoth({
    rfc: '§4.2.2',
    rule: 'half a cipher suite',
    client: { sessionId: new Uint8Array(0), ...rewriting('client_hello', (body) => cutSuites(body, 3)) },
    alert: 'decode_error',
  }),
  ...inBoth({
    rfc: '§4.2.2',
    rule: 'no compression methods at all',
    client: {
      sessionId: new Uint8Array(0),
      ciphers: [0x1301],
      rewriteMessage: (name, raw) =>
        name === 'client_hello' ? rawMessage('client_hello', ...emptyCompression([...raw.subarray(4)])) : raw,
      renegotiationInfo: false,
    },
    alert: 'decode_error',
  }),
  ...inBoth({
    rfc: '§4.2.2',
    rule: 'a byte behind the extensions',
    client: rewriting('client_hello', (body) => [...body, 0]),
    alert: 'decode_error',
  }),
  ...inBoth({
    rfc: '§4.2.2',
    rule: 'extensions that break off',
    client: rewriting('client_hello', (body) => body.slice(0, -1)),
    alert: 'decode_error',
  }),
  {
    rfc: '§4.2.2',
    rule: 'a second ClientHello after the handshake',
    act: sendMessage('client_hello', ...zeros(40)),
    alert: 'unexpected_message',
  },
]);

/** The body of a hello without session id, with its suites cut down to so many bytes. */
function cutSuites(body: number[], length: number): number[] {
  const [high = 0, low = 0] = body.slice(35, 37);
  return [...body.slice(0, 35), 0, length, ...body.slice(37, 37 + length), ...body.slice(37 + 256 * high + low)];
}

/** The body of a hello without session id and with one suite. */
function emptyCompression(body: number[]): number[] {
  return [...body.slice(0, 39), 0, ...body.slice(41)];
}

table('extensions, RFC 9846 §4.3', [
  ...inBoth({
    rfc: '§4.3',
    rule: 'an extension that the server knows, twice',
    client: {
      rewriteExtensions: (list) => [...list, ...list.filter(({ type }) => type === ExtensionType.supported_groups)],
    },
    alert: 'illegal_parameter',
  }),
  ...inBoth({
    rfc: '§4.3',
    rule: 'an extension that the server does not know, twice',
    client: { rewriteExtensions: (list) => [rawExtension(0x0a0a), ...list, rawExtension(0x0a0a, 1)] },
    alert: 'illegal_parameter',
  }),
  {
    rfc: '§4.3.3, §9.2',
    rule: 'no signature_algorithms where a certificate is wanted',
    client: { signatureAlgorithms: false },
    alert: 'missing_extension',
  },
  {
    rfc: '§4.3.3, RFC 5246 §7.4.1.4.1',
    rule: 'no signature_algorithms stands for SHA-1, which the server has not',
    version: 'TLSv1.2',
    client: { signatureAlgorithms: false },
    alert: 'handshake_failure',
  },
  ...inBoth({
    rfc: '§4.3.3, §4.5.1.2',
    rule: 'no certificate for the signature algorithms',
    client: { signatureAlgorithms: ['ed25519', 'rsa_pss_rsae_sha256'] },
    alert: 'handshake_failure',
  }),
  {
    rfc: '§4.3.3',
    rule: 'the hash of another curve than that of the key, which only TLS 1.2 allows',
    server: { credentials: [credential('ecdsaP384')] },
    client: { signatureAlgorithms: ['ecdsa_secp256r1_sha256', 'ecdsa_secp521r1_sha512'] },
    alert: 'handshake_failure',
  },
  {
    rfc: '§4.3.3',
    rule: 'RSASSA-PKCS1-v1_5 only, which is not for TLS 1.3',
    server: { credentials: [credential('rsa2048')] },
    client: { signatureAlgorithms: ['rsa_pkcs1_sha256', 'rsa_pkcs1_sha384'] },
    alert: 'handshake_failure',
  },
  { rfc: '§9.2', rule: 'supported_groups without key_share', client: { keyShares: false }, alert: 'missing_extension' },
  {
    rfc: '§9.2',
    rule: 'key_share without supported_groups',
    client: without(ExtensionType.supported_groups),
    alert: 'missing_extension',
  },
  {
    rfc: '§9.2',
    rule: 'neither, and no PSK',
    client: without(ExtensionType.supported_groups, ExtensionType.key_share),
    alert: 'missing_extension',
  },
  ...inBoth({
    rfc: '§4.3.7',
    rule: 'no group in common',
    client: { groups: [0x0100, 30] },
    alert: 'handshake_failure',
  }),
  {
    rfc: '§4.3.7',
    rule: 'a group in common, but none of the server’s',
    server: { groups: ['secp384r1'] },
    client: { groups: ['x25519', 'secp256r1'] },
    alert: 'handshake_failure',
  },
  {
    rfc: '§4.3.8',
    rule: 'two shares of one group',
    client: { keyShares: ['x25519', 'x25519'] },
    alert: 'illegal_parameter',
  },
  {
    rfc: '§4.3.8',
    rule: 'a share of a group that supported_groups has not',
    client: { groups: ['x25519'], keyShares: ['x25519', 'secp256r1'] },
    alert: 'illegal_parameter',
  },
  ...badShares(),
  {
    rfc: '§4.3.9',
    rule: 'pre_shared_key without psk_key_exchange_modes',
    client: (before) => ({ psks: before.tickets, pskModes: false }),
    alert: 'missing_extension',
  },
  {
    rfc: '§4.3.11',
    rule: 'pre_shared_key not as the last extension',
    client: (before) => ({
      psks: before.tickets,
      rewriteExtensions: (list) => [...list, rawExtension(ExtensionType.padding)],
    }),
    alert: 'illegal_parameter',
  },
  {
    rfc: '§4.3.11',
    rule: 'a binder less than identities',
    client: (before) => ({ psks: before.tickets, rewriteBinders: (binders) => binders.slice(1) }),
    alert: 'illegal_parameter',
  },
  {
    rfc: '§4.3.11',
    rule: 'a binder more than identities',
    client: (before) => ({ psks: before.tickets, rewriteBinders: (binders) => [...binders, new Uint8Array(32)] }),
    alert: 'illegal_parameter',
  },
  {
    rfc: '§4.3.11.2',
    rule: 'a binder of the wrong key',
    client: ({ tickets }) => ({ psks: tickets.map((ticket) => ({ ...ticket, secret: new Uint8Array(32) })) }),
    alert: 'decrypt_error',
  },
  {
    rfc: '§4.3.11.2',
    rule: 'a binder with one bit changed',
    client: ({ tickets }) => ({
      psks: tickets,
      rewriteBinders: ([binder, ...others]) => [
        (binder as Uint8Array).map((byte, i) => (i === 31 ? byte ^ 1 : byte)),
        ...others,
      ],
    }),
    alert: 'decrypt_error',
  },
  {
    rfc: '§4.3.11.2',
    rule: 'the binders of two identities interchanged',
    client: ({ tickets }) => ({ psks: tickets, rewriteBinders: (binders) => [...binders].reverse() }),
    alert: 'decrypt_error',
  },
  {
    rfc: '§4.3.11',
    rule: 'no identities',
    client: withBytes(ExtensionType.pre_shared_key, 0, 0, 0, 33, 32, ...zeros(32)),
    alert: 'decode_error',
  },
  {
    rfc: '§4.3.11',
    rule: 'an empty identity',
    client: withBytes(ExtensionType.pre_shared_key, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 33, 32, ...zeros(32)),
    alert: 'decode_error',
  },
  {
    rfc: '§4.3.11',
    rule: 'no binders',
    client: withBytes(ExtensionType.pre_shared_key, 0, 7, 0, 1, 9, 0, 0, 0, 0, 0, 0),
    alert: 'decode_error',
  },
  {
    rfc: '§4.3.11',
    rule: 'identities alone',
    client: withBytes(ExtensionType.pre_shared_key, 0, 7, 0, 1, 9, 0, 0, 0, 0),
    alert: 'decode_error',
  },
  ...inBoth({
    rfc: 'RFC 6066 §3',
    rule: 'two host names',
    client: extended({
      serverName: [
        { nameType: 0, name: 'a.example' },
        { nameType: 0, name: 'b.example' },
      ],
    }),
    alert: 'illegal_parameter',
  }),
  ...inBoth({
    rfc: 'RFC 6066 §3',
    rule: 'a host name with a NUL',
    client: { sni: 'a.example\0.b.example' },
    alert: 'illegal_parameter',
  }),
  ...inBoth({
    rfc: 'RFC 6066 §3',
    rule: 'an empty host name',
    client: withBytes(0, 0, 3, 0, 0, 0),
    alert: 'decode_error',
  }),
  ...inBoth({
    rfc: 'RFC 7301 §3.2',
    rule: 'no application protocol in common',
    server: { alpn: ['h2', 'http/1.1'] },
    client: { alpn: ['spdy/3', 'H2'] },
    alert: 'no_application_protocol',
  }),
  {
    rfc: 'RFC 7301 §3.2',
    rule: 'no application protocol in common on resumption',
    server: { alpn: ['h2'] },
    client: ({ tickets: psks }) => ({ psks, alpn: ['spdy/3'] }),
    alert: 'no_application_protocol',
  },
  {
    rfc: 'RFC 7301 §3.2',
    rule: 'no application protocol in common on resumption',
    version: 'TLSv1.2',
    server: { alpn: ['h2'] },
    client: ({ session }) => ({ session, alpn: ['spdy/3'] }),
    alert: 'no_application_protocol',
  },
  ...inBoth({
    rfc: 'RFC 7301 §3.1',
    rule: 'an empty protocol name',
    client: withBytes(16, 0, 4, 0, 2, 104, 50),
    alert: 'decode_error',
  }),
  ...inBoth({
    rfc: 'RFC 8449 §4',
    rule: 'a record size limit of 63',
    client: { recordSizeLimit: 63 },
    alert: 'illegal_parameter',
  }),
  ...inBoth({
    rfc: 'RFC 8449 §4',
    rule: 'a record size limit of 0',
    client: { recordSizeLimit: 0 },
    alert: 'illegal_parameter',
  }),
  {
    rfc: 'RFC 8422 §5.1.2',
    rule: 'point formats without uncompressed',
    version: 'TLSv1.2',
    client: { ecPointFormats: [1, 2] },
    alert: 'illegal_parameter',
  },
  {
    rfc: 'RFC 5746 §3.6',
    rule: 'renegotiation_info that is not empty in a first handshake',
    version: 'TLSv1.2',
    client: extended({ renegotiationInfo: new Uint8Array(12) }),
    alert: 'handshake_failure',
  },
  {
    rfc: 'RFC 7627 §5.3',
    rule: 'a session with the extended master secret and a hello without',
    version: 'TLSv1.2',
    client: ({ session }) => ({ session, ems: false }),
    alert: 'handshake_failure',
  },
  {
    rfc: 'RFC 7627 §5.3',
    rule: 'no extended master secret where the server demands it',
    version: 'TLSv1.2',
    server: { requireExtendedMasterSecret: true },
    client: { ems: false },
    alert: 'handshake_failure',
  },
]);

/** Public keys that are none (RFC 9846 §4.3.8, §7.4, RFC 7748 §6.1, RFC 8422 §5.11), in both versions. */
function badShares(): Rule[] {
  const shares: readonly [string, keyof typeof NamedGroup, readonly number[], AlertName][] = [
    ['X25519 of 31 bytes', 'x25519', zeros(31).fill(9), 'illegal_parameter'],
    ['X25519 of 33 bytes', 'x25519', zeros(33).fill(9), 'illegal_parameter'],
    ['X25519 0, whose result is all zero', 'x25519', zeros(32), 'illegal_parameter'],
    ['X25519 1, of small order', 'x25519', [1, ...zeros(31)], 'illegal_parameter'],
    ['P-256 off the curve', 'secp256r1', [4, ...zeros(63), 1], 'illegal_parameter'],
    ['P-256 with coordinates above the prime', 'secp256r1', [4, ...zeros(64).fill(255)], 'illegal_parameter'],
    ['P-256 compressed', 'secp256r1', [2, ...zeros(31), 5], 'illegal_parameter'],
    ['P-256 hybrid', 'secp256r1', [6, ...zeros(64)], 'illegal_parameter'],
    ['P-256 at infinity', 'secp256r1', [0], 'illegal_parameter'],
    ['P-256 a byte too long', 'secp256r1', [4, ...zeros(65)], 'illegal_parameter'],
    ['P-384 off the curve', 'secp384r1', [4, ...zeros(96)], 'illegal_parameter'],
  ];
  const rules = shares.flatMap(([what, group, key, alert]): Rule[] => {
    const entry = { group: NamedGroup[group], keyExchange: Uint8Array.from(key) };
    return [
      {
        rfc: '§4.3.8.2',
        rule: `a share of ${what}`,
        client: { groups: [group], ...extended({ keyShare: [entry] }) },
        alert,
      },
      {
        rfc: 'RFC 8422 §5.11',
        rule: `a ClientKeyExchange of ${what}`,
        version: 'TLSv1.2',
        server: { groups: [group] },
        client: rewriting('client_key_exchange', () => [key.length, ...key]),
        alert,
      },
    ];
  });
  return [
    ...rules,
    { rfc: '§4.3.8', rule: 'an empty key_exchange', client: withBytes(51, 0, 4, 0, 29, 0, 0), alert: 'decode_error' },
    {
      rfc: 'RFC 8422 §5.7',
      rule: 'an empty point',
      version: 'TLSv1.2',
      client: rewriting('client_key_exchange', () => [0]),
      alert: 'decode_error',
    },
  ];
}

/** The versions that use an extension. */
const BOTH: readonly Version[] = ['TLSv1.3', 'TLSv1.2'];
const TLS12: readonly Version[] = ['TLSv1.2'];
const TLS13: readonly Version[] = ['TLSv1.3'];

/** Extensions that do not fit their structs: vectors that are shorter than their least (§3.4) or hold no whole items, and the like. */
const MALFORMED: readonly [string, number, readonly number[], readonly Version[]][] = [
  ['an empty server_name', 0, [0, 0], BOTH],
  ['an empty supported_groups', 10, [0, 0], BOTH],
  ['supported_groups of three bytes', 10, [0, 3, 0, 29, 0], BOTH],
  ['an empty ec_point_formats', 11, [0], TLS12],
  ['ec_point_formats that breaks off', 11, [2, 0], TLS12],
  ['an empty signature_algorithms', 13, [0, 0], BOTH],
  ['signature_algorithms of three bytes', 13, [0, 3, 4, 3, 4], BOTH],
  ['an empty signature_algorithms_cert', 50, [0, 0], BOTH],
  ['an empty application_layer_protocol_negotiation', 16, [0, 0], BOTH],
  ['an empty supported_versions', 43, [0], BOTH],
  ['supported_versions of three bytes', 43, [3, 3, 4, 3], BOTH],
  ['an empty psk_key_exchange_modes', 45, [0], TLS13],
  ['an empty cookie', 44, [0, 0], TLS13],
  ['record_size_limit of one byte', 28, [64], BOTH],
  ['extended_master_secret with contents', 23, [0], TLS12],
  ['early_data with contents', 42, [0, 0, 0, 0], TLS13],
  ['renegotiation_info without its length', 0xff01, [], TLS12],
  ['ticket_request of one byte', 58, [1], TLS13],
  ['key_share that breaks off', 51, [0, 36, 0, 29, 0, 32, 1], TLS13],
  ['pre_shared_key that breaks off', 41, [0, 9, 0], TLS13],
];

function malformed(): Rule[] {
  return MALFORMED.flatMap(([rule, type, data, versions]) =>
    versions.map((version) => ({
      rfc: '§3.4, §4.3',
      rule,
      version,
      client: withBytes(type, ...data),
      alert: 'decode_error' as const,
    })),
  );
}

table('malformed extensions, RFC 9846 §3.4 and §4.3', malformed());

describe('an extension that the version does not use may have any content', () => {
  /** A client that offers both versions, and a server that has both or one: what decides is the version that is selected. */
  const offers: readonly (readonly [string, Version, ClientOptions, Partial<ServerOptions>])[] = [
    ['a hello of TLS 1.3', 'TLSv1.3', {}, {}],
    ['a second hello of TLS 1.3', 'TLSv1.3', { keyShares: [] }, {}],
    ['a hello of TLS 1.2', 'TLSv1.2', { version: 'TLSv1.2' }, {}],
    ['a hello of both versions, to a server of TLS 1.2', 'TLSv1.2', {}, { maxVersion: 'TLSv1.2' }],
  ];
  const unused = (version: Version) => [
    ...MALFORMED.filter(([, , , versions]) => !versions.includes(version)),
    ...(version === 'TLSv1.3'
      ? ([['a session_ticket of any bytes', 35, zeros(300), TLS12]] as const)
      : ([
          ['shares of a group that is not in supported_groups', 51, [0, 5, 1, 2, 0, 1, 9], TLS13],
          ['two shares of one group', 51, [0, 10, 0, 29, 0, 1, 9, 0, 29, 0, 1, 9], TLS13],
          ['a pre_shared_key without binders', 41, [0, 7, 0, 1, 9, 0, 0, 0, 0, 0, 0], TLS13],
        ] as const)),
  ];
  for (const [what, version, options, server] of offers) {
    for (const [rule, type, data] of unused(version)) {
      it(`${rule}, in ${what}`, () => {
        const client = { ...options, ...withBytes(type, ...data) };
        const { connection, failure } = run({ server, client });
        expect(failure).to.equal(undefined);
        expect([connection.isEstablished, connection.version]).to.deep.equal([true, version]);
      });
    }
  }

  it('and pre_shared_key may stand anywhere in a hello that leads to TLS 1.2', () => {
    const psks = [{ identity: Uint8Array.of(1), secret: new Uint8Array(32), hash: 'sha256' as const }];
    const rewriteExtensions: ClientOptions['rewriteExtensions'] = (list) => [...list].reverse();
    const link = run({ server: { maxVersion: 'TLSv1.2' }, client: { psks, rewriteExtensions } });
    expect(link.failure).to.equal(undefined);
    expect(link.connection.version).to.equal('TLSv1.2');
  });
});

/** Whether an extension is used or not, it comes once, and within its block. */
function badFraming(): Rule[] {
  const types = [11, 23, 35, 41, 42, 44, 45, 51, 58, 0xff01, 0x0a0a];
  const twice = types.map((type) => ({ type, data: new Uint8Array(0) }));
  return [
    ...twice.flatMap((extension) =>
      inBoth({
        rfc: '§4.3',
        rule: `extension ${extension.type} twice`,
        client: {
          rewriteExtensions: (list) => [extension, extension, ...list.filter(({ type }) => type !== extension.type)],
        },
        alert: 'illegal_parameter',
      }),
    ),
    ...types.flatMap((type) =>
      inBoth({
        rfc: '§4.3',
        rule: `extension ${type} longer than the block`,
        client: {
          rewriteExtensions: (list) => [...list.filter((other) => other.type !== type), rawExtension(type, 1, 2, 3)],
          rewriteMessage: (name, raw) =>
            name === 'client_hello' ? raw.map((byte, at) => (at === raw.length - 4 ? byte + 1 : byte)) : raw,
        },
        alert: 'decode_error',
      }),
    ),
  ];
}

table('the framing of extensions, RFC 9846 §4.3', badFraming());

table('HelloRetryRequest, RFC 9846 §4.2.2 and §4.2.4', [
  {
    rfc: '§4.2.2',
    rule: 'another random in the second hello',
    client: secondHello((hello) => ({ ...hello, random: new Uint8Array(32) })),
    alert: 'illegal_parameter',
  },
  {
    rfc: '§4.2.2',
    rule: 'another legacy_version',
    client: secondHello((hello) => ({ ...hello, legacyVersion: 0x0302 })),
    alert: 'protocol_version',
  },
  {
    rfc: '§4.2.2',
    rule: 'another session id',
    client: secondHello((hello) => ({ ...hello, legacySessionId: new Uint8Array(0) })),
    alert: 'illegal_parameter',
  },
  {
    rfc: '§4.2.2',
    rule: 'other cipher suites',
    client: secondHello((hello) => ({ ...hello, cipherSuites: hello.cipherSuites.slice(1) })),
    alert: 'illegal_parameter',
  },
  {
    rfc: '§4.2.2',
    rule: 'the suites in another order',
    client: secondHello((hello) => ({ ...hello, cipherSuites: [...hello.cipherSuites].reverse() })),
    alert: 'illegal_parameter',
  },
  {
    rfc: '§4.2.2',
    rule: 'another server name',
    client: secondExtensions({ serverName: [{ nameType: 0, name: 'b.example' }] }),
    alert: 'illegal_parameter',
  },
  {
    rfc: '§4.2.2',
    rule: 'the server name gone',
    client: secondExtensions({ serverName: undefined }),
    alert: 'illegal_parameter',
  },
  {
    rfc: '§4.2.2',
    rule: 'other application protocols',
    client: secondExtensions({ alpn: ['http/1.1'] }),
    alert: 'illegal_parameter',
  },
  {
    rfc: '§4.2.2',
    rule: 'other signature algorithms',
    client: secondExtensions({ signatureAlgorithms: [0x0403] }),
    alert: 'illegal_parameter',
  },
  {
    rfc: '§4.2.2',
    rule: 'other groups',
    client: secondExtensions({ supportedGroups: [NamedGroup.x25519] }),
    alert: 'illegal_parameter',
  },
  {
    rfc: '§4.2.2',
    rule: 'other PSK modes',
    client: secondExtensions({ pskKeyExchangeModes: [1] }),
    alert: 'illegal_parameter',
  },
  {
    rfc: '§4.2.2',
    rule: 'a record size limit that was not there',
    client: secondExtensions({ recordSizeLimit: 512 }),
    alert: 'illegal_parameter',
  },
  {
    rfc: '§4.3.2',
    rule: 'a cookie that the server has not given',
    client: secondExtensions({ cookie: Uint8Array.of(1) }),
    alert: 'illegal_parameter',
  },
  {
    rfc: '§4.2.2',
    rule: 'TLS 1.2 instead (Mbed TLS 2026), by supported_versions',
    client: secondExtensions({ supportedVersions: [0x0303] }),
    alert: 'illegal_parameter',
  },
  {
    rfc: '§4.2.2',
    rule: 'TLS 1.2 instead (Mbed TLS 2026), without supported_versions and with a PSK',
    client: ({ tickets: psks }) => secondExtensions({ supportedVersions: undefined }, { psks }),
    alert: 'illegal_parameter',
  },
  {
    rfc: '§4.2.2',
    rule: 'two compression methods in the second hello',
    client: secondHello((hello) => ({ ...hello, legacyCompressionMethods: [0, 1] })),
    alert: 'illegal_parameter',
  },
  {
    rfc: '§4.3.8',
    rule: 'no key_share in the second hello',
    client: secondExtensions({ keyShare: undefined }),
    alert: 'missing_extension',
  },
  {
    rfc: '§4.2.4',
    rule: 'an empty key_share again: there is no second HelloRetryRequest',
    client: secondExtensions({ keyShare: [] }),
    alert: 'illegal_parameter',
  },
  {
    rfc: '§4.3.8',
    rule: 'a share of another group than was asked for',
    client: secondExtensions({ keyShare: [{ group: NamedGroup.secp256r1, keyExchange: new Uint8Array(65) }] }),
    alert: 'illegal_parameter',
  },
  {
    rfc: '§4.3.8',
    rule: 'two shares, one of them as asked for',
    client: secondHello((hello) => {
      const keyShare = [
        ...(hello.extensions.keyShare ?? []),
        { group: NamedGroup.secp256r1, keyExchange: new Uint8Array(65) },
      ];
      return { ...hello, extensions: { ...hello.extensions, keyShare } };
    }),
    alert: 'illegal_parameter',
  },
  {
    rfc: '§4.3.10',
    rule: 'early_data in the second hello',
    client: secondExtensions({ earlyData: true }, { earlyData: true }),
    alert: 'illegal_parameter',
  },
  {
    rfc: '§4.2.2',
    rule: 'a PSK identity more',
    client: ({ tickets: psks }) =>
      secondHello(
        (hello) => {
          const { identities = [], binders = [] } = hello.extensions.preSharedKey ?? {};
          const added = { identity: new Uint8Array(32), obfuscatedTicketAge: 0 };
          const preSharedKey = { identities: [...identities, added], binders: [...binders, new Uint8Array(32)] };
          return { ...hello, extensions: { ...hello.extensions, preSharedKey } };
        },
        { psks },
      ),
    alert: 'illegal_parameter',
  },
  {
    rfc: '§4.2.2',
    rule: 'a PSK where there was none',
    client: ({ tickets }) =>
      secondExtensions(
        {
          preSharedKey: {
            identities: tickets.map(({ identity }) => ({ identity, obfuscatedTicketAge: 0 })),
            binders: tickets.map(() => new Uint8Array(32)),
          },
        },
        {},
      ),
    alert: 'illegal_parameter',
  },
  {
    rfc: '§4.3.11.2',
    rule: 'a wrong binder in the second hello',
    client: ({ tickets: psks }) => ({
      psks,
      keyShares: [],
      rewriteBinders: (binders, attempt) => (attempt === 2 ? binders.map(() => new Uint8Array(32)) : binders),
    }),
    alert: 'decrypt_error',
  },
  {
    rfc: '§4.3.11.2',
    rule: 'a wrong binder in the first hello',
    client: ({ tickets: psks }) => ({
      psks,
      keyShares: [],
      rewriteBinders: (binders, attempt) => (attempt === 1 ? binders.map(() => new Uint8Array(32)) : binders),
    }),
    alert: 'decrypt_error',
  },
  {
    rfc: '§4.2.4',
    rule: 'Finished instead of a second hello',
    client: atSecondHello,
    act: sendMessage('finished', ...zeros(32)),
    alert: 'unexpected_message',
  },
  {
    rfc: '§4.2.4',
    rule: 'data instead of a second hello',
    client: atSecondHello,
    act: send(ContentType.application_data, 1),
    alert: 'unexpected_message',
  },
]);

table('the order of messages, RFC 9846 §4 and RFC 5246 §7.4', [
  ...inBoth({
    rfc: '§4',
    rule: 'Finished first',
    client: atHello,
    act: sendMessage('finished', ...zeros(32)),
    alert: 'unexpected_message',
  }),
  ...inBoth({
    rfc: '§4',
    rule: 'HelloRequest from a client',
    client: atHello,
    act: sendMessage('hello_request'),
    alert: 'unexpected_message',
  }),
  ...inBoth({
    rfc: '§4',
    rule: 'a message of an unknown type',
    client: atHello,
    act: send(ContentType.handshake, 99, 0, 0, 0),
    alert: 'unexpected_message',
  }),
  ...inBoth({
    rfc: '§4',
    rule: 'a message of the server’s',
    client: atHello,
    act: sendMessage('server_hello', ...zeros(40)),
    alert: 'unexpected_message',
  }),
  {
    rfc: '§4.5.1',
    rule: 'a Certificate that nobody asked for',
    client: atFinished,
    act: sendMessage('certificate', 0, 0, 0, 0),
    alert: 'unexpected_message',
  },
  {
    rfc: '§4.5.2',
    rule: 'a CertificateVerify that nobody asked for',
    client: atFinished,
    act: sendMessage('certificate_verify', ...zeros(8)),
    alert: 'unexpected_message',
  },
  {
    rfc: '§4.6',
    rule: 'EndOfEarlyData without early data',
    client: atFinished,
    act: sendMessage('end_of_early_data'),
    alert: 'unexpected_message',
  },
  {
    rfc: '§4.7.3',
    rule: 'KeyUpdate before Finished',
    client: atFinished,
    act: sendMessage('key_update', 0),
    alert: 'unexpected_message',
  },
  {
    rfc: '§4',
    rule: 'a second ClientHello instead of Finished',
    client: atFinished,
    act: sendMessage('client_hello', ...zeros(40)),
    alert: 'unexpected_message',
  },
  { rfc: '§4.5.3', rule: 'a second Finished', act: sendMessage('finished', ...zeros(32)), alert: 'unexpected_message' },
  {
    rfc: '§4.7.1',
    rule: 'NewSessionTicket from a client',
    act: sendMessage('new_session_ticket', ...zeros(16)),
    alert: 'unexpected_message',
  },
  {
    rfc: '§4.7.2',
    rule: 'an answer to a CertificateRequest that was not sent',
    act: sendMessage('certificate', 0, 0, 0, 0),
    alert: 'unexpected_message',
  },
  { rfc: '§4', rule: 'message_hash', act: sendMessage('message_hash', ...zeros(32)), alert: 'unexpected_message' },
  {
    rfc: 'RFC 5246 §7.4.6',
    rule: 'a Certificate that nobody asked for',
    version: 'TLSv1.2',
    client: atKeyExchange,
    act: sendMessage('certificate', 0, 0, 0),
    alert: 'unexpected_message',
  },
  {
    rfc: 'RFC 5246 §7.4.7',
    rule: 'Finished instead of ClientKeyExchange',
    version: 'TLSv1.2',
    client: atKeyExchange,
    act: sendMessage('finished', ...zeros(12)),
    alert: 'unexpected_message',
  },
  {
    rfc: 'RFC 5246 §7.4.7',
    rule: 'a second ClientHello',
    version: 'TLSv1.2',
    client: atKeyExchange,
    act: sendMessage('client_hello', ...zeros(40)),
    alert: 'unexpected_message',
  },
  {
    rfc: 'RFC 5246 §7.4.7',
    rule: 'ClientKeyExchange twice',
    version: 'TLSv1.2',
    client: atChangeCipherSpec,
    act: sendMessage('client_key_exchange', 1, 4),
    alert: 'unexpected_message',
  },
  {
    rfc: 'RFC 5246 §7.4.8',
    rule: 'a CertificateVerify that nobody asked for',
    version: 'TLSv1.2',
    client: atChangeCipherSpec,
    act: sendMessage('certificate_verify', ...zeros(8)),
    alert: 'unexpected_message',
  },
  {
    rfc: 'RFC 5246 §7.4.9',
    rule: 'Finished without ChangeCipherSpec',
    version: 'TLSv1.2',
    client: atChangeCipherSpec,
    act: ({ client }) => client.skip(),
    alert: 'unexpected_message',
  },
  {
    rfc: 'RFC 5246 §7.4.9',
    rule: 'Finished without ChangeCipherSpec on resumption',
    version: 'TLSv1.2',
    client: ({ session }) => ({ session, stopBefore: 'change_cipher_spec' }),
    act: sendMessage('finished', ...zeros(12)),
    alert: 'unexpected_message',
  },
  {
    rfc: 'RFC 5246 §7.4.9',
    rule: 'a second ChangeCipherSpec instead of Finished',
    version: 'TLSv1.2',
    client: atFinished,
    act: send(ContentType.change_cipher_spec, 1),
    alert: 'unexpected_message',
  },
  {
    rfc: 'RFC 5246 §7.4.9',
    rule: 'a second Finished',
    version: 'TLSv1.2',
    act: sendMessage('finished', ...zeros(12)),
    alert: 'unexpected_message',
  },
  {
    rfc: 'RFC 9846 §4.7.3',
    rule: 'KeyUpdate in TLS 1.2',
    version: 'TLSv1.2',
    act: sendMessage('key_update', 0),
    alert: 'unexpected_message',
  },
  {
    rfc: 'RFC 5077 §3.3',
    rule: 'NewSessionTicket from a client',
    version: 'TLSv1.2',
    act: sendMessage('new_session_ticket', ...zeros(16)),
    alert: 'unexpected_message',
  },
  {
    rfc: 'RFC 5746 §5',
    rule: 'renegotiation again and again',
    version: 'TLSv1.2',
    act: (link) => {
      for (let i = 0; i < 5; i++) {
        sendMessage('client_hello', ...zeros(40))(link);
        link.run();
      }
    },
    alert: 'unexpected_message',
  },
]);

table('Finished and the other messages, RFC 9846 §4.5.3, RFC 5246 §7.4.9', [
  ...inBoth({
    rfc: '§4.5.3',
    rule: 'a Finished that does not verify',
    client: rewriting('finished', ([first = 0, ...body]) => [first ^ 0x80, ...body]),
    alert: 'decrypt_error',
  }),
  ...inBoth({
    rfc: '§4.5.3',
    rule: 'a Finished of zeros',
    client: rewriting('finished', (body) => zeros(body.length)),
    alert: 'decrypt_error',
  }),
  {
    rfc: '§4.5.3',
    rule: 'a Finished that does not verify, on resumption',
    client: ({ tickets: psks }) => ({ psks, ...rewriting('finished', (body) => zeros(body.length)) }),
    alert: 'decrypt_error',
  },
  {
    rfc: '§4.5.3',
    rule: 'a Finished that does not verify, on resumption',
    version: 'TLSv1.2',
    client: ({ session }) => ({ session, ...rewriting('finished', (body) => zeros(body.length)) }),
    alert: 'decrypt_error',
  },
  ...inBoth({
    rfc: '§6.2',
    rule: 'a Finished with a byte more',
    client: rewriting('finished', (body) => [...body, 0]),
    alert: 'decode_error',
  }),
  ...inBoth({
    rfc: '§6.2',
    rule: 'a Finished with a byte less',
    client: rewriting('finished', (body) => body.slice(1)),
    alert: 'decode_error',
  }),
  ...inBoth({ rfc: '§6.2', rule: 'an empty Finished', client: rewriting('finished', () => []), alert: 'decode_error' }),
  {
    rfc: 'RFC 5246 §7.4.7',
    rule: 'a ClientKeyExchange with a byte more',
    version: 'TLSv1.2',
    client: rewriting('client_key_exchange', (body) => [...body, 0]),
    alert: 'decode_error',
  },
  {
    rfc: 'RFC 5246 §7.4.7',
    rule: 'a ClientKeyExchange with a byte less',
    version: 'TLSv1.2',
    client: rewriting('client_key_exchange', (body) => body.slice(0, -1)),
    alert: 'decode_error',
  },
  {
    rfc: 'RFC 5246 §7.4.7',
    rule: 'an empty ClientKeyExchange',
    version: 'TLSv1.2',
    client: rewriting('client_key_exchange', () => []),
    alert: 'decode_error',
  },
  {
    rfc: '§4.7.3',
    rule: 'KeyUpdate with the value 2',
    act: ({ client }) => client.sendMessage(rawMessage('key_update', 2)),
    alert: 'illegal_parameter',
  },
  { rfc: '§4.7.3', rule: 'an empty KeyUpdate', act: sendMessage('key_update'), alert: 'decode_error' },
  { rfc: '§4.7.3', rule: 'a KeyUpdate with a byte more', act: sendMessage('key_update', 0, 0), alert: 'decode_error' },
  {
    rfc: '§5.1',
    rule: 'a KeyUpdate with a message behind it in its record',
    act: ({ client }) => {
      const update = rawMessage('key_update', ...encode(KeyUpdate, { requestUpdate: 0 }));
      client.sendRecord(ContentType.handshake, concat(update, update));
    },
    alert: 'unexpected_message',
  },
  {
    rfc: '§4.7.3',
    rule: 'KeyUpdate over and over without data',
    act: many(33, ({ client }) => client.sendKeyUpdate()),
    alert: 'unexpected_message',
  },
  {
    rfc: '§5.1',
    rule: 'a ClientHello with the beginning of another message in its record',
    client: { rewriteWire: (_name, raw) => concat(raw, Uint8Array.of(20)) },
    alert: 'unexpected_message',
  },
  {
    rfc: '§5.1',
    rule: 'a Finished with the beginning of another message in its record',
    client: { rewriteWire: (name, raw) => (name === 'finished' ? concat(raw, Uint8Array.of(24)) : raw) },
    alert: 'unexpected_message',
  },
  {
    rfc: 'RFC 5246 §7.1',
    rule: 'a message that straddles ChangeCipherSpec',
    version: 'TLSv1.2',
    client: { rewriteWire: (name, raw) => (name === 'client_key_exchange' ? concat(raw, Uint8Array.of(20)) : raw) },
    alert: 'unexpected_message',
  },
]);

/** A server that demands a certificate, and a client that has one, or two of another kind. */
const demanding: Partial<ServerOptions> = { clientAuth: { mode: 'require', verifyClient: () => true } };
const shown = clientCertificate('ed25519');
const showing: ClientOptions = { certificate: shown };
const showingStrange = (kind: Parameters<typeof strangeCertificate>[0]): ClientOptions => ({
  certificate: strangeCertificate(kind),
});
const showingChain = (...chain: Uint8Array[]): ClientOptions => ({ certificate: { ...shown, chain } });
const leaf = shown.chain[0] as Uint8Array;
/** A public key of Ed25519 that is no point, and a modulus that breaks off. */
const noPoint = certificateFor(fromHex(`302a300506032b6570032100${'ff'.repeat(31)}7f`));
const noModulus = certificateFor(fromHex('3014300d06092a864886f70d0101010500030300300a'));

/** The same message with a list of one certificate without a byte; TLS 1.3 has a context before it, and extensions behind it. */
const emptyEntry = (body: number[]): number[] =>
  body[0] === 0 && body[4] === 0 ? [0, 0, 0, 5, 0, 0, 0, 0, 0] : [0, 0, 3, 0, 0, 0];
/** TLS 1.3: status_request in place of the empty block at the end. */
const withEntryExtension = ([context = 0, high = 0, middle = 0, low = 0, ...list]: number[]): number[] => {
  const length = 65536 * high + 256 * middle + low + 4;
  return [context, length >> 16, (length >> 8) & 0xff, length & 0xff, ...list.slice(0, -2), 0, 4, 0, 5, 0, 0];
};

/** The header alone of a message that is a byte longer than its struct, or our bound, allows. */
function tooLong(): Rule[] {
  const certificates: Partial<ServerOptions> = { clientAuth: { mode: 'request', verifyClient: () => true } };
  const shows: ClientOptions = { certificate: clientCertificate('ed25519') };
  const header = (type: number, length: number) =>
    send(ContentType.handshake, type, length >> 16, (length >> 8) & 0xff, length & 0xff);
  const rules: readonly [ClientStep, number, number, readonly Version[]][] = [
    ['client_hello', 1, 131_397, ['TLSv1.3']],
    ['second_client_hello', 1, 131_397, ['TLSv1.3']],
    ['certificate', 11, 65_537, ['TLSv1.3', 'TLSv1.2']],
    ['certificate_verify', 15, 65_540, ['TLSv1.3', 'TLSv1.2']],
    ['client_key_exchange', 16, 257, ['TLSv1.2']],
    ['finished', 20, 49, ['TLSv1.3', 'TLSv1.2']],
  ];
  return rules.flatMap(([stopBefore, type, length, versions]) =>
    versions.map((version) => ({
      rfc: 'RFC 9846 §6.2',
      rule: `a ${stopBefore} said to have ${length} bytes`,
      version,
      server: certificates,
      client: { ...shows, stopBefore, ...(stopBefore === 'second_client_hello' && { keyShares: [] }) },
      act: header(type, length),
      alert: 'decode_error' as const,
    })),
  );
}

table('messages longer than their kind may be', tooLong());

table('certificates of clients, RFC 9846 §4.4.2, §4.5.1, §4.5.2, RFC 5246 §7.4.6, §7.4.8', [
  {
    rfc: 'RFC 9846 §4.5.1.3',
    rule: 'none where one is demanded',
    server: demanding,
    alert: 'certificate_required',
  },
  {
    rfc: 'RFC 5246 §7.4.6',
    rule: 'none where one is demanded',
    version: 'TLSv1.2',
    server: demanding,
    alert: 'handshake_failure',
  },
  ...inBoth({
    rfc: '§4.5.1',
    rule: 'no Certificate at all',
    server: demanding,
    client: { ...showing, stopBefore: 'certificate' },
    act: ({ client }) => client.skip(),
    alert: 'unexpected_message',
  }),
  ...inBoth({
    rfc: '§4.5.2',
    rule: 'a certificate without CertificateVerify',
    server: demanding,
    client: { ...showing, stopBefore: 'certificate_verify' },
    act: ({ client }) => client.skip(),
    alert: 'unexpected_message',
  }),
  ...inBoth({
    rfc: '§4.4.2',
    rule: 'a certificate that was not asked for',
    client: { stopBefore: 'finished' },
    act: ({ client }) => client.sendMessage(frame(certificateTls12, { certificateList: shown.chain })),
    alert: 'unexpected_message',
  }),
  ...inBoth({
    rfc: '§4.5.2',
    rule: 'CertificateVerify without a certificate',
    server: { clientAuth: { mode: 'request', verifyClient: () => true } },
    client: { stopBefore: 'finished' },
    act: sendMessage('certificate_verify', 8, 7, 0, 0),
    alert: 'unexpected_message',
  }),
  ...inBoth({
    rfc: '§4.5.2',
    rule: 'a signature of something else',
    server: demanding,
    client: { certificate: { ...shown, sign: (content) => shown.sign(content.subarray(1)) } },
    alert: 'decrypt_error',
  }),
  ...inBoth({
    rfc: '§4.5.2',
    rule: 'an empty signature',
    server: demanding,
    client: { certificate: { ...shown, sign: () => new Uint8Array(0) } },
    alert: 'decrypt_error',
  }),
  ...inBoth({
    rfc: '§4.5.2',
    rule: 'a scheme that is not for the key',
    server: demanding,
    client: { certificate: { ...shown, scheme: 'ecdsa_secp256r1_sha256' } },
    alert: 'illegal_parameter',
  }),
  ...inBoth({
    rfc: '§4.5.2',
    rule: 'a scheme that was not offered',
    server: demanding,
    client: { ...showing, ...rewriting('certificate_verify', ([, , ...signature]) => [2, 3, ...signature]) },
    alert: 'illegal_parameter',
  }),
  {
    rfc: 'RFC 9846 §4.5.2',
    rule: 'RSASSA-PKCS1-v1_5',
    server: demanding,
    client: { certificate: clientCertificate('rsa2048', 'rsa_pkcs1_sha256') },
    alert: 'illegal_parameter',
  },
  {
    rfc: 'RFC 9846 §4.3.3',
    rule: 'P-384 with SHA-256',
    server: demanding,
    client: { certificate: clientCertificate('ecdsaP384', 'ecdsa_secp256r1_sha256') },
    alert: 'illegal_parameter',
  },
  ...(['secp521r1', 'secp256k1', 'rsa1024', 'ed448', 'rsa-pss'] as const).flatMap((kind) =>
    inBoth({
      rfc: '§6.2',
      rule: `a key that is not served, ${kind}`,
      server: demanding,
      client: showingStrange(kind),
      alert: 'unsupported_certificate',
    }),
  ),
  ...(
    [
      ['a byte that is none', Uint8Array.of(0)],
      ['one cut off', leaf.subarray(0, -1)],
      ['one with a byte behind it', concat(leaf, Uint8Array.of(0))],
      ['a key that is no point', noPoint],
      ['a key that breaks off', noModulus],
    ] as const
  ).flatMap(([rule, certificate]) =>
    inBoth({
      rfc: '§6.2',
      rule: `no certificate: ${rule}`,
      server: demanding,
      client: showingChain(certificate),
      alert: 'bad_certificate',
    }),
  ),
  ...inBoth({
    rfc: '§4.5.1',
    rule: 'an empty certificate',
    server: demanding,
    client: { ...showing, ...rewriting('certificate', emptyEntry) },
    alert: 'decode_error',
  }),
  ...inBoth({
    rfc: '§4.5.1',
    rule: 'more certificates than any chain has',
    server: demanding,
    client: showingChain(...Array.from({ length: 17 }, () => leaf)),
    alert: 'illegal_parameter',
  }),
  ...inBoth({
    rfc: '§4.5.1',
    rule: 'more than 64 KiB',
    server: demanding,
    client: showingChain(leaf, new Uint8Array(65536)),
    alert: 'decode_error',
  }),
  {
    rfc: 'RFC 9846 §4.5.1',
    rule: 'a certificate_request_context that was not sent',
    server: demanding,
    client: { ...showing, ...rewriting('certificate', ([, ...list]) => [1, 7, ...list]) },
    alert: 'illegal_parameter',
  },
  {
    rfc: 'RFC 9846 §4.3',
    rule: 'an extension of a certificate that was not asked for',
    server: demanding,
    client: { ...showing, ...rewriting('certificate', withEntryExtension) },
    alert: 'unsupported_extension',
  },
  ...inBoth({
    rfc: '§6.2',
    rule: 'the application refuses it',
    server: { clientAuth: { mode: 'require', verifyClient: () => false } },
    client: showing,
    alert: 'certificate_unknown',
  }),
  ...inBoth({
    rfc: '§6.2',
    rule: 'the application fails',
    server: {
      clientAuth: {
        mode: 'require',
        verifyClient: () => {
          throw new Error('broken');
        },
      },
    },
    client: showing,
    alert: 'internal_error',
  }),
]);

table('records, RFC 9846 §5 and RFC 5246 §6.2', [
  ...inBoth({
    rfc: '§5',
    rule: 'a record of unknown type at the beginning',
    client: atHello,
    act: sendRaw(71, 69, 84, 32, 47),
    alert: 'unexpected_message',
  }),
  ...inBoth({
    rfc: '§5',
    rule: 'a heartbeat record at the beginning',
    client: atHello,
    act: sendRaw(24, 3, 1, 0, 3),
    alert: 'unexpected_message',
  }),
  ...inBoth({
    rfc: '§5',
    rule: 'a record of type 0',
    client: atHello,
    act: sendRaw(0, 3, 1, 0, 3),
    alert: 'unexpected_message',
  }),
  ...inBoth({
    rfc: '§5',
    rule: 'a record of unknown type later',
    act: sendRaw(25, 3, 3, 0, 1, 0),
    alert: 'unexpected_message',
  }),
  ...inBoth({
    rfc: '§5',
    rule: 'data at the beginning',
    client: atHello,
    act: send(ContentType.application_data, 1),
    alert: 'unexpected_message',
  }),
  ...inBoth({
    rfc: '§5',
    rule: 'empty data at the beginning',
    client: atHello,
    act: send(ContentType.application_data),
    alert: 'unexpected_message',
  }),
  {
    rfc: '§5',
    rule: 'data before Finished',
    client: atFinished,
    act: send(ContentType.application_data, 1),
    alert: 'unexpected_message',
  },
  {
    rfc: '§5',
    rule: 'empty data before Finished',
    client: atFinished,
    act: send(ContentType.application_data),
    alert: 'unexpected_message',
  },
  {
    rfc: 'RFC 5246 §7.4.9',
    rule: 'data before ClientKeyExchange',
    version: 'TLSv1.2',
    client: atKeyExchange,
    act: send(ContentType.application_data, 1),
    alert: 'unexpected_message',
  },
  {
    rfc: 'RFC 5246 §7.4.9',
    rule: 'data before Finished',
    version: 'TLSv1.2',
    client: atFinished,
    act: send(ContentType.application_data, 1),
    alert: 'unexpected_message',
  },
  {
    rfc: 'RFC 5246 §7.4.9',
    rule: 'empty data before Finished',
    version: 'TLSv1.2',
    client: atFinished,
    act: send(ContentType.application_data),
    alert: 'unexpected_message',
  },
  ...inBoth({
    rfc: '§5',
    rule: 'ChangeCipherSpec before ClientHello',
    client: atHello,
    act: send(ContentType.change_cipher_spec, 1),
    alert: 'unexpected_message',
  }),
  {
    rfc: '§5',
    rule: 'ChangeCipherSpec after Finished',
    act: sendPlaintext(ContentType.change_cipher_spec, 1),
    alert: 'unexpected_message',
  },
  {
    rfc: '§5',
    rule: 'ChangeCipherSpec with the value 2',
    client: atFinished,
    act: sendPlaintext(ContentType.change_cipher_spec, 2),
    alert: 'unexpected_message',
  },
  {
    rfc: '§5',
    rule: 'ChangeCipherSpec of two bytes',
    client: atFinished,
    act: sendPlaintext(ContentType.change_cipher_spec, 1, 1),
    alert: 'unexpected_message',
  },
  {
    rfc: '§5',
    rule: 'an empty ChangeCipherSpec',
    client: atFinished,
    act: sendPlaintext(ContentType.change_cipher_spec),
    alert: 'unexpected_message',
  },
  {
    rfc: '§5',
    rule: 'ChangeCipherSpec under a key',
    client: atFinished,
    act: send(ContentType.change_cipher_spec, 1),
    alert: 'unexpected_message',
  },
  {
    rfc: '§5',
    rule: 'ChangeCipherSpec with the value 2 before the second hello',
    client: atSecondHello,
    act: send(ContentType.change_cipher_spec, 2),
    alert: 'unexpected_message',
  },
  {
    rfc: '§5',
    rule: 'ChangeCipherSpec over and over',
    client: atFinished,
    act: many(33, sendPlaintext(ContentType.change_cipher_spec, 1)),
    alert: 'unexpected_message',
  },
  {
    rfc: 'RFC 5246 §7.1',
    rule: 'ChangeCipherSpec before ClientKeyExchange (CVE-2014-0224)',
    version: 'TLSv1.2',
    client: atKeyExchange,
    act: send(ContentType.change_cipher_spec, 1),
    alert: 'unexpected_message',
  },
  {
    rfc: 'RFC 5246 §7.1',
    rule: 'ChangeCipherSpec with the value 2',
    version: 'TLSv1.2',
    client: atChangeCipherSpec,
    act: send(ContentType.change_cipher_spec, 2),
    alert: 'unexpected_message',
  },
  {
    rfc: 'RFC 5246 §7.1',
    rule: 'ChangeCipherSpec after Finished',
    version: 'TLSv1.2',
    act: send(ContentType.change_cipher_spec, 1),
    alert: 'unexpected_message',
  },
  ...inBoth({
    rfc: '§5.1',
    rule: 'an empty handshake record',
    client: atHello,
    act: send(ContentType.handshake),
    alert: 'unexpected_message',
  }),
  ...inBoth({
    rfc: '§5.1, §5.4',
    rule: 'an empty handshake record under a key',
    act: send(ContentType.handshake),
    alert: 'unexpected_message',
  }),
  { rfc: '§5.4', rule: 'an empty alert under a key', act: send(ContentType.alert), alert: 'unexpected_message' },
  {
    rfc: 'RFC 5246 §6.2.1',
    rule: 'an empty alert',
    version: 'TLSv1.2',
    act: send(ContentType.alert),
    alert: 'decode_error',
  },
  ...inBoth({ rfc: '§5.1', rule: 'half an alert', act: send(ContentType.alert, 1), alert: 'decode_error' }),
  ...inBoth({
    rfc: '§5.1',
    rule: 'two alerts in a record',
    act: send(ContentType.alert, 1, 90, 1, 0),
    alert: 'decode_error',
  }),
  ...inBoth({
    rfc: '§5.1',
    rule: 'data inside a message',
    act: interleaved(ContentType.application_data, 1),
    alert: 'unexpected_message',
  }),
  ...inBoth({
    rfc: '§5.1',
    rule: 'empty data inside a message',
    act: interleaved(ContentType.application_data),
    alert: 'unexpected_message',
  }),
  ...inBoth({
    rfc: '§5.1',
    rule: 'ChangeCipherSpec inside a ClientHello',
    client: atHello,
    act: (link) => {
      send(ContentType.handshake, 1, 0, 0)(link);
      send(ContentType.change_cipher_spec, 1)(link);
    },
    alert: 'unexpected_message',
  }),
  {
    rfc: '§5.1',
    rule: 'ChangeCipherSpec inside a Finished',
    client: atFinished,
    act: (link) => {
      send(ContentType.handshake, 20, 0, 0)(link);
      sendPlaintext(ContentType.change_cipher_spec, 1)(link);
    },
    alert: 'unexpected_message',
  },
  {
    rfc: '§5.2',
    rule: 'a handshake record in the clear after ServerHello',
    client: atFinished,
    act: sendPlaintext(ContentType.handshake, 20, 0, 0, 32),
    alert: 'unexpected_message',
  },
  {
    rfc: '§5.2',
    rule: 'an alert in the clear after Finished',
    act: sendPlaintext(ContentType.alert, 1, 0),
    alert: 'unexpected_message',
  },
  {
    rfc: '§5.2',
    rule: 'data in the clear after Finished',
    act: sendPlaintext(ContentType.application_data, ...zeros(40)),
    alert: 'bad_record_mac',
  },
  { rfc: '§5.2', rule: 'an inner type that does not exist', act: send(99, 1), alert: 'unexpected_message' },
  { rfc: '§5.2', rule: 'an inner type 24', act: send(24, 1), alert: 'unexpected_message' },
  {
    rfc: '§5.4',
    rule: 'nothing but zeros inside',
    act: ({ client }) => client.injector.record(0, new Uint8Array(19)),
    alert: 'unexpected_message',
  },
  { rfc: '§5.4', rule: 'nothing at all inside', act: sendEmptyInner, alert: 'unexpected_message' },
  ...inBoth({ rfc: '§5.2', rule: 'a wrong tag', act: sendDamaged, alert: 'bad_record_mac' }),
  ...inBoth({
    rfc: '§5.2',
    rule: 'a wrong tag before Finished',
    client: atFinished,
    act: sendDamaged,
    alert: 'bad_record_mac',
  }),
  ...inBoth({
    rfc: '§5.2',
    rule: 'a record shorter than a tag',
    act: sendPlaintext(ContentType.application_data, ...zeros(15)),
    alert: 'bad_record_mac',
  }),
  ...inBoth({
    rfc: '§5.2',
    rule: 'an empty record under a key',
    act: sendPlaintext(ContentType.application_data),
    alert: 'bad_record_mac',
  }),
  ...inBoth({
    rfc: '§5.3',
    rule: 'a record played again',
    act: (link) => {
      link.client.sendData(Uint8Array.of(1));
      const bytes = link.client.take();
      link.send(bytes).send(bytes);
    },
    alert: 'bad_record_mac',
  }),
  ...inBoth({
    rfc: '§5.1',
    rule: 'a plaintext of 2^14 + 1 bytes',
    client: atHello,
    act: sendRaw(22, 3, 1, 0x40, 1),
    alert: 'record_overflow',
  }),
  { rfc: '§5.2', rule: 'a ciphertext of 2^14 + 257 bytes', act: sendRaw(23, 3, 3, 0x41, 1), alert: 'record_overflow' },
  {
    rfc: '§5.2',
    rule: 'a ciphertext of 2^14 + 257 bytes before Finished',
    client: atFinished,
    act: sendRaw(23, 3, 3, 0x41, 1),
    alert: 'record_overflow',
  },
  {
    rfc: 'RFC 5246 §6.2.3',
    rule: 'a ciphertext of 2^14 + 2049 bytes',
    version: 'TLSv1.2',
    act: sendRaw(23, 3, 3, 0x48, 1),
    alert: 'record_overflow',
  },
  {
    rfc: '§5.4',
    rule: '2^14 + 2 bytes inside',
    act: ({ client }) => client.injector.record(23, new Uint8Array(16385).fill(23)),
    alert: 'record_overflow',
  },
  {
    rfc: '§5.4',
    rule: '2^14 + 2 bytes inside, padding included',
    act: ({ client }) => client.injector.record(23, new Uint8Array(1), { padding: 16384 }),
    alert: 'record_overflow',
  },
  {
    rfc: 'RFC 5246 §6.2.1',
    rule: '2^14 + 1 bytes inside',
    version: 'TLSv1.2',
    act: send(ContentType.application_data, ...zeros(16385)),
    alert: 'record_overflow',
  },
  ...inBoth({
    rfc: '§5.1',
    rule: 'empty data over and over',
    act: many(33, send(ContentType.application_data)),
    alert: 'unexpected_message',
  }),
  {
    rfc: '§4.3.10',
    rule: 'more early data than is skipped',
    server: { limits: { skippedEarlyData: 100 } },
    client: { ...atFinished, earlyData: true },
    act: many(2, sendPlaintext(ContentType.application_data, ...zeros(60))),
    alert: 'unexpected_message',
  },
  {
    rfc: '§4.3.10',
    rule: 'more early data than is skipped, after a HelloRetryRequest',
    server: { limits: { skippedEarlyData: 100 } },
    client: { ...atSecondHello, earlyData: true },
    act: many(2, send(ContentType.application_data, ...zeros(60))),
    alert: 'unexpected_message',
  },
  {
    rfc: '§4.3.10',
    rule: 'a record that does not open once the handshake has gone on',
    client: { earlyData: true },
    act: sendDamaged,
    alert: 'bad_record_mac',
  },
]);

/** The first half of a message that could come, and a record of another type. */
function interleaved(type: number, ...content: number[]) {
  return (link: Exchange): void => {
    const isTls13 = link.client.version === 'TLSv1.3';
    send(ContentType.handshake, isTls13 ? 24 : 1, 0, 0)(link);
    send(type, ...content)(link);
  };
}

/** A tag and nothing under it: not even a content type. */
function sendEmptyInner({ client }: Exchange): void {
  client.injector.record(0, new Uint8Array(0));
}

table('alerts, RFC 9846 §6 and RFC 5246 §7.2', [
  ...inBoth({
    rfc: '§6',
    rule: 'user_canceled over and over',
    act: many(33, ({ client }) => client.sendAlert('user_canceled', 1)),
    alert: 'unexpected_message',
  }),
  {
    rfc: 'RFC 5246 §7.2',
    rule: 'warnings over and over',
    version: 'TLSv1.2',
    act: many(33, ({ client }) => client.sendAlert('no_certificate_RESERVED', 1)),
    alert: 'unexpected_message',
  },
  {
    rfc: '§6.2',
    rule: 'the private key does not sign',
    server: {
      credentials: [
        {
          ...quickCredential,
          sign: () => {
            throw new Error('the HSM is on fire');
          },
        },
      ],
    },
    alert: 'internal_error',
  },
  {
    rfc: '§6.2',
    rule: 'the private key does not sign',
    version: 'TLSv1.2',
    server: {
      credentials: [
        {
          ...quickCredential,
          sign: () => {
            throw new Error('the HSM is on fire');
          },
        },
      ],
    },
    alert: 'internal_error',
  },
  ...inBoth({
    rfc: '§6.2',
    rule: 'no configuration for the server name',
    server: {
      onServerName: () => {
        throw new Error('no such host');
      },
    },
    alert: 'internal_error',
  }),
  ...inBoth({
    rfc: '§6.2',
    rule: 'the configuration for the server name is none',
    // @ts-expect-error: what a user without types may answer
    server: { onServerName: () => ({}) },
    alert: 'internal_error',
  }),
  ...inBoth({
    rfc: '§6.2',
    rule: 'the private key answers with no signature',
    // @ts-expect-error: what a user without types may answer
    server: { credentials: [{ ...quickCredential, sign: () => 'signed' }] },
    alert: 'internal_error',
  }),
  ...inBoth({
    rfc: '§6.2',
    rule: 'the crypto provider makes no key',
    server: { crypto: withX25519({ generate: () => fail('no entropy') }) },
    alert: 'internal_error',
  }),
  ...inBoth({
    rfc: '§6.2',
    rule: 'the crypto provider fails at the key agreement, and not for the peer’s key',
    server: {
      crypto: withX25519({
        generate: () => ({ publicKey: new Uint8Array(32).fill(9), agree: () => fail('out of order'), wipe: () => {} }),
      }),
    },
    alert: 'internal_error',
  }),
]);

function fail(reason: string): never {
  throw new Error(reason);
}

function withX25519(x25519: KeyAgreement): CryptoProvider {
  return { ...noble, groups: { ...noble.groups, x25519 } };
}

describe('every extension of a hello, RFC 9846 §4.3', () => {
  const everything: ClientOptions = {
    sni: 'localhost',
    alpn: ['h2'],
    recordSizeLimit: 1000,
    earlyData: true,
    psks: [{ identity: new Uint8Array(32), secret: new Uint8Array(32), hash: 'sha256' }],
    ...extended({ signatureAlgorithmsCert: [0x0403], cookie: Uint8Array.of(1) }),
  };
  for (const version of ['TLSv1.3', 'TLSv1.2'] as const) {
    const types: number[] = [];
    new ScriptedClient({
      version,
      ...everything,
      rewriteExtensions: (list) => {
        types.push(...list.map(({ type }) => type));
        return list;
      },
    }).take();
    const isUsed = (type: number) =>
      MALFORMED.every(([, other, , versions]) => other !== type || versions.includes(version));

    for (const type of types.filter(isUsed)) {
      const rewrite = (change: (data: Uint8Array) => Uint8Array): ClientOptions => ({
        version,
        ...everything,
        rewriteExtensions: (list) =>
          list.map((extension) => (extension.type === type ? { type, data: change(extension.data) } : extension)),
      });

      it(`${nameOf(ExtensionType, type)} with a byte more, ${version} → decode_error`, () => {
        const client = rewrite((data) => concat(data, Uint8Array.of(0)));
        expectAlert(run({ version, client }), 'decode_error');
      });

      const changed = rewrite((data) => data.subarray(0, -1));
      const isFlag = type === ExtensionType.extended_master_secret || type === ExtensionType.early_data;
      if (isFlag) continue;
      it(`${nameOf(ExtensionType, type)} with a byte less, ${version} → decode_error`, () => {
        expectAlert(run({ version, client: changed }), 'decode_error');
      });
    }
  }
});

describe('onServerName, RFC 6066 §3', () => {
  const versions = ['TLSv1.3', 'TLSv1.2'] as const;
  const refusals = ['unrecognized_name', 'access_denied', 'general_error', 'missing_extension'] as const;
  for (const version of versions) {
    for (const alert of refusals) {
      const error = new TlsAlert(alert, 'no such host');
      for (const [how, onServerName] of [
        ['throws', () => raise(error)],
        ['rejects with', () => Promise.reject(error)],
      ] as const) {
        it(`${how} an alert of its choice (${version}) → ${alert}`, async () => {
          const config = testServer({ onServerName });
          const link = exchange(new ScriptedClient({ version, sni: 'c.example' }), new ServerConnection(config));
          expectAlert(await link.runAsync(), alert);
          expect(link.failure).to.equal(error);
          expect(link.failure?.message).to.equal(`${alert}: no such host`);
          expect(link.has('callback-error')).to.equal(false);
        });
      }
    }

    for (const [what, error] of [
      ['an alert that another connection has received', new TlsAlert('unrecognized_name', 'no such host', 'remote')],
      ['what only looks like an alert', { name: 'TlsAlert', alert: 'unrecognized_name', origin: 'local' }],
      ['an alert behind a Proxy', new Proxy(new TlsAlert('unrecognized_name', 'no such host'), {})],
    ] as const) {
      it(`throws ${what} (${version}) → internal_error, and an event that names it`, () => {
        const link = run({ version, server: { onServerName: () => raise(error) }, client: { sni: 'c.example' } });
        expectAlert(link, 'internal_error');
        expect(link.events).to.deep.include({ type: 'callback-error', callback: 'onServerName', error });
      });
    }
  }
});

function raise(error: unknown): never {
  throw error;
}

describe('PSK binders, RFC 9846 §4.3.11.2', () => {
  it('of every length are refused in good order (GnuTLS CVE-2026-1584)', () => {
    const config = testServer();
    const { tickets } = exchange(new ScriptedClient(), new ServerConnection(config)).client;
    for (let length = 0; length < 256; length++) {
      const rewriteBinders = (binders: readonly Uint8Array[]) => binders.map(() => new Uint8Array(length));
      const client = new ScriptedClient({ psks: tickets, rewriteBinders });
      expectAlert(exchange(client, new ServerConnection(config)), length < 32 ? 'decode_error' : 'decrypt_error');
    }
  });

  it('of an identity of 65 kB are not looked at, nor is the identity (wolfSSL CVE-2019-11873)', () => {
    const psks = [{ identity: new Uint8Array(65_000), secret: new Uint8Array(32), hash: 'sha256' }] as const;
    const link = run({ client: { psks } });
    expect(link.failure).to.equal(undefined);
    expect(link.connection.resumption.reason).to.equal('undecryptable');
  });
});

/** What a peer may tell, and what becomes of the connection. */
interface Told {
  readonly alert: AlertName | number;
  readonly level: number;
  readonly version?: Version;
  readonly client?: ClientOptions;
  /** In the clear, whatever key there is. */
  readonly plaintext?: boolean;
  /** How it fails; `end` for a close_notify, nothing where it goes on. */
  readonly outcome: AlertName | 'end' | undefined;
}

describe('alerts of the peer, RFC 9846 §6 and RFC 5246 §7.2', () => {
  const { warning, fatal } = AlertLevel;
  const tls12 = { version: 'TLSv1.2' } as const;
  const rows: readonly Told[] = [
    { alert: 'handshake_failure', level: fatal, client: atHello, outcome: 'handshake_failure' },
    { alert: 'unknown_ca', level: fatal, client: atFinished, outcome: 'unknown_ca' },
    { alert: 'protocol_version', level: fatal, client: atFinished, plaintext: true, outcome: 'protocol_version' },
    { alert: 'illegal_parameter', level: fatal, client: atSecondHello, outcome: 'illegal_parameter' },
    { alert: 'bad_record_mac', level: fatal, outcome: 'bad_record_mac' },
    { alert: 'bad_certificate', level: warning, client: atFinished, outcome: 'bad_certificate' },
    { alert: 'no_renegotiation', level: warning, outcome: 'no_renegotiation' },
    { alert: 200, level: fatal, outcome: 'internal_error' },
    { alert: 200, level: warning, outcome: 'internal_error' },
    { alert: 'unexpected_message', level: 77, outcome: 'unexpected_message' },
    { alert: 'close_notify', level: warning, outcome: 'end' },
    { alert: 'close_notify', level: fatal, outcome: 'end' },
    { alert: 'close_notify', level: warning, client: atFinished, outcome: 'end' },
    { alert: 'close_notify', level: warning, client: atHello, outcome: 'end' },
    { alert: 'user_canceled', level: warning, outcome: undefined },
    { alert: 'user_canceled', level: fatal, outcome: undefined },
    { alert: 'user_canceled', level: warning, client: atFinished, outcome: undefined },
    { ...tls12, alert: 'handshake_failure', level: fatal, client: atHello, outcome: 'handshake_failure' },
    { ...tls12, alert: 'certificate_unknown', level: fatal, client: atKeyExchange, outcome: 'certificate_unknown' },
    { ...tls12, alert: 'decrypt_error', level: fatal, client: atFinished, outcome: 'decrypt_error' },
    { ...tls12, alert: 'bad_record_mac', level: fatal, outcome: 'bad_record_mac' },
    { ...tls12, alert: 200, level: fatal, outcome: 'internal_error' },
    { ...tls12, alert: 200, level: warning, outcome: undefined },
    { ...tls12, alert: 'no_renegotiation', level: warning, outcome: undefined },
    { ...tls12, alert: 'unrecognized_name', level: warning, client: atKeyExchange, outcome: undefined },
    { ...tls12, alert: 'user_canceled', level: warning, outcome: undefined },
    { ...tls12, alert: 'user_canceled', level: fatal, outcome: 'user_canceled' },
    { ...tls12, alert: 'user_canceled', level: fatal, client: atKeyExchange, outcome: 'user_canceled' },
    { ...tls12, alert: 'no_renegotiation', level: fatal, outcome: 'no_renegotiation' },
    { ...tls12, alert: 'handshake_failure', level: warning, outcome: undefined },
    { ...tls12, alert: 'unexpected_message', level: 77, outcome: 'unexpected_message' },
    { ...tls12, alert: 'close_notify', level: fatal, outcome: 'end' },
    { ...tls12, alert: 'close_notify', level: warning, outcome: 'end' },
    { ...tls12, alert: 'close_notify', level: warning, client: atKeyExchange, outcome: 'end' },
  ];
  for (const { alert, level, version = 'TLSv1.3', client = {}, plaintext = false, outcome } of rows) {
    const where = client.stopBefore === undefined ? 'when established' : `before ${client.stopBefore}`;
    const what = `${alert} at level ${level}, ${where}${plaintext ? ' in the clear' : ''}, ${version}`;
    it(`${what} → ${outcome ?? 'goes on'}`, () => {
      const link = run({ version, client });
      const before = link.client.received.length;
      const description = typeof alert === 'number' ? alert : AlertDescription[alert];
      link.client.injector.record(ContentType.alert, Uint8Array.of(level, description), { plaintext });
      link.run();
      expect(link.events).to.deep.include({ type: 'alert', direction: 'received', level, description });
      const isEnd = outcome === 'end';
      expect(link.has('end')).to.equal(isEnd);
      expect(link.failure?.alert).to.equal(isEnd ? undefined : outcome);
      // No alert is answered by an alert; a close_notify only when what has been asked for is answered.
      expect(link.client.alerts).to.deep.equal([]);
      expect(link.client.received.length).to.equal(before);
      if (outcome === undefined) return expectGoesOn(link);
      if (!isEnd) expect(link.failure?.origin).to.equal('remote');
      const after = link.connection.receive(Uint8Array.of(99));
      expect(after.output.length + after.events.length).to.equal(0);
    });
  }

  it('are not answered, nor is anything else, once our close_notify is out', () => {
    for (const version of ['TLSv1.3', 'TLSv1.2'] as const) {
      const link = run({ version });
      link.step(link.connection.end());
      sendDamaged(link);
      expect(link.failure?.alert).to.equal('bad_record_mac');
      expect(link.client.alerts.map(({ name }) => name)).to.deep.equal(['close_notify']);
    }
  });
});

function expectGoesOn(link: Exchange): void {
  if (link.client.stoppedBefore !== undefined) link.client.proceed();
  link.run();
  link.client.sendData(Uint8Array.of(42));
  expect([...link.run().data]).to.deep.equal([42]);
}
