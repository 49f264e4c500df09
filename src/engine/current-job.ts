/** The job of a connection that is under way: its handshake or, after that, work that waits for tasks. */

import type { Handshake, ResumeValue, Wait } from '../handshake/wait.ts';

interface Job {
  readonly machine: Handshake<unknown>;
  finished(value: unknown): void;
}

export class CurrentJob {
  #job: Job | undefined;
  /** What the job waits for. */
  wait: Wait | undefined;

  get isUnderWay(): boolean {
    return this.#job !== undefined;
  }

  /** Starts a job, which runs with the first {@link advance}. `finished` is called with what it returns. */
  begin<T>(machine: Handshake<T>, finished: (value: T) => void): void {
    this.#job = { machine, finished: finished as (value: unknown) => void };
  }

  /** Lets the job run to its next wait, or to its end. Returns whether it waits for the peer. */
  advance(value: ResumeValue): boolean {
    const job = this.#job;
    if (job === undefined) throw new Error('no job');
    const next = job.machine.next(value);
    if (!next.done) {
      this.wait = next.value;
      return next.value.kind !== 'task';
    }
    this.drop();
    job.finished(next.value);
    return false;
  }

  /** Gives up the job, and all that it holds. */
  drop(): void {
    this.#job = undefined;
    this.wait = undefined;
  }
}
