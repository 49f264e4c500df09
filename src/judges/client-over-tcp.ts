/** A client under test that connects to a port of the tester. */

import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ServerOptions } from '../engine/server/options.ts';
import type { Ability, ClientUnderTest, Errand } from '../testing/scenarios/bench.ts';
import type { Speech } from '../testing/scenarios/party.ts';
import { NotRun } from '../testing/scenarios/visit.ts';
import { systemWorld } from '../world.ts';
import { converseOver } from './conversation.ts';

/** What a client is told of one connection. */
export interface ClientErrand extends Errand {
  readonly host: string;
  readonly port: number;
  /** Aborted when the connection has ended. */
  readonly signal: AbortSignal;
}

/** How a client is made to connect. */
export interface TcpClientOptions {
  /** Has the client connect once. It may settle before or after the connection has ended, and may fail. */
  readonly connect: (errand: ClientErrand) => unknown;
  readonly credentials: NonNullable<ServerOptions['credentials']>;
  /** What the tester answers. Default: an HTTP response. */
  readonly speech?: Speech | undefined;
  /** How long each connection may take, in milliseconds. Default 5000. */
  readonly timeLimitMs?: number | undefined;
  /** What the client can do. Default: all. */
  readonly abilities?: readonly Ability[] | undefined;
}

/** A client under test, and what it holds of the machine. */
export interface TcpClient extends ClientUnderTest {
  /** Gives the port back. */
  close(): void;
}

const TIME_LIMIT_MS = 5000;
const HOST = '127.0.0.1';

/** Returns a client to put scenarios to. The port is opened with the first connection, and is the same for all. */
export function clientOverTcp(options: TcpClientOptions): TcpClient {
  const { connect, credentials, speech, timeLimitMs = TIME_LIMIT_MS, abilities } = options;
  let listening: Promise<Server> | undefined;
  return {
    world: systemWorld,
    credentials,
    speech,
    can: (ability) => abilities?.includes(ability) ?? true,
    wait: (ms) => sleep(ms),
    connect: async (tester, errand) => {
      listening ??= listen();
      const server = await listening;
      const { port } = server.address() as AddressInfo;
      const over = new AbortController();
      const accepted = once(server, 'connection', {
        signal: AbortSignal.any([over.signal, AbortSignal.timeout(timeLimitMs)]),
      });
      const done = Promise.resolve(connect({ ...errand, host: HOST, port, signal: over.signal })).catch(() => {});
      try {
        const [socket] = (await accepted) as [Socket];
        return await converseOver(socket, tester, timeLimitMs);
      } catch {
        throw new NotRun('the client has not connected');
      } finally {
        over.abort();
        await done;
      }
    },
    close: () => void listening?.then((server) => server.close()),
  };
}

async function listen(): Promise<Server> {
  const server = createServer({ noDelay: true, allowHalfOpen: true }).listen(0, HOST);
  await once(server, 'listening');
  return server;
}
