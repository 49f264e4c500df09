/**
 * `npm run ledger`: how much of the RFCs tests cover. `-- --write` makes docs/rfc9846.md anew, `-- --open` lists what has no test,
 * and `-- --text FILE` compares a ledger with the text of its RFC.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { compare, rfcOf } from './compare.ts';
import { SUMMARY_HEAD, summaryOf } from './counts.ts';
import { type Ledger, readLedgers } from './ledger.ts';
import { pageOf } from './page.ts';

function printSummary(ledgers: readonly Ledger[]): void {
  const rows = [SUMMARY_HEAD, ...summaryOf(ledgers)];
  for (const [name = '', ...cells] of rows) {
    console.log(name.padEnd(10) + cells.map((cell) => cell.padStart(14)).join(''));
  }
}

function printOpen(ledgers: readonly Ledger[]): void {
  for (const { rfc, rows } of ledgers) {
    for (const { clause, level, binds, rule, status } of rows) {
      if (status.kind === 'open')
        console.log(`RFC ${rfc} §${clause} (${level}, ${binds}): ${rule}. Open: ${status.why}`);
    }
  }
}

/** Sets the exit code to 1 if there are differences. */
function printDifferences(ledgers: readonly Ledger[], path: string): void {
  const text = readFileSync(path, 'utf8');
  const ledger = ledgers.find(({ rfc }) => rfc === rfcOf(text));
  if (ledger === undefined) throw new RangeError(`${path} is not the text of an RFC that has a ledger`);
  const differences = compare(ledger, text);
  for (const line of differences) console.log(line);
  console.log(`RFC ${ledger.rfc}: ${ledger.rows.length} rows, ${differences.length} differences from ${path}`);
  process.exitCode = differences.length === 0 ? 0 : 1;
}

const { values } = parseArgs({
  options: { write: { type: 'boolean' }, open: { type: 'boolean' }, text: { type: 'string' } },
});
const ledgers = readLedgers();
if (values.write) writeFileSync(new URL('../../../docs/rfc9846.md', import.meta.url), pageOf(ledgers));
if (values.text !== undefined) printDifferences(ledgers, values.text);
else if (values.open) printOpen(ledgers);
else printSummary(ledgers);
