/**
 * The client's certificate: request, proof and judgement. RFC 9846 §4.4.2, §4.5.1, §4.5.2; RFC 5246 §7.4.4, §7.4.6, §7.4.8.
 * The signature is checked first, so that the application judges a chain only if the client has its key.
 */

import type { VerifyingKey } from '../../crypto/credentials/public-key.ts';
import { verifyingKey } from '../../crypto/credentials/verifying-key.ts';
import { certificateVerifyContent } from '../../crypto/key-schedule.ts';
import { sharedCertificate } from '../../sessions/peer-certificate.ts';
import { isOwnAlert, TlsAlert } from '../../wire/alert.ts';
import { copyOf, EMPTY } from '../../wire/bytes.ts';
import { SignatureScheme, type Version } from '../../wire/registry.ts';
import { certificate, certificateTls12 } from '../messages/certificate.ts';
import { ClientCertificateType, certificateRequest, certificateRequestTls12 } from '../messages/certificate-request.ts';
import { type CertificateVerify, certificateVerify } from '../messages/certificate-verify.ts';
import { checkSignature, MAX_CHAIN, PEER_SCHEMES, readKey } from '../peer-signature.ts';
import { type Handshake, type Outcome, perform, receive, type Task } from '../wait.ts';
import type { ClientCertificates, ServerHandshake } from './context.ts';

/**
 * A chain that the client has sent. A handshake that waits keeps all that its functions have named, so they name this object, and the
 * messages themselves are held once: in TLS 1.2 the client signs them all, and they can have 190 kB.
 */
export interface ShownCertificate {
  /**
   * The certificates in DER, the client's own first. Until the signature is proved they are views of the message. Then they are copies;
   * the first is shared with the sessions, so callbacks get others.
   */
  chain: readonly Uint8Array[];
  /** The key in the client's own certificate. */
  readonly key: VerifyingKey;
}

function sendCertificateRequest(context: ServerHandshake): void {
  const { authorities = [] } = context.settings.clientAuth ?? {};
  const body = {
    certificateRequestContext: EMPTY, // §4.4.2: in the handshake
    extensions: {
      signatureAlgorithms: PEER_SCHEMES.map((scheme) => SignatureScheme[scheme]),
      certificateAuthorities: authorities.length === 0 ? undefined : authorities,
    },
  };
  context.transcript.add(context.send(certificateRequest, body));
}

export function sendCertificateRequestTls12(context: ServerHandshake): void {
  const { authorities = [] } = context.settings.clientAuth ?? {};
  const body = {
    certificateTypes: [ClientCertificateType.ecdsa_sign, ClientCertificateType.rsa_sign],
    supportedSignatureAlgorithms: PEER_SCHEMES.map((scheme) => SignatureScheme[scheme]),
    certificateAuthorities: authorities,
  };
  context.transcript.add(context.send(certificateRequestTls12, body));
}

function* receiveShownCertificate(context: ServerHandshake): Handshake<ShownCertificate | undefined> {
  const { body, raw } = yield* receive(certificate);
  context.transcript.add(raw);
  if (body.certificateRequestContext.length > 0) throw new TlsAlert('illegal_parameter', 'an answer to no request'); // §4.5.1
  // §4.3: none of the extensions in the request can be answered by one.
  if (body.certificateList.some(({ extensions }) => (extensions.order ?? []).length > 0))
    throw new TlsAlert('unsupported_extension', 'an extension of a certificate that was not asked for');
  const chain = body.certificateList.map(({ certData }) => certData);
  return shown(context, chain, 'certificate_required');
}

/**
 * Receives the client's certificate in TLS 1.2; `undefined` if it has none and need not have one.
 * @throws TlsAlert handshake_failure if it must have one (RFC 5246 §7.4.6)
 */
export function* receiveCertificateTls12(context: ServerHandshake): Handshake<ShownCertificate | undefined> {
  const { body, raw } = yield* receive(certificateTls12);
  context.transcript.add(raw);
  const client = shown(context, body.certificateList, 'handshake_failure');
  if (client === undefined) context.transcript.forget(); // nothing will be signed
  return client;
}

function shown(
  { settings, crypto }: ServerHandshake,
  chain: readonly Uint8Array[],
  none: 'certificate_required' | 'handshake_failure',
): ShownCertificate | undefined {
  const [leaf] = chain;
  if (leaf === undefined && settings.clientAuth?.mode === 'request') return undefined;
  if (leaf === undefined) throw new TlsAlert(none, 'the client has no certificate');
  if (chain.length > MAX_CHAIN) throw new TlsAlert('illegal_parameter', `a chain of ${chain.length} certificates`);
  return { chain, key: readKey(leaf, crypto, verifyingKey) };
}

function* receiveCertificate(context: ServerHandshake): Handshake<void> {
  const client = yield* receiveShownCertificate(context);
  if (client === undefined) return;
  yield* proveAndJudge(context, client, 'TLSv1.3');
}

export const clientCertificates: ClientCertificates = { request: sendCertificateRequest, receive: receiveCertificate };

/** TLS 1.2: the client signs the messages themselves, with the hash of the scheme (RFC 5246 §7.4.8). */
export function* receiveCertificateVerifyTls12(context: ServerHandshake, client: ShownCertificate): Handshake<void> {
  yield* proveAndJudge(context, client, 'TLSv1.2');
}

function* proveAndJudge(context: ServerHandshake, client: ShownCertificate, version: Version): Handshake<void> {
  const { body, raw } = yield* receive(certificateVerify);
  const check = checkClient(context, client.key, body, version);
  context.transcript.add(raw);
  yield* perform(check);
  client.chain = client.chain.map((certificate, i) => (i === 0 ? sharedCertificate : copyOf)(certificate));
  yield* perform(verifyClient(context, client));
  context.facts.peerCertificateChain = client.chain;
  context.facts.peerCertificate = client.chain[0];
}

/**
 * Asks the application to accept a chain. Only the answer `true` accepts. Any other value is a refusal without a reason, for which
 * there is certificate_unknown, "some other issue" of §6.2. The application may give a reason by throwing an alert of its own.
 */
function verifyClient(context: ServerHandshake, { chain }: ShownCertificate): Task<unknown, void> {
  return {
    kind: 'client-certificate',
    callback: 'verifyClient',
    budgeted: false,
    run: () => context.settings.clientAuth?.verifyClient(Object.freeze(chain.map(copyOf)), context.info()),
    conclude: requireAccepted,
    isAnswer: isOwnAlert,
  };
}

function requireAccepted(outcome: Outcome): void {
  if ('value' in outcome && outcome.value === true) return;
  if ('value' in outcome) throw new TlsAlert('certificate_unknown', 'the application has refused the certificate');
  if ('error' in outcome && isOwnAlert(outcome.error)) throw outcome.error;
  throw new TlsAlert('internal_error', 'nobody has judged the certificate');
}

/** The signature of a client: in TLS 1.2 over the messages themselves. No function that waits names what was signed. */
function checkClient(
  { transcript }: ServerHandshake,
  key: VerifyingKey,
  proof: CertificateVerify,
  version: Version,
): Task<unknown, void> {
  const isTls12 = version === 'TLSv1.2';
  const content = isTls12 ? transcript.release() : certificateVerifyContent('client', transcript.peek());
  return checkSignature(key, proof, content, version);
}
