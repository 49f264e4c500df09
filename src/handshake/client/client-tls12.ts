/** The TLS 1.2 client: one function per flight, in the order of RFC 5246 §7.3, Figures 1 and 2; with tickets, of RFC 5077 §3.1. */

import { storedMasterSecret, tls12VerifyData } from '../../crypto/prf.ts';
import type { SuiteParameters } from '../../crypto/suites.ts';
import { TlsAlert } from '../../wire/alert.ts';
import { concat, copyOf, EMPTY, equalBytes } from '../../wire/bytes.ts';
import { encode } from '../../wire/codec.ts';
import { MESSAGE_HEADER } from '../../wire/handshake-buffer.ts';
import {
  CipherSuite,
  ExtensionType,
  type GroupName,
  isHybrid,
  NamedGroup,
  nameOf,
  SignatureScheme,
  type SignatureSchemeName,
} from '../../wire/registry.ts';
import type { Established } from '../established.ts';
import { encapsulate, type Signing, signature } from '../key-exchange.ts';
import { certificateTls12 } from '../messages/certificate.ts';
import {
  type CertificateRequestTls12,
  ClientCertificateType,
  certificateRequestTls12,
} from '../messages/certificate-request.ts';
import { certificateStatus } from '../messages/certificate-status.ts';
import { certificateVerify } from '../messages/certificate-verify.ts';
import { clientKeyExchange } from '../messages/client-key-exchange.ts';
import { finished, requireVerifyData } from '../messages/finished.ts';
import { helloRequest } from '../messages/hello-request.ts';
import { parse, type Received } from '../messages/message.ts';
import {
  MAX_TICKET_LIFETIME,
  type NewSessionTicketTls12,
  newSessionTicketTls12,
} from '../messages/new-session-ticket.ts';
import { type ServerHelloTls12, serverHelloTls12 } from '../messages/server-hello.ts';
import { serverHelloDone } from '../messages/server-hello-done.ts';
import {
  ServerECDHParams,
  type ServerKeyExchange,
  serverKeyExchange,
  serverKeyExchangePsk,
} from '../messages/server-key-exchange.ts';
import type { UndecidedServerHello } from '../messages/undecided-server-hello.ts';
import { deriveKeys, establishedTls12, type Keys, masterSecret, type Randoms } from '../schedule-tls12.ts';
import type { AnyReceived, Handshake } from '../wait.ts';
import { acceptAsOffered, applyLimits, requireAnswers, selectedProtocol, selectedSuite } from './answer-rules.ts';
import { selectSigning } from './client-certificate.ts';
import type { ClientHandshake, ClientProtocol, SentHello, SessionOffer, Stapled } from './context.ts';
import { exchangeWithPsk } from './psk-tls12.ts';
import { receiveAnyTls12, receiveChangeCipherSpecTls12, receiveOneTls12, receiveTls12 } from './receive-tls12.ts';
import { proveAndJudge, type ServerCertificate, shownCertificate, stapledIn } from './server-certificate.ts';

function* connectTls12(
  context: ClientHandshake,
  sent: SentHello,
  { raw }: Received<UndecidedServerHello>,
): Handshake<Established> {
  context.tolerateChangeCipherSpec(false); // it means something in TLS 1.2
  if (context.settings.credential !== undefined) context.transcript.retain(); // for CertificateVerify
  const choice = acceptServerHello(context, sent, raw);
  const full = choice.suite.authentication === 'psk' ? serverKeyExchangePsk : certificateTls12;
  const next = yield* receiveAnyTls12([full, newSessionTicketTls12], choice.mayResume);
  const isFull = next?.message === full;
  if (!isFull && !choice.mayResume) throw new TlsAlert('unexpected_message', 'a ticket before the certificate');
  if (isFull && choice.isEchoed)
    throw new TlsAlert('unexpected_message', 'a certificate after the echo of the session id');
  return isFull ? yield* fullHandshake(context, choice, next.raw) : yield* resume(context, choice, next);
}

export const tls12: ClientProtocol = { version: 'TLSv1.2', connect: connectTls12 };

/** The selections of a ServerHello. */
interface Choice {
  readonly hello: ServerHelloTls12;
  readonly suite: SuiteParameters;
  readonly randoms: Randoms;
  readonly isExtended: boolean;
  /** The session that was offered. */
  readonly offer: SessionOffer | undefined;
  /** Whether the server has echoed the id of the hello, by which it resumes. */
  readonly isEchoed: boolean;
  /** The longest ticket for which a hello has room. */
  readonly room: number;
  /** Whether a resumption may follow: the id was echoed, or a ticket was offered without one (RFC 5077 §3.4). */
  readonly mayResume: boolean;
}

/** RFC 5246 §7.4.1.3, and what the extensions demand. */
function acceptServerHello(context: ClientHandshake, sent: SentHello, raw: Uint8Array): Choice {
  const { facts, transcript, crypto } = context;
  const hello = parse(serverHelloTls12, raw);
  const { extensions, legacySessionIdEcho: id } = hello;
  requireAnswers(sent, extensions.order, ALLOWED, unaskedTypes(sent));
  requireExtensions(context, hello);
  const suite = selectedSuite(context, sent, hello.cipherSuite, 'TLSv1.2');
  facts.suite = suite;
  transcript.start(crypto.hashes[suite.hash]);
  transcript.add(raw);
  facts.alpnProtocol = selectedProtocol(sent, extensions.alpn);
  applyLimits(context, extensions);
  const isExtended = extensions.extendedMasterSecret === true;
  const isEchoed = id.length > 0 && equalBytes(id, sent.draft.legacySessionId);
  const offer = sent.tls12;
  const isSilent = offer?.ticket !== undefined && sent.draft.legacySessionId.length === 0;
  const randoms = { client: sent.draft.random, server: hello.random };
  const { room } = sent;
  const choice = { hello, suite, randoms, isExtended, offer, room, isEchoed, mayResume: isEchoed || isSilent };
  if (isEchoed) requireSameSession(choice);
  return choice;
}

/** @throws TlsAlert for a value that no server may answer with, and without what the settings require */
function requireExtensions({ settings }: ClientHandshake, { extensions }: ServerHelloTls12): void {
  const { renegotiationInfo = EMPTY, ecPointFormats = [0], extendedMasterSecret } = extensions;
  if (renegotiationInfo.length > 0) throw new TlsAlert('handshake_failure', 'a renegotiation_info that is not empty'); // RFC 5746 §3.4
  if (!ecPointFormats.includes(0)) throw new TlsAlert('illegal_parameter', 'no uncompressed points'); // RFC 8422 §5.1.2
  if (!extendedMasterSecret && settings.requireExtendedMasterSecret)
    throw new TlsAlert('handshake_failure', 'no extended_master_secret'); // RFC 7627 §5.2
}

/**
 * RFC 5246 §7.4.1.4 forbids what was not asked for, and supported_groups always is. No RFC has a server of TLS 1.2 send it, and none
 * has a client refuse it; there are load balancers that echo it. It is ignored, as RFC 9846 §4.3.7 demands until a handshake is complete.
 */
const ALLOWED = [
  ExtensionType.server_name,
  ExtensionType.max_fragment_length,
  ExtensionType.supported_groups,
  ExtensionType.ec_point_formats,
  ExtensionType.application_layer_protocol_negotiation,
  ExtensionType.extended_master_secret,
  ExtensionType.record_size_limit,
  ExtensionType.status_request,
  ExtensionType.signed_certificate_timestamp,
  ExtensionType.session_ticket,
  ExtensionType.renegotiation_info,
];

/** RFC 5746 §3.4: the signalling suite asks for renegotiation_info, too. */
function unaskedTypes({ draft }: SentHello): readonly number[] {
  const isAsked = draft.cipherSuites.includes(CipherSuite.TLS_EMPTY_RENEGOTIATION_INFO_SCSV);
  return isAsked ? [ExtensionType.renegotiation_info] : [];
}

/** Figure 1: Message flow for a full handshake; with a ticket, RFC 5077 §3.1, Figure 1. */
function* fullHandshake(context: ClientHandshake, choice: Choice, first: Uint8Array): Handshake<Established> {
  if (choice.suite.authentication !== 'psk') return yield* withCertificate(context, choice, first);
  return yield* finishFull(context, choice, yield* exchangeWithPsk(context, first), undefined);
}

function* withCertificate(context: ClientHandshake, choice: Choice, certificates: Uint8Array): Handshake<Established> {
  context.transcript.add(certificates);
  const shown = shownCertificate(context, parse(certificateTls12, certificates).certificateList);
  const { stapled, next } = yield* receiveCertificateStatus(context, choice);
  const { point, group } = yield* acceptServerKeyExchange(context, choice, { ...shown, stapled }, next);
  const request = yield* receiveServerHelloDone(context);
  const signing = request && sendCertificate(context, request);
  if (signing === undefined) context.transcript.forget();
  const premaster = yield* sendClientKeyExchange(context, group, point);
  return yield* finishFull(context, choice, premaster, signing);
}

function* finishFull(
  context: ClientHandshake,
  choice: Choice,
  premaster: Uint8Array,
  signing: Signing | undefined,
): Handshake<Established> {
  const { suite, randoms, isExtended } = choice;
  const keys = deriveKeys(context, suite, randoms, masterSecret(context, suite, isExtended, premaster, randoms));
  if (signing !== undefined) yield* sendCertificateVerify(context, signing);
  sendFinished(context, keys);
  const ticket = yield* receiveNewSessionTicket(context, choice);
  yield* receiveFinished(context, choice, keys);
  keep(context, choice, keys, ticket);
  return establishedTls12(keys, isExtended, helloRequest);
}

/** Figure 2: Message flow for an abbreviated handshake; with a new ticket, RFC 5077 §3.1, Figure 2. */
function* resume(context: ClientHandshake, choice: Choice, next: AnyReceived | undefined): Handshake<Established> {
  const { suite, randoms, isExtended } = choice;
  const offer = requireSameSession(choice);
  context.transcript.forget();
  context.resume(offer, undefined, undefined);
  keepFragmentLength(context, choice, offer);
  const master = storedMasterSecret(context.crypto.hashes[suite.hash], offer.session.secret);
  const keys = deriveKeys(context, suite, randoms, master);
  if (next === undefined && choice.hello.extensions.sessionTicket)
    throw new TlsAlert('unexpected_message', 'a ChangeCipherSpec before the ticket that was promised'); // RFC 5077 §3.3
  const ticket = next && takeTicket(context, choice, next.raw);
  if (next !== undefined) yield* receiveChangeCipherSpecTls12();
  yield* receiveFinishedUnder(context, choice, keys);
  sendFinished(context, keys);
  if (ticket !== undefined && ticket.ticket.length > 0) keep(context, choice, keys, ticket);
  return establishedTls12(keys, isExtended, helloRequest);
}

/** RFC 6066 §4: the length that was negotiated with the session is that of its resumptions, too; record_size_limit supersedes it. */
function keepFragmentLength(context: ClientHandshake, { hello }: Choice, { session }: SessionOffer): void {
  const { maxFragmentLength: code = 0 } = session.foreign;
  if (code === 0 || hello.extensions.recordSizeLimit !== undefined) return;
  context.facts.maxFragmentLength = code;
  context.limitRecords(2 ** (8 + code), code === context.settings.maxFragmentLength);
}

/** Returns the session that is resumed. RFC 5246 §7.4.1.3, RFC 7627 §5.3. @throws TlsAlert */
function requireSameSession({ suite, isExtended, offer }: Choice): SessionOffer {
  if (offer === undefined) throw new TlsAlert('illegal_parameter', 'the echo of a session id without a session');
  const { session } = offer;
  if (session.cipherSuite !== suite.id)
    throw new TlsAlert('illegal_parameter', `${suite.name}, which is not the suite of the session`);
  if (session.extendedMasterSecret !== isExtended)
    throw new TlsAlert('handshake_failure', 'extended_master_secret is not as in the session');
  return offer;
}

/**
 * RFC 6066 §8: a CertificateStatus may come if ServerHello has announced it, and need not. Also returns the bytes of the
 * ServerKeyExchange after it.
 */
function* receiveCertificateStatus(
  context: ClientHandshake,
  { hello: { extensions } }: Choice,
): Handshake<{ readonly stapled: Stapled; readonly next: Uint8Array }> {
  const status = extensions.statusRequest ? [certificateStatus] : [];
  const first = yield* receiveOneTls12([serverKeyExchange, ...status]);
  context.transcript.add(first.raw);
  const isStatus = first.message === certificateStatus;
  const stapled = stapledIn(
    isStatus ? first.raw.subarray(MESSAGE_HEADER) : undefined,
    extensions.signedCertificateTimestamp,
  );
  if (!isStatus) return { stapled, next: first.raw };
  const { raw: next } = yield* receiveTls12(serverKeyExchange);
  context.transcript.add(next);
  return { stapled, next };
}

interface ServerShare {
  readonly group: GroupName;
  readonly point: Uint8Array;
}

/** RFC 8422 §5.4: the server's ephemeral key, signed together with both randoms; then who judges the certificate. */
function* acceptServerKeyExchange(
  context: ClientHandshake,
  { suite, randoms }: Choice,
  shown: ServerCertificate,
  raw: Uint8Array,
): Handshake<ServerShare> {
  const { params, signed } = parse(serverKeyExchange, raw);
  const group = context.settings.groups.find((name) => NamedGroup[name] === params.namedCurve && !isHybrid(name));
  if (group === undefined)
    throw new TlsAlert(
      'illegal_parameter',
      `the group ${nameOf(NamedGroup, params.namedCurve)}, which was not offered`,
    );
  requireKind(suite, signed);
  const content = concat(randoms.client, randoms.server, encode(ServerECDHParams, params));
  yield* proveAndJudge(context, shown, signed, { content, version: 'TLSv1.2' });
  context.facts.group = group;
  return { group, point: params.point };
}

/** RFC 5246 §7.4.2, RFC 8422 §2: the suite says by which kind of key the server signs. @throws TlsAlert illegal_parameter */
function requireKind({ authentication, name }: SuiteParameters, { algorithm }: ServerKeyExchange['signed']): void {
  const scheme = nameOf(SignatureScheme, algorithm);
  if ((authentication === 'rsa') !== scheme.startsWith('rsa_'))
    throw new TlsAlert('illegal_parameter', `${name} with a signature of ${scheme}`);
}

/** RFC 5246 §7.4.4, §7.4.5: the end of the server's flight, and before it, perhaps, a request for a certificate. */
function* receiveServerHelloDone(context: ClientHandshake): Handshake<CertificateRequestTls12 | undefined> {
  const first = yield* receiveOneTls12([serverHelloDone, certificateRequestTls12]);
  context.transcript.add(first.raw);
  if (first.message === serverHelloDone) {
    parse(serverHelloDone, first.raw);
    return undefined;
  }
  const request = parse(certificateRequestTls12, first.raw);
  context.transcript.add((yield* receiveTls12(serverHelloDone)).raw);
  return request;
}

const { rsa_sign, ecdsa_sign } = ClientCertificateType;

/** RFC 5246 §7.4.6: the certificate that was asked for, or an empty list. Returns what its CertificateVerify is made with. */
function sendCertificate(
  context: ClientHandshake,
  { certificateTypes, supportedSignatureAlgorithms }: CertificateRequestTls12,
): Signing | undefined {
  const isAccepted = (scheme: SignatureSchemeName): boolean =>
    certificateTypes.includes(scheme.startsWith('rsa_') ? rsa_sign : ecdsa_sign) && // RFC 8422 §5.5
    supportedSignatureAlgorithms.includes(SignatureScheme[scheme]);
  const signing = selectSigning(context.settings.credential, isAccepted, 'TLSv1.2');
  const certificateList = signing?.credential.certificateChain ?? [];
  context.transcript.add(context.send(certificateTls12, { certificateList }));
  return signing;
}

/** RFC 8422 §5.7. Returns the premaster secret. */
function* sendClientKeyExchange(context: ClientHandshake, group: GroupName, peer: Uint8Array): Handshake<Uint8Array> {
  const { keyShare: point, sharedSecret } = yield* encapsulate(context, group, peer);
  context.transcript.add(context.send(clientKeyExchange, { point }));
  return sharedSecret;
}

/** RFC 5246 §7.4.8: signs the messages themselves. */
function* sendCertificateVerify(context: ClientHandshake, signing: Signing): Handshake<void> {
  const content = context.transcript.release();
  const body = { algorithm: SignatureScheme[signing.scheme], signature: yield* signature(signing, content) };
  context.transcript.add(context.send(certificateVerify, body));
}

function sendFinished(context: ClientHandshake, { master, client }: Keys): void {
  context.sendChangeCipherSpec();
  context.protectWriting(client);
  const verifyData = tls12VerifyData(master, 'client', context.transcript.peek());
  context.transcript.add(context.send(finished, { verifyData }));
}

/** RFC 5077 §3.3: comes if ServerHello has promised it, and not otherwise. */
function* receiveNewSessionTicket(
  context: ClientHandshake,
  choice: Choice,
): Handshake<NewSessionTicketTls12 | undefined> {
  if (!choice.hello.extensions.sessionTicket) return undefined;
  const { raw } = yield* receiveTls12(newSessionTicketTls12);
  return takeTicket(context, choice, raw);
}

function takeTicket(context: ClientHandshake, { hello }: Choice, raw: Uint8Array): NewSessionTicketTls12 {
  if (!hello.extensions.sessionTicket)
    throw new TlsAlert('unexpected_message', 'a ticket that ServerHello has not promised');
  context.transcript.add(raw);
  return parse(newSessionTicketTls12, raw);
}

function* receiveFinished(context: ClientHandshake, choice: Choice, keys: Keys): Handshake<void> {
  yield* receiveChangeCipherSpecTls12();
  yield* receiveFinishedUnder(context, choice, keys);
}

/** Receives the server's Finished, after its ChangeCipherSpec. */
function* receiveFinishedUnder(context: ClientHandshake, { hello }: Choice, { master, server }: Keys): Handshake<void> {
  context.protectReading(server);
  acceptAsOffered(context, hello.extensions);
  const expected = tls12VerifyData(master, 'server', context.transcript.peek());
  const { body, raw } = yield* receiveTls12(finished);
  requireVerifyData(body, expected);
  context.proved();
  context.transcript.add(raw);
}

/**
 * Keeps the session by its id or, if there is one that is not empty, by its ticket (RFC 5077 §3.3, §3.4), unless no hello has room for
 * that. A ticket is kept for seven days at most, as one of TLS 1.3 (RFC 9846 §4.7.1), whatever its hint: a client may delete it
 * earlier (RFC 5077 §3.3).
 */
function keep(
  context: ClientHandshake,
  { hello, isExtended, room }: Choice,
  { master }: Keys,
  given: NewSessionTicketTls12 | undefined,
): void {
  const { facts } = context;
  const ticket = given !== undefined && given.ticket.length > 0 ? given.ticket : undefined;
  if (ticket === undefined ? hello.legacySessionIdEcho.length === 0 : ticket.length > room) return;
  context.adopt({
    version: 'TLSv1.2',
    cipherSuite: facts.suite?.id ?? 0,
    id: ticket === undefined ? hello.legacySessionIdEcho : undefined,
    secret: master.bytes,
    timeout: Math.min(given?.ticketLifetimeHint ?? 0, MAX_TICKET_LIFETIME) || undefined, // 0 states no lifetime
    extendedMasterSecret: isExtended,
    group: facts.group === undefined ? 0 : NamedGroup[facts.group],
    foreign: ticket && { ticket: copyOf(ticket), ticketLifetimeHint: given?.ticketLifetimeHint },
  });
}
