/** The option `sessions`: the internal cache, the modes and callbacks of the store, and the settings of the handshake. */

import { SessionCache } from '../../cache/session-cache.ts';
import type { Compat } from '../../handshake/server/settings.ts';
import { copyOf, EMPTY } from '../../wire/bytes.ts';
import { requireBytes } from '../../wire/kind-of.ts';
import { type Names, requireOptions, wrongKind } from '../../wire/options.ts';
import type { Version } from '../../wire/registry.ts';
import { boolean, callback, integer, oneOf } from '../checks.ts';
import type { SessionOptions } from './options.ts';
import type { CacheMode, OwnCallbacks, SessionPolicy } from './policy.ts';

const DEFAULT_TIMEOUT = 7200;
const DEFAULT_MAX_ENTRIES = 20480;
const DEFAULT_LOOKUP_TIMEOUT_MS = 1000;
/** The longest delay that a timer can have: setTimeout() reads a longer one as 1. */
const MAX_TIMER_MS = 2 ** 31 - 1;
const DEFAULT_MAX_IDENTITIES = 5;
const MODES: readonly CacheMode[] = ['off', 'client', 'server', 'both'];
const VERSIONS: readonly Version[] = ['TLSv1.2', 'TLSv1.3'];
const SESSION_OPTIONS = {
  cache: true,
  mode: true,
  internalLookup: true,
  internalStore: true,
  autoClear: true,
  updateTime: true,
  removeUnclean: true,
  timeout: true,
  maxEntries: true,
  maxBytes: true,
  idContext: true,
  generateId: true,
  foreign: true,
  notResumable: true,
  mayResume: true,
  onNew: true,
  onGet: true,
  onTake: true,
  onRemove: true,
  lookupTimeoutMs: true,
  maxIdentities: true,
} satisfies Names<SessionOptions>;
const OWN_STORE = ['cache', 'onNew', 'onGet', 'onTake', 'onRemove'] as const;

export function requireSessionOptions(sessions: SessionOptions): void {
  requireOptions('sessions', sessions, SESSION_OPTIONS);
}

/** Returns the internal cache: the given one, one of the server's own, or none. */
export function sessionCache(
  { cache, maxEntries, maxBytes }: SessionOptions,
  compat: Compat | undefined,
): SessionCache | undefined {
  if (cache === undefined)
    return new SessionCache({
      maxEntries: integer('sessions.maxEntries', maxEntries, DEFAULT_MAX_ENTRIES, 0),
      maxBytes: maxBytes === undefined ? undefined : integer('sessions.maxBytes', maxBytes, 0, 0),
      compat,
    });
  for (const [name, limit] of Object.entries({ maxEntries, maxBytes })) {
    if (limit === undefined) continue;
    throw new TypeError(`sessions.${name} is for a cache of the server's own: set it on the cache`);
  }
  if (cache === false) return undefined;
  if (!(cache instanceof SessionCache)) throw wrongKind('sessions.cache', 'a SessionCache, or false,', cache);
  return cache;
}

/** Reports whether the options name a cache or a store callback. */
export function hasOwnStore(sessions: SessionOptions): boolean {
  return OWN_STORE.some((name) => sessions[name] !== undefined);
}

/** Reports whether each new session goes into the internal cache. */
export function keepsSessions({ cache, internalStore, mode = 'server' }: SessionOptions): boolean {
  return cache !== false && internalStore !== false && (mode === 'server' || mode === 'both');
}

export function sessionSettings(sessions: SessionOptions) {
  const { idContext = EMPTY } = sessions;
  requireBytes('sessions.idContext', idContext, "; new TextEncoder().encode('members') is one");
  if (idContext.length > 32) throw new RangeError(`sessions.idContext has ${idContext.length} bytes, 32 are possible`);
  const timeout = integer('sessions.timeout', sessions.timeout, DEFAULT_TIMEOUT, 1);
  return {
    idContext: copyOf(idContext),
    sessionTimeout: () => timeout,
    maxIdentities: integer('sessions.maxIdentities', sessions.maxIdentities, DEFAULT_MAX_IDENTITIES, 1),
    lookupTimeoutMs: integer(
      'sessions.lookupTimeoutMs',
      sessions.lookupTimeoutMs,
      DEFAULT_LOOKUP_TIMEOUT_MS,
      0,
      MAX_TIMER_MS,
    ),
  };
}

/**
 * Returns the policy of a store. It is a frozen copy: later changes of the options do not affect the server. Each
 * callback is bound to the options, which may be an instance of a class.
 */
export function sessionPolicy(options: SessionOptions): SessionPolicy {
  return Object.freeze({
    mode: oneOf('sessions.mode', options.mode ?? 'server', MODES),
    internalLookup: boolean('sessions.internalLookup', options.internalLookup, true),
    internalStore: boolean('sessions.internalStore', options.internalStore, true),
    autoClear: boolean('sessions.autoClear', options.autoClear, true),
    updateTime: boolean('sessions.updateTime', options.updateTime, false),
    foreign: boolean('sessions.foreign', options.foreign, false),
    removeUnclean: versions(options.removeUnclean ?? ['TLSv1.2']),
    generateId: callback('sessions.generateId', options.generateId)?.bind(options),
    notResumable: callback('sessions.notResumable', options.notResumable)?.bind(options),
    mayResume: callback('sessions.mayResume', options.mayResume)?.bind(options),
    onNew: callback('sessions.onNew', options.onNew)?.bind(options),
    onGet: callback('sessions.onGet', options.onGet)?.bind(options),
    onTake: callback('sessions.onTake', options.onTake)?.bind(options),
    onRemove: callback('sessions.onRemove', options.onRemove)?.bind(options),
  });
}

/** Returns the callbacks that a virtual host keeps where it uses the store of another server. */
export function ownCallbacks({ generateId, notResumable, mayResume }: SessionPolicy): OwnCallbacks {
  return Object.freeze({ generateId, notResumable, mayResume });
}

function versions(list: readonly Version[]): readonly Version[] {
  if (Array.isArray(list) && list.every((version) => VERSIONS.includes(version))) return Object.freeze([...list]);
  throw wrongKind('sessions.removeUnclean', `an array of ${VERSIONS.join(', ')}`, list);
}
