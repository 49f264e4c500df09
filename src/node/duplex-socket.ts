/** What a TLS socket has in common with node:net's and has nothing to do with TLS. */

import { Duplex } from 'node:stream';
import { IdleTimer, requireMilliseconds } from './idle-timer.ts';
import { Transport } from './transport.ts';

/** A Duplex over another. Where that is no net.Socket, it has no addresses, and what concerns the system does nothing. */
export class DuplexSocket extends Duplex {
  /** Always false: the transport is there already. */
  readonly connecting = false;
  protected readonly transport: Transport;
  protected readonly idle = new IdleTimer(() => this.emit('timeout'));

  constructor(transport: Duplex, allowHalfOpen: boolean) {
    super({ allowHalfOpen });
    this.transport = new Transport(transport);
  }

  /**
   * Emits 'timeout' after so many milliseconds without traffic in either direction; 0 for never. The socket stays as it is.
   * `listener` is added once, or for 0 removed.
   * @throws TypeError or RangeError
   */
  setTimeout(ms: number, listener?: () => void): this {
    this.idle.start(this.destroyed ? 0 : requireMilliseconds('setTimeout', ms));
    if (listener !== undefined && ms > 0) this.once('timeout', listener);
    else if (listener !== undefined) this.removeListener('timeout', listener);
    return this;
  }

  /** Milliseconds, as given to {@link setTimeout}. */
  get timeout(): number {
    return this.idle.ms;
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

  /** The local end, as net.Socket shows it; empty without one. */
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

  get localAddress(): string | undefined {
    return this.transport.socket?.localAddress;
  }

  get localPort(): number | undefined {
    return this.transport.socket?.localPort;
  }
}
