/** Writes bytes: lengths can be filled in later, and the buffer is wiped and reused. */

import { copyRange } from './bytes.ts';

/** By number of bytes, the least value that does not fit. */
const LIMITS: readonly number[] = [1, 2 ** 8, 2 ** 16, 2 ** 24, 2 ** 32];

/** A growing buffer, which is reused after each {@link Writer.finish}. */
export class Writer {
  #bytes = new Uint8Array(512);
  #length = 0;

  #reserve(length: number): number {
    const at = this.#length;
    this.#length += length;
    if (this.#length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#length, 2 * this.#bytes.length));
      larger.set(this.#bytes.subarray(0, at));
      this.#bytes = larger;
    }
    return at;
  }

  raw(bytes: Uint8Array): void {
    const at = this.#reserve(bytes.length); // may replace the buffer
    this.#bytes.set(bytes, at);
  }

  uint(width: number, value: number): void {
    if (!Number.isInteger(value) || value < 0 || value >= (LIMITS[width] as number)) {
      throw new RangeError(`${value} does not fit a uint${8 * width}`);
    }
    this.#put(this.#reserve(width), width, value);
  }

  /** Reserves room for a length, and returns its position for {@link Writer.close}, which fills it in. */
  open(width: number): number {
    return this.#reserve(width);
  }

  /** Ends what {@link Writer.open} began: fills in its length, and returns it. */
  close(at: number, width: number): number {
    const length = this.#length - at - width;
    if (length >= (LIMITS[width] as number))
      throw new RangeError(`${length} bytes do not fit a length of ${width} bytes`);
    this.#put(at, width, length);
    return length;
  }

  #put(at: number, width: number, value: number): void {
    for (let i = at + width - 1, rest = value; i >= at; i--, rest >>>= 8) this.#bytes[i] = rest; // at most 32 bits
  }

  /** Returns a copy of the bytes, and overwrites the buffer, since messages may contain secrets. */
  finish(): Uint8Array {
    const written = copyRange(this.#bytes, 0, this.#length);
    this.clear();
    return written;
  }

  clear(): void {
    this.#bytes.fill(0, 0, this.#length);
    this.#length = 0;
  }
}
