/** The events of a TLS socket, by name and arguments, and how to listen to them. */

import type { Buffer } from 'node:buffer';
import type { Readable } from 'node:stream';
import type { Event } from '../engine/events.ts';
import type { CallbackName } from '../handshake/outcome.ts';
import type { Session } from '../sessions/session.ts';

/** The type of `on` and its like: typed for known events, open for all others. */
export interface Listen<Events extends Record<string, unknown[]>, Self> {
  <Name extends keyof Events & string>(event: Name, listener: (...args: Events[Name]) => void): Self;
  (event: string | symbol, listener: (...args: never[]) => void): Self;
}

/** Every event of the connection except application data, secrets and deferred promises. */
export type TlsEvent = Exclude<Event, { readonly type: 'data' | 'keylog' | 'deferred' }>;

/** The events that a TlsSocket and a TlsClientSocket have in common. */
export interface ConnectionSocketEvents extends Record<string, unknown[]> {
  /** A line in NSS key log format, with its newline. With it the traffic of the connection can be decrypted. */
  keylog: [line: Buffer];
  /** A callback of the configuration threw, rejected, or did not answer in time. The connection goes on without it if it can. */
  callbackError: [error: unknown, callback: CallbackName];
  /** Any event of the connection, in order, from the first byte on: alerts, sessions, the end. */
  tlsEvent: [event: TlsEvent];
  /** No traffic for the time given to setTimeout(). The socket stays open. */
  timeout: [];
  /** Application data; strings after setEncoding(). */
  data: [chunk: Buffer];
  /** The peer has closed its direction, or the transport has ended; see `isTruncated`. */
  end: [];
  /** A TlsAlert for a fatal alert, sent or received; an error of the transport; ECONNRESET for an incomplete handshake. */
  error: [error: Error];
  /** Once, after everything else. As in node:net, `hadError` says whether it follows an 'error'. */
  close: [hadError: boolean];
  drain: [];
  finish: [];
  pause: [];
  resume: [];
  readable: [];
  pipe: [source: Readable];
  unpipe: [source: Readable];
}

/** The events of a TlsSocket. */
export interface TlsSocketEvents extends ConnectionSocketEvents {
  /** Early data has been accepted, and the handshake goes on. See {@link TlsSocket.readEarlyData}. */
  earlyData: [];
  /** The handshake is complete. */
  secure: [];
}

/** The events of a TlsClientSocket. */
export interface TlsClientSocketEvents extends ConnectionSocketEvents {
  /** The transport is connected, as in node:net. Without TCP there is no such event. */
  connect: [];
  /**
   * The server has sent an OCSP response, which `requestOCSP` or `statusRequest` asked for: before 'secureConnect'. A listener that does not
   * accept it destroys the socket; there is no 'secureConnect' then.
   */
  OCSPResponse: [response: Buffer];
  /** The handshake is complete. */
  secureConnect: [];
  /**
   * The server has handed out a session: in TLS 1.3 after 'secureConnect', once per ticket. It is valid until the socket is closed;
   * upRef() keeps it longer. To resume it, pass it in the option `sessions`.
   */
  session: [session: Session];
}
