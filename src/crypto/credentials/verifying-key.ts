/**
 * Public keys of client certificates, which verify signatures: by the crypto provider, or by @noble's curves and, with RSA, Web
 * Crypto. The counterpart of private-key.ts. Whoever verifies, the same keys and the same signatures are accepted.
 */

import { ed25519 } from '@noble/curves/ed25519.js';
import { p256, p384 } from '@noble/curves/nist.js';
import { sha256, sha384, sha512 } from '@noble/hashes/sha2.js';
import { type Awaitable, later } from '../../awaitable.ts';
import { platform } from '../../platform.ts';
import { concat, equalBytes, toHex } from '../../wire/bytes.ts';
import { bitString, DerReader, oid, sequence, Tag } from '../../wire/der.ts';
import type { SignatureSchemeName, Version } from '../../wire/registry.ts';
import { type CryptoProvider, InvalidPublicKey, type PublicKeyDer } from '../provider.ts';
import { Oid, type PublicKey } from './certificate.ts';
import { bitLength, isRsaScheme, MIN_RSA_BITS, RSA_ENCRYPTION, RSA_SCHEMES, type RsaScheme } from './rsa.ts';

export interface VerifyingKey {
  /** The schemes that the key may sign with. In TLS 1.2 either hash goes with either curve (RFC 9846 §4.3.3, RFC 5246 §7.4.1.4.1). */
  readonly schemes: Readonly<Record<Version, readonly SignatureSchemeName[]>>;
  /**
   * Reports whether `signature` is the key's signature over `message` (not over its digest) by `scheme`, one of its schemes. It may
   * call the user's provider.
   * @throws InvalidPublicKey (or rejects with it) if Web Crypto does not accept the key; whatever the provider throws
   */
  verify(scheme: SignatureSchemeName, message: Uint8Array, signature: Uint8Array): Awaitable<boolean>;
}

/** A key that this file can verify with, if no provider does. */
interface SoftwareKey extends VerifyingKey {
  readonly der: PublicKeyDer;
  /** The length of every signature in bytes; `undefined` if it varies. */
  readonly signatureLength?: number;
}

/** Any client can demand a verification, and its cost grows with the square of this. */
const MAX_RSA_BITS = 8192;
/** It also grows with the bits of the exponent, which is 65537 in certificates. */
const MAX_EXPONENT_BITS = 64;

/**
 * Returns `undefined` for a kind of key, a curve or a size that is not supported.
 * @param crypto its `verifier`, if it has one, verifies
 * @throws DerError or InvalidPublicKey for a damaged key
 */
export function verifyingKey(
  { algorithm, curve, bytes }: PublicKey,
  crypto: Pick<CryptoProvider, 'verifier'> = {},
): VerifyingKey | undefined {
  const key = softwareKey(algorithm, curve, bytes);
  if (key === undefined) return undefined;
  const { schemes, signatureLength } = key;
  return {
    schemes,
    verify: (scheme, message, signature) => {
      // RFC 8017 §8.1.2, step 1; RFC 8032 §5.1.7. OpenSSL accepts a signature of RSA without its leading zeros.
      if (signatureLength !== undefined && signature.length !== signatureLength) return false;
      const verify = crypto.verifier?.(key.der);
      if (verify === undefined) return key.verify(scheme, message, signature);
      return later(verify, (given) => (given ?? key.verify)(scheme, message, signature));
    },
  };
}

function softwareKey(algorithm: string, curve: string | undefined, bytes: Uint8Array): SoftwareKey | undefined {
  if (algorithm === Oid.ecPublicKey) return ecKey(curve, bytes);
  if (algorithm === Oid.ed25519) return ed25519Key(bytes);
  return algorithm === Oid.rsaEncryption ? rsaKey(bytes) : undefined;
}
const HASHES = { ecdsa_secp256r1_sha256: sha256, ecdsa_secp384r1_sha384: sha384 } as const;
const ECDSA_SCHEMES = ['ecdsa_secp256r1_sha256', 'ecdsa_secp384r1_sha384'] as const;
const CURVES = {
  [Oid.secp256r1]: { ecdsa: p256, kind: 'secp256r1', scheme: ECDSA_SCHEMES[0] },
  [Oid.secp384r1]: { ecdsa: p384, kind: 'secp384r1', scheme: ECDSA_SCHEMES[1] },
} as const;

function ecKey(curve: string | undefined, encoded: Uint8Array): SoftwareKey | undefined {
  if (curve !== Oid.secp256r1 && curve !== Oid.secp384r1) return undefined;
  const { ecdsa, kind, scheme } = CURVES[curve];
  // RFC 5480 §2.2 allows a compressed point; hosts' Web Crypto may not.
  const point = decoded('not a point of its curve', () => ecdsa.Point.fromBytes(encoded).toBytes(false));
  return {
    schemes: { 'TLSv1.3': [scheme], 'TLSv1.2': ECDSA_SCHEMES },
    der: { format: 'spki', kind, bytes: spki(sequence(oid(Oid.ecPublicKey), oid(curve)), point) },
    verify: (wanted, message, signature) => {
      const hash = wanted in HASHES ? HASHES[wanted as keyof typeof HASHES] : undefined;
      if (hash === undefined) return false;
      const options = { format: 'der', lowS: false, prehash: false } as const;
      return holds(() => ecdsa.verify(signature, hash(message), point, options));
    },
  };
}

function ed25519Key(key: Uint8Array): SoftwareKey {
  const point = decoded('not a point of Ed25519', () => ed25519.Point.fromBytes(key));
  if (point.isSmallOrder()) throw new InvalidPublicKey('a point of small order'); // anybody could sign for it
  const schemes = ['ed25519'] as const;
  return {
    schemes: { 'TLSv1.3': schemes, 'TLSv1.2': schemes },
    der: { format: 'spki', kind: 'ed25519', bytes: spki(sequence(oid(Oid.ed25519)), key) },
    signatureLength: 64,
    verify: (wanted, message, signature) => wanted === 'ed25519' && verifyEd25519(point, key, message, signature),
  };
}

/**
 * RFC 8032 §5.1.7, by the equation without the cofactor, [S]B = R + [k]A. OpenSSL and Web Crypto have that one; @noble's verify()
 * has the other, which accepts a few signatures more that only the owner of a key can make.
 */
function verifyEd25519(
  key: ReturnType<typeof ed25519.Point.fromBytes>,
  encodedKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  const { BASE, Fn } = ed25519.Point;
  const [encodedR, s] = [signature.subarray(0, 32), littleEndian(signature.subarray(32))];
  if (s >= Fn.ORDER) return false;
  const k = Fn.create(littleEndian(sha512(concat(encodedR, encodedKey, message))));
  return equalBytes(BASE.multiplyUnsafe(s).subtract(key.multiplyUnsafe(k)).toBytes(), encodedR);
}

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${toHex(Uint8Array.from(bytes).reverse())}`);
}

/** @noble throws for what is no point. */
function decoded<P>(fault: string, decode: () => P): P {
  try {
    return decode();
  } catch (cause) {
    throw new InvalidPublicKey(fault, { cause });
  }
}

/** @noble throws for a malformed signature. */
function holds(verify: () => boolean): boolean {
  try {
    return verify();
  } catch {
    return false;
  }
}

function spki(algorithm: Uint8Array, key: Uint8Array): Uint8Array {
  return sequence(algorithm, bitString(key));
}

const RSA = Object.keys(RSA_SCHEMES).filter(isRsaScheme);
const RSA_PSS = RSA.filter((scheme) => RSA_SCHEMES[scheme].name === 'RSA-PSS');

function isEven(number: Uint8Array): boolean {
  return (number.at(-1) ?? 0) % 2 === 0;
}

/** RSAPublicKey (RFC 8017 Appendix A.1.1). RSASSA-PKCS1-v1_5 is for TLS 1.2 only (RFC 9846 §4.3.3). */
function rsaKey(pkcs1: Uint8Array): SoftwareKey | undefined {
  const outer = new DerReader(pkcs1);
  const key = outer.enter(Tag.sequence, 'RSAPublicKey');
  outer.finish();
  const [modulus, exponent] = [key.bigInteger('modulus'), key.bigInteger('publicExponent')];
  key.finish();
  if (isEven(modulus) || isEven(exponent) || bitLength(exponent) < 2) throw new InvalidPublicKey('not an RSA key');
  const bits = bitLength(modulus);
  if (bits < MIN_RSA_BITS || bits > MAX_RSA_BITS || bitLength(exponent) > MAX_EXPONENT_BITS) return undefined;
  const bytes = spki(RSA_ENCRYPTION, pkcs1);
  return {
    schemes: { 'TLSv1.3': RSA_PSS, 'TLSv1.2': RSA },
    der: { format: 'spki', kind: 'rsa', bytes },
    signatureLength: Math.ceil(bits / 8),
    verify: (wanted, message, signature) => isRsaScheme(wanted) && verifyRsa(bytes, wanted, message, signature),
  };
}

function verifyRsa(key: Uint8Array, scheme: RsaScheme, message: Uint8Array, signature: Uint8Array): Promise<boolean> {
  const algorithm = RSA_SCHEMES[scheme];
  return platform.crypto.subtle.importKey('spki', key, algorithm, false, ['verify']).then(
    (imported) => platform.crypto.subtle.verify(algorithm, imported, signature, message),
    (cause) => {
      throw isRefusal(cause) ? new InvalidPublicKey('not an RSA key', { cause }) : cause;
    },
  );
}

/** Reports whether importKey() has refused the key itself. If the host lacks the algorithm, the error has another name. */
function isRefusal(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'name' in error && error.name === 'DataError';
}
