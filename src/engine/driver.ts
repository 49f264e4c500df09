/** Processes the Steps of a connection for a shell: sends, passes on events, and answers questions when promises settle. */

import type { Outcome } from '../handshake/wait.ts';
import { type Platform, platform, throwLater } from '../platform.ts';
import type { Event, Step } from './events.ts';
import type { Deferred, Question } from './questions.ts';

/** A connection of either role, as far as a Driver runs it. */
export interface DrivenConnection {
  /** Whether the handshake is complete and the connection has not failed since. */
  readonly isEstablished: boolean;
  /** Whether the connection has ended with a fatal alert or an internal error; {@link dispose} then returns its last output. */
  readonly hasFailed: boolean;
  receive(input: Uint8Array): Step;
  write(data: Uint8Array): Step;
  writeEarlyData(data: Uint8Array): Step;
  answer(question: Question, outcome: Outcome): Step;
  settle(deferred: Deferred, outcome: Outcome): Step;
  dispose(): Step;
}

/** Measures and limits time for a Driver. Its times are monotonic. {@link platform} is one. */
export type Clock = Pick<Platform, 'performance' | 'setTimeout' | 'clearTimeout'>;

/** The shell of a connection, as its Driver sees it. */
export interface Shell {
  /** Sends bytes to the peer; `output` is never empty. `isData` says that it is the output of {@link Driver.write}. */
  send(output: Uint8Array, isData: boolean): void;
  /**
   * Handles an event. Events come in the order in which they happened, after the output of their step, also if it calls the Driver:
   * what that brings comes after the events that are there. If it throws, the others come nevertheless: see {@link Driver}.
   */
  attend(event: Event): void;
  /** Hears of a callback's promise that no handshake waits for, before the output of its step. */
  defer?(deferred: Deferred): void;
  /** Handles an exception of the connection: a bug, which has closed it, or a wrong call, which has changed nothing. */
  crash(error: unknown): void;
  /**
   * Called when no question is open any more. It is a method of the shell, not a property that the shell sets on the Driver: with
   * a closure stored there by each connection, V8's scavenges were seen to promote closed connections instead of freeing them.
   */
  ready?(): void;
}

function nothing(): void {}

/** Throws the first error, and has the host report the others. */
function throwAll([first, ...others]: readonly unknown[]): never {
  for (const error of others) throwLater(error);
  throw first;
}

/**
 * Runs a connection for a shell. It keeps no received bytes: while a question is open {@link Driver.receive} takes none, and the
 * shell leaves them where its transport limits how many there can be.
 *
 * No error of a listener costs an event. Once the shell has attended to all, the first error is thrown to the caller; each other is
 * thrown in a microtask of its own, where the host reports it.
 */
export class Driver<C extends DrivenConnection> {
  readonly connection: C;
  readonly #shell: Shell;
  readonly #clock: Clock;
  readonly #lookupTimeoutMs: number;
  #lookupBudgetMs: number;
  #question: Question | undefined;
  #stopBudget = nothing;
  /** Events that the shell has yet to attend to. */
  readonly #events: Event[] = [];
  #isAttending = false;

  /** `lookupTimeoutMs` is the budget for all lookups of a handshake; see `sessions.lookupTimeoutMs`. */
  constructor(connection: C, shell: Shell, lookupTimeoutMs: number, clock: Clock = platform) {
    this.connection = connection;
    this.#shell = shell;
    this.#clock = clock;
    this.#lookupTimeoutMs = lookupTimeoutMs;
    this.#lookupBudgetMs = lookupTimeoutMs;
  }

  /** Whether the connection waits for a promise of user code. The shell then stops reading. */
  get isWaiting(): boolean {
    return this.#question !== undefined;
  }

  /**
   * Passes received bytes to the connection, in any chunking. Returns whether it has taken them: it takes all or, while a question
   * is open, none. The shell then keeps them, stops reading, and passes them again after {@link Shell.ready}, before any others.
   *
   * The connection has one buffer, for what follows in a chunk whose first part opens a question. It is no larger than that chunk,
   * so what waits for an answer is limited by the transport: by the chunk that was in flight, and by the queue behind it.
   */
  receive(input: Uint8Array): boolean {
    if (this.isWaiting) return false;
    this.#run(() => this.connection.receive(input), false);
    return true;
  }

  /** Sends application data. Returns how many bytes of output the shell was given: 0 if there was nothing to send. */
  write(data: Uint8Array): number {
    return this.#run(() => this.connection.write(data), true);
  }

  /** The same before the handshake is complete: see {@link ConnectionCore.writeEarlyData}. */
  writeEarlyData(data: Uint8Array): number {
    return this.#run(() => this.connection.writeEarlyData(data), true);
  }

  /** Makes any other call on the connection, and processes its Step. */
  run(call: () => Step): void {
    this.#run(call, false);
  }

  #run(call: () => Step, isData: boolean): number {
    let step: Step;
    try {
      step = call();
    } catch (error) {
      try {
        this.#sendLast();
      } finally {
        this.#shell.crash(error);
      }
      return 0;
    }
    for (const event of step.events) if (event.type === 'deferred') this.#shell.defer?.(event.deferred);
    try {
      if (step.output.length > 0) this.#shell.send(step.output, isData);
    } finally {
      this.#ask(step.question);
      if (step.events.length > 0) this.#attend(step.events);
    }
    return step.output.length;
  }

  #attend(events: readonly Event[]): void {
    for (const event of events) {
      this.#events.push(event); // one by one: a Step may have more than a call can have arguments
      if (event.type === 'new-session' && event.session.holds > 0) event.session.upRef(); // a listener before may end the connection
    }
    if (this.#isAttending) return; // the shell has called us: these come after the events that are there
    this.#isAttending = true;
    const errors: unknown[] = [];
    for (const event of this.#events) {
      try {
        if (event.type === 'deferred') this.#settleLater(event.deferred);
        else this.#shell.attend(event);
      } catch (error) {
        errors.push(error);
      }
      if (event.type === 'new-session') event.session.release();
    }
    this.#events.length = 0;
    this.#isAttending = false;
    if (errors.length > 0) throwAll(errors);
  }

  #settleLater(deferred: Deferred): void {
    this.#follow(deferred.promise, (outcome) => this.connection.settle(deferred, outcome));
  }

  /**
   * Passes on what a connection that a bug has ended still has: its alert (RFC 9846 §6), and what happened before. The bug is told
   * by {@link Shell.crash}. After a wrong call there is nothing.
   */
  #sendLast(): void {
    if (!this.connection.hasFailed) return;
    this.#ask(undefined); // a question that was open is withdrawn
    const { output, events } = this.connection.dispose();
    if (output.length > 0) this.#shell.send(output, false);
    this.#attend(events.filter(({ type }) => type !== 'failed'));
  }

  /**
   * Wraps the promise in one of the host's, because a thenable of the user's may call back twice, or throw. What a listener throws
   * meanwhile is an exception as ever, and no rejection of that promise.
   */
  #follow(promise: PromiseLike<unknown>, next: (outcome: Outcome) => Step): void {
    const pass = (outcome: Outcome): void => {
      try {
        this.run(() => next(outcome));
      } catch (error) {
        throwLater(error);
      }
    };
    Promise.resolve(promise).then(
      (value) => pass({ value }),
      (error) => pass({ error }),
    );
  }

  #ask(question: Question | undefined): void {
    if (question === this.#question) return;
    this.#stopBudget();
    this.#question = question;
    if (question === undefined) {
      platform.queueMicrotask(() => this.#ready()); // answered, or withdrawn by end() or dispose()
      return;
    }
    if (question.budgeted) this.#startBudget(question);
    this.#follow(question.promise, (outcome) => this.connection.answer(question, outcome));
  }

  /** All lookups of a handshake share one budget. After the handshake each ticket has a budget of its own. */
  #startBudget(question: Question): void {
    if (this.connection.isEstablished) this.#lookupBudgetMs = this.#lookupTimeoutMs;
    const clock = this.#clock;
    const started = clock.performance.now();
    const timer = clock.setTimeout(
      () => this.run(() => this.connection.answer(question, { late: true })),
      this.#lookupBudgetMs,
    );
    this.#stopBudget = () => {
      clock.clearTimeout(timer);
      this.#lookupBudgetMs = Math.max(0, this.#lookupBudgetMs - (clock.performance.now() - started));
      this.#stopBudget = nothing;
    };
  }

  /** Another question may have been opened since. */
  #ready(): void {
    if (!this.isWaiting) this.#shell.ready?.();
  }
}
