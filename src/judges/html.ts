/** What came of scenarios as a page: one file, which needs nothing from elsewhere. */

import { rowsOf } from '../testing/render.ts';
import type { Judgement } from '../testing/scenarios/judge.ts';
import type { Mark, Visit } from '../testing/scenarios/visit.ts';
import type { TraceEntry } from '../testing/trace.ts';
import { equalBytes } from '../wire/bytes.ts';
import { fails, type ReportedResult, sorted } from './report.ts';

/** The most connections of a scenario that are shown: the last ones. */
const SHOWN = 3;

/** A line of a trace, and what a fault has changed in it. */
export interface TraceLine {
  readonly kind: TraceEntry['kind'];
  readonly cells: readonly string[];
  readonly mark: string | undefined;
}

/** A connection, as the page shows it. */
export interface ShownVisit {
  readonly reaction: string;
  readonly lines: readonly TraceLine[];
  /** JSON, for `tls-resume replay`. */
  readonly recording: string;
}

/** A result, and the connections behind it. */
export interface ShownResult {
  readonly result: ReportedResult;
  readonly visits: readonly ShownVisit[];
}

/** What the page needs of the connections of a scenario, so that they need not be kept. */
export function shownVisits({ visits }: Judgement): ShownVisit[] {
  return visits.slice(-SHOWN).map((visit) => ({
    reaction: visit.reaction,
    lines: linesOf(visit),
    recording: JSON.stringify(visit.facts.recording),
  }));
}

function linesOf({ facts: { trace, marks } }: Visit): TraceLine[] {
  const left = [...marks];
  return rowsOf(trace.entries).map((cells, i) => {
    const entry = trace.entries[i] as TraceEntry;
    return { kind: entry.kind, cells, mark: markOf(entry, left) };
  });
}

/** Takes the mark that is about an entry from those that are left. */
function markOf(entry: TraceEntry, left: Mark[]): string | undefined {
  if (entry.kind !== 'message' || entry.direction !== 'sent') return undefined;
  const at = left.findIndex(({ sent }) => sent !== undefined && equalBytes(sent, entry.raw));
  return at < 0 ? undefined : left.splice(at, 1)[0]?.what;
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const text = (value: string): string => value.replace(/[&<>"]/g, (one) => ENTITIES[one] ?? one);
/** JSON in a script element: nothing in it may end the element. */
const embedded = (json: string): string => json.replaceAll('<', '\\u003c');

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
}

/** Returns the page. */
export function htmlOf({ peer, version, time, facts = [] }: PageHead, shown: readonly ShownResult[]): string {
  const results = shown.map(({ result }) => result);
  const count = (verdict: ReportedResult['verdict']) => results.filter((one) => one.verdict === verdict).length;
  const when = new Date(time).toISOString().slice(0, 16).replace('T', ' ');
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>Session resumption of ${text(peer)}</title>
<style>${STYLE}</style>
<header>
<h1>Session resumption of <code>${text(peer)}</code></h1>
<p>${when} UTC, catalogue ${text(version)}</p>
<ul class="counts">
<li class="finding"><b>${count('finding')}</b> findings, ${results.filter(fails).length} of them fail the run</li>
<li class="differs"><b>${count('differs')}</b> differ</li>
<li class="not-run"><b>${count('not-run')}</b> not run</li>
<li class="pass"><b>${count('pass')}</b> passed</li>
</ul>
${facts.length === 0 ? '' : table(facts)}
<fieldset><legend>Show</legend>
${(['finding', 'differs', 'not-run', 'pass'] as const)
  .map(
    (one) =>
      `<label><input type="checkbox" data-shows="${one}"${one === 'pass' ? '' : ' checked'}> ${NAMES[one]}</label>`,
  )
  .join('\n')}
</fieldset>
</header>
<main>
${chapters(shown)}
</main>
<script>${SCRIPT}</script>
</html>
`;
}

const NAMES = {
  finding: 'findings',
  differs: 'what differs',
  'not-run': 'what was not run',
  pass: 'what passed',
} as const;

function table(facts: readonly (readonly [string, string])[]): string {
  const rows = facts.map(([what, value]) => {
    const isPart = what.startsWith(' ');
    return `<tr${isPart ? '' : ' class="head"'}><th scope="row">${text(what.trim())}</th><td>${text(value)}</td></tr>`;
  });
  return `<table class="facts"><tbody>\n${rows.join('\n')}\n</tbody></table>`;
}

/** By clause; the gravest clause comes first. */
function chapters(shown: readonly ShownResult[]): string {
  const order = sorted(shown.map(({ result }) => result));
  const clauses = [...new Set(order.map(({ clause }) => clause))];
  return clauses
    .map((clause) => {
      const rows = order.filter((result) => result.clause === clause);
      const all = rows.map((result) => article(shown.find((one) => one.result === result) as ShownResult));
      return `<section><h2>${text(clause)}</h2>\n${all.join('\n')}\n</section>`;
    })
    .join('\n');
}

function article({ result, visits }: ShownResult): string {
  const { id, version, title, severity, expected, got, verdict, isKnown } = result;
  return `<details class="result ${verdict}" data-verdict="${verdict}">
<summary><span class="verdict">${verdict === 'finding' ? severity : verdict}${isKnown ? ', known' : ''}</span>
<span class="title">${text(title)}</span> <code>${text(id)}</code> ${version}
<span class="outcome">expected <b>${text(expected.join(' or '))}</b>, got <b>${text(got)}</b></span></summary>
${visits.map((visit, i) => connection(visit, i, `${id}-${version}`)).join('\n')}
</details>`;
}

function connection({ reaction, lines, recording }: ShownVisit, i: number, name: string): string {
  const rows = lines.map(({ kind, cells, mark }) => {
    const cell = cells.map((one) => `<td>${text(one)}</td>`).join('');
    const changed = mark === undefined ? '' : ` <mark>changed: ${text(mark)}</mark>`;
    return `<tr class="${kind}${mark === undefined ? '' : ' changed'}">${cell}<td>${changed}</td></tr>`;
  });
  const file = `${name.replaceAll('/', '-')}-${i + 1}.json`;
  return `<h3>Connection ${i + 1}: ${text(reaction)}</h3>
<button type="button" data-saves="${text(file)}">Save the recording</button>
<script type="application/json">${embedded(recording)}</script>
<div class="trace" tabindex="0"><table><tbody>${rows.join('')}</tbody></table></div>`;
}

const STYLE = `
:root { color-scheme: light dark; --line: #8884; --must: #b3261e; --should: #9a6700; --ok: #1a7f37; --dim: #6e7781; }
@media (prefers-color-scheme: dark) { :root { --must: #ff8a80; --should: #e3b341; --ok: #56d364; --dim: #8b949e; } }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 75rem; padding: 1rem; }
h1 { font-size: 1.5rem; overflow-wrap: anywhere; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; } h3 { font-size: 1rem; }
.counts { display: flex; flex-wrap: wrap; gap: .5rem 2rem; list-style: none; padding: 0; } .counts b { font-size: 1.5rem; }
.finding .verdict, .counts .finding b { color: var(--must); } .differs .verdict, .counts .differs b { color: var(--should); }
.pass .verdict, .counts .pass b { color: var(--ok); } .not-run .verdict, .counts .not-run b { color: var(--dim); }
.facts { border-collapse: collapse; margin: 1rem 0; } .facts th, .facts td { padding: .1rem 1.5rem .1rem 0; text-align: left; vertical-align: top; }
.facts th { font-weight: 400; padding-left: 1rem; white-space: nowrap; } .facts .head th { font-weight: 600; padding-left: 0; } .facts td { overflow-wrap: anywhere; }
fieldset { border: 1px solid var(--line); display: inline-flex; flex-wrap: wrap; gap: 1rem; }
.result { border-top: 1px solid var(--line); padding: .4rem 0; } summary { cursor: pointer; }
summary:focus-visible, button:focus-visible, .trace:focus-visible { outline: 2px solid Highlight; outline-offset: 2px; }
.verdict { display: inline-block; font-weight: 600; min-width: 5rem; } .outcome { display: block; margin-left: 5.3rem; }
code { font-size: .85em; overflow-wrap: anywhere; }
.trace { overflow-x: auto; } .trace table { border-collapse: collapse; font: 13px/1.6 ui-monospace, monospace; }
.trace td { padding: 0 1rem 0 0; vertical-align: top; white-space: nowrap; } .message td { font-weight: 600; }
.record td, .event td { color: var(--dim); } .changed td:nth-child(2) { text-decoration: underline wavy var(--must); }
[hidden] { display: none; }
@media print { fieldset, button { display: none; } .result { break-inside: avoid; } .trace td { white-space: normal; } }
`;

const SCRIPT = `
const boxes = [...document.querySelectorAll('[data-shows]')];
function show() {
  const shown = new Set(boxes.filter((box) => box.checked).map((box) => box.dataset.shows));
  for (const one of document.querySelectorAll('[data-verdict]')) one.hidden = !shown.has(one.dataset.verdict);
  for (const one of document.querySelectorAll('section')) one.hidden = one.querySelector('details:not([hidden])') === null;
}
for (const box of boxes) box.addEventListener('change', show);
show();
document.addEventListener('click', ({ target }) => {
  const file = target.dataset?.saves;
  if (file === undefined) return;
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([target.nextElementSibling.textContent], { type: 'application/json' }));
  link.download = file;
  link.click();
  URL.revokeObjectURL(link.href);
});
`;
