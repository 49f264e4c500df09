/** Signatures by node:crypto: a server's own, and those of client certificates. */

import { Buffer } from 'node:buffer';
import {
  constants,
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  type SigningOptions,
  sign,
  verify,
} from 'node:crypto';
import type { PrivateKeyDer, PublicKeyDer, Sign, Verify } from '../crypto/provider.ts';
import type { SignatureSchemeName } from '../wire/registry.ts';
import { plain } from './plain.ts';

/** The salt is as long as the digest (RFC 9846 §4.3.3). */
const PSS = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
const PKCS1 = { padding: constants.RSA_PKCS1_PADDING };

type Parameters = SigningOptions & { readonly hash: string | null };

/** Ed25519 has its hash built in. */
const SCHEMES: Readonly<Record<SignatureSchemeName, Parameters>> = {
  ecdsa_secp256r1_sha256: { hash: 'sha256' },
  ecdsa_secp384r1_sha384: { hash: 'sha384' },
  ecdsa_secp521r1_sha512: { hash: 'sha512' },
  ed25519: { hash: null },
  rsa_pss_rsae_sha256: { hash: 'sha256', ...PSS },
  rsa_pss_rsae_sha384: { hash: 'sha384', ...PSS },
  rsa_pss_rsae_sha512: { hash: 'sha512', ...PSS },
  rsa_pkcs1_sha256: { hash: 'sha256', ...PKCS1 },
  rsa_pkcs1_sha384: { hash: 'sha384', ...PKCS1 },
  rsa_pkcs1_sha512: { hash: 'sha512', ...PKCS1 },
};

/** The `signer` of a CryptoProvider. Returns `undefined` for a key that OpenSSL, which is stricter than we are, does not read. */
export function nodeSigner({ format: type, bytes }: PrivateKeyDer): Sign | undefined {
  const key = imported(() => createPrivateKey({ key: bufferOf(bytes), format: 'der', type }));
  if (key === undefined) return undefined;
  return (scheme, message) => {
    const { hash, ...parameters } = SCHEMES[scheme];
    return plain(sign(hash, message, { ...parameters, key }));
  };
}

/** The `verifier` of a CryptoProvider. Returns `undefined` for a key that OpenSSL does not read. */
export function nodeVerifier({ format: type, bytes }: PublicKeyDer): Verify | undefined {
  const key = imported(() => createPublicKey({ key: bufferOf(bytes), format: 'der', type }));
  if (key === undefined) return undefined;
  return (scheme, message, signature) => {
    const { hash, ...parameters } = SCHEMES[scheme];
    return verify(hash, message, { ...parameters, key }, signature);
  };
}

function imported(importKey: () => KeyObject): KeyObject | undefined {
  try {
    return importKey();
  } catch {
    return undefined;
  }
}

function bufferOf({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}
