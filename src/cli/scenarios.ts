/** `tls-resume scenarios`: puts the catalogue to a client or a server, and says what differs. */

import { readFileSync } from 'node:fs';
import { clientCommand } from '../judges/client-command.ts';
import { htmlOf, type PageHead, type ShownResult, shownVisits } from '../judges/html.ts';
import { missingPrograms } from '../judges/known-clients/known-clients.ts';
import { printable } from '../judges/printable.ts';
import {
  fails,
  junitOf,
  nameOf,
  type ReportedResult,
  resultOf,
  type ScenariosReport,
  tableOf,
} from '../judges/report.ts';
import { serverOverTcp } from '../judges/server-over-tcp.ts';
import { scenarios } from '../testing/catalogue/scenarios.ts';
import { type Judgement, judgeClient, judgeServer, notRun } from '../testing/scenarios/judge.ts';
import type { Scenario } from '../testing/scenarios/scenario.ts';
import { trialOfClient, trialOfServer } from '../testing/scenarios/trial.ts';
import type { Version } from '../wire/registry.ts';
import { systemWorld } from '../world.ts';
import { type ExitCode, Fault, INTERRUPTED, systemReason, usage } from './fault.ts';
import { requireWritable, writeText } from './files.ts';
import type { ScenariosSettings } from './scenarios-args.ts';

/** Where a run says what it does. */
export interface ScenariosOutput {
  print(line: string): void;
  /** Shows how far the run is, in the place of what was shown before; an empty line takes it away. Default: nowhere. */
  readonly progress?: ((line: string) => void) | undefined;
  /** Resolves when the run is to stop, and to print what it has. */
  readonly stop: Promise<void>;
}

/**
 * Runs what the settings say. Returns 1 if the run fails, and 130 if it was stopped. @throws Fault for files, for ids that nothing has,
 * and for a peer that completes no handshake
 */
export async function runScenarios(settings: ScenariosSettings, output: ScenariosOutput): Promise<0 | ExitCode> {
  const { html, junit } = settings;
  const known = knownOf(settings.known);
  const chosen = chosenOf(settings);
  if (junit !== undefined) requireWritable('--junit', junit);
  if (html !== undefined) requireWritable('--html', html);
  const stopping = new AbortController();
  const { signal } = stopping;
  void output.stop.then(() => stopping.abort());
  const judge = judgeOf(settings, signal);
  const results: ReportedResult[] = [];
  const shown: ShownResult[] = [];
  const all = chosen.flatMap((scenario) => scenario.versions.map((version) => [scenario, version] as const));
  try {
    output.progress?.('a handshake without fault');
    const reasons = await trials(
      judge,
      all.map(([, version]) => version),
    );
    if (!signal.aborted && ![...reasons.values()].includes(undefined))
      throw new Fault(1, nothingCan(settings, reasons));
    for (const [scenario, version] of all) {
      output.progress?.(`${results.length + 1}/${all.length} ${scenario.id} (${version})`);
      const reason = reasons.get(version);
      const judgement = reason === undefined ? await judge.put(scenario, version) : notRun(scenario, version, reason);
      if (signal.aborted) break;
      const result = resultOf(judgement, known);
      results.push(result);
      if (html !== undefined) shown.push({ result, visits: shownVisits(judgement) });
    }
  } finally {
    output.progress?.('');
    judge.close();
  }
  if (html !== undefined) writeText('--html', html, htmlOf(headOf(settings), shown));
  report(settings, results, output);
  if (signal.aborted) return INTERRUPTED;
  return results.some(fails) ? 1 : 0;
}

/** How a peer is judged. */
interface Judge {
  /** Why it cannot be judged in a version, if it cannot. */
  trial(version: Version): Promise<string | undefined>;
  put(scenario: Scenario, version: Version): Promise<Judgement>;
  close(): void;
}

function judgeOf({ peer, serverName, request, timeLimitMs }: ScenariosSettings, signal: AbortSignal): Judge {
  if (peer.side === 'client') {
    requirePrograms(peer);
    const client = clientCommand({ ...peer.client, signal });
    return {
      trial: (version) => trialOfClient(client, version),
      put: (scenario, version) => judgeClient(requireSide(scenario, 'client'), client, version),
      close: () => client.close(),
    };
  }
  const server = serverOverTcp({ host: peer.host, port: peer.port, serverName, request, timeLimitMs, signal });
  return {
    trial: (version) => trialOfServer(server, version),
    put: (scenario, version) => judgeServer(requireSide(scenario, 'server'), server, version),
    close: () => {},
  };
}

/** Why the peer cannot be judged in each of these versions, if it cannot. */
async function trials(judge: Judge, versions: readonly Version[]): Promise<ReadonlyMap<Version, string | undefined>> {
  const reasons = new Map<Version, string | undefined>();
  for (const version of new Set(versions)) reasons.set(version, await judge.trial(version));
  return reasons;
}

function nothingCan(settings: ScenariosSettings, reasons: ReadonlyMap<Version, string | undefined>): string {
  const { side } = settings.peer;
  const different = new Set(reasons.values());
  const why = [...reasons].map(([version, reason]) => `${version}: ${reason}`).join('; ');
  const [first] = different;
  return printable(`--${side} ${headOf(settings).peer}: ${different.size === 1 ? first : why}`);
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
  const wanted = all.filter(({ id }) => only.length === 0 || only.some((part) => id.includes(part)));
  const chosen = wanted.filter(({ isIntrusive: intrudes }) => mayIntrude || intrudes !== true);
  if (chosen.length === 0) throw usage(`--only ${only.join(', ')}: beyond loopback that is run with --intrusive alone`);
  return chosen;
}

/** The ids in a file, one a line, each with or without a version as `id (TLSv1.3)`; what follows # is a comment. */
function knownOf(file: string | undefined): ReadonlySet<string> {
  if (file === undefined) return new Set();
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new Fault(2, `--known ${file}: cannot be read (${systemReason(error)})`, { cause: error });
  }
  const ids = text.split('\n').map((line) => line.replace(/#.*/, '').trim());
  const all = scenarios
    .all()
    .flatMap(({ id, versions }) => [id, ...versions.map((version) => nameOf({ id, version }))]);
  const unknown = ids.find((id) => id !== '' && !all.includes(id));
  if (unknown !== undefined) throw new Fault(2, `--known ${file}: no scenario has the id '${unknown}'; see --list`);
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
