/** Record protection, one direction and one key at a time: RFC 8446 §5.2–§5.5, RFC 5246 §6.2.3.3, RFC 5288, RFC 7905. */

import { TlsAlert } from '../wire/alert.ts';
import { copyOf } from '../wire/bytes.ts';
import { MAX_EXPANSION, MAX_PLAINTEXT, putRecordHeader, type TlsRecord } from '../wire/record.ts';
import { ContentType } from '../wire/registry.ts';
import { type Aead, type AeadKey, sealInPlace } from './provider.ts';

const LEGACY_VERSION = 0x0303;
const HEADER_LENGTH = 5;
const TAG_LENGTH = 16;

/** The content of a record once its protection is off. */
export interface Content {
  readonly type: number;
  readonly content: Uint8Array;
}

/** One direction under one key. The sequence number is its own and never wraps: a key is replaced long before. */
export interface Protection {
  /** Records protected or opened so far. */
  readonly records: number;
  /** The longest fragment that may come in. */
  readonly fragmentLimit: number;
  /** A whole record, header included. */
  seal(type: number, content: Uint8Array): Uint8Array;
  /** @throws TlsAlert bad_record_mac, record_overflow or unexpected_message */
  open(record: TlsRecord): Content;
  wipe(): void;
}

/** Before the first key. */
export class Plaintext implements Protection {
  records = 0;
  readonly fragmentLimit = MAX_PLAINTEXT;

  seal(type: number, content: Uint8Array): Uint8Array {
    this.records++;
    const record = new Uint8Array(HEADER_LENGTH + content.length);
    putRecordHeader(record, 0, { type, version: LEGACY_VERSION }, content.length);
    record.set(content, HEADER_LENGTH);
    return record;
  }

  open(record: TlsRecord): Content {
    this.records++;
    return { type: record.type, content: record.fragment };
  }

  wipe(): void {}
}

/** What all protected records of TLS 1.3 look like. */
const OUTER = { type: ContentType.application_data, version: LEGACY_VERSION } as const;

/** RFC 8446 §5.2: the true content type is inside, behind the content and before the padding. */
export class Tls13Protection implements Protection {
  records = 0;
  readonly fragmentLimit = MAX_PLAINTEXT + MAX_EXPANSION['TLSv1.3'];
  readonly #key: AeadKey;
  readonly #iv: Uint8Array;
  readonly #nonce = new Uint8Array(12);
  /** The additional data of what is sent. */
  readonly #header = new Uint8Array(HEADER_LENGTH);

  constructor(aead: Aead, keys: { readonly key: Uint8Array; readonly iv: Uint8Array }) {
    this.#key = aead.key(keys.key);
    this.#iv = copyOf(keys.iv);
  }

  seal(type: number, content: Uint8Array): Uint8Array {
    const end = HEADER_LENGTH + content.length + 1;
    const record = new Uint8Array(end + TAG_LENGTH);
    putRecordHeader(record, 0, OUTER, end + TAG_LENGTH - HEADER_LENGTH);
    putRecordHeader(this.#header, 0, OUTER, end + TAG_LENGTH - HEADER_LENGTH);
    record.set(content, HEADER_LENGTH);
    record[end - 1] = type;
    this.#nextNonce();
    this.records++;
    sealInPlace(this.#key, this.#nonce, this.#header, record, HEADER_LENGTH, end);
    return record;
  }

  open(record: TlsRecord): Content {
    if (record.type !== ContentType.application_data) {
      throw new TlsAlert('unexpected_message', `an unprotected record of type ${record.type}`);
    }
    this.#nextNonce();
    const inner = this.#key.open(this.#nonce, record.header, record.fragment);
    if (inner === undefined) throw new TlsAlert('bad_record_mac', 'a record does not open');
    this.records++;
    if (inner.length > MAX_PLAINTEXT + 1)
      throw new TlsAlert('record_overflow', `${inner.length} bytes inside a record`);
    return unpad(inner);
  }

  /** §5.3: the sequence number, left-padded to 12 bytes, xor the IV. */
  #nextNonce(): void {
    this.#nonce.set(this.#iv);
    addSequence(this.#nonce, 12, this.records);
  }

  wipe(): void {
    this.#key.wipe();
    this.#iv.fill(0);
  }
}

/** §5.4: the last byte that is not zero is the content type; a record without one, or empty where none may be, is refused. */
function unpad(inner: Uint8Array): Content {
  let end = inner.length - 1;
  while (end >= 0 && inner[end] === 0) end--;
  if (end < 0) throw new TlsAlert('unexpected_message', 'a record of nothing but padding');
  const type = inner[end] as number;
  if (end === 0 && type !== ContentType.application_data) {
    throw new TlsAlert('unexpected_message', `an empty record of type ${type}`);
  }
  return { type, content: inner.subarray(0, end) };
}

/** The number of a record, xor what is in `bytes` up to `end`. */
function addSequence(bytes: Uint8Array, end: number, sequence: number): void {
  for (let i = end - 1, rest = sequence; rest > 0; i--, rest = Math.floor(rest / 256)) {
    bytes[i] = (bytes[i] as number) ^ (rest % 256);
  }
}

/** TLS 1.2 with an AEAD. AES-GCM sends 8 bytes of its nonce (RFC 5288 §3), ChaCha20-Poly1305 none (RFC 7905 §2). */
export class Tls12Protection implements Protection {
  records = 0;
  readonly fragmentLimit = MAX_PLAINTEXT + MAX_EXPANSION['TLSv1.2'];
  readonly #key: AeadKey;
  readonly #iv: Uint8Array;
  readonly #nonce = new Uint8Array(12);
  readonly #additionalData = new Uint8Array(8 + HEADER_LENGTH);
  readonly #explicitLength: number;

  constructor(aead: Aead, keys: { readonly key: Uint8Array; readonly iv: Uint8Array }) {
    this.#key = aead.key(keys.key);
    this.#iv = copyOf(keys.iv);
    this.#explicitLength = explicitNonceLength(aead);
  }

  seal(type: number, content: Uint8Array): Uint8Array {
    const additionalData = this.#sequenceAndHeader(type, LEGACY_VERSION, content.length);
    const start = HEADER_LENGTH + this.#explicitLength;
    const end = start + content.length;
    const record = new Uint8Array(end + TAG_LENGTH);
    putRecordHeader(record, 0, { type, version: LEGACY_VERSION }, end + TAG_LENGTH - HEADER_LENGTH);
    for (let i = 0; i < this.#explicitLength; i++) record[HEADER_LENGTH + i] = additionalData[i] as number; // it never repeats
    record.set(content, start);
    this.#setNonce(additionalData);
    this.records++;
    sealInPlace(this.#key, this.#nonce, additionalData, record, start, end);
    return record;
  }

  open(record: TlsRecord): Content {
    const { type, version, fragment } = record;
    const length = fragment.length - this.#explicitLength - TAG_LENGTH;
    if (length < 0) throw new TlsAlert('bad_record_mac', 'a record too short for its tag');
    const additionalData = this.#sequenceAndHeader(type, version, length);
    this.#setNonce(fragment);
    const content = this.#key.open(this.#nonce, additionalData, fragment.subarray(this.#explicitLength));
    if (content === undefined) throw new TlsAlert('bad_record_mac', 'a record does not open');
    this.records++;
    if (content.length > MAX_PLAINTEXT)
      throw new TlsAlert('record_overflow', `${content.length} bytes inside a record`);
    return { type, content };
  }

  /** RFC 5246 §6.2.3.3: `seq_num + TLSCompressed.type + TLSCompressed.version + TLSCompressed.length` */
  #sequenceAndHeader(type: number, version: number, length: number): Uint8Array {
    this.#additionalData.fill(0, 0, 8);
    addSequence(this.#additionalData, 8, this.records);
    putRecordHeader(this.#additionalData, 8, { type, version }, length);
    return this.#additionalData;
  }

  /** What is sent of it, at the beginning of `bytes`, stands behind the IV; ChaCha20-Poly1305's IV, 12 bytes, is xored. */
  #setNonce(bytes: Uint8Array): void {
    this.#nonce.set(this.#iv);
    if (this.#explicitLength === 0) addSequence(this.#nonce, 12, this.records);
    for (let i = 0; i < this.#explicitLength; i++) this.#nonce[this.#iv.length + i] = bytes[i] as number;
  }

  wipe(): void {
    this.#key.wipe();
    this.#iv.fill(0);
  }
}

/** Bytes of the nonce that TLS 1.2 sends with each record. */
export function explicitNonceLength(aead: Aead): number {
  return aead.name === 'chacha20-poly1305' ? 0 : 8;
}
