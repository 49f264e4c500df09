/**
 * The sessions of a cache, each with its listener under a slot: a whole number from 0, which others keep what they know of it
 * under. What is looked at to find one is in its record; sessions are in pages too, so that none is copied to make room.
 */

import { ownId, type Session } from '../sessions/session.ts';
import type { Version } from '../wire/registry.ts';
import { KEY_WORDS, type KeyHash, randomKeyHash, writeKey } from './session-key.ts';
import { HASH, recordAt, SlotRecords } from './slot-records.ts';
import { NONE, SlotTable } from './slot-table.ts';

const MAX_ID = 32;

/** Pages so large that what leads to one is in the processor's caches, however many sessions there are. */
const PAGE_SHIFT = 12;
const PAGE_SLOTS = 2 ** PAGE_SHIFT;
const IN_PAGE = PAGE_SLOTS - 1;

export class SessionTable<Listener> {
  readonly #byKey = new SlotTable();
  readonly #records: SlotRecords;
  readonly #sessions: (Session | undefined)[][] = [];
  readonly #listeners: (Listener | undefined)[][] = [];
  /** What is being looked for. */
  readonly #key = new Int32Array(KEY_WORDS);
  #hash: KeyHash | undefined;
  #free = NONE;
  #slots = 0;
  #size = 0;

  /**
   * Of these records it has the key and its hash; of a free slot the first word is the next that is free. Given no hash, it draws one when it
   * needs it: some hosts have no random numbers before the first request.
   */
  constructor(hash?: KeyHash, records = new SlotRecords()) {
    this.#hash = hash;
    this.#records = records;
  }

  get size(): number {
    return this.#size;
  }

  /** How many slots there are, in use or not. */
  get slots(): number {
    return this.#slots;
  }

  /** Of a slot in use. */
  session(slot: number): Session {
    return pageOf(this.#sessions, slot)[slot & IN_PAGE] as Session;
  }

  /** Of a slot in use. */
  listener(slot: number): Listener {
    return pageOf(this.#listeners, slot)[slot & IN_PAGE] as Listener;
  }

  /** The slot of the session with this id, or {@link NONE}. */
  find(version: Version, id: Uint8Array): number {
    if (this.#hash === undefined || id.length > MAX_ID) return NONE;
    writeKey(this.#key, version, id);
    const hash = this.#hash(this.#key);
    for (let nth = 0; ; nth++) {
      const slot = this.#byKey.find(hash, nth);
      if (slot === NONE || this.#isUnderKey(slot)) return slot;
    }
  }

  /** Gives a session a slot. None with its id may be there. */
  insert(session: Session, listener: Listener): number {
    this.#hash ??= randomKeyHash();
    const slot = this.#freeSlot();
    writeKey(this.#key, session.version, ownId(session));
    const hash = this.#hash(this.#key);
    this.#writeRecord(slot, hash);
    pageOf(this.#sessions, slot)[slot & IN_PAGE] = session;
    pageOf(this.#listeners, slot)[slot & IN_PAGE] = listener;
    this.#byKey.insert(hash, slot);
    this.#size++;
    return slot;
  }

  delete(slot: number): void {
    this.#byKey.delete(this.#records.get(slot, HASH), slot);
    this.#records.set(slot, 0, this.#free);
    this.#free = slot;
    pageOf(this.#sessions, slot)[slot & IN_PAGE] = undefined;
    pageOf(this.#listeners, slot)[slot & IN_PAGE] = undefined;
    this.#size--;
  }

  /** Gives back what an empty table takes. In place: compiled code that knows this table stays good. */
  reset(): void {
    this.#byKey.reset();
    this.#records.reset();
    this.#sessions.length = 0;
    this.#listeners.length = 0;
    this.#free = NONE;
    this.#slots = 0;
  }

  #isUnderKey(slot: number): boolean {
    const page = this.#records.pageOf(slot);
    const at = recordAt(slot);
    for (let i = 0; i < KEY_WORDS; i++) if (page[at + i] !== this.#key[i]) return false;
    return true;
  }

  #writeRecord(slot: number, hash: number): void {
    const page = this.#records.pageOf(slot);
    const at = recordAt(slot);
    for (let i = 0; i < KEY_WORDS; i++) page[at + i] = this.#key[i] as number;
    page[at + HASH] = hash;
  }

  #freeSlot(): number {
    const slot = this.#free;
    if (slot === NONE) {
      this.#reach(this.#slots);
      return this.#slots++;
    }
    this.#free = this.#records.get(slot, 0);
    return slot;
  }

  #reach(slot: number): void {
    this.#records.reach(slot);
    if (slot < this.#sessions.length * PAGE_SLOTS) return;
    this.#sessions.push(new Array(PAGE_SLOTS).fill(undefined));
    this.#listeners.push(new Array(PAGE_SLOTS).fill(undefined));
  }
}

function pageOf<T>(pages: readonly T[][], slot: number): T[] {
  return pages[slot >> PAGE_SHIFT] as T[];
}
