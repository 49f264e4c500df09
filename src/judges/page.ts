/** The style and the script of a page. */

export const STYLE = `
:root {
  color-scheme: light dark;
  --ground: #fbfbfa; --raised: #fff; --text: #1c1e21; --dim: #5d646c; --line: #dcdfe3; --accent: #0a58ca; --mark: #ffe9a8; --marked: #3d2f00;
  --finding: #b3261e; --differs: #8a5a00; --not-run: #5d646c; --pass: #17692d;
  --mono: ui-monospace, 'SF Mono', Menlo, Consolas, 'Liberation Mono', monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #14161a; --raised: #1c1f25; --text: #e6e8eb; --dim: #9aa3ad; --line: #323841; --accent: #7db2ff; --mark: #5b4708; --marked: #ffedb8;
    --finding: #ff8f85; --differs: #e6b450; --not-run: #9aa3ad; --pass: #68d47f;
  }
}
* { box-sizing: border-box; }
body { background: var(--ground); color: var(--text); font: 16px/1.5 system-ui, sans-serif; margin: 0; }
header, main, footer, .tools { margin: 0 auto; max-width: 76rem; padding: 0 1.25rem; }
header { padding-top: 2rem; } header p { margin: .25rem 0; } time, header p, footer { color: var(--dim); }
h1 { font: 600 1.75rem/1.25 var(--mono); margin: 0; overflow-wrap: anywhere; }
.kind { font-size: .8rem; letter-spacing: .06em; text-transform: uppercase; }
header .outcome { color: var(--text); font-size: 1.1rem; margin: 1.25rem 0 .75rem; } header .outcome b { color: var(--finding); } header .outcome.pass b { color: var(--pass); }
.bar { border-radius: 4px; display: block; height: 8px; width: 100%; }
rect.finding { fill: var(--finding); } rect.differs { fill: var(--differs); } rect.not-run { fill: var(--line); } rect.pass { fill: var(--pass); }
.tools { align-items: center; background: var(--ground); display: flex; gap: .5rem; height: 3.5rem; overflow-x: auto; position: sticky; top: 0; z-index: 2; }
.tools label { border: 1px solid var(--line); border-radius: 99px; cursor: pointer; flex: none; padding: .15rem .8rem .15rem .5rem; }
.tools label:has(:checked) { background: var(--raised); border-color: currentColor; }
.tools .finding, .finding .verdict { color: var(--finding); } .tools .differs, .differs .verdict { color: var(--differs); }
.tools .not-run, .not-run .verdict { color: var(--not-run); } .tools .pass, .pass .verdict { color: var(--pass); }
input { accent-color: currentColor; font: inherit; }
[type=search] { background: var(--raised); border: 1px solid var(--line); border-radius: 99px; color: inherit; flex: 1 1 8rem; margin-left: auto; max-width: 18rem; min-width: 7rem; padding: .15rem .8rem; }
button { background: none; border: 0; color: inherit; cursor: pointer; font: inherit; padding: 0; text-align: left; }
[data-saves] { border: 1px solid var(--line); border-radius: 6px; color: var(--accent); font-size: .875rem; padding: .15rem .7rem; } [data-saves]:hover { border-color: currentColor; }
:focus-visible { border-radius: 4px; outline: 2px solid var(--accent); outline-offset: 2px; }
table { border-collapse: separate; border-spacing: 0; text-align: left; width: 100%; } td, th { vertical-align: top; }
caption, .unseen { clip-path: inset(50%); height: 1px; overflow: hidden; left: 0; position: absolute; white-space: nowrap; width: 1px; }
table, [data-saves] { position: relative; }
.results thead th { background: var(--ground); border-bottom: 1px solid var(--line); color: var(--dim); font-size: .8rem; font-weight: 500; padding: .35rem .75rem; position: sticky; top: 3.5rem; z-index: 1; }
.results thead th:first-child { width: 8rem; } .results thead th:last-child { width: 36%; }
.clause th { font-size: .95rem; font-weight: 650; padding: 1.75rem .75rem .4rem; }
.result td, .result th { background: var(--raised); border-bottom: 1px solid var(--line); font-weight: 400; padding: .55rem .75rem; }
.clause + .result > * { border-top: 1px solid var(--line); } .result { cursor: pointer; }
.verdict { font-weight: 600; white-space: nowrap; } .result.finding .verdict { border-left: 3px solid; padding-left: calc(.75rem - 3px); }
small { color: var(--dim); display: block; font-size: .82rem; } .result > *, .clause > *, small { overflow-wrap: anywhere; } code, kbd { font-family: var(--mono); font-size: .92em; } 
.opens::before { color: var(--dim); content: '▸'; display: inline-block; text-indent: 0; width: 1rem; } .opens[aria-expanded=true]::before { content: '▾'; } .opens { padding-left: 1rem; text-indent: -1rem; } .opens + small { margin-left: 1rem; }
.opened > td { background: var(--raised); border-bottom: 1px solid var(--line); padding: 0 .75rem 1rem; }
section { border-left: 3px solid var(--line); margin: .75rem 0 0 .25rem; padding-left: 1rem; }
h2 { display: inline-block; font-size: .95rem; font-weight: 650; margin: 0 1rem .35rem 0; overflow-wrap: anywhere; }
.trace, .fields { list-style: none; margin: 0; padding: 0; } .trace { font: 13px/1.55 var(--mono); margin-top: .4rem; }
.trace > li, .trace summary { overflow-wrap: anywhere; } .trace > li:not(:has(> details)), .trace > li > details > summary { column-gap: 1rem; display: grid; grid-template-columns: 1ch 6.5rem 13.5rem 1fr; }
.trace > li:not(:has(> details))::before { content: ''; } .trace > li > details > summary { list-style: none; } .trace > li > details > summary::-webkit-details-marker { display: none; }
.trace > li > details > summary::before { content: '▸'; } .trace > li > details[open] > summary::before { content: '▾'; }
.trace summary { cursor: pointer; } .trace .place { color: var(--dim); } .trace span { min-width: 0; } .trace .message > details > summary .label { font-weight: 650; }
.record, .event { color: var(--dim); } .callback .label { color: var(--accent); } .trace .alert { color: var(--finding); }
.trace > li > details:not([open]) > summary .value { display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2; overflow: hidden; } .trace > li > details[open] > summary .value { color: transparent; height: 1.55em; overflow: hidden; } .trace .value mark { display: inline-block; }
.trace > li > details > .fields, .trace > li > details > .bytes { border-left: 1px solid var(--line); margin: .15rem 0 .6rem .4ch; padding-left: 1.6ch; }
.fields .fields { padding-left: 2ch; } .fields .label { color: var(--dim); } .long { display: inline-block; vertical-align: top; } .bytes { margin: 0; overflow-wrap: anywhere; }
mark { background: var(--mark); border-radius: 3px; color: var(--marked); padding: 0 .35em; } .fields mark .label { color: inherit; }
.facts { font-size: .95rem; margin: 1.25rem 0 .5rem; } .facts th { color: var(--dim); font-weight: 400; padding: .1rem 1.5rem .1rem 1rem; white-space: nowrap; width: 1%; } .facts .head > * { color: var(--text); font-weight: 650; padding-left: 0; padding-top: .5rem; } .facts td { color: var(--text); } .facts td, .facts th { overflow-wrap: anywhere; }
footer { border-top: 1px solid var(--line); font-size: .85rem; margin-top: 3rem; padding-bottom: 2rem; } kbd { border: 1px solid var(--line); border-radius: 4px; padding: 0 .35em; }
[hidden] { display: none !important; }
@media (max-width: 44rem) {
  header, main, footer, .tools { padding-left: .75rem; padding-right: .75rem; } h1 { font-size: 1.3rem; } .results { table-layout: fixed; }
  .tools { flex-wrap: wrap; height: auto; padding-bottom: .5rem; padding-top: .5rem; } .tools label { font-size: .85rem; } [type=search] { flex-basis: 100%; max-width: none; } .results thead th { position: static; } .result { font-size: .875rem; }
  .results thead th:first-child { width: 5.2rem; } .results thead th, .result td, .result th { padding-left: .4rem; padding-right: .4rem; } .verdict { white-space: normal; }
  .trace > li:not(:has(> details)), .trace > li > details > summary { grid-template-columns: 1ch 6rem 1fr; } .trace .value { grid-column: 2 / -1; } section { padding-left: .5rem; }
  .facts, .facts tbody, .facts tr, .facts th, .facts td { display: block; white-space: normal; width: auto; } .facts td { padding-left: 1rem; }
}
@media print {
  :root { color-scheme: light; --ground: #fff; --raised: #fff; --text: #000; --dim: #444; --line: #bbb; --accent: #000; --mark: #eee; --marked: #000; --finding: #9a1b14; --differs: #6b4600; --not-run: #444; --pass: #125424; }
  body { font-size: 10pt; print-color-adjust: exact; } header, main, footer { max-width: none; padding: 0; } .tools, [data-saves], .opens::before, footer p:last-child { display: none; }
  .results thead th { position: static; } .result, .clause { break-after: auto; break-inside: avoid; } .clause { break-after: avoid; } .trace { font-size: 7.5pt; }
  mark { border: 1px solid; } header .outcome { margin-top: .5rem; }
}
`;

export const SCRIPT = `
const all = (what, where = document) => [...where.querySelectorAll(what)];
const rows = all('.result');
const boxes = all('[data-shows]');
const words = document.querySelector('[type=search]');
const buttonOf = (row) => row.querySelector('.opens');
function open(row, isOpen) {
  buttonOf(row).setAttribute('aria-expanded', isOpen);
  row.nextElementSibling.hidden = !isOpen || row.hidden;
}
function show() {
  const shown = new Set(boxes.filter((box) => box.checked).map((box) => box.dataset.shows));
  const wanted = words.value.toLowerCase().split(/\\s+/);
  for (const row of rows) {
    const text = (row.parentElement.firstElementChild.textContent + ' ' + row.textContent).toLowerCase();
    row.hidden = !shown.has(row.dataset.verdict) || !wanted.every((word) => text.includes(word));
    open(row, buttonOf(row).getAttribute('aria-expanded') === 'true');
  }
  for (const clause of all('.results tbody')) clause.hidden = all('.result:not([hidden])', clause).length === 0;
  document.querySelector('.none').hidden = rows.some((row) => !row.hidden);
}
for (const row of rows) open(row, false);
for (const box of boxes) box.addEventListener('change', show);
words.addEventListener('input', show);
show();
document.addEventListener('click', ({ target }) => {
  const row = target.closest('.result');
  if (row !== null && String(getSelection()) === '') open(row, row.nextElementSibling.hidden);
  const button = target.closest('[data-saves]');
  if (button !== null) save(button.dataset.saves, button.nextElementSibling.textContent);
});
function save(name, text) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text], { type: 'application/json' }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
document.addEventListener('keydown', (event) => {
  if (event.key === '/' && event.target !== words) {
    event.preventDefault();
    words.focus();
  }
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step === undefined || !event.target.matches('.opens')) return;
  event.preventDefault();
  const shown = rows.filter((row) => !row.hidden);
  const next = shown[shown.indexOf(event.target.closest('.result')) + step];
  if (next !== undefined) buttonOf(next).focus();
});
`;
