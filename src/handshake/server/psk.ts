/** Selects one of the offered pre-shared keys, or none: RFC 9846 §4.3.9, §4.3.11. */

import type { EarlySecret } from '../../crypto/key-schedule.ts';
import type { SuiteParameters } from '../../crypto/suites.ts';
import type { Session } from '../../sessions/session.ts';
import { TlsAlert } from '../../wire/alert.ts';
import type { PskMode } from '../../wire/registry.ts';
import { wantedFragmentLength } from '../max-fragment-length.ts';
import type { ClientHello } from '../messages/client-hello.ts';
import type { Received } from '../messages/message.ts';
import { type Mechanism, type NoResumption, notResumed, type Verdict } from '../outcome.ts';
import type { Psk } from '../psk.ts';
import { call, type Handshake, perform } from '../wait.ts';
import { verifiedBinder } from './binder.ts';
import type { ServerHandshake } from './context.ts';
import { commonGroups, selectPskMode } from './negotiate.ts';
import { scopeOf } from './offered-scope.ts';
import { mechanismOf, type PskLookups, readsTickets } from './psk-lookups.ts';
import { acceptedCertificate, type Offer } from './resumption.ts';
import { judgeOffered, SessionVerdict } from './verdict.ts';

/** A PSK whose binder has been verified. */
export interface SelectedPsk {
  readonly psk: Psk;
  readonly mechanism: Mechanism;
  readonly identityIndex: number;
  readonly mode: PskMode;
  readonly suite: SuiteParameters;
  readonly early: EarlySecret;
}

/**
 * Returns the first offered PSK that may be used, its binder verified; `undefined` leads to a full handshake.
 * @throws TlsAlert decrypt_error if the binder does not verify
 */
export function* selectPsk(
  context: ServerHandshake,
  hello: Received<ClientHello>,
  suites: readonly SuiteParameters[],
  lookups: PskLookups,
): Handshake<SelectedPsk | undefined> {
  const { facts } = context;
  const choice = chooseMode(context, hello.body);
  if (choice.mode === undefined) {
    facts.verdicts = unopened(context, hello.body, choice.reason);
    facts.resumption = notResumed(choice.reason);
    return undefined;
  }
  const found = yield* findPsk(context, hello.body, suites, lookups);
  if (found === undefined) {
    facts.resumption = notResumed(reasonOf(facts.verdicts));
    context.parts.psks?.refuse(context, hello);
    return undefined;
  }
  const early = verifiedBinder(context, hello, found);
  if (early === undefined) {
    lose(context, 'binder');
    context.parts.psks?.refuse(context, hello, found.psk.hash);
    throw new TlsAlert('decrypt_error', 'the binder does not verify');
  }
  const { psk, mechanism, identityIndex, suite } = found;
  return { psk, mechanism, identityIndex, mode: choice.mode, suite, early };
}

/** Returns the reason of the first identity, or 'too-many-identities' if there were more than are tried. */
function reasonOf(verdicts: readonly Verdict[]): NoResumption {
  const { reason: last } = verdicts.at(-1) ?? {};
  return (last === 'too-many-identities' ? last : verdicts[0]?.reason) ?? 'not-offered';
}

type ModeChoice =
  | { readonly mode: PskMode; readonly reason?: undefined }
  | { readonly mode?: undefined; readonly reason: NoResumption };

/** Returns the PSK mode of a resumption, or why none is possible, before any identity is looked up. */
function chooseMode(context: ServerHandshake, hello: ClientHello): ModeChoice {
  const { settings } = context;
  if (hello.extensions.preSharedKey === undefined) return { reason: 'not-offered' };
  if (context.parts.psks === undefined && !readsTickets(context)) return { reason: 'disabled' };
  const hasGroup = hello.extensions.keyShare !== undefined && commonGroups(hello, settings).length > 0;
  const mode = selectPskMode(hello, settings, hasGroup);
  return mode === undefined ? { reason: 'psk-mode' } : { mode };
}

/** Returns one verdict per offered identity when no lookup takes place. */
function unopened(
  { settings }: ServerHandshake,
  { extensions }: ClientHello,
  reason: NoResumption,
): readonly Verdict[] {
  const count = Math.min(extensions.preSharedKey?.identities.length ?? 0, settings.maxIdentities);
  return Array.from(
    { length: count },
    (_, identityIndex) => new SessionVerdict({ mechanism: mechanismOf(settings), identityIndex, reason }),
  );
}

type FoundPsk = Omit<SelectedPsk, 'mode' | 'early'>;

/** Tries the identities in the client's order, and records a verdict on each that it tries. */
function* findPsk(
  context: ServerHandshake,
  hello: ClientHello,
  suites: readonly SuiteParameters[],
  lookups: PskLookups,
): Handshake<FoundPsk | undefined> {
  const { settings, facts, sessions, decisions } = context;
  const verdicts: Verdict[] = [];
  facts.verdicts = verdicts;
  if (context.parts.psks?.hides) yield* lookups.findAll(context, hello); // so that those behind a known one take their time, too
  let identityIndex = -1;
  for (const { identity } of hello.extensions.preSharedKey?.identities ?? []) {
    identityIndex++;
    if (identityIndex === settings.maxIdentities) {
      verdicts.push(unlooked(settings, identityIndex));
      return undefined;
    }
    if (identityIndex !== (decisions.identityIndex ?? identityIndex)) continue;
    const { mechanism, found, facts: ticket, external } = yield* lookups.find(context, identity);
    const judged = external && context.parts.psks?.judge(context, external, { suites, identityIndex, hello });
    if (external !== undefined && judged !== undefined) {
      verdicts.push(judged.verdict);
      if (external.psk === undefined || judged.suite === undefined) continue;
      return { psk: external.psk, mechanism, identityIndex, suite: decidedSuite(context, suites, judged.suite) };
    }
    const offer = offerOf(context, hello, suites); // now, and not before the lookup, which may take its time
    const offered = { mechanism, identityIndex, found, ticket, offer: () => offer };
    const { verdict, session, suite } = judgeOffered(context, offered);
    if (session !== undefined && verdict.reason === 'expired') yield* call(() => sessions.expire(session, true));
    // Another connection may have used it while the second hello was on its way.
    const isConsumed = session !== undefined && verdict.reason === 'not-resumable' && sessions.wasTaken(session);
    verdicts.push(isConsumed ? verdict.lost('consumed') : verdict);
    if (session === undefined || suite === undefined) continue;
    const psk = { kind: 'resumption', secret: session.secret, hash: suite.hash, session } as const;
    return { psk, mechanism, identityIndex, suite: decidedSuite(context, suites, suite) };
  }
  return undefined;
}

function unlooked(settings: ServerHandshake['settings'], identityIndex: number): Verdict {
  return new SessionVerdict({ mechanism: mechanismOf(settings), identityIndex, reason: 'too-many-identities' });
}

/** Returns the suite that a tester has decided on, if it has the hash of this one. */
function decidedSuite(
  { decisions }: ServerHandshake,
  suites: readonly SuiteParameters[],
  suite: SuiteParameters,
): SuiteParameters {
  return suites.find(({ name, hash }) => name === decisions.cipherSuite && hash === suite.hash) ?? suite;
}

function offerOf(context: ServerHandshake, hello: ClientHello, suites: readonly SuiteParameters[]): Offer {
  const { settings, facts, sessions, tickets } = context;
  return {
    version: 'TLSv1.3',
    serverName: facts.serverName,
    suites,
    extendedMasterSecret: true,
    maxFragmentLength: wantedFragmentLength(hello),
    now: context.now(),
    scope: scopeOf(context, context.parts.psks !== undefined),
    acceptsForeign: settings.tickets.mode === 'stateless' ? tickets.acceptsForeign : sessions.acceptsForeign,
  };
}

/**
 * Settles on the PSK once no HelloRetryRequest can follow, so that nothing is asked twice. The application has its say here, and a
 * session for single use is taken, after the binder was verified, so that a forged hello cannot use it up. Where either answers no,
 * a full handshake follows: no other identity is tried.
 */
export function* takePsk(
  context: ServerHandshake,
  selected: SelectedPsk | undefined,
): Handshake<SelectedPsk | undefined> {
  if (selected === undefined) return undefined;
  const { psk, mechanism, identityIndex, mode } = selected;
  const { session } = psk;
  if (session === undefined) {
    context.facts.resumption = { ...notResumed(undefined), mechanism, pskMode: mode, identityIndex };
    context.facts.replacesClientCertificate = psk.replacesClientCertificate === true;
    return selected;
  }
  const lost = yield* settle(context, session);
  if (lost !== undefined) {
    lose(context, lost);
    return undefined;
  }
  context.facts.resumption = { resumed: true, mechanism, pskMode: mode, identityIndex, session, reason: undefined };
  context.facts.session = session;
  context.facts.replacesClientCertificate = session.scope?.clientPsk !== undefined;
  context.facts.peerCertificate = acceptedCertificate(session);
  context.sessions.hit();
  return selected;
}

/** Returns why a session that fits is not resumed after all; `undefined` if it is. */
function* settle({ settings, sessions }: ServerHandshake, session: Session): Handshake<NoResumption | undefined> {
  const question = sessions.mayResume(session);
  const veto = question && (yield* perform(question));
  if (veto !== undefined || !settings.tickets.singleUse) return veto;
  return yield* perform(sessions.take(session));
}

/** Records that the session that was accepted is not resumed after all. */
function lose({ facts }: ServerHandshake, reason: NoResumption): void {
  facts.resumption = notResumed(reason);
  facts.verdicts = facts.verdicts.map((verdict) => (verdict.accepted ? verdict.lost(reason) : verdict));
}
