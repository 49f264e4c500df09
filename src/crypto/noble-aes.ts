/** The AES block of @noble/ciphers, with its round keys kept. Its words are little-endian. */

import { unsafe } from '@noble/ciphers/aes.js';
import type { BlockCipher, BlockKey } from './block-cipher.ts';

const { encrypt, expandKeyLE } = unsafe;
type RoundKeys = ReturnType<typeof expandKeyLE>;

/** Noble reads a key as words of its buffer; of a short array of its own there is none yet, and making it takes longer than the key schedule. */
const KEY_128 = new Uint8Array(new ArrayBuffer(16));
const KEY_256 = new Uint8Array(new ArrayBuffer(32));

class NobleAesKey implements BlockKey {
  readonly #roundKeys: RoundKeys;

  constructor(key: Uint8Array) {
    const words = key.length === 16 ? KEY_128 : KEY_256;
    words.set(key);
    this.#roundKeys = expandKeyLE(words);
    words.fill(0);
  }

  encrypt(w0: number, w1: number, w2: number, w3: number, output: Int32Array): void {
    const { s0, s1, s2, s3 } = encrypt(this.#roundKeys, swap(w0), swap(w1), swap(w2), swap(w3));
    output[0] = swap(s0);
    output[1] = swap(s1);
    output[2] = swap(s2);
    output[3] = swap(s3);
  }

  wipe(): void {
    this.#roundKeys.fill(0);
  }
}

/** The same word with its bytes the other way round. */
function swap(value: number): number {
  return (value << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24);
}

export const nobleAes: BlockCipher = { key: (key) => new NobleAesKey(key) };
