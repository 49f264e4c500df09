/** A TLS connection as two Web Streams, for applications. */

import type { ServerConnection } from '../engine/server/server-connection.ts';
import type { Resumption } from '../handshake/outcome.ts';
import type { Session } from '../sessions/session.ts';
import type { Version } from '../wire/registry.ts';
import type { WebShell } from './shell.ts';
import type { ReadableBytes, WritableBytes } from './streams.ts';

/**
 * The server's end of a TLS connection whose handshake is complete. Made by {@link accept}.
 *
 * - `readable` closes with the peer's close_notify. It errors with a {@link TruncationError} where the transport just ended,
 *   with the {@link TlsAlert} or the transport's error otherwise: what has come is genuine then, but may be a part. Cancelled
 *   (leaving a `for await` cancels), what still comes is forgotten, and our direction goes on.
 * - `writable`, closed, sends close_notify behind what has been written and closes the transport's writable; the peer may go on.
 *   It stays open when the peer closes first, in TLS 1.2 too, so that what was asked for can be answered: whoever reads to the
 *   end must close it. Aborted, the transport is aborted without a close_notify, so that the peer does not take the part for
 *   the whole.
 * - Any failure is the end of both. The transport is closed in every case; neither stream of it is to be touched.
 */
export class TlsConnection {
  readonly readable: ReadableBytes;
  readonly writable: WritableBytes;
  /** Resolves when the connection has ended properly, rejects with what it failed with. Need not be handled. */
  readonly closed: Promise<void>;
  readonly #shell: WebShell;

  /** {@link accept} makes them. */
  constructor(shell: WebShell) {
    this.#shell = shell;
    this.readable = shell.readable;
    this.writable = shell.writable;
    this.closed = shell.closed.promise;
  }

  /** The connection below, to be looked at. What its methods return nobody would send. */
  get connection(): ServerConnection {
    return this.#shell.driver.connection;
  }

  /** Whether it resumed, and if not, why not. */
  get resumption(): Resumption {
    return this.connection.resumption;
  }

  /** The current session: the one resumed from, or the last one issued. Lent until the connection has ended. */
  get session(): Session | undefined {
    return this.connection.session;
  }

  get version(): Version | undefined {
    return this.connection.version;
  }

  /** IANA's name of the cipher suite. */
  get cipherSuite(): string | undefined {
    return this.connection.cipherSuite;
  }

  /** The (EC)DHE group of the handshake; `undefined` where there was none. */
  get group(): string | undefined {
    return this.connection.group;
  }

  /** The protocol that ALPN has chosen. */
  get alpnProtocol(): string | undefined {
    return this.connection.alpnProtocol;
  }

  /** The host name that the client sent. */
  get serverName(): string | undefined {
    return this.connection.serverName;
  }

  /** The client's own certificate, DER: from this handshake or, where it resumed, from the full one that its session goes back to. */
  get peerCertificate(): Uint8Array | undefined {
    return this.connection.peerCertificate;
  }

  /**
   * RFC 8446 §7.5, RFC 5705: `length` bytes, 1 to 8160.
   * @throws Error after the end; RangeError for an impossible length or label
   */
  exportKeyingMaterial(length: number, label: string, context?: Uint8Array): Uint8Array {
    return this.connection.exportKeyingMaterial(length, label, context);
  }

  /**
   * TLS 1.3: gives the client one more ticket, see {@link ServerConnection.sendTicket}; with `tickets.timing` 'manual' there
   * are no others. Nothing comes of it once the connection is over. @throws Error in TLS 1.2, and where `tickets.mode` is 'off'
   */
  sendTicket(): void {
    const step = this.connection.sendTicket();
    this.#shell.driver.run(() => step);
  }

  /**
   * The proper end of both directions: close_notify behind what has been written, and what the peer still sends is forgotten.
   * Where `writable` is locked, only the write under way is waited for, and what is queued behind it is lost: close the writer
   * instead. Settles as {@link TlsConnection.closed} does.
   */
  close(): Promise<void> {
    return this.#shell.close();
  }
}
