/** The client's end of a TLS connection as a Node stream. */

import { Buffer } from 'node:buffer';
import type { Duplex } from 'node:stream';
import { ClientConnection } from '../engine/client/client-connection.ts';
import type { ClientConfig } from '../engine/client/config.ts';
import type { ClientSocketOptions } from './client-options.ts';
import { ConnectionSocket } from './connection-socket.ts';
import type { Listen, TlsClientSocketEvents, TlsEvent } from './events.ts';

/**
 * A TLS connection over any Duplex, which it owns; see {@link TlsClientSocketEvents} for its events. What {@link TlsSocket} says of
 * writes, of the end and of alerts is so here, too.
 */
export class TlsClientSocket extends ConnectionSocket<ClientConnection> {
  declare addListener: Listen<TlsClientSocketEvents, this>;
  declare on: Listen<TlsClientSocketEvents, this>;
  declare once: Listen<TlsClientSocketEvents, this>;
  declare prependListener: Listen<TlsClientSocketEvents, this>;
  declare prependOnceListener: Listen<TlsClientSocketEvents, this>;
  declare off: Listen<TlsClientSocketEvents, this>;
  declare removeListener: Listen<TlsClientSocketEvents, this>;

  /** Called by {@link connect}. `config` is a result of defineClient(). @throws TypeError as connect() does */
  constructor(transport: Duplex, config: ClientConfig, options: ClientSocketOptions = {}) {
    const { allowHalfOpen = false, handshakeTimeout, ...ofConnection } = options;
    super(transport, allowHalfOpen);
    const wantsKeylog = () => this.listenerCount('keylog') > 0;
    const connection = new ClientConnection(config, { ...ofConnection, wantsKeylog });
    if (this.connecting) this.#relayConnect(transport);
    this.start(connection, config.sessions.lookupTimeoutMs, { handshakeTimeout });
    this.run(connection.connect());
  }

  /** The events of net.Socket that programs wait for before there is TLS. */
  #relayConnect(transport: Duplex): void {
    for (const event of ['lookup', 'connect', 'ready'])
      transport.once(event, (...given: unknown[]) => void this.emit(event, ...given));
  }

  /** Whether the server's certificate has been accepted by somebody who looks: not under `verifyServer: 'any'`. */
  get authorized(): boolean {
    return this.peerCertificate !== undefined && !this.connection.config.trust.isAny;
  }

  /** The server's own certificate in DER, from this handshake or, after a resumption, from the original full handshake. */
  get peerCertificate(): Uint8Array | undefined {
    return this.connection.peerCertificate;
  }

  /** The server's certificates in DER, its own first. */
  get peerCertificateChain(): readonly Uint8Array[] | undefined {
    return this.connection.peerCertificateChain;
  }

  /** The OCSP response that the server has sent; see {@link ClientConnection.ocspResponse}. */
  get ocspResponse(): Uint8Array | undefined {
    return this.connection.ocspResponse;
  }

  /** The signed certificate timestamps that the server has sent; see {@link ClientConnection.signedCertificateTimestamps}. */
  get signedCertificateTimestamps(): readonly Uint8Array[] | undefined {
    return this.connection.signedCertificateTimestamps;
  }

  /** The host name or address that the certificate has to be for; `false`, as in node:tls, if there is none. */
  get servername(): string | false {
    return this.connection.serverName ?? false;
  }

  /** @internal */
  protected override get peer(): 'server' {
    return 'server';
  }

  /** @internal */
  protected override emitSecure(): void {
    const response = this.ocspResponse;
    if (response !== undefined) this.emit('OCSPResponse', Buffer.from(response.buffer));
    if (!this.destroyed) this.emit('secureConnect');
  }

  /** @internal */
  protected override emitOwn(event: TlsEvent): void {
    if (event.type !== 'new-session' || this.destroyed) return;
    if (event.session.holds > 0) this.emit('session', event.session); // or else so many came at once that it has been let go
  }
}
