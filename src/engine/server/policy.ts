/** The part of `sessions` that a session store consults at each use. */

import type { GenerateId, MayResume, NotResumable, OnGet, OnNew, OnRemove, OnTake } from '../../cache/callbacks.ts';
import type { Version } from '../../wire/registry.ts';

/** SSL_CTX_set_session_cache_mode(3): which side's sessions are cached. A server's are in the modes 'server' and 'both'. */
export type CacheMode = 'off' | 'client' | 'server' | 'both';

/**
 * The modes and callbacks of a store; `SessionOptions` documents each. The policy that configure.ts makes is frozen. The one
 * behind OpenSSL's function names changes while connections use it, as an SSL_CTX does; so read it at each use and copy nothing.
 */
export interface SessionPolicy {
  readonly mode: CacheMode;
  readonly internalLookup: boolean;
  readonly internalStore: boolean;
  readonly autoClear: boolean;
  readonly updateTime: boolean;
  readonly foreign: boolean;
  readonly removeUnclean: readonly Version[];
  readonly generateId: GenerateId | undefined;
  readonly notResumable: NotResumable | undefined;
  readonly mayResume: MayResume | undefined;
  readonly onNew: OnNew | undefined;
  readonly onGet: OnGet | undefined;
  readonly onTake: OnTake | undefined;
  readonly onRemove: OnRemove | undefined;
}

/** The callbacks that a virtual host may have of its own while it uses the cache and store of the server that selected it. */
export type OwnCallbacks = Partial<Pick<SessionPolicy, 'generateId' | 'notResumable' | 'mayResume'>>;
