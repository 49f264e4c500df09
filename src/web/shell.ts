/** What runs a connection over Web Streams: when to read, when to wait, and how each kind of end reaches everybody. */

import { Driver, type Shell } from '../engine/driver.ts';
import type { Event } from '../engine/events.ts';
import type { ServerConfig } from '../engine/server/config.ts';
import { type ConnectionOptions, ServerConnection } from '../engine/server/server-connection.ts';
import type { CallbackName } from '../handshake/outcome.ts';
import { platform, type ReadableController, type WritableController } from '../platform.ts';
import { TlsAlert } from '../wire/alert.ts';
import {
  type BytesPair,
  bytesOf,
  bytesUpTo,
  makeReadable,
  makeWritable,
  type ReadableBytes,
  type WritableBytes,
} from './streams.ts';
import { Transport } from './transport.ts';

/** Bytes that may wait for the application while the transport is read, and bytes of its own that may wait to be protected. */
const QUEUE = 16384;
/** The application's bytes are protected in pieces of this many, each when the transport has room. */
const PIECE = 65536;
/** Bytes the transport may hold of what the peer has made us say; beyond it nothing is read, so that no flood makes a lake. */
const MAX_UNSENT = 65536;

export interface ShellOptions {
  readonly addresses: ConnectionOptions['addresses'];
  readonly onCallbackError: ((callback: CallbackName, error: unknown) => void) | undefined;
}

/** The transport ended without the peer's close_notify: what has been received may be only a part (RFC 8446 §6.1). */
export class TruncationError extends Error {
  override readonly name = 'TruncationError';
}

/** One connection, from its first byte to its end: the two streams for the application are made and fed in here. */
export class WebShell implements Shell {
  readonly driver: Driver<ServerConnection>;
  readonly established = new Settlable();
  readonly closed = new Settlable();
  readonly #transport: Transport;
  readonly #onCallbackError: ShellOptions['onCallbackError'];
  #source: ReadableController | undefined;
  #sink: WritableController | undefined;
  #reading: 'open' | 'discarding' | 'ended' = 'open';
  #writing: 'open' | 'closing' | 'ended' = 'open';
  #isOver = false;
  /** What `readable` errors with when everything that came before has been read. */
  #failure: { readonly error: unknown } | undefined;
  /** Bytes that are not the application's and that the transport has not taken yet. */
  #unsent = 0;
  #isClosing = false;
  /** The application's write under way. */
  #underWay: Promise<void> = Promise.resolve();
  #wake = (): void => {};

  readonly readable: ReadableBytes = makeReadable(
    {
      start: (controller) => {
        this.#source = controller;
      },
      pull: () => this.#pull(),
      cancel: () => this.discard(),
    },
    bytesUpTo(QUEUE),
  );

  readonly writable: WritableBytes = makeWritable(
    {
      start: (controller) => {
        this.#sink = controller;
        controller.signal?.addEventListener('abort', () => this.#abort(controller.signal?.reason));
      },
      write: (chunk) => {
        this.#underWay = this.#write(chunk);
        return this.#underWay;
      },
      close: () => this.#end(),
      abort: (reason) => this.#abort(reason),
    },
    bytesUpTo(QUEUE),
  );

  /** @throws TypeError where a stream is locked or none */
  constructor(pair: BytesPair, config: ServerConfig, { addresses, onCallbackError }: ShellOptions) {
    this.#onCallbackError = onCallbackError;
    this.#transport = new Transport(pair);
    this.driver = new Driver(new ServerConnection(config, { addresses }), this, config.lookupTimeoutMs);
    void this.#readAll();
  }

  send(output: Uint8Array, isData: boolean): void {
    const counted = isData ? 0 : output.length; // #write() waits for room itself
    this.#unsent += counted;
    const sent = () => {
      this.#unsent -= counted;
      this.#wake();
    };
    this.#transport.write(output).then(sent, (error) => this.fail(error));
  }

  ready(): void {
    this.#wake();
  }

  attend(event: Event): void {
    switch (event.type) {
      case 'established':
        return this.established.resolve();
      case 'data':
        return this.#reading === 'open' ? this.#source?.enqueue(event.data) : undefined;
      case 'end':
        return this.#receiveEnd();
      case 'failed':
        return this.fail(event.error);
      case 'callback-error':
        // Not in here: what the application throws must not come between the events of a step.
        return platform.queueMicrotask(() => this.#onCallbackError?.(event.callback, event.error));
    }
  }

  crash(error: unknown): void {
    this.fail(error);
  }

  /** Reads for as long as anything is of interest; never rejects. */
  async #readAll(): Promise<void> {
    try {
      while (!this.#isOver && this.#reading !== 'ended') {
        if (!this.#mayRead) {
          await this.#woken();
          continue;
        }
        const input = await this.#transport.read();
        while (this.driver.isWaiting) await this.#woken(); // a question was opened during the read
        this.#receive(input);
      }
    } catch (error) {
      this.fail(error);
    }
  }

  #pull(): void {
    if (this.#failure !== undefined && this.#source?.desiredSize === QUEUE) this.#source.error(this.#failure.error);
    this.#wake();
  }

  get #mayRead(): boolean {
    const isWanted = this.#reading === 'discarding' || (this.#source?.desiredSize ?? 0) > 0;
    return isWanted && !this.driver.isWaiting && this.#unsent <= MAX_UNSENT;
  }

  #woken(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #receive(input: Uint8Array | undefined): void {
    if (this.#isOver) return;
    if (input !== undefined) return void this.driver.receive(input);
    if (this.#reading === 'discarding') return this.#endReading(); // of what is not wanted nothing can be missing
    const where = this.driver.connection.isEstablished ? '' : ' in the middle of the handshake';
    this.fail(new TruncationError(`the transport has ended without close_notify${where}`));
  }

  /** The peer's close_notify. */
  #receiveEnd(): void {
    if (!this.driver.connection.isEstablished)
      return this.fail(new TlsAlert('close_notify', 'the peer has given up the handshake', 'remote'));
    if (this.#reading === 'open') this.#source?.close();
    this.#endReading();
  }

  #endReading(): void {
    this.#reading = 'ended';
    this.#finish();
  }

  /** Nobody wants what still comes: it is read and forgotten, and our direction goes on. */
  discard(): void {
    if (this.#reading !== 'open') return;
    this.#reading = 'discarding';
    this.#finish();
    this.#wake();
  }

  async #write(chunk: unknown): Promise<void> {
    const bytes = bytesOf(chunk);
    if (this.#isClosing) throw new Error('the application has closed the connection');
    for (let at = 0; at < bytes.length; at += PIECE) {
      this.#requireWriting();
      this.driver.write(bytes.subarray(at, at + PIECE));
      this.#requireWriting();
      await this.#transport.ready();
    }
  }

  /** The stream has errored already and says why, but the write under way must not seem to have succeeded. */
  #requireWriting(): void {
    if (this.#isOver || this.#writing !== 'open') throw new Error('the connection has ended');
  }

  /** Closes our direction behind what has been written. Resolves when the transport's is closed, too. */
  async #end(): Promise<void> {
    this.#writing = 'closing';
    this.driver.run(() => this.driver.connection.end());
    try {
      await this.#transport.closeWriting();
    } catch (error) {
      this.fail(error);
      throw error;
    }
    this.#writing = 'ended';
    this.#finish();
  }

  /** Both directions are over, or ours is and the peer's is not wanted. */
  #finish(): void {
    if (this.#isOver || this.#writing !== 'ended' || this.#reading === 'open') return;
    this.#dispose();
    void this.#transport.leave();
    this.closed.resolve();
  }

  #dispose(): void {
    this.#isOver = true;
    this.driver.run(() => this.driver.connection.dispose());
    this.#wake();
  }

  /** The end of both directions; an alert, if there is one, has been sent. The first reason counts. */
  fail(error: unknown): void {
    if (this.#isOver) return;
    this.#dispose();
    this.#failure = { error };
    this.#pull();
    this.#sink?.error(error);
    void this.#transport.leave().then(() => this.#reject(error));
  }

  /** The same at once, by the application: the transport is aborted, and the peer sees a truncation. */
  abort(reason: unknown): void {
    this.#sink?.error(reason);
    this.#abort(reason);
  }

  /** `writable` is being aborted, and errors by itself. */
  #abort(reason: unknown = new Error('the application has aborted the connection')): void {
    if (this.#isOver) return;
    this.#dispose();
    this.#source?.error(reason);
    this.#transport.abort(reason);
    this.#reject(reason);
  }

  #reject(error: unknown): void {
    this.established.reject(error);
    this.closed.reject(error);
  }

  /** The proper end of both directions. Settles as {@link WebShell.closed} does. */
  close(): Promise<void> {
    if (!this.#isOver) {
      if (this.#reading === 'open') this.#source?.close();
      this.discard();
      // What goes wrong in here has made the connection fail.
      if (this.writable.locked) this.#closeUnderWriter().catch(() => {});
      else this.writable.close().catch(() => {});
    }
    return this.closed.promise;
  }

  /** Whoever has the writer may still be writing. */
  async #closeUnderWriter(): Promise<void> {
    this.#isClosing = true; // refuses what is queued behind
    await this.#underWay;
    if (this.#isOver || this.#writing !== 'open') return;
    this.#sink?.error(new Error('the application has closed the connection'));
    await this.#end();
  }
}

/** A promise with its two ends; a rejection need not be handled. */
class Settlable {
  resolve!: () => void;
  reject!: (error: unknown) => void;
  readonly promise = new Promise<void>((resolve, reject) => {
    this.resolve = resolve;
    this.reject = reject;
  });

  constructor() {
    this.promise.catch(() => {});
  }
}
