/** The connection as a server's handshake sees it: implements the interfaces of handshake/server/context.ts. */

import type { CryptoProvider } from '../../crypto/provider.ts';
import type { Decisions } from '../../handshake/decisions.ts';
import { notResumed } from '../../handshake/outcome.ts';
import type { HandshakeParts, ServerFacts, ServerHandshake } from '../../handshake/server/context.ts';
import type { Task } from '../../handshake/wait.ts';
import type { ConnectionInfo } from '../../sessions/connection-info.ts';
import { isOwnAlert, TlsAlert } from '../../wire/alert.ts';
import { refuseClient } from '../../wire/not-tls.ts';
import { ConnectionIO, NOTHING_NEGOTIATED } from '../handshake-io.ts';
import type { ServerConfig } from './config.ts';
import { isServerConfig, notAConfig } from './config-brand.ts';
import type { ConnectionHost } from './connection-host.ts';
import type { ConnectionSessions } from './session-lookup.ts';
import type { ConnectionTickets } from './ticket-judging.ts';
import type { TicketPolicy } from './ticket-policy.ts';

const NOTHING_FOUND: ServerFacts = {
  ...NOTHING_NEGOTIATED,
  resumption: notResumed('not-offered'),
  verdicts: [],
  replacesClientCertificate: false,
  earlyDataRefusal: undefined,
};

export class ServerIO extends ConnectionIO implements ServerHandshake {
  settings: ServerConfig;
  override readonly facts: ServerFacts = { ...NOTHING_FOUND };
  readonly decisions: Decisions;
  readonly sessions: ConnectionSessions;
  readonly tickets: ConnectionTickets;
  readonly #host: ConnectionHost;

  constructor(host: ConnectionHost, sessions: ConnectionSessions, tickets: ConnectionTickets) {
    super(host);
    this.#host = host;
    this.settings = host.config;
    this.decisions = host.decisions;
    this.sessions = sessions;
    this.tickets = tickets;
    host.channel.reader.refusePeer = refuseClient;
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
    const { limits, earlyData } = this.settings;
    this.facts.earlyData = 'rejected';
    this.facts.earlyDataRefusal = 'disabled';
    this.#host.channel.reader.skipEarlyData(limits.skippedEarlyData, earlyData?.maxSize);
  }

  acceptEarlyData(): void {
    this.#host.channel.reader.acceptEarlyData();
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
      asked: name,
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

  info(): ConnectionInfo {
    return this.#host.info();
  }
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
