/** The interfaces of a server's handshake besides {@link HandshakeIO}: settings, sessions, tickets, and the parts of the server. */

import type { EarlySecret } from '../../crypto/key-schedule.ts';
import type { Protection } from '../../crypto/protection.ts';
import type { HashName } from '../../crypto/provider.ts';
import type { SuiteParameters } from '../../crypto/suites.ts';
import type { ConnectionInfo } from '../../sessions/connection-info.ts';
import type { Session } from '../../sessions/session.ts';
import type { TicketStatus } from '../../tickets/callbacks.ts';
import type { Version } from '../../wire/registry.ts';
import type { Decisions } from '../decisions.ts';
import type { Established } from '../established.ts';
import type { HandshakeIO } from '../io.ts';
import type { ClientHello } from '../messages/client-hello.ts';
import type { Received } from '../messages/message.ts';
import type { Facts, NoEarlyData, NoResumption, NoTicket, Resumption, TicketFacts, Verdict } from '../outcome.ts';
import type { Psk, WirePsk } from '../psk.ts';
import type { Handshake, Task } from '../wait.ts';
import type { HeldHello } from './held-hello.ts';
import type { Settings } from './settings.ts';

/**
 * The session store as the handshake sees it: the internal cache first, then the user's callbacks. Some methods run user code
 * without waiting for it; flights run these with `call()` of wait.ts.
 */
export interface Sessions {
  /** Whether an offered session could be found: in an internal cache that lookups consult, or by a get callback. */
  readonly canFind: boolean;
  /** Whether a new session could be kept: in an internal cache, or by a new callback. */
  readonly canKeep: boolean;
  /** Whether a lookup could find a new session that is kept. */
  readonly canFindAgain: boolean;
  /** Whether a new session for single use could be taken. `isSealed` says that its ticket contains it. */
  canTake(isSealed: boolean): boolean;
  /** Whether sessions of other servers, which may be in cache and store, are accepted. */
  readonly acceptsForeign: boolean;
  /** Whether the time of a session moves when it is used, so that ticket ages no longer count from it. */
  readonly movesTime: boolean;
  /** Looks up the session of an id. Concludes with the session, which the connection holds until the handshake is complete or, if it resumes, until its end; or why there is none. */
  find(version: Version, id: Uint8Array): Task<unknown, Found>;
  /** Returns in a full handshake whether its session must never be resumed. Run it with `call()`. */
  askNotResumable(isForwardSecure: boolean): boolean;
  /** The answer of {@link Sessions.askNotResumable}: the new session is not kept. */
  isRuledOut: boolean;
  /**
   * Returns a fresh id that is not in use and is not the one `offered`: in TLS 1.2 an echo of that signals resumption. Run it
   * with `call()`, as the user may generate the id.
   */
  newId(version: Version, offered?: Uint8Array): Uint8Array;
  /** Reports as an event that the client gets no ticket, or one fewer than are due. */
  noTicket(reason: NoTicket): void;
  /**
   * Reports whether a session is worth a ticket: it is small enough, as a certificate may have megabytes, and the client's certificate
   * has not expired. If it is not, an event says why. `isKept`: it is to go into the cache or the store.
   */
  fits(session: Session, isKept: boolean): boolean;
  /**
   * Tells the new callback of a session that the connection holds, before any output that is queued now can leave, and puts the
   * session into the internal cache. If `isNeeded` is false, because the client keeps the session, it goes into the cache only if
   * there is a remove callback. Run it with `call()`.
   */
  announce(session: Session, isNeeded: boolean): void;
  /** Takes over the caller's hold until the connection ends. Returns the session. */
  adopt(session: Session): Session;
  /** Counts an offered session that was accepted. */
  hit(): void;
  /**
   * Asks the application whether a session that breaks no rule may be resumed; `undefined` if it has no callback for that. Concludes
   * with `undefined` if it may, or why it may not.
   */
  mayResume(session: Session): Task<unknown, NoResumption | undefined> | undefined;
  /** Whether somebody has asked for the single use of a session. */
  wasTaken(session: Session): boolean;
  /** Takes a session for its single use. Concludes with `undefined` if this connection has it now, or why it has not. */
  take(session: Session): Task<unknown, NoResumption | undefined>;
  /**
   * Counts an offered session that has expired and, if `isCached`, removes it from cache and store. The id of a TLS 1.2 ticket is
   * the client's own choice (RFC 5077 §3.4): cache and store may have another session under it. Run it with `call()`.
   */
  expire(session: Session, isCached: boolean): void;
}

/** Tickets, sealed or not; see tickets.ts. */
export interface Tickets {
  /** Whether sessions of other servers, which have the same keys, are accepted. */
  readonly acceptsForeign: boolean;
  /** The sealed tickets of the mode 'stateless'. @throws Error in a server that is made without them */
  readonly sealed: Sealed;
  /**
   * Lets the application add data to the session of a ticket; `undefined` if the application has no callback for that. Concludes
   * with whether to make the ticket: not if the callback failed, after an event that says so.
   */
  generate(session: Session): Task<unknown, boolean> | undefined;
}

/** Tickets that contain the session, sealed under the server's keys, so that the client keeps it. */
export interface Sealed {
  /** Returns what {@link Sealed.open} would conclude with, if that takes no user code and so no task; otherwise `undefined`. */
  openAtOnce(version: Version, ticket: Uint8Array, sessionId?: Uint8Array): OpenedTicket | undefined;
  /**
   * Opens a ticket. Concludes with the session, which the connection holds as one of {@link Sessions.find}, or why there is none. In TLS 1.2 the
   * session gets the id that the client sent beside the ticket (RFC 5077 §3.4).
   */
  open(version: Version, ticket: Uint8Array, sessionId?: Uint8Array): Task<unknown, OpenedTicket>;
  /**
   * Asks the application about a ticket that a client offers; `undefined` if the application has no callback for that. If the
   * callback fails, the ticket is ignored and renewed.
   */
  judge(opened: OpenedTicket, ticket: Uint8Array): Task<unknown, OpenedTicket> | undefined;
  /** Seals a session. Concludes with `undefined` if there is no ticket, after an event that says why. */
  seal(session: Session): Task<unknown, Uint8Array | undefined>;
}

/** The result of a lookup: the session, or why there is none. */
export type Found =
  | { readonly session: Session; readonly reason?: undefined }
  | { readonly session?: undefined; readonly reason: NoResumption };

/** The result of opening a ticket. */
export interface OpenedTicket {
  readonly found: Found;
  /** Whether the client gets a new ticket; `undefined` leaves that to the custom of the version. */
  readonly renew: boolean | undefined;
  readonly status: TicketStatus;
  readonly facts?: TicketFacts | undefined;
}

/** The external PSKs of a server: the option `psks`, validated. */
export interface PskSource {
  /** Whether the server has no certificate, so that a handshake without a PSK fails. */
  readonly isAlone: boolean;
  /** Whether an unknown identity ends as a wrong binder does. */
  readonly hides: boolean;
  /** Whether an identity is known without asking the application. */
  has(identity: Uint8Array): boolean;
}

/** @internal What only the handshake uses. */
export interface PskSource {
  /** Looks up an identity. */
  find(context: ServerHandshake, identity: Uint8Array): Handshake<FoundPsk>;
  /** Returns the verdict on an external PSK, and its suite if it is accepted. */
  judge(
    context: ServerHandshake,
    found: FoundPsk,
    offer: PskJudging,
  ): { readonly verdict: Verdict; readonly suite: SuiteParameters | undefined };
  /**
   * Ends a handshake in which no PSK was accepted, if the server has no certificate. `tried` is the hash of the one whose binder has not
   * verified. @throws TlsAlert
   */
  refuse(context: ServerHandshake, hello: Received<ClientHello>, tried?: HashName): void;
}

/** @internal The properties of the handshake that an external PSK must fit. */
export interface PskJudging {
  readonly suites: readonly SuiteParameters[];
  /** TLS 1.3 only, as `hello`. */
  readonly identityIndex?: number | undefined;
  readonly hello?: ClientHello | undefined;
}

/** The result of looking up an external PSK. */
export interface FoundPsk {
  readonly mechanism: 'psk-external' | 'psk-imported';
  readonly psk?: WirePsk | undefined;
  /** Why there is none. */
  readonly reason?: NoResumption | undefined;
}

/** The results of the negotiation so far, and the verdicts. */
export interface ServerFacts extends Facts {
  resumption: Resumption;
  /** One verdict per offered session, in the order of the offer. */
  verdicts: readonly Verdict[];
  /** Whether an external PSK, this one or that of the session's first handshake, stands for the certificate of the client. */
  replacesClientCertificate: boolean;
  /** Why early data was rejected; `undefined` if it was not, or if none was sent. */
  earlyDataRefusal: NoEarlyData | undefined;
}

/** A version of TLS, as an optional part of a server. A bundle contains only the versions that it names. */
export interface Protocol {
  readonly version: Version;
  /** Runs the handshake to its end, from the first ClientHello, for which this version has been selected. Forgets the hello in time. */
  serve(context: ServerHandshake, hello: HeldHello): Handshake<Established>;
}

/** Client certificates in TLS 1.3, as an optional part of a server. */
export interface ClientCertificates {
  /** Sends a CertificateRequest. */
  request(context: ServerHandshake): void;
  /**
   * Receives the certificate and the proof of its key, and asks the application to accept it.
   * @throws TlsAlert certificate_required if the client must have a certificate and has none (§4.5.1.3)
   */
  receive(context: ServerHandshake): Handshake<void>;
}

/** Early data, as an optional part of a server. */
export interface EarlyDataPart {
  /** @internal Decides on the early data that the hello announces, and says why if it accepts none. */
  accept(context: ServerHandshake, offer: EarlyDataOffer): Handshake<AcceptedEarlyData | undefined>;
}

/** What has been negotiated in TLS 1.3, as far as early data depends on it. */
export interface EarlyDataOffer {
  /** The hello that ServerHello answers. */
  readonly hello: HeldHello;
  readonly retried: boolean;
  readonly suite: SuiteParameters;
  readonly psk: EarlyDataPsk | undefined;
}

/** The PSK that was accepted. */
export interface EarlyDataPsk {
  readonly psk: Pick<Psk, 'session' | 'earlyData'>;
  readonly identityIndex: number;
  readonly early: EarlySecret;
}

/** Early data that has been accepted. */
export interface AcceptedEarlyData {
  /** What its records are under. */
  readonly protection: Protection;
  /** Receives it, and EndOfEarlyData (§4.6). @throws TlsAlert unexpected_message if there is more than the ticket allows */
  receive(context: ServerHandshake): Handshake<void>;
}

/** The parts of a server that its handshakes call. */
export interface HandshakeParts {
  /** The versions that this server is made with. Its settings say which of them it speaks. */
  readonly protocols: readonly Protocol[];
  readonly clientCertificates?: ClientCertificates | undefined;
  /** The external PSKs; `undefined` if none are taken. */
  readonly psks?: PskSource | undefined;
  readonly zeroRtt?: EarlyDataPart | undefined;
}

/** The connection, as a server's handshake sees it. */
export interface ServerHandshake {
  readonly localAddress: string | undefined;
}

/** @internal What only the handshake uses. */
export interface ServerHandshake extends HandshakeIO {
  /** The settings in force. They change once, together with the parts, if the server name selects another configuration. */
  readonly settings: Settings;
  readonly parts: HandshakeParts;
  readonly sessions: Sessions;
  readonly tickets: Tickets;
  readonly facts: ServerFacts;
  /** What a tester has decided. */
  readonly decisions: Decisions;
  /** RFC 9846 §4.3.10: notes that the client sends early data, and skips it, unless {@link acceptEarlyData} follows. */
  skipEarlyData(): void;
  /** Has the reader take early data for what it is. */
  acceptEarlyData(): void;
  /** Whether the application selects a configuration by server name. */
  readonly selectsServers: boolean;
  /**
   * Asks the application for the configuration of a server name. The conclusion puts the settings of the answer in force. It throws
   * TlsAlert internal_error if there is no configuration to go on with.
   */
  selectServer(name: string | undefined): Task<unknown, void>;
  /** What callbacks are told of the connection. */
  info(): ConnectionInfo;
}
