/** What came of scenarios as a page: one file, which needs nothing from elsewhere. */

import { createHash } from 'node:crypto';
import { type Line, renderTrace } from '../testing/render.ts';
import type { Judgement } from '../testing/scenarios/judge.ts';
import { SCRIPT, STYLE } from './page.ts';
import { fails as failsRun, type ReportedResult, sorted } from './report.ts';
import { escaped, traceHtml } from './trace-html.ts';

/** The most connections of a scenario that are shown: the last ones. */
const SHOWN = 3;

/** A connection, as the page shows it. */
export interface ShownVisit {
  readonly reaction: string;
  readonly lines: readonly Line[];
  /** JSON, for `tls-resume replay`. */
  readonly recording: string;
}

/** A result, and the connections behind it. */
export interface ShownResult {
  readonly result: ReportedResult;
  readonly visits: readonly ShownVisit[];
}

/** What the page needs of the connections of a scenario, so that they need not be kept. Of a pass, the last connection will do. */
export function shownVisits({ visits, verdict }: Pick<Judgement, 'visits' | 'verdict'>): ShownVisit[] {
  return visits.slice(verdict === 'pass' ? -1 : -SHOWN).map(({ reaction, facts: { trace, marks, recording } }) => ({
    reaction,
    lines: renderTrace(trace.entries, marks),
    recording: JSON.stringify(recording),
  }));
}

/** JSON in a script element: nothing in it may end the element, or turn what is read in the source. */
const embedded = (json: string): string =>
  json.replace(/[<\p{Bidi_Control}]/gu, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** About whom the page is. */
export interface PageHead {
  /** The command or the address of the peer. */
  readonly peer: string;
  /** Of the catalogue. */
  readonly version: string;
  /** When the run was, in milliseconds since the epoch. */
  readonly time: number;
  /** What is known of the peer without a verdict, in rows: what about, and what. */
  readonly facts?: readonly (readonly [string, string])[] | undefined;
  /** Which results fail the run. Default: as `tls-resume scenarios` has it. */
  readonly fails?: ((result: ReportedResult) => boolean) | undefined;
}

type Verdict = ReportedResult['verdict'];

/** How each verdict is called over its count. Colour is never all that tells them apart. */
const VERDICTS: Readonly<Record<Verdict, string>> = {
  finding: 'findings',
  differs: 'differ',
  'not-run': 'not run',
  pass: 'passed',
};
const SIGNS: Readonly<Record<Verdict, string>> = { finding: '✕', differs: '◆', 'not-run': '○', pass: '✓' };

/** Nothing of a page may be loaded from elsewhere, and no script but its own runs, whatever a peer has said. */
function policy(): string {
  const own = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
  return `default-src 'none'; style-src ${own(STYLE)}; script-src ${own(SCRIPT)}; base-uri 'none'; form-action 'none'`;
}

/** Returns the page. */
export function htmlOf(head: PageHead, shown: readonly ShownResult[]): string {
  const { peer, version, time, facts = [], fails = failsRun } = head;
  const results = shown.map(({ result }) => result);
  const when = new Date(time).toISOString();
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="${policy()}">
<title>Session resumption of ${escaped(peer)}</title>
<style>${STYLE}</style>
</head>
<body>
<header>
<p class="kind">Session resumption of</p>
<h1>${escaped(peer)}</h1>
<p><time datetime="${when}">${when.slice(0, 16).replace('T', ' ')} UTC</time> · catalogue ${escaped(version)} · ${results.length} results</p>
${summary(results, fails)}
${facts.length === 0 ? '' : factsTable(facts)}
</header>
${toolbar(results)}
<main>
${table(shown)}
<p class="none" role="status" hidden>Nothing of what there is matches.</p>
</main>
<footer>
<p>In a trace → is what the tester has sent and ← what it has received; the number after it counts the changes of keys, 0 is in the clear.
<mark>Marked</mark> is what the tester has sent otherwise than it should.</p>
<p>A saved recording replays: <code>tls-resume replay FILE --explain</code>. It has the secrets of its connection, and so has this page.</p>
<p>Keys: <kbd>↑</kbd> <kbd>↓</kbd> from row to row, <kbd>Enter</kbd> opens one, <kbd>/</kbd> filters.</p>
</footer>
<script>${SCRIPT}</script>
</body>
</html>
`;
}

function summary(results: readonly ReportedResult[], fails: (result: ReportedResult) => boolean): string {
  const failing = results.filter(fails).length;
  const passing = results.filter(({ verdict, isKnown }) => isKnown && verdict === 'pass').length;
  const known = passing === 0 ? '' : `, ${passing} of them because what is known to fail passes`;
  const verdict =
    failing === 0
      ? '<p class="outcome pass"><b>✓ Nothing fails.</b> No rule that binds this peer was seen broken.</p>'
      : `<p class="outcome finding"><b>✕ ${failing} ${failing === 1 ? 'result fails' : 'results fail'} the run</b>${known}.</p>`;
  return `${verdict}\n${proportions(results)}`;
}

/** A bar, for the eye alone: the toolbar has the numbers. */
function proportions(results: readonly ReportedResult[]): string {
  let x = 0;
  const parts = (Object.keys(VERDICTS) as Verdict[]).map((verdict) => {
    const width = (100 * count(results, verdict)) / Math.max(1, results.length);
    const part = `<rect class="${verdict}" x="${x.toFixed(2)}" width="${width.toFixed(2)}" height="1"/>`;
    x += width;
    return width === 0 ? '' : part;
  });
  return `<svg class="bar" viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true">${parts.join('')}</svg>`;
}

function count(results: readonly ReportedResult[], verdict: Verdict): number {
  return results.filter((one) => one.verdict === verdict).length;
}

function toolbar(results: readonly ReportedResult[]): string {
  const boxes = (Object.keys(VERDICTS) as Verdict[]).map((verdict) => {
    const checked = verdict === 'pass' && count(results, 'pass') < results.length ? '' : ' checked';
    return `<label class="${verdict}"><input type="checkbox" data-shows="${verdict}"${checked}> <span aria-hidden="true">${SIGNS[verdict]}</span> <b>${count(results, verdict)}</b> ${VERDICTS[verdict]}</label>`;
  });
  return `<div class="tools" role="search" aria-label="What is shown">
${boxes.join('\n')}
<input type="search" placeholder="Filter" aria-label="Filter by words of the clause, the scenario or the outcome">
</div>`;
}

function factsTable(facts: readonly (readonly [string, string])[]): string {
  const rows = facts.map(([what, value]) => {
    const isPart = what.startsWith(' ');
    return `<tr${isPart ? '' : ' class="head"'}><th scope="row">${escaped(what.trim())}</th><td>${escaped(value)}</td></tr>`;
  });
  return `<table class="facts"><caption>What was seen</caption><tbody>\n${rows.join('\n')}\n</tbody></table>`;
}

/** By clause; the gravest clause comes first. */
function table(shown: readonly ShownResult[]): string {
  const ofResult = new Map(shown.map((one) => [one.result, one]));
  const order = sorted([...ofResult.keys()]);
  const groups = [...new Set(order.map(({ clause }) => clause))].map((clause) => {
    const rows = order.filter((result) => result.clause === clause);
    const all = rows.map((result) => rowOf(result, ofResult.get(result)?.visits ?? []));
    return `<tbody>\n<tr class="clause"><th scope="rowgroup" colspan="3">${escaped(clause)}</th></tr>\n${all.join('\n')}\n</tbody>`;
  });
  return `<table class="results">
<caption>Results by clause</caption>
<thead><tr><th scope="col">Verdict</th><th scope="col">Scenario</th><th scope="col">What came of it</th></tr></thead>
${groups.join('\n')}
</table>`;
}

function rowOf(result: ReportedResult, visits: readonly ShownVisit[]): string {
  const { id, version, title, severity, expected, got, verdict, isKnown } = result;
  const name = `${id}-${version}`.replace(/[^\w.]+/g, '-');
  const said = `${verdict === 'finding' ? severity : verdict.replace('-', ' ')}${isKnown ? ', known' : ''}`;
  const wanted = verdict === 'not-run' ? '' : `<small>expected ${escaped(expected.join(' or '))}</small>`;
  const own = visits.map((visit, i) => connection(visit, i, name));
  return `<tr class="result ${verdict}" data-verdict="${verdict}">
<td class="verdict"><span aria-hidden="true">${SIGNS[verdict]}</span> ${said}</td>
<th scope="row"><button type="button" class="opens" aria-expanded="true" aria-controls="${name}">${escaped(title)}</button>
<small><code>${escaped(id)}</code> ${version}</small></th>
<td class="outcome"><b>${escaped(got)}</b> ${wanted}</td></tr>
<tr class="opened" id="${name}"><td colspan="3">${own.length === 0 ? '<p>No connection was made.</p>' : own.join('\n')}</td></tr>`;
}

function connection({ reaction, lines, recording }: ShownVisit, i: number, name: string): string {
  return `<section>
<h2>Connection ${i + 1}: ${escaped(reaction)}</h2>
<button type="button" data-saves="${name}-${i + 1}.json">Save the recording<span class="unseen"> of connection ${i + 1}</span></button>
<script type="application/json">${embedded(recording)}</script>
${traceHtml(lines)}
</section>`;
}
