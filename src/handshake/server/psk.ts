/** Which of the offered pre-shared keys, if any: RFC 8446 §4.2.9, §4.2.11. */

import { type EarlySecret, earlySecret, finishedMac, resumptionBinderKey } from '../../crypto/key-schedule.ts';
import type { SuiteParameters } from '../../crypto/suites.ts';
import type { Session } from '../../sessions/session.ts';
import { TlsAlert } from '../../wire/alert.ts';
import { equalConstantTime, latin1 } from '../../wire/bytes.ts';
import type { PskMode } from '../../wire/registry.ts';
import { type ClientHello, truncateBeforeBinders } from '../messages/client-hello.ts';
import type { Received } from '../messages/message.ts';
import { type NoResumption, notResumed, type Verdict } from '../outcome.ts';
import { call, type Handshake, perform } from '../wait.ts';
import type { OpenedTicket, ServerHandshake } from './context.ts';
import { commonGroups, selectPskMode } from './negotiate.ts';
import { scopeOf } from './offered-scope.ts';
import { acceptedCertificate, judge, type Offer } from './resumption.ts';
import { openTicket } from './tickets.ts';
import { type Judged, SessionVerdict } from './verdict.ts';

/** A PSK whose binder has verified. */
export interface SelectedPsk {
  readonly session: Session;
  readonly identityIndex: number;
  readonly mode: PskMode;
  readonly suite: SuiteParameters;
  readonly early: EarlySecret;
}

/** What each identity led to; kept across a HelloRetryRequest, so that each is looked up once. */
export type Lookups = Map<string, Lookup>;
type Lookup = Pick<OpenedTicket, 'found' | 'renew' | 'facts'>;

/** The ticket of a stateful session is its id, and ids have 1 to 32 bytes. */
const MAX_ID = 32;

/** The first offered session that may be resumed, its binder verified; `undefined` leads to a full handshake. */
export function* selectPsk(
  context: ServerHandshake,
  hello: Received<ClientHello>,
  suites: readonly SuiteParameters[],
  lookups: Lookups,
): Handshake<SelectedPsk | undefined> {
  const mode = pskMode(context, hello.body);
  context.facts.verdicts = mode.reason === undefined ? [] : unopened(context, hello.body, mode.reason);
  const found = mode.reason ?? (yield* findSession(context, hello.body, suites, lookups));
  if (typeof found === 'string' || mode.mode === undefined) {
    context.facts.resumption = notResumed(typeof found === 'string' ? found : 'psk-mode');
    return undefined;
  }
  const { session, identityIndex, suite } = found;
  const early = verifyBinder(context, hello, found);
  context.proved();
  return { session, identityIndex, mode: mode.mode, suite, early };
}

/** Whether a session can be resumed at all, before any is looked up; and how. */
function pskMode(
  { settings, sessions }: ServerHandshake,
  hello: ClientHello,
): { readonly mode?: PskMode | undefined; readonly reason?: NoResumption } {
  if (hello.extensions.preSharedKey === undefined) return { reason: 'not-offered' };
  const { mode: tickets } = settings.tickets;
  if (tickets === 'off' || (tickets === 'stateful' && !sessions.canFind)) return { reason: 'disabled' };
  const hasGroup = hello.extensions.keyShare !== undefined && commonGroups(hello, settings).length > 0;
  const mode = selectPskMode(hello, settings, hasGroup);
  return mode === undefined ? { reason: 'psk-mode' } : { mode };
}

/** Of identities that nobody has looked at; where none are offered, of none. */
function unopened(
  { settings }: ServerHandshake,
  { extensions }: ClientHello,
  reason: NoResumption,
): readonly Verdict[] {
  const identities = extensions.preSharedKey?.identities.slice(0, settings.maxIdentities) ?? [];
  return identities.map(
    (_, identityIndex) => new SessionVerdict({ mechanism: mechanismOf(settings), identityIndex, reason }),
  );
}

function mechanismOf({ tickets }: ServerHandshake['settings']): 'psk-stateful' | 'psk-stateless' {
  return tickets.mode === 'stateless' ? 'psk-stateless' : 'psk-stateful';
}

interface FoundSession {
  readonly session: Session;
  readonly identityIndex: number;
  readonly suite: SuiteParameters;
}

/** Tries the identities in the client's order; the reason is that of the first, unless there were more than are tried. */
function* findSession(
  context: ServerHandshake,
  hello: ClientHello,
  suites: readonly SuiteParameters[],
  lookups: Lookups,
): Handshake<FoundSession | NoResumption> {
  const { settings, facts } = context;
  const identities = hello.extensions.preSharedKey?.identities ?? [];
  const mechanism = mechanismOf(settings);
  const verdicts: Verdict[] = [];
  facts.verdicts = verdicts;
  for (const [identityIndex, { identity }] of identities.entries()) {
    if (identityIndex === settings.maxIdentities) {
      verdicts.push(new SessionVerdict({ mechanism, identityIndex, reason: 'too-many-identities' }));
      return 'too-many-identities';
    }
    const { found, facts: ticket } = yield* lookUp(context, identity, lookups);
    // Not before: a store may take its time.
    const offer = offerOf(context, hello, suites);
    const judged: Judged | undefined =
      typeof found === 'string' ? undefined : { session: found, offer, judgement: judge(found, offer, settings) };
    if (judged?.judgement.broken?.reason === 'expired')
      yield* call(() => context.sessions.expire(judged.session, true));
    const reason = typeof found === 'string' ? found : judged?.judgement.broken?.reason;
    verdicts.push(new SessionVerdict({ mechanism, identityIndex, reason, ticket, judged }));
    const suite = judged?.judgement.suite;
    if (judged !== undefined && suite !== undefined) return { session: judged.session, identityIndex, suite };
  }
  return verdicts[0]?.reason ?? 'not-offered';
}

function offerOf(context: ServerHandshake, hello: ClientHello, suites: readonly SuiteParameters[]): Offer {
  const { settings, facts, sessions, tickets } = context;
  return {
    version: 'TLSv1.3',
    serverName: facts.serverName,
    suites,
    extendedMasterSecret: true,
    now: context.now(),
    scope: scopeOf(context, hello),
    acceptsForeign: settings.tickets.mode === 'stateless' ? tickets.acceptsForeign : sessions.acceptsForeign,
  };
}

/** §4.1.4: the client may have removed identities for its second hello, so they are known by their bytes. */
function* lookUp(context: ServerHandshake, identity: Uint8Array, lookups: Lookups): Handshake<Lookup> {
  const key = latin1(identity); // a list of arrays would take quadratic time where many are tried
  const known = lookups.get(key);
  if (known !== undefined) return known;
  const isStateless = context.settings.tickets.mode === 'stateless';
  const opened = isStateless ? yield* openTicket(context, 'TLSv1.3', identity) : yield* find(context, identity);
  lookups.set(key, opened);
  return opened;
}

function* find({ sessions }: ServerHandshake, id: Uint8Array): Handshake<Lookup> {
  if (id.length > MAX_ID) return { found: 'undecryptable', renew: undefined };
  return { found: yield* perform(sessions.find('TLSv1.3', id)), renew: undefined };
}

/** §4.2.11.2. A binder that does not verify is the end of the handshake. */
function verifyBinder(context: ServerHandshake, hello: Received<ClientHello>, psk: FoundSession): EarlySecret {
  const offered = hello.body.extensions.preSharedKey;
  const binder = offered?.binders[psk.identityIndex];
  if (offered === undefined || binder === undefined)
    throw new TlsAlert('illegal_parameter', 'an identity without binder');
  const hash = context.settings.crypto.hashes[psk.suite.hash];
  const early = context.own(earlySecret(hash, psk.session.secret));
  const binderKey = resumptionBinderKey(early);
  const truncated = truncateBeforeBinders(hello.raw, offered);
  const expected = finishedMac(binderKey, context.transcript.hashWith(hash, truncated));
  binderKey.wipe();
  if (!equalConstantTime(binder, expected)) {
    lose(context, 'binder');
    throw new TlsAlert('decrypt_error', 'the binder does not verify');
  }
  return early;
}

/**
 * Settles on the PSK once no HelloRetryRequest can follow. A session for single use is taken here, after its binder: a forged
 * hello cannot burn it. Who comes second gets a full handshake.
 */
export function* takePsk(
  context: ServerHandshake,
  psk: SelectedPsk | undefined,
  lookups: Lookups,
): Handshake<SelectedPsk | undefined> {
  if (psk === undefined) return undefined;
  const { session, identityIndex, mode } = psk;
  const { settings } = context;
  const lost = settings.tickets.singleUse ? yield* perform(context.sessions.take(session)) : undefined;
  if (lost !== undefined) {
    // Nor may a second ClientHello have it.
    for (const [key, { found }] of lookups) if (found === session) lookups.set(key, { found: lost, renew: undefined });
    lose(context, lost);
    return undefined;
  }
  const mechanism = mechanismOf(settings);
  context.facts.resumption = { resumed: true, mechanism, pskMode: mode, identityIndex, session, reason: undefined };
  context.facts.session = session;
  context.facts.peerCertificate = acceptedCertificate(session);
  context.sessions.hit();
  return psk;
}

/** The session that was accepted is not resumed after all. */
function lose({ facts }: ServerHandshake, reason: NoResumption): void {
  facts.resumption = notResumed(reason);
  facts.verdicts = facts.verdicts.map((verdict) => (verdict.accepted ? verdict.lost(reason) : verdict));
}
