/** What has become of each session that a client has offered, and why: for whoever asks. Nothing of it goes to the peer. */

import type { SuiteParameters } from '../../crypto/suites.ts';
import type { Session } from '../../sessions/session.ts';
import { toHex } from '../../wire/bytes.ts';
import type { Check, Mechanism, NoResumption, TicketFacts, Verdict } from '../outcome.ts';
import type { Found, ServerHandshake } from './context.ts';
import { type Judgement, judge, type Offer, rulesFor } from './resumption.ts';

/** A judged session, with all that it was judged by. */
interface Judged {
  readonly session: Session;
  readonly offer: Offer;
  readonly judgement: Judgement;
}

interface VerdictParts {
  readonly mechanism: Mechanism;
  readonly identityIndex?: number | undefined;
  /** Why there was no session, or why not this one; `undefined`: it was resumed. */
  readonly reason: NoResumption | undefined;
  readonly ticket?: TicketFacts | undefined;
  readonly judged?: Judged | undefined;
}

/** An offered session, or the ticket or id that led to none. */
export interface OfferedSession extends Pick<VerdictParts, 'mechanism' | 'identityIndex' | 'ticket'> {
  readonly found: Found;
  readonly offer: Offer;
}

/** The verdict on an offered session, the session itself where there is one, and its suite where it was accepted. */
export interface JudgedOffer {
  readonly verdict: SessionVerdict;
  readonly session?: Session | undefined;
  readonly suite?: SuiteParameters | undefined;
}

/**
 * Judges what was offered. The caller has a session that has expired leave cache and store.
 * @throws TlsAlert where the breach ends the handshake
 */
export function judgeOffered({ settings }: ServerHandshake, offered: OfferedSession): JudgedOffer {
  const { mechanism, identityIndex, ticket, offer } = offered;
  const { session, reason } = offered.found;
  if (session === undefined) return { verdict: new SessionVerdict({ mechanism, identityIndex, ticket, reason }) };
  const judgement = judge(session, offer, settings);
  const judged = { session, offer, judgement };
  const parts = { mechanism, identityIndex, ticket, reason: judgement.broken?.reason, judged };
  return { verdict: new SessionVerdict(parts), session, suite: judgement.suite };
}

/** Where there is no session to be judged. */
const REMEDIES: Partial<Record<NoResumption, string>> = {
  disabled: 'a tickets.mode that reads what is offered, and for ids a cache or an onGet to find sessions with',
  unknown: 'a session that cache or store still has',
  undecryptable: 'the key that the ticket was sealed with',
  malformed: 'a ticket or a record that holds a session',
  ignored: 'another answer of onDecrypt',
  'store-error': 'a store that answers',
  'store-timeout': 'a store that answers within sessions.lookupTimeoutMs',
  'wrong-id': 'a store that answers with the session that it was asked for',
  version: 'a session of the version that was negotiated',
  'psk-mode': 'a mode of pskModes in psk_key_exchange_modes, and a group for psk_dhe_ke',
  'too-many-identities': 'a greater sessions.maxIdentities, or fewer identities before it',
  binder: 'a binder made with the PSK of the session, over this very hello',
  consumed: 'a session that has not been used yet',
  expired: 'coming back sooner, or a longer sessions.timeout',
};

export class SessionVerdict implements Verdict {
  readonly mechanism: Mechanism;
  /** Its place among the PSK identities; TLS 1.3 only. */
  readonly identityIndex: number | undefined;
  readonly reason: NoResumption | undefined;
  readonly ticket: TicketFacts | undefined;
  readonly #judged: Judged | undefined;

  constructor({ mechanism, identityIndex, reason, ticket, judged }: VerdictParts) {
    this.mechanism = mechanism;
    this.identityIndex = identityIndex;
    this.reason = reason;
    this.ticket = ticket;
    this.#judged = judged;
  }

  /** The same of a session that was good, and came to nothing in the end. */
  lost(reason: NoResumption): Verdict {
    const { mechanism, identityIndex, ticket } = this;
    return new SessionVerdict({ mechanism, identityIndex, ticket, judged: this.#judged, reason });
  }

  get accepted(): boolean {
    return this.reason === undefined;
  }

  /** The id of the session, in hexadecimal; `undefined` where none was found. */
  get sessionId(): string | undefined {
    return this.#judged && toHex(this.#judged.session.id);
  }

  /** Seconds since the session was made. */
  get age(): number | undefined {
    return this.#judged && this.#judged.offer.now - this.#judged.session.time;
  }

  /** Seconds since the full handshake that it descends from. */
  get authAge(): number | undefined {
    return this.#judged && this.#judged.offer.now - this.#judged.session.authTime;
  }

  /** Every rule in its order, up to and with the first that it breaks. Empty where there was no session. */
  get checks(): readonly Check[] {
    if (this.#judged === undefined) return [];
    const {
      offer,
      judgement: { broken },
    } = this.#judged;
    const rules = rulesFor(offer.version);
    const looked = broken === undefined ? rules : rules.slice(0, rules.indexOf(broken) + 1);
    return looked.map((rule) => ({ rule: rule.name, passed: rule !== broken }));
  }

  /** What would have made it pass. */
  get remedy(): string | undefined {
    return this.reason && (this.#judged?.judgement.broken?.remedy ?? this.#ticketRemedy ?? REMEDIES[this.reason]);
  }

  /** Why a ticket cannot be opened has more than one cause. */
  get #ticketRemedy(): string | undefined {
    if (this.reason !== 'undecryptable') return undefined;
    if (this.mechanism === 'psk-stateful')
      return "tickets.mode 'stateless', and the key that the ticket was sealed with";
    if (this.ticket?.failure !== 'bad-mac') return undefined;
    return "the rest of this key, read in its producer's layout, and a ticket that nobody has changed";
  }

  toJSON(): object {
    const { mechanism, identityIndex, accepted, reason, ticket, sessionId, age, authAge, checks, remedy } = this;
    return { mechanism, identityIndex, accepted, reason, remedy, ticket, sessionId, age, authAge, checks };
  }
}
