/**
 * The ledger: one row for each requirement of the RFCs that this project speaks, with the test that would notice a breach. Its
 * source is the JSON beside this file, one file an RFC; docs/rfc9846.md is made of it.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Who has to do it: our client, our server, both; or somebody else, whom no test of ours can hold to it. */
export const OURS = ['client', 'server', 'both'] as const;
export const OTHERS = ['application', 'operator', 'designer', 'middlebox'] as const;
export type Party = (typeof OURS)[number] | (typeof OTHERS)[number];

/** Full titles of tests, by the path of their file below test/. */
export type TestsByFile = ReadonlyMap<string, readonly string[]>;

export type Status =
  | { readonly kind: 'tested'; readonly tests: TestsByFile }
  /** `untestable`: no test can notice a breach. `unspoken`: we lack what it is about. `open`: no test yet, or not obeyed. */
  | { readonly kind: 'untestable' | 'unspoken' | 'open'; readonly why: string }
  | { readonly kind: 'others' };

export interface Row {
  /** `§-n`: the nth sentence of the section that asks for something; `a`, `b` where a sentence has several rows. */
  readonly clause: string;
  readonly section: string;
  readonly ordinal: number;
  /** The words of RFC 2119 that are in the sentence. */
  readonly level: string;
  readonly binds: Party;
  /** What it asks for, in our words. */
  readonly rule: string;
  /** Ties the row to its sentence; see `sentences.ts`. */
  readonly fingerprint: string;
  readonly status: Status;
}

export interface Ledger {
  readonly rfc: number;
  readonly title: string;
  /** The titles of all sections of the RFC, by their numbers, in its order. */
  readonly sections: ReadonlyMap<string, string>;
  readonly rows: readonly Row[];
}

const folder = new URL('../../../test/ledger/', import.meta.url);

/** All ledgers; that of RFC 9846 comes first, and the others by their numbers. */
export function readLedgers(): Ledger[] {
  const names = readdirSync(fileURLToPath(folder)).filter((name) => /^rfc\d+\.json$/.test(name));
  const ledgers = names.map((name) => toLedger(JSON.parse(readFileSync(new URL(name, folder), 'utf8'))));
  return ledgers.sort((a, b) => Number(b.rfc === 9846) - Number(a.rfc === 9846) || a.rfc - b.rfc);
}

/** @throws TypeError if the value has another shape; it names the row. */
export function toLedger(value: unknown): Ledger {
  const { rfc, title, sections, rows } = fields(value, 'a ledger');
  if (typeof rfc !== 'number' || !Array.isArray(rows)) throw new TypeError('a ledger has an rfc and rows');
  const headings = texts(sections, 'sections').map((heading) => /^(\S+) (.+)$/.exec(heading) ?? []);
  return {
    rfc,
    title: text(title, 'the title'),
    sections: new Map(headings.map(([, number = '', name = '']) => [number, name])),
    rows: rows.map(toRow),
  };
}

function toRow(value: unknown): Row {
  const row = fields(value, 'a row');
  const clause = text(row['clause'], 'the clause of a row');
  const [, section, ordinal] = /^([A-Z0-9.]+)-(\d+)[a-z]?$/.exec(clause) ?? [];
  if (section === undefined) throw new TypeError(`${clause}: a clause is a section, a dash and a number`);
  const binds = [...OURS, ...OTHERS].find((party) => party === row['binds']);
  if (binds === undefined) throw new TypeError(`${clause}: binds nobody`);
  const [level, rule, fingerprint] = ['level', 'rule', 'fingerprint'].map((key) => text(row[key], clause));
  if (level === undefined || rule === undefined || fingerprint === undefined) throw new TypeError(clause);
  const status = toStatus(
    row,
    clause,
    OTHERS.some((party) => party === binds),
  );
  return { clause, section, ordinal: Number(ordinal), level, binds, rule, fingerprint, status };
}

function toStatus(row: Readonly<Record<string, unknown>>, clause: string, ofOthers: boolean): Status {
  const kinds = (['tests', 'untestable', 'unspoken', 'open'] as const).filter((key) => key in row);
  const [kind] = kinds;
  if (kinds.length !== (ofOthers ? 0 : 1))
    throw new TypeError(`${clause}: one of tests, untestable, unspoken and open`);
  if (kind === undefined) return { kind: 'others' };
  if (kind !== 'tests') return { kind, why: text(row[kind], clause) };
  const files = Object.entries(fields(row['tests'], clause));
  const tests = new Map(files.map(([file, titles]) => [file, texts(titles, clause)]));
  return { kind: 'tested', tests };
}

function fields(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) throw new TypeError(`${what} is no object`);
  return Object.fromEntries(Object.entries(value));
}

function text(value: unknown, what: string): string {
  if (typeof value !== 'string' || value.trim() === '') throw new TypeError(`${what}: a text is missing`);
  return value;
}

function texts(value: unknown, what: string): string[] {
  if (!Array.isArray(value) || value.length === 0) throw new TypeError(`${what}: nothing is listed`);
  return value.map((each) => text(each, what));
}
