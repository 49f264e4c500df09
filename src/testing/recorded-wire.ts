/** What one end of a connection sends and receives, as its recording has it: messages, records that faults change, and bytes. */

import { isOwnAlert } from '../wire/alert.ts';
import { equalBytes, toHex } from '../wire/bytes.ts';
import { RECORD_HEADER, type TlsRecord } from '../wire/record.ts';
import { ContentType } from '../wire/registry.ts';
import type { Content, Interceptor, Seal, Sending } from './interceptor.ts';
import { type Mask, ReceivedBytes, SentBytes } from './masking.ts';
import type { Mutable, OpenCall } from './open-calls.ts';
import { writeError } from './recorded-values.ts';
import type { MaskedPiece, RecordedCall, RecordedMessage, RecordedRecords } from './recording.ts';

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

export class RecordedWire {
  readonly #keepsData: boolean;
  readonly #received = new ReceivedBytes();
  readonly #sent = new SentBytes();
  readonly #epochs = { reading: 0, writing: 0 };
  readonly #notesOf = new WeakMap<OpenCall, Notes>();
  /** Why the record that is being read does not open. */
  #refusal: unknown;

  /** `keepsData` says whether application data is written down. */
  constructor(keepsData: boolean) {
    this.#keepsData = keepsData;
  }

  rekeyed(direction: 'reading' | 'writing'): void {
    this.#epochs[direction]++;
  }

  /** What write() is given. */
  dataOf(data: Uint8Array): string | number {
    return this.#keepsData ? toHex(data) : data.length;
  }

  /** Takes in what a call receives. After the end of the peer's direction that is nothing, and false is returned. */
  receive(call: OpenCall, bytes: Uint8Array, isReading: boolean): boolean {
    if (!isReading) {
      if (bytes.length > 0) call.input = [{ ...this.#mask('received', bytes.length, 'ignored') }];
      return false;
    }
    this.#received.push(bytes, (pieces) => {
      call.input = pieces;
    });
    return true;
  }

  /** Forgets what was received last, as the connection has refused it. */
  refuse(): void {
    this.#received.pop();
  }

  /** Goes on with what has been received as far as its records have been opened. */
  fold(): void {
    this.#received.fold();
  }

  /** Says what becomes of what has been received and not opened. */
  settleRest(isEnded: boolean): void {
    const isOver = !this.#keepsData && isEnded && this.#epochs.reading > 0;
    const ignored = (length: number) => this.#mask('received', length, 'ignored');
    this.#received.settleRest((type, length) => this.#unread(type, length), isOver ? ignored : undefined);
  }

  /** Completes a call by what it has sent. */
  note(call: OpenCall): void {
    const { sent, records } = this.#notes(call);
    if (sent.length > 0) call.sent = sent;
    if (records.length > 0) call.records = records;
  }

  /** Completes a call by what it has put out. */
  putOut(call: OpenCall, output: Uint8Array): void {
    if (output.length > 0) call.output = this.#sent.take(output);
  }

  /** Has a message be sent, and writes down what becomes of it. */
  sending(call: OpenCall | undefined, raw: Uint8Array, inner: Interceptor): Sending {
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

  /** Has content be made records of, and writes down what becomes of it. */
  sealing(
    call: OpenCall | undefined,
    { type, content, seal }: { readonly type: number; readonly content: Uint8Array; readonly seal: Seal },
    inner: Interceptor,
  ): readonly Uint8Array[] {
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
    const notes = call && this.#notes(call);
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

  /** Has a record be opened, and remembers why it is refused. */
  opening(record: TlsRecord, open: (record: TlsRecord) => Content): Content {
    try {
      return open(record);
    } catch (error) {
      this.#refusal = error;
      throw error;
    }
  }

  opened({ type, fragment }: TlsRecord, content: Content | undefined): void {
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

  /** What an injector has written, as a call. */
  injected(bytes: Uint8Array, content: Content | undefined): RecordedCall {
    const type = content?.type;
    const isSecret = content !== undefined && hasData(content) && !this.#keepsData;
    const data = isSecret ? (content?.content.length ?? 0) : toHex(content?.content ?? bytes);
    this.#sent.push(bytes, isSecret ? this.#mask('sent', content?.content.length ?? 0) : undefined);
    return { call: 'inject', type, data };
  }

  /** What becomes of a record that nobody has opened. Under keys it may have application data whatever its header says. */
  #unread(type: number, length: number): Mask {
    const isSecret = !this.#keepsData && (type === ContentType.application_data || this.#epochs.reading > 0);
    return isSecret ? this.#mask('received', length, 'unopened') : undefined;
  }

  #mask(direction: 'sent' | 'received', length: number, type: MaskedPiece['type'] = 'application_data') {
    return { direction, epoch: this.#epochs[direction === 'sent' ? 'writing' : 'reading'], type, length };
  }

  /** What a call has sent so far. */
  #notes(call: OpenCall): Notes {
    const known = this.#notesOf.get(call);
    if (known !== undefined) return known;
    const made: Notes = { sent: [], records: [], pieces: 0 };
    this.#notesOf.set(call, made);
    return made;
  }
}

/** RFC 9846 §5.2: content that is padded by hand is of the type of its last byte that is not zero. */
function hasData({ type, content }: Content): boolean {
  return (type || content.filter((byte) => byte !== 0).at(-1)) === ContentType.application_data;
}
