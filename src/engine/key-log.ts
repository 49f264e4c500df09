/** The lines of the key log on their way to the user's function. */

import { isPromise } from '../awaitable.ts';
import { disowned, type Event } from './events.ts';
import { attempt } from './outcomes.ts';

/** Keeps lines until no handshake is on the stack, as the function may call the connection. */
export class KeyLog {
  readonly #write: (line: string) => unknown;
  readonly #lines: string[] = [];

  constructor(write: (line: string) => unknown) {
    this.#write = write;
  }

  add(line: string): void {
    this.#lines.push(line);
  }

  /** Passes each line to the function, once, also if that calls the connection, which delivers the rest. Returns what went wrong. */
  deliver(emit: (event: Event) => void): void {
    for (let line = this.#lines.shift(); line !== undefined; line = this.#lines.shift()) {
      const text = line;
      const outcome = attempt(() => this.#write(text));
      if ('error' in outcome) emit({ type: 'callback-error', callback: 'keylog', error: outcome.error });
      else if ('value' in outcome && isPromise(outcome.value)) emit(disowned('keylog', outcome.value));
    }
  }
}
