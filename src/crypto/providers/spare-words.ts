/** Reuses the arrays of wiped keys. An array of more than 64 bytes takes longer to allocate than to fill, and a handshake has many keys. */

/** The number of arrays that are kept. */
const MAX_SPARE = 64;

export class SpareWords {
  readonly #length: number;
  readonly #spare: Int32Array[] = [];

  constructor(length: number) {
    this.#length = length;
  }

  /** Returns an array of zeros. */
  take(): Int32Array {
    return this.#spare.pop() ?? new Int32Array(this.#length);
  }

  /** Overwrites an array and keeps it. The caller must not use it again. */
  giveBack(words: Int32Array): void {
    words.fill(0);
    if (this.#spare.length < MAX_SPARE) this.#spare.push(words);
  }
}
