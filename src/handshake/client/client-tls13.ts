/** The TLS 1.3 client: one function per flight, in the order of RFC 9846 §2, Figures 1 to 3. */

import { certificateVerifyContent, type EarlySecret, earlySecret, finishedMac } from '../../crypto/key-schedule.ts';
import { Plaintext, type Protection, trafficProtection } from '../../crypto/protection.ts';
import type { SuiteParameters } from '../../crypto/suites.ts';
import { TlsAlert } from '../../wire/alert.ts';
import { EMPTY, equalBytes } from '../../wire/bytes.ts';
import {
  ExtensionType,
  type GroupName,
  NamedGroup,
  ProtocolVersion,
  SignatureScheme,
  type SignatureSchemeName,
} from '../../wire/registry.ts';
import type { Established } from '../established.ts';
import { decapsulate, type Signing, signature } from '../key-exchange.ts';
import { certificate } from '../messages/certificate.ts';
import { type CertificateRequest, certificateRequest } from '../messages/certificate-request.ts';
import { certificateVerify } from '../messages/certificate-verify.ts';
import { encryptedExtensions } from '../messages/encrypted-extensions.ts';
import { finished, requireVerifyData } from '../messages/finished.ts';
import { parse, type Received } from '../messages/message.ts';
import {
  HELLO_RETRY_REQUEST_RANDOM,
  type HelloRetryRequest,
  helloRetryRequest,
  type ServerHello,
  serverHello,
} from '../messages/server-hello.ts';
import { type UndecidedServerHello, undecidedServerHello } from '../messages/undecided-server-hello.ts';
import {
  type ApplicationStage,
  applicationStage,
  establishedTls13,
  type HandshakeStage,
  handshakeStage,
} from '../schedule-tls13.ts';
import { type AnyReceived, type Handshake, receive, receiveAny } from '../wait.ts';
import {
  acceptAsOffered,
  applyLimits,
  requireAnswers,
  requireConstants,
  requirePlaced,
  selectedProtocol,
  selectedSuite,
} from './answer-rules.ts';
import { selectSigning } from './client-certificate.ts';
import type { ClientHandshake, ClientProtocol, SentHello } from './context.ts';
import { answerEarlyData, endEarlyData, retryWithoutEarlyData } from './early-data.ts';
import { NewSessionTickets } from './new-session-tickets.ts';
import { longestTicket, offerOf, offersMode, sendSecondHello } from './send-hello.ts';
import { proveAndJudge, shownCertificate, stapledIn } from './server-certificate.ts';

function* connectTls13(
  context: ClientHandshake,
  first: SentHello,
  hello: Received<UndecidedServerHello>,
): Handshake<Established> {
  const { sent, choice } = yield* receiveServerHello(context, first, hello);
  const handshake = yield* protectHandshake(context, sent, choice, sent !== first);
  yield* receiveEncryptedExtensions(context, sent, choice, handshake);
  const request = choice.psk === undefined ? yield* receiveCertificate(context, sent) : undefined;
  const application = yield* receiveFinished(context, handshake);
  if (context.facts.earlyData === 'accepted') endEarlyData(context, writeProtection(handshake));
  if (request !== undefined) yield* sendCertificate(context, request);
  sendFinished(context, handshake, application);
  return established(context, application, first);
}

export const tls13: ClientProtocol = { version: 'TLSv1.3', connect: connectTls13 };

/** The selections of a ServerHello. */
interface Choice {
  readonly suite: SuiteParameters;
  /** `undefined` in a full handshake. */
  readonly psk: { readonly early: EarlySecret; readonly identityIndex: number } | undefined;
  /** `undefined` in psk_ke. */
  readonly share: { readonly group: GroupName; readonly keyExchange: Uint8Array } | undefined;
}

interface Answered {
  readonly sent: SentHello;
  readonly choice: Choice;
}

/** §4.2.3; before it, perhaps, one HelloRetryRequest (§4.2.4). */
function* receiveServerHello(
  context: ClientHandshake,
  first: SentHello,
  hello: Received<UndecidedServerHello>,
): Handshake<Answered> {
  if (!isRetry(hello)) return { sent: first, choice: accept(context, first, hello.raw) };
  const retry = acceptRetry(context, first, hello.raw);
  const sent = yield* sendSecondHello(context, first, retry);
  const second = yield* receive(undecidedServerHello);
  requireConstants(second.body);
  if (isRetry(second)) throw new TlsAlert('unexpected_message', 'a second HelloRetryRequest'); // §4.2.4
  if (second.body.extensions.supportedVersions !== ProtocolVersion['TLSv1.3'])
    throw new TlsAlert('illegal_parameter', 'another version than that of the HelloRetryRequest'); // §4.2.4
  if (second.body.cipherSuite !== retry.cipherSuite)
    throw new TlsAlert('illegal_parameter', 'another suite than that of the HelloRetryRequest'); // §4.2.4
  return { sent, choice: accept(context, sent, second.raw) };
}

function isRetry({ body }: Received<UndecidedServerHello>): boolean {
  return equalBytes(body.random, HELLO_RETRY_REQUEST_RANDOM);
}

/** The fields that both answers have. */
function requireHead(sent: SentHello, hello: ServerHello | HelloRetryRequest): void {
  if (!equalBytes(hello.legacySessionIdEcho, sent.draft.legacySessionId))
    throw new TlsAlert('illegal_parameter', 'the echo of another session id'); // §4.2.3
}

function acceptRetry(context: ClientHandshake, sent: SentHello, raw: Uint8Array): HelloRetryRequest {
  const { transcript, facts, settings } = context;
  const body = parse(helloRetryRequest, raw);
  requireHead(sent, body);
  const { keyShare, cookie, order } = body.extensions;
  const { cookie: unasked, key_share, supported_versions } = ExtensionType;
  requireAnswers(sent, order, [key_share, unasked, supported_versions], [unasked]);
  facts.suite = selectedSuite(context, sent, body.cipherSuite, 'TLSv1.3');
  if (keyShare === undefined && cookie === undefined)
    throw new TlsAlert('illegal_parameter', 'a HelloRetryRequest that asks for nothing'); // §4.2.4
  if (keyShare !== undefined) {
    const isOffered = settings.groups.some((group) => NamedGroup[group] === keyShare);
    const isShared = [...sent.keys.keys()].some((group) => NamedGroup[group] === keyShare);
    if (!isOffered || isShared) throw new TlsAlert('illegal_parameter', 'a share that was not offered, or is there'); // §4.3.8
  }
  transcript.replaceByMessageHash(context.crypto.hashes[facts.suite.hash]);
  transcript.add(raw);
  context.protectReading(new Plaintext()); // refuses data after the retry in its record (§5.1)
  context.tolerateChangeCipherSpec(true);
  retryWithoutEarlyData(context, sent);
  if (sent.draft.legacySessionId.length > 0 && sent.early === undefined) context.sendChangeCipherSpec(); // Appendix E.4
  return body;
}

function accept(context: ClientHandshake, sent: SentHello, raw: Uint8Array): Choice {
  const { transcript, facts } = context;
  const body = parse(serverHello, raw);
  requireHead(sent, body);
  const { key_share, pre_shared_key, supported_versions } = ExtensionType;
  requireAnswers(sent, body.extensions.order, [key_share, pre_shared_key, supported_versions]);
  const suite = selectedSuite(context, sent, body.cipherSuite, 'TLSv1.3');
  facts.suite = suite;
  transcript.start(context.crypto.hashes[suite.hash]);
  transcript.add(raw);
  const psk = selectedPsk(context, sent, suite, body);
  const share = selectedShare(sent, body, psk !== undefined);
  facts.group = share?.group;
  return { suite, psk, share };
}

/** §4.3.11. @throws TlsAlert illegal_parameter */
function selectedPsk(
  context: ClientHandshake,
  sent: SentHello,
  suite: SuiteParameters,
  { extensions: { preSharedKey: index, keyShare } }: ServerHello,
): Choice['psk'] {
  if (index === undefined) return undefined;
  const psk = sent.draft.psks[index];
  if (psk?.secret === undefined) throw new TlsAlert('illegal_parameter', `identity ${index}, which was not offered`);
  if (psk.hash !== suite.hash) throw new TlsAlert('illegal_parameter', 'a suite whose hash is not that of the PSK');
  context.resume(offerOf(sent, psk), index, keyShare === undefined ? 'psk_ke' : 'psk_dhe_ke');
  return { early: context.own(earlySecret(context.crypto.hashes[suite.hash], psk.secret)), identityIndex: index };
}

/** §4.3.8, §4.3.9, §9.2. @throws TlsAlert */
function selectedShare(
  { draft, keys }: SentHello,
  { extensions: { keyShare } }: ServerHello,
  hasPsk: boolean,
): Choice['share'] {
  if (keyShare === undefined) {
    if (!hasPsk) throw new TlsAlert('missing_extension', 'neither key_share nor pre_shared_key');
    if (offersMode(draft, 'psk_ke')) return undefined;
    throw new TlsAlert('illegal_parameter', 'psk_ke, which was not offered'); // §4.3.11
  }
  if (hasPsk && !offersMode(draft, 'psk_dhe_ke'))
    throw new TlsAlert('illegal_parameter', 'psk_dhe_ke, which was not offered');
  const group = [...keys.keys()].find((name) => NamedGroup[name] === keyShare.group);
  if (group === undefined) throw new TlsAlert('illegal_parameter', 'a share of a group of which none was sent');
  return { group, keyExchange: keyShare.keyExchange };
}

/** §7.1, §7.3: reads and writes everything after ServerHello under the handshake traffic keys, but for early data. */
function* protectHandshake(
  context: ClientHandshake,
  { draft, keys, early: isEarly }: SentHello,
  { suite, psk, share }: Choice,
  retried: boolean,
): Handshake<HandshakeStage> {
  const key = share && keys.get(share.group);
  const dhe = share && key && (yield* decapsulate(context, key, share.keyExchange));
  for (const unused of keys.values()) if (unused !== key) context.discard(unused);
  const early = psk?.early ?? context.own(earlySecret(context.crypto.hashes[suite.hash], undefined));
  const stage = handshakeStage(context, suite, early, dhe);
  context.protectReading(trafficProtection(stage.aead, stage.secrets.server));
  context.tolerateChangeCipherSpec(true);
  if (isEarly && !retried) return stage;
  if (draft.legacySessionId.length > 0 && !retried) context.sendChangeCipherSpec(); // Appendix E.4
  context.protectWriting(writeProtection(stage));
  return stage;
}

function writeProtection({ aead, secrets }: HandshakeStage): Protection {
  return trafficProtection(aead, secrets.client);
}

/** §4.4.1 */
function* receiveEncryptedExtensions(
  context: ClientHandshake,
  sent: SentHello,
  { suite, psk }: Choice,
  handshake: HandshakeStage,
): Handshake<void> {
  const { body, raw } = yield* receive(encryptedExtensions);
  context.transcript.add(raw);
  const { extensions } = body;
  const type = ExtensionType;
  requireAnswers(sent, extensions.order, [
    type.server_name,
    type.max_fragment_length,
    type.supported_groups,
    type.application_layer_protocol_negotiation,
    type.record_size_limit,
    type.ticket_request,
    type.early_data,
  ]);
  context.facts.alpnProtocol = selectedProtocol(sent, extensions.alpn);
  applyLimits(context, extensions);
  acceptAsOffered(context, extensions);
  answerEarlyData(context, sent, extensions.earlyData === true, {
    selected: { suite, identityIndex: psk?.identityIndex },
    next: () => writeProtection(handshake),
  });
}

/** §4.4.2, §4.5.1, §4.5.2: receives the server's certificate, and before that, perhaps, a request for ours. */
function* receiveCertificate(context: ClientHandshake, sent: SentHello): Handshake<CertificateRequest | undefined> {
  const { transcript } = context;
  const first = required(yield* receiveAny([certificate, certificateRequest]));
  transcript.add(first.raw);
  const request = first.message === certificateRequest ? parse(certificateRequest, first.raw) : undefined;
  if (request !== undefined) requireRequest(request);
  let { raw } = first;
  if (request !== undefined) {
    ({ raw } = yield* receive(certificate));
    transcript.add(raw);
  }
  const { certificateRequestContext, certificateList } = parse(certificate, raw);
  if (certificateRequestContext.length > 0) throw new TlsAlert('illegal_parameter', 'an answer to no request'); // §4.5.1
  const [stapled] = certificateList.map(({ extensions: { order, statusRequest, signedCertificateTimestamp } }) => {
    requireAnswers(sent, order, [ExtensionType.status_request, ExtensionType.signed_certificate_timestamp]);
    return stapledIn(statusRequest, signedCertificateTimestamp);
  });
  const chain = certificateList.map(({ certData }) => certData);
  const shown = shownCertificate(context, chain, stapled);
  const content = certificateVerifyContent('server', transcript.peek());
  const proof = yield* receive(certificateVerify);
  transcript.add(proof.raw);
  yield* proveAndJudge(context, shown, proof.body, { content, version: 'TLSv1.3' });
  return request;
}

/** Of a wait that accepts no ChangeCipherSpec. */
function required(received: AnyReceived | undefined): AnyReceived {
  if (received === undefined) throw new Error('no message');
  return received;
}

/** §4.4.2. @throws TlsAlert */
function requireRequest({ certificateRequestContext, extensions }: CertificateRequest): void {
  if (certificateRequestContext.length > 0)
    throw new TlsAlert('illegal_parameter', 'a certificate_request_context in the handshake');
  const type = ExtensionType;
  requirePlaced(extensions.order, [
    type.signature_algorithms,
    type.signature_algorithms_cert,
    type.certificate_authorities,
    type.server_name,
    type.status_request,
    type.signed_certificate_timestamp,
  ]);
  if (extensions.signatureAlgorithms === undefined)
    throw new TlsAlert('missing_extension', 'a CertificateRequest without signature_algorithms');
}

/** §4.5.3. Also derives the application keys, and reads with them. */
function* receiveFinished(context: ClientHandshake, handshake: HandshakeStage): Handshake<ApplicationStage> {
  const { transcript } = context;
  const expected = finishedMac(handshake.secrets.server, transcript.peek());
  const { body, raw } = yield* receive(finished);
  requireVerifyData(body, expected);
  context.proved();
  transcript.add(raw);
  const application = applicationStage(context, handshake);
  context.tolerateChangeCipherSpec(false);
  context.protectReading(trafficProtection(application.aead, application.secrets.server));
  return application;
}

/** §4.5.1, §4.5.2: the certificate that was asked for, or an empty list if there is none for these schemes. */
function* sendCertificate(context: ClientHandshake, { extensions }: CertificateRequest): Handshake<void> {
  const { transcript, settings } = context;
  const isAccepted = (scheme: SignatureSchemeName) =>
    extensions.signatureAlgorithms?.includes(SignatureScheme[scheme]) === true;
  const signing: Signing | undefined = selectSigning(settings.credential, isAccepted, 'TLSv1.3');
  const chain = signing?.credential.certificateChain ?? [];
  const certificateList = chain.map((certData) => ({ certData, extensions: {} }));
  transcript.add(context.send(certificate, { certificateRequestContext: EMPTY, certificateList }));
  if (signing === undefined) return;
  const content = certificateVerifyContent('client', transcript.peek());
  const body = { algorithm: SignatureScheme[signing.scheme], signature: yield* signature(signing, content) };
  transcript.add(context.send(certificateVerify, body));
}

function sendFinished(
  context: ClientHandshake,
  handshake: HandshakeStage,
  { aead, main, secrets }: ApplicationStage,
): void {
  const { transcript } = context;
  const verifyData = finishedMac(handshake.secrets.client, transcript.peek());
  transcript.add(context.send(finished, { verifyData }));
  main.finish(transcript.peek());
  context.protectWriting(trafficProtection(aead, secrets.client));
}

function established(context: ClientHandshake, application: ApplicationStage, first: SentHello): Established {
  const { main, secrets } = application;
  const { server: reading, client: writing } = secrets;
  return {
    ...establishedTls13(context, application, { reading, writing }),
    tickets: new NewSessionTickets(context, main, longestTicket(first, writing.hash.length)),
  };
}
