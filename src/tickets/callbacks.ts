/**
 * The callbacks that let the application decide about each ticket: SSL_CTX_set_session_ticket_cb(3), with its statuses and
 * its answers, and the table of what follows from them.
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
 * Called before a ticket is made, stateful or sealed. If it returns bytes, they become the session's application data
 * (SSL_SESSION_set1_ticket_appdata(3)). If it returns nothing, the data stays as it is. If it returns `false`, the handshake
 * ends with internal_error. If it fails, there is an event and no ticket.
 */
export type OnGenerateTicket = (
  session: Session,
  connection: ConnectionInfo,
  // biome-ignore lint/suspicious/noConfusingVoidType: a callback that returns nothing is a normal case.
) => Awaitable<Uint8Array | boolean | void>;

/**
 * Called when a client offers a ticket, an empty one included. If the ticket was opened, `session` is lent to the callback;
 * its application data is `session.applicationData`. The key name has 16 bytes, or fewer if the ticket is shorter. If the
 * callback fails, there is an event, and the ticket is ignored and renewed.
 */
export type OnDecryptTicket = (
  session: Session | undefined,
  keyName: Uint8Array,
  status: TicketStatus,
  connection: ConnectionInfo,
) => Awaitable<TicketAnswer>;

/** Whether the session in a ticket is used, and whether the client gets a new ticket. */
export interface TicketVerdict {
  readonly use: boolean;
  readonly renew: boolean;
}

/** Returns the status of an opened ticket. */
export function openedStatus(renewal: Renewal, version: Version): TicketStatus {
  if (renewal === 'as-usual') return version === 'TLSv1.3' ? 'success-renew' : 'success';
  return renewal === 'due' ? 'success-renew' : 'success';
}

/** The answers that apply if there is no callback. */
export const DEFAULT_ANSWERS: Readonly<Record<TicketStatus, TicketAnswer>> = {
  empty: 'ignore-renew',
  'no-decrypt': 'ignore-renew',
  success: 'use',
  'success-renew': 'use-renew',
};

/** Applies an answer. An invalid answer, or one that would use a session that was not opened, counts as `abort`, which is internal_error. */
export function judgeTicket(status: TicketStatus, answer: unknown): TicketVerdict | 'abort' {
  const isOpened = status === 'success' || status === 'success-renew';
  if (answer === 'ignore' || answer === 'ignore-renew') return { use: false, renew: answer === 'ignore-renew' };
  if (isOpened && (answer === 'use' || answer === 'use-renew')) return { use: true, renew: answer === 'use-renew' };
  return 'abort';
}
