/**
 * HkdfLabel (RFC 8446 §7.1) as HKDF-Expand (RFC 5869 §2.3) wants it. A handshake needs some twenty, of which nothing changes
 * but a transcript hash; so they are encoded ahead of time, and one that gives no more than the hash is one HMAC.
 */

import { ascii, concat, copyRange } from '../wire/bytes.ts';
import { encode, opaque, struct, uint16 } from '../wire/codec.ts';
import type { HmacKey } from './provider.ts';

/** `struct { uint16 length; opaque label<7..255>; opaque context<0..255>; } HkdfLabel;` */
const HkdfLabel = struct({ length: uint16, label: opaque(7, 255), context: opaque(0, 255) });

/** @throws RangeError where the struct does not hold label or context */
export function hkdfLabel(label: string, context: Uint8Array, length: number): Uint8Array {
  return encode(HkdfLabel, { length, label: ascii(`tls13 ${label}`), context });
}

/** The label of an output that is no longer than the hash, for a context whose length is known. */
export class Label {
  /** Of the output, in bytes. */
  readonly length: number;
  /** HkdfLabel, and the number of the first block, which is the only one. */
  readonly #info: Uint8Array;
  readonly #contextAt: number;

  constructor(label: string, length: number, context: Uint8Array) {
    this.length = length;
    this.#info = concat(hkdfLabel(label, context, length), Uint8Array.of(1));
    this.#contextAt = this.#info.length - 1 - context.length;
  }

  /** HKDF-Expand-Label. Without `context`, with that of the last time. */
  expand(key: HmacKey, context?: Uint8Array): Uint8Array {
    if (context !== undefined) this.#info.set(context, this.#contextAt);
    const block = key.sign(this.#info);
    if (this.length === block.length) return block;
    const output = copyRange(block, 0, this.length);
    block.fill(0);
    return output;
  }
}
