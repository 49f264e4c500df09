/**
 * Structural types of Web Streams of bytes (WHATWG Streams §4, §5). The shell takes any object of these shapes. It returns
 * streams of the host, under the host's type if the program that uses the library knows it (lib.dom, @types/node).
 */

import { platform, type QueueStrategy, type ReadableSource, type WritableSink } from '../platform.ts';

/** The next chunk, or the end. */
export type ReadResult =
  | { readonly done: false; readonly value: Uint8Array }
  | { readonly done: true; readonly value?: Uint8Array | undefined };

/** As much of a `ReadableStreamDefaultReader` as the shell uses (WHATWG Streams §4.4). */
export interface BytesReader {
  read(): Promise<ReadResult>;
  cancel(reason?: unknown): Promise<void>;
  releaseLock(): void;
}

/** A source of bytes, such as a `ReadableStream<Uint8Array>`. */
export interface BytesSource {
  getReader(): BytesReader;
}

/** As much of a `WritableStreamDefaultWriter` as the shell uses (WHATWG Streams §5.3). */
export interface BytesWriter {
  /** Pending while the queue of the stream is full. */
  readonly ready: Promise<unknown>;
  write(chunk: Uint8Array): Promise<void>;
  close(): Promise<void>;
  abort(reason?: unknown): Promise<void>;
  releaseLock(): void;
}

/** A sink of bytes, such as a `WritableStream<Uint8Array>`. */
export interface BytesSink {
  getWriter(): BytesWriter;
}

/** A byte stream each way. */
export interface BytesPair {
  readonly readable: BytesSource;
  readonly writable: BytesSink;
}

/** What a pipe leaves open behind it: all false by default (WHATWG Streams §4.2). */
export interface PipeOptions {
  readonly preventClose?: boolean | undefined;
  readonly preventAbort?: boolean | undefined;
  readonly preventCancel?: boolean | undefined;
}

/**
 * The host's `ReadableStream`, of `Uint8Array`. The members declared here come first, because they know the type of a chunk. The others
 * are those of the host's type, if the program knows one.
 */
export type ReadableBytes = {
  readonly locked: boolean;
  cancel(reason?: unknown): Promise<void>;
  getReader(): BytesReader;
  pipeTo(destination: BytesSink, options?: PipeOptions): Promise<void>;
  pipeThrough<T>(transform: { readonly readable: T; readonly writable: BytesSink }, options?: PipeOptions): T;
} & (typeof globalThis extends { ReadableStream: { prototype: infer Stream } } ? Stream : unknown);

/** The host's `WritableStream`, of `Uint8Array`. */
export type WritableBytes = {
  readonly locked: boolean;
  abort(reason?: unknown): Promise<void>;
  close(): Promise<void>;
  getWriter(): BytesWriter;
} & (typeof globalThis extends { WritableStream: { prototype: infer Stream } } ? Stream : unknown);

/**
 * A strategy that measures a queue in bytes. What is no bytes has a size, too: if it had none, a stream would error by itself, and
 * its sink would never hear of it.
 */
export function bytesUpTo(highWaterMark: number): QueueStrategy {
  return { highWaterMark, size: (chunk: unknown) => (ArrayBuffer.isView(chunk) ? chunk.byteLength : 1) };
}

export function makeReadable(source: ReadableSource, strategy: QueueStrategy): ReadableBytes {
  return new platform.ReadableStream(source, strategy) as ReadableBytes;
}

export function makeWritable(sink: WritableSink, strategy: QueueStrategy): WritableBytes {
  return new platform.WritableStream(sink, strategy) as WritableBytes;
}

/** A plain view of a chunk, which may be a Buffer or come from another realm. @throws TypeError for anything but a view */
export function bytesOf(chunk: unknown): Uint8Array {
  if (!ArrayBuffer.isView(chunk)) throw new TypeError('a chunk that is no Uint8Array');
  return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
}
