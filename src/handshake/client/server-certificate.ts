/** The server's certificate, the proof of its key, and who judges it: RFC 9846 §4.5.1, §4.5.2; RFC 5246 §7.4.2, §7.4.3. */

import type { VerifyingKey } from '../../crypto/credentials/public-key.ts';
import { sharedCertificate } from '../../sessions/peer-certificate.ts';
import { TlsAlert } from '../../wire/alert.ts';
import { copyOf } from '../../wire/bytes.ts';
import { decode } from '../../wire/codec.ts';
import { SignatureScheme, type Version } from '../../wire/registry.ts';
import { CertificateStatus, SignedCertificateTimestampList } from '../messages/certificate-status.ts';
import type { CertificateVerify } from '../messages/certificate-verify.ts';
import { fromPeer } from '../messages/message.ts';
import { checkSignature, MAX_CHAIN, readKey } from '../peer-signature.ts';
import { type Handshake, perform } from '../wait.ts';
import type { ClientHandshake, Stapled } from './context.ts';

/** A chain that the server has sent. Nothing is proved yet. */
export interface ServerCertificate {
  /** The certificates in DER, the server's own first. That one is shared with the sessions, so callbacks get copies. */
  readonly chain: readonly Uint8Array[];
  /** The key in the server's own certificate. */
  readonly key: VerifyingKey;
  /** TLS 1.2: it comes later. */
  readonly stapled: Stapled;
}

/** @throws TlsAlert decode_error for no certificate (§4.5.1.3); those of {@link readKey} for one whose key cannot be used */
export function shownCertificate(
  { crypto, parts }: ClientHandshake,
  chain: readonly Uint8Array[],
  stapled: Stapled = NOTHING_STAPLED,
): ServerCertificate {
  const [leaf, ...issuers] = chain;
  if (leaf === undefined) throw new TlsAlert('decode_error', 'the server has sent no certificate');
  if (chain.length > MAX_CHAIN) throw new TlsAlert('illegal_parameter', `a chain of ${chain.length} certificates`);
  const key = readKey(leaf, crypto, parts.readPublicKey);
  return { chain: [sharedCertificate(leaf), ...issuers.map(copyOf)], key, stapled };
}

export const NOTHING_STAPLED: Stapled = { ocspResponse: undefined, signedCertificateTimestamps: undefined };

/** Decodes what has come beside a certificate: a CertificateStatus and a SignedCertificateTimestampList. @throws TlsAlert */
export function stapledIn(status: Uint8Array | undefined, timestamps: Uint8Array | undefined): Stapled {
  return copyOfStapled({
    ocspResponse: status && fromPeer(() => decode(CertificateStatus, status)).response,
    signedCertificateTimestamps: timestamps && fromPeer(() => decode(SignedCertificateTimestampList, timestamps)),
  });
}

/** Messages are views of what was received, and callbacks keep what they are given. */
export function copyOfStapled({ ocspResponse, signedCertificateTimestamps }: Stapled): Stapled {
  return {
    ocspResponse: ocspResponse && copyOf(ocspResponse),
    signedCertificateTimestamps: signedCertificateTimestamps?.map(copyOf),
  };
}

/** Requires the proof that the server has the key, and then that somebody accepts its chain. */
export function* proveAndJudge(
  context: ClientHandshake,
  { chain, key, stapled }: ServerCertificate,
  proof: CertificateVerify,
  signed: { readonly content: Uint8Array; readonly version: Version },
): Handshake<void> {
  const scheme = context.settings.signatureAlgorithms.find((name) => SignatureScheme[name] === proof.algorithm);
  if (scheme === undefined) throw new TlsAlert('illegal_parameter', 'a signature scheme that was not offered');
  yield* perform(checkSignature(key, proof, signed.content, signed.version));
  context.facts.signatureScheme = scheme;
  yield* perform(context.verifyServer(Object.freeze(chain.map(copyOf)), copyOfStapled(stapled)));
  context.facts.stapled = stapled;
  context.facts.peerCertificateChain = chain;
  context.facts.peerCertificate = chain[0];
}
