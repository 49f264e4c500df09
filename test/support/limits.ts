/** Limits are tested on both sides: with the last values that pass, and the first that do not. */

import { expect } from 'chai';

export interface Limit<T = number> {
  /** The values inside that are next to the limit. */
  readonly passes: readonly T[];
  /** The values outside that are next to it. */
  readonly refused: readonly T[];
  /** Throws for what is refused. */
  readonly attempt: (value: T) => unknown;
  /** A part of the message of the error. */
  readonly error: string;
}

/** The values next to the ends of a range of whole numbers, at a distance of `step`. */
export function range(min: number, max: number, step = 1): Pick<Limit, 'passes' | 'refused'> {
  return { passes: [min, max], refused: [min - step, max + step] };
}

/** The values next to a maximum. */
export const atMost = (max: number): Pick<Limit, 'passes' | 'refused'> => ({ passes: [max], refused: [max + 1] });

/** The values next to a minimum. */
export const atLeast = (min: number): Pick<Limit, 'passes' | 'refused'> => ({ passes: [min], refused: [min - 1] });

/** Makes a test of each row. */
export function testLimits<T = number>(rows: Readonly<Record<string, Limit<T>>>): void {
  for (const [what, { passes, refused, attempt, error }] of Object.entries(rows)) {
    it(`${what}: ${passes.join(' and ')} pass, ${refused.join(' and ')} do not`, () => {
      for (const value of passes) expect(() => attempt(value), `${value}`).not.to.throw();
      for (const value of refused) expect(() => attempt(value), `${value}`).to.throw(error);
    });
  }
}
