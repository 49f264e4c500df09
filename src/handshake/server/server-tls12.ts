/** The TLS 1.2 server: one function per flight, in the order of RFC 5246 §7.3, Figures 1 and 2. */

import { storedMasterSecret, tls12VerifyData } from '../../crypto/prf.ts';
import type { DecapsulationKey } from '../../crypto/provider.ts';
import type { SuiteParameters } from '../../crypto/suites.ts';
import { Session } from '../../sessions/session.ts';
import { concat, copyOf, EMPTY } from '../../wire/bytes.ts';
import { encode } from '../../wire/codec.ts';
import { CipherSuite, NamedGroup, ProtocolVersion, SignatureScheme } from '../../wire/registry.ts';
import type { Established } from '../established.ts';
import { decapsulate, generateKey, type Signing, signature } from '../key-exchange.ts';
import { maxFragmentLength, wantedFragmentLength } from '../max-fragment-length.ts';
import { certificateTls12 } from '../messages/certificate.ts';
import { certificateStatus, OCSP } from '../messages/certificate-status.ts';
import { type ClientHello, undecidedHello } from '../messages/client-hello.ts';
import { clientKeyExchange } from '../messages/client-key-exchange.ts';
import { finished, requireVerifyData } from '../messages/finished.ts';
import { newSessionTicketTls12 } from '../messages/new-session-ticket.ts';
import { DOWNGRADE_TO_TLS12, serverHelloTls12 } from '../messages/server-hello.ts';
import { serverHelloDone } from '../messages/server-hello-done.ts';
import { ServerECDHParams, serverKeyExchange } from '../messages/server-key-exchange.ts';
import { acceptLimited, recordSizeLimit } from '../record-size-limit.ts';
import { deriveKeys, establishedTls12, type Keys, masterSecret, type Randoms } from '../schedule-tls12.ts';
import { call, type Handshake, receive, receiveChangeCipherSpec } from '../wait.ts';
import { settleProtocol } from './application-protocol.ts';
import {
  receiveCertificateTls12,
  receiveCertificateVerifyTls12,
  sendCertificateRequestTls12,
} from './client-authentication.ts';
import type { Protocol, ServerHandshake } from './context.ts';
import { forgetHello, type HeldHello } from './held-hello.ts';
import {
  type ResumedSession,
  requireTls12Hello,
  selectSessionTls12,
  selectTls12,
  type Tls12Choice,
} from './negotiate-tls12.ts';
import { scopeOf } from './offered-scope.ts';
import { receiveClientKeyExchangePsk, sendServerKeyExchangePsk } from './psk-tls12.ts';
import { foreignOf } from './resumption.ts';
import { type Stapled, staple } from './stapling.ts';
import { generateTicket, sealTicket, whyNoSession } from './tickets.ts';

function* serveTls12(context: ServerHandshake, hello: HeldHello): Handshake<Established> {
  requireTls12Hello(context, hello.body);
  wantedFragmentLength(hello.body); // refuses a code that is none, before anything is looked up
  yield* settleProtocol(context, hello.body);
  const { resumed, sendTicket } = yield* selectSessionTls12(context, hello.body);
  if (resumed === undefined) return yield* fullHandshake(context, hello, sendTicket);
  return yield* resume(context, hello, resumed, sendTicket);
}

export const tls12: Protocol = { version: 'TLSv1.2', serve: serveTls12 };

/** Figure 1: Message flow for a full handshake; with a ticket, RFC 5077 §3.1, Figure 1. */
function* fullHandshake(context: ServerHandshake, hello: HeldHello, wantsTicket: boolean): Handshake<Established> {
  const choice = selectTls12(context, hello.body);
  const stapled = yield* staple(hello.body, choice.signing?.credential);
  const { sessions } = context;
  sessions.isRuledOut = yield* call(() => sessions.askNotResumable(true)); // all our suites are ECDHE
  const ticketed = wantsTicket && !sessions.isRuledOut;
  const why = ticketed ? undefined : whyNoSession(context, true);
  const hasId = !ticketed && why === undefined;
  const id = hasId ? yield* call(() => context.sessions.newId('TLSv1.2', hello.body.legacySessionId)) : EMPTY;
  const { signing } = choice;
  const asks = context.settings.clientAuth !== undefined && signing !== undefined; // RFC 4279 §2
  if (asks) context.transcript.retain(); // for CertificateVerify
  const randoms = sendServerHello(context, hello, { suite: choice.suite, sessionId: id, ticketed, stapled });
  if (context.settings.compat !== undefined) attachUnproved(context, hello.body, id);
  if (signing !== undefined) sendCertificate(context, signing, stapled);
  const key =
    signing === undefined
      ? yield* sendServerKeyExchangePsk(context, choice.group)
      : yield* sendServerKeyExchange(context, { ...choice, signing }, randoms);
  if (asks) sendCertificateRequestTls12(context);
  context.transcript.add(context.send(serverHelloDone, {}));
  const client = asks ? yield* receiveCertificateTls12(context) : undefined;
  const premaster =
    signing === undefined
      ? yield* receiveClientKeyExchangePsk(context, key)
      : yield* receiveClientKeyExchange(context, key);
  const isExtended = hello.body.extensions.extendedMasterSecret;
  const master = masterSecret(context, choice.suite, isExtended, premaster, randoms);
  const keys = deriveKeys(context, choice.suite, randoms, master);
  if (client !== undefined) yield* receiveCertificateVerifyTls12(context, client);
  yield* receiveFinished(context, hello.body, keys);
  if (why !== undefined) context.sessions.noTicket(why);
  const session = newSession(context, hello.body, id, keys.master.bytes);
  yield* keepSession(context, session);
  if (ticketed) yield* sendNewSessionTicket(context, session, lifetimeHint(context, session));
  sendFinished(context, keys);
  return establishedTls12(keys, isExtended, undecidedHello);
}

/**
 * Figure 2: Message flow for an abbreviated handshake. The server's Finished comes first. With a new ticket, RFC 5077 §3.1,
 * Figure 2. The new ticket contains the session unchanged, with its age.
 */
function* resume(
  context: ServerHandshake,
  hello: HeldHello,
  { session, suite }: ResumedSession,
  ticketed: boolean,
): Handshake<Established> {
  const randoms = sendServerHello(context, hello, { suite, sessionId: hello.body.legacySessionId, ticketed });
  const hash = context.settings.crypto.hashes[suite.hash];
  const master = storedMasterSecret(hash, session.secret); // now, before user code can free the session
  const keys = deriveKeys(context, suite, randoms, master);
  if (ticketed) yield* sendNewSessionTicket(context, session, UNSPECIFIED);
  sendFinished(context, keys);
  yield* receiveFinished(context, hello.body, keys);
  // The hello decides that, as a session is resumed only if it agrees with the hello.
  return establishedTls12(keys, hello.body.extensions.extendedMasterSecret, undecidedHello);
}

/** RFC 5077 §3.3: a lifetime_hint that states no lifetime. OpenSSL sends it with a ticket that renews another. */
const UNSPECIFIED = 0;
/** The hint is a uint32; a timeout may be longer. */
const MAX_HINT = 0xffffffff;

/** Until the session ends, be it by the client's certificate; at least a second, as 0 would state nothing. */
function lifetimeHint(context: ServerHandshake, { expires }: Session): number {
  return Math.max(1, Math.min(expires - context.now(), MAX_HINT));
}

/** RFC 5077 §3.3. ServerHello has promised a ticket, so an empty one is sent if none can be made. */
function* sendNewSessionTicket(context: ServerHandshake, session: Session, hint: number): Handshake<void> {
  const isDue = context.sessions.fits(session, false) && (yield* generateTicket(context, session));
  const ticket = isDue ? yield* sealTicket(context, session) : undefined;
  const body = { ticketLifetimeHint: ticket === undefined ? UNSPECIFIED : hint, ticket: ticket ?? EMPTY };
  context.transcript.add(context.send(newSessionTicketTls12, body));
}

interface ServerHelloChoice {
  readonly suite: SuiteParameters;
  readonly sessionId: Uint8Array;
  readonly ticketed: boolean;
  /** In a full handshake. */
  readonly stapled?: Stapled;
}

function sendServerHello(
  context: ServerHandshake,
  hello: HeldHello,
  { suite, sessionId, ticketed, stapled }: ServerHelloChoice,
): Randoms {
  const { facts, settings } = context;
  const random = copyOf(context.randomBytes(32, 'random'));
  // RFC 9846 §4.2.3: shows a client that supports TLS 1.3 that an attacker has removed its offer.
  if (settings.maxVersion === 'TLSv1.3') random.set(DOWNGRADE_TO_TLS12, 24);
  facts.suite = suite;
  const body = {
    legacyVersion: ProtocolVersion['TLSv1.2'],
    random,
    legacySessionIdEcho: sessionId,
    cipherSuite: suite.id,
    legacyCompressionMethod: 0,
    extensions: {
      ...serverHelloExtensions(context, hello.body, ticketed),
      statusRequest: stapled?.ocspResponse && (true as const), // RFC 6066 §8: announces CertificateStatus
      signedCertificateTimestamp: stapled?.timestamps, // RFC 6962 §3.3.1
    },
  };
  context.transcript.add(hello.raw);
  context.transcript.start(settings.crypto.hashes[suite.hash]);
  context.transcript.add(context.send(serverHelloTls12, body));
  forgetHello(hello);
  return { client: facts.clientRandom ?? EMPTY, server: random };
}

/** An extension is answered only if it was offered (RFC 5246 §7.4.1.4). */
function serverHelloExtensions(context: ServerHandshake, hello: ClientHello, ticketed: boolean) {
  const { extensions, cipherSuites } = hello;
  const { facts } = context;
  const secureRenegotiation =
    extensions.renegotiationInfo !== undefined || cipherSuites.includes(CipherSuite.TLS_EMPTY_RENEGOTIATION_INFO_SCSV);
  const full = !facts.resumption.resumed;
  const fragmentLength = maxFragmentLength(context, hello, facts.resumption.session);
  return {
    serverName: full && facts.serverName !== undefined ? (true as const) : undefined, // RFC 6066 §3: not on resumption
    renegotiationInfo: secureRenegotiation ? EMPTY : undefined, // RFC 5746 §3.6
    ecPointFormats: full && extensions.ecPointFormats !== undefined ? [0] : undefined, // RFC 8422 §5.2
    alpn: facts.alpnProtocol === undefined ? undefined : [facts.alpnProtocol],
    extendedMasterSecret: extensions.extendedMasterSecret, // RFC 7627 §5.1
    recordSizeLimit: recordSizeLimit(context, hello.extensions.recordSizeLimit, context.settings.recordSizeLimit),
    maxFragmentLength: full ? fragmentLength : undefined, // RFC 6066 §1.1: that of the session holds
    sessionTicket: ticketed || undefined, // RFC 5077 §3.2
  };
}

function sendCertificate(context: ServerHandshake, signing: Signing, { ocspResponse: response }: Stapled): void {
  const { certificateChain } = signing.credential;
  context.facts.signatureScheme = signing.scheme;
  context.transcript.add(context.send(certificateTls12, { certificateList: certificateChain }));
  if (response !== undefined) context.transcript.add(context.send(certificateStatus, { statusType: OCSP, response }));
}

/** RFC 8422 §5.4: the ephemeral key, signed together with both randoms. */
function* sendServerKeyExchange(
  context: ServerHandshake,
  { group, signing }: Pick<Tls12Choice, 'group'> & { readonly signing: Signing },
  randoms: Randoms,
): Handshake<DecapsulationKey> {
  context.facts.group = group;
  const key = yield* generateKey(context, group);
  const params = { curveType: 'named_curve', namedCurve: NamedGroup[group], point: key.publicKey } as const;
  const content = concat(randoms.client, randoms.server, encode(ServerECDHParams, params));
  const signed = { algorithm: SignatureScheme[signing.scheme], signature: yield* signature(signing, content) };
  context.transcript.add(context.send(serverKeyExchange, { params, signed }));
  return key;
}

function* receiveClientKeyExchange(context: ServerHandshake, key: DecapsulationKey): Handshake<Uint8Array> {
  const { body, raw } = yield* receive(clientKeyExchange);
  context.transcript.add(raw);
  return yield* decapsulate(context, key, body.point);
}

function* receiveFinished(
  context: ServerHandshake,
  { extensions }: ClientHello,
  { master, client: reading }: Keys,
): Handshake<void> {
  yield* receiveChangeCipherSpec();
  context.protectReading(reading);
  acceptLimited(context, extensions.recordSizeLimit, context.settings.recordSizeLimit);
  const expected = tls12VerifyData(master, 'client', context.transcript.peek());
  const { body, raw } = yield* receive(finished);
  requireVerifyData(body, expected);
  context.proved();
  context.transcript.add(raw);
}

function sendFinished(context: ServerHandshake, { master, server: writing }: Keys): void {
  context.sendChangeCipherSpec();
  context.protectWriting(writing);
  const verifyData = tls12VerifyData(master, 'server', context.transcript.peek());
  context.transcript.add(context.send(finished, { verifyData }));
}

/**
 * Keeps the session before the server's Finished can leave: a client that has received that may return at once. A session without an
 * id is not kept, as no lookup could find it.
 */
function* keepSession(context: ServerHandshake, session: Session): Handshake<void> {
  context.facts.session = context.sessions.adopt(session);
  if (session.id.length === 0) return;
  if (context.sessions.fits(session, true)) yield* call(() => context.sessions.announce(session, true));
  else session.forbidResumption(); // ServerHello has sent the id, but no server need know an id later
}

/** OpenSSL makes the session with ServerHello, and tells its remove callback of it if the handshake fails. */
function attachUnproved(context: ServerHandshake, hello: ClientHello, id: Uint8Array): void {
  const session = newSession(context, hello, id, new Uint8Array(48));
  session.forbidResumption();
  context.facts.session = context.sessions.adopt(session);
}

function newSession(context: ServerHandshake, hello: ClientHello, id: Uint8Array, secret: Uint8Array): Session {
  const { settings, facts } = context;
  const now = context.now();
  return new Session({
    version: 'TLSv1.2',
    cipherSuite: facts.suite?.id ?? 0,
    id,
    secret,
    time: now,
    timeout: settings.sessionTimeout(),
    authTime: now,
    extendedMasterSecret: hello.extensions.extendedMasterSecret === true,
    idContext: settings.idContext,
    serverName: facts.serverName,
    alpnProtocol: facts.alpnProtocol,
    group: facts.group === undefined ? 0 : NamedGroup[facts.group],
    scope: scopeOf(context),
    peerCertificate: facts.peerCertificate,
    foreign: foreignOf(facts),
  });
}
