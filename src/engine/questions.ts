/** Promises of user code that a connection hands to its shell: those that its handshake waits for, and those that it does not. */

import { disregard, later } from '../awaitable.ts';
import type { CallbackName } from '../handshake/outcome.ts';
import type { AnyTask, Outcome } from '../handshake/wait.ts';

/** A promise that the connection waits for. Answers are matched by identity, so pass this very object to the connection. */
export interface Question {
  /** The purpose of the wait. */
  readonly kind: AnyTask['kind'];
  /** The promise of user code. Answer with its outcome. */
  readonly promise: PromiseLike<unknown>;
  /** Whether the wait counts against `sessions.lookupTimeoutMs`, the one budget for all lookups of a handshake. */
  readonly budgeted: boolean;
}

/** A question, with the task that it comes from and the connection that asks it. */
export class TaskQuestion implements Question {
  readonly kind: AnyTask['kind'];
  readonly promise: PromiseLike<unknown>;
  readonly budgeted: boolean;
  readonly #task: AnyTask;
  readonly #owner: object;
  /** The answer whose holds were released last. */
  #released: unknown;

  constructor(task: AnyTask, promise: PromiseLike<unknown>, owner: object) {
    this.kind = task.kind;
    this.promise = promise;
    this.budgeted = task.budgeted;
    this.#task = task;
    this.#owner = owner;
  }

  /** Releases the holds and secrets in an answer that comes too late: once, as {@link abandon} and the shell may both bring it. */
  static release(question: Question, outcome: Outcome): void {
    if (!(question instanceof TaskQuestion) || !('value' in outcome) || question.#released === outcome.value) return;
    question.#released = outcome.value;
    question.#task.releaseLateAnswer?.(outcome.value);
  }

  /** Has the answer released whenever it comes: no job waits for it any more, and the shell may no longer care. */
  abandon(): void {
    disregard(later(this.promise, (value) => TaskQuestion.release(this, { value })));
  }

  /** Returns the task of a question; `undefined` if the question is another connection's. */
  static taskOf(question: Question, owner: object): AnyTask | undefined {
    const asked: object = Object(question); // which callers in JavaScript may have made up
    return #task in asked && asked.#owner === owner ? asked.#task : undefined;
  }
}

/** A promise of a callback that no handshake waits for. */
export interface Deferred {
  readonly callback: CallbackName;
  /** It may reject, which {@link ServerConnection.settle} turns into a callback-error event. */
  readonly promise: PromiseLike<unknown>;
}

/** A {@link Deferred} with its owner, and a function that takes the outcome. */
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

  /** Passes the outcome to the owner's function, once. A Deferred of another owner is ignored. */
  static settle(deferred: Deferred, owner: object, outcome: Outcome): void {
    const known: object = Object(deferred);
    if (!(#settled in known) || known.#owner !== owner) return;
    const settled = known.#settled;
    known.#settled = undefined;
    settled?.(outcome);
  }
}
