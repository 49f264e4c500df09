/**
 * Seals sessions into tickets and opens them again. Keys come from a provider that may have taken its time, so a key may have
 * been destroyed by now. Nothing here waits: no session is in the clear while a handshake is suspended.
 */

import type { RandomBytes } from '../crypto/provider.ts';
import { SessionDecodeError } from '../sessions/der.ts';
import { Session } from '../sessions/session.ts';
import { copyRange, wipe } from '../wire/bytes.ts';
import { KEY_NAME_LENGTH, MAX_TICKET_LENGTH, type TicketFailure } from './format.ts';
import type { NotSealed, TicketKey } from './key.ts';
import type { OpeningKey, Renewal } from './key-provider.ts';

/** A key name and a vector. No format has shorter tickets, and OpenSSL does not call its callback for them. */
const MIN_TICKET_LENGTH = 2 * KEY_NAME_LENGTH;

/**
 * `unknown-key`: there is no key with that name, or no longer. `bad-mac`: there is one, but it did not seal this ticket.
 * `malformed`: it is not a ticket, or there is no session in it. The client gets the same full handshake for all three.
 */
export type TicketRejection = TicketFailure | 'unknown-key';

export interface RejectedTicket {
  readonly status: TicketRejection;
  /** `undefined` if the ticket is too short or too long. */
  readonly keyName: Uint8Array | undefined;
}

export interface OpenedTicket {
  readonly status: 'opened';
  readonly keyName: Uint8Array;
  /** The key that opened it. */
  readonly key: TicketKey;
  readonly renewal: Renewal;
  /** The caller wipes it. */
  readonly plaintext: Uint8Array;
}

export interface OpenedSession {
  readonly status: 'opened';
  readonly keyName: Uint8Array;
  /** The key that opened it. */
  readonly key: TicketKey;
  readonly renewal: Renewal;
  /** With one hold, the caller's. */
  readonly session: Session;
}

/** Returns a copy of the key name; `undefined` if this cannot be a ticket, and no provider need be asked. */
export function ticketKeyName(ticket: Uint8Array): Uint8Array | undefined {
  if (ticket.length < MIN_TICKET_LENGTH || ticket.length > MAX_TICKET_LENGTH) return undefined;
  return copyRange(ticket, 0, KEY_NAME_LENGTH);
}

/** Opens a ticket with the first key that has its key name and fits. Never throws, whatever the ticket. */
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
 * Returns the session in a ticket. `now`, in seconds since the epoch, is as for `Session.fromDer()`. In TLS 1.2 the session
 * takes the `id` that the client has sent with the ticket (RFC 5077 §3.4), and not the one that was sealed.
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
 * Returns a ticket with the session, or why there is none. @throws Error if the session's last hold has been released
 * @throws RangeError if `randomBytes` returns too few bytes
 */
export function sealSession(
  key: TicketKey | undefined,
  session: Session,
  randomBytes: RandomBytes,
): Uint8Array | NotSealed {
  if (key === undefined) return 'no-key';
  const plaintext = session.toDer();
  try {
    return key.seal(plaintext, randomBytes);
  } finally {
    wipe(plaintext);
  }
}
