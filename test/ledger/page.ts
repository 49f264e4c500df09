/** docs/rfc9846.md, made of the ledger. */

import { SUMMARY_HEAD, summaryOf } from './counts.ts';
import type { Ledger, Row, Status } from './ledger.ts';

const ABOUT = `# What the RFCs demand, and which test would notice a breach

This page has a row for every sentence of RFC 9846 (TLS 1.3) with a MUST, MUST NOT, SHALL, SHOULD, SHOULD NOT, REQUIRED or RECOMMENDED, and
for those of the RFCs around it as far as client and server speak them. A row names who is bound, says in our words what is
demanded, and names the tests that fail if it is not done.

- **Clause**: the section and the number of the sentence in it, counted among those of the section that demand something. \`a\` and \`b\` are
  parts of one sentence. Each row has an anchor: \`#rfc9846-4.3.8-6\`.
- **Tests**: the file, and the full titles as Mocha prints them.
- **open**: no test notices a breach yet, or we do not do it; the row says why.
- **no test can**: nothing that a peer or an application sees would differ.
- **not spoken**: we do not have the feature.
- Rows that bind an application, an operator, a designer of extensions or a middlebox are here so that every sentence has a row.
  No test of ours can hold them to it.

*Covered* is the part of the rows with a test among those that a test could have, tested and open ones.
\`npm run ledger\` prints the first table. [CONTRIBUTING](../CONTRIBUTING.md#the-ledger) says how a row is added.
The page is made of [test/ledger](../test/ledger); [a test](../test/ledger/ledger.test.ts) checks that it is up to date, and that the tests exist.
The tests are in the repository; the package does not have them.`;

export function pageOf(ledgers: readonly Ledger[]): string {
  const summary = summaryOf(ledgers).map(([name = '', ...cells]) => [linkTo(name, ledgers), ...cells]);
  const open = ['## What is open', table(['why', 'clauses'], openRows(ledgers))];
  return `${[ABOUT, table(SUMMARY_HEAD, summary), ...open, ...ledgers.flatMap(chapter)].join('\n\n')}\n`;
}

/** The open clauses by the reasons, each with a link to its row. */
function openRows(ledgers: readonly Ledger[]): string[][] {
  const byReason = new Map<string, string[]>();
  for (const { rfc, rows } of ledgers) {
    for (const { clause, status } of rows) {
      if (status.kind !== 'open') continue;
      const links = byReason.get(status.why) ?? [];
      byReason.set(status.why, [...links, `[RFC ${rfc} §${clause}](#rfc${rfc}-${clause})`]);
    }
  }
  return [...byReason].map(([why, links]) => [why, links.join(', ')]);
}

function linkTo(name: string, ledgers: readonly Ledger[]): string {
  const ledger = ledgers.find(({ rfc }) => name === `RFC ${rfc}`);
  return ledger ? `[${name}](#rfc${ledger.rfc}), ${ledger.title}` : `**${name}**`;
}

function chapter({ rfc, title, sections, rows }: Ledger): string[] {
  const numbers = [...new Set(rows.map(({ section }) => section))];
  const tables = numbers.flatMap((number) => [
    `### <a id="rfc${rfc}-${number}"></a>RFC ${rfc} §${number} ${sections.get(number)}`,
    table(
      ['clause', 'level', 'binds', 'what it demands', 'noticed by'],
      rows.filter(({ section }) => section === number).map((row) => cellsOf(rfc, row)),
    ),
  ]);
  return [`## <a id="rfc${rfc}"></a>RFC ${rfc}: ${title}`, ...tables];
}

function cellsOf(rfc: number, { clause, level, binds, rule, status }: Row): string[] {
  return [`<a id="rfc${rfc}-${clause}"></a>${clause}`, level, binds, rule, noticedBy(status)];
}

function noticedBy(status: Status): string {
  if (status.kind === 'others') return '';
  if (status.kind !== 'tested') return `*${WORDS[status.kind]}*: ${status.why}`;
  const files = [...status.tests].map(
    ([file, titles]) => `[${file}](../test/${file}): ${titles.map((title) => `“${title}”`).join(', ')}`,
  );
  return files.join('<br>');
}

const WORDS = { untestable: 'no test can', unspoken: 'not spoken', open: 'open' } as const;

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(escaped).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** A bar would end the cell. */
function escaped(cell: string): string {
  return cell.replaceAll('|', '\\|');
}
