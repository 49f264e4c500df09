/** The services that a connection provides to its handshake, in either role: sending, owning secrets, recording facts. */

import type { ExporterMasterSecret } from '../crypto/key-schedule.ts';
import type { Protection } from '../crypto/protection.ts';
import type { CryptoProvider } from '../crypto/provider.ts';
import type { SuiteParameters } from '../crypto/suites.ts';
import type { Transcript } from '../crypto/transcript.ts';
import type { Message } from './messages/message.ts';
import type { CallbackName, Facts } from './outcome.ts';

export interface HandshakeIO {
  readonly crypto: CryptoProvider;
  /** Draws from the world. It is a property, as providers get the function. */
  readonly randomBytes: (length: number, label?: string) => Uint8Array;
  /** Seconds since the epoch, read once for each call from outside. */
  now(): number;
  readonly transcript: Transcript;
  readonly facts: Facts;
  /** Queues a message and returns its bytes, for the transcript. */
  send<T>(message: Message<T>, body: T): Uint8Array;
  sendChangeCipherSpec(): void;
  /** Changes the read key, from the peer's next record on. @throws TlsAlert unexpected_message if a message straddles the change */
  protectReading(protection: Protection): void;
  /** Changes the write key, from our next record on. */
  protectWriting(protection: Protection): void;
  /**
   * Limits the content of the records that we send from now on, in bytes (RFC 8449), and with `isMutual` of those that we receive
   * (RFC 6066 §4). A greater limit than before changes nothing.
   */
  limitRecords(contentLimit: number, isMutual?: boolean): void;
  /** Limits the content of the records that are received from now on, in bytes (RFC 8449). */
  acceptRecords(contentLimit: number): void;
  /** RFC 9846 §5, Appendix E.4: sets whether a ChangeCipherSpec record is dropped from now on. */
  tolerateChangeCipherSpec(tolerate: boolean): void;
  /** Gives a secret to its one owner, which wipes it when the handshake (the default) or the connection ends. Returns the secret. */
  own<S extends Uint8Array | { wipe(): void }>(secret: S, until?: 'established' | 'closed'): S;
  /** Wipes a secret early. */
  discard(secret: { wipe(): void }): void;
  /** The secret of {@link earlyProtection}, from which early data exports keying material (§7.5). */
  earlyExporter: ExporterMasterSecret | undefined;
  /** Milliseconds since the epoch, read once for each call from outside. */
  time(): number;
  /** Tells the application what has become of the early data that was sent. */
  concludeEarlyData(status: 'accepted' | 'rejected'): void;
  /** Lets the application write this many bytes before the handshake is complete, from now on, under a key of this suite; 0 for none. */
  allowEarlyWrites(bytes: number, suite?: SuiteParameters): void;
  /** Hands early data to the application (§2.3). */
  emitEarlyData(data: Uint8Array): void;
  /** Whether the key log has a reader. If not, the handshake need not make lines. */
  readonly logsKeys: boolean;
  keylog(label: string, secret: Uint8Array): void;
  /** Reports the failure of user code that no handshake waits for, as a callback-error event. */
  blame(callback: CallbackName, error: unknown): void;
  /**
   * Notes that the peer's Finished has proved that it holds the session. From now on a fatal alert may end the session. A binder does
   * not prove as much: it may be replayed, and until the Finished anybody between the two may forge an alert.
   */
  proved(): void;
}
