/** What the commands have in common in their flags: how they are read, and those that say what is spoken. */

import { type ParseArgsConfig, parseArgs } from 'node:util';
import { OTHER_SUITES, SUITES } from '../crypto/suites.ts';
import type { ExternalPsk } from '../engine/psk-options.ts';
import type { ServerOptions } from '../engine/server/options.ts';
import { fromHex, utf8 } from '../wire/bytes.ts';
import { nearest } from '../wire/nearest.ts';
import { type GroupName, NamedGroup, PskKeyExchangeMode, type PskMode, type Version } from '../wire/registry.ts';
import { systemCode, usage } from './fault.ts';

export type Protocol = Pick<ServerOptions, 'ciphers' | 'groups' | 'alpn' | 'pskModes'> & {
  readonly minVersion: Version;
  readonly maxVersion: Version;
};

const VERSIONS: Readonly<Record<string, Version>> = {
  '1.2': 'TLSv1.2',
  '1.3': 'TLSv1.3',
  'TLSv1.2': 'TLSv1.2',
  'TLSv1.3': 'TLSv1.3',
};
type Flags = NonNullable<ParseArgsConfig['options']>;

/** Checks what parseArgs() would say less of: unknown flags, and those that stand twice. @throws Fault */
function requireFlags(words: readonly string[], flags: Flags, help: string): void {
  const seen = new Set<string>();
  for (const [i, word] of words.entries()) {
    if (isValueOf(words[i - 1], flags)) continue;
    const [, letter] = /^-([a-z])/i.exec(word) ?? [];
    if (letter !== undefined && letter !== 'h')
      throw usage(`unknown flag '-${letter}'; ${longerOf(letter, flags)}see '${help}'`);
    const [, name] = /^--([^=]+)/.exec(word) ?? [];
    if (name === undefined) continue;
    const flag = Object.hasOwn(flags, name) ? flags[name] : undefined;
    if (flag === undefined) {
      const meant = nearest(name, Object.keys(flags));
      throw usage(`unknown flag '--${name}'; ${meant === undefined ? '' : `is --${meant} meant? `}see '${help}'`);
    }
    if (seen.has(name) && flag.type === 'string' && !flag.multiple)
      throw usage(`--${name} is given twice; give it once`);
    seen.add(name);
  }
}

/** What a single letter may stand for: the flags have no short forms, except for -h. */
function longerOf(letter: string, flags: Flags): string {
  const longer = Object.keys(flags).filter((name) => name.startsWith(letter.toLowerCase()));
  return longer.length === 0 ? '' : `is ${longer.map((name) => `--${name}`).join(' or ')} meant? `;
}

/** Whether the word after this one is its value: it is a flag that takes one, and has none yet. */
export function isValueOf(word: string | undefined, flags: Flags): boolean {
  const name = word?.startsWith('--') ? word.slice(2) : '';
  return Object.hasOwn(flags, name) && flags[name]?.type === 'string';
}

/** Joins a flag and a negative number, which parseArgs() would take for another flag. */
function withNegatives(words: readonly string[], flags: Flags): string[] {
  return words.flatMap((word, i) => {
    if (isValueOf(words[i - 1], flags) && /^-\d/.test(word)) return [];
    const next = words[i + 1] ?? '';
    return isValueOf(word, flags) && /^-\d/.test(next) ? [`${word}=${next}`] : [word];
  });
}

/** Calls Node's parseArgs(), and turns its errors into a Fault of one line. */
export function parseFlags<const T extends NonNullable<ParseArgsConfig['options']>>(
  words: readonly string[],
  options: T,
  help: string,
): ReturnType<typeof parseArgs<{ options: T; strict: true; allowPositionals: false }>>['values'] {
  requireFlags(words, options, help);
  try {
    return parseArgs({ args: withNegatives(words, options), options, strict: true, allowPositionals: false }).values;
  } catch (error) {
    if (!(error instanceof Error) || systemCode(error)?.startsWith('ERR_PARSE_ARGS') !== true) throw error;
    const [complaint = ''] = error.message.split(/\. |\n/);
    const [, flag] = /^Option '.*?(--[\w-]+).*' argument (?:missing|is ambiguous)/.exec(complaint) ?? [];
    const text =
      flag === undefined ? `${complaint.charAt(0).toLowerCase()}${complaint.slice(1)}` : `${flag}: a value is wanted`;
    throw usage(`${text}; see '${help}'`);
  }
}

interface ProtocolFlags {
  readonly 'min-version'?: string | undefined;
  readonly 'max-version'?: string | undefined;
  readonly ciphers?: string | undefined;
  readonly groups?: string | undefined;
  readonly alpn?: string | undefined;
  readonly 'psk-modes'?: string | undefined;
}

export function protocol(flags: ProtocolFlags): Protocol {
  const minVersion = version('--min-version', flags['min-version'] ?? '1.2');
  const maxVersion = version('--max-version', flags['max-version'] ?? '1.3');
  if (minVersion > maxVersion) throw usage(`--min-version ${minVersion} is above --max-version ${maxVersion}`);
  const all = [...SUITES, ...OTHER_SUITES];
  const suites = all.map(({ name }) => name);
  const ciphers = choices('--ciphers', flags.ciphers, suites);
  const fits = all.some((suite) => ciphers?.includes(suite.name) !== false && inRange(suite.version));
  if (!fits) {
    const versions = minVersion === maxVersion ? minVersion : `${minVersion} or ${maxVersion}`;
    throw usage(`--ciphers: none of these is a suite of ${versions}: ${flags.ciphers}`);
  }
  return {
    minVersion,
    maxVersion,
    ciphers,
    groups: choices('--groups', flags.groups, Object.keys(NamedGroup) as GroupName[]),
    alpn: flags.alpn === undefined ? undefined : list('--alpn', flags.alpn).map(protocolName),
    pskModes: choices('--psk-modes', flags['psk-modes'], Object.keys(PskKeyExchangeMode) as PskMode[]),
  };

  function inRange(candidate: Version): boolean {
    return candidate >= minVersion && candidate <= maxVersion;
  }
}

function version(flag: string, text: string): Version {
  const known = Object.hasOwn(VERSIONS, text) ? VERSIONS[text] : undefined;
  if (known === undefined) throw usage(`${flag}: '${text}' is not spoken here; 1.2 and 1.3 are`);
  return known;
}

/** A list of names from a closed set. @throws Fault that lists all unknown names, and what may have been meant */
export function choices<T extends string>(
  flag: string,
  text: string | undefined,
  known: readonly T[],
): readonly T[] | undefined {
  if (text === undefined) return undefined;
  const names = list(flag, text);
  const chosen = known.filter((name) => names.includes(name)).sort((a, b) => names.indexOf(a) - names.indexOf(b));
  const unknown = names.filter((name) => !known.some((candidate) => candidate === name));
  if (unknown.length === 0) return chosen;
  const complaints = unknown.map((name) => {
    const meant = nearest(name, known);
    return meant === undefined ? `'${name}'` : `'${name}' (is ${meant} meant?)`;
  });
  throw usage(`${flag}: unknown ${complaints.join(', ')}; there are ${known.join(', ')}`);
}

function list(flag: string, text: string): string[] {
  const names = text.split(',').map((name) => name.trim());
  if (names.includes('')) throw usage(`${flag}: names separated by commas are wanted, and '${text}' has an empty one`);
  return names;
}

/** A protocol name has 1 to 255 bytes (RFC 7301 §3.1). */
function protocolName(name: string): string {
  if (!/^[\x21-\x7e]{1,255}$/.test(name)) throw usage(`--alpn: '${name}' is no protocol name; 1 to 255 ASCII are`);
  return name;
}

/** Parses `identity:hex`; the identity may have colons in it. `where` begins the complaint, which does not repeat the key. */
export function psk(where: string, text: string): ExternalPsk {
  const at = text.lastIndexOf(':');
  const [identity, hex] = [text.slice(0, Math.max(at, 0)), text.slice(at + 1)];
  if (identity === '')
    throw usage(`${where}: identity:hex is wanted: a name, a colon, and at least 32 hexadecimal digits`);
  if (!/^[0-9a-f]+$/i.test(hex)) throw usage(`${where}: the key of '${identity}' is not hexadecimal`);
  if (hex.length % 2 === 1)
    throw usage(`${where}: the key of '${identity}' has ${hex.length} hexadecimal digits; a byte is two`);
  if (hex.length < 32) throw usage(`${where}: the key of '${identity}' has ${hex.length / 2} bytes; 16 are the least`);
  return { identity: utf8(identity), secret: fromHex(hex) };
}

export function nonEmpty(flag: string, text: string): string {
  if (text === '') throw usage(`${flag}: the value is empty`);
  return text;
}

/** The flag --record-size-limit (RFC 8449): bytes of plaintext. @throws Fault */
export function recordSizeLimit(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const bytes = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (bytes >= 64 && bytes <= 16384) return bytes;
  throw usage(`--record-size-limit: '${text}' is not possible; 64 to 16384 bytes are`);
}

/** The flag --record-data. @throws Fault without --record */
export function recordsData(wanted: boolean | undefined, folder: string | undefined): boolean {
  if (wanted === true && folder === undefined) throw usage('--record-data: is for --record DIR');
  return wanted === true;
}
