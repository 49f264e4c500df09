/** The events of a TLS socket, by name and arguments, and how to listen to them. */

import type { Buffer } from 'node:buffer';
import type { Readable } from 'node:stream';
import type { Event } from '../engine/events.ts';
import type { CallbackName } from '../handshake/outcome.ts';

/** Typed for the events that are known by name, open for all others. */
export interface Listen<Events extends Record<string, unknown[]>, Self> {
  <Name extends keyof Events & string>(event: Name, listener: (...args: Events[Name]) => void): Self;
  (event: string | symbol, listener: (...args: never[]) => void): Self;
}

/** Everything that the connection tells, but for application data and secrets. */
export type TlsEvent = Exclude<Event, { readonly type: 'data' | 'keylog' | 'deferred' }>;

/** The events of a TlsSocket. */
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
