/**
 * Time and randomness. All that this library draws comes from the world that it is given: randoms, ids, key shares, ticket keys and
 * their nonces, the seed of the cache. So does every time that a connection, a cache or a ring of keys judges by. With both injected,
 * a connection that uses nothing else can be replayed byte for byte.
 *
 * What others draw does not come from here: the host's Web Crypto when it makes keys or signs with ECDSA or RSA-PSS, `nodeCrypto`
 * when it signs with those, a signer or a key agreement of the user's. docs/runtimes.md has the table. Shells measure how long they
 * wait by the host's timers.
 */

import { isBytes, platform } from './platform.ts';

/** The clock and the source of randomness of a server. What a host's own signer or key generator draws is not among it. */
export interface World {
  /** Milliseconds since the epoch. */
  now(): number;
  /**
   * Exactly `length` unpredictable bytes. `label` says what for, such as 'random': a world with a seed may keep dice for each. It is
   * absent where a provider draws.
   */
  randomBytes(length: number, label?: string): Uint8Array;
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

/** The host's clock and the generator of its Web Crypto. Drawing throws a {@link MissingGlobal} if the host has none. */
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

/** Returns the time of a world, in milliseconds. @throws TypeError for what is no time */
export function timeOf(world: Pick<World, 'now'>): number {
  const ms: unknown = world.now();
  if (typeof ms === 'number' && ms >= 0 && ms <= Number.MAX_SAFE_INTEGER) return ms;
  const given = typeof ms === 'number' ? ms : typeof ms;
  throw new TypeError(`world.now(): milliseconds since the epoch are wanted, not ${given}`);
}

/** The same in whole seconds. */
export function secondsOf(world: Pick<World, 'now'>): number {
  return Math.floor(timeOf(world) / 1000);
}

/**
 * Draws random bytes from a world.
 * @throws TypeError for what is no bytes; RangeError for another number of bytes, which could be too few for a key
 */
export function drawRandom(world: Pick<World, 'randomBytes'>, length: number, label?: string): Uint8Array {
  const bytes: unknown = world.randomBytes(length, label);
  if (!isBytes(bytes)) throw new TypeError(`world.randomBytes(${length}): a Uint8Array is wanted, not ${typeof bytes}`);
  if (bytes.length !== length) throw new RangeError(`world.randomBytes(${length}) returned ${bytes.length} bytes`);
  return bytes;
}
