/** The record layer of the scripted client: opens what the server sends, and sends whatever a test wants on the wire. */

import { Plaintext, type Protection, Tls13Protection } from '../../src/crypto/protection.ts';
import { concat } from '../../src/wire/bytes.ts';
import { RecordBuffer, recordHeader, type TlsRecord } from '../../src/wire/record.ts';
import { ContentType, ProtocolVersion } from '../../src/wire/registry.ts';
import { seal } from './seal.ts';

/** More than any server may send, so that its limits are for the tests to judge. */
const GENEROUS = 0x8000;

/** A record of the server's, opened. */
export interface ReceivedRecord {
  /** The type of its header; in TLS 1.3 the true one is `type`. */
  readonly outerType: number;
  readonly type: number;
  readonly version: number;
  /** Bytes of the fragment as it was on the wire. */
  readonly wireLength: number;
  readonly content: Uint8Array;
  /** Whether it was under a key. */
  readonly protected: boolean;
}

export interface RecordOptions {
  /** Of the header; default 0x0303. */
  readonly version?: number | undefined;
  /** Under no key, whatever key there is. */
  readonly plaintext?: boolean | undefined;
  /** TLS 1.3: zeros behind the content type. */
  readonly padding?: number | undefined;
}

export class ClientRecords {
  reading: Protection = new Plaintext();
  writing: Protection = new Plaintext();
  readonly #incoming = new RecordBuffer();
  #outgoing: Uint8Array[] = [];

  push(bytes: Uint8Array): void {
    this.#incoming.push(bytes);
  }

  /** The next record of the server's. @throws TlsAlert where it does not open */
  next(): ReceivedRecord | undefined {
    const record = this.#incoming.next(GENEROUS);
    return record && this.#open(record);
  }

  #open(record: TlsRecord): ReceivedRecord {
    const seen = { outerType: record.type, version: record.version, wireLength: record.fragment.length };
    const isBare = record.type === ContentType.change_cipher_spec || this.reading instanceof Plaintext;
    const opened = isBare ? { type: record.type, content: record.fragment } : this.reading.open(record);
    return { ...seen, ...opened, protected: !isBare };
  }

  /** One record under the present key. */
  send(type: number, content: Uint8Array, options: RecordOptions = {}): void {
    const { version = ProtocolVersion['TLSv1.2'], plaintext = false, padding = 0 } = options;
    if (plaintext || this.writing instanceof Plaintext) {
      this.raw(concat(recordHeader(type, version, content.length), content));
    } else if (padding > 0) {
      this.sendInner(concat(content, Uint8Array.of(type), new Uint8Array(padding)));
    } else {
      this.raw(seal(this.writing, type, content));
    }
  }

  /** TLS 1.3: a record with this very TLSInnerPlaintext, content type and padding included (RFC 9846 §5.2). */
  sendInner(inner: Uint8Array): void {
    if (!(this.writing instanceof Tls13Protection)) throw new Error('an inner plaintext is for TLS 1.3 under a key');
    this.raw(seal(this.writing, inner.at(-1) ?? 0, inner.subarray(0, -1)));
  }

  /** Bytes as they are. */
  raw(bytes: Uint8Array): void {
    this.#outgoing.push(bytes);
  }

  /** All that waits to be sent. */
  take(): Uint8Array {
    const bytes = concat(...this.#outgoing);
    this.#outgoing = [];
    return bytes;
  }
}
