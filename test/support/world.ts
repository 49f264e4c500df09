/** A world of which everything is known: dice with a seed, a clock with a hand. The same seed replays the same connection. */

import type { World } from '../../src/world.ts';

/** 2026-01-01T00:00:00Z, in milliseconds. */
export const NEW_YEAR = Date.UTC(2026, 0, 1);

export class TestWorld implements World {
  /** Milliseconds since the epoch; set it to move time. */
  time: number;
  #state: number;

  constructor(seed = 1, time: number = NEW_YEAR) {
    this.#state = seed;
    this.time = time;
  }

  now(): number {
    return this.time;
  }

  /** Moves the clock on. */
  advance(seconds: number): void {
    this.time += 1000 * seconds;
  }

  randomBytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.#next() >>> 24);
  }

  /** mulberry32: good enough dice for tests, and fast. */
  #next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return mixed ^ (mixed >>> 14);
  }
}
