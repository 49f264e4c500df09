/** `npm run bench`: every figure as a ratio of two CPU times that were taken in turns. See docs/performance.md. */

import { readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bulk } from './bulk.ts';
import { cache } from './cache.ts';
import { clients } from './clients.ts';
import { cold } from './cold.ts';
import { engine } from './engine.ts';
import { earlyData, hybrid } from './features.ts';
import { type Finding, isFigure } from './figure.ts';
import { memory } from './memory.ts';
import { type BenchOptions, HELP, parseOptions } from './options.ts';
import { pairs } from './pair.ts';
import { toSvg } from './plot.ts';
import { toJson, toMarkdown, toText } from './report.ts';
import { sockets } from './sockets.ts';

const GROUPS: Readonly<Record<string, (options: BenchOptions) => AsyncIterable<Finding>>> = {
  sockets,
  clients,
  engine,
  'early-data': earlyData,
  hybrid,
  pair: pairs,
  bulk,
  cache,
  cold,
  memory,
};

const DOCS = new URL('../../docs/', import.meta.url);
/** Between the two the table belongs to this program. */
const MARKERS = ['<!-- figures -->', '<!-- /figures -->'] as const;

async function measure(options: BenchOptions): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const [name, group] of Object.entries(GROUPS)) {
    if (options.only.length > 0 && !options.only.includes(name)) continue;
    for await (const finding of group(options)) {
      const told = isFigure(finding) ? finding.ratio.toFixed(2) : `skipped: ${finding.reason}`;
      console.error(`${finding.name}: ${told}`);
      findings.push(finding);
      writeFileSync(options.json, toJson(findings, options)); // as far as it has come, should it not come further
    }
  }
  return findings;
}

function writeDocs(findings: readonly Finding[]): void {
  const page = new URL('performance.md', DOCS);
  const [before, , after] = readFileSync(page, 'utf8').split(/<!-- \/?figures -->/);
  writeFileSync(page, `${before}${MARKERS[0]}\n${toMarkdown(findings)}\n${MARKERS[1]}${after}`);
  writeFileSync(new URL('performance.svg', DOCS), toSvg(findings.filter(isFigure)));
}

function requireGroups({ only }: BenchOptions): void {
  const [unknown] = only.filter((name) => !(name in GROUPS));
  if (unknown !== undefined) throw new TypeError(`--only: ${unknown} is none of ${Object.keys(GROUPS).join(', ')}`);
}

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2), join(tmpdir(), 'bench.json'));
  if (options === undefined) return void process.stdout.write(HELP);
  requireGroups(options);
  const findings = await measure(options);
  console.log(toText(findings));
  console.log(`written: ${options.json}`);
  if (options.writeDocs) writeDocs(findings);
}

await main();
