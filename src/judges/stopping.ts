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
