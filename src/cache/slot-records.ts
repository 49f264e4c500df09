/**
 * What is known of each slot, in words: the key it is found under and its place among those that expire. Records are 52 bytes side by
 * side, so that to find one, to see when it ends and to take it out all look at the same line or two of memory. They are
 * in pages, so that nothing large is ever copied to make room.
 */

import { KEY_WORDS } from './session-key.ts';

const PAGE_SHIFT = 12;
const PAGE_SLOTS = 2 ** PAGE_SHIFT;
const IN_PAGE = PAGE_SLOTS - 1;

/** The fields of a record: first the key. */
export const HASH = KEY_WORDS;
export const SECOND = KEY_WORDS + 1;
export const NEXT = KEY_WORDS + 2;
export const PREVIOUS = KEY_WORDS + 3;
const RECORD_WORDS = KEY_WORDS + 4;

export class SlotRecords {
  readonly #pages: Int32Array[] = [];

  /** Makes room for this slot and all before it. */
  reach(slot: number): void {
    while (slot >= this.#pages.length * PAGE_SLOTS) this.#pages.push(new Int32Array(PAGE_SLOTS * RECORD_WORDS));
  }

  /** The words among which the record of a slot is, from {@link recordAt} on. */
  pageOf(slot: number): Int32Array {
    return this.#pages[slot >> PAGE_SHIFT] as Int32Array;
  }

  get(slot: number, field: number): number {
    return this.pageOf(slot)[recordAt(slot) + field] as number;
  }

  set(slot: number, field: number, word: number): void {
    this.pageOf(slot)[recordAt(slot) + field] = word;
  }

  /** Gives back what no slot needs any more. */
  reset(): void {
    this.#pages.length = 0;
  }
}

/** Where in its page the record of a slot begins. */
export function recordAt(slot: number): number {
  return (slot & IN_PAGE) * RECORD_WORDS;
}
