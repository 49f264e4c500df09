/**
 * Decides whether a session may be resumed, and if not, why not. Every lookup path uses this one function, after the server name
 * has selected the configuration and before a binder is checked (RFC 9846 §4.3.11, RFC 5246 §F.1.4, RFC 7627 §5.3).
 */

import { type SuiteParameters, suiteById } from '../../crypto/suites.ts';
import type { ForeignFields } from '../../sessions/parameters.ts';
import { lastSecondOf } from '../../sessions/peer-certificate.ts';
import { SCOPE_FIELDS, type Scope, type ScopeField } from '../../sessions/scope.ts';
import { ownCertificate, ownIdContext, type Session } from '../../sessions/session.ts';
import { TlsAlert } from '../../wire/alert.ts';
import { equalBytes } from '../../wire/bytes.ts';
import type { Version } from '../../wire/registry.ts';
import { MAX_TICKET_LIFETIME } from '../messages/new-session-ticket.ts';
import type { Facts, NoResumption, NoTicket } from '../outcome.ts';
import { canonicalName } from './negotiate.ts';
import type { Settings } from './settings.ts';

/** The properties of the current handshake that an offered session must fit. */
export interface Offer {
  readonly version: Version;
  readonly serverName: string | undefined;
  /** The suites that both sides have. */
  readonly suites: readonly SuiteParameters[];
  readonly extendedMasterSecret: boolean;
  /** The code of RFC 6066 §4 that the client asks for. */
  readonly maxFragmentLength: number | undefined;
  /** Seconds since the epoch. */
  readonly now: number;
  /** The scope of a session made now. */
  readonly scope: Scope;
  /** Whether the session may be another server's, which shares the store or the ticket keys. */
  readonly acceptsForeign: boolean;
}

/** A condition that a session has to fulfil. */
export interface Rule {
  /** The property that is compared. Each field of the scope has a rule of its own. */
  readonly name: string;
  readonly reason: NoResumption;
  /** A change that would make the session pass. */
  readonly remedy: string;
  /** Returns whether the session passes. A TlsAlert is a breach that ends the handshake, not merely the resumption. */
  check(session: Session, offer: Offer, settings: Settings): boolean | TlsAlert;
}

const BASIC: readonly Rule[] = [
  {
    name: 'resumable',
    reason: 'not-resumable',
    remedy: 'a session that has not been ruled out, released or compressed',
    check: (session) => !session.isRuledOut && !isBeyondUs(session),
  },
  {
    name: 'version',
    reason: 'version',
    remedy: 'a hello that leads to the version of the session',
    check: (session, offer) => session.version === offer.version,
  },
  {
    name: 'session id context',
    reason: 'session-id-context',
    remedy: 'sessions.idContext as it was where the session was made; with clientAuth, one that is not empty',
    check: (session, _, settings) =>
      equalBytes(ownIdContext(session), settings.idContext) &&
      (!lacksIdContext(settings) || refusedByOpenSsl(settings)),
  },
  {
    name: 'origin',
    reason: 'foreign',
    remedy: 'foreign: true for the store or the ticket keys that other servers share',
    check: ({ scope }, { acceptsForeign }) => scope !== undefined || acceptsForeign,
  },
  {
    name: 'host name',
    reason: 'scope',
    remedy: 'the host name of the full handshake',
    // Sessions made here have the name in their scope. node:tls records none: there a common id context that is not empty suffices.
    check: (session, offer) =>
      session.scope !== undefined ||
      (session.serverName === undefined && ownIdContext(session).length > 0) ||
      canonicalName(session.serverName) === canonicalName(offer.serverName),
  },
];

const IN_SCOPE: Readonly<Record<Exclude<ScopeField, 'clientPsk'>, string>> = {
  serverName: 'the host name of the full handshake',
  clientAuthentication: 'the same demand for client certificates, and the same authorities',
  certificateNames: 'a certificate for the same names',
  label: 'the same scope.label',
  localAddress: 'the same local address',
  alpn: 'the same application protocol',
  shared: 'the same scope.shareAcross',
};

/** What a PSK stands for is a matter of the rule of client certificates. */
const SCOPE: readonly Rule[] = SCOPE_FIELDS.filter((field) => field !== 'clientPsk').map((field) => ({
  name: `scope ${field}`,
  reason: 'scope',
  remedy: IN_SCOPE[field],
  check: ({ scope }, offer) => scope === undefined || isSameDigest(scope[field], offer.scope[field]),
}));

/** The digits of a session that the application has made may be in upper case. Ours are in lower case. */
function isSameDigest(one: string | undefined, ours: string | undefined): boolean {
  return one === ours || one?.toLowerCase() === ours;
}

const TIME: readonly Rule[] = [
  {
    name: "end of the client's certificate",
    reason: 'expired',
    remedy: 'a certificate that lasts longer',
    check: (session, { now }) => isCertificateValid(session, now),
  },
  {
    name: 'timeout',
    reason: 'expired',
    remedy: 'coming back sooner, or a longer sessions.timeout',
    check: (session, { now }) => now <= lastSecond(session),
  },
  {
    name: 'age of the authentication',
    reason: 'auth-age',
    remedy: 'a full handshake since, or a longer tickets.maxAuthAge',
    check: ({ authTime }, { now }, { tickets }) => now <= authTime + tickets.maxAuthAge,
  },
  {
    name: 'client certificate',
    reason: 'client-certificate',
    remedy: 'a session in which the client has shown a certificate that was accepted',
    check: (session, offer, settings) => authenticates(session, offer, settings),
  },
];

const TLS12: readonly Rule[] = [
  {
    name: 'master secret',
    reason: 'malformed',
    remedy: 'a master secret of 48 bytes',
    check: ({ secret }) => secret.length === 48,
  },
  {
    // RFC 7627 §5.3. If neither the session nor the hello has it, the session resumes.
    name: 'extended master secret',
    reason: 'extended-master-secret',
    remedy: 'a session with the extended master secret',
    check: (session, offer) =>
      session.extendedMasterSecret === offer.extendedMasterSecret ||
      (session.extendedMasterSecret &&
        new TlsAlert('handshake_failure', 'the session has the extended master secret, the hello has not')),
  },
  {
    name: 'cipher suite',
    reason: 'cipher-suite',
    remedy: 'the suite of the session on both sides',
    check: ({ cipherSuite }, { suites }) => suites.some(({ id }) => id === cipherSuite),
  },
];

const HASH_LENGTH = { sha256: 32, sha384: 48 } as const;

/** RFC 9846 §4.3.11: the suite may differ, its hash may not. */
const TLS13: readonly Rule[] = [
  {
    name: 'cipher suite',
    reason: 'cipher-suite',
    remedy: 'a session with a suite of TLS 1.3',
    check: (session) => suiteById(session.cipherSuite)?.version === 'TLSv1.3',
  },
  {
    name: 'PSK',
    reason: 'malformed',
    remedy: "a PSK as long as the hash of the session's suite",
    check: (session) => session.secret.length === HASH_LENGTH[suiteById(session.cipherSuite)?.hash ?? 'sha256'],
  },
  {
    name: 'hash',
    reason: 'hash',
    remedy: "a suite with the hash of the session's on both sides",
    check: ({ cipherSuite }, { suites }) => suites.some(({ hash }) => hash === suiteById(cipherSuite)?.hash),
  },
];

const LENGTH: Rule = {
  // RFC 6066 §4: the length holds for the session, resumptions included. Without the extension the client is taken to keep to it.
  name: 'max fragment length',
  reason: 'max-fragment-length',
  remedy: 'the max_fragment_length of the full handshake',
  check: ({ foreign }, { maxFragmentLength: wanted }) =>
    wanted === undefined || wanted === (foreign.maxFragmentLength ?? 0),
};

/** Returns the rules of a version in the order of checking. The later a rule comes, the more its reason says about the session. */
export function rulesFor(version: Version): readonly Rule[] {
  return version === 'TLSv1.3' ? RULES_TLS13 : RULES_TLS12;
}

const RULES_TLS12 = [...BASIC, ...SCOPE, ...TIME, ...TLS12, LENGTH];
const RULES_TLS13 = [...BASIC, ...SCOPE, ...TIME, ...TLS13, LENGTH];

/** The judgement on a session: the first rule that it breaks, or the suite that it is resumed under. */
export type Judgement =
  | { readonly broken: Rule; readonly suite?: undefined }
  | { readonly broken?: undefined; readonly suite: SuiteParameters };

/**
 * Judges an offered session. A session that breaks a rule stays where it is kept, unless it has expired: it may fit another hello.
 * @throws TlsAlert if RFC 7627 §5.3 demands that the handshake be aborted, or if `compat` does
 */
export function judge(session: Session, offer: Offer, settings: Settings): Judgement {
  for (const rule of rulesFor(offer.version)) {
    const result = rule.check(session, offer, settings);
    if (result === false) return { broken: rule };
    if (result !== true) throw result;
  }
  const suite = resumedSuite(session, offer.suites);
  if (suite === undefined) throw new Error('a session without a suite');
  return { suite };
}

/** Returns the session's own suite if both sides have it; otherwise, in TLS 1.3, one with its hash (RFC 9846 §4.3.11). */
function resumedSuite({ cipherSuite }: Session, suites: readonly SuiteParameters[]): SuiteParameters | undefined {
  const hash = suiteById(cipherSuite)?.hash;
  return suites.find(({ id }) => id === cipherSuite) ?? suites.find((suite) => suite.hash === hash);
}

/** Reports whether sessions are handed out at all. */
export function issuesSessions(settings: Settings): boolean {
  return whyNoSessions(settings) === undefined;
}

/** Returns why sessions are not handed out to any client; `undefined` if they are. */
export function whyNoSessions(settings: Settings): NoTicket | undefined {
  if (settings.tickets.mode === 'off') return 'off';
  return lacksIdContext(settings) ? 'id-context' : undefined;
}

/**
 * Reports whether the server asks for certificates but names no session id context. Then it neither hands out nor resumes sessions:
 * one that was made under other rules could take the place of a certificate (SSL_CTX_set_session_id_context(3)).
 */
export function lacksIdContext({ clientAuth, idContext }: Settings): boolean {
  return clientAuth !== undefined && idContext.length === 0;
}

/**
 * Returns OpenSSL's answer to a session that is offered although clientAuth lacks a session id context: a fatal alert, to each
 * client whose session is older than clientAuth. Without `compat` such a client gets a full handshake.
 */
function refusedByOpenSsl({ compat }: Settings): false | TlsAlert {
  return compat !== undefined && new TlsAlert('internal_error', 'clientAuth without sessions.idContext');
}

/** A certificate that another server did not accept counts as missing; unlike a missing one, it bars resumption under 'request' too. */
function authenticates(session: Session, { scope }: Offer, { clientAuth }: Settings): boolean {
  // Made under the same clientAuth, which is in the scope as well. A server without PSKs has none to stand for a certificate.
  if (session.scope?.clientPsk !== undefined) return isSameDigest(session.scope.clientPsk, scope.clientPsk);
  if (clientAuth === undefined || acceptedCertificate(session) !== undefined) return true;
  return clientAuth.mode === 'request' && ownCertificate(session) === undefined;
}

/** Returns the certificate of a session's client, which is not a copy, if the server that made the session has accepted it. */
export function acceptedCertificate(session: Session): Uint8Array | undefined {
  return session.foreign.verifyResult ? undefined : ownCertificate(session);
}

/** Reports whether the session is of another server that compressed, which would have to go on and which this library does not do. */
function isBeyondUs({ foreign }: Session): boolean {
  return Boolean(foreign.compressionMethod);
}

/** Returns what a new session keeps among the fields of OpenSSL's: the length of its fragments, and how much early data it allows. */
export function foreignOf({ maxFragmentLength }: Facts, maxEarlyData?: number): ForeignFields | undefined {
  if (maxFragmentLength === 0 && maxEarlyData === undefined) return undefined;
  return { maxFragmentLength, maxEarlyData };
}

/** Returns the last second in which a session may be resumed. RFC 9846 §4.7.1: for at most seven days, even if its timeout is longer. */
function lastSecond(session: Session): number {
  if (session.version !== 'TLSv1.3') return session.expires;
  return Math.min(session.expires, session.time + MAX_TICKET_LIFETIME);
}

/**
 * Reports whether the client's certificate, if there is one, is still valid: a full handshake would be refused afterwards, and so the
 * session must not stand in for one. A certificate whose end cannot be read counts as expired; only another server can have made
 * such a session.
 */
function isCertificateValid(session: Session, now: number): boolean {
  const certificate = ownCertificate(session);
  return certificate === undefined || now <= lastSecondOf(certificate);
}
