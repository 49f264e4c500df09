/** What may stand between a connection and its records: traces and faults. By default nothing does. */

import type { Seal } from '../crypto/record-writer.ts';
import type { AnyTask, Outcome } from '../handshake/wait.ts';
import type { HandshakeFrame } from '../wire/handshake-buffer.ts';
import type { TlsRecord } from '../wire/record.ts';

/** What becomes of a handshake message. */
export interface Sending {
  /** The messages that are sent, in order, headers included. */
  readonly sent: readonly Uint8Array[];
  /** What enters the transcript. */
  readonly hashed: Uint8Array;
}

/** One object serves one connection. A method that is absent costs nothing. */
export interface Interceptor {
  /** Is given each handshake message of ours, header included, before it is hashed and queued. */
  sending?(raw: Uint8Array): Sending;
  /** Is given each piece of content that makes a record of ours, and what makes the record. Returns the bytes to send, in order. */
  sealing?(type: number, content: Uint8Array, seal: Seal): readonly Uint8Array[];
  /** Is told of each record that has come, as it came, and of its content. The content is `undefined` if the record is skipped. */
  opened?(record: TlsRecord, content: { readonly type: number; readonly content: Uint8Array } | undefined): void;
  /** Is told of each handshake message that has come. */
  received?(frame: HandshakeFrame): void;
  /** Is told of each change of keys. */
  rekeyed?(direction: 'reading' | 'writing'): void;
  /** Is told of each task: user code, or work that may have to wait; and of its outcome. */
  performed?(task: AnyTask, outcome: Outcome): void;
}

/** A fault, made by tls-resume/testing: what a connection sends otherwise than it should. */
export interface Fault {
  readonly name: string;
  /** @internal Returns what does the fault, and then what `inner` does. */
  over(inner: Interceptor | undefined): Interceptor;
}

/** Puts faults before what stands between already. */
export function faulty(inner: Interceptor | undefined, faults: readonly Fault[] | undefined): Interceptor | undefined {
  return faults?.reduce((next: Interceptor | undefined, fault) => fault.over(next), inner) ?? inner;
}
