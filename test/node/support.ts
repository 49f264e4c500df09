/** What the tests of the Node shell share: a server, a client that is Node's own, and a transport that is no socket. */

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { Duplex, type Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { createServer, type NodeServerOptions, type Server, type TlsSocket } from '../../src/node/index.ts';
import type { Version } from '../../src/wire/registry.ts';
import { certificates } from '../fixtures.ts';
import { testProvider } from '../support/provider.ts';

export const VERSIONS: readonly Version[] = ['TLSv1.2', 'TLSv1.3'];

export const credentials = [certificates.ecdsaP256];

const running: Server[] = [];

/** A server on loopback; {@link stopServers} closes it. By default it says 'bye' and ends. */
export async function startServer(
  options: NodeServerOptions = {},
  onConnection: (socket: TlsSocket) => void = (socket) => socket.end('bye'),
): Promise<{ server: Server; port: number }> {
  const own = {
    ...(options.config === undefined && { crypto: testProvider }),
    ...(options.config === undefined && options.cert === undefined && { credentials }),
  };
  const server = createServer({ ...own, ...options }, onConnection);
  return { server, port: await listen(server) };
}

export async function listen(server: Server): Promise<number> {
  running.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** For `afterEach`: resolves when every connection is gone, too. */
export async function stopServers(): Promise<void> {
  await Promise.all(
    running.splice(0).map((server) => server.listening && new Promise((resolve) => server.close(resolve))),
  );
}

/** A client after its handshake. */
export async function open(options: ConnectionOptions): Promise<TLSSocket> {
  const client = connect({ host: '127.0.0.1', rejectUnauthorized: false, servername: 'localhost', ...options });
  await once(client, 'secureConnect');
  return client;
}

export function only(version: Version): ConnectionOptions {
  return { minVersion: version, maxVersion: version };
}

export interface Visit {
  readonly isReused: boolean;
  readonly protocol: string | null;
  readonly text: string;
  /** What it may resume from next time. */
  readonly session: Buffer | undefined;
}

/** Connects and reads to the end. */
export async function visit(options: ConnectionOptions): Promise<Visit> {
  const sessions: Buffer[] = [];
  const client = connect({ host: '127.0.0.1', rejectUnauthorized: false, servername: 'localhost', ...options });
  client.on('session', (session: Buffer) => sessions.push(session));
  await once(client, 'secureConnect');
  const facts = { isReused: client.isSessionReused(), protocol: client.getProtocol() };
  const text = await textOf(client);
  return { ...facts, text, session: sessions.at(-1) };
}

/** Everything up to the end. An async iterator would destroy the stream there, and its other direction with it. */
export async function textOf(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  if (!stream.readableEnded) await once(stream, 'end');
  return Buffer.concat(chunks).toString('latin1');
}

/** One end of a transport in memory that holds no more than it must. */
class MemoryEnd extends Duplex {
  other: MemoryEnd | undefined;
  #taken: (() => void) | undefined;

  override _read(): void {
    const taken = this.#taken;
    this.#taken = undefined;
    taken?.();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: () => void): void {
    const { other } = this;
    if (other === undefined || other.destroyed) return void setImmediate(callback);
    if (other.push(chunk))
      setImmediate(callback); // a flood must leave room for others
    else other.#taken = callback;
  }

  override _final(callback: () => void): void {
    this.other?.push(null);
    callback();
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    if (this.other?.readableEnded === false && !this.writableFinished) this.other.push(null);
    this.other?._read();
    callback(error);
  }
}

/** As stream.duplexPair() of newer versions of Node. */
export function memoryPair(): [Duplex, Duplex] {
  const [left, right] = [new MemoryEnd(), new MemoryEnd()];
  left.other = right;
  right.other = left;
  return [left, right];
}

/** Resolves when it is so, however slow the machine; the time limit of the test says when to give up. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await delay(5);
}

/** Resolves to the value when it has not changed for a while. */
export async function settled(value: () => number): Promise<number> {
  for (let last = value(), same = 0; ; ) {
    await delay(20);
    const now = value();
    same = now === last ? same + 1 : 0;
    last = now;
    if (same === 8) return now;
  }
}
