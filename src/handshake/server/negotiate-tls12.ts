/** Negotiation by a TLS 1.2 ClientHello: RFC 5246 §7.4.1, RFC 8422 §5.1. Also selects the session that it may resume. */

import type { Credential } from '../../crypto/credentials/credential.ts';
import type { SuiteParameters } from '../../crypto/suites.ts';
import type { Session } from '../../sessions/session.ts';
import { TlsAlert } from '../../wire/alert.ts';
import { EMPTY } from '../../wire/bytes.ts';
import { type GroupName, NamedGroup, type SignatureSchemeName } from '../../wire/registry.ts';
import type { Signing } from '../key-exchange.ts';
import { wantedFragmentLength } from '../max-fragment-length.ts';
import type { ClientHello } from '../messages/client-hello.ts';
import { type Mechanism, notResumed } from '../outcome.ts';
import { call, type Handshake, perform } from '../wait.ts';
import type { Found, OpenedTicket, ServerHandshake } from './context.ts';
import { commonSuites, rankCredentials, type SigningDemand, selectGroupTls12, selectSigning } from './negotiate.ts';
import { scopeOf } from './offered-scope.ts';
import { acceptedCertificate, issuesSessions, type Offer } from './resumption.ts';
import { emptyTicket, openTicket } from './tickets.ts';
import { judgeOffered } from './verdict.ts';

const UNCOMPRESSED = 0;

/** Checks the rules that a hello must obey in any case. @throws TlsAlert */
export function requireTls12Hello(
  { settings }: ServerHandshake,
  { legacyCompressionMethods, extensions }: ClientHello,
): void {
  if (!legacyCompressionMethods.includes(0)) {
    throw new TlsAlert('illegal_parameter', 'no null compression'); // RFC 5246 §7.4.1.2
  }
  if (extensions.renegotiationInfo !== undefined && extensions.renegotiationInfo.length > 0) {
    throw new TlsAlert('handshake_failure', 'renegotiated_connection in a first handshake'); // RFC 5746 §3.6
  }
  if (extensions.ecPointFormats !== undefined && !extensions.ecPointFormats.includes(UNCOMPRESSED)) {
    throw new TlsAlert('illegal_parameter', 'no uncompressed points'); // RFC 8422 §5.1.2
  }
  if (settings.requireExtendedMasterSecret && !extensions.extendedMasterSecret) {
    throw new TlsAlert('handshake_failure', 'no extended_master_secret'); // RFC 7627 §5.3
  }
}

/** A session that is resumed, and its own suite, which the handshake uses. */
export interface ResumedSession {
  readonly session: Session;
  readonly suite: SuiteParameters;
}

/** The result of an offer: the session that may be resumed, and whether the client gets a ticket (RFC 5077 §3.1). */
export interface OfferTls12 {
  /** `undefined` leads to a full handshake. */
  readonly resumed: ResumedSession | undefined;
  readonly sendTicket: boolean;
}

export function* selectSessionTls12(context: ServerHandshake, hello: ClientHello): Handshake<OfferTls12> {
  const { settings, sessions } = context;
  const ticket = settings.tickets.mode === 'stateless' ? hello.extensions.sessionTicket : undefined;
  const mechanism = mechanismOf(hello, ticket);
  const { found, renew, facts } = yield* findOffered(context, hello, ticket);
  const offer = () => offerOf(context, hello, mechanism);
  const judged = judgeOffered(context, { mechanism, found, ticket: facts, offer });
  const { session, suite } = judged;
  const question = session && suite && sessions.mayResume(session);
  const veto = question && (yield* perform(question));
  const verdict = veto === undefined ? judged.verdict : judged.verdict.lost(veto);
  const { reason } = verdict;
  if (session !== undefined && reason === 'cipher-suite' && settings.compat !== undefined)
    requireSuiteOffered(context, hello, session);
  if (session !== undefined && reason === 'expired')
    yield* call(() => sessions.expire(session, mechanism === 'session-id'));
  if (reason !== 'not-offered') context.facts.verdicts = [verdict];
  const resumed = veto === undefined ? session && suite && { session, suite } : undefined;
  if (resumed !== undefined) acceptSession(context, resumed.session, mechanism);
  else context.facts.resumption = notResumed(reason ?? 'not-offered');
  // The key provider may have declined to renew the ticket, but its session is of no use, so the client gets another.
  const isSpent = mechanism === 'ticket' && session !== undefined && resumed === undefined;
  const sendTicket = ticket !== undefined && issuesSessions(settings) && (isSpent || (renew ?? resumed === undefined));
  return { resumed, sendTicket };
}

function acceptSession({ facts, sessions }: ServerHandshake, session: Session, mechanism: Mechanism): void {
  facts.resumption = {
    resumed: true,
    mechanism,
    pskMode: undefined,
    identityIndex: undefined,
    session,
    reason: undefined,
  };
  facts.session = session;
  facts.peerCertificate = acceptedCertificate(session);
  sessions.hit();
}

/** Returns the mechanism of the offer. If tickets are not read, an id that stands beside one is the offer. */
function mechanismOf({ extensions, legacySessionId }: ClientHello, ticket: Uint8Array | undefined): Mechanism {
  const isTicket = ticket !== undefined || legacySessionId.length === 0;
  return isTicket && (extensions.sessionTicket ?? EMPTY).length > 0 ? 'ticket' : 'session-id';
}

/**
 * Finds the offered session. RFC 5077 §3.4: if the client presents a ticket, the id that stands beside it is not looked up. If the
 * client only asks for a ticket, the id is looked up.
 */
function* findOffered(
  context: ServerHandshake,
  hello: ClientHello,
  ticket: Uint8Array | undefined,
): Handshake<Pick<OpenedTicket, 'found' | 'renew' | 'facts'>> {
  if (ticket === undefined && mechanismOf(hello, ticket) === 'ticket')
    return { found: { reason: 'disabled' }, renew: undefined };
  if (ticket === undefined) return { found: yield* lookUp(context, hello), renew: undefined };
  if (ticket.length > 0) return yield* openTicket(context, 'TLSv1.2', ticket, hello.legacySessionId);
  const { renew } = yield* emptyTicket(context);
  return { found: yield* lookUp(context, hello), renew };
}

function* lookUp(context: ServerHandshake, hello: ClientHello): Handshake<Found> {
  const { settings, sessions } = context;
  const id = hello.legacySessionId;
  if (id.length === 0) return { reason: 'not-offered' };
  if (settings.tickets.mode === 'off' || !sessions.canFind) return { reason: 'disabled' };
  return yield* perform(sessions.find('TLSv1.2', id));
}

function offerOf(context: ServerHandshake, hello: ClientHello, mechanism: Mechanism): Offer {
  const { settings, facts, sessions, tickets } = context;
  return {
    version: 'TLSv1.2',
    serverName: facts.serverName,
    suites: commonSuites(hello, settings, 'TLSv1.2'),
    extendedMasterSecret: hello.extensions.extendedMasterSecret === true,
    maxFragmentLength: wantedFragmentLength(hello),
    now: context.now(),
    scope: scopeOf(context, context.parts.psks !== undefined),
    acceptsForeign: mechanism === 'ticket' ? tickets.acceptsForeign : sessions.acceptsForeign,
  };
}

/** As in OpenSSL, the alert ends the session as well, although the peer has proved nothing. @throws TlsAlert illegal_parameter */
function requireSuiteOffered(context: ServerHandshake, hello: ClientHello, session: Session): void {
  if (hello.cipherSuites.includes(session.cipherSuite)) return;
  context.sessions.hit();
  context.facts.session = session;
  context.proved();
  throw new TlsAlert('illegal_parameter', "the session's cipher suite is not offered");
}

export interface Tls12Choice {
  readonly suite: SuiteParameters;
  readonly group: GroupName;
  /** `undefined` with a PSK. */
  readonly signing: Signing | undefined;
}

/** RFC 5246 §7.4.1.4.1: a client without signature_algorithms is taken to accept only SHA-1, which this server does not have. */
const DEFAULT_ALGORITHMS: readonly number[] = [];

/**
 * Selects the first common suite for which a credential has the right kind of key, among the best credentials for which there is one:
 * a certificate for another host helps no client. @throws TlsAlert handshake_failure if there is none
 */
export function selectTls12(context: ServerHandshake, hello: ClientHello): Tls12Choice {
  const { settings, facts } = context;
  const { signatureAlgorithms = DEFAULT_ALGORITHMS, signatureAlgorithmsCert } = hello.extensions;
  const demand = { serverName: facts.serverName, signatureAlgorithms, signatureAlgorithmsCert };
  const group = selectGroupTls12(hello, settings);
  const suites = group === undefined ? [] : commonSuites(hello, settings, 'TLSv1.2');
  // A PSK has its turn before the certificates where it is preferred, and where it can stand for that of a client.
  const withPsk = suites.findIndex(({ authentication }) => authentication === 'psk');
  const isFirst = withPsk === 0 && settings.clientAuth?.mode !== 'require';
  for (const credentials of isFirst ? [] : rankCredentials(settings.credentials, demand)) {
    for (const suite of suites) {
      const signing = selectSigningTls12(credentials, demand, hello, suite);
      if (signing !== undefined && group !== undefined) return { suite, group, signing };
    }
  }
  const suite = suites[withPsk];
  if (suite !== undefined && group !== undefined) return { suite, group, signing: undefined };
  throw new TlsAlert('handshake_failure', 'no suite, group and certificate in common');
}

/** A hash that TLS 1.3 has with the curve of the key comes before any other (RFC 9846 §4.3.3). */
function selectSigningTls12(
  credentials: readonly Credential[],
  demand: SigningDemand,
  hello: ClientHello,
  suite: SuiteParameters,
): Signing | undefined {
  const accepts = (credential: Credential, scheme: SignatureSchemeName) =>
    authenticates(suite, scheme) && curveOffered(hello, credential);
  return (
    selectSigning(credentials, demand, accepts) ??
    selectSigning(credentials, demand, accepts, ({ schemesTls12 = [] }) => schemesTls12)
  );
}

/** RFC 8422 §5.10: EdDSA certificates go with the ECDSA suites. */
function authenticates({ authentication }: SuiteParameters, scheme: SignatureSchemeName): boolean {
  return authentication === (scheme.startsWith('rsa_') ? 'rsa' : 'ecdsa');
}

/** RFC 8422 §5.1.1: the curve of an ECDSA certificate must be among the client's groups, if the client names any. */
function curveOffered({ extensions: { supportedGroups } }: ClientHello, { schemes }: Credential): boolean {
  const curve = schemes[0] && CURVES[schemes[0]];
  return curve === undefined || supportedGroups === undefined || supportedGroups.includes(curve);
}

/** The curve of a key by its scheme in TLS 1.3. */
const CURVES: Partial<Record<SignatureSchemeName, number>> = {
  ecdsa_secp256r1_sha256: NamedGroup.secp256r1,
  ecdsa_secp384r1_sha384: NamedGroup.secp384r1,
  ecdsa_secp521r1_sha512: 25, // secp521r1, which only a key of the user's own can have
};
