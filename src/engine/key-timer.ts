/** The timer that the shells lend to ticket keys. */

import { platform } from '../platform.ts';
import type { KeyTimer } from '../tickets/key-provider.ts';

/** Sets a timer of the host's that does not keep the process running, in the hosts where one could. */
export const setKeyTimer: KeyTimer = (action, delayMs) => {
  const timer = platform.setTimeout(action, delayMs);
  if (hasUnref(timer)) timer.unref();
  else platform.Deno?.unrefTimer(timer);
};

/** Timers of Node and Bun are objects. Those of browsers and Deno are numbers. */
function hasUnref(timer: unknown): timer is { unref(): void } {
  return typeof timer === 'object' && timer !== null && 'unref' in timer && typeof timer.unref === 'function';
}
