/**
 * The hash that sessions are found under: HalfSipHash-1-3, keyed, as an application may make ids of what clients send
 * (`generateId`), and without the key nobody can make many that collide.
 */

import { platform } from '../platform.ts';
import type { Version } from '../wire/registry.ts';

/** A signed 32-bit integer. */
export type IdHash = (version: Version, id: Uint8Array) => number;

const FINAL_ROUNDS = 3;

/** With a key that nobody knows. */
export function randomIdHash(): IdHash {
  const bytes = new Uint8Array(8);
  platform.crypto.getRandomValues(bytes);
  const [low = 0, high = 0] = new Int32Array(bytes.buffer);
  return keyedIdHash(low, high);
}

export function keyedIdHash(low: number, high: number): IdHash {
  return (version, id) => {
    const words = id.length >> 2;
    const last = tailOf(id) | (id.length << 24) | (version === 'TLSv1.3' ? 1 << 31 : 0); // lengths are less than 2^7
    let v0 = low;
    let v1 = high;
    let v2 = low ^ 0x6c796765;
    let v3 = high ^ 0x74656462;
    for (let i = 0; i <= words + FINAL_ROUNDS; i++) {
      const word = i < words ? wordAt(id, 4 * i) : i === words ? last : 0;
      v3 ^= word;
      v0 = (v0 + v1) | 0;
      v1 = rotated(v1, 5) ^ v0;
      v2 = (v2 + v3) | 0;
      v3 = rotated(v3, 8) ^ v2;
      v0 = (rotated(v0, 16) + v3) | 0;
      v3 = rotated(v3, 7) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = rotated(v1, 13) ^ v2;
      v2 = rotated(v2, 16);
      v0 ^= word;
      if (i === words) v2 ^= 0xff;
    }
    return v1 ^ v3;
  };
}

function rotated(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

function wordAt(bytes: Uint8Array, at: number): number {
  const [b0, b1, b2, b3] = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]] as [number, number, number, number];
  return b0 | (b1 << 8) | (b2 << 16) | (b3 << 24);
}

/** What is left behind whole words. */
function tailOf(bytes: Uint8Array): number {
  let tail = 0;
  for (let at = bytes.length & ~3; at < bytes.length; at++) tail |= (bytes[at] as number) << (8 * (at & 3));
  return tail;
}
