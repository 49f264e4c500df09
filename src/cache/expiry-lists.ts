/**
 * What ends first, ends first. Sessions end at whole seconds, and many at the same: those of one second are a ring, in the order in which
 * they were put there. To put one behind the others of its second and to take one out costs the same however many there are;
 * only the first and the last of a second cost O(log seconds).
 *
 * The items are slots, whole numbers from 0, and all about them is in their records: nothing for the garbage collector to visit.
 */

import { ExpirySeconds } from './expiry-seconds.ts';
import { NEXT, PREVIOUS, recordAt, SECOND, SlotRecords } from './slot-records.ts';
import { NONE } from './slot-table.ts';

export class ExpiryLists {
  readonly #records: SlotRecords;
  readonly #seconds = new ExpirySeconds();

  /** Of these records it has the fields for the second and the neighbours in its ring. */
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

  /** Among those that end in the same second it comes last. */
  insert(slot: number, expires: number): void {
    this.#records.reach(slot);
    const second = this.#seconds.find(expires);
    if (second === NONE) this.#write(slot, this.#seconds.open(expires, slot), slot, slot);
    else this.#append(slot, second);
  }

  /** Gives a slot its new place: behind all that end in the same second, as one that has just been put there. */
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

  /** Gives back what empty lists take; the records are not theirs. */
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
