/** The events of a server, by name and arguments. */

import type { Buffer } from 'node:buffer';
import type { DropArgument, Socket } from 'node:net';
import type { CallbackName } from '../handshake/outcome.ts';
import type { TlsEvent } from './events.ts';
import type { TlsSocket } from './socket.ts';

/** The answer of a 'resumeSession' listener: an error, or the data that 'newSession' had given, or null for none. */
export type ResumeSessionCallback = (error?: Error | null, data?: Uint8Array | null) => void;

/** The events of a Server. */
export interface ServerEvents extends Record<string, unknown[]> {
  /** A handshake is complete. What goes wrong from here on is an 'error' of the socket's. */
  secureConnection: [socket: TlsSocket];
  /** A connection failed before that. The socket is closed already; nothing has to be done. */
  tlsClientError: [error: Error, socket: TlsSocket];
  keylog: [line: Buffer, socket: TlsSocket];
  callbackError: [error: unknown, source: { readonly callback: CallbackName; readonly socket: TlsSocket }];
  tlsEvent: [event: TlsEvent, socket: TlsSocket];
  /**
   * As in node:tls, for TLS 1.3 as well: once per ticket. `data` is the listener's to keep. The client gets the session, and
   * all that follows, when `callback` is called; or after `lookupTimeoutMs`, with a 'callbackError'. Listeners that declare
   * no `callback` are not waited for.
   */
  newSession: [id: Buffer, data: Buffer, callback: () => void];
  /** As in node:tls, for TLS 1.3 as well; asked for what the internal cache does not have. `data` is copied. */
  resumeSession: [id: Buffer, callback: ResumeSessionCallback];
  close: [];
  connection: [transport: Socket];
  drop: [data?: DropArgument];
  error: [error: Error];
  listening: [];
}
