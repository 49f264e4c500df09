/** Which of the offered pre-shared keys, if any: RFC 8446 §4.2.9, §4.2.11. */

import type { Session } from '../cache/session.ts';
import { type EarlySecret, earlySecret, finishedMac, resumptionBinderKey } from '../crypto/key-schedule.ts';
import { type SuiteParameters, suiteById } from '../crypto/suites.ts';
import { TlsAlert } from '../wire/alert.ts';
import { equalConstantTime, latin1, wipe } from '../wire/bytes.ts';
import type { PskMode } from '../wire/registry.ts';
import { type ClientHello, truncateBeforeBinders } from './client-hello.ts';
import type { Handshaking } from './context.ts';
import type { Received } from './message.ts';
import { commonGroups, selectPskMode } from './negotiate.ts';
import { type NoResumption, notResumed, whyNotResumable } from './resumption.ts';
import { type Handshake, perform, performed } from './wait.ts';

/** A PSK whose binder has verified. */
export interface SelectedPsk {
  readonly session: Session;
  readonly identityIndex: number;
  readonly mode: PskMode;
  readonly suite: SuiteParameters;
  readonly early: EarlySecret;
}

/** What each identity led to; kept across a HelloRetryRequest, so that each is looked up once. */
export type Lookups = Map<string, Session | NoResumption>;

/** The ticket of a stateful session is its id, and ids have 1 to 32 bytes. */
const MAX_ID = 32;

/** The first offered session that may be resumed, its binder verified; `undefined` leads to a full handshake. */
export function* selectPsk(
  context: Handshaking,
  hello: Received<ClientHello>,
  suites: readonly SuiteParameters[],
  lookups: Lookups,
): Handshake<SelectedPsk | undefined> {
  const mode = pskMode(context, hello.body);
  const found = mode.reason ?? (yield* findSession(context, hello.body, suites, lookups));
  if (typeof found === 'string' || mode.mode === undefined) {
    context.facts.resumption = notResumed(typeof found === 'string' ? found : 'psk-mode');
    return undefined;
  }
  const { session, identityIndex } = found;
  const suite = suiteFor(session, suites);
  const early = verifyBinder(context, hello, { session, identityIndex, suite });
  context.proved();
  return { session, identityIndex, mode: mode.mode, suite, early };
}

/** Whether a session can be resumed at all, before any is looked up; and how. */
function pskMode(
  { settings, sessions }: Handshaking,
  hello: ClientHello,
): { readonly mode?: PskMode | undefined; readonly reason?: NoResumption } {
  if (hello.extensions.preSharedKey === undefined) return { reason: 'not-offered' };
  if (settings.tickets.mode === 'off' || !sessions.canFind) return { reason: 'disabled' };
  const hasGroup = hello.extensions.keyShare !== undefined && commonGroups(hello, settings).length > 0;
  const mode = selectPskMode(hello, settings, hasGroup);
  return mode === undefined ? { reason: 'psk-mode' } : { mode };
}

interface FoundSession {
  readonly session: Session;
  readonly identityIndex: number;
}

/** Tries the identities in the client's order; the reason is that of the first, unless there were more than are tried. */
function* findSession(
  context: Handshaking,
  hello: ClientHello,
  suites: readonly SuiteParameters[],
  lookups: Lookups,
): Handshake<FoundSession | NoResumption> {
  const { settings, facts } = context;
  const identities = hello.extensions.preSharedKey?.identities ?? [];
  const offer = {
    version: 'TLSv1.3',
    serverName: facts.serverName,
    cipherSuites: suites.map(({ id }) => id),
    extendedMasterSecret: true,
  } as const;
  let first: NoResumption | undefined;
  for (const [identityIndex, { identity }] of identities.slice(0, settings.maxIdentities).entries()) {
    const session = yield* lookUp(context, identity, lookups);
    const now = context.now(); // not before: a store may take its time
    const reason = typeof session === 'string' ? session : whyNotResumable(session, { ...offer, now }, settings);
    if (typeof session !== 'string' && reason === undefined) return { session, identityIndex };
    if (typeof session !== 'string' && reason === 'expired') {
      yield* performed('bookkeeping', () => context.sessions.expire(session));
    }
    first ??= reason;
  }
  return identities.length > settings.maxIdentities ? 'too-many-identities' : (first ?? 'not-offered');
}

/** §4.1.4: the client may have removed identities for its second hello, so they are known by their bytes. */
function* lookUp(context: Handshaking, identity: Uint8Array, lookups: Lookups): Handshake<Session | NoResumption> {
  if (identity.length > MAX_ID) return 'undecryptable';
  const key = latin1(identity);
  const known = lookups.get(key);
  if (known !== undefined) return known;
  const run = () => context.sessions.find('TLSv1.3', identity);
  const outcome = yield* perform({ kind: 'session', budgeted: true, run });
  const found = context.sessions.found('TLSv1.3', identity, outcome);
  lookups.set(key, found);
  return found;
}

/** The session's own suite where it is to be had, else one with its hash; whyNotResumable has seen that there is one. */
function suiteFor(session: Session, suites: readonly SuiteParameters[]): SuiteParameters {
  const own = suiteById(session.cipherSuite);
  const suite = suites.find(({ id }) => id === own?.id) ?? suites.find(({ hash }) => hash === own?.hash);
  if (suite === undefined) throw new Error('no suite has the hash of the accepted session');
  return suite;
}

/** §4.2.11.2. A binder that does not verify is the end of the handshake. */
function verifyBinder(
  context: Handshaking,
  hello: Received<ClientHello>,
  psk: FoundSession & { readonly suite: SuiteParameters },
): EarlySecret {
  const offered = hello.body.extensions.preSharedKey;
  const binder = offered?.binders[psk.identityIndex];
  if (offered === undefined || binder === undefined)
    throw new TlsAlert('illegal_parameter', 'an identity without binder');
  const hash = context.settings.crypto.hashes[psk.suite.hash];
  const early = context.own(earlySecret(hash, psk.session.secret));
  const binderKey = resumptionBinderKey(hash, early);
  const truncated = truncateBeforeBinders(hello.raw, offered);
  const expected = finishedMac(hash, binderKey, context.transcript.hashWith(hash, truncated));
  wipe(binderKey);
  if (!equalConstantTime(binder, expected)) throw new TlsAlert('decrypt_error', 'the binder does not verify');
  return early;
}

/**
 * Settles on the PSK once no HelloRetryRequest can follow. A session for single use is taken here, after its binder: a forged
 * hello cannot burn it. Who comes second gets a full handshake.
 */
export function* takePsk(
  context: Handshaking,
  psk: SelectedPsk | undefined,
  lookups: Lookups,
): Handshake<SelectedPsk | undefined> {
  if (psk === undefined) return undefined;
  const { session, identityIndex, mode } = psk;
  const lost = context.settings.tickets.singleUse ? yield* take(context, session) : undefined;
  if (lost !== undefined) {
    lookups.set(latin1(session.id), lost); // nor may a second ClientHello have it
    context.facts.resumption = notResumed(lost);
    return undefined;
  }
  const mechanism = 'psk-stateful';
  context.facts.resumption = { resumed: true, mechanism, pskMode: mode, identityIndex, session, reason: undefined };
  context.facts.session = session;
  context.sessions.hit();
  return psk;
}

/** `undefined`: this connection is the one that has it. */
function* take(context: Handshaking, session: Session): Handshake<NoResumption | undefined> {
  const outcome = yield* perform({ kind: 'take', budgeted: true, run: () => context.sessions.take(session) });
  if ('value' in outcome) return outcome.value === true ? undefined : 'consumed';
  return 'late' in outcome ? 'store-timeout' : 'store-error';
}
