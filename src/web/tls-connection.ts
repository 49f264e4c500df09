/** The server's end of a TLS connection as two Web Streams. */

import type { ServerConnection } from '../engine/server/server-connection.ts';
import { ConnectionStreams } from './connection-streams.ts';
import type { ReadableBytes } from './streams.ts';

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
export class TlsConnection extends ConnectionStreams<ServerConnection> {
  /**
   * Early data by itself (RFC 9846 §2.3), for `onEarlyData`: it may be a replay until the handshake is complete, when this stream closes.
   * Who asks for it before has it here, and not in `readable`.
   */
  get earlyReadable(): ReadableBytes {
    return this.shell.earlyReadable;
  }

  /**
   * Sends the client one more ticket (TLS 1.3); see {@link ServerConnection.sendTicket}. With `tickets.timing` 'manual' these are
   * the only tickets. Does nothing once the connection is over. @throws Error in TLS 1.2, and if `tickets.mode` is 'off'
   */
  sendTicket(): void {
    this.run(this.connection.sendTicket());
  }
}
