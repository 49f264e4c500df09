/** The limit of a handshake's time, which is the same in every shell. */

import { platform, type Timer, unref } from '../platform.ts';
import { wrongKind } from '../wire/options.ts';

export const DEFAULT_HANDSHAKE_TIMEOUT_MS = 120_000;
/** A longer time makes a timer of the hosts expire at once. */
const MAX_MS = 2 ** 31 - 1;

/** @throws TypeError or RangeError naming the option */
export function requireMilliseconds(name: string, ms: number): number {
  if (typeof ms !== 'number') throw wrongKind(name, 'a number of milliseconds', ms);
  if (!(ms >= 0 && ms <= MAX_MS)) throw new RangeError(`${name} is ${ms}; 0 to ${MAX_MS} milliseconds are possible`);
  return ms;
}

/** The error of a handshake that has taken too long, under the code that node:tls has for it. */
export function handshakeTimedOut(ms: number): Error {
  return Object.assign(new Error(`no handshake within ${ms} ms`), { code: 'ERR_TLS_HANDSHAKE_TIMEOUT' });
}

/** Starts a timer that does not keep a process alive. */
export function startTimer(action: () => void, ms: number): Timer {
  const timer = platform.setTimeout(action, ms);
  unref(timer);
  return timer;
}
