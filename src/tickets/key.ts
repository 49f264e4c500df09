/** A ticket key (STEK): a name, a secret, the format it is used in, and a count of what it has sealed. */

import type { RandomBytes } from '../crypto/provider.ts';
import { symmetric } from '../crypto/providers/symmetric.ts';
import { copyOf, equalConstantTime, toHex, wipe } from '../wire/bytes.ts';
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

export interface TicketKeyOptions {
  /**
   * The share of the key's 2^32 tickets that this process may seal: 2^-32 to 1, which is the default. Of 20
   * processes that have the same key each may have 1/20.
   */
  readonly share?: number | undefined;
  /** Where its tickets are counted; by default with all of this process. */
  readonly counts?: SealCounts | undefined;
}

/** Why there is no ticket. */
export type NoTicket = 'no-key' | 'exhausted' | 'too-large';

/**
 * It belongs to whoever made it or to the ring that it was given to, and is destroyed by its owner. A destroyed key
 * opens and seals nothing, and says so without throwing: a handshake may have waited while it was destroyed.
 */
export class TicketKey {
  readonly format: TicketFormat;
  /** How many tickets this process may seal with it. */
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
   * Name and secret are copied; wipe yours. @throws RangeError where a length or the share is wrong
   * @throws WeakTicketKeyError where the key can be guessed
   */
  constructor(format: TicketFormat, name: Uint8Array, secret: Uint8Array, options: TicketKeyOptions = {}) {
    const { share = 1, counts = processSealCounts } = options;
    requireLength('the name of a ticket key', name, KEY_NAME_LENGTH);
    requireLength(`the secret of a key for ${format.name}`, secret, format.secretLength);
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
   * A random key under a random name, which tells nothing of it. @throws RangeError or WeakTicketKeyError where
   * `randomBytes` does not do what it is for
   */
  static generate(format: TicketFormat, randomBytes: RandomBytes, options?: TicketKeyOptions): TicketKey {
    const name = draw(randomBytes, KEY_NAME_LENGTH);
    const secret = draw(randomBytes, format.secretLength);
    try {
      return new TicketKey(format, name, secret, options);
    } finally {
      wipe(secret);
    }
  }

  /** 16 bytes, a copy. Public: it stands in front of each of its tickets. */
  get name(): Uint8Array {
    return copyOf(this.#name);
  }

  get isDestroyed(): boolean {
    return this.#isDestroyed;
  }

  /** Tickets that this process has sealed with it. */
  get sealed(): number {
    return this.#counts.of(this.#fingerprint);
  }

  /** Whether it can still seal: neither destroyed nor worn out. */
  get canSeal(): boolean {
    return !this.#isDestroyed && this.sealed < this.limit;
  }

  hasName(name: Uint8Array): boolean {
    return equalConstantTime(this.#name, name);
  }

  /** Whether both have the same secret, whatever their names. */
  isSameAs(other: TicketKey): boolean {
    return this.#fingerprint === other.#fingerprint;
  }

  /** A ticket. @throws RangeError where `randomBytes` returns fewer bytes than it was asked for */
  seal(plaintext: Uint8Array, randomBytes: RandomBytes): Uint8Array | NoTicket {
    if (this.#isDestroyed) return 'no-key';
    if (plaintext.length > MAX_TICKET_PLAINTEXT) return 'too-large';
    if (!this.#counts.take(this.#fingerprint, this.limit)) return 'exhausted';
    return this.#cipher.seal(plaintext, randomBytes);
  }

  /** The plaintext of a ticket with this key's name; it is the caller's to wipe. */
  open(ticket: Uint8Array): Uint8Array | TicketFailure | 'unknown-key' {
    return this.#isDestroyed ? 'unknown-key' : this.#cipher.open(ticket);
  }

  /** A copy of the secret, the caller's to wipe: for those who write key files. @throws Error where it is destroyed */
  exportSecret(): Uint8Array {
    if (this.#isDestroyed) throw new Error('this ticket key is destroyed');
    return copyOf(this.#secret);
  }

  /** Overwrites the secret. */
  destroy(): void {
    this.#isDestroyed = true;
    this.#cipher.wipe();
    wipe(this.#secret);
  }

  /** For logs: no secret in it. */
  toJSON(): Record<string, unknown> {
    return { name: this.hexName, format: this.format.name, sealed: this.sealed, isDestroyed: this.#isDestroyed };
  }
}

function requireLength(what: string, bytes: Uint8Array, length: number): void {
  if (bytes.length !== length) throw new RangeError(`${what} has ${bytes.length} bytes; ${length} are wanted`);
}
