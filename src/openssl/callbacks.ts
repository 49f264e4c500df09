/**
 * OpenSSL's callbacks as a JavaScript program writes them, and how the engine sees them. `S` is the connection that a callback
 * is called for, `C` the context: the façade's classes, which are built upon these words.
 */

import { type Awaitable, later } from '../awaitable.ts';
import { type Given, give } from '../cache/callbacks.ts';
import type { Session } from '../sessions/session.ts';
import { kindOf } from '../wire/kind-of.ts';
import { SSL_MAX_SSL_SESSION_ID_LENGTH } from './constants.ts';

/** A C int used as a boolean: 0 and false are no, everything else is yes. */
export type Int = number | boolean;

/** SSL_CTX_sess_set_new_cb(3). 1: the application keeps the hold that comes with the session. 0: the session leaves the cache. */
export type NewSession<S> = (ssl: S, session: Session) => Awaitable<Int>;

/** SSL_CTX_sess_set_remove_cb(3). `reason` is an addition of this library. */
export type RemoveSession<C> = (ctx: C, session: Session, reason: string) => void;

/**
 * SSL_CTX_sess_set_get_cb(3). `copy.value` is 1 at first: the session that is returned is lent. A callback that sets it to 0
 * passes its hold to the engine. It may also return the bytes of `toDer()`, and it may return a promise.
 */
export type GetSession<S> = (ssl: S, id: Uint8Array, copy: { value: number }) => Awaitable<Session | Uint8Array | null>;

/**
 * SSL_CTX_set_generate_session_id(3). Writes up to 32 bytes into `id`, which is zero-filled, sets `length.value` if they are
 * fewer, and returns 1. After any other return value the handshake uses an id of the engine's, and the failure is an event.
 */
export type GenerateSessionId<S> = (ssl: S, id: Uint8Array, length: { value: number }) => Int;

/** SSL_CTX_set_not_resumable_session_callback(3). Returns anything but 0 if the session must not be resumed. */
export type NotResumableSession<S> = (ssl: S, isForwardSecure: number) => Int;

/**
 * SSL_CTX_set_verify(3), SSL_CTX_set_cert_verify_callback(3). Returns 1 to accept the client. `chain` holds its certificates in
 * DER, its own first. The engine has checked only that the client holds the private key; it verifies no chain.
 */
export type VerifyChain<S> = (ssl: S, chain: readonly Uint8Array[]) => Awaitable<Int>;

/**
 * SSL_CTX_set_allow_early_data_cb(3). Returns 1 to accept the early data of a connection. It is asked last, but before the session is taken
 * or the strategy asked, where the early data could be accepted otherwise.
 */
export type AllowEarlyData<S> = (ssl: S) => Int;

/**
 * SSL_CTX_set_psk_find_session_callback(3). Returns 1, and sets `session.value` if the identity is known: to a session of TLS 1.3 with the
 * secret of the PSK and a suite with its hash. The hold that comes with it becomes the engine's, which frees it. It may return a promise.
 * After 0 there is an event, and the identity is unknown.
 */
export type FindPskSession<S> = (ssl: S, identity: Uint8Array, session: { value: Session | null }) => Awaitable<Int>;

/**
 * SSL_CTX_set_psk_server_callback(3). Writes the PSK of `identity` into `psk`, which has 512 bytes, and returns how many bytes it has; 0
 * if the identity is unknown. It may return a promise.
 */
export type AskPsk<S> = (ssl: S, identity: string, psk: Uint8Array) => Awaitable<number>;

/** Returns a callback, or `null`. @throws TypeError for anything else: C would not compile it */
export function requireCallback<F>(name: string, callback: F): F {
  if (callback === null || typeof callback === 'function') return callback;
  throw new TypeError(`${name}: a function is wanted, or null for none, not ${kindOf(callback)}`);
}

/** @throws TypeError */
export function requireInt(name: string, value: number): void {
  if (!Number.isInteger(value))
    throw new TypeError(`${name}: a whole number is wanted, not ${typeof value === 'number' ? value : kindOf(value)}`);
}

/** @throws TypeError (or rejects with it) for what is no C int: an object, a Proxy say, must not be a yes. Nothing is 0. */
export function yes(answer: Awaitable<Int>): Awaitable<boolean> {
  return later<unknown, boolean>(answer, (value) => {
    if (typeof value === 'number' || typeof value === 'boolean') return Boolean(value);
    if (value === undefined || value === null) return false;
    throw new TypeError('a callback of OpenSSL’s answers with a number: 1 or 0');
  });
}

export function getSession<S>(
  callback: GetSession<S>,
  ssl: S,
  id: Uint8Array,
): Awaitable<Session | Uint8Array | Given | null> {
  const copy = { value: 1 };
  return later(callback(ssl, id, copy), (found) => {
    const isGiven = copy.value === 0 && found !== null && !(found instanceof Uint8Array);
    return isGiven ? give(found) : found;
  });
}

/** @throws Error if the callback reports failure; RangeError if it sets an impossible length */
export function generateId<S>(callback: GenerateSessionId<S>, ssl: S): Uint8Array {
  const id = new Uint8Array(SSL_MAX_SSL_SESSION_ID_LENGTH);
  const length = { value: id.length };
  if (!callback(ssl, id, length)) throw new Error('the callback for session ids answered 0');
  if (!(length.value >= 1 && length.value <= id.length)) throw new RangeError(`a session id of ${length.value} bytes`);
  return id.subarray(0, length.value);
}
