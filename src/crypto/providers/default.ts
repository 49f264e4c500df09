/** The default provider: @noble's curves, its hashes with pooled state, and this library's AES-GCM. */

import type { CryptoProvider } from '../provider.ts';
import { nobleGroups } from './noble-groups.ts';
import { symmetric } from './symmetric.ts';

/**
 * The default: @noble's curves, its hashes and ChaCha20-Poly1305, and an AES-GCM of this library's, with prepared states that are kept.
 * It needs no global of the host but `TextEncoder`.
 */
export const defaultProvider: CryptoProvider = {
  hashes: symmetric.hashes,
  aeads: symmetric.aeads,
  groups: nobleGroups,
};
