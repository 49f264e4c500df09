/**
 * May this session be resumed, and if not, why not: the one acceptance function of every lookup path. It is asked after the
 * server name has selected the configuration and before a binder is checked (RFC 8446 §4.2.11, RFC 5246 §F.1.4, RFC 7627 §5.3).
 */

import type { Session } from '../cache/session.ts';
import { suiteById } from '../crypto/suites.ts';
import { TlsAlert } from '../wire/alert.ts';
import { equalBytes } from '../wire/bytes.ts';
import type { PskMode, Version } from '../wire/registry.ts';
import { MAX_TICKET_LIFETIME } from './new-session-ticket.ts';
import type { Settings } from './settings.ts';

/** Why a full handshake. */
export type NoResumption =
  | 'not-offered'
  | 'disabled'
  | 'unknown'
  | 'undecryptable'
  | 'malformed'
  | 'ignored'
  | 'too-many-identities'
  | 'store-error'
  | 'store-timeout'
  | 'wrong-id'
  | 'version'
  | 'cipher-suite'
  | 'hash'
  | 'extended-master-secret'
  | 'session-id-context'
  | 'scope'
  | 'psk-mode'
  | 'expired'
  | 'auth-age'
  | 'client-certificate'
  | 'not-resumable'
  | 'consumed';

export type Mechanism = 'session-id' | 'ticket' | 'psk-stateful' | 'psk-stateless';

/** Whether a connection resumed, from what, and if not, why not. */
export interface Resumption {
  readonly resumed: boolean;
  readonly mechanism: Mechanism | undefined;
  /** TLS 1.3 only. */
  readonly pskMode: PskMode | undefined;
  /** Which of the offered PSK identities; TLS 1.3 only. */
  readonly identityIndex: number | undefined;
  /** The session that was resumed from. The connection holds it until its end; take a hold to keep it longer. */
  readonly session: Session | undefined;
  /** Why not; `undefined` when it resumed. */
  readonly reason: NoResumption | undefined;
}

export function notResumed(reason: NoResumption): Resumption {
  return {
    resumed: false,
    mechanism: undefined,
    pskMode: undefined,
    identityIndex: undefined,
    session: undefined,
    reason,
  };
}

/** What the hello at hand offers a session to fit into. */
export interface Offer {
  readonly version: Version;
  readonly serverName: string | undefined;
  /** The suites that both sides have. */
  readonly cipherSuites: readonly number[];
  readonly extendedMasterSecret: boolean;
  /** Seconds since the epoch. */
  readonly now: number;
}

/** `undefined`: it may. @throws TlsAlert where RFC 7627 §5.3 has the handshake aborted. A session that fails here is kept (but for `expired`): it may be good for another hello. */
export function whyNotResumable(session: Session, offer: Offer, settings: Settings): NoResumption | undefined {
  if (session.isRuledOut || isBeyondUs(session)) return 'not-resumable';
  if (session.version !== offer.version) return 'version';
  if (!equalBytes(session.idContext, settings.idContext)) return 'session-id-context';
  requireIdContext(settings);
  if (!inScope(session, offer, settings)) return 'scope';
  if (offer.now > lastSecond(session)) return 'expired';
  if (offer.now > session.authTime + settings.tickets.maxAuthAge) return 'auth-age';
  if (!authenticates(session, settings)) return 'client-certificate';
  return offer.version === 'TLSv1.3' ? whyNotTls13(session, offer) : whyNotTls12(session, offer);
}

/**
 * Whether sessions are handed out at all. Who asks for certificates must name a session id context, or a session made under
 * other rules could stand in for one (SSL_CTX_set_session_id_context(3)).
 */
export function issuesSessions({ tickets, clientAuth, idContext }: Settings): boolean {
  return tickets.mode !== 'off' && (clientAuth === undefined || idContext.length > 0);
}

/** As in OpenSSL: a session that was found all the same, made before clients were asked, shows a mistake of the server's. */
function requireIdContext({ clientAuth, idContext }: Settings): void {
  if (clientAuth !== undefined && idContext.length === 0)
    throw new TlsAlert('internal_error', 'clientAuth without sessions.idContext: nothing can be resumed');
}

/** A certificate that was shown and not accepted, at another server, is as good as none where one is wanted, and worse where none is. */
function authenticates(session: Session, { clientAuth }: Settings): boolean {
  if (clientAuth === undefined || acceptedCertificate(session) !== undefined) return true;
  return clientAuth.mode === 'request' && session.peerCertificate === undefined;
}

/** Who the client of a session is, as far as the server that made it was content with its certificate. */
export function acceptedCertificate({ peerCertificate, foreign }: Session): Uint8Array | undefined {
  return foreign.verifyResult ? undefined : peerCertificate;
}

/** Another server's: it compressed, or cut its records shorter (RFC 6066 §4 has both kept when the session resumes). */
function isBeyondUs({ foreign }: Session): boolean {
  return Boolean(foreign.compressionMethod) || Boolean(foreign.maxFragmentLength);
}

/** RFC 8446 §4.6.1: a ticket is good for seven days at most, whatever its session's timeout says. */
function lastSecond(session: Session): number {
  if (session.version !== 'TLSv1.3') return session.expires;
  return session.time + Math.min(session.timeout, MAX_TICKET_LIFETIME);
}

const HASH_LENGTH = { sha256: 32, sha384: 48 } as const;

/** RFC 8446 §4.2.11: the suite may differ, its hash may not. */
function whyNotTls13(session: Session, offer: Offer): NoResumption | undefined {
  const suite = suiteById(session.cipherSuite);
  if (suite?.version !== 'TLSv1.3') return 'cipher-suite';
  if (session.secret.length !== HASH_LENGTH[suite.hash]) return 'malformed';
  return offer.cipherSuites.some((id) => suiteById(id)?.hash === suite.hash) ? undefined : 'hash';
}

/**
 * RFC 7627 §5.3: without the extension then and with it now, a full handshake; with it on neither side it resumes (a server
 * that demands the extension has refused such a hello before). With it then and without it now the handshake is aborted.
 */
function whyNotTls12(session: Session, offer: Offer): NoResumption | undefined {
  if (session.secret.length !== 48) return 'malformed';
  if (session.extendedMasterSecret && !offer.extendedMasterSecret) {
    throw new TlsAlert('handshake_failure', 'the session has the extended master secret, the hello has not');
  }
  if (!session.extendedMasterSecret && offer.extendedMasterSecret) return 'extended-master-secret';
  return offer.cipherSuites.includes(session.cipherSuite) ? undefined : 'cipher-suite';
}

/**
 * RFC 6066 §3, RFC 8446 §4.6.1: a session is good for the host name that it was made under, and for the label that the
 * configuration gave it. `shareAcross` replaces both by a label of its own, on purpose.
 */
function inScope(session: Session, { serverName }: Offer, settings: Settings): boolean {
  if (session.scope !== undefined && session.scope !== scopeOf(settings)) return false;
  if (settings.scope.shareAcross !== undefined) return session.scope !== undefined;
  return canonicalName(session.serverName) === canonicalName(serverName);
}

/** What a session made under these settings carries. */
export function scopeOf({ scope }: Settings): string {
  return scope.shareAcross === undefined ? `label:${scope.label}` : `shared:${scope.shareAcross}`;
}

/** Host names differ neither by case nor by the dot of the root (RFC 6066 §3, RFC 4343). */
export function canonicalName(name: string | undefined): string | undefined {
  const lower = name?.toLowerCase();
  return lower?.endsWith('.') ? lower.slice(0, -1) : lower;
}
