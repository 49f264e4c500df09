/** Providers that have to give the same bytes, tried with random inputs. Everything follows from the seed, so a failure can be had again. */

import type { AeadKey, AeadName, CryptoProvider, HashName } from '../../src/crypto/provider.ts';
import { openInPlace, sealInPlace } from '../../src/crypto/provider.ts';
import { concat } from '../../src/wire/bytes.ts';

/** A small generator of 32 bits a step ("mulberry32"): nothing for cryptography, but the same everywhere. */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }

  below(bound: number): number {
    return this.next() % bound;
  }

  bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let i = 0; i < length; i += 4) {
      const word = this.next();
      for (let j = 0; j < 4 && i + j < length; j++) bytes[i + j] = word >>> (8 * j);
    }
    // Bytes that a carry or a sign may trip over, now and then.
    return this.below(16) === 0 ? bytes.fill(this.below(2) === 0 ? 0 : 0xff) : bytes;
  }

  /** Mostly of a block or two, and around the ends of blocks; seldom of some thousand bytes. */
  length(): number {
    const kind = this.below(64);
    if (kind === 0) return this.below(6000);
    return kind < 16 ? 64 * this.below(4) + (EDGES[this.below(EDGES.length)] as number) : this.below(140);
  }
}

const EDGES = [0, 1, 15, 16, 17, 31, 32, 33, 55, 56, 57, 63] as const;

/** One input: what a provider makes of it, in hexadecimal. From the reference that is asked for once, in the plainest way. */
type Run = (provider: CryptoProvider, isReference: boolean) => string;

const toHex = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');

function hashRun(dice: Dice): Run {
  const name: HashName = dice.below(4) === 0 ? 'sha384' : 'sha256';
  const parts = Array.from({ length: 1 + dice.below(4) }, () => dice.bytes(dice.length()));
  const ahead = dice.bytes(dice.length());
  return ({ hashes }) => {
    const running = hashes[name].start();
    const seen = parts.map((part) => {
      running.update(part);
      return toHex(running.peek());
    });
    return [...seen, toHex(running.peek(ahead)), toHex(running.peek()), toHex(hashes[name].digest(ahead))].join();
  };
}

function hmacRun(dice: Dice): Run {
  const name: HashName = dice.below(4) === 0 ? 'sha384' : 'sha256';
  const key = dice.bytes(dice.below(3) === 0 ? dice.length() : 32);
  const messages = Array.from({ length: 1 + dice.below(3) }, () =>
    Array.from({ length: dice.below(4) }, () => dice.bytes(dice.length())),
  );
  return ({ hashes }) => {
    const keyed = hashes[name].hmac(key);
    const tags = messages.map((parts) => toHex(keyed.sign(...parts)));
    keyed.wipe();
    return tags.join();
  };
}

interface Sealing {
  readonly nonce: Uint8Array;
  readonly data: Uint8Array;
  readonly text: Uint8Array;
  /** Where a bit is turned over, of the tag and everything before it. */
  readonly damage: number;
  readonly offset: number;
}

function aeadRun(dice: Dice): Run {
  const name: AeadName = dice.below(2) === 0 ? 'aes-128-gcm' : 'aes-256-gcm';
  const key = dice.bytes(name === 'aes-128-gcm' ? 16 : 32);
  const sealings = Array.from({ length: 1 + dice.below(2) }, (): Sealing => {
    const text = dice.bytes(dice.length());
    const [data, damage] = [dice.bytes(dice.below(40)), dice.below(text.length + 16)];
    return { nonce: dice.bytes(12), data, text, damage, offset: dice.below(20) };
  });
  return ({ aeads }, isReference) => {
    const aeadKey = aeads[name].key(key);
    const results = sealings.map((sealing) => (isReference ? seal : sealAndOpen)(aeadKey, sealing));
    aeadKey.wipe();
    return results.join();
  };
}

const seal = (key: AeadKey, { nonce, data, text }: Sealing): string => toHex(key.seal(nonce, data, text));

/** All that can be done with one text; the same whichever way it goes. @throws Error where it is not */
function sealAndOpen(key: AeadKey, { nonce, data, text, damage, offset }: Sealing): string {
  const sealed = key.seal(nonce, data, text);
  const [start, end] = [offset, offset + text.length];
  const buffer = concat(new Uint8Array(offset), text, new Uint8Array(16 + 3));
  sealInPlace(key, nonce, data, buffer, start, end);
  const expected = concat(new Uint8Array(offset), sealed, new Uint8Array(3));
  if (toHex(buffer) !== toHex(expected)) throw new Error('sealed otherwise in place');
  flip(buffer, offset + damage);
  const damaged = toHex(buffer);
  const isOpened = openInPlace(key, nonce, data, buffer, start, end + 16);
  if (isOpened || toHex(buffer) !== damaged) throw new Error('a damaged text was opened in place, or touched');
  if (key.open(nonce, data, buffer.subarray(start, end + 16)) !== undefined)
    throw new Error('a damaged text was opened');
  flip(buffer, offset + damage);
  if (!openInPlace(key, nonce, data, buffer, start, end + 16)) throw new Error('not opened in place');
  const opened = key.open(nonce, data, sealed);
  if (opened === undefined || toHex(opened) !== toHex(buffer.subarray(start, end))) throw new Error('opened otherwise');
  if (toHex(opened) !== toHex(text)) throw new Error('not what was sealed');
  return toHex(sealed);
}

function flip(buffer: Uint8Array, at: number): void {
  buffer[at] = (buffer[at] as number) ^ 4;
}

const RUNS = [hashRun, hmacRun, aeadRun] as const;

/** @throws Error for the first of `count` inputs for which a candidate gives anything but what the reference does */
export function compareProviders(
  reference: CryptoProvider,
  candidates: Readonly<Record<string, CryptoProvider>>,
  count: number,
  seed: number,
): void {
  const dice = new Dice(seed);
  for (let i = 0; i < count; i++) {
    const run = (RUNS[i % RUNS.length] as (typeof RUNS)[number])(dice);
    const expected = run(reference, true);
    for (const [name, candidate] of Object.entries(candidates)) {
      const actual = run(candidate, false);
      if (actual !== expected) throw new Error(`${name}, seed ${seed}, input ${i}: ${actual} is not ${expected}`);
    }
  }
}
