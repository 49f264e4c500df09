/** ML-KEM-768 by node:crypto, where it is at least Node 24.7 with OpenSSL 3.5. */

import { Buffer } from 'node:buffer';
import crypto, { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import type { Groups } from '../crypto/provider.ts';
import { hybridGroups } from '../crypto/providers/hybrid-groups.ts';
import type { MlKem768 } from '../crypto/providers/ml-kem.ts';
import { wipe } from '../wire/bytes.ts';
import type { HybridGroupName } from '../wire/registry.ts';
import { nodeGroups } from './node-groups.ts';
import { plain } from './plain.ts';

/** The functions that older Nodes lack, and a format. */
interface Kem {
  createPublicKey(key: {
    readonly key: Uint8Array;
    readonly format: 'raw-public';
    readonly asymmetricKeyType: 'ml-kem-768';
  }): KeyObject;
  encapsulate(key: KeyObject): { readonly sharedKey: Buffer; readonly ciphertext: Buffer };
  decapsulate(key: KeyObject, ciphertext: Uint8Array): Buffer;
}

/** RFC 9935 §6: OneAsymmetricKey of ML-KEM-768, up to the 64 bytes of the seed. */
const PKCS8 = Buffer.from('3054020100300b060960864801650304040204428040', 'hex');
/** RFC 9935 §4: SubjectPublicKeyInfo, up to the 1184 bytes of the key. */
const SPKI = Buffer.from('308204b2300b0609608648016503040402038204a100', 'hex');

function importSeed(seed: Uint8Array): KeyObject {
  const key = Buffer.concat([PKCS8, seed]);
  try {
    return createPrivateKey({ key, format: 'der', type: 'pkcs8' });
  } finally {
    wipe(key);
  }
}

type Import = (publicKey: Uint8Array) => KeyObject;

const importDer: Import = (publicKey) =>
  createPublicKey({ key: Buffer.concat([SPKI, publicKey]), format: 'der', type: 'spki' });

/** Raw where this Node can: of DER, the import alone costs more than the encapsulation. The first Nodes that have ML-KEM cannot. */
function cheapestImport(kem: Kem): Import {
  const importRaw: Import = (key) =>
    kem.createPublicKey({ key, format: 'raw-public', asymmetricKeyType: 'ml-kem-768' });
  try {
    importRaw(new Uint8Array(1184));
    return importRaw;
  } catch {
    return importDer;
  }
}

/** Encapsulation draws by itself. */
function nodeMlKem768(kem: Kem): MlKem768<KeyObject> {
  const { encapsulate, decapsulate } = kem;
  const importPublic = cheapestImport(kem);
  return {
    keygen: (seed) => {
      const secretKey = importSeed(seed);
      const spki = createPublicKey(secretKey).export({ format: 'der', type: 'spki' });
      return { publicKey: plain(spki.subarray(SPKI.length)), secretKey };
    },
    encapsulate: (publicKey) => {
      const { ciphertext, sharedKey } = encapsulate(importPublic(publicKey));
      return { cipherText: plain(ciphertext), sharedSecret: plain(sharedKey) };
    },
    decapsulate: (cipherText, secretKey) => plain(decapsulate(secretKey, cipherText)),
  };
}

/** A Node may have the functions, and be built with a library that lacks the algorithm: a key tells. */
function isKem(found: object): found is Kem {
  if (!('encapsulate' in found)) return false;
  try {
    importSeed(new Uint8Array(64));
    return true;
  } catch {
    return false;
  }
}

/** The hybrid groups of node:crypto; none in a Node that has no ML-KEM. */
export const nodeHybridGroups: Pick<Groups, HybridGroupName> = isKem(crypto)
  ? hybridGroups(nodeGroups, nodeMlKem768(crypto))
  : {};
