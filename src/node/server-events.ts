/** The events of a server, by name and arguments. */

import type { Buffer } from 'node:buffer';
import type { DropArgument, Socket } from 'node:net';
import type { CallbackName } from '../handshake/outcome.ts';
import type { TlsEvent } from './events.ts';
import type { OcspRequestCallback } from './ocsp-request.ts';
import type { TlsSocket } from './socket.ts';

/** The answer of a 'resumeSession' listener: an error, the `data` of an earlier 'newSession', or null if there is none. */
export type ResumeSessionCallback = (error?: Error | null, data?: Uint8Array | null) => void;

/** The events of a Server. */
export interface ServerEvents extends Record<string, unknown[]> {
  /** A handshake is complete. From now on failures are 'error' events of the socket. */
  secureConnection: [socket: TlsSocket];
  /**
   * Early data has been accepted, and the handshake goes on. A listener may call {@link TlsSocket.readEarlyData}; without one, the data comes
   * behind 'secureConnection'.
   */
  earlyData: [socket: TlsSocket];
  /** A handshake failed. The socket is already closed. */
  tlsClientError: [error: Error, socket: TlsSocket];
  keylog: [line: Buffer, socket: TlsSocket];
  callbackError: [error: unknown, source: { readonly callback: CallbackName; readonly socket: TlsSocket }];
  tlsEvent: [event: TlsEvent, socket: TlsSocket];
  /**
   * As in node:tls, and in TLS 1.3 once per ticket. `data` belongs to the listener. All output to the client waits until
   * `callback` is called, or until `lookupTimeoutMs` has passed, which is a 'callbackError'. If no listener declares `callback`,
   * nothing waits.
   */
  newSession: [id: Buffer, data: Buffer, callback: () => void];
  /** As in node:tls, and in TLS 1.3, too: asks for a session that the internal cache does not have. The answer is copied. */
  resumeSession: [id: Buffer, callback: ResumeSessionCallback];
  /**
   * As in node:tls: a client asks for the OCSP response of `certificate`, DER, which one of `credentials` has; `issuer` is the next of its
   * chain, or null. The handshake waits until `callback` is called, or until `lookupTimeoutMs` has passed, and then goes on without. An error
   * ends the connection. A credential that has an `ocspResponse` is not asked about, nor are those that `onServerName` selects.
   */
  OCSPRequest: [certificate: Buffer, issuer: Buffer | null, callback: OcspRequestCallback];
  close: [];
  connection: [transport: Socket];
  drop: [data?: DropArgument];
  error: [error: Error];
  listening: [];
}
