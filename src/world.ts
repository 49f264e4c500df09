/** All that a connection knows of the outside: the time and the dice. Inject both and a connection can be replayed. */

import { platform } from './platform.ts';

export interface World {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Exactly `length` unpredictable bytes. */
  randomBytes(length: number): Uint8Array;
}

/** Web Crypto fills at most this many bytes a call. */
const MAX_RANDOM = 65536;

/** The host's clock and its Web Crypto generator, which every supported runtime has. */
export const systemWorld: World = {
  now: () => Date.now(),
  randomBytes: (length) => {
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length; at += MAX_RANDOM) {
      platform.crypto.getRandomValues(bytes.subarray(at, Math.min(length, at + MAX_RANDOM)));
    }
    return bytes;
  },
};

/** The world's dice, thrown with care: fewer bytes than asked for would be fewer than a key needs. @throws RangeError */
export function drawRandom(world: World, length: number): Uint8Array {
  const bytes = world.randomBytes(length);
  if (bytes.length !== length) throw new RangeError(`world.randomBytes(${length}) returned ${bytes.length} bytes`);
  return bytes;
}
