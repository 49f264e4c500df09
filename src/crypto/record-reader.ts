/** The receiving half of the record layer: opens records, puts messages together, keeps order. RFC 9846 §5, RFC 5246 §6. */

import { TlsAlert } from '../wire/alert.ts';
import { type ExpectedMessage, HandshakeBuffer, type HandshakeFrame } from '../wire/handshake-buffer.ts';
import type { RefusePeer } from '../wire/not-tls.ts';
import { MAX_EXPANSION, MAX_PLAINTEXT, RECORD_HEADER, RecordBuffer, type TlsRecord } from '../wire/record.ts';
import { AlertDescription, AlertLevel, ContentType } from '../wire/registry.ts';
import { type Content, Plaintext, type Protection } from './protection.ts';

export type Incoming =
  | { readonly kind: 'handshake'; readonly frame: HandshakeFrame }
  | { readonly kind: 'change_cipher_spec' }
  | { readonly kind: 'alert'; readonly level: number; readonly description: number }
  | { readonly kind: 'data'; readonly data: Uint8Array };

/** The most records in a row that may cost work without advancing the connection. Application data restarts the count. */
const MAX_IDLE = 32;
/** RFC 9846 §5.2: a protected record is longer than its tag. */
const MIN_PROTECTED = 16;

/** How much longer than its data a record is at least: by the tag and the content type (§5.2). */
const MIN_EXPANSION = 17;

/**
 * The treatment of early data (RFC 9846 §4.3.10): it is refused, read, or skipped while its records have no more than `left` bytes, or
 * can have no more than `dataLeft` of data: what a ticket allows is counted without what protects it.
 */
type EarlyData =
  | { readonly mode: 'refuse' | 'read' }
  | { readonly mode: 'skip'; readonly left: number; readonly dataLeft: number };

const REFUSED: EarlyData = { mode: 'refuse' };
const READ: EarlyData = { mode: 'read' };

export class RecordReader {
  /** RFC 6066 §4: the longest content that is accepted in one record. */
  contentLimit = MAX_PLAINTEXT;
  /**
   * Whether an alert in the clear is accepted until the peer has used its first key. A client may have no keys when it refuses a
   * ServerHello; a server that has sent one has.
   */
  acceptsPlainAlerts = true;
  /** Says what the peer speaks that has sent no record yet. A role knows what its peers may speak. */
  refusePeer: RefusePeer | undefined;
  readonly #records = new RecordBuffer();
  readonly #messages = new HandshakeBuffer();
  #protection: Protection = new Plaintext();
  #dropChangeCipherSpec = false;
  #early: EarlyData = REFUSED;
  #idle = 0;

  /** The number of records opened under the current key. */
  get records(): number {
    return this.#protection.records;
  }

  /** The number of bytes that wait for the rest of their record. */
  get buffered(): number {
    return this.#records.length;
  }

  /** Whether nothing waits, neither a record or a part of one nor a message. */
  get isEmpty(): boolean {
    return this.#records.length === 0 && this.#messages.isEmpty;
  }

  push(bytes: Uint8Array): void {
    this.#records.push(bytes);
  }

  /** Changes the key, and wipes the old one. @throws TlsAlert unexpected_message if a message straddles the change (§5.1) */
  protect(protection: Protection): void {
    if (!this.#messages.isEmpty) throw new TlsAlert('unexpected_message', 'a message straddles a change of keys');
    const old = this.#protection;
    this.#protection = protection;
    if (this.#early.mode === 'read') this.#early = REFUSED;
    old.wipe();
  }

  /** RFC 9846 §5: sets whether a ChangeCipherSpec record is dropped without further processing. */
  tolerateChangeCipherSpec(tolerate: boolean): void {
    this.#dropChangeCipherSpec = tolerate;
  }

  /** RFC 9846 §4.3.10: takes up to this many bytes of records, or of data in them, that do not open for early data, and skips them. */
  skipEarlyData(left: number, dataLeft = 0): void {
    this.#early = { mode: 'skip', left, dataLeft };
  }

  /** RFC 9846 §4.3.10: takes what comes under the present key for early data. */
  acceptEarlyData(): void {
    this.#early = READ;
  }

  /** Returns the next message, alert, data or ChangeCipherSpec, or `undefined` if none is complete. @throws TlsAlert */
  next(expected: ExpectedMessage | undefined): Incoming | undefined {
    for (;;) {
      const frame = this.#messages.next(expected);
      if (frame !== undefined) return { kind: 'handshake', frame };
      const record = this.#records.next(this.#fragmentLimit, this.refusePeer);
      if (record === undefined) return undefined;
      const incoming = this.read(record);
      if (incoming !== undefined) return incoming;
    }
  }

  /** A negotiated limit is exact, but for early data: its sender has not seen our answer yet. */
  get #fragmentLimit(): number {
    const { fragmentLimit, expansion } = this.#protection;
    if (this.#early.mode !== 'refuse') return MAX_PLAINTEXT + MAX_EXPANSION['TLSv1.3'];
    if (this.contentLimit === MAX_PLAINTEXT) return fragmentLimit;
    return this.contentLimit + expansion - RECORD_HEADER;
  }

  /** Counts a record without progress. @throws TlsAlert unexpected_message if there have been too many in a row */
  idle(): void {
    if (++this.#idle > MAX_IDLE)
      throw new TlsAlert('unexpected_message', `more than ${MAX_IDLE} idle records in a row`);
  }

  /** Opens a record. A subclass of the testers' writes it down as well. */
  protected read(record: TlsRecord): Incoming | undefined {
    if (record.type === ContentType.change_cipher_spec) return this.#readChangeCipherSpec(record);
    const content = this.#open(record);
    switch (content?.type) {
      case undefined:
        return undefined;
      case ContentType.handshake:
        return this.#readHandshake(content.content);
      case ContentType.alert:
        return this.#readAlert(content.content);
      case ContentType.application_data:
        return this.#readData(content.content);
      default:
        throw new TlsAlert('unexpected_message', `content type ${content?.type}`);
    }
  }

  /** RFC 9846 §5: dropped where TLS 1.3 tolerates it; for TLS 1.2 the handshake knows whether it is due. */
  #readChangeCipherSpec({ fragment }: TlsRecord): Incoming | undefined {
    this.#requireWholeMessages('change_cipher_spec');
    if (fragment.length !== 1 || fragment[0] !== 1)
      throw new TlsAlert('unexpected_message', 'a strange ChangeCipherSpec');
    if (!this.#dropChangeCipherSpec) return { kind: 'change_cipher_spec' };
    this.idle();
    return undefined;
  }

  #open(record: TlsRecord): Content | undefined {
    if (this.#isEarlyData(record)) return undefined;
    const isPlain = record.type === ContentType.alert && this.#protection.records === 0;
    if (isPlain && this.#dropChangeCipherSpec && this.acceptsPlainAlerts)
      return { type: record.type, content: record.fragment };
    try {
      const content = this.#protection.open(record);
      if (this.#early.mode === 'skip') this.#early = REFUSED;
      return content;
    } catch (error) {
      if (this.#skip(record, error)) return undefined;
      throw error;
    }
  }

  /** Between HelloRetryRequest and the second ClientHello nothing is protected, so the outer type decides. */
  #isEarlyData(record: TlsRecord): boolean {
    return !this.#protection.isProtected && this.#skip(record, undefined);
  }

  #skip({ type, fragment }: TlsRecord, error: unknown): boolean {
    if (this.#early.mode !== 'skip' || type !== ContentType.application_data) return false;
    if (error instanceof TlsAlert && error.alert !== 'bad_record_mac') return false;
    const left = this.#early.left - fragment.length;
    const dataLeft = this.#early.dataLeft - Math.max(1, fragment.length - MIN_EXPANSION); // none comes without end
    if (left < 0 && dataLeft < 0) throw new TlsAlert('unexpected_message', 'more early data than is skipped'); // §4.3.10
    this.#early = { mode: 'skip', left, dataLeft };
    if (fragment.length <= MIN_PROTECTED) this.idle(); // no client sends these, and a limit in bytes does not bound them
    return true;
  }

  /** §5.1: no empty fragments of handshake messages. */
  #readHandshake(fragment: Uint8Array): undefined {
    if (fragment.length === 0) throw new TlsAlert('unexpected_message', 'an empty handshake record');
    this.#messages.push(fragment);
  }

  /** §6: one alert a record. None may interrupt a handshake message (§5.1), but one that ends the connection is accepted. */
  #readAlert(content: Uint8Array): Incoming {
    const [level, description] = content;
    if (content.length !== 2 || level === undefined || description === undefined) {
      throw new TlsAlert('decode_error', `an alert of ${content.length} bytes`);
    }
    const isTheEnd = level === AlertLevel.fatal || description === AlertDescription.close_notify;
    if (!isTheEnd) this.#requireWholeMessages('a warning');
    return { kind: 'alert', level, description };
  }

  #readData(data: Uint8Array): Incoming | undefined {
    this.#requireWholeMessages('application_data');
    if (data.length > 0) this.#idle = 0;
    else this.idle();
    return { kind: 'data', data };
  }

  /** §5.1: no other record may come between the records of one message. */
  #requireWholeMessages(type: string): void {
    if (!this.#messages.isEmpty) throw new TlsAlert('unexpected_message', `${type} inside a handshake message`);
  }

  /** Gives back memory, where nothing is read for a while: the rest of a chunk waits for the answer to a question. */
  trim(): void {
    this.#records.trim();
    this.#messages.trim();
  }

  /** Discards received bytes and wipes the key. */
  wipe(): void {
    this.#records.clear();
    this.#messages.clear();
    this.#protection.wipe();
  }
}
