/** Private keys that sign, out of PKCS#8 (RFC 5958 §2), SEC1 (RFC 5915 §3) or PKCS#1 (RFC 8017 Appendix A.1.2). */

import { ed25519 } from '@noble/curves/ed25519.js';
import { p256, p384 } from '@noble/curves/nist.js';
import { platform } from '../platform.ts';
import { concat } from '../wire/bytes.ts';
import { DerReader, explicitTag, integer, octetString, sequence, Tag } from '../wire/der.ts';
import type { PemBlock } from '../wire/pem.ts';
import type { SignatureSchemeName } from '../wire/registry.ts';
import { Oid, type PublicKey, readAlgorithm } from './certificate.ts';
import type { CryptoProvider, PrivateKeyDer, Sign } from './provider.ts';
import { bitLength, isRsaScheme, MIN_RSA_BITS, RSA_ENCRYPTION, RSA_SCHEMES, type RsaScheme } from './rsa.ts';

/** A private key that can sign, and the public key that belongs to it. */
export interface PrivateKey {
  readonly publicKey: PublicKey;
  /** In the order of preference. */
  readonly schemes: readonly SignatureSchemeName[];
  readonly sign: Sign;
}

const FORMATS: Readonly<Record<string, PrivateKeyDer['format']>> = {
  'PRIVATE KEY': 'pkcs8',
  'EC PRIVATE KEY': 'sec1',
  'RSA PRIVATE KEY': 'pkcs1',
};

/**
 * What signs is the provider's, where that has something to sign with.
 * @throws TypeError for a key that is encrypted or of a kind that cannot serve, DerError for one that is damaged
 */
export function parsePrivateKey(block: PemBlock, crypto: Pick<CryptoProvider, 'signer'> = {}): PrivateKey {
  const key = readPrivateKey(block);
  const format = FORMATS[block.label];
  const sign = format && crypto.signer?.({ format, bytes: block.bytes });
  return sign === undefined ? key : { ...key, sign: guarded(key.schemes, sign) };
}

function guarded(schemes: readonly SignatureSchemeName[], sign: Sign): Sign {
  return (scheme, message) => {
    requireScheme(schemes, scheme);
    return sign(scheme, message);
  };
}

function readPrivateKey({ label, encrypted, bytes }: PemBlock): PrivateKey {
  if (encrypted) {
    throw new TypeError('key: is encrypted; decrypt it first, as with "openssl pkey -in key.pem -out plain.pem"');
  }
  const reader = new DerReader(bytes);
  const key = reader.enter(Tag.sequence, label);
  reader.finish();
  if (label === 'PRIVATE KEY') return readPkcs8(key);
  if (label === 'EC PRIVATE KEY') return readEcKey(key, undefined);
  if (label === 'RSA PRIVATE KEY') return rsaKey(key, bytes);
  throw new TypeError(`key: ${label} is not supported; convert it with "openssl pkey -in key.pem -out pkcs8.pem"`);
}

function readPkcs8(info: DerReader): PrivateKey {
  info.integer('version');
  const { algorithm, curve } = readAlgorithm(info);
  if (algorithm === Oid.ecPublicKey) return readEcKey(info.enter(Tag.octetString).enter(Tag.sequence), curve);
  if (algorithm === Oid.ed25519) return ed25519Key(info.enter(Tag.octetString).octets('privateKey')); // RFC 8410 §7
  if (algorithm === Oid.rsaEncryption) {
    const pkcs1 = info.octets('privateKey');
    return rsaKey(new DerReader(pkcs1).enter(Tag.sequence, 'privateKey'), pkcs1);
  }
  const kind = algorithm === Oid.rsassaPss ? 'an RSASSA-PSS key (only rsaEncryption is)' : `the algorithm ${algorithm}`;
  throw new TypeError(`key: ${kind} is not supported; use ECDSA P-256 or P-384, Ed25519 or RSA`);
}

const CURVES = {
  [Oid.secp256r1]: { ecdsa: p256, scheme: 'ecdsa_secp256r1_sha256' },
  [Oid.secp384r1]: { ecdsa: p384, scheme: 'ecdsa_secp384r1_sha384' },
} as const;

/** RFC 5915 §3: the curve stands in the key itself unless PKCS#8 names it outside. */
function readEcKey(key: DerReader, outerCurve: string | undefined): PrivateKey {
  key.integer('version');
  const scalar = key.octets('privateKey');
  const curve = outerCurve ?? key.optional(explicitTag(0), 'parameters')?.oid();
  if (curve !== Oid.secp256r1 && curve !== Oid.secp384r1) {
    throw new TypeError(`key: the curve ${curve ?? 'that it does not name'} is not supported; use P-256 or P-384`);
  }
  const { ecdsa, scheme } = CURVES[curve];
  const length = ecdsa.lengths.secretKey ?? scalar.length;
  // Some writers leave out leading zeros, which RFC 5915 §3 demands.
  const secretKey = concat(new Uint8Array(Math.max(0, length - scalar.length)), scalar);
  if (!ecdsa.utils.isValidSecretKey(secretKey)) throw new TypeError(`key: outside the range of the curve ${curve}`);
  return {
    publicKey: { algorithm: Oid.ecPublicKey, curve, bytes: ecdsa.getPublicKey(secretKey, false) },
    schemes: [scheme],
    sign: (wanted, message) => {
      requireScheme([scheme], wanted);
      return ecdsa.sign(message, secretKey, { format: 'der', lowS: false }); // hashes with the hash of the scheme
    },
  };
}

function ed25519Key(secretKey: Uint8Array): PrivateKey {
  if (secretKey.length !== 32) throw new TypeError(`key: an Ed25519 key of ${secretKey.length} bytes, 32 wanted`);
  const schemes = ['ed25519'] as const;
  return {
    publicKey: { algorithm: Oid.ed25519, curve: undefined, bytes: ed25519.getPublicKey(secretKey) },
    schemes,
    sign: (wanted, message) => {
      requireScheme(schemes, wanted);
      return ed25519.sign(message, secretKey);
    },
  };
}

type ImportedKey = ReturnType<typeof importRsaKey>;

/** RSA through Web Crypto, which every runtime has; it takes PKCS#8 and wants one import for each scheme. */
function rsaKey(reader: DerReader, pkcs1: Uint8Array): PrivateKey {
  if (reader.integer('version') !== 0) throw new TypeError('key: RSA with more than two primes is not supported');
  const modulus = reader.bigInteger('modulus');
  const exponent = reader.bigInteger('publicExponent');
  const bits = bitLength(modulus);
  if (bits < MIN_RSA_BITS) throw new TypeError(`key: RSA with ${bits} bits is too short; ${MIN_RSA_BITS} at least`);
  const pkcs8 = sequence(integer(0), RSA_ENCRYPTION, octetString(pkcs1));
  const schemes = Object.keys(RSA_SCHEMES).filter(isRsaScheme);
  const imported = new Map<RsaScheme, ImportedKey>();
  return {
    publicKey: {
      algorithm: Oid.rsaEncryption,
      curve: undefined,
      bytes: sequence(integer(modulus), integer(exponent)), // RSAPublicKey, as the certificate has it
    },
    schemes,
    sign: (wanted, message) => {
      if (!isRsaScheme(wanted)) return Promise.reject(refusal(schemes, wanted));
      const key = imported.get(wanted) ?? importRsaKey(pkcs8, wanted);
      imported.set(wanted, key);
      return key
        .then((cryptoKey) => platform.crypto.subtle.sign(RSA_SCHEMES[wanted], cryptoKey, message))
        .then((signature) => new Uint8Array(signature));
    },
  };
}

function importRsaKey(pkcs8: Uint8Array, scheme: RsaScheme) {
  return platform.crypto.subtle.importKey('pkcs8', pkcs8, RSA_SCHEMES[scheme], false, ['sign']);
}

function requireScheme(schemes: readonly SignatureSchemeName[], wanted: SignatureSchemeName): void {
  if (!schemes.includes(wanted)) throw refusal(schemes, wanted);
}

function refusal(schemes: readonly SignatureSchemeName[], wanted: SignatureSchemeName): TypeError {
  return new TypeError(`scheme: ${wanted} is not one of this key's: ${schemes.join(', ')}`);
}
