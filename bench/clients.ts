/**
 * CPU time of a client for a handshake over loopback TCP, ours against node:tls's. Each has a process of its own, and they take turns
 * at the same server: node:tls's, but for psk_ke, which that cannot do.
 */

import { Child } from './child.ts';
import { isSlow } from './engine.ts';
import { type Finding, figure, notBuilt } from './figure.ts';
import { isAgreeing, isResumption, type ModeName } from './modes.ts';
import type { BenchOptions } from './options.ts';
import { isBuilt, isProviderName, relevant } from './providers.ts';
import { startServer } from './servers.ts';

interface Contender {
  readonly name: string;
  readonly client: Child;
  /** Microseconds a handshake, round by round. */
  readonly cost: number[];
}

const PEER = 'node:tls';
/** As those of `sockets`. */
const TURNS = 5;

export async function* clients(options: BenchOptions): AsyncGenerator<Finding> {
  for (const mode of options.modes) yield* oneMode(mode, options);
}

async function* oneMode(mode: ModeName, options: BenchOptions): AsyncGenerator<Finding> {
  const kind = mode === 'tls13-psk_ke' ? 'ours' : PEER;
  const server = await startServer({ kind, mode, ...(kind === 'ours' && { provider: 'default' }) });
  const contenders: Contender[] = [{ name: PEER, client: new Child('client.js', mode, { core: 1 }), cost: [] }];
  try {
    for (const provider of relevant(options.providers, isAgreeing(mode))) {
      if (!isBuilt(provider)) {
        yield notBuilt(`clients/${mode}/${provider}`);
        continue;
      }
      const client = new Child('our-client.js', { mode, provider }, { core: 1 });
      contenders.push({ name: provider, client, cost: [] });
    }
    for (const { name, client } of contenders) {
      if (isResumption(mode)) await client.ask('prime', { port: server.port, mode });
      await load(client, server.port, mode, share(options.warmUp, name, mode), options);
    }
    for (let round = 0; round < TURNS * options.rounds; round++) {
      const order = round % 2 === 0 ? contenders : [...contenders].reverse();
      for (const contender of order) await measure(contender, server.port, mode, options);
    }
    yield* figures(mode, contenders);
  } finally {
    await Promise.all([server.child, ...contenders.map(({ client }) => client)].map((child) => child.stop()));
  }
}

/** What takes milliseconds need not be done as often. */
function share(count: number, name: string, mode: ModeName): number {
  return isProviderName(name) && isSlow(mode, name) ? Math.ceil(count / 10) : count;
}

function load(client: Child, port: number, mode: ModeName, count: number, options: BenchOptions): Promise<unknown> {
  return client.ask('run', { port, mode, count, concurrency: options.concurrency });
}

async function measure({ name, client, cost }: Contender, port: number, mode: ModeName, options: BenchOptions) {
  const count = share(Math.ceil(options.handshakes / TURNS), name, mode);
  const before = await client.ask<number>('cpu');
  await load(client, port, mode, count, options);
  cost.push(((await client.ask<number>('cpu')) - before) / count);
}

function* figures(mode: ModeName, [peer, ...ours]: readonly Contender[]): Generator<Finding> {
  for (const { name, cost } of ours)
    yield figure({ name: `clients/${mode}/${name}`, peerName: PEER, unit: 'us', ours: cost, peer: peer?.cost ?? [] });
}
