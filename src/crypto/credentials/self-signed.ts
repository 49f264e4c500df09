/** Self-signed certificates (RFC 5280 §4.1). */

import { p256 } from '@noble/curves/nist.js';
import { platform } from '../../platform.ts';
import {
  bitString,
  boolean,
  explicit,
  implicit,
  integer,
  octetString,
  oid,
  sequence,
  set,
  time,
  utf8String,
} from '../../wire/der.ts';
import { kindOf, requireBytes } from '../../wire/kind-of.ts';
import { requireNoNull, wrongKind } from '../../wire/options.ts';
import { encodePem } from '../../wire/pem.ts';
import { drawRandom, timeOf } from '../../world.ts';
import { GeneralName, Oid } from './certificate.ts';

export interface SelfSignedOptions {
  /** The host names and IP addresses of the certificate. Default: localhost, 127.0.0.1, ::1. */
  readonly names?: readonly string[] | undefined;
  /** The number of days it is valid. Default: 30. */
  readonly days?: number | undefined;
  /** A P-256 private key of 32 bytes. Default: a new one. */
  readonly secretKey?: Uint8Array | undefined;
  /** Milliseconds since the epoch. */
  now(): number;
  randomBytes(length: number): Uint8Array;
}

/** FIPS 186-5 §A.2.1: 128 bits more than the order, so that the remainder is unbiased. */
const P256_SEED_LENGTH = 48;
const DAY_MS = 86_400_000;
/** A thousand years: a time has four digits for the year (§4.1.2.5.2). */
const MAX_DAYS = 365_000;
const SECRET_KEY_LENGTH = 32;
/** Makes the certificate valid for clients whose clocks are a little behind. */
const CLOCK_SKEW_MS = 3_600_000;

/**
 * Returns a self-signed ECDSA P-256 certificate and its key (PKCS#8), both in PEM. It is for development and tests: no client
 * trusts it by itself. `selfSignedCertificate(systemWorld)` makes one for this computer.
 */
export function selfSignedCertificate(options: SelfSignedOptions): { readonly cert: string; readonly key: string } {
  requireOptions(options);
  const { names = ['localhost', '127.0.0.1', '::1'], days = 30 } = options;
  const secretKey = options.secretKey ?? p256.utils.randomSecretKey(drawRandom(options, P256_SEED_LENGTH));
  const publicKey = bitString(p256.getPublicKey(secretKey, false));
  const keyAlgorithm = sequence(oid(Oid.ecPublicKey), oid(Oid.secp256r1));
  const signature = sequence(oid(Oid.ecdsaWithSha256));
  const name = sequence(set(sequence(oid(Oid.commonName), utf8String(names[0] ?? 'localhost'))));
  const now = timeOf(options);
  const tbs = sequence(
    explicit(0, integer(2)), // v3
    integer(serialNumber(drawRandom(options, 16))),
    signature,
    name,
    sequence(time(now - CLOCK_SKEW_MS), time(now + days * DAY_MS)),
    name,
    sequence(keyAlgorithm, publicKey),
    explicit(3, serverExtensions(names)),
  );
  const value = bitString(p256.sign(tbs, secretKey, { format: 'der', lowS: false }));
  const privateKey = sequence(integer(1), octetString(secretKey), explicit(1, publicKey)); // RFC 5915 §3
  return {
    cert: encodePem('CERTIFICATE', sequence(tbs, signature, value)),
    key: encodePem('PRIVATE KEY', sequence(integer(0), keyAlgorithm, octetString(privateKey))),
  };
}

/** Other members may be a world's own. @throws TypeError naming the option */
function requireOptions(options: SelfSignedOptions): void {
  for (const member of ['now', 'randomBytes'] as const) {
    if (typeof Object(options)[member] === 'function') continue;
    throw new TypeError(
      `${member}() is missing: spread a world, as in selfSignedCertificate({ ...systemWorld, names })`,
    );
  }
  const { names, days, secretKey } = options;
  for (const [name, option] of Object.entries({ names, days, secretKey })) requireNoNull(name, option);
  if (names !== undefined && !(Array.isArray(names) && names.length > 0))
    throw new TypeError(`names: an array with at least one name is wanted, not ${kindOf(names)}`);
  for (const [i, name] of (names ?? []).entries()) requireName(`names[${i}]`, name);
  if (days !== undefined && !(Number.isFinite(days) && days > 0 && days <= MAX_DAYS))
    throw new (typeof days === 'number' ? RangeError : TypeError)(
      `days: a number above 0 is wanted, ${MAX_DAYS} at most`,
    );
  if (secretKey !== undefined && requireBytes('secretKey', secretKey).length !== SECRET_KEY_LENGTH)
    throw new RangeError(
      `secretKey: ${secretKey.length} bytes; ${SECRET_KEY_LENGTH} are wanted, a private key of P-256`,
    );
}

/** Eight groups, or fewer around one `::`. */
const IPV6 = /^(?=.*::|(?:[^:]+:){7}[^:]+$)(?!.*::.*::|.*:::|:[^:]|.*[^:]:$)[\da-f]{0,4}(?::[\da-f]{0,4}){2,8}$/i;

/** @throws TypeError for no string; RangeError for what is neither a host name, nor an address, in ASCII */
function requireName(option: string, name: unknown): void {
  if (typeof name !== 'string') throw wrongKind(option, 'a string', name);
  if (/^\d+(\.\d+){3}$/.test(name) ? name.split('.').some((octet) => Number(octet) > 255) : !isName(name))
    throw new RangeError(`${option}: '${name}' is neither a host name in ASCII, nor an IP address`);
}

function isName(name: string): boolean {
  return name.includes(':') ? IPV6.test(name) && ipv6(name).length === 16 : /^[\w*.-]{1,255}$/.test(name);
}

/** §4.1.2.2: positive, at most 20 octets; unpredictable, so that no two certificates of the same name collide. */
function serialNumber([first = 0, ...rest]: Uint8Array): Uint8Array {
  return Uint8Array.of(0x40 | (first & 0x3f), ...rest);
}

/** §4.2.1.3: bit 0, and no trailing zeros in a list of named bits (X.690 §11.2.2). */
const DIGITAL_SIGNATURE = bitString(Uint8Array.of(0x80), 7);

function serverExtensions(names: readonly string[]): Uint8Array {
  const critical = boolean(true);
  return sequence(
    sequence(oid(Oid.basicConstraints), critical, octetString(sequence())), // cA DEFAULT FALSE (§4.2.1.9)
    sequence(oid(Oid.keyUsage), critical, octetString(DIGITAL_SIGNATURE)),
    sequence(oid(Oid.extKeyUsage), octetString(sequence(oid(Oid.serverAuth)))), // §4.2.1.12
    sequence(oid(Oid.subjectAltName), octetString(sequence(...names.map(generalName)))), // §4.2.1.6
  );
}

function generalName(name: string): Uint8Array {
  if (/^\d+(\.\d+){3}$/.test(name)) return implicit(GeneralName.iPAddress, Uint8Array.from(name.split('.'), Number));
  if (name.includes(':')) return implicit(GeneralName.iPAddress, ipv6(name));
  return implicit(GeneralName.dNSName, new platform.TextEncoder().encode(name));
}

/** RFC 4291 §2.2: groups of 16 bits, one run of zeros left out. */
function ipv6(address: string): Uint8Array {
  const [head = [], tail = []] = address.split('::').map((part) =>
    part.split(':').flatMap((group) => {
      const value = Number.parseInt(group, 16);
      return Number.isNaN(value) ? [] : [value >> 8, value & 0xff];
    }),
  );
  return Uint8Array.of(...head, ...new Uint8Array(Math.max(0, 16 - head.length - tail.length)), ...tail);
}
