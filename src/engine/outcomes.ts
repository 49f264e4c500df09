/** Outcomes of tasks, as a connection handles them. */

import { disregard, isPromise } from '../awaitable.ts';
import type { CallbackName } from '../handshake/outcome.ts';
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
function releaseLate(task: AnyTask, outcome: Outcome): void {
  if ('value' in outcome) task.releaseLateAnswer?.(outcome.value);
}

/** The connection that a task belongs to. */
interface TaskOwner {
  emit(event: Event): void;
  defer(callback: CallbackName, promise: PromiseLike<unknown>, settled: (outcome: Outcome) => void): void;
}

/** Releases the holds and secrets in an answer that no job waits for any more, now or when it comes. */
export function disown(owner: TaskOwner, task: AnyTask, outcome: Outcome): void {
  if (!('value' in outcome) || !isPromise(outcome.value)) return releaseLate(task, outcome);
  if (task.callback === undefined) return disregard(outcome.value);
  owner.defer(task.callback, outcome.value, (late) => releaseLate(task, late));
}

/** Reports the failure of a callback as an event. The handshake draws its own conclusion from the failure. */
export function reportFailure(owner: TaskOwner, { callback, isAnswer }: AnyTask, outcome: Outcome): void {
  if (callback === undefined || 'value' in outcome) return;
  if ('error' in outcome && isAnswer?.(outcome.error)) return;
  const error = 'error' in outcome ? outcome.error : new Error(`${callback} has not answered within lookupTimeoutMs`);
  owner.emit({ type: 'callback-error', callback, error });
}
