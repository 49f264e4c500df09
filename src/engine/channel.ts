/** What a connection says and hears once it has keys, whatever it is about: records, alerts, key updates and their limits. */

import { RecordReader } from '../crypto/record-reader.ts';
import { RecordWriter } from '../crypto/record-writer.ts';
import type { TrafficTls13 } from '../handshake/established.ts';
import type { HandshakeIO } from '../handshake/io.ts';
import { KeyUpdates } from '../handshake/key-updates.ts';
import { clientHello } from '../handshake/messages/client-hello.ts';
import { keyUpdate } from '../handshake/messages/key-update.ts';
import { frame, type Message, parse } from '../handshake/messages/message.ts';
import { TlsAlert } from '../wire/alert.ts';
import type { ExpectedMessage, HandshakeFrame } from '../wire/handshake-buffer.ts';
import { AlertDescription, AlertLevel, type AlertName, ContentType } from '../wire/registry.ts';
import type { Event } from './events.ts';
import type { LifeCycle } from './life-cycle.ts';

/** TLS 1.2: how often a peer may ask for a renegotiation that it does not get. */
const MAX_RENEGOTIATIONS = 4;

/** The connection that a channel belongs to. */
export interface ChannelOwner {
  readonly life: LifeCycle;
  emit(event: Event): void;
}

/** For conformance tests: returns the body that is sent instead of `body`. */
export type Rewrite = <T>(message: Message<T>, body: T) => T;

export class Channel {
  readonly reader = new RecordReader();
  readonly writer = new RecordWriter();
  readonly #owner: ChannelOwner;
  readonly #rewrite: Rewrite | undefined;
  #keyUpdates: KeyUpdates | undefined;
  #recordLimit = Number.POSITIVE_INFINITY;
  #renegotiations = 0;

  constructor(owner: ChannelOwner, rewrite?: Rewrite) {
    this.#owner = owner;
    this.#rewrite = rewrite;
  }

  /** Nothing follows our close_notify. */
  get #maySend(): boolean {
    return this.#owner.life.writing === 'open';
  }

  /** Queues a message; returns its bytes. */
  send<T>(message: Message<T>, body: T): Uint8Array {
    const raw = frame(message, this.#rewrite?.(message, body) ?? body);
    this.writer.handshake(raw);
    return raw;
  }

  sendAlert(alert: AlertName, level: number): void {
    const description = AlertDescription[alert];
    this.writer.record(ContentType.alert, Uint8Array.of(level, description));
    this.#owner.emit({ type: 'alert', direction: 'sent', level, description });
  }

  /** RFC 8446 §6.1: the end of our direction. */
  sendCloseNotify(): void {
    if (!this.#maySend) return;
    this.#owner.life.endWriting();
    this.sendAlert('close_notify', AlertLevel.warning);
  }

  /** The handshake is complete. `recordLimit`: how many records one key may protect. */
  establish(context: HandshakeIO, traffic: TrafficTls13 | undefined, recordLimit: number): void {
    this.#recordLimit = recordLimit;
    if (traffic !== undefined) this.#keyUpdates = new KeyUpdates(context, traffic);
  }

  sendData(data: Uint8Array): void {
    this.writer.expect(data.length);
    for (let at = 0; at < data.length; at += this.writer.contentLimit) {
      this.#renewWriteKey();
      this.writer.record(ContentType.application_data, data.subarray(at, at + this.writer.contentLimit));
    }
  }

  /** TLS 1.3 only. */
  updateKeys(requestPeer: boolean): void {
    this.#keyUpdates?.update(requestPeer);
  }

  /** RFC 8446 §5.5: new keys before the old ones have done too much. TLS 1.2 has no such thing and closes. */
  #renewWriteKey(): void {
    if (this.writer.records < this.#recordLimit - 1) return; // one is kept for the alert at the end
    if (this.#keyUpdates !== undefined) this.#keyUpdates.send('update_not_requested');
    else throw new TlsAlert('close_notify', 'the write key has protected all that it may');
  }

  /** The same for what the peer sends. */
  renewReadKey(): void {
    if (this.reader.records < this.#recordLimit) return;
    if (this.#keyUpdates === undefined) throw new TlsAlert('close_notify', 'the read key has opened all that it may');
    if (this.#maySend) this.#keyUpdates.requestFromPeer();
  }

  /** The one handshake message that may come after the handshake. */
  get expected(): ExpectedMessage {
    return this.#keyUpdates === undefined ? clientHello : keyUpdate;
  }

  receiveMessage({ raw }: HandshakeFrame): void {
    if (!this.#keyUpdates?.isRequested) this.reader.idle(); // what we have asked for is not idle
    if (this.#keyUpdates !== undefined) this.#keyUpdates.receive(parse(keyUpdate, raw), this.#maySend);
    else this.#refuseRenegotiation();
  }

  /** RFC 5746 §5, RFC 5246 §7.2.2: by a warning, and the connection goes on. */
  #refuseRenegotiation(): void {
    if (++this.#renegotiations > MAX_RENEGOTIATIONS) {
      throw new TlsAlert('unexpected_message', 'renegotiation again and again');
    }
    if (this.#maySend) this.sendAlert('no_renegotiation', AlertLevel.warning);
  }

  /** Forgets what has been received, and both keys. What is ready to be sent can still be taken. */
  wipe(): void {
    this.reader.wipe();
    this.writer.wipe();
  }
}
