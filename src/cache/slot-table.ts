/**
 * A hash table from hashes to slots, which are whole numbers from 0. A `Map` of the same size has an object and a string for each
 * entry, which the garbage collector must visit, and it blocks while it grows. This table has words only, in parts that grow
 * one at a time. It uses linear probing, and a deletion closes its gap, so lookups never step over deleted cells.
 */

/** No slot. */
export const NONE = -1;

/** A power of two. The highest bits of a hash select the part. */
const PARTS = 64;
const PART_SHIFT = 32 - Math.log2(PARTS);

/** The words of a cell: hash, and slot + 1. A cell whose second word is 0 is empty. */
const WORDS = 2;
const MIN_WORDS = 4 * WORDS;

/** The cells of an empty part. Never written to: the part grows first. */
const NO_CELLS = new Int32Array(WORDS);

/** Hashes are signed 32-bit integers. Several slots may have the same hash. */
export class SlotTable {
  readonly #parts: Int32Array[] = new Array(PARTS).fill(NO_CELLS);
  readonly #used = new Int32Array(PARTS);

  /** Returns the `nth` slot with this hash, from 0, or {@link NONE}. Callers count up until they find the right one. */
  find(hash: number, nth = 0): number {
    const cells = this.#cellsOf(hash);
    const last = cells.length - WORDS;
    let left = nth;
    for (let at = (hash * WORDS) & last; cells[at + 1] !== 0; at = (at + WORDS) & last) {
      if (cells[at] === hash && left-- === 0) return slotAt(cells, at);
    }
    return NONE;
  }

  insert(hash: number, slot: number): void {
    const part = hash >>> PART_SHIFT;
    const used = (this.#used[part] as number) + 1;
    this.#used[part] = used;
    if (used * WORDS * 4 > this.#cellsOf(hash).length * 3) this.#grow(part);
    put(this.#cellsOf(hash), hash, slot);
  }

  /** Deletes a slot, which must be present. */
  delete(hash: number, slot: number): void {
    const cells = this.#cellsOf(hash);
    const last = cells.length - WORDS;
    let gap = this.#cellOf(hash, slot);
    for (let at = (gap + WORDS) & last; cells[at + 1] !== 0; at = (at + WORDS) & last) {
      const detour = (at - (cells[at] as number) * WORDS) & last;
      if (detour < ((at - gap) & last)) continue; // the move would put it before the cell at which its lookup starts
      cells[gap] = cells[at] as number;
      cells[gap + 1] = cells[at + 1] as number;
      gap = at;
    }
    cells[gap + 1] = 0;
    (this.#used[hash >>> PART_SHIFT] as number)--;
  }

  /** Releases the memory of an empty table. */
  reset(): void {
    this.#parts.fill(NO_CELLS);
  }

  #cellsOf(hash: number): Int32Array {
    return this.#parts[hash >>> PART_SHIFT] as Int32Array;
  }

  #cellOf(hash: number, slot: number): number {
    const cells = this.#cellsOf(hash);
    const last = cells.length - WORDS;
    let at = (hash * WORDS) & last;
    while (slotAt(cells, at) !== slot) at = (at + WORDS) & last;
    return at;
  }

  #grow(part: number): void {
    const cells = this.#parts[part] as Int32Array;
    const larger = new Int32Array(Math.max(MIN_WORDS, 2 * cells.length));
    for (let at = 0; at < cells.length; at += WORDS) {
      if (cells[at + 1] !== 0) put(larger, cells[at] as number, slotAt(cells, at));
    }
    this.#parts[part] = larger;
  }
}

function slotAt(cells: Int32Array, at: number): number {
  return (cells[at + 1] as number) - 1;
}

/** Writes to the first empty cell from the one at which the lookup starts. */
function put(cells: Int32Array, hash: number, slot: number): void {
  const last = cells.length - WORDS;
  let at = (hash * WORDS) & last;
  while (cells[at + 1] !== 0) at = (at + WORDS) & last;
  cells[at] = hash;
  cells[at + 1] = slot + 1;
}
