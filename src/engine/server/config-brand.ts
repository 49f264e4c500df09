/**
 * Tells a configuration from a copy of one. A spread must not pass for a configuration: the store and the functions in it belong
 * to the options that it was made from, whatever the copy overrides.
 */

import type { ServerConfig } from './config.ts';

/**
 * The key of a property that is not enumerable, so that no spread copies it, and whose value is the object itself, so that no
 * other object can have it. (A private name would need an instance of a class, which V8 makes slow when it copies 33 properties
 * into it; a WeakSet would burden the garbage collector, as an SSL has a configuration of its own.)
 */
const BRAND = Symbol('configuration');

/** Makes a configuration of an object that the caller has just made: brands, freezes and returns it. */
export function brandConfig(config: ServerConfig): ServerConfig {
  return Object.freeze(Object.defineProperty(config, BRAND, { value: config }));
}

/** Reports whether {@link brandConfig} returned this very object. */
export function isServerConfig(value: unknown): value is ServerConfig {
  try {
    return typeof value === 'object' && value !== null && BRAND in value && value[BRAND] === value;
  } catch {
    return false; // a Proxy may throw when it is looked at
  }
}

/** Returns the error for a value, called `name`, that should be a configuration and is none, or is a copy of one. */
export function notAConfig(name: string, given?: unknown): TypeError {
  const hint = isOptions(given) ? '; these are options: pass defineServer(options)' : '';
  return new TypeError(`${name}: what defineServer() returned is wanted, and no copy${hint}`);
}

function isOptions(given: unknown): boolean {
  try {
    const isObject = typeof given === 'object' && given !== null && !('ticketPolicy' in given);
    return isObject && ['credentials', 'cert', 'key'].some((name) => name in given);
  } catch {
    return false; // a Proxy may throw when it is looked at
  }
}

/** @throws TypeError for a configuration, or a copy of one, in the place of options */
export function refuseConfig(name: string, options: object): void {
  if (isServerConfig(options)) throw new TypeError(`${name}: this is what defineServer() returned; give it to a shell`);
  if ('ticketPolicy' in options) throw notAConfig(name); // which is no option
}
