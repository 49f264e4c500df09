/**
 * The product's client, scripted: it does a handshake by itself, stops wherever a test wants to take over, and writes down all that it
 * hears. There is no TLS in here: the options become edits of the hello and faults.
 *
 *     const client = new ScriptedClient({ version: 'TLSv1.3', alpn: ['h2'] });
 *     const { events } = exchange(client, connection);
 *     new ScriptedClient({ psks: client.tickets }) // resumes
 */

import { SUITES, type SuiteParameters, suiteById } from '../../src/crypto/suites.ts';
import { ClientConnection } from '../../src/engine/client/client-connection.ts';
import type { Step } from '../../src/engine/events.ts';
import { certificateVerify } from '../../src/handshake/messages/certificate-verify.ts';
import { KeyUpdateRequest } from '../../src/handshake/messages/key-update.ts';
import { frame } from '../../src/handshake/messages/message.ts';
import { NewSessionTicket } from '../../src/handshake/messages/new-session-ticket.ts';
import type { Session } from '../../src/sessions/session.ts';
import { faults } from '../../src/testing/faults.ts';
import { injector } from '../../src/testing/injector.ts';
import { type Interceptor, LayeredFault } from '../../src/testing/interceptor.ts';
import { concat, copyOf, EMPTY, equalBytes, fromHex } from '../../src/wire/bytes.ts';
import { decode } from '../../src/wire/codec.ts';
import { MAX_PLAINTEXT } from '../../src/wire/record.ts';
import {
  AlertDescription,
  AlertLevel,
  type AlertName,
  ContentType,
  HandshakeType,
  nameOf,
  SignatureScheme,
  type Version,
} from '../../src/wire/registry.ts';
import { Heard } from './heard.ts';
import { helloEdits, withBinders } from './scripted-hello.ts';
import {
  type ClientOptions,
  type ClientSession,
  type ClientStep,
  type ClientTicket,
  configure,
  type HelloFields,
  holdFor,
  sessionOf,
} from './scripted-options.ts';

export { type Exchange, exchange, exchangeAsync } from './exchange.ts';
export type { ClientOptions, ClientSession, ClientStep, ClientTicket } from './scripted-options.ts';

const HEADER = 4;

export class ScriptedClient extends Heard {
  readonly options: ClientOptions;
  readonly connection: ClientConnection;
  /** The hellos that were sent, as they were before anything was rewritten in bytes. */
  readonly hellos: HelloFields[] = [];
  /** The very bytes of the messages of its handshake, in order. */
  readonly sent: { readonly name: string; readonly raw: Uint8Array }[] = [];
  readonly tickets: ClientTicket[] = [];
  /** What an SSLKEYLOG of this client would have, by label. */
  readonly secrets = new Map<string, Uint8Array>();
  /** How often it has changed the key that it writes with. */
  writeKeys = 0;
  readonly injector;
  #hasBegun = false;
  #hasEstablished = false;
  #output: Uint8Array[] = [];
  #keyUpdateRequest = 0;
  #signature = EMPTY;

  constructor(options: ClientOptions = {}) {
    super();
    this.options = options;
    this.injector = injector(holdFor(options));
    const signed = (signature: Uint8Array) => {
      this.#signature = signature;
    };
    this.connection = new ClientConnection(configure(options, signed), {
      serverName: options.sni !== undefined && /^[!-~]{1,255}$/.test(options.sni) ? options.sni : undefined,
      sessions: options.session === undefined ? [] : [sessionOf(options.session, options)],
      forceSessions: true,
      edits: helloEdits(options, this),
      faults: [
        this.injector,
        new LayeredFault('script', (inner) => this.#script(inner)),
        ...this.#binders(),
        ...(options.fragment === undefined ? [] : [faults.split('handshake', options.fragment, 'each')]),
        ...(options.padding === undefined ? [] : [faults.pad('handshake', options.padding, 'each')]),
      ],
      wantsKeylog: () => true,
    });
  }

  #binders() {
    const { rewriteBinders } = this.options;
    if (rewriteBinders === undefined) return [];
    const rewrite = (data: Uint8Array | undefined) =>
      data && withBinders(data, (binders) => rewriteBinders(binders, this.hellos.length));
    return [faults.extension('client_hello', 41, rewrite, 'each')];
  }

  /** Writes down what passes, and changes what is sent as the test wants it. */
  #script(inner: Interceptor): Interceptor {
    return {
      ...inner,
      sending: (raw) => this.#sending(raw),
      sealing: (type, content, seal) => {
        const isCompatibility = type === ContentType.change_cipher_spec && this.version !== 'TLSv1.2';
        if (isCompatibility && this.options.changeCipherSpec === false) return [];
        return inner.sealing(type, content, seal);
      },
      opened: (record, opened) => this.hearRecord(record, opened),
      received: (message) => this.hearMessage(message),
      rekeyed: (direction) => {
        if (direction === 'writing') this.writeKeys++;
      },
    };
  }

  #sending(raw: Uint8Array): { sent: readonly Uint8Array[]; hashed: Uint8Array } {
    const name = nameOf(HandshakeType, raw[0] ?? 0);
    if (name === 'key_update') {
      const update = Uint8Array.of(...raw.subarray(0, HEADER), this.#keyUpdateRequest);
      return { sent: [update], hashed: update };
    }
    const { certificate, rewriteMessage, rewriteWire } = this.options;
    const isProof = name === 'certificate_verify' && certificate !== undefined;
    const proof = isProof && { algorithm: SignatureScheme[certificate.scheme], signature: this.#signature };
    const message = proof ? frame(certificateVerify, proof) : copyOf(raw);
    const hashed = rewriteMessage?.(name, message) ?? message;
    this.sent.push({ name, raw: hashed });
    return { sent: [rewriteWire?.(name, hashed) ?? hashed], hashed };
  }

  // What has come of it.

  get clientRandom(): Uint8Array {
    return this.hellos.at(-1)?.random ?? EMPTY;
  }

  get retryHash() {
    return suiteById(this.helloRetryRequest?.cipherSuite ?? 0)?.hash;
  }

  /** As ServerHello says: a HelloRetryRequest does not count. */
  get version(): Version | undefined {
    return this.messages('server_hello').length > 0 ? this.connection.version : undefined;
  }

  get suite(): SuiteParameters | undefined {
    return SUITES.find(({ name }) => name === this.connection.cipherSuite);
  }

  get group(): string | undefined {
    return this.connection.group;
  }

  get isResumed(): boolean {
    return this.connection.resumption.resumed;
  }

  get isEstablished(): boolean {
    return this.#hasEstablished && this.stoppedBefore === undefined;
  }

  /** TLS 1.2: what can be resumed. */
  get session(): ClientSession {
    const { serverHello, suite } = this;
    const secret = this.secrets.get('CLIENT_RANDOM');
    if (secret === undefined || serverHello === undefined || suite === undefined) throw new Error('no TLS 1.2 session');
    const { legacySessionIdEcho: id, extensions } = serverHello;
    const fresh = this.ticketTls12?.ticket ?? EMPTY;
    const ticket = fresh.length > 0 ? fresh : this.isResumed ? this.options.session?.ticket : undefined;
    const ems = 'extendedMasterSecret' in extensions && extensions.extendedMasterSecret === true;
    return { id, secret, cipherSuite: suite.id, ticket, ems };
  }

  exportKeyingMaterial(length: number, label: string, context?: Uint8Array): Uint8Array {
    return this.connection.exportKeyingMaterial(length, label, context);
  }

  // What the client does.

  /** Bytes for the server. The first call brings the ClientHello. */
  take(): Uint8Array {
    if (!this.#hasBegun) this.#step(this.connection.connect());
    this.#hasBegun = true;
    this.#step(this.connection.receive(EMPTY));
    return concat(...this.#output.splice(0));
  }

  /**
   * Takes in bytes from the server, whatever their chunking.
   * @throws TlsAlert where the client does not accept them; Error where they go on after the alert that is the end
   */
  receive(bytes: Uint8Array): void {
    this.hearBytes(bytes);
    this.#step(this.connection.receive(bytes));
    if (this.isEnded || this.connection.hasFailed) this.requireSilence();
  }

  #step({ output, events, question }: Step): void {
    this.#output.push(output);
    for (const event of events) {
      if (event.type === 'established') this.#hasEstablished = true;
      if (event.type === 'new-session') this.#keep(event.session);
      if (event.type === 'keylog') {
        const [label = '', , secret = ''] = event.line.split(' ');
        this.secrets.set(label, fromHex(secret));
      }
    }
    for (const event of events) if (event.type === 'failed' && event.error.origin === 'local') throw event.error;
    if (question !== undefined) throw new Error(`the client waits for ${question.kind}`);
  }

  /** A session that an alert has followed at once is gone. */
  #keep(session: Session): void {
    if (session.version === 'TLSv1.2' || session.holds === 0) return;
    const { cipherSuite, secret, foreign } = session;
    const { ticket: identity = EMPTY } = foreign;
    const tickets = this.messages('new_session_ticket').map((raw) => decode(NewSessionTicket, raw, HEADER));
    const given = tickets.find(({ ticket }) => equalBytes(ticket, identity));
    const { ticketLifetime: lifetime = 0, ticketAgeAdd: ageAdd = 0, ticketNonce: nonce = EMPTY } = given ?? {};
    const hash = suiteById(cipherSuite)?.hash ?? 'sha256';
    const psk = { identity, secret: secret.slice(), hash, obfuscatedTicketAge: ageAdd };
    this.tickets.push({ ...psk, cipherSuite, lifetime, ageAdd, nonce });
  }

  /** Where it waits for the test. */
  get stoppedBefore(): ClientStep | undefined {
    return this.injector.isHolding ? this.options.stopBefore : undefined;
  }

  /** Goes on from where `stopBefore` had it wait. */
  proceed(): void {
    this.injector.release();
  }

  /** Leaves out the step it waits before, and goes on. */
  skip(): void {
    this.injector.discard();
  }

  /** A handshake message that no transcript has. */
  sendMessage(raw: Uint8Array): void {
    const { fragment = MAX_PLAINTEXT } = this.options;
    for (let at = 0; at < raw.length; at += fragment)
      this.sendRecord(ContentType.handshake, raw.subarray(at, at + fragment));
  }

  /** One record under the present key. */
  sendRecord(type: number, content: Uint8Array): void {
    this.injector.record(type, content, { padding: this.options.padding });
  }

  sendData(data: Uint8Array): void {
    for (let at = 0; at < data.length; at += MAX_PLAINTEXT)
      this.sendRecord(ContentType.application_data, data.subarray(at, at + MAX_PLAINTEXT));
  }

  sendAlert(alert: AlertName | number, level: number = AlertLevel.fatal): void {
    const description = typeof alert === 'number' ? alert : AlertDescription[alert];
    this.sendRecord(ContentType.alert, Uint8Array.of(level, description));
  }

  close(): void {
    this.sendAlert('close_notify', AlertLevel.warning);
  }

  /** Never protected in TLS 1.3 (RFC 9846 §5), under the key before in TLS 1.2. */
  sendChangeCipherSpec(): void {
    this.injector.record('change_cipher_spec', Uint8Array.of(1), { plaintext: this.version !== 'TLSv1.2' });
  }

  /** TLS 1.3: KeyUpdate, and the next key for our direction. */
  sendKeyUpdate(request: keyof typeof KeyUpdateRequest = 'update_not_requested'): void {
    if (this.injector.isHolding) throw new Error('a KeyUpdate would be held back');
    this.#keyUpdateRequest = KeyUpdateRequest[request];
    this.#step(this.connection.updateKeys());
    this.#keyUpdateRequest = 0;
  }
}
