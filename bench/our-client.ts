/** Our client in a process of its own, as client.ts is node:tls's. It says what CPU time it has used. */

import { once } from 'node:events';
import { type ClientConfig, defineClient, type Session } from '../src/client.ts';
import { connect, type TlsClientSocket } from '../src/node/index.ts';
import { answer, cpuMicroseconds } from './child.ts';
import type { Load } from './client.ts';
import { isResumption, type ModeName, ourClientOptions } from './modes.ts';
import { inParallel } from './parallel.ts';
import { type ProviderName, providerNamed } from './providers.ts';

export interface ClientChoice {
  readonly mode: ModeName;
  readonly provider: ProviderName;
}

const { mode, provider }: ClientChoice = JSON.parse(process.argv[2] ?? '');
const config: ClientConfig = defineClient({
  ...ourClientOptions(mode),
  crypto: providerNamed(provider),
  verifyServer: 'any',
  sessions: { cache: false },
});
const sessions = new Map<number, Session>();

function open(port: number, session?: Session): TlsClientSocket {
  const offered = session === undefined ? [] : [session];
  return connect({ port, host: '127.0.0.1' }, { config, serverName: 'localhost', sessions: offered }).resume();
}

/** A full handshake, after which the client has what it resumes by. */
async function prime(port: number): Promise<void> {
  const socket = open(port);
  const [session] = await once(socket, 'session');
  sessions.set(port, session.upRef());
  if (socket.connection.session === undefined) throw new Error('no session');
  await once(socket.end(), 'close');
}

/** One handshake, then close_notify from both sides. @throws Error where it was not the handshake that is measured */
async function visit(port: number): Promise<void> {
  const socket = open(port, sessions.get(port));
  await once(socket, 'secureConnect');
  const { resumed, pskMode } = socket.resumption;
  const wanted = mode.startsWith('tls13-psk') ? mode.slice('tls13-'.length) : undefined;
  if (resumed !== isResumption(mode) || pskMode !== wanted) throw new Error(`${mode}: another handshake`);
  await once(socket.end(), 'close');
}

answer({
  prime: ({ port }: Load) => prime(port),
  run: ({ port, count, concurrency }: Load) => inParallel(count, concurrency, () => visit(port)),
  cpu: (): number => cpuMicroseconds(),
});
