/** Runs a recording again: the same calls, the same clock and dice, the same answers; and compares what comes of it. */

import { ClientConnection } from '../engine/client/client-connection.ts';
import type { Event, Step } from '../engine/events.ts';
import type { Fault } from '../engine/fault.ts';
import type { Deferred, Question } from '../engine/questions.ts';
import type { ServerConfig } from '../engine/server/config.ts';
import { ServerConnection } from '../engine/server/server-connection.ts';
import type { Decisions } from '../handshake/decisions.ts';
import type { AnyTask, Outcome, TaskWait } from '../handshake/wait.ts';
import type { Session } from '../sessions/session.ts';
import { concat, EMPTY, fromHex, toHex } from '../wire/bytes.ts';
import { ContentType } from '../wire/registry.ts';
import type { World } from '../world.ts';
import { differenceOf, messageDifference } from './differences.ts';
import {
  type Content,
  type InterceptedWriter,
  type Interceptor,
  LayeredFault,
  type Seal,
  type Sending,
} from './interceptor.ts';
import { sentPieces, UnmaskState, unmask } from './masking.ts';
import { versionIn } from './messages.ts';
import type { Timing } from './outflow.ts';
import { type Recorded, writeEvent } from './recorded-facts.ts';
import { type RecordedClient, type RecordedServer, readClient, readServer } from './recorded-options.ts';
import { readError, readSession, readValue } from './recorded-values.ts';
import type { Piece, RecordedCall, RecordedRecords, RecordedTask, Recording } from './recording.ts';
import { seededWorld } from './seeded-world.ts';
import { Trace } from './trace.ts';

/** Thrown where a replay does what the recording does not have. */
export class ReplayDifference extends Error {
  override readonly name = 'ReplayDifference';
  /** Where: the call, and the message and the field, or the byte, such as `calls[1].server_hello.random`. */
  readonly path: string;

  constructor(path: string, reason: string) {
    super(`${path}: ${reason}`);
    this.path = path;
  }
}

/** The answer of a task that a fork gives in the place of the recorded one: as the callback, or the provider, would answer. */
export type ForkedAnswer = { readonly value: unknown } | { readonly error: unknown };

/** A task of a fork. */
export interface ForkedTask {
  /** The purpose of the wait. */
  readonly kind: AnyTask['kind'];
  readonly callback: string | undefined;
}

/** What is otherwise from one call on. */
export interface Divergence {
  readonly at: number;
  readonly clock?: number | undefined;
  readonly bytes?: Uint8Array | undefined;
  readonly answer?: ((task: ForkedTask) => ForkedAnswer | undefined) | undefined;
}

/** Bytes that went over the wire, and when, in milliseconds since the epoch. */
export interface Passage {
  readonly direction: 'sent' | 'received';
  readonly time: number;
  readonly bytes: Uint8Array;
}

/** A call that is being replayed, and how far it has come. */
interface Frame {
  readonly call: RecordedCall;
  readonly path: string;
  work: number;
  sent: number;
  pieces: number;
}

type Work = RecordedTask | RecordedCall;

/** Runs the calls of one recording. */
export class Player {
  readonly recording: Recording;
  readonly connection: Recorded;
  readonly trace = new Trace();
  /** Lines in NSS key log format. */
  readonly keylog: string[] = [];
  /** What the last call has put out, and its events. */
  output: Uint8Array = EMPTY;
  events: readonly Event[] = [];
  /** All that went over the wire, with zeros for what is masked. */
  readonly wire: Passage[] = [];
  readonly #divergence: Divergence | undefined;
  readonly #sessions: readonly Session[];
  readonly #configs: readonly (ServerConfig | undefined)[];
  readonly #received = new UnmaskState();
  /** How many records have been opened, or were not to be. */
  #opened = 0;
  #masked = 0;
  readonly #frames: Frame[] = [];
  #writer: InterceptedWriter | undefined;
  #question: Question | undefined;
  /** The last question that has been answered or withdrawn. */
  #withdrawn: Question | undefined;
  /** The pauses of faults of time. */
  readonly #pauses: Deferred[] = [];
  #time = 0;
  #isForked = false;
  #wasEstablished = false;
  /** The first difference. An error that is thrown amid a task would be its answer. */
  #difference: ReplayDifference | undefined;

  constructor(recording: Recording, divergence?: Divergence) {
    this.recording = recording;
    this.#divergence = divergence;
    this.#sessions = recording.sessions.map((one, i) => made(`sessions[${i}]`, () => readSession(one)));
    this.#time = recording.calls.find(({ time }) => time !== undefined)?.time ?? 0;
    const host = seededWorld(recording.seed).fork('host');
    const clock: World = {
      now: () => this.#time,
      randomBytes: (length, label) => host.randomBytes(length, label),
    };
    const faults = [this.trace.tap(recording.side), this.#fault()];
    const isServer = recording.side === 'server';
    this.#configs = isServer
      ? recording.configs.map((one, i) => made(`configs[${i}]`, () => readServer(one as RecordedServer, clock)))
      : [];
    this.connection = made('connection', () => (isServer ? this.#server(faults) : this.#client(faults, clock)));
  }

  /** How many records of application data are left out of the recording. */
  get maskedRecords(): number {
    return this.#received.count + this.#masked;
  }

  #server(faults: readonly Fault[]): ServerConnection {
    const [config] = this.#configs;
    if (config === undefined) throw new TypeError('recording.configs: it has none');
    const { addresses = {} } = this.recording.connection;
    return new ServerConnection(config, { addresses, faults, wantsKeylog: () => true });
  }

  #client(faults: readonly Fault[], clock: World): ClientConnection {
    const [recorded] = this.recording.configs;
    const config = made('configs[0]', () => readClient(recorded as RecordedClient, clock));
    const { serverName, host, port, sessions = [], ticketAge, earlyData, edits = [] } = this.recording.connection;
    return new ClientConnection(config, {
      serverName,
      host,
      port,
      sessions: sessions.map((index) => this.#sessions[index]).filter((session) => session !== undefined),
      forceSessions: true,
      ticketAge,
      earlyData: earlyData === undefined || earlyData === true ? earlyData : bytesOf(earlyData),
      edits: {
        hello: edits.includes('hello') ? (draft) => draft : undefined,
        bytes: edits.includes('bytes') ? (raw) => raw : undefined,
      },
      faults,
      wantsKeylog: () => true,
    });
  }

  #fault(): Fault {
    const { connection, seed } = this.recording;
    const dice = seededWorld(fromHex(seed), { now: 0 });
    const world: World = {
      now: () => this.#time,
      randomBytes: (length, label) => dice.randomBytes(length, label),
    };
    const decisions = readValue(connection.decisions ?? {}, []) as Decisions;
    const over = (inner: Interceptor) => this.#over(inner);
    const timings = (connection.timings ?? []) as readonly Timing[];
    const extras = { world: () => world, timings, isOutermost: true };
    const fault = new LayeredFault('replay', over, { ...decisions, opensByTask: true }, extras);
    fault.attach = (writer) => this.#attach(writer);
    return fault;
  }

  #attach(writer: InterceptedWriter): void {
    this.#writer = writer;
    const { holds = [] } = this.recording.connection;
    let asked = 0;
    writer.holdsBefore = () => holds.includes(asked++);
  }

  #over(inner: Interceptor): Interceptor {
    return {
      ...inner,
      meet: (wait) => {
        this.#meet(wait);
        inner.meet(wait);
      },
      sending: (raw) => this.#sending(raw, inner),
      sealing: (type, content, seal) => this.#sealing(type, content, seal, inner),
      opening: (given, protection) => {
        const mask = this.#received.masks.get(this.#opened);
        if (mask?.error !== undefined) throw readError(mask.error);
        if (mask?.type !== 'application_data') return inner.opening(given, protection);
        (protection as { records: number }).records++; // its sequence number
        return { type: ContentType.application_data, content: new Uint8Array(mask.length) } satisfies Content;
      },
      opened: (given, content) => {
        this.#received.masks.delete(this.#opened);
        this.#opened++;
        inner.opened(given, content);
      },
    };
  }

  /** Makes the calls, up to the one that is otherwise. @throws ReplayDifference */
  play(each?: (call: RecordedCall, index: number) => void): this {
    const { calls } = this.recording;
    for (const [index, call] of calls.entries()) {
      const isLast = this.#divergence?.at === index;
      if (isLast) this.#isForked = true;
      each?.(call, index);
      this.#perform(call, `calls[${index}]`);
      if (isLast) return this;
    }
    if (this.#divergence === undefined) this.#compareFacts();
    return this;
  }

  #perform(call: RecordedCall, path: string): void {
    const frame: Frame = { call, path, work: 0, sent: 0, pieces: 0 };
    if (call.threw === true && call.call === 'receive' && call.input === undefined) return; // it was refused
    this.#time = (this.#isForked ? this.#divergence?.clock : undefined) ?? call.time ?? this.#time;
    this.#frames.push(frame);
    let step: Step | undefined;
    try {
      step = this.#afterwards(frame, this.#invoke(call));
    } catch (error) {
      if (this.#difference !== undefined) throw this.#difference;
      if (call.threw !== true && !this.#isForked)
        throw new ReplayDifference(path, `it has thrown nothing, and throws now: ${String(error)}`);
      if (call.threw !== true) throw error;
    } finally {
      this.#frames.pop();
    }
    if (this.#difference !== undefined) throw this.#difference;
    if (step !== undefined) this.#finish(frame, step);
  }

  /** Makes the calls that were made amid our own work, where they had to wait for their turn, and joins what comes of them. */
  #afterwards(frame: Frame, first: Step | undefined): Step | undefined {
    const work: readonly Work[] = frame.call.work ?? [];
    let step = first;
    for (let next = work[frame.work]; next !== undefined && 'call' in next; next = work[frame.work]) {
      frame.work++;
      const more = this.#invoke(next);
      const [output, events] = [concat(step?.output ?? EMPTY, more?.output ?? EMPTY), more?.events ?? []];
      step = { output, events: [...(step?.events ?? []), ...events], question: more?.question };
    }
    return step;
  }

  #invoke({
    call,
    input = [],
    output = [],
    records,
    data = 0,
    flag = false,
    outcome = 'value',
    callback,
    type,
  }: RecordedCall): Step | undefined {
    const { connection } = this;
    switch (call) {
      case 'receive':
        return this.#receive(input);
      case 'write':
        return connection.write(typeof data === 'number' ? this.#zeros(data, output, records) : fromHex(data));
      case 'writeEarlyData':
        return connection.writeEarlyData(typeof data === 'number' ? this.#zeros(data, output, records) : fromHex(data));
      case 'answer':
        return this.#answer(outcome);
      case 'inject':
        return this.#inject(type, data);
      case 'release':
      case 'discard':
        this.#writer?.[call]();
        return undefined;
      case 'settle':
        return this.#settle(callback);
      case 'updateKeys':
        return connection.updateKeys(flag);
      case 'dispose':
        return connection.dispose(flag);
      case 'sendTicket':
        return connection instanceof ServerConnection ? connection.sendTicket() : undefined;
      case 'connect':
        return connection instanceof ClientConnection ? connection.connect() : undefined;
      default:
        return connection[call]();
    }
  }

  #inject(type: number | undefined, data: string | number): undefined {
    const bytes = bytesOf(data);
    if (type === undefined) this.#writer?.inject(bytes);
    else this.#writer?.injectRecord(type, bytes);
  }

  /** What was written, which went out unless a fault held it back. */
  #zeros(length: number, output: readonly Piece[], changed: RecordedCall['records']): Uint8Array {
    const sent = output.reduce((sum, piece) => sum + (typeof piece === 'string' ? 0 : piece.length), 0);
    const isHeld = changed !== undefined || (this.recording.connection.timings ?? []).length > 0;
    if (length > MAX_UNSENT && length > sent && !isHeld)
      throw this.#differ('.data', `${length} bytes were written, of which ${sent} were sent`);
    return new Uint8Array(length);
  }

  /** The end of a pause. Other promises are of callbacks that nothing waited for, and that are not called. */
  #settle(callback: string | undefined): Step | undefined {
    const pause = callback === 'faults' ? this.#pauses.shift() : undefined;
    return pause && this.connection.settle(pause, { value: undefined });
  }

  #receive(input: readonly Piece[]): Step {
    const bytes = (this.#isForked ? this.#divergence?.bytes : undefined) ?? unmask(input, this.#received);
    this.wire.push({ direction: 'received', time: this.#time, bytes });
    return this.connection.receive(bytes);
  }

  #answer(outcome: NonNullable<RecordedCall['outcome']>): Step | undefined {
    if (outcome === 'stale') return this.#withdrawn && this.connection.answer(this.#withdrawn, { value: undefined });
    if (this.#question === undefined) throw this.#differ('', 'no question is open that the recording has an answer to');
    const given: Outcome =
      outcome === 'late' ? { late: true } : outcome === 'value' ? { value: undefined } : { error: readError(outcome) };
    return this.connection.answer(this.#question, given);
  }

  #finish(frame: Frame, { output, events, question }: Step): void {
    if (question !== this.#question) this.#withdrawn = this.#question ?? this.#withdrawn;
    this.#question = question;
    this.output = output;
    this.events = events;
    this.trace.note(
      this.recording.side,
      events.filter(({ type }) => type !== 'keylog'),
    );
    this.#wasEstablished ||= events.some(({ type }) => type === 'established');
    for (const event of events) {
      if (event.type === 'keylog') this.keylog.push(event.line);
      if (event.type === 'deferred' && event.deferred.callback === 'faults') this.#pauses.push(event.deferred);
    }
    if (output.length > 0) this.wire.push({ direction: 'sent', time: this.#time, bytes: output });
    if (this.#isForked) return;
    this.#compareOutput(frame, output);
    const { path, call } = frame;
    const { sent = [] } = call;
    if (frame.sent < sent.length)
      throw new ReplayDifference(path, `${sent.length} messages were sent, and now there are ${frame.sent}`);
    const left = this.#nextTask(call.work ?? [], frame.work);
    if (left !== undefined) throw new ReplayDifference(path, `${left.task} was asked for, and is not now`);
    const [was, is] = [call.events ?? [], JSON.parse(JSON.stringify(events.map(writeEvent)))].map(comparable);
    const difference = differenceOf(was, is);
    if (difference !== undefined) throw new ReplayDifference(`${path}.events${difference.path}`, difference.reason);
  }

  #nextTask(work: readonly Work[], from: number): RecordedTask | undefined {
    return work.slice(from).find((one): one is RecordedTask => 'task' in one);
  }

  /** The messages agree already, so that a difference is one of records. */
  #compareOutput({ call, path }: Frame, output: Uint8Array): void {
    let at = 0;
    for (const { bytes, isMasked } of sentPieces(call.output ?? [])) {
      if (isMasked) this.#masked++;
      for (let i = 0; !isMasked && i < bytes.length; i++) {
        if (bytes[i] === output[at + i]) continue;
        const [was, is] = [bytes[i], output[at + i]].map((byte) =>
          byte === undefined ? 'none' : toHex(Uint8Array.of(byte)),
        );
        throw new ReplayDifference(`${path}.output[${at + i}]`, `${was} was recorded, and now it is ${is}`);
      }
      at += bytes.length;
    }
    if (at !== output.length)
      throw new ReplayDifference(`${path}.output`, `${at} bytes were recorded, and now there are ${output.length}`);
  }

  #compareFacts(): void {
    const { facts } = this.recording;
    const { connection } = this;
    const { resumption } = connection;
    const now: Readonly<Record<string, unknown>> = {
      wasEstablished: this.#wasEstablished,
      hasFailed: connection.hasFailed,
      version: connection.version,
      cipherSuite: connection.cipherSuite,
      group: connection.group,
      alpnProtocol: connection.alpnProtocol,
      resumed: resumption.resumed,
      mechanism: resumption.mechanism,
      pskMode: resumption.pskMode,
      reason: resumption.reason,
    };
    for (const [name, value] of Object.entries(now)) {
      const was = (facts as unknown as Record<string, unknown>)[name];
      if (was !== value)
        throw new ReplayDifference(`facts.${name}`, `${String(was)} was recorded, and now it is ${String(value)}`);
    }
  }

  get #frame(): Frame | undefined {
    return this.#frames.at(-1);
  }

  /** Notes a difference, which is thrown once the connection has returned. */
  #differ(where: string, reason: string): ReplayDifference {
    this.#difference ??= new ReplayDifference(`${this.#frame?.path ?? 'calls'}${where}`, reason);
    return this.#difference;
  }

  /** Returns the next work of the call, after the calls that were made meanwhile. */
  #next(): RecordedTask | undefined {
    const frame = this.#frame;
    const work: readonly Work[] = frame?.call.work ?? [];
    for (;;) {
      const index = frame?.work ?? 0;
      const next = work[index];
      if (frame !== undefined) frame.work++;
      if (next === undefined || 'task' in next) return next;
      this.#perform(next, `${frame?.path}.work[${index}]`);
    }
  }

  #meet(wait: TaskWait): void {
    const entry = this.#next();
    const name = wait.task?.kind ?? 'call';
    if (this.#isForked) return this.#fork(wait, entry?.task === name ? entry : undefined);
    if (entry?.task !== name) {
      const recorded =
        entry?.task === undefined ? 'the recording has no more' : `in the recording it was '${entry.task}'`;
      throw this.#differ('', `the next task is '${name}', and ${recorded}`);
    }
    if (wait.task !== undefined) this.#replaceTask(wait.task, entry);
    else wait.call = () => this.#during(entry, () => this.#concluded(entry));
  }

  /** Does what a task did, and has it conclude what it concluded. */
  #replaceTask(task: AnyTask, entry: RecordedTask): void {
    const { conclude } = task;
    const selected = configIn(entry.value);
    const isOffer = task.kind === 'session' && this.recording.side === 'client';
    task.run = () =>
      this.#during(entry, () => {
        if (entry.failed !== undefined) throw readError(entry.failed);
        return entry.later ? new Promise(() => {}) : undefined;
      });
    task.conclude = () => {
      if (isOffer && entry.error === undefined) return conclude.call(task, { value: undefined });
      if (selected !== undefined) return conclude.call(task, { value: this.#configs[selected] });
      if (entry.value === undefined && entry.error === undefined)
        throw this.#differ('', `${task.kind} is answered, and was not`);
      return this.#concluded(entry);
    };
  }

  /** In a fork: what the user says, or else what was recorded, or else what really comes of it. */
  #fork(wait: TaskWait, entry: RecordedTask | undefined): void {
    if (wait.task === undefined) {
      if (entry !== undefined) wait.call = () => this.#concluded(entry);
      return;
    }
    const { task } = wait;
    const { kind, callback } = task;
    const answer = this.#divergence?.answer?.({ kind, callback });
    if (answer === undefined && entry !== undefined) return this.#replaceTask(task, entry);
    if (answer === undefined) return;
    task.run = () => {
      if ('error' in answer) throw answer.error;
      return answer.value;
    };
  }

  /** Makes the calls that a callback made. */
  #during<T>(entry: RecordedTask, run: () => T): T {
    const path = `${this.#frame?.path}.${entry.task}`;
    for (const [index, call] of (entry.work ?? []).entries()) this.#perform(call, `${path}.work[${index}]`);
    for (const index of entry.ruledOut ?? []) this.#sessions[index]?.forbidResumption();
    return run();
  }

  #concluded({ value, error }: RecordedTask): unknown {
    if (error !== undefined) throw readError(error);
    return readValue(value, this.#sessions);
  }

  #sending(raw: Uint8Array, inner: Interceptor): Sending {
    const frame = this.#frame;
    const recorded = frame?.call.sent?.[frame.sent];
    if (frame !== undefined) frame.sent++;
    if (this.#isForked) return inner.sending(raw);
    if (recorded === undefined) throw this.#differ('', 'a message is sent, where the recording has no more');
    const was = fromHex(recorded.message);
    const version = versionIn(raw) ?? this.trace.version;
    const difference = messageDifference(was, raw, version, recorded.isGiven);
    if (difference !== undefined) throw this.#differ(difference.path, difference.reason);
    const { changed, error } = recorded;
    if (error !== undefined) throw readError(error);
    if (changed === undefined) return inner.sending(was);
    return {
      sent: changed.sent.flatMap((message) => inner.sending(fromHex(message)).sent),
      hashed: fromHex(changed.hashed),
    };
  }

  #sealing(type: number, content: Uint8Array, seal: Seal, inner: Interceptor): readonly Uint8Array[] {
    const frame = this.#frame;
    const at = frame?.pieces ?? 0;
    if (frame !== undefined) frame.pieces++;
    const changed = this.#isForked ? undefined : frame?.call.records?.find((one) => one.at === at);
    return changed === undefined ? inner.sealing(type, content, seal) : recordsOf(changed, inner, seal);
  }
}

/** Makes a part of what a recording has. @throws TypeError that names it */
function made<T>(path: string, make: () => T): T {
  try {
    return make();
  } catch (error) {
    throw new TypeError(`recording.${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Zeros stand for what is masked. */
function bytesOf(data: string | number): Uint8Array {
  return typeof data === 'number' ? new Uint8Array(data) : fromHex(data);
}

/** How many bytes of zeros write() may be given in the place of masked data, whatever went out. */
const MAX_UNSENT = 2 ** 20;

function configIn(value: unknown): number | undefined {
  return typeof value === 'object' && value !== null && '$config' in value ? Number(value.$config) : undefined;
}

/** Makes the records that a fault has made. What it sealed is sealed again, so that the sequence numbers agree. */
function recordsOf({ sealed, sent }: RecordedRecords, inner: Interceptor, seal: Seal): readonly Uint8Array[] {
  const made = sealed.map(({ type, content }) =>
    inner.sealing(type, typeof content === 'number' ? new Uint8Array(content) : fromHex(content), seal),
  );
  return sent.flatMap((one) => {
    if (typeof one === 'string') return [fromHex(one)];
    return typeof one === 'number' ? (made[one] ?? []) : [concat(fromHex(one[0]), new Uint8Array(one[1]))];
  });
}

/** The events that are compared. The others tell of callbacks that a replay does not call. */
const COMPARED = ['established', 'alert', 'failed', 'end', 'data', 'verdicts'];

function comparable(events: unknown): unknown[] {
  return (events as { readonly type: string }[]).filter(({ type }) => COMPARED.includes(type));
}
