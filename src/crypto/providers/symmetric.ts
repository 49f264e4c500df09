/** Hashes and AEADs of the default and the web provider: @noble's hashes with pooled state, and this library's AES-GCM. */

import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { sha384 } from '@noble/hashes/sha2.js';
import type { CryptoProvider } from '../provider.ts';
import { aesGcm } from './aes-gcm.ts';
import { nobleAead } from './noble-aead.ts';
import { nobleCompress } from './noble-sha256.ts';
import { pooledHash } from './pooled-hash.ts';
import { sha256Over } from './sha256.ts';

export const symmetric: Pick<CryptoProvider, 'hashes' | 'aeads'> = {
  hashes: { sha256: sha256Over(nobleCompress), sha384: pooledHash('sha384', sha384) },
  aeads: {
    'aes-128-gcm': aesGcm('aes-128-gcm', 16),
    'aes-256-gcm': aesGcm('aes-256-gcm', 32),
    'chacha20-poly1305': nobleAead('chacha20-poly1305', 32, chacha20poly1305),
  },
};
