/** The provider of a server that names none: @noble's curves and hashes, with what they set up kept; AES-GCM of our own. */

import { aesGcm } from './aes-gcm.ts';
import { noble } from './noble.ts';
import type { CryptoProvider } from './provider.ts';

export const defaultProvider: CryptoProvider = {
  ...noble,
  aeads: {
    ...noble.aeads,
    'aes-128-gcm': aesGcm('aes-128-gcm', 16),
    'aes-256-gcm': aesGcm('aes-256-gcm', 32),
  },
};
