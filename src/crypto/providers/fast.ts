/** The default provider with this library's own SHA-256, for applications that prefer speed to @noble's review. */

import type { CryptoProvider } from '../provider.ts';
import { defaultProvider } from './default.ts';
import { sha256Over } from './sha256.ts';
import { compress } from './sha256-compress.ts';

/** The {@link defaultProvider} with a SHA-256 of this library's own: the cheapest resumptions without a key exchange. */
export const fast: CryptoProvider = {
  ...defaultProvider,
  hashes: { ...defaultProvider.hashes, sha256: sha256Over(compress) },
};
