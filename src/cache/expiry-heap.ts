/**
 * What ends first, ends first: a binary heap whose items know their own places, so that any of them moves in O(log n).
 */

/** An item of the heap, which alone writes `expires`, `order` and `place`. */
export interface Expiring {
  /** Seconds since the epoch, as of the last {@link ExpiryHeap.insert} or {@link ExpiryHeap.move}. */
  expires: number;
  /** Among those that end in the same second the one that was put there first comes first. */
  order: number;
  place: number;
}

function precedes(a: Expiring, b: Expiring): boolean {
  return a.expires < b.expires || (a.expires === b.expires && a.order < b.order);
}

export class ExpiryHeap<T extends Expiring> {
  readonly #items: T[] = [];
  #order = 0;

  /** The soonest to expire. */
  get first(): T | undefined {
    return this.#items[0];
  }

  /** All items, the soonest to expire first. */
  sorted(): T[] {
    return [...this.#items].sort((a, b) => (precedes(a, b) ? -1 : 1));
  }

  insert(item: T, expires: number): void {
    item.place = this.#items.length;
    this.#items.push(item);
    this.move(item, expires);
  }

  /** Gives an item its new place: behind all that end in the same second, as one that has just been put there. */
  move(item: T, expires: number): void {
    item.expires = expires;
    item.order = this.#order++;
    this.#settle(item);
  }

  delete(item: T): void {
    const last = this.#items.pop();
    if (last === undefined || last === item) return;
    last.place = item.place;
    this.#settle(last);
  }

  /** Up while it ends before its parent, or else down while a child ends before it. */
  #settle(item: T): void {
    const from = item.place;
    for (let parent = this.#parent(item); parent !== undefined && precedes(item, parent); parent = this.#parent(item)) {
      this.#swap(item, parent);
    }
    if (item.place !== from) return;
    this.#items[from] = item;
    for (let child = this.#child(item); child !== undefined && precedes(child, item); child = this.#child(item)) {
      this.#swap(item, child);
    }
  }

  #parent(item: T): T | undefined {
    return item.place === 0 ? undefined : this.#items[(item.place - 1) >> 1];
  }

  /** The child that ends first. */
  #child(item: T): T | undefined {
    const left = this.#items[2 * item.place + 1];
    const right = this.#items[2 * item.place + 2];
    return left !== undefined && right !== undefined && precedes(right, left) ? right : left;
  }

  #swap(item: T, other: T): void {
    [item.place, other.place] = [other.place, item.place];
    this.#items[item.place] = item;
    this.#items[other.place] = other;
  }
}
