/** Credentials: a certificate chain, and the key that signs for it. */

import type { Awaitable } from '../../awaitable.ts';
import { requireObject, wrongKind } from '../../wire/options.ts';
import type { SignatureSchemeName } from '../../wire/registry.ts';
import type { CryptoProvider } from '../provider.ts';
import { equalPublicKeys } from './certificate.ts';
import {
  chainFromPem,
  describeChain,
  naming,
  type PemPair,
  privateKeyBlock,
  requireOwner,
  requirePair,
} from './credential-pem.ts';
import { parsePrivateKey } from './private-key.ts';
import type { Staples } from './staples.ts';

/** A certificate chain and its private key, as a server needs them. */
export interface Credential extends Staples {
  /** DER, the server's own certificate first (RFC 9846 §4.5.1). */
  readonly certificateChain: readonly Uint8Array[];
  /** The schemes that the key can sign with, in the order of preference. */
  readonly schemes: readonly SignatureSchemeName[];
  /**
   * The schemes that the key can sign with in TLS 1.2, in the order of preference, if they are others: there any hash goes with an
   * ECDSA key of any curve, and the curve in the name of a scheme means nothing (RFC 9846 §4.3.3). Default: `schemes`.
   */
  readonly schemesTls12?: readonly SignatureSchemeName[] | undefined;
  /** DNS names of the first certificate in lower case, wildcards such as `*.example.org` included. */
  readonly names: readonly string[];
  /** The schemes by which the certificates of the chain are signed, as far as they have a name here. Absent if unknown. */
  readonly certificateSchemes?: readonly SignatureSchemeName[] | undefined;
  /** Signs `message` (not its digest) and returns the signature in the encoding of RFC 9846 §4.3.3. */
  sign(scheme: SignatureSchemeName, message: Uint8Array): Awaitable<Uint8Array>;
}

/**
 * Returns the credential of a certificate chain and its private key, both in PEM. Keys are ECDSA P-256 or P-384, Ed25519, or
 * RSA of at least 2048 bits, in PKCS#8, SEC1 or PKCS#1, not encrypted. Checks that the key belongs to the first certificate.
 * @param crypto its `signer`, if it has one, signs
 * @throws TypeError that begins with `cert:` or `key:` and says what to do
 */
export function credentialFromPem(pem: PemPair, crypto?: Pick<CryptoProvider, 'signer'>): Credential {
  requirePair(pem);
  if (crypto !== undefined) requireObject('crypto', crypto);
  const signer: unknown = crypto?.signer;
  if (signer !== undefined && typeof signer !== 'function') throw wrongKind('crypto.signer', 'a function', signer);
  const { cert, key } = pem;
  const chain = chainFromPem(cert);
  const { publicKey, ...signing } = naming('key', () => parsePrivateKey(privateKeyBlock(key), crypto));
  requireOwner(chain.findIndex((certificate) => equalPublicKeys(publicKey, certificate.publicKey)));
  return { ...describeChain(chain, pem), ...signing };
}
