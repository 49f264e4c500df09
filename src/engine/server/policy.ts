/** What a session store goes by: the part of `sessions` that is asked anew each time. */

import type { GenerateId, NotResumable, OnGet, OnNew, OnRemove, OnTake } from '../../cache/callbacks.ts';
import type { Version } from '../../wire/registry.ts';
import type { CacheMode, SessionOptions } from './options.ts';

/** config.ts freezes it; the façade for OpenSSL's names has one that changes under its connections, as theirs does. */
export interface SessionPolicy {
  readonly mode: CacheMode;
  readonly internalLookup: boolean;
  readonly internalStore: boolean;
  readonly autoClear: boolean;
  readonly updateTime: boolean;
  readonly foreign: boolean;
  readonly removeUnclean: readonly Version[];
  readonly generateId: GenerateId | undefined;
  readonly notResumable: NotResumable | undefined;
  readonly onNew: OnNew | undefined;
  readonly onGet: OnGet | undefined;
  readonly onTake: OnTake | undefined;
  readonly onRemove: OnRemove | undefined;
}

/** What a virtual host may have of its own, where cache and store are the server's. */
export type OwnCallbacks = Partial<Pick<SessionPolicy, 'generateId' | 'notResumable'>>;

/**
 * What the user changes afterwards changes no server. A callback keeps its `this`: the options may be an object of a class.
 * @throws TypeError naming the option that is of the wrong kind
 */
export function sessionPolicy(options: SessionOptions): SessionPolicy {
  return Object.freeze({
    mode: cacheMode(options.mode ?? 'server'),
    internalLookup: flag('internalLookup', options.internalLookup, true),
    internalStore: flag('internalStore', options.internalStore, true),
    autoClear: flag('autoClear', options.autoClear, true),
    updateTime: flag('updateTime', options.updateTime, false),
    foreign: flag('foreign', options.foreign, false),
    removeUnclean: versions(options.removeUnclean ?? ['TLSv1.2']),
    generateId: callback('generateId', options.generateId)?.bind(options),
    notResumable: callback('notResumable', options.notResumable)?.bind(options),
    onNew: callback('onNew', options.onNew)?.bind(options),
    onGet: callback('onGet', options.onGet)?.bind(options),
    onTake: callback('onTake', options.onTake)?.bind(options),
    onRemove: callback('onRemove', options.onRemove)?.bind(options),
  });
}

const MODES: readonly CacheMode[] = ['off', 'client', 'server', 'both'];

function cacheMode(mode: CacheMode): CacheMode {
  if (MODES.includes(mode)) return mode;
  throw new TypeError(`sessions.mode: ${JSON.stringify(mode)} is not one of ${MODES.join(', ')}`);
}

const VERSIONS: readonly Version[] = ['TLSv1.2', 'TLSv1.3'];

function versions(list: readonly Version[]): readonly Version[] {
  if (Array.isArray(list) && list.every((version) => VERSIONS.includes(version))) return Object.freeze([...list]);
  throw new TypeError(`sessions.removeUnclean: an array of ${VERSIONS.join(', ')} is wanted`);
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
