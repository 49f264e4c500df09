/** A client and a server in memory, and the bytes between them. */

import { integer } from '../engine/checks.ts';
import { ClientConnection, type ConnectOptions } from '../engine/client/client-connection.ts';
import type { ClientConfig } from '../engine/client/config.ts';
import type { Event, Step } from '../engine/events.ts';
import type { Fault } from '../engine/fault.ts';
import type { Deferred, Question } from '../engine/questions.ts';
import type { ServerConfig } from '../engine/server/config.ts';
import { type ConnectionOptions, ServerConnection } from '../engine/server/server-connection.ts';
import type { Outcome } from '../handshake/wait.ts';
import type { TlsAlert } from '../wire/alert.ts';
import { requireOptions } from '../wire/options.ts';
import type { World } from '../world.ts';
import { Pause } from './outflow.ts';
import { type Recorder, type RecordOptions, record } from './record.ts';
import type { Recording } from './recording.ts';
import { Trace } from './trace.ts';
import type { Side } from './trace-entry.ts';

/** The options of {@link pair}. */
export interface PairOptions {
  /** How many bytes arrive at a time. Default: as many as were sent. */
  readonly chunks?: number | undefined;
  /** How long bytes are on their way, in milliseconds of `world`, which is moved by as much. Default 0. */
  readonly latency?: { readonly world: World & { advance(ms: number): void }; readonly ms: number } | undefined;
  /** The options of the client's connection, faults among them. Default: none. */
  readonly client?: ConnectOptions | undefined;
  /** Those of the server's. */
  readonly server?: ConnectionOptions | undefined;
  /** Whether {@link Pair.trace} is kept. Default true. */
  readonly trace?: boolean | undefined;
  /** Whether both ends are recorded, and whether with application data: see {@link Pair.recordings}. Default false. */
  readonly record?: boolean | RecordOptions | undefined;
}

const OPTIONS = { chunks: true, latency: true, client: true, server: true, trace: true, record: true } as const;

/** Something that happened, and at which end. */
export interface PairEvent {
  readonly side: Side;
  readonly event: Event;
}

type Connection = Pick<ServerConnection, 'receive' | 'answer' | 'transportEnded' | 'dispose' | 'settle'>;

/** A delay: what to settle, and when, in milliseconds since the epoch. */
interface Due {
  readonly deferred: Deferred;
  readonly at: number;
}

/** One end of a pair: the connection, what has arrived and waits, and what it asks. */
class End {
  readonly side: Side;
  readonly connection: Connection;
  readonly world: World;
  /** What the other end has sent and this one has not received: bytes, and the end of the transport. */
  readonly arriving: (Uint8Array | 'end')[] = [];
  question: Question | undefined;
  /** Promises that nobody waits for. */
  readonly deferred: Deferred[] = [];
  /** What it sends waits for these: see `faults.delay()`. */
  readonly delays: Due[] = [];
  /** Whether it closes the transport after what it has to send: see `faults.closeAt()`. */
  isClosing = false;

  constructor(side: Side, connection: Connection, world: World) {
    this.side = side;
    this.connection = connection;
    this.world = world;
  }

  /** Whether the clock has hands. */
  get hasHands(): boolean {
    return isMovable(this.world);
  }

  /** The delay that is over first, in milliseconds from now. */
  get nextDelay(): number | undefined {
    const [first] = this.delays;
    return first === undefined ? undefined : Math.max(0, first.at - this.world.now());
  }

  /** Lets a delay pass by the clock. Returns whether there was one. */
  passTime(): boolean {
    const { world, nextDelay } = this;
    if (nextDelay === undefined || !isMovable(world)) return false;
    world.advance(nextDelay);
    return true;
  }
}

function isMovable(world: World): world is World & { advance(ms: number): void } {
  return 'advance' in world && typeof world.advance === 'function';
}

/**
 * A client and a server with nothing between them but memory. {@link Pair.run} goes on until neither has anything to say. The
 * connections can be called at any time: pass the Step to {@link Pair.take}.
 */
export class Pair {
  readonly client: ClientConnection;
  readonly server: ServerConnection;
  /** All events so far. */
  readonly events: PairEvent[] = [];
  /** What both ends have sent, asked and told; empty with `trace: false`. */
  readonly trace = new Trace();
  readonly #ends: Readonly<Record<Side, End>>;
  readonly #options: PairOptions;
  readonly #recorders: Readonly<Record<Side, Recorder>> | undefined;
  #hasBegun = false;

  /** @internal */
  constructor(client: ClientConfig, server: ServerConfig, options: PairOptions) {
    this.#options = options;
    const { trace = true, record: recorded = false } = options;
    if (recorded !== false) {
      const how = recorded === true ? {} : recorded;
      this.#recorders = { client: record(how), server: record(how) };
    }
    const faults = (side: Side, given: readonly Fault[] = []) => {
      if (!Array.isArray(given)) return given; // which the connection refuses
      const recorder = this.#recorders?.[side];
      return [...(trace ? [this.trace.tap(side)] : []), ...given, ...(recorder ? [recorder] : [])];
    };
    this.client = new ClientConnection(client, {
      ...options.client,
      faults: faults('client', options.client?.faults),
    });
    this.server = new ServerConnection(server, {
      ...options.server,
      faults: faults('server', options.server?.faults),
    });
    this.#ends = {
      client: new End('client', this.client, client.world),
      server: new End('server', this.server, server.world),
    };
  }

  /**
   * Does one thing: begins, sends what has waited for a time that has come, or lets one end receive what has arrived first. Returns
   * false if there is nothing to do, or if an end waits: for an answer, or for time to pass.
   */
  step(): boolean {
    if (!this.#hasBegun) {
      this.#hasBegun = true;
      this.take('client', this.client.connect());
      return true;
    }
    const ends = [this.#ends.server, this.#ends.client];
    const late = ends.find((end) => end.hasHands && end.nextDelay === 0);
    if (late !== undefined) return this.#endDelay(late, { value: undefined });
    const end = ends.find(({ arriving, question }) => arriving.length > 0 && !question);
    const arrived = end?.arriving.shift();
    if (end === undefined || arrived === undefined) return false;
    this.take(end.side, arrived === 'end' ? end.connection.transportEnded() : end.connection.receive(arrived));
    return true;
  }

  /**
   * Goes on until there is nothing to do. Where only `faults.delay()` is left, the clock of that end's world is moved on, so that a
   * delay takes no time.
   * @throws Error at the first question that is not answered at once: a callback, a signer or a provider has returned a promise; and at
   * a delay in a world without `advance()`
   */
  runSync(): this {
    do {
      while (this.step()) this.#requireNoQuestion();
      this.#requireNoQuestion();
    } while (this.#passTime());
    const waiting = Object.values(this.#ends).find(({ delays }) => delays.length > 0);
    if (waiting === undefined) return this;
    throw new Error(
      `runSync(): the ${waiting.side} has a delay, and its world no advance(); use a seededWorld, or run(), which waits as well`,
    );
  }

  /**
   * Goes on until there is nothing to do, with every question awaited. A delay takes no time but that of the world's clock, which is
   * moved on; in a world without `advance()` it is waited for.
   */
  async run(): Promise<this> {
    for (;;) {
      while (this.step());
      const ends = Object.values(this.#ends);
      const end = ends.find(({ question, deferred }) => question || deferred.length > 0);
      const deferred = end?.deferred.shift();
      if (end !== undefined && deferred !== undefined)
        this.take(end.side, end.connection.settle(deferred, await outcomeOf(deferred)));
      else if (end?.question !== undefined) await this.#answer(end, end.question);
      else if (!this.#passTime() && !(await this.#waitForDelay())) return this;
    }
  }

  /** Takes a Step of one end to the other: for calls that a test makes itself. */
  take(side: Side, { output, events, question }: Step): this {
    const end = this.#ends[side];
    const other = this.#ends[side === 'client' ? 'server' : 'client'];
    const now = end.world.now();
    const size = this.#options.chunks ?? output.length;
    for (let at = 0; at < output.length; at += size) other.arriving.push(output.slice(at, at + size));
    if (output.length > 0) this.#options.latency?.world.advance(this.#options.latency.ms);
    if (this.#options.trace !== false) this.trace.note(side, events);
    for (const event of events) {
      this.events.push({ side, event });
      if (event.type === 'failed' && isClosed(event.error)) end.isClosing = true;
      if (event.type !== 'deferred') continue;
      const { deferred } = event;
      if (deferred.promise instanceof Pause) end.delays.push({ deferred, at: now + deferred.promise.ms });
      else end.deferred.push(deferred);
    }
    end.question = question;
    if (end.isClosing && end.delays.length === 0) {
      end.isClosing = false;
      other.arriving.push('end');
    }
    return this;
  }

  /** Moves the clock to the end of the next delay. Returns whether there is one. */
  #passTime(): boolean {
    const [first] = Object.values(this.#ends)
      .filter(({ hasHands, nextDelay }) => hasHands && nextDelay !== undefined)
      .sort((a, b) => (a.nextDelay ?? 0) - (b.nextDelay ?? 0));
    return first?.passTime() === true;
  }

  /** Sends what has waited. */
  #endDelay(end: End, outcome: Outcome): true {
    const due = end.delays.shift();
    if (due !== undefined) this.take(end.side, end.connection.settle(due.deferred, outcome));
    return true;
  }

  /** Waits for a delay in real time. Returns whether there is one. */
  async #waitForDelay(): Promise<boolean> {
    const [end] = Object.values(this.#ends).filter(({ delays }) => delays.length > 0);
    const [due] = end?.delays ?? [];
    if (end === undefined || due === undefined) return false;
    return this.#endDelay(end, await outcomeOf(due.deferred));
  }

  /** Ends the transport, as if the other end had gone: `side` hears of it after what has arrived. */
  endTransport(side: Side): this {
    return this.take(side, this.#ends[side].connection.transportEnded());
  }

  /** What {@link replay} takes, of each end, as far as it has come. @throws Error if the pair was made without `record` */
  get recordings(): Readonly<Record<Side, Recording>> {
    if (this.#recorders === undefined) throw new Error('recordings: say record: true in the options of pair()');
    const { client, server } = this.#recorders;
    return { client: client.recording, server: server.recording };
  }

  /** Disposes of both connections. Neither may be used any more. */
  dispose(): void {
    for (const side of ['client', 'server'] as const) this.take(side, this.#ends[side].connection.dispose());
  }

  /** The events of one end, by their type. */
  eventsOf<T extends Event['type']>(side: Side, type: T): Extract<Event, { type: T }>[] {
    const is = (event: Event): event is Extract<Event, { type: T }> => event.type === type;
    return this.events
      .filter((one) => one.side === side)
      .map(({ event }) => event)
      .filter(is);
  }

  #requireNoQuestion(): void {
    const end = Object.values(this.#ends).find(({ question }) => question !== undefined);
    if (end !== undefined)
      throw new Error(`runSync(): the ${end.side} waits for ${end.question?.kind}; use run(), which waits as well`);
  }

  async #answer(end: End, question: Question): Promise<void> {
    const outcome = await outcomeOf(question);
    if (end.question === question) this.take(end.side, end.connection.answer(question, outcome));
  }
}

/** Whether the connection has closed the transport of its own accord. */
function isClosed({ origin, alert }: TlsAlert): boolean {
  return origin === 'local' && alert === 'close_notify';
}

function outcomeOf({ promise }: Pick<Question, 'promise'>): Promise<Outcome> {
  return Promise.resolve(promise).then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
}

/**
 * Returns a client and a server that are connected in memory. Nothing has been sent yet.
 * @throws TypeError and RangeError that name the option
 */
export function pair(client: ClientConfig, server: ServerConfig, options: PairOptions = {}): Pair {
  requireOptions('options', options, OPTIONS);
  if (options.chunks !== undefined) integer('chunks', options.chunks, 1, 1);
  return new Pair(client, server, options);
}
