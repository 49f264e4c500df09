/** The sessions that one connection of a client offers: those that the application gives it, or those of the client's cache. */

import type { Awaitable } from '../../awaitable.ts';
import { suiteById } from '../../crypto/suites.ts';
import type { SessionOffer } from '../../handshake/client/context.ts';
import { MAX_TICKET_LIFETIME } from '../../handshake/messages/new-session-ticket.ts';
import { ClientSession } from '../../sessions/client-session.ts';
import type { Session } from '../../sessions/session.ts';
import type { ClientHost } from './client-host.ts';

export class ConnectionOffers {
  readonly #host: ClientHost;
  /** What the application has given; `undefined` to look in the cache. */
  readonly #given: readonly Session[] | undefined;
  readonly #age: number | undefined;
  /** Each is held until the connection ends. */
  readonly #held: Session[] = [];

  constructor(host: ClientHost, given: readonly Session[] | undefined, age: number | undefined) {
    this.#host = host;
    this.#given = given?.map((session) => session.upRef());
    this.#held.push(...(this.#given ?? []));
    this.#age = age;
  }

  /** The versions of the sessions, and that of external PSKs. */
  get versions(): readonly string[] {
    const versions: string[] = this.#held.map(({ version }) => version);
    return this.#host.config.psks.length > 0 ? [...versions, 'TLSv1.3'] : versions;
  }

  /** Asks the store, if the cache has never had sessions of this peer. */
  load(): Awaitable<unknown> {
    const { cache } = this.#host.config.sessions;
    const { peer } = this.#host;
    return this.#given === undefined && cache?.asksStore(peer) ? cache.load(peer) : undefined;
  }

  /** Returns what is offered. `stored` is the answer of the store, if it was asked. */
  select(stored: unknown): readonly SessionOffer[] {
    const time = this.#host.time();
    const sessions = this.#given ?? this.#fromCache(stored, Math.floor(time / 1000));
    return sessions.filter((session) => this.#isFresh(session, time)).map((session) => this.#offer(session));
  }

  /** RFC 9846 §4.3.11.1, §4.7.1: a ticket is not older than its lifetime, to the millisecond, and never than seven days. */
  #isFresh(session: Session, time: number): boolean {
    if (this.#host.forcesSessions) return session.holds > 0;
    // RFC 7627 §5.3: a session without the extended master secret is not offered.
    const isSound = session.isResumable && session.extendedMasterSecret;
    if (!isSound || session.expires < Math.floor(time / 1000)) return false;
    const lifetime = Math.min(session.timeout, MAX_TICKET_LIFETIME);
    return session.version !== 'TLSv1.3' || this.ageOf(session, time) <= 1000 * lifetime;
  }

  #fromCache(stored: unknown, now: number): readonly Session[] {
    const { config, peer } = this.#host;
    const { cache } = config.sessions;
    if (cache === undefined) return [];
    try {
      cache.loaded(peer, stored);
    } catch (error) {
      this.#host.emit({ type: 'callback-error', callback: 'load', error });
    }
    const taken = cache.take(peer, now);
    this.#held.push(...taken);
    if (taken.length > 0) this.#host.saved(() => cache.saveTaken(peer));
    return taken.filter((session) => isFit(session, config));
  }

  #offer(session: Session): SessionOffer {
    const hash = suiteById(session.cipherSuite)?.hash ?? 'sha256';
    return { session, hash, age: this.#age, ticket: session.foreign.ticket };
  }

  /** Gives up what is of no use any more, once the server has declined all tickets of TLS 1.3. */
  declined(): void {
    const { config, peer } = this.#host;
    const tickets = this.#held.filter(({ version }) => version === 'TLSv1.3');
    const { cache } = config.sessions;
    if (cache !== undefined && tickets.length > 0) this.#host.saved(() => cache.forget(peer, tickets));
  }

  /** RFC 9846 §4.3.11.1: since the ticket came. */
  ageOf(session: Session, time: number): number {
    const from = session instanceof ClientSession ? session.origin.receivedAt : 1000 * session.time;
    return Math.min(Math.max(0, Math.floor(time - from)), 2 ** 32 - 1);
  }

  close(): void {
    for (const session of this.#held.splice(0)) session.release();
  }
}

/** Whether a session of the cache still fits the client: its suites, and its pins. */
function isFit(session: ClientSession, { suites, trust, psks }: ClientHost['config']): boolean {
  const { acceptedBy, peerChain } = session.origin;
  const isAccepted = acceptedBy.verifyServer === psks || trust.isPinned(peerChain);
  return whyUnfit(session, suites) === undefined && isAccepted;
}

/** Returns why a client with these suites cannot offer a session; `undefined` if it can (RFC 5246 §7.4.1.2, RFC 9846 §4.3.11). */
export function whyUnfit(session: Session, suites: ClientHost['config']['suites']): string | undefined {
  const { version, cipherSuite } = session;
  const hash = suiteById(cipherSuite)?.hash;
  const fits = suites.some(
    (suite) => suite.version === version && (version === 'TLSv1.2' ? suite.id === cipherSuite : suite.hash === hash),
  );
  if (fits) return undefined;
  return version === 'TLSv1.2' ? 'the client does not offer its suite' : 'the client offers no suite with its hash';
}
