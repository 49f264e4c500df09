/** What stands between a connection and its records: traces and faults, each over the next. */

import { Plaintext, type Protection } from '../crypto/protection.ts';
import { type Incoming, RecordReader } from '../crypto/record-reader.ts';
import { RecordWriter } from '../crypto/record-writer.ts';
import { Channel, type ChannelOwner } from '../engine/channel.ts';
import type { Fault } from '../engine/fault.ts';
import type { Decisions } from '../handshake/decisions.ts';
import type { TaskWait } from '../handshake/wait.ts';
import { copyOf } from '../wire/bytes.ts';
import type { ExpectedMessage, HandshakeFrame } from '../wire/handshake-buffer.ts';
import type { TlsRecord } from '../wire/record.ts';
import { AlertLevel, type AlertName, ContentType, nameOf } from '../wire/registry.ts';
import type { World } from '../world.ts';
import { nameIn } from './messages.ts';
import { Outflow, type Timing } from './outflow.ts';

/** What becomes of a handshake message. */
export interface Sending {
  /** The messages that are sent, in order, headers included. */
  readonly sent: readonly Uint8Array[];
  /** What enters the transcript. */
  readonly hashed: Uint8Array;
}

/** Makes one record, header included, under the keys in force. */
export type Seal = (type: number, content: Uint8Array) => Uint8Array;

/** The content of a record that has been opened. */
export interface Content {
  readonly type: number;
  readonly content: Uint8Array;
}

/** One object serves one connection. */
export interface Interceptor {
  /** Is given each handshake message of ours, header included, before it is hashed and queued. */
  sending(raw: Uint8Array): Sending;
  /** Is given each piece of content that makes a record of ours, and what makes the record. Returns the bytes to send, in order. */
  sealing(type: number, content: Uint8Array, seal: Seal): readonly Uint8Array[];
  /** Is told of what a tester writes by hand: bytes, or a record of this content. */
  injecting(bytes: Uint8Array, content: Content | undefined): void;
  /** Is told of each record that has come, as it came, and of its content. The content is `undefined` if the record is skipped. */
  opened(record: TlsRecord, content: Content | undefined): void;
  /** Is told of each handshake message that has come. */
  received(frame: HandshakeFrame): void;
  /** Is told of each change of keys. */
  rekeyed(direction: 'reading' | 'writing'): void;
  /** Opens a record that has come. */
  opening(record: TlsRecord, protection: Protection): Content;
  /** Is shown each wait for user code, or for other work, before it is done: it may replace the functions that do it. */
  meet(wait: TaskWait): void;
}

/** What stands before nothing: all goes on as it is. */
export const NOTHING: Interceptor = {
  sending: (raw) => ({ sent: [raw], hashed: raw }),
  sealing: (type, content, seal) => [seal(type, content)],
  injecting: () => {},
  opened: () => {},
  received: () => {},
  rekeyed: () => {},
  opening: (record, protection) => protection.open(record),
  meet: () => {},
};

/** What a fault is put into. */
export interface Setting {
  /** The connection, which is not complete yet. */
  readonly owner: ChannelOwner;
  /** When what it sends goes out, by all of its faults. */
  readonly timings: readonly Timing[];
}

/** Returns what does the fault, and then what `inner` does. */
export type Over = (inner: Interceptor, setting: Setting) => Interceptor;

/** What else a fault may have. */
export interface Extras {
  /** Returns the world of a connection, by that of its configuration. */
  readonly world?: ((world: World) => World) | undefined;
  /** Whether it stands before all others, to see what they make of each message and each record. */
  readonly isOutermost?: boolean | undefined;
  /** When what is sent goes out. */
  readonly timings?: readonly Timing[] | undefined;
}

/** A fault by what it puts before the others. The first fault of a connection makes the channel for all. */
export class LayeredFault implements Fault {
  readonly name: string;
  readonly over: Over;
  readonly #decisions: Decisions;
  readonly #extras: Extras;

  constructor(name: string, over: Over, decisions: Decisions = {}, extras: Extras = {}) {
    this.name = name;
    this.over = over;
    this.#decisions = decisions;
    this.#extras = extras;
  }

  channel(owner: ChannelOwner, faults: readonly Fault[]): Channel {
    const layers = faults.map(layerOf);
    const outermost = layers.filter((fault) => fault.#extras.isOutermost);
    const ordered = [...layers.filter((fault) => !outermost.includes(fault)), ...outermost];
    const timings = layers.flatMap((fault) => fault.#extras.timings ?? []);
    const stack = ordered.reduce((inner, fault) => fault.over(inner, { owner, timings }), NOTHING);
    const outflow = new Outflow(owner, timings);
    const writer = new InterceptedWriter(stack, outflow);
    for (const fault of ordered) fault.attach(writer);
    return new InterceptedChannel(owner, { stack, writer, outflow });
  }

  worldOf(world: World, faults: readonly Fault[]): World {
    const layers = faults.map(layerOf);
    return layers.reduce((chosen, fault) => fault.#extras.world?.(chosen) ?? chosen, world);
  }

  /** Is called once for each connection, with what writes its records. */
  attach(_writer: InterceptedWriter): void {}

  decisionsOf(faults: readonly Fault[]): Decisions {
    const all = faults.map((fault) => layerOf(fault).#decisions);
    const tickets = all.flatMap(({ ticket }) => ticket ?? []);
    return Object.assign({}, ...all, tickets.length > 1 && { ticket: Object.assign({}, ...tickets) });
  }
}

/** @throws TypeError for a fault that would be ignored without a word: one of another copy of this library */
function layerOf(fault: Fault): LayeredFault {
  if (fault instanceof LayeredFault) return fault;
  throw new TypeError(`faults: '${fault.name}' is of another copy of tls-resume/testing than the first of them`);
}

/** What stands between a connection and the wire. */
interface Interception {
  readonly stack: Interceptor;
  readonly writer: InterceptedWriter;
  readonly outflow: Outflow;
}

class InterceptedChannel extends Channel {
  readonly #stack: Interceptor;
  readonly #outflow: Outflow;

  constructor(owner: ChannelOwner, { stack, writer, outflow }: Interception) {
    super(owner, new InterceptedReader(stack), writer);
    this.#stack = stack;
    this.#outflow = outflow;
  }

  override meet(wait: TaskWait): void {
    this.#stack.meet(wait);
  }

  override sendRaw(raw: Uint8Array): Uint8Array {
    const { sent, hashed } = this.#stack.sending(raw);
    for (const message of sent) {
      const name = nameIn(message);
      this.#happen(name, true);
      super.sendRaw(message);
      this.#happen(name, false);
    }
    return hashed;
  }

  /** What happens at a message happens between records. */
  #happen(name: string, isBefore: boolean): void {
    const happenings = this.#outflow.due(name, isBefore);
    if (happenings.length === 0) return;
    this.writer.endFlight();
    this.#outflow.happen(happenings);
  }

  override sendAlert(alert: AlertName, level: number): void {
    const send = () => super.sendAlert(alert, level);
    if (level === AlertLevel.fatal || alert === 'close_notify') this.#outflow.ending(send);
    else send();
  }

  override whenSent(action: () => void): void {
    this.#outflow.whenSent(action);
  }

  override transportEnded(): void {
    this.#outflow.lift();
  }

  override wipe(): void {
    this.#outflow.ending(() => super.wipe());
    this.#outflow.lift();
  }
}

/** Something that is to be written, and waits. */
interface Held {
  /** IANA's name of a handshake message, or `change_cipher_spec`. */
  readonly name: string | undefined;
  readonly write: () => void;
  /** The key that this changes to. */
  readonly protection?: Protection | undefined;
}

/** Its records are not those of the base class, whose output stays empty. */
export class InterceptedWriter extends RecordWriter {
  readonly #stack: Interceptor;
  readonly #outflow: Outflow;
  #protection: Protection = new Plaintext();
  /** What is held back, changes of keys included; `undefined` while nothing is. */
  #held: Held[] | undefined;
  /** Says what is held back, with all that follows it. */
  holdsBefore: (name: string) => boolean = () => false;

  constructor(stack: Interceptor, outflow: Outflow) {
    super();
    this.#stack = stack;
    this.#outflow = outflow;
    super.protect(this.#protection);
  }

  get hasKey(): boolean {
    return this.#protection.isProtected;
  }

  get isHolding(): boolean {
    return this.#held !== undefined;
  }

  override protect(protection: Protection): void {
    this.#write({ name: undefined, write: () => this.#protect(protection), protection });
  }

  override handshake(raw: Uint8Array): void {
    this.#write({ name: nameIn(raw), write: () => super.handshake(raw) });
  }

  /** Alerts are not held back: a connection that fails says so under the keys that its peer knows. */
  override record(type: number, content: Uint8Array): void {
    if (type === ContentType.alert) return super.record(type, content);
    const name = type === ContentType.change_cipher_spec ? 'change_cipher_spec' : undefined;
    const copy = copyOf(content);
    this.#write({ name, write: () => super.record(type, copy) });
  }

  #write(held: Held): void {
    if (this.#held === undefined && held.name !== undefined && this.holdsBefore(held.name)) {
      this.endFlight();
      this.#held = [];
    }
    if (this.#held === undefined) held.write();
    else this.#held.push(held);
  }

  #protect(protection: Protection): void {
    super.protect(protection); // which ends the flight under the old key
    this.#protection = protection;
    if (protection.isProtected) this.#stack.rekeyed('writing');
  }

  /** Writes what was held back. */
  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const { write } of held) write();
  }

  /** The same without the first of it: a message, or a ChangeCipherSpec with the change of keys that it announces. */
  discard(): void {
    const first = this.#held?.shift();
    if (first?.name === 'change_cipher_spec') this.#held?.shift()?.protection?.wipe();
    this.release();
  }

  protected override seal(type: number, content: Uint8Array): void {
    // Before the record has taken a sequence number, which a close_notify in its place needs. Of several records: before the first.
    let isAnnounced = false;
    const announce = (): void => {
      isAnnounced = true;
      this.#outflow.happen(this.#outflow.due(name, true));
    };
    const seal: Seal = (of, part) => {
      if (!isAnnounced) announce();
      return this.#sealed(of, part);
    };
    const name = nameOf(ContentType, type);
    for (const record of this.#stack.sealing(type, content, seal)) {
      if (!isAnnounced) announce();
      isAnnounced = false;
      this.#outflow.put(record);
      this.#outflow.happen(this.#outflow.due(name, false));
    }
  }

  /** Returns a record under the key in force. */
  #sealed(type: number, content: Uint8Array): Uint8Array {
    const record = new Uint8Array(content.length + this.#protection.expansion);
    this.#protection.seal(type, content, record, 0);
    return record;
  }

  /** Writes bytes as they are, after what is ready. */
  inject(bytes: Uint8Array): void {
    this.endFlight();
    this.#stack.injecting(bytes, undefined);
    this.#outflow.put(bytes);
  }

  /** Writes a record that no fault changes, after what is ready. */
  injectRecord(type: number, content: Uint8Array): void {
    this.endFlight();
    const record = this.#sealed(type, content);
    this.#stack.injecting(record, { type, content });
    this.#outflow.put(record);
  }

  override take(): Uint8Array {
    super.take();
    return this.#outflow.take();
  }

  override wipe(): void {
    for (const { protection } of this.#held ?? []) protection?.wipe();
    this.#held = undefined;
    super.wipe();
  }
}

class InterceptedReader extends RecordReader {
  readonly #stack: Interceptor;
  /** What the protection has made of the record that is being read. */
  #content: Content | undefined;

  constructor(stack: Interceptor) {
    super();
    this.#stack = stack;
    super.protect(this.#watch(new Plaintext()));
  }

  override protect(protection: Protection): void {
    super.protect(this.#watch(protection));
    this.#stack.rekeyed('reading');
  }

  override next(expected: ExpectedMessage | undefined): Incoming | undefined {
    const incoming = super.next(expected);
    if (incoming?.kind === 'handshake') this.#stack.received(incoming.frame);
    return incoming;
  }

  protected override read(record: TlsRecord): Incoming | undefined {
    this.#content = undefined;
    try {
      return super.read(record);
    } finally {
      const isClear = record.type === ContentType.change_cipher_spec;
      this.#stack.opened(record, isClear ? { type: record.type, content: record.fragment } : this.#content);
    }
  }

  #watch(protection: Protection): Protection {
    const open: Protection['open'] = (record) => {
      const content = this.#stack.opening(record, protection);
      this.#content = content;
      return content;
    };
    return new Proxy(protection, {
      get: (target, name) => {
        if (name === 'open') return open;
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  }
}
