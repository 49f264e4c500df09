/** The load of features.ts: our client, in a process of its own. */

import { once } from 'node:events';
import { type ClientOptions, defineClient, type Session } from '../src/client.ts';
import { connect } from '../src/node/index.ts';
import { answer } from './child.ts';
import { ourClientOptions } from './modes.ts';
import { inParallel } from './parallel.ts';
import { hybridNamed } from './providers.ts';

/** What a connection is to be. */
export type Way = 'resumed' | 'resumed-then-data' | 'early-data' | 'x25519' | 'hybrid';

interface Load {
  readonly port: number;
  readonly way: Way;
  readonly count: number;
  readonly concurrency: number;
}

const REQUEST = Buffer.from(
  'GET /some/page HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\nConnection: close\r\n\r\n',
);

const common: ClientOptions = {
  crypto: hybridNamed('nodeCrypto') ?? hybridNamed('nodeCrypto+noble'),
  verifyServer: 'any',
  sessions: { cache: false },
};
const resuming = defineClient({ ...ourClientOptions('tls13-psk_dhe_ke'), ...common });
const x25519 = defineClient({ ...ourClientOptions('tls13-full'), ...common });
const hybrid = defineClient({ ...ourClientOptions('tls13-full'), ...common, groups: ['X25519MLKEM768', 'x25519'] });

/** Each session is offered once, as early data may be sent with it once; a resumption hands out the next. By the port. */
const pools = new Map<number, Session[]>();

function poolOf(port: number): Session[] {
  const pool = pools.get(port) ?? [];
  pools.set(port, pool);
  return pool;
}

/** One connection. @throws Error where it was not the handshake that is measured */
async function connectWith(session: Session | undefined, port: number, way: Way): Promise<void> {
  const pool = poolOf(port);
  const sessions = session === undefined ? [] : [session];
  const isEarly = way === 'early-data' && session !== undefined;
  const where = { port, host: '127.0.0.1' };
  const socket = connect(where, {
    config: resuming,
    serverName: 'localhost',
    sessions,
    ...(isEarly && { earlyData: REQUEST }),
  });
  socket.resume().on('session', (given) => pool.push(given.upRef()));
  await Promise.all([once(socket, 'secureConnect'), once(socket, 'session')]);
  session?.release();
  if (session === undefined && way !== 'resumed') throw new Error(`${way}: no session is left`);
  if (socket.resumption.resumed !== (session !== undefined)) throw new Error(`${way}: another handshake`);
  if (socket.earlyData !== (isEarly ? 'accepted' : 'none')) throw new Error(`${way}: early data ${socket.earlyData}`);
  if (way === 'resumed-then-data') socket.write(REQUEST);
  await once(socket.end(), 'close');
}

async function shakeHands(port: number, way: Way): Promise<void> {
  const config = way === 'hybrid' ? hybrid : x25519;
  const socket = connect({ port, host: '127.0.0.1' }, { config, serverName: 'localhost' }).resume();
  await once(socket, 'secureConnect');
  const wanted = way === 'hybrid' ? 'X25519MLKEM768' : 'x25519';
  if (socket.connection.group !== wanted) throw new Error(`${way}: ${socket.connection.group}`);
  await once(socket.end(), 'close');
}

answer({
  run: async ({ port, way, count, concurrency }: Load) => {
    if (way === 'x25519' || way === 'hybrid') return inParallel(count, concurrency, () => shakeHands(port, way));
    while (poolOf(port).length < concurrency) await connectWith(undefined, port, 'resumed');
    return inParallel(count, concurrency, () => connectWith(poolOf(port).pop(), port, way));
  },
});
