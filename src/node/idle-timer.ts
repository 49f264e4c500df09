/** The timer behind setTimeout() of a socket: it expires when nothing has happened for a while. */

/** Node's setTimeout() treats a longer time as 1 ms. */
const MAX_MS = 2 ** 31 - 1;

/** @throws TypeError or RangeError naming the option */
export function requireMilliseconds(name: string, ms: number): number {
  if (typeof ms !== 'number') throw new TypeError(`${name}: a number of milliseconds is wanted`);
  if (!(ms >= 0 && ms <= MAX_MS)) throw new RangeError(`${name} is ${ms}; 0 to ${MAX_MS} milliseconds are possible`);
  return ms;
}

/** A restartable timer that does not keep the process alive. */
export class IdleTimer {
  readonly #onIdle: () => void;
  #timer: NodeJS.Timeout | undefined;
  #ms = 0;

  constructor(onIdle: () => void) {
    this.#onIdle = onIdle;
  }

  get ms(): number {
    return this.#ms;
  }

  /** Starts the timer anew; 0 turns it off. */
  start(ms: number): void {
    this.stop();
    this.#ms = ms;
    if (ms > 0) this.#timer = setTimeout(this.#onIdle, ms).unref();
  }

  /** Restarts the time, because something has happened. */
  touch(): void {
    this.#timer?.refresh();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
