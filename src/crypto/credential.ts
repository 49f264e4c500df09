/** A certificate chain and the key that signs for it. */

import { DerError } from '../wire/der.ts';
import { type PemBlock, PemError, parsePem } from '../wire/pem.ts';
import type { SignatureSchemeName } from '../wire/registry.ts';
import { type Certificate, equalPublicKeys, type PublicKey, parseCertificate } from './certificate.ts';
import { type PrivateKey, parsePrivateKey } from './private-key.ts';
import type { Awaitable, CryptoProvider } from './provider.ts';

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
  const certificates = certificatesFromPem('cert', cert);
  const [leaf] = certificates;
  if (leaf === undefined) throw new TypeError('cert: no CERTIFICATE in it; were cert and key interchanged?');
  const privateKey = naming('key', () => parsePrivateKey(privateKeyBlock(blocksOf('key', key)), crypto));
  requireOwner(
    privateKey,
    certificates.map(({ publicKey }) => publicKey),
  );
  return {
    certificateChain: certificates.map(({ bytes }) => bytes),
    schemes: privateKey.schemes,
    certificateSchemes: certificates.flatMap(({ signedWith }) => SCHEME_OF[signedWith ?? ''] ?? []),
    names: leaf.names,
    sign: privateKey.sign,
  };
}

/** Every CERTIFICATE of a PEM text, parsed, and as it was. @throws TypeError that begins with the name of the argument */
export function certificatesFromPem(
  argument: string,
  text: unknown,
): readonly (Certificate & { readonly bytes: Uint8Array })[] {
  const blocks = blocksOf(argument, text).filter(({ label }) => label === 'CERTIFICATE');
  return blocks.map(({ bytes }) => ({ ...naming(argument, () => parseCertificate(bytes)), bytes }));
}

/** RFC 4055 §5, RFC 5758 §3.2, RFC 8410 §3. */
const SCHEME_OF: Readonly<Record<string, SignatureSchemeName>> = {
  '1.2.840.113549.1.1.11': 'rsa_pkcs1_sha256',
  '1.2.840.113549.1.1.12': 'rsa_pkcs1_sha384',
  '1.2.840.113549.1.1.13': 'rsa_pkcs1_sha512',
  '1.2.840.10045.4.3.2': 'ecdsa_secp256r1_sha256',
  '1.2.840.10045.4.3.3': 'ecdsa_secp384r1_sha384',
  '1.3.101.112': 'ed25519',
};

function blocksOf(argument: string, text: unknown): PemBlock[] {
  if (typeof text !== 'string') throw new TypeError(`${argument}: a string of PEM wanted, ${typeof text} given`);
  return naming(argument, () => parsePem(text));
}

/** The one private key among the blocks: EC PARAMETERS may stand before it, certificates around it. */
function privateKeyBlock(blocks: readonly PemBlock[]): PemBlock {
  const [block, second] = blocks.filter(({ label }) => label.endsWith('PRIVATE KEY'));
  if (block === undefined) {
    throw new TypeError(`key: no private key in it, only ${blocks.map(({ label }) => label).join(', ')}`);
  }
  if (second !== undefined) throw new TypeError('key: more than one private key in it; leave only that of cert');
  return block;
}

/** RFC 8446 §4.4.2: the key is that of the first certificate. */
function requireOwner({ publicKey }: PrivateKey, certified: readonly PublicKey[]): void {
  const at = certified.findIndex((other) => equalPublicKeys(publicKey, other));
  if (at < 0) throw new TypeError('key: does not belong to the certificate in cert; is it the key of another one?');
  if (at > 0) {
    throw new TypeError(`cert: key belongs to certificate ${at + 1} of the chain; put that first, then its issuers`);
  }
}

/** Names the argument at fault in what the parsers throw. */
function naming<T>(argument: string, parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    if (!(cause instanceof PemError || cause instanceof DerError)) throw cause;
    throw new TypeError(`${argument}: ${cause.message}`, { cause });
  }
}
