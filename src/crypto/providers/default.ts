/** The default provider: @noble's curves, its hashes with pooled state, and this library's AES-GCM. */

import type { CryptoProvider } from '../provider.ts';
import { nobleGroups } from './noble-groups.ts';
import { symmetric } from './symmetric.ts';

export const defaultProvider: CryptoProvider = {
  hashes: symmetric.hashes,
  aeads: symmetric.aeads,
  groups: nobleGroups,
};
