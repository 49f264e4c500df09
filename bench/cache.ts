/** The session cache beside lru-cache: a program of its own, as both want a heap that nobody else has touched. */

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Finding } from './figure.ts';
import type { BenchOptions } from './options.ts';
import { spreadOf } from './statistics.ts';
import { targetOf } from './targets.ts';

/** What the program prints: figures by name, as `cache 20480: hit (ns)`. */
type Printed = Readonly<Record<string, Line>>;

interface Line {
  readonly ours: number;
  readonly peer: number;
  readonly ratio: number;
  /** The lowest and the highest of the rounds' ratios. */
  readonly spread: readonly number[];
}

const PROGRAM = fileURLToPath(new URL('../../bench/cache.mjs', import.meta.url));

export async function* cache({ quick }: BenchOptions): AsyncGenerator<Finding> {
  if (!existsSync(PROGRAM)) return yield { name: 'cache', reason: 'bench/cache.mjs is not there' };
  if (quick) return yield { name: 'cache', reason: 'it takes minutes, which --quick has not got' };
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', PROGRAM, '--json'], {
    maxBuffer: 1 << 24,
  });
  for (const [text, line] of Object.entries(JSON.parse(stdout) as Printed)) {
    const [, size, what, unit = ''] = /^cache (\d+): (.*) \((.*)\)$/.exec(text) ?? [text, '', text];
    const name = `cache/${size}/${what}`;
    const { ours, peer, ratio, spread } = line;
    const box = { ...spreadOf([...spread, ratio]), median: ratio };
    yield { name, peerName: 'lru-cache', unit, ours, peer, ratio, spread: box, target: targetOf(name) };
  }
}
