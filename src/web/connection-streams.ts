/** A TLS connection of either role as an application sees it: two Web Streams. */

import type { ConnectionCore } from '../engine/core.ts';
import type { Step } from '../engine/events.ts';
import type { EarlyDataStatus } from '../handshake/outcome.ts';
import type { Session } from '../sessions/session.ts';
import type { Version } from '../wire/registry.ts';
import type { WebShell } from './shell.ts';
import type { ReadableBytes, WritableBytes } from './streams.ts';

/** A connection of either role, as far as {@link ConnectionStreams} shows it. */
export interface StreamedConnection extends ConnectionCore {
  readonly resumption: { readonly resumed: boolean };
  readonly session: Session | undefined;
  readonly serverName: string | undefined;
}

/** What {@link TlsConnection} and {@link TlsClientConnection} have in common. */
export abstract class ConnectionStreams<C extends StreamedConnection> {
  /** What the peer sends: chunks of any length but 0. */
  readonly readable: ReadableBytes;
  /** What the peer is sent: any views of bytes, which are copied. */
  readonly writable: WritableBytes;
  /** Resolves when both directions have ended properly, and rejects with the reason of a failure. It need not be handled. */
  readonly closed: Promise<void>;
  /** @internal */
  protected readonly shell: WebShell<C>;

  /** @internal Called by {@link accept} and {@link connect}. */
  constructor(shell: WebShell<C>) {
    this.shell = shell;
    this.readable = shell.readable;
    this.writable = shell.writable;
    this.closed = shell.closed.promise;
  }

  /** The connection below. Use only its getters: the output that its methods return would not be sent. */
  get connection(): C {
    return this.shell.driver.connection;
  }

  /** Whether the connection resumed a session, by which mechanism, and if not, why not. */
  get resumption(): C['resumption'] {
    return this.connection.resumption;
  }

  /** Whether the client has sent early data, and what has become of it (RFC 9846 §2.3). */
  get earlyData(): EarlyDataStatus {
    return this.connection.earlyData;
  }

  /** The current session: the last one issued, or the resumed one. Valid until the connection ends; upRef() keeps it longer. */
  get session(): Session | undefined {
    return this.connection.session;
  }

  /** The negotiated version. */
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

  /** The host name that the client sent, or asked for. */
  get serverName(): string | undefined {
    return this.connection.serverName;
  }

  /** The peer's own certificate in DER, from this handshake or, after a resumption, from the original full handshake. */
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
    this.run(this.connection.updateKeys(requestPeer));
  }

  /** @internal Processes the result of a call on the connection. */
  protected run(step: Step): void {
    this.shell.driver.run(() => step);
  }

  /**
   * Ends both directions properly: sends close_notify after the data, and discards what the peer still sends. If `writable` is
   * locked, only the write under way is completed, and writes queued behind it fail: close the writer instead. Settles as
   * {@link ConnectionStreams.closed} does. If the transport takes nothing for two seconds, it is aborted, and the data in hand is lost: to
   * wait for a slower peer, first wait until `writable` has closed.
   */
  close(): Promise<void> {
    return this.shell.close();
  }
}
