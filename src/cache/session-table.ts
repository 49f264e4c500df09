/**
 * The sessions of a cache and their listeners. Each session has a slot, a whole number from 0, under which other tables keep data
 * about it. The data needed to find a session is in its record. Sessions and listeners are in pages, so growth copies nothing.
 */

import { ownId, type Session } from '../sessions/session.ts';
import type { Version } from '../wire/registry.ts';
import { systemWorld, type World } from '../world.ts';
import { KEY_WORDS, type KeyHash, randomKeyHash, writeKey } from './session-key.ts';
import { HASH, recordAt, SlotRecords } from './slot-records.ts';
import { NONE, SlotTable } from './slot-table.ts';

const MAX_ID = 32;

/** Pages are large, so that the list of pages stays in the processor's caches, however many sessions there are. */
const PAGE_SHIFT = 12;
const PAGE_SLOTS = 2 ** PAGE_SHIFT;
const IN_PAGE = PAGE_SLOTS - 1;

export class SessionTable<Listener> {
  readonly #byKey = new SlotTable();
  readonly #records: SlotRecords;
  readonly #sessions: (Session | undefined)[][] = [];
  readonly #listeners: (Listener | undefined)[][] = [];
  /** The key of the current lookup. */
  readonly #key = new Int32Array(KEY_WORDS);
  #hash: KeyHash | undefined;
  #world: Pick<World, 'randomBytes'> | undefined;
  #free = NONE;
  #slots = 0;
  #size = 0;

  /**
   * Uses the key and the hash in these records. The first word of a free slot's record is the next free slot. Without `hash`, has
   * the world draw a seed with the first session: some hosts have no random numbers before the first request.
   */
  constructor(hash?: KeyHash, records = new SlotRecords(), world?: Pick<World, 'randomBytes'>) {
    this.#hash = hash;
    this.#records = records;
    this.#world = world;
  }

  /** Draws from this world, unless it has one already. Without any, the host's draws. */
  drawFrom(world: Pick<World, 'randomBytes'>): void {
    this.#world ??= world;
  }

  get size(): number {
    return this.#size;
  }

  /** The number of slots, in use or not. */
  get slots(): number {
    return this.#slots;
  }

  /** Returns the session of a slot that is in use. */
  session(slot: number): Session {
    return pageOf(this.#sessions, slot)[slot & IN_PAGE] as Session;
  }

  /** Returns the listener of a slot that is in use. */
  listener(slot: number): Listener {
    return pageOf(this.#listeners, slot)[slot & IN_PAGE] as Listener;
  }

  /** Returns the slot of the session with this id, or {@link NONE}. */
  find(version: Version, id: Uint8Array): number {
    if (this.#hash === undefined || id.length > MAX_ID) return NONE;
    writeKey(this.#key, version, id);
    const hash = this.#hash(this.#key);
    for (let nth = 0; ; nth++) {
      const slot = this.#byKey.find(hash, nth);
      if (slot === NONE || this.#isUnderKey(slot)) return slot;
    }
  }

  /** Draws the seed, if that is yet to be done. It throws what the world throws, and so comes before all else. */
  prepare(): KeyHash {
    this.#hash ??= randomKeyHash(this.#world ?? systemWorld);
    return this.#hash;
  }

  /** Adds a session and returns its slot. The table must not have one with the same key. */
  insert(session: Session, listener: Listener): number {
    const hashOf = this.prepare();
    const slot = this.#freeSlot();
    writeKey(this.#key, session.version, ownId(session));
    const hash = hashOf(this.#key);
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

  /** Releases the memory of an empty table. Keeps the object, so that optimised code that refers to it stays valid. */
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
