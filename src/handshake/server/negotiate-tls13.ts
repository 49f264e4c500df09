/** Negotiation by ClientHello and, if need be, HelloRetryRequest: RFC 9846 §4.2.1 to §4.2.4. */

import { Plaintext } from '../../crypto/protection.ts';
import type { SuiteParameters } from '../../crypto/suites.ts';
import { TlsAlert } from '../../wire/alert.ts';
import { copyOf } from '../../wire/bytes.ts';
import { ExtensionType, type GroupName, NamedGroup, ProtocolVersion } from '../../wire/registry.ts';
import type { Signing } from '../key-exchange.ts';
import { wantedFragmentLength } from '../max-fragment-length.ts';
import { type ClientHello, type ClientHelloExtensions, decideHello, undecidedHello } from '../messages/client-hello.ts';
import { HELLO_RETRY_REQUEST_RANDOM, helloRetryRequest } from '../messages/server-hello.ts';
import { type Handshake, receive } from '../wait.ts';
import { settleProtocol } from './application-protocol.ts';
import type { ServerHandshake } from './context.ts';
import { forgetHello, type HeldHello, holdHello } from './held-hello.ts';
import { commonGroups, commonSuites, rankCredentials, selectSigning } from './negotiate.ts';
import { type SelectedPsk, selectPsk, takePsk } from './psk.ts';
import { PskLookups } from './psk-lookups.ts';
import { FirstHello } from './second-hello.ts';

export interface Tls13Choice {
  /** The hello that ServerHello answers. */
  readonly hello: HeldHello;
  readonly retried: boolean;
  readonly suite: SuiteParameters;
  readonly psk: SelectedPsk | undefined;
  /** `undefined` in psk_ke. */
  readonly share: { readonly group: GroupName; readonly keyExchange: Uint8Array } | undefined;
  /** `undefined` with a PSK. */
  readonly signing: Signing | undefined;
  /** Whether the provider of the ticket's key has declined to renew the ticket, so that none is sent. */
  readonly keepsTicket: boolean;
}

/** Sends at most one HelloRetryRequest. The suite and group it names are final. */
export function* negotiateTls13(context: ServerHandshake, first: HeldHello): Handshake<Tls13Choice> {
  requireTls13Hello(first.body);
  wantedFragmentLength(first.body); // refuses a code that is none, before anything is sent
  if (first.body.extensions.earlyData) context.skipEarlyData(); // unless it is accepted, later
  const suites = commonSuites(first.body, context.settings, 'TLSv1.3');
  const [preferred] = suites;
  if (preferred === undefined) throw new TlsAlert('handshake_failure', 'no cipher suite in common');
  yield* settleProtocol(context, first.body);
  const lookups = new PskLookups();
  const offered = yield* selectPsk(context, first, suites, lookups);
  if (offered === undefined && context.parts.psks?.isAlone) selectSigningTls13(context, first.body); // which throws, and sooner
  const suite = offered?.suite ?? preferred;
  context.facts.suite = suite;
  const alone = offered?.mode === 'psk_ke' ? yield* takePsk(context, offered) : undefined;
  if (alone !== undefined) {
    const keepsTicket = lookups.declinesRenewal(alone.psk.session);
    return { hello: first, retried: false, suite, psk: alone, share: undefined, signing: undefined, keepsTicket };
  }
  return yield* negotiateShare(
    context,
    { hello: first, suite, psk: offered?.mode === 'psk_ke' ? undefined : offered },
    lookups,
  );
}

/** Negotiates the share for (EC)DHE, beside a PSK or without one, if need be by a HelloRetryRequest. */
function* negotiateShare(
  context: ServerHandshake,
  { hello: first, suite, psk: offered }: Pick<Tls13Choice, 'hello' | 'suite' | 'psk'>,
  lookups: PskLookups,
): Handshake<Tls13Choice> {
  const wanted = selectGroup(context, first.body, offered);
  const retried = wanted.keyExchange === undefined;
  const hello = retried ? yield* sendHelloRetryRequest(context, first, suite, wanted.group) : first;
  // If the first hello led to no PSK for (EC)DHE, the second may not either: in psk_ke there would be no share (§4.3.9).
  const kept = retried ? offered && (yield* selectPsk(context, hello, [suite], lookups)) : offered;
  const keyExchange = wanted.keyExchange ?? onlyShare(hello.body, wanted.group);
  const psk = yield* takePsk(context, kept);
  const signing = psk === undefined ? selectSigningTls13(context, hello.body) : undefined;
  const share = { group: wanted.group, keyExchange };
  return { hello, retried, suite, psk, share, signing, keepsTicket: lookups.declinesRenewal(psk?.psk.session) };
}

/**
 * §4.3.3, §4.5.1.2: selects a certificate that the client can verify. RSASSA-PKCS1-v1_5 is for signatures in certificates only.
 * @throws TlsAlert handshake_failure if there is none
 */
function selectSigningTls13({ settings, facts }: ServerHandshake, hello: ClientHello): Signing {
  requireFullHello(hello, undefined);
  const { signatureAlgorithms = [], signatureAlgorithmsCert } = hello.extensions;
  const demand = { serverName: facts.serverName, signatureAlgorithms, signatureAlgorithmsCert };
  for (const credentials of rankCredentials(settings.credentials, demand)) {
    const signing = selectSigning(credentials, demand, (_, scheme) => !scheme.startsWith('rsa_pkcs1_'));
    if (signing !== undefined) return signing;
  }
  throw new TlsAlert('handshake_failure', 'no certificate for the signature algorithms offered');
}

interface WantedGroup {
  readonly group: GroupName;
  /** `undefined` calls for a HelloRetryRequest. */
  readonly keyExchange: Uint8Array | undefined;
}

/** §4.3.8: selects a group; one whose share is already here comes before one that costs a round trip. */
function selectGroup(context: ServerHandshake, hello: ClientHello, psk: SelectedPsk | undefined): WantedGroup {
  requireFullHello(hello, psk);
  const { retryWith } = context.decisions;
  if (retryWith !== undefined) return { group: retryWith, keyExchange: undefined };
  const groups = commonGroups(hello, context.settings);
  let best = groups.length;
  let keyExchange: Uint8Array | undefined;
  for (const share of hello.extensions.keyShare ?? []) {
    const rank = groups.findIndex((group) => NamedGroup[group] === share.group);
    if (rank < 0 || rank >= best) continue;
    best = rank;
    keyExchange = share.keyExchange;
  }
  const group = groups[best] ?? groups[0];
  if (group === undefined) throw new TlsAlert('handshake_failure', 'no group in common');
  return { group, keyExchange: keyExchange && copyOf(keyExchange) }; // the hello may be forgotten before it is used
}

/** §4.2.4, with the transcript of §4.1. It sends no cookie, as the state is kept here. Returns the second ClientHello. */
function* sendHelloRetryRequest(
  context: ServerHandshake,
  first: HeldHello,
  suite: SuiteParameters,
  group: GroupName,
): Handshake<HeldHello> {
  const hash = context.settings.crypto.hashes[suite.hash];
  context.transcript.add(first.raw);
  context.transcript.replaceByMessageHash(hash);
  const before = new FirstHello(first, hash);
  forgetHello(first);
  const body = {
    legacyVersion: ProtocolVersion['TLSv1.2'],
    random: HELLO_RETRY_REQUEST_RANDOM,
    legacySessionIdEcho: first.body.legacySessionId,
    cipherSuite: suite.id,
    legacyCompressionMethod: 0,
    extensions: { keyShare: NamedGroup[group], supportedVersions: ProtocolVersion['TLSv1.3'] },
  };
  context.transcript.add(context.send(helloRetryRequest, body));
  if (first.body.legacySessionId.length > 0) context.sendChangeCipherSpec(); // Appendix E.4
  context.tolerateChangeCipherSpec(true);
  context.protectReading(new Plaintext()); // refuses data after the first hello in its record (§5.1)
  const second = holdHello(yield* receive(undecidedHello), first.time);
  decideHello(second.body, 'TLSv1.3');
  requireTls13Hello(second.body);
  before.requireSame(second);
  return second;
}

/** Checks the rules that each ClientHello must obey in any case: §4.2.2, §4.3, §4.3.8, §4.3.11, §9.2. @throws TlsAlert */
function requireTls13Hello({ legacyVersion, legacyCompressionMethods, extensions }: ClientHello): void {
  if (legacyVersion !== ProtocolVersion['TLSv1.2']) {
    throw new TlsAlert('protocol_version', `legacy_version ${legacyVersion} in a TLS 1.3 hello`); // RFC 9846 §4.2.2
  }
  if (legacyCompressionMethods.length !== 1 || legacyCompressionMethods[0] !== 0) {
    throw new TlsAlert('illegal_parameter', 'compression methods other than null'); // §4.2.2
  }
  requirePskRules(extensions);
  if ((extensions.supportedGroups === undefined) !== (extensions.keyShare === undefined)) {
    throw new TlsAlert('missing_extension', 'supported_groups and key_share come together'); // §9.2
  }
  requireShares(extensions);
}

/** §4.3.8. Both lists may have thousands of entries, so each is read once, into a Set. */
function requireShares({ keyShare = [], supportedGroups = [] }: ClientHelloExtensions): void {
  const supported = new Set(supportedGroups);
  const shared = new Set<number>();
  for (const { group } of keyShare) {
    if (shared.has(group)) throw new TlsAlert('illegal_parameter', 'two shares of one group');
    if (!supported.has(group))
      throw new TlsAlert('illegal_parameter', 'a share of a group that is not in supported_groups');
    shared.add(group);
  }
}

function requirePskRules({ preSharedKey, pskKeyExchangeModes, last }: ClientHelloExtensions): void {
  if (preSharedKey === undefined) return;
  if (last !== ExtensionType.pre_shared_key) {
    throw new TlsAlert('illegal_parameter', 'pre_shared_key is not the last extension'); // §4.3.11
  }
  if (pskKeyExchangeModes === undefined) {
    throw new TlsAlert('missing_extension', 'pre_shared_key without psk_key_exchange_modes'); // §4.3.9
  }
  if (preSharedKey.identities.length !== preSharedKey.binders.length) {
    throw new TlsAlert('illegal_parameter', 'as many binders as identities are wanted'); // §4.3.11
  }
}

/** §9.2: requires the extensions that a handshake without a PSK, or with (EC)DHE, needs. @throws TlsAlert missing_extension */
function requireFullHello({ extensions }: ClientHello, psk: SelectedPsk | undefined): void {
  if (extensions.supportedGroups === undefined) throw new TlsAlert('missing_extension', 'no supported_groups');
  if (psk === undefined && extensions.signatureAlgorithms === undefined) {
    throw new TlsAlert('missing_extension', 'no signature_algorithms');
  }
}

/** §4.3.8: returns the one share that the answer to a HelloRetryRequest must have, of the group that was asked for. @throws TlsAlert */
function onlyShare(hello: ClientHello, group: GroupName): Uint8Array {
  const [share, ...others] = hello.extensions.keyShare ?? [];
  if (share?.group !== NamedGroup[group] || others.length > 0) {
    throw new TlsAlert('illegal_parameter', `one share, of ${group}, was asked for`);
  }
  return copyOf(share.keyExchange);
}
