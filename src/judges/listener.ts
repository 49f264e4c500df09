/** A port of the tester that a client under test connects to, one connection after the other. */

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { NotRun } from '../testing/scenarios/visit.ts';
import type { ConversationLimits } from './conversation.ts';
import { requireRunning, STOPPED } from './stopping.ts';

const HOST = '127.0.0.1';
/** A connection may be under way when whoever was to make it says that it has failed, or has ended. */
const UNDER_WAY_MS = 200;
/** The most connections that wait for whoever waits next. A client that makes more than that is not answered. */
const MOST_EARLY = 16;

export class Listener {
  readonly host = HOST;
  readonly port: number;
  readonly #server: Server;
  /** Whether connections that nobody waits for are kept for whoever waits next. */
  readonly #keepsEarly: boolean;
  readonly #early: Socket[] = [];
  /** The ports of those that were turned away, while somebody wants to know. */
  #turnedAway: Set<number | undefined> | undefined;
  #take: ((socket: Socket) => void) | undefined;

  private constructor(server: Server, keepsEarly: boolean) {
    this.#server = server;
    this.#keepsEarly = keepsEarly;
    this.port = (server.address() as AddressInfo).port;
    server.on('connection', (socket) => this.#accept(socket));
  }

  static async open(keepsEarly: boolean): Promise<Listener> {
    const server = createServer({ noDelay: true, allowHalfOpen: true }).listen(0, HOST);
    await once(server, 'listening');
    server.unref(); // while it is waited for, the limit of the time keeps the process
    return new Listener(server, keepsEarly);
  }

  /**
   * Turns away all that has connected so far, where nothing is kept: a client that connects more than once in an errand is not to be
   * taken for the next one. Whoever connects is accepted in turn, so all that came before has been seen once a connection of its own has.
   * @throws NotRun if the signal is aborted
   */
  async drain(signal: AbortSignal): Promise<void> {
    if (this.#keepsEarly) return;
    const seen = new Set<number | undefined>();
    this.#turnedAway = seen;
    const last = connect(this.port, HOST).on('error', () => {}); // it is turned away as well
    try {
      await once(last, 'connect', { signal });
      while (!seen.has(last.localPort)) await once(this.#server, 'connection', { signal });
    } catch (error) {
      requireRunning(signal);
      throw error;
    } finally {
      this.#turnedAway = undefined;
      last.destroy();
    }
  }

  /** Returns the next connection. @throws NotRun if none comes in time, or `failure` says why none will come */
  next(failure: Promise<string>, { timeLimitMs, signal }: ConversationLimits): Promise<Socket> {
    const early = this.#early.shift();
    if (early !== undefined) return Promise.resolve(early);
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        clearTimeout(limit);
        signal?.removeEventListener('abort', stop);
        if (this.#take === take) this.#take = undefined;
      };
      const take = (socket: Socket): void => {
        settle();
        resolve(socket);
      };
      const fail = (reason: string): void => {
        settle();
        reject(new NotRun(reason));
      };
      const stop = (): void => fail(STOPPED);
      const limit = setTimeout(() => fail('the client has not connected'), timeLimitMs);
      this.#take = take;
      void failure.then((reason) => setTimeout(() => fail(reason), UNDER_WAY_MS));
      signal?.addEventListener('abort', stop);
      if (signal?.aborted === true) stop();
    });
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#early.splice(0)) socket.destroy();
  }

  #accept(socket: Socket): void {
    socket.on('error', () => {}); // 'close' comes next
    if (this.#take !== undefined) this.#take(socket);
    else if (this.#keepsEarly && this.#early.length < MOST_EARLY) this.#early.push(socket);
    else {
      this.#turnedAway?.add(socket.remotePort);
      socket.destroy();
    }
  }
}
