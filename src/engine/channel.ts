/** The record channel of a connection, in either role: records, alerts, key updates and the limits of keys. */

import { RecordReader } from '../crypto/record-reader.ts';
import { RecordWriter } from '../crypto/record-writer.ts';
import type { SuiteParameters } from '../crypto/suites.ts';
import type { Established, TicketReceiver } from '../handshake/established.ts';
import type { HandshakeIO } from '../handshake/io.ts';
import { KeyUpdates } from '../handshake/key-updates.ts';
import { keyUpdate } from '../handshake/messages/key-update.ts';
import { frame, type Message, parse } from '../handshake/messages/message.ts';
import type { TaskWait } from '../handshake/wait.ts';
import { TlsAlert } from '../wire/alert.ts';
import { wipeAll } from '../wire/bytes.ts';
import type { ExpectedMessage, HandshakeFrame } from '../wire/handshake-buffer.ts';
import { AlertDescription, AlertLevel, type AlertName, ContentType } from '../wire/registry.ts';
import type { Event } from './events.ts';
import type { LifeCycle } from './life-cycle.ts';

/** TLS 1.2: how many requests for renegotiation are refused by a warning. One more ends the connection. */
const MAX_RENEGOTIATIONS = 4;

/** The connection that a channel belongs to. */
export interface ChannelOwner {
  readonly life: LifeCycle;
  emit(event: Event): void;
}

export class Channel {
  readonly reader: RecordReader;
  readonly writer: RecordWriter;
  readonly #owner: ChannelOwner;
  #keyUpdates: KeyUpdates | undefined;
  #writeLimit = Number.POSITIVE_INFINITY;
  #readLimit = Number.POSITIVE_INFINITY;
  #renegotiations = 0;
  #tickets: TicketReceiver | undefined;
  /** The handshake messages that are accepted after the handshake. */
  expected: ExpectedMessage | undefined;

  constructor(owner: ChannelOwner, reader = new RecordReader(), writer = new RecordWriter()) {
    this.#owner = owner;
    this.reader = reader;
    this.writer = writer;
  }

  /** Whether we may send: nothing follows our close_notify. */
  get #maySend(): boolean {
    return this.#owner.life.writing === 'open';
  }

  /** Is shown each wait for user code, or for other work, before it is done. A subclass of the testers' may do the work itself. */
  meet(_wait: TaskWait): void {}

  /** Calls `action`, which ends the transport, once all output has been handed out: at once. A subclass of the testers' holds some back. */
  whenSent(action: () => void): void {
    action();
  }

  /** Is told that the transport has ended: that subclass waits no longer. */
  transportEnded(): void {}

  /** Queues a message and returns its bytes, for the transcript. */
  send<T>(message: Message<T>, body: T): Uint8Array {
    return this.sendRaw(frame(message, body));
  }

  /** Queues a message that is encoded already, and returns what enters the transcript. */
  sendRaw(raw: Uint8Array): Uint8Array {
    this.writer.handshake(raw);
    return raw;
  }

  sendAlert(alert: AlertName, level: number): void {
    const description = AlertDescription[alert];
    this.writer.record(ContentType.alert, Uint8Array.of(level, description));
    this.#owner.emit({ type: 'alert', direction: 'sent', level, description });
  }

  /** RFC 9846 §6.1: ends our direction. Further calls do nothing. */
  sendCloseNotify(): void {
    if (!this.#maySend) return;
    this.#owner.life.endWriting();
    this.sendAlert('close_notify', AlertLevel.warning);
  }

  /**
   * Notes that the handshake is complete. One key of ours may protect the records that its suite allows, and no more than
   * `recordsPerKey`. That alone bounds the peer's keys: RFC 9846 §5.5 has a receiver not enforce the limit of the suite.
   */
  establish(context: HandshakeIO, { traffic, renegotiation, tickets }: Established, recordsPerKey: number): void {
    this.#writeLimit = Math.min(context.facts.suite?.recordLimit ?? 0, recordsPerKey);
    this.#readLimit = recordsPerKey;
    this.#tickets = tickets;
    this.expected = renegotiation;
    if (traffic === undefined) return;
    this.#keyUpdates = new KeyUpdates(context, traffic);
    this.expected = tickets === undefined ? keyUpdate : { ...keyUpdate, or: tickets.message };
  }

  /**
   * RFC 9846 §5.5: how many bytes fit into the records that a key may still protect for which there is no KeyUpdate, as the handshake is
   * not complete. Two records are reserved: for the end of early data, and for an alert.
   */
  roomUnder(suite: SuiteParameters | undefined, recordsPerKey: number): number {
    const limit = Math.min(suite?.recordLimit ?? 0, recordsPerKey);
    return Math.max(0, limit - 2 - this.writer.records) * this.writer.contentLimit;
  }

  /** Sends application data, in as many records as it takes. */
  sendData(data: Uint8Array): void {
    this.writer.expect(data.length);
    for (let at = 0; at < data.length; at += this.writer.contentLimit) {
      this.#renewWriteKey();
      this.writer.record(ContentType.application_data, data.subarray(at, at + this.writer.contentLimit));
    }
  }

  /** TLS 1.3: replaces our key and, with `requestPeer`, asks the peer to replace its own. In TLS 1.2 it does nothing. */
  updateKeys(requestPeer: boolean): void {
    this.#keyUpdates?.update(requestPeer);
  }

  /** RFC 9846 §5.5: replaces the write key before it protects too much. @throws TlsAlert close_notify in TLS 1.2, which cannot */
  #renewWriteKey(): void {
    if (this.writer.records < this.#writeLimit - 1) return; // one is reserved for the alert at the end
    if (this.#keyUpdates !== undefined) this.#keyUpdates.send('update_not_requested');
    else throw new TlsAlert('close_notify', 'the write key has protected all that it may');
  }

  /** Asks the peer to replace its key after as many records as the user allows one key. @throws TlsAlert close_notify in TLS 1.2 */
  renewReadKey(): void {
    if (this.reader.records < this.#readLimit) return;
    if (this.#keyUpdates === undefined) throw new TlsAlert('close_notify', 'the read key has opened all that it may');
    if (this.#maySend) this.#keyUpdates.requestFromPeer();
  }

  receiveMessage(frame: HandshakeFrame): void {
    if (frame.type === this.#tickets?.message.type) return this.#tickets.receive(frame);
    if (!this.#keyUpdates?.isRequested) this.reader.idle(); // an update that we have asked for is not idle
    if (this.#keyUpdates !== undefined) this.#keyUpdates.receive(parse(keyUpdate, frame.raw), this.#maySend);
    else this.#refuseRenegotiation();
  }

  /** RFC 5746 §5, RFC 5246 §7.2.2: refuses by a warning, and the connection goes on. @throws TlsAlert after {@link MAX_RENEGOTIATIONS} */
  #refuseRenegotiation(): void {
    if (++this.#renegotiations > MAX_RENEGOTIATIONS) {
      throw new TlsAlert('unexpected_message', 'renegotiation again and again');
    }
    if (this.#maySend) this.sendAlert('no_renegotiation', AlertLevel.warning);
  }

  /** Forgets what has been received, and wipes both keys. Output that is ready can still be taken. */
  wipe(): void {
    wipeAll([this.reader, this.writer]);
  }
}
