/** Memory: of a connection that is open and says nothing, and what a handshake allocates. */

import { Child } from './child.ts';
import { type Finding, figure, notBuilt } from './figure.ts';
import type { Memory } from './heap.ts';
import type { BenchOptions } from './options.ts';
import { isBuilt, type ProviderName, relevant } from './providers.ts';
import type { ServerChoice } from './server.ts';
import { startServer } from './servers.ts';

const IDLE_MODE = 'tls13-full';
const ALLOCATING = ['tls12-id', 'tls13-psk_ke'] as const;
/** So that nothing is collected while it is counted: new objects have 64 MiB, old ones their own. */
const FLAGS = ['--expose-gc', '--min-semi-space-size=64', '--max-semi-space-size=64'];
const ROUNDS = 3;

export async function* memory(options: BenchOptions): AsyncGenerator<Finding> {
  for (const provider of relevant(options.providers, false)) {
    if (!isBuilt(provider)) {
      yield notBuilt(`memory/idle/${provider}`);
      continue;
    }
    yield* idle(provider, options);
    yield* allocated(provider, options);
  }
}

async function* idle(provider: ProviderName, { idleConnections: count }: BenchOptions): AsyncGenerator<Finding> {
  const ours: Memory[] = [];
  const peer: Memory[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    ours.push(await perConnection({ kind: 'ours', mode: IDLE_MODE, work: 'hold', provider }, count));
    peer.push(await perConnection({ kind: 'node:tls', mode: IDLE_MODE, work: 'hold' }, count));
  }
  for (const kind of ['heap', 'resident'] as const) {
    const [mine, theirs] = [ours, peer].map((list) => list.map((memory) => memory[kind]));
    const name = `memory/idle-${kind}/${provider}`;
    yield figure({ name, peerName: 'node:tls', unit: 'B', ours: mine ?? [], peer: theirs ?? [] });
  }
}

/** Of a fresh server, whose first connections have warmed it up. */
async function perConnection(choice: ServerChoice, count: number): Promise<Memory> {
  const { mode } = choice;
  const { child, port } = await startServer(choice, ['--expose-gc']);
  const client = new Child('client.js', mode, { core: 1 });
  try {
    await client.ask('hold', { port, mode, count, concurrency: 1 });
    const before = await child.ask<Memory>('memory');
    await client.ask('hold', { port, mode, count, concurrency: 1 });
    const after = await child.ask<Memory>('memory');
    return { heap: (after.heap - before.heap) / count, resident: (after.resident - before.resident) / count };
  } finally {
    await Promise.all([client.stop(), child.stop()]);
  }
}

/** Of the engine, beside the calls of its provider. */
async function* allocated(provider: ProviderName, { replays }: BenchOptions): AsyncGenerator<Finding> {
  for (const mode of ALLOCATING) {
    const child = new Child('replayer.js', { mode, provider }, { core: 0, flags: FLAGS });
    await child.ask('measure', replays);
    const ours: number[] = [];
    const peer: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const { engine, floor } = await child.ask<{ engine: number; floor: number }>('allocated', 100);
      ours.push(engine);
      peer.push(floor);
    }
    await child.stop();
    yield figure({ name: `memory/handshake-${mode}/${provider}`, peerName: 'its crypto calls', unit: 'B', ours, peer });
  }
}
