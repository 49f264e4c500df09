/** The sessions of an SSL_CTX: the cache and its mode, the timeout, and the counters. */

import { SessionCache } from '../cache/session-cache.ts';
import type { ServerConfig } from '../engine/server/config.ts';
import type { CacheMode, SessionPolicy } from '../engine/server/policy.ts';
import { SessionStore } from '../engine/server/store.ts';
import { Session } from '../sessions/session.ts';
import { kindOf } from '../wire/kind-of.ts';
import { requireNumber } from '../wire/options.ts';
import { requireInt } from './callbacks.ts';
import {
  SESS_CACHE_NO_AUTO_CLEAR,
  SESS_CACHE_NO_INTERNAL,
  SESS_CACHE_NO_INTERNAL_LOOKUP,
  SESS_CACHE_NO_INTERNAL_STORE,
  SESS_CACHE_SERVER,
  SESS_CACHE_UPDATE_TIME,
} from './constants.ts';
import { type Copied, CopiedSettings } from './copied-settings.ts';

const DEFAULT_TIMEOUT = 7200;
/** The index is the number in the two lowest bits of a cache mode. */
const MODES: readonly CacheMode[] = ['off', 'client', 'server', 'both'];
const OWN_CALLBACKS = ['onNew', 'onGet', 'onRemove', 'generateId', 'notResumable'] as const;

/** What an {@link SslContext} does with sessions: the functions SSL_CTX_sess_…. */
export abstract class ContextSessions<S> extends CopiedSettings<S> {
  /** @internal */
  protected readonly store: SessionStore;
  /** @internal The policy of {@link store}, which reads it anew each time. */
  protected readonly policy: { -readonly [K in keyof SessionPolicy]: SessionPolicy[K] };
  readonly #cache: SessionCache;
  #mode = SESS_CACHE_SERVER;
  #timeout: number;

  /** @internal @throws TypeError if `base` has callbacks of its own for sessions */
  protected constructor(base: ServerConfig, copied: Copied<S>) {
    super(copied);
    const { cache = new SessionCache({ compat: base.compat }), policy } = base.store;
    const other = OWN_CALLBACKS.find((name) => policy[name] !== undefined);
    if (other !== undefined) throw new TypeError(`sessions.${other}: give the context a callback of its own instead`);
    this.policy = { ...policy };
    this.#cache = cache;
    this.store = new SessionStore({ cache, policy: this.policy, world: base.world, compat: base.compat });
    this.#timeout = base.sessionTimeout();
    this.#mode =
      MODES.indexOf(policy.mode) |
      flag(!policy.autoClear, SESS_CACHE_NO_AUTO_CLEAR) |
      flag(!policy.internalLookup, SESS_CACHE_NO_INTERNAL_LOOKUP) |
      flag(!policy.internalStore, SESS_CACHE_NO_INTERNAL_STORE) |
      flag(policy.updateTime, SESS_CACHE_UPDATE_TIME) |
      flag(base.store.cache === undefined, SESS_CACHE_NO_INTERNAL);
    this.setSessionCacheMode(this.#mode);
  }

  /** SSL_CTX_set_session_cache_mode(3). Returns the previous mode. */
  setSessionCacheMode(mode: number): number {
    requireInt('setSessionCacheMode()', mode);
    const before = this.#mode;
    this.#mode = mode;
    this.policy.mode = MODES[mode & 3] ?? 'off';
    this.policy.autoClear = (mode & SESS_CACHE_NO_AUTO_CLEAR) === 0;
    this.policy.internalLookup = (mode & SESS_CACHE_NO_INTERNAL_LOOKUP) === 0;
    this.policy.internalStore = (mode & SESS_CACHE_NO_INTERNAL_STORE) === 0;
    this.policy.updateTime = (mode & SESS_CACHE_UPDATE_TIME) !== 0;
    return before;
  }

  /** SSL_CTX_get_session_cache_mode(3) */
  getSessionCacheMode(): number {
    return this.#mode;
  }

  /** SSL_CTX_sess_set_cache_size(3): sessions. Returns the previous size, or 0, changing nothing, for a negative size. */
  setSessionCacheSize(size: number): number {
    requireNumber('setSessionCacheSize()', size);
    if (size < 0) return 0;
    const before = this.#cache.maxEntries;
    this.#cache.maxEntries = size;
    return before;
  }

  /** SSL_CTX_sess_get_cache_size(3) */
  getSessionCacheSize(): number {
    return this.#cache.maxEntries;
  }

  /**
   * SSL_CTX_set_timeout(3): seconds, for new sessions; 0 stands for 7200. Returns the previous timeout.
   * @throws RangeError for an impossible timeout
   */
  setTimeout(seconds: number): number {
    requireNumber('setTimeout()', seconds);
    if (!Number.isSafeInteger(seconds) || seconds < 0) throw new RangeError(`a timeout of ${seconds} seconds`);
    const before = this.#timeout;
    this.#timeout = seconds || DEFAULT_TIMEOUT;
    return before;
  }

  /** SSL_CTX_get_timeout(3): seconds. */
  getTimeout(): number {
    return this.#timeout;
  }

  /**
   * SSL_CTX_add_session(3). Returns 0 if the cache has this very object, or if the session cannot be resumed or is larger than
   * `maxBytes` of the cache; OpenSSL does not check the latter two.
   * @throws Error if another context has the session, or this one has been freed
   */
  addSession(session: Session): number {
    requireSession('addSession()', session);
    if (!session.isResumable || !this.#cache.fits(session)) return 0;
    return Number(this.store.add(session));
  }

  /** SSL_CTX_remove_session(3). Returns 0 if the cache does not have the session. */
  removeSession(session: Session | null): number {
    if (session === null) return 0;
    requireSession('removeSession()', session);
    return Number(this.store.remove(session));
  }

  /** SSL_CTX_flush_sessions(3). Removes sessions that have expired by `time`, in seconds since the epoch; 0 removes all. */
  flushSessions(time: number): void {
    this.store.flush(time);
  }

  /** SSL_CTX_sessions(3). Returns the sessions without a hold, those that expire first at the beginning. */
  sessions(): Session[] {
    return [...this.#cache];
  }

  /** SSL_CTX_sess_number(3), and the others of that page. */
  sessNumber(): number {
    return this.store.statistics().number;
  }
  sessConnect(): number {
    return this.store.statistics().connect;
  }
  sessConnectGood(): number {
    return this.store.statistics().connectGood;
  }
  sessConnectRenegotiate(): number {
    return this.store.statistics().connectRenegotiate;
  }
  sessAccept(): number {
    return this.store.statistics().accept;
  }
  sessAcceptGood(): number {
    return this.store.statistics().acceptGood;
  }
  sessAcceptRenegotiate(): number {
    return this.store.statistics().acceptRenegotiate;
  }
  sessHits(): number {
    return this.store.statistics().hits;
  }
  sessCbHits(): number {
    return this.store.statistics().callbackHits;
  }
  sessMisses(): number {
    return this.store.statistics().misses;
  }
  sessTimeouts(): number {
    return this.store.statistics().timeouts;
  }
  sessCacheFull(): number {
    return this.store.statistics().cacheFull;
  }
}

/** @throws TypeError */
function requireSession(name: string, session: Session): void {
  if (!Session.isSession(session)) throw new TypeError(`${name}: a Session is wanted, not ${kindOf(session)}`);
}

function flag(isSet: boolean, bit: number): number {
  return isSet ? bit : 0;
}
