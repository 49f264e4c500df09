/** The types of the callbacks: new, get and remove as in OpenSSL's manual pages, and others. */

import type { Awaitable } from '../awaitable.ts';
import type { AbortSignalLike } from '../platform.ts';
import type { ConnectionInfo } from '../sessions/connection-info.ts';
import type { Session } from '../sessions/session.ts';

/** Why a session left the cache, for the remove callback. */
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

/** A session that the get callback returns and whose hold passes to the engine (OpenSSL's `*copy = 0`). {@link give} makes it. */
export class Given {
  readonly session: Session;

  constructor(session: Session) {
    this.session = session;
  }
}

/** Passes the caller's hold on a session to the engine, in the result of the get callback. A session that is returned as it is is only lent. */
export function give(session: Session): Given {
  return new Given(session);
}

/**
 * Called with each new session. If it returns `false`, the session leaves the internal cache at once. If it returns `true`, the
 * session stays and the application keeps a hold. If it returns nothing, the session stays and the application has no hold.
 */
// biome-ignore lint/suspicious/noConfusingVoidType: a callback that returns nothing is a normal case.
export type OnNew = (session: Session, connection: ConnectionInfo) => Awaitable<boolean | void>;

/**
 * Looks up a session in an external store. Returns a session, which is lent; `give(session)`, whose hold passes to the engine; the
 * bytes of `session.toDer()`, which remain the application's; or nothing.
 */
export type OnGet = (
  id: Uint8Array,
  connection: ConnectionInfo,
  signal: AbortSignalLike,
) => Awaitable<Session | Given | Uint8Array | null | undefined>;

/**
 * Told that a session has left, and why (SSL_CTX_sess_set_remove_cb(3)). What it throws comes out of the call that made the session
 * leave, or is a callback-error event of the connection in whose course it left.
 */
export type OnRemove = (session: Session, reason: RemovalReason) => void;

/**
 * Returns a session id of 1 to 32 unpredictable bytes, which is copied (SSL_CTX_set_generate_session_id(3)). If it returns
 * `undefined`, the engine makes an id of 32 random bytes. The engine does the same, and reports an event, if the id is not
 * valid or is in the internal cache already.
 */
export type GenerateId = (connection: ConnectionInfo) => Uint8Array | undefined;

/** Returns whether the session of this full handshake must never be resumed (SSL_CTX_set_not_resumable_session_callback(3)). */
export type NotResumable = (connection: ConnectionInfo, isForwardSecure: boolean) => boolean;

/**
 * Decides whether a session that breaks no rule may be resumed, whichever way it was found. Only `true` accepts. The session is lent
 * until the callback has answered; `session.peerCertificate` is the certificate that its client has shown.
 */
export type MayResume = (session: Session, connection: ConnectionInfo) => Awaitable<boolean>;

/** Takes a session for single use. Returns true to exactly one caller. */
export type OnTake = (id: Uint8Array) => Awaitable<boolean>;
