/**
 * The internal cache: bounded, in order of expiry, expiring (SSL_CTX_sess_set_cache_size(3), SSL_CTX_add_session(3),
 * SSL_CTX_flush_sessions(3)). It knows sessions and whom to tell that one has left; of handshakes it knows nothing.
 */

import { ownId, type Session } from '../sessions/session.ts';
import type { Version } from '../wire/registry.ts';
import type { OnRemove, RemovalReason } from './callbacks.ts';
import { ExpiryLists } from './expiry-lists.ts';
import { SessionTable } from './session-table.ts';
import { SlotRecords } from './slot-records.ts';
import { NONE } from './slot-table.ts';

/** SSL_SESSION_CACHE_MAX_SIZE_DEFAULT */
const DEFAULT_MAX_ENTRIES = 20480;

/** What has grown beyond so many is given back once it is empty. */
const SLOTS_TO_KEEP = 1024;

export interface SessionCacheOptions {
  /** How many sessions it retains, 20480 by default; 0 is no limit. */
  readonly maxEntries?: number | undefined;
  /** 'openssl-3': it retains one less than `maxEntries`, though never none, as OpenSSL 3 does. */
  readonly compat?: 'openssl-3' | undefined;
  /** Told of each session that leaves, unless the session was added with a listener of its own. */
  readonly onRemove?: OnRemove | undefined;
}

/**
 * Who is told that a session has left, once for each that was added. By then it is out, `size` does not count it and
 * the cache may be used again; the cache's hold on it ends when the listener returns. What a listener throws comes out
 * of the call that made the session leave, after all others have been told.
 */
export interface RemovalListener {
  /** It is out, and will be told of in its turn: others that left with it may come first. Must not use the cache. */
  departing?(session: Session): void;
  removed(session: Session, reason: RemovalReason): void;
  /** Another object has taken its key: no removal, as the key is still there (SSL_CTX_add_session(3)). */
  replaced?(session: Session): void;
}

interface Departure {
  readonly session: Session;
  readonly listener: RemovalListener;
  readonly reason: RemovalReason | 'replaced';
}

/** It has one hold on each of its sessions, and a session is in one cache only. Times are seconds since the epoch. */
export class SessionCache {
  readonly #records = new SlotRecords();
  readonly #sessions = new SessionTable<RemovalListener>(undefined, this.#records);
  readonly #byExpiry = new ExpiryLists(this.#records);
  readonly #listener: RemovalListener;
  readonly #resort = (session: Session): void => {
    const slot = this.#slotOf(session);
    if (slot !== NONE && this.#sessions.session(slot) === session) this.#byExpiry.move(slot, session.expires);
  };
  readonly #counted: number;
  #maxEntries = DEFAULT_MAX_ENTRIES;
  #evicted = 0;
  #isClosed = false;

  /** @throws TypeError or RangeError naming the option */
  constructor(options: SessionCacheOptions = {}) {
    const { maxEntries = DEFAULT_MAX_ENTRIES, compat, onRemove, ...unknown } = options;
    for (const option of Object.keys(unknown)) {
      throw new TypeError(`unknown option ${option}; a session cache has maxEntries, compat and onRemove`);
    }
    if (compat !== undefined && compat !== 'openssl-3') throw new TypeError("compat: 'openssl-3', or nothing");
    if (onRemove !== undefined && typeof onRemove !== 'function') throw new TypeError('onRemove must be a function');
    this.maxEntries = maxEntries;
    this.#counted = compat === undefined ? 0 : 1; // OpenSSL counts the newcomer before it makes room
    this.#listener = { removed: (session, reason) => onRemove?.(session, reason) };
  }

  get size(): number {
    return this.#sessions.size;
  }

  /** How many have had to leave because it was full. */
  get evicted(): number {
    return this.#evicted;
  }

  /** After {@link close} nothing can be added. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Whether there is a session under this key, expired or not. */
  has(version: Version, id: Uint8Array): boolean {
    return this.#sessions.find(version, id) !== NONE;
  }

  /** How many sessions it retains; 0 is no limit. A lower limit takes effect when the next session is added. */
  get maxEntries(): number {
    return this.#maxEntries;
  }

  set maxEntries(limit: number) {
    if (!Number.isSafeInteger(limit) || limit < 0) {
      throw new RangeError(`maxEntries is ${limit}; a whole number is possible, and 0 for no limit`);
    }
    this.#maxEntries = limit;
  }

  /** The sessions as they are now, the soonest to expire first. They are lent. */
  [Symbol.iterator](): IterableIterator<Session> {
    return this.#byExpiry
      .sorted()
      .map((slot) => this.#sessions.session(slot))
      .values();
  }

  /**
   * Takes a hold on the session and keeps it. Where the cache is full, those that expire first have to leave, never the
   * newcomer. `false`: this very object was here already; it counts as the youngest of those that expire with it.
   * @throws RangeError where nobody could resume it: it has no id, was ruled out or released. @throws Error where
   * another cache has it, or where this one is closed
   */
  add(session: Session, listener: RemovalListener = this.#listener): boolean {
    if (this.#isClosed) throw new Error('this session cache is closed');
    if (!session.isResumable) throw new RangeError('a session without an id, released or ruled out cannot be cached');
    const present = this.#slotOf(session);
    if (present !== NONE && this.#sessions.session(present) === session) {
      this.#byExpiry.move(present, session.expires);
      return false;
    }
    session.claim(this.#resort);
    session.upRef();
    const departures = present === NONE ? [] : [this.#depart(present, 'replaced')];
    this.#makeRoom(departures);
    this.#byExpiry.insert(this.#sessions.insert(session, listener), session.expires);
    this.#tell(departures);
    return true;
  }

  /**
   * The session under this key, lent: take a hold before anything else may run. One that has expired leaves and is
   * told. The last second of a session is still good: OpenSSL compares strictly.
   */
  get(version: Version, id: Uint8Array, now: number): Session | 'expired' | undefined {
    const slot = this.#sessions.find(version, id);
    if (slot === NONE) return undefined;
    if (now <= this.#byExpiry.expires(slot)) return this.#sessions.session(slot);
    this.#tell([this.#depart(slot, 'expired')]);
    return 'expired';
  }

  /** Single use: true for the one caller that finds it there. Who resumes it has a hold of its own by then. */
  take(version: Version, id: Uint8Array): boolean {
    const slot = this.#sessions.find(version, id);
    if (slot !== NONE) this.#tell([this.#depart(slot, 'consumed')]);
    return slot !== NONE;
  }

  /**
   * Removes whatever is cached under the key of this session (SSL_CTX_remove_session(3)): that object is told, and both
   * are ruled out, as they are the same session to its client. Whether there was one.
   */
  remove(session: Session, reason: RemovalReason = 'removed'): boolean {
    if (ownId(session).length === 0) return false;
    if (rulesOut(reason)) session.forbidResumption();
    const slot = this.#slotOf(session);
    if (slot !== NONE) this.#tell([this.#depart(slot, reason)]);
    return slot !== NONE;
  }

  /** Whether what is cached under the key of this session was added with this listener. */
  tells(listener: RemovalListener, session: Session): boolean {
    const slot = this.#slotOf(session);
    return slot !== NONE && this.#sessions.listener(slot) === listener;
  }

  /** Lets go of this very object without a word: the new-session callback did not want it. */
  discard(session: Session): boolean {
    const slot = this.#slotOf(session);
    if (slot === NONE || this.#sessions.session(slot) !== session) return false;
    this.#unlink(slot);
    session.release();
    return true;
  }

  /**
   * Removes what has expired by `now`, and everything where that is 0 (SSL_CTX_flush_sessions(3)), but not more than
   * `atMost` of them at once; the soonest to expire is told first. How many there were.
   */
  flush(now = 0, reason: RemovalReason = 'flushed', atMost = Number.POSITIVE_INFINITY): number {
    if (!(now >= 0)) throw new RangeError(`flush at ${now}; seconds since the epoch are possible, and 0 for all`);
    if (!(atMost > 0)) throw new RangeError(`flush at most ${atMost}; a number above 0 is possible`);
    const departures: Departure[] = [];
    for (let slot = this.#byExpiry.first; slot !== NONE && departures.length < atMost; slot = this.#byExpiry.first) {
      if (now !== 0 && now <= this.#byExpiry.expires(slot)) break;
      departures.push(this.#depart(slot, reason));
    }
    this.#tell(departures);
    return departures.length;
  }

  /** Lets everything go, the soonest to expire first (SSL_CTX_free(3)). Nothing can be added any more. */
  close(): void {
    this.#isClosed = true;
    this.flush(0, 'closed');
  }

  /** For one more. The soonest to expire go; a lower limit than there are sessions costs several. */
  #makeRoom(departures: Departure[]): void {
    if (this.#maxEntries === 0) return;
    for (let slot = this.#byExpiry.first; slot !== NONE; slot = this.#byExpiry.first) {
      if (this.size + this.#counted < this.#maxEntries) return;
      departures.push(this.#depart(slot, 'evicted'));
      this.#evicted++;
    }
  }

  #slotOf(session: Session): number {
    return this.#sessions.find(session.version, ownId(session));
  }

  #depart(slot: number, reason: Departure['reason']): Departure {
    const [session, listener] = [this.#sessions.session(slot), this.#sessions.listener(slot)];
    this.#unlink(slot);
    if (rulesOut(reason)) session.forbidResumption();
    listener.departing?.(session);
    return { session, listener, reason };
  }

  #unlink(slot: number): void {
    this.#sessions.session(slot).claim(undefined);
    this.#sessions.delete(slot);
    this.#byExpiry.delete(slot);
    if (this.size > 0 || this.#sessions.slots <= SLOTS_TO_KEEP) return;
    this.#sessions.reset();
    this.#byExpiry.reset();
  }

  /** Last in every call: a listener may use the cache, and an error must not leave anything undone. */
  #tell(departures: readonly Departure[]): void {
    const errors: unknown[] = [];
    for (const { session, listener, reason } of departures) {
      try {
        if (reason === 'replaced') listener.replaced?.(session);
        else listener.removed(session, reason);
      } catch (error) {
        errors.push(error);
      }
      session.release();
    }
    if (errors.length > 0) throw errors[0];
  }
}

/**
 * That room was needed, or that a twin came, says nothing against a session that somebody else still holds. All other
 * reasons do; `closed` too, as in SSL_CTX_free(3): from then on nobody could revoke it.
 */
function rulesOut(reason: Departure['reason']): boolean {
  return reason !== 'evicted' && reason !== 'replaced';
}
