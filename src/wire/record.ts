/** The record layer without its cryptography: RFC 9846 §5.1, RFC 5246 §6.2.1. */

import { TlsAlert } from './alert.ts';
import { ByteQueue } from './byte-queue.ts';
import { type RefusePeer, refusePeer, TELLING } from './not-tls.ts';
import { ContentType } from './registry.ts';

/** 2^14: the longest TLSPlaintext.fragment. */
export const MAX_PLAINTEXT = 16384;
/** How much longer a protected fragment may be: RFC 9846 §5.2, RFC 5246 §6.2.3. */
export const MAX_EXPANSION = { 'TLSv1.3': 256, 'TLSv1.2': 2048 } as const;

/** The length of a record's header: type, version and length. */
export const RECORD_HEADER = 5;

/** The first byte of the version of DTLS. Its epoch stands where TLS has the length, and begins with 0. */
const DTLS = 0xfe;

/** A record as received. */
export interface TlsRecord {
  readonly type: number;
  readonly version: number;
  readonly fragment: Uint8Array;
}

/** Divides the stream of received bytes into records. */
export class RecordBuffer {
  readonly #queue = new ByteQueue();
  #first = true;

  /** The number of bytes that wait for the rest of their record. */
  get length(): number {
    return this.#queue.length;
  }

  push(bytes: Uint8Array): void {
    this.#queue.push(bytes);
  }

  /**
   * Returns the next record, or `undefined` if none is complete, and then keeps little more than what has come of it.
   * @param limit the longest fragment allowed in the current state. @throws TlsAlert record_overflow as soon as the header is there
   * @param refuse says what the peer speaks that has sent no record yet
   */
  next(limit: number, refuse?: RefusePeer): TlsRecord | undefined {
    if (this.#queue.length < 3) return this.#queue.trim();
    if (!isContentType(this.#queue.at(0))) this.#refuse(refuse);
    if (this.#queue.length < RECORD_HEADER) return this.#queue.trim();
    const length = 256 * this.#queue.at(3) + this.#queue.at(4);
    if (length === 0 && this.#first && this.#queue.at(1) === DTLS) this.#refuse(refuse);
    if (length > limit) throw new TlsAlert('record_overflow', `a record of ${length} bytes, ${limit} allowed`);
    if (this.#queue.length < RECORD_HEADER + length) return this.#queue.trim();
    this.#first = false;
    const type = this.#queue.at(0);
    const version = 256 * this.#queue.at(1) + this.#queue.at(2);
    this.#queue.skip(RECORD_HEADER);
    return { type, version, fragment: this.#queue.take(length) };
  }

  /** §5: refuses a record type that no state accepts, before its length is used, or the record of another protocol. */
  #refuse(refuse = refusePeer): never {
    const type = this.#queue.at(0);
    if (!this.#first) throw new TlsAlert('unexpected_message', `record type ${type}`);
    const start = this.#queue.take(Math.min(TELLING, this.#queue.length));
    throw refuse(String.fromCharCode(...start));
  }

  trim(): void {
    this.#queue.trim();
  }

  clear(): void {
    this.#queue.clear();
  }
}

function isContentType(type: number): boolean {
  return type >= ContentType.change_cipher_spec && type <= ContentType.application_data;
}

/** Returns the five bytes before a fragment. */
export function recordHeader(type: number, version: number, length: number): Uint8Array {
  const header = new Uint8Array(RECORD_HEADER);
  putRecordHeader(header, 0, { type, version }, length);
  return header;
}

/** Writes the five bytes before a fragment to `bytes`, starting at `at`. */
export function putRecordHeader(
  bytes: Uint8Array,
  at: number,
  { type, version }: Pick<TlsRecord, 'type' | 'version'>,
  length: number,
): void {
  bytes[at] = type;
  bytes[at + 1] = version >> 8;
  bytes[at + 2] = version;
  bytes[at + 3] = length >> 8;
  bytes[at + 4] = length;
}
