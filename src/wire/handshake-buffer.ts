/** Handshake messages out of records: RFC 8446 §5.1, RFC 5246 §6.2.1 (fragmented, or several in one record). */

import { TlsAlert } from './alert.ts';
import { ByteQueue } from './byte-queue.ts';

/** Of a message: its type and length. */
export const MESSAGE_HEADER = 4;

/** A message as it came, header included: the bytes that the transcript hashes. */
export interface HandshakeFrame {
  readonly type: number;
  readonly raw: Uint8Array;
}

/** The one message that fits the present state. */
export interface ExpectedMessage {
  readonly name: string;
  readonly type: number;
  /** The longest body accepted. */
  readonly limit: number;
}

export class HandshakeBuffer {
  readonly #queue = new ByteQueue();

  /** Whether no message, nor a part of one, waits: what every key change and every other record type demands (§5.1). */
  get isEmpty(): boolean {
    return this.#queue.length === 0;
  }

  push(fragment: Uint8Array): void {
    this.#queue.adopt(fragment); // of a record that has been copied or decrypted, for us alone
  }

  /**
   * The next whole message, `undefined` while there is none. The header alone decides whether it is one that is expected.
   * @throws TlsAlert unexpected_message, or illegal_parameter where it is longer than any such message can be
   */
  next(expected: ExpectedMessage | undefined): HandshakeFrame | undefined {
    if (this.#queue.length === 0) return undefined;
    const type = this.#queue.at(0);
    if (type !== expected?.type) {
      throw new TlsAlert('unexpected_message', `handshake message ${type}, ${expected?.name ?? 'none'} expected`);
    }
    if (this.#queue.length < MESSAGE_HEADER) return undefined;
    const length = 65536 * this.#queue.at(1) + 256 * this.#queue.at(2) + this.#queue.at(3);
    if (length > expected.limit) {
      throw new TlsAlert('illegal_parameter', `${expected.name} of ${length} bytes, ${expected.limit} accepted`);
    }
    if (this.#queue.length < MESSAGE_HEADER + length) return undefined;
    return { type, raw: this.#queue.take(MESSAGE_HEADER + length) };
  }

  clear(): void {
    this.#queue.clear();
  }
}
