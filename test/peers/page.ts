/** docs/peers.md, made of results. */

import { scenarios } from '../../src/testing/catalogue/scenarios.ts';
import type { ScenarioResult } from '../../src/testing/scenarios/scenario.ts';
import type { Side } from '../../src/testing/trace-entry.ts';
import type { PeerRun } from './results.ts';

/** What is said besides the results. */
export interface Remarks {
  /** Scenarios, by the name of a peer, of which only that it differs is said: what its text asks of this peer is not settled. */
  readonly unsettled: Readonly<Record<string, readonly string[]>>;
  /** What peers do that react now so and now so, by their names and the ids: two runs should make the same page. */
  readonly unsteady: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Why our own peers do not pass, by their names and the ids, or are not asked, by their names and the reason that is given. */
  readonly explained: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

const ABOUT = `# What known clients and servers make of the catalogue

\`npm run peers\` has made this page: it puts the [catalogue of scenarios](scenarios.md), version ${scenarios.version}, to the clients and servers that the machine
has, on loopback, and to those of this library. [conformance.md](conformance.md) says how to do the same with another.

It is of these versions, run in this way, and says nothing of others. A **finding** is a reaction that the catalogue does not expect, by the text
that it cites: \`must\` or \`should\` is what binds the peer there. What **differs** is a reaction of which no text speaks, or of which it is not settled
what the text asks: neither is a fault. What was **not run** could not be: the peer does not have what it is about.`;

type Verdict = ScenarioResult['verdict'];

interface Seen {
  readonly peer: string;
  readonly result: ScenarioResult;
  readonly isUnsettled: boolean;
}

function seenOf(runs: readonly PeerRun[], { unsettled, unsteady }: Remarks): Seen[] {
  return runs.flatMap(({ name, results }) =>
    results.map((result) => {
      const got = unsteady[name]?.[result.id];
      if (got !== undefined) return { peer: name, result: { ...result, verdict: 'differs', got }, isUnsettled: false };
      const isUnsettled = result.verdict === 'finding' && (unsettled[name] ?? []).includes(result.id);
      return { peer: name, result: isUnsettled ? { ...result, verdict: 'differs' } : result, isUnsettled };
    }),
  );
}

export function pageOf(runs: readonly PeerRun[], remarks: Remarks): string {
  const sides = (['client', 'server'] as const).map((side) => {
    const peers = runs.filter((run) => run.side === side);
    return peers.length === 0 ? undefined : chapter(side, peers, remarks);
  });
  const present = [ABOUT, ...sides, explanations(runs, remarks)].filter((part) => part !== undefined);
  return `${present.join('\n\n')}\n`;
}

function chapter(side: Side, peers: readonly PeerRun[], remarks: Remarks): string {
  const seen = seenOf(peers, remarks);
  return [
    side === 'client' ? '## Clients' : '## Servers',
    table(['peer', 'version', 'how it is run'], peers.map(aboutRow)),
    table(['peer', 'run', 'passed', 'must', 'should', 'differs', 'not run'], peers.filter(isHere).map(countsOf(seen))),
    `### Findings of ${side}s`,
    table(['scenario', 'expected', 'reaction'], rowsOf(seen, 'finding')),
    `### Where ${side}s differ`,
    table(['scenario', 'expected', 'reaction'], rowsOf(seen, 'differs')),
    `### Not run with ${side}s`,
    table(['why', 'scenarios, by peer'], notRunRows(seen)),
  ].join('\n\n');
}

function groupedBy<T>(all: readonly T[], key: (one: T) => string): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const one of all) groups.set(key(one), [...(groups.get(key(one)) ?? []), one]);
  return groups;
}

function isHere({ missing }: PeerRun): boolean {
  return missing.length === 0;
}

function aboutRow({ name, version, setup, missing }: PeerRun): string[] {
  return [name, version ?? `missing: ${missing.join(', ')}`, setup];
}

function countsOf(seen: readonly Seen[]): (run: PeerRun) => string[] {
  return ({ name }) => {
    const own = seen.filter(({ peer }) => peer === name).map(({ result }) => result);
    const count = (verdict: Verdict, severity?: string) =>
      own.filter((one) => one.verdict === verdict && (severity ?? one.severity) === one.severity).length;
    const notRun = count('not-run');
    const findings = [count('finding', 'must'), count('finding', 'should')];
    return [name, ...[own.length - notRun, count('pass'), ...findings, count('differs'), notRun].map(String)];
  };
}

/** A row a scenario and version, with the reactions and who has them. */
function rowsOf(seen: readonly Seen[], verdict: Verdict): string[][] {
  const byScenario = groupedBy(
    seen.filter(({ result }) => result.verdict === verdict),
    ({ result: { id, version } }) => `\`${id}\`, ${version.replace('TLSv', '')}`,
  );
  return [...byScenario].map(([scenario, all]) => [
    scenario,
    all[0]?.result.expected.join(' or ') ?? '',
    peersBy(all, reactionOf),
  ]);
}

function reactionOf({ result: { got, severity, verdict }, isUnsettled }: Seen): string {
  if (isUnsettled) return 'differs';
  return verdict === 'finding' ? `${severity}: ${got}` : got;
}

/** What is the same of several peers, once. */
function peersBy(seen: readonly Seen[], key: (one: Seen) => string): string {
  const groups = groupedBy(seen, key);
  return [...groups].map(([text, all]) => `${text} (${all.map(({ peer }) => peer).join(', ')})`).join('; ');
}

function notRunRows(seen: readonly Seen[]): string[][] {
  const byReason = groupedBy(
    seen.filter(({ result }) => result.verdict === 'not-run'),
    ({ result }) => result.got,
  );
  return [...byReason].map(([reason, all]) => {
    const byPeer = groupedBy(all, ({ peer }) => peer);
    return [reason, [...byPeer].map(([peer, { length }]) => `${peer}: ${length}`).join(', ')];
  });
}

function explanations(runs: readonly PeerRun[], { explained }: Remarks): string | undefined {
  const rows = runs.flatMap(({ name, results }) =>
    Object.entries(explained[name] ?? {})
      .filter(([what]) => results.some((result) => isAbout(result, what)))
      .map(([what, why]) => [name, what.includes('/') ? `\`${what}\`` : what, why]),
  );
  if (rows.length === 0) return undefined;
  return `## What this library does otherwise, or is not asked, and why\n\n${table(['peer', 'what', 'why'], rows)}`;
}

/** Whether an explanation is of a result: it names the scenario that has not been passed, or the reason why one was not run. */
export function isAbout({ id, got, verdict }: ScenarioResult, what: string): boolean {
  return verdict === 'not-run' ? got === what : verdict !== 'pass' && id === what;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return 'None.';
  const line = (cells: readonly string[]) => `| ${cells.map(escaped).join(' | ')} |`;
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n');
}

function escaped(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ').replaceAll('<', '&lt;');
}
