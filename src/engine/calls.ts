/** The calls on a connection, one at a time, also where user code makes one amid another. */

import type { Outcome } from '../handshake/wait.ts';
import { timeOf, type World } from '../world.ts';
import { attempt } from './outcomes.ts';

/** The connection that is called. */
export interface Callee {
  /** After a failure, which may be the clock's, no time is read. */
  readonly hasFailed: boolean;
  /** The last thing in a call. */
  finishCall(): void;
  /** Handles what a call has thrown. It may throw it on. */
  failCall(error: unknown): void;
}

/**
 * A callback that a job waits for may call the connection: the handshake is suspended, and the call takes effect at once. Other user
 * code, such as a World, a provider or an onRemove, runs amid our own work. A call from there waits until that is done.
 */
export class Calls {
  readonly #world: World;
  readonly #callee: Callee;
  readonly #waiting: (() => void)[] = [];
  /** Whether code of ours is on the stack, above any callback. */
  #isBusy = false;
  /** Whether a callback is on the stack that a job waits for. */
  isInCallback = false;
  /** Milliseconds since the epoch, read once for each call from outside. */
  time = 0;

  constructor(world: World, callee: Callee) {
    this.#world = world;
    this.#callee = callee;
  }

  /** Runs a call, and those that are made meanwhile. Returns false if it has to wait for its turn. */
  run(call: () => void): boolean {
    if (this.#isBusy) {
      this.#waiting.push(call);
      return false;
    }
    this.#isBusy = true;
    try {
      for (let next: (() => void) | undefined = call; next !== undefined; next = this.#next()) this.#do(next);
    } finally {
      this.#isBusy = false;
    }
    return true;
  }

  #do(call: () => void): void {
    try {
      if (!this.#callee.hasFailed) this.time = timeOf(this.#world);
      call();
      this.#callee.finishCall();
    } catch (error) {
      this.#callee.failCall(error);
    }
  }

  /** Runs the next call that waits. Returns false if there is none. */
  runWaiting(): boolean {
    const next = this.#next();
    next?.();
    return next !== undefined;
  }

  #next(): (() => void) | undefined {
    return this.#waiting.length === 0 ? undefined : this.#waiting.shift(); // mostly none waits, and shift() is a call
  }

  /** Returns bytes of the caller's for use in its call: a copy, if that has to wait. */
  keep(bytes: Uint8Array): Uint8Array {
    return this.#isBusy ? bytes.slice() : bytes;
  }

  /** Runs a callback that a job waits for. */
  callBack<A>(callback: () => A): Outcome<A> {
    this.isInCallback = true;
    this.#isBusy = false;
    const outcome = attempt(callback);
    this.isInCallback = false;
    this.#isBusy = true;
    return outcome;
  }
}
