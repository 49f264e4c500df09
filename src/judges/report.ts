/** What came of scenarios, for people and for programs. */

import type { Judgement } from '../testing/scenarios/judge.ts';
import type { ScenarioResult, Severity } from '../testing/scenarios/scenario.ts';
import { printable } from './printable.ts';

/** What came of a scenario, where it is known how it ends. */
export type ReportedResult = ScenarioResult & {
  /** Whether it was listed as known to fail. */
  readonly isKnown: boolean;
};

/** What a run says in JSON. */
export interface ScenariosReport {
  /** Of the catalogue. */
  readonly version: string;
  readonly results: readonly ReportedResult[];
}

/** The longest that is told of what a peer says of itself. */
const LONGEST = 300;

/** A scenario in one version, as tables name it. */
export function nameOf({ id, version }: Pick<ScenarioResult, 'id' | 'version'>): string {
  return `${id} (${version})`;
}

/**
 * Without the connections, which are not for JSON. What came of it may be in the words of the peer, which are made safe. `known` has what
 * is known to fail: an id stands for all versions of the scenario, `id (TLSv1.3)` for one.
 */
export function resultOf({ visits: _, got, ...result }: Judgement, known: ReadonlySet<string>): ReportedResult {
  return { ...result, got: printable(got, LONGEST), isKnown: known.has(result.id) || known.has(nameOf(result)) };
}

/** Whether a result fails the run: a `must` finding that is not known, or a pass of what is known to fail. */
export function fails({ verdict, severity, isKnown }: ReportedResult): boolean {
  return isKnown ? verdict === 'pass' : verdict === 'finding' && severity === 'must';
}

const ORDER: readonly Severity[] = ['must', 'should', 'observed'];
const VERDICTS: readonly ScenarioResult['verdict'][] = ['finding', 'differs', 'not-run', 'pass'];

/** Findings first, the gravest of them before the others. */
export function sorted(results: readonly ReportedResult[]): ReportedResult[] {
  const rank = ({ verdict, severity }: ReportedResult) => 10 * VERDICTS.indexOf(verdict) + ORDER.indexOf(severity);
  return [...results].sort((a, b) => rank(a) - rank(b));
}

/** A table, a line a result, and a line that counts. Passes are counted alone, unless `all`. */
export function tableOf(results: readonly ReportedResult[], all = false): string[] {
  const rows = sorted(results)
    .filter((result) => all || result.verdict !== 'pass' || fails(result))
    .map((result) => [
      result.severity,
      nameOf(result),
      result.expected.join(' or '),
      result.got,
      result.isKnown ? `${result.verdict}, known` : result.verdict,
    ]);
  const count = (verdict: ScenarioResult['verdict']) => results.filter((one) => one.verdict === verdict).length;
  const counts = `${count('pass')} passed, ${count('finding')} findings, ${count('differs')} differ, ${count('not-run')} not run`;
  return rows.length === 0
    ? [counts]
    : [...aligned([['severity', 'scenario', 'expected', 'got', 'verdict'], ...rows]), counts];
}

/** Columns, each as wide as its widest cell. */
export function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]?.map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0))) ?? [];
  return rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/** JUnit's XML, as CI servers read it: a case a scenario, by its clause. */
export function junitOf(results: readonly ReportedResult[]): string {
  const failures = results.filter(fails).length;
  const skipped = results.filter(({ verdict }) => verdict === 'not-run').length;
  const cases = results.map((result) => {
    const { clause, title, verdict, got, expected } = result;
    const text =
      verdict === 'pass' ? 'it passes, but is known to fail' : `expected ${expected.join(' or ')}, got ${got}`;
    const inner = fails(result)
      ? `<failure message="${escaped(text)}">${escaped(title)}</failure>`
      : verdict === 'not-run'
        ? `<skipped message="${escaped(got)}"/>`
        : '';
    return `  <testcase classname="${escaped(clause)}" name="${escaped(nameOf(result))}">${inner}</testcase>`;
  });
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuite name="tls-resume scenarios" tests="${results.length}" failures="${failures}" skipped="${skipped}">`,
    ...cases,
    '</testsuite>',
    '',
  ].join('\n');
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

function escaped(text: string): string {
  // XML has no place for them: XML 1.0 §2.2.
  return text
    .replace(/[^\t\n\r -\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd')
    .replace(/[&<>"]/g, (one) => ENTITIES[one] ?? one);
}
