/** A world of which everything is known: a clock with hands, and dice with a seed. */

import { sha256 } from '@noble/hashes/sha2.js';
import { concat, utf8 } from '../wire/bytes.ts';
import { encode, opaque, struct, uint32 } from '../wire/codec.ts';
import { kindOf } from '../wire/kind-of.ts';
import { requireOptions } from '../wire/options.ts';
import type { World } from '../world.ts';

/** The options of {@link seededWorld}. */
export interface SeededWorldOptions {
  /** Where the clock begins, in milliseconds since the epoch. Default 2026-01-01T00:00:00Z. */
  readonly now?: number | undefined;
}

/** The hands of a clock that any number of worlds share. */
interface Hands {
  now: number;
}

/** A draw: its label, how many there were under that label, and the block of 32 bytes. */
const Draw = struct({ label: opaque(0, 0xffff), serial: uint32, block: uint32 });

/**
 * A world that draws the same bytes whenever it has the same seed. Draws under one label do not shift those under another: the
 * connection of one more ticket has the same randoms as ever. The bytes are SHA-256 of the seed, the label and a count, and no secret.
 */
export class SeededWorld implements World {
  readonly #key: Uint8Array;
  readonly #hands: Hands;
  readonly #serials = new Map<string, number>();

  /** @internal */
  constructor(key: Uint8Array, hands: Hands) {
    this.#key = key;
    this.#hands = hands;
  }

  /** Milliseconds since the epoch. */
  now(): number {
    return this.#hands.now;
  }

  /** Moves the clock by so many milliseconds, back if they are negative. @throws RangeError for what leads to no time */
  advance(ms: number): void {
    this.set(this.#hands.now + ms);
  }

  /** Sets the clock, in milliseconds since the epoch. @throws RangeError for no time */
  set(ms: number): void {
    this.#hands.now = requireTime('set(ms)', ms);
  }

  /** Returns the next `length` bytes of the dice for `label`. */
  randomBytes(length: number, label = ''): Uint8Array {
    const serial = this.#serials.get(label) ?? 0;
    this.#serials.set(label, serial + 1);
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length; at += 32) {
      const draw = encode(Draw, { label: utf8(label), serial, block: at / 32 });
      bytes.set(sha256(concat(this.#key, draw)).subarray(0, length - at), at);
    }
    return bytes;
  }

  /** Returns a world with the same clock, and dice of its own: the same label gives the same dice, whatever was drawn before. */
  fork(label: string): SeededWorld {
    return new SeededWorld(sha256(concat(this.#key, utf8(`fork ${label}`))), this.#hands);
  }
}

/**
 * Returns a world with a clock that stands still until it is moved.
 * @param seed a text, or bytes of any length
 * @throws TypeError for another seed; RangeError for no time
 */
export function seededWorld(seed: string | Uint8Array, options: SeededWorldOptions = {}): SeededWorld {
  requireOptions('options', options, { now: true });
  const isText = typeof seed === 'string';
  if (!isText && !(seed instanceof Uint8Array))
    throw new TypeError(`seed: a text or a Uint8Array is wanted, not ${kindOf(seed)}`);
  const now = requireTime('now', options.now ?? Date.UTC(2026, 0, 1));
  const bytes = isText ? concat(Uint8Array.of(0), utf8(seed)) : concat(Uint8Array.of(1), seed); // no text is the same seed as bytes
  return new SeededWorld(sha256(bytes), { now });
}

function requireTime(name: string, ms: number): number {
  if (typeof ms === 'number' && ms >= 0 && ms <= Number.MAX_SAFE_INTEGER) return ms;
  throw new RangeError(`${name}: milliseconds since the epoch are wanted, not ${ms}`);
}
