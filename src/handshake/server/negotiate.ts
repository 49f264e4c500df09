/**
 * Choices among the client's offers and the server's settings: pure functions, no state. Choices that every handshake makes are
 * loops: the server's lists are frozen, and for filter() and find() on frozen arrays V8 takes twenty times as long as on others.
 */

import type { Credential } from '../../crypto/credentials/credential.ts';
import type { SuiteParameters } from '../../crypto/suites.ts';
import { TlsAlert } from '../../wire/alert.ts';
import type { Numbers } from '../../wire/codec.ts';
import {
  CipherSuite,
  type GroupName,
  isHybrid,
  NamedGroup,
  ProtocolVersion,
  PskKeyExchangeMode,
  type PskMode,
  SignatureScheme,
  type SignatureSchemeName,
  type Version,
} from '../../wire/registry.ts';
import type { Signing } from '../key-exchange.ts';
import type { ClientHello } from '../messages/client-hello.ts';
import type { Settings } from './settings.ts';

/**
 * Selects the version. RFC 9846 §4.3.1: supported_versions alone decides if it is present; otherwise legacy_version does, and leads
 * to TLS 1.2 at most. RFC 7507 §3 protects a client that has fallen back.
 * @throws TlsAlert protocol_version if there is none in common, inappropriate_fallback
 */
export function selectVersion(hello: ClientHello, { minVersion, maxVersion }: Settings): Version {
  const offered = hello.extensions.supportedVersions ?? [Math.min(hello.legacyVersion, ProtocolVersion['TLSv1.2'])];
  const version = (['TLSv1.3', 'TLSv1.2'] as const).find(
    (candidate) =>
      offered.includes(ProtocolVersion[candidate]) &&
      ProtocolVersion[candidate] >= ProtocolVersion[minVersion] &&
      ProtocolVersion[candidate] <= ProtocolVersion[maxVersion],
  );
  if (hello.cipherSuites.includes(CipherSuite.TLS_FALLBACK_SCSV) && isBelow(offered, maxVersion)) {
    throw new TlsAlert('inappropriate_fallback', 'the client fell back from a version that the server has');
  }
  if (version === undefined) throw new TlsAlert('protocol_version', 'no version in common');
  return version;
}

function isBelow(offered: readonly number[], version: Version): boolean {
  const known = offered.filter((candidate) => candidate <= ProtocolVersion['TLSv1.3']);
  return known.length > 0 && Math.max(...known) < ProtocolVersion[version];
}

/** Returns the suites that both sides have, in the server's order. */
export function commonSuites(hello: ClientHello, { suites }: Settings, version: Version): readonly SuiteParameters[] {
  const common: SuiteParameters[] = [];
  for (const suite of suites)
    if (suite.version === version && hello.cipherSuites.includes(suite.id)) common.push(suite);
  return common;
}

/** Returns the groups that both sides have, in the server's order; all of the server's if the client names none. */
export function commonGroups(hello: ClientHello, { groups, crypto }: Settings): readonly GroupName[] {
  const offered = hello.extensions.supportedGroups;
  const common: GroupName[] = [];
  for (const group of groups) {
    const isOffered = offered === undefined || offered.includes(NamedGroup[group]);
    if (isOffered && crypto.groups[group] !== undefined) common.push(group);
  }
  return common;
}

/**
 * Selects the group of a TLS 1.2 handshake. RFC 8422 §4 leaves the choice to the server if the client sends no supported_groups. Such
 * clients are older than X25519, and what they have is secp256r1; without that, any group of the server's is worth the attempt.
 */
export function selectGroupTls12(hello: ClientHello, settings: Settings): GroupName | undefined {
  const common = commonGroups(hello, settings).filter((group) => !isHybrid(group));
  const isNamed = hello.extensions.supportedGroups !== undefined;
  return !isNamed && common.includes('secp256r1') ? 'secp256r1' : common[0];
}

/** RFC 9846 §4.3.9: returns the first of the server's modes that the client has. psk_dhe_ke needs a group in common (`hasGroup`). */
export function selectPskMode(hello: ClientHello, { pskModes }: Settings, hasGroup: boolean): PskMode | undefined {
  const offered = hello.extensions.pskKeyExchangeModes ?? [];
  for (const mode of pskModes)
    if (offered.includes(PskKeyExchangeMode[mode]) && (mode === 'psk_ke' || hasGroup)) return mode;
  return undefined;
}

/** RFC 7301 §3.2: returns the first of the server's protocols that the client has. @throws TlsAlert no_application_protocol */
export function selectAlpn(hello: ClientHello, { alpn }: Settings): string | undefined {
  const offered = hello.extensions.alpn;
  if (offered === undefined || alpn.length === 0) return undefined;
  let best = alpn.length;
  for (const protocol of offered) {
    const rank = alpn.indexOf(protocol);
    if (rank >= 0 && rank < best) best = rank;
  }
  if (best < alpn.length) return alpn[best];
  throw new TlsAlert('no_application_protocol', 'no application protocol in common');
}

/** RFC 6066 §3: returns the host name. @throws TlsAlert illegal_parameter for two names of a type, or one that no host can have */
export function selectServerName(hello: ClientHello): string | undefined {
  if (hello.extensions.serverName === undefined) return undefined;
  const types: number[] = []; // at most 256
  let name: string | undefined;
  for (const entry of hello.extensions.serverName) {
    if (types.includes(entry.nameType)) throw new TlsAlert('illegal_parameter', 'two names of one type');
    types.push(entry.nameType);
    if (entry.nameType === 0) name = entry.name;
  }
  if (name !== undefined && !/^[\x21-\x7e]{1,255}$/.test(name)) {
    throw new TlsAlert('illegal_parameter', 'a host name that is none');
  }
  return name;
}

/** The signatures that the client accepts. */
export interface SigningDemand {
  readonly serverName: string | undefined;
  /** RFC 9846 §4.3.3; empty if the client sends none. */
  readonly signatureAlgorithms: Numbers;
  /** signature_algorithms_cert; if it is absent, `signatureAlgorithms` applies to certificates, too. */
  readonly signatureAlgorithmsCert: Numbers | undefined;
}

/**
 * Returns the credentials to try, the best kind first: those for the server name, and failing them those of any name. Of either kind,
 * the ones whose certificates are signed as the client wants come first (RFC 9846 §4.5.1.2, RFC 5246 §7.4.2).
 */
export function rankCredentials(credentials: readonly Credential[], demand: SigningDemand): (readonly Credential[])[] {
  const named = credentials.filter((credential) => covers(credential, demand.serverName));
  const verifiable = (credential: Credential) => isVerifiable(credential, demand);
  return [named.filter(verifiable), named, credentials.filter(verifiable), credentials];
}

/** Returns the first credential that can sign by one of its schemes as demanded, if `accepts` allows it, and the scheme. */
export function selectSigning(
  credentials: readonly Credential[],
  { signatureAlgorithms }: SigningDemand,
  accepts: (credential: Credential, scheme: SignatureSchemeName) => boolean,
  schemesOf = ({ schemes }: Credential): readonly SignatureSchemeName[] => schemes,
): Signing | undefined {
  for (const credential of credentials) {
    const scheme = schemesOf(credential).find(
      (candidate) => signatureAlgorithms.includes(SignatureScheme[candidate]) && accepts(credential, candidate),
    );
    if (scheme !== undefined) return { credential, scheme };
  }
  return undefined;
}

function isVerifiable({ certificateSchemes = [] }: Credential, demand: SigningDemand): boolean {
  const accepted = demand.signatureAlgorithmsCert ?? demand.signatureAlgorithms;
  return certificateSchemes.every((scheme) => accepted.includes(SignatureScheme[scheme]));
}

/** Returns the credentials whose names cover the server name, or all if none does. */
export function credentialsFor(
  credentials: readonly Credential[],
  serverName: string | undefined,
): readonly Credential[] {
  const named = credentials.filter((credential) => covers(credential, serverName));
  return named.length > 0 ? named : credentials;
}

/** RFC 6125 §6.4.3: `*` stands for the whole first label. */
function covers({ names }: Credential, serverName: string | undefined): boolean {
  const wanted = canonicalName(serverName);
  if (wanted === undefined) return false;
  const wildcard = wanted.replace(/^[^.]+/, '*');
  return names.includes(wanted) || (wildcard !== '*' && names.includes(wildcard));
}

/**
 * Returns a host name in lower case and without the dot of the root: neither makes it another name (RFC 6066 §3, RFC 4343). The root
 * alone keeps its dot, as the empty name stands for none.
 */
export function canonicalName(name: string): string;
export function canonicalName(name: string | undefined): string | undefined;
export function canonicalName(name: string | undefined): string | undefined {
  const lower = name?.toLowerCase();
  return lower?.endsWith('.') && lower.length > 1 ? lower.slice(0, -1) : lower;
}
