/**
 * @noble's hash functions with their states kept: a fast path. A handshake is some thirty HMACs of less than a block each, and
 * @noble makes four states of several arrays for one of them. Here a key is two states (RFC 2104 §4: those behind key xor
 * ipad and key xor opad), lent from a pool, and all that is computed goes on in one worker. That worker is busy within a
 * call and never between two.
 */

import type { CHash, Hash as NobleHash } from '@noble/hashes/utils.js';
import type { Hash, HashName, HmacKey, RunningHash } from '../provider.ts';

const MAX_SPARE = 128;
const IPAD = 0x36;
const OPAD = 0x5c;

/** What all states of one hash function share. */
interface Pool<T extends NobleHash<T>> {
  readonly length: number;
  readonly blockLength: number;
  /** Of no bytes. */
  readonly initial: T;
  readonly worker: T;
  /** Wiped. */
  readonly spare: T[];
  /** For key xor pad. */
  readonly block: Uint8Array;
}

/** The hash function `noble`. */
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

/** What `state` becomes with `message`; itself it stays as it is. */
function digestOf<T extends NobleHash<T>>({ worker, length }: Pool<T>, state: T, message: Uint8Array | undefined) {
  const output = new Uint8Array(length);
  state._cloneInto(worker);
  if (message !== undefined) worker.update(message);
  worker.digestInto(output);
  worker.destroy(); // wipes it; to be cloned into again is all it is there for
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
    block.fill(0);
    block.set(short);
    this.#inner = padded(pool, IPAD);
    this.#outer = padded(pool, IPAD ^ OPAD); // of the block that is xor ipad by now
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

/** The state behind the block xor `pad`, which the block becomes. */
function padded<T extends NobleHash<T>>({ initial, spare, block }: Pool<T>, pad: number): T {
  for (let i = 0; i < block.length; i++) block[i] = (block[i] as number) ^ pad;
  return initial._cloneInto(spare.pop()).update(block);
}

function giveBack<T extends NobleHash<T>>({ spare }: Pool<T>, state: T | undefined): void {
  state?.destroy();
  if (state !== undefined && spare.length < MAX_SPARE) spare.push(state);
}
