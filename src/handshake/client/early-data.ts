/** Early data, as a client sends it: RFC 9846 §2.3, §4.3.10, §4.6. */

import { earlySecret } from '../../crypto/key-schedule.ts';
import { Plaintext, type Protection } from '../../crypto/protection.ts';
import { type SuiteParameters, suiteById } from '../../crypto/suites.ts';
import { TlsAlert } from '../../wire/alert.ts';
import { ExtensionType } from '../../wire/registry.ts';
import { endOfEarlyData } from '../messages/end-of-early-data.ts';
import type { EarlyDataTerms } from '../psk.ts';
import { earlyProtection } from '../schedule-tls13.ts';
import type { ClientHandshake, ClientSettings, PskOffer, SentEarlyData, SentHello } from './context.ts';
import type { DraftPsk, HelloDraft } from './hello-draft.ts';

/** What a PSK says of early data; `undefined` if it is an external one that allows none. */
export function termsOf(offer: PskOffer | undefined): EarlyDataTerms | undefined {
  return offer?.session ?? offer?.psk?.earlyData;
}

/**
 * Whether there is early data for what is offered first: it allows as much, and a server could still choose its suite and its protocol.
 * `name` is that in the hello; that of a session has been looked at.
 */
export function allowsEarlyData(
  { settings: { suites, alpn }, earlyDataLength }: ClientHandshake,
  offer: PskOffer | undefined,
  name: string | undefined,
): boolean {
  const terms = termsOf(offer);
  if (terms === undefined || earlyDataLength === undefined) return false;
  const { cipherSuite, alpnProtocol, foreign } = terms;
  if (offer?.session === undefined && (terms.serverName ?? name) !== name) return false;
  const isPossible =
    suites.some(({ id }) => id === cipherSuite) && (alpnProtocol === undefined || alpn.includes(alpnProtocol));
  return isPossible && (foreign.maxEarlyData ?? 0) >= Math.max(1, earlyDataLength);
}

/**
 * Begins to send early data, if the hello that has been sent says so: under the key of its first PSK. `terms` are those of that PSK.
 * It is not checked whether they allow it: a tester may have put the extension into the hello.
 */
export function sendEarlyData(
  context: ClientHandshake,
  draft: HelloDraft,
  terms: EarlyDataTerms | undefined,
): SentEarlyData | undefined {
  const [psk] = draft.psks;
  if (psk?.secret === undefined || !draft.extensions?.some(({ type }) => type === ExtensionType.early_data))
    return undefined;
  const suite = suiteOf(context.settings, draft, psk, terms);
  if (suite === undefined) return undefined;
  if (draft.legacySessionId.length > 0) context.sendChangeCipherSpec(); // Appendix E.4
  context.protectWriting(protectionUnder(context, psk, suite));
  context.allowEarlyWrites(terms?.foreign.maxEarlyData || Number.POSITIVE_INFINITY, suite);
  return { suite, terms };
}

function suiteOf(
  { suites }: ClientSettings,
  { cipherSuites }: HelloDraft,
  { hash }: DraftPsk,
  terms: EarlyDataTerms | undefined,
) {
  const made = terms && suiteById(terms.cipherSuite);
  return (
    made ??
    suites.find((suite) => suite.version === 'TLSv1.3' && suite.hash === hash && cipherSuites.includes(suite.id))
  );
}

function protectionUnder(context: ClientHandshake, { secret }: DraftPsk, suite: SuiteParameters): Protection {
  const hash = context.crypto.hashes[suite.hash];
  const early = context.own(earlySecret(hash, secret));
  return earlyProtection(context, suite, early, context.transcript.peekWith(hash));
}

/** §4.2.4: a HelloRetryRequest rejects it, and the second hello is in the clear. */
export function retryWithoutEarlyData(context: ClientHandshake, { early }: SentHello): void {
  if (early === undefined) return;
  rejected(context);
  context.protectWriting(new Plaintext());
}

function rejected(context: ClientHandshake): void {
  context.allowEarlyWrites(0);
  context.concludeEarlyData('rejected');
}

/** What a server that accepts early data has selected. */
interface Selected {
  readonly suite: SuiteParameters;
  /** The identity of the PSK; `undefined` in a full handshake. */
  readonly identityIndex: number | undefined;
}

/**
 * Takes in the server's answer. `next` makes what we write under once it has rejected the data; what it has accepted ends later.
 * @throws TlsAlert illegal_parameter if it cannot have accepted the data: §4.3.10, with the suite and protocol that the PSK is for
 */
export function answerEarlyData(
  context: ClientHandshake,
  { early }: SentHello,
  isAccepted: boolean,
  { selected, next }: { readonly selected: Selected; next(): Protection },
): void {
  if (early === undefined) {
    if (isAccepted) throw new TlsAlert('illegal_parameter', 'early data that was not sent is accepted');
    return;
  }
  if (context.facts.earlyData === 'rejected') return; // by a HelloRetryRequest, whose second hello offers none
  if (!isAccepted) {
    rejected(context);
    context.protectWriting(next());
    return;
  }
  if (selected.identityIndex !== 0) throw new TlsAlert('illegal_parameter', 'early data is accepted, but not its PSK');
  if (selected.suite.id !== early.suite.id)
    throw new TlsAlert('illegal_parameter', 'early data is accepted with another suite');
  const { alpnProtocol } = context.facts;
  if (early.terms !== undefined && early.terms.alpnProtocol !== alpnProtocol)
    throw new TlsAlert('illegal_parameter', 'early data is accepted with another protocol');
  context.concludeEarlyData('accepted');
}

/** §4.6: the end of the early data that was accepted, which comes after the server's Finished. `next` is what we write under from then on. */
export function endEarlyData(context: ClientHandshake, next: Protection): void {
  context.allowEarlyWrites(0);
  context.transcript.add(context.send(endOfEarlyData, {}));
  context.protectWriting(next);
}
