/** NewSessionTicket messages: RFC 8446 §4.6.1. A stateful ticket is the id under which the session is kept. */

import { Session } from '../cache/session.ts';
import { type MasterSecret, resumptionMasterSecret, resumptionPsk } from '../crypto/key-schedule.ts';
import { EMPTY } from '../wire/bytes.ts';
import { decode, uint32 } from '../wire/codec.ts';
import { NamedGroup } from '../wire/registry.ts';
import type { Handshaking } from './context.ts';
import { selectPskMode } from './negotiate.ts';
import type { Tls13Choice } from './negotiate-tls13.ts';
import { MAX_TICKET_LIFETIME, newSessionTicket } from './new-session-ticket.ts';
import { scopeOf } from './resumption.ts';
import { type Handshake, performed } from './wait.ts';

/** The transcript has the client's Finished by now. */
export function* sendNewSessionTickets(
  context: Handshaking,
  choice: Tls13Choice,
  master: MasterSecret,
): Handshake<void> {
  const count = ticketCount(context, choice);
  if (count === 0 && choice.psk !== undefined) return;
  const hash = context.settings.crypto.hashes[choice.suite.hash];
  const resumption = context.own(resumptionMasterSecret(hash, master, context.transcript.peek()));
  const pskFor = (ticketNonce: Uint8Array) => context.own(resumptionPsk(hash, resumption, ticketNonce));
  if (count === 0) attachUnsent(context, choice, pskFor(EMPTY));
  for (let i = 0; i < count; i++) {
    const ticketNonce = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, i); // one per ticket of a connection
    const id = yield* performed('bookkeeping', () => context.sessions.newId('TLSv1.3'));
    const session = newSession(context, choice, id, pskFor(ticketNonce));
    context.facts.session = session;
    yield* performed('bookkeeping', () => context.sessions.announce(session));
    sendTicket(context, session, ticketNonce);
  }
}

/** SSL_get_session(3): a connection has a session even where its client was given no ticket, but nobody can resume it. */
function attachUnsent(context: Handshaking, choice: Tls13Choice, secret: Uint8Array): void {
  context.facts.session = context.sessions.hold(newSession(context, choice, EMPTY, secret));
}

/** None where nobody could keep the session, and none that the client could not use (§4.2.9) or has to drop at once (§4.6.1). */
function ticketCount({ settings, sessions, now }: Handshaking, { hello, psk }: Tls13Choice): number {
  if (settings.tickets.mode === 'off' || !sessions.canKeep) return 0;
  if (selectPskMode(hello.body, settings, true) === undefined) return 0;
  if (psk !== undefined && psk.session.authTime + settings.tickets.maxAuthAge <= now()) return 0;
  return psk === undefined ? settings.tickets.initial : settings.tickets.afterResumption;
}

function newSession(context: Handshaking, { suite, psk }: Tls13Choice, id: Uint8Array, secret: Uint8Array): Session {
  const { settings, facts } = context;
  const now = context.now();
  return new Session({
    version: 'TLSv1.3',
    cipherSuite: suite.id,
    id,
    secret,
    time: now,
    timeout: settings.sessionTimeout,
    authTime: psk?.session.authTime ?? now, // a chain of resumptions does not authenticate anew
    extendedMasterSecret: true,
    idContext: settings.idContext,
    serverName: facts.serverName,
    alpnProtocol: facts.alpnProtocol,
    group: facts.group === undefined ? 0 : NamedGroup[facts.group],
    ticketAgeAdd: decode(uint32, context.randomBytes(4)),
    scope: scopeOf(settings),
  });
}

function sendTicket(context: Handshaking, session: Session, ticketNonce: Uint8Array): void {
  const { maxAuthAge } = context.settings.tickets;
  const left = Math.min(session.timeout, MAX_TICKET_LIFETIME, session.authTime + maxAuthAge - context.now());
  context.send(newSessionTicket, {
    ticketLifetime: Math.max(0, left),
    ticketAgeAdd: session.ticketAgeAdd,
    ticketNonce,
    ticket: session.id,
    extensions: {},
  });
}
