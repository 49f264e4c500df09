/** The configuration of a server: a value that any number of connections share. configure.ts makes it. */

import type { Awaitable } from '../../awaitable.ts';
import type { HandshakeParts } from '../../handshake/server/context.ts';
import type { Settings } from '../../handshake/server/settings.ts';
import type { Session } from '../../sessions/session.ts';
import type { World } from '../../world.ts';
import type { OwnCallbacks } from './policy.ts';
import type { SessionStatistics } from './statistics.ts';
import type { SessionStore } from './store.ts';
import type { TicketPolicy } from './ticket-policy.ts';

/** Chooses the configuration of a virtual host; see `onServerName` of the options. */
export type OnServerName = (name: string | undefined) => Awaitable<ServerConfig | undefined>;

/** Receives one line of NSS key log format; see `keylog` of the options. */
export type Keylog = (line: string) => void;

/**
 * The settings of a server, validated and frozen, with its session store. Any number of connections may use it at a time.
 * It is made by `defineServer()`. A copy of it, by a spread say, is refused: define another server instead.
 */
export interface ServerConfig extends Settings {
  /**
   * Puts a session into the internal cache, which takes a hold on it (SSL_CTX_add_session(3)). Returns `false` if this very
   * object is in the cache already.
   * @throws Error if there is no internal cache, if it is closed, or if another cache has the session; RangeError if the session
   * can never be resumed: it has no id, was released, or was ruled out; or if it is larger than `maxBytes` of the cache
   */
  addSession(session: Session): boolean;
  /**
   * Rules a session out for good and removes it from the internal cache (SSL_CTX_remove_session(3)). `onRemove` is told, so that
   * an external store can follow. Returns `false` if the session was not in the internal cache.
   *
   * To make sessions of TLS 1.3 good for one use, call `removeSession(connection.resumption.session)` after each resumption.
   * @throws whatever `onRemove` throws, also inside another callback: the call belongs to no connection
   */
  removeSession(session: Session): boolean;
  /**
   * Removes the sessions that have expired by `now` from the internal cache, and returns their number
   * (SSL_CTX_flush_sessions(3)). `now` is in seconds since the epoch; the default is the present, and 0 removes every session.
   * At most `atMost` sessions are removed in one call, so that a flush of a large cache need not block the event loop; the
   * shells' {@link flushInSlices} repeats the call as often as it takes.
   * @throws RangeError if `now` is negative, or in milliseconds, as Date.now() is, or if `atMost` is not above 0
   */
  flushSessions(now?: number, atMost?: number): number;
  /** Closes the internal cache: removes every session, telling `onRemove`, and refuses to add any more (SSL_CTX_free(3)). */
  closeSessions(): void;
  /** Returns a snapshot of the counters (SSL_CTX_sess_number(3)). */
  statistics(): SessionStatistics;
  /** The clock and the source of randomness. */
  readonly world: World;
  /** The budget of all lookups of one handshake together, in milliseconds. */
  readonly lookupTimeoutMs: number;
  readonly onServerName: OnServerName | undefined;
  readonly keylog: Keylog | undefined;
  readonly limits: {
    /** Records protected under one key before it is replaced (TLS 1.3) or the connection is closed (TLS 1.2). */
    readonly recordsPerKey: number;
    /** Bytes of early data that are skipped before the connection fails. */
    readonly skippedEarlyData: number;
  };
}

/** @internal What only the engine reads. */
export interface ServerConfig extends HandshakeParts {
  /** The internal cache and the store callbacks, with the counters. */
  readonly store: SessionStore;
  readonly ticketPolicy: TicketPolicy;
  /** Whether the options named ticket keys. A virtual host that has its own does not use those of the server that selected it. */
  readonly hasOwnTicketKeys: boolean;
  /** Whether the options named a cache or a store callback. If so, a virtual host uses its own store. */
  readonly hasOwnStore: boolean;
  /** The callbacks that a virtual host keeps even where it uses the store of the server that selected it. */
  readonly ownCallbacks: OwnCallbacks;
}
