/** Functions on `Uint8Array` that every layer needs. They have no state. */

import { isInstance } from '../awaitable.ts';
import { MissingGlobal, platform } from '../platform.ts';

export const EMPTY: Uint8Array = new Uint8Array(0);

/** Returns a copy that is a plain `Uint8Array`. (`slice()` of a Node `Buffer` is a view of the same memory.) */
export function copyOf(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}

/**
 * Returns a copy of bytes that user code has given, or `undefined` if they are none. Neither a Proxy nor a subclass is asked how long
 * it is or what is in it; and bytes that are transferred away, or shared, do not change any more.
 */
export function bytesFrom(value: unknown): Uint8Array | undefined {
  if (!ArrayBuffer.isView(value) || !isInstance(value, Uint8Array)) return undefined;
  try {
    return new Uint8Array(value);
  } catch {
    return undefined; // of a buffer that has been transferred away
  }
}

/**
 * Returns a copy of a part. Short parts are copied byte by byte: V8 keeps arrays of up to 64 bytes in its heap and moves them
 * out when a view is made, which takes longer than hashing them.
 */
export function copyRange(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const copy = new Uint8Array(end - start);
  if (copy.length > 64) copy.set(bytes.subarray(start, end));
  else for (let i = 0; i < copy.length; i++) copy[i] = bytes[start + i] as number;
  return copy;
}

/** Returns one array with the contents of all parts, in order. */
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
 * Reports whether two byte strings are equal, in time that depends on their lengths only. It is used for everything that an
 * attacker may try to guess: Finished, binder, MAC, ticket key name. (A JIT gives no guarantee; see SECURITY.md.)
 */
export function equalConstantTime(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= (a[i] as number) ^ (b[i] as number);
  return difference === 0;
}

/** Reports whether two *public* byte strings are equal. For secrets use {@link equalConstantTime}. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Overwrites secrets with zeros. Copies that the garbage collector has made are out of reach; see SECURITY.md. */
export function wipe(...secrets: readonly (Uint8Array | undefined)[]): void {
  for (const secret of secrets) secret?.fill(0);
}

/** A secret inside another object, such as an ephemeral key or a record key. */
export interface Wipeable {
  wipe(): void;
}

/** Wipes all, also if wiping one fails, as a provider's key may. @throws the first error, then */
export function wipeAll(secrets: Iterable<Uint8Array | Wipeable | undefined>): void {
  const errors: unknown[] = [];
  for (const secret of secrets) {
    try {
      if (secret instanceof Uint8Array) wipe(secret);
      else secret?.wipe();
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw errors[0];
}

/** '0' to '9', 'a' to 'f' */
const DIGITS = ascii('0123456789abcdef');

/** Lower-case hexadecimal. */
export function toHex(bytes: Uint8Array): string {
  const digits = new Uint8Array(2 * bytes.length);
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] as number;
    digits[2 * i] = DIGITS[byte >> 4] as number;
    digits[2 * i + 1] = DIGITS[byte & 0xf] as number;
  }
  return latin1(digits);
}

/** Decodes a hexadecimal string. @throws SyntaxError if it is not one */
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

/** Encodes ASCII text, such as the labels of the key schedule. */
export function ascii(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** Encodes any text. */
export function utf8(text: string): Uint8Array {
  return new platform.TextEncoder().encode(text);
}

/** Decodes base64; `undefined` for a text that is not. @throws MissingGlobal if the host cannot */
export function fromBase64(text: string): Uint8Array | undefined {
  try {
    return Uint8Array.from(platform.atob(text), (character) => character.charCodeAt(0));
  } catch (error) {
    if (error instanceof MissingGlobal) throw error;
    return undefined;
  }
}

/** The number of arguments that fits any stack. */
const MAX_ARGUMENTS = 1024;

/**
 * Decodes ISO 8859-1, one character a byte, for text that serves as a `Map` key. It is not concatenated from characters: that
 * makes a tree of strings, which takes three times as long and ten times the memory.
 */
export function latin1(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += MAX_ARGUMENTS) {
    const part = bytes.length <= MAX_ARGUMENTS ? bytes : bytes.subarray(at, at + MAX_ARGUMENTS);
    text += String.fromCharCode.apply(null, part as unknown as number[]); // any array-like will do
  }
  return text;
}
