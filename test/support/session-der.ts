/** Sessions as bytes, for the tests of their DER: OpenSSL's files, crafted ones, changed ones. */

import { readFileSync } from 'node:fs';
import { SessionDecodeError } from '../../src/sessions/der.ts';
import { Session } from '../../src/sessions/session.ts';
import { EMPTY, fromHex } from '../../src/wire/bytes.ts';
import { integer, octetString, sequence, tlv } from '../../src/wire/der.ts';
import { fixturePath } from '../fixtures.ts';

/** Written by OpenSSL 3.0.19: s… by servers, c… and sc… (s_client -sess_out) by clients. */
export const SERVER_FILES = ['s12id', 's12tk', 's13', 's13ed'];
export const FILES = [...SERVER_FILES, 'c12id', 'c12tk', 'c13', 'c13ed', 'sc12id', 'sc12tk', 'sc13'];
export const vector = (name: string) => new Uint8Array(readFileSync(fixturePath(`sessions/${name}.der`)));

/** SSLSession with the tagged fields given. */
export function session12(...fields: Uint8Array[]): Uint8Array {
  return head({ fields });
}

interface Head {
  readonly version?: Uint8Array;
  readonly sslVersion?: Uint8Array;
  readonly cipher?: Uint8Array;
  readonly id?: Uint8Array;
  readonly secret?: Uint8Array;
  readonly fields?: readonly Uint8Array[];
}

export function head({
  version = integer(1),
  sslVersion = integer(0x0303),
  cipher = fromHex('c02b'),
  id = EMPTY,
  secret = new Uint8Array(48).fill(7),
  fields = [],
}: Head): Uint8Array {
  return sequence(version, sslVersion, octetString(cipher), octetString(id), octetString(secret), ...fields);
}

export function head13(further: Head): Uint8Array {
  return head({ sslVersion: integer(0x0304), cipher: fromHex('1301'), ...further });
}

/** An OCTET STRING of so many bytes, none of them zero. */
export function text(length: number): Uint8Array {
  return octetString(new Uint8Array(length).fill(0x61));
}

/** INTEGER -1 */
export const MINUS_ONE = tlv(2, Uint8Array.of(0xff));

/** Why it is no session, or nothing. Whatever is not a SessionDecodeError is thrown on. */
export function refusal(bytes: Uint8Array): SessionDecodeError | undefined {
  try {
    Session.fromDer(bytes);
  } catch (error) {
    if (error instanceof SessionDecodeError) return error;
    throw error;
  }
  return undefined;
}

/** The field that the error names. */
export function refusedField(bytes: Uint8Array): string {
  return refusal(bytes)?.field ?? 'none';
}

/** Each bit, and all. */
export const MASKS = [1, 2, 4, 8, 16, 32, 64, 128, 255];
export const ALL_MASKS = Array.from({ length: 255 }, (_, i) => i + 1);

/** The bytes with each of them changed by each mask; the same array each time. */
export function forEachMutation(
  original: Uint8Array,
  masks: readonly number[],
  action: (bytes: Uint8Array, at: number, mask: number) => void,
): void {
  const bytes = Uint8Array.from(original);
  original.forEach((byte, at) => {
    for (const mask of masks) {
      bytes[at] = byte ^ mask;
      action(bytes, at, mask);
    }
    bytes[at] = byte;
  });
}

/** Anything but a session or a SessionDecodeError is thrown on. */
export function tryDecode(bytes: Uint8Array, now?: number): Session | undefined {
  try {
    return Session.fromDer(bytes, now);
  } catch (error) {
    if (!(error instanceof SessionDecodeError)) throw error;
    return undefined;
  }
}
