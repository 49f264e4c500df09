/** What came of scenarios, for people and for programs. */

import type { Judgement } from '../testing/scenarios/judge.ts';
import type { ScenarioResult, Severity } from '../testing/scenarios/scenario.ts';

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

/** Without the connections, which are not for JSON. */
export function resultOf({ visits: _, ...result }: Judgement, known: ReadonlySet<string>): ReportedResult {
  return { ...result, isKnown: known.has(result.id) };
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
    .filter(({ verdict }) => all || verdict !== 'pass')
    .map((result) => [
      result.severity,
      `${result.id} (${result.version})`,
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
    const { id, version, clause, title, verdict, got, expected } = result;
    const text = `expected ${expected.join(' or ')}, got ${got}`;
    const inner = fails(result)
      ? `<failure message="${escaped(text)}">${escaped(title)}</failure>`
      : verdict === 'not-run'
        ? `<skipped message="${escaped(got)}"/>`
        : '';
    return `  <testcase classname="${escaped(clause)}" name="${escaped(`${id} (${version})`)}">${inner}</testcase>`;
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
  // biome-ignore lint/suspicious/noControlCharactersInRegex: XML has no place for them
  return text.replace(/[\x00-\x08\x0b\x0c\x0e-\x1f]/g, '\ufffd').replace(/[&<>"]/g, (one) => ENTITIES[one] ?? one);
}
