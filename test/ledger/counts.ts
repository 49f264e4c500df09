/** How much of the ledger tests cover. */

import type { Ledger, Row, Status } from './ledger.ts';

/** How many rows there are of each kind. */
export type Counts = Readonly<Record<Status['kind'], number>>;

export function countRows(rows: readonly Row[]): Counts {
  const counts = { tested: 0, untestable: 0, unspoken: 0, open: 0, others: 0 };
  for (const { status } of rows) counts[status.kind]++;
  return counts;
}

/** Of the rows that a test could notice, the part that has one. */
export function shareOf({ tested, open }: Counts): string {
  return tested + open === 0 ? '–' : `${((100 * tested) / (tested + open)).toFixed(1)} %`;
}

/** One line for each ledger and one for all of them: its name, how many rows there are of each kind, and the share. */
export function summaryOf(ledgers: readonly Ledger[]): string[][] {
  const line = (name: string, rows: readonly Row[]): string[] => {
    const counts = countRows(rows);
    const { tested, untestable, unspoken, open, others } = counts;
    return [name, ...[rows.length, tested, open, untestable, unspoken, others].map(String), shareOf(counts)];
  };
  return [
    ...ledgers.map(({ rfc, rows }) => line(`RFC ${rfc}`, rows)),
    line(
      'all',
      ledgers.flatMap(({ rows }) => rows),
    ),
  ];
}

export const SUMMARY_HEAD = ['', 'rows', 'tested', 'open', 'untestable', 'not spoken', 'binds others', 'covered'];
