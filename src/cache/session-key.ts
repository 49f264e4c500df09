/**
 * The key of a session in the cache, its version and id, as words. Hashing and comparing keys does not read the session itself,
 * which is rarely in the processor's caches if there are a million. As in OpenSSL, TLS 1.2 and 1.3 have separate ids.
 */

import type { Version } from '../wire/registry.ts';
import { drawRandom, type World } from '../world.ts';

/** For ids of up to 32 bytes. */
const ID_WORDS = 8;
/** The words of a key: the id, and one word for version and length. */
export const KEY_WORDS = ID_WORDS + 1;

const FINAL_ROUNDS = 3;

/** Hashes a key of {@link KEY_WORDS} words to a signed 32-bit integer. */
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

/** The length of the seed of a hash, in bytes. */
const SEED_LENGTH = 8;

/**
 * Returns a hash with a secret seed, which the world draws. An application may derive ids from data that clients send; without the
 * seed, clients could choose ids that collide.
 */
export function randomKeyHash(world: Pick<World, 'randomBytes'>): KeyHash {
  const seed = drawRandom(world, SEED_LENGTH, 'cache');
  return seededKeyHash(wordAt(seed, 0), wordAt(seed, 4));
}

/** HalfSipHash-1-3 of the words, without the block for the length, which is the same for all keys. */
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
