/** The timer behind setTimeout() of a socket: it expires when nothing has happened for a while. */

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
