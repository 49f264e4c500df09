/** What all shells do with a Step: send, attend to the events, wait for promises and hand their outcomes back. */

import type { Outcome } from '../handshake/wait.ts';
import { platform } from '../platform.ts';
import { EMPTY } from '../wire/bytes.ts';
import type { Deferred, Event, Question, Step } from './events.ts';
import type { ServerConfig } from './server/config.ts';
import { type ConnectionOptions, ServerConnection } from './server/server-connection.ts';

/** The shell's side. */
export interface Shell {
  /** Bytes for the peer; never empty. */
  send(output: Uint8Array): void;
  /** In the order in which things happened. */
  attend(event: Event): void;
  /** A callback has answered with a promise that no handshake waits for. Comes before the output of its step. */
  defer?(deferred: Deferred): void;
  /** A bug of ours came out of the connection, which is closed now. */
  crash(error: unknown): void;
  /**
   * No question is open any more. Not a property of the Driver that its shell sets: with a closure stored there by each
   * connection, V8's scavenges were seen to promote all that is closed instead of freeing it.
   */
  ready?(): void;
}

function nothing(): void {}

/**
 * Runs a connection for a shell. While a question is open, received bytes wait here: {@link Driver.isWaiting} tells the shell
 * to stop reading.
 */
export class Driver {
  readonly connection: ServerConnection;
  readonly #shell: Shell;
  readonly #inbox: Uint8Array[] = [];
  readonly #lookupTimeoutMs: number;
  #lookupBudgetMs: number;
  #question: Question | undefined;
  #stopBudget = nothing;

  constructor(config: ServerConfig, shell: Shell, options?: ConnectionOptions) {
    this.connection = new ServerConnection(config, options);
    this.#shell = shell;
    this.#lookupTimeoutMs = config.lookupTimeoutMs;
    this.#lookupBudgetMs = config.lookupTimeoutMs;
  }

  /** Whether the handshake waits for the user's code: read no further. */
  get isWaiting(): boolean {
    return this.#question !== undefined;
  }

  receive(input: Uint8Array): void {
    // Nothing overtakes what waits.
    if (this.isWaiting || this.#inbox.length > 0) this.#inbox.push(input);
    else this.run(() => this.connection.receive(input));
  }

  /** Any call on the connection, with everything that follows from it. */
  run(call: () => Step): void {
    let step: Step;
    try {
      step = call();
    } catch (error) {
      this.#sendLast();
      return this.#shell.crash(error);
    }
    for (const event of step.events) if (event.type === 'deferred') this.#shell.defer?.(event.deferred);
    if (step.output.length > 0) this.#shell.send(step.output);
    this.#ask(step.question);
    for (const event of step.events) {
      if (event.type === 'deferred')
        this.#settle(event.deferred.promise, (outcome) => this.connection.settle(event.deferred, outcome));
      else this.#shell.attend(event);
    }
  }

  /** A connection that a bug has ended has an alert for its peer (RFC 8446 §6). What the caller did wrong ends none. */
  #sendLast(): void {
    const output = this.connection.hasFailed ? this.connection.dispose().output : EMPTY;
    if (output.length > 0) this.#shell.send(output);
  }

  /** By way of a promise of the host's: a thenable of the user's may call back twice, or throw. */
  #settle(promise: PromiseLike<unknown>, next: (outcome: Outcome) => Step): void {
    Promise.resolve(promise).then(
      (value) => this.run(() => next({ value })),
      (error) => this.run(() => next({ error })),
    );
  }

  #ask(question: Question | undefined): void {
    if (question === this.#question) return;
    this.#stopBudget();
    this.#question = question;
    if (question === undefined) {
      platform.queueMicrotask(() => this.#resume()); // answered, or not asked any more: end() and dispose() see to that
      return;
    }
    if (question.budgeted) this.#startBudget(question);
    this.#settle(question.promise, (outcome) => this.connection.answer(question, outcome));
  }

  /** One budget for all lookups of a handshake: what this one takes is not there for the next. A ticket after it has its own. */
  #startBudget(question: Question): void {
    if (this.connection.isEstablished) this.#lookupBudgetMs = this.#lookupTimeoutMs;
    const started = platform.performance.now();
    const timer = platform.setTimeout(
      () => this.run(() => this.connection.answer(question, { late: true })),
      this.#lookupBudgetMs,
    );
    this.#stopBudget = () => {
      platform.clearTimeout(timer);
      this.#lookupBudgetMs = Math.max(0, this.#lookupBudgetMs - (platform.performance.now() - started));
      this.#stopBudget = nothing;
    };
  }

  /** What has come in meanwhile, and then the shell may read on. */
  #resume(): void {
    while (!this.isWaiting) {
      const input = this.#inbox.shift();
      if (input === undefined) return this.#shell.ready?.();
      this.run(() => this.connection.receive(input));
    }
  }
}
