/** What a session store goes by: the part of `sessions` that is asked anew each time. */

import type { OnGet, OnNew, OnRemove, OnTake } from './cache/callbacks.ts';
import type { SessionOptions } from './options.ts';

/** config.ts freezes it; the façade for OpenSSL's names has one that changes under its connections, as theirs does. */
export interface SessionPolicy {
  readonly internalLookup: boolean;
  readonly internalStore: boolean;
  readonly autoClear: boolean;
  readonly updateTime: boolean;
  readonly generateId: (() => Uint8Array) | undefined;
  readonly onNew: OnNew | undefined;
  readonly onGet: OnGet | undefined;
  readonly onTake: OnTake | undefined;
  readonly onRemove: OnRemove | undefined;
}

/**
 * What the user changes afterwards changes no server. A callback keeps its `this`: the options may be an object of a class.
 * @throws TypeError naming the option that is of the wrong kind
 */
export function sessionPolicy(options: SessionOptions): SessionPolicy {
  return Object.freeze({
    internalLookup: flag('internalLookup', options.internalLookup, true),
    internalStore: flag('internalStore', options.internalStore, true),
    autoClear: flag('autoClear', options.autoClear, true),
    updateTime: flag('updateTime', options.updateTime, false),
    generateId: callback('generateId', options.generateId)?.bind(options),
    onNew: callback('onNew', options.onNew)?.bind(options),
    onGet: callback('onGet', options.onGet)?.bind(options),
    onTake: callback('onTake', options.onTake)?.bind(options),
    onRemove: callback('onRemove', options.onRemove)?.bind(options),
  });
}

function flag(name: string, value: boolean | undefined, preset: boolean): boolean {
  if (value !== undefined && typeof value !== 'boolean')
    throw new TypeError(`sessions.${name}: true or false is wanted`);
  return value ?? preset;
}

function callback<T>(name: string, value: T): T {
  if (value !== undefined && typeof value !== 'function') throw new TypeError(`sessions.${name}: a function is wanted`);
  return value;
}
