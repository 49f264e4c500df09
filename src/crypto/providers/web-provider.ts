/** The provider of a server without curves in TypeScript: the host's Web Crypto has them. */

import type { CryptoProvider } from '../provider.ts';
import { symmetric } from './symmetric.ts';
import { webCrypto } from './web-crypto.ts';

export const webProvider: CryptoProvider = {
  hashes: symmetric.hashes,
  aeads: symmetric.aeads,
  groups: webCrypto.groups,
};
