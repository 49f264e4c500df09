/** The options that a ClientHello is negotiated by: versions, cipher suites, groups, PSK modes and application protocols. */

import type { CryptoProvider } from '../crypto/provider.ts';
import { OTHER_SUITES, SUITES, type SuiteParameters } from '../crypto/suites.ts';
import { MAX_PLAINTEXT } from '../wire/record.ts';
import {
  type GroupName,
  isHybrid,
  NamedGroup,
  ProtocolVersion,
  PskKeyExchangeMode,
  type PskMode,
  type Version,
} from '../wire/registry.ts';
import { integer, list, oneOf, requireArray } from './checks.ts';

/** The options of either role; `ServerOptions` and `ClientOptions` describe them. */
export interface ProtocolOptions {
  readonly minVersion?: Version | undefined;
  readonly maxVersion?: Version | undefined;
  readonly ciphers?: readonly string[] | undefined;
  readonly groups?: readonly GroupName[] | undefined;
  readonly alpn?: readonly string[] | undefined;
  readonly pskModes?: readonly PskMode[] | undefined;
  readonly psks?: unknown;
  readonly recordSizeLimit?: number | undefined;
}

export function protocolSettings<P extends { readonly version: Version }>(
  options: ProtocolOptions,
  protocols: readonly P[],
  { crypto, hasCertificates }: { readonly crypto: CryptoProvider; readonly hasCertificates: boolean },
) {
  const versions = protocols.map(({ version }) => version);
  const minVersion = oneOf<Version>('minVersion', options.minVersion ?? versions[0] ?? '', versions);
  const maxVersion = oneOf<Version>('maxVersion', options.maxVersion ?? versions.at(-1) ?? '', versions);
  if (ProtocolVersion[minVersion] > ProtocolVersion[maxVersion])
    throw new RangeError(`minVersion ${minVersion} is above maxVersion ${maxVersion}`);
  const suites = (
    options.ciphers === undefined ? SUITES : list('ciphers', options.ciphers, `['${SUITE_NAMES[0]}']`).flatMap(suitesOf)
  ).filter(
    ({ version, authentication }) =>
      (hasCertificates || version === 'TLSv1.3' || authentication === 'psk') &&
      ProtocolVersion[version] >= ProtocolVersion[minVersion] &&
      ProtocolVersion[version] <= ProtocolVersion[maxVersion],
  );
  const ofPsks = suites.find(({ authentication }) => authentication === 'psk');
  if (ofPsks !== undefined && options.psks === undefined) throw new TypeError(`ciphers: ${ofPsks.name} needs psks`);
  if (suites.length === 0)
    throw new RangeError(
      `ciphers: none of them belongs to ${minVersion} to ${maxVersion}${hasCertificates ? '' : `; without certificates, TLS 1.2 has ${OTHER_SUITES[0]?.name} alone`}`,
    );
  const spoken = versions.filter((version) => suites.some((candidate) => candidate.version === version));
  const modeNames = Object.keys(PskKeyExchangeMode) as PskMode[];
  const pskModes = list('pskModes', options.pskModes ?? ['psk_dhe_ke'], "['psk_dhe_ke']").map((name) =>
    oneOf('pskModes', name, modeNames),
  );
  return {
    protocols: Object.freeze([...protocols]),
    // A version without a suite is not spoken: to choose it would refuse a client that has both (RFC 9846 §4.3.1).
    minVersion: spoken[0] ?? minVersion,
    maxVersion: spoken.at(-1) ?? maxVersion,
    suites: Object.freeze(suites),
    pskModes: Object.freeze(pskModes),
    groups: groups(options.groups, crypto, maxVersion),
    alpn: protocolNames(options.alpn ?? []),
    recordSizeLimit:
      options.recordSizeLimit === undefined
        ? undefined
        : integer('recordSizeLimit', options.recordSizeLimit, 0, 64, MAX_PLAINTEXT),
  };
}

/**
 * Returns the groups of an endpoint, none twice (RFC 9846 §4.3.7). The defaults are those that the provider has: the Web Crypto of a host
 * may lack some. TLS 1.2 has no hybrid ones.
 */
function groups(
  given: readonly GroupName[] | undefined,
  crypto: CryptoProvider,
  maxVersion: Version,
): readonly GroupName[] {
  const names = Object.keys(NamedGroup) as GroupName[];
  const has = (name: GroupName) => crypto.groups[name] !== undefined;
  const wanted = given && list('groups', given, "['x25519', 'secp256r1']").map((name) => oneOf('groups', name, names));
  const missing = wanted?.find((name) => !has(name));
  if (missing !== undefined)
    throw new TypeError(`groups: crypto.groups has no ${missing}${isHybrid(missing) ? '; see hybridGroups()' : ''}`);
  const chosen = new Set(wanted ?? names.filter(has));
  const usable = [...chosen].filter((name) => maxVersion !== 'TLSv1.2' || !isHybrid(name));
  if (usable.length === 0) throw new TypeError(`crypto.groups: has none of ${wanted ?? names} for ${maxVersion}`);
  return Object.freeze(usable);
}

const ALL_SUITES = [...SUITES, ...OTHER_SUITES];
const SUITE_NAMES = ALL_SUITES.map(({ name }) => name);

function suitesOf(name: string): readonly SuiteParameters[] {
  const known = oneOf('ciphers', name, SUITE_NAMES);
  return ALL_SUITES.filter((suite) => suite.name === known);
}

/** An empty list is allowed: the extension is ignored then. */
function protocolNames(given: readonly string[]): readonly string[] {
  requireArray('alpn', given, 'an array', "['h2', 'http/1.1']");
  return Object.freeze(given.map((name) => protocolName('alpn', name)));
}

/** RFC 7301 §3.1: 1 to 255 bytes. @throws TypeError that begins with `option` */
export function protocolName(option: string, name: string): string {
  if (typeof name !== 'string' || !/^[\0-\xff]{1,255}$/.test(name)) {
    throw new TypeError(`${option}: ${JSON.stringify(name)} is no protocol name; 1 to 255 bytes are`);
  }
  return name;
}
