/** The server's end of a TLS connection as a Node stream. */

import type { Duplex } from 'node:stream';
import { setKeyTimer } from '../engine/key-timer.ts';
import type { ServerConfig } from '../engine/server/config.ts';
import { ServerConnection } from '../engine/server/server-connection.ts';
import { type Names, requireOptions } from '../wire/options.ts';
import { ConnectionSocket } from './connection-socket.ts';
import type { Listen, TlsEvent, TlsSocketEvents } from './events.ts';
import type { ServerSocketOptions } from './options.ts';

const OPTIONS = {
  allowHalfOpen: true,
  handshakeTimeout: true,
  faults: true,
  isAwaited: true,
} satisfies Names<ServerSocketOptions>;

/**
 * A TLS connection over any Duplex, which it owns; see {@link TlsSocketEvents} for its events.
 *
 * Data written before the handshake is complete is sent when it is. The callback of a write is called when the transport has
 * accepted the data. end() sends close_notify (RFC 9846 §6.1) and half-closes the transport; destroy() closes it at once, without
 * an alert. After a fatal alert the transport stays open for up to a second, so that the peer can read the alert.
 */
export class TlsSocket extends ConnectionSocket<ServerConnection> {
  declare addListener: Listen<TlsSocketEvents, this>;
  declare on: Listen<TlsSocketEvents, this>;
  declare once: Listen<TlsSocketEvents, this>;
  declare prependListener: Listen<TlsSocketEvents, this>;
  declare prependOnceListener: Listen<TlsSocketEvents, this>;
  declare off: Listen<TlsSocketEvents, this>;
  declare removeListener: Listen<TlsSocketEvents, this>;

  /** Called by {@link accept} and {@link Server}. `config` is a result of defineServer(). @throws TypeError as accept() does */
  constructor(transport: Duplex, config: ServerConfig, options: ServerSocketOptions = {}) {
    requireOptions('options', options, OPTIONS);
    super(transport, options.allowHalfOpen ?? false);
    const connection = new ServerConnection(config, {
      addresses: () => this.transport.addresses,
      wantsKeylog: () => this.listenerCount('keylog') > 0,
      keyTimer: setKeyTimer,
      faults: options.faults,
    });
    this.start(connection, config.lookupTimeoutMs, options);
  }

  /** Whether `clientAuth.verifyClient` has accepted the client's certificate, now or in the handshake of the resumed session. */
  get authorized(): boolean {
    return this.peerCertificate !== undefined;
  }

  /** The client's own certificate in DER, from this handshake or, after a resumption, from the original full handshake. */
  get peerCertificate(): Uint8Array | undefined {
    return this.connection.peerCertificate;
  }

  /** The host name that the client sent; `false`, as in node:tls, if it sent none. */
  get servername(): string | false {
    return this.connection.serverName ?? false;
  }

  /**
   * Sends the client one more ticket (TLS 1.3); see {@link ServerConnection.sendTicket}. With `tickets.timing` 'manual' these are
   * the only tickets. Does nothing once the connection is over.
   * @throws Error in TLS 1.2, before 'secure', and if `tickets.mode` is 'off'
   */
  sendTicket(): void {
    this.run(this.connection.sendTicket());
  }

  /** @internal */
  protected override get peer(): 'client' {
    return 'client';
  }

  /** @internal */
  protected override emitOwn(event: TlsEvent): void {
    if (event.type === 'early-data' && event.status === 'accepted') this.emit('earlyData');
  }

  /** @internal */
  protected override emitSecure(): void {
    this.emit('secure');
  }
}
