/** A ticket key (STEK): a name, a secret, the format it is used in, and a count of what it has sealed. */

import type { RandomBytes } from '../crypto/provider.ts';
import { symmetric } from '../crypto/providers/symmetric.ts';
import { copyOf, equalConstantTime, toHex, wipe } from '../wire/bytes.ts';
import { kindOf, requireBytes } from '../wire/kind-of.ts';
import { type Names, requireNumber, requireOptions, wrongKind } from '../wire/options.ts';
import {
  draw,
  KEY_NAME_LENGTH,
  MAX_TICKET_PLAINTEXT,
  type TicketCipher,
  type TicketFailure,
  type TicketFormat,
} from './format.ts';
import { WeakTicketKeyError, weaknessOf } from './key-strength.ts';
import { MAX_SEALS, processSealCounts, type SealCounts } from './seal-counts.ts';

/** The options of a {@link TicketKey}. */
export interface TicketKeyOptions {
  /**
   * The share of the key's 2^32 tickets that this process may seal, from 2^-32 to 1. Default: 1. If 20 processes have the
   * same key, give each 1/20.
   */
  readonly share?: number | undefined;
  /** Counts the tickets that the key seals. Default: one count for each key in this process. */
  readonly counts?: SealCounts | undefined;
}

const OPTIONS = { share: true, counts: true } satisfies Names<TicketKeyOptions>;

/** Why a key sealed no ticket. */
export type NotSealed = 'no-key' | 'exhausted' | 'too-large';

/**
 * A key that seals and opens tickets. It belongs to the caller that makes it, or to the ring that it is given to; the owner
 * destroys it. A destroyed key opens and seals nothing, and reports that without throwing, since a key may be destroyed
 * while a handshake waits.
 */
export class TicketKey {
  readonly format: TicketFormat;
  /** The number of tickets that this process may seal with it. */
  readonly limit: number;
  /** {@link name} in hexadecimal. */
  readonly hexName: string;
  readonly #name: Uint8Array;
  readonly #secret: Uint8Array;
  readonly #cipher: TicketCipher;
  readonly #counts: SealCounts;
  readonly #fingerprint: string;
  #isDestroyed = false;

  /**
   * Copies name and secret; the caller should wipe its own. @throws RangeError if a length or the share is out of range
   * @throws WeakTicketKeyError if the key can be guessed
   */
  constructor(format: TicketFormat, name: Uint8Array, secret: Uint8Array, options: TicketKeyOptions = {}) {
    requireOptions('options', options, OPTIONS);
    const { share = 1, counts = processSealCounts } = options;
    requireFormat(format);
    requireLength('the name of a ticket key', name, KEY_NAME_LENGTH);
    requireLength(`the secret of a key for ${format.name}`, secret, format.secretLength);
    requireNumber('share', share);
    if (typeof counts.take !== 'function') throw wrongKind('counts', 'a SealCounts', counts);
    if (!(share * MAX_SEALS >= 1 && share <= 1)) throw new RangeError(`share is ${share}; 2^-32 to 1 is possible`);
    const weakness = weaknessOf(name, secret);
    if (weakness !== undefined) throw new WeakTicketKeyError(`this ticket key is not random: ${weakness}`);
    this.format = format;
    this.limit = Math.floor(share * MAX_SEALS);
    this.hexName = toHex(name);
    this.#name = copyOf(name);
    this.#secret = copyOf(secret);
    this.#cipher = format.cipher(this.#name, this.#secret);
    this.#counts = counts;
    this.#fingerprint = toHex(symmetric.hashes.sha256.digest(secret));
  }

  /**
   * Returns a random key with a random name, which reveals nothing about it.
   * @throws RangeError or WeakTicketKeyError if `randomBytes` returns too few bytes, or bytes that are not random
   */
  static generate(format: TicketFormat, randomBytes: RandomBytes, options?: TicketKeyOptions): TicketKey {
    requireFormat(format);
    requireRandomBytes(randomBytes);
    const bytes: RandomBytes = (length) => requireBytes(`randomBytes(${length})`, randomBytes(length));
    const name = draw(bytes, KEY_NAME_LENGTH);
    const secret = draw(bytes, format.secretLength);
    try {
      return new TicketKey(format, name, secret, options);
    } finally {
      wipe(secret);
    }
  }

  /** The name, 16 bytes, a copy. It is public: each ticket of the key begins with it. */
  get name(): Uint8Array {
    return copyOf(this.#name);
  }

  get isDestroyed(): boolean {
    return this.#isDestroyed;
  }

  /** The number of tickets that this process has sealed with it. */
  get sealed(): number {
    return this.#counts.of(this.#fingerprint);
  }

  /** Whether it can seal: it is not destroyed and has not reached its limit. */
  get canSeal(): boolean {
    return !this.#isDestroyed && this.sealed < this.limit;
  }

  hasName(name: Uint8Array): boolean {
    return equalConstantTime(this.#name, requireBytes('name', name));
  }

  /** Reports whether both keys have the same secret. The names may differ. */
  isSameAs(other: TicketKey): boolean {
    return this.#fingerprint === other.#fingerprint;
  }

  /** Seals a ticket, or returns why not. @throws RangeError if `randomBytes` returns too few bytes */
  seal(plaintext: Uint8Array, randomBytes: RandomBytes): Uint8Array | NotSealed {
    requireBytes('plaintext', plaintext);
    requireRandomBytes(randomBytes);
    if (this.#isDestroyed) return 'no-key';
    if (plaintext.length > MAX_TICKET_PLAINTEXT) return 'too-large';
    if (!this.#counts.take(this.#fingerprint, this.limit)) return 'exhausted';
    return this.#cipher.seal(plaintext, randomBytes);
  }

  /** Opens a ticket that has this key's name. The caller wipes the plaintext. */
  open(ticket: Uint8Array): Uint8Array | TicketFailure | 'unknown-key' {
    requireBytes('ticket', ticket);
    return this.#isDestroyed ? 'unknown-key' : this.#cipher.open(ticket);
  }

  /** Returns a copy of the secret, for key files. The caller wipes it. @throws Error if the key is destroyed */
  exportSecret(): Uint8Array {
    if (this.#isDestroyed) throw new Error('this ticket key is destroyed');
    return copyOf(this.#secret);
  }

  /** Overwrites the secret. The key seals and opens nothing afterwards. */
  destroy(): void {
    this.#isDestroyed = true;
    this.#cipher.wipe();
    wipe(this.#secret);
  }

  /** A summary for logs, without secrets. */
  toJSON(): Record<string, unknown> {
    return { name: this.hexName, format: this.format.name, sealed: this.sealed, isDestroyed: this.#isDestroyed };
  }
}

/** @throws TypeError */
export function requireFormat(format: unknown): void {
  if (typeof format === 'object' && format !== null && 'secretLength' in format && 'cipher' in format) return;
  throw new TypeError(`format: a ticket format is wanted, aeadTickets or cbcTickets(32), not ${kindOf(format)}`);
}

function requireRandomBytes(randomBytes: unknown): void {
  if (typeof randomBytes !== 'function')
    throw wrongKind('randomBytes', 'a function', randomBytes, '; systemWorld.randomBytes is one');
}

function requireLength(what: string, bytes: Uint8Array, length: number): void {
  requireBytes(what, bytes);
  if (bytes.length !== length) throw new RangeError(`${what} has ${bytes.length} bytes; ${length} are wanted`);
}
