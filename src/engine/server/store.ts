/** The sessions of a server: its internal cache and the user's callbacks (SSL_CTX_sess_set_get_cb(3)), shared by its connections. */

import { disregard, isPromise } from '../../awaitable.ts';
import type { RemovalReason } from '../../cache/callbacks.ts';
import type { RemovalListener, RemovalObserver, SessionCache } from '../../cache/session-cache.ts';
import type { Compat } from '../../handshake/server/settings.ts';
import type { Session } from '../../sessions/session.ts';
import { toHex } from '../../wire/bytes.ts';
import { secondsOf, type World } from '../../world.ts';
import type { SessionPolicy } from './policy.ts';
import { Counters, type SessionStatistics } from './statistics.ts';

/** SSL_CTX_set_session_cache_mode(3): expired sessions are flushed once in so many connections. */
const CONNECTIONS_PER_FLUSH = 255;

/**
 * The most sessions that one flush removes on behalf of a connection. It takes a millisecond or two, even if the sessions have not
 * been touched for hours and the code runs for the first time, which costs several times as much as later.
 */
export const FLUSH_SLICE = 1024;

/** How many ids of sessions for single use are remembered after their use. */
const MAX_TAKEN = 4096;

interface StoreParts {
  /** `undefined`: no internal cache. */
  readonly cache: SessionCache | undefined;
  readonly policy: SessionPolicy;
  readonly world: World;
  readonly compat?: Compat | undefined;
}

/**
 * Methods that can make sessions leave take the connection on whose behalf they run, as an observer. It hears of the server's
 * sessions that leave, and of every remove callback that fails. Without an observer, as in `addSession()` of a configuration, the
 * caller gets the error.
 */
export class SessionStore {
  readonly cache: SessionCache | undefined;
  readonly policy: SessionPolicy;
  /** Whether callbacks are called as OpenSSL 3's code does where that differs from its manual pages. */
  readonly isCompatible: boolean;
  readonly counters = new Counters();
  readonly #world: World;
  /** Sessions that the application was told of, and not yet told to forget. */
  readonly #announced = new WeakSet<Session>();
  /** Sessions whose remove callback is running. */
  readonly #leaving = new Set<Session>();
  /** The latest ids of sessions whose single use was asked for. */
  readonly #taken = new Set<string>();
  /** Whether the last flush left expired sessions to the next connection. */
  #isBehind = false;

  /** Told by the cache of this server's sessions that leave it, whichever server made them leave. */
  readonly listener: RemovalListener = Object.freeze<RemovalListener>({
    // A listener that is told earlier may remove this session once more: that must not have it told twice.
    departing: (session) => void this.#announced.delete(session),
    removed: (session, reason, observer) => this.#removed(session, reason, observer),
    // The remove callback is not called: an application that deletes by id would delete the session that has the id now.
    replaced: (session, observer) => this.#left(session, 'replaced', observer),
  });

  constructor({ cache, policy, world, compat }: StoreParts) {
    this.cache = cache;
    this.policy = policy;
    this.isCompatible = compat !== undefined;
    this.#world = world;
    cache?.drawFrom(world);
  }

  /** The cache, if lookups consult it. */
  get lookupCache(): SessionCache | undefined {
    return this.policy.internalLookup ? this.cache : undefined;
  }

  /** The cache, if sessions that are found or made go into it. */
  get storeCache(): SessionCache | undefined {
    return this.policy.internalStore ? this.cache : undefined;
  }

  /** Whether the session is small enough for the cache, if new sessions go into one. */
  fits(session: Session): boolean {
    return this.storeCache?.fits(session) ?? true;
  }

  get canFind(): boolean {
    return this.lookupCache !== undefined || this.policy.onGet !== undefined;
  }

  /**
   * Whether a new session can be kept. A cache counts even if new sessions do not go into it: the application may add those that
   * it is told of (SSL_CTX_set_session_cache_mode(3)).
   */
  get canKeep(): boolean {
    return this.isCaching && (isOpen(this.cache) || this.policy.onNew !== undefined);
  }

  /** Whether a lookup could find a new session that is kept: in the internal cache, or by `onGet`. */
  get canFindAgain(): boolean {
    return isOpen(this.lookupCache) || this.policy.onGet !== undefined;
  }

  /**
   * Whether a new session for single use could be taken: by `onTake` or, unless `onGet` may find a copy, out of the cache. A sealed
   * session is in the cache only if new sessions go there.
   */
  canTake(isSealed: boolean): boolean {
    const { onGet, onTake } = this.policy;
    if (onTake !== undefined) return true;
    return onGet === undefined && this.isCaching && isOpen(isSealed ? this.storeCache : this.cache);
  }

  /** SSL_SESS_CACHE_SERVER. Without it no new session is kept; those that are in the cache still resume. */
  get isCaching(): boolean {
    return this.policy.mode === 'server' || this.policy.mode === 'both';
  }

  /** Counts a handshake that is complete, and flushes expired sessions when it is their turn. */
  completed(observer?: RemovalObserver): void {
    const completed = this.counters.count('acceptGood');
    if (!this.policy.autoClear || !this.isCaching) return;
    if (this.#isBehind || completed % CONNECTIONS_PER_FLUSH === 0) {
      this.#isBehind = this.cache?.expire(this.now(), 'expired', FLUSH_SLICE, observer) === FLUSH_SLICE;
    }
  }

  /** Seconds since the epoch. */
  now(): number {
    return secondsOf(this.#world);
  }

  /** Notes that the application knows of this session, and so must be told when it can no longer be resumed. */
  announced(session: Session): void {
    this.#announced.add(session);
  }

  /** Notes that the application refused the session that it was told of. */
  refused(session: Session): void {
    this.#announced.delete(session);
  }

  /** Notes that the single use of this session was asked for, so that later lookups can give that as the reason. */
  taken(id: Uint8Array): void {
    this.#taken.add(toHex(id));
    const [oldest] = this.#taken;
    if (this.#taken.size > MAX_TAKEN && oldest !== undefined) this.#taken.delete(oldest);
  }

  wasTaken(id: Uint8Array): boolean {
    return this.#taken.size > 0 && this.#taken.has(toHex(id));
  }

  /**
   * Puts a session into the internal cache (SSL_CTX_add_session(3)). Returns `false` if this very object is there, or is just
   * leaving: the remove callback that is told of it must not bring it back.
   * @throws Error if there is no such cache, or if it is closed; RangeError if the session can never be resumed, or is too large
   */
  add(session: Session, observer?: RemovalObserver): boolean {
    if (this.cache === undefined) throw new Error('there is no internal cache to add a session to');
    if (this.#leaving.has(session)) return false;
    if (this.policy.updateTime && session.isResumable) session.time = this.now();
    return this.cache.add(session, this.listener, observer);
  }

  /**
   * Removes a session from the cache and the application's store (SSL_CTX_remove_session(3)), and rules it out. Returns `false` if
   * it was not in the cache. The remove callback is told once; if the session was neither cached nor announced, it is not told.
   */
  remove(session: Session, reason: RemovalReason = 'removed', observer?: RemovalObserver): boolean {
    if (session.id.length === 0) return false;
    const isTold = this.cache?.tells(this.listener, session) ?? false; // if not, another server is, which shares the cache
    const wasCached = this.cache?.remove(session, reason, observer) ?? false;
    session.forbidResumption();
    const wasAnnounced = this.#announced.delete(session);
    if (!isTold && (wasAnnounced || (!wasCached && this.isCompatible))) this.#tellRemoved(session, reason, observer);
    return wasCached;
  }

  /**
   * Removes the sessions that have expired by `now`, in seconds since the epoch, from the internal cache, or all if that is 0
   * (SSL_CTX_flush_sessions(3)), but at most `atMost`. Without `now` it is the present, which may be second 0. Returns how many
   * sessions left.
   */
  flush(now?: number, atMost?: number): number {
    if (now !== undefined) return this.cache?.flush(now, 'flushed', atMost) ?? 0;
    return this.cache?.expire(this.now(), 'flushed', atMost) ?? 0;
  }

  /** Closes the internal cache (SSL_CTX_free(3)): the remove callback is told of every session in it. */
  close(): void {
    this.cache?.close();
  }

  statistics(): SessionStatistics {
    return this.counters.snapshot(this.cache);
  }

  /** Tells that a session was removed, and handles an error as the cache does. */
  #tellRemoved(session: Session, reason: RemovalReason, observer: RemovalObserver | undefined): void {
    try {
      this.#removed(session, reason, observer);
    } catch (error) {
      if (observer === undefined) throw error;
      observer.removalFailed(error);
    }
  }

  #removed(session: Session, reason: RemovalReason, observer: RemovalObserver | undefined): void {
    if (this.#leaving.has(session)) return; // its remove callback removes it once more, which would never end
    this.#left(session, reason, observer);
    this.#leaving.add(session);
    try {
      const answer: unknown = this.policy.onRemove?.(session, reason);
      if (observer === undefined) disregard(answer);
      else if (isPromise(answer)) observer.removalPending(answer);
    } finally {
      this.#leaving.delete(session);
    }
  }

  /** A connection does not hear of the sessions of another server that shares the cache. */
  #left(session: Session, reason: RemovalReason | 'replaced', observer: RemovalObserver | undefined): void {
    if (observer?.listener === this.listener) observer.sessionLeft(session, reason);
  }
}

function isOpen(cache: SessionCache | undefined): boolean {
  return cache !== undefined && !cache.isClosed;
}
