/**
 * Replays in a process of its own, so that no two providers share V8's opinion of the code. By hand, for a profile:
 *
 *     node --cpu-prof dist/bench/replayer.js '{"mode":"tls12-id","provider":"noble","replays":20000}'
 */

import { answer, cpuMicroseconds } from './child.ts';
import { heapInUse } from './heap.ts';
import type { ModeName } from './modes.ts';
import { type ProviderName, providerNamed } from './providers.ts';
import { Replay, runCalls, runCallsWaiting } from './replay.ts';

export interface ReplayChoice {
  readonly mode: ModeName;
  readonly provider: ProviderName;
  /** How many right away, where nobody asks. */
  readonly replays?: number;
}

/** A handshake, in CPU microseconds or bytes. */
export interface ReplayCost {
  readonly engine: number;
  readonly floor: number;
}

const { mode, provider, replays = 0 }: ReplayChoice = JSON.parse(process.argv[2] ?? '');
const crypto = providerNamed(provider);
if (crypto === undefined) throw new Error(`no provider ${provider}`);
const replay = await Replay.of(mode, crypto);

async function engine(count: number): Promise<number> {
  const before = cpuMicroseconds();
  if (replay.isWaiting) for (let i = 0; i < count; i++) await replay.runWaiting();
  else for (let i = 0; i < count; i++) replay.run();
  return (cpuMicroseconds() - before) / count;
}

async function floor(count: number): Promise<number> {
  const { calls } = replay;
  const before = cpuMicroseconds();
  if (replay.isWaiting) for (let i = 0; i < count; i++) await runCallsWaiting(calls);
  else for (let i = 0; i < count; i++) runCalls(calls);
  return (cpuMicroseconds() - before) / count;
}

if (replays > 0) console.log(`${mode} ${provider}: ${(await engine(replays)).toFixed(1)} us a handshake`);

answer({
  measure: async (count: number): Promise<ReplayCost> => ({ engine: await engine(count), floor: await floor(count) }),
  /** Bytes that a handshake allocates, as long as nothing is collected: wants a large young generation. */
  allocated: async (count: number): Promise<ReplayCost> => ({
    engine: await allocation(engine, count),
    floor: await allocation(floor, count),
  }),
});

async function allocation(run: (count: number) => Promise<number>, count: number): Promise<number> {
  const before = heapInUse().heap;
  await run(count);
  const { heapUsed, external } = process.memoryUsage();
  return (heapUsed + external - before) / count;
}
