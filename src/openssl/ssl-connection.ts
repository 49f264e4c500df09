/** What an SSL does: bytes in and out, the life cycle of one connection, and its session. */

import { type Awaitable, isPromise } from '../awaitable.ts';
import { Driver } from '../engine/driver.ts';
import type { Event } from '../engine/events.ts';
import type { ServerConfig } from '../engine/server/config.ts';
import { type ConnectionOptions, ServerConnection } from '../engine/server/server-connection.ts';
import type { Session } from '../sessions/session.ts';
import { ByteQueue } from '../wire/byte-queue.ts';
import { concat } from '../wire/bytes.ts';
import { SSL_OP_IGNORE_UNEXPECTED_EOF, SSL_RECEIVED_SHUTDOWN, SSL_SENT_SHUTDOWN } from './constants.ts';
import { type Copied, CopiedSettings } from './copied-settings.ts';

export interface SslOptions {
  /** Called with the bytes for the peer, as they are produced. Without it they wait for {@link Ssl.take}. */
  readonly send?: ((output: Uint8Array) => void) | undefined;
  /** Called with every event but application data. */
  readonly attend?: ((event: Event) => void) | undefined;
  /** Addresses of both ends, for callbacks. */
  readonly addresses?: ConnectionOptions['addresses'];
}

/** What a connection asks of its context. */
interface ConnectionContext<S> {
  readonly copied: Copied<S>;
  configFor(copied: Copied<S>): ServerConfig;
  upRef(): unknown;
  free(): void;
}

/**
 * The callers of {@link SslConnection.receive} have no flow control: like a memory BIO it takes what it is given, as OpenSSL has
 * no sign for "not now" either. A peer that floods a server whose callback does not answer would fill the memory, so there is
 * a limit: that of a MessagePort, far above what a peer sends in the time of a lookup.
 */
const MAX_WAITING = 16 * 1024 * 1024;

/** The object that stands for a connection in callbacks, always the same one. */
export const attached = new WeakMap<ServerConnection, object>();

export abstract class SslConnection<S> extends CopiedSettings<S> {
  readonly #ctx: ConnectionContext<S>;
  readonly #options: SslOptions;
  /** `undefined` if a shell runs the connection: this object then only stands for it in callbacks. */
  readonly #own: { driver: Driver<ServerConnection> | undefined } | undefined;
  #connection: ServerConnection | undefined;
  /** Tickets that newSessionTicket() has promised. */
  #ticketsDue = 0;
  /** The session of the ticket that is being made. */
  #making: Session | undefined;
  #output: Uint8Array[] = [];
  #input: Uint8Array[] = [];
  /** Bytes of the peer that have come while a callback had not answered. */
  readonly #waiting = new ByteQueue();
  #isEofDue = false;
  #shutdown = 0;
  #isBroken = false;
  #isFreed = false;
  /** The session of the connection before SSL_clear(3). */
  #kept: Session | undefined;

  protected constructor(ctx: ConnectionContext<S>, options: SslOptions, connection: ServerConnection | undefined) {
    super(ctx.copied);
    this.#ctx = ctx;
    this.#options = options;
    this.#connection = connection;
    this.#own = connection === undefined ? { driver: undefined } : undefined;
    if (this.#own !== undefined) ctx.upRef();
    else if (connection !== undefined) attached.set(connection, this);
  }

  /** What is below; `undefined` before the handshake starts. Look at it, but call only its getters. */
  get connection(): ServerConnection | undefined {
    return this.#connection;
  }

  /** SSL_accept(3): the connection counts from now on. {@link receive} does it as well. Later it sends the tickets that are due. */
  accept(): void {
    this.#sendTickets(this.#driver());
  }

  /**
   * Takes in bytes from the peer, in any chunking. They are copied.
   * @throws RangeError if more than 16 MiB would wait for the answer of a callback; `input` is not taken then
   */
  receive(input: Uint8Array): void {
    const driver = this.#driver();
    // The check for what waits comes first: between an answer and #resume() nothing may overtake it.
    if (this.#waiting.length === 0 && driver.receive(input)) return;
    if (this.#waiting.length + input.length > MAX_WAITING)
      throw new RangeError(`more than ${MAX_WAITING} bytes wait for the answer of a callback`);
    this.#waiting.push(input);
  }

  /** Takes in what has come while a callback had not answered. */
  #resume(): void {
    const driver = this.#own?.driver;
    if (driver === undefined || driver.isWaiting) return;
    if (this.#waiting.length > 0) driver.receive(this.#waiting.take(this.#waiting.length));
    if (!this.#isEofDue || driver.isWaiting) return;
    this.#isEofDue = false;
    this.receiveEof();
  }

  /** The transport has ended. Without the peer's close_notify that is an error, unless SSL_OP_IGNORE_UNEXPECTED_EOF is set. */
  receiveEof(): void {
    if (this.#own?.driver?.isWaiting || this.#waiting.length > 0) {
      this.#isEofDue = true; // behind what waits
      return;
    }
    if (this.#shutdown & SSL_RECEIVED_SHUTDOWN) return;
    if (this.settings.options & SSL_OP_IGNORE_UNEXPECTED_EOF) {
      this.#shutdown |= SSL_RECEIVED_SHUTDOWN;
      return;
    }
    this.#isBroken = true;
    const driver = this.#driver();
    if (!this.#isClean) driver.run(() => driver.connection.transportEnded());
  }

  /** The bytes for the peer since the last call. Empty where `send` takes them. */
  take(): Uint8Array {
    return concat(...this.#output.splice(0));
  }

  /** SSL_read(3): the application data that has come, or `null`. */
  read(): Uint8Array | null {
    const data = concat(...this.#input.splice(0));
    return data.length === 0 ? null : data;
  }

  /** SSL_write(3): the number of bytes; −1 before the handshake is complete and after the end. */
  write(data: Uint8Array): number {
    const driver = this.#driver();
    if (!driver.connection.canWrite || this.#shutdown & SSL_SENT_SHUTDOWN) return -1;
    this.#sendTickets(driver);
    driver.write(data);
    return data.length;
  }

  /**
   * SSL_new_session_ticket(3): one more ticket, which goes out before the data of the next {@link write}, or with {@link accept}.
   * 0: not in TLS 1.3, before the handshake is complete, after the end, or where `tickets.mode` is 'off'.
   */
  newSessionTicket(): number {
    const { connection } = this;
    if (this.#own === undefined || !connection?.canWrite || !connection.hasTickets) return 0;
    this.#ticketsDue++;
    return 1;
  }

  /** SSL_is_init_finished(3) */
  isInitFinished(): number {
    return Number(this.#connection?.isEstablished ?? false);
  }

  /** SSL_session_reused(3) */
  sessionReused(): number {
    return Number(this.#connection?.resumption.resumed ?? false);
  }

  /** SSL_get_session(3): lent, `null` before there is one. */
  getSession(): Session | null {
    return this.#making ?? this.#connection?.session ?? this.#kept ?? null;
  }

  /** SSL_get0_session(3): the same. */
  get0Session(): Session | null {
    return this.getSession();
  }

  /** SSL_get1_session(3): with a hold, to be given back with `free()`. */
  get1Session(): Session | null {
    return this.getSession()?.upRef() ?? null;
  }

  /**
   * SSL_shutdown(3). Sends close_notify, unless shutdown is quiet. 1: both directions are closed; 0: only ours is, so far;
   * −1: the handshake is not complete, or the connection has failed.
   */
  shutdown(): number {
    const { driver } = this.#requireOwn();
    if (this.settings.quietShutdown) {
      this.#shutdown = SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN;
      return 1;
    }
    if (driver === undefined || this.#isBroken || !driver.connection.isEstablished) return -1;
    if ((this.#shutdown & SSL_SENT_SHUTDOWN) === 0) {
      this.#shutdown |= SSL_SENT_SHUTDOWN;
      driver.run(() => driver.connection.end());
    }
    return this.#shutdown & SSL_RECEIVED_SHUTDOWN ? 1 : 0;
  }

  /** SSL_set_shutdown(3): says what has been sent and received, and sends nothing. A close_notify that was sent stays a clean end. */
  setShutdown(mode: number): void {
    this.#shutdown = mode;
  }

  /** SSL_get_shutdown(3) */
  getShutdown(): number {
    return this.#shutdown;
  }

  /** SSL_free(3). Unless SSL_SENT_SHUTDOWN is set, a completed connection takes its session along; see `sessions.removeUnclean`. */
  free(): void {
    if (this.#isFreed) throw new Error('free() of a connection that has been freed');
    this.#isFreed = true; // before remove is called, which might free once more
    this.#end();
    this.#dropKept();
    if (this.#own !== undefined) this.#ctx.free();
  }

  /** SSL_clear(3): the same end, and ready for another connection. The session of a clean one is still there to be seen. */
  clear(): void {
    this.#requireOwn();
    const session = this.#isClean ? this.get1Session() : null;
    this.#end();
    this.#dropKept();
    this.#kept = session ?? undefined;
    this.#connection = undefined;
    this.#shutdown = 0;
    this.#isBroken = false;
  }

  /** SSL_get0_peer_certificate(3): the client's own, DER, from this handshake or from the session; `null` where there is none. */
  getPeerCertificate(): Uint8Array | null {
    return this.#connection?.peerCertificate ?? null;
  }

  /** For as long as a ticket is made, its session is the one of this connection, as in OpenSSL. */
  making<T>(session: Session, make: () => Awaitable<T>): Awaitable<T> {
    this.#making = session;
    const done = () => {
      this.#making = undefined;
    };
    try {
      const answer = make();
      if (isPromise(answer)) return Promise.resolve(answer).finally(done);
      done();
      return answer;
    } catch (error) {
      done();
      throw error;
    }
  }

  get #isClean(): boolean {
    return (this.#shutdown & SSL_SENT_SHUTDOWN) !== 0;
  }

  /** @throws Error where it is not for this object to run the connection, or not any more */
  #requireOwn(): { driver: Driver<ServerConnection> | undefined } {
    if (this.#own === undefined) throw new Error('a shell runs this connection: use its socket');
    if (this.#isFreed) throw new Error('this connection has been freed');
    return this.#own;
  }

  /** Starts the handshake, the first time. */
  #driver(): Driver<ServerConnection> {
    const own = this.#requireOwn();
    if (own.driver !== undefined) return own.driver;
    const config = this.#ctx.configFor(this.settings);
    const connection = new ServerConnection(config, { addresses: this.#options.addresses });
    const driver = new Driver(connection, this.#shell, config.lookupTimeoutMs);
    own.driver = driver;
    this.#connection = connection;
    attached.set(connection, this);
    return driver;
  }

  #sendTickets(driver: Driver<ServerConnection>): void {
    for (; this.#ticketsDue > 0 && driver.connection.canWrite; this.#ticketsDue--) {
      driver.run(() => driver.connection.sendTicket());
    }
  }

  get #shell() {
    return {
      send: (output: Uint8Array) => {
        if (this.#options.send === undefined) this.#output.push(output);
        else this.#options.send(output);
      },
      attend: (event: Event) => this.#attend(event),
      ready: () => this.#resume(),
      crash: (error: unknown) => {
        throw error;
      },
    };
  }

  #attend(event: Event): void {
    if (event.type === 'data') this.#input.push(event.data);
    else if (event.type === 'end') this.#shutdown |= SSL_RECEIVED_SHUTDOWN;
    else if (event.type === 'failed') this.#isBroken = true;
    if (event.type !== 'data') this.#options.attend?.(event);
  }

  #end(): void {
    this.#ticketsDue = 0;
    this.#waiting.clear();
    this.#isEofDue = false;
    const driver = this.#own?.driver;
    if (driver === undefined) return;
    driver.run(() => driver.connection.dispose(this.#isClean));
    if (this.#own !== undefined) this.#own.driver = undefined;
  }

  #dropKept(): void {
    this.#kept?.free();
    this.#kept = undefined;
  }
}
