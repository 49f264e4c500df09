/** Tickets that hold their session sealed (RFC 5077, RFC 8446 §4.6.1): how a handshake opens one, and makes one. */

import type { Session } from '../../sessions/session.ts';
import { EMPTY } from '../../wire/bytes.ts';
import type { Version } from '../../wire/registry.ts';
import { type Handshake, perform } from '../wait.ts';
import type { OpenedTicket, ServerHandshake } from './context.ts';

/** `sessionId`: what a TLS 1.2 client has sent beside its ticket. */
export function* openTicket(
  context: ServerHandshake,
  version: Version,
  ticket: Uint8Array,
  sessionId?: Uint8Array,
): Handshake<OpenedTicket> {
  const { sealed } = context.tickets;
  const atOnce = sealed.openAtOnce(version, ticket, sessionId);
  const opened = atOnce ?? (yield* perform(sealed.open(version, ticket, sessionId)));
  const judging = context.tickets.judge(opened, ticket);
  return judging === undefined ? opened : yield* perform(judging);
}

/** RFC 5077 §3.2: an empty ticket asks for one. */
export function* emptyTicket(context: ServerHandshake): Handshake<OpenedTicket> {
  const opened: OpenedTicket = { found: { reason: 'not-offered' }, renew: true, status: 'empty' };
  const judging = context.tickets.judge(opened, EMPTY);
  return judging === undefined ? opened : yield* perform(judging);
}

/** `undefined` where there is no key now. */
export function* sealTicket(context: ServerHandshake, session: Session): Handshake<Uint8Array | undefined> {
  return yield* perform(context.tickets.sealed.seal(session));
}

/** Before a ticket is made, sealed or not: the application may add data of its own to the session. Whether there is to be one. */
export function* generateTicket({ tickets }: ServerHandshake, session: Session): Handshake<boolean> {
  const task = tickets.generate(session);
  return task === undefined || (yield* perform(task));
}
