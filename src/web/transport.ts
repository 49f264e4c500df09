/** The two byte streams below TLS: who reads, who writes, and how they are left without the last alert being lost. */

import { platform, type Timer } from '../platform.ts';
import { copyOf } from '../wire/bytes.ts';
import { type BytesPair, type BytesReader, type BytesWriter, bytesOf } from './streams.ts';

/** How long an end may take: for the last bytes to be taken, and for the peer to end in its turn. */
const LINGER_MS = 2000;

/** Owns both streams, from the constructor until they have ended. */
export class Transport {
  readonly #reader: BytesReader;
  readonly #writer: BytesWriter;
  #closing: Promise<void> | undefined;

  /** @throws TypeError where one of the streams is locked or none */
  constructor({ readable, writable }: BytesPair) {
    this.#reader = readable.getReader();
    try {
      this.#writer = writable.getWriter();
    } catch (error) {
      this.#reader.releaseLock();
      throw error;
    }
  }

  /** What comes next; `undefined` at the end. Rejects with what the stream fails with. */
  async read(): Promise<Uint8Array | undefined> {
    const { done, value } = await this.#reader.read();
    return done ? undefined : bytesOf(value);
  }

  /** Resolves when the stream has taken them; what comes after {@link closeWriting} is dropped. */
  async write(bytes: Uint8Array): Promise<void> {
    // A sink may transfer what it is given, as streams of bytes do; outputs that still wait for it may be in the same memory.
    const isWhole = bytes.length === bytes.buffer.byteLength;
    if (this.#closing === undefined) await this.#writer.write(isWhole ? bytes : copyOf(bytes));
  }

  /** Resolves when there is room for more. */
  async ready(): Promise<void> {
    await this.#writer.ready;
  }

  /** Half-close: the end of our direction behind all that has been written. Resolves when the stream has closed. */
  closeWriting(): Promise<void> {
    this.#closing ??= this.#writer.close();
    return this.#closing;
  }

  /**
   * The end of a connection: our direction is closed, and what still comes in is read and forgotten until the peer ends too,
   * so that a socket below is not reset over an alert that the peer has not read. What takes longer than two seconds is cut
   * off. Resolves when our direction is closed, or cut off; never rejects.
   */
  async leave(): Promise<void> {
    const drained = this.#drain();
    let timer: Timer;
    const cutOff = new Promise<void>((resolve) => {
      timer = platform.setTimeout(() => {
        this.abort(new Error('the peer does not end'));
        resolve();
      }, LINGER_MS);
    });
    const closed = this.closeWriting().catch(() => {});
    void Promise.all([drained, closed]).then(() => platform.clearTimeout(timer));
    await Promise.race([closed, cutOff]);
  }

  /** Never rejects. */
  async #drain(): Promise<void> {
    try {
      while (!(await this.#reader.read()).done);
    } catch {
      // It has ended, one way or another.
    }
  }

  /** The end of both directions at once, as far as the streams can see to it: a write under way may keep one from it. */
  abort(reason: unknown): void {
    this.#closing ??= Promise.resolve();
    this.#writer.abort(reason).catch(() => {});
    this.#reader.cancel(reason).catch(() => {});
  }
}
