/**
 * Sessions in tickets: sealed with a key, opened with one of several. Between the two questions to the provider and
 * these calls anything may have happened; here nothing waits, so that no session lies in the clear meanwhile.
 */

import type { RandomBytes } from '../crypto/provider.ts';
import { SessionDecodeError } from '../sessions/der.ts';
import { Session } from '../sessions/session.ts';
import { copyRange, wipe } from '../wire/bytes.ts';
import { KEY_NAME_LENGTH, MAX_TICKET_LENGTH, type TicketFailure } from './format.ts';
import type { NoTicket, TicketKey } from './key.ts';
import type { OpeningKey, Renewal } from './key-provider.ts';

/** No format has shorter ones, nor does OpenSSL ask its callback about them: a key name and a vector. */
const MIN_TICKET_LENGTH = 2 * KEY_NAME_LENGTH;

/**
 * `unknown-key`: nobody has a key of that name (any more). `bad-mac`: somebody has, and did not make this ticket.
 * `malformed`: no ticket at all, or no session in it. To the client all of them are the same full handshake.
 */
export type TicketRejection = TicketFailure | 'unknown-key';

export interface RejectedTicket {
  readonly status: TicketRejection;
  /** `undefined` where the ticket is too short or too long to have one. */
  readonly keyName: Uint8Array | undefined;
}

export interface OpenedTicket {
  readonly status: 'opened';
  readonly keyName: Uint8Array;
  /** The one that has opened it. */
  readonly key: TicketKey;
  readonly renewal: Renewal;
  /** The caller's, to wipe. */
  readonly plaintext: Uint8Array;
}

export interface OpenedSession {
  readonly status: 'opened';
  readonly keyName: Uint8Array;
  /** The one that has opened it. */
  readonly key: TicketKey;
  readonly renewal: Renewal;
  /** With one hold, the caller's. */
  readonly session: Session;
}

/** What a provider is asked with, a copy; `undefined`: this is no ticket, and nobody need be asked. */
export function ticketKeyName(ticket: Uint8Array): Uint8Array | undefined {
  if (ticket.length < MIN_TICKET_LENGTH || ticket.length > MAX_TICKET_LENGTH) return undefined;
  return copyRange(ticket, 0, KEY_NAME_LENGTH);
}

/** Tries the keys that have the ticket's name. Never throws, whatever the ticket. */
export function openTicket(ticket: Uint8Array, keys: readonly OpeningKey[]): OpenedTicket | RejectedTicket {
  const keyName = ticketKeyName(ticket);
  if (keyName === undefined) return { status: 'malformed', keyName };
  let status: TicketRejection = 'unknown-key';
  for (const { key, renewal } of keys) {
    if (!key.hasName(keyName)) continue;
    const opened = key.open(ticket);
    if (typeof opened !== 'string') return { status: 'opened', keyName, key, renewal, plaintext: opened };
    if (opened !== 'unknown-key') status = opened;
  }
  return { status, keyName };
}

/**
 * The session in a ticket. `now`, in seconds since the epoch, is as for `Session.fromDer()`. In TLS 1.2 it goes by the `id`
 * that the client has sent along (RFC 5077 §3.4), and not by the one that was sealed.
 */
export function openSession(
  ticket: Uint8Array,
  keys: readonly OpeningKey[],
  now: number,
  id?: Uint8Array,
): OpenedSession | RejectedTicket {
  const opened = openTicket(ticket, keys);
  if (opened.status !== 'opened') return opened;
  const { status, keyName, key, renewal, plaintext } = opened;
  try {
    return { status, keyName, key, renewal, session: Session.fromDer(plaintext, now, id) };
  } catch (error) {
    if (!(error instanceof SessionDecodeError || error instanceof RangeError)) throw error;
    return { status: 'malformed', keyName };
  } finally {
    wipe(plaintext);
  }
}

/**
 * A ticket of the session, or why there is none. @throws Error once the session's last hold has been released
 * @throws RangeError where `randomBytes` returns fewer bytes than it was asked for
 */
export function sealSession(
  key: TicketKey | undefined,
  session: Session,
  randomBytes: RandomBytes,
): Uint8Array | NoTicket {
  if (key === undefined) return 'no-key';
  const plaintext = session.toDer();
  try {
    return key.seal(plaintext, randomBytes);
  } finally {
    wipe(plaintext);
  }
}
