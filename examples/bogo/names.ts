/** Numbers of the protocol, as the runner writes them, and the names that this library has for them. */

import type { CipherSuiteName, GroupName, SignatureSchemeName, Version } from 'tls-resume';
import { type Flags, Unimplemented } from './flags.ts';

const VERSIONS: Readonly<Record<Version, number>> = { 'TLSv1.2': 0x0303, 'TLSv1.3': 0x0304 };

const GROUPS: Readonly<Record<GroupName, number>> = {
  X25519MLKEM768: 4588,
  x25519: 29,
  secp256r1: 23,
  secp384r1: 24,
  SecP256r1MLKEM768: 4587,
};

const SCHEMES: Readonly<Record<SignatureSchemeName, number>> = {
  rsa_pkcs1_sha256: 0x0401,
  rsa_pkcs1_sha384: 0x0501,
  rsa_pkcs1_sha512: 0x0601,
  ecdsa_secp256r1_sha256: 0x0403,
  ecdsa_secp384r1_sha384: 0x0503,
  ecdsa_secp521r1_sha512: 0x0603,
  rsa_pss_rsae_sha256: 0x0804,
  rsa_pss_rsae_sha384: 0x0805,
  rsa_pss_rsae_sha512: 0x0806,
  ed25519: 0x0807,
};

const SUITES: Readonly<Record<CipherSuiteName, number>> = {
  TLS_AES_128_GCM_SHA256: 0x1301,
  TLS_AES_256_GCM_SHA384: 0x1302,
  TLS_CHACHA20_POLY1305_SHA256: 0x1303,
  TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: 0xc02b,
  TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384: 0xc02c,
  TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256: 0xc02f,
  TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384: 0xc030,
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256: 0xcca8,
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256: 0xcca9,
  TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256: 0xccac,
};

/** The number of a name; `undefined` for a name that is none, or that is not known yet. */
export function numberOf(kind: 'version' | 'group' | 'scheme' | 'suite', name: string | undefined): number | undefined {
  const numbers = { version: VERSIONS, group: GROUPS, scheme: SCHEMES, suite: SUITES }[kind];
  return Object.entries(numbers).find(([known]) => known === name)?.[1];
}

function nameOf<N extends string>(numbers: Readonly<Record<N, number>>, number: number): N | undefined {
  return (Object.keys(numbers) as N[]).find((name) => numbers[name] === number);
}

/** Returns the names of the numbers that are known. @throws Unimplemented if none is */
function namesOf<N extends string>(numbers: Readonly<Record<N, number>>, given: readonly number[] | undefined) {
  if (given === undefined) return undefined;
  const names = given.flatMap((number) => nameOf(numbers, number) ?? []);
  if (names.length === 0) throw new Unimplemented(`none of ${given} is known`);
  return names;
}

export function groupsOf(flags: Flags): GroupName[] | undefined {
  return namesOf(GROUPS, flags.curves);
}

export function schemesOf(numbers: readonly number[] | undefined): SignatureSchemeName[] | undefined {
  return namesOf(SCHEMES, numbers);
}

/** The versions that the flags leave. @throws Unimplemented if the library speaks none of them */
export function versionsOf(flags: Flags): { minVersion: Version; maxVersion: Version } {
  const { 'min-version': min = 0, 'max-version': max = 0xffff } = flags;
  const isOut: Readonly<Record<Version, boolean>> = {
    'TLSv1.2': flags['no-tls12'] === true,
    'TLSv1.3': flags['no-tls13'] === true,
  };
  const [minVersion, maxVersion = minVersion] = (Object.keys(VERSIONS) as Version[]).filter(
    (version) => !isOut[version] && VERSIONS[version] >= min && VERSIONS[version] <= max,
  );
  if (minVersion === undefined || maxVersion === undefined) throw new Unimplemented('versions before TLS 1.2');
  return { minVersion, maxVersion };
}

/** The protocols in a list as it is on the wire (RFC 7301 §3.1). @throws Unimplemented if it is malformed, as this library sends none such */
export function protocolsOf(list: string | undefined): string[] {
  const protocols: string[] = [];
  for (let rest = list ?? ''; rest !== ''; rest = rest.slice(1 + rest.charCodeAt(0))) {
    const length = rest.charCodeAt(0);
    if (length === 0 || rest.length <= length) throw new Unimplemented('a malformed list of protocols');
    protocols.push(rest.slice(1, 1 + length));
  }
  return protocols;
}
