/** What the command line of the bench may say. */

import { parseArgs } from 'node:util';
import { FULL, type ModeName, RESUMPTIONS } from './modes.ts';
import { isBuilt, isProviderName, PROVIDERS, type ProviderName } from './providers.ts';

export interface BenchOptions {
  /** Which figures, by group; all where empty. */
  readonly only: readonly string[];
  readonly providers: readonly ProviderName[];
  readonly modes: readonly ModeName[];
  readonly rounds: number;
  /** Handshakes a round and server. */
  readonly handshakes: number;
  /** Handshakes before the first round, which count for nothing. */
  readonly warmUp: number;
  readonly concurrency: number;
  /** Replays of the engine a round. */
  readonly replays: number;
  /** Sent each way, a round. */
  readonly megabytes: number;
  /** Of a fresh process. */
  readonly coldHandshakes: number;
  readonly idleConnections: number;
  /** Where the figures go as JSON. */
  readonly json: string;
  /** Whether docs/performance.md gets the table and the plot. */
  readonly writeDocs: boolean;
  readonly quick: boolean;
}

const MODES: readonly ModeName[] = [...RESUMPTIONS, ...FULL];

const THOROUGH = {
  providers: PROVIDERS,
  rounds: 7,
  handshakes: 1500,
  warmUp: 6000,
  replays: 2000,
  megabytes: 16,
  coldHandshakes: 2000,
  idleConnections: 500,
};

/** To see that everything works, in less than a minute: the figures mean little. */
const QUICK = {
  // One that is computed here, and one that answers later.
  providers: isBuilt('default') ? ['default', 'webCrypto'] : ['noble'],
  rounds: 2,
  handshakes: 32,
  warmUp: 16,
  replays: 20,
  megabytes: 1,
  coldHandshakes: 32,
  idleConnections: 20,
};

export const HELP = `npm run bench -- [options]

  --only LIST       groups of figures, by name: sockets, clients, engine, early-data, hybrid, pair, bulk, cache, cold, memory
  --providers LIST  of ${PROVIDERS.join(', ')}; default all, but two with --quick
  --modes LIST      handshakes, of ${MODES.join(', ')}
  --rounds N        default ${THOROUGH.rounds}
  --handshakes N    a round and server, default ${THOROUGH.handshakes}
  --json FILE       default bench.json in the folder for temporary files
  --write-docs      table and plot into docs/
  --quick           everything but cache, briefly, in less than a minute, for CI: the figures mean little
`;

/** @throws TypeError where the command line makes no sense; `undefined` where it asks for help */
export function parseOptions(args: readonly string[], json: string): BenchOptions | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string', default: '' },
      providers: { type: 'string' },
      modes: { type: 'string', default: MODES.join(',') },
      rounds: { type: 'string' },
      handshakes: { type: 'string' },
      json: { type: 'string', default: json },
      'write-docs': { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  const sizes = values.quick ? QUICK : THOROUGH;
  return {
    ...sizes,
    only: values.only.split(',').filter((name) => name !== ''),
    providers: (values.providers?.split(',') ?? sizes.providers).map(requireProvider),
    modes: values.modes.split(',').map(requireMode),
    rounds: count('--rounds', values.rounds) ?? sizes.rounds,
    handshakes: count('--handshakes', values.handshakes) ?? sizes.handshakes,
    concurrency: 16,
    json: values.json,
    writeDocs: values['write-docs'],
    quick: values.quick,
  };
}

function requireProvider(name: string): ProviderName {
  if (!isProviderName(name)) throw new TypeError(`--providers: ${name} is none of ${PROVIDERS.join(', ')}`);
  return name;
}

function requireMode(name: string): ModeName {
  const mode = MODES.find((known) => known === name);
  if (mode === undefined) throw new TypeError(`--modes: ${name} is none of ${MODES.join(', ')}`);
  return mode;
}

function count(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new TypeError(`${option}: ${text} is no number of them`);
  return value;
}
