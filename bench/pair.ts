/** A client and a server of ours in memory, both roles in one process: what a test with many handshakes takes. */

import { Child } from './child.ts';
import { type Finding, figure } from './figure.ts';
import type { BenchOptions } from './options.ts';
import type { PairChoice } from './pairing.ts';

/** Microseconds that a handshake may take on one core: 1000 full ones in 8 seconds, 10 000 resumptions in 4. */
const BUDGETS = { 'tls12-full': 8000, 'tls13-full': 8000, 'tls12-id': 400 } as const;

export async function* pairs(options: BenchOptions): AsyncGenerator<Finding> {
  for (const mode of options.modes) {
    if (!(mode in BUDGETS)) continue;
    const budget = BUDGETS[mode as keyof typeof BUDGETS];
    yield await oneMode(`pair/${mode}/default`, budget, { mode, trace: false }, options);
    if (mode === 'tls12-id') yield await oneMode(`pair/${mode}-traced/default`, budget, { mode, trace: true }, options);
  }
}

async function oneMode(name: string, budget: number, choice: PairChoice, options: BenchOptions): Promise<Finding> {
  const child = new Child('pairing.js', choice, { core: 0 });
  const count = budget > 1000 ? Math.ceil(options.replays / 20) : options.replays;
  try {
    await child.ask('measure', count);
    const ours: number[] = [];
    for (let round = 0; round < options.rounds; round++) ours.push(await child.ask<number>('measure', count));
    return figure({ name, peerName: 'the budget', unit: 'us', ours, peer: ours.map(() => budget) });
  } finally {
    await child.stop();
  }
}
