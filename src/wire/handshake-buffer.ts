/** Assembles handshake messages from records: RFC 9846 §5.1, RFC 5246 §6.2.1. A message may be fragmented, and a record may contain several. */

import { TlsAlert } from './alert.ts';
import { ByteQueue, withoutSlack } from './byte-queue.ts';

/** The length of a message's header: type and length. */
export const MESSAGE_HEADER = 4;

/** A message as received, header included: the bytes that the transcript hashes. */
export interface HandshakeFrame {
  readonly type: number;
  readonly raw: Uint8Array;
}

/** The message that the current state accepts, and others that may come instead. */
export interface ExpectedMessage {
  readonly name: string;
  readonly type: number;
  /** The longest body accepted. */
  readonly limit: number;
  readonly or?: ExpectedMessage | undefined;
}

/** Returns the accepted message of a type. @throws TlsAlert unexpected_message if there is none */
function accepted(type: number, expected: ExpectedMessage | undefined): ExpectedMessage {
  for (let one = expected; one !== undefined; one = one.or) if (one.type === type) return one;
  throw new TlsAlert('unexpected_message', `handshake message ${type}, ${expected?.name ?? 'none'} expected`);
}

export class HandshakeBuffer {
  readonly #queue = new ByteQueue();

  /** Whether no message, and no part of one, waits. Key changes and other record types require this (§5.1). */
  get isEmpty(): boolean {
    return this.#queue.length === 0;
  }

  push(fragment: Uint8Array): void {
    this.#queue.adopt(fragment); // the record has been copied or decrypted: its bytes are ours
  }

  /**
   * Returns the next message, or `undefined` if none is complete. Checks type and length as soon as the header is there.
   * @throws TlsAlert unexpected_message, or decode_error if it is longer than accepted
   */
  next(expected: ExpectedMessage | undefined): HandshakeFrame | undefined {
    if (this.#queue.length === 0) return undefined;
    const type = this.#queue.at(0);
    const { name, limit } = accepted(type, expected);
    if (this.#queue.length < MESSAGE_HEADER) return this.#queue.trim();
    const length = 65536 * this.#queue.at(1) + 256 * this.#queue.at(2) + this.#queue.at(3);
    if (length > limit) {
      throw new TlsAlert('decode_error', `${name} of ${length} bytes, ${limit} accepted`);
    }
    if (this.#queue.length < MESSAGE_HEADER + length) return this.#queue.trim();
    return { type, raw: withoutSlack(this.#queue.take(MESSAGE_HEADER + length)) };
  }

  trim(): void {
    this.#queue.trim();
  }

  clear(): void {
    this.#queue.clear();
  }
}
