/**
 * What a feature adds: CPU time of our server for a handshake over loopback TCP with it, against the same without it. Each way has a
 * server process of its own and the same client, ours, and they take turns.
 */

import { Child } from './child.ts';
import { isSlow } from './engine.ts';
import type { Way } from './feature-client.ts';
import { type Finding, figure, notBuilt } from './figure.ts';
import type { ModeName } from './modes.ts';
import type { BenchOptions } from './options.ts';
import { type HybridName, hasHybrid, isBuilt, type ProviderName, relevant } from './providers.ts';
import type { ServerChoice } from './server.ts';
import { costOf, type RunningServer, startServer } from './servers.ts';

const TURNS = 5;

interface Contender {
  readonly way: Way;
  readonly server: RunningServer;
  /** Microseconds a handshake, round by round. */
  readonly cost: number[];
}

/** Returns the costs of each way, in the order of the choices. */
async function measured(
  choices: readonly (readonly [Way, ServerChoice])[],
  count: { readonly warmUp: number; readonly turn: number },
  { rounds, concurrency }: BenchOptions,
): Promise<readonly (readonly number[])[]> {
  const client = new Child('feature-client.js', {}, { core: 1 });
  const contenders: Contender[] = [];
  const load = ({ way, server: { port } }: Contender, handshakes: number) =>
    client.ask('run', { port, way, count: handshakes, concurrency });
  try {
    for (const [way, choice] of choices) contenders.push({ way, server: await startServer(choice), cost: [] });
    for (const contender of contenders) await load(contender, count.warmUp);
    for (let round = 0; round < TURNS * rounds; round++)
      for (const contender of round % 2 === 0 ? contenders : [...contenders].reverse())
        contender.cost.push((await costOf(contender.server, () => load(contender, count.turn))) / count.turn);
    return contenders.map(({ cost }) => cost);
  } finally {
    await Promise.all([client, ...contenders.map(({ server }) => server.child)].map((child) => child.stop()));
  }
}

/** Curves in TypeScript take milliseconds: fewer will do. */
function counts(mode: ModeName, provider: ProviderName, { warmUp, handshakes }: BenchOptions) {
  const share = isSlow(mode, provider) ? 4 : 1;
  return { warmUp: Math.ceil(warmUp / share), turn: Math.ceil(handshakes / TURNS / share) };
}

/**
 * A resumption by psk_dhe_ke with a request in its early data, accepted under singleUse(), against one without any data, and against one
 * with the same request after the handshake.
 */
export async function* earlyData(options: BenchOptions): AsyncGenerator<Finding> {
  const mode = 'tls13-psk_dhe_ke';
  for (const provider of relevant(options.providers, true)) {
    const name = `early-data/${mode}/${provider}`;
    if (!isBuilt(provider)) {
      yield notBuilt(name);
      continue;
    }
    const plain: ServerChoice = { kind: 'ours', mode, provider };
    const choices = [
      ['resumed', plain],
      ['resumed-then-data', plain],
      ['early-data', { ...plain, feature: 'early-data' }],
    ] as const;
    const [without = [], after = [], ours = []] = await measured(choices, counts(mode, provider, options), options);
    yield figure({ name, peerName: 'without data', unit: 'us', ours, peer: without });
    yield figure({ name: `${name}/data`, peerName: 'data afterwards', unit: 'us', ours, peer: after });
  }
}

const HYBRIDS: readonly HybridName[] = ['default', 'nodeCrypto', 'nodeCrypto+noble'];

/** A full handshake by X25519MLKEM768, against one by X25519. */
export async function* hybrid(options: BenchOptions): AsyncGenerator<Finding> {
  const mode = 'tls13-full';
  for (const name of HYBRIDS) {
    const provider = name === 'default' ? name : 'nodeCrypto';
    if (!hasHybrid(name)) {
      yield { name: `hybrid/${mode}/${name}`, reason: `node:crypto of Node ${process.versions.node} has no ML-KEM` };
      continue;
    }
    const plain: ServerChoice = { kind: 'ours', mode, provider };
    const choices = [
      ['x25519', plain],
      ['hybrid', { ...plain, feature: 'hybrid', hybrid: name }],
    ] as const;
    const [peer = [], ours = []] = await measured(choices, counts(mode, provider, options), options);
    yield figure({ name: `hybrid/${mode}/${name}`, peerName: 'X25519', unit: 'us', ours, peer });
  }
}
