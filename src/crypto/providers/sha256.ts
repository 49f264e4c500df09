/**
 * SHA-256 (FIPS 180-4) and HMAC (RFC 2104) around a compression function, @noble's or this library's: a fast path for messages of a
 * block or two. Bytes go straight into the sixteen words of the block. An HMAC key is two states in one small array. The outer
 * hash of an HMAC is always one block, in which only the digest changes. `npm run differential` compares it with @noble's.
 *
 * The shared words below are in use within a call only, never between calls.
 */

import type { Hash, HmacKey, RunningHash } from '../provider.ts';
import { word } from '../words.ts';
import { SpareWords } from './spare-words.ts';

/** §6.2.2: updates the state (eight words) with one block (sixteen), which it does not change. */
export type Compress = (state: Int32Array, block: Int32Array) => void;

const LENGTH = 32;
const BLOCK = 64;
const STATE_WORDS = 8;
const IPAD = 0x36363636;
const OPAD = 0x5c5c5c5c;

/** FIPS 180-4 §5.3.3 */
const INITIAL = Int32Array.from([
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
]);

const state = new Int32Array(STATE_WORDS);
const block = new Int32Array(16);
/** The block of an outer hash: a digest, and the padding for 64 + 32 bytes. */
const outerBlock = Int32Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0x80000000, 0, 0, 0, 0, 0, 0, 8 * (BLOCK + LENGTH));

function copy(from: Int32Array, at: number, to: Int32Array): void {
  for (let i = 0; i < STATE_WORDS; i++) to[i] = from[at + i] as number;
}

function clear(words: Int32Array, from: number, to: number): void {
  for (let i = from; i < to; i++) words[i] = 0;
}

/**
 * Adds bytes to a block that has `at` bytes, and full blocks to the state. Returns how many bytes the block has then. An incomplete
 * word has its bytes on the right.
 */
function absorb(compress: Compress, into: Int32Array, words: Int32Array, at: number, bytes: Uint8Array): number {
  let fill = at;
  for (let i = 0; i < bytes.length; ) {
    if ((fill & 3) === 0 && i + 4 <= bytes.length) {
      words[fill >> 2] = word(bytes, i);
      i += 4;
      fill += 4;
    } else {
      const begun = (fill & 3) === 0 ? 0 : (words[fill >> 2] as number) << 8;
      words[fill >> 2] = begun | (bytes[i++] as number);
      fill++;
    }
    if (fill < BLOCK) continue;
    compress(into, words);
    fill = 0;
  }
  return fill;
}

/** §5.1.1: the bit after the message, zeros, and the length of the message in bits. */
function finish(compress: Compress, into: Int32Array, words: Int32Array, at: number, length: number): void {
  const last = at >> 2;
  const begun = (at & 3) === 0 ? 0 : (words[last] as number) << 8;
  words[last] = (begun | 0x80) << (24 - 8 * (at & 3));
  clear(words, last + 1, 16);
  if (last >= 14) {
    compress(into, words);
    clear(words, 0, 16);
  }
  words[14] = Math.floor(length / 2 ** 29);
  words[15] = length << 3;
  compress(into, words);
  clear(words, 0, 16);
}

function toBytes(words: Int32Array): Uint8Array {
  const bytes = new Uint8Array(LENGTH);
  for (let i = 0; i < STATE_WORDS; i++) {
    const value = words[i] as number;
    bytes[4 * i] = value >>> 24;
    bytes[4 * i + 1] = value >>> 16;
    bytes[4 * i + 2] = value >>> 8;
    bytes[4 * i + 3] = value;
  }
  return bytes;
}

function digest(compress: Compress, message: Uint8Array): Uint8Array {
  copy(INITIAL, 0, state);
  finish(compress, state, block, absorb(compress, state, block, 0, message), message.length);
  return toBytes(state);
}

class RunningSha256 implements RunningHash {
  readonly #state = new Int32Array(INITIAL);
  readonly #block = new Int32Array(16);
  readonly #compress: Compress;
  #length = 0;

  constructor(compress: Compress) {
    this.#compress = compress;
  }

  update(message: Uint8Array): void {
    absorb(this.#compress, this.#state, this.#block, this.#length % BLOCK, message);
    this.#length += message.length;
  }

  peek(ahead?: Uint8Array): Uint8Array {
    copy(this.#state, 0, state);
    for (let i = 0; i < 16; i++) block[i] = this.#block[i] as number;
    const compress = this.#compress;
    const at = this.#length % BLOCK;
    if (ahead === undefined) finish(compress, state, block, at, this.#length);
    else finish(compress, state, block, absorb(compress, state, block, at, ahead), this.#length + ahead.length);
    return toBytes(state);
  }
}

/** Most keys of a handshake are used once or twice. */
const spare = new SpareWords(2 * STATE_WORDS);

class HmacSha256Key implements HmacKey {
  /** The states after key XOR ipad and after key XOR opad. */
  #states: Int32Array | undefined = spare.take();

  readonly #compress: Compress;

  constructor(compress: Compress, key: Uint8Array) {
    this.#compress = compress;
    const short = key.length > BLOCK ? digest(compress, key) : key;
    clear(block, 0, 16);
    for (let i = 0; i < short.length; i++) {
      block[i >> 2] = (block[i >> 2] as number) | ((short[i] as number) << (24 - 8 * (i & 3)));
    }
    this.#pad(IPAD, 0);
    this.#pad(IPAD ^ OPAD, STATE_WORDS);
    clear(block, 0, 16);
    if (short !== key) short.fill(0);
  }

  /** XORs `pad` into the block, and keeps the state after it. */
  #pad(pad: number, at: number): void {
    for (let i = 0; i < 16; i++) block[i] = (block[i] as number) ^ pad;
    copy(INITIAL, 0, state);
    this.#compress(state, block);
    for (let i = 0; i < STATE_WORDS; i++) (this.#states as Int32Array)[at + i] = state[i] as number;
  }

  sign(...parts: readonly Uint8Array[]): Uint8Array {
    if (this.#states === undefined) throw new Error('this key has been wiped');
    const compress = this.#compress;
    copy(this.#states, 0, state);
    let at = 0;
    let length = BLOCK;
    for (let i = 0; i < parts.length; i++) {
      const part = parts[i] as Uint8Array;
      at = absorb(compress, state, block, at, part);
      length += part.length;
    }
    finish(compress, state, block, at, length);
    copy(state, 0, outerBlock);
    copy(this.#states, STATE_WORDS, state);
    compress(state, outerBlock);
    clear(outerBlock, 0, STATE_WORDS);
    return toBytes(state);
  }

  wipe(): void {
    const states = this.#states;
    if (states === undefined) return;
    this.#states = undefined;
    spare.giveBack(states);
  }
}

export function sha256Over(compress: Compress): Hash {
  return {
    name: 'sha256',
    length: LENGTH,
    digest: (message) => digest(compress, message),
    start: () => new RunningSha256(compress),
    hmac: (key) => new HmacSha256Key(compress, key),
  };
}
