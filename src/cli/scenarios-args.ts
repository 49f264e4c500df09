/** The flags of `tls-resume scenarios`. */

import { isIP } from 'node:net';
import type { ClientCommand, Driver } from '../judges/client-command.ts';
import { KNOWN_CLIENTS, type KnownClient } from '../judges/known-clients/known-clients.ts';
import { fileOf, hostName } from './connect-args.ts';
import { usage } from './fault.ts';
import { isValueOf, nonEmpty, parseFlags } from './flags.ts';

/** Who is under test. */
export type UnderTest =
  | {
      readonly side: 'client';
      readonly client: ClientCommand;
      /** It, where it is one that is known by name. */
      readonly known?: { readonly name: string; readonly client: KnownClient } | undefined;
    }
  | { readonly side: 'server'; readonly host: string; readonly port: number };

export interface ScenariosSettings {
  readonly peer: UnderTest;
  readonly serverName: string | undefined;
  readonly request: string | undefined;
  /** Parts of the ids of those to run; none is all. */
  readonly only: readonly string[];
  /** The name of a file with the ids that are known to fail. */
  readonly known: string | undefined;
  readonly timeLimitMs: number;
  readonly isIntrusive: boolean;
  readonly all: boolean;
  readonly json: boolean;
  /** The names of files to write. */
  readonly junit: string | undefined;
  readonly html: string | undefined;
}

export const SCENARIOS_FLAGS = {
  client: { type: 'string' },
  server: { type: 'string' },
  driver: { type: 'string' },
  sni: { type: 'string' },
  request: { type: 'string' },
  only: { type: 'string', multiple: true },
  known: { type: 'string' },
  'time-limit': { type: 'string' },
  intrusive: { type: 'boolean' },
  all: { type: 'boolean' },
  list: { type: 'boolean' },
  json: { type: 'boolean' },
  junit: { type: 'string' },
  html: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;

const HELP = 'tls-resume scenarios --help';
const DRIVERS: readonly Driver[] = ['stdin', 'http', 'echo', 'reconnect', 'lines'];
const TIME_LIMIT_MS = 5000;

/** @throws Fault */
export function parseScenarios(words: readonly string[]): ScenariosSettings | 'help' | 'list' {
  const isFlag = (word: string, i: number) => word.startsWith('-') || isValueOf(words[i - 1], SCENARIOS_FLAGS);
  const flags = parseFlags(words.filter(isFlag), SCENARIOS_FLAGS, HELP);
  const stray = words.find((word, i) => !isFlag(word, i));
  if (stray !== undefined)
    throw usage(`'${stray}' is one word too many; a server is named by --server, a client by --client; see '${HELP}'`);
  if (flags.help) return 'help';
  if (flags.list) return 'list';
  const timeLimitMs = seconds(flags['time-limit']);
  const ofServers = (['sni', 'request'] as const).find((name) => flags[name] !== undefined);
  if (flags.client !== undefined && ofServers !== undefined) throw usage(`--${ofServers} is for a --server`);
  return {
    peer: underTest(flags.client, flags.server, flags.driver, timeLimitMs),
    serverName: flags.sni === undefined ? undefined : hostName('--sni', flags.sni),
    request: flags.request?.replace(/\\r/g, '\r').replace(/\\n/g, '\n'),
    only: (flags.only ?? []).map((part) => nonEmpty('--only', part)),
    known: fileOf('--known', flags.known),
    timeLimitMs,
    isIntrusive: flags.intrusive === true,
    all: flags.all === true,
    json: flags.json === true,
    junit: fileOf('--junit', flags.junit),
    html: fileOf('--html', flags.html),
  };
}

function underTest(
  client: string | undefined,
  server: string | undefined,
  driver: string | undefined,
  timeLimitMs: number,
): UnderTest {
  if ((client === undefined) === (server === undefined))
    throw usage(`either --client or --server is wanted; see '${HELP}'`);
  if (server !== undefined) {
    if (driver !== undefined) throw usage('--driver is for a --client');
    return { side: 'server', ...address(server) };
  }
  return clientUnderTest(client ?? '', driver, timeLimitMs);
}

function clientUnderTest(command: string, driver: string | undefined, timeLimitMs: number): UnderTest {
  if (Object.hasOwn(KNOWN_CLIENTS, command)) {
    const client = KNOWN_CLIENTS[command] as KnownClient;
    if (driver !== undefined) throw usage(`--driver: the one of --client ${command} is ${client.driver}`);
    return { side: 'client', client: { ...client, timeLimitMs }, known: { name: command, client } };
  }
  const chosen = DRIVERS.find((one) => one === (driver ?? 'stdin'));
  if (chosen === undefined) throw usage(`--driver ${driver}: it is one of ${DRIVERS.join(', ')}`);
  if (!command.includes('{port}') && chosen !== 'lines')
    throw usage(
      `--client: a command with {host} and {port}, or one of ${Object.keys(KNOWN_CLIENTS).join(', ')}, is wanted`,
    );
  return { side: 'client', client: { command, driver: chosen, timeLimitMs } };
}

function address(text: string): { readonly host: string; readonly port: number } {
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  if (host === undefined || port < 1 || port > 65535 || (bracketed !== undefined && isIP(bracketed) !== 6))
    throw usage(`--server ${text}: host:port is wanted, such as localhost:8443`);
  return { host, port };
}

function seconds(text: string | undefined): number {
  if (text === undefined) return TIME_LIMIT_MS;
  const value = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text) || value <= 0 || value > 3600)
    throw usage(`--time-limit ${text}: seconds for each connection are wanted, from 0.1 to 3600`);
  return Math.round(1000 * value);
}
