/** The provider of servers and clients of the Node shell that name none. */

import type { CryptoProvider } from '../crypto/provider.ts';
import { defaultProvider } from '../crypto/providers/default.ts';
import { nodeHybridGroups } from './node-ml-kem.ts';

/** {@link defaultProvider}, with the hybrid groups of node:crypto where that has ML-KEM. */
export const defaultCrypto: CryptoProvider = {
  ...defaultProvider,
  groups: { ...defaultProvider.groups, ...nodeHybridGroups },
};
