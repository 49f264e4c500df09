/**
 * The types in which a handshake reports its outcome: whether it resumed, and if not, why not. Both roles and the shells use them.
 * The code that decides is in other files, and nothing here imports it.
 */

import type { SuiteParameters } from '../crypto/suites.ts';
import type { Session } from '../sessions/session.ts';
import type { GroupName, PskMode, Version } from '../wire/registry.ts';

/** The reason why a session was not resumed. A full handshake follows, except after 'binder'. */
export type NoResumption =
  /** The client offered no session. */
  | 'not-offered'
  /** The server does not read such offers: `tickets.mode` excludes them, or there is neither a cache nor an `onGet` to look in. */
  | 'disabled'
  /** Neither the internal cache nor the external store has the session. */
  | 'unknown'
  /** No key opens the ticket, or it cannot be a ticket of this server. */
  | 'undecryptable'
  /** The ticket or the stored bytes contain no valid session. */
  | 'malformed'
  /** `onDecrypt` answered that the ticket is not to be used. */
  | 'ignored'
  /** The identity comes after `sessions.maxIdentities` others. */
  | 'too-many-identities'
  /** A callback of the external store failed, or `sessions.mayResume` did. */
  | 'store-error'
  /** A lookup, or `sessions.mayResume`, did not answer within `sessions.lookupTimeoutMs`. */
  | 'store-timeout'
  /** The store answered with a session that has another id. */
  | 'wrong-id'
  /** The session has another version than the one negotiated. */
  | 'version'
  /** TLS 1.2: the session's suite is not common to both sides. TLS 1.3: it is not a suite of TLS 1.3. */
  | 'cipher-suite'
  /** TLS 1.3: no common suite has the hash of the session's suite. */
  | 'hash'
  /** The hello offers extended_master_secret and the session lacks it (RFC 7627 §5.3). */
  | 'extended-master-secret'
  /** The session has another session id context. */
  | 'session-id-context'
  /** The session is bound to another scope, or to another host name. */
  | 'scope'
  /** Another server made the session, and the settings do not accept that (`foreign`). */
  | 'foreign'
  /** The client and the server have no PSK key exchange mode in common, or no group that the mode needs. */
  | 'psk-mode'
  /** The session has outlived its timeout, or the client's certificate in it. */
  | 'expired'
  /** The full handshake that the session descends from is older than `tickets.maxAuthAge`. */
  | 'auth-age'
  /** Under `clientAuth`, the session lacks the certificate that is required, or has one that was not accepted. */
  | 'client-certificate'
  /** The client asks for another max_fragment_length than that of the session, which keeps its own (RFC 6066 §4). */
  | 'max-fragment-length'
  /** The session was ruled out or wiped, or uses a feature that this library does not have. */
  | 'not-resumable'
  /** The binder does not verify. The handshake ends with decrypt_error. */
  | 'binder'
  /** The session was for single use, and another connection has used it. */
  | 'consumed'
  /** `sessions.mayResume` did not answer `true`. */
  | 'vetoed'
  /** The external PSK is for the other role: this endpoint uses it as a client only (RFC 9257 §4.1). */
  | 'role';

/** Why a client gets no ticket, or in TLS 1.2 neither a ticket nor a session id. The connection goes on without. */
export type NoTicket =
  /** `tickets.mode` is 'off'. */
  | 'off'
  /** Clients are asked for certificates, and `sessions.idContext` is empty. */
  | 'id-context'
  /** TLS 1.3: the client has named none of the `pskModes`, and so cannot resume. */
  | 'psk-mode'
  /** Nothing would keep the session: neither the internal cache nor `onNew`. */
  | 'not-kept'
  /** No lookup would find the session: `internalLookup` is false or there is no internal cache, and there is no `onGet`. */
  | 'not-found'
  /** TLS 1.3: nothing could take the session for its single use: there is `onGet` or no internal cache, and no `onTake`. */
  | 'single-use'
  /** `notResumable` or another callback has ruled the session out. */
  | 'not-resumable'
  /** TLS 1.3: the full handshake that the session descends from is older than `tickets.maxAuthAge`. */
  | 'auth-age'
  /** TLS 1.3: the provider of the ticket's key has declined to renew the ticket. */
  | 'declined'
  /** TLS 1.3: `tickets.initial` or `tickets.afterResumption` is 0, or the client has asked for none (RFC 9149). */
  | 'not-due'
  /** `onGenerate` or the key provider has failed, which is an event of its own. */
  | 'callback-error'
  /** There is no key to seal with now. */
  | 'no-key'
  /** The key has sealed as many tickets as it may. */
  | 'exhausted'
  /** The session is too large for a ticket, or to be kept. */
  | 'too-large'
  /** The client's certificate, which the session would keep, has expired; TLS 1.3: or the ticket would live for less than a second. */
  | 'expired';

/** Whether a client has sent early data, and what has become of it. */
export type EarlyDataStatus =
  /** None was sent, or it is not known yet. */
  'none' | 'rejected' | 'accepted';

/** Why early data was rejected. The connection goes on. */
export type NoEarlyData =
  /** The server takes none: it has no option `earlyData`. */
  | 'disabled'
  /** The PSK was not accepted. */
  | 'not-resumed'
  /** The PSK allows none, or more than `earlyData.maxSize` does by now; or the callback of SSL_CTX_set_allow_early_data_cb(3) has said no. */
  | 'not-allowed'
  /** Another PSK than the first was accepted. */
  | 'not-first'
  /** The suite is not that of the PSK: what the session was made under, or what was provisioned with the external key. */
  | 'cipher-suite'
  /** The application protocol is not that of the PSK. */
  | 'alpn'
  /** The server name is not that of the PSK. */
  | 'scope'
  /**
   * The hello is not fresh: its ticket age does not lead to the time of its arrival, give or take the window of the strategy. Or it
   * cannot be told, as under an external PSK, and the strategy does not keep its records for ever.
   */
  | 'age'
  /** The strategy has not admitted the hello: it may have come before. */
  | 'replay'
  /** A HelloRetryRequest was sent. */
  | 'retry'
  /** The strategy admits nothing for now, as records may be missing. */
  | 'blackout'
  /** The strategy failed. */
  | 'store-error'
  /** The strategy did not answer within `sessions.lookupTimeoutMs`. */
  | 'store-timeout'
  /** The server holds `earlyData.maxHeld` bytes already, or nearly. */
  | 'held';

/**
 * How a session is offered: TLS 1.2 by id or by ticket; TLS 1.3 by a PSK whose identity is an id, or a sealed ticket. An external PSK,
 * plain or imported (RFC 9258), is offered without a session.
 */
export type Mechanism = 'session-id' | 'ticket' | 'psk-stateful' | 'psk-stateless' | 'psk-external' | 'psk-imported';

/** Whether a connection resumed a session, how, and if not, why not. */
export interface Resumption {
  /** False with an external PSK, too: it takes the place of a certificate, and not of an earlier handshake. */
  readonly resumed: boolean;
  /** `undefined` if the connection neither resumed nor used an external PSK. */
  readonly mechanism: Mechanism | undefined;
  /** The PSK key exchange mode; TLS 1.3 only. */
  readonly pskMode: PskMode | undefined;
  /** The index of the accepted PSK identity among those offered, from 0; TLS 1.3 only. */
  readonly identityIndex: number | undefined;
  /** The session that was resumed. The connection holds it until its end; take a hold to keep it longer. */
  readonly session: Session | undefined;
  /** Why the connection did not resume; `undefined` if it did, or if it used an external PSK instead. */
  readonly reason: NoResumption | undefined;
}

/** Returns the Resumption of a connection that did not resume. */
export function notResumed(reason: NoResumption | undefined): Resumption {
  return {
    resumed: false,
    mechanism: undefined,
    pskMode: undefined,
    identityIndex: undefined,
    session: undefined,
    reason,
  };
}

/** How a client offers a session: TLS 1.2 by id or by ticket; TLS 1.3 by a PSK. An external PSK, plain or imported, has no session. */
export type ClientMechanism = 'session-id' | 'ticket' | 'psk' | 'psk-external' | 'psk-imported';

/** Why a connection of a client did not resume a session. */
export type ClientNoResumption =
  /** No session was offered, and no external PSK. */
  | 'not-offered'
  /** The server has done a full handshake instead. */
  | 'declined'
  /** The server has selected another version than that of the sessions that were offered. */
  | 'version';

/** Whether a connection of a client resumed a session, how, and if not, why not. */
export interface ClientResumption {
  /** False with an external PSK, too: it takes the place of a certificate, and not of an earlier handshake. */
  readonly resumed: boolean;
  /** `undefined` if the connection neither resumed nor used an external PSK. */
  readonly mechanism: ClientMechanism | undefined;
  /** The PSK key exchange mode; TLS 1.3 only. */
  readonly pskMode: PskMode | undefined;
  /** The index of the PSK identity that the server has selected among those offered, from 0; TLS 1.3 only. */
  readonly identityIndex: number | undefined;
  /** The session that was resumed. The connection holds it until its end; take a hold to keep it longer. */
  readonly session: Session | undefined;
  /** Why the connection did not resume; `undefined` if it did, or if it used an external PSK instead. */
  readonly reason: ClientNoResumption | undefined;
}

/** The facts about a sealed ticket that reveal no secret. */
export interface TicketFacts {
  /** The key name in hexadecimal; `undefined` if the ticket is too short to have one. */
  readonly keyName: string | undefined;
  /** The name of the key's format; `undefined` if there is no such key. */
  readonly format: string | undefined;
  /** The phase of the key, if its provider states one. */
  readonly phase: 'encrypt' | 'decrypt-only' | 'destroyed' | undefined;
  /** Why the ticket was not opened; `undefined` if it was. */
  readonly failure: 'unknown-key' | 'bad-mac' | 'malformed' | undefined;
}

/** One rule of resumption that was checked. */
export interface Check {
  /** The property that the rule compares, such as 'cipher suite'. */
  readonly rule: string;
  readonly passed: boolean;
}

/** The verdict on one session that a client offered: whether it was resumed, and why. It is not sent to the peer. */
export interface Verdict {
  readonly mechanism: Mechanism;
  /** The index of its PSK identity, from 0; TLS 1.3 only. */
  readonly identityIndex: number | undefined;
  /** Why the session was not resumed; `undefined` if it was. */
  readonly reason: NoResumption | undefined;
  /** Facts about the ticket, if it was a sealed one that was looked at. */
  readonly ticket: TicketFacts | undefined;
  /** Whether the session was resumed. */
  readonly accepted: boolean;
  /** The id of the session in hexadecimal; `undefined` if no session was found. */
  readonly sessionId: string | undefined;
  /** Seconds since the session was made. */
  readonly age: number | undefined;
  /** Seconds since the full handshake that it descends from. */
  readonly authAge: number | undefined;
  /** Every rule in its order, up to and including the first that the session breaks. Empty if no session was found. */
  readonly checks: readonly Check[];
  /** A change that would have let the session resume; `undefined` if it was resumed. */
  readonly remedy: string | undefined;
  /** What has become of the early data that was sent under it: the first identity's alone. `undefined` if there was none. */
  readonly earlyData: 'accepted' | NoEarlyData | undefined;
  /** Returns the same verdict with what has become of early data. */
  withEarlyData(earlyData: 'accepted' | NoEarlyData): Verdict;
  /** Returns the same verdict for a session that was accepted at first but not resumed in the end, for `reason`. */
  lost(reason: NoResumption): Verdict;
  /** Returns a plain object with every property above. */
  toJSON(): object;
}

/** The names of user functions in events. */
export type CallbackName =
  | 'onNew'
  | 'onGet'
  | 'onRemove'
  | 'onTake'
  | 'onServerName'
  | 'onAlpn'
  | 'generateId'
  | 'sealingKey'
  | 'openingKeys'
  | 'onGenerate'
  | 'onDecrypt'
  | 'notResumable'
  | 'mayResume'
  | 'psks'
  | 'keylog'
  | 'ocspResponse'
  | 'sign'
  | 'agree'
  | 'verify'
  | 'verifyClient'
  | 'verifyServer'
  | 'load'
  | 'save'
  | 'admit'
  | 'faults';

/** The results of the negotiation so far, which the connection shows to its user. */
export interface Facts {
  version: Version | undefined;
  suite: SuiteParameters | undefined;
  group: GroupName | undefined;
  serverName: string | undefined;
  alpnProtocol: string | undefined;
  signatureScheme: string | undefined;
  /** The code of RFC 6066 §4; 0 if no length was negotiated. */
  maxFragmentLength: number;
  clientRandom: Uint8Array | undefined;
  earlyData: EarlyDataStatus;
  /**
   * The peer's own certificate in DER, accepted in this handshake or in the full handshake that the session descends from. Sessions
   * share it, and the chain begins with it, so the connection shows copies.
   */
  peerCertificate: Uint8Array | undefined;
  /** The chain that the peer sent in this handshake, if it was accepted. */
  peerCertificateChain: readonly Uint8Array[] | undefined;
  session: Session | undefined;
}
