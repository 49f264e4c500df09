/** ML-KEM-768 by the host's Web Crypto, which makes its own keys and draws for itself. */

import { later } from '../../awaitable.ts';
import { platform, type WebCryptoKem, type WebCryptoKey } from '../../platform.ts';
import type { MlKem768 } from './ml-kem.ts';

const ALGORITHM = { name: 'ML-KEM-768' } as const;

/** Web Crypto of a host that has encapsulation, as the WICG's draft "Modern Algorithms in the Web Cryptography API" has it. */
function webMlKem768(subtle: WebCryptoKem): MlKem768<WebCryptoKey> {
  return {
    keygen: () =>
      subtle
        .generateKey(ALGORITHM, false, ['decapsulateBits'])
        .then(({ publicKey, privateKey }) =>
          subtle
            .exportKey('raw-public', publicKey)
            .then((bytes) => ({ publicKey: new Uint8Array(bytes), secretKey: privateKey })),
        ),
    encapsulate: (publicKey) =>
      subtle
        .importKey('raw-public', publicKey, ALGORITHM, false, ['encapsulateBits'])
        .then((key) => subtle.encapsulateBits(ALGORITHM, key))
        .then(({ ciphertext, sharedKey }) => ({
          cipherText: new Uint8Array(ciphertext),
          sharedSecret: new Uint8Array(sharedKey),
        })),
    decapsulate: (cipherText, secretKey) =>
      subtle.decapsulateBits(ALGORITHM, secretKey, cipherText).then((bytes) => new Uint8Array(bytes)),
  };
}

/**
 * Resolves to ML-KEM-768 by this host's Web Crypto, or to `undefined` if it has none:
 * `hybridGroups(webCrypto.groups, (await hostMlKem768()) ?? ml_kem768)`. Makes a key to find out, as a host may have the functions and
 * not the algorithm. In Node, `nodeCrypto` of tls-resume/node has node:crypto's, without promises.
 */
export function hostMlKem768(): Promise<MlKem768<unknown> | undefined> {
  return Promise.resolve()
    .then(() => {
      const mlKem = webMlKem768(platform.crypto.subtle as unknown as WebCryptoKem);
      return later(mlKem.keygen(new Uint8Array(0)), () => mlKem);
    })
    .catch(() => undefined);
}
