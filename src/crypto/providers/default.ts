/** The provider of a server that names none: @noble's curves and hashes, with what they set up kept; AES-GCM of our own. */

import type { CryptoProvider } from '../provider.ts';
import { nobleGroups } from './noble-groups.ts';
import { symmetric } from './symmetric.ts';

export const defaultProvider: CryptoProvider = {
  hashes: symmetric.hashes,
  aeads: symmetric.aeads,
  groups: nobleGroups,
};
