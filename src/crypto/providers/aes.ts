/**
 * The AES block cipher (FIPS 197), encryption only, over one table of 1 KB: a fast path. @noble's tables take 640 KB, and most of
 * them leave the processor's cache between two reads of a socket; fetching them again took a tenth of the time of a server
 * with short connections. `npm run differential` checks that the results are the same.
 *
 * Words are big-endian, as in the standard. Look-ups indexed by secrets can be observed through the cache, as @noble's can; see
 * SECURITY.md. These touch sixteen cache lines.
 */

import { SpareWords } from './spare-words.ts';

/** §5.1.1: the inverse in GF(2^8), followed by an affine map. */
const SBOX = substitutions();
/** SubBytes and MixColumns of one byte in the first row: 2·s, s, s, 3·s. The other rows are rotations of it. */
const TABLE = Int32Array.from(SBOX, (s) => (double(s) << 24) | (s << 16) | (s << 8) | (double(s) ^ s));

/** §5.2: four words for each of up to 14 rounds, and four before the first. */
const spare = new SpareWords(60);

/** Times x, modulo x^8 + x^4 + x^3 + x + 1 (§4.2). */
function double(value: number): number {
  return ((value << 1) ^ (value & 0x80 ? 0x11b : 0)) & 0xff;
}

/** Uses the powers of x + 1, which are all elements but 0: the inverse of power i is power 255 - i. */
function substitutions(): Uint8Array {
  const powers: number[] = [];
  for (let i = 0, x = 1; i < 255; i++, x ^= double(x)) powers.push(x);
  const box = new Uint8Array(256);
  box[0] = 0x63;
  powers.forEach((x, i) => {
    const inverse = powers[(255 - i) % 255] as number;
    const twice = inverse | (inverse << 8);
    box[x] = inverse ^ (twice >> 4) ^ (twice >> 5) ^ (twice >> 6) ^ (twice >> 7) ^ 0x63;
  });
  return box;
}

/** §5.2, SubWord() */
function substituteWord(word: number): number {
  return substituted(word, word, word, word);
}

/** SubBytes and ShiftRows: takes one byte of each word, in order. */
function substituted(w0: number, w1: number, w2: number, w3: number): number {
  return (
    ((SBOX[w0 >>> 24] as number) << 24) |
    ((SBOX[(w1 >>> 16) & 0xff] as number) << 16) |
    ((SBOX[(w2 >>> 8) & 0xff] as number) << 8) |
    (SBOX[w3 & 0xff] as number)
  );
}

/** SubBytes, ShiftRows and MixColumns. */
function mixed(w0: number, w1: number, w2: number, w3: number): number {
  const t1 = TABLE[(w1 >>> 16) & 0xff] as number;
  const t2 = TABLE[(w2 >>> 8) & 0xff] as number;
  const t3 = TABLE[w3 & 0xff] as number;
  return (
    (TABLE[w0 >>> 24] as number) ^ ((t1 >>> 8) | (t1 << 24)) ^ ((t2 >>> 16) | (t2 << 16)) ^ ((t3 >>> 24) | (t3 << 8))
  );
}

/** A key of 16 or 32 bytes, which are copied. */
export class AesKey {
  #roundKeys: Int32Array | undefined = spare.take();
  readonly #words: number;

  /** §5.2, KeyExpansion() */
  constructor(key: Uint8Array) {
    const w = this.#roundKeys as Int32Array;
    const nk = key.length >> 2;
    this.#words = 4 * (nk + 7);
    for (let i = 0; i < key.length; i++) w[i >> 2] = ((w[i >> 2] as number) << 8) | (key[i] as number);
    for (let i = nk, rcon = 1; i < this.#words; i++) {
      let word = w[i - 1] as number;
      if (i % nk === 0) {
        word = substituteWord((word << 8) | (word >>> 24)) ^ (rcon << 24);
        rcon = double(rcon);
      } else if (nk > 6 && i % nk === 4) word = substituteWord(word);
      w[i] = (w[i - nk] as number) ^ word;
    }
  }

  /** §5.1, Cipher(). Encrypts a block of four words to `output`. @throws Error if the key has been wiped */
  encrypt(b0: number, b1: number, b2: number, b3: number, output: Int32Array): void {
    const w = this.#roundKeys;
    if (w === undefined) throw new Error('this key has been wiped');
    let s0 = b0 ^ (w[0] as number);
    let s1 = b1 ^ (w[1] as number);
    let s2 = b2 ^ (w[2] as number);
    let s3 = b3 ^ (w[3] as number);
    const last = this.#words - 4;
    for (let k = 4; k < last; k += 4) {
      const t0 = mixed(s0, s1, s2, s3) ^ (w[k] as number);
      const t1 = mixed(s1, s2, s3, s0) ^ (w[k + 1] as number);
      const t2 = mixed(s2, s3, s0, s1) ^ (w[k + 2] as number);
      s3 = mixed(s3, s0, s1, s2) ^ (w[k + 3] as number);
      s0 = t0;
      s1 = t1;
      s2 = t2;
    }
    output[0] = substituted(s0, s1, s2, s3) ^ (w[last] as number);
    output[1] = substituted(s1, s2, s3, s0) ^ (w[last + 1] as number);
    output[2] = substituted(s2, s3, s0, s1) ^ (w[last + 2] as number);
    output[3] = substituted(s3, s0, s1, s2) ^ (w[last + 3] as number);
  }

  wipe(): void {
    const w = this.#roundKeys;
    if (w === undefined) return;
    this.#roundKeys = undefined;
    spare.giveBack(w);
  }
}
