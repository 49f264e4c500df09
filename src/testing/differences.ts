/** Where two values, or two messages, differ. */

import { equalBytes, toHex } from '../wire/bytes.ts';
import type { Version } from '../wire/registry.ts';
import { readMessage } from './messages.ts';

/** The first difference: where, such as `.extensions.keyShare.group`, and what. */
export interface Difference {
  readonly path: string;
  readonly reason: string;
}

/** Returns the first difference of two values, in the order of the fields; `undefined` if there is none. */
export function differenceOf(was: unknown, is: unknown, path = ''): Difference | undefined {
  if (was instanceof Uint8Array && is instanceof Uint8Array)
    return equalBytes(was, is) ? undefined : differ(path, toHex(was), toHex(is));
  const [ours, theirs] = [fieldsOf(was), fieldsOf(is)];
  if (ours === undefined || theirs === undefined) return Object.is(was, is) ? undefined : differ(path, was, is);
  const names = [...new Set([...ours.keys(), ...theirs.keys()])].sort(
    (a, b) => Number(a === ORDER) - Number(b === ORDER),
  );
  for (const name of names) {
    const value = ours.get(name);
    const difference = differenceOf(value, theirs.get(name), isIndex(name) ? `${path}[${name}]` : `${path}.${name}`);
    if (difference !== undefined) return difference;
  }
  return undefined;
}

/** What a decoded block of extensions says of their order: if one was added, that is the difference to name. */
const ORDER = 'order';

function isIndex(name: string): boolean {
  return /^\d+$/.test(name);
}

/** The fields of an object, or the entries of a list; `undefined` for any other value. */
function fieldsOf(value: unknown): Map<string, unknown> | undefined {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return undefined;
  const entries = Symbol.iterator in value ? Object.entries([...(value as Iterable<unknown>)]) : Object.entries(value);
  return new Map(entries);
}

function differ(path: string, was: unknown, is: unknown): Difference {
  return { path, reason: `${show(was)} was recorded, and now it is ${show(is)}` };
}

/** The most characters of one value. */
const SHOWN = 80;

function show(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing');
  return text.length <= SHOWN ? text : `${text.slice(0, SHOWN)}…`;
}

/** Returns the first field in which two handshake messages differ. With `exceptBinders`, binders do not count. */
export function messageDifference(
  was: Uint8Array,
  is: Uint8Array,
  version: Version | undefined,
  exceptBinders = false,
): Difference | undefined {
  if (equalBytes(was, is)) return undefined;
  const [before, after] = [readMessage(was, version), readMessage(is, version)];
  if (before.name !== after.name) return differ('', before.name, after.name);
  const [old, fresh] = exceptBinders
    ? [withoutBinders(before.fields), withoutBinders(after.fields)]
    : [before.fields, after.fields];
  const found = differenceOf(old, fresh);
  if (found !== undefined) return { path: `.${before.name}${found.path}`, reason: found.reason };
  if (exceptBinders) return undefined;
  const at = was.findIndex((byte, i) => byte !== is[i]);
  return differ(`.${before.name}[${at < 0 ? was.length : at}]`, toHex(was.subarray(at)), toHex(is.subarray(at)));
}

function withoutBinders(fields: unknown): unknown {
  if (typeof fields !== 'object' || fields === null || !('extensions' in fields)) return fields;
  const { extensions } = fields as { readonly extensions: Readonly<Record<string, unknown>> };
  const { preSharedKey, ...others } = extensions;
  const identities = (preSharedKey as { readonly identities?: unknown } | undefined)?.identities;
  return { ...fields, extensions: { ...others, identities } };
}
