/** The reference provider: all algorithms from @noble. */

import { gcm } from '@noble/ciphers/aes.js';
import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { hmac } from '@noble/hashes/hmac.js';
import { sha256, sha384 } from '@noble/hashes/sha2.js';
import type { CryptoProvider, Hash, HashName } from '../provider.ts';
import { nobleAead } from './noble-aead.ts';
import { nobleGroups } from './noble-groups.ts';

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

/** The reference: each algorithm exactly as @noble provides it. */
export const noble: CryptoProvider = {
  hashes: { sha256: hash('sha256', sha256), sha384: hash('sha384', sha384) },
  aeads: {
    'aes-128-gcm': nobleAead('aes-128-gcm', 16, gcm),
    'aes-256-gcm': nobleAead('aes-256-gcm', 32, gcm),
    'chacha20-poly1305': nobleAead('chacha20-poly1305', 32, chacha20poly1305),
  },
  groups: nobleGroups,
};
