/** A server's sessions: the internal cache and the user's callbacks (SSL_CTX_sess_set_get_cb(3)), shared by its connections. */

import { isPromise } from '../../awaitable.ts';
import type { RemovalReason } from '../../cache/callbacks.ts';
import type { RemovalListener, SessionCache } from '../../cache/session-cache.ts';
import type { CallbackName } from '../../handshake/outcome.ts';
import type { Compat } from '../../handshake/server/settings.ts';
import type { Session } from '../../sessions/session.ts';
import { toHex } from '../../wire/bytes.ts';
import type { World } from '../../world.ts';
import { disowned, type Event } from '../events.ts';
import type { SessionPolicy } from './policy.ts';
import { Counters, type SessionStatistics } from './statistics.ts';

/** SSL_CTX_set_session_cache_mode(3): expired sessions are flushed once in so many connections. */
const CONNECTIONS_PER_FLUSH = 255;

/**
 * So many leave in a millisecond or two, though their sessions have not been looked at for hours and code that runs for the
 * first time takes several times as long: no connection has to wait longer for the sessions of others.
 */
export const FLUSH_SLICE = 1024;

/** Of sessions for single use: how many ids are remembered once they are gone. */
const MAX_TAKEN = 4096;

interface StoreParts {
  /** `undefined`: no internal cache. */
  readonly cache: SessionCache | undefined;
  readonly policy: SessionPolicy;
  readonly world: World;
  readonly compat?: Compat | undefined;
}

export class SessionStore {
  readonly cache: SessionCache | undefined;
  readonly policy: SessionPolicy;
  /** Whether callbacks are called as OpenSSL 3's code does where that and its manual pages differ. */
  readonly isCompatible: boolean;
  readonly counters = new Counters();
  readonly #world: World;
  /** Sessions that the application knows of, and has not been told to forget. */
  readonly #announced = new WeakSet<Session>();
  /** Sessions that the remove callback is just being told of. */
  readonly #leaving = new Set<Session>();
  /** Ids of sessions for single use that somebody has asked for, the last of them. */
  readonly #taken = new Set<string>();
  #emit: ((event: Event) => void) | undefined;
  /** The last flush has left some for the next connection. */
  #isBehind = false;

  /** What the cache tells when a session of this server's leaves it, whoever made it leave. */
  readonly listener: RemovalListener = Object.freeze<RemovalListener>({
    // Whoever removes it once more, before its turn has come to be told, must not have it told twice.
    departing: (session) => void this.#announced.delete(session),
    removed: (session, reason) => this.#removed(session, reason),
    replaced: (session) => this.#replaced(session),
  });

  constructor({ cache, policy, world, compat }: StoreParts) {
    this.cache = cache;
    this.policy = policy;
    this.isCompatible = compat !== undefined;
    this.#world = world;
  }

  /** The cache, where it is looked into. */
  get lookupCache(): SessionCache | undefined {
    return this.policy.internalLookup ? this.cache : undefined;
  }

  /** The cache, where what is found or made goes into it. */
  get storeCache(): SessionCache | undefined {
    return this.policy.internalStore ? this.cache : undefined;
  }

  get canFind(): boolean {
    return this.lookupCache !== undefined || this.policy.onGet !== undefined;
  }

  /** A cache that is not stored in counts: the application may add what it was told of (SSL_CTX_set_session_cache_mode(3)). */
  get canKeep(): boolean {
    return this.isCaching && (this.cache !== undefined || this.policy.onNew !== undefined);
  }

  /** SSL_SESS_CACHE_SERVER. Without it nothing new is kept; what is there already still resumes. */
  get isCaching(): boolean {
    return this.policy.mode === 'server' || this.policy.mode === 'both';
  }

  /** Runs what may make sessions leave, on behalf of a connection that hears of it. */
  during<T>(emit: (event: Event) => void, action: () => T): T {
    const outer = this.#emit;
    this.#emit = emit;
    try {
      return action();
    } finally {
      this.#emit = outer;
    }
  }

  /** A handshake is complete. */
  completed(): void {
    const completed = this.counters.count('acceptGood');
    if (!this.policy.autoClear || !this.isCaching) return;
    if (this.#isBehind || completed % CONNECTIONS_PER_FLUSH === 0) {
      this.#isBehind = this.cache?.flush(this.now(), 'expired', FLUSH_SLICE) === FLUSH_SLICE;
    }
  }

  /** Seconds since the epoch. */
  now(): number {
    return Math.floor(this.#world.now() / 1000);
  }

  /** The application has been told of this session, or has it: it will want to know when it is no good any more. */
  announced(session: Session): void {
    this.#announced.add(session);
  }

  /** The application did not want it after all. */
  refused(session: Session): void {
    this.#announced.delete(session);
  }

  /** Somebody asks for the single use of this session: whoever looks for it later is told why it is not there. */
  taken(id: Uint8Array): void {
    this.#taken.add(toHex(id));
    const [oldest] = this.#taken;
    if (this.#taken.size > MAX_TAKEN && oldest !== undefined) this.#taken.delete(oldest);
  }

  wasTaken(id: Uint8Array): boolean {
    return this.#taken.size > 0 && this.#taken.has(toHex(id));
  }

  /**
   * Puts a session into the internal cache (SSL_CTX_add_session(3)); `false` where this very object was there, or is just
   * leaving: the remove callback that is being told of it must not bring it back.
   * @throws Error where there is no such cache, or one that is closed; RangeError where nobody could resume the session
   */
  add(session: Session): boolean {
    if (this.cache === undefined) throw new Error('there is no internal cache to add a session to');
    if (this.#leaving.has(session)) return false;
    if (this.policy.updateTime && session.isResumable) session.time = this.now();
    return this.cache.add(session, this.listener);
  }

  /**
   * Has a session leave the cache and the application's store (SSL_CTX_remove_session(3)), and rules it out. `false`: it was
   * not in the cache. The remove callback hears of it once; where it was neither cached nor announced, never.
   */
  remove(session: Session, reason: RemovalReason = 'removed'): boolean {
    if (session.id.length === 0) return false;
    const isTold = this.cache?.tells(this.listener, session) ?? false; // or another server is, whose cache it is too
    const wasCached = this.cache?.remove(session, reason) ?? false;
    session.forbidResumption();
    const wasAnnounced = this.#announced.delete(session);
    if (!isTold && (wasAnnounced || (!wasCached && this.isCompatible))) this.#removed(session, reason);
    return wasCached;
  }

  /**
   * Removes from the internal cache what has expired by `now`, in seconds since the epoch; everything where that is 0
   * (SSL_CTX_flush_sessions(3)), but not more than `atMost` at once. How many there were.
   */
  flush(now: number = this.now(), atMost?: number): number {
    return this.cache?.flush(now, 'flushed', atMost) ?? 0;
  }

  /** The end of the internal cache (SSL_CTX_free(3)): the remove callback hears of every session in it. */
  close(): void {
    this.cache?.close();
  }

  statistics(): SessionStatistics {
    return this.counters.snapshot(this.cache);
  }

  #removed(session: Session, reason: RemovalReason): void {
    if (this.#leaving.has(session)) return; // the remove callback has removed it, which would go on for ever
    this.#emit?.({ type: 'session-removed', session, reason });
    this.#leaving.add(session);
    try {
      const answer: unknown = this.call('onRemove', () => this.policy.onRemove?.(session, reason));
      if (isPromise(answer)) this.disregard('onRemove', answer);
    } finally {
      this.#leaving.delete(session);
    }
  }

  /** Another object has its key. Not told to remove: an application that deletes by id would delete the other. */
  #replaced(session: Session): void {
    this.#emit?.({ type: 'session-replaced', session });
  }

  /** Nobody waits for this callback, but if it rejects that must be an event and not the end of the process. */
  disregard(callback: CallbackName, promise: PromiseLike<unknown>): void {
    const event = disowned(callback, promise);
    this.#emit?.(event);
  }

  /** Calls a user's callback. What it throws is an event and `undefined`; without a connection, the caller's to catch. */
  call<T>(callback: CallbackName, action: () => T): T | undefined {
    try {
      return action();
    } catch (error) {
      if (this.#emit === undefined) throw error;
      this.#emit({ type: 'callback-error', callback, error });
      return undefined;
    }
  }
}
