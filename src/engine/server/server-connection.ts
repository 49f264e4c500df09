/** The server's end of a TLS connection, as its user holds it. */

import type { Resumption, Verdict } from '../../handshake/outcome.ts';
import type { ServerFacts } from '../../handshake/server/context.ts';
import { serve } from '../../handshake/server/serve.ts';
import type { ConnectionInfo } from '../../sessions/connection-info.ts';
import type { Session } from '../../sessions/session.ts';
import type { Version } from '../../wire/registry.ts';
import type { World } from '../../world.ts';
import type { Rewrite } from '../channel.ts';
import { ConnectionCore } from '../core.ts';
import type { Step } from '../events.ts';
import type { ServerConfig } from './config.ts';
import { isServerConfig, notAConfig } from './config-brand.ts';
import { ServerRole } from './server-role.ts';

/** What callbacks are told of a connection; which one it is stays between us. (A WeakMap of them would burden the garbage collector.) */
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

/** The connection that a callback has been told of. Inside of the callback only its getters are of use. */
export function connectionOf(info: ConnectionInfo): ServerConnection | undefined {
  return Info.connectionOf(info);
}

type Addresses = Pick<ConnectionInfo, 'localAddress' | 'localPort' | 'remoteAddress' | 'remotePort'>;

/** What a connection may be told besides its configuration. */
export interface ConnectionOptions {
  /** Addresses of both ends, for the callbacks. A function is asked when one is called. */
  readonly addresses?: Addresses | (() => Addresses) | undefined;
  /**
   * For conformance tests: returns the body that is sent instead of `body`, which may break any rule. The transcript has what
   * is sent.
   */
  readonly rewrite?: Rewrite | undefined;
  /** Whether there are to be 'keylog' events, asked whenever there could be; where the configuration has a `keylog` there always are. */
  readonly wantsKeylog?: (() => boolean) | undefined;
}

/**
 * The server's end of one TLS connection. Every method returns a {@link Step}: send its output, even when the connection has
 * failed; then attend to its events; then see to its question. Whoever makes a connection disposes of it.
 */
export class ServerConnection extends ConnectionCore {
  /** @internal */
  readonly config: ServerConfig;
  readonly #options: ConnectionOptions;
  readonly #role: ServerRole;
  readonly #facts: ServerFacts;

  /** @throws TypeError for a configuration that is not defineServer()'s own */
  constructor(config: ServerConfig, options: ConnectionOptions = {}) {
    if (!isServerConfig(config)) throw notAConfig('config');
    const { world, keylog, limits } = config;
    super({ world, keylog, recordsPerKey: limits.recordsPerKey, rewrite: options.rewrite });
    this.config = config;
    this.#options = options;
    this.#role = new ServerRole(this); // which acts through the members that are @internal
    this.#facts = this.#role.io.facts;
    this.start(this.#role, serve(this.#role.io));
  }

  /** @internal */
  wantsKeylog(): boolean {
    return this.config.keylog !== undefined || this.#options.wantsKeylog?.() === true;
  }

  /** @internal */
  get world(): World {
    return this.config.world;
  }

  /** @internal */
  adopt(session: Session): Session {
    return this.#role.adopt(session);
  }

  /** @internal */
  info(): ConnectionInfo {
    return new Info(this, this.#options.addresses);
  }

  /** Whether {@link sendTicket} is for this connection: an established one of TLS 1.3 where sessions are handed out. */
  get hasTickets(): boolean {
    return this.#role.hasTickets;
  }

  /** Whether it resumed, and if not, why not; settled once established. */
  get resumption(): Resumption {
    return this.#facts.resumption;
  }

  /** What has become of each session that the client has offered, in the order of the offer, and why. */
  get verdicts(): readonly Verdict[] {
    return this.#facts.verdicts;
  }

  /**
   * The current session (SSL_get0_session(3)): the one resumed from, or the last one issued; one without an id, which nobody can
   * resume, where none was. `undefined` before there is one. Lent until the connection is disposed of.
   */
  get session(): Session | undefined {
    return this.#facts.session;
  }

  get version(): Version | undefined {
    return this.#facts.version;
  }

  /** IANA's name of the cipher suite. */
  get cipherSuite(): string | undefined {
    return this.#facts.suite?.name;
  }

  /** The (EC)DHE group of this handshake; `undefined` where there was none. */
  get group(): string | undefined {
    return this.#facts.group;
  }

  get signatureScheme(): string | undefined {
    return this.#facts.signatureScheme;
  }

  /** The host name that the client sent. */
  get serverName(): string | undefined {
    return this.#facts.serverName;
  }

  get alpnProtocol(): string | undefined {
    return this.#facts.alpnProtocol;
  }

  /**
   * The client's own certificate, DER, which `verifyClient` has accepted: in this handshake or, where `resumption.resumed` is true,
   * in the full one that the session goes back to. `undefined` where the client has shown none, and until it has proved itself.
   */
  get peerCertificate(): Uint8Array | undefined {
    return this.#role.io.hasProof ? this.#facts.peerCertificate : undefined;
  }

  /** All that it showed, its own first; `undefined` after a resumption, as sessions keep the first alone. */
  get peerCertificateChain(): readonly Uint8Array[] | undefined {
    return this.#role.io.hasProof ? this.#facts.peerCertificateChain : undefined;
  }

  /**
   * TLS 1.3: one more NewSessionTicket (RFC 8446 §4.6.1, SSL_new_session_ticket(3)), in this Step's output or, where its keys or
   * callbacks answer later, in a later one's. Nothing comes of it where there is no key, nobody would keep the session, the
   * client has closed already, or the connection is over.
   * @throws Error in TLS 1.2, before establishment, and where no sessions are handed out: `tickets.mode` is 'off', or clients are
   * asked for certificates without a session id context
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
