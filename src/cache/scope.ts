/** What a session may be resumed under, field by field: each a digest, so that two can be compared and none is told. */

import { fromHex, toHex } from '../wire/bytes.ts';
import { type Codec, DecodeError, fixed, mapped, struct, uint8, vector } from '../wire/codec.ts';

/** The numbers under which they stand in a session's DER. */
const FIELDS = {
  serverName: 1,
  clientAuthentication: 2,
  certificateNames: 3,
  label: 4,
  localAddress: 5,
  alpn: 6,
  shared: 7,
} as const;

export type ScopeField = keyof typeof FIELDS;

/** 16 bytes each, in hexadecimal. What is not there does not bind. */
export type Scope = Readonly<Partial<Record<ScopeField, string>>>;

export const SCOPE_FIELDS = Object.keys(FIELDS) as readonly ScopeField[];

const Entry = struct({ field: uint8, digest: fixed(16) });

/** `struct { uint8 field; opaque digest[16]; } ScopeEntry; ScopeEntry scope<0..2^16-1>;` None at all is no scope. */
export const ScopeCodec: Codec<Scope | undefined> = mapped(
  vector(0, 0xffff, Entry),
  (entries) => (entries.length === 0 ? undefined : scopeOfEntries(entries)),
  (scope = {}) =>
    SCOPE_FIELDS.flatMap((name) => {
      const digest = scope[name];
      return digest === undefined ? [] : [{ field: FIELDS[name], digest: fromHex(digest) }];
    }),
);

/** In ascending order; a field that is not known here might forbid what is not seen to. */
function scopeOfEntries(entries: readonly { readonly field: number; readonly digest: Uint8Array }[]): Scope {
  const scope: Partial<Record<ScopeField, string>> = {};
  let last = 0;
  for (const { field, digest } of entries) {
    const name = SCOPE_FIELDS.find((candidate) => FIELDS[candidate] === field);
    if (name === undefined || field <= last) throw new DecodeError(`field ${field} is unknown, or out of order`);
    scope[name] = toHex(digest);
    last = field;
  }
  return Object.freeze(scope);
}
