/** The connection as a server's handshake sees it: implements the interfaces of handshake/server/context.ts. */

import type { CryptoProvider } from '../../crypto/provider.ts';
import { notResumed } from '../../handshake/outcome.ts';
import type { HandshakeParts, ServerFacts, ServerHandshake } from '../../handshake/server/context.ts';
import type { Outcome, Task } from '../../handshake/wait.ts';
import { TlsAlert } from '../../wire/alert.ts';
import { ConnectionIO } from '../handshake-io.ts';
import type { ServerConfig } from './config.ts';
import { isServerConfig, notAConfig } from './config-brand.ts';
import type { ConnectionHost } from './connection-host.ts';
import type { ConnectionSessions } from './session-lookup.ts';
import type { ConnectionTickets } from './ticket-judging.ts';
import type { TicketPolicy } from './ticket-policy.ts';

const NOTHING_NEGOTIATED: ServerFacts = {
  version: undefined,
  suite: undefined,
  group: undefined,
  serverName: undefined,
  alpnProtocol: undefined,
  signatureScheme: undefined,
  maxFragmentLength: 0,
  clientRandom: undefined,
  peerCertificate: undefined,
  peerCertificateChain: undefined,
  session: undefined,
  resumption: notResumed('not-offered'),
  verdicts: [],
};

export class ServerIO extends ConnectionIO implements ServerHandshake {
  settings: ServerConfig;
  override readonly facts: ServerFacts = { ...NOTHING_NEGOTIATED };
  readonly sessions: ConnectionSessions;
  readonly tickets: ConnectionTickets;
  readonly #host: ConnectionHost;

  constructor(host: ConnectionHost, sessions: ConnectionSessions, tickets: ConnectionTickets) {
    super(host);
    this.#host = host;
    this.settings = host.config;
    this.sessions = sessions;
    this.tickets = tickets;
  }

  get parts(): HandshakeParts {
    return this.settings;
  }

  override get crypto(): CryptoProvider {
    return this.settings.crypto;
  }

  get localAddress(): string | undefined {
    return this.#host.info().localAddress;
  }

  skipEarlyData(): void {
    this.#host.channel.reader.skipEarlyData(this.#host.config.limits.skippedEarlyData);
  }

  get selectsServers(): boolean {
    return this.#host.config.onServerName !== undefined;
  }

  /**
   * Asks for the configuration of a server name, before anything else is decided (RFC 6066 §3); #serveAs() applies the answer, which
   * may arrive later.
   */
  selectServer(name: string | undefined): Task<unknown, void> {
    return {
      kind: 'server-name',
      callback: 'onServerName',
      budgeted: false,
      run: () => this.#host.config.onServerName?.(name),
      conclude: (outcome) => {
        if ('value' in outcome) return this.#serveAs(outcome.value);
        if ('error' in outcome && isOwnAlert(outcome.error)) throw outcome.error;
        // Going on with the default configuration could show one host's sessions or certificate to another host's client.
        throw new TlsAlert('internal_error', 'no configuration could be selected for the server name');
      },
      isAnswer: isOwnAlert,
    };
  }

  #serveAs(selected: unknown): void {
    const { config } = this.#host;
    if (selected === undefined || selected === config) return;
    if (!isServerConfig(selected)) {
      const error = notAConfig('onServerName', selected);
      this.#host.emit({ type: 'callback-error', callback: 'onServerName', error });
      throw new TlsAlert('internal_error', 'no configuration for the server name');
    }
    if (selected.hasOwnStore) this.sessions.store = selected.store;
    this.sessions.own = selected.ownCallbacks;
    this.tickets.policy = ticketPolicyOf(selected, config);
    this.settings = selected;
  }

  /**
   * Asks the application to accept a chain. Only the answer `true` accepts. Any other value is a refusal without a reason, for which
   * there is certificate_unknown, "some other issue" of §6.2. The application may give a reason by throwing an alert of its own.
   */
  verifyClient(chain: readonly Uint8Array[]): Task<unknown, void> {
    return {
      kind: 'client-certificate',
      callback: 'verifyClient',
      budgeted: false,
      run: () => this.settings.clientAuth?.verifyClient(chain, this.#host.info()),
      conclude: requireAccepted,
      isAnswer: isOwnAlert,
    };
  }
}

/** Reports whether a callback has thrown an alert of its choice. One that another connection has received is an error like any. */
function isOwnAlert(error: unknown): error is TlsAlert {
  return TlsAlert.isAlert(error) && error.origin === 'local';
}

function requireAccepted(outcome: Outcome): void {
  if ('value' in outcome && outcome.value === true) return;
  if ('value' in outcome) throw new TlsAlert('certificate_unknown', 'the application has refused the certificate');
  if ('error' in outcome && isOwnAlert(outcome.error)) throw outcome.error;
  throw new TlsAlert('internal_error', 'nobody has judged the certificate');
}

/** Returns the ticket policy of a virtual host: keys, with `foreign`, and each callback are the server's unless it has its own. */
function ticketPolicyOf(selected: ServerConfig, base: ServerConfig): TicketPolicy {
  const keeper = selected.hasOwnTicketKeys || base.ticketPolicy.keys === undefined ? selected : base;
  const [own, given] = [selected.ticketPolicy.callbacks, base.ticketPolicy.callbacks];
  const callbacks = {
    onGenerate: own.onGenerate ?? given.onGenerate,
    onDecrypt: own.onDecrypt ?? given.onDecrypt,
  };
  return { ...keeper.ticketPolicy, callbacks };
}
