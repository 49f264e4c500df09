/** The transport under a TLS connection: writing to it, controlling its flow, and closing it without losing an alert. */

import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** Bytes that may wait for the peer to read before we stop reading: more than a piece of application data and its answers. */
const MAX_UNSENT = 131072;
/** Limits of what is read and discarded at the end, so that the peer receives an alert and not a reset. */
const DRAIN_BYTES = 262144;
const DRAIN_MS = 1000;

function nothing(): void {}

/** @throws TypeError that says what is wanted: callers in JavaScript pass servers, Web Streams, or only the options */
export function requireDuplex(duplex: Partial<Duplex> | null | undefined): void {
  if (typeof duplex?.on !== 'function' || typeof duplex.write !== 'function' || typeof duplex.unshift !== 'function') {
    throw new TypeError(
      'transport: a Duplex stream is wanted, such as a net.Socket; Web Streams are for accept() of tls-resume itself',
    );
  }
  if (duplex.readableEncoding !== null || duplex.readableObjectMode) {
    throw new TypeError('transport: a stream of bytes is wanted, not one with an encoding or in object mode');
  }
}

/** Owns a Duplex: no other code may read, write, end or destroy it. */
export class Transport {
  readonly duplex: Duplex;
  #holds = 0;
  #endLater = nothing;

  /** @throws TypeError for what is no Duplex, and for one with an encoding or in object mode */
  constructor(duplex: Duplex) {
    requireDuplex(duplex);
    duplex.allowHalfOpen = true; // or else our answer to what came before its end could not be sent
    this.duplex = duplex;
  }

  /** The Duplex, if it is a net.Socket. */
  get socket(): Socket | undefined {
    return this.duplex instanceof Socket ? this.duplex : undefined;
  }

  get addresses() {
    const { localAddress, localPort, remoteAddress, remotePort } = this.socket ?? {};
    return { localAddress, localPort, remoteAddress, remotePort };
  }

  /** Whether it has already ended, so that no event will say so. */
  get isOver(): boolean {
    return this.duplex.destroyed || this.duplex.readableEnded;
  }

  /** Whether it can no longer be written to. */
  get isClosedForWriting(): boolean {
    return this.duplex.destroyed || this.duplex.writableEnded;
  }

  /** Whether so much output waits that the peer must not cause more. A 'drain' event follows. */
  get isFlooded(): boolean {
    return this.duplex.writableNeedDrain && this.duplex.writableLength > MAX_UNSENT;
  }

  /** Writes `output`. `sent` is called when the Duplex has accepted it, and never if the write fails. */
  write(output: Uint8Array, sent?: () => void): void {
    if (this.isClosedForWriting) return;
    if (sent === undefined) return void this.duplex.write(output);
    this.duplex.write(output, (error) => {
      if (error === null || error === undefined) sent();
    });
  }

  /** Holds back writes made from now on, and the end, until `promise` has settled. */
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
   * Half-closes. `ended` is called when everything has been sent, or if it can no longer be, with the error if that is why. `isClosing`
   * says that {@link destroy} follows at once: closing a socket tells the peer of the end anyway, so half-closing it first would be
   * wasted work.
   */
  end(ended: (error?: Error) => void, isClosing: boolean): void {
    const { duplex } = this;
    if (duplex.destroyed || duplex.writableFinished) return ended();
    if (this.#holds > 0) {
      this.#endLater = () => this.end(ended, isClosing); // end() of a corked stream would release what it holds back
      return;
    }
    if (isClosing && this.socket !== undefined && duplex.writableLength === 0) return ended();
    duplex.end(() => ended(duplex.errored ?? undefined));
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

  /** Half-closes and reads on for a while: unread data would make the system send a reset. */
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

  /** Closes a TCP socket by a reset, and any other transport as {@link destroy} does. */
  reset(): void {
    try {
      this.socket?.resetAndDestroy();
    } catch {
      // It is a pipe, or TLS itself: Node resets none of these.
    }
    this.destroy();
  }

  destroy(): void {
    this.duplex.destroy();
  }
}
