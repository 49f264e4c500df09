/** The compression function of @noble/hashes' SHA-256, which is accessible to subclasses only. */

import { _SHA256 } from '@noble/hashes/sha2.js';
import type { Compress } from './sha256.ts';

class Compression extends _SHA256 {
  /** Replaces `state` by the state after the block, and clears its own copies. */
  run(state: Int32Array, words: Int32Array): void {
    const { view } = this;
    for (let i = 0; i < 16; i++) view.setInt32(4 * i, words[i] as number);
    this.A = state[0] as number;
    this.B = state[1] as number;
    this.C = state[2] as number;
    this.D = state[3] as number;
    this.E = state[4] as number;
    this.F = state[5] as number;
    this.G = state[6] as number;
    this.H = state[7] as number;
    this.process(view, 0);
    state[0] = this.A;
    state[1] = this.B;
    state[2] = this.C;
    state[3] = this.D;
    state[4] = this.E;
    state[5] = this.F;
    state[6] = this.G;
    state[7] = this.H;
    this.set(0, 0, 0, 0, 0, 0, 0, 0);
    this.roundClean();
    this.buffer.fill(0);
  }
}

const compression = new Compression();

export const nobleCompress: Compress = (state, block) => compression.run(state, block);
