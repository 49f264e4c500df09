/** The TLS 1.3 server: one function per flight, in the order of RFC 9846 §2, Figures 1 to 3. */

import { certificateVerifyContent, earlySecret, finishedMac } from '../../crypto/key-schedule.ts';
import { trafficProtection } from '../../crypto/protection.ts';
import { concat, EMPTY } from '../../wire/bytes.ts';
import { NamedGroup, ProtocolVersion, SignatureScheme } from '../../wire/registry.ts';
import type { Established } from '../established.ts';
import { encapsulate, type Signing, signature } from '../key-exchange.ts';
import { maxFragmentLength } from '../max-fragment-length.ts';
import { certificate } from '../messages/certificate.ts';
import { certificateVerify } from '../messages/certificate-verify.ts';
import type { ClientHello } from '../messages/client-hello.ts';
import { encryptedExtensions } from '../messages/encrypted-extensions.ts';
import { endOfEarlyData } from '../messages/end-of-early-data.ts';
import { finished, requireVerifyData } from '../messages/finished.ts';
import { frame } from '../messages/message.ts';
import { serverHello } from '../messages/server-hello.ts';
import { acceptLimited, recordSizeLimit } from '../record-size-limit.ts';
import {
  type ApplicationStage,
  applicationStage,
  establishedTls13,
  type HandshakeStage,
  handshakeStage,
} from '../schedule-tls13.ts';
import { call, type Handshake, receive } from '../wait.ts';
import type { AcceptedEarlyData, ClientCertificates, Protocol, ServerHandshake } from './context.ts';
import { forgetHello, type HeldHello } from './held-hello.ts';
import { negotiateTls13, type Tls13Choice } from './negotiate-tls13.ts';
import {
  dueTickets,
  expectedTickets,
  type Issue,
  TicketIssuer,
  ticketCount,
  whyNoTicket,
} from './new-session-tickets.ts';
import { issuesSessions } from './resumption.ts';
import { entryExtensions, staple } from './stapling.ts';

function* serveTls13(context: ServerHandshake, first: HeldHello): Handshake<Established> {
  const choice = yield* negotiateTls13(context, first);
  hashHello(context, choice);
  const early = yield* acceptEarlyData(context, choice);
  forgetHello(choice.hello);
  const { sessions } = context;
  if (choice.psk?.psk.session === undefined) sessions.isRuledOut = yield* call(() => sessions.askNotResumable(false)); // OpenSSL passes false, too
  const handshake = yield* sendServerHello(context, choice, early);
  sendEncryptedExtensions(context, choice);
  const wanted = wantedCertificates(context, choice);
  wanted?.request(context);
  if (choice.signing !== undefined) yield* sendCertificate(context, choice.hello.body, choice.signing);
  const application = sendFinished(context, handshake);
  if (early !== undefined) {
    context.concludeEarlyData('accepted');
    context.allowEarlyWrites(Number.POSITIVE_INFINITY, choice.suite); // half a round trip before the client's Finished
  }
  const halfRtt = wanted ? undefined : yield* sendHalfRttTickets(context, choice, handshake, application);
  if (early !== undefined) yield* receiveEarlyData(context, early, handshake);
  if (wanted !== undefined) yield* wanted.receive(context);
  yield* receiveFinished(context, handshake, application, halfRtt?.verifyData);
  const tickets = yield* sendNewSessionTickets(context, choice, application, halfRtt);
  const { client: reading, server: writing } = application.secrets;
  return establishedTls13(context, application, { reading, writing }, tickets);
}

export const tls13: Protocol = { version: 'TLSv1.3', serve: serveTls13 };

/** Adds the hello that ServerHello answers to the transcript. */
function hashHello({ transcript, settings }: ServerHandshake, { hello, suite }: Tls13Choice): void {
  transcript.add(hello.raw);
  transcript.start(settings.crypto.hashes[suite.hash]);
}

/** §4.3.10: decides on the early data that the client sends, if it does. */
function* acceptEarlyData(context: ServerHandshake, choice: Tls13Choice): Handshake<AcceptedEarlyData | undefined> {
  const { facts, parts } = context;
  if (facts.earlyData === 'none') return undefined;
  const accepted = parts.zeroRtt && (yield* parts.zeroRtt.accept(context, choice));
  if (accepted === undefined) context.concludeEarlyData('rejected');
  return accepted;
}

/** Returns the part that asks for a client certificate, if one is wanted. §4.4.2: never with a PSK, whose session identifies the client. */
function wantedCertificates(
  { settings, parts }: ServerHandshake,
  { psk }: Tls13Choice,
): ClientCertificates | undefined {
  if (psk !== undefined || settings.clientAuth === undefined) return undefined;
  if (parts.clientCertificates !== undefined) return parts.clientCertificates;
  throw new Error('no client certificates');
}

interface HalfRttTickets {
  /** The verify_data that the client's Finished must have. */
  readonly verifyData: Uint8Array;
  readonly issuer: TicketIssuer;
  readonly issues: readonly Issue[];
}

function* sendServerHello(
  context: ServerHandshake,
  choice: Tls13Choice,
  early: AcceptedEarlyData | undefined,
): Handshake<HandshakeStage> {
  const { hello, suite, psk, share } = choice;
  const exchange = share && (yield* encapsulate(context, share.group, share.keyExchange));
  const body = {
    legacyVersion: ProtocolVersion['TLSv1.2'],
    random: context.randomBytes(32, 'random'),
    legacySessionIdEcho: hello.body.legacySessionId,
    cipherSuite: suite.id,
    legacyCompressionMethod: 0,
    extensions: {
      preSharedKey: psk?.identityIndex,
      keyShare: share && exchange && { group: NamedGroup[share.group], keyExchange: exchange.keyShare },
      supportedVersions: ProtocolVersion['TLSv1.3'],
    },
  };
  context.transcript.add(context.send(serverHello, body));
  if (hello.body.legacySessionId.length > 0 && !choice.retried) context.sendChangeCipherSpec(); // Appendix E.4
  const stage = protectHandshake(context, choice, exchange?.sharedSecret);
  if (early === undefined) context.protectReading(trafficProtection(stage.aead, stage.secrets.client));
  else {
    context.protectReading(early.protection);
    context.acceptEarlyData();
  }
  return stage;
}

/** §7.1, §7.3: protects all that we send after ServerHello with the handshake traffic keys. */
function protectHandshake(
  context: ServerHandshake,
  { suite, psk }: Tls13Choice,
  dhe: Uint8Array | undefined,
): HandshakeStage {
  const early = psk?.early ?? context.own(earlySecret(context.crypto.hashes[suite.hash], undefined));
  const stage = handshakeStage(context, suite, early, dhe);
  context.protectWriting(trafficProtection(stage.aead, stage.secrets.server));
  context.tolerateChangeCipherSpec(true);
  return stage;
}

function sendEncryptedExtensions(context: ServerHandshake, choice: Tls13Choice): void {
  const { facts, settings } = context;
  const hello = choice.hello.body;
  const body = {
    extensions: {
      supportedGroups: preferredGroups(context, choice),
      recordSizeLimit: recordSizeLimit(context, hello.extensions.recordSizeLimit, settings.recordSizeLimit),
      maxFragmentLength: maxFragmentLength(context, hello, choice.psk?.psk.session),
      ticketRequest: expectedTickets(context, choice),
      // RFC 6066 §3: not on resumption
      serverName: choice.psk?.psk.session === undefined && facts.serverName !== undefined ? (true as const) : undefined,
      earlyData: facts.earlyData === 'accepted' ? (true as const) : undefined,
      alpn: facts.alpnProtocol === undefined ? undefined : [facts.alpnProtocol],
    },
  };
  context.transcript.add(context.send(encryptedExtensions, body));
  acceptLimited(context, hello.extensions.recordSizeLimit, settings.recordSizeLimit);
}

/** RFC 9846 §4.3.7: tells a client of the server's groups if it has sent no share of the one that the server likes best. */
function preferredGroups({ settings: { groups } }: ServerHandshake, { share }: Tls13Choice): number[] | undefined {
  if (share === undefined || share.group === groups[0]) return undefined;
  return groups.map((group) => NamedGroup[group]);
}

/** §4.5.1, §4.5.2 */
function* sendCertificate(context: ServerHandshake, hello: ClientHello, signing: Signing): Handshake<void> {
  const { facts, transcript } = context;
  facts.signatureScheme = signing.scheme;
  const stapled = entryExtensions(yield* staple(hello, signing.credential));
  const certificateList = signing.credential.certificateChain.map((certData, i) => ({
    certData,
    extensions: i === 0 ? stapled : {},
  }));
  transcript.add(context.send(certificate, { certificateRequestContext: EMPTY, certificateList }));
  const content = certificateVerifyContent('server', transcript.peek());
  const body = { algorithm: SignatureScheme[signing.scheme], signature: yield* signature(signing, content) };
  transcript.add(context.send(certificateVerify, body));
}

/** §4.5.3. Also derives the application keys and writes with them, as the server may do at once. */
function sendFinished(context: ServerHandshake, handshake: HandshakeStage): ApplicationStage {
  const { transcript } = context;
  const verifyData = finishedMac(handshake.secrets.server, transcript.peek());
  transcript.add(context.send(finished, { verifyData }));
  const application = applicationStage(context, handshake);
  context.protectWriting(trafficProtection(application.aead, application.secrets.server));
  return application;
}

/** §4.6, §7.3: until EndOfEarlyData the client's records are under its early traffic key. */
function* receiveEarlyData(
  context: ServerHandshake,
  early: AcceptedEarlyData,
  { aead, secrets }: HandshakeStage,
): Handshake<void> {
  yield* early.receive(context);
  context.protectReading(trafficProtection(aead, secrets.client));
}

function* receiveFinished(
  context: ServerHandshake,
  { secrets }: HandshakeStage,
  application: ApplicationStage,
  known: Uint8Array | undefined,
): Handshake<void> {
  const expected = known ?? finishedMac(secrets.client, context.transcript.peek());
  const { body, raw } = yield* receive(finished);
  requireVerifyData(body, expected);
  context.proved();
  context.tolerateChangeCipherSpec(false);
  context.protectReading(trafficProtection(application.aead, application.secrets.client));
  context.transcript.add(raw);
}

/**
 * §4.7.1: without client authentication the client's Finished is known before it comes, with the EndOfEarlyData in front of it, and so
 * is the resumption secret, which depends on it. The sessions of these tickets are not announced until it has come.
 */
function* sendHalfRttTickets(
  context: ServerHandshake,
  choice: Tls13Choice,
  { secrets }: HandshakeStage,
  { main }: ApplicationStage,
): Handshake<HalfRttTickets | undefined> {
  const { settings, transcript, facts } = context;
  const count = settings.tickets.timing === 'half-rtt' ? ticketCount(context, choice) : 0;
  if (count === 0) return undefined;
  const end = facts.earlyData === 'accepted' ? frame(endOfEarlyData, {}) : undefined;
  const verifyData = finishedMac(secrets.client, transcript.peek(end));
  const last = frame(finished, { verifyData });
  const flight = end === undefined ? last : concat(end, last);
  const issuer = new TicketIssuer(context, choice, main, transcript.peek(flight));
  return { verifyData, issuer, issues: yield* issuer.sendEarly(count) };
}

/** Sends the tickets that are due at the end of the handshake. Returns the issuer of later ones, and how many wait for the first write. */
function* sendNewSessionTickets(
  context: ServerHandshake,
  choice: Tls13Choice,
  { main }: ApplicationStage,
  early: HalfRttTickets | undefined,
): Handshake<Pick<Established, 'issuer' | 'ticketsDue'>> {
  const { timing } = context.settings.tickets;
  if (early !== undefined) {
    yield* early.issuer.announce(early.issues);
    if (context.facts.session === undefined) early.issuer.attachUnsent();
    return { issuer: early.issuer, ticketsDue: 0 };
  }
  const issuer = new TicketIssuer(context, choice, main, context.transcript.peek());
  // Where tickets are sent by hand, none is due now, for which there is no other reason.
  const due = timing === 'manual' ? (whyNoTicket(context, choice) ?? 0) : dueTickets(context, choice);
  if (typeof due !== 'number') context.sessions.noTicket(due);
  const count = typeof due === 'number' ? due : 0;
  const isDeferred = timing === 'with-first-write';
  if (count > 0 && !isDeferred) yield* issuer.send(count);
  if (context.facts.session === undefined) issuer.attachUnsent();
  return { issuer: issuesSessions(context.settings) ? issuer : undefined, ticketsDue: isDeferred ? count : 0 };
}
