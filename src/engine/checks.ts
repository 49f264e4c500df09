/** Checks of one option each. All throw a TypeError or a RangeError whose message begins with the name of the option. */

import { isPromise } from '../awaitable.ts';
import { kindOf } from '../wire/kind-of.ts';
import { nearest } from '../wire/nearest.ts';
import { requireNumber, requireObject, wrongKind } from '../wire/options.ts';
import { requireBoolean } from './arguments.ts';

/** @throws TypeError for a promise: a caller easily forgets to await webCryptoCredential(), say */
export function requireNoPromise(name: string, value: unknown): void {
  if (isPromise(value)) throw new TypeError(`${name}: await the promise, and give what it brings`);
}

/**
 * Returns an object that the user has made, once all `members` are there. Their values are not looked into: the check finds an
 * object of another kind, and a spread that left something out, before the first client does.
 * @throws TypeError naming the first member that is missing, followed by the `remedy`
 */
export function complete<T extends object>(
  name: string,
  value: T,
  members: readonly (keyof T & string)[],
  remedy = '',
): T {
  requireObject(name, value, remedy);
  const missing = members.find((member) => value[member] === undefined);
  if (missing !== undefined) throw new TypeError(`${name}: ${missing} is missing${remedy}`);
  return value;
}

/** @throws TypeError unless `value` is among the `allowed`; it says which one is meant, if one is near */
export function oneOf<T extends string>(name: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((candidate) => candidate === value);
  if (found !== undefined) return found;
  const given: unknown = value;
  const meant = typeof given === 'string' ? nearest(given, allowed) : undefined;
  const hint = meant === undefined ? '' : `; is '${meant}' meant?`;
  const text = typeof given === 'object' || typeof given === 'function' ? kindOf(given) : JSON.stringify(given);
  throw new TypeError(`${name}: ${text} is not one of ${allowed.join(', ')}${hint}`);
}

/** @throws TypeError unless `value` is an array that is not empty. `example` is one */
export function list<T>(name: string, value: readonly T[], example: string): readonly T[] {
  requireArray(name, value, 'an array with at least one entry', example);
  return value;
}

/** @throws TypeError unless `value` is an array, and not empty unless any array is `wanted`. `example` is one */
export function requireArray(name: string, value: unknown, wanted: string, example: string): void {
  const isArray = Array.isArray(value);
  if (isArray && (value.length > 0 || wanted === 'an array')) return;
  const given = isArray ? 'an empty one' : kindOf(value);
  throw new TypeError(`${name}: ${wanted} is wanted, such as ${example}, not ${given}`);
}

/** Returns `preset` for `undefined`. @throws TypeError unless the value is a boolean */
export function boolean(name: string, value: boolean | undefined, preset: boolean): boolean {
  if (value === undefined) return preset;
  requireBoolean(name, value);
  return value;
}

/** Returns `preset` for `undefined`. @throws TypeError unless the value is a number; RangeError unless it is whole and in range */
export function integer(
  name: string,
  value: number | undefined,
  preset: number,
  min: number,
  max = Number.MAX_SAFE_INTEGER,
): number {
  if (value === undefined) return preset;
  requireNumber(name, value);
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new RangeError(`${name} is ${value}; whole numbers from ${min} to ${max} are possible`);
  }
  return value;
}

/** @throws TypeError unless `value` is a function or `undefined` */
export function callback<T>(name: string, value: T): T {
  if (value !== undefined && typeof value !== 'function') throw wrongKind(name, 'a function', value);
  return value;
}
