/** An AEAD of @noble/ciphers, which sets up the key again for each text. */

import type { gcm } from '@noble/ciphers/aes.js';
import type { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { copyOf, wipe } from '../../wire/bytes.ts';
import type { Aead, AeadName } from '../provider.ts';

export function nobleAead(name: AeadName, keyLength: number, noble: typeof gcm | typeof chacha20poly1305): Aead {
  return {
    name,
    keyLength,
    key: (bytes) => {
      const key = copyOf(bytes);
      let isWiped = false;
      const requireKey = () => {
        if (isWiped) throw new Error('this key has been wiped'); // the zeros that remain are a key everyone knows
      };
      return {
        seal: (nonce, additionalData, plaintext) => {
          requireKey();
          return noble(key, nonce, additionalData).encrypt(plaintext);
        },
        open: (nonce, additionalData, ciphertext) => {
          requireKey();
          if (ciphertext.length < noble.tagLength) return undefined;
          try {
            return noble(key, nonce, additionalData).decrypt(ciphertext);
          } catch {
            return undefined; // noble checks the tag before it decrypts, and throws for nothing else here
          }
        },
        wipe: () => {
          isWiped = true;
          wipe(key);
        },
      };
    },
  };
}
