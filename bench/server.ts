/** A server in a process of its own: ours, node:tls's, lemon-tls's, or a bare one without TLS. It says what CPU time it has used. */

import { once } from 'node:events';
import { type AddressInfo, createServer as createNetServer, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { type ServerOptions, singleUse } from '../src/index.ts';
import { createServer } from '../src/node/index.ts';
import { answer, cpuMicroseconds } from './child.ts';
import { heapInUse, type Memory } from './heap.ts';
import { lemonTls } from './lemon.ts';
import { type ModeName, ourOptions, peerOptions } from './modes.ts';
import { type Flight, play } from './pattern.ts';
import { type HybridName, hybridNamed, type ProviderName, providerNamed } from './providers.ts';

/** What a server does with a connection. */
export type Work = 'close' | 'hold' | 'download' | 'upload';

export interface ServerChoice {
  readonly kind: 'ours' | 'node:tls' | 'lemon-tls' | 'bare';
  readonly mode: ModeName;
  readonly provider?: ProviderName;
  /** For `bare`: whose bytes it exchanges, in which numbers. */
  readonly pattern?: readonly Flight[];
  readonly work?: Work;
  /** Of ours: what it has beyond the mode. */
  readonly feature?: 'early-data' | 'hybrid';
  /** For `hybrid`, in place of the provider. */
  readonly hybrid?: HybridName;
  /** What `download` sends, bytes. */
  readonly bytes?: number;
}

const choice: ServerChoice = JSON.parse(process.argv[2] ?? '');
const PIECE = Buffer.alloc(65536, 7);
let connections = 0;

const WORK: Readonly<Record<Work, (socket: Duplex) => void>> = {
  close: (socket) => socket.resume(),
  hold: (socket) => socket.resume(),
  upload: (socket) => socket.resume(),
  download: (socket) => {
    socket.resume();
    void send(socket, choice.bytes ?? 0);
  },
};

async function send(socket: Duplex, bytes: number): Promise<void> {
  for (let left = bytes; left > 0; left -= PIECE.length) {
    if (!socket.write(left < PIECE.length ? PIECE.subarray(0, left) : PIECE)) await once(socket, 'drain');
  }
  socket.end();
}

function serve(socket: Duplex): void {
  connections++;
  socket.on('error', fail);
  WORK[choice.work ?? 'close'](socket);
}

/** Nothing goes wrong here: a connection that fails would make the others look fast. */
function fail(error: Error): never {
  throw error;
}

function featureOptions({ feature, hybrid = 'default' }: ServerChoice): ServerOptions {
  if (feature === 'early-data') return { earlyData: { maxSize: 16_384, antiReplay: singleUse() } };
  return feature === 'hybrid' ? { crypto: hybridNamed(hybrid), groups: ['X25519MLKEM768'] } : {};
}

function ours(): Server {
  const crypto = choice.provider === undefined ? undefined : providerNamed(choice.provider);
  return createServer({ ...ourOptions(choice.mode), crypto, ...featureOptions(choice) }, serve).on(
    'tlsClientError',
    fail,
  );
}

function nodeTls(): Server {
  const sessions = new Map<string, Buffer>();
  const server = createTlsServer(peerOptions(choice.mode), serve).on('tlsClientError', fail);
  if (choice.mode !== 'tls12-id') return server;
  server.on('newSession', (id, data, done) => {
    sessions.set(id.toString('hex'), data);
    done();
  });
  server.on('resumeSession', (id, done) => done(null, sessions.get(id.toString('hex')) ?? null));
  return server;
}

async function lemon(): Promise<Server> {
  const library = await lemonTls();
  if (library === undefined) throw new Error('lemon-tls is not installed');
  return library.createServer(peerOptions(choice.mode) as TlsOptions, serve);
}

function bare(): Server {
  const pattern = choice.pattern ?? [];
  return createNetServer({ noDelay: true }, (socket: Socket) => {
    connections++;
    socket.on('error', fail);
    play(socket, pattern, 'server');
  });
}

const MAKE = { ours, 'node:tls': nodeTls, 'lemon-tls': lemon, bare } as const;

answer({
  /** The port. */
  listen: async (): Promise<number> => {
    const server = await MAKE[choice.kind]();
    await once(server.listen(0, '127.0.0.1', 1024), 'listening');
    return (server.address() as AddressInfo).port;
  },
  cpu: (): number => cpuMicroseconds(),
  memory: (): Memory => heapInUse(),
  connections: (): number => connections,
});
