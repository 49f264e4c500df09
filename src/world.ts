/** Time and randomness, which are all that a connection knows of the outside: with both injected, it can be replayed. */

import { platform } from './platform.ts';

/** The clock and the source of randomness of a server. */
export interface World {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Exactly `length` unpredictable bytes. */
  randomBytes(length: number): Uint8Array;
}

/** Web Crypto fills at most this many bytes a call. */
const MAX_RANDOM = 65536;

/**
 * Draws random bytes ahead of time: a call of the generator costs more than a key schedule, and each handshake needs a few bytes
 * several times. Bytes that have been handed out are overwritten here, so that the pool does not reveal them.
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
/** The most bytes that one call takes from the pool. More are drawn from the generator. */
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

/** Draws random bytes from a world. @throws RangeError if the world returns another number of bytes, which could be too few for a key */
export function drawRandom(world: World, length: number): Uint8Array {
  const bytes = world.randomBytes(length);
  if (bytes.length !== length) throw new RangeError(`world.randomBytes(${length}) returned ${bytes.length} bytes`);
  return bytes;
}
