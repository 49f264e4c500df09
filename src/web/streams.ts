/**
 * Web Streams of bytes (WHATWG Streams §4, §5), structurally: the shell takes any object of these shapes, and what it returns is
 * the host's own stream, under the host's own type where the program that uses the library knows one.
 */

import { platform, type QueueStrategy, type ReadableSource, type WritableSink } from '../platform.ts';

type ReadResult =
  | { readonly done: false; readonly value: Uint8Array }
  | { readonly done: true; readonly value?: Uint8Array | undefined };

export interface BytesReader {
  read(): Promise<ReadResult>;
  cancel(reason?: unknown): Promise<void>;
  releaseLock(): void;
}

/** What bytes can be read from: a `ReadableStream<Uint8Array>`. */
export interface BytesSource {
  getReader(): BytesReader;
}

export interface BytesWriter {
  /** Pending while the stream has enough to do. */
  readonly ready: Promise<unknown>;
  write(chunk: Uint8Array): Promise<void>;
  close(): Promise<void>;
  abort(reason?: unknown): Promise<void>;
  releaseLock(): void;
}

/** What bytes can be written to: a `WritableStream<Uint8Array>`. */
export interface BytesSink {
  getWriter(): BytesWriter;
}

/** A byte stream each way. */
export interface BytesPair {
  readonly readable: BytesSource;
  readonly writable: BytesSink;
}

interface PipeOptions {
  readonly preventClose?: boolean;
  readonly preventAbort?: boolean;
  readonly preventCancel?: boolean;
}

/** The host's type for its streams, where there is one (lib.dom, @types/node); otherwise no more than is said here. */
type HostReadable = typeof globalThis extends { ReadableStream: { prototype: infer Stream } } ? Stream : unknown;
type HostWritable = typeof globalThis extends { WritableStream: { prototype: infer Stream } } ? Stream : unknown;

/** The host's `ReadableStream`, of `Uint8Array`. What is said here comes first: it knows the chunk's type. */
export type ReadableBytes = {
  readonly locked: boolean;
  cancel(reason?: unknown): Promise<void>;
  getReader(): BytesReader;
  pipeTo(destination: BytesSink, options?: PipeOptions): Promise<void>;
  pipeThrough<T>(transform: { readonly readable: T; readonly writable: BytesSink }, options?: PipeOptions): T;
} & HostReadable;

/** The host's `WritableStream`, of `Uint8Array`. */
export type WritableBytes = {
  readonly locked: boolean;
  abort(reason?: unknown): Promise<void>;
  close(): Promise<void>;
  getWriter(): BytesWriter;
} & HostWritable;

/** A queue measured in bytes. */
export function bytesUpTo(highWaterMark: number): QueueStrategy {
  return { highWaterMark, size: (chunk) => chunk.byteLength };
}

export function makeReadable(source: ReadableSource, strategy: QueueStrategy): ReadableBytes {
  return new platform.ReadableStream(source, strategy) as ReadableBytes;
}

export function makeWritable(sink: WritableSink, strategy: QueueStrategy): WritableBytes {
  return new platform.WritableStream(sink, strategy) as WritableBytes;
}

/** A view of one's own on a chunk, which may be a Buffer, or of another realm. @throws TypeError where it is no bytes */
export function bytesOf(chunk: unknown): Uint8Array {
  if (!ArrayBuffer.isView(chunk)) throw new TypeError('a chunk that is no Uint8Array');
  return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
}
