/** The client's end of a TLS connection: the class that users and shells hold. */

import { connect } from '../../handshake/client/connect.ts';
import type { ClientFacts, HelloEdits, Stapled } from '../../handshake/client/context.ts';
import { copyOfStapled, NOTHING_STAPLED } from '../../handshake/client/server-certificate.ts';
import type { ClientResumption } from '../../handshake/outcome.ts';
import type { WirePsk } from '../../handshake/psk.ts';
import { ClientSession } from '../../sessions/client-session.ts';
import { requireSession, type Session } from '../../sessions/session.ts';
import { requireBytes } from '../../wire/kind-of.ts';
import { type Names, requireOptions, requireString } from '../../wire/options.ts';
import { boolean, callback, integer, requireArray } from '../checks.ts';
import { ConnectionCore } from '../core.ts';
import { disowned, type Step } from '../events.ts';
import { type Fault, requireFaults } from '../fault.ts';
import { attempt } from '../outcomes.ts';
import { ClientRole } from './client-role.ts';
import { type ClientConfig, isClientConfig } from './config.ts';
import { whyUnfit } from './offers.ts';
import type { Peer } from './session-cache.ts';
import { isSameTrust } from './trust.ts';

/** The options of one connection, besides the configuration of its client. */
export interface ConnectOptions {
  /** The host name for the extension server_name (RFC 6066 §3), and for `verifyServer`. Default: none. */
  readonly serverName?: string | undefined;
  /** The name or address, and the port, that the transport leads to: sessions are kept by them. Default: none. */
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  /**
   * Sessions to offer, the best first: of TLS 1.3 any number, of TLS 1.2 the first. Each is held until the connection ends. Default:
   * what the client has in its cache; an empty list offers none.
   */
  readonly sessions?: readonly Session[] | undefined;
  /**
   * Says that whoever made the `sessions` had accepted the server as this client would. Otherwise a session that was read from
   * elsewhere, or made by a client with another `verifyServer` or other `pins`, is a TypeError, unless every server is accepted.
   */
  readonly sessionIsTrusted?: boolean | undefined;
  /**
   * For tests of servers: offers `sessions` whatever their names, suites and ages, whoever accepted the server, and also those that have
   * been ruled out.
   */
  readonly forceSessions?: boolean | undefined;
  /** For tests of servers: the age to state of every ticket, in milliseconds, instead of the right one (RFC 9846 §4.3.11). */
  readonly ticketAge?: number | undefined;
  /**
   * Early data (RFC 9846 §2.3): bytes that are sent right behind the hello if the first session allows that many; `true` offers early data
   * for {@link ClientConnection.writeEarlyData} to send. It has no forward secrecy, and whoever records it can send it again. `earlyData` of the connection says what
   * has become of it. It is never sent again: that is for the application to decide.
   */
  readonly earlyData?: Uint8Array | true | undefined;
  /** For tests of servers: changes to the hello. */
  readonly edits?: HelloEdits | undefined;
  /** What the connection is to send otherwise than it should, for tests of its peer: values of tls-resume/testing. */
  readonly faults?: readonly Fault[] | undefined;
  /** Returns whether the connection emits 'keylog' events. If the configuration has a `keylog`, there are events in any case. */
  readonly wantsKeylog?: (() => boolean) | undefined;
}

const OPTIONS = {
  serverName: true,
  host: true,
  port: true,
  sessions: true,
  sessionIsTrusted: true,
  forceSessions: true,
  ticketAge: true,
  earlyData: true,
  edits: true,
  faults: true,
  wantsKeylog: true,
} satisfies Names<ConnectOptions>;

/** RFC 6066 §3: host names are ASCII on the wire. @throws TypeError for no text; RangeError for one that is no host name */
function requireName(serverName: string | undefined): void {
  requireString('serverName', serverName);
  if (serverName !== undefined && !/^[!-~]{1,255}$/.test(serverName))
    throw new RangeError(
      `serverName: ${JSON.stringify(serverName)} is no host name; 1 to 255 ASCII characters are, with labels such as xn--…`,
    );
}

/** @throws TypeError for a session that this client cannot offer, or that it may not take for granted */
function requireSessions(options: ConnectOptions, config: ClientConfig): void {
  const { suites, trust } = config;
  const { sessions = [], serverName, sessionIsTrusted, forceSessions } = options;
  boolean('sessionIsTrusted', sessionIsTrusted, false);
  const isForced = boolean('forceSessions', forceSessions, false);
  requireArray('sessions', sessions, 'an array', '[session]');
  for (const [i, session] of sessions.entries()) {
    const name = `sessions[${i}]`;
    requireSession(name, session);
    if (isForced) continue;
    // What others have written may lack the name.
    const isNamed = session instanceof ClientSession || session.serverName !== undefined;
    if (isNamed && session.serverName?.toLowerCase() !== serverName?.toLowerCase())
      throw new TypeError(`${name}: it is for ${session.serverName ?? 'no name'}, not for ${serverName ?? 'none'}`);
    const unfit = whyUnfit(session, suites);
    if (unfit !== undefined) throw new TypeError(`${name}: ${unfit}`);
    if (!trust.isAny && sessionIsTrusted !== true && !isAccepted(session, config))
      throw new TypeError(
        `${name}: this client has not accepted its server; say sessionIsTrusted: true if somebody has who may`,
      );
  }
}

/** A misspelt edit would change nothing, and the test pass. */
function requireEdits(edits: HelloEdits | undefined): void {
  if (edits === undefined) return;
  requireOptions('edits', edits, { hello: true, bytes: true });
  callback('edits.hello', edits.hello);
  callback('edits.bytes', edits.bytes);
}

function isAccepted(session: Session, { trust, psks }: ClientConfig): boolean {
  if (!(session instanceof ClientSession)) return false;
  const { acceptedBy, peerChain } = session.origin;
  return acceptedBy.verifyServer === psks || (isSameTrust(acceptedBy, trust) && trust.isPinned(peerChain));
}

/**
 * The client's end of one TLS connection. It does no I/O: {@link ClientConnection.connect} returns the ClientHello, and from then on
 * it takes in bytes and answers, each time with a {@link Step}. Send its output, even if the connection has failed; then handle its
 * events; then have its question answered. Code that makes a connection must call {@link ClientConnection.dispose} in the end.
 */
export class ClientConnection extends ConnectionCore {
  readonly #config: ClientConfig;
  readonly #options: ConnectOptions;
  readonly #role: ClientRole;
  readonly #facts: ClientFacts;

  /** @throws TypeError for a configuration that is not defineClient()'s own, and for options that are none */
  constructor(config: ClientConfig, options: ConnectOptions = {}) {
    if (!isClientConfig(config)) throw new TypeError('config: what defineClient() returned is wanted, and no copy');
    requireOptions('options', options, OPTIONS);
    requireName(options.serverName);
    requireFaults(options.faults);
    callback('wantsKeylog', options.wantsKeylog);
    requireEdits(options.edits);
    const { earlyData } = options;
    if (earlyData !== undefined && earlyData !== true)
      requireBytes('earlyData', earlyData, '; true is for data that comes later');
    const { world, keylog, recordsPerKey } = config;
    super({ world, keylog, recordsPerKey, faults: options.faults });
    this.#config = config;
    this.#options = options;
    const age = options.ticketAge && integer('ticketAge', options.ticketAge, 0, 0, 2 ** 32 - 1);
    requireSessions(options, config);
    this.#role = new ClientRole(this, options.sessions, age);
    this.#facts = this.#role.io.facts;
    this.start(this.#role, connect(this.#role.io));
  }

  /** @internal */
  get config(): ClientConfig {
    return this.#config;
  }

  /** @internal */
  get forcesSessions(): boolean {
    return this.#options.forceSessions === true;
  }

  /** @internal */
  get edits(): HelloEdits {
    return this.#options.edits ?? {};
  }

  /** @internal The external PSK that the server has selected. */
  get psk(): WirePsk | undefined {
    return this.#facts.psk;
  }

  /** @internal */
  get givenEarlyData(): Uint8Array | true | undefined {
    return this.#options.earlyData;
  }

  /** @internal */
  get peer(): Peer {
    const { host, port, serverName } = this.#options;
    return { host, port, serverName };
  }

  /** @internal */
  saved(save: () => PromiseLike<unknown> | undefined): void {
    const outcome = attempt(save);
    if ('error' in outcome) this.emit({ type: 'callback-error', callback: 'save', error: outcome.error });
    else if ('value' in outcome && outcome.value !== undefined) this.emit(disowned('save', outcome.value));
  }

  /** @internal */
  wantsKeylog(): boolean {
    return this.#config.keylog !== undefined || this.#options.wantsKeylog?.() === true;
  }

  /** Begins the handshake: the output has the ClientHello, if no question is open. Further calls do nothing. */
  connect(): Step {
    return this.proceed();
  }

  /** The host name that was asked for. */
  get serverName(): string | undefined {
    return this.#options.serverName;
  }

  /**
   * Whether the connection resumed a session, by which mechanism, and if not, why not. `resumed` is true once the server's Finished has
   * proved it. Final once the connection is established.
   */
  get resumption(): ClientResumption {
    return this.#facts.resumption;
  }

  /**
   * The OCSP response for the server's certificate, in DER, if `statusRequest` asked for it and the server has sent one in this handshake.
   * Nobody but `verifyServer` has looked into it.
   */
  get ocspResponse(): Uint8Array | undefined {
    return this.#stapled.ocspResponse;
  }

  /** The signed certificate timestamps, each as bytes (RFC 6962 §3.3), if `signedCertificateTimestamp` asked for them; in the same way. */
  get signedCertificateTimestamps(): readonly Uint8Array[] | undefined {
    return this.#stapled.signedCertificateTimestamps;
  }

  get #stapled(): Stapled {
    return copyOfStapled(this.#role.io.hasProof ? this.#facts.stapled : NOTHING_STAPLED);
  }

  /**
   * The sessions that the server has handed out so far; the last 256, or 1 MiB of them, if there are more. They are lent until the
   * connection is disposed of, or more have come: take a hold to keep one.
   */
  get sessions(): readonly Session[] {
    return this.#role.sessions.all;
  }

  /** The last of {@link sessions}, or else the one that was resumed; `undefined` if there is neither. It is lent, too. */
  get session(): Session | undefined {
    return this.#facts.session;
  }
}
