/** The window in which a hello with early data is fresh: RFC 9846 §8.3. */

import { integer } from '../checks.ts';

const DEFAULT_WINDOW_MS = 10_000;

/** The longest half of a window: no ticket lives longer (RFC 9846 §4.7.1). */
const MAX_WINDOW_MS = 604_800_000;

/** Returns the half of a window. @throws TypeError or RangeError for what is none */
export function windowOf(windowMs: number | undefined, name = 'windowMs'): number {
  return integer(name, windowMs, DEFAULT_WINDOW_MS, 1, MAX_WINDOW_MS);
}
