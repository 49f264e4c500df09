/**
 * `npm run peers`: puts the catalogue to the clients and servers of others that the machine has, and to our own, and makes docs/peers.md
 * of what they do. `-- --only PART` runs those alone that have it in their names, and prints the table instead; `-- --json FILE`
 * writes the results, too, of which two runs should be alike.
 */

import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { Judgement } from '../../src/testing/scenarios/judge.ts';
import type { ScenarioResult } from '../../src/testing/scenarios/scenario.ts';
import type { Side } from '../../src/testing/trace-entry.ts';
import { type Contestant, contestants } from './contestants.ts';
import { pageOf } from './page.ts';
import { REMARKS } from './remarks.ts';
import type { PeerRun } from './results.ts';

async function run({ open, ...facts }: Contestant): Promise<PeerRun> {
  if (facts.missing.length > 0) return { ...facts, results: [] };
  const start = performance.now();
  const results = await resultsOf(await open());
  console.error(`${facts.name} (${facts.side}): ${((performance.now() - start) / 1000).toFixed(0)} s`);
  return { ...facts, results };
}

async function runSide(side: Side): Promise<PeerRun[]> {
  const runs: PeerRun[] = [];
  for (const contestant of chosen.filter((one) => one.side === side)) runs.push(await run(contestant));
  return runs;
}

async function resultsOf({ questions, close }: Awaited<ReturnType<Contestant['open']>>): Promise<ScenarioResult[]> {
  const results: ScenarioResult[] = [];
  try {
    for (const { ask } of questions) results.push(withoutVisits(await ask()));
  } finally {
    await close();
  }
  return results;
}

function withoutVisits({ visits: _, ...result }: Judgement): ScenarioResult {
  return result;
}

const { values } = parseArgs({ options: { only: { type: 'string', multiple: true }, json: { type: 'string' } } });
const only = values.only?.map((part) => part.toLowerCase());
const chosen = contestants.filter(({ name }) => only?.some((part) => name.toLowerCase().includes(part)) ?? true);
// Two at a time, a client and a server: each waits for the other end most of the time.
const runs = (await Promise.all((['client', 'server'] as const).map(runSide))).flat();
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(runs, undefined, 1)}\n`);
if (only === undefined) writeFileSync(new URL('../../../docs/peers.md', import.meta.url), pageOf(runs, REMARKS));
else console.log(pageOf(runs, REMARKS));
