/** Outcomes of tasks, as a connection handles them. */

import type { AnyTask, Outcome } from '../handshake/wait.ts';

/** Returns the outcome of a call that may throw. */
export function attempt<A>(run: () => A): Outcome<A> {
  try {
    return { value: run() };
  } catch (error) {
    return { error };
  }
}

/** Releases the holds and secrets in an answer that no handshake waits for any more. */
export function releaseLate(task: AnyTask, outcome: Outcome): void {
  if ('value' in outcome) task.releaseLateAnswer?.(outcome.value);
}
