/** What node:crypto returns, without the ways of a Buffer. */

import type { Buffer } from 'node:buffer';

/** The same bytes as a plain Uint8Array: a Buffer's slice() is a view, and it says otherwise in an equality check. */
export function plain({ buffer, byteOffset, byteLength }: Buffer): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
