/**
 * The internal cache: bounded, and sorted by the time at which its sessions expire (SSL_CTX_sess_set_cache_size(3),
 * SSL_CTX_add_session(3), SSL_CTX_flush_sessions(3)). It knows sessions and the listeners to tell that one has left, and nothing
 * of handshakes.
 */

import { ownId, requireSession, type Session } from '../sessions/session.ts';
import { requireBytes } from '../wire/kind-of.ts';
import { type Names, requireNumber, requireOptions, wrongKind } from '../wire/options.ts';
import type { Version } from '../wire/registry.ts';
import type { World } from '../world.ts';
import type { OnRemove, RemovalReason } from './callbacks.ts';
import { ExpiryLists } from './expiry-lists.ts';
import { SessionTable } from './session-table.ts';
import { BYTES, SlotRecords } from './slot-records.ts';
import { NONE } from './slot-table.ts';

/** SSL_SESSION_CACHE_MAX_SIZE_DEFAULT */
const DEFAULT_MAX_ENTRIES = 20480;

/** The default of `maxBytes`: so many bytes for each of `maxEntries`, and at least so many in all. */
const BYTES_PER_ENTRY = 4096;
const MIN_DEFAULT_BYTES = 2 ** 20;

/** Tables that have grown beyond so many slots are given back once they are empty. */
const SLOTS_TO_KEEP = 1024;

/** The options of a {@link SessionCache}. */
export interface SessionCacheOptions {
  /** How many sessions the cache retains. Default 20480; 0 is no limit. */
  readonly maxEntries?: number | undefined;
  /**
   * How many bytes the sessions in the cache may take together, as {@link Session.byteLength} counts them; 0 is no limit. Default:
   * 4096 for each of `maxEntries`, which is 80 MiB for 20480, but at least 1 MiB; no limit if `maxEntries` is 0.
   */
  readonly maxBytes?: number | undefined;
  /** 'openssl-3' retains one session less than `maxEntries`, but at least one, as OpenSSL 3 does. */
  readonly compat?: 'openssl-3' | undefined;
  /** Told of each session that leaves, unless a server added it, which tells its own `sessions.onRemove`. */
  readonly onRemove?: OnRemove | undefined;
  /**
   * Draws the 8 bytes that seed the table of ids, with the first session. Default: the world of the first server that is given the
   * cache; `systemWorld` if there is none by then.
   */
  readonly world?: Pick<World, 'randomBytes'> | undefined;
}

/**
 * A listener is told once for each session that was added with it that the session has left. By then the session is out, `size`
 * does not count it, and the cache may be used again. The cache's hold on it ends when the listener returns. An error that a
 * listener throws goes to the observer of the call that made the session leave; if there is none, the call throws it once all
 * listeners have been told.
 */
export interface RemovalListener {
  /** Told at once, before any listener is told the reason. It must not use the cache. */
  readonly departing?: ((session: Session) => void) | undefined;
  removed(session: Session, reason: RemovalReason, observer: RemovalObserver | undefined): void;
  /** Another session has taken the key. That is no removal, as the key is still there (SSL_CTX_add_session(3)). */
  readonly replaced?: ((session: Session, observer: RemovalObserver | undefined) => void) | undefined;
}

/** The party on whose behalf a call makes sessions leave: a connection. The call hands it to the listeners. */
export interface RemovalObserver {
  /** The listener of the sessions that the observer follows. */
  readonly listener: RemovalListener;
  /** Told by that listener, before the remove callback, that a session has left. */
  sessionLeft(session: Session, reason: RemovalReason | 'replaced'): void;
  /** Told by the cache that a listener threw, be it the observer's or another. */
  removalFailed(error: unknown): void;
  /** Told by any listener that a remove callback answered with a promise, for which nothing waits. */
  removalPending(promise: PromiseLike<unknown>): void;
}

interface Departure {
  readonly session: Session;
  readonly listener: RemovalListener;
  readonly reason: RemovalReason | 'replaced';
}

const CACHE_OPTIONS = {
  maxEntries: true,
  maxBytes: true,
  compat: true,
  onRemove: true,
  world: true,
} satisfies Names<SessionCacheOptions>;

/** The cache has one hold on each of its sessions; a session is in one cache only. Times are in seconds since the epoch. */
export class SessionCache {
  readonly #records = new SlotRecords();
  readonly #sessions: SessionTable<RemovalListener>;
  readonly #byExpiry = new ExpiryLists(this.#records);
  readonly #listener: RemovalListener;
  readonly #resort = (session: Session): void => {
    const slot = this.#slotOf(session);
    if (slot === NONE || this.#sessions.session(slot) !== session) return;
    this.#byExpiry.move(slot, session.expires);
    const before = this.#bytes;
    this.#count(slot, session.byteLength);
    if (this.#bytes > before) this.#shrink(session, slot);
  };
  readonly #counted: number;
  #maxEntries = DEFAULT_MAX_ENTRIES;
  /** `undefined`: the default for {@link #maxEntries}. */
  #maxBytes: number | undefined;
  #bytes = 0;
  #evicted = 0;
  #isClosed = false;

  /** @throws TypeError or RangeError naming the option */
  constructor(options: SessionCacheOptions = {}) {
    requireOptions('options', options, CACHE_OPTIONS);
    const { maxEntries = DEFAULT_MAX_ENTRIES, maxBytes, compat, onRemove, world } = options;
    if (compat !== undefined && compat !== 'openssl-3') throw new TypeError("compat: 'openssl-3', or nothing");
    if (onRemove !== undefined && typeof onRemove !== 'function') throw wrongKind('onRemove', 'a function', onRemove);
    if (world !== undefined && typeof world?.randomBytes !== 'function')
      throw new TypeError('world: randomBytes() is missing; systemWorld has it');
    this.maxEntries = maxEntries;
    if (maxBytes !== undefined) this.maxBytes = maxBytes;
    this.#sessions = new SessionTable(undefined, this.#records, world);
    this.#counted = compat === undefined ? 0 : 1; // OpenSSL counts the newcomer before it makes room
    this.#listener = { removed: (session, reason) => onRemove?.(session, reason) };
  }

  /** @internal Names the world of a server that uses the cache. The first one counts, unless the cache has its own. */
  drawFrom(world: Pick<World, 'randomBytes'>): void {
    this.#sessions.drawFrom(world);
  }

  get size(): number {
    return this.#sessions.size;
  }

  /** How many sessions had to leave because the cache was full. */
  get evicted(): number {
    return this.#evicted;
  }

  /** Whether {@link close} was called, after which nothing can be added. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Whether there is a session under this key, expired or not. */
  has(version: Version, id: Uint8Array): boolean {
    return this.#find(version, id) !== NONE;
  }

  /** How many sessions the cache retains; 0 is no limit. A lower limit takes effect when the next session is added. */
  get maxEntries(): number {
    return this.#maxEntries;
  }

  set maxEntries(limit: number) {
    this.#maxEntries = requireLimit('maxEntries', limit);
  }

  /** About how many bytes the present sessions take together. */
  get bytes(): number {
    return this.#bytes;
  }

  /** How many bytes they may take; 0 is no limit. A lower limit takes effect when the next session is added, or when one has grown. */
  get maxBytes(): number {
    if (this.#maxBytes !== undefined) return this.#maxBytes;
    return this.#maxEntries === 0 ? 0 : Math.max(MIN_DEFAULT_BYTES, BYTES_PER_ENTRY * this.#maxEntries);
  }

  set maxBytes(limit: number) {
    this.#maxBytes = requireLimit('maxBytes', limit);
  }

  /** Whether the session is not larger than `maxBytes` on its own, so that {@link add} takes it. */
  fits(session: Session): boolean {
    requireSession('session', session);
    const { maxBytes } = this;
    return maxBytes === 0 || session.byteLength <= maxBytes;
  }

  /** Returns the present sessions, the soonest to expire first. They are lent: take a hold on those that you keep. */
  [Symbol.iterator](): IterableIterator<Session> {
    return this.#byExpiry
      .sorted()
      .map((slot) => this.#sessions.session(slot))
      .values();
  }

  /**
   * Keeps the session, with a hold of its own. If the cache is full, by either limit, the sessions that expire first have to leave,
   * never the new one. Returns `false` if this very object was here already; it then counts as the last of those that expire at its time.
   * @throws RangeError if the session can never be resumed: it has no id, was ruled out or released; or if it is larger than
   * `maxBytes`. @throws Error if another cache has the session, or if this one is closed
   */
  add(session: Session, listener: RemovalListener = this.#listener, observer?: RemovalObserver): boolean {
    if (this.#isClosed) throw new Error('this session cache is closed');
    requireSession('session', session);
    if (!session.isResumable) throw new RangeError('a session without an id, released or ruled out cannot be cached');
    const present = this.#slotOf(session);
    if (present !== NONE && this.#sessions.session(present) === session) {
      this.#byExpiry.move(present, session.expires);
      return false;
    }
    const bytes = session.byteLength;
    if (!this.fits(session))
      throw new RangeError(`a session of ${bytes} bytes; maxBytes of the cache is ${this.maxBytes}`);
    this.#sessions.prepare();
    session.claim(this.#resort);
    session.upRef();
    const departures = present === NONE ? [] : [this.#depart(present, 'replaced')];
    this.#makeRoom(bytes, departures);
    const slot = this.#sessions.insert(session, listener);
    this.#records.set(slot, BYTES, 0);
    this.#count(slot, bytes);
    this.#byExpiry.insert(slot, session.expires);
    this.#tell(departures, observer);
    return true;
  }

  /**
   * Returns the session under this key, lent: take a hold before anything else may run. An expired session leaves, and its
   * listener is told. A session can still be resumed in its last second: OpenSSL compares strictly.
   */
  get(version: Version, id: Uint8Array, now: number, observer?: RemovalObserver): Session | 'expired' | undefined {
    const slot = this.#find(version, id);
    if (slot === NONE) return undefined;
    if (now <= this.#byExpiry.expires(slot)) return this.#sessions.session(slot);
    this.#tell([this.#depart(slot, 'expired')], observer);
    return 'expired';
  }

  /** Removes a session for its single use. Returns true to the one caller that finds it, which must have a hold by then. */
  take(version: Version, id: Uint8Array, observer?: RemovalObserver): boolean {
    const slot = this.#find(version, id);
    if (slot !== NONE) this.#tell([this.#depart(slot, 'consumed')], observer);
    return slot !== NONE;
  }

  /**
   * Removes the object that is cached under the key of this session (SSL_CTX_remove_session(3)), and tells its listener. Both
   * objects are ruled out, as they are one session to the client. Returns whether there was one.
   */
  remove(session: Session, reason: RemovalReason = 'removed', observer?: RemovalObserver): boolean {
    requireSession('session', session);
    if (ownId(session).length === 0) return false;
    if (rulesOut(reason)) session.forbidResumption();
    const slot = this.#slotOf(session);
    if (slot !== NONE) this.#tell([this.#depart(slot, reason)], observer);
    return slot !== NONE;
  }

  /** Whether the object that is cached under the key of this session was added with this listener. */
  tells(listener: RemovalListener, session: Session): boolean {
    const slot = this.#slotOf(session);
    return slot !== NONE && this.#sessions.listener(slot) === listener;
  }

  /** Removes this very object and tells no listener: the new-session callback refused it. */
  discard(session: Session): boolean {
    requireSession('session', session);
    const slot = this.#slotOf(session);
    if (slot === NONE || this.#sessions.session(slot) !== session) return false;
    this.#unlink(slot);
    session.release();
    return true;
  }

  /**
   * Removes the sessions that have expired by `now`, or all if that is 0 (SSL_CTX_flush_sessions(3)), but at most `atMost`.
   * Listeners are told of the soonest to expire first. Returns how many sessions left.
   */
  flush(now = 0, reason: RemovalReason = 'flushed', atMost?: number, observer?: RemovalObserver): number {
    requireNumber('now', now);
    if (!(now >= 0)) throw new RangeError(`flush at ${now}; seconds since the epoch are possible, and 0 for all`);
    if (now > 2 ** 33 && now < 2 ** 44)
      // of the year 2242 and later; in milliseconds, 1970 to 2527
      throw new RangeError(`flush at ${now}, which are milliseconds; seconds since the epoch are wanted, now / 1000`);
    return this.#flush(now === 0 ? Number.POSITIVE_INFINITY : now, reason, atMost, observer);
  }

  /** Removes what has expired by `now` as {@link flush} does, in second 0 too: here that is a time like any other. */
  expire(now: number, reason: RemovalReason = 'expired', atMost?: number, observer?: RemovalObserver): number {
    return this.#flush(now, reason, atMost, observer);
  }

  #flush(
    now: number,
    reason: RemovalReason,
    atMost = Number.POSITIVE_INFINITY,
    observer: RemovalObserver | undefined,
  ): number {
    requireNumber('atMost', atMost);
    if (!(atMost > 0)) throw new RangeError(`flush at most ${atMost}; a number above 0 is possible`);
    const departures: Departure[] = [];
    for (let slot = this.#byExpiry.first; slot !== NONE && departures.length < atMost; slot = this.#byExpiry.first) {
      if (now <= this.#byExpiry.expires(slot)) break;
      departures.push(this.#depart(slot, reason));
    }
    this.#tell(departures, observer);
    return departures.length;
  }

  /** Removes all sessions, the soonest to expire first (SSL_CTX_free(3)). Nothing can be added any more. */
  close(): void {
    this.#isClosed = true;
    this.flush(0, 'closed');
  }

  /** Makes room for one more session of so many bytes. The soonest to expire leave, as many as it takes. */
  #makeRoom(bytes: number, departures: Departure[]): void {
    const maxEntries = this.#maxEntries || Number.POSITIVE_INFINITY;
    const maxBytes = this.maxBytes || Number.POSITIVE_INFINITY;
    for (let slot = this.#byExpiry.first; slot !== NONE; slot = this.#byExpiry.first) {
      if (this.size + this.#counted < maxEntries && this.#bytes + bytes <= maxBytes) return;
      departures.push(this.#evict(slot));
    }
  }

  /** Keeps to `maxBytes` when a session has grown. It leaves itself if it is too large on its own. */
  #shrink(grown: Session, slot: number): void {
    const maxBytes = this.maxBytes || Number.POSITIVE_INFINITY;
    const departures = this.fits(grown) ? [] : [this.#evict(slot)];
    while (this.#bytes > maxBytes) departures.push(this.#evict(this.#byExpiry.first));
    this.#tell(departures, undefined);
  }

  #evict(slot: number): Departure {
    this.#evicted++;
    return this.#depart(slot, 'evicted');
  }

  /** Counts a session with so many bytes from now on. */
  #count(slot: number, bytes: number): void {
    this.#bytes += bytes - this.#records.get(slot, BYTES);
    this.#records.set(slot, BYTES, bytes);
  }

  #find(version: Version, id: Uint8Array): number {
    return this.#sessions.find(version, requireBytes('id', id));
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
    this.#count(slot, 0);
    this.#sessions.delete(slot);
    this.#byExpiry.delete(slot);
    if (this.size > 0 || this.#sessions.slots <= SLOTS_TO_KEEP) return;
    this.#sessions.reset();
    this.#byExpiry.reset();
  }

  /** The last thing in every call: a listener may use the cache, and an error must leave nothing undone. */
  #tell(departures: readonly Departure[], observer: RemovalObserver | undefined): void {
    const errors: unknown[] = [];
    for (const { session, listener, reason } of departures) {
      try {
        if (reason === 'replaced') listener.replaced?.(session, observer);
        else listener.removed(session, reason, observer);
      } catch (error) {
        if (observer === undefined) errors.push(error);
        else observer.removalFailed(error);
      }
      session.release();
    }
    if (errors.length > 0) throw errors[0];
  }
}

function requireLimit(option: string, limit: number): number {
  requireNumber(option, limit);
  if (Number.isSafeInteger(limit) && limit >= 0) return limit;
  throw new RangeError(`${option} is ${limit}; a whole number is possible, and 0 for no limit`);
}

/**
 * Whether a session that leaves for this reason can never be resumed again. An evicted or replaced session still can be, by
 * another holder. A session of a closed cache cannot, as in SSL_CTX_free(3): nothing could revoke it any more.
 */
function rulesOut(reason: Departure['reason']): boolean {
  return reason !== 'evicted' && reason !== 'replaced';
}
