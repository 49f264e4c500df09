/** Converts what node:crypto returns. */

import type { Buffer } from 'node:buffer';

/** A plain Uint8Array over the same memory: slice() of a Buffer is a view, and a Buffer is not deeply equal to a Uint8Array. */
export function plain({ buffer, byteOffset, byteLength }: Buffer): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
