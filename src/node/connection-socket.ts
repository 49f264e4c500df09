/** A TLS connection of either role as a Node stream: application data in and out, back-pressure both ways. */

import { Buffer } from 'node:buffer';
import type { Duplex } from 'node:stream';
import { isInstance } from '../awaitable.ts';
import type { ConnectionCore } from '../engine/core.ts';
import { Driver, type Shell } from '../engine/driver.ts';
import type { Event, Step } from '../engine/events.ts';
import type { EarlyDataStatus } from '../handshake/outcome.ts';
import { platform, type Timer, throwLater } from '../platform.ts';
import type { Session } from '../sessions/session.ts';
import { DEFAULT_HANDSHAKE_TIMEOUT_MS, handshakeTimedOut, startTimer } from '../web/time-limit.ts';
import { ByteQueue } from '../wire/byte-queue.ts';
import { DuplexSocket } from './duplex-socket.ts';
import type { TlsEvent } from './events.ts';
import { type EphemeralKeyInfo, opensslCipherName, opensslGroup } from './openssl-names.ts';
import type { ServerSocketOptions } from './options.ts';
import { type Callback, Outbox } from './outbox.ts';

/** Bytes of application data encrypted at a time. The next piece follows when the transport has accepted the last. */
const PIECE = 65536;

/** A connection of either role, as far as a {@link ConnectionSocket} shows and runs it. */
export interface SocketConnection extends ConnectionCore {
  readonly resumption: { readonly resumed: boolean };
  readonly session: Session | undefined;
  readonly serverName: string | undefined;
}

/** What {@link TlsSocket} and {@link TlsClientSocket} have in common. */
export abstract class ConnectionSocket<C extends SocketConnection> extends DuplexSocket {
  /** Always true, as in node:tls. */
  readonly encrypted = true;
  #driver!: Driver<C>;
  readonly #outbox = new Outbox();
  #handshakeTimer: Timer | undefined;
  #isSecure = false;
  /** Early data, until the handshake is complete or the application wants to read it before. */
  readonly #early = new ByteQueue();
  #readsEarlyData = false;
  #isReadableFull = false;
  #hasEnded = false;
  #isTruncated = false;
  #isLeaving = false;
  #isSending = false;
  /** Whether the transport has bytes that came while a question was open. Until then its end would show. */
  #hasGivenBack = false;
  /** An end of the transport that came while a question was open: what was received before it has yet to be processed. */
  #dueEnd: 'end' | 'close' | undefined;
  #final: Callback | undefined;
  #bytesRead = 0;
  #bytesWritten = 0;

  /** @internal Whom the connection is with, for messages. */
  protected abstract get peer(): 'client' | 'server';
  /** @internal Emits that the handshake is complete. */
  protected abstract emitSecure(): void;

  /** @internal Emits what only one role has an event for. */
  protected emitOwn(_event: TlsEvent): void {}

  /** @internal Runs a connection over the transport. It is called once, by the constructor of the role. */
  protected start(connection: C, lookupTimeoutMs: number, options: ServerSocketOptions): void {
    const shell: Shell = {
      send: (output, isData) => this.#send(output, isData),
      attend: (event) => this.#attend(event),
      defer: ({ promise }) => {
        if (options.isAwaited?.(promise)) this.transport.hold(promise);
      },
      crash: (error) => this.#crash(error),
      ready: () => this.#goOn(),
    };
    this.#driver = new Driver(connection, shell, lookupTimeoutMs);
    this.#limitHandshake(options.handshakeTimeout ?? DEFAULT_HANDSHAKE_TIMEOUT_MS);
    this.#listen(this.transport.duplex);
  }

  #listen(transport: Duplex): void {
    if (this.transport.isOver) process.nextTick(() => this.#transportClosed());
    transport.on('data', (input: Uint8Array) => this.#receive(input));
    transport.on('drain', () => this.#regulate());
    transport.on('end', () => this.#transportEnded());
    transport.on('error', (error) => this.#transportFailed(error));
    transport.on('close', () => this.#transportClosed());
    this.#regulate(); // it may have been paused
  }

  /** The connection that this socket runs. Use only its getters: the output that its methods return would not be sent. */
  get connection(): C {
    return this.#driver.connection;
  }

  /** Whether the connection resumed a session, by which mechanism, and if not, why not. Final once 'secure' is emitted. */
  get resumption(): C['resumption'] {
    return this.connection.resumption;
  }

  /** The current session, valid until the socket is closed; upRef() keeps it longer. */
  get session(): Session | undefined {
    return this.connection.session;
  }

  /** The negotiated protocol; `false`, as in node:tls, if there is none. */
  get alpnProtocol(): string | false {
    return this.connection.alpnProtocol ?? false;
  }

  /** Whether the transport ended without the peer's close_notify, so that data may be missing (RFC 9846 §6.1). */
  get isTruncated(): boolean {
    return this.#isTruncated;
  }

  /** Bytes of application data received so far. */
  get bytesRead(): number {
    return this.#bytesRead;
  }

  /** Bytes of application data encrypted so far. */
  get bytesWritten(): number {
    return this.#bytesWritten;
  }

  /** The version; `null` before it is negotiated. */
  getProtocol(): 'TLSv1.2' | 'TLSv1.3' | null {
    return this.connection.version ?? null;
  }

  /** As in node:tls: the suite's OpenSSL name, its IANA name, and the version; `undefined` before they are negotiated. */
  getCipher(): { name: string; standardName: string; version: 'TLSv1.2' | 'TLSv1.3' } | undefined {
    const { cipherSuite, version } = this.connection;
    if (cipherSuite === undefined || version === undefined) return undefined;
    return { name: opensslCipherName(cipherSuite), standardName: cipherSuite, version };
  }

  /** The group of this handshake by its OpenSSL name; `null` if there was none (a TLS 1.2 resumption, psk_ke). */
  getEphemeralKeyInfo(): EphemeralKeyInfo | null {
    const { group } = this.connection;
    return group === undefined ? null : opensslGroup(group);
  }

  /** Whether the client has sent early data, and what has become of it (RFC 9846 §2.3). */
  get earlyData(): EarlyDataStatus {
    return this.connection.earlyData;
  }

  isSessionReused(): boolean {
    return this.resumption.resumed;
  }

  /**
   * Exports keying material (RFC 9846 §7.5, RFC 5705): `length` bytes, 1 to 8160. In TLS 1.2 no context and an empty one differ.
   * @throws Error before the handshake is complete and after the end; RangeError for an impossible length or label
   */
  exportKeyingMaterial(length: number, label: string, context?: Uint8Array): Buffer {
    return Buffer.from(this.connection.exportKeyingMaterial(length, label, context));
  }

  /**
   * TLS 1.3: replaces the key that we write under; with `requestPeer` asks the peer to replace its own, too (RFC 9846 §4.7.3). The
   * connection replaces keys by itself before they have protected too much.
   * @throws Error in TLS 1.2, before 'secure', and after end()
   */
  updateKeys(requestPeer = false): void {
    this.run(this.connection.updateKeys(requestPeer));
  }

  /** @internal Processes the result of a call on the connection. */
  protected run(step: Step): void {
    this.#driver.run(() => step);
  }

  /** Calls end(), and closes once everything has been sent. Data that the peer still sends is discarded. */
  destroySoon(): void {
    if (!this.writableEnded) this.end();
    const leave = () => {
      this.#isLeaving = true;
      this.destroy();
    };
    if (this.writableFinished) leave();
    else this.once('finish', leave);
  }

  override _read(): void {
    this.#isReadableFull = false;
    if (this.#readsEarlyData) this.#releaseEarlyData();
    this.#regulate();
  }

  /** @internal */
  override _write(data: Buffer, _encoding: BufferEncoding, callback: Callback): void {
    this.#outbox.put([data], callback);
    this.#pump();
  }

  /** @internal */
  override _writev(chunks: readonly { readonly chunk: Buffer }[], callback: Callback): void {
    this.#outbox.put(
      chunks.map(({ chunk }) => chunk),
      callback,
    );
    this.#pump();
  }

  /** @internal */
  override _final(callback: Callback): void {
    this.#final = callback;
    if (this.#isSecure) this.#finish();
  }

  /** @internal */
  override _destroy(error: Error | null, callback: Callback): void {
    this.#early.clear();
    platform.clearTimeout(this.#handshakeTimer);
    this.idle.stop();
    try {
      this.#driver.run(() => this.connection.dispose());
    } catch (thrown) {
      throwLater(thrown); // a listener's: neither the transport may stay open for it, nor may it replace `error`
    }
    if (this.#isLeaving) this.connection.whenSent(() => this.transport.leave());
    else this.transport.destroy();
    if (this.#outbox.isPending) this.#outbox.finish(error ?? closedError());
    callback(error);
    process.nextTick(emitClose, this, error !== null); // behind 'error'
  }

  #send(output: Uint8Array, isData: boolean): void {
    this.idle.touch();
    if (!isData && this.idle.ms === 0) return this.transport.write(output);
    this.transport.write(output, () => {
      this.idle.touch();
      if (isData) this.#pieceSent();
    });
  }

  #receive(input: Uint8Array): void {
    if (this.destroyed) return;
    this.idle.touch();
    if (this.#driver.isWaiting) {
      this.#hasGivenBack = true;
      return this.transport.giveBack(input);
    }
    try {
      this.#driver.receive(input);
    } finally {
      this.#regulate(); // even if a listener has thrown
    }
  }

  #attend(event: Event): void {
    if (event.type === 'data') return this.#receiveData(event.data, event.early);
    if (event.type === 'deferred') return; // the driver attends to it
    if (event.type === 'keylog') return void this.emit('keylog', Buffer.from(`${event.line}\n`));
    try {
      this.emit('tlsEvent', event);
    } finally {
      this.#act(event); // even if a listener has thrown: the connection has come to this state all the same
    }
  }

  #act(event: TlsEvent): void {
    if (event.type === 'callback-error') this.emit('callbackError', event.error, event.callback);
    this.emitOwn(event);
    if (this.destroyed) return;
    if (event.type === 'established') this.#secure();
    else if (event.type === 'end') this.#receiveEnd();
    else if (event.type === 'failed') {
      this.#isLeaving = true;
      this.destroy(event.error);
    }
  }

  #receiveData(data: Uint8Array, isEarly = false): void {
    if (this.destroyed) return;
    if (isEarly && (!this.#readsEarlyData || this.#isReadableFull)) return this.#early.push(data); // as much as the ticket allows
    this.#bytesRead += data.length;
    this.#isReadableFull = !this.push(data);
  }

  /**
   * Has `readable` give early data before the handshake is complete, and lets writes go out, too (RFC 9846 §2.3). It is for a listener
   * of 'earlyData'; without it the data comes once the handshake is complete, when nobody can be replaying it. Until
   * `connection.isEstablished`, act only on what may come twice (RFC 9846 §8, RFC 8470).
   */
  readEarlyData(): this {
    this.#readsEarlyData = true;
    this.#releaseEarlyData();
    this.#pump();
    return this;
  }

  /** Whether {@link readEarlyData} has been called. */
  get readsEarlyData(): boolean {
    return this.#readsEarlyData;
  }

  /** Behind 'secure', which no listener of 'data' may prevent. */
  #releaseHeldData(): void {
    try {
      this.#releaseEarlyData();
    } catch (error) {
      throwLater(error);
    }
  }

  #releaseEarlyData(): void {
    if (this.#early.length > 0) this.#receiveData(this.#early.take(this.#early.length));
  }

  #receiveEnd(): void {
    if (this.#isSecure) this.#endReading();
    else this.destroy(lostHandshake(`the ${this.peer} has closed the connection`));
  }

  #secure(): void {
    platform.clearTimeout(this.#handshakeTimer);
    this.#isSecure = true;
    try {
      this.emitSecure();
    } finally {
      this.#releaseHeldData();
      this.#pump();
      if (this.#final !== undefined && !this.destroyed) this.#finish();
    }
  }

  /** Encrypts the next piece of the data that waits. */
  #pump(): void {
    if (this.#isSending || !this.#outbox.isPending || this.destroyed) return;
    const isEarly = !this.#isSecure;
    if (isEarly && !(this.#readsEarlyData && this.connection.earlyRoom > 0)) return;
    if (!(isEarly || this.connection.canWrite) || this.transport.isClosedForWriting)
      return this.#outbox.finish(closedError());
    const piece = this.#outbox.take(isEarly ? Math.min(PIECE, this.connection.earlyRoom) : PIECE);
    this.#bytesWritten += piece.length;
    this.#isSending = true;
    const sent = isEarly ? this.#driver.writeEarlyData(piece) : this.#driver.write(piece);
    if (sent === 0) this.#pieceSent(); // it was empty: no callback of the transport follows
  }

  #pieceSent(): void {
    this.#isSending = false;
    if (this.#outbox.isEmpty) this.#outbox.finish();
    this.#pump();
  }

  /** Sends close_notify and half-closes the transport. The peer may go on. */
  #finish(): void {
    const callback = this.#final;
    this.#final = undefined;
    this.#driver.run(() => this.connection.end());
    const isClosing = this.readableEnded;
    const ended = (error?: Error) => {
      if (error === undefined || this.#hasAll) callback?.(); // otherwise an 'error' follows
    };
    this.connection.whenSent(() => this.transport.end(ended, isClosing));
  }

  /** Reads from the transport while the application wants data, no question keeps bytes waiting, and the transport takes our output. */
  #regulate(): void {
    if (this.destroyed) return;
    const isWanted = !this.#isReadableFull || !this.#isSecure; // the rest of the handshake comes behind early data
    this.transport.flow(isWanted && !this.#hasGivenBack && !this.transport.isFlooded);
  }

  /** Goes on when no question is open any more: reads, or handles the end that the transport has come to meanwhile. */
  #goOn(): void {
    this.#hasGivenBack = false;
    this.#regulate();
    const due = this.#dueEnd;
    this.#dueEnd = undefined;
    if (due === 'end') this.#transportEnded();
    else if (due === 'close') this.#transportClosed();
  }

  /**
   * Ends `readable`. The transport is still read, because only then is its end seen. As net.Socket does, it reads nothing once: an
   * application that does not read has the 'end', too, unless data is left that it has not read.
   */
  #endReading(): void {
    this.#hasEnded = true;
    this.push(null);
    this.read(0);
    this.#isReadableFull = false;
    this.#regulate();
  }

  /** Handles the end of the transport, which is a truncation unless a close_notify came before. */
  #transportEnded(): void {
    if (this.destroyed) return;
    if (this.#hasEnded) return this.#driver.run(() => this.connection.transportEnded());
    // In a handshake that wants more of the peer no answer is of use any more: that withdraws its question.
    if (this.#driver.isWaiting && !this.#isSecure) this.#driver.run(() => this.connection.transportEnded());
    if (this.destroyed) return;
    if (this.#driver.isWaiting) {
      this.#dueEnd ??= 'end';
      return;
    }
    if (!this.#isSecure) return void this.destroy(lostHandshake(`the ${this.peer} has disconnected`));
    this.#isTruncated = true;
    this.#driver.run(() => this.connection.transportEnded());
    this.#endReading();
  }

  /** Whether all that the peer has to say is here, up to its close_notify. */
  get #hasAll(): boolean {
    return this.#hasEnded && !this.#isTruncated;
  }

  /**
   * Fails, unless the peer has said its last: it may close, and so reset a TCP connection, without having read our close_notify, which
   * RFC 9846 §6.1 allows. What was being written then still fails.
   */
  #transportFailed(error: Error): void {
    if (this.#hasAll) this.#transportClosed();
    else this.destroy(error);
  }

  /** Handles the transport's 'close'. Data that has been received can still be read. */
  #transportClosed(): void {
    if (this.destroyed) return;
    if (this.#driver.isWaiting) {
      this.#dueEnd = 'close';
      return;
    }
    this.#transportEnded();
    if (this.destroyed) return;
    if (this.#isSending) this.#outbox.finish(closedError());
    if (this.readableEnded) return void this.end();
    this.once('end', () => this.end());
  }

  #crash(error: unknown): void {
    this.#isLeaving = true;
    this.destroy(isInstance(error, Error) ? error : new Error('the connection failed', { cause: error }));
  }

  #limitHandshake(ms: number): void {
    if (ms === 0) return;
    const late = () => this.destroy(handshakeTimedOut(ms));
    this.#handshakeTimer = startTimer(late, ms);
  }
}

function emitClose(socket: Duplex, hadError: boolean): void {
  socket.emit('close', hadError);
}

function coded(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}

/** The error that node:net reports for a lost connection. */
function lostHandshake(what: string): Error {
  return coded('ECONNRESET', `${what} in the handshake`);
}

function closedError(): Error {
  return coded('EPIPE', 'the connection has ended under what was being written');
}
