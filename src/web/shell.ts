/** Runs a connection over Web Streams: decides when to read and when to wait, and reports each kind of end. */

import type { ConnectionCore } from '../engine/core.ts';
import { Driver, type Shell } from '../engine/driver.ts';
import type { Event } from '../engine/events.ts';
import type { CallbackName } from '../handshake/outcome.ts';
import { platform, type ReadableController, type Timer, throwLater, type WritableController } from '../platform.ts';
import { TlsAlert } from '../wire/alert.ts';
import { ByteQueue } from '../wire/byte-queue.ts';
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

/** Bytes that the queue of each stream of the application may hold. */
const QUEUE = 16384;
/** Bytes of application data encrypted at a time, once the transport has room. */
const PIECE = 65536;
/** Bytes of output caused by the peer that may wait in the transport. Beyond that nothing is read, which limits memory. */
const MAX_UNSENT = 65536;
/** Milliseconds for which {@link WebShell.close} waits for a transport that takes nothing. */
const STALL_MS = 2000;

/** Hears of callbacks of the configuration that failed. */
export type OnCallbackError = (callback: CallbackName, error: unknown) => void;

/** The transport ended without the peer's close_notify, so that data may be missing (RFC 9846 §6.1). */
export class TruncationError extends Error {
  override readonly name = 'TruncationError';
}

/** One connection of either role, from its first byte to its end, with the two streams of the application. */
export class WebShell<C extends ConnectionCore> implements Shell {
  readonly driver: Driver<C>;
  readonly established = new Settlable();
  readonly closed = new Settlable();
  readonly #transport: Transport;
  readonly #onCallbackError: OnCallbackError | undefined;
  /** Called when a server has accepted early data. */
  onEarlyData: (() => void) | undefined;
  #source: ReadableController | undefined;
  #sink: WritableController | undefined;
  #reading: 'open' | 'discarding' | 'ended' = 'open';
  #writing: 'open' | 'closing' | 'ended' = 'open';
  #isOver = false;
  /** The error of `readable`, once everything received before it has been read. */
  #failure: { readonly error: unknown } | undefined;
  /** Bytes of output that the transport has not taken yet, except application data. */
  #unsent = 0;
  /** How many outputs the transport has taken. */
  #taken = 0;
  #stall: Timer;
  #hasReceived = false;
  /** Early data, until the handshake is complete or the application reads {@link earlyReadable}. */
  readonly #early = new ByteQueue();
  #earlyReadable: ReadableBytes | undefined;
  #earlySource: ReadableController | undefined;
  /** Whether the handshake has been complete, which the end of {@link earlyReadable} says. */
  #isEarlyOver = false;
  #isClosing = false;
  /** The write of the application that is under way. */
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

  /**
   * `lookupTimeoutMs` is the budget of the {@link Driver}.
   * @throws TypeError if a stream is locked or not a stream
   */
  constructor(pair: BytesPair, connection: C, lookupTimeoutMs: number, onCallbackError: OnCallbackError | undefined) {
    this.#onCallbackError = onCallbackError;
    this.#transport = new Transport(pair);
    this.driver = new Driver(connection, this, lookupTimeoutMs);
    void this.#readAll();
  }

  send(output: Uint8Array, isData: boolean): void {
    const counted = isData ? 0 : output.length; // #write() waits for room itself
    this.#unsent += counted;
    const sent = () => {
      this.#taken++;
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
        this.#endEarlyData();
        return this.established.resolve();
      case 'early-data':
        return event.status === 'accepted' ? this.#announceEarlyData() : undefined;
      case 'data':
        return this.#receiveData(event.data, event.early);
      case 'end':
        return this.#receiveEnd();
      case 'failed':
        return this.fail(event.error);
      case 'callback-error':
        // Not at once: an exception of the application must not come between the events of a step.
        return platform.queueMicrotask(() => this.#onCallbackError?.(event.callback, event.error));
    }
  }

  /** What the application throws is its own, and does not end the connection. */
  #announceEarlyData(): void {
    try {
      this.onEarlyData?.();
    } catch (error) {
      throwLater(error);
    }
  }

  #receiveData(data: Uint8Array, isEarly = false): void {
    if (isEarly) return this.#receiveEarlyData(data);
    this.#hasReceived = true;
    if (this.#reading === 'open') this.#source?.enqueue(data);
  }

  /** As much as the ticket allows, which may be many records of a byte. */
  #receiveEarlyData(data: Uint8Array): void {
    if (this.#earlyReadable === undefined || this.#earlySource !== undefined) this.#early.push(data);
    if ((this.#earlySource?.desiredSize ?? 0) > 0) this.#passEarlyData();
  }

  #passEarlyData(): void {
    if (this.#early.length > 0) this.#earlySource?.enqueue(this.#early.take(this.#early.length));
  }

  /** Early data by itself, from the first use on. It closes when the handshake is complete; what nobody has asked for is in `readable` then. */
  get earlyReadable(): ReadableBytes {
    this.#earlyReadable ??= makeReadable(
      {
        start: (controller) => {
          if (this.#isEarlyOver) controller.close();
          else if (this.#isOver) controller.error(this.#failure?.error ?? new Error('the connection has ended'));
          else this.#earlySource = controller;
        },
        pull: () => this.#passEarlyData(),
        cancel: () => {
          this.#earlySource = undefined; // what comes now is dropped
          this.#early.clear();
        },
      },
      bytesUpTo(QUEUE),
    );
    return this.#earlyReadable;
  }

  #endEarlyData(): void {
    this.#isEarlyOver = true;
    this.#passEarlyData();
    this.#earlySource?.close();
    this.#earlySource = undefined;
    if (this.#early.length > 0) this.#receiveData(this.#early.take(this.#early.length));
  }

  crash(error: unknown): void {
    this.fail(error);
  }

  /** Reads until the end of the peer's direction; never rejects. */
  async #readAll(): Promise<void> {
    try {
      while (!this.#isOver && this.#reading !== 'ended') {
        if (!this.#mayRead) {
          await this.#woken();
          continue;
        }
        const input = await this.#transport.read();
        if (input === undefined) this.#loseHandshake();
        while (this.driver.isWaiting) await this.#woken(); // for a question that was open, or has been opened during the read
        this.#receive(input);
      }
    } catch (error) {
      this.fail(error);
    }
    if (!this.#isOver) await this.#awaitLeave();
  }

  /** Withdraws a question that no answer can save, as the transport has ended and the handshake wants more. */
  #loseHandshake(): void {
    const { driver } = this;
    if (driver.isWaiting && !driver.connection.isEstablished) driver.run(() => driver.connection.transportEnded());
  }

  /** After the peer's close_notify hears of the end of the transport; never rejects. */
  async #awaitLeave(): Promise<void> {
    try {
      while (!this.#isOver && (await this.#transport.read()) !== undefined);
    } catch (error) {
      if (this.#writing === 'open') this.fail(error); // or else closing the transport has the error, too
    }
    if (!this.#isOver && this.#isUnused) this.writable.close().catch(() => {});
    if (!this.#isOver) this.driver.run(() => this.driver.connection.transportEnded()); // for who waits to close
  }

  /** Whether the peer has left without a word, and the application uses neither stream: then nobody else would end our direction. */
  get #isUnused(): boolean {
    return !this.#hasReceived && !this.readable.locked && !this.writable.locked && this.#writing === 'open';
  }

  #pull(): void {
    if (this.#failure !== undefined && this.#source?.desiredSize === QUEUE) this.#source.error(this.#failure.error);
    this.#wake();
  }

  get #mayRead(): boolean {
    if (!this.driver.connection.isEstablished) return this.#unsent <= MAX_UNSENT; // the rest of the handshake comes behind early data
    const isWanted = this.#reading === 'discarding' || (this.#source?.desiredSize ?? 0) > 0;
    return isWanted && this.#unsent <= MAX_UNSENT;
  }

  #woken(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #receive(input: Uint8Array | undefined): void {
    if (this.#isOver) return;
    if (input !== undefined) return void this.driver.receive(input);
    const { isEstablished } = this.driver.connection;
    // Where the application has given up the data, none is missing.
    if (isEstablished && this.#reading === 'discarding') return this.#endReading();
    const where = isEstablished ? '' : ' in the middle of the handshake';
    this.fail(new TruncationError(`the transport has ended without close_notify${where}`));
  }

  /** Handles the peer's close_notify. */
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

  /** From now on reads and discards input. Our direction goes on. */
  discard(): void {
    if (this.#reading !== 'open') return;
    this.#reading = 'discarding';
    this.#finish();
    this.#wake();
  }

  async #write(chunk: unknown): Promise<void> {
    if (this.#isClosing) throw new Error('the application has closed the connection');
    const bytes = this.#bytesOf(chunk);
    for (let at = 0; at < bytes.length; at += PIECE) {
      this.#requireWriting();
      const piece = bytes.subarray(at, at + PIECE);
      const { isEstablished, earlyRoom } = this.driver.connection;
      if (!isEstablished && piece.length > earlyRoom) {
        await this.established.promise; // the key of before may protect no more
        this.#requireWriting();
      }
      if (this.driver.connection.isEstablished) this.driver.write(piece);
      else this.driver.writeEarlyData(piece); // the application has the connection since its early data was accepted
      this.#requireWriting();
      await this.#transport.ready();
    }
  }

  /** Ends our direction over a chunk that is no bytes: the stream errors, and so calls nothing of its sink any more. */
  #bytesOf(chunk: unknown): Uint8Array {
    try {
      return bytesOf(chunk);
    } catch (error) {
      this.#end().catch(() => {});
      throw error;
    }
  }

  /** Makes the write under way fail. The stream has already errored with the reason. */
  #requireWriting(): void {
    if (this.#isOver || this.#writing !== 'open') throw new Error('the connection has ended');
  }

  /** Closes our direction after the data. Resolves when the transport's writable has closed, too. */
  async #end(): Promise<void> {
    if (this.#isOver) return;
    this.#writing = 'closing';
    // With early data the application has the connection before; an end would give the handshake up.
    if (!this.driver.connection.isEstablished) await this.established.promise;
    if (this.#isOver) return;
    this.driver.run(() => this.driver.connection.end());
    try {
      await this.#closeTransport();
    } catch (error) {
      this.fail(error);
      throw error;
    }
    this.#writing = 'ended';
    this.#finish();
  }

  /** Resolves when everything has been sent, and the transport's writable has closed. */
  #closeTransport(): Promise<void> {
    return new Promise((resolve) => {
      this.driver.connection.whenSent(() => resolve(this.#transport.closeWriting()));
    });
  }

  /** Disposes of the connection if both directions are over, or ours is and input is discarded. */
  #finish(): void {
    if (this.#isOver || this.#writing !== 'ended' || this.#reading === 'open') return;
    this.#dispose();
    void this.#transport.leave();
    this.closed.resolve();
  }

  #dispose(error?: unknown): void {
    this.#isOver = true;
    this.#early.clear();
    this.#earlySource?.error(error);
    this.#earlySource = undefined;
    platform.clearTimeout(this.#stall);
    this.driver.run(() => this.driver.connection.dispose());
    this.#wake();
  }

  /** Ends both directions with an error. An alert, if there is one, has been sent. Only the first call has an effect. */
  fail(error: unknown): void {
    if (this.#isOver) return;
    this.#dispose(error);
    this.#failure = { error };
    this.#pull();
    this.#sink?.error(error);
    this.driver.connection.whenSent(() => void this.#transport.leave().then(() => this.#reject(error)));
  }

  /** Ends both directions at once, for the application: aborts the transport, so that the peer sees a truncation. */
  abort(reason: unknown): void {
    this.#sink?.error(reason);
    this.#abort(reason);
  }

  /** The same while `writable` is being aborted, which errors by itself. */
  #abort(reason: unknown = new Error('the application has aborted the connection')): void {
    if (this.#isOver) return;
    this.#dispose(reason);
    this.#source?.error(reason);
    this.#transport.abort(reason);
    this.#reject(reason);
  }

  #reject(error: unknown): void {
    this.established.reject(error);
    this.closed.reject(error);
  }

  /** Ends both directions properly. Settles as {@link WebShell.closed} does. */
  close(): Promise<void> {
    if (!this.#isOver) {
      if (this.#reading === 'open') this.#source?.close();
      this.discard();
      // A rejection here has already made the connection fail.
      if (this.writable.locked) this.#closeUnderWriter().catch(() => {});
      else this.writable.close().catch(() => {});
      if (this.#stall === undefined) this.#limitStall();
    }
    return this.closed.promise;
  }

  /** Aborts the transport if it takes nothing for a while: an application that has closed the connection will not do so. */
  #limitStall(): void {
    if (this.#isOver) return;
    const taken = this.#taken;
    const look = (): void => {
      if (this.#taken === taken) this.abort(new Error(`the transport has taken nothing for ${STALL_MS} ms`));
      else this.#limitStall();
    };
    this.#stall = platform.setTimeout(look, STALL_MS);
  }

  /** Ends our direction while the application holds the writer and may still be writing. */
  async #closeUnderWriter(): Promise<void> {
    this.#isClosing = true; // makes queued writes fail
    await this.#underWay.catch(() => {}); // the writer knows
    if (this.#isOver || this.#writing !== 'open') return;
    this.#sink?.error(new Error('the application has closed the connection'));
    await this.#end();
  }
}

/** A promise with its resolvers. A rejection need not be handled. */
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
