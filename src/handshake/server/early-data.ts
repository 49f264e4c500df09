/** Early data, as a server accepts it: RFC 9846 §2.3, §4.3.10, §8. A part of a server, so that a bundle has it only where it is wanted. */

import type { Protection } from '../../crypto/protection.ts';
import type { Session } from '../../sessions/session.ts';
import { TlsAlert } from '../../wire/alert.ts';
import { endOfEarlyData } from '../messages/end-of-early-data.ts';
import type { NoEarlyData } from '../outcome.ts';
import type { EarlyDataTerms } from '../psk.ts';
import { earlyProtection } from '../schedule-tls13.ts';
import { type Handshake, type Outcome, perform, receive } from '../wait.ts';
import type { AcceptedEarlyData, EarlyDataOffer, EarlyDataPart, ServerHandshake } from './context.ts';
import { canonicalName } from './negotiate.ts';
import type { EarlyDataSettings } from './settings.ts';

/**
 * Decides on the early data that has been announced. It is called with the hello in the transcript, and once nothing else can change.
 * The strategy is asked last, so that only a hello whose early data would be accepted uses anything up.
 */
function* accept(context: ServerHandshake, offer: EarlyDataOffer): Handshake<AcceptedEarlyData | undefined> {
  const { earlyData: settings } = context.settings;
  const { psk } = offer;
  const session = psk?.psk.session;
  const terms = session ?? psk?.psk.earlyData;
  const why =
    settings === undefined || psk === undefined || terms === undefined
      ? whyNot(offer, settings)
      : yield* decide(context, offer, { settings, terms, session, identityIndex: psk.identityIndex });
  explain(context, why ?? 'accepted');
  if (why !== undefined || psk === undefined) return undefined;
  return new EarlyData(
    earlyProtection(context, offer.suite, psk.early, context.transcript.peek()),
    terms?.foreign.maxEarlyData ?? 0,
  );
}

export const earlyData: EarlyDataPart = { accept };

function whyNot({ retried, psk }: EarlyDataOffer, settings: EarlyDataSettings | undefined): NoEarlyData {
  if (settings === undefined) return 'disabled';
  if (retried) return 'retry';
  if (psk === undefined) return 'not-resumed';
  return psk.identityIndex === 0 ? 'not-allowed' : 'not-first';
}

/** What is asked for, and by whom. */
interface Asked {
  readonly settings: EarlyDataSettings;
  readonly terms: EarlyDataTerms;
  /** `undefined` under an external PSK. */
  readonly session: Session | undefined;
  readonly identityIndex: number;
}

function* decide(context: ServerHandshake, offer: EarlyDataOffer, asked: Asked): Handshake<NoEarlyData | undefined> {
  const late = lateEdge(offer, asked);
  const why = mismatch(context, offer, asked) ?? (isFresh(context, offer, asked, late) ? undefined : 'age');
  return why ?? (yield* admit(context, offer, asked, late));
}

/** §4.3.10: what must be as it was when the PSK was made, or as it was provisioned with the key. */
function mismatch(
  { facts }: ServerHandshake,
  { retried, suite }: EarlyDataOffer,
  { settings, identityIndex, terms, session }: Asked,
): NoEarlyData | undefined {
  const { maxEarlyData = 0 } = terms.foreign;
  const name = session === undefined ? (terms.serverName ?? facts.serverName) : session.serverName;
  if (retried) return 'retry';
  if (identityIndex !== 0) return 'not-first';
  if (maxEarlyData === 0 || maxEarlyData > settings.maxSize) return 'not-allowed'; // its client may send that much
  if (suite.id !== terms.cipherSuite) return 'cipher-suite';
  if (facts.alpnProtocol !== terms.alpnProtocol) return 'alpn';
  return canonicalName(facts.serverName) === canonicalName(name) ? undefined : 'scope';
}

/**
 * §8.3: until when the hello is fresh, in milliseconds since the epoch: the expected time of its arrival, and the window. Under an external
 * PSK it is fresh for ever, as the age that it states means nothing (§4.3.11).
 */
function lateEdge({ hello }: EarlyDataOffer, { settings, session }: Asked): number {
  if (session === undefined) return Number.POSITIVE_INFINITY;
  const [identity] = hello.body.extensions.preSharedKey?.identities ?? [];
  const age = ((identity?.obfuscatedTicketAge ?? 0) - session.ticketAgeAdd) >>> 0;
  return session.time * 1000 + age + settings.windowMs;
}

/**
 * Whether the hello has come within the window on either side of the expected time. A time that has been moved says nothing of that; and
 * what is fresh for ever needs records that are kept for ever.
 */
function isFresh(
  { sessions }: ServerHandshake,
  { hello }: EarlyDataOffer,
  { settings, session }: Asked,
  late: number,
): boolean {
  if (session === undefined) return settings.keepsForever;
  if (settings.admit !== undefined && sessions.movesTime) return false;
  return hello.time <= late && hello.time >= late - 2 * settings.windowMs;
}

/** Has the strategy admit the hello. Lookups may have taken their time: what is not fresh any more may be on record no more. */
function* admit(
  context: ServerHandshake,
  { hello }: EarlyDataOffer,
  { settings, terms, session }: Asked,
  late: number,
): Handshake<NoEarlyData | undefined> {
  const expiresIn = late - context.time();
  if (expiresIn < 0) return 'age';
  const [binder] = hello.body.extensions.preSharedKey?.binders ?? [];
  if (binder === undefined) throw new Error('a PSK without a binder');
  const key = context.crypto.hashes.sha256.digest(binder);
  let held: Held | undefined;
  const admitted = yield* perform({
    kind: 'early-data',
    callback: 'admit',
    asked: key,
    budgeted: true,
    run: () => {
      held = hold(context, settings, terms); // before anything of the user's is called, which may end the connection
      if (held === undefined) return 'held';
      const refusal = settings.refusal(context.info());
      if (refusal !== undefined) return refusal;
      return settings.admit === undefined || settings.admit({ key, expiresIn, connection: context.info() });
    },
    conclude: concludeAdmission,
  });
  const why = admitted ?? (session && settings.admit === undefined ? yield* takeOnce(context, session) : undefined);
  if (why !== undefined && held !== undefined) context.discard(held); // or replays could use up what the server may hold
  return why;
}

function concludeAdmission(outcome: Outcome): NoEarlyData | undefined {
  if (!('value' in outcome)) return 'late' in outcome ? 'store-timeout' : 'store-error';
  const { value } = outcome;
  if (value === true) return undefined;
  return value === 'blackout' || value === 'held' || value === 'not-allowed' ? value : 'replay';
}

/** §8.1: the session is good for one use, and this is it. With `tickets.singleUse` it has been taken already. */
function* takeOnce({ settings, sessions }: ServerHandshake, session: Session): Handshake<NoEarlyData | undefined> {
  if (settings.tickets.singleUse) return undefined;
  const why = yield* perform(sessions.take(session));
  return why === undefined || why === 'store-error' || why === 'store-timeout' ? why : 'replay';
}

/** Records what has become of the early data, also in the verdict on the first identity. */
function explain({ facts }: ServerHandshake, result: 'accepted' | NoEarlyData): void {
  if (result === 'accepted') facts.earlyData = 'accepted';
  facts.earlyDataRefusal = result === 'accepted' ? undefined : result;
  facts.verdicts = facts.verdicts.map((verdict, i) => (i === 0 ? verdict.withEarlyData(result) : verdict));
}

/** What a connection may have held until its handshake is complete, or its early data is rejected. */
interface Held {
  wipe(): void;
}

/** Counts what a connection may have held. Returns `undefined` where the server holds too much. */
function hold(
  context: ServerHandshake,
  { held, maxHeld }: EarlyDataSettings,
  { foreign }: EarlyDataTerms,
): Held | undefined {
  const { maxEarlyData = 0 } = foreign;
  if (held.bytes + maxEarlyData > maxHeld) return undefined;
  held.bytes += maxEarlyData;
  return context.own({
    wipe: () => {
      held.bytes -= maxEarlyData;
    },
  });
}

class EarlyData implements AcceptedEarlyData {
  readonly protection: Protection;
  #left: number;

  constructor(protection: Protection, maxEarlyData: number) {
    this.protection = protection;
    this.#left = maxEarlyData;
  }

  /** §4.3.10: the data itself counts, without padding and content type. @throws TlsAlert unexpected_message if there is too much */
  *receive(context: ServerHandshake): Handshake<void> {
    const { raw } = yield* receive(endOfEarlyData, (data) => {
      this.#left -= data.length;
      if (this.#left < 0) throw new TlsAlert('unexpected_message', 'more early data than the ticket allows');
      context.emitEarlyData(data);
    });
    context.transcript.add(raw);
  }
}
