/** How much memory is in use. */

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Bytes in use once all garbage is gone. */
export function memory(): number {
  const { heapUsed, arrayBuffers } = memoryUsage();
  return heapUsed + arrayBuffers;
}

/** Bytes of array buffers once all garbage is gone. No work of the engine of the language changes them. */
export function bufferMemory(): number {
  return memoryUsage().arrayBuffers;
}

let collect: (() => void) | undefined;

function collector(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}

function memoryUsage(): NodeJS.MemoryUsage {
  collect ??= collector();
  collect();
  collect(); // what the first one has found to be dead of buffers is freed by the second
  return process.memoryUsage();
}

/**
 * How many bytes more are in use after `run`, in the first trial in which they are fewer than `limit`, or in the best: what stays
 * behind does so each time, while what the engine of the language compiles, and keeps, it does once.
 */
export function growth(run: () => void, limit: number, trials = 4): number {
  let least = Number.POSITIVE_INFINITY;
  for (let trial = 0; trial < trials && least >= limit; trial++) {
    const before = memory();
    run();
    least = Math.min(least, memory() - before);
  }
  return least;
}
