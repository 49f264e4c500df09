/** A net.Server whose connections speak TLS; its events have node:tls's names. */

import { Server as NetServer, type Socket } from 'node:net';
import type { Session } from '../cache/session.ts';
import { defineServer, type ServerConfig } from '../config.ts';
import type { CallbackName } from '../events.ts';
import type { ServerOptions } from '../options.ts';
import { type NodeServerOptions, splitOptions } from './options.ts';
import { TlsSocket, type TlsSocketOptions } from './socket.ts';

type Listener = (...args: never[]) => void;
type Answer = (error: Error | null, der?: Uint8Array | null) => void;

/**
 * Events besides net.Server's: 'secureConnection' (socket), 'tlsClientError' (error, socket) for what fails before that,
 * 'keylog' (line, socket), 'callbackError' (error, { callback, socket }), and for code that was written for node:tls
 * 'newSession' (id, data, callback) and 'resumeSession' (id, callback), which are asked in TLS 1.3 too. `data` is
 * `session.toDer()`. Closing the server leaves a shared session cache alone.
 */
export class Server extends NetServer {
  readonly #core: ServerOptions | undefined;
  readonly #socketOptions: TlsSocketOptions;
  #config: ServerConfig;

  constructor(options: NodeServerOptions | ServerConfig) {
    super({ allowHalfOpen: true });
    const { core, config, socket } = splitOptions(options);
    this.#core = core;
    this.#config = config;
    this.#socketOptions = socket;
    this.on('connection', (transport: Socket) => this.#accept(transport));
  }

  /** What the connections to come are served with. */
  get config(): ServerConfig {
    return this.#config;
  }

  override on(event: 'secureConnection', listener: (socket: TlsSocket) => void): this;
  override on(event: 'tlsClientError', listener: (error: Error, socket: TlsSocket) => void): this;
  override on(event: 'keylog', listener: (line: Buffer, socket: TlsSocket) => void): this;
  override on(
    event: 'callbackError',
    listener: (error: unknown, source: { callback: CallbackName; socket: TlsSocket }) => void,
  ): this;
  override on(event: 'newSession', listener: (id: Buffer, data: Buffer, callback: () => void) => void): this;
  override on(event: 'resumeSession', listener: (id: Buffer, callback: Answer) => void): this;
  override on(event: string, listener: (...args: any[]) => void): this;
  override on(event: string, listener: Listener): this {
    super.on(event, listener as (...args: unknown[]) => void);
    if (event === 'newSession' || event === 'resumeSession') this.#adapt();
    return this;
  }

  override addListener(event: string, listener: (...args: any[]) => void): this {
    return this.on(event, listener);
  }

  /** Listeners of node:tls's kind become the callbacks that the options leave open. */
  #adapt(): void {
    if (this.#core === undefined)
      throw new Error('newSession and resumeSession want options, not a finished configuration');
    const { maxEntries: _, ...sessions } = this.#core.sessions ?? {};
    const adapted = {
      ...sessions,
      cache: this.#config.store.cache ?? (false as const),
      onNew:
        sessions.onNew ??
        (this.listenerCount('newSession') > 0 ? (session: Session) => this.#newSession(session) : undefined),
      onGet:
        sessions.onGet ??
        (this.listenerCount('resumeSession') > 0 ? (id: Uint8Array) => this.#resumeSession(id) : undefined),
    };
    this.#config = defineServer({ ...this.#core, sessions: adapted });
  }

  #newSession(session: Session): Promise<void> {
    return new Promise((resolve) => {
      this.emit('newSession', Buffer.from(session.id), Buffer.from(session.toDer()), () => resolve());
    });
  }

  #resumeSession(id: Uint8Array): Promise<Uint8Array | undefined> {
    return new Promise((resolve, reject) => {
      const answer: Answer = (error, data) => (error ? reject(error) : resolve(data ?? undefined));
      this.emit('resumeSession', Buffer.from(id), answer);
    });
  }

  #accept(transport: Socket): void {
    const socket = new TlsSocket(transport, this.#config, this.#socketOptions);
    const onError = (error: Error): void => void this.emit('tlsClientError', error, socket);
    socket.on('error', onError);
    socket.once('secure', () => {
      socket.removeListener('error', onError);
      this.emit('secureConnection', socket);
    });
    socket.on('keylog', (line: Buffer) => this.emit('keylog', line, socket));
    socket.on('callbackError', (error: unknown, callback: CallbackName) => {
      this.emit('callbackError', error, { callback, socket });
    });
  }
}
