/** The default provider with SHA-256 of our own; whoever prefers speed to @noble's review opts in. */

import { defaultProvider } from './default.ts';
import type { CryptoProvider } from './provider.ts';
import { sha256 } from './sha256.ts';

export const fast: CryptoProvider = { ...defaultProvider, hashes: { ...defaultProvider.hashes, sha256 } };
