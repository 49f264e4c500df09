/** Byte streams for the tests of the Web shell, and Node's TLS client at the other end of them. */

import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { Duplex } from 'node:stream';
import tls from 'node:tls';
import { fileURLToPath } from 'node:url';
import { MessageChannel } from 'node:worker_threads';
import { fromMessagePort } from '../../src/web/message-port.ts';
import type { BytesPair } from '../../src/web/streams.ts';
import { certificates } from '../fixtures.ts';

/** Two ends of a byte stream each way. */
export interface Link {
  readonly server: BytesPair;
  readonly client: BytesPair;
}

/** TransformStreams, without queues of their own: what one side has not read the other has not written. */
export function streamLink(): Link {
  const up = new TransformStream<Uint8Array, Uint8Array>();
  const down = new TransformStream<Uint8Array, Uint8Array>();
  return {
    server: { readable: up.readable, writable: down.writable },
    client: { readable: down.readable, writable: up.writable },
  };
}

export function portLink(): Link {
  const { port1, port2 } = new MessageChannel();
  return { server: fromMessagePort(port1), client: fromMessagePort(port2) };
}

/** Chunks of `size` bytes, whatever comes. */
export function chunked(size: number): TransformStream<Uint8Array, Uint8Array> {
  return new TransformStream<Uint8Array, Uint8Array>({
    transform: (chunk, controller) => {
      for (let at = 0; at < chunk.length; at += size) controller.enqueue(chunk.slice(at, at + size));
    },
  });
}

/** Counts what has been taken out of it, or put into it. */
export class Meter extends TransformStream<Uint8Array, Uint8Array> {
  readonly count: { bytes: number };

  constructor() {
    const count = { bytes: 0 };
    super(
      {
        transform: (chunk, controller) => {
          count.bytes += chunk.length;
          controller.enqueue(chunk);
        },
      },
      undefined,
      { highWaterMark: 0 },
    );
    this.count = count;
  }
}

/** A Duplex over byte streams, half-open until both have ended. */
export function duplexOf({ readable, writable }: BytesPair): Duplex {
  const reader = readable.getReader();
  const writer = writable.getWriter();
  const done = (promise: Promise<unknown>, callback: (error?: Error | null) => void): void =>
    void promise.then(
      () => callback(),
      (error) => callback(error),
    );
  return new Duplex({
    read() {
      reader.read().then(
        ({ done: isEnd, value }) => this.push(isEnd ? null : value),
        (error) => this.destroy(error),
      );
    },
    write: (chunk: Buffer, _encoding, callback) => done(writer.write(new Uint8Array(chunk)), callback),
    final: (callback) => done(writer.close(), callback),
    destroy: (error, callback) => {
      reader.cancel(error).catch(() => {});
      writer.abort(error).catch(() => {});
      callback(error);
    },
  });
}

export type Version = 'TLSv1.2' | 'TLSv1.3';
export const VERSIONS: readonly Version[] = ['TLSv1.2', 'TLSv1.3'];

/** Node's client; errors are kept in `errors`, so that none is unhandled. */
export interface Client {
  readonly socket: tls.TLSSocket;
  readonly errors: Error[];
  /** The session tickets that it was given, or in TLS 1.2 the session. */
  readonly sessions: Buffer[];
}

export function startClient(pair: BytesPair, options: tls.ConnectionOptions = {}): Client {
  const socket = tls.connect({
    socket: duplexOf(pair),
    ca: certificates.ecdsaP256.cert,
    servername: 'localhost',
    ...options,
  });
  const errors: Error[] = [];
  const sessions: Buffer[] = [];
  socket.on('error', (error) => errors.push(error));
  socket.on('session', (session) => sessions.push(session));
  return { socket, errors, sessions };
}

/** A client of this very version. */
export function versionOnly(version: Version): tls.ConnectionOptions {
  return { minVersion: version, maxVersion: version };
}

/** The session of a client whose handshake is complete: in TLS 1.3 the tickets come behind it. */
export async function sessionOf({ sessions, socket }: Client): Promise<Buffer> {
  if (sessions.length === 0) await once(socket, 'session');
  return sessions.at(-1) as Buffer;
}

/** What comes until the end, as text. */
export async function readText(readable: BytesPair['readable']): Promise<string> {
  const chunks = await readChunks(readable);
  return Buffer.concat(chunks).toString('latin1');
}

export async function readChunks(readable: BytesPair['readable']): Promise<Uint8Array[]> {
  const reader = readable.getReader();
  const chunks: Uint8Array[] = [];
  for (let result = await reader.read(); !result.done; result = await reader.read()) chunks.push(result.value);
  return chunks;
}

/** Writes one chunk and lets the writer go. */
export async function writeText(writable: BytesPair['writable'], text: string): Promise<void> {
  const writer = writable.getWriter();
  await writer.write(new TextEncoder().encode(text));
  writer.releaseLock();
}

/** What it rejects with; fails where it does not. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('it was fulfilled');
}

/** The path of package.json, upwards from here: this file runs compiled. */
export const packageFile = findPackage(import.meta.url);

function findPackage(from: string): string {
  const candidate = new URL('package.json', from);
  return existsSync(candidate) ? fileURLToPath(candidate) : findPackage(new URL('..', new URL('.', from)).href);
}
