/** `tls-resume scenarios`: puts the catalogue to a client or a server, and says what differs. */

import { readFileSync } from 'node:fs';
import { clientCommand } from '../judges/client-command.ts';
import { htmlOf, type PageHead, type ShownResult, shownVisits } from '../judges/html.ts';
import { missingPrograms } from '../judges/known-clients/known-clients.ts';
import { fails, junitOf, type ReportedResult, resultOf, type ScenariosReport, tableOf } from '../judges/report.ts';
import { serverOverTcp } from '../judges/server-over-tcp.ts';
import { scenarios } from '../testing/catalogue/scenarios.ts';
import { type Judgement, judgeClient, judgeServer } from '../testing/scenarios/judge.ts';
import type { Scenario } from '../testing/scenarios/scenario.ts';
import type { Version } from '../wire/registry.ts';
import { systemWorld } from '../world.ts';
import { type ExitCode, Fault, systemReason, usage } from './fault.ts';
import { writeText } from './files.ts';
import type { ScenariosSettings } from './scenarios-args.ts';

/** Where a run says what it does. */
export interface ScenariosOutput {
  print(line: string): void;
  /** Shows how far the run is, in the place of what was shown before; an empty line takes it away. Default: nowhere. */
  readonly progress?: ((line: string) => void) | undefined;
  /** Resolves when the run is to stop, and to print what it has. */
  readonly stop: Promise<void>;
}

/** Runs what the settings say. Returns 1 if the run fails. @throws Fault for files, and for ids that nothing has */
export async function runScenarios(settings: ScenariosSettings, output: ScenariosOutput): Promise<0 | ExitCode> {
  const known = knownOf(settings.known);
  const chosen = chosenOf(settings);
  const results: ReportedResult[] = [];
  const shown: ShownResult[] = [];
  let isStopped = false;
  void output.stop.then(() => {
    isStopped = true;
  });
  const [judge, close] = judgeOf(settings);
  const total = chosen.reduce((sum, { versions }) => sum + versions.length, 0);
  try {
    for (const scenario of chosen)
      for (const version of scenario.versions) {
        if (isStopped) break;
        output.progress?.(`${results.length + 1}/${total} ${scenario.id} (${version})`);
        const judgement = await Promise.race([judge(scenario, version), output.stop]);
        if (judgement === undefined) continue;
        const result = resultOf(judgement, known);
        results.push(result);
        if (settings.html !== undefined) shown.push({ result, visits: shownVisits(judgement) });
      }
  } finally {
    output.progress?.('');
    close();
  }
  if (settings.html !== undefined) writeText('--html', settings.html, htmlOf(headOf(settings), shown));
  report(settings, results, output);
  return results.some(fails) ? 1 : 0;
}

type Judge = (scenario: Scenario, version: Version) => Promise<Judgement>;

/** How the peer is judged, and what is to be called in the end. */
function judgeOf({ peer, serverName, request, timeLimitMs }: ScenariosSettings): readonly [Judge, () => void] {
  if (peer.side === 'client') {
    requirePrograms(peer);
    const client = clientCommand(peer.client);
    return [(scenario, version) => judgeClient(requireSide(scenario, 'client'), client, version), () => client.close()];
  }
  const server = serverOverTcp({ host: peer.host, port: peer.port, serverName, request, timeLimitMs });
  return [(scenario, version) => judgeServer(requireSide(scenario, 'server'), server, version), () => {}];
}

/** @throws Fault if a client that is known by name is not there */
function requirePrograms({ known }: Extract<ScenariosSettings['peer'], { side: 'client' }>): void {
  if (known === undefined) return;
  const { name, client } = known;
  const missing = missingPrograms(client);
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map((program) => client.programs[program]))];
  const what = missing.length === 1 ? `${missing[0]} is` : `${missing.join(' and ')} are`;
  throw new Fault(2, `--client ${name}: ${what} not on PATH; on Debian: apt install ${packages.join(' ')}`);
}

function requireSide<S extends Scenario['side']>(scenario: Scenario, side: S): Extract<Scenario, { side: S }> {
  if (scenario.side !== side) throw new TypeError(`${scenario.id} is for a ${scenario.side}`);
  return scenario as Extract<Scenario, { side: S }>;
}

const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|::1)$/;

/** Whether a peer is on this machine, and so its owner's to flood. */
export function isLoopback(host: string): boolean {
  return LOOPBACK.test(host);
}

function chosenOf({ peer, only, isIntrusive }: ScenariosSettings): readonly Scenario[] {
  const all: readonly Scenario[] = peer.side === 'client' ? scenarios.forClients() : scenarios.forServers();
  const unknown = only.find((part) => !all.some(({ id }) => id.includes(part)));
  if (unknown !== undefined)
    throw usage(`--only ${unknown}: no scenario for a ${peer.side} has that in its id; see --list`);
  const mayIntrude = isIntrusive || peer.side === 'client' || isLoopback(peer.host);
  return all.filter(
    ({ id, isIntrusive: intrudes }) =>
      (mayIntrude || intrudes !== true) && (only.length === 0 || only.some((part) => id.includes(part))),
  );
}

/** The ids in a file, one a line; what follows # is a comment. */
function knownOf(file: string | undefined): ReadonlySet<string> {
  if (file === undefined) return new Set();
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new Fault(2, `--known ${file}: cannot be read (${systemReason(error)})`, { cause: error });
  }
  const ids = text.split('\n').map((line) => line.replace(/#.*/, '').trim());
  const all = scenarios.all().map(({ id }) => id);
  const unknown = ids.find((id) => id !== '' && !all.includes(id));
  if (unknown !== undefined) throw new Fault(2, `--known ${file}: no scenario is ${unknown}`);
  return new Set(ids.filter((id) => id !== ''));
}

function headOf({ peer }: ScenariosSettings): PageHead {
  const name = peer.side === 'client' ? (peer.known?.name ?? peer.client.command) : `${peer.host}:${peer.port}`;
  return { peer: name, version: scenarios.version, time: systemWorld.now() };
}

function report(
  { json, junit, all }: ScenariosSettings,
  results: readonly ReportedResult[],
  output: ScenariosOutput,
): void {
  if (junit !== undefined) writeText('--junit', junit, junitOf(results));
  const told: ScenariosReport = { version: scenarios.version, results };
  if (json) output.print(JSON.stringify(told));
  else for (const line of tableOf(results, all)) output.print(line);
}

/** What `--list` prints. */
export function listScenarios(): string[] {
  return scenarios
    .all()
    .map(
      ({ id, severity, versions, clause, title }) => `${id}  ${severity}  ${versions.join(', ')}  ${clause}: ${title}`,
    );
}
