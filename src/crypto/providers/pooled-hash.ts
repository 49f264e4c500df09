/**
 * @noble's hash functions with pooled states: a fast path. A handshake computes about thirty HMACs of less than a block, and @noble
 * makes four states of several arrays for each. Here a key is two states from a pool (RFC 2104 §4: those after key XOR ipad and
 * key XOR opad), and one worker state does all computations. The worker is in use within a call only, never between calls.
 */

import type { CHash, Hash as NobleHash } from '@noble/hashes/utils.js';
import type { Hash, HashName, HmacKey, RunningHash } from '../provider.ts';

const MAX_SPARE = 128;
const IPAD = 0x36;
const OPAD = 0x5c;

/** The states of one hash function. */
interface Pool<T extends NobleHash<T>> {
  readonly length: number;
  readonly blockLength: number;
  /** The state before any bytes. */
  readonly initial: T;
  readonly worker: T;
  /** Wiped states, for later keys. */
  readonly spare: T[];
  /** Room for key XOR pad. */
  readonly block: Uint8Array;
}

/** Returns the hash function `noble` with pooled states. */
export function pooledHash<T extends NobleHash<T>>(name: HashName, noble: CHash<T>): Hash {
  const pool: Pool<T> = {
    length: noble.outputLen,
    blockLength: noble.blockLen,
    initial: noble.create(),
    worker: noble.create(),
    spare: [],
    block: new Uint8Array(noble.blockLen),
  };
  return {
    name,
    length: pool.length,
    digest: (message) => digestOf(pool, pool.initial, message),
    start: () => new PooledRunningHash(pool),
    hmac: (key) => new PooledHmacKey(pool, key),
  };
}

/** Returns the digest of `state` after `message`. Does not change `state`. */
function digestOf<T extends NobleHash<T>>({ worker, length }: Pool<T>, state: T, message: Uint8Array | undefined) {
  const output = new Uint8Array(length);
  state._cloneInto(worker);
  if (message !== undefined) worker.update(message);
  worker.digestInto(output);
  worker.destroy(); // wipes it; it is only cloned into again
  return output;
}

class PooledRunningHash<T extends NobleHash<T>> implements RunningHash {
  readonly #pool: Pool<T>;
  readonly #state: T;

  constructor(pool: Pool<T>) {
    this.#pool = pool;
    this.#state = pool.initial._cloneInto();
  }

  update(message: Uint8Array): void {
    this.#state.update(message);
  }

  peek(ahead?: Uint8Array): Uint8Array {
    return digestOf(this.#pool, this.#state, ahead);
  }
}

class PooledHmacKey<T extends NobleHash<T>> implements HmacKey {
  readonly #pool: Pool<T>;
  #inner: T | undefined;
  #outer: T | undefined;

  constructor(pool: Pool<T>, key: Uint8Array) {
    this.#pool = pool;
    const { block, blockLength } = pool;
    const short = key.length > blockLength ? digestOf(pool, pool.initial, key) : key;
    block.set(short); // on zeros, as it is left
    this.#inner = padded(pool, IPAD);
    this.#outer = padded(pool, IPAD ^ OPAD); // the block is XOR ipad by now
    block.fill(0);
    if (short !== key) short.fill(0);
  }

  sign(...parts: readonly Uint8Array[]): Uint8Array {
    const { worker, length } = this.#pool;
    if (this.#inner === undefined || this.#outer === undefined) throw new Error('this key has been wiped');
    const tag = new Uint8Array(length);
    this.#inner._cloneInto(worker);
    for (let i = 0; i < parts.length; i++) worker.update(parts[i] as Uint8Array);
    worker.digestInto(tag);
    this.#outer._cloneInto(worker);
    worker.update(tag).digestInto(tag);
    worker.destroy();
    return tag;
  }

  wipe(): void {
    giveBack(this.#pool, this.#inner);
    giveBack(this.#pool, this.#outer);
    this.#inner = undefined;
    this.#outer = undefined;
  }
}

/** XORs `pad` into the block, and returns the state after it. */
function padded<T extends NobleHash<T>>({ initial, spare, block }: Pool<T>, pad: number): T {
  for (let i = 0; i < block.length; i++) block[i] = (block[i] as number) ^ pad;
  return initial._cloneInto(spare.pop()).update(block);
}

function giveBack<T extends NobleHash<T>>({ spare }: Pool<T>, state: T | undefined): void {
  state?.destroy();
  if (state !== undefined && spare.length < MAX_SPARE) spare.push(state);
}
