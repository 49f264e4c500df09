/**
 * This library's own AES-GCM (NIST SP 800-38D), a fast path. It makes key schedule and GHASH table once for each key; @noble's
 * `gcm()` makes them for each record, and the records of a resumed handshake have only 16 to 300 bytes. It works in place, in
 * words, and allocates nothing for a block. `npm run differential` checks that the results are the same.
 */

import { copyRange } from '../../wire/bytes.ts';
import type { Aead, AeadKey, AeadName } from '../provider.ts';
import { word } from '../words.ts';
import { AesKey } from './aes.ts';
import { Ghash } from './ghash.ts';

const NONCE = 12;
const TAG = 16;
const BLOCK = 16;
/** §5.2.1.1: the longest text under one nonce, so that 32 bits can count its blocks. */
const MAX_TEXT = 2 ** 36 - 32;

/** The expected tag, and one block of key stream, in words. Used within a call only. */
const expected = new Int32Array(4);
const stream = new Int32Array(4);

class AesGcmKey implements AeadKey {
  readonly #block: AesKey;
  readonly #ghash: Ghash;

  constructor(key: Uint8Array) {
    this.#block = new AesKey(key);
    this.#block.encrypt(0, 0, 0, 0, stream); // §7.1, step 1: H
    this.#ghash = new Ghash(stream[0] as number, stream[1] as number, stream[2] as number, stream[3] as number);
    stream.fill(0);
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
    for (let i = 0; i < TAG; i++) buffer[end + i] = byteOf(expected, i);
    expected.fill(0);
  }

  openInPlace(nonce: Uint8Array, additionalData: Uint8Array, buffer: Uint8Array, start: number, end: number): boolean {
    const tagAt = end - TAG;
    if (tagAt < start || !this.#verify(nonce, additionalData, buffer, start, tagAt)) return false;
    this.#encipher(nonce, buffer, start, tagAt);
    return true;
  }

  /** The block cipher throws from here on, and so do all methods. */
  wipe(): void {
    this.#block.wipe();
    this.#ghash.wipe();
  }

  /** Compares the tag in time that depends on lengths only. */
  #verify(nonce: Uint8Array, additionalData: Uint8Array, buffer: Uint8Array, start: number, end: number): boolean {
    this.#check(nonce, end - start);
    this.#tag(nonce, additionalData, buffer, start, end);
    let difference = 0;
    for (let i = 0; i < TAG; i++) difference |= byteOf(expected, i) ^ (buffer[end + i] as number);
    expected.fill(0);
    return difference === 0;
  }

  #check(nonce: Uint8Array, length: number): void {
    if (nonce.length !== NONCE) throw new RangeError(`a nonce of ${nonce.length} bytes, ${NONCE} are wanted`);
    if (length > MAX_TEXT) throw new RangeError(`${length} bytes under one nonce`);
  }

  /** §6.5: GCTR from the second counter block on. The first is for the tag (§7.1). */
  #encipher(nonce: Uint8Array, buffer: Uint8Array, start: number, end: number): void {
    const n0 = word(nonce, 0);
    const n1 = word(nonce, 4);
    const n2 = word(nonce, 8);
    let counter = 2;
    let at = start;
    for (; at + BLOCK <= end; at += BLOCK, counter++) {
      this.#block.encrypt(n0, n1, n2, counter, stream);
      xor(buffer, at, stream[0] as number);
      xor(buffer, at + 4, stream[1] as number);
      xor(buffer, at + 8, stream[2] as number);
      xor(buffer, at + 12, stream[3] as number);
    }
    if (at < end) this.#block.encrypt(n0, n1, n2, counter, stream);
    for (let i = 0; at + i < end; i++) buffer[at + i] = (buffer[at + i] as number) ^ byteOf(stream, i);
    stream.fill(0);
  }

  /** §7.1, steps 5 and 6: writes the tag of the ciphertext to {@link expected}. */
  #tag(nonce: Uint8Array, additionalData: Uint8Array, buffer: Uint8Array, start: number, end: number): void {
    this.#ghash.update(additionalData, 0, additionalData.length);
    this.#ghash.update(buffer, start, end);
    this.#ghash.finish(additionalData.length, end - start, expected);
    this.#block.encrypt(word(nonce, 0), word(nonce, 4), word(nonce, 8), 1, stream);
    for (let i = 0; i < 4; i++) expected[i] = (expected[i] as number) ^ (stream[i] as number);
    stream.fill(0);
  }
}

function byteOf(words: Int32Array, i: number): number {
  return ((words[i >> 2] as number) >>> (24 - 8 * (i & 3))) & 0xff;
}

function xor(buffer: Uint8Array, at: number, value: number): void {
  buffer[at] = (buffer[at] as number) ^ (value >>> 24);
  buffer[at + 1] = (buffer[at + 1] as number) ^ (value >>> 16);
  buffer[at + 2] = (buffer[at + 2] as number) ^ (value >>> 8);
  buffer[at + 3] = (buffer[at + 3] as number) ^ value;
}

/** AES-128-GCM or AES-256-GCM. */
export function aesGcm(name: AeadName, keyLength: 16 | 32): Aead {
  return {
    name,
    keyLength,
    /** @throws RangeError for a key of another length */
    key: (key) => {
      if (key.length !== keyLength) throw new RangeError(`a key of ${key.length} bytes, ${keyLength} are wanted`);
      return new AesGcmKey(key);
    },
  };
}
