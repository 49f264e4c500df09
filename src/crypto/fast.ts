/** The default provider with SHA-256 and an AES block of our own; whoever prefers speed to @noble's review opts in. */

import { aes } from './aes.ts';
import { aesGcm } from './aes-gcm.ts';
import { defaultProvider } from './default.ts';
import type { CryptoProvider } from './provider.ts';
import { sha256Over } from './sha256.ts';
import { compress } from './sha256-compress.ts';

export const fast: CryptoProvider = {
  ...defaultProvider,
  hashes: { ...defaultProvider.hashes, sha256: sha256Over(compress) },
  aeads: {
    ...defaultProvider.aeads,
    'aes-128-gcm': aesGcm('aes-128-gcm', 16, aes),
    'aes-256-gcm': aesGcm('aes-256-gcm', 32, aes),
  },
};
