/** The server's end of a TLS connection as a Node stream: application data in and out, back-pressure both ways. */

import { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import type { Session } from '../cache/session.ts';
import type { ServerConfig } from '../config.ts';
import type { ServerConnection } from '../connection.ts';
import { Driver } from '../driver.ts';
import type { CallbackName, Event } from '../events.ts';
import type { Resumption } from '../handshake/resumption.ts';
import { opensslName } from './cipher-names.ts';

export interface TlsSocketOptions {
  /** Whether our direction stays open when the peer has closed its own. Default false, as in node:net. */
  readonly allowHalfOpen?: boolean | undefined;
  /** Milliseconds for the handshake, default 120000; 0 for no limit. */
  readonly handshakeTimeout?: number | undefined;
}

/** How much application data is encrypted at a time: what waits for a slow transport is plaintext, which is not copied. */
const CHUNK = 65536;
/** How much of what the peer makes us answer may wait for it to read, before we read no more of it. */
const MAX_ANSWERS = 262144;
/** What is read and thrown away after a fatal alert, so that the peer gets to see it and no reset. */
const DRAIN_BYTES = 262144;
const DRAIN_MS = 1000;
const DEFAULT_HANDSHAKE_TIMEOUT = 120_000;

type Callback = (error?: Error | null) => void;

/**
 * A TLS connection over any Duplex. Emits 'secure' when the handshake is complete, 'keylog' (line: Buffer) and 'callbackError'
 * (error, name of the callback), besides the events of a stream; 'error' for a fatal alert, sent or received.
 */
export class TlsSocket extends Duplex {
  readonly encrypted = true;
  readonly authorized = false;
  readonly #driver: Driver;
  readonly #transport: Duplex;
  #isSecure = false;
  #isReadableFull = false;
  #pending: { data: Buffer; callback: Callback } | undefined;
  #final: Callback | undefined;
  #drained = 0;
  #isFailed = false;
  #handshakeTimer: NodeJS.Timeout | undefined;
  #idleTimer: NodeJS.Timeout | undefined;
  #idleMs = 0;

  constructor(transport: Duplex, config: ServerConfig, options: TlsSocketOptions = {}) {
    super({ allowHalfOpen: options.allowHalfOpen ?? false });
    this.#transport = transport;
    this.#driver = new Driver(
      config,
      {
        send: (output) => this.#send(output),
        attend: (event) => this.#attend(event),
        crash: (error) => this.#crash(error),
      },
      { addresses: addressesOf(transport) },
    );
    this.#driver.onReady = () => this.#regulate();
    this.#startHandshakeTimer(options.handshakeTimeout ?? DEFAULT_HANDSHAKE_TIMEOUT);
    transport.on('data', (input: Buffer) => this.#receive(input));
    transport.on('drain', () => this.#drain());
    transport.once('end', () => this.#transportEnd());
    transport.once('error', (error) => this.destroy(error));
    transport.once('close', () => this.destroy());
  }

  get connection(): ServerConnection {
    return this.#driver.connection;
  }

  /** Whether the connection resumed a session, from what, and if not, why not. */
  get resumption(): Resumption {
    return this.connection.resumption;
  }

  /** The current session, lent until the socket is closed. */
  get session(): Session | undefined {
    return this.connection.session;
  }

  /** As in node:tls: false where none was negotiated. */
  get alpnProtocol(): string | false {
    return this.connection.alpnProtocol ?? false;
  }

  /** As in node:tls: false where the client sent none. */
  get servername(): string | false {
    return this.connection.serverName ?? false;
  }

  getProtocol(): 'TLSv1.2' | 'TLSv1.3' | null {
    return this.connection.version ?? null;
  }

  /** The suite under OpenSSL's and under IANA's name, and the protocol version, as in node:tls. */
  getCipher(): { name: string; standardName: string; version: string } | undefined {
    const { cipherSuite, version } = this.connection;
    if (cipherSuite === undefined || version === undefined) return undefined;
    return { name: opensslName(cipherSuite), standardName: cipherSuite, version };
  }

  isSessionReused(): boolean {
    return this.resumption.resumed;
  }

  /** RFC 8446 §7.5, RFC 5705. @throws Error before the handshake is complete */
  exportKeyingMaterial(length: number, label: string, context?: Uint8Array): Buffer {
    return Buffer.from(this.connection.exportKeyingMaterial(length, label, context));
  }

  override _read(): void {
    this.#isReadableFull = false;
    this.#regulate();
  }

  override _write(data: Buffer, _encoding: BufferEncoding, callback: Callback): void {
    this.#pending = { data, callback };
    if (this.#isSecure) this.#flush();
  }

  override _final(callback: Callback): void {
    this.#final = callback;
    if (this.#isSecure) this.#finish();
  }

  override _destroy(error: Error | null, callback: Callback): void {
    clearTimeout(this.#handshakeTimer);
    clearTimeout(this.#idleTimer);
    this.#driver.run(() => this.connection.dispose());
    if (this.#isFailed) this.#linger();
    else this.#transport.destroy();
    callback(error);
  }

  #send(output: Uint8Array): void {
    if (!this.#transport.destroyed && !this.#transport.writableEnded) this.#transport.write(output);
    this.#touch();
  }

  #receive(input: Buffer): void {
    if (this.#isFailed) return this.#discard(input.length);
    this.#touch();
    this.#driver.receive(input);
    this.#regulate();
  }

  #attend(event: Event): void {
    switch (event.type) {
      case 'established':
        return this.#secure();
      case 'data':
        this.#isReadableFull = !this.push(event.data);
        return;
      case 'end':
        if (this.#isSecure) this.push(null);
        else this.destroy(resetError('the client closed the connection in the handshake'));
        return;
      case 'failed':
        this.#isFailed = true;
        this.destroy(event.error);
        return;
      case 'keylog':
        this.emit('keylog', Buffer.from(`${event.line}\n`));
        return;
      case 'callback-error':
        this.emit('callbackError', event.error, event.callback satisfies CallbackName);
    }
    this.emit('tlsEvent', event);
  }

  #secure(): void {
    clearTimeout(this.#handshakeTimer);
    this.#isSecure = true;
    this.emit('secure');
    this.#flush();
    if (this.#final !== undefined) this.#finish();
  }

  /** Encrypts what waits, a piece at a time, as fast as the transport takes it. */
  #flush(): void {
    while (this.#pending !== undefined && !this.#transport.writableNeedDrain && !this.destroyed) {
      const { data, callback } = this.#pending;
      if (!this.connection.canWrite) return this.#forget(callback);
      const piece = data.subarray(0, CHUNK);
      this.#pending = piece.length < data.length ? { data: data.subarray(CHUNK), callback } : undefined;
      this.#driver.run(() => this.connection.write(piece));
      if (this.#pending === undefined) callback();
    }
  }

  /** The connection has ended under what was to be written. */
  #forget(callback: Callback): void {
    this.#pending = undefined;
    callback();
  }

  #drain(): void {
    this.#flush();
    this.#regulate();
  }

  /** close_notify, and then the end of the transport's direction: the peer may go on. */
  #finish(): void {
    const callback = this.#final;
    this.#final = undefined;
    this.#driver.run(() => this.connection.end());
    this.#transport.end(() => callback?.());
  }

  /** Reads while somebody wants what comes, nothing is being waited for, and our answers find their way out. */
  #regulate(): void {
    const isFlooded = this.#transport.writableLength > MAX_ANSWERS;
    if (this.#isReadableFull || this.#driver.isWaiting || isFlooded) this.#transport.pause();
    else this.#transport.resume();
  }

  /** The transport has ended: after a close_notify that is as it should be. */
  #transportEnd(): void {
    if (this.#isFailed) return void this.#transport.destroy();
    if (!this.#isSecure) this.destroy(resetError('the client disconnected in the handshake'));
    else if (!this.readableEnded) this.push(null);
  }

  /** Our alert is on its way: read on for a while, since data that nobody has read would turn it into a reset. */
  #linger(): void {
    const transport = this.#transport;
    if (transport.destroyed) return;
    transport.end();
    transport.resume();
    const timer = setTimeout(() => transport.destroy(), DRAIN_MS);
    transport.once('close', () => clearTimeout(timer));
  }

  #discard(bytes: number): void {
    this.#drained += bytes;
    if (this.#drained > DRAIN_BYTES) this.#transport.destroy();
  }

  #crash(error: unknown): void {
    this.destroy(error instanceof Error ? error : new Error('the connection failed', { cause: error }));
  }

  /** Emits 'timeout' after so many milliseconds without traffic; 0 for never. The socket stays as it is. */
  setTimeout(ms: number, listener?: () => void): this {
    this.#idleMs = ms;
    if (listener !== undefined) {
      if (ms > 0) this.once('timeout', listener);
      else this.removeListener('timeout', listener);
    }
    this.#touch();
    return this;
  }

  get timeout(): number {
    return this.#idleMs;
  }

  #touch(): void {
    if (this.#idleTimer !== undefined) clearTimeout(this.#idleTimer);
    this.#idleTimer = undefined;
    if (this.#idleMs === 0 || this.destroyed) return;
    this.#idleTimer = setTimeout(() => this.emit('timeout'), this.#idleMs);
    this.#idleTimer.unref();
  }

  #startHandshakeTimer(ms: number): void {
    if (ms === 0) return;
    const late = Object.assign(new Error(`no handshake within ${ms} ms`), { code: 'ERR_TLS_HANDSHAKE_TIMEOUT' });
    this.#handshakeTimer = setTimeout(() => this.destroy(late), ms);
  }

  setNoDelay(noDelay?: boolean): this {
    netSocket(this.#transport)?.setNoDelay(noDelay);
    return this;
  }

  setKeepAlive(enable?: boolean, initialDelay?: number): this {
    netSocket(this.#transport)?.setKeepAlive(enable, initialDelay);
    return this;
  }

  ref(): this {
    netSocket(this.#transport)?.ref();
    return this;
  }

  unref(): this {
    netSocket(this.#transport)?.unref();
    return this;
  }

  address(): object {
    return netSocket(this.#transport)?.address() ?? {};
  }

  get remoteAddress(): string | undefined {
    return netSocket(this.#transport)?.remoteAddress;
  }

  get remotePort(): number | undefined {
    return netSocket(this.#transport)?.remotePort;
  }

  get remoteFamily(): string | undefined {
    return netSocket(this.#transport)?.remoteFamily;
  }

  get localAddress(): string | undefined {
    return netSocket(this.#transport)?.localAddress;
  }

  get localPort(): number | undefined {
    return netSocket(this.#transport)?.localPort;
  }
}

/** The transport, where it is a socket and not just any Duplex. */
function netSocket(transport: Duplex): Socket | undefined {
  return transport instanceof Socket ? transport : undefined;
}

function addressesOf(transport: Duplex) {
  const { localAddress, localPort, remoteAddress, remotePort } = netSocket(transport) ?? {};
  return { localAddress, localPort, remoteAddress, remotePort };
}

/** As node:net reports it. */
function resetError(message: string): Error {
  return Object.assign(new Error(message), { code: 'ECONNRESET' });
}
