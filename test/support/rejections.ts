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

/** The errors that nobody has caught by the end of the action. */
export async function uncaughtIn(action: () => Promise<unknown>): Promise<readonly Error[]> {
  const errors: Error[] = [];
  const others = process.listeners('uncaughtException');
  const listener = (error: Error): void => void errors.push(error);
  process.removeAllListeners('uncaughtException');
  process.on('uncaughtException', listener);
  try {
    await action();
  } finally {
    process.off('uncaughtException', listener);
    for (const other of others) process.on('uncaughtException', other);
  }
  return errors;
}
