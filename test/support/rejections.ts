/** Promises that reject and that nobody has seen to: Node would end the process, mocha hears of them and says nothing. */

import { setImmediate as turn } from 'node:timers/promises';

/** With what reasons promises have rejected by the turn after the action. */
export async function unhandledIn(action: () => unknown): Promise<readonly unknown[]> {
  const reasons: unknown[] = [];
  const listener = (reason: unknown): void => void reasons.push(reason);
  process.on('unhandledRejection', listener);
  try {
    action();
    await turn();
  } finally {
    process.off('unhandledRejection', listener);
  }
  return reasons;
}
