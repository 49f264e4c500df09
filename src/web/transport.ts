/** The two byte streams below TLS: reading, writing, and closing them without losing the last alert. */

import { platform, type Timer } from '../platform.ts';
import { copyOf } from '../wire/bytes.ts';
import { type BytesPair, type BytesReader, type BytesWriter, bytesOf } from './streams.ts';

/** Milliseconds that the end may take: until the last bytes are taken and the peer has ended, too. */
const LINGER_MS = 2000;

/** @throws TypeError that says what is wanted: callers in JavaScript pass ports, sockets, or only the configuration */
export function requirePair(pair: Partial<BytesPair> | null | undefined): BytesPair {
  const { readable, writable } = pair ?? {};
  if (typeof readable?.getReader === 'function' && typeof writable?.getWriter === 'function')
    return { readable, writable };
  throw new TypeError(
    'transport: { readable, writable } is wanted, a ReadableStream and a WritableStream of bytes, such as fromMessagePort() returns',
  );
}

/** Owns both streams from the constructor on, until they have ended. */
export class Transport {
  readonly #reader: BytesReader;
  readonly #writer: BytesWriter;
  #closing: Promise<void> | undefined;

  /** @throws TypeError if one of the streams is locked or not a stream */
  constructor(pair: BytesPair) {
    const { readable, writable } = requirePair(pair);
    this.#reader = readable.getReader();
    try {
      this.#writer = writable.getWriter();
    } catch (error) {
      this.#reader.releaseLock();
      throw error;
    }
  }

  /** Reads the next chunk; `undefined` at the end. Rejects with the error of the stream. */
  async read(): Promise<Uint8Array | undefined> {
    const { done, value } = await this.#reader.read();
    return done ? undefined : bytesOf(value);
  }

  /** Resolves when the stream has taken the bytes. Drops them after {@link closeWriting}. */
  async write(bytes: Uint8Array): Promise<void> {
    // A sink may transfer its chunks, as byte streams do, and outputs that are still queued may share the memory of this one.
    const isWhole = bytes.length === bytes.buffer.byteLength;
    if (this.#closing === undefined) await this.#writer.write(isWhole ? bytes : copyOf(bytes));
  }

  /** Resolves when the stream has room for more. */
  async ready(): Promise<void> {
    await this.#writer.ready;
  }

  /** Half-closes, after everything that has been written. Resolves when the stream has closed. */
  closeWriting(): Promise<void> {
    this.#closing ??= this.#writer.close();
    return this.#closing;
  }

  /**
   * Ends the connection: closes our direction, and reads and discards input until the peer ends, too, so that a socket below is
   * not reset before the peer has read an alert. After two seconds it aborts both. Resolves when our direction is closed or
   * aborted; never rejects.
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
      // It has ended, too.
    }
  }

  /** Aborts both directions at once. A sink may still wait for a write under way. */
  abort(reason: unknown): void {
    this.#closing ??= Promise.resolve();
    this.#writer.abort(reason).catch(() => {});
    this.#reader.cancel(reason).catch(() => {});
  }
}
