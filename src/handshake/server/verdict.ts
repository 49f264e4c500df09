/** Verdicts on the sessions that a client has offered: resumed or not, and why. They are for the application, not for the peer. */

import type { SuiteParameters } from '../../crypto/suites.ts';
import { ownId, type Session } from '../../sessions/session.ts';
import { toHex } from '../../wire/bytes.ts';
import type { Version } from '../../wire/registry.ts';
import type { Check, Mechanism, NoResumption, TicketFacts, Verdict } from '../outcome.ts';
import type { Found, ServerHandshake } from './context.ts';
import { judge, type Offer, type Rule, rulesFor } from './resumption.ts';

/** What a verdict tells of a session. It does not hold the session itself, which may have a certificate of any length. */
interface Judged {
  readonly id: Uint8Array;
  readonly version: Version;
  readonly age: number;
  readonly authAge: number;
  readonly broken: Rule | undefined;
}

interface VerdictParts {
  readonly mechanism: Mechanism;
  readonly identityIndex?: number | undefined;
  /** Why no session was found, or why it was not resumed; `undefined` if it was resumed. */
  readonly reason: NoResumption | undefined;
  readonly ticket?: TicketFacts | undefined;
  readonly judged?: Judged | undefined;
  readonly earlyData?: Verdict['earlyData'];
}

/** An offered session, or a ticket or id that led to none. `offer` makes the offer to judge a session by. */
export interface OfferedSession extends Pick<VerdictParts, 'mechanism' | 'identityIndex' | 'ticket'> {
  readonly found: Found;
  offer(): Offer;
}

/** The verdict on an offered session, the session itself if one was found, and its suite if it was accepted. */
export interface JudgedOffer {
  readonly verdict: SessionVerdict;
  readonly session?: Session | undefined;
  readonly suite?: SuiteParameters | undefined;
}

/**
 * Judges an offered session. If it has expired, the caller removes it from cache and store.
 * @throws TlsAlert for a breach that ends the handshake
 */
export function judgeOffered({ settings }: ServerHandshake, offered: OfferedSession): JudgedOffer {
  const { mechanism, identityIndex, ticket } = offered;
  const { session, reason } = offered.found;
  if (session === undefined) return { verdict: new SessionVerdict({ mechanism, identityIndex, ticket, reason }) };
  const offer = offered.offer();
  const { broken, suite } = judge(session, offer, settings);
  const { version, now } = offer;
  const judged = { id: ownId(session), version, age: now - session.time, authAge: now - session.authTime, broken };
  const parts = { mechanism, identityIndex, ticket, reason: broken?.reason, judged };
  return { verdict: new SessionVerdict(parts), session, suite };
}

/** The remedies for reasons that do not come from a rule, which would state its own. */
const REMEDIES: Partial<Record<NoResumption, string>> = {
  disabled: 'a tickets.mode that reads what is offered, and for ids a cache or an onGet to find sessions with',
  unknown: 'a session that cache or store still has',
  undecryptable: 'the key that the ticket was sealed with',
  malformed: 'a ticket or a record that holds a session',
  ignored: 'another answer of onDecrypt',
  'store-error': 'a store that answers, and a sessions.mayResume that does',
  'store-timeout': 'answers within sessions.lookupTimeoutMs',
  'wrong-id': 'a store that answers with the session that it was asked for',
  version: 'a session of the version that was negotiated',
  'psk-mode': 'a mode of pskModes in psk_key_exchange_modes, and a group for psk_dhe_ke',
  'too-many-identities': 'a greater sessions.maxIdentities, or fewer identities before it',
  binder: 'a binder made with the PSK of the session, over this very hello',
  consumed: 'a session that has not been used yet',
  vetoed: 'the answer true of sessions.mayResume',
  expired: 'coming back sooner, a longer sessions.timeout, or a certificate that lasts longer',
};

export class SessionVerdict implements Verdict {
  readonly mechanism: Mechanism;
  readonly identityIndex: number | undefined;
  readonly reason: NoResumption | undefined;
  readonly ticket: TicketFacts | undefined;
  readonly earlyData: Verdict['earlyData'];
  readonly #judged: Judged | undefined;

  constructor({ mechanism, identityIndex, reason, ticket, judged, earlyData }: VerdictParts) {
    this.mechanism = mechanism;
    this.identityIndex = identityIndex;
    this.reason = reason;
    this.ticket = ticket;
    this.earlyData = earlyData;
    this.#judged = judged;
  }

  lost(reason: NoResumption): Verdict {
    const { mechanism, identityIndex, ticket, earlyData } = this;
    return new SessionVerdict({ mechanism, identityIndex, ticket, judged: this.#judged, reason, earlyData });
  }

  withEarlyData(earlyData: Verdict['earlyData']): Verdict {
    const { mechanism, identityIndex, ticket, reason } = this;
    return new SessionVerdict({ mechanism, identityIndex, ticket, judged: this.#judged, reason, earlyData });
  }

  get accepted(): boolean {
    return this.reason === undefined;
  }

  get sessionId(): string | undefined {
    return this.#judged && toHex(this.#judged.id);
  }

  get age(): number | undefined {
    return this.#judged?.age;
  }

  get authAge(): number | undefined {
    return this.#judged?.authAge;
  }

  get checks(): readonly Check[] {
    if (this.#judged === undefined) return [];
    const { version, broken } = this.#judged;
    const rules = rulesFor(version);
    const looked = broken === undefined ? rules : rules.slice(0, rules.indexOf(broken) + 1);
    return looked.map((rule) => ({ rule: rule.name, passed: rule !== broken }));
  }

  get remedy(): string | undefined {
    return this.reason && (this.#judged?.broken?.remedy ?? this.#ticketRemedy ?? REMEDIES[this.reason]);
  }

  /** A more exact remedy for 'undecryptable', which has several causes. */
  get #ticketRemedy(): string | undefined {
    if (this.reason !== 'undecryptable') return undefined;
    if (this.mechanism === 'psk-stateful')
      return "tickets.mode 'stateless', and the key that the ticket was sealed with";
    if (this.ticket?.failure !== 'bad-mac') return undefined;
    return "the rest of this key, read in its producer's layout, and a ticket that nobody has changed";
  }

  toJSON(): object {
    const { mechanism, identityIndex, accepted, reason, ticket, sessionId, age, authAge, checks, remedy, earlyData } =
      this;
    return { mechanism, identityIndex, accepted, reason, remedy, earlyData, ticket, sessionId, age, authAge, checks };
  }
}
