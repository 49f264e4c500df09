/** The groups of @noble/curves. */

import { x25519 as curve25519 } from '@noble/curves/ed25519.js';
import { p256, p384 } from '@noble/curves/nist.js';
import { wipe } from '../../wire/bytes.ts';
import type { CurveName } from '../../wire/registry.ts';
import { InvalidPublicKey, type KeyAgreement } from '../provider.ts';

/** The part of noble's interface that the three curves share. */
interface Curve {
  readonly utils: { randomSecretKey(seed: Uint8Array): Uint8Array };
  readonly lengths: { readonly seed?: number | undefined };
  getPublicKey(secretKey: Uint8Array, compressed?: boolean): Uint8Array;
  getSharedSecret(secretKey: Uint8Array, publicKey: Uint8Array, compressed?: boolean): Uint8Array;
}

/**
 * RFC 9846 §7.4: for the NIST curves the shared secret is the x coordinate of the point, for X25519 the whole result.
 * noble refuses points off the curve and the all-zero result (RFC 7748 §6.1) with an exception.
 */
function group(curve: Curve, publicKeyLength: number, isPoint: boolean): KeyAgreement {
  return {
    generate: (randomBytes) => {
      const seed = randomBytes(curve.lengths.seed ?? 32);
      const secretKey = curve.utils.randomSecretKey(seed);
      if (secretKey !== seed) wipe(seed); // X25519 uses the seed itself as the key, the NIST curves reduce it
      return {
        publicKey: curve.getPublicKey(secretKey, false),
        agree: (peer) => {
          // §4.3.8.2: uncompressed points only, each of one length.
          if (peer.length !== publicKeyLength || (isPoint && peer[0] !== 4))
            throw new InvalidPublicKey('not a public key');
          const shared = agree(curve, secretKey, peer);
          return isPoint ? shared.subarray(1) : shared;
        },
        wipe: () => wipe(secretKey),
      };
    },
  };
}

function agree(curve: Curve, secretKey: Uint8Array, peer: Uint8Array): Uint8Array {
  try {
    return curve.getSharedSecret(secretKey, peer, true);
  } catch (cause) {
    if (!isPlain(cause)) throw cause;
    throw new InvalidPublicKey('not a public key of this group', { cause });
  }
}

/** Whether noble has refused the key. A stack overflow has a class of its own, and is not the peer's fault. */
function isPlain(error: unknown): boolean {
  return error instanceof Error && error.constructor === Error;
}

/**
 * With the first X25519 public key, noble makes a table of multiples of the base point. That costs as much as forty keys without
 * it, and saves a millisecond for each later key. A server whose clients resume may make few keys, so the table is made only
 * once it would have paid for itself.
 */
const KEYS_WITHOUT_TABLE = 40;
let keysMade = 0;

function x25519PublicKey(secretKey: Uint8Array): Uint8Array {
  if (keysMade >= KEYS_WITHOUT_TABLE) return curve25519.getPublicKey(secretKey);
  keysMade++;
  return curve25519.scalarMult(secretKey, curve25519.GuBytes); // RFC 7748 §6.1, with the ladder of any other point
}

const x25519: Curve = {
  utils: curve25519.utils,
  lengths: curve25519.lengths,
  getPublicKey: x25519PublicKey,
  getSharedSecret: curve25519.getSharedSecret,
};

export const nobleGroups: Readonly<Record<CurveName, KeyAgreement>> = {
  x25519: group(x25519, 32, false),
  secp256r1: group(p256, 65, true),
  secp384r1: group(p384, 97, true),
};
