/** The load, the same for every server: node:tls's client, and for the bare server one that plays the other side. */

import { once } from 'node:events';
import { connect as connectNet } from 'node:net';
import { connect, createSecureContext, type SecureContext, type TLSSocket } from 'node:tls';
import { answer, cpuMicroseconds } from './child.ts';
import { clientOptions, isResumption, type ModeName, versionOf } from './modes.ts';
import { inParallel } from './parallel.ts';
import { type Flight, play, recordPattern } from './pattern.ts';

export interface Load {
  readonly port: number;
  readonly mode: ModeName;
  readonly count: number;
  readonly concurrency: number;
}

export interface BareLoad extends Omit<Load, 'mode'> {
  readonly pattern: readonly Flight[];
}

export interface Transfer {
  readonly port: number;
  readonly mode: ModeName;
  /** What is sent; 0 to receive until the server has done. */
  readonly bytes: number;
}

const contexts = new Map<ModeName, SecureContext>();
const sessions = new Map<number, Buffer>();
const held: TLSSocket[] = [];
const PIECE = Buffer.alloc(65536, 7);

function open(port: number, mode: ModeName, session?: Buffer): TLSSocket {
  const secureContext = contexts.get(mode) ?? createSecureContext(clientOptions(mode));
  contexts.set(mode, secureContext);
  // `ciphers` and versions are the context's; the curve is not.
  return connect({
    port,
    host: '127.0.0.1',
    servername: 'localhost',
    rejectUnauthorized: false,
    secureContext,
    session,
  });
}

/** A full handshake, after which the client has what it resumes by. */
async function prime(port: number, mode: ModeName): Promise<void> {
  const socket = open(port, mode).resume();
  const [session] = versionOf(mode) === 'TLSv1.3' ? await once(socket, 'session') : [await tls12Session(socket)];
  sessions.set(port, session);
  await closed(socket.end());
}

async function tls12Session(socket: TLSSocket): Promise<Buffer | undefined> {
  await once(socket, 'secureConnect');
  return socket.getSession();
}

function closed(socket: TLSSocket): Promise<unknown> {
  return once(socket, 'close');
}

/** One handshake, then close_notify from both sides. @throws Error where it was not the handshake that is measured */
async function visit(port: number, mode: ModeName, session: Buffer | undefined): Promise<void> {
  const socket = open(port, mode, session).resume();
  await once(socket, 'secureConnect');
  const isReused = socket.isSessionReused();
  if (isReused !== isResumption(mode)) throw new Error(`${mode}: the handshake was ${isReused ? 'resumed' : 'full'}`);
  await closed(socket.end());
}

/** Whether the last handshake of the mode went without a key exchange: which of the two PSK modes it was. */
async function hasKeyExchange({ port, mode }: Load): Promise<boolean> {
  const socket = open(port, mode, sessions.get(port)).resume();
  await once(socket, 'secureConnect');
  const info = socket.getEphemeralKeyInfo();
  await closed(socket.end());
  return info !== null && 'type' in info;
}

async function bareVisit(port: number, pattern: readonly Flight[]): Promise<void> {
  const socket = connectNet({ port, host: '127.0.0.1', noDelay: true });
  play(socket, pattern, 'client');
  await once(socket, 'close');
}

async function upload(socket: TLSSocket, bytes: number): Promise<void> {
  for (let left = bytes; left > 0; left -= PIECE.length) {
    if (!socket.write(left < PIECE.length ? PIECE.subarray(0, left) : PIECE)) await once(socket, 'drain');
  }
  socket.end();
}

answer({
  prime: ({ port, mode }: Load) => prime(port, mode),
  run: ({ port, mode, count, concurrency }: Load) => {
    const session = isResumption(mode) ? sessions.get(port) : undefined;
    return inParallel(count, concurrency, () => visit(port, mode, session));
  },
  cpu: (): number => cpuMicroseconds(),
  hasKeyExchange,
  record: ({ port, mode }: Load) =>
    recordPattern(port, (relay) => visit(relay, mode, isResumption(mode) ? sessions.get(port) : undefined)),
  bare: ({ port, pattern, count, concurrency }: BareLoad) =>
    inParallel(count, concurrency, () => bareVisit(port, pattern)),
  /** Connections that stay; `count` of them. */
  hold: ({ port, mode, count, concurrency }: Load) =>
    inParallel(count, concurrency, async () => {
      const socket = open(port, mode).resume();
      held.push(socket);
      await once(socket, 'secureConnect');
    }),
  release: async () => {
    await Promise.all(held.splice(0).map((socket) => closed(socket.end())));
  },
  transfer: async ({ port, mode, bytes }: Transfer) => {
    const socket = open(port, mode).resume();
    await once(socket, 'secureConnect');
    if (bytes > 0) await upload(socket, bytes);
    await closed(socket);
  },
});
