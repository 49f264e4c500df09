/** SSL_SESSION, which is {@link Session} here: its functions under OpenSSL's names, with OpenSSL's return values. */

import { requireSession, Session } from '../sessions/session.ts';
import { requireNumber } from '../wire/options.ts';

/** @throws TypeError for anything else: C would not compile it */
function of(session: Session): Session {
  return requireSession('session', session);
}

/** SSL_SESSION_up_ref(3). Takes a hold, and returns the session. */
export function SSL_SESSION_up_ref(session: Session): Session {
  return of(session).upRef();
}

/** SSL_SESSION_free(3). Gives back a hold; the last call wipes the secret. @throws Error if no hold is left */
export function SSL_SESSION_free(session: Session | null): void {
  if (session !== null && session !== undefined) of(session).free();
}

/** SSL_SESSION_dup(3). Returns a copy with one hold, which is in no cache. */
export function SSL_SESSION_dup(session: Session): Session {
  return of(session).dup();
}

/** SSL_SESSION_is_resumable(3). Returns 1 or 0. Does not consider expiry. */
export function SSL_SESSION_is_resumable(session: Session): number {
  return Number(of(session).isResumable);
}

/** SSL_SESSION_get_id(3) */
export function SSL_SESSION_get_id(session: Session): Uint8Array {
  return of(session).id;
}

/** SSL_SESSION_get_time(3): seconds since the epoch. */
export function SSL_SESSION_get_time(session: Session): number {
  return of(session).time;
}

/** SSL_SESSION_set_time(3): seconds since the epoch. Returns `seconds`. @throws RangeError for an impossible time */
export function SSL_SESSION_set_time(session: Session, seconds: number): number {
  of(session).time = seconds;
  return seconds;
}

/** SSL_SESSION_get_timeout(3): seconds. */
export function SSL_SESSION_get_timeout(session: Session): number {
  return of(session).timeout;
}

/** SSL_SESSION_set_timeout(3): seconds. Returns 1, or 0, changing nothing, if `seconds` is negative. */
export function SSL_SESSION_set_timeout(session: Session, seconds: number): number {
  requireNumber('seconds', seconds);
  if (seconds < 0) return 0;
  of(session).timeout = seconds;
  return 1;
}

/** SSL_SESSION_get0_peer(3). Returns a copy of the client's certificate in DER, or `null` if it presented none. */
export function SSL_SESSION_get0_peer(session: Session): Uint8Array | null {
  return of(session).peerCertificate ?? null;
}

/** SSL_SESSION_set_ex_data(3). There is one slot, without an index. */
export function SSL_SESSION_set_ex_data(session: Session, data: unknown): number {
  of(session).data = data;
  return 1;
}

/** SSL_SESSION_get_ex_data(3). Returns `null` if nothing was set. */
export function SSL_SESSION_get_ex_data(session: Session): unknown {
  return of(session).data ?? null;
}

/** SSL_SESSION_set1_ticket_appdata(3). Copies the bytes, and returns 1. @throws RangeError for more than 65535 bytes */
export function SSL_SESSION_set1_ticket_appdata(session: Session, data: Uint8Array): number {
  of(session).applicationData = data;
  return 1;
}

/** SSL_SESSION_get0_ticket_appdata(3). Returns a copy; empty if there is none. */
export function SSL_SESSION_get0_ticket_appdata(session: Session): Uint8Array {
  return of(session).applicationData;
}

/** SSL_SESSION_has_ticket(3). Returns 1 only for the session of a client: sessions that a server made have no ticket. */
export function SSL_SESSION_has_ticket(session: Session): number {
  return Number(SSL_SESSION_get0_ticket(session) !== null);
}

/** SSL_SESSION_get0_ticket(3). Returns `null` if there is none. */
export function SSL_SESSION_get0_ticket(session: Session): Uint8Array | null {
  return of(session).foreign.ticket ?? null;
}

/** SSL_SESSION_get_ticket_lifetime_hint(3): seconds; 0 if there is none. */
export function SSL_SESSION_get_ticket_lifetime_hint(session: Session): number {
  return of(session).foreign.ticketLifetimeHint ?? 0;
}

/** SSL_SESSION_get_max_fragment_length(3): the code of max_fragment_length (RFC 6066 §4), 1 to 4; 0 if it was not negotiated. */
export function SSL_SESSION_get_max_fragment_length(session: Session): number {
  return of(session).foreign.maxFragmentLength ?? 0;
}

/** SSL_SESSION_get_max_early_data(3): bytes; 0 if the ticket allows none. */
export function SSL_SESSION_get_max_early_data(session: Session): number {
  return of(session).foreign.maxEarlyData ?? 0;
}

/** i2d_SSL_SESSION(3) */
export function i2d_SSL_SESSION(session: Session): Uint8Array {
  return of(session).toDer();
}

/** d2i_SSL_SESSION(3). Returns a session with one hold, the caller's. @throws SessionDecodeError naming the field */
export function d2i_SSL_SESSION(bytes: Uint8Array, now?: number): Session {
  return Session.fromDer(bytes, now);
}
