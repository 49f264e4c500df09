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
  const { tickets } = context;
  const { sealed } = tickets;
  const value = sealed.keysAtHand(ticket);
  const outcome =
    value === undefined
      ? yield* perform({ kind: 'ticket', budgeted: true, run: () => sealed.findKeys(ticket) })
      : { value };
  const opened = sealed.open(version, ticket, outcome, sessionId);
  return tickets.isJudged ? yield* judge(context, opened, ticket) : opened;
}

/** RFC 5077 §3.2: an empty ticket asks for one. */
export function* emptyTicket(context: ServerHandshake): Handshake<OpenedTicket> {
  const opened: OpenedTicket = { found: 'not-offered', renew: true, status: 'empty' };
  return context.tickets.isJudged ? yield* judge(context, opened, EMPTY) : opened;
}

/** The application has a say. */
function* judge({ tickets }: ServerHandshake, opened: OpenedTicket, ticket: Uint8Array): Handshake<OpenedTicket> {
  const outcome = yield* perform({ kind: 'ticket', budgeted: true, run: () => tickets.judge(opened, ticket) });
  return tickets.judged(opened, outcome);
}

/** `undefined` where there is no key now. */
export function* sealTicket(context: ServerHandshake, session: Session): Handshake<Uint8Array | undefined> {
  const { sealed } = context.tickets;
  const outcome = yield* perform({ kind: 'ticket', budgeted: true, run: () => sealed.findSealingKey() });
  return sealed.seal(session, outcome);
}

/** Before a ticket is made, sealed or not: the application may add data of its own to the session. Whether there is to be one. */
export function* generateTicket({ tickets }: ServerHandshake, session: Session): Handshake<boolean> {
  if (!tickets.isGenerated) return true;
  const outcome = yield* perform({ kind: 'ticket', budgeted: true, run: () => tickets.generate(session) });
  return tickets.generated(session, outcome);
}
