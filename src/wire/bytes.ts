/** Small helpers on `Uint8Array` that every layer needs. No dependency, no state. */

import { platform } from '../platform.ts';

export const EMPTY: Uint8Array = new Uint8Array(0);

/** A copy of its own, and a plain `Uint8Array`: `slice()` of a Node `Buffer` is a view of the same memory. */
export function copyOf(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}

/**
 * A copy of a part. Byte by byte where it is short: V8 keeps arrays of up to 64 bytes in its heap, and a view of one has it
 * moved out, which takes longer than hashing it.
 */
export function copyRange(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const copy = new Uint8Array(end - start);
  if (copy.length > 64) copy.set(bytes.subarray(start, end));
  else for (let i = 0; i < copy.length; i++) copy[i] = bytes[start + i] as number;
  return copy;
}

/** One array with the contents of all, in order. */
export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const all = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/**
 * Whether two byte strings are equal, in time that depends on their lengths only. The one comparison for everything that
 * an attacker may guess at: Finished, binder, MAC, ticket key name. (A JIT gives no promise; see SECURITY.md.)
 */
export function equalConstantTime(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= (a[i] as number) ^ (b[i] as number);
  return difference === 0;
}

/** Whether two *public* byte strings are equal. Secrets go through {@link equalConstantTime}. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Overwrites secrets with zeros. What the garbage collector has copied before stays out of reach; see SECURITY.md. */
export function wipe(...secrets: readonly (Uint8Array | undefined)[]): void {
  for (const secret of secrets) secret?.fill(0);
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** Lower-case hexadecimal. */
export function toHex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += HEX[byte];
  return text;
}

/** The bytes of a hexadecimal string. @throws SyntaxError where it is none. */
export function fromHex(hex: string): Uint8Array {
  if (hex.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(hex)) throw new SyntaxError('not a hexadecimal string');
  const bytes = new Uint8Array(hex.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = 16 * digitAt(hex, 2 * i) + digitAt(hex, 2 * i + 1);
  return bytes;
}

/** '0' is 0x30, 'A' 0x41, 'a' 0x61. */
function digitAt(hex: string, index: number): number {
  const code = hex.charCodeAt(index);
  return (code & 0xf) + (code >= 0x41 ? 9 : 0);
}

/** ASCII text as bytes; the labels of the key schedule are all ASCII. */
export function ascii(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** Any text as bytes. */
export function utf8(text: string): Uint8Array {
  return new platform.TextEncoder().encode(text);
}

/** Bytes as text, one character a byte (ISO 8859-1): a string that is a `Map` key. */
export function latin1(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}
