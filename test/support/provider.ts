/**
 * The crypto provider of test servers that name none: TLS_RESUME_PROVIDER is default, noble, fast, node, or web, which has Web
 * Crypto agree on keys. `npm run test:providers` runs what is worth it under each.
 */

import type { CryptoProvider } from '../../src/crypto/provider.ts';
import { defaultProvider } from '../../src/crypto/providers/default.ts';
import { fast } from '../../src/crypto/providers/fast.ts';
import { noble } from '../../src/crypto/providers/noble.ts';
import { webCrypto } from '../../src/crypto/providers/web-crypto.ts';
import { nodeCrypto } from '../../src/node/index.ts';

const PROVIDERS: Readonly<Record<string, CryptoProvider>> = {
  default: defaultProvider,
  noble,
  fast,
  node: nodeCrypto,
  web: { ...defaultProvider, groups: webCrypto.groups },
};

const name = process.env['TLS_RESUME_PROVIDER'] || 'default';
const chosen = PROVIDERS[name];
if (chosen === undefined)
  throw new Error(`TLS_RESUME_PROVIDER=${name}; there are ${Object.keys(PROVIDERS).join(', ')}`);

/** For servers with sockets, which wait for what answers later. */
export const testProvider: CryptoProvider = chosen;

/** For servers in memory, whose tests are synchronous: `web` has nothing for them but what the default has. */
export const synchronousProvider: CryptoProvider = name === 'web' ? defaultProvider : chosen;
