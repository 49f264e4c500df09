/**
 * The sessions of a cache, each with its listener under a slot: a whole number from 0, which others keep what they know of it
 * under. Found by version and id; TLS 1.2 and 1.3 have ids of their own, as in OpenSSL.
 */

import { equalBytes } from '../wire/bytes.ts';
import type { Version } from '../wire/registry.ts';
import { type IdHash, randomIdHash } from './id-hash.ts';
import { ownId, type Session } from './session.ts';
import { NONE, SlotTable } from './slot-table.ts';

const MAX_ID = 32;
const MIN_SLOTS = 16;

export class SessionTable<Listener> {
  readonly #byId = new SlotTable();
  readonly #sessions: (Session | undefined)[] = [];
  readonly #listeners: (Listener | undefined)[] = [];
  /** Of a slot in use, the hash of its id; of a free one, the next that is free. */
  #hashes = new Int32Array(MIN_SLOTS);
  #free = NONE;
  #size = 0;
  #hash: IdHash | undefined;

  /** Given no hash, it draws one when it needs it: some hosts have no random numbers before the first request. */
  constructor(hash?: IdHash) {
    this.#hash = hash;
  }

  get size(): number {
    return this.#size;
  }

  /** How many slots there are, in use or not. */
  get slots(): number {
    return this.#sessions.length;
  }

  /** Of a slot in use. */
  session(slot: number): Session {
    return this.#sessions[slot] as Session;
  }

  /** Of a slot in use. */
  listener(slot: number): Listener {
    return this.#listeners[slot] as Listener;
  }

  /** The slot of the session with this id, or {@link NONE}. */
  find(version: Version, id: Uint8Array): number {
    if (this.#hash === undefined || id.length > MAX_ID) return NONE;
    const hash = this.#hash(version, id);
    for (let nth = 0; ; nth++) {
      const slot = this.#byId.find(hash, nth);
      if (slot === NONE || isUnder(this.session(slot), version, id)) return slot;
    }
  }

  /** Gives a session a slot. None with its id may be there. */
  insert(session: Session, listener: Listener): number {
    this.#hash ??= randomIdHash();
    const hash = this.#hash(session.version, ownId(session));
    const slot = this.#freeSlot();
    this.#hashes[slot] = hash;
    this.#sessions[slot] = session;
    this.#listeners[slot] = listener;
    this.#byId.insert(hash, slot);
    this.#size++;
    return slot;
  }

  delete(slot: number): void {
    this.#byId.delete(this.#hashes[slot] as number, slot);
    this.#hashes[slot] = this.#free;
    this.#free = slot;
    this.#sessions[slot] = undefined;
    this.#listeners[slot] = undefined;
    this.#size--;
  }

  #freeSlot(): number {
    const slot = this.#free;
    if (slot !== NONE) {
      this.#free = this.#hashes[slot] as number;
      return slot;
    }
    if (this.slots === this.#hashes.length) {
      const hashes = new Int32Array(2 * this.slots);
      hashes.set(this.#hashes);
      this.#hashes = hashes;
    }
    return this.slots;
  }
}

function isUnder(session: Session, version: Version, id: Uint8Array): boolean {
  return session.version === version && equalBytes(ownId(session), id);
}
