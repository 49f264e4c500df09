/**
 * The application's say in each ticket: SSL_CTX_set_session_ticket_cb(3), with its statuses and its answers. What comes of
 * them is a table, and the handshake asks it.
 */

import type { Awaitable } from '../awaitable.ts';
import type { ConnectionInfo } from '../sessions/connection-info.ts';
import type { Session } from '../sessions/session.ts';
import type { Version } from '../wire/registry.ts';
import type { Renewal } from './key-provider.ts';

/** SSL_TICKET_EMPTY (TLS 1.2 only: the client asks for a ticket), _NO_DECRYPT, _SUCCESS, _SUCCESS_RENEW. */
export type TicketStatus = 'empty' | 'no-decrypt' | 'success' | 'success-renew';

/** SSL_TICKET_RETURN_ABORT, _IGNORE, _IGNORE_RENEW, _USE, _USE_RENEW. */
export type TicketAnswer = 'abort' | 'ignore' | 'ignore-renew' | 'use' | 'use-renew';

/**
 * Called before a ticket is made, stateful ones included. Bytes become the session's application data
 * (SSL_SESSION_set1_ticket_appdata(3)); nothing leaves it as it is; `false` ends the handshake with internal_error. Where it
 * fails there is no ticket, and an event.
 */
export type OnGenerateTicket = (
  session: Session,
  connection: ConnectionInfo,
  // biome-ignore lint/suspicious/noConfusingVoidType: a callback that returns nothing is a normal case.
) => Awaitable<Uint8Array | boolean | void>;

/**
 * Called when a client shows a ticket, and when it shows an empty one. The session, lent, is there where the ticket was
 * opened: its application data is `session.applicationData`. The key name has 16 bytes, fewer
 * where the ticket has, and none where it is empty. Where it fails the ticket is ignored and renewed, and there is an event.
 */
export type OnDecryptTicket = (
  session: Session | undefined,
  keyName: Uint8Array,
  status: TicketStatus,
  connection: ConnectionInfo,
) => Awaitable<TicketAnswer>;

/** What is done about a ticket: whether its session is used, and whether the client gets a new one. */
export interface TicketVerdict {
  readonly use: boolean;
  readonly renew: boolean;
}

/** The status of a ticket that has been opened. */
export function openedStatus(renewal: Renewal, version: Version): TicketStatus {
  if (renewal === 'as-usual') return version === 'TLSv1.3' ? 'success-renew' : 'success';
  return renewal === 'due' ? 'success-renew' : 'success';
}

/** What is answered where nobody is asked. */
export const DEFAULT_ANSWERS: Readonly<Record<TicketStatus, TicketAnswer>> = {
  empty: 'ignore-renew',
  'no-decrypt': 'ignore-renew',
  success: 'use',
  'success-renew': 'use-renew',
};

/** `abort` is internal_error: so is an answer that is none, or that would use a session which is not there. */
export function judgeTicket(status: TicketStatus, answer: unknown): TicketVerdict | 'abort' {
  const isOpened = status === 'success' || status === 'success-renew';
  if (answer === 'ignore' || answer === 'ignore-renew') return { use: false, renew: answer === 'ignore-renew' };
  if (isOpened && (answer === 'use' || answer === 'use-renew')) return { use: true, renew: answer === 'use-renew' };
  return 'abort';
}
