/** The default provider with SHA-256 of our own; whoever prefers speed to @noble's review opts in. */

import type { CryptoProvider } from '../provider.ts';
import { defaultProvider } from './default.ts';
import { sha256Over } from './sha256.ts';
import { compress } from './sha256-compress.ts';

export const fast: CryptoProvider = {
  ...defaultProvider,
  hashes: { ...defaultProvider.hashes, sha256: sha256Over(compress) },
};
