/** The part of an SSL without callbacks: bytes in and out, the life cycle of one connection, and its session. */

import { type Awaitable, isPromise } from '../awaitable.ts';
import { callback } from '../engine/checks.ts';
import { Driver } from '../engine/driver.ts';
import type { Event } from '../engine/events.ts';
import { setKeyTimer } from '../engine/key-timer.ts';
import type { ServerConfig } from '../engine/server/config.ts';
import { type ConnectionOptions, ServerConnection } from '../engine/server/server-connection.ts';
import type { Session } from '../sessions/session.ts';
import { ByteQueue } from '../wire/byte-queue.ts';
import { concat } from '../wire/bytes.ts';
import { requireBytes } from '../wire/kind-of.ts';
import { type Names, requireObject, requireOptions } from '../wire/options.ts';
import { requireInt } from './callbacks.ts';
import {
  SSL_EARLY_DATA_ACCEPTED,
  SSL_EARLY_DATA_NOT_SENT,
  SSL_EARLY_DATA_REJECTED,
  SSL_OP_IGNORE_UNEXPECTED_EOF,
  SSL_READ_EARLY_DATA_ERROR,
  SSL_READ_EARLY_DATA_FINISH,
  SSL_READ_EARLY_DATA_SUCCESS,
  SSL_RECEIVED_SHUTDOWN,
  SSL_SENT_SHUTDOWN,
} from './constants.ts';
import { type Copied, CopiedSettings } from './copied-settings.ts';

/** The options of an {@link Ssl}. */
export interface SslOptions {
  /** Called with the bytes for the peer, as they are produced. Without it they wait for {@link Ssl.take}. */
  readonly send?: ((output: Uint8Array) => void) | undefined;
  /** Called with every event but application data. */
  readonly attend?: ((event: Event) => void) | undefined;
  /** Addresses of both ends, for callbacks. */
  readonly addresses?: ConnectionOptions['addresses'] | undefined;
}

const OPTIONS = { send: true, attend: true, addresses: true } satisfies Names<SslOptions>;

/** @throws TypeError naming the option; the connection checks the addresses */
export function requireSslOptions(options: SslOptions): void {
  requireOptions('options', options, OPTIONS);
  callback('send', options.send);
  callback('attend', options.attend);
}

/** The part of a context that a connection uses. */
interface ConnectionContext<S> {
  readonly copied: Copied<S>;
  configFor(copied: Copied<S>): ServerConfig;
  upRef(): unknown;
  free(): void;
}

/**
 * Callers of {@link SslConnection.receive} have no flow control: like a memory BIO, it has no way to say "not now". Without a limit
 * a peer could fill the memory of a server whose callback does not answer. This one is the default of a MessagePort, far more than
 * a peer sends during a lookup.
 */
const MAX_WAITING = 16 * 1024 * 1024;

/** The object that stands for a connection in callbacks, always the same one. */
export const attached = new WeakMap<ServerConnection, object>();

/** What an {@link Ssl} does with its connection: bytes in and out, the handshake, and the end. */
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
  /** Early data, which may be a replay until the handshake is complete. */
  readonly #early = new ByteQueue();
  /** Whether more of it may come; 'told' if readEarlyData() has said that none will. */
  #earlyState: 'open' | 'over' | 'told' = 'open';
  #mayBeReplay = true;
  /** Bytes of the peer that have come while a callback had not answered. */
  readonly #waiting = new ByteQueue();
  #isEofDue = false;
  #shutdown = 0;
  #isBroken = false;
  #isFreed = false;
  /** The session of the connection before SSL_clear(3). */
  #kept: Session | undefined;

  /** @internal */
  protected constructor(ctx: ConnectionContext<S>, options: SslOptions, connection: ServerConnection | undefined) {
    super(ctx.copied);
    this.#ctx = ctx;
    this.#options = options;
    this.#connection = connection;
    this.#own = connection === undefined ? { driver: undefined } : undefined;
    if (this.#own !== undefined) ctx.upRef();
    else if (connection !== undefined) attached.set(connection, this);
  }

  /** The connection below; `undefined` before the handshake starts. Use only its getters. */
  get connection(): ServerConnection | undefined {
    return this.#connection;
  }

  /**
   * SSL_accept(3). Starts the handshake, as {@link receive} does, and from then on the connection is counted. After the handshake it
   * sends tickets that are due.
   */
  accept(): void {
    this.#sendTickets(this.#driver());
  }

  /**
   * Takes in bytes from the peer, in any chunking. They are copied.
   * @throws RangeError if more than 16 MiB would wait for the answer of a callback; `input` is not taken then
   */
  receive(input: Uint8Array): void {
    requireBytes('receive()', input);
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

  /**
   * Reports the end of the transport. Without the peer's close_notify it is an error, unless SSL_OP_IGNORE_UNEXPECTED_EOF is set.
   * It takes effect after bytes that still wait for the answer of a callback. If none wait, and the handshake still wants some, it ends
   * at once: no answer can be of use.
   */
  receiveEof(): void {
    const waiting = this.#own?.driver;
    if (waiting?.isWaiting || this.#waiting.length > 0) {
      this.#isEofDue = true;
      const { connection } = waiting ?? {};
      const maySave = this.settings.options & SSL_OP_IGNORE_UNEXPECTED_EOF || this.#waiting.length > 0;
      if (connection?.isEstablished === false && !maySave) waiting?.run(() => connection.transportEnded());
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

  /** Returns the bytes for the peer since the last call; none if the option `send` takes them. */
  take(): Uint8Array {
    return concat(...this.#output.splice(0));
  }

  /**
   * SSL_read(3). Returns the application data received since the last call, or `null`. Early data that nobody has read by
   * {@link readEarlyData} is among it once the handshake is complete: then it can be no replay.
   */
  read(): Uint8Array | null {
    const early = this.#early.take(this.#mayBeReplay ? 0 : this.#early.length);
    const data = concat(early, ...this.#input.splice(0));
    return data.length === 0 ? null : data;
  }

  /**
   * SSL_read_early_data(3). Starts the handshake, as {@link receive} does. Returns
   * - SSL_READ_EARLY_DATA_SUCCESS, with what has come since the last call in `read.value`. **It may be a replay**, and nobody has proved to
   *   be the client. Call again, for more;
   * - SSL_READ_EARLY_DATA_FINISH, once, when there is no more: early data was rejected, or the handshake is complete. Go on with {@link read};
   * - SSL_READ_EARLY_DATA_ERROR while nothing has come: call again after the next {@link receive}. Also after FINISH, and after a failure.
   */
  readEarlyData(read: { value: Uint8Array | null }): number {
    requireObject('readEarlyData(read)', read);
    this.#driver();
    read.value = null;
    if (this.#early.length > 0) {
      read.value = this.#early.take(this.#early.length);
      return SSL_READ_EARLY_DATA_SUCCESS;
    }
    if (this.#earlyState !== 'over' || this.#isBroken) return SSL_READ_EARLY_DATA_ERROR;
    this.#earlyState = 'told';
    return SSL_READ_EARLY_DATA_FINISH;
  }

  /**
   * SSL_write_early_data(3) of a server: sends data before the handshake is complete, once early data has been accepted. Whoever receives it
   * has not proved to be the client. Returns the number of bytes; −1 where that is not possible, and from the end of the handshake on.
   */
  writeEarlyData(data: Uint8Array): number {
    requireBytes('writeEarlyData()', data);
    const driver = this.#driver();
    if (driver.connection.earlyRoom < data.length || driver.connection.isEstablished) return -1;
    driver.writeEarlyData(data);
    return data.length;
  }

  /** SSL_get_early_data_status(3) */
  getEarlyDataStatus(): number {
    const { earlyData = 'none' } = this.#connection ?? {};
    if (earlyData === 'none') return SSL_EARLY_DATA_NOT_SENT;
    return earlyData === 'accepted' ? SSL_EARLY_DATA_ACCEPTED : SSL_EARLY_DATA_REJECTED;
  }

  /** SSL_write(3). Returns the number of bytes, or −1 before the handshake is complete and after the end. */
  write(data: Uint8Array): number {
    requireBytes('write()', data);
    const driver = this.#driver();
    if (!driver.connection.canWrite || this.#shutdown & SSL_SENT_SHUTDOWN) return -1;
    this.#sendTickets(driver);
    driver.write(data);
    return data.length;
  }

  /**
   * SSL_new_session_ticket(3). Returns 1, and sends one more ticket before the data of the next {@link write}, or with {@link accept}.
   * Returns 0 in TLS 1.2, before the handshake is complete, after the end, and if no ticket would go out: no sessions are issued or kept,
   * or the client has not offered a mode in which it could resume one.
   */
  newSessionTicket(): number {
    if (this.#own === undefined || !this.#connection?.canSendTicket || this.#shutdown & SSL_SENT_SHUTDOWN) return 0;
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

  /** SSL_get_session(3). Returns the session without a hold, or `null` before there is one. */
  getSession(): Session | null {
    return this.#making ?? this.#connection?.session ?? this.#kept ?? null;
  }

  /** SSL_get0_session(3): the same as {@link getSession}. */
  get0Session(): Session | null {
    return this.getSession();
  }

  /** SSL_get1_session(3). Returns the session with a hold, for the caller to `free()`. */
  get1Session(): Session | null {
    return this.getSession()?.upRef() ?? null;
  }

  /**
   * SSL_shutdown(3). Sends close_notify, unless shutdown is quiet. Returns 1 if both directions are closed, 0 if only ours is, and
   * −1 if the handshake is not complete or the connection has failed.
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

  /** SSL_set_shutdown(3). Sets the flags, and sends nothing. The end after a close_notify is clean even if its flag is cleared. */
  setShutdown(mode: number): void {
    requireInt('setShutdown()', mode);
    this.#shutdown = mode;
  }

  /** SSL_get_shutdown(3) */
  getShutdown(): number {
    return this.#shutdown;
  }

  /**
   * SSL_free(3). Gives back the reference to the context. Unless SSL_SENT_SHUTDOWN is set, the session of an established connection
   * leaves the cache, as `sessions.removeUnclean` says. @throws Error if it has been freed
   */
  free(): void {
    if (this.#isFreed) throw new Error('free() of a connection that has been freed');
    this.#isFreed = true; // before remove is called, which might free once more
    this.#end();
    this.#dropKept();
    if (this.#own !== undefined) this.#ctx.free();
  }

  /** SSL_clear(3). Ends the connection as {@link free} does, and is ready for another. A clean end keeps the session for getSession(). */
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

  /** SSL_get0_peer_certificate(3). Returns the client's own certificate in DER, from this handshake or the session, or `null`. */
  getPeerCertificate(): Uint8Array | null {
    return this.#connection?.peerCertificate ?? null;
  }

  /** Runs `make`, which makes a ticket. Until it is done, getSession() returns the session of the ticket, as in OpenSSL. */
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

  /** @throws Error if a shell runs the connection, or the connection has been freed */
  #requireOwn(): { driver: Driver<ServerConnection> | undefined } {
    if (this.#own === undefined) throw new Error('a shell runs this connection: use its socket');
    if (this.#isFreed) throw new Error('this connection has been freed');
    return this.#own;
  }

  /** Returns the driver. The first call starts the handshake. */
  #driver(): Driver<ServerConnection> {
    const own = this.#requireOwn();
    if (own.driver !== undefined) return own.driver;
    const config = this.#ctx.configFor(this.settings);
    const connection = new ServerConnection(config, { addresses: this.#options.addresses, keyTimer: setKeyTimer });
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
    if (event.type === 'data') (event.early ? this.#early : this.#input).push(event.data);
    else if (event.type === 'established') {
      this.#mayBeReplay = false;
      this.#earlyState = 'over';
    } else if (event.type === 'early-data' && event.status === 'rejected') this.#earlyState = 'over';
    else if (event.type === 'end') this.#shutdown |= SSL_RECEIVED_SHUTDOWN;
    else if (event.type === 'failed') {
      this.#isBroken = true;
      this.#early.clear(); // it does not count as held any more
    }
    if (event.type !== 'data') this.#options.attend?.(event);
  }

  #end(): void {
    this.#ticketsDue = 0;
    this.#waiting.clear();
    this.#early.clear();
    this.#earlyState = 'open';
    this.#mayBeReplay = true;
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
