/** The session cache beside lru-cache: a program of its own, as both want a heap that nobody else has touched. */

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Finding } from './figure.ts';
import type { BenchOptions } from './options.ts';
import { type Spread, spreadOf } from './statistics.ts';
import { targetOf } from './targets.ts';

/** What the program prints: figures by name. */
type Printed = Readonly<Record<string, Line>>;

interface Line {
  readonly ours: number;
  readonly peer: number;
  readonly ratio: number;
  /** The lowest and the highest ratio, or all five numbers. */
  readonly spread: readonly number[] | Partial<Spread>;
  readonly unit?: string;
}

const PROGRAM = fileURLToPath(new URL('../../bench/cache.mjs', import.meta.url));

export async function* cache({ quick }: BenchOptions): AsyncGenerator<Finding> {
  if (!existsSync(PROGRAM)) return yield { name: 'cache', reason: 'bench/cache.mjs is not there' };
  const args = ['--expose-gc', PROGRAM, '--json', ...(quick ? ['--quick'] : [])];
  const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 1 << 24 });
  for (const [name, line] of Object.entries<Line>(JSON.parse(stdout) as Printed)) {
    const { ours, peer, ratio, unit = '' } = line;
    const full = name.startsWith('cache/') ? name : `cache/${name}`;
    const spread = boxOf(line);
    yield { name: full, peerName: 'lru-cache', unit, ours, peer, ratio, spread, target: targetOf(full) };
  }
}

function boxOf({ ratio, spread }: Line): Spread {
  if (Array.isArray(spread)) return spreadOf([...spread, ratio]);
  const box = spreadOf([ratio]);
  return typeof spread === 'object' ? { ...box, ...spread } : box;
}
