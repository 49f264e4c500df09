/**
 * AES-CBC with PKCS#7 padding (RFC 5652 §6.3), for the tickets of other servers and nothing else: the mode authenticates
 * nothing, so whoever calls {@link decryptCbc} has verified a MAC over the ciphertext before.
 */

import { cbc } from '@noble/ciphers/aes.js';

/** Bytes of a block, and of an initialisation vector. */
export const AES_BLOCK = 16;

/** The ciphertext, one to sixteen bytes longer than the plaintext. The vector must be unpredictable. */
export function encryptCbc(key: Uint8Array, iv: Uint8Array, plaintext: Uint8Array): Uint8Array {
  return cbc(key, iv).encrypt(plaintext);
}

/** The plaintext, the caller's to wipe; `undefined` where length or padding are wrong. */
export function decryptCbc(key: Uint8Array, iv: Uint8Array, ciphertext: Uint8Array): Uint8Array | undefined {
  try {
    return cbc(key, iv).decrypt(ciphertext);
  } catch {
    return undefined; // noble throws for nothing else, key and vector being of the right lengths
  }
}
