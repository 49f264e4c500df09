/** A client under test that connects to a port of the tester. */

import type { ServerOptions } from '../engine/server/options.ts';
import type { Ability, ClientUnderTest, Errand } from '../testing/scenarios/bench.ts';
import type { Speech } from '../testing/scenarios/party.ts';
import { NotRun } from '../testing/scenarios/visit.ts';
import { systemWorld } from '../world.ts';
import { converseOver, scenarioLimitMs, TIME_LIMIT_MS } from './conversation.ts';
import { Listener } from './listener.ts';
import { pause, requireRunning, within } from './stopping.ts';

/** What a client is told of one connection. */
export interface ClientErrand extends Errand {
  readonly host: string;
  readonly port: number;
  /** Aborted when the connection has ended. */
  readonly signal: AbortSignal;
}

/** How a client is made to connect. */
export interface TcpClientOptions {
  /**
   * Has the client connect once. It may settle before or after the connection has ended, and is waited for as long as a connection may
   * take. If it fails before there is a connection,
   * the scenario is not run, for the reason of the error.
   */
  readonly connect: (errand: ClientErrand) => unknown;
  /** Has the client let go of its sessions: another scenario begins. */
  readonly forget?: (() => void) | undefined;
  readonly credentials: NonNullable<ServerOptions['credentials']>;
  /** What the tester answers. Default: an HTTP response. */
  readonly speech?: Speech | undefined;
  /** How long each connection may take, in milliseconds. Default 5000. */
  readonly timeLimitMs?: number | undefined;
  /** How long the client may take to connect, in milliseconds. Default: `timeLimitMs`. */
  readonly startLimitMs?: number | undefined;
  /** What the client can do. Default: all. */
  readonly abilities?: readonly Ability[] | undefined;
  /**
   * Whether it makes connection after connection by itself, whenever it likes. Then those that come before they are wanted wait, and
   * each errand that does not resume has a port of its own, so that no connection is taken for one of the next client; and no scenario
   * is run that has to let time pass in between. Default false: one port for all.
   */
  readonly reconnects?: boolean | undefined;
  /** Ends at once what runs when it is aborted. The scenario is not run then. */
  readonly signal?: AbortSignal | undefined;
}

/** A client under test, and what it holds of the machine. */
export interface TcpClient extends ClientUnderTest {
  /** Gives the port back, and ends at once what runs. No scenario is run afterwards. */
  close(): void;
}

/** Returns a client to put scenarios to. The port is opened with the first connection. */
export function clientOverTcp(options: TcpClientOptions): TcpClient {
  const { connect, credentials, speech, timeLimitMs = TIME_LIMIT_MS, abilities, reconnects = false } = options;
  const { startLimitMs = timeLimitMs, forget } = options;
  const closing = new AbortController();
  const signal = options.signal === undefined ? closing.signal : AbortSignal.any([options.signal, closing.signal]);
  let listening: Promise<Listener> | undefined;
  const listener = (resumes: boolean): Promise<Listener> => {
    if (reconnects && !resumes) {
      void listening?.then((old) => old.close());
      listening = undefined;
    }
    listening ??= Listener.open(reconnects);
    return listening;
  };
  return {
    world: systemWorld,
    credentials,
    speech,
    scenarioLimitMs: scenarioLimitMs(startLimitMs, timeLimitMs),
    forget,
    can: (ability) => abilities?.includes(ability) ?? true,
    wait: async (ms) => {
      if (reconnects) throw new NotRun('the client makes its next connection when it likes, and it would have to wait');
      await pause(ms, signal);
    },
    connect: async (tester, errand) => {
      requireRunning(signal);
      const at = await listener(errand.resumes);
      await at.drain(signal);
      const over = new AbortController();
      const { host, port } = at;
      const done = settled(() => connect({ ...errand, host, port, signal: over.signal }));
      try {
        const socket = await at.next(failureOf(done), { timeLimitMs: startLimitMs, signal });
        return await converseOver(socket, tester, { timeLimitMs, signal });
      } finally {
        over.abort();
        await within(done, timeLimitMs, signal).catch(() => {}); // what has not settled by now may never
      }
    },
    close: () => {
      closing.abort();
      void listening?.then((one) => one.close());
    },
  };
}

/** Returns why a call has failed, or `undefined` if it has not. */
async function settled(call: () => unknown): Promise<string | undefined> {
  try {
    await call();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Resolves only if there is a failure. */
function failureOf(done: Promise<string | undefined>): Promise<string> {
  return new Promise((resolve) => void done.then((reason) => reason !== undefined && resolve(reason)));
}
