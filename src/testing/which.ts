/** Which of several a fault is about. */

import { kindOf } from '../wire/kind-of.ts';

/** Which of several messages or records a fault changes: 1 is the first, 'each' all. Default 1. */
export type Which = number | 'each';

export function isNext(which: Which, count: number): boolean {
  return which === 'each' || which === count;
}

/** @throws TypeError or RangeError for what no message or record is */
export function requireWhich(fault: string, which: Which): void {
  if (which === 'each' || (typeof which === 'number' && Number.isInteger(which) && which >= 1)) return;
  if (typeof which === 'number') throw new RangeError(`${fault}: which is ${which}; the first is 1`);
  throw new TypeError(`${fault}: which is a number from 1 on or 'each', not ${kindOf(which)}`);
}
