/** The client's end of a TLS connection as two Web Streams. */

import type { ClientConnection } from '../engine/client/client-connection.ts';
import type { Session } from '../sessions/session.ts';
import { ConnectionStreams } from './connection-streams.ts';

/**
 * The client's end of a TLS connection whose handshake is complete. {@link connect} returns it. Its streams begin, end and fail as
 * those of a server's {@link TlsConnection} do: `readable` closes with the server's close_notify, and errors with a
 * {@link TruncationError} without one; closing `writable` sends close_notify, and the server may go on.
 *
 * TLS 1.3: a server that refuses the client's certificate says so after the handshake. Then `readable` errors with its alert, and
 * `closed` rejects. Its tickets come after the handshake, too, and are taken in as long as `readable` has room.
 */
export class TlsClientConnection extends ConnectionStreams<ClientConnection> {
  /** The sessions that the server has handed out so far, lent until the connection ends: upRef() keeps one longer. */
  get sessions(): readonly Session[] {
    return this.connection.sessions;
  }

  /** The server's certificates in DER, its own first; `undefined` after a resumption. */
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
}
