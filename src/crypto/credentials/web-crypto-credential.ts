/** A credential whose key is held by Web Crypto, which signs with it: no curve code in the bundle, and a key that cannot be exported. */

import { platform, type WebCryptoAlgorithm, type WebCryptoKey } from '../../platform.ts';
import { copyOf } from '../../wire/bytes.ts';
import { bitString, explicit, integer, octetString, oid, sequence, Tag, tlv } from '../../wire/der.ts';
import type { SignatureSchemeName } from '../../wire/registry.ts';
import { Oid, type PublicKey } from './certificate.ts';
import type { Credential } from './credential.ts';
import {
  chainFromPem,
  describeChain,
  naming,
  type PemPair,
  privateKeyBlock,
  requireOwner,
  requirePair,
} from './credential-pem.ts';
import { ecdsaSchemes } from './ecdsa.ts';
import { type EcPrivateKey, type PrivateKeyNumbers, readPrivateKey } from './private-key-der.ts';
import { isRsaScheme, RSA_SCHEMES, rsaPkcs8 } from './rsa.ts';

/** A kind of key in the terms of Web Crypto. */
interface Kind {
  /** The object identifiers in its certificates. */
  readonly algorithm: string;
  readonly curve?: string;
  /** In the order of preference. */
  readonly schemes: readonly SignatureSchemeName[];
  /** Those of TLS 1.2, if they are others. */
  readonly schemesTls12?: readonly SignatureSchemeName[];
  algorithmFor(scheme: SignatureSchemeName): WebCryptoAlgorithm;
  /** The key in PKCS#8, which every host reads. */
  readonly pkcs8: Uint8Array;
  /** Converts a signature of Web Crypto to the encoding of TLS (RFC 9846 §4.3.3). */
  encode(signature: Uint8Array): Uint8Array;
}

/** Names of the curves, and the length of half a signature. */
const CURVES = {
  [Oid.secp256r1]: { namedCurve: 'P-256', length: 32 },
  [Oid.secp384r1]: { namedCurve: 'P-384', length: 48 },
} as const;

/**
 * Returns the credential of a certificate chain and its private key, both in PEM, in the kinds and forms that
 * `credentialFromPem()` takes; Ed25519 if the host supports it. Checks by a signature that the two belong together.
 *
 * Rejects with a TypeError that begins with `cert:` or `key:` and says what to do.
 */
export function webCryptoCredential(pem: PemPair): Promise<Credential> {
  return Promise.resolve(pem).then((pem) => {
    requirePair(pem);
    const { cert, key } = pem;
    const chain = chainFromPem(cert);
    const kind = naming('key', () => kindOf(readPrivateKey(privateKeyBlock(key))));
    const { schemes, schemesTls12 } = kind;
    return importKeys(kind).then((keys) => {
      const sign = (scheme: SignatureSchemeName, message: Uint8Array) => signWith(kind, keys, scheme, message);
      return Promise.all(chain.map(({ publicKey }) => isOwner(kind, keys, publicKey))).then((owners) => {
        requireOwner(owners.indexOf(true));
        return { ...describeChain(chain, pem), schemes, ...(schemesTls12 && { schemesTls12 }), sign };
      });
    });
  });
}

function kindOf(numbers: PrivateKeyNumbers): Kind {
  if (numbers.kind === 'ec') return ecKind(numbers);
  if (numbers.kind === 'rsa') return rsaKind(numbers.pkcs1);
  return {
    algorithm: Oid.ed25519,
    schemes: ['ed25519'],
    algorithmFor: () => ({ name: 'Ed25519' }),
    pkcs8: sequence(integer(0), sequence(oid(Oid.ed25519)), octetString(octetString(numbers.seed))), // RFC 8410 §7
    encode: (signature) => signature,
  };
}

function ecKind({ curve, scalar, publicKey }: EcPrivateKey): Kind {
  const { namedCurve, length } = CURVES[curve];
  const point = publicKey === undefined ? [] : [explicit(1, bitString(publicKey.bits('publicKey')))];
  const algorithm = sequence(oid(Oid.ecPublicKey), oid(curve));
  return {
    algorithm: Oid.ecPublicKey,
    curve,
    ...ecdsaSchemes(curve),
    algorithmFor: (scheme) => ({ name: 'ECDSA', namedCurve, hash: `SHA-${scheme.slice(-3)}` }),
    pkcs8: sequence(integer(0), algorithm, octetString(sequence(integer(1), octetString(scalar), ...point))),
    // RFC 3279 §2.2.3: Ecdsa-Sig-Value.
    encode: (halves) => sequence(integer(halves.subarray(0, length)), integer(halves.subarray(length))),
  };
}

function rsaKind(pkcs1: Uint8Array): Kind {
  return {
    algorithm: Oid.rsaEncryption,
    schemes: Object.keys(RSA_SCHEMES).filter(isRsaScheme),
    algorithmFor: (scheme) => RSA_SCHEMES[scheme as keyof typeof RSA_SCHEMES],
    pkcs8: rsaPkcs8(pkcs1),
    encode: (signature) => signature,
  };
}

/** A key of Web Crypto is for one scheme. */
type Keys = ReadonlyMap<SignatureSchemeName, WebCryptoKey>;

const schemesOf = ({ schemes, schemesTls12 = schemes }: Kind) => schemesTls12;

function importKeys(kind: Kind): Promise<Keys> {
  const { algorithmFor, pkcs8 } = kind;
  const { subtle } = platform.crypto;
  const imported = schemesOf(kind).map((scheme) =>
    subtle.importKey('pkcs8', pkcs8, algorithmFor(scheme), false, ['sign']).then((key) => [scheme, key] as const),
  );
  return Promise.all(imported).then(
    (entries) => new Map(entries),
    (cause) => {
      throw new TypeError('key: the Web Crypto of this host does not take it; credentialFromPem() may', { cause });
    },
  );
}

function signWith(kind: Kind, keys: Keys, scheme: SignatureSchemeName, message: Uint8Array): Promise<Uint8Array> {
  const key = keys.get(scheme);
  if (key === undefined) {
    return Promise.reject(new TypeError(`scheme: ${scheme} is not one of this key's: ${schemesOf(kind).join(', ')}`));
  }
  const { subtle } = platform.crypto;
  return subtle
    .sign(kind.algorithmFor(scheme), key, message)
    .then((signature) => kind.encode(new Uint8Array(signature)));
}

/** Reports whether the public key verifies a signature of the private key. */
function isOwner(kind: Kind, keys: Keys, publicKey: PublicKey): Promise<boolean> {
  if (publicKey.algorithm !== kind.algorithm || publicKey.curve !== kind.curve) return Promise.resolve(false);
  const probe = copyOf(publicKey.bytes);
  const { subtle } = platform.crypto;
  const checked = [...keys].slice(0, 1).map(([scheme, key]) => {
    const algorithm = kind.algorithmFor(scheme);
    return Promise.all([
      subtle.importKey('spki', subjectPublicKeyInfo(publicKey), algorithm, false, ['verify']),
      subtle.sign(algorithm, key, probe),
    ]).then(([verifier, signature]) => subtle.verify(algorithm, verifier, new Uint8Array(signature), probe));
  });
  return Promise.all(checked).then(
    ([isVerified]) => isVerified === true,
    () => false, // no point of the curve, say
  );
}

function subjectPublicKeyInfo({ algorithm, curve, bytes }: PublicKey): Uint8Array {
  const isRsa = algorithm === Oid.rsaEncryption;
  const parameters = curve === undefined ? (isRsa ? [tlv(Tag.null)] : []) : [oid(curve)];
  return sequence(sequence(oid(algorithm), ...parameters), bitString(bytes));
}
