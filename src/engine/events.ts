/** The results of a call on a connection: bytes to send, events to handle, and possibly a question. */

import { disregard } from '../awaitable.ts';
import type { RemovalReason } from '../cache/callbacks.ts';
import type { CallbackName, NoTicket, Verdict } from '../handshake/outcome.ts';
import type { Session } from '../sessions/session.ts';
import type { TlsAlert } from '../wire/alert.ts';
import { Deferral, type Deferred, type Question } from './questions.ts';

/**
 * The result of a call on a connection. Send the output, even if the connection has failed; then handle the events; then have the
 * question answered.
 */
export interface Step {
  /**
   * Bytes for the peer, or an empty array. They never change. Outputs of one connection may share an ArrayBuffer, so transfer a copy
   * unless all earlier outputs have been sent.
   */
  readonly output: Uint8Array;
  /** In the order in which they happened. */
  readonly events: readonly Event[];
  /** Open until {@link ServerConnection.answer} has its outcome. Meanwhile `receive` only buffers, so stop reading. */
  readonly question: Question | undefined;
}

/** Something that happened on a connection. */
export type Event =
  /** The handshake is complete: `write` may be called, and the properties of the connection have their values. */
  | { readonly type: 'established' }
  /**
   * Early data was sent, and what has become of it. A server that accepts it reads it from now on, and may write: see
   * {@link ServerConnection.writeEarlyData}. A client whose early data was rejected may send it again once the handshake is complete.
   */
  | { readonly type: 'early-data'; readonly status: 'accepted' | 'rejected' }
  /**
   * Application data has been received. `data` is not empty. With `early` it came in front of the client's Finished (RFC 9846 §2.3):
   * whoever has recorded it may have sent it again, and nobody has proved to be the client. The shells hold it back until "established".
   */
  | { readonly type: 'data'; readonly data: Uint8Array; readonly early?: true | undefined }
  /**
   * The peer has sent close_notify: no more data will come. In TLS 1.3 we may go on writing (RFC 9846 §6.1). In TLS 1.2 call end()
   * once the peer's requests are answered: RFC 5246 §7.2.1 would even have pending writes discarded, which no peer does.
   */
  | { readonly type: 'end' }
  /** A fatal alert has ended the connection: ours, which is in the output of this step, or the peer's. Half-close and drain. */
  | { readonly type: 'failed'; readonly error: TlsAlert }
  /** An alert was sent or received. `level` and `description` have their numbers on the wire. */
  | {
      readonly type: 'alert';
      readonly direction: 'sent' | 'received';
      readonly level: number;
      readonly description: number;
    }
  /** The client has offered sessions. There is one verdict on each, in the order of the offer. */
  | { readonly type: 'verdicts'; readonly verdicts: readonly Verdict[] }
  /** One line of NSS key log format. */
  | { readonly type: 'keylog'; readonly line: string }
  /** A user callback threw, rejected, did not answer in time, or gave an invalid answer, which the connection does not use. */
  | { readonly type: 'callback-error'; readonly callback: CallbackName; readonly error: unknown }
  /**
   * A session is handed out to the client. The connection holds it until its end, and one that fails in this very step until it is
   * disposed of; take a hold to keep it longer.
   */
  | { readonly type: 'new-session'; readonly session: Session }
  /** A session of this server was removed in the course of this connection, for `reason`. `onRemove` is told as well. */
  | { readonly type: 'session-removed'; readonly session: Session; readonly reason: RemovalReason }
  /** The client gets no ticket, in TLS 1.2 neither a ticket nor a session id, or one ticket fewer than are due, for `reason`. */
  | { readonly type: 'no-ticket'; readonly reason: NoTicket }
  /** Another session has taken the id of this one, which has left the internal cache. `onRemove` is not told. */
  | { readonly type: 'session-replaced'; readonly session: Session }
  /** `onNew` answered false for this session, which has left the internal cache. `onRemove` is not told. */
  | { readonly type: 'session-refused'; readonly session: Session }
  /** A callback answered with a promise that no handshake waits for. Pass its outcome to {@link ServerConnection.settle}. */
  | { readonly type: 'deferred'; readonly deferred: Deferred };

/** Returns the event for a promise whose value is not used. If the promise rejects, that must be an event and not end the process. */
export function disowned(callback: CallbackName, promise: PromiseLike<unknown>): Event {
  disregard(promise); // also for shells that ignore events
  return { type: 'deferred', deferred: new Deferral(callback, promise) };
}
