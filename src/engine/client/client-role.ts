/** The client's part of a connection: offers sessions, keeps those that it is given. */

import type { Established } from '../../handshake/established.ts';
import type { Handshake } from '../../handshake/wait.ts';
import type { Session } from '../../sessions/session.ts';
import type { Role } from '../role.ts';
import type { ClientHost } from './client-host.ts';
import { ClientIO } from './client-io.ts';
import { ConnectionOffers } from './offers.ts';
import { ReceivedSessions } from './received-sessions.ts';

export class ClientRole implements Role {
  readonly io: ClientIO;
  readonly sessions: ReceivedSessions;
  readonly #offers: ConnectionOffers;

  constructor(host: ClientHost, given: readonly Session[] | undefined, age: number | undefined) {
    const offers = new ConnectionOffers(host, given, age);
    this.#offers = offers;
    this.sessions = new ReceivedSessions(host);
    this.io = new ClientIO(host, offers, this.sessions);
  }

  catchUp(): void {}

  explain(): void {
    const { facts } = this.io;
    const { resumption, version } = facts;
    if (resumption.reason !== 'declined' || version === undefined) return;
    if (!this.#offers.versions.includes(version)) facts.resumption = { ...resumption, reason: 'version' };
  }

  established(_: Established): void {
    const { resumption, version } = this.io.facts;
    if (resumption.reason === 'declined' && version === 'TLSv1.3') this.#offers.declined();
  }

  beforeWrite(): void {}

  nextJob(): Handshake<unknown> | undefined {
    return this.sessions.announce();
  }

  dropJobs(): void {}

  /** RFC 5246 §7.2.2. Before the server has proved itself, anybody may have sent the alert. */
  failed(reason: 'alert-sent' | 'alert-received' | undefined): void {
    if (reason === undefined || !this.io.hasProof) return;
    this.sessions.forbid();
    this.io.facts.resumption.session?.forbidResumption();
  }

  endedUncleanly(): void {}

  close(): void {
    this.sessions.close();
    this.#offers.close();
  }
}
