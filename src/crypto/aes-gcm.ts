/**
 * AES-GCM (NIST SP 800-38D) of our own over the AES block of @noble/ciphers. A fast path: key schedule and GHASH table are
 * made once a key, where @noble's `gcm()` makes them for every record, and a resumed handshake is records of 16 to 300 bytes.
 * It works in place, in words, and allocates nothing for a block. The same bit for bit: `npm run differential` compares.
 *
 * The words of the block cipher are little-endian, those of GHASH big-endian, as are bytes in the counter.
 */

import { unsafe } from '@noble/ciphers/aes.js';
import { copyRange } from '../wire/bytes.ts';
import { Ghash } from './ghash.ts';
import type { Aead, AeadKey, AeadName } from './provider.ts';

const NONCE = 12;
const TAG = 16;
const BLOCK = 16;
/** §5.2.1.1: the most that one nonce encrypts, so that 32 bits can count its blocks. */
const MAX_TEXT = 2 ** 36 - 32;

type Schedule = ReturnType<typeof unsafe.expandKeyLE>;
const { encrypt, expandKeyLE } = unsafe;

/** What the tag should be, in words; and one block of key stream. */
const expected = new Int32Array(4);
const stream = new Uint8Array(BLOCK);

/** Noble reads a key as words of its buffer; of a short array of its own there is none yet, and making it takes longer than the key schedule. */
const KEY_128 = new Uint8Array(new ArrayBuffer(16));
const KEY_256 = new Uint8Array(new ArrayBuffer(32));

class AesGcmKey implements AeadKey {
  #schedule: Schedule;
  readonly #ghash: Ghash;

  constructor(key: Uint8Array) {
    const words = key.length === 16 ? KEY_128 : KEY_256;
    words.set(key);
    this.#schedule = expandKeyLE(words);
    words.fill(0);
    const h = encrypt(this.#schedule, 0, 0, 0, 0);
    this.#ghash = new Ghash(swap(h.s0), swap(h.s1), swap(h.s2), swap(h.s3));
  }

  seal(nonce: Uint8Array, additionalData: Uint8Array, plaintext: Uint8Array): Uint8Array {
    const sealed = new Uint8Array(plaintext.length + TAG);
    sealed.set(plaintext);
    this.sealInPlace(nonce, additionalData, sealed, 0, plaintext.length);
    return sealed;
  }

  open(nonce: Uint8Array, additionalData: Uint8Array, ciphertext: Uint8Array): Uint8Array | undefined {
    const end = ciphertext.length - TAG;
    if (end < 0 || !this.#verify(nonce, additionalData, ciphertext, 0, end)) return undefined;
    const plaintext = copyRange(ciphertext, 0, end);
    this.#encipher(nonce, plaintext, 0, end);
    return plaintext;
  }

  sealInPlace(nonce: Uint8Array, additionalData: Uint8Array, buffer: Uint8Array, start: number, end: number): void {
    if (end + TAG > buffer.length) throw new RangeError('no room for the tag');
    this.#check(nonce, end - start);
    this.#encipher(nonce, buffer, start, end);
    this.#tag(nonce, additionalData, buffer, start, end);
    for (let i = 0; i < TAG; i++) buffer[end + i] = tagByte(i);
    expected.fill(0);
  }

  openInPlace(nonce: Uint8Array, additionalData: Uint8Array, buffer: Uint8Array, start: number, end: number): boolean {
    const tagAt = end - TAG;
    if (tagAt < start || !this.#verify(nonce, additionalData, buffer, start, tagAt)) return false;
    this.#encipher(nonce, buffer, start, tagAt);
    return true;
  }

  wipe(): void {
    this.#schedule.fill(0);
    this.#schedule = NO_SCHEDULE;
    this.#ghash.wipe();
  }

  /** In time that depends on lengths only. */
  #verify(nonce: Uint8Array, additionalData: Uint8Array, buffer: Uint8Array, start: number, end: number): boolean {
    this.#check(nonce, end - start);
    this.#tag(nonce, additionalData, buffer, start, end);
    let difference = 0;
    for (let i = 0; i < TAG; i++) difference |= tagByte(i) ^ (buffer[end + i] as number);
    expected.fill(0);
    return difference === 0;
  }

  /** Nothing is done under a wiped key: its schedule would be everybody's. */
  #check(nonce: Uint8Array, length: number): void {
    if (this.#schedule === NO_SCHEDULE) throw new Error('this key has been wiped');
    if (nonce.length !== NONCE) throw new RangeError(`a nonce of ${nonce.length} bytes, ${NONCE} are wanted`);
    if (length > MAX_TEXT) throw new RangeError(`${length} bytes under one nonce`);
  }

  /** §6.5: GCTR from the second counter block on; the first is the tag's (§7.1). */
  #encipher(nonce: Uint8Array, buffer: Uint8Array, start: number, end: number): void {
    const n0 = word(nonce, 0);
    const n1 = word(nonce, 4);
    const n2 = word(nonce, 8);
    let counter = 2;
    let at = start;
    for (; at + BLOCK <= end; at += BLOCK, counter++) {
      const { s0, s1, s2, s3 } = encrypt(this.#schedule, n0, n1, n2, swap(counter));
      xor(buffer, at, s0);
      xor(buffer, at + 4, s1);
      xor(buffer, at + 8, s2);
      xor(buffer, at + 12, s3);
    }
    if (at === end) return;
    const { s0, s1, s2, s3 } = encrypt(this.#schedule, n0, n1, n2, swap(counter));
    xor(stream, 0, s0);
    xor(stream, 4, s1);
    xor(stream, 8, s2);
    xor(stream, 12, s3);
    for (let i = 0; at + i < end; i++) buffer[at + i] = (buffer[at + i] as number) ^ (stream[i] as number);
    stream.fill(0);
  }

  /** §7.1, steps 5 and 6: of the ciphertext, into {@link expected}. */
  #tag(nonce: Uint8Array, additionalData: Uint8Array, buffer: Uint8Array, start: number, end: number): void {
    this.#ghash.start();
    this.#ghash.update(additionalData, 0, additionalData.length);
    this.#ghash.update(buffer, start, end);
    this.#ghash.finish(additionalData.length, end - start, expected);
    const { s0, s1, s2, s3 } = encrypt(this.#schedule, word(nonce, 0), word(nonce, 4), word(nonce, 8), FIRST);
    expected[0] = (expected[0] as number) ^ swap(s0);
    expected[1] = (expected[1] as number) ^ swap(s1);
    expected[2] = (expected[2] as number) ^ swap(s2);
    expected[3] = (expected[3] as number) ^ swap(s3);
  }
}

const NO_SCHEDULE: Schedule = new Uint32Array(0);
/** The counter 1, as the block cipher reads it. */
const FIRST = swap(1);

function tagByte(i: number): number {
  return ((expected[i >> 2] as number) >>> (24 - 8 * (i & 3))) & 0xff;
}

/** Four bytes, little-endian. */
function word(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  );
}

/** The same word with its bytes the other way round. */
function swap(value: number): number {
  return (value << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24);
}

function xor(buffer: Uint8Array, at: number, value: number): void {
  buffer[at] = (buffer[at] as number) ^ value;
  buffer[at + 1] = (buffer[at + 1] as number) ^ (value >>> 8);
  buffer[at + 2] = (buffer[at + 2] as number) ^ (value >>> 16);
  buffer[at + 3] = (buffer[at + 3] as number) ^ (value >>> 24);
}

/** AES-128-GCM or AES-256-GCM. @throws RangeError for a key of another length */
export function aesGcm(name: AeadName, keyLength: 16 | 32): Aead {
  return {
    name,
    keyLength,
    key: (key) => {
      if (key.length !== keyLength) throw new RangeError(`a key of ${key.length} bytes, ${keyLength} are wanted`);
      return new AesGcmKey(key);
    },
  };
}
