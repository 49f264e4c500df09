/** What a server's handshake is given besides its hands: settings, sessions, tickets, and the parts that the server is made of. */

import type { Session } from '../../sessions/session.ts';
import type { TicketStatus } from '../../tickets/callbacks.ts';
import type { Version } from '../../wire/registry.ts';
import type { Established } from '../established.ts';
import type { HandshakeIO } from '../io.ts';
import type { ClientHello } from '../messages/client-hello.ts';
import type { Received } from '../messages/message.ts';
import type { Facts, NoResumption, TicketFacts, Verdict } from '../outcome.ts';
import type { Handshake, Task } from '../wait.ts';
import type { Settings } from './settings.ts';

/** The session store as the handshake sees it: the internal cache first, then the user's callbacks. */
export interface Sessions {
  /** Whether anybody could produce an offered session: an internal cache that is looked into, or a get callback. */
  readonly canFind: boolean;
  /** Whether anybody could keep a new session: an internal cache, or a new callback. */
  readonly canKeep: boolean;
  /** Whether cache and store may have sessions of other servers. */
  readonly acceptsForeign: boolean;
  /** Finds the session of an id: the session (whose hold is the connection's until it ends), or why there is none. */
  find(version: Version, id: Uint8Array): Task<unknown, Found>;
  /** Of a full handshake: asks whether its session must never be resumed. Then nobody keeps it. Asked by `call`. */
  askNotResumable(isForwardSecure: boolean): void;
  /** What has been answered to that. */
  readonly isRuledOut: boolean;
  /**
   * A fresh id that is not in use, nor the one `offered`: in TLS 1.2 its echo says that it resumes. A
   * task-free call, since the user may generate it.
   */
  newId(version: Version, offered?: Uint8Array): Uint8Array;
  /** Whether a session is small enough to be kept: a certificate may have megabytes. Where it is not, that is told. */
  fits(session: Session): boolean;
  /**
   * Tells the new callback of a session that the connection holds, before anything that is queued now can leave; and keeps it,
   * unless its client does and nobody needs to know it here. Asked by `call`.
   */
  announce(session: Session, isNeeded: boolean): void;
  /** Takes over the caller's hold until the connection ends. */
  adopt(session: Session): Session;
  /** An offered session was accepted. */
  hit(): void;
  /** For single use: `undefined` where this connection is the one that has the session, or why it is not. */
  take(session: Session): Task<unknown, NoResumption | undefined>;
  /**
   * An offered session is past its time: it leaves cache and store, unless its id is the client's own choice (RFC 5077 §3.4),
   * under which they have another's. Asked by `call`.
   */
  expire(session: Session, isCached: boolean): void;
}

/** Tickets, sealed or not; see tickets.ts. */
export interface Tickets {
  /** Whether other servers have the same keys. */
  readonly acceptsForeign: boolean;
  /** For the mode 'stateless'. */
  readonly sealed: Sealed;
  /** Asks the application what is done about a ticket; `undefined` where it has no say. Without an answer the ticket is ignored. */
  judge(opened: OpenedTicket, ticket: Uint8Array): Task<unknown, OpenedTicket> | undefined;
  /**
   * Lets the application put something into the session of a ticket; `undefined` where it does not want to. Its answer is whether
   * there is to be a ticket: none where the callback has failed.
   */
  generate(session: Session): Task<unknown, boolean> | undefined;
}

/** Sessions that their clients keep, sealed under the server's keys. */
export interface Sealed {
  /** What {@link Sealed.open} would come to, if no code of the user's need run for it: then that need be no task. */
  openAtOnce(version: Version, ticket: Uint8Array, sessionId?: Uint8Array): OpenedTicket | undefined;
  /**
   * The session of a ticket (its hold is the connection's until it ends), or why there is none. In TLS 1.2 it goes by the id
   * that the client has given it (RFC 5077 §3.4).
   */
  open(version: Version, ticket: Uint8Array, sessionId?: Uint8Array): Task<unknown, OpenedTicket>;
  /** Its answer is `undefined` where there is no key now, or the session is too large for a ticket. */
  seal(session: Session): Task<unknown, Uint8Array | undefined>;
}

/** The session that was looked for, or why there is none. */
export type Found =
  | { readonly session: Session; readonly reason?: undefined }
  | { readonly session?: undefined; readonly reason: NoResumption };

/** What has come of a ticket. */
export interface OpenedTicket {
  readonly found: Found;
  /** Whether the client gets a new one; `undefined`: as is usual in this version. */
  readonly renew: boolean | undefined;
  readonly status: TicketStatus;
  readonly facts?: TicketFacts | undefined;
}

/** What has been negotiated so far, and what became of each offered session, in the order of the offer. */
export interface ServerFacts extends Facts {
  verdicts: readonly Verdict[];
}

/** A version of TLS as a part that a server has or has not: a bundle contains the versions that are named in it. */
export interface Protocol {
  readonly version: Version;
  /** From the first ClientHello, when this version has been selected for it, to the end of the handshake. */
  serve(context: ServerHandshake, hello: Received<ClientHello>): Handshake<Established>;
}

/** Client certificates of TLS 1.3, as a part that a server has or has not. */
export interface ClientCertificates {
  request(context: ServerHandshake): void;
  /** The certificate, the proof, and the verdict. @throws TlsAlert certificate_required where there must be one (§4.4.2.4) */
  receive(context: ServerHandshake): Handshake<void>;
}

/** What a server is made of, as far as its handshakes call it. */
export interface HandshakeParts {
  /** The versions that this server is made with; which of them it speaks its settings say. */
  readonly protocols: readonly Protocol[];
  readonly clientCertificates?: ClientCertificates | undefined;
}

/** The connection, as a server's handshake acts on it. */
export interface ServerHandshake extends HandshakeIO {
  /** May change once, together with the parts, when the server name has selected another configuration. */
  readonly settings: Settings;
  readonly parts: HandshakeParts;
  readonly sessions: Sessions;
  readonly tickets: Tickets;
  readonly facts: ServerFacts;
  readonly localAddress: string | undefined;
  /** RFC 8446 §4.2.10: the client sends early data that nobody can read. */
  skipEarlyData(): void;
  /** Whether the user has a say in what configuration serves a name. */
  readonly selectsServers: boolean;
  /**
   * Asks the user for the configuration of a server name; from its conclusion on `settings` are those of the answer. It throws
   * TlsAlert internal_error where there is no configuration to go on with.
   */
  selectServer(name: string | undefined): Task<unknown, void>;
  /** Asks the application to accept a client's certificates. Its conclusion throws the alert of a chain that is not accepted. */
  verifyClient(chain: readonly Uint8Array[]): Task<unknown, void>;
}
