/** The figures as a table for people, and as JSON for programs. */

import { cpus, totalmem } from 'node:os';
import { type Figure, type Finding, isFigure } from './figure.ts';
import type { BenchOptions } from './options.ts';

/** What it was measured on: enough to judge the figures by, and nothing that names the machine. */
export interface Setting {
  readonly cpu: string;
  readonly cores: number;
  readonly memory: string;
  readonly node: string;
  readonly openssl: string;
  readonly date: string;
}

export function setting(): Setting {
  const { node, openssl } = process.versions;
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    node,
    openssl: openssl ?? 'none',
    date: new Date().toISOString().slice(0, 10),
  };
}

export function toJson(findings: readonly Finding[], { rounds, handshakes, quick }: BenchOptions): string {
  const figures = findings.filter(isFigure).map(({ name, ...figure }) => [name, figure]);
  const skipped = findings.filter((finding) => !isFigure(finding));
  const document = {
    setting: setting(),
    options: { rounds, handshakes, quick },
    figures: Object.fromEntries(figures),
    skipped,
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

const HEADER = ['figure', 'ours', 'peer', '', 'ratio', 'min', 'q1', 'q3', 'max', 'target', ''] as const;

/** Rows of cells, the header first. */
export function rows(findings: readonly Finding[]): readonly (readonly string[])[] {
  return [HEADER, ...findings.filter(isFigure).map(row)];
}

function row({ name, ours, peer, peerName, unit, ratio, spread, target }: Figure): readonly string[] {
  const { min, q1, q3, max } = spread;
  const reached = target === undefined ? '' : ratio <= target.must ? 'reached' : 'MISSED';
  return [
    name,
    `${short(ours)} ${unit}`,
    `${short(peer)} ${unit}`,
    peerName,
    ...[ratio, min, q1, q3, max].map((value) => value.toFixed(2)),
    target === undefined ? '' : `≤ ${target.must}`,
    reached,
  ];
}

/** Three digits that count. */
function short(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

export function toText(findings: readonly Finding[]): string {
  const table = rows(findings);
  const widths = HEADER.map((_, column) => Math.max(...table.map((cells) => cells[column]?.length ?? 0)));
  const line = (cells: readonly string[]) => cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  ');
  const skips = findings.flatMap((finding) => (isFigure(finding) ? [] : `skipped: ${finding.name}: ${finding.reason}`));
  return [...table.map((cells) => line(cells).trimEnd()), ...skips].join('\n');
}

export function toMarkdown(findings: readonly Finding[]): string {
  const [header = [], ...body] = rows(findings).map((cells) => `| ${cells.join(' | ')} |`);
  const { cpu, cores, memory, node, openssl, date } = setting();
  const rule = `|${HEADER.map(() => '---').join('|')}|`;
  const measuredOn = `Measured on ${date}: ${cpu}, ${cores} cores, ${memory}; Node ${node} with its OpenSSL ${openssl}.`;
  return [measuredOn, '', header, rule, ...body].join('\n');
}
