/** The sending half of the record layer: coalesces handshake messages, fragments, protects. RFC 8446 §5.1. */

import { concat, EMPTY } from '../wire/bytes.ts';
import { MAX_PLAINTEXT } from '../wire/record.ts';
import { ContentType } from '../wire/registry.ts';
import { Plaintext, type Protection } from './protection.ts';

/** The content of a ChangeCipherSpec. */
const CHANGE = Uint8Array.of(1);
/** Enough for the flight of a resumption and an alert. An array for each record would cost more than its bytes. */
const ROOM = 512;

/**
 * Handshake messages wait for one another, so that a flight takes as few records as it can; anything else that is sent,
 * every change of key and the end of a flight put them out first.
 */
export class RecordWriter {
  /** RFC 8449: the longest content the peer wants to see in one record. */
  contentLimit = MAX_PLAINTEXT;
  #protection: Protection = new Plaintext();
  #handshake: Uint8Array[] = [];
  /** What is ready to be sent stands between `#start` and `#end`; what has been taken before is not written to again. */
  #output = EMPTY;
  #start = 0;
  #end = 0;

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
    this.#seal(type, content);
  }

  /** Makes room for so many bytes of content that will follow one another. */
  expect(length: number): void {
    this.#reserve(length + Math.ceil(length / this.contentLimit) * this.#protection.expansion);
  }

  /** RFC 8446 Appendix D.4, RFC 5246 §7.1: always this one byte, and in TLS 1.3 never protected. */
  changeCipherSpec(): void {
    this.record(ContentType.change_cipher_spec, CHANGE);
  }

  /** What is sent now is complete: the messages to come are another flight's, and begin with a record of their own. */
  endFlight(): void {
    if (this.#handshake.length === 0) return;
    const [only = EMPTY] = this.#handshake;
    const messages = this.#handshake.length === 1 ? only : concat(...this.#handshake);
    this.#handshake = [];
    if (messages.length <= this.contentLimit) return this.#seal(ContentType.handshake, messages);
    for (let at = 0; at < messages.length; at += this.contentLimit) {
      this.#seal(ContentType.handshake, messages.subarray(at, at + this.contentLimit));
    }
  }

  #seal(type: number, content: Uint8Array): void {
    const length = content.length + this.#protection.expansion;
    this.#reserve(length);
    const end = this.#end + length;
    try {
      this.#protection.seal(type, content, this.#output, this.#end);
    } catch (error) {
      this.#output.fill(0, this.#end, end); // what is not sealed must not stand behind what has been handed out
      throw error;
    }
    this.#end = end;
  }

  #reserve(length: number): void {
    if (this.#end + length <= this.#output.length) return;
    // Who has been given its first part may have transferred it: then it has no bytes any more.
    const ready = this.#start === this.#end ? EMPTY : this.#output.subarray(this.#start, this.#end);
    const larger = new Uint8Array(Math.max(ROOM, 2 * ready.length + length));
    larger.set(ready);
    this.#output = larger;
    this.#start = 0;
    this.#end = ready.length;
  }

  /** All that has become ready to be sent. */
  take(): Uint8Array {
    this.endFlight();
    if (this.#start === this.#end) return new Uint8Array(0); // whoever gets it may transfer it, and EMPTY is everybody's
    const output = this.#output.subarray(this.#start, this.#end);
    this.#start = this.#end;
    if (this.#output.length > ROOM) this.#forget();
    return output;
  }

  #forget(): void {
    this.#output = EMPTY;
    this.#start = 0;
    this.#end = 0;
  }

  /** Wipes the key; what is ready can still be taken. */
  wipe(): void {
    this.endFlight();
    this.#protection.wipe();
  }
}
