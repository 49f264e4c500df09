/** Received bytes that wait to be whole: what the record and the handshake buffers are made of. */

import { EMPTY } from './bytes.ts';

/** What comes in pieces goes into one array, while there is room: an array for each piece would cost more than its bytes. */
const ROOM = 512;

/**
 * First in, first out. Bytes are copied once on the way in; the views that {@link ByteQueue.take} hands out stay as they are,
 * because a region once filled is never written again. Growth is amortised: a peer that sends single bytes costs O(n).
 */
export class ByteQueue {
  #buffer: Uint8Array = EMPTY;
  #start = 0;
  #end = 0;

  get length(): number {
    return this.#end - this.#start;
  }

  push(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    if (this.#end + bytes.length > this.#buffer.length) this.#grow(bytes.length);
    this.#buffer.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  /** The same for bytes that nobody will change: they are not copied where they come first. */
  adopt(bytes: Uint8Array): void {
    if (this.length > 0) return this.push(bytes);
    this.#buffer = bytes;
    this.#start = 0;
    this.#end = bytes.length;
  }

  #grow(by: number): void {
    const isFirst = this.length === 0;
    const larger = new Uint8Array(isFirst ? Math.max(by, ROOM) : 2 * (this.length + by));
    if (!isFirst) larger.set(this.#buffer.subarray(this.#start, this.#end));
    this.#end = this.length;
    this.#start = 0;
    this.#buffer = larger;
  }

  /** The byte at `index`, which must be there. */
  at(index: number): number {
    return this.#buffer[this.#start + index] as number;
  }

  /** The first `length` bytes, which must be there, are not wanted. */
  skip(length: number): void {
    this.#start += length;
  }

  /** The first `length` bytes, which must be there, as a view that stays valid; of all that there is no view is needed. */
  take(length: number): Uint8Array {
    const isAll = length === this.#buffer.length;
    const bytes = isAll ? this.#buffer : this.#buffer.subarray(this.#start, this.#start + length);
    this.#start += length;
    const isSpent = this.#buffer.length > ROOM || this.#end === this.#buffer.length;
    if (this.length === 0 && isSpent) this.clear(); // an idle connection keeps the little room that it has, and no more
    return bytes;
  }

  clear(): void {
    this.#buffer = EMPTY;
    this.#start = 0;
    this.#end = 0;
  }
}
