/** Reads private keys from their encodings: PKCS#8 (RFC 5958 §2), SEC1 (RFC 5915 §3) or PKCS#1 (RFC 8017 Appendix A.1.2). */

import { concat } from '../../wire/bytes.ts';
import { DerReader, explicitTag, Tag } from '../../wire/der.ts';
import type { PemBlock } from '../../wire/pem.ts';
import { Oid, readAlgorithm } from './certificate.ts';
import { bitLength, MIN_RSA_BITS } from './rsa.ts';

/** The numbers of a key. They have not been checked; the code that computes with them does that. */
export type PrivateKeyNumbers = EcPrivateKey | Ed25519PrivateKey | RsaPrivateKey;

export interface EcPrivateKey {
  readonly kind: 'ec';
  readonly curve: typeof Oid.secp256r1 | typeof Oid.secp384r1;
  /** At least as long as the order of the curve. */
  readonly scalar: Uint8Array;
  /** The field of that name, a BIT STRING, not parsed. Most writers include it. */
  readonly publicKey: DerReader | undefined;
}

export interface Ed25519PrivateKey {
  readonly kind: 'ed25519';
  /** 32 bytes. */
  readonly seed: Uint8Array;
}

export interface RsaPrivateKey {
  readonly kind: 'rsa';
  readonly modulus: Uint8Array;
  readonly exponent: Uint8Array;
  /** RSAPrivateKey, DER. */
  readonly pkcs1: Uint8Array;
}

/** @throws TypeError for an encrypted key or an unsupported kind of key, DerError for a damaged one */
export function readPrivateKey({ label, encrypted, bytes }: PemBlock): PrivateKeyNumbers {
  if (encrypted) {
    throw new TypeError('key: is encrypted; decrypt it first, as with "openssl pkey -in key.pem -out plain.pem"');
  }
  const reader = new DerReader(bytes);
  const key = reader.enter(Tag.sequence, label);
  reader.finish();
  if (label === 'PRIVATE KEY') return readPkcs8(key);
  if (label === 'EC PRIVATE KEY') return readEcKey(key, undefined);
  if (label === 'RSA PRIVATE KEY') return readRsaKey(key, bytes);
  throw new TypeError(`key: ${label} is not supported; convert it with "openssl pkey -in key.pem -out pkcs8.pem"`);
}

function readPkcs8(info: DerReader): PrivateKeyNumbers {
  info.integer('version');
  const { algorithm, curve } = readAlgorithm(info);
  if (algorithm === Oid.ecPublicKey) return readEcKey(info.enter(Tag.octetString).enter(Tag.sequence), curve);
  if (algorithm === Oid.ed25519) return readEd25519Key(info.enter(Tag.octetString).octets('privateKey')); // RFC 8410 §7
  if (algorithm === Oid.rsaEncryption) {
    const pkcs1 = info.octets('privateKey');
    return readRsaKey(new DerReader(pkcs1).enter(Tag.sequence, 'privateKey'), pkcs1);
  }
  const kind = algorithm === Oid.rsassaPss ? 'an RSASSA-PSS key (only rsaEncryption is)' : `the algorithm ${algorithm}`;
  throw new TypeError(`key: ${kind} is not supported; use ECDSA P-256 or P-384, Ed25519 or RSA`);
}

/** The length of a scalar, in bytes. */
const SCALAR_LENGTH = { [Oid.secp256r1]: 32, [Oid.secp384r1]: 48 } as const;

/** RFC 5915 §3: the key names the curve, unless the PKCS#8 structure around it does. */
function readEcKey(key: DerReader, outerCurve: string | undefined): EcPrivateKey {
  key.integer('version');
  const octets = key.octets('privateKey');
  const parameters = key.optional(explicitTag(0), 'parameters');
  const curve = outerCurve ?? parameters?.oid();
  if (curve !== Oid.secp256r1 && curve !== Oid.secp384r1) {
    throw new TypeError(`key: the curve ${curve ?? 'that it does not name'} is not supported; use P-256 or P-384`);
  }
  // Some writers omit the leading zeros that RFC 5915 §3 requires.
  const scalar = concat(new Uint8Array(Math.max(0, SCALAR_LENGTH[curve] - octets.length)), octets);
  return { kind: 'ec', curve, scalar, publicKey: key.optional(explicitTag(1), 'publicKey') };
}

function readEd25519Key(seed: Uint8Array): Ed25519PrivateKey {
  if (seed.length !== 32) throw new TypeError(`key: an Ed25519 key of ${seed.length} bytes, 32 wanted`);
  return { kind: 'ed25519', seed };
}

function readRsaKey(reader: DerReader, pkcs1: Uint8Array): RsaPrivateKey {
  if (reader.integer('version') !== 0) throw new TypeError('key: RSA with more than two primes is not supported');
  const modulus = reader.bigInteger('modulus');
  const exponent = reader.bigInteger('publicExponent');
  const bits = bitLength(modulus);
  if (bits < MIN_RSA_BITS) throw new TypeError(`key: RSA with ${bits} bits is too short; ${MIN_RSA_BITS} at least`);
  return { kind: 'rsa', modulus, exponent, pkcs1 };
}
