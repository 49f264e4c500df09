/** `tls-resume probe`: what a server does about sessions, and a verdict for each clause that says how it should. */

import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { type Gentleness, gently } from '../judges/gently.ts';
import { htmlOf, shownVisits } from '../judges/html.ts';
import { type EarlierKeys, type Probe, probe } from '../judges/probe.ts';
import {
  failsProbe,
  type Probed,
  type ProbeReport,
  probeFacts,
  probeFails,
  probeLines,
  reportOf,
} from '../judges/probe-report.ts';
import { resultOf } from '../judges/report.ts';
import { serverOverTcp } from '../judges/server-over-tcp.ts';
import { scenarios } from '../testing/catalogue/scenarios.ts';
import { NotRun } from '../testing/scenarios/visit.ts';
import { type MailProtocol, startTls } from './dialogues.ts';
import { type ExitCode, Fault, INTERRUPTED, systemReason } from './fault.ts';
import { requireWritable, writeText } from './files.ts';
import type { ProbeSettings } from './probe-args.ts';
import { isLoopback, type ScenariosOutput } from './scenarios.ts';

/** Beyond loopback, and on it. */
const GENTLE: Gentleness = { perSecond: 4, most: 250 };
const QUICK: Gentleness = { perSecond: 200, most: 600 };
/** What the changes of tickets take. */
const MOST_INTRUSIVE = 600;

/** Ends the conversation of each protocol. */
const FAREWELLS: Readonly<Record<MailProtocol, string>> = {
  smtp: 'QUIT\r\n',
  imap: 'a2 LOGOUT\r\n',
  pop3: 'QUIT\r\n',
  ftp: 'QUIT\r\n',
};

/** Probes the server of the settings. Returns 1 if the probe fails, and 130 if it was stopped. @throws Fault if nobody is there, and for files */
export async function runProbe(settings: ProbeSettings, output: ScenariosOutput): Promise<0 | ExitCode> {
  const earlier = settings.before === undefined ? undefined : earlierKeys(settings.before);
  if (settings.html !== undefined) requireWritable('--html', settings.html);
  const stopping = new AbortController();
  const { signal } = stopping;
  void output.stop.then(() => stopping.abort());
  const server = gently(serverOf(settings, signal), gentlenessOf(settings));
  const probed: Probed = { host: settings.host, port: settings.port, serverName: server.serverName ?? null };
  let found: Probe;
  try {
    found = await probe(server, {
      isIntrusive: settings.isIntrusive || isLoopback(settings.host),
      earlier,
      progress: (what) => output.progress?.(`${server.starts.length} connections; ${what}`),
      stop: output.stop,
    });
  } catch (error) {
    if (error instanceof NotRun && signal.aborted) return INTERRUPTED; // there is nothing to tell yet
    if (error instanceof NotRun) throw new Fault(1, error.message, { cause: error });
    throw error;
  } finally {
    output.progress?.('');
  }
  const report = reportOf(found, probed);
  if (settings.html !== undefined) writeText('--html', settings.html, pageOf(found, report));
  if (settings.json) output.print(JSON.stringify(report));
  else for (const line of probeLines(report)) output.print(line);
  if (signal.aborted) return INTERRUPTED;
  return probeFails(report) ? 1 : 0;
}

function gentlenessOf({ host, isIntrusive, rate, most }: ProbeSettings): Gentleness {
  const usual = isLoopback(host) ? QUICK : GENTLE;
  return { perSecond: rate ?? usual.perSecond, most: most ?? (isIntrusive ? MOST_INTRUSIVE : usual.most) };
}

function serverOf({ host, port, serverName, starttls, request, timeLimitMs }: ProbeSettings, signal: AbortSignal) {
  const address = { host, port, serverName, timeLimitMs, signal };
  if (starttls === undefined) return serverOverTcp({ ...address, request });
  const prepare = (socket: Socket) => startTls(socket, starttls, timeLimitMs);
  const said = request ?? FAREWELLS[starttls];
  return serverOverTcp({ ...address, request: said, prepare });
}

function pageOf({ judgements }: Probe, report: ProbeReport): string {
  const { host, port, time } = report;
  const shown = judgements.map((judgement) => ({
    result: resultOf(judgement, new Set()),
    visits: shownVisits(judgement),
  }));
  const head = {
    peer: `${host}:${port}`,
    version: scenarios.version,
    time,
    facts: probeFacts(report),
    fails: failsProbe,
  };
  return htmlOf(head, shown);
}

/** @throws Fault */
function earlierKeys(file: string): EarlierKeys {
  let report: unknown;
  try {
    report = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new Fault(2, `--before ${file}: cannot be read (${systemReason(error)})`, { cause: error });
  }
  if (isReport(report)) return report;
  throw new Fault(2, `--before ${file}: is not what 'tls-resume probe --json' prints`);
}

function isReport(value: unknown): value is EarlierKeys {
  if (typeof value !== 'object' || value === null || !('time' in value) || !('keys' in value)) return false;
  const { time, keys } = value;
  return typeof time === 'number' && Array.isArray(keys) && keys.every(isKey);
}

function isKey(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || !('name' in value) || !('first' in value)) return false;
  return typeof value.name === 'string' && typeof value.first === 'number';
}
