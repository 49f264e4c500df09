/** The reference provider: every algorithm as @noble gives it. */

import { gcm } from '@noble/ciphers/aes.js';
import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { x25519 as curve25519 } from '@noble/curves/ed25519.js';
import { p256, p384 } from '@noble/curves/nist.js';
import { hmac } from '@noble/hashes/hmac.js';
import { sha256, sha384 } from '@noble/hashes/sha2.js';
import { copyOf, wipe } from '../wire/bytes.ts';
import type { Aead, AeadName, CryptoProvider, Hash, HashName, KeyAgreement } from './provider.ts';

function hash(name: HashName, noble: typeof sha256 | typeof sha384): Hash {
  return {
    name,
    length: noble.outputLen,
    digest: (message) => noble(message),
    start: () => {
      const running = noble.create();
      return {
        update: (message) => {
          running.update(message);
        },
        peek: (ahead) => (ahead === undefined ? running.clone() : running.clone().update(ahead)).digest(),
      };
    },
    hmac: (key) => {
      const keyed = hmac.create(noble, key);
      return {
        sign: (...parts) => {
          const mac = keyed.clone();
          for (const part of parts) mac.update(part);
          const tag = mac.digest();
          mac.destroy();
          return tag;
        },
        wipe: () => keyed.destroy(),
      };
    },
  };
}

function aead(name: AeadName, keyLength: number, noble: typeof gcm | typeof chacha20poly1305): Aead {
  return {
    name,
    keyLength,
    key: (bytes) => {
      const key = copyOf(bytes);
      return {
        seal: (nonce, additionalData, plaintext) => noble(key, nonce, additionalData).encrypt(plaintext),
        open: (nonce, additionalData, ciphertext) => {
          if (ciphertext.length < noble.tagLength) return undefined;
          try {
            return noble(key, nonce, additionalData).decrypt(ciphertext);
          } catch {
            return undefined; // noble checks the tag before it decrypts, and throws for nothing else here
          }
        },
        wipe: () => wipe(key),
      };
    },
  };
}

/** What the three curves have in common in noble's interface. */
interface Curve {
  readonly utils: { randomSecretKey(seed: Uint8Array): Uint8Array };
  readonly lengths: { readonly seed?: number | undefined };
  getPublicKey(secretKey: Uint8Array, compressed?: boolean): Uint8Array;
  getSharedSecret(secretKey: Uint8Array, publicKey: Uint8Array, compressed?: boolean): Uint8Array;
}

/**
 * RFC 8446 §7.4: for the NIST curves the shared secret is the x coordinate of the point, for X25519 the whole result.
 * noble refuses points off the curve and the all-zero result (RFC 7748 §6.1) with an exception.
 */
function group(curve: Curve, publicKeyLength: number, isPoint: boolean): KeyAgreement {
  return {
    generate: (randomBytes) => {
      const seed = randomBytes(curve.lengths.seed ?? 32);
      const secretKey = curve.utils.randomSecretKey(seed);
      if (secretKey !== seed) wipe(seed); // X25519 takes it as it is, the NIST curves reduce it
      return {
        publicKey: curve.getPublicKey(secretKey, false),
        agree: (peer) => {
          // §4.2.8.2: uncompressed points only, each of one length.
          if (peer.length !== publicKeyLength || (isPoint && peer[0] !== 4)) throw new RangeError('not a public key');
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
    throw new RangeError('not a public key of this group', { cause });
  }
}

export const noble: CryptoProvider = {
  hashes: { sha256: hash('sha256', sha256), sha384: hash('sha384', sha384) },
  aeads: {
    'aes-128-gcm': aead('aes-128-gcm', 16, gcm),
    'aes-256-gcm': aead('aes-256-gcm', 32, gcm),
    'chacha20-poly1305': aead('chacha20-poly1305', 32, chacha20poly1305),
  },
  groups: {
    x25519: group(curve25519, 32, false),
    secp256r1: group(p256, 65, true),
    secp384r1: group(p384, 97, true),
  },
};
