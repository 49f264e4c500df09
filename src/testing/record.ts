/** Writes down one end of a connection: what it was called with, what it drew, and what its work came to. */

import { isPromise } from '../awaitable.ts';
import { boolean } from '../engine/checks.ts';
import { ClientConnection } from '../engine/client/client-connection.ts';
import type { Event, Step } from '../engine/events.ts';
import type { Fault } from '../engine/fault.ts';
import type { ServerConfig } from '../engine/server/config.ts';
import { isServerConfig } from '../engine/server/config-brand.ts';
import { ServerConnection } from '../engine/server/server-connection.ts';
import type { SessionOffer } from '../handshake/client/context.ts';
import type { DraftPsk } from '../handshake/client/hello-draft.ts';
import type { AnyTask, Outcome, TaskWait } from '../handshake/wait.ts';
import type { Session } from '../sessions/session.ts';
import { isOwnAlert } from '../wire/alert.ts';
import { EMPTY, equalBytes, equalConstantTime, toHex } from '../wire/bytes.ts';
import { requireOptions } from '../wire/options.ts';
import { RECORD_HEADER, type TlsRecord } from '../wire/record.ts';
import { ContentType, HandshakeType } from '../wire/registry.ts';
import { drawRandom, timeOf, type World } from '../world.ts';
import {
  type Content,
  type InterceptedWriter,
  type Interceptor,
  LayeredFault,
  type Seal,
  type Sending,
  type Setting,
} from './interceptor.ts';
import { type Mask, ReceivedBytes, SentBytes } from './masking.ts';
import type { Timing } from './outflow.ts';
import { writeClient, writeServer } from './recorded-options.ts';
import { SessionsMet, writeError, writeValue } from './recorded-values.ts';
import {
  CALLS,
  type CallName,
  type MaskedPiece,
  RECORDING_FORMAT,
  RECORDING_WARNING,
  type RecordedCall,
  type RecordedConnection,
  type RecordedEvent,
  type RecordedFacts,
  type RecordedMessage,
  type RecordedRecords,
  type RecordedTask,
  type Recording,
} from './recording.ts';
import { seededWorld } from './seeded-world.ts';

/** The options of {@link record}. */
export interface RecordOptions {
  /** Whether application data is written down. Default false: of a record that has some there is the length. */
  readonly applicationData?: boolean | undefined;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type OpenCall = Mutable<RecordedCall> & { work: (RecordedTask | RecordedCall)[] };
/** Content that was made a record of. */
interface Sealed {
  readonly type: number;
  readonly content: Uint8Array;
  readonly record: Uint8Array;
}

/** What a call has sent: messages, records that faults have changed, and the number of pieces of content. */
interface Notes {
  readonly sent: RecordedMessage[];
  readonly records: RecordedRecords[];
  pieces: number;
}

type OpenTask = Mutable<RecordedTask> & { work: (RecordedTask | RecordedCall)[] };

/** A connection of either role. */
export type Recorded = ServerConnection | ClientConnection;

/** The methods of a connection that a recording stands in front of. */
type Methods = Partial<Record<CallName, (...given: unknown[]) => Step>>;

/** Records one connection: give it to that as one of its faults. */
export interface Recorder extends Fault {
  /** What there is so far. @throws Error if no connection has been given this */
  readonly recording: Recording;
  /** The same, for JSON.stringify(). */
  toJSON(): Recording;
}

class RecorderFault extends LayeredFault implements Recorder {
  readonly #tape: Tape;

  constructor(options: RecordOptions) {
    requireOptions('options', options, { applicationData: true });
    const tape = new Tape(boolean('applicationData', options.applicationData, false));
    super(
      'record',
      (inner, setting) => tape.over(inner, setting),
      { opensByTask: true },
      { world: (world) => tape.worldOver(world), isOutermost: true },
    );
    this.#tape = tape;
  }

  override attach(writer: InterceptedWriter): void {
    this.#tape.attach(writer);
  }

  get recording(): Recording {
    return this.#tape.recording();
  }

  toJSON(): Recording {
    return this.recording;
  }
}

/**
 * Returns what records one connection, as a value for its `faults`. The connection draws from dice of its own then, whose seed is drawn
 * from the world of its configuration; its clock is that world's.
 * @throws TypeError for an unknown option
 */
export function record(options: RecordOptions = {}): Recorder {
  return new RecorderFault(options);
}

class Tape {
  readonly #keepsData: boolean;
  #owner: Recorded | undefined;
  #seed: Uint8Array = EMPTY;
  readonly #calls: RecordedCall[] = [];
  /** The calls and tasks that are under way, the innermost last. */
  readonly #open: (OpenCall | OpenTask)[] = [];
  readonly #sessions = new SessionsMet();
  /** The virtual hosts that were selected. */
  readonly #configs: ServerConfig[] = [];
  /** The options of the connection, and of those. */
  readonly #written: unknown[] = [];
  #offers: readonly SessionOffer[] = [];
  #offered: readonly number[] = [];
  readonly #received = new ReceivedBytes();
  readonly #sent = new SentBytes();
  readonly #epochs = { reading: 0, writing: 0 };
  readonly #notesOf = new WeakMap<OpenCall, Notes>();
  #timings: readonly Timing[] = [];
  readonly #holds: number[] = [];
  #hasConcluded = false;
  /** Why the record that is being read does not open. */
  #refusal: unknown;
  #isTransportOver = false;
  #wasEstablished = false;

  constructor(keepsData: boolean) {
    this.#keepsData = keepsData;
  }

  worldOver(base: World): World {
    if (this.#owner !== undefined) throw new TypeError('record(): one recording is of one connection');
    this.#seed = drawRandom(base, 32, 'recording');
    const dice = seededWorld(this.#seed, { now: 0 });
    return {
      now: () => {
        const time = timeOf(base);
        const call = this.#call;
        if (call !== undefined) call.time ??= time;
        return call?.time ?? time;
      },
      randomBytes: (length, label) => dice.randomBytes(length, label),
    };
  }

  /** The call that is under way. */
  get #call(): OpenCall | undefined {
    const calls = this.#open.filter((one): one is OpenCall => 'call' in one);
    return calls.at(-1);
  }

  over(inner: Interceptor, { owner, timings }: Setting): Interceptor {
    this.#timings = timings;
    if (!(owner instanceof ServerConnection || owner instanceof ClientConnection))
      throw new TypeError('record(): a ServerConnection or a ClientConnection is wanted');
    this.#owner = owner;
    this.#standBefore(owner);
    return {
      ...inner,
      sending: (raw) => this.#sending(raw, inner),
      sealing: (type, content, seal) => this.#sealing(type, content, seal, inner),
      opening: (given, protection) => {
        try {
          return inner.opening(given, protection);
        } catch (error) {
          this.#refusal = error;
          throw error;
        }
      },
      opened: (given, content) => {
        inner.opened(given, content);
        this.#opened(given, content);
      },
      injecting: (bytes, content) => {
        inner.injecting(bytes, content);
        this.#injecting(bytes, content);
      },
      rekeyed: (direction) => {
        inner.rekeyed(direction);
        this.#epochs[direction]++;
      },
      meet: (wait) => {
        inner.meet(wait);
        this.#meet(wait);
      },
    };
  }

  /** Has each method of the connection write down that it was called. */
  #standBefore(owner: Recorded): void {
    const methods = owner as unknown as Methods;
    for (const name of CALLS) {
      const method = methods[name];
      if (method === undefined) continue;
      const value = (...given: unknown[]) => this.#calling(name, given, () => method.apply(owner, given));
      Object.defineProperty(owner, name, { value, configurable: true });
    }
  }

  /** Follows the hand of a tester: what it holds back, and what it lets go. It comes after the injectors. */
  attach(writer: InterceptedWriter): void {
    const { holdsBefore } = writer;
    let asked = 0;
    writer.holdsBefore = (name) => {
      const holds = holdsBefore(name);
      if (holds) this.#holds.push(asked);
      asked++;
      return holds;
    };
    for (const name of ['release', 'discard'] as const) {
      const method = writer[name];
      const value = (): void => this.#letting(name, () => method.call(writer));
      Object.defineProperty(writer, name, { value });
    }
  }

  /** One that lets go by way of the other counts once. */
  #letting(call: 'release' | 'discard', run: () => void): void {
    const last = this.#open.at(-1);
    if (last !== undefined && 'call' in last && last.call === 'discard') return run();
    const entry: OpenCall = { call, work: [] };
    (last?.work ?? this.#calls).push(entry);
    this.#open.push(entry);
    try {
      run();
    } finally {
      this.#open.pop();
      this.#note(entry);
    }
  }

  #injecting(bytes: Uint8Array, content: Content | undefined): void {
    const type = content?.type;
    const isSecret = content !== undefined && hasData(content) && !this.#keepsData;
    const data = isSecret ? (content?.content.length ?? 0) : toHex(content?.content ?? bytes);
    (this.#open.at(-1)?.work ?? this.#calls).push({ call: 'inject', type, data });
    this.#sent.push(bytes, isSecret ? this.#mask('sent', content?.content.length ?? 0) : undefined);
  }

  #calling(name: CallName, given: readonly unknown[], run: () => Step): Step {
    if (this.#owner !== undefined) this.#configsOf(this.#owner);
    const call: OpenCall = { call: name, work: [], ...this.#argumentsOf(name, given) };
    (this.#open.at(-1)?.work ?? this.#calls).push(call);
    const isTaken = name === 'receive' && given[0] instanceof Uint8Array && this.#take(call, given[0]);
    if (name === 'transportEnded') this.#isTransportOver = true;
    const before = this.#hasConcluded;
    this.#hasConcluded = false;
    this.#open.push(call);
    try {
      const step = run();
      this.#finish(call, step);
      return step;
    } catch (error) {
      call.threw = true;
      this.#note(call);
      if (isTaken && this.#owner?.hasFailed === false) this.#received.pop(); // it was refused
      throw error;
    } finally {
      this.#open.pop();
      if (name === 'answer' && !this.#hasConcluded) call.outcome = 'stale';
      this.#hasConcluded = before;
      this.#received.fold();
    }
  }

  /** Takes in what is received. After the end of the peer's direction that is nothing. */
  #take(call: OpenCall, bytes: Uint8Array): boolean {
    if (this.#owner?.life.reading !== 'open' || this.#isTransportOver) {
      if (bytes.length > 0) call.input = [{ ...this.#mask('received', bytes.length, 'ignored') }];
      return false;
    }
    this.#received.push(bytes, (pieces) => {
      call.input = pieces;
    });
    return true;
  }

  #argumentsOf(name: CallName, [first, second]: readonly unknown[]): Partial<OpenCall> {
    if (name === 'write' && first instanceof Uint8Array) return { data: this.#keepsData ? toHex(first) : first.length };
    if (name === 'settle') return { callback: callbackOf(first) };
    if (name === 'answer') return { outcome: outcomeOf(second) };
    if (name === 'updateKeys' || name === 'dispose') return { flag: first === true };
    return {};
  }

  #finish(call: OpenCall, { output, events }: Step): void {
    this.#note(call);
    if (output.length > 0) call.output = this.#sent.take(output);
    this.#wasEstablished ||= events.some(({ type }) => type === 'established');
    if (events.length > 0) call.events = events.map(writeEvent);
  }

  #note(call: OpenCall): void {
    const { sent, records } = this.#notes(call);
    if (sent.length > 0) call.sent = sent;
    if (records.length > 0) call.records = records;
    if (call.work.length === 0) delete (call as Partial<OpenCall>).work;
  }

  #meet(wait: TaskWait): void {
    if (wait.task !== undefined) return this.#meetTask(wait.task);
    const { call } = wait;
    wait.call = () => {
      const entry: OpenTask = { task: 'call', work: [] };
      return this.#during(entry, () => {
        try {
          const value = call.call(wait);
          entry.value = this.#write(value);
          return value;
        } catch (error) {
          entry.error = writeError(error);
          throw error;
        }
      });
    };
  }

  #meetTask(task: AnyTask): void {
    const { run, conclude } = task;
    const entry: OpenTask = { task: task.kind, callback: task.callback, work: [] };
    task.run = () =>
      this.#during(entry, () => {
        try {
          const answer = run.call(task);
          if (isPromise(answer)) entry.later = true;
          return answer;
        } catch (error) {
          entry.failed = writeError(error);
          throw error;
        }
      });
    task.conclude = (outcome) => {
      this.#hasConcluded = true;
      try {
        const conclusion = conclude.call(task, outcome);
        entry.value = this.#conclusion(task, outcome, conclusion);
        return conclusion;
      } catch (error) {
        entry.error = writeError(error);
        throw error;
      }
    };
  }

  /** The virtual host of a server name is an answer that the handshake concludes nothing from; a client's offer is an option. */
  #conclusion({ kind }: AnyTask, outcome: Outcome, conclusion: unknown): unknown {
    if (kind === 'server-name') return this.#configOf('value' in outcome ? outcome.value : undefined);
    if (kind !== 'session' || !(this.#owner instanceof ClientConnection)) return this.#write(conclusion);
    this.#offers = conclusion as readonly SessionOffer[];
    this.#offered = this.#offers.map(({ session }) => this.#sessions.add(session));
    return writeValue(undefined, this.#sessions);
  }

  #configOf(selected: unknown): unknown {
    if (!isServerConfig(selected) || selected === this.#owner?.config) return { $config: 0 };
    if (!this.#configs.includes(selected)) {
      this.#configs.push(selected);
      this.#written.push(writeServer(selected));
    }
    return { $config: 1 + this.#configs.indexOf(selected) };
  }

  #write(value: unknown): unknown {
    return writeValue(this.#withoutSecrets(value), this.#sessions);
  }

  /** An edited hello names the secrets behind its binders by the sessions that they are of. Those that an edit has made up stay. */
  #withoutSecrets(value: unknown): unknown {
    if (typeof value !== 'object' || value === null || !('psks' in value) || !Array.isArray(value.psks)) return value;
    return { ...value, psks: value.psks.map((psk: DraftPsk) => ({ ...psk, secret: this.#named(psk.secret) })) };
  }

  #named(secret: Uint8Array | undefined): unknown {
    const place = this.#offers.findIndex(
      ({ session }) => secret !== undefined && equalConstantTime(session.secret, secret),
    );
    return place < 0 ? secret : { $secretOf: this.#offered[place] };
  }

  #during<T>(entry: OpenTask, run: () => T): T {
    (this.#open.at(-1)?.work ?? []).push(entry);
    this.#open.push(entry);
    try {
      return run();
    } finally {
      this.#open.pop();
      if (entry.work.length === 0) delete (entry as Partial<OpenTask>).work;
      const ruledOut = this.#sessions.newlyRuledOut();
      if (ruledOut.length > 0) entry.ruledOut = ruledOut;
    }
  }

  #sending(raw: Uint8Array, inner: Interceptor): Sending {
    const call = this.#call;
    let sending: Sending;
    try {
      sending = inner.sending(raw);
    } catch (error) {
      if (call !== undefined) this.#notes(call).sent.push({ message: toHex(raw), error: writeError(error) });
      throw error;
    }
    const { sent, hashed } = sending;
    const isUsual = sent.length === 1 && equalBytes(sent[0] as Uint8Array, raw) && equalBytes(hashed, raw);
    const message: Mutable<RecordedMessage> = { message: toHex(raw) };
    if (!isUsual) message.changed = { sent: sent.map(toHex), hashed: toHex(hashed) };
    if (call !== undefined) this.#notes(call).sent.push(message);
    return sending;
  }

  #sealing(type: number, content: Uint8Array, seal: Seal, inner: Interceptor): readonly Uint8Array[] {
    const sealed: Sealed[] = [];
    const records = inner.sealing(type, content, (of, part) => {
      const record = seal(of, part);
      sealed.push({ type: of, content: part, record });
      return record;
    });
    const [first] = sealed;
    const isUsual =
      sealed.length === 1 && records.length === 1 && records[0] === first?.record && first?.content === content;
    const isSecret = type === ContentType.application_data && !this.#keepsData;
    const notes = this.#call && this.#notes(this.#call);
    if (notes !== undefined && (!isUsual || first?.type !== type))
      notes.records.push(this.#noteRecords(notes.pieces, sealed, records, isSecret));
    if (notes !== undefined) notes.pieces++;
    const mask: Mask = isSecret ? this.#mask('sent', content.length) : undefined;
    for (const record of records) this.#sent.push(record, mask);
    return records;
  }

  #noteRecords(
    at: number,
    sealed: readonly Sealed[],
    records: readonly Uint8Array[],
    isSecret: boolean,
  ): RecordedRecords {
    return {
      at,
      sealed: sealed.map((one) => ({ type: one.type, content: isSecret ? one.content.length : toHex(one.content) })),
      sent: records.map((record) => {
        const index = sealed.findIndex((one) => one.record === record);
        if (index >= 0) return index;
        const header = record.subarray(0, RECORD_HEADER);
        return isSecret ? [toHex(header), record.length - header.length] : toHex(record);
      }),
    };
  }

  /** The options as they are at the first call: a cache may be closed later. */
  #configsOf(owner: Recorded): readonly unknown[] {
    if (this.#written.length === 0)
      this.#written.push(owner instanceof ServerConnection ? writeServer(owner.config) : writeClient(owner.config));
    return this.#written;
  }

  /** What a call has sent so far. */
  #notes(call: OpenCall): Notes {
    const known = this.#notesOf.get(call);
    if (known !== undefined) return known;
    const made: Notes = { sent: [], records: [], pieces: 0 };
    this.#notesOf.set(call, made);
    return made;
  }

  #mask(direction: 'sent' | 'received', length: number, type: MaskedPiece['type'] = 'application_data') {
    return { direction, epoch: this.#epochs[direction === 'sent' ? 'writing' : 'reading'], type, length };
  }

  #opened({ type, fragment }: TlsRecord, content: Content | undefined): void {
    const error = this.#refusal;
    this.#refusal = undefined;
    if (this.#keepsData) return this.#received.opened(undefined);
    const isStrange = type === ContentType.change_cipher_spec && fragment.length !== 1;
    if (content !== undefined && !isStrange) {
      const isData = content.type === ContentType.application_data;
      return this.#received.opened(isData ? this.#mask('received', content.content.length) : undefined);
    }
    const isAlert = type === ContentType.alert && fragment.length === 2; // which may be in the clear
    const mask = isAlert ? undefined : this.#unread(type, fragment.length);
    const isUndecrypted = !isOwnAlert(error) || error.alert === 'bad_record_mac'; // as zeros will be
    this.#received.opened(mask && !isUndecrypted ? { ...mask, error: writeError(error) } : mask);
  }

  /** What becomes of a record that nobody has opened. Under keys it may have application data whatever its header says. */
  #unread(type: number, length: number): Mask {
    const isSecret = !this.#keepsData && (type === ContentType.application_data || this.#epochs.reading > 0);
    return isSecret ? this.#mask('received', length, 'unopened') : undefined;
  }

  recording(): Recording {
    const owner = this.#owner;
    if (owner === undefined) throw new Error('record(): no connection has been given this; put it among its faults');
    const isOver = !this.#keepsData && owner.life.reading === 'ended' && this.#epochs.reading > 0;
    const ignored = (length: number) => this.#mask('received', length, 'ignored');
    this.#received.settleRest((type, length) => this.#unread(type, length), isOver ? ignored : undefined);
    const isUsed = usedBy(owner);
    const isServer = owner instanceof ServerConnection;
    if (!isServer && this.#hasForeignBinders(owner, isUsed)) this.#giveHellos(this.#calls);
    const recording: Recording = {
      warning: RECORDING_WARNING,
      format: RECORDING_FORMAT,
      side: isServer ? 'server' : 'client',
      seed: toHex(this.#seed),
      configs: this.#configsOf(owner),
      connection: {
        ...(isServer ? connectionOfServer(owner) : this.#connectionOfClient(owner)),
        timings: this.#timings,
        holds: this.#holds,
      },
      sessions: this.#sessions.toJSON(isUsed),
      calls: this.#calls,
      facts: factsOf(owner, this.#wasEstablished),
    };
    return JSON.parse(JSON.stringify(recording)); // a copy, which no later call changes
  }

  /** Whether a hello has binders under secrets that are left out. */
  #hasForeignBinders({ edits }: ClientConnection, isUsed: (session: Session) => boolean): boolean {
    return (
      this.#offers.length > 0 && (edits.hello !== undefined || !this.#offers.every(({ session }) => isUsed(session)))
    );
  }

  #giveHellos(calls: readonly (RecordedCall | RecordedTask)[]): void {
    for (const call of calls) {
      const sent: readonly Mutable<RecordedMessage>[] = 'sent' in call ? (call.sent ?? []) : [];
      for (const message of sent) if (message.message.startsWith(CLIENT_HELLO)) message.isGiven = true;
      this.#giveHellos(call.work ?? []);
    }
  }

  #connectionOfClient(owner: ClientConnection): RecordedConnection {
    const [offer] = this.#offers;
    const { hello, bytes } = owner.edits;
    return {
      ...owner.peer,
      sessions: this.#offered,
      ticketAge: offer?.age,
      edits: [...(hello ? (['hello'] as const) : []), ...(bytes ? (['bytes'] as const) : [])],
    };
  }
}

const CLIENT_HELLO = toHex(Uint8Array.of(HandshakeType.client_hello));

/**
 * A session counts as used if it was resumed. In TLS 1.3 it does, too, if a server had verified its binder before that came to nothing:
 * if it breaks no rule.
 */
function usedBy(owner: Recorded): (session: Session) => boolean {
  const { resumption, version } = owner;
  const verdicts = owner instanceof ServerConnection && version === 'TLSv1.3' ? owner.verdicts : [];
  const fit = verdicts.filter(({ checks, reason }) => reason !== 'binder' && checks.every(({ passed }) => passed));
  return (session) => session === resumption.session || fit.some(({ sessionId }) => sessionId === toHex(session.id));
}

function connectionOfServer(owner: ServerConnection): RecordedConnection {
  const { localAddress, localPort, remoteAddress, remotePort } = owner.info();
  const { opensByTask: _, ...decisions } = owner.decisions;
  return {
    addresses: { localAddress, localPort, remoteAddress, remotePort },
    decisions: writeValue(decisions, new SessionsMet()),
  };
}

function factsOf(owner: Recorded, wasEstablished: boolean): RecordedFacts {
  const { resumption } = owner;
  return {
    wasEstablished,
    hasFailed: owner.hasFailed,
    version: owner.version,
    cipherSuite: owner.cipherSuite,
    group: owner.group,
    alpnProtocol: owner.alpnProtocol,
    resumed: resumption.resumed,
    mechanism: resumption.mechanism,
    pskMode: resumption.pskMode,
    reason: resumption.reason,
  };
}

/** RFC 9846 §5.2: content that is padded by hand is of the type of its last byte that is not zero. */
function hasData({ type, content }: Content): boolean {
  return (type || content.filter((byte) => byte !== 0).at(-1)) === ContentType.application_data;
}

function callbackOf(deferred: unknown): string | undefined {
  const isNamed = typeof deferred === 'object' && deferred !== null && 'callback' in deferred;
  return isNamed ? String(deferred.callback) : undefined;
}

function outcomeOf(outcome: unknown): RecordedCall['outcome'] {
  if (typeof outcome !== 'object' || outcome === null) return undefined;
  if ('late' in outcome) return 'late';
  return 'error' in outcome ? writeError(outcome.error) : 'value';
}

/** What may be told of an event. Data, secrets and sessions may not. */
export function writeEvent(event: Event): RecordedEvent {
  switch (event.type) {
    case 'alert':
      return { ...event };
    case 'failed':
      return { type: event.type, error: writeError(event.error) };
    case 'data':
      return { type: event.type, length: event.data.length };
    case 'verdicts':
      return { type: event.type, verdicts: event.verdicts.map((verdict) => verdict.toJSON()) };
    case 'callback-error':
      return { type: event.type, callback: event.callback, error: writeError(event.error) };
    case 'no-ticket':
      return { ...event };
    case 'session-removed':
      return { type: event.type, reason: event.reason };
    default:
      return { type: event.type };
  }
}
