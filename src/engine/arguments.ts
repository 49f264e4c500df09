/** Checks of the arguments of a connection's methods. A wrong argument is the caller's error and changes nothing. */

import type { Outcome } from '../handshake/wait.ts';
import { requireBytes } from '../wire/kind-of.ts';
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

/** What {@link ConnectionCore.exportKeyingMaterial} is asked for. @throws TypeError or RangeError that says what is possible */
export function requireExport(
  { length, label, context }: { length: number; label: string; context: Uint8Array | undefined },
  isTls13: boolean,
): void {
  if (typeof label !== 'string') throw new TypeError('exportKeyingMaterial(label): a string is wanted');
  if (context !== undefined) requireBytes('exportKeyingMaterial(context)', context);
  if (!Number.isInteger(length) || length < 1 || length > 8160)
    throw new RangeError(`${length} bytes; 1 to 8160 are possible`);
  if (!(isTls13 ? /^[\x20-\x7e]{1,249}$/ : /^[\x20-\x7e]*$/).test(label))
    throw new RangeError(`a label of ${isTls13 ? '1 to 249 ' : ''}ASCII characters is wanted`);
}
