/** A server under test at an address. */

import { once } from 'node:events';
import { connect as connectSocket, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClientOptions } from '../engine/client/options.ts';
import type { Ability, ServerUnderTest } from '../testing/scenarios/bench.ts';
import type { Speech } from '../testing/scenarios/party.ts';
import { NotRun } from '../testing/scenarios/visit.ts';
import { utf8 } from '../wire/bytes.ts';
import { systemWorld } from '../world.ts';
import { converseOver } from './conversation.ts';

/** Where a server is, and what it wants. */
export interface ServerAddress {
  readonly host: string;
  readonly port: number;
  /** The name that is asked for. Default: `host`, if it is a name. */
  readonly serverName?: string | undefined;
  /** What is said first. Default: an HTTP request, which servers that echo answer just as well. */
  readonly request?: string | undefined;
  /** Options that every client of the tester has, such as a credential. */
  readonly client?: Partial<ClientOptions> | undefined;
  /** How long each connection may take, in milliseconds. Default 5000. */
  readonly timeLimitMs?: number | undefined;
  /** What the server can do. Default: all. */
  readonly abilities?: readonly Ability[] | undefined;
  /** Prepares a socket that has connected, as by STARTTLS. */
  readonly prepare?: ((socket: Socket) => Promise<void>) | undefined;
}

const TIME_LIMIT_MS = 5000;

/** Returns a server to put scenarios to. Nothing connects yet. */
export function serverOverTcp(address: ServerAddress): ServerUnderTest {
  const { host, port, request, client, timeLimitMs = TIME_LIMIT_MS, abilities, prepare } = address;
  const isName = /[a-z]/i.test(host) && !host.includes(':');
  const speech: Speech | undefined = request === undefined ? undefined : { request: utf8(request) };
  return {
    world: systemWorld,
    serverName: address.serverName ?? (isName ? host : undefined),
    client,
    speech,
    can: (ability) => abilities?.includes(ability) ?? true,
    wait: (ms) => sleep(ms),
    connect: async (tester) => {
      const socket = await opened(host, port, timeLimitMs);
      try {
        await prepare?.(socket);
      } catch (error) {
        socket.on('error', () => {}).destroy();
        throw error;
      }
      return converseOver(socket, tester, timeLimitMs);
    },
  };
}

/** @throws NotRun if nobody is there */
async function opened(host: string, port: number, timeLimitMs: number): Promise<Socket> {
  const socket = connectSocket({ host, port, noDelay: true });
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(timeLimitMs) });
    return socket;
  } catch (error) {
    socket.on('error', () => {}).destroy();
    const reason = error instanceof Error ? error.message : String(error);
    throw new NotRun(`no connection to ${host}:${port}: ${reason}`);
  }
}
