/** Key agreement by node:crypto. All private keys come from the random bytes of the connection's world. */

import { Buffer } from 'node:buffer';
import { createECDH, createPrivateKey, createPublicKey, diffieHellman, type ECDH, type KeyObject } from 'node:crypto';
import { type EphemeralKey, InvalidPublicKey, type KeyAgreement, type RandomBytes } from '../crypto/provider.ts';
import { wipe } from '../wire/bytes.ts';
import type { CurveName } from '../wire/registry.ts';
import { plain } from './plain.ts';

const X25519_LENGTH = 32;

/** RFC 8410 §7: OneAsymmetricKey of X25519, up to the 32 bytes of the key. */
const PKCS8 = Buffer.from('302e020100300506032b656e04220420', 'hex');

/**
 * Keys are imported and exported as JWK, at a tenth of the cost of DER. They are not made by generateKeyPairSync(): exporting such a
 * key as JWK can deadlock Node 20, when the garbage collector frees the job that made the key and needs the lock that the export
 * holds. An imported key has no such job, and its random bytes are ours.
 */
const x25519: KeyAgreement = {
  generate: (randomBytes) => {
    const seed = randomBytes(X25519_LENGTH);
    try {
      return new X25519Key(importPrivateKey(seed));
    } finally {
      wipe(seed);
    }
  },
};

/** The first key tells. */
let takesJwkWithoutX = true;

/**
 * Imports a private key, as JWK where Node allows. Up to Node 24 a JWK must have an `x`, which is not read. Node 26 refuses an `x`
 * that does not belong to `d`; `x` is what this key is made for, so Node 26 gets DER.
 */
function importPrivateKey(seed: Uint8Array): KeyObject {
  if (takesJwkWithoutX) {
    try {
      return createPrivateKey({ key: { kty: 'OKP', crv: 'X25519', d: base64url(seed), x: '' }, format: 'jwk' });
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'ERR_CRYPTO_INVALID_JWK') throw error;
      takesJwkWithoutX = false;
    }
  }
  const der = Buffer.concat([PKCS8, seed]);
  try {
    return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  } finally {
    wipe(der);
  }
}

class X25519Key implements EphemeralKey {
  readonly publicKey: Uint8Array;
  #privateKey: KeyObject | undefined;

  constructor(privateKey: KeyObject) {
    this.#privateKey = privateKey;
    const { x = '' } = createPublicKey(privateKey).export({ format: 'jwk' });
    this.publicKey = Uint8Array.from(Buffer.from(x, 'base64url'));
  }

  agree(peer: Uint8Array): Uint8Array {
    if (this.#privateKey === undefined) throw new Error('this key has been wiped');
    if (peer.length !== X25519_LENGTH) throw new InvalidPublicKey('not a public key');
    const jwk = { kty: 'OKP', crv: 'X25519', x: base64url(peer) };
    const publicKey = createPublicKey({ key: jwk, format: 'jwk' });
    try {
      return plain(diffieHellman({ privateKey: this.#privateKey, publicKey }));
    } catch (cause) {
      throw refusal('a point of small order', cause); // RFC 7748 §6.1: OpenSSL refuses the all-zero result
    }
  }

  wipe(): void {
    this.#privateKey = undefined; // OpenSSL overwrites it when the garbage collector takes it
  }
}

/** OpenSSL refuses a key with an Error. A RangeError is Node's or V8's, for a stack overflow, and not the peer's fault. */
function refusal(reason: string, cause: unknown): unknown {
  return cause instanceof RangeError ? cause : new InvalidPublicKey(reason, { cause });
}

function base64url({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('base64url');
}

/** ECDH: public keys are uncompressed points (RFC 9846 §4.3.8.2), the shared secret is an x coordinate (§7.4.2). */
function ecdh(curve: string, length: number): KeyAgreement {
  return {
    generate: (randomBytes) => new EcdhKey(keyPair(curve, length, randomBytes), 1 + 2 * length),
  };
}

/** Draws again if the random bytes exceed the order of the curve: once in 2^32 for P-256, hardly ever for P-384. */
function keyPair(curve: string, length: number, randomBytes: RandomBytes): ECDH {
  const ecdh = createECDH(curve);
  for (;;) {
    const seed = randomBytes(length);
    try {
      ecdh.setPrivateKey(seed);
      return ecdh;
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'ERR_CRYPTO_INVALID_KEYTYPE') throw error;
    } finally {
      wipe(seed);
    }
  }
}

class EcdhKey implements EphemeralKey {
  readonly publicKey: Uint8Array;
  readonly #length: number;
  #ecdh: ECDH | undefined;

  constructor(ecdh: ECDH, length: number) {
    this.#ecdh = ecdh;
    this.#length = length;
    this.publicKey = plain(ecdh.getPublicKey());
  }

  agree(peer: Uint8Array): Uint8Array {
    if (this.#ecdh === undefined) throw new Error('this key has been wiped');
    if (peer.length !== this.#length || peer[0] !== 4) throw new InvalidPublicKey('not a public key');
    try {
      return plain(this.#ecdh.computeSecret(peer));
    } catch (cause) {
      throw refusal('not a point of this curve', cause);
    }
  }

  wipe(): void {
    this.#ecdh = undefined;
  }
}

export const nodeGroups: Readonly<Record<CurveName, KeyAgreement>> = {
  x25519,
  secp256r1: ecdh('prime256v1', 32),
  secp384r1: ecdh('secp384r1', 48),
};
