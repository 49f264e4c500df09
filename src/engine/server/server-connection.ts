/** The server's end of a TLS connection: the class that users and shells hold. */

import type { Decisions } from '../../handshake/decisions.ts';
import type { NoEarlyData, Resumption, Verdict } from '../../handshake/outcome.ts';
import type { ServerFacts } from '../../handshake/server/context.ts';
import { serve } from '../../handshake/server/serve.ts';
import type { ConnectionInfo } from '../../sessions/connection-info.ts';
import type { Session } from '../../sessions/session.ts';
import type { KeyTimer } from '../../tickets/key-provider.ts';
import { type Names, requireObject, requireOptions } from '../../wire/options.ts';
import type { Version } from '../../wire/registry.ts';
import { callback } from '../checks.ts';
import { ConnectionCore } from '../core.ts';
import type { Step } from '../events.ts';
import { type Fault, requireFaults } from '../fault.ts';
import type { ServerConfig } from './config.ts';
import { isServerConfig, notAConfig } from './config-brand.ts';
import { ServerRole } from './server-role.ts';

/** The description of a connection that callbacks get. The connection itself is private. (A WeakMap would burden the garbage collector.) */
class Info implements ConnectionInfo {
  readonly serverName: string | undefined;
  readonly version: Version | undefined;
  readonly #connection: ServerConnection;

  constructor(connection: ServerConnection, addresses: ConnectionOptions['addresses']) {
    this.#connection = connection;
    this.serverName = connection.serverName;
    this.version = connection.version;
    Object.assign(this, typeof addresses === 'function' ? addresses() : addresses);
  }

  static connectionOf(info: object): ServerConnection | undefined {
    return #connection in info ? info.#connection : undefined;
  }
}

/**
 * Returns the connection that a callback's `info` describes, always the same object; `undefined` for any other object, and for a copy
 * of `info`. Inside the callback, use only its getters.
 */
export function connectionOf(info: ConnectionInfo): ServerConnection | undefined {
  return Info.connectionOf(Object(info));
}

/** The addresses and ports of both ends, as far as they are known. */
export type Addresses = Pick<ConnectionInfo, 'localAddress' | 'localPort' | 'remoteAddress' | 'remotePort'>;

/** The options of one connection, besides the configuration of its server. */
export interface ConnectionOptions {
  /** The addresses and ports of both ends, for the callbacks. A function is called each time a callback is. Default: none. */
  readonly addresses?: Addresses | (() => Addresses) | undefined;
  /** What the connection is to send otherwise than it should, for tests of its peer: values of tls-resume/testing. */
  readonly faults?: readonly Fault[] | undefined;
  /**
   * Returns whether the connection emits 'keylog' events. It is called each time one is due. If the configuration has a `keylog`,
   * there are events in any case.
   */
  readonly wantsKeylog?: (() => boolean) | undefined;
  /** A timer for the ticket keys, which destroys those that nobody uses on time. The shells pass one. Default: none. */
  readonly keyTimer?: KeyTimer | undefined;
}

const OPTIONS = {
  addresses: true,
  faults: true,
  wantsKeylog: true,
  keyTimer: true,
} satisfies Names<ConnectionOptions>;

const NONE: Decisions = {};

/** @throws TypeError naming the option */
function requireConnectionOptions(options: ConnectionOptions): void {
  requireOptions('options', options, OPTIONS);
  const { addresses, faults, wantsKeylog, keyTimer } = options;
  if (typeof addresses !== 'function' && addresses !== undefined) requireObject('addresses', addresses);
  requireFaults(faults);
  callback('wantsKeylog', wantsKeylog);
  callback('keyTimer', keyTimer);
}

/**
 * The server's end of one TLS connection. It does no I/O: it takes in bytes and answers, and each such call returns a {@link Step}.
 * Send its output, even if the connection has failed; then handle its events; then have its question answered. Code that makes a
 * connection must call {@link ServerConnection.dispose} in the end.
 *
 * User code may call the connection that has called it. In a callback that a handshake waits for, and in `keylog`, the call takes effect
 * at once. In any other, such as `onRemove`, a World or a provider, it waits for the call that is under way: its own Step is empty, and
 * its results are in the Step of the other.
 */
export class ServerConnection extends ConnectionCore {
  readonly #config: ServerConfig;
  readonly #options: ConnectionOptions;
  readonly #role: ServerRole;
  readonly #facts: ServerFacts;

  /** @throws TypeError for a configuration that is not defineServer()'s own, and for options that are none */
  constructor(config: ServerConfig, options: ConnectionOptions = {}) {
    if (!isServerConfig(config)) throw notAConfig('config', config);
    requireConnectionOptions(options);
    const { world, keylog, limits } = config;
    super({
      world,
      keylog,
      recordsPerKey: limits.recordsPerKey,
      faults: options.faults,
    });
    this.#config = config;
    this.#options = options;
    this.#role = new ServerRole(this); // which acts through the members that are @internal
    this.#facts = this.#role.io.facts;
    this.start(this.#role, serve(this.#role.io));
  }

  /** @internal */
  get config(): ServerConfig {
    return this.#config;
  }

  /** @internal */
  wantsKeylog(): boolean {
    return this.#config.keylog !== undefined || this.#options.wantsKeylog?.() === true;
  }

  /** @internal */
  get keyTimer(): KeyTimer | undefined {
    return this.#options.keyTimer;
  }

  /** @internal */
  get decisions(): Decisions {
    return this.#options.faults?.[0]?.decisionsOf(this.#options.faults) ?? NONE;
  }

  /** @internal */
  adoptOffered(session: Session): Session {
    return this.#role.adoptOffered(session);
  }

  /** @internal */
  info(): ConnectionInfo {
    return new Info(this, this.#options.addresses);
  }

  /** Whether {@link sendTicket} may be called: the handshake of TLS 1.3 is complete, and the server hands out sessions. */
  get hasTickets(): boolean {
    return this.#role.hasTickets;
  }

  /**
   * Whether a ticket that {@link sendTicket} makes goes out, unless a key or a callback is against it: the client could resume by it,
   * its session would be kept, and our direction has not ended.
   */
  get canSendTicket(): boolean {
    return this.canWrite && this.#role.canSendTicket;
  }

  /** Whether the connection resumed a session, by which mechanism, and if not, why not. Final once it is established. */
  get resumption(): Resumption {
    return this.#facts.resumption;
  }

  /** Why early data was rejected, for the application alone; `undefined` if it was not, or if none was sent. */
  get earlyDataRefusal(): NoEarlyData | undefined {
    return this.#facts.earlyDataRefusal;
  }

  /** One verdict on each session that the client has offered, in the order of the offer. */
  get verdicts(): readonly Verdict[] {
    return this.#facts.verdicts;
  }

  /**
   * The current session (SSL_get0_session(3)): the last one that was issued, or else the one that was resumed. If there was neither, a
   * session without an id, which cannot be resumed. `undefined` before there is one. It is lent until the connection is disposed of,
   * or 256 more tickets have been made: take a hold to keep it longer.
   */
  get session(): Session | undefined {
    return this.#facts.session;
  }

  /** The host name that the client sent (RFC 6066 §3), unchanged. */
  get serverName(): string | undefined {
    return this.#facts.serverName;
  }

  /**
   * TLS 1.3: sends one more NewSessionTicket (RFC 9846 §4.7.1, SSL_new_session_ticket(3)). It is in the output of this Step or, if
   * keys or callbacks answer later, of a later one. No ticket is sent if there is no key, if neither cache nor store would keep the
   * session, if the client could not resume by it, after {@link end}, or if the connection is over. A client that has sent close_notify still
   * gets it: that ends one direction (RFC 9846 §6.1).
   * @throws Error in TLS 1.2, before the connection is established, and if the server hands out no sessions: `tickets.mode` is 'off',
   * or it asks clients for certificates and has no session id context
   */
  sendTicket(): Step {
    if (!this.hasTickets)
      throw new Error('sendTicket() is for TLS 1.3, from its establishment on, where sessions are handed out');
    return this.step(() => {
      if (!this.isEstablished) return;
      this.#role.requestTicket();
      this.runJobs();
    });
  }
}
