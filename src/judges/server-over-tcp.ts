/** A server under test at an address. */

import { once } from 'node:events';
import { connect as connectSocket, type Socket } from 'node:net';
import type { ClientOptions } from '../engine/client/options.ts';
import type { Ability, ServerUnderTest } from '../testing/scenarios/bench.ts';
import type { Speech } from '../testing/scenarios/party.ts';
import { NotRun } from '../testing/scenarios/visit.ts';
import { utf8 } from '../wire/bytes.ts';
import { systemWorld } from '../world.ts';
import { type ConversationLimits, converseOver, scenarioLimitMs, TIME_LIMIT_MS } from './conversation.ts';
import { pause, requireRunning, STOPPED, within } from './stopping.ts';

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
  /** How long each connection may take, in milliseconds, and as long to be made. A scenario takes no longer than 12 of these. Default 5000. */
  readonly timeLimitMs?: number | undefined;
  /** What the server can do. Default: all. */
  readonly abilities?: readonly Ability[] | undefined;
  /** Prepares a socket that has connected, as by STARTTLS. */
  readonly prepare?: ((socket: Socket) => Promise<void>) | undefined;
  /** Ends at once what runs when it is aborted. The scenario is not run then. */
  readonly signal?: AbortSignal | undefined;
}

/** Returns a server to put scenarios to. Nothing connects yet. */
export function serverOverTcp(address: ServerAddress): ServerUnderTest {
  const { host, port, request, client, timeLimitMs = TIME_LIMIT_MS, abilities, prepare, signal } = address;
  const isName = /[a-z]/i.test(host) && !host.includes(':');
  const speech: Speech | undefined = request === undefined ? undefined : { request: utf8(request) };
  return {
    world: systemWorld,
    serverName: address.serverName ?? (isName ? host : undefined),
    client,
    speech,
    scenarioLimitMs: scenarioLimitMs(timeLimitMs, timeLimitMs),
    can: (ability) => abilities?.includes(ability) ?? true,
    wait: (ms) => pause(ms, signal),
    connect: async (tester) => {
      const socket = await opened(host, port, { timeLimitMs, signal });
      const stop = (): void => void socket.destroy(new NotRun(STOPPED));
      signal?.addEventListener('abort', stop);
      try {
        if (prepare !== undefined) await within(prepare(socket), timeLimitMs, signal);
      } catch (error) {
        socket.on('error', () => {}).destroy();
        throw error;
      } finally {
        signal?.removeEventListener('abort', stop);
      }
      return converseOver(socket, tester, { timeLimitMs, signal });
    },
  };
}

/** @throws NotRun if nobody is there, or the run is to stop */
async function opened(host: string, port: number, { timeLimitMs, signal }: ConversationLimits): Promise<Socket> {
  requireRunning(signal);
  const late = AbortSignal.timeout(timeLimitMs);
  const socket = connectSocket({ host, port, noDelay: true });
  try {
    await once(socket, 'connect', { signal: signal === undefined ? late : AbortSignal.any([late, signal]) });
    return socket;
  } catch (error) {
    socket.on('error', () => {}).destroy();
    requireRunning(signal);
    const reason = late.aborted ? `none within ${timeLimitMs / 1000} s` : reasonOf(error);
    throw new NotRun(`no connection to ${host}:${port}: ${reason}`);
  }
}

/** Of several addresses, all of which have failed, that of the first. */
function reasonOf(error: unknown): string {
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
  return first instanceof Error ? first.message : String(first);
}
