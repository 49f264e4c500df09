/** Checks of the arguments of a connection's methods. A wrong argument is the caller's error and changes nothing. */

import type { Outcome } from '../handshake/wait.ts';

/**
 * Returns `value` if it is bytes: a Uint8Array, of this realm or another.
 * @throws TypeError for anything else, and for an array whose buffer has been transferred
 */
export function requireBytes(value: Uint8Array, name: string): Uint8Array {
  if (!isBytes(value)) {
    const remedy = isBuffer(value)
      ? ': wrap it, as in new Uint8Array(buffer)'
      : typeof value === 'string'
        ? ': encode it'
        : '';
    throw new TypeError(`${name}: a Uint8Array is wanted${remedy}`);
  }
  if (value.length === 0 && isDetached(value.buffer)) throw new TypeError(`${name}: its buffer has been transferred`);
  return value;
}

/** The tag of a typed array tells its true kind, also where it comes from another realm. */
function isBytes(value: unknown): value is Uint8Array {
  return (
    ArrayBuffer.isView(value) &&
    (value instanceof Uint8Array || Object.prototype.toString.call(value) === '[object Uint8Array]')
  );
}

function isBuffer(value: unknown): boolean {
  return ArrayBuffer.isView(value) || Object.prototype.toString.call(value).endsWith('ArrayBuffer]');
}

function isDetached(buffer: ArrayBufferLike): boolean {
  try {
    new Uint8Array(buffer);
    return false;
  } catch {
    return true;
  }
}

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
