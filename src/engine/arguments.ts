/** Checks of the arguments of a connection's methods. A wrong argument is the caller's error and changes nothing. */

import type { Outcome } from '../handshake/wait.ts';
import { wrongKind } from '../wire/options.ts';

/**
 * Returns the outcome of a question, as an object of our own.
 * @throws TypeError if it is none: `{ value }`, `{ error }` or `{ late: true }`
 */
export function requireOutcome(outcome: Outcome): Outcome {
  if (typeof outcome === 'object' && outcome !== null) {
    if ('value' in outcome) return { value: outcome.value };
    if ('error' in outcome) return { error: outcome.error };
    if ('late' in outcome) return { late: true };
  }
  throw new TypeError('outcome: { value }, { error } or { late: true } is wanted');
}

/** @throws TypeError unless `value` is a boolean */
export function requireBoolean(name: string, value: unknown): void {
  if (typeof value !== 'boolean') throw wrongKind(name, 'true or false', value);
}
