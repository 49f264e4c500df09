/** The results of looking up PSK identities, kept across a HelloRetryRequest so that each is looked up once (RFC 9846 §4.2.4). */

import type { Session } from '../../sessions/session.ts';
import { latin1, toHex } from '../../wire/bytes.ts';
import type { ClientHello } from '../messages/client-hello.ts';
import type { Mechanism } from '../outcome.ts';
import { type Handshake, perform } from '../wait.ts';
import type { FoundPsk, OpenedTicket, PskSource, ServerHandshake } from './context.ts';
import { openTicket } from './tickets.ts';

export interface Lookup extends Pick<OpenedTicket, 'found' | 'renew' | 'facts'> {
  readonly mechanism: Mechanism;
  /** The external PSK of the identity, or why there is none; `undefined` for a ticket. */
  readonly external?: FoundPsk | undefined;
}

/** Whether sessions are looked up at all. */
export function readsTickets({ settings: { tickets }, sessions }: ServerHandshake): boolean {
  return tickets.mode !== 'off' && (tickets.mode === 'stateless' || sessions.canFind);
}

/** How sessions are offered to a server with these settings. */
export function mechanismOf({ tickets }: ServerHandshake['settings']): 'psk-stateful' | 'psk-stateless' {
  return tickets.mode === 'stateless' ? 'psk-stateless' : 'psk-stateful';
}

/** Longer identities are told apart by their digests, as the list is kept while the handshake waits. Few tickets are as long. */
const LONG = 512;

/** The ticket of a stateful session is its id, and ids have 1 to 32 bytes. */
const MAX_ID = 32;

export class PskLookups {
  /** Keyed by the identity's bytes, as a client may remove identities from its second hello. A list would take quadratic time. */
  readonly #known = new Map<string, Lookup>();

  /** Looks up an identity, or returns the earlier result. */
  *find(context: ServerHandshake, identity: Uint8Array): Handshake<Lookup> {
    const key = identity.length > LONG ? toHex(context.crypto.hashes.sha256.digest(identity)) : latin1(identity);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const { psks } = context.parts;
    const lookup = psks === undefined ? yield* findTicket(context, identity) : yield* lookUp(context, psks, identity);
    this.#known.set(key, lookup);
    return lookup;
  }

  /** Looks up all identities that may be looked at. */
  *findAll(context: ServerHandshake, { extensions: { preSharedKey } }: ClientHello): Handshake<void> {
    let left = context.settings.maxIdentities;
    for (const { identity } of preSharedKey?.identities ?? []) if (left-- > 0) yield* this.find(context, identity);
  }

  /**
   * True if renewal was declined for the accepted ticket or, when none was accepted, for every offered ticket. A ticket whose
   * session was found but refused is not counted as declined: the client needs a new one.
   */
  declinesRenewal(accepted: Session | undefined): boolean {
    const all = [...this.#known.values()];
    if (accepted !== undefined) return all.some(({ found, renew }) => found.session === accepted && renew === false);
    return all.length > 0 && all.every(({ found, renew }) => found.session === undefined && renew === false);
  }
}

/**
 * Looks up an identity: first among the external PSKs, and if it is none, among the sessions, so that it is of one kind. Where unknown
 * PSKs are to pass for known ones, both are done in any case (RFC 9846 Appendix F.6).
 */
function* lookUp(context: ServerHandshake, psks: PskSource, identity: Uint8Array): Handshake<Lookup> {
  const external = yield* psks.find(context, identity);
  const { psk, mechanism, reason = 'unknown' } = external;
  const lookup = { mechanism, external, found: { reason }, renew: undefined };
  if (psk !== undefined && !psks.hides) return lookup;
  const ticket = yield* findTicket(context, identity);
  // What none of the two knows is said to be a ticket if it could be one.
  const mayBeTicket = reason === 'unknown' && mechanism === 'psk-external' && identity.length >= MAX_ID;
  const isTicket = ticket.found.session !== undefined || mayBeTicket;
  return psk === undefined && isTicket && ticket.found.reason !== 'disabled' ? ticket : lookup;
}

function* findTicket(context: ServerHandshake, identity: Uint8Array): Handshake<Lookup> {
  const mechanism = mechanismOf(context.settings);
  if (!readsTickets(context)) return { mechanism, found: { reason: 'disabled' }, renew: undefined };
  const { found, renew, facts } =
    mechanism === 'psk-stateless'
      ? yield* openTicket(context, 'TLSv1.3', identity)
      : yield* findById(context, identity);
  return { mechanism, found, renew, facts };
}

function* findById(
  { sessions }: ServerHandshake,
  id: Uint8Array,
): Handshake<Pick<OpenedTicket, 'found' | 'renew' | 'facts'>> {
  if (id.length > MAX_ID) return { found: { reason: 'undecryptable' }, renew: undefined };
  return { found: yield* perform(sessions.find('TLSv1.3', id)), renew: undefined };
}
