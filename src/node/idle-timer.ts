/** The clock behind setTimeout() of a socket: it runs out when nothing has happened for a while. */

/** setTimeout() of Node takes more for 1. */
const MAX_MS = 2 ** 31 - 1;

/** @throws TypeError or RangeError naming the option */
export function requireMilliseconds(name: string, ms: number): number {
  if (typeof ms !== 'number') throw new TypeError(`${name}: a number of milliseconds is wanted`);
  if (!(ms >= 0 && ms <= MAX_MS)) throw new RangeError(`${name} is ${ms}; 0 to ${MAX_MS} milliseconds are possible`);
  return ms;
}

/** Does not keep the process alive. */
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

  /** 0 for never. */
  start(ms: number): void {
    this.stop();
    this.#ms = ms;
    if (ms > 0) this.#timer = setTimeout(this.#onIdle, ms).unref();
  }

  /** Something has happened: the time begins again. */
  touch(): void {
    this.#timer?.refresh();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
