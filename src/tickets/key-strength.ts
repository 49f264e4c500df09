/**
 * Detects ticket keys that can be guessed. Many servers have been found with keys that were zero, counted up or came from a
 * manual (Hebrok et al., "We Really Need to Talk About Session Tickets", USENIX Security 2023; CVE-2020-13777). An attacker
 * that knows the key can read recorded connections and impersonate the server.
 */

import { equalConstantTime, fromHex } from '../wire/bytes.ts';

/** Thrown for a ticket key that can be guessed. Says why, and reveals nothing of the key. */
export class WeakTicketKeyError extends Error {
  override readonly name = 'WeakTicketKeyError';
}

const RUN = 8;
const BLOCK = 16;

/** AES keys and inputs of FIPS 197 (A.1, A.3 in its halves, B) and of the GCM specification, which examples use. */
export const PUBLISHED: readonly Uint8Array[] = [
  '2b7e151628aed2a6abf7158809cf4f3c',
  '603deb1015ca71be2b73aef0857d7781',
  '1f352c073b6108d72d9810a30914dff4',
  '3243f6a8885a308d313198a2e0370734',
  'feffe9928665731c6d6a8f9467308308',
].map(fromHex);

/**
 * Returns why a key is refused, or `undefined` if it is accepted. The length of a secret is a multiple of 16. About one in
 * 2^45 random keys is refused.
 */
export function weaknessOf(keyName: Uint8Array, secret: Uint8Array): string | undefined {
  const half = secret.length / 2;
  const parts = [secret, secret.subarray(0, half), secret.subarray(half)];
  const blocks = blocksOf(secret, BLOCK);
  if (blocksOf(secret, RUN).some(isProgression)) return 'eight of its bytes in a row are equal or count';
  if (parts.some(isPeriodic)) return 'it is a pattern, repeated';
  if (blocks.some((block) => PUBLISHED.some((known) => equalConstantTime(known, block))))
    return 'it has been published';
  if (secret.every(isPrintable)) return 'it is text; decode it, or draw random bytes';
  if (blocks.some((block) => equalConstantTime(keyName, block))) return 'its name, which is public, is part of it';
  return undefined;
}

function blocksOf(bytes: Uint8Array, length: number): Uint8Array[] {
  return Array.from({ length: bytes.length / length }, (_, i) => bytes.subarray(i * length, (i + 1) * length));
}

/** Reports whether the bytes are equal, count up or down, or advance in any constant step, modulo 256. */
function isProgression(bytes: Uint8Array): boolean {
  const at = (i: number): number => bytes[i] as number;
  const step = at(1) - at(0);
  return bytes.every((byte, i) => i === 0 || ((byte - at(i - 1) - step) & 0xff) === 0);
}

/** Reports whether the bytes repeat a pattern at least twice. The last repetition may be incomplete. */
function isPeriodic(bytes: Uint8Array): boolean {
  for (let period = 1; 2 * period <= bytes.length; period++) {
    if (equalConstantTime(bytes.subarray(period), bytes.subarray(0, bytes.length - period))) return true;
  }
  return false;
}

function isPrintable(byte: number): boolean {
  return (byte >= 0x20 && byte < 0x7f) || byte === 0x0a || byte === 0x0d || byte === 0x09;
}
