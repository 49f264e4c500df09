/** What one call on a connection brings about: bytes to send, events to attend to, and perhaps a question. */

import { disregard } from '../awaitable.ts';
import type { RemovalReason } from '../cache/callbacks.ts';
import type { CallbackName, Verdict } from '../handshake/outcome.ts';
import type { AnyTask, Outcome } from '../handshake/wait.ts';
import type { Session } from '../sessions/session.ts';
import type { NoTicket } from '../tickets/key.ts';
import type { TlsAlert } from '../wire/alert.ts';

/** Send the output, even when the connection has failed; then attend to the events; then see to the question. */
export interface Step {
  /** It never changes. Outputs of one connection may share their memory: transfer a copy, unless all before it are sent. */
  readonly output: Uint8Array;
  readonly events: readonly Event[];
  /** Open until {@link ServerConnection.answer}; meanwhile `receive` only buffers, so stop reading. */
  readonly question: Question | undefined;
}

export type Event =
  /** The handshake is complete: `write` may be called, and the properties of the connection have their values. */
  | { readonly type: 'established' }
  /** Application data. */
  | { readonly type: 'data'; readonly data: Uint8Array }
  /**
   * The peer's close_notify: nothing more will come. In TLS 1.3 we may go on writing (RFC 8446 §6.1). In TLS 1.2 call end() once
   * what has been asked for is answered: RFC 5246 §7.2.1 would even have pending writes discarded, which no peer does.
   */
  | { readonly type: 'end' }
  /** The end by a fatal alert, ours (in the output of this step) or the peer's. Half-close and drain. */
  | { readonly type: 'failed'; readonly error: TlsAlert }
  | {
      readonly type: 'alert';
      readonly direction: 'sent' | 'received';
      readonly level: number;
      readonly description: number;
    }
  /** The client has offered sessions: what has become of each, and why. */
  | { readonly type: 'verdicts'; readonly verdicts: readonly Verdict[] }
  /** One line of NSS key log format. */
  | { readonly type: 'keylog'; readonly line: string }
  /** A user callback threw, rejected, or did not answer in time. The connection goes on without it. */
  | { readonly type: 'callback-error'; readonly callback: CallbackName; readonly error: unknown }
  | { readonly type: 'new-session'; readonly session: Session }
  | { readonly type: 'session-removed'; readonly session: Session; readonly reason: RemovalReason }
  /** A session was due to be handed out, and could not be sealed or is too large to be kept; the handshake goes on without. */
  | { readonly type: 'no-ticket'; readonly reason: NoTicket }
  /** Another session has taken its id: it has left the internal cache, and remove is not told. */
  | { readonly type: 'session-replaced'; readonly session: Session }
  /** The new-session callback said no: the session has left the internal cache, and remove is not told. */
  | { readonly type: 'session-refused'; readonly session: Session }
  /** A callback answered with a promise that no handshake waits for; hand its outcome to {@link ServerConnection.settle}. */
  | { readonly type: 'deferred'; readonly deferred: Deferred };

export interface Deferred {
  readonly callback: CallbackName;
  readonly promise: PromiseLike<unknown>;
}

/** A promise that no handshake waits for, and what its owner makes of the outcome. */
export class Deferral implements Deferred {
  readonly callback: CallbackName;
  readonly promise: PromiseLike<unknown>;
  readonly #owner: object | undefined;
  #settled: ((outcome: Outcome) => void) | undefined;

  constructor(
    callback: CallbackName,
    promise: PromiseLike<unknown>,
    owner?: object,
    settled?: (outcome: Outcome) => void,
  ) {
    this.callback = callback;
    this.promise = promise;
    this.#owner = owner;
    this.#settled = settled;
  }

  /** Tells the owner of the outcome, once; another connection's is left alone. */
  static settle(deferred: Deferred, owner: object, outcome: Outcome): void {
    if (!(#settled in deferred) || deferred.#owner !== owner) return;
    const settled = deferred.#settled;
    deferred.#settled = undefined;
    settled?.(outcome);
  }
}

/** Nobody waits for this promise; but if it rejects that must be an event, and not the end of the process. */
export function disowned(callback: CallbackName, promise: PromiseLike<unknown>): Event {
  disregard(promise); // also where nobody attends to events
  return { type: 'deferred', deferred: new Deferral(callback, promise) };
}

/** Something that the handshake waits for. Answers are told apart by identity: hand this very object back. */
export interface Question {
  readonly kind: AnyTask['kind'];
  /** Answer with what it settles to. */
  readonly promise: PromiseLike<unknown>;
  /** Whether the wait counts against `sessions.lookupTimeoutMs`, the one budget for all lookups of a handshake. */
  readonly budgeted: boolean;
}
