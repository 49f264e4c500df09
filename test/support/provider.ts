/**
 * The crypto provider of test servers that name none: TLS_RESUME_PROVIDER is default, noble, fast, node, or web, which has Web
 * Crypto agree on keys. `npm run test:providers` runs what is worth it under each.
 */

import type { CryptoProvider, EphemeralKey, KeyAgreement } from '../../src/crypto/provider.ts';
import { defaultProvider } from '../../src/crypto/providers/default.ts';
import { fast } from '../../src/crypto/providers/fast.ts';
import { noble } from '../../src/crypto/providers/noble.ts';
import { webCrypto } from '../../src/crypto/providers/web-crypto.ts';
import { nodeCrypto } from '../../src/node/index.ts';
import { TestWorld } from './world.ts';

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

const keyPairs = new Map<KeyAgreement, EphemeralKey>();
const reusing = new WeakMap<CryptoProvider, CryptoProvider>();

/** The same provider with one key pair for each group, for clients: a test pays for one scalar multiplication, not for two. */
export function reusingKeys(crypto: CryptoProvider): CryptoProvider {
  const known = reusing.get(crypto);
  if (known !== undefined) return known;
  const { x25519, secp256r1, secp384r1 } = crypto.groups;
  const curves = Object.entries({ x25519, secp256r1, secp384r1 }).flatMap(([name, agreement]) =>
    agreement === undefined ? [] : [[name, { generate: () => keyPair(agreement) }]],
  );
  const made = { ...crypto, groups: { ...crypto.groups, ...Object.fromEntries(curves) } };
  reusing.set(crypto, made);
  return made;
}

function keyPair(agreement: KeyAgreement): EphemeralKey {
  const world = new TestWorld(7);
  const made = keyPairs.get(agreement) ?? (agreement.generate((length) => world.randomBytes(length)) as EphemeralKey);
  keyPairs.set(agreement, made);
  return { publicKey: made.publicKey, agree: (peer) => made.agree(peer), wipe: () => {} };
}
