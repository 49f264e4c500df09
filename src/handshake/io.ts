/** The hands of a handshake, whichever its role: what it sends with, keeps secrets with and writes its findings into. */

import type { Protection } from '../crypto/protection.ts';
import type { CryptoProvider, RandomBytes } from '../crypto/provider.ts';
import type { Transcript } from '../crypto/transcript.ts';
import type { Message } from './messages/message.ts';
import type { Facts } from './outcome.ts';

export interface HandshakeIO {
  readonly crypto: CryptoProvider;
  readonly randomBytes: RandomBytes;
  /** Seconds since the epoch, read once for each call from outside. */
  now(): number;
  readonly transcript: Transcript;
  readonly facts: Facts;
  /** Queues a message and returns its bytes, for the transcript. */
  send<T>(message: Message<T>, body: T): Uint8Array;
  sendChangeCipherSpec(): void;
  /** The peer's next record, and ours, are under this key. @throws TlsAlert where a message straddles the change */
  protectReading(protection: Protection): void;
  protectWriting(protection: Protection): void;
  /** The longest content of the records to come (RFC 8449). */
  limitRecords(contentLimit: number): void;
  /** RFC 8446 §5, Appendix D.4: from now on, or no longer, a ChangeCipherSpec record is dropped. */
  tolerateChangeCipherSpec(tolerate: boolean): void;
  /** Registers a secret with the one owner that wipes it when the handshake, or the connection, ends. */
  own<S extends Uint8Array | { wipe(): void }>(secret: S, until?: 'established' | 'closed'): S;
  /** Wipes a secret before its time. */
  discard(secret: { wipe(): void }): void;
  /** Whether the key log has a reader: without one no line need be made. */
  readonly logsKeys: boolean;
  keylog(label: string, secret: Uint8Array): void;
  /** The peer has proved that it holds the session (binder, Finished): from now on a fatal alert may end it. */
  proved(): void;
}
