/**
 * AES-CBC with PKCS#7 padding (RFC 5652 §6.3), for the tickets of other servers only. The mode does not authenticate: callers
 * of {@link decryptCbc} must verify a MAC over the ciphertext first.
 */

import { cbc } from '@noble/ciphers/aes.js';

/** The length of a block and of an initialisation vector, in bytes. */
export const AES_BLOCK = 16;

/** Returns the ciphertext, 1 to 16 bytes longer than the plaintext. The vector must be unpredictable. */
export function encryptCbc(key: Uint8Array, iv: Uint8Array, plaintext: Uint8Array): Uint8Array {
  return cbc(key, iv).encrypt(plaintext);
}

/** Returns the plaintext, which the caller wipes, or `undefined` if the length or the padding is wrong. */
export function decryptCbc(key: Uint8Array, iv: Uint8Array, ciphertext: Uint8Array): Uint8Array | undefined {
  try {
    return cbc(key, iv).decrypt(ciphertext);
  } catch {
    return undefined; // noble throws for nothing else: key and vector have the right lengths
  }
}
