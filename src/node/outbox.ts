/** What the application has written and the connection has not encrypted yet: plaintext, which is not copied. */

import { Buffer } from 'node:buffer';

export type Callback = (error?: Error | null) => void;

/** Holds one call of `_write` or `_writev` at a time. */
export class Outbox {
  #chunks: Buffer[] = [];
  #callback: Callback | undefined;

  /** `callback` is called by {@link settle}. */
  put(chunks: readonly Buffer[], callback: Callback): void {
    this.#chunks = [...chunks];
    this.#callback = callback;
  }

  /** Whether a call is still to be answered. */
  get isPending(): boolean {
    return this.#callback !== undefined;
  }

  /** Whether there is nothing more to {@link take}. */
  get isEmpty(): boolean {
    return this.#chunks.length === 0;
  }

  /** The next bytes, up to `limit`; small chunks are put together, so that they share a record. */
  take(limit: number): Buffer {
    const taken: Buffer[] = [];
    let length = 0;
    let used = 0;
    for (const chunk of this.#chunks) {
      const piece = chunk.subarray(0, limit - length);
      taken.push(piece);
      length += piece.length;
      if (piece.length < chunk.length) {
        this.#chunks[used] = chunk.subarray(piece.length);
        break;
      }
      used++;
    }
    this.#chunks.splice(0, used);
    const [only] = taken;
    return only !== undefined && taken.length === 1 ? only : Buffer.concat(taken);
  }

  /** Answers the call: everything has been taken and sent, or nothing more will be. */
  settle(error?: Error): void {
    const callback = this.#callback;
    this.#chunks = [];
    this.#callback = undefined;
    callback?.(error);
  }
}
