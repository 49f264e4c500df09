/** OpenSSL's callbacks as a JavaScript program writes them, and how the engine sees them. */

import { type Awaitable, isPromise } from '../awaitable.ts';
import { type Given, give } from '../cache/callbacks.ts';
import type { Session } from '../sessions/session.ts';
import { SSL_MAX_SSL_SESSION_ID_LENGTH } from './constants.ts';
import type { Ssl } from './ssl.ts';
import type { SslContext } from './ssl-context.ts';

/** An int that says yes or no: everything but 0 is yes. */
export type Int = number | boolean;

/** SSL_CTX_sess_set_new_cb(3). 1: the application keeps the hold that comes with the session. 0: it leaves the cache. */
export type NewSessionCallback = (ssl: Ssl, session: Session) => Awaitable<Int>;

/** SSL_CTX_sess_set_remove_cb(3); `reason` is ours. */
export type RemoveSessionCallback = (ctx: SslContext, session: Session, reason: string) => void;

/**
 * SSL_CTX_sess_set_get_cb(3). `copy.value` is 1: the session is lent. Set to 0, its hold is the engine's. The bytes of
 * `toDer()` may be answered as well, and the answer may come later.
 */
export type GetSessionCallback = (
  ssl: Ssl,
  id: Uint8Array,
  copy: { value: number },
) => Awaitable<Session | Uint8Array | null>;

/**
 * SSL_CTX_set_generate_session_id(3): writes up to 32 bytes into `id`, which is zeros, sets `length.value` where they are less,
 * and answers 1. With anything else the handshake goes on under an id of the engine's, and the failure is an event.
 */
export type GenerateSessionIdCallback = (ssl: Ssl, id: Uint8Array, length: { value: number }) => Int;

/** SSL_CTX_set_not_resumable_session_callback(3): not 0 where the session must not be resumed. */
export type NotResumableSessionCallback = (ssl: Ssl, isForwardSecure: number) => Int;

/**
 * SSL_CTX_set_verify(3), SSL_CTX_set_cert_verify_callback(3): 1 where the client is accepted by its certificates, DER, its own
 * first. Nothing has been checked of them but that the client has the key: there is no verification to be asked about.
 */
export type VerifyCallback = (ssl: Ssl, chain: readonly Uint8Array[]) => Awaitable<Int>;

/** What becomes of an answer, now or when it has come. */
export function then<T, U>(answer: Awaitable<T>, next: (value: T) => U): Awaitable<U> {
  return isPromise(answer) ? answer.then(next) : next(answer);
}

export function yes(answer: Awaitable<Int>): Awaitable<boolean> {
  return then(answer, Boolean);
}

export function getSession(
  callback: GetSessionCallback,
  ssl: Ssl,
  id: Uint8Array,
): Awaitable<Session | Uint8Array | Given | null> {
  const copy = { value: 1 };
  return then(callback(ssl, id, copy), (found) => {
    const isGiven = copy.value === 0 && found !== null && !(found instanceof Uint8Array);
    return isGiven ? give(found) : found;
  });
}

/** @throws Error where the callback has failed */
export function generateId(callback: GenerateSessionIdCallback, ssl: Ssl): Uint8Array {
  const id = new Uint8Array(SSL_MAX_SSL_SESSION_ID_LENGTH);
  const length = { value: id.length };
  if (!callback(ssl, id, length)) throw new Error('the callback for session ids answered 0');
  if (!(length.value >= 1 && length.value <= id.length)) throw new RangeError(`a session id of ${length.value} bytes`);
  return id.subarray(0, length.value);
}
