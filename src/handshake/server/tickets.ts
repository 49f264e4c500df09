/** Tickets that contain their session, sealed (RFC 5077, RFC 9846 §4.7.1): how a handshake opens them and makes them. */

import type { Session } from '../../sessions/session.ts';
import { EMPTY } from '../../wire/bytes.ts';
import type { Version } from '../../wire/registry.ts';
import type { NoTicket } from '../outcome.ts';
import { type Handshake, perform } from '../wait.ts';
import type { OpenedTicket, ServerHandshake } from './context.ts';
import { whyNoSessions } from './resumption.ts';

/** Opens a ticket and lets the application judge it. `sessionId` is the id that a TLS 1.2 client has sent beside the ticket. */
export function* openTicket(
  context: ServerHandshake,
  version: Version,
  ticket: Uint8Array,
  sessionId?: Uint8Array,
): Handshake<OpenedTicket> {
  const { sealed } = context.tickets;
  const atOnce = context.decisions.opensByTask ? undefined : sealed.openAtOnce(version, ticket, sessionId);
  const opened = atOnce ?? (yield* perform(sealed.open(version, ticket, sessionId)));
  const judging = sealed.judge(opened, ticket);
  return judging === undefined ? opened : yield* perform(judging);
}

/** Lets the application judge an empty ticket, which asks for a new one (RFC 5077 §3.2). */
export function* emptyTicket(context: ServerHandshake): Handshake<OpenedTicket> {
  const opened: OpenedTicket = { found: { reason: 'not-offered' }, renew: true, status: 'empty' };
  const judging = context.tickets.sealed.judge(opened, EMPTY);
  return judging === undefined ? opened : yield* perform(judging);
}

/** Seals a session. Returns `undefined` if there is no ticket, after an event that says why. */
export function* sealTicket(context: ServerHandshake, session: Session): Handshake<Uint8Array | undefined> {
  return yield* perform(context.tickets.sealed.seal(session));
}

/** Lets the application add data to a session before its ticket is made, sealed or not. Returns whether to make the ticket. */
export function* generateTicket({ tickets }: ServerHandshake, session: Session): Handshake<boolean> {
  const task = tickets.generate(session);
  return task === undefined || (yield* perform(task));
}

/** Returns why the client of a connection gets no session; `undefined` if it may get one. `isKept` says that the server keeps it. */
export function whyNoSession({ settings, sessions }: ServerHandshake, isKept: boolean): NoTicket | undefined {
  const why = whyNoSessions(settings);
  if (why !== undefined) return why;
  if (sessions.isRuledOut) return 'not-resumable';
  if (!isKept) return undefined;
  if (!sessions.canKeep) return 'not-kept';
  return sessions.canFindAgain ? undefined : 'not-found';
}
