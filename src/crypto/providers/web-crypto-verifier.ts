/** Signatures of client certificates, verified by the host's Web Crypto. */

import { platform, type WebCryptoAlgorithm } from '../../platform.ts';
import { DerError, DerReader, Tag } from '../../wire/der.ts';
import type { PublicKeyDer, Verify } from '../provider.ts';

/** Names of the curves, and the length of half a signature. */
const CURVES = {
  secp256r1: { namedCurve: 'P-256', length: 32 },
  secp384r1: { namedCurve: 'P-384', length: 48 },
} as const;

/**
 * The `verifier` of a CryptoProvider. The result is `undefined` for RSA, which Web Crypto verifies without any provider, and for
 * Ed25519 where the host does not have it.
 */
export function webCryptoVerifier({ kind, bytes }: PublicKeyDer): Promise<Verify | undefined> {
  if (kind === 'rsa') return Promise.resolve(undefined);
  return kind === 'ed25519' ? ed25519Verifier(bytes) : ecdsaVerifier(CURVES[kind], bytes);
}

function ed25519Verifier(spki: Uint8Array): Promise<Verify | undefined> {
  const { subtle } = platform.crypto;
  const algorithm = { name: 'Ed25519' };
  return subtle.importKey('spki', spki, algorithm, false, ['verify']).then(
    (key): Verify =>
      (_, message, signature) =>
        subtle.verify(algorithm, key, signature, message),
    () => undefined,
  );
}

function ecdsaVerifier(
  { namedCurve, length }: (typeof CURVES)[keyof typeof CURVES],
  spki: Uint8Array,
): Promise<Verify> {
  const { subtle } = platform.crypto;
  return subtle.importKey('spki', spki, { name: 'ECDSA', namedCurve }, false, ['verify']).then(
    (key): Verify =>
      (scheme, message, signature) => {
        const algorithm: WebCryptoAlgorithm = { name: 'ECDSA', hash: `SHA-${scheme.slice(-3)}` };
        const halves = halvesOf(signature, length);
        return halves !== undefined && subtle.verify(algorithm, key, halves, message);
      },
  );
}

/** Ecdsa-Sig-Value (RFC 3279 §2.2.3) as Web Crypto wants it: r and s, each as long as the order of the curve. */
function halvesOf(signature: Uint8Array, length: number): Uint8Array | undefined {
  try {
    const outer = new DerReader(signature);
    const reader = outer.enter(Tag.sequence);
    outer.finish();
    const numbers = [reader.bigInteger(), reader.bigInteger()];
    reader.finish();
    if (numbers.some((number) => number.length > length)) return undefined;
    const halves = new Uint8Array(2 * length);
    for (const [i, number] of numbers.entries()) halves.set(number, (i + 1) * length - number.length);
    return halves;
  } catch (error) {
    if (error instanceof DerError) return undefined;
    throw error;
  }
}
