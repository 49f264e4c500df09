/** A net.Server whose connections speak TLS; its events have node:tls's names. */

import { Buffer } from 'node:buffer';
import { Server as NetServer, type Socket } from 'node:net';
import { disregard, isInstance } from '../awaitable.ts';
import { setKeyTimer } from '../engine/key-timer.ts';
import type { ServerConfig } from '../engine/server/config.ts';
import { defineServer } from '../engine/server/define-server.ts';
import type { ServerOptions, SessionOptions } from '../engine/server/options.ts';
import type { SessionStatistics } from '../engine/server/statistics.ts';
import type { CallbackName } from '../handshake/outcome.ts';
import type { Session } from '../sessions/session.ts';
import { flushInSlices } from '../web/flush.ts';
import { bytesFrom } from '../wire/bytes.ts';
import type { Listen, TlsEvent } from './events.ts';
import { asking, type OcspRequestCallback } from './ocsp-request.ts';
import type { NodeServerOptions, ServerSocketOptions } from './options.ts';
import type { ResumeSessionCallback, ServerEvents } from './server-events.ts';
import { TlsSocket } from './socket.ts';
import { splitOptions } from './split-options.ts';
import type { NodeTicketKeys } from './ticket-keys.ts';

/** On whose behalf the listeners of 'OCSPRequest' are asked. */
interface Asked {
  socket: TlsSocket | undefined;
}

/** The option that a listener of node:tls's kind replaces. */
const ADAPTED = { newSession: 'onNew', resumeSession: 'onGet' } as const;

/**
 * A TLS server over node:net; see {@link ServerEvents} for its events. 'newSession' and 'resumeSession' are for code written for
 * node:tls: they replace `sessions.onNew` and `sessions.onGet` for connections accepted after the first listener was added.
 * Nothing is sent to the client before a 'newSession' listener has called back, so that the session is stored before the client
 * can return. Closing the server affects neither its open connections nor its session cache.
 */
export class Server extends NetServer {
  declare addListener: Listen<ServerEvents, this>;
  declare on: Listen<ServerEvents, this>;
  declare once: Listen<ServerEvents, this>;
  declare prependListener: Listen<ServerEvents, this>;
  declare prependOnceListener: Listen<ServerEvents, this>;
  declare off: Listen<ServerEvents, this>;
  declare removeListener: Listen<ServerEvents, this>;

  readonly #core: ServerOptions | undefined;
  /** Shared by all connections. */
  readonly #socketOptions: ServerSocketOptions;
  readonly #relays = relaysOf(this);
  readonly #ticketKeys: NodeTicketKeys | undefined;
  readonly #faults: NodeServerOptions['faults'];
  /** How many connections with faults there have been. */
  #count = 0;
  #adapted: Pick<SessionOptions, 'onNew' | 'onGet'> = {};
  #config: ServerConfig;
  /** Promises of 'newSession' listeners: no output may overtake them. */
  readonly #stores = new WeakSet<PromiseLike<unknown>>();

  /** @throws TypeError or RangeError naming the option that is wrong */
  constructor(options: NodeServerOptions | ServerConfig) {
    const { core, config, socket, faults, ticketKeys } = splitOptions(options);
    super({ allowHalfOpen: true, noDelay: true });
    this.#core = core;
    this.#config = config;
    this.#socketOptions = { ...socket, isAwaited: (promise) => this.#stores.has(promise) };
    this.#ticketKeys = ticketKeys;
    this.#faults = faults;
    disregard(config.ticketPolicy.keys?.useTimer?.(setKeyTimer)); // now: there may never be a connection
    this.on('connection', (transport) => this.#accept(transport));
    this.on('newListener', (event: string | symbol) => {
      if (event === 'newSession' || event === 'resumeSession') this.#adapt(event);
    });
  }

  /** The configuration of connections accepted from now on. */
  get config(): ServerConfig {
    return this.#config;
  }

  /** See {@link ServerConfig.addSession}. */
  addSession(session: Session): boolean {
    return this.#config.addSession(session);
  }

  /** See {@link ServerConfig.removeSession}. */
  removeSession(session: Session): boolean {
    return this.#config.removeSession(session);
  }

  /** See {@link ServerConfig.flushSessions}. */
  flushSessions(now?: number, atMost?: number): number {
    return this.#config.flushSessions(now, atMost);
  }

  /** See {@link flushInSlices}. */
  flushSessionsInSlices(now?: number): Promise<number> {
    return flushInSlices(this.#config, now);
  }

  /** The 48 bytes of the option `ticketKeys` or of the last setTicketKeys(): a copy. @throws Error if the option was not given */
  getTicketKeys(): Buffer {
    return this.#requireTicketKeys().bytes;
  }

  /**
   * Replaces the ticket key by another 48 bytes, which are copied. Tickets sealed under the old key no longer open; to keep
   * several keys use a {@link TicketKeyRing}.
   * @throws Error if the option `ticketKeys` was not given; TypeError, RangeError or WeakTicketKeyError as for that option
   */
  setTicketKeys(keys: Uint8Array): void {
    this.#requireTicketKeys().replace(keys);
  }

  #requireTicketKeys(): NodeTicketKeys {
    if (this.#ticketKeys === undefined)
      throw new Error('this server was made without the option ticketKeys; give it to createServer()');
    return this.#ticketKeys;
  }

  /** See {@link ServerConfig.statistics}. */
  statistics(): SessionStatistics {
    return this.#config.statistics();
  }

  /** Makes a listener of node:tls's kind the callback that the options do not set. */
  #adapt(event: keyof typeof ADAPTED): void {
    const name = ADAPTED[event];
    if (this.#adapted[name] !== undefined) return;
    if (this.#core === undefined)
      throw new Error(`'${event}' wants a server made from options, not from a configuration`);
    const { store } = this.#config;
    const { maxEntries: _, maxBytes: __, ...sessions } = this.#core.sessions ?? {};
    if (sessions[name] !== undefined) throw new Error(`give either sessions.${name} or a listener for '${event}'`);
    const onNew = (session: Session) => this.#newSession(session);
    const onGet = (id: Uint8Array) => this.#resumeSession(id);
    const adapted = { ...this.#adapted, ...(name === 'onNew' ? { onNew } : { onGet }) };
    const cache = store.cache ?? (false as const);
    const tickets = { ...this.#core.tickets, keys: this.#config.ticketPolicy.keys };
    this.#config = defineServer({
      ...this.#core,
      tickets,
      sessions: { ...sessions, ...store.policy, ...adapted, cache },
    });
    this.#adapted = adapted;
  }

  /** Returns a promise that the connection waits for, or `undefined` if no listener takes a callback. */
  #newSession(session: Session): Promise<void> | undefined {
    const der = session.toDer();
    const data = Buffer.from(der.buffer, der.byteOffset, der.byteLength);
    const announce = (stored: () => void) => this.emit('newSession', Buffer.from(session.id), data, stored);
    if (this.listeners('newSession').every((listener) => listener.length < 3)) return void announce(() => {});
    const stored = this.#inTime(announce);
    this.#stores.add(stored);
    return stored;
  }

  /** Resolves when `done` is called. Rejects with what `action` throws, or if `lookupTimeoutMs` passes first. */
  #inTime(action: (done: () => void) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      const late = () => reject(new Error("the 'newSession' listener has not called back within lookupTimeoutMs"));
      const timer = setTimeout(late, this.#config.lookupTimeoutMs).unref();
      const done = () => {
        clearTimeout(timer);
        resolve();
      };
      try {
        action(done);
      } catch (error) {
        clearTimeout(timer);
        reject(error);
      }
    });
  }

  #resumeSession(id: Uint8Array): Promise<Uint8Array | undefined> | undefined {
    if (this.listenerCount('resumeSession') === 0) return undefined;
    return new Promise((resolve, reject) => {
      const answer: ResumeSessionCallback = (error, data) => {
        if (error) reject(error);
        else resolve(bytesFrom(data));
      };
      this.emit('resumeSession', Buffer.from(id), answer);
    });
  }

  /** After an error nothing is answered: the connection ends before it has said anything. */
  #requestOcsp(
    [certificate, issuer]: readonly Uint8Array[],
    asked: Asked,
  ): Promise<Uint8Array | undefined> | undefined {
    if (certificate === undefined || this.listenerCount('OCSPRequest') === 0) return undefined;
    return new Promise((resolve) => {
      const answer: OcspRequestCallback = (error, response) => {
        if (!error) resolve(response ?? undefined);
        else queueMicrotask(() => asked.socket?.destroy(isInstance(error, Error) ? error : new Error(String(error))));
      };
      this.emit('OCSPRequest', Buffer.from(certificate), issuer === undefined ? null : Buffer.from(issuer), answer);
    });
  }

  #accept(transport: Socket): void {
    const asked: Asked | undefined = this.listenerCount('OCSPRequest') > 0 ? { socket: undefined } : undefined;
    const own = this.#config;
    const config = asked === undefined ? own : asking(own, (chain) => this.#requestOcsp(chain, asked));
    const socket = this.#socketOver(transport, config);
    if (asked !== undefined) asked.socket = socket;
    const { error, secure, earlyData, keylog, tlsEvent, callbackError } = this.#relays;
    socket.on('error', error).on('secure', secure).on('tlsEvent', tlsEvent).on('callbackError', callbackError);
    if (this.#config.earlyData !== undefined || this.#config.onServerName !== undefined)
      socket.on('earlyData', earlyData);
    if (this.listenerCount('keylog') > 0) socket.on('keylog', keylog);
  }

  /** A connection whose faults fail ends with their error. */
  #socketOver(transport: Socket, config: ServerConfig): TlsSocket {
    const given = this.#faults;
    if (given === undefined) return new TlsSocket(transport, config, this.#socketOptions);
    this.#count += 1;
    try {
      const faults = typeof given === 'function' ? given({ number: this.#count }) : given;
      disregard(faults); // of an async function, which may reject
      if (faults === undefined) throw new TypeError('faults: the function has returned nothing; [] is for none');
      return new TlsSocket(transport, config, { ...this.#socketOptions, faults });
    } catch (thrown) {
      const error = isInstance(thrown, Error) ? thrown : new Error('faults: the function failed', { cause: thrown });
      return new TlsSocket(transport, config, this.#socketOptions).destroy(error);
    }
  }
}

/**
 * Creates a server, which does not listen yet. `onConnection` is called with each connection once its handshake is complete.
 * @throws TypeError or RangeError naming the option that is wrong
 */
export function createServer(
  options: NodeServerOptions | ServerConfig,
  onConnection?: (socket: TlsSocket) => void,
): Server {
  const server = new Server(options);
  if (onConnection !== undefined) server.on('secureConnection', onConnection);
  return server;
}

/** The listeners that pass the events of a socket on to the server. All sockets share them, and are their `this`. */
function relaysOf(server: Server) {
  function error(this: TlsSocket, reason: Error) {
    server.emit('tlsClientError', reason, this);
  }
  return {
    error,
    secure(this: TlsSocket) {
      this.removeListener('error', error);
      server.emit('secureConnection', this);
    },
    earlyData(this: TlsSocket) {
      server.emit('earlyData', this);
    },
    keylog(this: TlsSocket, line: Buffer) {
      server.emit('keylog', line, this);
    },
    tlsEvent(this: TlsSocket, event: TlsEvent) {
      server.emit('tlsEvent', event, this);
    },
    callbackError(this: TlsSocket, reason: unknown, callback: CallbackName) {
      server.emit('callbackError', reason, { callback, socket: this });
    },
  };
}
