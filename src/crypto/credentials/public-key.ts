/**
 * Public keys of peers, as far as they need no curve of ours: what they may sign with, and how a provider, or the host's Web Crypto with
 * RSA, verifies by them.
 */

import { type Awaitable, later } from '../../awaitable.ts';
import { platform } from '../../platform.ts';
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

/** Reads a public key; `undefined` for a kind of key, a curve or a size that is not supported. @throws DerError or InvalidPublicKey */
export type KeyReader = (key: PublicKey, crypto: Pick<CryptoProvider, 'verifier'>) => VerifyingKey | undefined;

/** A key, and how to verify by it if no provider does. */
export interface ReadKey extends VerifyingKey {
  readonly der: PublicKeyDer;
  /** The length of every signature in bytes; `undefined` if it varies. */
  readonly signatureLength?: number;
}

/** Any client can demand a verification, and its cost grows with the square of this. */
const MAX_RSA_BITS = 8192;
/** It also grows with the bits of the exponent, which is 65537 in certificates. */
const MAX_EXPONENT_BITS = 64;

/** Returns a key by which the `verifier` of the provider verifies, if it has one for it. */
export function byProvider(key: ReadKey, crypto: Pick<CryptoProvider, 'verifier'>): VerifyingKey {
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

/** Reads a key that the provider, or the host, has to verify by. A compressed point (RFC 5480 §2.2) is not supported. */
export const readPlainKey: KeyReader = ({ algorithm, curve, bytes }, crypto) => {
  const key = plainKey(algorithm, curve, bytes);
  return key && byProvider(key, crypto);
};

function plainKey(algorithm: string, curve: string | undefined, bytes: Uint8Array): ReadKey | undefined {
  if (algorithm === Oid.ed25519) return bytes.length === 32 ? ed25519Key(bytes, unable) : undefined;
  if (algorithm === Oid.rsaEncryption) return rsaKey(bytes);
  if (algorithm !== Oid.ecPublicKey || !isCurve(curve)) return undefined;
  const isPoint = bytes.length === POINT_LENGTH[curve] && bytes[0] === 4;
  return isPoint ? ecdsaKey(curve, bytes, unable) : undefined;
}

function unable(): never {
  throw new Error('the crypto provider has no verifier for this kind of key, and this client none of its own');
}

type Curve = typeof Oid.secp256r1 | typeof Oid.secp384r1;

const POINT_LENGTH: Readonly<Record<Curve, number>> = { [Oid.secp256r1]: 65, [Oid.secp384r1]: 97 };
const ECDSA_SCHEMES = ['ecdsa_secp256r1_sha256', 'ecdsa_secp384r1_sha384'] as const;
const CURVES = {
  [Oid.secp256r1]: { kind: 'secp256r1', scheme: ECDSA_SCHEMES[0] },
  [Oid.secp384r1]: { kind: 'secp384r1', scheme: ECDSA_SCHEMES[1] },
} as const;

export function isCurve(curve: string | undefined): curve is Curve {
  return curve === Oid.secp256r1 || curve === Oid.secp384r1;
}

/** `point` is not compressed. */
export function ecdsaKey(curve: Curve, point: Uint8Array, verify: VerifyingKey['verify']): ReadKey {
  const { kind, scheme } = CURVES[curve];
  return {
    schemes: { 'TLSv1.3': [scheme], 'TLSv1.2': ECDSA_SCHEMES },
    der: { format: 'spki', kind, bytes: spki(sequence(oid(Oid.ecPublicKey), oid(curve)), point) },
    verify,
  };
}

export function ed25519Key(key: Uint8Array, verify: VerifyingKey['verify']): ReadKey {
  const schemes = ['ed25519'] as const;
  return {
    schemes: { 'TLSv1.3': schemes, 'TLSv1.2': schemes },
    der: { format: 'spki', kind: 'ed25519', bytes: spki(sequence(oid(Oid.ed25519)), key) },
    signatureLength: 64,
    verify,
  };
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
export function rsaKey(pkcs1: Uint8Array): ReadKey | undefined {
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
