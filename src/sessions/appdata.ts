/**
 * What SSLSession has no field for travels in the one that is the application's, with the application's own data:
 *
 *     struct {
 *         uint32 magic = 0x544c5352;          // "TLSR"
 *         uint8  format = 2;
 *         uint64 auth_time;                   // seconds since the epoch
 *         ScopeEntry scope<0..2^16-1>;        // see scope.ts; empty: none
 *         opaque application_data<0..2^16-1>;
 *     } TicketAppdata;
 *
 * A ticket_appdata without the magic is application data, and `auth_time` is then `time`. So it is also written where
 * this says all, and bytes of OpenSSL's come back as they were.
 *
 * It is read with each ticket, and nearly always its scope is one of a few: then by hand. Whatever is not as expected is left
 * to the struct, which says what is wrong with it.
 */

import { EMPTY } from '../wire/bytes.ts';
import { type Codec, decode, opaque, struct, uint8, uint32 } from '../wire/codec.ts';
import type { DerWriter } from '../wire/der-writer.ts';
import { DecodeError } from '../wire/reader.ts';
import { knownScope, type Scope, ScopeCodec, scopeBlock } from './scope.ts';

/** What is in it. */
export interface OwnFields {
  readonly authTime: number;
  readonly scope: Scope | undefined;
  readonly applicationData: Uint8Array;
}

/** Seconds since the epoch. */
const uint64: Codec<number> = {
  read: (reader) => {
    const value = reader.uint(8);
    if (!Number.isSafeInteger(value)) throw new DecodeError(`${value} seconds`);
    return value;
  },
  write: (writer, value) => writer.uint(8, value),
};

/** "TLSR" */
const MAGIC = 0x544c5352;
const FORMAT = 2;
const MAX_DATA = 0xffff;
const FORMAT_AT = 4;
const AUTH_TIME_AT = 5;
const SCOPE_AT = 13;

const TicketAppdata = struct({
  magic: uint32,
  format: uint8,
  authTime: uint64,
  scope: ScopeCodec,
  applicationData: opaque(0, MAX_DATA),
});

export const MAX_TICKET_APPDATA = SCOPE_AT + 2 * (2 + MAX_DATA);

export function isTicketAppdata(bytes: Uint8Array): boolean {
  return bytes[0] === 0x54 && bytes[1] === 0x4c && bytes[2] === 0x53 && bytes[3] === 0x52;
}

/** From its end to its beginning, as the writer has it. */
export function writeTicketAppdata(writer: DerWriter, { authTime, scope, applicationData }: OwnFields): void {
  writer.raw(applicationData);
  writer.uint(2, applicationData.length);
  writer.raw(scopeBlock(scope));
  writer.uint(8, authTime);
  writer.uint(1, FORMAT);
  writer.uint(4, MAGIC);
}

/** Application data is a view of `bytes`. @throws DecodeError */
export function decodeTicketAppdata(bytes: Uint8Array): OwnFields {
  return decodeExpected(bytes) ?? decodeAny(bytes);
}

/** `undefined`, too, where anything is wrong. */
function decodeExpected(bytes: Uint8Array): OwnFields | undefined {
  const known = bytes[FORMAT_AT] === FORMAT ? knownScope(bytes, SCOPE_AT) : undefined;
  if (known === undefined) return undefined;
  const dataAt = SCOPE_AT + known.block.length + 2;
  const authTime = uintAt(bytes, AUTH_TIME_AT, 8);
  if (!Number.isSafeInteger(authTime) || dataAt + uintAt(bytes, dataAt - 2, 2) !== bytes.length) return undefined;
  const applicationData = dataAt === bytes.length ? EMPTY : bytes.subarray(dataAt);
  return { authTime, scope: known.scope, applicationData };
}

/** Not a number where the bytes end before it. */
function uintAt(bytes: Uint8Array, at: number, width: number): number {
  let value = 0;
  for (let i = at; i < at + width; i++) value = value * 256 + (bytes[i] ?? Number.NaN);
  return value;
}

function decodeAny(bytes: Uint8Array): OwnFields {
  const { format, authTime, scope, applicationData } = decode(TicketAppdata, bytes);
  if (format !== FORMAT) throw new DecodeError(`format ${format} is not known`);
  scopeBlock(scope); // is known from now on
  return { authTime, scope, applicationData };
}
