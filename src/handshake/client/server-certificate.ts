/** The server's certificate, the proof of its key, and who judges it: RFC 9846 §4.5.1, §4.5.2; RFC 5246 §7.4.2, §7.4.3. */

import type { VerifyingKey } from '../../crypto/credentials/public-key.ts';
import { sharedCertificate } from '../../sessions/peer-certificate.ts';
import { TlsAlert } from '../../wire/alert.ts';
import { copyOf } from '../../wire/bytes.ts';
import { SignatureScheme, type Version } from '../../wire/registry.ts';
import type { CertificateVerify } from '../messages/certificate-verify.ts';
import { checkSignature, MAX_CHAIN, readKey } from '../peer-signature.ts';
import { type Handshake, perform } from '../wait.ts';
import type { ClientHandshake } from './context.ts';

/** A chain that the server has sent. Nothing is proved yet. */
export interface ServerCertificate {
  /** The certificates in DER, the server's own first. That one is shared with the sessions, so callbacks get copies. */
  readonly chain: readonly Uint8Array[];
  /** The key in the server's own certificate. */
  readonly key: VerifyingKey;
}

/** @throws TlsAlert decode_error for no certificate (§4.5.1.3); those of {@link readKey} for one whose key cannot be used */
export function shownCertificate({ crypto, parts }: ClientHandshake, chain: readonly Uint8Array[]): ServerCertificate {
  const [leaf, ...issuers] = chain;
  if (leaf === undefined) throw new TlsAlert('decode_error', 'the server has sent no certificate');
  if (chain.length > MAX_CHAIN) throw new TlsAlert('illegal_parameter', `a chain of ${chain.length} certificates`);
  return { chain: [sharedCertificate(leaf), ...issuers.map(copyOf)], key: readKey(leaf, crypto, parts.readPublicKey) };
}

/** Requires the proof that the server has the key, and then that somebody accepts its chain. */
export function* proveAndJudge(
  context: ClientHandshake,
  { chain, key }: ServerCertificate,
  proof: CertificateVerify,
  signed: { readonly content: Uint8Array; readonly version: Version },
): Handshake<void> {
  const scheme = context.settings.signatureAlgorithms.find((name) => SignatureScheme[name] === proof.algorithm);
  if (scheme === undefined) throw new TlsAlert('illegal_parameter', 'a signature scheme that was not offered');
  yield* perform(checkSignature(key, proof, signed.content, signed.version));
  context.facts.signatureScheme = scheme;
  yield* perform(context.verifyServer(Object.freeze(chain.map(copyOf))));
  context.facts.peerCertificateChain = chain;
  context.facts.peerCertificate = chain[0];
}
