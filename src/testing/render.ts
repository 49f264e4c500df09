/**
 * What traces and recordings say to people, once for all who print them: text, HTML, or the document of a browser. Nothing here is of
 * Node.
 */

import type { Event } from '../engine/events.ts';
import { alertName } from '../wire/alert.ts';
import { equalBytes, toHex } from '../wire/bytes.ts';
import {
  AlertLevel,
  CipherSuite,
  ExtensionType,
  NamedGroup,
  nameOf,
  ProtocolVersion,
  PskKeyExchangeMode,
  SignatureScheme,
} from '../wire/registry.ts';
import type { CallbackEntry, Place, TraceEntry } from './trace-entry.ts';

/** What a line is about: an entry of a trace, a field of a message, or what a recording tells besides. */
export type LineKind = TraceEntry['kind'] | 'field' | 'call' | 'verdict' | 'check' | 'note';

/**
 * A line of a trace or of a recording, with the lines below it: plain data, which text, HTML and a document of a browser each print
 * in their way.
 */
export interface Line {
  readonly kind: LineKind;
  /** Of an entry: whose it is, which way it went, and under which keys. Of a call: its index. Else empty. */
  readonly place: string;
  readonly label: string;
  /** In one line. */
  readonly value: string;
  /** A message with its header, or the bytes of a field. */
  readonly bytes?: Uint8Array | undefined;
  /** Whether this is what was marked: a field, or a message of which no field can be named. */
  readonly isMarked: boolean;
  /** What is marked in the line, or below it. */
  readonly mark?: string | undefined;
  readonly children: readonly Line[];
}

/** Something to mark in a trace: a message that a fault, or an edit, has changed. */
export interface Marking {
  /** What was sent in its place, header included; `undefined` if nothing was. */
  readonly sent: Uint8Array | undefined;
  /** The path of the first field that differs, such as `.server_hello.extensions.preSharedKey`, or what was done with the message. */
  readonly what: string;
}

/** Renders the entries of a trace, a line an entry. What is marked in no message that was sent is a note at the end. */
export function renderTrace(entries: readonly TraceEntry[], marks: readonly Marking[] = []): Line[] {
  const left = [...marks];
  const lines = entries.map((entry) => renderEntry(entry, takeMark(entry, left)));
  return [...lines, ...left.map(({ what }) => note('changed', what, true))];
}

/** Takes the mark that is about an entry from those that are left. */
function takeMark(entry: TraceEntry, left: Marking[]): string | undefined {
  if (entry.kind !== 'message' || entry.direction !== 'sent') return undefined;
  const at = left.findIndex(({ sent }) => sent !== undefined && equalBytes(sent, entry.raw));
  return at < 0 ? undefined : left.splice(at, 1)[0]?.what;
}

/** A line that stands for itself. */
export function note(label: string, value = '', isMarked = false): Line {
  return { kind: 'note', place: '', label, value, isMarked, children: [] };
}

function renderEntry(entry: TraceEntry, mark: string | undefined): Line {
  const [place, label, value] = describe(entry);
  if (entry.kind !== 'message') return { kind: entry.kind, place, label, value, isMarked: false, children: [] };
  const children = fieldsOf(entry.fields, `.${entry.name}`, mark);
  const isMarked = mark !== undefined && !children.some(holdsMark);
  return { kind: 'message', place, label, value, bytes: entry.raw, isMarked, mark, children };
}

/** Whether a line, or one below it, is marked. */
export function holdsMark({ isMarked, children }: Line): boolean {
  return isMarked || children.some(holdsMark);
}

/** The most lines of a list, beside the one that is marked. */
const LONGEST = 64;

/** The fields of a struct, or the items of a list. */
function fieldsOf(value: unknown, path: string, mark: string | undefined): Line[] {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return [];
  const isList = Symbol.iterator in value;
  const all = Object.entries(isList ? [...(value as Iterable<unknown>)] : value)
    .filter(([, field]) => field !== undefined)
    .map(([name, field]) => ({ label: isList ? `[${name}]` : name, field }));
  const shown = all.filter(({ label }, i) => i < LONGEST || mark?.startsWith(path + label) === true);
  const lines = shown.map(({ label, field }) => fieldOf(label, field, `${path}${isList ? '' : '.'}${label}`, mark));
  return shown.length === all.length ? lines : [...lines, note(`${all.length - shown.length} more`)];
}

function fieldOf(label: string, value: unknown, path: string, mark: string | undefined): Line {
  const children = fieldsOf(value, path, mark);
  const bytes = value instanceof Uint8Array ? value : undefined;
  const isMarked = path === mark;
  return { kind: 'field', place: '', label, value: shownValue(path, value, children), bytes, isMarked, children };
}

/** Where a number has a name. */
const NAMES: readonly (readonly [RegExp, Readonly<Record<string, number>>])[] = [
  [/\.cipherSuites?(\[\d+\])?$/, CipherSuite],
  [/\.(?:legacyVersion|supportedVersions)(\[\d+\])?$/, ProtocolVersion],
  [/\.(?:supportedGroups\[\d+\]|group|keyShare)$/, NamedGroup],
  [/\.(?:signatureAlgorithms(?:Cert)?\[\d+\]|algorithm)$/, SignatureScheme],
  [/\.pskKeyExchangeModes\[\d+\]$/, PskKeyExchangeMode],
  [/\.extensions\.order\[\d+\]$/, ExtensionType],
];

function shownValue(path: string, value: unknown, children: readonly Line[]): string {
  if (children.length > 0) return '';
  if (value instanceof Uint8Array) return value.length === 0 ? 'empty' : toHex(value);
  if (typeof value !== 'number') return short(value);
  const [, registry] = NAMES.find(([pattern]) => pattern.test(path)) ?? [];
  const name = registry === undefined ? undefined : nameOf(registry, value);
  return name === undefined || name.startsWith('0x') ? String(value) : `${name} (${value})`;
}

/** How text is printed. */
export interface TextOptions {
  /** For a terminal. */
  readonly color?: boolean | undefined;
}

/** Prints lines as text: entries in columns, what is below a call or a verdict under it. Fields are in the line of their message. */
export function textLines(lines: readonly Line[], { color = false }: TextOptions = {}): string[] {
  const entries = lines.filter(({ kind }) => COLORS[kind] !== undefined);
  const widths = (['place', 'label'] as const).map((part) =>
    entries.reduce((width, line) => Math.max(width, line[part].length), 0),
  );
  return lines.flatMap((line) => {
    const paint = color ? COLORS[line.kind] : undefined;
    const own = textOf(line, widths).trimEnd();
    const below = line.kind === 'message' ? [] : textLines(line.children, { color }).map((text) => `   ${text}`);
    return [paint === undefined ? own : `\x1b[${paint}m${own}\x1b[0m`, ...below];
  });
}

const COLORS: Readonly<Partial<Record<LineKind, number>>> = { message: 1, record: 2, event: 36, callback: 33 };

function textOf({ kind, place, label, value }: Line, [first = 0, second = 0]: readonly number[]): string {
  switch (kind) {
    case 'call':
      return `${place}  ${label}  ${value}`;
    case 'check':
      return `${value.padEnd(3)} ${label}`;
    case 'verdict':
    case 'note':
    case 'field':
      return value === '' ? label : `${label}: ${value}`;
    default:
      return `${place.padEnd(first)}  ${label.padEnd(second)}  ${value}`;
  }
}

/** Who and under which keys, what it is, and more. */
function describe(entry: TraceEntry): readonly [place: string, label: string, value: string] {
  switch (entry.kind) {
    case 'message':
      return [headOf(entry), entry.name, entry.error ?? summarize(entry.fields)];
    case 'record':
      return [headOf(entry), `record ${entry.type}`, `${entry.wire} bytes${entry.alert ? `: ${entry.alert}` : ''}`];
    case 'event':
      return [entry.side, `event ${entry.event.type}`, tellOf(entry.event)];
    case 'callback':
      return [entry.side, `callback ${entry.name}`, tellCallback(entry)];
  }
}

/** What was asked, and what came of it. Of sessions there is no more than that there was one. */
function tellCallback({ question, asked, outcome, answer }: CallbackEntry): string {
  const about = asked === undefined ? question : `${question} ${short(asked)}`;
  if (outcome === 'late') return `${about}: too late`;
  if (outcome === 'error') return `${about}: ${answer instanceof Error ? answer.message : 'an error'}`;
  const isPlain = typeof answer !== 'object' && typeof answer !== 'function' && answer !== undefined;
  return isPlain ? `${about}: ${String(answer)}` : about;
}

/** What an event tells besides its type, in one line. Keys and sessions are not shown. */
function tellOf(event: Event): string {
  switch (event.type) {
    case 'alert':
      return `${event.direction} ${describeAlert(Uint8Array.of(event.level, event.description))}`;
    case 'failed':
      return event.error.message;
    case 'data':
      return `${event.data.length} bytes`;
    case 'verdicts':
      return event.verdicts.map(({ mechanism, reason }) => `${mechanism} ${reason ?? 'resumed'}`).join(', ');
    case 'callback-error':
      return `${event.callback}: ${event.error instanceof Error ? event.error.message : String(event.error)}`;
    case 'no-ticket':
    case 'session-removed':
      return event.reason;
    default:
      return '';
  }
}

function headOf({ side, direction, epoch }: Place): string {
  return `${side} ${direction === 'sent' ? '→' : '←'} ${epoch}`;
}

/** The fields of a struct in one line. */
function summarize(fields: unknown): string {
  if (typeof fields !== 'object' || fields === null) return '';
  return Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${short(value)}`)
    .join(' ');
}

/** The most characters of one field. */
const SHORT = 60;

function short(value: unknown): string {
  const text = JSON.stringify(plain(value)) ?? '';
  return text.length <= SHORT ? text : `${text.slice(0, SHORT)}…`;
}

/** What JSON can say of a value: bytes in hexadecimal, lists as arrays, errors by their messages. */
export function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return toHex(value);
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  if (typeof value === 'bigint' || typeof value === 'function' || typeof value === 'symbol') return String(value);
  if (typeof value !== 'object' || value === null) return value;
  if ('toJSON' in value && typeof value.toJSON === 'function') return value.toJSON();
  if (Symbol.iterator in value) return [...(value as Iterable<unknown>)].map(plain);
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, field]) => (field === undefined ? [] : [[name, plain(field)]])),
  );
}

/** The level and the name of an alert. */
export function describeAlert([level = 0, description = 0]: Uint8Array): string {
  return `${nameOf(AlertLevel, level)} ${alertName(description) ?? description}`;
}
