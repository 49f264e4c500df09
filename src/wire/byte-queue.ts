/** A queue of received bytes, from which the record and handshake buffers are built. */

import { copyOf, EMPTY } from './bytes.ts';

/** The least capacity. Small pieces share an array, since allocating one for each would cost more than the bytes. */
const ROOM = 512;

/** V8 keeps arrays of so many bytes in its heap. It moves them out to tell their `buffer`, which takes longer than to copy them. */
const SMALL = 64;

/** How many bytes an array may have besides `length` bytes that are kept. A queue grows by the same, so it grows by a quarter at least. */
function slack(length: number): number {
  return ROOM + (length >> 2);
}

/** Returns the bytes, or a copy if they are few, or a view that would keep more memory than they need. */
export function withoutSlack(bytes: Uint8Array): Uint8Array {
  const isCopied = bytes.length <= SMALL || bytes.buffer.byteLength - bytes.length > ROOM;
  return isCopied ? copyOf(bytes) : bytes;
}

/**
 * A first-in, first-out queue. The views that {@link ByteQueue.take} returns stay valid, because a region is never written twice.
 * Growth is amortised: a peer that sends single bytes costs O(n). Whoever takes no more until the next push calls
 * {@link ByteQueue.trim}: a peer may leave the rest waiting for days.
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

  /** Pushes bytes that will not change. They are not copied if the queue is empty. */
  adopt(bytes: Uint8Array): void {
    if (this.length > 0) return this.push(bytes);
    this.#buffer = bytes;
    this.#start = 0;
    this.#end = bytes.length;
  }

  #grow(by: number): void {
    const isFirst = this.length === 0;
    const needed = this.length + by;
    this.#move(isFirst ? Math.max(needed, ROOM) : Math.max(needed, this.length + slack(this.length)));
  }

  #move(capacity: number): void {
    const array = new Uint8Array(capacity);
    if (this.length > 0) array.set(this.#buffer.subarray(this.#start, this.#end));
    this.#end = this.length;
    this.#start = 0;
    this.#buffer = array;
  }

  /** Gives back memory, if what has been taken or an adopted view keeps more than {@link slack}. What it copies is paid for by that. */
  trim(): undefined {
    if (this.#buffer.buffer.byteLength - this.length > slack(this.length)) this.#move(Math.max(this.length, ROOM));
  }

  /** Returns the byte at `index`, which must be present. */
  at(index: number): number {
    return this.#buffer[this.#start + index] as number;
  }

  /** Drops the first `length` bytes, which must be present. */
  skip(length: number): void {
    this.#start += length;
  }

  /** Removes the first `length` bytes, which must be present, and returns a view of them that stays valid. */
  take(length: number): Uint8Array {
    const isAll = length === this.#buffer.length;
    const bytes = isAll ? this.#buffer : this.#buffer.subarray(this.#start, this.#start + length);
    this.#start += length;
    const isSpent = this.#buffer.length > ROOM || this.#end === this.#buffer.length;
    if (this.length === 0 && isSpent) this.clear(); // an idle connection keeps a small array, but not a large one
    return bytes;
  }

  clear(): void {
    this.#buffer = EMPTY;
    this.#start = 0;
    this.#end = 0;
  }
}
