/** NewSessionTicket messages: RFC 9846 §4.7.1. A stateful ticket is the id under which the session is kept. */

import { resumptionPsk } from '../../crypto/key-schedule.ts';
import { Session } from '../../sessions/session.ts';
import { concat, EMPTY, wipe } from '../../wire/bytes.ts';
import { decode, encode, uint32 } from '../../wire/codec.ts';
import { NamedGroup } from '../../wire/registry.ts';
import type { TicketSender } from '../established.ts';
import type { MainSecret } from '../main-secret.ts';
import type { ClientHello } from '../messages/client-hello.ts';
import { MAX_TICKET_LIFETIME, type NewSessionTicket, newSessionTicket } from '../messages/new-session-ticket.ts';
import type { NoTicket } from '../outcome.ts';
import { call, type Handshake } from '../wait.ts';
import type { ServerHandshake } from './context.ts';
import { selectPskMode } from './negotiate.ts';
import type { Tls13Choice } from './negotiate-tls13.ts';
import { scopeOf } from './offered-scope.ts';
import { foreignOf } from './resumption.ts';
import { generateTicket, sealTicket, whyNoSession } from './tickets.ts';

/** A ticket to send, and its session. */
export interface Issue {
  readonly session: Session;
  readonly message: NewSessionTicket;
}

/** Makes the tickets of one connection, in the handshake or later. */
export class TicketIssuer implements TicketSender {
  readonly #context: ServerHandshake;
  readonly #choice: Tls13Choice;
  readonly #main: MainSecret;
  #count = 0;

  /** `transcriptHash` covers ClientHello…client Finished. The issuer does not own `main`. */
  constructor(context: ServerHandshake, choice: Tls13Choice, main: MainSecret, transcriptHash: Uint8Array) {
    this.#context = context;
    this.#choice = choice;
    this.#main = main;
    main.finish(transcriptHash);
  }

  /** Asked before each ticket: a callback for the one before may have closed the cache. */
  get canSend(): boolean {
    return whyNoTicket(this.#context, this.#choice) === undefined;
  }

  /** Sends up to `count` tickets. The session of each is announced before the ticket can leave. */
  *send(count: number): Handshake<undefined> {
    const why = whyNoTicket(this.#context, this.#choice);
    if (why !== undefined) return void this.#context.sessions.noTicket(why);
    for (let i = 0; i < count && this.canSend; i++) {
      const issue = yield* this.#issue();
      if (issue === undefined) continue;
      yield* this.announce([issue]);
      this.#context.send(newSessionTicket, issue.message);
    }
    this.#main.dropHmacKey();
    return undefined;
  }

  /** Sends tickets before the client has proved anything. Their sessions must be announced later: {@link TicketIssuer.announce}. */
  *sendEarly(count: number): Handshake<readonly Issue[]> {
    const issues: Issue[] = [];
    for (let i = 0; i < count && this.canSend; i++) {
      const issue = yield* this.#issue();
      if (issue === undefined) continue;
      this.#context.send(newSessionTicket, issue.message);
      issues.push(issue);
    }
    this.#main.dropHmacKey();
    return issues;
  }

  /** Announces the sessions of tickets to the internal cache and the new callback. */
  *announce(issues: readonly Issue[]): Handshake<void> {
    const { sessions, facts, settings } = this.#context;
    const isNeeded = settings.tickets.mode === 'stateful' || settings.tickets.singleUse;
    for (const { session } of issues) {
      facts.session = session;
      yield* call(() => sessions.announce(session, isNeeded));
    }
  }

  /** SSL_get_session(3): gives the connection a session although its client got no ticket. It has no id and cannot be resumed. */
  attachUnsent(): void {
    const { facts, sessions } = this.#context;
    facts.session = sessions.adopt(this.#newSession(EMPTY, EMPTY, 0));
    this.#main.dropHmacKey();
  }

  /** Makes a ticket; `undefined` if it cannot be made or must not be resumed. The connection goes on without it. */
  *#issue(): Handshake<Issue | undefined> {
    const { sessions, settings } = this.#context;
    const { nonce, lifetime } = this.#context.decisions.ticket ?? {};
    const ticketNonce = nonce ?? concat(new Uint8Array(4), encode(uint32, this.#count++)); // unique among the tickets of a connection
    const id = yield* call(() => sessions.newId('TLSv1.3'));
    const fraction = Math.floor(this.#context.time()) % 1000; // of the second that the session keeps as its time
    const session = sessions.adopt(this.#newSession(id, ticketNonce, fraction)); // now, as the tasks that follow may never be answered
    if (!(yield* generateTicket(this.#context, session))) return undefined;
    if (session.isRuledOut) return void sessions.noTicket('not-resumable'); // a callback has ruled it out or freed it
    if (!sessions.fits(session, settings.tickets.mode === 'stateful')) return undefined;
    const ticket = settings.tickets.mode === 'stateful' ? id : yield* sealTicket(this.#context, session);
    if (ticket === undefined) return undefined;
    const ticketLifetime = lifetime ?? this.#lifetime(session);
    if (lifetime === undefined && ticketLifetime < 1) return void sessions.noTicket('expired'); // §4.7.1: with 0 a client discards it
    return {
      session,
      message: {
        ticketLifetime,
        ticketAgeAdd: (session.ticketAgeAdd + fraction) % 2 ** 32,
        ticketNonce,
        ticket,
        extensions: { earlyData: session.foreign.maxEarlyData },
      },
    };
  }

  /** Returns the ticket_lifetime in seconds. §4.7.1: at most seven days, and no longer than the client's authentication is valid. */
  #lifetime({ expires, authTime }: Session): number {
    const { maxAuthAge } = this.#context.settings.tickets;
    const end = Math.min(expires, authTime + maxAuthAge);
    return Math.min(end - this.#context.now(), MAX_TICKET_LIFETIME);
  }

  /**
   * The session's ticket_age_add is less than that of the ticket by the milliseconds of the second that have passed: so the age that a
   * client states counts from the time that the session keeps, and the window of early data (§8.3) is as wide on either side.
   */
  #newSession(id: Uint8Array, ticketNonce: Uint8Array, fraction: number): Session {
    const { settings, facts, randomBytes, decisions } = this.#context;
    const { suite, psk } = this.#choice;
    const before = psk?.psk.session;
    const now = this.#context.now();
    const ageAdd = decisions.ticket?.ageAdd ?? decode(uint32, randomBytes(4, 'ticket_age_add'));
    const secret = resumptionPsk(this.#main.resumption, ticketNonce);
    const session = new Session({
      version: 'TLSv1.3',
      cipherSuite: suite.id,
      id,
      secret,
      time: now,
      timeout: settings.sessionTimeout(),
      authTime: before?.authTime ?? now, // a chain of resumptions does not authenticate anew
      extendedMasterSecret: true,
      idContext: settings.idContext,
      serverName: facts.serverName,
      alpnProtocol: facts.alpnProtocol,
      group: facts.group === undefined ? 0 : NamedGroup[facts.group],
      ticketAgeAdd: (ageAdd - fraction) >>> 0,
      scope: scopeOf(this.#context),
      applicationData: before?.applicationData,
      peerCertificate: facts.peerCertificate,
      foreign: foreignOf(facts, decisions.ticket?.maxEarlyData ?? settings.earlyData?.maxSize),
    });
    wipe(secret); // the session has a copy
    return session;
  }
}

/**
 * Returns why a ticket would be of no use: this server could not keep its session, find it or take it for its single use, or the
 * client could not resume it (§4.3.9). `undefined` if it would be.
 */
export function whyNoTicket(context: ServerHandshake, { hello, psk }: Tls13Choice): NoTicket | undefined {
  const { settings, sessions } = context;
  const { mode, maxAuthAge, singleUse } = settings.tickets;
  const why = whyNoSession(context, mode === 'stateful');
  if (why !== undefined) return why;
  if (singleUse && !sessions.canTake(mode === 'stateless')) return 'single-use';
  if (selectPskMode(hello.body, settings, true) === undefined) return 'psk-mode';
  const before = psk?.psk.session;
  return before !== undefined && before.authTime + maxAuthAge <= context.now() ? 'auth-age' : undefined;
}

/** Returns how many tickets are due: as many as the client asks for (RFC 9149), or as the settings say. If none is, returns why. */
export function dueTickets(context: ServerHandshake, choice: Tls13Choice): number | NoTicket {
  const { hello, psk, keepsTicket } = choice;
  const { initial, afterResumption, maxRequested } = context.settings.tickets;
  const why = whyNoTicket(context, choice) ?? (keepsTicket ? 'declined' : undefined);
  if (why !== undefined) return why;
  const isResumption = psk?.psk.session !== undefined;
  const asked = requestedTickets(hello.body, isResumption);
  const usual = isResumption ? afterResumption : initial;
  return (asked === undefined ? usual : Math.min(asked, maxRequested)) || 'not-due';
}

/** Returns how many tickets are due. */
export function ticketCount(context: ServerHandshake, choice: Tls13Choice): number {
  const due = dueTickets(context, choice);
  return typeof due === 'number' ? due : 0;
}

/** RFC 9149 §3: returns the answer to a client that has asked. Tickets that are sent by hand are not promised. */
export function expectedTickets(context: ServerHandshake, choice: Tls13Choice): number | undefined {
  if (choice.hello.body.extensions.ticketRequest === undefined) return undefined;
  return context.settings.tickets.timing === 'manual' ? 0 : ticketCount(context, choice);
}

/** RFC 9149 §3 */
function requestedTickets({ extensions: { ticketRequest } }: ClientHello, isResumption: boolean): number | undefined {
  return isResumption ? ticketRequest?.resumptionCount : ticketRequest?.newSessionCount;
}
