/** Private keys, which sign by @noble's curves or, with RSA, by Web Crypto. */

import { ed25519 } from '@noble/curves/ed25519.js';
import { p256, p384 } from '@noble/curves/nist.js';
import { sha256, sha384, sha512 } from '@noble/hashes/sha2.js';
import { platform } from '../../platform.ts';
import { integer, sequence } from '../../wire/der.ts';
import type { PemBlock } from '../../wire/pem.ts';
import type { SignatureSchemeName } from '../../wire/registry.ts';
import type { CryptoProvider, PrivateKeyDer, Sign } from '../provider.ts';
import { Oid, type PublicKey } from './certificate.ts';
import { ecdsaSchemes } from './ecdsa.ts';
import {
  type EcPrivateKey,
  type Ed25519PrivateKey,
  type PrivateKeyNumbers,
  type RsaPrivateKey,
  readPrivateKey,
} from './private-key-der.ts';
import { isRsaScheme, RSA_SCHEMES, type RsaScheme, rsaPkcs8 } from './rsa.ts';

/** A private key that can sign, and its public key. */
export interface PrivateKey {
  readonly publicKey: PublicKey;
  /** In the order of preference. */
  readonly schemes: readonly SignatureSchemeName[];
  /** Those of TLS 1.2, if they are others. */
  readonly schemesTls12?: readonly SignatureSchemeName[];
  readonly sign: Sign;
}

const FORMATS: Readonly<Record<string, PrivateKeyDer['format']>> = {
  'PRIVATE KEY': 'pkcs8',
  'EC PRIVATE KEY': 'sec1',
  'RSA PRIVATE KEY': 'pkcs1',
};

/**
 * Reads a private key. It signs by the `signer` of the provider if that supports it.
 * @throws TypeError for an encrypted key or an unsupported kind of key, DerError for a damaged one
 */
export function parsePrivateKey(block: PemBlock, crypto: Pick<CryptoProvider, 'signer'> = {}): PrivateKey {
  const key = softwareKey(readPrivateKey(block));
  const format = FORMATS[block.label];
  const sign = format && crypto.signer?.({ format, bytes: block.bytes });
  return sign === undefined ? key : { ...key, sign: guarded(key.schemesTls12 ?? key.schemes, sign) };
}

function guarded(schemes: readonly SignatureSchemeName[], sign: Sign): Sign {
  return (scheme, message) => {
    requireScheme(schemes, scheme);
    return sign(scheme, message);
  };
}

function softwareKey(numbers: PrivateKeyNumbers): PrivateKey {
  if (numbers.kind === 'ec') return ecKey(numbers);
  return numbers.kind === 'ed25519' ? ed25519Key(numbers) : rsaKey(numbers);
}

const CURVES = { [Oid.secp256r1]: p256, [Oid.secp384r1]: p384 } as const;
const HASHES = {
  ecdsa_secp256r1_sha256: sha256,
  ecdsa_secp384r1_sha384: sha384,
  ecdsa_secp521r1_sha512: sha512,
} as const;

function ecKey({ curve, scalar: secretKey }: EcPrivateKey): PrivateKey {
  const ecdsa = CURVES[curve];
  if (!ecdsa.utils.isValidSecretKey(secretKey)) throw new TypeError(`key: outside the range of the curve ${curve}`);
  return {
    publicKey: { algorithm: Oid.ecPublicKey, curve, bytes: ecdsa.getPublicKey(secretKey, false) },
    ...ecdsaSchemes(curve),
    sign: (wanted, message) => {
      if (!isEcdsaScheme(wanted)) throw refusal(Object.keys(HASHES), wanted);
      return ecdsa.sign(HASHES[wanted](message), secretKey, { format: 'der', lowS: false, prehash: false });
    },
  };
}

function ed25519Key({ seed: secretKey }: Ed25519PrivateKey): PrivateKey {
  const schemes = ['ed25519'] as const;
  return {
    publicKey: { algorithm: Oid.ed25519, curve: undefined, bytes: ed25519.getPublicKey(secretKey) },
    schemes,
    sign: (wanted, message) => {
      requireScheme(schemes, wanted);
      return ed25519.sign(message, secretKey);
    },
  };
}

type ImportedKey = ReturnType<typeof importRsaKey>;

/** RSA by Web Crypto, which every runtime has. It takes PKCS#8, and needs one import for each scheme. */
function rsaKey({ modulus, exponent, pkcs1 }: RsaPrivateKey): PrivateKey {
  const pkcs8 = rsaPkcs8(pkcs1);
  const schemes = Object.keys(RSA_SCHEMES).filter(isRsaScheme);
  const imported = new Map<RsaScheme, ImportedKey>();
  return {
    publicKey: {
      algorithm: Oid.rsaEncryption,
      curve: undefined,
      bytes: sequence(integer(modulus), integer(exponent)), // RSAPublicKey, as the certificate has it
    },
    schemes,
    sign: (wanted, message) => {
      if (!isRsaScheme(wanted)) return Promise.reject(refusal(schemes, wanted));
      const key = imported.get(wanted) ?? importRsaKey(pkcs8, wanted);
      imported.set(wanted, key);
      return key
        .then((cryptoKey) => platform.crypto.subtle.sign(RSA_SCHEMES[wanted], cryptoKey, message))
        .then((signature) => new Uint8Array(signature));
    },
  };
}

function importRsaKey(pkcs8: Uint8Array, scheme: RsaScheme) {
  return platform.crypto.subtle.importKey('pkcs8', pkcs8, RSA_SCHEMES[scheme], false, ['sign']);
}

function requireScheme(schemes: readonly SignatureSchemeName[], wanted: SignatureSchemeName): void {
  if (!schemes.includes(wanted)) throw refusal(schemes, wanted);
}

function isEcdsaScheme(scheme: string): scheme is keyof typeof HASHES {
  return Object.hasOwn(HASHES, scheme);
}

function refusal(schemes: readonly string[], wanted: SignatureSchemeName): TypeError {
  return new TypeError(`scheme: ${wanted} is not one of this key's: ${schemes.join(', ')}`);
}
