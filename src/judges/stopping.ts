/** What a run that is to stop does not begin any more. */

import { setTimeout as sleep } from 'node:timers/promises';
import { NotRun } from '../testing/scenarios/visit.ts';

export const STOPPED = 'the run was stopped';

/** @throws NotRun if the signal is aborted */
export function requireRunning(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw new NotRun(STOPPED);
}

/** Lets so many milliseconds pass. @throws NotRun if the signal is aborted meanwhile */
export async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => {}); // it fails by the signal alone
  requireRunning(signal);
}

/** Waits for the work. @throws NotRun if that takes longer than so many milliseconds, or the signal is aborted meanwhile */
export async function within<T>(work: Promise<T>, ms: number, signal: AbortSignal | undefined): Promise<T> {
  const done = new AbortController();
  const ends = signal === undefined ? done.signal : AbortSignal.any([done.signal, signal]);
  const late = (): never => {
    requireRunning(signal);
    throw new NotRun(`it has taken longer than ${ms / 1000} s`);
  };
  try {
    return await Promise.race([work, sleep(ms, undefined, { signal: ends }).then(late, late)]);
  } finally {
    done.abort();
  }
}
