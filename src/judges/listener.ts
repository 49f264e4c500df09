/** A port of the tester that a client under test connects to, one connection after the other. */

import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { NotRun } from '../testing/scenarios/visit.ts';

const HOST = '127.0.0.1';
/** A connection may be under way when whoever was to make it says that it has failed, or has ended. */
const UNDER_WAY_MS = 200;

export class Listener {
  readonly host = HOST;
  readonly port: number;
  readonly #server: Server;
  /** Whether connections that nobody waits for are kept for whoever waits next. */
  readonly #keepsEarly: boolean;
  readonly #early: Socket[] = [];
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
    return new Listener(server, keepsEarly);
  }

  /** Returns the next connection. @throws NotRun if none comes in time, or `failure` says why none will come */
  next(failure: Promise<string>, timeLimitMs: number): Promise<Socket> {
    const early = this.#early.shift();
    if (early !== undefined) return Promise.resolve(early);
    return new Promise((resolve, reject) => {
      const take = (socket: Socket): void => {
        clearTimeout(limit);
        this.#take = undefined;
        resolve(socket);
      };
      const fail = (reason: string): void => {
        clearTimeout(limit);
        if (this.#take === take) this.#take = undefined;
        reject(new NotRun(reason));
      };
      const limit = setTimeout(() => fail('the client has not connected'), timeLimitMs);
      this.#take = take;
      void failure.then((reason) => setTimeout(() => fail(reason), UNDER_WAY_MS));
    });
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#early.splice(0)) socket.destroy();
  }

  #accept(socket: Socket): void {
    socket.on('error', () => {}); // 'close' comes next
    if (this.#take !== undefined) this.#take(socket);
    else if (this.#keepsEarly) this.#early.push(socket);
    else socket.destroy();
  }
}
