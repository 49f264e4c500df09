/**
 * Ticket formats. A ticket is opaque to the client (RFC 5077 §4, RFC 9846 §4.7.1). In every format here it begins with the 16
 * bytes that name the key that sealed the rest.
 */

import type { RandomBytes } from '../crypto/provider.ts';

export const KEY_NAME_LENGTH = 16;

/** OpenSSL's limit too. With the overhead of any format here a ticket fits a PSK identity (RFC 9846 §4.3.11). */
export const MAX_TICKET_PLAINTEXT = 0xff00;

/** `opaque ticket<1..2^16-1>` */
export const MAX_TICKET_LENGTH = 0xffff;

/** `bad-mac` includes authentic tickets that do not decrypt: a peer must not be able to tell the two apart. */
export type TicketFailure = 'malformed' | 'bad-mac';

/** A ticket format. */
export interface TicketFormat {
  readonly name: string;
  /** The length of a key's secret, in bytes. */
  readonly secretLength: number;
  /** Sets up a key, and copies name and secret. {@link TicketKey} has checked their lengths. */
  cipher(keyName: Uint8Array, secret: Uint8Array): TicketCipher;
}

/** A ticket format with a key. */
export interface TicketCipher {
  /** Returns a ticket, which begins with the key name. @throws RangeError if `randomBytes` returns too few bytes */
  seal(plaintext: Uint8Array, randomBytes: RandomBytes): Uint8Array;
  /**
   * Returns the plaintext, which the caller wipes. The caller has compared the key name; this authenticates it. Checks
   * lengths before it computes anything, and the MAC before it decrypts. Never throws.
   */
  open(ticket: Uint8Array): Uint8Array | TicketFailure;
  /** Overwrites the secret. */
  wipe(): void;
}

/** Draws random bytes. @throws RangeError if there are too few: nonces would repeat, or keys could be guessed */
export function draw(randomBytes: RandomBytes, length: number): Uint8Array {
  const bytes = randomBytes(length);
  if (bytes.length !== length) throw new RangeError(`randomBytes(${length}) returned ${bytes.length} bytes`);
  return bytes;
}
