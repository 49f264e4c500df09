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

/**
 * Random bytes ahead of time: a call of the generator costs more than a key schedule, and each handshake wants some bytes a few
 * times. What has been handed out is overwritten here, so that nobody finds it a second time.
 */
class RandomPool {
  readonly #bytes = new Uint8Array(4096);
  #at = this.#bytes.length;

  draw(length: number): Uint8Array {
    if (length > this.#bytes.length - this.#at) this.#fill();
    const drawn = this.#bytes.slice(this.#at, this.#at + length);
    this.#bytes.fill(0, this.#at, this.#at + length);
    this.#at += length;
    return drawn;
  }

  #fill(): void {
    platform.crypto.getRandomValues(this.#bytes);
    this.#at = 0;
  }
}

const pool = new RandomPool();
/** More at once is drawn by itself. */
const MAX_DRAWN = 256;

/** The host's clock and its Web Crypto generator, which every supported runtime has. */
export const systemWorld: World = {
  now: () => Date.now(),
  randomBytes: (length) => {
    if (length <= MAX_DRAWN) return pool.draw(length);
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
