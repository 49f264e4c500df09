/** What a trace says to people: a line an entry. */

import type { Event } from '../engine/events.ts';
import { alertName } from '../wire/alert.ts';
import { toHex } from '../wire/bytes.ts';
import { AlertLevel, nameOf } from '../wire/registry.ts';
import type { CallbackEntry, Place, TraceEntry } from './trace.ts';

/** What a listing says of each entry: who and under which keys, what it is, and more. */
export function rowsOf(entries: readonly TraceEntry[]): Row[] {
  return entries.map(describe);
}

/** The lines of a listing, one an entry, aligned. */
export function linesOf(entries: readonly TraceEntry[], color: boolean): string[] {
  const rows = rowsOf(entries);
  const widths = [0, 1].map((i) => rows.reduce((width, row) => Math.max(width, (row[i] ?? '').length), 0));
  return rows.map(([head, what, more], i) => {
    const line = `${head.padEnd(widths[0] ?? 0)}  ${what.padEnd(widths[1] ?? 0)}  ${more}`.trimEnd();
    return color ? `\x1b[${COLORS[entries[i]?.kind ?? 'event']}m${line}\x1b[0m` : line;
  });
}

const COLORS: Readonly<Record<TraceEntry['kind'], number>> = { message: 1, record: 2, event: 36, callback: 33 };

export type Row = readonly [head: string, what: string, more: string];

function describe(entry: TraceEntry): Row {
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
