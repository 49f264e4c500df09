/**
 * What a handshake says of itself: whether it resumed, and if not, why not. Words for both roles and for the shells; what decides
 * them stands elsewhere, and nothing here imports it.
 */

import type { SuiteParameters } from '../crypto/suites.ts';
import type { Session } from '../sessions/session.ts';
import type { GroupName, PskMode, Version } from '../wire/registry.ts';

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
  | 'foreign'
  | 'psk-mode'
  | 'expired'
  | 'auth-age'
  | 'client-certificate'
  | 'not-resumable'
  /** The end of the handshake, not the way to a full one. */
  | 'binder'
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

/** What can be said of a ticket without giving anything away. */
export interface TicketFacts {
  /** Hexadecimal; `undefined` where it is too short to have one. */
  readonly keyName: string | undefined;
  /** Of its key, where there is one. */
  readonly format: string | undefined;
  readonly phase: 'encrypt' | 'decrypt-only' | 'destroyed' | undefined;
  /** Why it was not opened. */
  readonly failure: 'unknown-key' | 'bad-mac' | 'malformed' | undefined;
}

/** One thing that was compared. */
export interface Check {
  readonly rule: string;
  readonly passed: boolean;
}

/** What became of one session that a client offered, and why. Nothing of it goes to the peer. */
export interface Verdict {
  readonly mechanism: Mechanism;
  /** Its place among the PSK identities; TLS 1.3 only. */
  readonly identityIndex: number | undefined;
  /** Why it was not resumed; `undefined`: it was. */
  readonly reason: NoResumption | undefined;
  readonly ticket: TicketFacts | undefined;
  readonly accepted: boolean;
  /** The id of the session, in hexadecimal; `undefined` where none was found. */
  readonly sessionId: string | undefined;
  /** Seconds since the session was made. */
  readonly age: number | undefined;
  /** Seconds since the full handshake that it descends from. */
  readonly authAge: number | undefined;
  /** Every rule in its order, up to and including the first that the session breaks. Empty where there was no session. */
  readonly checks: readonly Check[];
  /** What would have made it pass. */
  readonly remedy: string | undefined;
  /** The same verdict on a session that was accepted but not resumed in the end, for `reason`. */
  lost(reason: NoResumption): Verdict;
  toJSON(): object;
}

/** The user's functions, as events name them. */
export type CallbackName =
  | 'onNew'
  | 'onGet'
  | 'onRemove'
  | 'onTake'
  | 'onServerName'
  | 'generateId'
  | 'sealingKey'
  | 'openingKeys'
  | 'onGenerate'
  | 'onDecrypt'
  | 'notResumable'
  | 'keylog'
  | 'sign'
  | 'agree'
  | 'verifyClient';

/** What has been negotiated so far; the connection shows it to its user. */
export interface Facts {
  version: Version | undefined;
  suite: SuiteParameters | undefined;
  group: GroupName | undefined;
  serverName: string | undefined;
  alpnProtocol: string | undefined;
  signatureScheme: string | undefined;
  clientRandom: Uint8Array | undefined;
  /** The peer's own certificate, DER, accepted in this handshake or in the one whose session it resumes. */
  peerCertificate: Uint8Array | undefined;
  /** The chain that the peer showed in this handshake, if it was accepted. */
  peerCertificateChain: readonly Uint8Array[] | undefined;
  session: Session | undefined;
  resumption: Resumption;
}
