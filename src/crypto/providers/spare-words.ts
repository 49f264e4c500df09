/** Arrays of wiped keys that serve again: one of more than 64 bytes takes longer to allocate than to fill, and a handshake has many keys. */

/** How many are kept. */
const MAX_SPARE = 64;

export class SpareWords {
  readonly #length: number;
  readonly #spare: Int32Array[] = [];

  constructor(length: number) {
    this.#length = length;
  }

  /** So many words, all of them zero. */
  take(): Int32Array {
    return this.#spare.pop() ?? new Int32Array(this.#length);
  }

  /** Overwrites them. Whoever gives them back must not look at them again. */
  giveBack(words: Int32Array): void {
    words.fill(0);
    if (this.#spare.length < MAX_SPARE) this.#spare.push(words);
  }
}
