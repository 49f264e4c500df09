/** Data that the application has written and the connection has not encrypted yet. It is not copied. */

import { Buffer } from 'node:buffer';

export type Callback = (error?: Error | null) => void;

/** Holds one call of `_write` or `_writev` at a time. */
export class Outbox {
  #chunks: Buffer[] = [];
  #callback: Callback | undefined;

  /** Takes the chunks of one call. {@link settle} calls `callback`. */
  put(chunks: readonly Buffer[], callback: Callback): void {
    this.#chunks = [...chunks];
    this.#callback = callback;
  }

  /** Whether {@link settle} has yet to be called for the last {@link put}. */
  get isPending(): boolean {
    return this.#callback !== undefined;
  }

  /** Whether nothing is left to {@link take}. */
  get isEmpty(): boolean {
    return this.#chunks.length === 0;
  }

  /** Removes and returns the next bytes, at most `limit`. Small chunks are joined, so that they share a record. */
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

  /** Calls the callback of the last {@link put}, and drops what has not been taken. */
  finish(error?: Error): void {
    const callback = this.#callback;
    this.#chunks = [];
    this.#callback = undefined;
    callback?.(error);
  }
}
