/** The events of the Node shell, by name and arguments, and how to listen to them. */

import type { Buffer } from 'node:buffer';
import type { DropArgument, Socket } from 'node:net';
import type { Readable } from 'node:stream';
import type { Event } from '../engine/events.ts';
import type { CallbackName } from '../handshake/outcome.ts';
import type { TlsSocket } from './socket.ts';

/** Typed for the events that are known by name, open for all others. */
export interface Listen<Events extends Record<string, unknown[]>, Self> {
  <Name extends keyof Events & string>(event: Name, listener: (...args: Events[Name]) => void): Self;
  (event: string | symbol, listener: (...args: never[]) => void): Self;
}

/** Everything that the connection tells, but for application data and secrets. */
export type TlsEvent = Exclude<Event, { readonly type: 'data' | 'keylog' | 'deferred' }>;

/** The events of a {@link TlsSocket}. */
export interface TlsSocketEvents extends Record<string, unknown[]> {
  /** The handshake is complete. */
  secure: [];
  /** A line of NSS key log format with its newline: whoever has it can read the connection. */
  keylog: [line: Buffer];
  /** A callback of the user's threw, rejected or was late; the connection goes on without it where it can. */
  callbackError: [error: unknown, callback: CallbackName];
  /** Everything of note in the order in which it happened, also during the handshake: alerts, sessions, the end. */
  tlsEvent: [event: TlsEvent];
  /** No traffic for as long as setTimeout() said. */
  timeout: [];
  /** Application data; strings after setEncoding(). */
  data: [chunk: Buffer];
  /** The peer writes no more; see `isTruncated`. */
  end: [];
  /** A TlsAlert for a fatal alert, sent or received; what the transport reports; a lost handshake. */
  error: [error: Error];
  close: [];
  drain: [];
  finish: [];
  pause: [];
  resume: [];
  readable: [];
  pipe: [source: Readable];
  unpipe: [source: Readable];
}

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
