/** The long timers of the library, which the tests run themselves. */

import { platform } from '../../src/platform.ts';

export class Timers {
  readonly running = new Map<object, { readonly action: () => void; readonly ms: number }>();
  readonly #setTimeout = platform.setTimeout;
  readonly #clearTimeout = platform.clearTimeout;

  /** Those of at least so many milliseconds never expire by themselves. */
  constructor(least: number) {
    platform.setTimeout = (action, ms) => {
      if (ms < least) return this.#setTimeout(action, ms);
      const timer = { unref: () => timer };
      this.running.set(timer, { action, ms });
      return timer;
    };
    platform.clearTimeout = (timer) => {
      if (typeof timer !== 'object' || timer === null || !this.running.delete(timer)) this.#clearTimeout(timer);
    };
  }

  get times(): number[] {
    return [...this.running.values()].map(({ ms }) => ms);
  }

  expire(): void {
    for (const { action } of this.running.values()) action();
  }

  restore(): void {
    platform.setTimeout = this.#setTimeout;
    platform.clearTimeout = this.#clearTimeout;
  }
}
