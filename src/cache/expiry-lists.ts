/**
 * What ends first, ends first. Sessions end at whole seconds, and many at the same: those of one second are a ring, in the order in which
 * they were put there, and the firsts of all rings are a binary heap. To put one behind the others of its second and to
 * take one out costs the same however many there are; only the first and the last of a second cost O(log seconds).
 *
 * The items are slots, whole numbers from 0, and all about them is in typed arrays: nothing for the garbage collector to visit.
 */

import { NONE, SlotTable } from './slot-table.ts';

const MIN_SLOTS = 16;

export class ExpiryLists {
  /** Of each slot: when it ends, its neighbours in the ring, and the place in the heap of one that is the first of its ring. */
  #expires = new Float64Array(0);
  #next = new Int32Array(0);
  #previous = new Int32Array(0);
  #place = new Int32Array(0);
  readonly #heads: number[] = [];
  readonly #bySecond = new SlotTable();

  /** The soonest to expire, or {@link NONE}. */
  get first(): number {
    return this.#heads[0] ?? NONE;
  }

  /** Seconds since the epoch, as of the last {@link insert} or {@link move}. */
  expires(slot: number): number {
    return this.#expires[slot] as number;
  }

  /** All slots, the soonest to expire first. */
  sorted(): number[] {
    const slots: number[] = [];
    for (const head of [...this.#heads].sort((a, b) => this.expires(a) - this.expires(b))) {
      slots.push(head);
      for (let slot = this.#after(head); slot !== head; slot = this.#after(slot)) slots.push(slot);
    }
    return slots;
  }

  /** Among those that end in the same second it comes last. */
  insert(slot: number, expires: number): void {
    if (slot >= this.#next.length) this.#resize(Math.max(MIN_SLOTS, 2 * slot));
    this.#expires[slot] = expires;
    const head = this.#headOf(expires);
    if (head === NONE) this.#open(slot);
    else this.#append(slot, head);
  }

  /** Gives a slot its new place: behind all that end in the same second, as one that has just been put there. */
  move(slot: number, expires: number): void {
    this.delete(slot);
    this.insert(slot, expires);
  }

  delete(slot: number): void {
    const next = this.#after(slot);
    if (next === slot) return this.#close(slot);
    const previous = this.#previous[slot] as number;
    this.#next[previous] = next;
    this.#previous[next] = previous;
    const place = this.#place[slot] as number;
    if (place === NONE) return;
    this.#put(next, place);
    this.#bySecond.replace(hashOf(this.expires(slot)), slot, next);
  }

  /** Gives back what empty lists take. */
  reset(): void {
    this.#bySecond.reset();
    this.#resize(0);
  }

  #after(slot: number): number {
    return this.#next[slot] as number;
  }

  #headOf(expires: number): number {
    const hash = hashOf(expires);
    for (let nth = 0; ; nth++) {
      const head = this.#bySecond.find(hash, nth);
      if (head === NONE || this.expires(head) === expires) return head;
    }
  }

  #append(slot: number, head: number): void {
    const tail = this.#previous[head] as number;
    this.#next[tail] = slot;
    this.#previous[slot] = tail;
    this.#next[slot] = head;
    this.#previous[head] = slot;
    this.#place[slot] = NONE;
  }

  /** The first of its second: a ring of one. */
  #open(slot: number): void {
    this.#next[slot] = slot;
    this.#previous[slot] = slot;
    this.#bySecond.insert(hashOf(this.expires(slot)), slot);
    this.#heads.push(slot);
    this.#rise(slot, this.#heads.length - 1);
  }

  /** The last of its second. */
  #close(slot: number): void {
    this.#bySecond.delete(hashOf(this.expires(slot)), slot);
    const place = this.#place[slot] as number;
    const last = this.#heads.pop();
    if (last === undefined || last === slot) return;
    if (this.#rise(last, place) === place) this.#sink(last, place);
  }

  /** Up while it ends before its parent; where it comes to stand. */
  #rise(slot: number, from: number): number {
    let place = from;
    while (place > 0) {
      const parent = this.#heads[(place - 1) >> 1] as number;
      if (this.expires(parent) <= this.expires(slot)) break;
      this.#put(parent, place);
      place = (place - 1) >> 1;
    }
    this.#put(slot, place);
    return place;
  }

  /** Down while a child ends before it. */
  #sink(slot: number, from: number): void {
    let place = from;
    for (let child = this.#child(place); child < this.#heads.length; child = this.#child(place)) {
      const head = this.#heads[child] as number;
      if (this.expires(slot) <= this.expires(head)) break;
      this.#put(head, place);
      place = child;
    }
    this.#put(slot, place);
  }

  /** The place of the child that ends first; beyond the end where there is none. */
  #child(place: number): number {
    const left = 2 * place + 1;
    const [a, b] = [this.#heads[left], this.#heads[left + 1]];
    return a !== undefined && b !== undefined && this.expires(b) < this.expires(a) ? left + 1 : left;
  }

  #put(slot: number, place: number): void {
    this.#heads[place] = slot;
    this.#place[slot] = place;
  }

  /** To more slots, or to none. */
  #resize(length: number): void {
    this.#expires = resized(this.#expires, new Float64Array(length));
    this.#next = resized(this.#next, new Int32Array(length));
    this.#previous = resized(this.#previous, new Int32Array(length));
    this.#place = resized(this.#place, new Int32Array(length));
  }
}

function resized<T extends Float64Array | Int32Array>(from: T, to: T): T {
  if (to.length > 0) to.set(from);
  return to;
}

/** Seconds are nothing that an attacker chooses: it only has to spread them (the finalizer of MurmurHash3). */
function hashOf(seconds: number): number {
  let hash = (seconds | 0) ^ ((seconds / 2 ** 32) | 0);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
