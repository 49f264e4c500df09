/** A server's sessions: the internal cache and the user's callbacks (SSL_CTX_sess_set_get_cb(3)), shared by its connections. */

import type { RemovalReason } from './cache/callbacks.ts';
import type { Session } from './cache/session.ts';
import type { RemovalListener, SessionCache } from './cache/session-cache.ts';
import { isPromise } from './crypto/provider.ts';
import type { CallbackName, Event } from './events.ts';
import type { SessionPolicy } from './session-policy.ts';
import type { World } from './world.ts';

/** SSL_CTX_set_session_cache_mode(3): expired sessions are flushed once in so many connections. */
const CONNECTIONS_PER_FLUSH = 255;

export class SessionStore {
  readonly cache: SessionCache | undefined;
  readonly policy: SessionPolicy;
  readonly #world: World;
  #completed = 0;
  #emit: ((event: Event) => void) | undefined;

  /** What the cache tells when a session of this server's leaves it, whoever made it leave. */
  readonly listener: RemovalListener = { removed: (session, reason) => this.#removed(session, reason) };

  constructor(cache: SessionCache | undefined, policy: SessionPolicy, world: World) {
    this.cache = cache;
    this.policy = policy;
    this.#world = world;
  }

  /** The cache, where it is looked into. */
  get lookupCache(): SessionCache | undefined {
    return this.policy.internalLookup ? this.cache : undefined;
  }

  /** The cache, where new sessions go into it. */
  get storeCache(): SessionCache | undefined {
    return this.policy.internalStore ? this.cache : undefined;
  }

  get canFind(): boolean {
    return this.lookupCache !== undefined || this.policy.onGet !== undefined;
  }

  get canKeep(): boolean {
    return this.storeCache !== undefined || this.policy.onNew !== undefined;
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
    this.#completed++;
    if (this.policy.autoClear && this.#completed % CONNECTIONS_PER_FLUSH === 0) {
      this.cache?.flush(this.now(), 'expired');
    }
  }

  /** Seconds since the epoch. */
  now(): number {
    return Math.floor(this.#world.now() / 1000);
  }

  /** It leaves cache and store. */
  remove(session: Session, reason: RemovalReason): void {
    if (this.cache?.remove(session, reason)) return;
    session.forbidResumption();
    this.#removed(session, reason);
  }

  #removed(session: Session, reason: RemovalReason): void {
    this.#emit?.({ type: 'session-removed', session, reason });
    const answer: unknown = this.call('onRemove', () => this.policy.onRemove?.(session, reason));
    if (isPromise(answer)) this.#disregard(answer);
  }

  /** Nobody waits for a remove callback, but if it rejects that must be an event and not the end of the process. */
  #disregard(promise: PromiseLike<unknown>): void {
    // By way of a promise of the host's: the `then` of a user's may throw.
    if (this.#emit === undefined) Promise.resolve(promise).then(undefined, () => {});
    else this.#emit({ type: 'deferred', deferred: { token: 0, callback: 'onRemove', promise } });
  }

  /** Calls a user's callback; what it throws is an event, and `undefined`. */
  call<T>(callback: CallbackName, action: () => T): T | undefined {
    try {
      return action();
    } catch (error) {
      this.#emit?.({ type: 'callback-error', callback, error });
      return undefined;
    }
  }
}
