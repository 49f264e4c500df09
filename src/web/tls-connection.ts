/** A TLS connection as an application sees it: two Web Streams. */

import type { ServerConnection } from '../engine/server/server-connection.ts';
import type { Resumption } from '../handshake/outcome.ts';
import type { Session } from '../sessions/session.ts';
import type { Version } from '../wire/registry.ts';
import type { WebShell } from './shell.ts';
import type { ReadableBytes, WritableBytes } from './streams.ts';

/**
 * The server's end of a TLS connection whose handshake is complete. {@link accept} returns it.
 *
 * - `readable` closes with the peer's close_notify. It errors with a {@link TruncationError} if the transport ended without one,
 *   or else with the {@link TlsAlert} or the transport's error; data read before is genuine, but may not be all. After cancel(),
 *   which leaving a `for await` calls, received data is discarded, and `writable` goes on.
 * - Closing `writable` sends close_notify after the data and closes the transport's writable; the peer may go on. `writable` stays
 *   open when the peer closes first, in TLS 1.2, too, so that a request can be answered: an application that reads to the end
 *   must close it. If the peer has sent no data and leaves while neither stream is locked, nothing can be answered, and `writable` is
 *   closed for the application. A chunk that is no view of bytes makes its write fail, and `writable` error; the data before it is
 *   followed by close_notify. Aborting `writable` aborts the transport without close_notify, so that the peer sees a truncation.
 * - A failure ends both streams. The connection closes the transport in every case; the application must not touch it.
 */
export class TlsConnection {
  readonly readable: ReadableBytes;
  readonly writable: WritableBytes;
  /** Resolves when both directions have ended properly, and rejects with the reason of a failure. It need not be handled. */
  readonly closed: Promise<void>;
  readonly #shell: WebShell;

  /** @internal Called by {@link accept}. */
  constructor(shell: WebShell) {
    this.#shell = shell;
    this.readable = shell.readable;
    this.writable = shell.writable;
    this.closed = shell.closed.promise;
  }

  /** The connection below. Use only its getters: the output that its methods return would not be sent. */
  get connection(): ServerConnection {
    return this.#shell.driver.connection;
  }

  /** Whether the connection resumed a session, by which mechanism, and if not, why not. */
  get resumption(): Resumption {
    return this.connection.resumption;
  }

  /** The current session: the last one issued, or the resumed one. Valid until the connection ends; upRef() keeps it longer. */
  get session(): Session | undefined {
    return this.connection.session;
  }

  get version(): Version | undefined {
    return this.connection.version;
  }

  /** The IANA name of the cipher suite. */
  get cipherSuite(): string | undefined {
    return this.connection.cipherSuite;
  }

  /** The (EC)DHE group of the handshake; `undefined` if there was none. */
  get group(): string | undefined {
    return this.connection.group;
  }

  /** The protocol that was negotiated by ALPN. */
  get alpnProtocol(): string | undefined {
    return this.connection.alpnProtocol;
  }

  /** The host name that the client sent. */
  get serverName(): string | undefined {
    return this.connection.serverName;
  }

  /** The client's own certificate in DER, from this handshake or, after a resumption, from the original full handshake. */
  get peerCertificate(): Uint8Array | undefined {
    return this.connection.peerCertificate;
  }

  /**
   * Exports keying material (RFC 9846 §7.5, RFC 5705): `length` bytes, 1 to 8160. In TLS 1.2 no context and an empty one differ.
   * @throws Error after the end; RangeError for an impossible length or label
   */
  exportKeyingMaterial(length: number, label: string, context?: Uint8Array): Uint8Array {
    return this.connection.exportKeyingMaterial(length, label, context);
  }

  /**
   * TLS 1.3: replaces the key that we write under; with `requestPeer` asks the peer to replace its own, too (RFC 9846 §4.7.3). The
   * connection replaces keys by itself before they have protected too much. @throws Error in TLS 1.2 and after the end
   */
  updateKeys(requestPeer = false): void {
    const step = this.connection.updateKeys(requestPeer);
    this.#shell.driver.run(() => step);
  }

  /**
   * Sends the client one more ticket (TLS 1.3); see {@link ServerConnection.sendTicket}. With `tickets.timing` 'manual' these are
   * the only tickets. Does nothing once the connection is over. @throws Error in TLS 1.2, and if `tickets.mode` is 'off'
   */
  sendTicket(): void {
    const step = this.connection.sendTicket();
    this.#shell.driver.run(() => step);
  }

  /**
   * Ends both directions properly: sends close_notify after the data, and discards what the peer still sends. If `writable` is
   * locked, only the write under way is completed, and writes queued behind it fail: close the writer instead. Settles as
   * {@link TlsConnection.closed} does. If the transport takes nothing for two seconds, it is aborted, and the data in hand is lost: to
   * wait for a slower peer, first wait until `writable` has closed.
   */
  close(): Promise<void> {
    return this.#shell.close();
  }
}
