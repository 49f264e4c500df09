/** The connection as a handshake sees it, in either role. */

import type { ExporterMasterSecret } from '../crypto/key-schedule.ts';
import type { Protection } from '../crypto/protection.ts';
import type { CryptoProvider } from '../crypto/provider.ts';
import type { SuiteParameters } from '../crypto/suites.ts';
import { Transcript } from '../crypto/transcript.ts';
import type { HandshakeIO } from '../handshake/io.ts';
import type { Message } from '../handshake/messages/message.ts';
import type { CallbackName, Facts } from '../handshake/outcome.ts';
import { EMPTY, toHex, type Wipeable } from '../wire/bytes.ts';
import type { Version } from '../wire/registry.ts';
import { drawRandom, type World } from '../world.ts';
import type { Channel } from './channel.ts';
import type { Event } from './events.ts';
import type { Secrets } from './secrets.ts';

/** The facts of a connection that has negotiated nothing yet. */
export const NOTHING_NEGOTIATED: Facts = {
  version: undefined,
  suite: undefined,
  group: undefined,
  serverName: undefined,
  alpnProtocol: undefined,
  signatureScheme: undefined,
  maxFragmentLength: 0,
  earlyData: 'none',
  clientRandom: undefined,
  peerCertificate: undefined,
  peerCertificateChain: undefined,
  session: undefined,
};

/** The parts of a connection that its handshake uses, in either role. */
export interface IoHost {
  readonly world: World;
  readonly channel: Channel;
  readonly secrets: Secrets;
  wantsKeylog(): boolean;
  now(): number;
  time(): number;
  emit(event: Event): void;
}

/** A class and not an object of closures, as each connection has one and its functions are many. */
export abstract class ConnectionIO implements HandshakeIO {
  readonly transcript = new Transcript();
  abstract readonly facts: Facts;
  abstract readonly crypto: CryptoProvider;
  /** Whether the peer's Finished has proved that it holds the session. */
  hasProof = false;
  earlyExporter: ExporterMasterSecret | undefined;
  /** How many bytes the application may write before the handshake is complete. */
  earlyRoom = 0;
  earlySuite: SuiteParameters | undefined;
  readonly #host: IoHost;

  constructor(host: IoHost) {
    this.#host = host;
  }

  /** A property, because providers get the function and call it without a `this`. */
  readonly randomBytes = (length: number, label?: string): Uint8Array => drawRandom(this.#host.world, length, label);

  get alertVersion(): Version | undefined {
    return this.facts.version;
  }

  now(): number {
    return this.#host.now();
  }

  time(): number {
    return this.#host.time();
  }

  concludeEarlyData(status: 'accepted' | 'rejected'): void {
    this.facts.earlyData = status;
    this.#host.emit({ type: 'early-data', status });
  }

  allowEarlyWrites(bytes: number, suite?: SuiteParameters): void {
    this.earlyRoom = bytes;
    this.earlySuite = suite;
  }

  emitEarlyData(data: Uint8Array): void {
    if (data.length > 0) this.#host.emit({ type: 'data', data, early: true });
  }

  send<T>(message: Message<T>, body: T): Uint8Array {
    return this.#host.channel.send(message, body);
  }

  sendChangeCipherSpec(): void {
    this.#host.channel.writer.changeCipherSpec();
  }

  protectReading(protection: Protection): void {
    this.#host.channel.reader.protect(protection);
  }

  protectWriting(protection: Protection): void {
    this.#host.channel.writer.protect(protection);
  }

  limitRecords(contentLimit: number, isMutual = false): void {
    const { writer } = this.#host.channel;
    writer.contentLimit = Math.min(writer.contentLimit, contentLimit);
    if (isMutual) this.acceptRecords(contentLimit);
  }

  acceptRecords(contentLimit: number): void {
    this.#host.channel.reader.contentLimit = contentLimit;
  }

  tolerateChangeCipherSpec(tolerate: boolean): void {
    this.#host.channel.reader.tolerateChangeCipherSpec(tolerate);
  }

  own<S extends Uint8Array | Wipeable>(secret: S, until?: 'established' | 'closed'): S {
    return this.#host.secrets.own(secret, until);
  }

  discard(secret: Wipeable): void {
    this.#host.secrets.discard(secret);
  }

  get logsKeys(): boolean {
    return this.#host.wantsKeylog();
  }

  /** Emits a line in NSS key log format. */
  keylog(label: string, secret: Uint8Array): void {
    const line = `${label} ${toHex(this.facts.clientRandom ?? EMPTY)} ${toHex(secret)}`;
    this.#host.emit({ type: 'keylog', line });
  }

  blame(callback: CallbackName, error: unknown): void {
    this.#host.emit({ type: 'callback-error', callback, error });
  }

  proved(): void {
    this.hasProof = true;
  }
}
