/** The proof that a peer has the key of its certificate, in either role: RFC 9846 §4.5.1.2, §4.5.2; RFC 5246 §4.7. */

import { isInstance, later } from '../awaitable.ts';
import { allowsDigitalSignature, parseCertificate } from '../crypto/credentials/certificate.ts';
import type { KeyReader, VerifyingKey } from '../crypto/credentials/public-key.ts';
import { type CryptoProvider, InvalidPublicKey } from '../crypto/provider.ts';
import { TlsAlert } from '../wire/alert.ts';
import { copyOf, EMPTY } from '../wire/bytes.ts';
import { DerError } from '../wire/der.ts';
import { nameOf, SignatureScheme, type SignatureSchemeName, type Version } from '../wire/registry.ts';
import type { CertificateVerify } from './messages/certificate-verify.ts';
import type { Outcome, Task } from './wait.ts';

/** The schemes that a peer may sign with, and that its certificates may be signed with, in the order of preference. */
export const PEER_SCHEMES: readonly SignatureSchemeName[] = [
  'ecdsa_secp256r1_sha256',
  'ecdsa_secp384r1_sha384',
  'ed25519',
  'rsa_pss_rsae_sha256',
  'rsa_pss_rsae_sha384',
  'rsa_pss_rsae_sha512',
  'rsa_pkcs1_sha256', // in TLS 1.3 for certificates alone
  'rsa_pkcs1_sha384',
  'rsa_pkcs1_sha512',
];

/** More certificates than any chain to a root has. */
export const MAX_CHAIN = 16;

/** RFC 9846 §4.5.1.2: the key must be one that a scheme is for, and must be allowed to sign. It keeps nothing of the message. */
export function readKey(leaf: Uint8Array, crypto: CryptoProvider, read: KeyReader): VerifyingKey {
  try {
    const certificate = parseCertificate(leaf);
    if (!allowsDigitalSignature(certificate))
      throw new TlsAlert('unsupported_certificate', 'a certificate whose KeyUsage lacks digitalSignature');
    const { algorithm, curve, bytes } = certificate.publicKey;
    const key = read({ algorithm, curve, bytes: copyOf(bytes) }, crypto);
    if (key !== undefined) return key;
  } catch (error) {
    if (!(error instanceof DerError || error instanceof InvalidPublicKey)) throw error;
    throw new TlsAlert('bad_certificate', error.message);
  }
  throw new TlsAlert('unsupported_certificate', 'a certificate for a kind of key that is not served');
}

/** §4.5.2. The provider that verifies may be the user's, and may have to wait. While it does, it alone holds what was signed. */
export function checkSignature(
  key: VerifyingKey,
  { algorithm, signature }: CertificateVerify,
  content: Uint8Array,
  version: Version,
): Task<unknown, void> {
  const scheme = key.schemes[version].find((candidate) => SignatureScheme[candidate] === algorithm);
  if (scheme === undefined) {
    const name = nameOf(SignatureScheme, algorithm);
    throw new TlsAlert('illegal_parameter', `${name} was not offered, or is not for this key`);
  }
  let signed = content;
  return {
    kind: 'verification',
    callback: 'verify',
    budgeted: false,
    run: () => {
      const message = signed;
      signed = EMPTY;
      return later(key.verify(scheme, message, signature), requireVerdict);
    },
    conclude: requireVerified,
    isAnswer: isRefusedKey,
  };
}

function requireVerdict(verdict: unknown): boolean {
  if (typeof verdict === 'boolean') return verdict;
  throw new TypeError('crypto.verifier: true or false is wanted, or a promise of it');
}

function requireVerified(outcome: Outcome): void {
  if ('value' in outcome && outcome.value === true) return;
  if ('value' in outcome) throw new TlsAlert('decrypt_error', 'the signature does not verify');
  if ('error' in outcome && isRefusedKey(outcome.error))
    throw new TlsAlert('bad_certificate', 'the key in the certificate is none of its kind');
  throw new TlsAlert('internal_error', 'the signature could not be checked');
}

/** Reports whether a provider does not accept the key itself, which is an answer and no failure. */
function isRefusedKey(error: unknown): boolean {
  return isInstance(error, InvalidPublicKey);
}
