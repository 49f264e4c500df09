/** The sending half of the record layer: coalesces handshake messages, fragments, protects. RFC 9846 §5.1. */

import { concat, EMPTY } from '../wire/bytes.ts';
import { MAX_PLAINTEXT } from '../wire/record.ts';
import { ContentType } from '../wire/registry.ts';
import { Plaintext, type Protection } from './protection.ts';

/** The content of a ChangeCipherSpec. */
const CHANGE = Uint8Array.of(1);
/** Enough for the flight of a resumption and an alert. Allocating an array for each record would cost more than the bytes. */
const ROOM = 512;

/**
 * Writes records. Handshake messages are collected, so that a flight takes as few records as possible. They are written before
 * any other content, before a change of keys, and at the end of the flight.
 */
export class RecordWriter {
  /** RFC 8449, RFC 6066 §4: the longest content that the peer accepts in one record. */
  contentLimit = MAX_PLAINTEXT;
  #protection: Protection = new Plaintext();
  #handshake: Uint8Array[] = [];
  /** Output that is ready is between `#start` and `#end`. Output that has been taken is never written to again. */
  #output = EMPTY;
  #start = 0;
  #end = 0;

  /** The number of records sealed under the current key. */
  get records(): number {
    return this.#protection.records;
  }

  /** Changes the key, and wipes the old one. */
  protect(protection: Protection): void {
    this.endFlight();
    const old = this.#protection;
    this.#protection = protection;
    old.wipe();
  }

  handshake(raw: Uint8Array): void {
    this.#handshake.push(raw);
  }

  /** Writes one record of other content, which must fit. */
  record(type: number, content: Uint8Array): void {
    this.endFlight();
    this.seal(type, content);
  }

  /** Makes room for this many bytes of content that follow one another. */
  expect(length: number): void {
    this.#reserve(length + Math.ceil(length / this.contentLimit) * this.#protection.expansion);
  }

  /** RFC 9846 Appendix E.4, RFC 5246 §7.1: always this one byte, and in TLS 1.3 never protected. */
  changeCipherSpec(): void {
    this.record(ContentType.change_cipher_spec, CHANGE);
  }

  /** Ends the flight: writes its messages. Later messages begin a new record. */
  endFlight(): void {
    if (this.#handshake.length === 0) return;
    const [only = EMPTY] = this.#handshake;
    const messages = this.#handshake.length === 1 ? only : concat(...this.#handshake);
    this.#handshake = [];
    if (messages.length <= this.contentLimit) return this.seal(ContentType.handshake, messages);
    for (let at = 0; at < messages.length; at += this.contentLimit) {
      this.seal(ContentType.handshake, messages.subarray(at, at + this.contentLimit));
    }
  }

  /** Makes one record. A subclass of the testers' makes others. */
  protected seal(type: number, content: Uint8Array): void {
    const length = content.length + this.#protection.expansion;
    this.#reserve(length);
    const end = this.#end + length;
    try {
      this.#protection.seal(type, content, this.#output, this.#end);
    } catch (error) {
      this.#output.fill(0, this.#end, end); // unsealed content must not remain next to output that has been handed out
      throw error;
    }
    this.#end = end;
  }

  #reserve(length: number): void {
    if (this.#end + length <= this.#output.length) return;
    // If no output is pending, do not read the old buffer: the caller may have transferred it, which detaches it.
    const ready = this.#start === this.#end ? EMPTY : this.#output.subarray(this.#start, this.#end);
    const larger = new Uint8Array(Math.max(ROOM, 2 * ready.length + length));
    larger.set(ready);
    this.#output = larger;
    this.#start = 0;
    this.#end = ready.length;
  }

  /** Returns all output that is ready. */
  take(): Uint8Array {
    this.endFlight();
    if (this.#start === this.#end) return new Uint8Array(0); // the caller may transfer it, and EMPTY is shared
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

  /** Writes what is queued, and wipes the key, even if a provider throws. Output that is ready can still be taken. */
  wipe(): void {
    try {
      this.endFlight();
    } finally {
      this.#protection.wipe();
    }
  }
}
