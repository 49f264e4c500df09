/** Negotiation by ClientHello and, if need be, HelloRetryRequest: RFC 8446 §4.1.1 to §4.1.4. */

import { Plaintext } from '../../crypto/protection.ts';
import type { SuiteParameters } from '../../crypto/suites.ts';
import { TlsAlert } from '../../wire/alert.ts';
import { equalBytes } from '../../wire/bytes.ts';
import { ExtensionType, type GroupName, NamedGroup, ProtocolVersion } from '../../wire/registry.ts';
import type { Signing } from '../key-exchange.ts';
import { wantedFragmentLength } from '../max-fragment-length.ts';
import {
  type ClientHello,
  type ClientHelloExtensions,
  clientHelloTls13,
  rawExtensions,
} from '../messages/client-hello.ts';
import type { Received } from '../messages/message.ts';
import { HELLO_RETRY_REQUEST_RANDOM, helloRetryRequest } from '../messages/server-hello.ts';
import { type Handshake, receive } from '../wait.ts';
import type { ServerHandshake } from './context.ts';
import { commonGroups, commonSuites, rankCredentials, selectAlpn, selectSigning } from './negotiate.ts';
import { type SelectedPsk, selectPsk, takePsk } from './psk.ts';
import { PskLookups } from './psk-lookups.ts';

export interface Tls13Choice {
  /** The hello that ServerHello answers. */
  readonly hello: Received<ClientHello>;
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
export function* negotiateTls13(context: ServerHandshake, first: Received<ClientHello>): Handshake<Tls13Choice> {
  requireTls13Hello(first.body);
  wantedFragmentLength(first.body); // refuses a code that is none, before anything is sent
  if (first.body.extensions.earlyData) context.skipEarlyData();
  const suites = commonSuites(first.body, context.settings, 'TLSv1.3');
  const [preferred] = suites;
  if (preferred === undefined) throw new TlsAlert('handshake_failure', 'no cipher suite in common');
  const lookups = new PskLookups();
  const offered = yield* selectPsk(context, first, suites, lookups);
  const suite = offered?.suite ?? preferred;
  context.facts.suite = suite;
  context.facts.alpnProtocol = selectAlpn(first.body, context.settings);
  const alone = offered?.mode === 'psk_ke' ? yield* takePsk(context, offered, lookups) : undefined;
  if (alone !== undefined) {
    const keepsTicket = lookups.declinesRenewal(alone.session);
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
  // If the first hello led to no PSK for (EC)DHE, the second may not either: in psk_ke there would be no share (§4.2.9).
  const kept = retried ? offered && (yield* selectPsk(context, hello, [suite], lookups)) : offered;
  const keyExchange = wanted.keyExchange ?? onlyShare(hello.body, wanted.group);
  const psk = yield* takePsk(context, kept, lookups);
  const signing = psk === undefined ? selectSigningTls13(context, hello.body) : undefined;
  const share = { group: wanted.group, keyExchange };
  return { hello, retried, suite, psk, share, signing, keepsTicket: lookups.declinesRenewal(psk?.session) };
}

/**
 * §4.2.3, §4.4.2.2: selects a certificate that the client can verify. RSASSA-PKCS1-v1_5 is for signatures in certificates only.
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

/** §4.2.8: selects a group; one whose share is already here comes before one that costs a round trip. */
function selectGroup(context: ServerHandshake, hello: ClientHello, psk: SelectedPsk | undefined): WantedGroup {
  requireFullHello(hello, psk);
  const groups = commonGroups(hello, context.settings);
  const shares = hello.extensions.keyShare ?? [];
  const shareOf = (group: GroupName) => shares.find((share) => share.group === NamedGroup[group])?.keyExchange;
  const group = groups.find((candidate) => shareOf(candidate) !== undefined) ?? groups[0];
  if (group === undefined) throw new TlsAlert('handshake_failure', 'no group in common');
  return { group, keyExchange: shareOf(group) };
}

/** §4.1.4, with the transcript of §4.4.1. It sends no cookie, as the state is kept here. Returns the second ClientHello. */
function* sendHelloRetryRequest(
  context: ServerHandshake,
  first: Received<ClientHello>,
  suite: SuiteParameters,
  group: GroupName,
): Handshake<Received<ClientHello>> {
  context.transcript.add(first.raw);
  context.transcript.replaceByMessageHash(context.settings.crypto.hashes[suite.hash]);
  const body = {
    legacyVersion: ProtocolVersion['TLSv1.2'],
    random: HELLO_RETRY_REQUEST_RANDOM,
    legacySessionIdEcho: first.body.legacySessionId,
    cipherSuite: suite.id,
    legacyCompressionMethod: 0,
    extensions: { keyShare: NamedGroup[group], supportedVersions: ProtocolVersion['TLSv1.3'] },
  };
  context.transcript.add(context.send(helloRetryRequest, body));
  if (first.body.legacySessionId.length > 0) context.sendChangeCipherSpec(); // Appendix D.4
  context.tolerateChangeCipherSpec(true);
  context.protectReading(new Plaintext()); // refuses data after the first hello in its record (§5.1)
  const second = yield* receive(clientHelloTls13);
  requireTls13Hello(second.body);
  requireSameHello(first, second);
  return second;
}

/** Checks the rules that each ClientHello must obey in any case: §4.1.2, §4.2, §4.2.8, §4.2.11, §9.2. @throws TlsAlert */
function requireTls13Hello({ legacyVersion, legacyCompressionMethods, extensions }: ClientHello): void {
  if (legacyVersion !== ProtocolVersion['TLSv1.2']) {
    throw new TlsAlert('protocol_version', `legacy_version ${legacyVersion} in a TLS 1.3 hello`); // RFC 9846 §4.2.2
  }
  if (legacyCompressionMethods.length !== 1 || legacyCompressionMethods[0] !== 0) {
    throw new TlsAlert('illegal_parameter', 'compression methods other than null'); // §4.1.2
  }
  requirePskRules(extensions);
  if ((extensions.supportedGroups === undefined) !== (extensions.keyShare === undefined)) {
    throw new TlsAlert('missing_extension', 'supported_groups and key_share come together'); // §9.2
  }
  const shared = (extensions.keyShare ?? []).map(({ group }) => group);
  if (new Set(shared).size !== shared.length) throw new TlsAlert('illegal_parameter', 'two shares of one group'); // §4.2.8
  const supported = new Set(extensions.supportedGroups); // a Set, as both lists may have thousands of entries
  if (shared.some((group) => !supported.has(group))) {
    throw new TlsAlert('illegal_parameter', 'a share of a group that is not in supported_groups'); // §4.2.8
  }
}

function requirePskRules({ preSharedKey, pskKeyExchangeModes, order }: ClientHelloExtensions): void {
  if (preSharedKey === undefined) return;
  if (order?.at(-1) !== ExtensionType.pre_shared_key) {
    throw new TlsAlert('illegal_parameter', 'pre_shared_key is not the last extension'); // §4.2.11
  }
  if (pskKeyExchangeModes === undefined) {
    throw new TlsAlert('missing_extension', 'pre_shared_key without psk_key_exchange_modes'); // §4.2.9
  }
  if (preSharedKey.identities.length !== preSharedKey.binders.length) {
    throw new TlsAlert('illegal_parameter', 'as many binders as identities are wanted'); // §4.2.11
  }
}

/** §9.2: requires the extensions that a handshake without a PSK, or with (EC)DHE, needs. @throws TlsAlert missing_extension */
function requireFullHello({ extensions }: ClientHello, psk: SelectedPsk | undefined): void {
  if (extensions.supportedGroups === undefined) throw new TlsAlert('missing_extension', 'no supported_groups');
  if (psk === undefined && extensions.signatureAlgorithms === undefined) {
    throw new TlsAlert('missing_extension', 'no signature_algorithms');
  }
}

/** §4.2.8: returns the one share that the answer to a HelloRetryRequest must have, of the group that was asked for. @throws TlsAlert */
function onlyShare(hello: ClientHello, group: GroupName): Uint8Array {
  const [share, ...others] = hello.extensions.keyShare ?? [];
  if (share?.group !== NamedGroup[group] || others.length > 0) {
    throw new TlsAlert('illegal_parameter', `one share, of ${group}, was asked for`);
  }
  return share.keyExchange;
}

/** §4.1.2: the extensions that may change between the two hellos. No cookie, as none was given. early_data must go, by another rule. */
const MAY_CHANGE: ReadonlySet<number> = new Set([
  ExtensionType.key_share,
  ExtensionType.pre_shared_key,
  ExtensionType.early_data,
  ExtensionType.padding,
  ExtensionType.encrypted_client_hello, // RFC 9849 §6.1.5: encrypted anew
]);

function requireSameHello(first: Received<ClientHello>, second: Received<ClientHello>): void {
  const [before, after] = [first.body, second.body];
  const same =
    before.legacyVersion === after.legacyVersion &&
    equalBytes(before.random, after.random) &&
    equalBytes(before.legacySessionId, after.legacySessionId) &&
    before.cipherSuites.join() === after.cipherSuites.join() &&
    sameExtensions(fixedExtensions(first), fixedExtensions(second));
  if (!same) throw new TlsAlert('illegal_parameter', 'the second ClientHello differs from the first');
  if (after.extensions.earlyData) throw new TlsAlert('illegal_parameter', 'early_data after a HelloRetryRequest');
  if (!isSubsequence(identitiesOf(after), identitiesOf(before))) {
    throw new TlsAlert('illegal_parameter', 'the second ClientHello adds or reorders PSK identities');
  }
}

/** Returns the extensions that must not change, as bytes, whether this library reads them or not. */
function fixedExtensions({ raw }: Received<ClientHello>): ReadonlyMap<number, Uint8Array> {
  const fixed = rawExtensions(raw).filter(({ type }) => !MAY_CHANGE.has(type));
  return new Map(fixed.map(({ type, data }) => [type, data]));
}

function sameExtensions(before: ReadonlyMap<number, Uint8Array>, after: ReadonlyMap<number, Uint8Array>): boolean {
  if (before.size !== after.size) return false;
  for (const [type, data] of before) {
    const other = after.get(type);
    if (other === undefined || !equalBytes(data, other)) return false;
  }
  return true;
}

const identitiesOf = ({ extensions }: ClientHello): readonly Uint8Array[] =>
  extensions.preSharedKey?.identities.map(({ identity }) => identity) ?? [];

/** Reports whether `part` is `whole` with some entries left out. */
function isSubsequence(part: readonly Uint8Array[], whole: readonly Uint8Array[]): boolean {
  let at = 0;
  for (const candidate of whole) {
    const next = part[at];
    if (next === undefined) return true;
    if (equalBytes(candidate, next)) at++;
  }
  return at === part.length;
}
