/**
 * The record of each slot, in words: its key, its place in the order of expiry, and its size. Records of 56 bytes lie side by side, so that
 * finding a slot, reading its expiry and removing it touch the same one or two cache lines. They are in pages, so growth
 * copies nothing.
 */

import { KEY_WORDS } from './session-key.ts';

const PAGE_SHIFT = 12;
const PAGE_SLOTS = 2 ** PAGE_SHIFT;
const IN_PAGE = PAGE_SLOTS - 1;

/** The fields of a record after the key. */
export const HASH = KEY_WORDS;
export const SECOND = KEY_WORDS + 1;
export const NEXT = KEY_WORDS + 2;
export const PREVIOUS = KEY_WORDS + 3;
/** The bytes that the cache has counted for the session. */
export const BYTES = KEY_WORDS + 4;
const RECORD_WORDS = KEY_WORDS + 5;

export class SlotRecords {
  readonly #pages: Int32Array[] = [];

  /** Makes room for this slot and all before it. */
  reach(slot: number): void {
    while (slot >= this.#pages.length * PAGE_SLOTS) this.#pages.push(new Int32Array(PAGE_SLOTS * RECORD_WORDS));
  }

  /** Returns the page with the record of a slot, which begins at {@link recordAt}. */
  pageOf(slot: number): Int32Array {
    return this.#pages[slot >> PAGE_SHIFT] as Int32Array;
  }

  get(slot: number, field: number): number {
    return this.pageOf(slot)[recordAt(slot) + field] as number;
  }

  set(slot: number, field: number, word: number): void {
    this.pageOf(slot)[recordAt(slot) + field] = word;
  }

  /** Releases all records. */
  reset(): void {
    this.#pages.length = 0;
  }
}

/** Returns where in its page the record of a slot begins. */
export function recordAt(slot: number): number {
  return (slot & IN_PAGE) * RECORD_WORDS;
}
