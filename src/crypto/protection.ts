/** Record protection, one direction and one key at a time: RFC 9846 §5.2–§5.5, RFC 5246 §6.2.3.3, RFC 5288, RFC 7905. */

import { TlsAlert } from '../wire/alert.ts';
import { withoutSlack } from '../wire/byte-queue.ts';
import { wipe } from '../wire/bytes.ts';
import { MAX_EXPANSION, MAX_PLAINTEXT, putRecordHeader, type TlsRecord } from '../wire/record.ts';
import { ContentType } from '../wire/registry.ts';
import { type TrafficSecret, trafficKeys } from './key-schedule.ts';
import { type Aead, type AeadKey, sealInPlace } from './provider.ts';

const LEGACY_VERSION = 0x0303;
const HEADER_LENGTH = 5;
const TAG_LENGTH = 16;
const NONCE_LENGTH = 12;

/** The content of a record after its protection has been removed. */
export interface Content {
  readonly type: number;
  readonly content: Uint8Array;
}

/**
 * Protects one direction under one key. The sequence number never wraps: a key is replaced long before.
 *
 * Each record has a nonce and additional data of its own. Arrays that records share would be cheaper by a hundredth, but a provider may be
 * user code, and may run another connection before it reads them.
 */
export interface Protection {
  /** Whether records are under a key. */
  readonly isProtected: boolean;
  /** Records protected or opened so far. */
  readonly records: number;
  /** The longest fragment that may come in. */
  readonly fragmentLimit: number;
  /** How many bytes a record, header included, is longer than its content. */
  readonly expansion: number;
  /** Writes a record to `output`, starting at `at`. */
  seal(type: number, content: Uint8Array, output: Uint8Array, at: number): void;
  /** @throws TlsAlert bad_record_mac, record_overflow or unexpected_message */
  open(record: TlsRecord): Content;
  wipe(): void;
}

/** Records before the first key. */
export class Plaintext implements Protection {
  readonly isProtected = false;
  records = 0;
  readonly fragmentLimit = MAX_PLAINTEXT;
  readonly expansion = HEADER_LENGTH;
  readonly #version: number;

  /** `version` is that of the records that are written. */
  constructor(version = LEGACY_VERSION) {
    this.#version = version;
  }

  seal(type: number, content: Uint8Array, output: Uint8Array, at: number): void {
    this.records++;
    putRecordHeader(output, at, { type, version: this.#version }, content.length);
    output.set(content, at + HEADER_LENGTH);
  }

  open({ type, fragment }: TlsRecord): Content {
    if (fragment.length > MAX_PLAINTEXT) throw new TlsAlert('record_overflow', `${fragment.length} bytes in a record`); // amid early data
    this.records++;
    return { type, content: fragment };
  }

  wipe(): void {}
}

/** Stands for a key that has been wiped: the provider is not asked again, be it to wipe it. */
const WIPED: AeadKey = { seal: refuse, open: refuse, wipe: () => {} };

function refuse(): never {
  throw new Error('this key has been wiped');
}

/** The header of all protected records of TLS 1.3. */
const OUTER = { type: ContentType.application_data, version: LEGACY_VERSION } as const;

/** RFC 9846 §5.2: additional_data is the header of the record. */
function recordHeader(record: Pick<TlsRecord, 'type' | 'version'>, length: number): Uint8Array {
  const header = new Uint8Array(HEADER_LENGTH);
  putRecordHeader(header, 0, record, length);
  return header;
}

/** RFC 9846 §5.2: the true content type is encrypted, after the content and before the padding. */
export class Tls13Protection implements Protection {
  readonly isProtected = true;
  records = 0;
  readonly fragmentLimit = MAX_PLAINTEXT + MAX_EXPANSION['TLSv1.3'];
  readonly expansion = HEADER_LENGTH + 1 + TAG_LENGTH;
  #key: AeadKey;
  readonly #iv: Uint8Array;

  /** Takes over `iv`; `key` is copied. */
  constructor(aead: Aead, keys: { readonly key: Uint8Array; readonly iv: Uint8Array }) {
    this.#key = aead.key(keys.key);
    this.#iv = keys.iv;
  }

  seal(type: number, content: Uint8Array, output: Uint8Array, at: number): void {
    const start = at + HEADER_LENGTH;
    const end = start + content.length + 1;
    const header = recordHeader(OUTER, end + TAG_LENGTH - start);
    output.set(header, at);
    output.set(content, start);
    output[end - 1] = type;
    const nonce = this.#nonce();
    this.records++;
    sealInPlace(this.#key, nonce, header, output, start, end);
  }

  open(record: TlsRecord): Content {
    if (record.type !== ContentType.application_data) {
      throw new TlsAlert('unexpected_message', `an unprotected record of type ${record.type}`);
    }
    const header = recordHeader(record, record.fragment.length);
    const inner = this.#key.open(this.#nonce(), header, record.fragment);
    if (inner === undefined) throw new TlsAlert('bad_record_mac', 'a record does not open');
    this.records++;
    if (inner.length > MAX_PLAINTEXT + 1)
      throw new TlsAlert('record_overflow', `${inner.length} bytes inside a record`);
    return unpad(inner);
  }

  /** §5.3: the sequence number, left-padded to 12 bytes, xor the IV. */
  #nonce(): Uint8Array {
    const nonce = this.#iv.slice();
    addSequence(nonce, nonce.length, this.records);
    return nonce;
  }

  wipe(): void {
    const key = this.#key;
    this.#key = WIPED;
    this.#iv.fill(0);
    key.wipe();
  }
}

/** §5.4: the last byte that is not zero is the content type. Refuses a record without one, and one that must not be empty. */
function unpad(inner: Uint8Array): Content {
  let end = inner.length - 1;
  while (end >= 0 && inner[end] === 0) end--;
  if (end < 0) throw new TlsAlert('unexpected_message', 'a record of nothing but padding');
  const type = inner[end] as number;
  if (end === 0 && type !== ContentType.application_data) {
    throw new TlsAlert('unexpected_message', `an empty record of type ${type}`);
  }
  return { type, content: withoutSlack(inner.subarray(0, end)) }; // or padding could be kept with each byte of data
}

/** XORs the sequence number into `bytes`, so that it ends at `end`. */
function addSequence(bytes: Uint8Array, end: number, sequence: number): void {
  for (let i = end - 1, rest = sequence; rest > 0; i--, rest = Math.floor(rest / 256)) {
    bytes[i] = (bytes[i] as number) ^ (rest % 256);
  }
}

/** TLS 1.2 with an AEAD. AES-GCM sends 8 bytes of its nonce (RFC 5288 §3), ChaCha20-Poly1305 none (RFC 7905 §2). */
export class Tls12Protection implements Protection {
  readonly isProtected = true;
  records = 0;
  readonly fragmentLimit = MAX_PLAINTEXT + MAX_EXPANSION['TLSv1.2'];
  #key: AeadKey;
  readonly expansion: number;
  readonly #iv: Uint8Array;
  readonly #explicitLength: number;

  /** Takes over `iv`; `key` is copied. */
  constructor(aead: Aead, keys: { readonly key: Uint8Array; readonly iv: Uint8Array }) {
    this.#key = aead.key(keys.key);
    this.#iv = keys.iv;
    this.#explicitLength = explicitNonceLength(aead);
    this.expansion = HEADER_LENGTH + this.#explicitLength + TAG_LENGTH;
  }

  seal(type: number, content: Uint8Array, output: Uint8Array, at: number): void {
    const explicit = at + HEADER_LENGTH;
    const start = explicit + this.#explicitLength;
    const end = start + content.length;
    const additionalData = this.#additionalData(type, LEGACY_VERSION, content.length);
    putRecordHeader(output, at, { type, version: LEGACY_VERSION }, end + TAG_LENGTH - explicit);
    for (let i = 0; i < this.#explicitLength; i++) {
      output[explicit + i] = additionalData[i] as number; // the sequence number, which never repeats
    }
    output.set(content, start);
    const nonce = this.#nonce(additionalData);
    this.records++;
    sealInPlace(this.#key, nonce, additionalData, output, start, end);
  }

  open(record: TlsRecord): Content {
    const { type, version, fragment } = record;
    const length = fragment.length - this.#explicitLength - TAG_LENGTH;
    if (length < 0) throw new TlsAlert('bad_record_mac', 'a record too short for its tag');
    const additionalData = this.#additionalData(type, version, length);
    const content = this.#key.open(this.#nonce(fragment), additionalData, fragment.subarray(this.#explicitLength));
    if (content === undefined) throw new TlsAlert('bad_record_mac', 'a record does not open');
    this.records++;
    if (content.length > MAX_PLAINTEXT)
      throw new TlsAlert('record_overflow', `${content.length} bytes inside a record`);
    return { type, content };
  }

  /** RFC 5246 §6.2.3.3: `seq_num + TLSCompressed.type + TLSCompressed.version + TLSCompressed.length` */
  #additionalData(type: number, version: number, length: number): Uint8Array {
    const bytes = new Uint8Array(8 + HEADER_LENGTH);
    addSequence(bytes, 8, this.records);
    putRecordHeader(bytes, 8, { type, version }, length);
    return bytes;
  }

  /** The IV followed by the explicit part, which `bytes` begins with. ChaCha20-Poly1305: the IV, 12 bytes, XOR the sequence number. */
  #nonce(bytes: Uint8Array): Uint8Array {
    const nonce = new Uint8Array(NONCE_LENGTH);
    nonce.set(this.#iv);
    if (this.#explicitLength === 0) addSequence(nonce, NONCE_LENGTH, this.records);
    for (let i = 0; i < this.#explicitLength; i++) nonce[this.#iv.length + i] = bytes[i] as number;
    return nonce;
  }

  wipe(): void {
    const key = this.#key;
    this.#key = WIPED;
    this.#iv.fill(0);
    key.wipe();
  }
}

/** Returns how many bytes of the nonce TLS 1.2 sends with each record. */
export function explicitNonceLength(aead: Aead): number {
  return aead.name === 'chacha20-poly1305' ? 0 : 8;
}

/** Protects one direction under the keys of a traffic secret (RFC 9846 §7.3). */
export function trafficProtection(aead: Aead, secret: TrafficSecret): Protection {
  const keys = trafficKeys(aead, secret);
  const protection = new Tls13Protection(aead, keys);
  wipe(keys.key);
  return protection;
}
