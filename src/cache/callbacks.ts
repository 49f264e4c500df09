/** The types of what a user supplies: the new, get and remove callbacks of OpenSSL's manual pages. */

import type { Awaitable } from '../awaitable.ts';
import type { AbortSignalLike } from '../platform.ts';
import type { ConnectionInfo } from '../sessions/connection-info.ts';
import type { Session } from '../sessions/session.ts';

/** Why a session left: told to the remove callback. */
export type RemovalReason =
  | 'expired'
  | 'flushed'
  | 'evicted'
  | 'removed'
  | 'unclean'
  | 'alert-sent'
  | 'alert-received'
  | 'consumed'
  | 'closed';

/** A session from the get callback whose hold passes to the engine (OpenSSL's `*copy = 0`). Made by {@link give}. */
export class Given {
  readonly session: Session;

  constructor(session: Session) {
    this.session = session;
  }
}

/** Parts with the caller's hold on a session that the get callback returns; a session returned bare is only lent. */
export function give(session: Session): Given {
  return new Given(session);
}

/** `false`: leaves the internal cache at once. `true`: stays, and the application keeps a hold. Nothing: stays, no hold. */
// biome-ignore lint/suspicious/noConfusingVoidType: a callback that returns nothing is a normal case.
export type OnNew = (session: Session, connection: ConnectionInfo) => Awaitable<boolean | void>;

/** A session (lent), `give(session)` (given), bytes of `session.toDer()` (we own and wipe the session that they decode to, the bytes stay yours), or nothing. */
export type OnGet = (
  id: Uint8Array,
  connection: ConnectionInfo,
  signal: AbortSignalLike,
) => Awaitable<Session | Given | Uint8Array | null | undefined>;

export type OnRemove = (session: Session, reason: RemovalReason) => void;

/**
 * An id of 1 to 32 bytes that nobody can guess (SSL_CTX_set_generate_session_id(3)), which is copied; `undefined` for one of the
 * engine's, 32 random bytes. So it also is where the id is in the internal cache already, or not possible: that is an event.
 */
export type GenerateId = (connection: ConnectionInfo) => Uint8Array | undefined;

/** Whether the session of this full handshake must never be resumed (SSL_CTX_set_not_resumable_session_callback(3)). */
export type NotResumable = (connection: ConnectionInfo, isForwardSecure: boolean) => boolean;

/** For single use: true for exactly one caller. */
export type OnTake = (id: Uint8Array) => Awaitable<boolean>;
