/**
 * GHASH (NIST SP 800-38D §6.4) by Shoup's method, with a table for each key: a fast path. An element of GF(2^128) is four signed
 * words, the first with the lowest powers. Bit 0 is the leftmost (§6.3), so multiplying by x is a shift to the right, and the
 * bit that falls out is reduced by x^128 = x^7 + x^2 + x + 1.
 *
 * M[n] is H times the polynomial n. A table of sixteen, for four bits a step, takes the time of two blocks to make, and is enough
 * for a handshake. A key that has hashed {@link WIDE_AFTER} blocks gets a table of 256, which doubles the speed and takes 4 KB.
 * Look-ups indexed by secrets can be observed through the processor's cache, as @noble's AES can; see SECURITY.md.
 */

import { word } from '../words.ts';
import { SpareWords } from './spare-words.ts';

/** 4 KB of data. The wide table pays for itself after less. */
const WIDE_AFTER = 256;
const NARROW = 4 * 16;
const WIDE = 4 * 256;
const BLOCK = 16;
/** x^7 + x^2 + x + 1, as the upper half of the first word. */
const POLYNOMIAL = 0xe1000000;

const REDUCE_4 = reductions(4);
const REDUCE_8 = reductions(8);

/** Returns the reductions of this many bits that fall out, for the first word. */
function reductions(bits: number): Int32Array {
  return Int32Array.from({ length: 1 << bits }, (_, fallen) => {
    let word = 0;
    for (let i = 0; i < bits; i++) if ((fallen >> i) & 1) word ^= POLYNOMIAL >>> (bits - 1 - i);
    return word;
  });
}

/** The narrow tables of wiped keys. */
const spare = new SpareWords(NARROW);
/** The table of a wiped key. */
const WIPED = new Int32Array(WIDE);

/** The hash so far, in the current call; zeros between calls. */
const Y = new Int32Array(4);
const H = new Int32Array(4);
const padded = new Uint8Array(BLOCK);

/** Hashes with one key, one message at a time. */
export class Ghash {
  #table: Int32Array;
  #blocks = 0;

  /** Takes H as four words. */
  constructor(h0: number, h1: number, h2: number, h3: number) {
    this.#table = spare.take();
    fill(this.#table, h0, h1, h2, h3);
  }

  /** Hashes the bytes from `from` to `to`, padded with zeros to whole blocks. */
  update(bytes: Uint8Array, from: number, to: number): void {
    const blocks = (to - from) >>> 4;
    this.#blocks += blocks;
    if (this.#blocks > WIDE_AFTER && this.#table.length === NARROW) this.#widen();
    const rest = from + BLOCK * blocks;
    this.#hash(bytes, from, rest);
    if (rest === to) return;
    for (let i = 0; i < BLOCK; i++) padded[i] = rest + i < to ? (bytes[rest + i] as number) : 0;
    this.#hash(padded, 0, BLOCK);
  }

  /** Hashes the last block, the lengths of both parts, given in bytes. Writes the hash to `output`, as words. */
  finish(additional: number, text: number, output: Int32Array): void {
    writeBits(0, additional);
    writeBits(8, text);
    this.#hash(padded, 0, BLOCK);
    output.set(Y);
    Y.fill(0);
    padded.fill(0);
  }

  wipe(): void {
    if (this.#table.length === NARROW) spare.giveBack(this.#table);
    else this.#table.fill(0);
    this.#table = WIPED;
  }

  #hash(bytes: Uint8Array, from: number, to: number): void {
    if (this.#table.length === NARROW) hashBy4(this.#table, bytes, from, to);
    else hashBy8(this.#table, bytes, from, to);
  }

  /** M[8 of 16] is H. */
  #widen(): void {
    H.set(this.#table.subarray(4 * 8, 4 * 9));
    this.wipe();
    this.#table = new Int32Array(WIDE);
    fill(this.#table, H[0] as number, H[1] as number, H[2] as number, H[3] as number);
    H.fill(0);
  }
}

/** Writes the number of bits in this many bytes as 64 bits, big-endian. */
function writeBits(at: number, bytes: number): void {
  const high = Math.floor(bytes / 2 ** 29);
  const low = bytes << 3;
  for (let i = 0; i < 4; i++) {
    padded[at + i] = high >>> (24 - 8 * i);
    padded[at + 4 + i] = low >>> (24 - 8 * i);
  }
}

/** M[n] at 4·n. The highest bit of n is its lowest power. */
function fill(table: Int32Array, h0: number, h1: number, h2: number, h3: number): void {
  for (let bit = table.length >> 3; bit > 0; bit >>= 1) {
    const at = 4 * bit;
    table[at] = h0;
    table[at + 1] = h1;
    table[at + 2] = h2;
    table[at + 3] = h3;
    const carried = -(h3 & 1) & POLYNOMIAL;
    h3 = (h3 >>> 1) | (h2 << 31);
    h2 = (h2 >>> 1) | (h1 << 31);
    h1 = (h1 >>> 1) | (h0 << 31);
    h0 = (h0 >>> 1) ^ carried;
  }
  for (let at = 8; at < table.length; at <<= 1) addMultiples(table, at);
}

/** M[n + m] = M[n] + M[m] for all m below n, a power of two. */
function addMultiples(table: Int32Array, at: number): void {
  const n0 = table[at] as number;
  const n1 = table[at + 1] as number;
  const n2 = table[at + 2] as number;
  const n3 = table[at + 3] as number;
  for (let m = 4; m < at; m += 4) {
    table[at + m] = n0 ^ (table[m] as number);
    table[at + m + 1] = n1 ^ (table[m + 1] as number);
    table[at + m + 2] = n2 ^ (table[m + 2] as number);
    table[at + m + 3] = n3 ^ (table[m + 3] as number);
  }
}

/** Hashes whole blocks into {@link Y}: Y = (Y + block) · H, by Horner's rule from the highest power down. */
function hashBy4(table: Int32Array, bytes: Uint8Array, from: number, to: number): void {
  let y0 = Y[0] as number;
  let y1 = Y[1] as number;
  let y2 = Y[2] as number;
  let y3 = Y[3] as number;
  for (let at = from; at < to; at += BLOCK) {
    const x0 = y0 ^ word(bytes, at);
    const x1 = y1 ^ word(bytes, at + 4);
    const x2 = y2 ^ word(bytes, at + 8);
    const x3 = y3 ^ word(bytes, at + 12);
    y0 = y1 = y2 = y3 = 0;
    for (let i = 3; i >= 0; i--) {
      let x = i === 3 ? x3 : i === 2 ? x2 : i === 1 ? x1 : x0;
      for (let step = 0; step < 8; step++) {
        const fallen = REDUCE_4[y3 & 15] as number;
        const m = (x & 15) << 2;
        x >>>= 4;
        y3 = ((y3 >>> 4) | (y2 << 28)) ^ (table[m + 3] as number);
        y2 = ((y2 >>> 4) | (y1 << 28)) ^ (table[m + 2] as number);
        y1 = ((y1 >>> 4) | (y0 << 28)) ^ (table[m + 1] as number);
        y0 = (y0 >>> 4) ^ fallen ^ (table[m] as number);
      }
    }
  }
  Y[0] = y0;
  Y[1] = y1;
  Y[2] = y2;
  Y[3] = y3;
}

/** Does the same with eight bits a step. One loop for both would cost a third of the speed. */
function hashBy8(table: Int32Array, bytes: Uint8Array, from: number, to: number): void {
  let y0 = Y[0] as number;
  let y1 = Y[1] as number;
  let y2 = Y[2] as number;
  let y3 = Y[3] as number;
  for (let at = from; at < to; at += BLOCK) {
    const x0 = y0 ^ word(bytes, at);
    const x1 = y1 ^ word(bytes, at + 4);
    const x2 = y2 ^ word(bytes, at + 8);
    const x3 = y3 ^ word(bytes, at + 12);
    y0 = y1 = y2 = y3 = 0;
    for (let i = 3; i >= 0; i--) {
      let x = i === 3 ? x3 : i === 2 ? x2 : i === 1 ? x1 : x0;
      for (let step = 0; step < 4; step++) {
        const fallen = REDUCE_8[y3 & 255] as number;
        const m = (x & 255) << 2;
        x >>>= 8;
        y3 = ((y3 >>> 8) | (y2 << 24)) ^ (table[m + 3] as number);
        y2 = ((y2 >>> 8) | (y1 << 24)) ^ (table[m + 2] as number);
        y1 = ((y1 >>> 8) | (y0 << 24)) ^ (table[m + 1] as number);
        y0 = (y0 >>> 8) ^ fallen ^ (table[m] as number);
      }
    }
  }
  Y[0] = y0;
  Y[1] = y1;
  Y[2] = y2;
  Y[3] = y3;
}
