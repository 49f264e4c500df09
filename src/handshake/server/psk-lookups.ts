/** What each PSK identity led to, kept across a HelloRetryRequest so that each is looked up once (RFC 8446 §4.1.4). */

import type { Session } from '../../sessions/session.ts';
import { latin1 } from '../../wire/bytes.ts';
import type { NoResumption } from '../outcome.ts';
import { type Handshake, perform } from '../wait.ts';
import type { OpenedTicket, ServerHandshake } from './context.ts';
import { openTicket } from './tickets.ts';

export type Lookup = Pick<OpenedTicket, 'found' | 'renew' | 'facts'>;

/** The ticket of a stateful session is its id, and ids have 1 to 32 bytes. */
const MAX_ID = 32;

export class PskLookups {
  /** By the identity's bytes: a client may remove identities from its second hello. A list would take quadratic time. */
  readonly #known = new Map<string, Lookup>();

  *find(context: ServerHandshake, identity: Uint8Array): Handshake<Lookup> {
    const key = latin1(identity);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const isStateless = context.settings.tickets.mode === 'stateless';
    const lookup = isStateless ? yield* openTicket(context, 'TLSv1.3', identity) : yield* findById(context, identity);
    this.#known.set(key, lookup);
    return lookup;
  }

  /** A session for single use that another connection has: a second ClientHello must not have it either. */
  markConsumed(session: Session, reason: NoResumption): void {
    for (const [key, { found }] of this.#known)
      if (found.session === session) this.#known.set(key, { found: { reason }, renew: undefined });
  }

  /**
   * True if renewal was declined for the accepted ticket or, when none was accepted, for every offered ticket. A session that was
   * refused calls for a new ticket.
   */
  declinesRenewal(accepted: Session | undefined): boolean {
    const all = [...this.#known.values()];
    if (accepted !== undefined) return all.some(({ found, renew }) => found.session === accepted && renew === false);
    return all.length > 0 && all.every(({ found, renew }) => found.session === undefined && renew === false);
  }
}

function* findById({ sessions }: ServerHandshake, id: Uint8Array): Handshake<Lookup> {
  if (id.length > MAX_ID) return { found: { reason: 'undecryptable' }, renew: undefined };
  return { found: yield* perform(sessions.find('TLSv1.3', id)), renew: undefined };
}
