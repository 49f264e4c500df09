/** An AEAD as @noble/ciphers gives it, which sets up everything anew for each text. */

import type { gcm } from '@noble/ciphers/aes.js';
import type { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { copyOf, wipe } from '../wire/bytes.ts';
import type { Aead, AeadName } from './provider.ts';

export function nobleAead(name: AeadName, keyLength: number, noble: typeof gcm | typeof chacha20poly1305): Aead {
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
