/** The server's end of a TLS connection as a Node stream: application data in and out, back-pressure both ways. */

import { Buffer } from 'node:buffer';
import type { Duplex } from 'node:stream';
import { Driver, type Shell } from '../engine/driver.ts';
import type { Event } from '../engine/events.ts';
import type { ServerConfig } from '../engine/server/config.ts';
import { ServerConnection } from '../engine/server/server-connection.ts';
import type { Resumption } from '../handshake/outcome.ts';
import type { Session } from '../sessions/session.ts';
import { DuplexSocket } from './duplex-socket.ts';
import type { Listen, TlsSocketEvents } from './events.ts';
import { type EphemeralKeyInfo, opensslCipherName, opensslGroup } from './openssl-names.ts';
import type { ServerSocketOptions } from './options.ts';
import { type Callback, Outbox } from './outbox.ts';

/** How much application data is encrypted at a time, once the transport has dealt with what went before. */
const PIECE = 65536;
const DEFAULT_HANDSHAKE_TIMEOUT_MS = 120_000;

/**
 * A TLS connection over any Duplex, which belongs to it from here on; see {@link TlsSocketEvents} for its events.
 *
 * What is written before the handshake is complete goes out when it is. A write is called back when the transport has dealt
 * with it. end() sends close_notify and half-closes; destroy() closes at once, without a word to the peer. After a fatal
 * alert the peer gets a moment to read it.
 */
export class TlsSocket extends DuplexSocket {
  declare addListener: Listen<TlsSocketEvents, this>;
  declare on: Listen<TlsSocketEvents, this>;
  declare once: Listen<TlsSocketEvents, this>;
  declare prependListener: Listen<TlsSocketEvents, this>;
  declare prependOnceListener: Listen<TlsSocketEvents, this>;
  declare off: Listen<TlsSocketEvents, this>;
  declare removeListener: Listen<TlsSocketEvents, this>;

  /** Always true, as in node:tls. */
  readonly encrypted = true;
  readonly #driver: Driver<ServerConnection>;
  readonly #outbox = new Outbox();
  #handshakeTimer: NodeJS.Timeout | undefined;
  #isSecure = false;
  #isReadableFull = false;
  #hasEnded = false;
  #isTruncated = false;
  #isLeaving = false;
  #isSending = false;
  #final: Callback | undefined;
  #bytesRead = 0;
  #bytesWritten = 0;

  /** For {@link accept} and the server: `config` is made by defineServer(). */
  constructor(transport: Duplex, config: ServerConfig, options: ServerSocketOptions = {}) {
    super(transport, options.allowHalfOpen ?? false);
    const connection = new ServerConnection(config, {
      addresses: () => this.transport.addresses,
      wantsKeylog: () => this.listenerCount('keylog') > 0,
    });
    const shell: Shell = {
      send: (output, isData) => this.#send(output, isData),
      attend: (event) => this.#attend(event),
      defer: ({ promise }) => {
        if (options.isAwaited?.(promise)) this.transport.hold(promise);
      },
      crash: (error) => this.#crash(error),
      ready: () => this.#regulate(),
    };
    this.#driver = new Driver(connection, shell, config.lookupTimeoutMs);
    this.#limitHandshake(options.handshakeTimeout ?? DEFAULT_HANDSHAKE_TIMEOUT_MS);
    this.#listen(transport);
  }

  #listen(transport: Duplex): void {
    if (this.transport.isOver) process.nextTick(() => this.#transportClosed());
    transport.on('data', (input: Uint8Array) => this.#receive(input));
    transport.on('drain', () => this.#regulate());
    transport.on('end', () => this.#transportEnded());
    transport.on('error', (error) => this.destroy(error));
    transport.on('close', () => this.#transportClosed());
    this.#regulate(); // it may have been paused
  }

  /** The connection itself. It is run by this socket: look at it, but call only its getters. */
  get connection(): ServerConnection {
    return this.#driver.connection;
  }

  /** Whether the connection resumed a session, from what, and if not, why not. Settled from 'secure' on. */
  get resumption(): Resumption {
    return this.connection.resumption;
  }

  /** The current session, lent until the socket is closed: take a hold with upRef() to keep it. */
  get session(): Session | undefined {
    return this.connection.session;
  }

  /** Whether the client has shown a certificate that `clientAuth.verifyClient` has accepted, now or when its session was made. */
  get authorized(): boolean {
    return this.peerCertificate !== undefined;
  }

  /** The client's own certificate, DER: from this handshake or, where it resumed, from the full one that its session goes back to. */
  get peerCertificate(): Uint8Array | undefined {
    return this.connection.peerCertificate;
  }

  /** As in node:tls: false where none was negotiated. */
  get alpnProtocol(): string | false {
    return this.connection.alpnProtocol ?? false;
  }

  /** As in node:tls: false where the client sent none. */
  get servername(): string | false {
    return this.connection.serverName ?? false;
  }

  /** Whether the transport ended without the peer's close_notify: what was read may be only a part (RFC 8446 §6.1). */
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

  /** `null` before it is negotiated. */
  getProtocol(): 'TLSv1.2' | 'TLSv1.3' | null {
    return this.connection.version ?? null;
  }

  /** The suite under OpenSSL's and under IANA's name, and the protocol version, as in node:tls. */
  getCipher(): { name: string; standardName: string; version: 'TLSv1.2' | 'TLSv1.3' } | undefined {
    const { cipherSuite, version } = this.connection;
    if (cipherSuite === undefined || version === undefined) return undefined;
    return { name: opensslCipherName(cipherSuite), standardName: cipherSuite, version };
  }

  /** The group of this handshake under OpenSSL's name; `null` where there was none (a TLS 1.2 resumption, psk_ke). */
  getEphemeralKeyInfo(): EphemeralKeyInfo | null {
    const { group } = this.connection;
    return group === undefined ? null : opensslGroup(group);
  }

  isSessionReused(): boolean {
    return this.resumption.resumed;
  }

  /**
   * RFC 8446 §7.5, RFC 5705.
   * @throws Error before the handshake is complete and after the end; RangeError for an impossible length or label
   */
  exportKeyingMaterial(length: number, label: string, context?: Uint8Array): Buffer {
    return Buffer.from(this.connection.exportKeyingMaterial(length, label, context));
  }

  /**
   * TLS 1.3: gives the client one more ticket, see {@link ServerConnection.sendTicket}; with `tickets.timing` 'manual' there
   * are no others. Nothing comes of it once the connection is over. @throws Error in TLS 1.2, before 'secure', and where
   * `tickets.mode` is 'off'
   */
  sendTicket(): void {
    const step = this.connection.sendTicket();
    this.#driver.run(() => step);
  }

  /** end(), and then closes for good, but so that the peer gets everything; what it still sends is thrown away. */
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
    this.#regulate();
  }

  override _write(data: Buffer, _encoding: BufferEncoding, callback: Callback): void {
    this.#outbox.put([data], callback);
    this.#pump();
  }

  override _writev(chunks: readonly { readonly chunk: Buffer }[], callback: Callback): void {
    this.#outbox.put(
      chunks.map(({ chunk }) => chunk),
      callback,
    );
    this.#pump();
  }

  override _final(callback: Callback): void {
    this.#final = callback;
    if (this.#isSecure) this.#finish();
  }

  override _destroy(error: Error | null, callback: Callback): void {
    clearTimeout(this.#handshakeTimer);
    this.idle.stop();
    try {
      this.#driver.run(() => this.connection.dispose());
    } finally {
      // Whatever a listener of 'tlsEvent' throws: the transport must not stay behind.
      if (this.#isLeaving) this.transport.leave();
      else this.transport.destroy();
      if (this.#outbox.isPending) this.#outbox.settle(error ?? closedError());
    }
    callback(error);
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
    if (this.#driver.receive(input)) this.#regulate();
    else this.transport.giveBack(input); // it was in flight when a question was opened
  }

  #attend(event: Event): void {
    if (event.type === 'data') return this.#receiveData(event.data);
    if (event.type === 'keylog') return void this.emit('keylog', Buffer.from(`${event.line}\n`));
    this.emit('tlsEvent', event);
    if (event.type === 'callback-error') this.emit('callbackError', event.error, event.callback);
    if (this.destroyed) return;
    if (event.type === 'established') this.#secure();
    else if (event.type === 'end') this.#receiveEnd();
    else if (event.type === 'failed') {
      this.#isLeaving = true;
      this.destroy(event.error);
    }
  }

  #receiveData(data: Uint8Array): void {
    if (this.destroyed) return;
    this.#bytesRead += data.length;
    this.#isReadableFull = !this.push(data);
  }

  #receiveEnd(): void {
    if (this.#isSecure) this.#endReading();
    else this.destroy(lostHandshake('the client has closed the connection'));
  }

  #secure(): void {
    clearTimeout(this.#handshakeTimer);
    this.#isSecure = true;
    this.emit('secure');
    this.#pump();
    if (this.#final !== undefined) this.#finish();
  }

  /** Encrypts the next piece of what waits. */
  #pump(): void {
    if (!this.#isSecure || this.#isSending || !this.#outbox.isPending || this.destroyed) return;
    if (!this.connection.canWrite || this.transport.isClosedForWriting) return this.#outbox.settle(closedError());
    const piece = this.#outbox.take(PIECE);
    this.#bytesWritten += piece.length;
    this.#isSending = true;
    if (this.#driver.write(piece) === 0) this.#pieceSent(); // it was empty: no callback of the transport follows
  }

  #pieceSent(): void {
    this.#isSending = false;
    if (this.#outbox.isEmpty) this.#outbox.settle();
    this.#pump();
  }

  /** close_notify, and then the end of the transport's direction: the peer may go on. */
  #finish(): void {
    const callback = this.#final;
    this.#final = undefined;
    this.#driver.run(() => this.connection.end());
    this.transport.end(() => callback?.(), this.readableEnded);
  }

  /** Reads while somebody wants what comes, nothing is being waited for, and our answers find their way out. */
  #regulate(): void {
    if (this.destroyed) return;
    this.transport.flow(!this.#isReadableFull && !this.#driver.isWaiting && !this.transport.isFlooded);
  }

  /** Nothing more will come. The transport is read on, as only so its end is seen. */
  #endReading(): void {
    this.#hasEnded = true;
    this.push(null);
    this.#isReadableFull = false;
    this.#regulate();
  }

  /** The transport has ended: after a close_notify that is as it should be. */
  #transportEnded(): void {
    if (this.destroyed || this.#hasEnded) return;
    if (!this.#isSecure) return void this.destroy(lostHandshake('the client has disconnected'));
    this.#isTruncated = true;
    this.#driver.run(() => this.connection.transportEnded());
    this.#endReading();
  }

  /** What has been received may still be read; then there is nothing more to do. */
  #transportClosed(): void {
    if (this.destroyed) return;
    this.#transportEnded();
    if (this.#isSending) this.#outbox.settle(closedError());
    if (this.readableEnded) return void this.end();
    this.once('end', () => this.end());
    // Nothing to read, and nobody who would: an application that has only written is done.
    if (this.writableEnded && this.readableLength === 0 && this.readableFlowing === null) this.resume();
  }

  #crash(error: unknown): void {
    this.#isLeaving = true;
    this.destroy(error instanceof Error ? error : new Error('the connection failed', { cause: error }));
  }

  #limitHandshake(ms: number): void {
    if (ms === 0) return;
    const late = () => this.destroy(coded('ERR_TLS_HANDSHAKE_TIMEOUT', `no handshake within ${ms} ms`));
    this.#handshakeTimer = setTimeout(late, ms).unref();
  }
}

function coded(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}

/** As node:net reports it. */
function lostHandshake(what: string): Error {
  return coded('ECONNRESET', `${what} in the handshake`);
}

function closedError(): Error {
  return coded('EPIPE', 'the connection has ended under what was being written');
}
