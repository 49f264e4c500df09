/** CPU time of a server for a megabyte of application data, each way: TLS 1.3, AES-128-GCM, records of 16 KiB. */

import { Child } from './child.ts';
import { type Finding, figure, notBuilt } from './figure.ts';
import type { BenchOptions } from './options.ts';
import { isBuilt, type ProviderName, relevant } from './providers.ts';
import type { ServerChoice } from './server.ts';
import { costOf, type RunningServer, startServer } from './servers.ts';

const MODE = 'tls13-full';
const DIRECTIONS = ['download', 'upload'] as const;
const MEGABYTE = 1_000_000;

export async function* bulk(options: BenchOptions): AsyncGenerator<Finding> {
  for (const provider of relevant(options.providers, false)) {
    for (const work of DIRECTIONS) {
      const name = `bulk/${work}/${provider}`;
      if (!isBuilt(provider)) yield notBuilt(name);
      else yield await oneWay(name, provider, work, options);
    }
  }
}

async function oneWay(
  name: string,
  provider: ProviderName,
  work: (typeof DIRECTIONS)[number],
  { megabytes, rounds }: BenchOptions,
): Promise<Finding> {
  const bytes = megabytes * MEGABYTE;
  const choice = { mode: MODE, work, bytes } satisfies Partial<ServerChoice>;
  const ours = await startServer({ ...choice, kind: 'ours', provider });
  const peer = await startServer({ ...choice, kind: 'node:tls' });
  const client = new Child('client.js', MODE, { core: 1 });
  const transfer = ({ port }: RunningServer) =>
    client.ask('transfer', { port, mode: MODE, bytes: work === 'upload' ? bytes : 0 });
  const cost = async (server: RunningServer) => (await costOf(server, () => transfer(server))) / 1000 / megabytes;
  try {
    const costs = { ours: [] as number[], peer: [] as number[] };
    for (const server of [ours, peer]) await transfer(server);
    for (let round = 0; round < rounds; round++) {
      costs.ours.push(await cost(ours));
      costs.peer.push(await cost(peer));
    }
    return figure({ name, peerName: 'node:tls', unit: 'ms/MB', ...costs });
  } finally {
    await Promise.all([client, ours.child, peer.child].map((child) => child.stop()));
  }
}
