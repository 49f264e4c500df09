/**
 * The fields of a session for which SSLSession has none are encoded in ticket_appdata, before the application's own data:
 *
 *     struct {
 *         uint32 magic = 0x544c5352;          // "TLSR"
 *         uint8  format = 2;
 *         uint64 auth_time;                   // seconds since the epoch
 *         ScopeEntry scope<0..2^16-1>;        // see scope.ts; empty: none
 *         opaque application_data<0..2^16-1>;
 *     } TicketAppdata;
 *
 * A ticket_appdata without the magic is application data alone, and `auth_time` equals `time`. A session without further
 * fields is written like that, so that data of OpenSSL's is preserved byte for byte.
 *
 * It is decoded with each ticket, and its scope is nearly always one of a few. A fast path reads those by hand. All other
 * input goes to the struct, which reports what is wrong with it.
 */

import { EMPTY } from '../wire/bytes.ts';
import { type Codec, decode, opaque, struct, uint8, uint32 } from '../wire/codec.ts';
import type { DerWriter } from '../wire/der-writer.ts';
import { DecodeError } from '../wire/reader.ts';
import { knownScope, type Scope, ScopeCodec, scopeBlock } from './scope.ts';

/** The decoded fields. */
export interface OwnFields {
  readonly authTime: number;
  readonly scope: Scope | undefined;
  readonly applicationData: Uint8Array;
}

/** Seconds since the epoch. */
const uint64: Codec<number> = {
  max: 8,
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

/** Writes from the end to the beginning, as {@link DerWriter} does. */
export function writeTicketAppdata(writer: DerWriter, { authTime, scope, applicationData }: OwnFields): void {
  writer.raw(applicationData);
  writer.uint(2, applicationData.length);
  writer.raw(scopeBlock(scope));
  writer.uint(8, authTime);
  writer.uint(1, FORMAT);
  writer.uint(4, MAGIC);
}

/** Decodes a TicketAppdata. The application data is a view of `bytes`. @throws DecodeError */
export function decodeTicketAppdata(bytes: Uint8Array): OwnFields {
  return decodeExpected(bytes) ?? decodeAny(bytes);
}

/** Returns `undefined` for a scope that is not known, and for any error. */
function decodeExpected(bytes: Uint8Array): OwnFields | undefined {
  const known = bytes[FORMAT_AT] === FORMAT ? knownScope(bytes, SCOPE_AT) : undefined;
  if (known === undefined) return undefined;
  const dataAt = SCOPE_AT + known.block.length + 2;
  const authTime = uintAt(bytes, AUTH_TIME_AT, 8);
  if (!Number.isSafeInteger(authTime) || dataAt + uintAt(bytes, dataAt - 2, 2) !== bytes.length) return undefined;
  const applicationData = dataAt === bytes.length ? EMPTY : bytes.subarray(dataAt);
  return { authTime, scope: known.scope, applicationData };
}

/** Returns NaN if the bytes end too soon. */
function uintAt(bytes: Uint8Array, at: number, width: number): number {
  let value = 0;
  for (let i = at; i < at + width; i++) value = value * 256 + (bytes[i] ?? Number.NaN);
  return value;
}

function decodeAny(bytes: Uint8Array): OwnFields {
  const { format, authTime, scope, applicationData } = decode(TicketAppdata, bytes);
  if (format !== FORMAT) throw new DecodeError(`format ${format} is not known`);
  scopeBlock(scope); // remembers it
  return { authTime, scope, applicationData };
}
