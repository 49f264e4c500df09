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

function memoryUsage(): NodeJS.MemoryUsage {
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  collect();
  collect(); // what the first one has found to be dead of buffers is freed by the second
  return process.memoryUsage();
}

/**
 * How many bytes more are in use after `run`, in the best of a few trials: what stays behind does so each time, while what the
 * engine of the language compiles, and keeps, it does once.
 */
export function growth(run: () => void, trials = 4): number {
  const grown = Array.from({ length: trials }, () => {
    const before = memory();
    run();
    return memory() - before;
  });
  return Math.min(...grown);
}
