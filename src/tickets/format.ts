/**
 * What a ticket looks like on the wire. To the client it is opaque (RFC 5077 §4, RFC 8446 §4.6.1); to its server it
 * begins, in every format here, with the 16 bytes that name the key under which the rest was sealed.
 */

import type { RandomBytes } from '../crypto/provider.ts';

export const KEY_NAME_LENGTH = 16;

/** What OpenSSL seals at most, too: with any overhead here it fits a PSK identity (RFC 8446 §4.2.11). */
export const MAX_TICKET_PLAINTEXT = 0xff00;

/** `opaque ticket<1..2^16-1>` */
export const MAX_TICKET_LENGTH = 0xffff;

/** `bad-mac` also where what was authentic does not decrypt: a peer must not be able to tell these apart. */
export type TicketFailure = 'malformed' | 'bad-mac';

/** A format under any key. */
export interface TicketFormat {
  readonly name: string;
  /** Bytes of the secret part of a key. */
  readonly secretLength: number;
  /** Sets up a key: name and secret are copied. Lengths are those above; {@link TicketKey} sees to it. */
  cipher(keyName: Uint8Array, secret: Uint8Array): TicketCipher;
}

/** A format under one key. */
export interface TicketCipher {
  /** A ticket, key name in front. @throws RangeError where `randomBytes` returns fewer bytes than it was asked for */
  seal(plaintext: Uint8Array, randomBytes: RandomBytes): Uint8Array;
  /**
   * The plaintext, the caller's to wipe. The key name has been compared before; it is authenticated here. Lengths are
   * checked before anything is computed, the MAC before anything is decrypted. Never throws.
   */
  open(ticket: Uint8Array): Uint8Array | TicketFailure;
  /** Overwrites the secret. */
  wipe(): void;
}

/** Fewer random bytes than asked for would be a nonce that repeats, or a key that can be guessed. @throws RangeError */
export function draw(randomBytes: RandomBytes, length: number): Uint8Array {
  const bytes = randomBytes(length);
  if (bytes.length !== length) throw new RangeError(`randomBytes(${length}) returned ${bytes.length} bytes`);
  return bytes;
}
