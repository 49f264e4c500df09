/**
 * Choices between what the client offers and what the server has: pure functions, no state. What every handshake asks for is a
 * loop: the server's lists are frozen, and of such V8 takes twenty times as long for filter() and find() as of others.
 */

import type { Credential } from '../../crypto/credentials/credential.ts';
import type { SuiteParameters } from '../../crypto/suites.ts';
import { TlsAlert } from '../../wire/alert.ts';
import {
  CipherSuite,
  type GroupName,
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
 * RFC 8446 §4.2.1: supported_versions decides where it is present, legacy_version elsewhere; RFC 7507 §3 guards a client that
 * has fallen back.
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

/** The suites that both sides have, in the server's order. */
export function commonSuites(hello: ClientHello, { suites }: Settings, version: Version): readonly SuiteParameters[] {
  const common: SuiteParameters[] = [];
  for (const suite of suites)
    if (suite.version === version && hello.cipherSuites.includes(suite.id)) common.push(suite);
  return common;
}

/** The groups that both sides have, in the server's order. */
export function commonGroups(hello: ClientHello, { groups, crypto }: Settings): readonly GroupName[] {
  const offered = hello.extensions.supportedGroups;
  const common: GroupName[] = [];
  for (const group of groups) {
    const isOffered = offered === undefined || offered.includes(NamedGroup[group]);
    if (isOffered && crypto.groups[group] !== undefined) common.push(group);
  }
  return common;
}

/** RFC 8446 §4.2.9: the first mode of the server's that the client has. */
export function selectPskMode(hello: ClientHello, { pskModes }: Settings, hasGroup: boolean): PskMode | undefined {
  const offered = hello.extensions.pskKeyExchangeModes ?? [];
  for (const mode of pskModes)
    if (offered.includes(PskKeyExchangeMode[mode]) && (mode === 'psk_ke' || hasGroup)) return mode;
  return undefined;
}

/** RFC 7301 §3.2: the first protocol of the server's that the client has. */
export function selectAlpn(hello: ClientHello, { alpn }: Settings): string | undefined {
  const offered = hello.extensions.alpn;
  if (offered === undefined || alpn.length === 0) return undefined;
  for (const protocol of alpn) if (offered.includes(protocol)) return protocol;
  throw new TlsAlert('no_application_protocol', 'no application protocol in common');
}

const NO_NAMES: NonNullable<ClientHello['extensions']['serverName']> = [];

/** RFC 6066 §3: at most one name of a type; the name without what no host name has. */
export function selectServerName(hello: ClientHello): string | undefined {
  const names = hello.extensions.serverName ?? NO_NAMES;
  const isRepeated = names.length > 1 && new Set(names.map(({ nameType }) => nameType)).size < names.length;
  if (isRepeated) throw new TlsAlert('illegal_parameter', 'two names of one type');
  const name = names.find(({ nameType }) => nameType === 0)?.name;
  if (name !== undefined && !/^[\x21-\x7e]{1,255}$/.test(name)) {
    throw new TlsAlert('illegal_parameter', 'a host name that is none');
  }
  return name;
}

/** What the client accepts of signatures, and what its suites or version say of the key. */
export interface SigningDemand {
  readonly serverName: string | undefined;
  /** RFC 8446 §4.2.3; `undefined` where a TLS 1.2 client is silent. */
  readonly signatureAlgorithms: readonly number[];
  /** signature_algorithms_cert; where it is absent the above stands for it. */
  readonly signatureAlgorithmsCert: readonly number[] | undefined;
  accepts(scheme: SignatureSchemeName): boolean;
}

/**
 * The first credential for the name that can sign as demanded, and whose certificates are signed as the client wants them
 * where there is one (RFC 8446 §4.4.2.2, RFC 5246 §7.4.2); failing that, the first of any name.
 */
export function selectSigning(credentials: readonly Credential[], demand: SigningDemand): Signing | undefined {
  const named = credentials.filter((credential) => covers(credential, demand.serverName));
  const verifiable = (credential: Credential) => isVerifiable(credential, demand);
  for (const credential of [...named.filter(verifiable), ...named, ...credentials.filter(verifiable), ...credentials]) {
    const scheme = credential.schemes.find(
      (candidate) => demand.accepts(candidate) && demand.signatureAlgorithms.includes(SignatureScheme[candidate]),
    );
    if (scheme !== undefined) return { credential, scheme };
  }
  return undefined;
}

function isVerifiable({ certificateSchemes = [] }: Credential, demand: SigningDemand): boolean {
  const accepted = demand.signatureAlgorithmsCert ?? demand.signatureAlgorithms;
  return certificateSchemes.every((scheme) => accepted.includes(SignatureScheme[scheme]));
}

/** Those whose names cover it, or all where none does. */
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

/** Host names differ neither by case nor by the dot of the root (RFC 6066 §3, RFC 4343). */
export function canonicalName(name: string | undefined): string | undefined {
  const lower = name?.toLowerCase();
  return lower?.endsWith('.') ? lower.slice(0, -1) : lower;
}
