/** The sending half of the record layer: coalesces handshake messages, fragments, protects. RFC 8446 §5.1. */

import { concat, EMPTY } from '../wire/bytes.ts';
import { MAX_PLAINTEXT } from '../wire/record.ts';
import { ContentType } from '../wire/registry.ts';
import { Plaintext, type Protection } from './protection.ts';

/**
 * Handshake messages wait for one another, so that a flight takes as few records as it can; anything else that is sent,
 * every change of key and the end of a flight put them out first.
 */
export class RecordWriter {
  /** RFC 8449: the longest content the peer wants to see in one record. */
  contentLimit = MAX_PLAINTEXT;
  #protection: Protection = new Plaintext();
  #handshake: Uint8Array[] = [];
  #output: Uint8Array[] = [];

  /** Records under the present key. */
  get records(): number {
    return this.#protection.records;
  }

  /** From here on under another key; the old one is wiped. */
  protect(protection: Protection): void {
    this.endFlight();
    this.#protection.wipe();
    this.#protection = protection;
  }

  handshake(raw: Uint8Array): void {
    this.#handshake.push(raw);
  }

  /** One record of any other content, which must fit it. */
  record(type: number, content: Uint8Array): void {
    this.endFlight();
    this.#output.push(this.#protection.seal(type, content));
  }

  /** RFC 8446 Appendix D.4, RFC 5246 §7.1: always this one byte, and in TLS 1.3 never protected. */
  changeCipherSpec(): void {
    this.record(ContentType.change_cipher_spec, Uint8Array.of(1));
  }

  /** What is sent now is complete: the messages to come are another flight's, and begin with a record of their own. */
  endFlight(): void {
    if (this.#handshake.length === 0) return;
    const [only = EMPTY] = this.#handshake;
    const messages = this.#handshake.length === 1 ? only : concat(...this.#handshake);
    this.#handshake = [];
    if (messages.length <= this.contentLimit) {
      this.#output.push(this.#protection.seal(ContentType.handshake, messages));
      return;
    }
    for (let at = 0; at < messages.length; at += this.contentLimit) {
      const fragment = messages.subarray(at, at + this.contentLimit);
      this.#output.push(this.#protection.seal(ContentType.handshake, fragment));
    }
  }

  /** All that has become ready to be sent. */
  take(): Uint8Array {
    this.endFlight();
    const output = this.#output.length === 1 ? (this.#output[0] as Uint8Array) : concat(...this.#output);
    this.#output = [];
    return output;
  }

  /** Wipes the key; what is ready can still be taken. */
  wipe(): void {
    this.endFlight();
    this.#protection.wipe();
  }
}
