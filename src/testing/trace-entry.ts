/** What a trace has noted. */

import type { Event } from '../engine/events.ts';
import type { ReadMessage } from './messages.ts';

/** One of the two ends of a connection. */
export type Side = 'client' | 'server';

/** Where an entry comes from: the end that has written it down, and whether it has sent or received what the entry tells of. */
export interface Place {
  readonly side: Side;
  readonly direction: 'sent' | 'received';
  /** How often the keys of this direction have changed: 0 in the clear. */
  readonly epoch: number;
}

/** A handshake message. */
export interface MessageEntry extends Place, ReadMessage {
  readonly kind: 'message';
  /** The message, header included. */
  readonly raw: Uint8Array;
}

/** A record, as it is on the wire. */
export interface RecordEntry extends Place {
  readonly kind: 'record';
  /** IANA's name of the type of its content, which TLS 1.3 encrypts. */
  readonly type: string;
  /** The length of its content; `undefined` if it was skipped. */
  readonly length: number | undefined;
  /** The length on the wire, header included. */
  readonly wire: number;
  /** Of an alert: its level and its name. */
  readonly alert?: string | undefined;
}

/** An event of a Step. */
export interface EventEntry {
  readonly kind: 'event';
  readonly side: Side;
  readonly event: Event;
}

/** A callback, or work of a provider: what was asked, and what came of it. */
export interface CallbackEntry {
  readonly kind: 'callback';
  readonly side: Side;
  readonly name: string;
  /** What was asked: the purpose of the wait, such as `session`. */
  readonly question: string;
  /** What it was asked about: an id, a host name, a group. */
  readonly asked: unknown;
  readonly outcome: 'value' | 'error' | 'late';
  /** The answer, or the error; `undefined` for a key or a shared secret. */
  readonly answer: unknown;
}

/** One thing that a trace has noted; `kind` tells which. */
export type TraceEntry = MessageEntry | RecordEntry | EventEntry | CallbackEntry;
