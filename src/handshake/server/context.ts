/** What a server's handshake is given besides its hands: settings, sessions, tickets, and the parts that the server is made of. */

import type { Awaitable } from '../../awaitable.ts';
import type { Session } from '../../sessions/session.ts';
import type { TicketStatus } from '../../tickets/callbacks.ts';
import type { Version } from '../../wire/registry.ts';
import type { Established } from '../established.ts';
import type { HandshakeIO } from '../io.ts';
import type { ClientHello } from '../messages/client-hello.ts';
import type { Received } from '../messages/message.ts';
import type { Facts, NoResumption, TicketFacts, Verdict } from '../outcome.ts';
import type { Handshake, TaskOutcome } from '../wait.ts';
import type { Settings } from './settings.ts';

/** The session store as the handshake sees it: the internal cache first, then the user's callbacks. */
export interface Sessions {
  /** Whether anybody could produce an offered session: an internal cache that is looked into, or a get callback. */
  readonly canFind: boolean;
  /** Whether anybody could keep a new session: an internal cache, or a new callback. */
  readonly canKeep: boolean;
  /** Whether cache and store may have sessions of other servers. */
  readonly acceptsForeign: boolean;
  /** Runs as a task. What it answers goes to {@link Sessions.found}. */
  find(version: Version, id: Uint8Array): Awaitable<unknown>;
  /** The session (whose hold is the connection's until it ends), or why there is none. */
  found(version: Version, id: Uint8Array, outcome: TaskOutcome<unknown>): Session | NoResumption;
  /** Of a full handshake: asks whether its session must never be resumed. Then nobody keeps it. Runs as a task. */
  askNotResumable(isForwardSecure: boolean): void;
  /** What has been answered to that. */
  readonly isRuledOut: boolean;
  /**
   * A fresh id that is not in use, nor the one `offered`: in TLS 1.2 its echo says that it resumes. Runs as a task, since the
   * user may generate it.
   */
  newId(version: Version, offered?: Uint8Array): Uint8Array;
  /** Whether a session is small enough to be kept: a certificate may have megabytes. Where it is not, that is told. */
  fits(session: Session): boolean;
  /**
   * Tells the new callback of a session that the connection holds, before anything that is queued now can leave; and keeps it,
   * unless its client does and nobody needs to know it here. Runs as a task.
   */
  announce(session: Session, isNeeded: boolean): void;
  /** Takes over the caller's hold until the connection ends. */
  hold(session: Session): Session;
  /** An offered session was accepted. */
  hit(): void;
  /** For single use; runs as a task: whether this caller is the one. */
  take(session: Session): Awaitable<boolean>;
  /**
   * An offered session is past its time: it leaves cache and store, unless its id is the client's own choice (RFC 5077 §3.4),
   * under which they have another's. Runs as a task.
   */
  expire(session: Session, isCached: boolean): void;
}

/** Tickets, sealed or not; see tickets.ts. What answers an Awaitable runs as a task. */
export interface Tickets {
  /** Whether other servers have the same keys. */
  readonly acceptsForeign: boolean;
  /** For the mode 'stateless'. */
  readonly sealed: Sealed;
  /** Whether the application wants to be asked what is done about a ticket. */
  readonly isJudged: boolean;
  judge(opened: OpenedTicket, ticket: Uint8Array): Awaitable<unknown>;
  /** As if it were to be ignored, where there is no answer. @throws TlsAlert internal_error where that is its answer */
  judged(opened: OpenedTicket, outcome: TaskOutcome<unknown>): OpenedTicket;
  /** Whether the application has something to put into a ticket. */
  readonly isGenerated: boolean;
  generate(session: Session): Awaitable<unknown>;
  /** Whether there is to be a ticket: not where it has failed. @throws TlsAlert internal_error where it has refused */
  generated(session: Session, outcome: TaskOutcome<unknown>): boolean;
}

/** Sessions that their clients keep, sealed under the server's keys. */
export interface Sealed {
  /** What {@link Sealed.findKeys} would find, where no code of the user's need run for it: then that need be no task. */
  keysAtHand(ticket: Uint8Array): unknown;
  findKeys(ticket: Uint8Array): Awaitable<unknown>;
  /**
   * The session of a ticket (its hold is the connection's until it ends), or why there is none. In TLS 1.2 it goes by the id
   * that the client has given it (RFC 5077 §3.4).
   */
  open(version: Version, ticket: Uint8Array, outcome: TaskOutcome<unknown>, sessionId?: Uint8Array): OpenedTicket;
  findSealingKey(): Awaitable<unknown>;
  /** `undefined`: there is no key now, or the session is too large for a ticket. */
  seal(session: Session, outcome: TaskOutcome<unknown>): Uint8Array | undefined;
}

/** What has come of a ticket. */
export interface OpenedTicket {
  readonly found: Session | NoResumption;
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
  /** Asks the user for the configuration of a server name. Runs as a task; its answer goes to {@link ServerHandshake.serveAs}. */
  selectServer(name: string | undefined): Awaitable<unknown>;
  /** From here on `settings` are those of the selected configuration. @throws TlsAlert internal_error where it is none */
  serveAs(selected: unknown): void;
  /** Asks the application what it makes of a client's certificates. Runs as a task; `true` accepts. */
  verifyClient(chain: readonly Uint8Array[]): Awaitable<unknown>;
}
