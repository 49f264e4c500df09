/**
 * A set of fingerprints of 64 bits, of which no more than a given number are kept, in memory of a fixed size. It never forgets one,
 * and holds another for it with a probability of (entries / 2^64) a question, if fingerprints are evenly spread as those of a hash are.
 */

/** The words of a cell: a fingerprint. A cell of zeros is empty. */
const WORDS = 2;
/** Two cells in three are in use at most, so that a search seldom looks at more than ten. */
const CELLS_PER_ENTRY = 1.5;
/**
 * A search looks at no more cells. Chance does not fill so many in a row. Clients who choose their hellos can, and would make each
 * search as long as they like.
 */
const MAX_PROBES = 256;
const NOT_FOUND = -1;

/** The most entries that are possible: 12 bytes each are 1.6 GB. */
export const MAX_FINGERPRINTS = 2 ** 27;
/** The bytes of a fingerprint. */
export const FINGERPRINT_BYTES = 8;

export class Fingerprints {
  readonly #maxEntries: number;
  /** Absent until there is an entry. */
  #cells: Uint32Array | undefined;
  #size = 0;

  constructor(maxEntries: number) {
    this.#maxEntries = maxEntries;
  }

  /** How many there are. */
  get size(): number {
    return this.#size;
  }

  /** Reports whether the fingerprint that begins at `offset` is among them, or may be: the search for it was cut short. */
  has(bytes: Uint8Array, offset = 0): boolean {
    if (this.#cells === undefined) return false;
    const [high, low] = wordsAt(bytes, offset);
    const at = search(this.#cells, high, low);
    return at === NOT_FOUND || !isEmpty(this.#cells, at);
  }

  /** Adds the fingerprint that begins at `offset`. Returns false if it is there, or if there is no room for it. */
  add(bytes: Uint8Array, offset = 0): boolean {
    this.#cells ??= new Uint32Array(WORDS * Math.ceil(CELLS_PER_ENTRY * this.#maxEntries));
    const [high, low] = wordsAt(bytes, offset);
    const at = search(this.#cells, high, low);
    if (at === NOT_FOUND || !isEmpty(this.#cells, at) || this.#size === this.#maxEntries) return false;
    this.#cells[at] = high;
    this.#cells[at + 1] = low;
    this.#size++;
    return true;
  }

  /** Forgets all, and keeps the memory. */
  clear(): void {
    if (this.#size > 0) this.#cells?.fill(0);
    this.#size = 0;
  }

  /** Returns all, {@link FINGERPRINT_BYTES} each. */
  toBytes(): Uint8Array {
    const bytes = new Uint8Array(FINGERPRINT_BYTES * this.#size);
    const view = new DataView(bytes.buffer);
    const cells = this.#cells ?? [];
    let to = 0;
    for (let at = 0; at < cells.length; at += WORDS) {
      if (isEmpty(cells, at)) continue;
      view.setUint32(to, cells[at] as number);
      view.setUint32(to + 4, cells[at + 1] as number);
      to += FINGERPRINT_BYTES;
    }
    return bytes;
  }

  /** Adds all of {@link Fingerprints.toBytes}. Returns false if one of them has no place. */
  addAll(bytes: Uint8Array): boolean {
    for (let at = 0; at < bytes.length; at += FINGERPRINT_BYTES) if (!this.add(bytes, at)) return false;
    return true;
  }
}

/** Zeros mark an empty cell, so one fingerprint shares its cell with another. */
function wordsAt(bytes: Uint8Array, offset: number): readonly [high: number, low: number] {
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, FINGERPRINT_BYTES);
  const high = view.getUint32(0);
  const low = view.getUint32(4);
  return [high, high === 0 && low === 0 ? 1 : low];
}

/** Returns where the fingerprint is, or the empty cell where it would be. */
function search(cells: Uint32Array, high: number, low: number): number {
  let at = WORDS * Math.floor((high / 2 ** 32) * (cells.length / WORDS));
  for (let i = 0; i < MAX_PROBES; i++) {
    if (isEmpty(cells, at) || (cells[at] === high && cells[at + 1] === low)) return at;
    at += WORDS;
    if (at === cells.length) at = 0;
  }
  return NOT_FOUND;
}

function isEmpty(cells: ArrayLike<number>, at: number): boolean {
  return cells[at] === 0 && cells[at + 1] === 0;
}
