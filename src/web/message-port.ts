/** A MessagePort as a byte stream each way: TLS between a page and its worker, a frame, or an extension. */

import type { ReadableController, WritableController } from '../platform.ts';
import { bytesOf, bytesUpTo, makeReadable, makeWritable, type ReadableBytes, type WritableBytes } from './streams.ts';

/** Default of {@link PortOptions.maxBuffered}. */
const MAX_BUFFERED = 16 * 1024 * 1024;

/**
 * What is used of a MessagePort: the DOM's, the one of node:worker_threads, or a dedicated Worker or its global scope, which
 * need no `start` and may have no `close`.
 */
export interface PortLike {
  postMessage(message: unknown, transfer: ArrayBuffer[]): void;
  addEventListener(
    type: 'message' | 'messageerror' | 'close',
    listener: (event: { readonly type: string; readonly data?: unknown }) => void,
  ): void;
  start?(): void;
  close?(): void;
}

export interface PortOptions {
  /** Bytes that may wait to be read, default 16 MiB; no single message may have more either. */
  readonly maxBuffered?: number | undefined;
}

/** The streams of a port, which it owns from here on. */
export interface PortStreams {
  readonly readable: ReadableBytes;
  readonly writable: WritableBytes;
}

/**
 * Both ends call this, each with its port; the protocol is the same both ways:
 *
 * - a `Uint8Array` (any view, or an `ArrayBuffer`) is the next bytes of the stream, in any chunking. What is sent is a copy of
 *   what was written, transferred;
 * - `null` is the end of this direction: nothing follows it. The other may go on;
 * - the port is closed when both directions have ended, or when one end aborts its `writable` or cancels its `readable`. Where the
 *   host tells of that (the `close` event: Node, newer browsers), `readable` closes and `writable` errors;
 * - any other message is an error: of `readable`, and the port is closed.
 *
 * There is no flow control: a write has succeeded when it is posted, and whoever posts does not learn that nobody reads. So
 * that memory has a bound all the same, `readable` errors and the port is closed when more than `maxBuffered` bytes wait to
 * be read. For more than that in one go let the peers agree on a pace above.
 */
export function fromMessagePort(port: PortLike, { maxBuffered = MAX_BUFFERED }: PortOptions = {}): PortStreams {
  const link = new PortLink(port, maxBuffered);
  return { readable: link.readable, writable: link.writable };
}

class PortLink {
  readonly #port: PortLike;
  readonly #maxBuffered: number;
  readonly readable: ReadableBytes;
  readonly writable: WritableBytes;
  #source: ReadableController | undefined;
  #sink: WritableController | undefined;
  #isReading = true;
  #isWriting = true;

  constructor(port: PortLike, maxBuffered: number) {
    this.#port = port;
    this.#maxBuffered = maxBuffered;
    this.readable = this.#makeReadable();
    this.writable = this.#makeWritable();
    port.addEventListener('message', ({ data }) => this.#receive(data));
    port.addEventListener('messageerror', () => this.#fail(new Error('a message that cannot be read here')));
    port.addEventListener('close', () => this.#portClosed());
    port.start?.();
  }

  #makeReadable(): ReadableBytes {
    return makeReadable(
      {
        start: (controller) => {
          this.#source = controller;
        },
        cancel: (reason) => this.#stop(reason),
      },
      bytesUpTo(this.#maxBuffered),
    );
  }

  #makeWritable(): WritableBytes {
    return makeWritable(
      {
        start: (controller) => {
          this.#sink = controller;
        },
        write: (chunk) => this.#send(chunk),
        close: () => this.#end(),
        abort: (reason) => this.#stop(reason),
      },
      { highWaterMark: 1 },
    );
  }

  #receive(data: unknown): void {
    if (!this.#isReading) return;
    try {
      if (data === null) return this.#endReading();
      const bytes = isBuffer(data) ? new Uint8Array(data) : bytesOf(data);
      if (bytes.length > (this.#source?.desiredSize ?? 0)) {
        throw new RangeError(`more than ${this.#maxBuffered} bytes wait to be read from the port`);
      }
      if (bytes.length > 0) this.#source?.enqueue(bytes);
    } catch (error) {
      this.#fail(error);
    }
  }

  #endReading(): void {
    this.#isReading = false;
    this.#source?.close();
    this.#closeAtEnd();
  }

  /** What was written may be somebody's pool: a copy goes, whole. */
  #send(chunk: unknown): void {
    const copy = bytesOf(chunk).slice();
    this.#port.postMessage(copy, [copy.buffer]);
  }

  #end(): void {
    this.#isWriting = false;
    this.#port.postMessage(null, []);
    this.#closeAtEnd();
  }

  #closeAtEnd(): void {
    if (!this.#isReading && !this.#isWriting) this.#port.close?.();
  }

  /** The other end has gone: what it has said is all. */
  #portClosed(): void {
    if (this.#isReading) this.#endReading();
    if (this.#isWriting) this.#sink?.error(new Error('the port is closed'));
    this.#isWriting = false;
  }

  /** The application wants no more of it. */
  #stop(reason: unknown): void {
    this.#fail(reason ?? new Error('the application has aborted the port'));
  }

  #fail(error: unknown): void {
    this.#isReading = false;
    this.#isWriting = false;
    this.#source?.error(error);
    this.#sink?.error(error);
    this.#port.close?.();
  }
}

function isBuffer(data: unknown): data is ArrayBuffer {
  return Object.prototype.toString.call(data) === '[object ArrayBuffer]';
}
