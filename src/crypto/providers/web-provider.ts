/** The provider without curves in TypeScript: key agreement and verification are those of the host's Web Crypto. */

import type { CryptoProvider } from '../provider.ts';
import { symmetric } from './symmetric.ts';
import { webCrypto } from './web-crypto.ts';

/**
 * The provider of small bundles: key agreement and verification are those of the host's Web Crypto, whose keys come from the host's own
 * randomness and not from the `world`. A handshake throws a {@link MissingGlobal} where there is none.
 */
export const webProvider: CryptoProvider = {
  hashes: symmetric.hashes,
  aeads: symmetric.aeads,
  groups: webCrypto.groups,
  verifier: webCrypto.verifier,
};
