/**
 * From a hash to slots: whole numbers from 0 that its owner keeps things under. A `Map` of as many entries has an object and a text
 * for each, which the garbage collector has to visit, and stops everything while it grows; here there are words only,
 * in parts that grow one at a time. Linear probing, and a deletion closes its gap, so that nothing is left over that lookups
 * would have to step across.
 */

/** No slot. */
export const NONE = -1;

/** A power of two; the highest bits of a hash say which part is its own. */
const PARTS = 64;
const PART_SHIFT = 32 - Math.log2(PARTS);

/** Hash and slot + 1; 0 is an empty cell. */
const WORDS = 2;
const MIN_WORDS = 4 * WORDS;

/** Never written to: it counts as full. */
const NO_CELLS = new Int32Array(WORDS);

/** Hashes are signed 32-bit integers; several slots may have the same. */
export class SlotTable {
  readonly #parts: Int32Array[] = new Array(PARTS).fill(NO_CELLS);
  readonly #used = new Int32Array(PARTS);

  /** The `nth` slot under this hash, from 0, or {@link NONE}: the caller goes on until one is what it looks for. */
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

  /** The slot must be there. */
  delete(hash: number, slot: number): void {
    const cells = this.#cellsOf(hash);
    const last = cells.length - WORDS;
    let gap = this.#cellOf(hash, slot);
    for (let at = (gap + WORDS) & last; cells[at + 1] !== 0; at = (at + WORDS) & last) {
      const detour = (at - (cells[at] as number) * WORDS) & last;
      if (detour < ((at - gap) & last)) continue; // it would come to stand before the place where it is looked for
      cells[gap] = cells[at] as number;
      cells[gap + 1] = cells[at + 1] as number;
      gap = at;
    }
    cells[gap + 1] = 0;
    (this.#used[hash >>> PART_SHIFT] as number)--;
  }

  /** Gives back what an empty table takes. */
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

/** Into the first empty cell from where the hash is looked for. */
function put(cells: Int32Array, hash: number, slot: number): void {
  const last = cells.length - WORDS;
  let at = (hash * WORDS) & last;
  while (cells[at + 1] !== 0) at = (at + WORDS) & last;
  cells[at] = hash;
  cells[at + 1] = slot + 1;
}
