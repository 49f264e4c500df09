/** Definitions that signing and verifying with RSA share. Web Crypto does both. */

import { integer, octetString, oid, sequence, Tag, tlv } from '../../wire/der.ts';
import { Oid } from './certificate.ts';

/** The schemes in the terms of Web Crypto. The salt of RSASSA-PSS is as long as the digest (RFC 9846 §4.3.3). */
export const RSA_SCHEMES = {
  rsa_pss_rsae_sha256: { name: 'RSA-PSS', hash: 'SHA-256', saltLength: 32 },
  rsa_pss_rsae_sha384: { name: 'RSA-PSS', hash: 'SHA-384', saltLength: 48 },
  rsa_pss_rsae_sha512: { name: 'RSA-PSS', hash: 'SHA-512', saltLength: 64 },
  rsa_pkcs1_sha256: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', saltLength: 0 },
  rsa_pkcs1_sha384: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-384', saltLength: 0 },
  rsa_pkcs1_sha512: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-512', saltLength: 0 },
} as const;

export type RsaScheme = keyof typeof RSA_SCHEMES;

export function isRsaScheme(scheme: string): scheme is RsaScheme {
  return Object.hasOwn(RSA_SCHEMES, scheme);
}

/** Shorter keys are refused: browsers, and OpenSSL at its default security level, refuse them too. */
export const MIN_RSA_BITS = 2048;

/** AlgorithmIdentifier of rsaEncryption (RFC 4055 §1.2). */
export const RSA_ENCRYPTION: Uint8Array = /* @__PURE__ */ (() => sequence(oid(Oid.rsaEncryption), tlv(Tag.null)))();

/** Wraps an RSAPrivateKey in PKCS#8, which Web Crypto requires. */
export function rsaPkcs8(pkcs1: Uint8Array): Uint8Array {
  return sequence(integer(0), RSA_ENCRYPTION, octetString(pkcs1));
}

/** Returns the bits of a number without leading zero bytes. */
export function bitLength(modulus: Uint8Array): number {
  return 8 * modulus.length - Math.clz32(modulus[0] ?? 0) + 24;
}
