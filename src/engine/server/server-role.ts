/** The server's part of a connection: finds and keeps sessions, sends tickets after the handshake, reports verdicts. */

import type { Established, TicketSender } from '../../handshake/established.ts';
import type { Handshake } from '../../handshake/wait.ts';
import type { Session } from '../../sessions/session.ts';
import type { Role } from '../role.ts';
import type { ConnectionHost } from './connection-host.ts';
import { ServerIO } from './server-io.ts';
import { ConnectionSessions } from './session-lookup.ts';
import { ConnectionTickets } from './ticket-judging.ts';

export class ServerRole implements Role {
  readonly io: ServerIO;
  readonly #host: ConnectionHost;
  readonly #sessions: ConnectionSessions;
  #issuer: TicketSender | undefined;
  #ticketsDue = 0;
  /** Whether the tickets that are due may be sent. With `tickets.timing` 'with-first-write' they wait for the first write. */
  #mayIssue = false;

  constructor(host: ConnectionHost) {
    this.#host = host;
    this.#sessions = new ConnectionSessions(host.config.store, host);
    this.io = new ServerIO(host, this.#sessions, new ConnectionTickets(host.config.ticketPolicy, host));
  }

  /** Whether more tickets can be asked for. */
  get hasTickets(): boolean {
    return this.#issuer !== undefined;
  }

  /** Whether a ticket that is made now would be of use. */
  get canSendTicket(): boolean {
    return this.#issuer?.canSend ?? false;
  }

  /** Requests one more ticket, besides those that are due. */
  requestTicket(): void {
    this.#ticketsDue++;
    this.#mayIssue = true;
  }

  adoptOffered(session: Session): Session {
    return this.#sessions.adoptOffered(session);
  }

  catchUp(): void {
    this.#sessions.catchUp();
  }

  explain(): void {
    const { verdicts } = this.io.facts;
    if (verdicts.length > 0) this.#host.emit({ type: 'verdicts', verdicts });
  }

  established({ issuer, ticketsDue = 0 }: Established): void {
    this.#issuer = issuer;
    this.#ticketsDue = ticketsDue;
    this.#sessions.completed(this.io.facts.resumption.session);
  }

  beforeWrite(): void {
    this.#mayIssue = true;
  }

  nextJob(): Handshake<unknown> | undefined {
    if (this.#host.life.writing === 'ended') return undefined; // a client that has ended its own direction goes on reading (RFC 9846 §6.1)
    const count = this.#mayIssue ? this.#ticketsDue : 0;
    if (count === 0) return undefined;
    this.dropJobs();
    return this.#issuer?.send(count);
  }

  dropJobs(): void {
    this.#ticketsDue = 0;
    this.#mayIssue = false;
  }

  /**
   * Removes the session after a fatal alert (RFC 5246 §7.2.2). An offered session is removed only after the peer's Finished: neither a
   * client that knows an id or replays a binder, nor who forges an alert between the two, may end another's session.
   */
  failed(reason: 'alert-sent' | 'alert-received' | undefined): void {
    const { session, resumption } = this.io.facts;
    const isEntitled = this.io.hasProof || session !== resumption.session;
    if (session !== undefined && reason !== undefined && isEntitled) this.#remove(session, reason);
  }

  endedUncleanly(): void {
    const { session, version } = this.io.facts;
    if (session === undefined || version === undefined) return;
    if (this.#sessions.store.policy.removeUnclean.includes(version)) this.#remove(session, 'unclean');
  }

  close(): void {
    this.#sessions.close();
  }

  /**
   * Removes a session from cache and store. The session of a TLS 1.2 ticket is in neither, and the id that the client has chosen for it
   * (RFC 5077 §3.4) may be another session's.
   */
  #remove(session: Session, reason: 'alert-sent' | 'alert-received' | 'unclean'): void {
    if (this.io.facts.resumption.mechanism !== 'ticket') this.#sessions.remove(session, reason);
  }
}
