/** The part of a TLS socket that node:net's sockets have, too, and that is not about TLS. */

import { Duplex } from 'node:stream';
import { requireMilliseconds } from '../web/time-limit.ts';
import { IdleTimer } from './idle-timer.ts';
import { Transport } from './transport.ts';

/** A Duplex over another. Unless that is a net.Socket, there are no addresses, and methods that concern the system do nothing. */
export class DuplexSocket extends Duplex {
  /** @internal */
  protected readonly transport: Transport;
  /** @internal */
  protected readonly idle = new IdleTimer(() => this.emit('timeout'));

  constructor(transport: Duplex, allowHalfOpen: boolean) {
    super({ allowHalfOpen, emitClose: false }); // its 'close' has no argument; net.Socket's has one
    this.transport = new Transport(transport);
  }

  /**
   * Emits 'timeout' after `ms` milliseconds without traffic in either direction; 0 turns it off. The socket stays open.
   * `listener` is added as a one-time listener, or removed if `ms` is 0.
   * @throws TypeError or RangeError for an impossible time
   */
  setTimeout(ms: number, listener?: () => void): this {
    this.idle.start(this.destroyed ? 0 : requireMilliseconds('setTimeout', ms));
    if (listener !== undefined && ms > 0) this.once('timeout', listener);
    else if (listener !== undefined) this.removeListener('timeout', listener);
    return this;
  }

  /** Milliseconds, as passed to {@link setTimeout}. */
  get timeout(): number {
    return this.idle.ms;
  }

  /** Whether the transport is a net.Socket that has yet to be connected. */
  get connecting(): boolean {
    return this.transport.socket?.connecting ?? false;
  }

  /** As in node:net: true while there is no connection, before its beginning and after its end. */
  get pending(): boolean {
    return this.destroyed || this.connecting;
  }

  /** As in node:net, by what may still be read and written. */
  get readyState(): 'opening' | 'open' | 'readOnly' | 'writeOnly' | 'closed' {
    if (this.connecting) return 'opening';
    if (this.readable) return this.writable ? 'open' : 'readOnly';
    return this.writable ? 'writeOnly' : 'closed';
  }

  /** Bytes that have been written and wait, as in node:net; `undefined` after the end. `writableLength` is the newer name. */
  get bufferSize(): number | undefined {
    return this.destroyed ? undefined : this.writableLength;
  }

  /**
   * Closes the connection by a TCP reset, at once: data that waits is lost, and no close_notify is sent. A transport that is no
   * net.Socket is destroyed. After the end it does nothing.
   */
  resetAndDestroy(): this {
    if (!this.destroyed) this.transport.reset();
    return this.destroy();
  }

  setNoDelay(noDelay?: boolean): this {
    this.transport.socket?.setNoDelay(noDelay);
    return this;
  }

  /** @param initialDelay milliseconds */
  setKeepAlive(enable?: boolean, initialDelay?: number): this {
    this.transport.socket?.setKeepAlive(enable, initialDelay);
    return this;
  }

  ref(): this {
    this.transport.socket?.ref();
    return this;
  }

  unref(): this {
    this.transport.socket?.unref();
    return this;
  }

  /** The address of the local end, as net.Socket returns it; empty if the transport is not a socket. */
  address(): object {
    return this.transport.socket?.address() ?? {};
  }

  get remoteAddress(): string | undefined {
    return this.transport.socket?.remoteAddress;
  }

  get remotePort(): number | undefined {
    return this.transport.socket?.remotePort;
  }

  get remoteFamily(): string | undefined {
    return this.transport.socket?.remoteFamily;
  }

  get localFamily(): string | undefined {
    return this.transport.socket?.localFamily;
  }

  get localAddress(): string | undefined {
    return this.transport.socket?.localAddress;
  }

  get localPort(): number | undefined {
    return this.transport.socket?.localPort;
  }
}
