/** Checks of objects of options. The errors begin with the name of the option. */

import { kindOf } from './kind-of.ts';
import { nearest } from './nearest.ts';

/** Returns the error for a value that is not what is `wanted`, such as `a string`. The `remedy` follows, if there is one. */
export function wrongKind(name: string, wanted: string, value: unknown, remedy = ''): TypeError {
  return new TypeError(`${name}: ${wanted} is wanted, not ${kindOf(value)}${remedy}`);
}

/** @throws TypeError unless `value` is an object that is no array */
export function requireObject(name: string, value: unknown, remedy?: string): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw wrongKind(name, 'an object', value, remedy);
}

/** @throws TypeError unless `value` is a string or `undefined` */
export function requireString(name: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'string') throw wrongKind(name, 'a string', value);
}

/** @throws TypeError unless `value` is a number */
export function requireNumber(name: string, value: unknown): void {
  if (typeof value !== 'number') throw wrongKind(name, 'a number', value);
}

/** @throws TypeError for `null`: what an option does not have is `undefined` */
export function requireNoNull(name: string, option: unknown): void {
  if (option === null) throw new TypeError(`${name}: null is no value of it; leave it out`);
}

/**
 * The names of the options `T`. Written as `{ … } satisfies Names<T>`, the list can neither lack an option nor have one that does
 * not exist: the compiler finds both.
 */
export type Names<T> = Readonly<Record<keyof T, true>>;

/**
 * What is `undefined` is absent, and `null` is a mistake, the same for every option.
 * @throws TypeError for no object, for the first name that is not among the `known`, with the one that is meant or the `remedy`, and
 * for `null`
 */
export function requireOptions(
  object: string,
  value: object,
  known: Readonly<Record<string, true>>,
  remedy?: (name: string) => string | undefined,
): void {
  requireObject(object, value);
  const prefix = object === 'options' ? '' : `${object}.`;
  for (const [name, option] of Object.entries(value)) {
    if (Object.hasOwn(known, name)) {
      requireNoNull(prefix + name, option);
      continue;
    }
    const names = Object.keys(known);
    const meant = nearest(name, names);
    const hint = meant === undefined ? remedy?.(name) : `is ${prefix}${meant} meant?`;
    throw new TypeError(`unknown option ${prefix}${name}; there are ${names.join(', ')}${hint ? `; ${hint}` : ''}`);
  }
}
