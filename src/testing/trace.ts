/** Everything that happens on a connection, in order: messages, records, events and callbacks. */

import type { Event } from '../engine/events.ts';
import type { Fault } from '../engine/fault.ts';
import type { AnyTask, Outcome, TaskWait } from '../handshake/wait.ts';
import { copyOf, EMPTY } from '../wire/bytes.ts';
import { ContentType, nameOf, type Version } from '../wire/registry.ts';
import { type Interceptor, LayeredFault, NOTHING } from './interceptor.ts';
import { readMessage, versionIn } from './messages.ts';
import { describeAlert, plain, renderTrace, type TextOptions, textLines } from './render.ts';
import type { CallbackEntry, MessageEntry, Place, Side, TraceEntry } from './trace-entry.ts';

/** What one end tells a trace. */
class Tap {
  readonly #trace: Trace;
  readonly #side: Side;
  readonly #epochs = { sent: 0, received: 0 };

  constructor(trace: Trace, side: Side) {
    this.#trace = trace;
    this.#side = side;
  }

  sending(raw: Uint8Array) {
    this.#message('sent', raw);
    return { sent: [raw], hashed: raw };
  }

  sealing(type: number, content: Uint8Array, seal: (type: number, content: Uint8Array) => Uint8Array) {
    const record = seal(type, content);
    this.#record('sent', type, content, record.length);
    return [record];
  }

  opened(
    { fragment }: { readonly fragment: Uint8Array },
    content: { readonly type: number; readonly content: Uint8Array } | undefined,
  ): void {
    this.#record('received', content?.type, content?.content, HEADER + fragment.length);
  }

  received({ raw }: { readonly raw: Uint8Array }): void {
    this.#message('received', raw);
  }

  rekeyed(direction: 'reading' | 'writing'): void {
    this.#epochs[direction === 'reading' ? 'received' : 'sent']++;
  }

  /** Has the trace hear of a task when its outcome is there. */
  meet({ task }: TaskWait): void {
    if (task === undefined) return;
    const { conclude } = task;
    task.conclude = (outcome) => {
      this.#performed(task, outcome);
      return conclude.call(task, outcome);
    };
  }

  #performed({ callback, kind, asked }: AnyTask, outcome: Outcome): void {
    const [[how, answer] = ['late', undefined]] = Object.entries(outcome);
    const name = callback ?? kind;
    const shown = how === 'value' && SECRET.includes(kind) ? undefined : answer;
    this.#trace.add({
      kind: 'callback',
      side: this.#side,
      name,
      question: kind,
      asked: asked instanceof Uint8Array ? copyOf(asked) : asked,
      outcome: how as CallbackEntry['outcome'],
      answer: shown,
    });
  }

  #place(direction: 'sent' | 'received'): Place {
    return { side: this.#side, direction, epoch: this.#epochs[direction] };
  }

  #message(direction: 'sent' | 'received', raw: Uint8Array): void {
    this.#trace.version = versionIn(raw) ?? this.#trace.version;
    const read = readMessage(raw, this.#trace.version);
    this.#trace.add({ kind: 'message', ...this.#place(direction), ...read, raw: copyOf(raw) });
  }

  #record(
    direction: 'sent' | 'received',
    type: number | undefined,
    content: Uint8Array | undefined,
    wire: number,
  ): void {
    this.#trace.add({
      kind: 'record',
      ...this.#place(direction),
      type: type === undefined ? 'skipped' : nameOf(ContentType, type),
      length: content?.length,
      wire,
      alert: type === ContentType.alert ? describeAlert(content ?? EMPTY) : undefined,
    });
  }
}

/** The length of a record's header. */
const HEADER = 5;
/** The kinds of tasks whose answers are secrets. */
const SECRET = ['key-generation', 'key-agreement'];

/** Of an object whose methods are its class's, which a spread would not copy. */
function layerOf(tap: Tap): Interceptor {
  return {
    ...NOTHING,
    sending: (raw) => tap.sending(raw),
    sealing: (type, content, seal) => tap.sealing(type, content, seal),
    opened: (record, content) => tap.opened(record, content),
    received: (frame) => tap.received(frame),
    rekeyed: (direction) => tap.rekeyed(direction),
    meet: (wait) => tap.meet(wait),
  };
}

/** A trace of a connection, or of both ends of one. */
export class Trace {
  readonly #entries: TraceEntry[] = [];
  /** @internal The version that ServerHello has selected. */
  version: Version | undefined;

  /** All entries, in order. */
  get entries(): readonly TraceEntry[] {
    return this.#entries;
  }

  /** The messages that were sent, or that the one end has received whose trace this is. */
  get messages(): readonly MessageEntry[] {
    return this.#entries.filter((entry) => entry.kind === 'message');
  }

  /** @internal */
  add(entry: TraceEntry): void {
    this.#entries.push(entry);
  }

  /** @internal Notes the events of a Step. */
  note(side: Side, events: readonly Event[]): void {
    for (const event of events) this.add({ kind: 'event', side, event });
  }

  /** @internal Returns what one end tells the trace by: the last to see what is sent, below every fault. */
  tap(side: Side): Fault {
    return new LayeredFault('trace', () => layerOf(new Tap(this, side)));
  }

  /** Plain objects, one an entry. Bytes are in hexadecimal. */
  toJSON(): unknown[] {
    return this.#entries.map((entry) => plain(entry));
  }

  /** A listing, a line an entry. With `color`, for a terminal. */
  toText(options: TextOptions = {}): string {
    return `${textLines(renderTrace(this.#entries), options).join('\n')}\n`;
  }
}
