/** What AES-GCM is made over: a cipher of blocks of 16 bytes, as four big-endian words, in one direction. */

export interface BlockCipher {
  /** Sets up a key, 16 or 32 bytes, which are copied. */
  key(key: Uint8Array): BlockKey;
}

export interface BlockKey {
  /** The encrypted block goes to `output`. */
  encrypt(w0: number, w1: number, w2: number, w3: number, output: Int32Array): void;
  wipe(): void;
}
