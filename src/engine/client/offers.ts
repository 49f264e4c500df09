/** The sessions that one connection of a client offers. */

import { suiteById } from '../../crypto/suites.ts';
import type { SessionOffer } from '../../handshake/client/context.ts';
import { ClientSession } from '../../sessions/client-session.ts';
import type { Session } from '../../sessions/session.ts';

/** Sessions that the application gives to a connection. Each is held until its end. */
export class ConnectionOffers {
  readonly #sessions: readonly Session[];
  readonly #age: number | undefined;

  constructor(sessions: readonly Session[], age: number | undefined) {
    this.#sessions = sessions;
    this.#age = age;
  }

  /** The versions of the sessions. */
  get versions(): readonly string[] {
    return this.#sessions.map(({ version }) => version);
  }

  select(time: number): readonly SessionOffer[] {
    const now = Math.floor(time / 1000);
    const fresh = this.#sessions.filter((session) => session.isResumable && session.expires >= now);
    return fresh.map((session) => this.#offer(session));
  }

  #offer(session: Session): SessionOffer {
    const hash = suiteById(session.cipherSuite)?.hash ?? 'sha256';
    return { session, hash, age: this.#age, ticket: session.foreign.ticket };
  }

  /** RFC 9846 §4.3.11.1: since the ticket came. */
  ageOf(session: Session, time: number): number {
    const from = session instanceof ClientSession ? session.origin.receivedAt : 1000 * session.time;
    return Math.min(Math.max(0, Math.floor(time - from)), 2 ** 32 - 1);
  }

  close(): void {
    for (const session of this.#sessions) session.release();
  }
}
