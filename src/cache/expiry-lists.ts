/**
 * Slots in order of expiry. Sessions expire at whole seconds, many of them at the same one. The slots of a second form a ring, in
 * the order of insertion. Insertion and deletion take constant time; only the first insertion and the last deletion of a
 * second cost O(log seconds).
 *
 * Slots are whole numbers from 0. All data about them is in their records, so the garbage collector has nothing to visit.
 */

import { ExpirySeconds } from './expiry-seconds.ts';
import { NEXT, PREVIOUS, recordAt, SECOND, SlotRecords } from './slot-records.ts';
import { NONE } from './slot-table.ts';

export class ExpiryLists {
  readonly #records: SlotRecords;
  readonly #seconds = new ExpirySeconds();

  /** Uses the fields SECOND, NEXT and PREVIOUS of these records. */
  constructor(records = new SlotRecords()) {
    this.#records = records;
  }

  /** The soonest to expire, or {@link NONE}. */
  get first(): number {
    const second = this.#seconds.first;
    return second === NONE ? NONE : this.#seconds.head(second);
  }

  /** Seconds since the epoch, as of the last {@link insert} or {@link move}. */
  expires(slot: number): number {
    return this.#seconds.expires(this.#records.get(slot, SECOND));
  }

  /** All slots, the soonest to expire first. */
  sorted(): number[] {
    const slots: number[] = [];
    for (const second of this.#seconds.sorted()) {
      const head = this.#seconds.head(second);
      slots.push(head);
      for (let slot = this.#after(head); slot !== head; slot = this.#after(slot)) slots.push(slot);
    }
    return slots;
  }

  /** Inserts a slot after all that expire in the same second. */
  insert(slot: number, expires: number): void {
    this.#records.reach(slot);
    const second = this.#seconds.find(expires);
    if (second === NONE) this.#write(slot, this.#seconds.open(expires, slot), slot, slot);
    else this.#append(slot, second);
  }

  /** Moves a slot to another second, after all that expire in it. */
  move(slot: number, expires: number): void {
    this.delete(slot);
    this.insert(slot, expires);
  }

  delete(slot: number): void {
    const page = this.#records.pageOf(slot);
    const at = recordAt(slot);
    const second = page[at + SECOND] as number;
    const next = page[at + NEXT] as number;
    if (next === slot) return this.#seconds.close(second);
    const previous = page[at + PREVIOUS] as number;
    this.#records.set(previous, NEXT, next);
    this.#records.set(next, PREVIOUS, previous);
    if (this.#seconds.head(second) === slot) this.#seconds.setHead(second, next);
  }

  /** Releases the memory of empty lists. Does not touch the records. */
  reset(): void {
    this.#seconds.reset();
  }

  #after(slot: number): number {
    return this.#records.get(slot, NEXT);
  }

  #append(slot: number, second: number): void {
    const head = this.#seconds.head(second);
    const tail = this.#records.get(head, PREVIOUS);
    this.#write(slot, second, head, tail);
    this.#records.set(tail, NEXT, slot);
    this.#records.set(head, PREVIOUS, slot);
  }

  #write(slot: number, second: number, next: number, previous: number): void {
    const page = this.#records.pageOf(slot);
    const at = recordAt(slot);
    page[at + SECOND] = second;
    page[at + NEXT] = next;
    page[at + PREVIOUS] = previous;
  }
}
