/** A certificate chain and the key that signs for it. */

import type { Awaitable } from '../../awaitable.ts';
import type { SignatureSchemeName } from '../../wire/registry.ts';
import type { CryptoProvider } from '../provider.ts';
import { equalPublicKeys } from './certificate.ts';
import { chainFromPem, describeChain, naming, privateKeyBlock, requireOwner } from './credential-pem.ts';
import { parsePrivateKey } from './private-key.ts';

export interface Credential {
  /** DER, the server's own certificate first (RFC 8446 §4.4.2). */
  readonly certificateChain: readonly Uint8Array[];
  /** What the key can sign with, in the order of preference. */
  readonly schemes: readonly SignatureSchemeName[];
  /** DNS names of the first certificate, lower case, as they stand in it (`*.example.org` included). */
  readonly names: readonly string[];
  /** What the certificates of the chain are signed with, as far as that has a name here; absent: unknown. */
  readonly certificateSchemes?: readonly SignatureSchemeName[] | undefined;
  /** The signature over `message` (not its digest) in the encoding of RFC 8446 §4.2.3. */
  sign(scheme: SignatureSchemeName, message: Uint8Array): Awaitable<Uint8Array>;
}

/**
 * The credential of a certificate chain and its private key, both PEM. Keys: ECDSA P-256 and P-384, Ed25519, RSA from
 * 2048 bits on; PKCS#8, SEC1 or PKCS#1, not encrypted. That they belong together is checked here and not by a client.
 * @param crypto whose `signer`, if it has one, is to sign
 * @throws TypeError that begins with `cert:` or `key:` and says what to do
 */
export function credentialFromPem(
  { cert, key }: { readonly cert: string; readonly key: string },
  crypto?: Pick<CryptoProvider, 'signer'>,
): Credential {
  const chain = chainFromPem(cert);
  const { publicKey, schemes, sign } = naming('key', () => parsePrivateKey(privateKeyBlock(key), crypto));
  requireOwner(chain.findIndex((certificate) => equalPublicKeys(publicKey, certificate.publicKey)));
  return { ...describeChain(chain), schemes, sign };
}
