/** The transport under a TLS connection: what is written to it, when it is read, and how it is left. */

import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** How much may wait for the peer to read before we read no more of it: more than a piece of application data with its answers. */
const MAX_UNSENT = 131072;
/** What is read and thrown away at the end, so that the peer gets to see an alert and no reset. */
const DRAIN_BYTES = 262144;
const DRAIN_MS = 1000;

function nothing(): void {}

/** Owns the Duplex: whoever has handed it over must not read, write, end or destroy it any more. */
export class Transport {
  readonly duplex: Duplex;
  #holds = 0;
  #endLater = nothing;

  /** @throws TypeError for a stream that gives something else than bytes */
  constructor(duplex: Duplex) {
    if (duplex.readableEncoding !== null || duplex.readableObjectMode) {
      throw new TypeError('transport: a stream of bytes is wanted, not one with an encoding or in object mode');
    }
    this.duplex = duplex;
  }

  /** The transport, where it is a socket and not just any Duplex. */
  get socket(): Socket | undefined {
    return this.duplex instanceof Socket ? this.duplex : undefined;
  }

  get addresses() {
    const { localAddress, localPort, remoteAddress, remotePort } = this.socket ?? {};
    return { localAddress, localPort, remoteAddress, remotePort };
  }

  /** Whether it has ended before anybody could listen to it. */
  get isOver(): boolean {
    return this.duplex.destroyed || this.duplex.readableEnded;
  }

  /** Whether nothing can be written any more. */
  get isClosedForWriting(): boolean {
    return this.duplex.destroyed || this.duplex.writableEnded;
  }

  /** Whether so much waits for the peer to read that it must not make us say more. A 'drain' will follow. */
  get isFlooded(): boolean {
    return this.duplex.writableNeedDrain && this.duplex.writableLength > MAX_UNSENT;
  }

  /** `sent` is called when the transport has dealt with it, and never where it fails. */
  write(output: Uint8Array, sent?: () => void): void {
    if (this.isClosedForWriting) return;
    if (sent === undefined) return void this.duplex.write(output);
    this.duplex.write(output, (error) => {
      if (error === null || error === undefined) sent();
    });
  }

  /** Keeps back what is written from here on, and the end, until `promise` has settled. */
  hold(promise: PromiseLike<unknown>): void {
    this.#holds++;
    this.duplex.cork();
    const release = () => {
      this.#holds--;
      this.duplex.uncork();
      if (this.#holds === 0) this.#endLater();
    };
    Promise.resolve(promise).then(release, release);
  }

  /**
   * Half-closes. `ended` is called when everything has been sent, and where nobody could receive it any more. `isClosing`: it will
   * be destroyed right after, and the system says the end to the peer of a socket: then half-closing it first is only work.
   */
  end(ended: () => void, isClosing: boolean): void {
    const { duplex } = this;
    if (duplex.destroyed || duplex.writableFinished) return ended();
    if (this.#holds > 0) {
      this.#endLater = () => this.end(ended, isClosing); // the end of a stream lets go of all that it keeps back
      return;
    }
    if (isClosing && this.socket !== undefined && duplex.writableLength === 0) return ended();
    duplex.end(() => {
      if (duplex.errored === null || duplex.errored === undefined) ended(); // otherwise there is an 'error' to come
    });
  }

  /** Stops reading, and puts back bytes that have been read: they come first when reading goes on. */
  giveBack(input: Uint8Array): void {
    this.duplex.pause(); // unshift() would emit them at once
    this.duplex.unshift(input);
  }

  flow(isWanted: boolean): void {
    if (isWanted) this.duplex.resume();
    else this.duplex.pause();
  }

  /** Half-closes and reads on for a while: data that nobody has read would make the system send a reset. */
  leave(): void {
    const { duplex } = this;
    if (duplex.destroyed) return;
    const timer = setTimeout(() => duplex.destroy(), DRAIN_MS).unref();
    duplex.once('close', () => clearTimeout(timer));
    let drained = 0;
    duplex.on('data', (input: Uint8Array) => {
      drained += input.length;
      if (drained > DRAIN_BYTES) duplex.destroy();
    });
    if (!duplex.writableEnded) duplex.end();
    duplex.resume();
  }

  destroy(): void {
    this.duplex.destroy();
  }
}
