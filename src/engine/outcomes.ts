/** Outcomes of tasks, as a connection handles them. */

import type { AnyTask, Outcome } from '../handshake/wait.ts';
import type { Event } from './events.ts';

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

/** Returns the event for the failure of a callback, if it has failed. */
export function failureOf({ callback, isAnswer }: AnyTask, outcome: Outcome): Event | undefined {
  if (callback === undefined || 'value' in outcome) return undefined;
  if ('error' in outcome && isAnswer?.(outcome.error)) return undefined;
  const error = 'error' in outcome ? outcome.error : new Error(`${callback} has not answered within lookupTimeoutMs`);
  return { type: 'callback-error', callback, error };
}
