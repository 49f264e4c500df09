/** A world whose clock stands still and whose dice can be made to fall as they fell before. */

import { copyOf } from '../src/wire/bytes.ts';
import type { World } from '../src/world.ts';

export class Dice implements World {
  readonly #time: number;
  #thrown: Uint8Array[] = [];
  #next = 0;
  #serial = 0;
  #isRecording = false;

  constructor(time: number = Date.now()) {
    this.#time = time;
  }

  now(): number {
    return this.#time;
  }

  /** As the last time, or where there was none as never before: the id of a session must be new. */
  randomBytes(length: number): Uint8Array {
    const known = this.#thrown[this.#next++];
    if (known?.length === length) return copyOf(known);
    const bytes = this.#fresh(length);
    if (this.#isRecording) this.#thrown.push(copyOf(bytes));
    return bytes;
  }

  /** Forgets all, and remembers from here on. */
  record(): void {
    this.#thrown = [];
    this.#next = 0;
    this.#isRecording = true;
  }

  /** What comes from here on need not come again. */
  stop(): void {
    this.#isRecording = false;
  }

  /** From the first throw on that is remembered. */
  rewind(): void {
    this.#next = 0;
  }

  #fresh(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    let state = Math.imul(++this.#serial, 0x9e3779b1);
    for (let i = 0; i < length; i++) {
      state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + i;
      bytes[i] = state >>> 24;
    }
    return bytes;
  }
}
