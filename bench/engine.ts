/** The engine alone, by replay in memory, against the calls of its own provider that it cannot do without. */

import { Child } from './child.ts';
import { type Finding, figure, notBuilt } from './figure.ts';
import { isAgreeing, type ModeName } from './modes.ts';
import type { BenchOptions } from './options.ts';
import { isBuilt, type ProviderName, relevant } from './providers.ts';
import type { ReplayCost } from './replayer.ts';

export async function* engine(options: BenchOptions): AsyncGenerator<Finding> {
  for (const mode of options.modes) {
    for (const provider of relevant(options.providers, isAgreeing(mode))) {
      const name = `engine/${mode}/${provider}`;
      if (!isBuilt(provider)) yield notBuilt(name);
      else yield await oneMode(name, mode, provider, options);
    }
  }
}

async function oneMode(name: string, mode: ModeName, provider: ProviderName, options: BenchOptions): Promise<Finding> {
  const child = new Child('replayer.js', { mode, provider }, { core: 0 });
  const replays = isSlow(mode, provider) ? Math.ceil(options.replays / 10) : options.replays;
  try {
    // V8 has to have seen as much of each, or the engine would be measured while it is still interpreted.
    for (let done = 0; done < options.replays; done += replays) await child.ask('measure', replays);
    const costs: ReplayCost[] = [];
    for (let round = 0; round < options.rounds; round++) costs.push(await child.ask('measure', replays));
    const ours = costs.map(({ engine }) => engine);
    const peer = costs.map(({ floor }) => floor);
    return figure({ name, peerName: 'its crypto calls', unit: 'us', ours, peer });
  } finally {
    await child.stop();
  }
}

/** Curves in TypeScript take milliseconds rather than microseconds, and need not be done as often. */
export function isSlow(mode: ModeName, provider: ProviderName): boolean {
  return isAgreeing(mode) && ['noble', 'default', 'fast'].includes(provider);
}
