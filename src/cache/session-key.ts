/**
 * What a session is found under, its version and id, as words: to hash and compare them takes no look at the session itself, which
 * among a million is far from the processor. TLS 1.2 and 1.3 have ids of their own, as in OpenSSL.
 */

import { platform } from '../platform.ts';
import type { Version } from '../wire/registry.ts';

/** Of ids of up to 32 bytes. */
const ID_WORDS = 8;
/** One more for version and length of the id. */
export const KEY_WORDS = ID_WORDS + 1;

const FINAL_ROUNDS = 3;

/** Of a key, {@link KEY_WORDS} words; a signed 32-bit integer. */
export type KeyHash = (key: Int32Array) => number;

/** Writes the key of an id of at most 32 bytes. */
export function writeKey(key: Int32Array, version: Version, id: Uint8Array): void {
  const whole = id.length >> 2;
  for (let i = 0; i < whole; i++) key[i] = wordAt(id, 4 * i);
  for (let i = whole; i < ID_WORDS; i++) key[i] = 0;
  for (let at = 4 * whole; at < id.length; at++) {
    key[whole] = (key[whole] as number) | ((id[at] as number) << (8 * (at & 3)));
  }
  key[ID_WORDS] = 2 * id.length + (version === 'TLSv1.3' ? 1 : 0);
}

function wordAt(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  );
}

/** Under a seed that nobody knows: an application may make ids of what clients send, who could otherwise make many collide. */
export function randomKeyHash(): KeyHash {
  const seed = new Int32Array(2);
  platform.crypto.getRandomValues(new Uint8Array(seed.buffer));
  const [low = 0, high = 0] = seed;
  return seededKeyHash(low, high);
}

/** HalfSipHash-1-3 of the words; its block for the length is left out, as all keys have the same. */
export function seededKeyHash(low: number, high: number): KeyHash {
  return (key) => {
    let v0 = low;
    let v1 = high;
    let v2 = low ^ 0x6c796765;
    let v3 = high ^ 0x74656462;
    for (let i = 0; i < KEY_WORDS + FINAL_ROUNDS; i++) {
      const word = i < KEY_WORDS ? (key[i] as number) : 0;
      if (i === KEY_WORDS) v2 ^= 0xff;
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
    }
    return v1 ^ v3;
  };
}

function rotated(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}
