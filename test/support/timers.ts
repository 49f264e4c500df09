/** Timers, as the tests see them: the long ones of the library, which they run themselves, and those of the host. */

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

/** The timers of the host that have been set and are running. */
export class HostTimers {
  readonly #running = new Map<unknown, { readonly ms: number; readonly timer: NodeJS.Timeout }>();
  readonly #host = { setTimeout: globalThis.setTimeout, clearTimeout: globalThis.clearTimeout };

  /** Watches until {@link restore}. */
  constructor() {
    const host = this.#host;
    const set = (action: () => void, ms: number) => {
      const timer = host.setTimeout(() => {
        this.#running.delete(timer);
        action();
      }, ms);
      this.#running.set(timer, { ms, timer });
      return timer;
    };
    const clear = (timer?: NodeJS.Timeout) => {
      this.#running.delete(timer);
      host.clearTimeout(timer);
    };
    Object.assign(globalThis, { setTimeout: set, clearTimeout: clear });
  }

  /** Milliseconds of each, of those that are not shorter. */
  times(atLeastMs = 1000): number[] {
    return [...this.#running.values()].map(({ ms }) => ms).filter((ms) => ms >= atLeastMs);
  }

  /** How many of those keep the process running. */
  keeping(atLeastMs = 1000): number {
    return [...this.#running.values()].filter(({ ms, timer }) => ms >= atLeastMs && timer.hasRef()).length;
  }

  restore(): void {
    Object.assign(globalThis, this.#host);
  }
}
