/** The server's signature, checked by OpenSSL instead of by the code that made it. */

import { constants, createPublicKey, verify, X509Certificate } from 'node:crypto';
import type { CertificateVerify } from '../../src/handshake/messages/certificate-verify.ts';
import { nameOf, SignatureScheme, type SignatureSchemeName } from '../../src/wire/registry.ts';

/** RFC 9846 §4.3.3: whether `content` was signed by the key of this certificate. */
export function verifySignature(
  certificate: Uint8Array | undefined,
  { algorithm, signature }: CertificateVerify,
  content: Uint8Array,
): boolean {
  if (certificate === undefined) throw new Error('a signature without a certificate');
  const key = new X509Certificate(certificate).publicKey;
  const scheme = nameOf(SignatureScheme, algorithm);
  if (scheme === 'ed25519') return verify(null, content, key, signature);
  const hash = scheme.slice(-6);
  if (scheme.startsWith('ecdsa_')) return verify(hash, content, { key, dsaEncoding: 'der' }, signature);
  const { RSA_PKCS1_PSS_PADDING, RSA_PKCS1_PADDING, RSA_PSS_SALTLEN_DIGEST } = constants;
  const padding = scheme.startsWith('rsa_pss_') ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING;
  const pem = createPublicKey(key.export({ type: 'spki', format: 'pem' }));
  return verify(hash, content, { key: pem, padding, saltLength: RSA_PSS_SALTLEN_DIGEST }, signature);
}

/** What is signed wherever it does not matter what. */
export const message = new TextEncoder().encode('TLS 1.3, server CertificateVerify');

/** The same of {@link message}, by the names: a PEM certificate, a scheme. */
export function isSignature(cert: string, scheme: SignatureSchemeName, signature: Uint8Array): boolean {
  return verifySignature(Buffer.from(cert), { algorithm: SignatureScheme[scheme], signature }, message);
}
