/**
 * The format of a recording: everything that one end of a connection depends on, so that it can be replayed without the host that it
 * ran on. docs/recordings.md describes it. Bytes are in hexadecimal, times in milliseconds since the epoch.
 */

import type { Side } from './trace-entry.ts';

/** The format that is written, and the only one that is read. */
export const RECORDING_FORMAT = 1;

/** The first thing that a recording says. */
export const RECORDING_WARNING =
  'Keep this as you keep a private key: with a capture of the wire, it gives the plaintext of the connection.';

/** One end of a connection. It has neither private keys nor ticket keys, nor the secrets of sessions that it did not use. */
export interface Recording {
  readonly warning: string;
  readonly format: number;
  readonly side: Side;
  /** The seed of the connection's dice: 32 bytes, used for nothing else. */
  readonly seed: string;
  /** The options of the client; or those of the server, and of each virtual host that a server name has selected. */
  readonly configs: readonly unknown[];
  /** The options of the connection. */
  readonly connection: RecordedConnection;
  /** The sessions that answers name by their index. */
  readonly sessions: readonly RecordedSession[];
  /** The calls on the connection, in order. */
  readonly calls: readonly RecordedCall[];
  /** What came of it. */
  readonly facts: RecordedFacts;
}

/** What the connection was made with, besides its configuration. */
export interface RecordedConnection {
  /** Of a client. */
  readonly serverName?: string | undefined;
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  /** The indices of the sessions that were offered. */
  readonly sessions?: readonly number[] | undefined;
  readonly ticketAge?: number | undefined;
  /** The early data, or its length if that is masked; `true` if it came by writeEarlyData(). */
  readonly earlyData?: string | number | true | undefined;
  /** Which edits there were. */
  readonly edits?: readonly ('hello' | 'bytes')[] | undefined;
  /** Of a server. */
  readonly addresses?: Readonly<Record<string, unknown>> | undefined;
  /** What faults have decided. */
  readonly decisions?: unknown;
  /** When what is sent goes out, by faults of time. */
  readonly timings?: readonly unknown[] | undefined;
  /** Which messages, of all that were written, an injector has held back. */
  readonly holds?: readonly number[] | undefined;
}

/** A session that an answer named, or that a client offered. */
export interface RecordedSession {
  /** As `Session.toDer()` writes it. If the connection did not use the session, zeros are in the place of the secret. */
  readonly der: string;
  readonly isUsed: boolean;
  readonly isRuledOut?: boolean | undefined;
  /** Of a client: when the session came. */
  readonly receivedAt?: number | undefined;
}

/** Bytes as they are; or application data, of which only the length is known. */
export type Piece = string | MaskedPiece;

/** The fragment of a record, or `part` bytes of it. Its header is in the piece before; what was ignored may have headers in it. */
export interface MaskedPiece {
  readonly direction: 'sent' | 'received';
  readonly epoch: number;
  /** `unopened` if the record was not decrypted, or refused; `ignored` for any bytes that came after the end. */
  readonly type: 'application_data' | 'unopened' | 'ignored';
  /** The length of the content; of an unopened record, that of the fragment. */
  readonly length: number;
  /** Why the record was refused, if not because it did not decrypt. */
  readonly error?: RecordedError | undefined;
  readonly part?: number | undefined;
}

/** A call on the connection. */
export interface RecordedCall {
  readonly call: CallName;
  /** What the clock said; absent if nothing looked. */
  readonly time?: number | undefined;
  /** Of receive(). */
  readonly input?: readonly Piece[] | undefined;
  /** Of write(), writeEarlyData(), and of what an injector writes: the data, or its length if that is masked. */
  readonly data?: string | number | undefined;
  /** Of a record that an injector writes: the type of its content. */
  readonly type?: number | undefined;
  /** Of updateKeys() and dispose(). */
  readonly flag?: boolean | undefined;
  /** Of answer(): what the promise came to. A stale answer is to a question that was withdrawn. */
  readonly outcome?: 'value' | 'late' | 'stale' | RecordedError | undefined;
  /** Of settle(): the callback whose promise it was. */
  readonly callback?: string | undefined;
  /** Whether it threw, as wrong calls do. */
  readonly threw?: boolean | undefined;
  /** What the connection asked for, and the calls that callbacks made, in order. */
  readonly work?: readonly (RecordedTask | RecordedCall)[] | undefined;
  /** The handshake messages that it made. */
  readonly sent?: readonly RecordedMessage[] | undefined;
  /** The records that faults have changed. */
  readonly records?: readonly RecordedRecords[] | undefined;
  readonly output?: readonly Piece[] | undefined;
  readonly events?: readonly RecordedEvent[] | undefined;
}

/** The name of a method: of the connection, or of an injector. */
export type CallName = (typeof CALLS)[number] | (typeof INJECTIONS)[number];

/** What an injector does. */
export const INJECTIONS = ['inject', 'release', 'discard'] as const;

/** The methods of a connection that can change it. */
export const CALLS = [
  'connect',
  'receive',
  'answer',
  'settle',
  'write',
  'writeEarlyData',
  'updateKeys',
  'sendTicket',
  'end',
  'transportEnded',
  'dispose',
] as const;

/** Work that was the host's or the user's to do, and what the handshake concluded. Bookkeeping is called `call`. */
export interface RecordedTask {
  readonly task: string;
  readonly callback?: string | undefined;
  /** Whether it answered with a promise. */
  readonly later?: boolean | undefined;
  /** The error that it threw, if it did not return a promise. */
  readonly failed?: RecordedError | undefined;
  /** The conclusion. If there is neither this nor an error, the connection ended before. */
  readonly value?: unknown;
  /** The error that the handshake ended with. */
  readonly error?: RecordedError | undefined;
  /** The calls that it made on the connection. */
  readonly work?: readonly RecordedCall[] | undefined;
  /** The indices of sessions that have been ruled out meanwhile. */
  readonly ruledOut?: readonly number[] | undefined;
}

/** An error: `alert` is the alert that it stands for, by its name. */
export interface RecordedError {
  readonly name: string;
  readonly message: string;
  readonly alert?: string | undefined;
}

/** A handshake message, header included, before any fault. */
export interface RecordedMessage {
  readonly message: string;
  /** What faults have made of it. */
  readonly changed?: { readonly sent: readonly string[]; readonly hashed: string } | undefined;
  /** What a fault threw instead. */
  readonly error?: RecordedError | undefined;
  /** Whether it has binders under secrets that are not in the recording: it is sent again as it was. */
  readonly isGiven?: boolean | undefined;
}

/** What faults have made of the content that makes one record. */
export interface RecordedRecords {
  /** Which piece of content of this call, from 0. */
  readonly at: number;
  /** What was sealed, in order. */
  readonly sealed: readonly { readonly type: number; readonly content: string | number }[];
  /** What was sent: the index of what was sealed, or bytes; or a header, and how many masked bytes follow. */
  readonly sent: readonly (number | string | readonly [header: string, masked: number])[];
}

/** An event, by its type, with the fields of it that are no secrets. */
export interface RecordedEvent {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** What a connection showed when the recording was taken. */
export interface RecordedFacts {
  /** Whether the handshake was complete at any time. */
  readonly wasEstablished: boolean;
  readonly hasFailed: boolean;
  readonly version?: string | undefined;
  readonly cipherSuite?: string | undefined;
  readonly group?: string | undefined;
  readonly alpnProtocol?: string | undefined;
  readonly resumed: boolean;
  readonly mechanism?: string | undefined;
  readonly pskMode?: string | undefined;
  readonly reason?: string | undefined;
}
