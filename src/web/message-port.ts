/** A MessagePort as a byte stream each way, for TLS between a page and its worker, a frame, or an extension. */

import type { ReadableController, WritableController } from '../platform.ts';
import { type Names, requireOptions, wrongKind } from '../wire/options.ts';
import { bytesOf, bytesUpTo, makeReadable, makeWritable, type ReadableBytes, type WritableBytes } from './streams.ts';

/** Default of {@link PortOptions.maxBuffered}. */
const MAX_BUFFERED = 16 * 1024 * 1024;

/**
 * A MessagePort of the DOM or of node:worker_threads, or a dedicated Worker or its global scope, as far as it is used. Workers need
 * no `start` and may have no `close`.
 */
export interface PortLike {
  postMessage(message: unknown, transfer: ArrayBuffer[]): void;
  addEventListener(
    type: 'message' | 'messageerror' | 'close',
    listener: (event: { readonly type: string; readonly data?: unknown }) => void,
  ): void;
  readonly start?: (() => void) | undefined;
  readonly close?: (() => void) | undefined;
}

/** The options of {@link fromMessagePort}. */
export interface PortOptions {
  /** Bytes that may wait to be read, default 16 MiB. A single message must not be larger, either. */
  readonly maxBuffered?: number | undefined;
}

/** The two streams over a port. They own the port. */
export interface PortStreams {
  readonly readable: ReadableBytes;
  readonly writable: WritableBytes;
}

/**
 * Makes a byte stream each way of a port, which it takes ownership of. Both ends call it, each with its own port. The protocol is
 * the same in both directions:
 *
 * - A `Uint8Array` (or any view, or an `ArrayBuffer`) is the next bytes of the stream, in any chunking. Written data is copied, and
 *   the copy is transferred.
 * - `null` ends this direction. The other may go on.
 * - The port is closed when both directions have ended, or when one end aborts its `writable` or cancels its `readable`. If the
 *   host reports that (by the `close` event of Node and newer browsers), `readable` closes and `writable` errors.
 * - Any other message makes `readable` error, and the port is closed.
 *
 * There is no flow control: a write succeeds once it is posted, whether or not the peer reads. To limit memory, `readable` errors
 * with a RangeError and the port is closed when more than `maxBuffered` bytes wait to be read. To send more than that at once, the
 * peers have to agree on a pace in a protocol above.
 * @throws TypeError for what is no port; RangeError for an impossible `maxBuffered`
 */
export function fromMessagePort(port: PortLike, options: PortOptions = {}): PortStreams {
  requirePort(port);
  requireOptions('options', options, { maxBuffered: true } satisfies Names<PortOptions>);
  const { maxBuffered = MAX_BUFFERED } = options;
  if (typeof maxBuffered !== 'number') throw wrongKind('maxBuffered', 'a number of bytes', maxBuffered);
  if (!(maxBuffered >= 0)) throw new RangeError(`maxBuffered is ${maxBuffered}; a number of bytes is wanted`);
  const link = new PortLink(port, maxBuffered);
  return { readable: link.readable, writable: link.writable };
}

/** @throws TypeError: callers in JavaScript pass a MessageChannel, an event, or nothing */
function requirePort(port: Partial<PortLike> | null | undefined): void {
  if (typeof port?.postMessage === 'function' && typeof port.addEventListener === 'function') return;
  throw new TypeError('port: a MessagePort or a Worker is wanted; of a MessageChannel pass port1 or port2');
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

  /** Sends a copy, because the chunk may be part of a larger buffer that must not be transferred. */
  #send(chunk: unknown): void {
    try {
      const copy = bytesOf(chunk).slice();
      this.#port.postMessage(copy, [copy.buffer]);
    } catch (error) {
      this.#fail(error); // the stream errors by itself, and would leave the port open
      throw error;
    }
  }

  #end(): void {
    this.#isWriting = false;
    this.#port.postMessage(null, []);
    this.#closeAtEnd();
  }

  #closeAtEnd(): void {
    if (!this.#isReading && !this.#isWriting) this.#port.close?.();
  }

  /** Handles the end of the port: nothing more is received. */
  #portClosed(): void {
    if (this.#isReading) this.#endReading();
    if (this.#isWriting) this.#sink?.error(new Error('the port is closed'));
  }

  /** Closes the port for the application. */
  #stop(reason: unknown): void {
    this.#fail(reason ?? new Error('the application has aborted the port'));
  }

  #fail(error: unknown): void {
    this.#isReading = false;
    this.#source?.error(error);
    this.#sink?.error(error);
    this.#port.close?.();
  }
}

function isBuffer(data: unknown): data is ArrayBuffer {
  return Object.prototype.toString.call(data) === '[object ArrayBuffer]';
}
