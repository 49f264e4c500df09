/**
 * A scripted TLS client, synchronous and without I/O, on the codecs and the key schedule of src/: it does a handshake by
 * itself, stops wherever a test wants to take over, and writes down all that it hears.
 *
 *     const client = new TestClient({ version: 'TLSv1.3', alpn: ['h2'] });
 *     const { events } = exchange(client, connection);
 *     new TestClient({ psks: client.tickets }) // resumes
 */

import {
  applicationTrafficSecrets,
  certificateVerifyContent,
  type EarlySecret,
  earlySecret,
  exporterMasterSecret,
  exportKeyingMaterial,
  finishedMac,
  handshakeSecret,
  handshakeTrafficSecrets,
  type MasterSecret,
  masterSecret,
  nextTrafficSecret,
  resumptionMasterSecret,
  resumptionPsk,
  type TrafficSecrets,
} from '../../src/crypto/key-schedule.ts';
import {
  storedMasterSecret,
  type Tls12MasterSecret,
  tls12ExportKeyingMaterial,
  tls12ExtendedMasterSecret,
  tls12Keys,
  tls12MasterSecret,
  tls12VerifyData,
} from '../../src/crypto/prf.ts';
import { explicitNonceLength, Tls12Protection, trafficProtection } from '../../src/crypto/protection.ts';
import type { CryptoProvider, EphemeralKey, Hash } from '../../src/crypto/provider.ts';
import { noble } from '../../src/crypto/providers/noble.ts';
import { SUITES, type SuiteParameters, suiteById } from '../../src/crypto/suites.ts';
import { Transcript } from '../../src/crypto/transcript.ts';
import {
  Certificate,
  CertificateTls12,
  certificate,
  certificateTls12,
} from '../../src/handshake/messages/certificate.ts';
import { CertificateRequest, CertificateRequestTls12 } from '../../src/handshake/messages/certificate-request.ts';
import { CertificateVerify, certificateVerify } from '../../src/handshake/messages/certificate-verify.ts';
import { ClientHello } from '../../src/handshake/messages/client-hello.ts';
import { clientKeyExchange } from '../../src/handshake/messages/client-key-exchange.ts';
import { EncryptedExtensions } from '../../src/handshake/messages/encrypted-extensions.ts';
import { finished } from '../../src/handshake/messages/finished.ts';
import { KeyUpdate, KeyUpdateRequest, keyUpdate } from '../../src/handshake/messages/key-update.ts';
import { frame } from '../../src/handshake/messages/message.ts';
import { NewSessionTicket, NewSessionTicketTls12 } from '../../src/handshake/messages/new-session-ticket.ts';
import {
  HELLO_RETRY_REQUEST_RANDOM,
  HelloRetryRequest,
  ServerHello,
  ServerHelloTls12,
} from '../../src/handshake/messages/server-hello.ts';
import { ServerKeyExchange } from '../../src/handshake/messages/server-key-exchange.ts';
import { Alert, alertName } from '../../src/wire/alert.ts';
import { concat, EMPTY, equalBytes } from '../../src/wire/bytes.ts';
import { decode, encode } from '../../src/wire/codec.ts';
import {
  AlertDescription,
  AlertLevel,
  type AlertName,
  CipherSuite,
  type CipherSuiteName,
  ContentType,
  ExtensionType,
  type GroupName,
  HandshakeType,
  NamedGroup,
  nameOf,
  ProtocolVersion,
  PskKeyExchangeMode,
  type PskMode,
  SignatureScheme,
  type SignatureSchemeName,
  type Version,
} from '../../src/wire/registry.ts';
import type { World } from '../../src/world.ts';
import type { ClientCertificate } from './client-certificates.ts';
import { type ClientPsk, encodeHello, type HelloDraft, type HelloScript } from './client-hello.ts';
import { ClientRecords, type ReceivedRecord } from './client-records.ts';
import { verifySignature } from './signatures.ts';
import { TestWorld } from './world.ts';

export { type Exchange, exchange, exchangeAsync } from './exchange.ts';

/** Where the client can be made to wait for the test. */
export type ClientStep =
  | 'client_hello'
  | 'second_client_hello'
  | 'certificate'
  | 'certificate_verify'
  | 'client_key_exchange'
  | 'change_cipher_spec'
  | 'finished';

/** What a TLS 1.2 session leaves with its client. */
export interface ClientSession {
  readonly id: Uint8Array;
  readonly secret: Uint8Array;
  readonly cipherSuite: number;
  /** RFC 5077: the last that was not empty. */
  readonly ticket?: Uint8Array | undefined;
}

/** A NewSessionTicket with its PSK: may be offered as it is. */
export interface ClientTicket extends ClientPsk {
  readonly cipherSuite: number;
  readonly lifetime: number;
  readonly ageAdd: number;
  readonly nonce: Uint8Array;
}

export interface ClientOptions extends HelloScript {
  /** The highest version; default 'TLSv1.3', which offers TLS 1.2 too. */
  readonly version?: Version | undefined;
  /** The content of supported_versions; `false` leaves the extension out. */
  readonly supportedVersions?: readonly number[] | false | undefined;
  /** Names, or numbers for what has none. Default: every suite of the offered versions. */
  readonly ciphers?: readonly (CipherSuiteName | number)[] | undefined;
  /** Default all three; `false` leaves the extension out. */
  readonly groups?: readonly (GroupName | number)[] | false | undefined;
  /** TLS 1.3: the groups to send a share of; default the first of `groups`, none leads to a HelloRetryRequest. `false` leaves the extension out. */
  readonly keyShares?: readonly GroupName[] | false | undefined;
  readonly sni?: string | undefined;
  readonly alpn?: readonly string[] | undefined;
  /** Default: all that this library knows; `false` leaves the extension out. */
  readonly signatureAlgorithms?: readonly SignatureSchemeName[] | false | undefined;
  /** Default both in a TLS 1.3 hello, as without the extension there would be no tickets; `false` leaves it out. */
  readonly pskModes?: readonly PskMode[] | false | undefined;
  readonly psks?: readonly ClientPsk[] | undefined;
  /** TLS 1.2: the session to resume, by its ticket where it has one, else by its id. */
  readonly session?: ClientSession | undefined;
  /** legacy_session_id; default 32 bytes in a TLS 1.3 hello (middlebox compatibility), the session's id or none in TLS 1.2. */
  readonly sessionId?: Uint8Array | undefined;
  /** RFC 5077: the ticket, empty for "I know them"; default the session's. `false` leaves the extension out, as does no session. */
  readonly ticketExt?: Uint8Array | false | undefined;
  /** RFC 9149 */
  readonly ticketRequest?: { readonly newSessionCount: number; readonly resumptionCount: number } | undefined;
  /** extended_master_secret, default true. */
  readonly ems?: boolean | undefined;
  /** Default 'extension', with an empty value. */
  readonly renegotiationInfo?: 'extension' | 'scsv' | false | undefined;
  readonly fallbackScsv?: boolean | undefined;
  readonly recordSizeLimit?: number | undefined;
  /** The code of RFC 6066 §4. */
  readonly maxFragmentLength?: number | undefined;
  readonly earlyData?: boolean | undefined;
  /** Default uncompressed only; `false` leaves it out of a hello that offers TLS 1.2. */
  readonly ecPointFormats?: readonly number[] | false | undefined;
  /** Any handshake message before it is hashed and sent; the hello's binders are not made anew. */
  readonly rewriteMessage?: ((name: string, raw: Uint8Array) => Uint8Array) | undefined;
  /** The same, but on the wire only: the transcript has the message as it was. */
  readonly rewriteWire?: ((name: string, raw: Uint8Array) => Uint8Array) | undefined;
  /** Waits before this step; `proceed()` goes on. */
  readonly stopBefore?: ClientStep | undefined;
  /** Bytes of a handshake message in one record; default as many as fit. */
  readonly fragment?: number | undefined;
  /** TLS 1.3: zeros in every protected record. */
  readonly padding?: number | undefined;
  /** TLS 1.3: send ChangeCipherSpec in middlebox compatibility mode; default true where there is a session id. */
  readonly changeCipherSpec?: boolean | undefined;
  /** What it shows where it is asked for a certificate; default none. */
  readonly certificate?: ClientCertificate | undefined;
  /** Check the server's signature with node:crypto; default false. */
  readonly verify?: boolean | undefined;
  /** Answer update_requested; default true. */
  readonly polite?: boolean | undefined;
  readonly world?: World | undefined;
  readonly crypto?: CryptoProvider | undefined;
}

/** What the client has heard, in order. */
export type Received =
  | { readonly kind: 'handshake'; readonly name: string; readonly type: number; readonly raw: Uint8Array }
  | { readonly kind: 'change_cipher_spec' }
  | { readonly kind: 'data'; readonly data: Uint8Array }
  | ({ readonly kind: 'alert' } & ReceivedAlert);

export interface ReceivedAlert {
  readonly level: number;
  readonly description: number;
  readonly name: AlertName | undefined;
  readonly protected: boolean;
}

const PLAIN_LIMIT = 16384;
/** Key pairs are made once for all clients: a test pays for one scalar multiplication, not for two. */
const keyPairs = new Map<unknown, EphemeralKey>();

function keyPair(crypto: CryptoProvider, group: GroupName): EphemeralKey {
  const agreement = crypto.groups[group];
  const known = keyPairs.get(agreement);
  if (known !== undefined) return known;
  const world = new TestWorld(7);
  const made = agreement?.generate((length) => world.randomBytes(length)) as EphemeralKey;
  keyPairs.set(agreement, made);
  return made;
}

export class TestClient {
  readonly options: ClientOptions;
  readonly crypto: CryptoProvider;
  readonly records = new ClientRecords();
  readonly received: Received[] = [];
  /** Every record, opened. */
  readonly receivedRecords: ReceivedRecord[] = [];
  /** The hellos that were sent, as they were before anything was rewritten in bytes. */
  readonly hellos: HelloDraft[] = [];
  /** The very bytes of the messages sent, in order. */
  readonly sent: { readonly name: string; readonly raw: Uint8Array }[] = [];
  readonly tickets: ClientTicket[] = [];
  /** TLS 1.2: what NewSessionTicket said, empty tickets included. */
  ticketTls12: NewSessionTicketTls12 | undefined;
  readonly clientRandom: Uint8Array;
  helloRetryRequest: HelloRetryRequest | undefined;
  serverHello: ServerHello | ServerHelloTls12 | undefined;
  encryptedExtensions: EncryptedExtensions['extensions'] | undefined;
  certificates: readonly Uint8Array[] | undefined;
  certificateVerify: CertificateVerify | undefined;
  certificateRequest: CertificateRequest | CertificateRequestTls12 | undefined;
  serverKeyExchange: ServerKeyExchange | undefined;
  version: Version | undefined;
  suite: SuiteParameters | undefined;
  isResumed = false;
  isEstablished = false;
  /** The server has sent close_notify. */
  isEnded = false;
  /** Where it waits for the test. */
  stoppedBefore: ClientStep | undefined;
  /** What an SSLKEYLOG of this client would have, by label. */
  readonly secrets = new Map<string, Uint8Array>();

  readonly #world: World;
  readonly #transcript = new Transcript();
  #handshakeBytes: Uint8Array = EMPTY;
  #todo: { readonly step: ClientStep; readonly act: () => void }[] = [];
  #early: EarlySecret | undefined;
  #handshake: TrafficSecrets | undefined;
  #application: TrafficSecrets | undefined;
  #master: MasterSecret | undefined;
  #master12: Tls12MasterSecret | undefined;
  #exporter: ReturnType<typeof exporterMasterSecret> | undefined;
  #resumption: ReturnType<typeof resumptionMasterSecret> | undefined;
  /** Tickets that came before our Finished: their PSKs depend on it. */
  readonly #earlyTickets: NewSessionTicket[] = [];
  #hasSentChangeCipherSpec = false;

  constructor(options: ClientOptions = {}) {
    this.options = options;
    this.crypto = options.crypto ?? noble;
    this.#world = options.world ?? new TestWorld(3);
    this.clientRandom = this.#world.randomBytes(32);
    this.#transcript.retain();
    this.#do('client_hello', () => this.sendClientHello());
  }

  // What the server has said.

  /** Names of the handshake messages received, `change_cipher_spec`, `data` and `alert` among them. */
  get heard(): readonly string[] {
    return this.received.map((item) => (item.kind === 'handshake' ? item.name : item.kind));
  }

  get alerts(): readonly ReceivedAlert[] {
    return this.received.filter((item) => item.kind === 'alert');
  }

  /** The last alert. */
  get alert(): ReceivedAlert | undefined {
    return this.alerts.at(-1);
  }

  /** All application data, in one piece. */
  get data(): Uint8Array {
    return concat(...this.received.map((item) => (item.kind === 'data' ? item.data : EMPTY)));
  }

  /** TLS 1.2: what can be resumed. */
  get session(): ClientSession {
    if (this.#master12 === undefined || this.serverHello === undefined || this.suite === undefined)
      throw new Error('no TLS 1.2 session');
    const { legacySessionIdEcho: id } = this.serverHello;
    const fresh = this.ticketTls12?.ticket ?? EMPTY;
    const ticket = fresh.length > 0 ? fresh : this.isResumed ? this.options.session?.ticket : undefined;
    return { id, secret: this.#master12.bytes, cipherSuite: this.suite.id, ticket };
  }

  get group(): GroupName | undefined {
    const number = this.serverKeyExchange?.params.namedCurve ?? this.#serverShare?.group;
    return number === undefined ? undefined : (nameOf(NamedGroup, number) as GroupName);
  }

  get #serverShare() {
    const { extensions } = this.serverHello ?? {};
    return extensions !== undefined && 'keyShare' in extensions ? extensions.keyShare : undefined;
  }

  get #hash(): Hash {
    if (this.suite === undefined) throw new Error('no suite yet');
    return this.crypto.hashes[this.suite.hash];
  }

  exportKeyingMaterial(length: number, label: string, context?: Uint8Array): Uint8Array {
    if (this.#master12 !== undefined) {
      return tls12ExportKeyingMaterial(this.#master12, this.#randoms, { length, label, context });
    }
    const exporter = this.#exporter as ReturnType<typeof exporterMasterSecret>;
    return exportKeyingMaterial(exporter, label, context ?? EMPTY, length);
  }

  get #randoms() {
    return { client: this.clientRandom, server: this.serverHello?.random ?? EMPTY };
  }

  // What the client does.

  /** Bytes for the server. The first call brings the ClientHello. */
  take(): Uint8Array {
    this.#run();
    return this.records.take();
  }

  /** Goes on from where `stopBefore` had it wait. */
  proceed(): void {
    this.stoppedBefore = undefined;
    const next = this.#todo.shift();
    next?.act();
    this.#run();
  }

  /** Leaves out the step it waits before, and goes on. */
  skip(): void {
    this.#todo.shift();
    this.stoppedBefore = undefined;
    this.#run();
  }

  #do(step: ClientStep, act: () => void): void {
    this.#todo.push({ step, act });
  }

  #run(): void {
    while (this.stoppedBefore === undefined) {
      const next = this.#todo[0];
      if (next === undefined) return;
      if (next.step === this.options.stopBefore) {
        this.stoppedBefore = next.step;
        return;
      }
      this.#todo.shift();
      next.act();
    }
  }

  /** A handshake message, rewritten where a test wants it so, in the transcript and on the wire. */
  sendHandshake(name: string, raw: Uint8Array): void {
    const message = this.options.rewriteMessage?.(name, raw) ?? raw;
    this.sent.push({ name, raw: message });
    this.#transcript.add(message);
    this.sendMessage(this.options.rewriteWire?.(name, message) ?? message);
  }

  /** A handshake message that no transcript has. */
  sendMessage(raw: Uint8Array): void {
    const { fragment = PLAIN_LIMIT } = this.options;
    for (let at = 0; at < raw.length; at += fragment) {
      this.sendRecord(ContentType.handshake, raw.subarray(at, at + fragment));
    }
  }

  /** One record under the present key. */
  sendRecord(type: number, content: Uint8Array): void {
    this.records.send(type, content, { padding: this.options.padding });
  }

  sendData(data: Uint8Array): void {
    for (let at = 0; at < data.length; at += PLAIN_LIMIT) {
      this.sendRecord(ContentType.application_data, data.subarray(at, at + PLAIN_LIMIT));
    }
  }

  sendAlert(alert: AlertName | number, level: number = AlertLevel.fatal): void {
    const description = typeof alert === 'number' ? alert : AlertDescription[alert];
    this.sendRecord(ContentType.alert, encode(Alert, { level, description }));
  }

  close(): void {
    this.sendAlert('close_notify', AlertLevel.warning);
  }

  /** Never protected in TLS 1.3 (RFC 9846 §5), under the key before in TLS 1.2. */
  sendChangeCipherSpec(): void {
    this.#hasSentChangeCipherSpec = true;
    this.records.send(ContentType.change_cipher_spec, Uint8Array.of(1), { plaintext: this.version !== 'TLSv1.2' });
  }

  /** TLS 1.3: KeyUpdate, and the next key for our direction. */
  sendKeyUpdate(request: keyof typeof KeyUpdateRequest = 'update_not_requested'): void {
    this.sendMessage(frame(keyUpdate, { requestUpdate: KeyUpdateRequest[request] }));
    this.nextWriteKey();
  }

  nextWriteKey(): void {
    const { client, server } = this.#traffic;
    this.#application = { client: nextTrafficSecret(client), server };
    this.records.writing = this.#trafficProtection(this.#application.client);
  }

  #nextReadKey(): void {
    const { client, server } = this.#traffic;
    this.#application = { client, server: nextTrafficSecret(server) };
    this.records.reading = this.#trafficProtection(this.#application.server);
  }

  get #traffic(): TrafficSecrets {
    if (this.#application === undefined) throw new Error('no application keys yet');
    return this.#application;
  }

  // ClientHello.

  sendClientHello(): void {
    const attempt = this.hellos.length + 1;
    const hello = this.#makeHello();
    this.hellos.push(hello);
    const psks = this.#psks;
    const basis = { hello, psks, transcript: this.#transcript, crypto: this.crypto, attempt };
    this.sendHandshake('client_hello', encodeHello(basis, this.options));
  }

  /** §4.1.4: those whose hash is another than the suite's leave with the second hello. */
  get #psks(): readonly ClientPsk[] {
    const { psks = [] } = this.options;
    return this.suite === undefined ? psks : psks.filter(({ hash }) => hash === this.suite?.hash);
  }

  #makeHello(): HelloDraft {
    const { version = 'TLSv1.3', session, fallbackScsv = false, renegotiationInfo = 'extension' } = this.options;
    const suites = this.options.ciphers ?? SUITES.filter((suite) => suite.version <= version).map(({ name }) => name);
    const signals = [
      ...(renegotiationInfo === 'scsv' ? [CipherSuite.TLS_EMPTY_RENEGOTIATION_INFO_SCSV] : []),
      ...(fallbackScsv ? [CipherSuite.TLS_FALLBACK_SCSV] : []),
    ];
    const presetId = version === 'TLSv1.3' ? new Uint8Array(32).fill(0xc5) : EMPTY;
    return {
      legacyVersion: ProtocolVersion['TLSv1.2'],
      random: this.clientRandom,
      legacySessionId: this.options.sessionId ?? session?.id ?? presetId,
      cipherSuites: [...suites.map((suite) => (typeof suite === 'number' ? suite : CipherSuite[suite])), ...signals],
      legacyCompressionMethods: [0],
      extensions: { ...this.#commonExtensions(), ...(version === 'TLSv1.3' ? this.#tls13Extensions() : {}) },
    };
  }

  #commonExtensions(): HelloDraft['extensions'] {
    const { options } = this;
    const { ems = true, renegotiationInfo = 'extension', signatureAlgorithms, ecPointFormats = [0] } = options;
    const schemes = signatureAlgorithms ?? (Object.keys(SignatureScheme) as SignatureSchemeName[]);
    const groups = this.#groups;
    return {
      serverName: options.sni === undefined ? undefined : [{ nameType: 0, name: options.sni }],
      supportedGroups: groups?.map((group) => (typeof group === 'number' ? group : NamedGroup[group])),
      ecPointFormats: ecPointFormats === false ? undefined : ecPointFormats,
      signatureAlgorithms: schemes === false ? undefined : schemes.map((scheme) => SignatureScheme[scheme]),
      alpn: options.alpn,
      extendedMasterSecret: ems ? true : undefined,
      recordSizeLimit: options.recordSizeLimit,
      maxFragmentLength: options.maxFragmentLength,
      sessionTicket: this.#offeredTicket,
      renegotiationInfo: renegotiationInfo === 'extension' ? EMPTY : undefined,
    };
  }

  get #offeredTicket(): Uint8Array | undefined {
    const { ticketExt = this.options.session?.ticket } = this.options;
    return ticketExt === false ? undefined : ticketExt;
  }

  get #groups(): readonly (GroupName | number)[] | undefined {
    const { groups = ['x25519', 'secp256r1', 'secp384r1'] } = this.options;
    return groups === false ? undefined : groups;
  }

  #tls13Extensions(): HelloDraft['extensions'] {
    const { supportedVersions = [0x0304, 0x0303], pskModes = ['psk_dhe_ke', 'psk_ke'] } = this.options;
    const psks = this.#psks;
    return {
      supportedVersions: supportedVersions === false ? undefined : supportedVersions,
      ticketRequest: this.options.ticketRequest,
      earlyData: this.options.earlyData && this.helloRetryRequest === undefined ? true : undefined,
      pskKeyExchangeModes: pskModes === false ? undefined : pskModes.map((mode) => PskKeyExchangeMode[mode]),
      keyShare: this.#keyShares?.map((group) => ({
        group: NamedGroup[group],
        keyExchange: keyPair(this.crypto, group).publicKey,
      })),
      preSharedKey:
        psks.length === 0
          ? undefined
          : {
              identities: psks.map(({ identity, obfuscatedTicketAge = 0 }) => ({ identity, obfuscatedTicketAge })),
              binders: psks.map(({ hash }) => new Uint8Array(this.crypto.hashes[hash].length)),
            },
    };
  }

  /** After a HelloRetryRequest the one that it asks for. */
  get #keyShares(): readonly GroupName[] | undefined {
    const wanted = this.helloRetryRequest?.extensions.keyShare;
    if (wanted !== undefined) return [nameOf(NamedGroup, wanted) as GroupName];
    const named = this.#groups?.filter((group) => typeof group !== 'number') ?? [];
    const { keyShares = named.slice(0, 1) } = this.options;
    return keyShares === false ? undefined : keyShares;
  }

  // What comes in.

  /** Takes in bytes from the server, whatever their chunking. @throws where the server breaks the protocol */
  receive(bytes: Uint8Array): void {
    this.records.push(bytes);
    for (let record = this.records.next(); record !== undefined; record = this.records.next()) this.#read(record);
    this.#run();
  }

  #read(record: ReceivedRecord): void {
    this.receivedRecords.push(record);
    const { type, content } = record;
    if (type !== ContentType.handshake && this.#handshakeBytes.length > 0)
      throw new Error(`content type ${type} inside a handshake message`);
    switch (type) {
      case ContentType.change_cipher_spec:
        return this.#readChangeCipherSpec(content);
      case ContentType.alert:
        return this.#readAlert(record);
      case ContentType.application_data:
        this.received.push({ kind: 'data', data: content });
        return;
      case ContentType.handshake:
        return this.#readHandshake(content);
      default:
        throw new Error(`content type ${type}`);
    }
  }

  #readAlert({ content, protected: isProtected }: ReceivedRecord): void {
    const { level, description } = decode(Alert, content);
    const name = alertName(description);
    this.received.push({ kind: 'alert', level, description, name, protected: isProtected });
    if (name === 'close_notify') this.isEnded = true;
  }

  #readHandshake(fragment: Uint8Array): void {
    this.#handshakeBytes = concat(this.#handshakeBytes, fragment);
    for (;;) {
      const [type, high = 0, middle = 0, low = 0] = this.#handshakeBytes;
      const length = 4 + 65536 * high + 256 * middle + low;
      if (type === undefined || this.#handshakeBytes.length < length) return;
      const raw = this.#handshakeBytes.slice(0, length);
      this.#handshakeBytes = this.#handshakeBytes.slice(length);
      this.#readMessage(type, raw);
    }
  }

  #readMessage(type: number, raw: Uint8Array): void {
    const name = nameOf(HandshakeType, type);
    this.received.push({ kind: 'handshake', name, type, raw });
    const body = raw.subarray(4);
    switch (type) {
      case HandshakeType.server_hello:
        return this.#readServerHello(raw);
      case HandshakeType.finished:
        return this.version === 'TLSv1.2' ? this.#readFinishedTls12(raw) : this.#readFinished(raw);
      case HandshakeType.new_session_ticket:
        if (this.version === 'TLSv1.2') return this.#readTicketTls12(raw);
        return this.#readTicket(decode(NewSessionTicket, body));
      case HandshakeType.key_update:
        return this.#readKeyUpdate(decode(KeyUpdate, body));
      case HandshakeType.encrypted_extensions:
        this.encryptedExtensions = decode(EncryptedExtensions, body).extensions;
        break;
      case HandshakeType.certificate:
        this.#readCertificate(body);
        break;
      case HandshakeType.certificate_request:
        this.certificateRequest =
          this.version === 'TLSv1.2' ? decode(CertificateRequestTls12, body) : decode(CertificateRequest, body);
        break;
      case HandshakeType.certificate_verify:
        this.#readCertificateVerify(decode(CertificateVerify, body));
        break;
      case HandshakeType.server_key_exchange:
        this.#readServerKeyExchange(decode(ServerKeyExchange, body));
        break;
      case HandshakeType.server_hello_done:
        this.#transcript.add(raw);
        return this.#answerFlightTls12();
      default:
        throw new Error(`handshake message ${name}`);
    }
    this.#transcript.add(raw);
  }

  #readCertificate(body: Uint8Array): void {
    this.certificates =
      this.version === 'TLSv1.2'
        ? decode(CertificateTls12, body).certificateList
        : decode(Certificate, body).certificateList.map(({ certData }) => certData);
  }

  #readServerHello(raw: Uint8Array): void {
    const body = raw.subarray(4);
    // Every ServerHello has the fields of TLS 1.2's; the extensions tell which version it is.
    const any = decode(ServerHelloTls12, body);
    this.suite = suiteById(any.cipherSuite);
    if (equalBytes(any.random, HELLO_RETRY_REQUEST_RANDOM)) return this.#readHelloRetryRequest(raw);
    if (any.extensions.order?.includes(43)) {
      this.version = 'TLSv1.3';
      const hello = decode(ServerHello, body);
      this.serverHello = hello;
      this.#transcript.start(this.#hash);
      this.#transcript.add(raw);
      return this.#startTls13(hello);
    }
    this.version = 'TLSv1.2';
    this.serverHello = any;
    this.#transcript.start(this.#hash);
    this.#transcript.add(raw);
    this.#startTls12(any);
  }

  #readHelloRetryRequest(raw: Uint8Array): void {
    this.helloRetryRequest = decode(HelloRetryRequest, raw.subarray(4));
    this.#transcript.replaceByMessageHash(this.#hash);
    this.#transcript.add(raw);
    this.#do('change_cipher_spec', () => this.#sendMiddleboxChangeCipherSpec());
    this.#do('second_client_hello', () => this.sendClientHello());
  }

  // TLS 1.3.

  #startTls13({ extensions }: ServerHello): void {
    const { preSharedKey, keyShare } = extensions;
    const psk = preSharedKey === undefined ? undefined : this.#offeredPsk(preSharedKey);
    this.isResumed = psk !== undefined;
    this.#early = earlySecret(this.#hash, psk?.secret);
    const dhe = keyShare && this.#agree(keyShare.group, keyShare.keyExchange);
    const secret = handshakeSecret(this.#early, dhe);
    this.#handshake = handshakeTrafficSecrets(secret, this.#transcript.peek());
    this.#master = masterSecret(secret);
    this.secrets.set('CLIENT_HANDSHAKE_TRAFFIC_SECRET', this.#handshake.client.bytes);
    this.secrets.set('SERVER_HANDSHAKE_TRAFFIC_SECRET', this.#handshake.server.bytes);
    this.records.reading = this.#trafficProtection(this.#handshake.server);
    this.records.writing = this.#trafficProtection(this.#handshake.client);
  }

  /** By the hello that was sent, which may have been rewritten. */
  #offeredPsk(index: number): ClientPsk {
    const raw = this.sent.filter(({ name }) => name === 'client_hello').at(-1)?.raw ?? EMPTY;
    const [...identities] = decode(ClientHello, raw.subarray(4)).extensions.preSharedKey?.identities ?? [];
    const offered = identities[index];
    const psk = this.options.psks?.find(({ identity }) => equalBytes(identity, offered?.identity ?? EMPTY));
    if (psk === undefined) throw new Error(`identity ${index} was not offered`);
    return psk;
  }

  #trafficProtection(secret: TrafficSecrets['client']) {
    if (this.suite === undefined) throw new Error('no suite yet');
    return trafficProtection(this.crypto.aeads[this.suite.aead], secret);
  }

  #agree(group: number, peer: Uint8Array): Uint8Array {
    const name = nameOf(NamedGroup, group) as GroupName;
    return keyPair(this.crypto, name).agree(peer) as Uint8Array;
  }

  #readCertificateVerify(body: CertificateVerify): void {
    this.certificateVerify = body;
    if (!this.options.verify) return;
    const content = concat(
      new Uint8Array(64).fill(0x20),
      new TextEncoder().encode('TLS 1.3, server CertificateVerify\0'),
      this.#transcript.peek(),
    );
    if (!verifySignature(this.certificates?.[0], body, content)) throw new Error('the signature does not verify');
  }

  #readFinished(raw: Uint8Array): void {
    const { client, server } = this.#handshake as TrafficSecrets;
    const expected = finishedMac(server, this.#transcript.peek());
    if (!equalBytes(raw.subarray(4), expected)) throw new Error("the server's Finished does not verify");
    this.#transcript.add(raw);
    const transcriptHash = this.#transcript.peek();
    const master = this.#master as MasterSecret;
    this.#application = applicationTrafficSecrets(master, transcriptHash);
    this.#exporter = exporterMasterSecret(master, transcriptHash);
    this.secrets.set('CLIENT_TRAFFIC_SECRET_0', this.#application.client.bytes);
    this.secrets.set('SERVER_TRAFFIC_SECRET_0', this.#application.server.bytes);
    this.secrets.set('EXPORTER_SECRET', this.#exporter.bytes);
    this.records.reading = this.#trafficProtection(this.#application.server);
    this.#do('change_cipher_spec', () => this.#sendMiddleboxChangeCipherSpec());
    this.#doCertificate();
    this.#doCertificateVerify();
    this.#do('finished', () => {
      const verifyData = finishedMac(client, this.#transcript.peek());
      this.sendHandshake('finished', frame(finished, { verifyData }));
      this.#resumption = resumptionMasterSecret(master, this.#transcript.peek());
      this.records.writing = this.#trafficProtection(this.#traffic.client);
      this.isEstablished = true;
      for (const ticket of this.#earlyTickets.splice(0)) this.#readTicket(ticket);
    });
  }

  /** Where the server has asked for it, and one without a certificate where there is none. */
  #doCertificate(): void {
    if (this.certificateRequest === undefined) return;
    const { chain = [] } = this.options.certificate ?? {};
    const entries = chain.map((certData) => ({ certData, extensions: {} }));
    const raw =
      this.version === 'TLSv1.2'
        ? frame(certificateTls12, { certificateList: chain })
        : frame(certificate, { certificateRequestContext: EMPTY, certificateList: entries });
    this.#do('certificate', () => this.sendHandshake('certificate', raw));
  }

  #doCertificateVerify(): void {
    const { certificate: shown } = this.options;
    if (this.certificateRequest === undefined || shown === undefined) return;
    this.#do('certificate_verify', () => {
      const content =
        this.version === 'TLSv1.2'
          ? this.#transcript.release()
          : certificateVerifyContent('client', this.#transcript.peek());
      const body = { algorithm: SignatureScheme[shown.scheme], signature: shown.sign(content) };
      this.sendHandshake('certificate_verify', frame(certificateVerify, body));
    });
  }

  /** Appendix D.4: once, before the second flight. */
  #sendMiddleboxChangeCipherSpec(): void {
    const { changeCipherSpec = (this.hellos[0]?.legacySessionId.length ?? 0) > 0 } = this.options;
    if (changeCipherSpec && !this.#hasSentChangeCipherSpec) this.sendChangeCipherSpec();
  }

  #readTicket(body: NewSessionTicket): void {
    if (this.#application === undefined || this.suite === undefined) throw new Error('a ticket before Finished');
    if (this.#resumption === undefined) {
      this.#earlyTickets.push(body);
      return;
    }
    this.tickets.push({
      identity: body.ticket,
      secret: resumptionPsk(this.#resumption, body.ticketNonce),
      hash: this.suite.hash,
      cipherSuite: this.suite.id,
      lifetime: body.ticketLifetime,
      ageAdd: body.ticketAgeAdd,
      nonce: body.ticketNonce,
      obfuscatedTicketAge: body.ticketAgeAdd,
    });
  }

  #readKeyUpdate({ requestUpdate }: KeyUpdate): void {
    this.#nextReadKey();
    if (requestUpdate === KeyUpdateRequest.update_requested && this.options.polite !== false) this.sendKeyUpdate();
  }

  // TLS 1.2.

  #startTls12({ legacySessionIdEcho: id }: ServerHelloTls12): void {
    const offered = this.hellos[0]?.legacySessionId ?? EMPTY;
    if (id.length > 0 && equalBytes(id, offered)) this.#resumeTls12();
  }

  /** RFC 5077 §3.4: who has offered a ticket and no id sees by what follows ServerHello whether it resumes. */
  #noticeResumption(): void {
    if (this.version === 'TLSv1.2' && this.certificates === undefined && !this.isResumed) this.#resumeTls12();
  }

  #resumeTls12(): void {
    const { session } = this.options;
    if (session === undefined) return;
    this.isResumed = true;
    this.#deriveTls12(storedMasterSecret(this.#hash, session.secret));
  }

  #readTicketTls12(raw: Uint8Array): void {
    if (!this.serverHello?.extensions.order?.includes(ExtensionType.session_ticket))
      throw new Error('a ticket that ServerHello has not promised');
    this.#noticeResumption();
    this.ticketTls12 = decode(NewSessionTicketTls12, raw.subarray(4));
    this.#transcript.add(raw);
  }

  #keysTls12() {
    const { suite } = this;
    if (suite === undefined || this.#master12 === undefined) throw new Error('no keys yet');
    const aead = this.crypto.aeads[suite.aead];
    const lengths = { key: aead.keyLength, iv: 12 - explicitNonceLength(aead) };
    const keys = tls12Keys(this.#master12, this.#randoms, lengths);
    return {
      reading: new Tls12Protection(aead, { key: keys.serverKey, iv: keys.serverIv }),
      writing: new Tls12Protection(aead, { key: keys.clientKey, iv: keys.clientIv }),
    };
  }

  #deriveTls12(master: Tls12MasterSecret): void {
    this.#master12 = master;
    this.secrets.set('CLIENT_RANDOM', master.bytes);
  }

  #readServerKeyExchange(body: ServerKeyExchange): void {
    this.serverKeyExchange = body;
    if (!this.options.verify) return;
    const { params, signed } = body;
    const head = Uint8Array.of(3, params.namedCurve >> 8, params.namedCurve & 0xff, params.point.length);
    const content = concat(this.clientRandom, this.#randoms.server, head, params.point);
    if (!verifySignature(this.certificates?.[0], signed, content)) throw new Error('the signature does not verify');
  }

  #answerFlightTls12(): void {
    this.#doCertificate();
    this.#do('client_key_exchange', () => this.sendClientKeyExchange());
    this.#doCertificateVerify();
    this.#doFinishedTls12();
  }

  sendClientKeyExchange(): void {
    const { namedCurve, point } = (this.serverKeyExchange as ServerKeyExchange).params;
    const { publicKey } = keyPair(this.crypto, nameOf(NamedGroup, namedCurve) as GroupName);
    this.sendHandshake('client_key_exchange', frame(clientKeyExchange, { point: publicKey }));
    const premaster = this.#agree(namedCurve, point);
    const { extensions } = this.serverHello as ServerHelloTls12;
    this.#deriveTls12(
      extensions.extendedMasterSecret
        ? tls12ExtendedMasterSecret(this.#hash, premaster, this.#transcript.peek())
        : tls12MasterSecret(this.#hash, premaster, this.#randoms.client, this.#randoms.server),
    );
  }

  #doFinishedTls12(): void {
    this.#do('change_cipher_spec', () => {
      this.sendChangeCipherSpec();
      this.records.writing = this.#keysTls12().writing;
    });
    this.#do('finished', () => {
      const master = this.#master12 as Tls12MasterSecret;
      const verifyData = tls12VerifyData(master, 'client', this.#transcript.peek());
      this.sendHandshake('finished', frame(finished, { verifyData }));
      this.isEstablished = this.isResumed;
    });
  }

  #readChangeCipherSpec(content: Uint8Array): void {
    if (content.length !== 1 || content[0] !== 1) throw new Error('a strange ChangeCipherSpec');
    this.received.push({ kind: 'change_cipher_spec' });
    this.#noticeResumption();
    if (this.version === 'TLSv1.2') this.records.reading = this.#keysTls12().reading;
  }

  #readFinishedTls12(raw: Uint8Array): void {
    const master = this.#master12 as Tls12MasterSecret;
    const expected = tls12VerifyData(master, 'server', this.#transcript.peek());
    if (!equalBytes(raw.subarray(4), expected)) throw new Error("the server's Finished does not verify");
    this.#transcript.add(raw);
    if (this.isResumed) this.#doFinishedTls12();
    else this.isEstablished = true;
  }
}
