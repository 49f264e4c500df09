/**
 * HkdfLabel (RFC 9846 §7.1) as the info of HKDF-Expand (RFC 5869 §2.3). A handshake needs about twenty, and only the transcript hash
 * in them changes. They are therefore encoded ahead of time, and an output no longer than the hash takes one HMAC.
 */

import { ascii, concat, copyRange } from '../wire/bytes.ts';
import { encode, opaque, struct, uint16 } from '../wire/codec.ts';
import type { HmacKey } from './provider.ts';

/** `struct { uint16 length; opaque label<7..255>; opaque context<0..255>; } HkdfLabel;` */
const HkdfLabel = struct({ length: uint16, label: opaque(7, 255), context: opaque(0, 255) });

/** @throws RangeError if label or context is too long for the struct */
export function hkdfLabel(label: string, context: Uint8Array, length: number): Uint8Array {
  return encode(HkdfLabel, { length, label: ascii(`tls13 ${label}`), context });
}

/**
 * A label whose output is no longer than the hash, for contexts of one length. All connections share it and the array that HMAC gets. While
 * a provider has that array, a call from within makes another.
 */
export class Label {
  /** Bytes of the output. */
  readonly length: number;
  /** HkdfLabel, and the number of the first block, which is the only one. */
  readonly #info: Uint8Array;
  readonly #contextAt: number;
  #spare: Uint8Array | undefined;

  constructor(label: string, length: number, context: Uint8Array) {
    this.length = length;
    this.#info = concat(hkdfLabel(label, context, length), Uint8Array.of(1));
    this.#contextAt = this.#info.length - 1 - context.length;
  }

  /** HKDF-Expand-Label. A label is given a context at every call, or at none: then it is that of the constructor. */
  expand(key: HmacKey, context?: Uint8Array): Uint8Array {
    const info = this.#spare ?? this.#info.slice();
    this.#spare = undefined;
    if (context !== undefined) info.set(context, this.#contextAt);
    const block = key.sign(info);
    this.#spare = info;
    if (this.length === block.length) return block;
    const output = copyRange(block, 0, this.length);
    block.fill(0);
    return output;
  }
}
