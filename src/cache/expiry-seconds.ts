/**
 * The seconds at which sessions expire, in a binary heap. Each second has a number. There are far fewer seconds than sessions, so
 * the data that is read for each session stays in the processor's caches.
 */

import { NONE, SlotTable } from './slot-table.ts';

export class ExpirySeconds {
  /** By number: the second, its first slot, and its place in the heap. The entries of a number that is not in use are stale. */
  readonly #expires: number[] = [];
  readonly #heads: number[] = [];
  readonly #places: number[] = [];
  readonly #heap: number[] = [];
  readonly #free: number[] = [];
  readonly #numbers = new SlotTable();

  /** The number of the soonest second, or {@link NONE}. */
  get first(): number {
    return this.#heap[0] ?? NONE;
  }

  /** Seconds since the epoch. */
  expires(number: number): number {
    return this.#expires[number] as number;
  }

  head(number: number): number {
    return this.#heads[number] as number;
  }

  setHead(number: number, slot: number): void {
    this.#heads[number] = slot;
  }

  /** Returns all numbers, the soonest second first. */
  sorted(): number[] {
    return [...this.#heap].sort((a, b) => this.expires(a) - this.expires(b));
  }

  /** Returns the number of a second, or {@link NONE} if it is not in use. */
  find(expires: number): number {
    const hash = hashOf(expires);
    for (let nth = 0; ; nth++) {
      const number = this.#numbers.find(hash, nth);
      if (number === NONE || this.expires(number) === expires) return number;
    }
  }

  /** Adds a second that is not in use, and returns its number. */
  open(expires: number, head: number): number {
    const number = this.#free.pop() ?? this.#expires.length;
    this.#expires[number] = expires;
    this.#heads[number] = head;
    this.#numbers.insert(hashOf(expires), number);
    this.#rise(number, this.#heap.length);
    return number;
  }

  close(number: number): void {
    this.#numbers.delete(hashOf(this.expires(number)), number);
    this.#free.push(number);
    const place = this.#places[number] as number;
    const last = this.#heap.pop();
    if (last === undefined || last === number) return;
    if (this.#rise(last, place) === place) this.#sink(last, place);
  }

  /** Releases memory. No second may be in use. */
  reset(): void {
    for (const list of [this.#expires, this.#heads, this.#places, this.#heap, this.#free]) list.length = 0;
    this.#numbers.reset();
  }

  /** Moves a number up while it is sooner than its parent. Returns its place. */
  #rise(number: number, from: number): number {
    let place = from;
    while (place > 0) {
      const parent = this.#heap[(place - 1) >> 1] as number;
      if (this.expires(parent) <= this.expires(number)) break;
      this.#put(parent, place);
      place = (place - 1) >> 1;
    }
    this.#put(number, place);
    return place;
  }

  /** Moves a number down while a child is sooner. */
  #sink(number: number, from: number): void {
    let place = from;
    for (let child = this.#child(place); child < this.#heap.length; child = this.#child(place)) {
      const second = this.#heap[child] as number;
      if (this.expires(number) <= this.expires(second)) break;
      this.#put(second, place);
      place = child;
    }
    this.#put(number, place);
  }

  /** Returns the place of the sooner child, beyond the end if there is none. */
  #child(place: number): number {
    const left = 2 * place + 1;
    if (left + 1 >= this.#heap.length) return left;
    const [a, b] = [this.#heap[left] as number, this.#heap[left + 1] as number];
    return this.expires(b) < this.expires(a) ? left + 1 : left;
  }

  #put(number: number, place: number): void {
    this.#heap[place] = number;
    this.#places[number] = place;
  }
}

/** Attackers do not choose the seconds, so the hash only has to spread them (the finalizer of MurmurHash3). */
function hashOf(seconds: number): number {
  let hash = (seconds | 0) ^ ((seconds / 2 ** 32) | 0);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
