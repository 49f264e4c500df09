/**
 * Writes DER into one array from its end to its beginning, so that each length is known when it is written. A fast path for
 * sessions, which are written often: tlv() and the other functions of der.ts, with an array for each value, take ten times
 * as long for one.
 */

import { explicitTag, Tag } from './der.ts';

const SIZE = 1024;
/** A larger buffer is not kept. */
const MAX_KEPT = 16384;

export class DerWriter {
  #bytes = new Uint8Array(SIZE);
  #at = SIZE;

  /** How many bytes have been written. */
  get length(): number {
    return this.#bytes.length - this.#at;
  }

  /** Makes the bytes written since `length` had this value the contents of a value: writes its header before them. */
  wrap(tag: number, length: number): void {
    this.#header(tag, this.length - length);
  }

  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#at -= bytes.length;
    if (bytes.length > 64) this.#bytes.set(bytes, this.#at);
    else for (let i = 0; i < bytes.length; i++) this.#bytes[this.#at + i] = bytes[i] as number;
  }

  /** `uint8 name[width]`, big-endian. @throws RangeError if it does not fit */
  uint(width: number, value: number): void {
    requireUnsigned(value);
    let rest = value;
    for (let i = 0; i < width; i++, rest = Math.floor(rest / 256)) this.#byte(rest % 256);
    if (rest > 0) throw new RangeError(`${value} does not fit a uint${8 * width}`);
  }

  octetString(bytes: Uint8Array): void {
    this.raw(bytes);
    this.#header(Tag.octetString, bytes.length);
  }

  /** INTEGER, not negative. @throws RangeError if it is not a safe integer */
  integer(value: number): void {
    requireUnsigned(value);
    const before = this.length;
    let rest = value;
    for (; rest > 0xff; rest = Math.floor(rest / 256)) this.#byte(rest % 256);
    this.#byte(rest);
    if (rest > 0x7f) this.#byte(0);
    this.#header(Tag.integer, this.length - before);
  }

  /** `[n] EXPLICIT INTEGER` */
  explicitInteger(n: number, value: number): void {
    const before = this.length;
    this.integer(value);
    this.wrap(explicitTag(n), before);
  }

  /** `[n] EXPLICIT OCTET STRING` */
  explicitOctets(n: number, bytes: Uint8Array): void {
    const before = this.length;
    this.octetString(bytes);
    this.wrap(explicitTag(n), before);
  }

  /** Returns a copy of the bytes, and clears the buffer. */
  finish(): Uint8Array {
    const written = this.#bytes.slice(this.#at);
    this.clear();
    return written;
  }

  /** Overwrites what has been written, since it may contain secrets. */
  clear(): void {
    this.#bytes.fill(0, this.#at);
    if (this.#bytes.length > MAX_KEPT) this.#bytes = new Uint8Array(SIZE);
    this.#at = this.#bytes.length;
  }

  /** Identifier, and length in the fewest octets (X.690 §10.1). */
  #header(tag: number, length: number): void {
    if (length < 0x80) this.#byte(length);
    else {
      let octets = 0;
      for (let rest = length; rest > 0; rest >>>= 8, octets++) this.#byte(rest & 0xff);
      this.#byte(0x80 + octets);
    }
    this.#byte(tag);
  }

  #byte(value: number): void {
    if (this.#at === 0) this.#reserve(1);
    this.#bytes[--this.#at] = value;
  }

  #reserve(length: number): void {
    if (length <= this.#at) return;
    const larger = new Uint8Array(2 * this.#bytes.length + length);
    const at = larger.length - this.length;
    larger.set(this.#bytes.subarray(this.#at), at);
    this.#bytes.fill(0, this.#at);
    this.#bytes = larger;
    this.#at = at;
  }
}

function requireUnsigned(value: number): void {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${value} is not an unsigned safe integer`);
}
