/**
 * Public keys of peers, which verify signatures: by the crypto provider, or by @noble's curves and, with RSA, Web Crypto. The
 * counterpart of private-key.ts. Whoever verifies, the same keys and the same signatures are accepted.
 */

import { ed25519 } from '@noble/curves/ed25519.js';
import { p256, p384 } from '@noble/curves/nist.js';
import { sha256, sha384, sha512 } from '@noble/hashes/sha2.js';
import { concat, equalBytes, toHex } from '../../wire/bytes.ts';
import { type CryptoProvider, InvalidPublicKey } from '../provider.ts';
import { Oid, type PublicKey } from './certificate.ts';
import { byProvider, ecdsaKey, ed25519Key, isCurve, type ReadKey, rsaKey, type VerifyingKey } from './public-key.ts';

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
  return key && byProvider(key, crypto);
}

function softwareKey(algorithm: string, curve: string | undefined, bytes: Uint8Array): ReadKey | undefined {
  if (algorithm === Oid.ecPublicKey) return isCurve(curve) ? ecKey(curve, bytes) : undefined;
  if (algorithm === Oid.ed25519) return edwardsKey(bytes);
  return algorithm === Oid.rsaEncryption ? rsaKey(bytes) : undefined;
}

const HASHES = { ecdsa_secp256r1_sha256: sha256, ecdsa_secp384r1_sha384: sha384 } as const;
const CURVES = { [Oid.secp256r1]: p256, [Oid.secp384r1]: p384 } as const;

function ecKey(curve: keyof typeof CURVES, encoded: Uint8Array): ReadKey {
  const ecdsa = CURVES[curve];
  // RFC 5480 §2.2 allows a compressed point; hosts' Web Crypto may not.
  const point = decoded('not a point of its curve', () => ecdsa.Point.fromBytes(encoded).toBytes(false));
  return ecdsaKey(curve, point, (wanted, message, signature) => {
    const hash = wanted in HASHES ? HASHES[wanted as keyof typeof HASHES] : undefined;
    if (hash === undefined) return false;
    const options = { format: 'der', lowS: false, prehash: false } as const;
    return holds(() => ecdsa.verify(signature, hash(message), point, options));
  });
}

function edwardsKey(key: Uint8Array): ReadKey {
  const point = decoded('not a point of Ed25519', () => ed25519.Point.fromBytes(key));
  if (point.isSmallOrder()) throw new InvalidPublicKey('a point of small order'); // anybody could sign for it
  return ed25519Key(
    key,
    (wanted, message, signature) => wanted === 'ed25519' && verifyEd25519(point, key, message, signature),
  );
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
