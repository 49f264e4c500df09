/** Public keys of client certificates, which verify signatures. The counterpart of private-key.ts. */

import { ed25519 } from '@noble/curves/ed25519.js';
import { p256, p384 } from '@noble/curves/nist.js';
import { sha256, sha384 } from '@noble/hashes/sha2.js';
import type { Awaitable } from '../../awaitable.ts';
import { platform } from '../../platform.ts';
import { bitString, DerReader, sequence, Tag } from '../../wire/der.ts';
import type { SignatureSchemeName, Version } from '../../wire/registry.ts';
import { InvalidPublicKey } from '../provider.ts';
import { Oid, type PublicKey } from './certificate.ts';
import { bitLength, isRsaScheme, MIN_RSA_BITS, RSA_ENCRYPTION, RSA_SCHEMES } from './rsa.ts';

export interface VerifyingKey {
  /** The schemes that the key may sign with. In TLS 1.2 either hash goes with either curve (RFC 8446 §4.2.3, RFC 5246 §7.4.1.4.1). */
  readonly schemes: Readonly<Record<Version, readonly SignatureSchemeName[]>>;
  /**
   * Reports whether `signature` is the key's signature over `message` (not over its digest) by `scheme`, one of its schemes.
   * @throws InvalidPublicKey (or rejects with it) if Web Crypto does not accept the key
   */
  verify(scheme: SignatureSchemeName, message: Uint8Array, signature: Uint8Array): Awaitable<boolean>;
}

/** Any client can demand a verification, and its cost grows with the square of this. */
const MAX_RSA_BITS = 8192;
/** It also grows with the bits of the exponent, which is 65537 in certificates. */
const MAX_EXPONENT_BITS = 64;

/**
 * Returns `undefined` for a kind of key, a curve or a size that is not supported.
 * @throws DerError or InvalidPublicKey for a damaged key
 */
export function verifyingKey({ algorithm, curve, bytes }: PublicKey): VerifyingKey | undefined {
  if (algorithm === Oid.ecPublicKey) return ecKey(curve, bytes);
  if (algorithm === Oid.ed25519) return ed25519Key(bytes);
  return algorithm === Oid.rsaEncryption ? rsaKey(bytes) : undefined;
}

const HASHES = { ecdsa_secp256r1_sha256: sha256, ecdsa_secp384r1_sha384: sha384 } as const;
const ECDSA_SCHEMES = ['ecdsa_secp256r1_sha256', 'ecdsa_secp384r1_sha384'] as const;
const CURVES = {
  [Oid.secp256r1]: { ecdsa: p256, scheme: ECDSA_SCHEMES[0] },
  [Oid.secp384r1]: { ecdsa: p384, scheme: ECDSA_SCHEMES[1] },
} as const;

function ecKey(curve: string | undefined, point: Uint8Array): VerifyingKey | undefined {
  if (curve !== Oid.secp256r1 && curve !== Oid.secp384r1) return undefined;
  const { ecdsa, scheme } = CURVES[curve];
  if (!ecdsa.utils.isValidPublicKey(point)) throw new InvalidPublicKey('not a point of its curve');
  return {
    schemes: { 'TLSv1.3': [scheme], 'TLSv1.2': ECDSA_SCHEMES },
    verify: (wanted, message, signature) => {
      const hash = wanted in HASHES ? HASHES[wanted as keyof typeof HASHES] : undefined;
      if (hash === undefined) return false;
      const options = { format: 'der', lowS: false, prehash: false } as const;
      return holds(() => ecdsa.verify(signature, hash(message), point, options));
    },
  };
}

function ed25519Key(key: Uint8Array): VerifyingKey {
  if (!ed25519.utils.isValidPublicKey(key, false)) throw new InvalidPublicKey('not a point of Ed25519');
  const schemes = ['ed25519'] as const;
  return {
    schemes: { 'TLSv1.3': schemes, 'TLSv1.2': schemes },
    // RFC 8032 §5.1.7, without the further signatures that ZIP 215 accepts.
    verify: (wanted, message, signature) =>
      wanted === 'ed25519' && holds(() => ed25519.verify(signature, message, key, { zip215: false })),
  };
}

/** @noble throws for a malformed signature. */
function holds(verify: () => boolean): boolean {
  try {
    return verify();
  } catch {
    return false;
  }
}

const RSA = Object.keys(RSA_SCHEMES).filter(isRsaScheme);
const RSA_PSS = RSA.filter((scheme) => RSA_SCHEMES[scheme].name === 'RSA-PSS');

function isEven(number: Uint8Array): boolean {
  return (number.at(-1) ?? 0) % 2 === 0;
}

/** RSAPublicKey (RFC 8017 Appendix A.1.1). RSASSA-PKCS1-v1_5 is for TLS 1.2 only (RFC 8446 §4.2.3). */
function rsaKey(pkcs1: Uint8Array): VerifyingKey | undefined {
  const outer = new DerReader(pkcs1);
  const key = outer.enter(Tag.sequence, 'RSAPublicKey');
  outer.finish();
  const [modulus, exponent] = [key.bigInteger('modulus'), key.bigInteger('publicExponent')];
  key.finish();
  if (isEven(modulus) || isEven(exponent) || bitLength(exponent) < 2) throw new InvalidPublicKey('not an RSA key');
  const bits = bitLength(modulus);
  if (bits < MIN_RSA_BITS || bits > MAX_RSA_BITS || bitLength(exponent) > MAX_EXPONENT_BITS) return undefined;
  const spki = sequence(RSA_ENCRYPTION, bitString(pkcs1));
  return {
    schemes: { 'TLSv1.3': RSA_PSS, 'TLSv1.2': RSA },
    verify: (wanted, message, signature) => {
      // RFC 8017 §8.1.2, step 1: OpenSSL accepts one without its leading zeros.
      if (!isRsaScheme(wanted) || signature.length !== Math.ceil(bits / 8)) return false;
      const algorithm = RSA_SCHEMES[wanted];
      return platform.crypto.subtle.importKey('spki', spki, algorithm, false, ['verify']).then(
        (key) => platform.crypto.subtle.verify(algorithm, key, signature, message),
        (cause) => {
          throw isRefusal(cause) ? new InvalidPublicKey('not an RSA key', { cause }) : cause;
        },
      );
    },
  };
}

/** Reports whether importKey() has refused the key itself. If the host lacks the algorithm, the error has another name. */
function isRefusal(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'name' in error && error.name === 'DataError';
}
