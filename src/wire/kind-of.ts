/** What a caller gave in place of what was wanted, for messages. Says the kind alone: the value may be a secret. */

import { isBytes } from '../platform.ts';

/** Returns `undefined`, `null`, `a string`, `an array`, `a Map`: what follows "not". */
export function kindOf(value: unknown): string {
  if (value === undefined || value === null) return String(value);
  const name = typeof value === 'object' ? nameOfObject(value) : typeof value;
  return `${/^[aeiou](?!int)/i.test(name) ? 'an' : 'a'} ${name}`;
}

/** A Proxy may throw when it is looked at. */
function nameOfObject(value: object): string {
  try {
    if (Array.isArray(value)) return 'array';
    const { name } = value.constructor;
    return name === 'Object' ? 'object' : name;
  } catch {
    return 'object';
  }
}

/**
 * Returns `value` if it is bytes: a Uint8Array, of this realm or another. `remedy` says what to do about anything else.
 * @throws TypeError for anything else, and for an array whose buffer has been transferred
 */
export function requireBytes(name: string, value: unknown, remedy?: string): Uint8Array {
  if (!isBytes(value))
    throw new TypeError(`${name}: a Uint8Array is wanted, not ${kindOf(value)}${remedy ?? remedyFor(value)}`);
  if (value.length === 0 && isDetached(value.buffer)) throw new TypeError(`${name}: its buffer has been transferred`);
  return value;
}

function remedyFor(value: unknown): string {
  if (typeof value === 'string') return '; encode it';
  return isBuffer(value) ? '; wrap it, as in new Uint8Array(buffer)' : '';
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
