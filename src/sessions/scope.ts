/** What a session may be resumed under, field by field: each a digest, so that two can be compared and none is told. */

import { fromHex, toHex } from '../wire/bytes.ts';
import { type Codec, decode, encode, fixed, mapped, struct, uint8, vector } from '../wire/codec.ts';
import { DecodeError } from '../wire/reader.ts';

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

/** A scope as it is read, what it is on the wire (length in front), and the frozen object that was last written as that. */
interface KnownScope {
  readonly scope: Scope | undefined;
  readonly block: Uint8Array;
  written: Scope | undefined;
}

const NO_SCOPE: KnownScope = { scope: undefined, block: encode(ScopeCodec, undefined), written: undefined };

/** What a server seals and opens has few scopes: one for each name that it goes by. */
const MAX_KNOWN = 16;
const known: KnownScope[] = [];
let oldest = 0;

/** The scope that stands at this place, if it is one that has lately been written or read: then nothing need be made of it. */
export function knownScope(bytes: Uint8Array, at: number): KnownScope | undefined {
  if (standsAt(bytes, at, NO_SCOPE.block)) return NO_SCOPE;
  return known.find(({ block }) => standsAt(bytes, at, block));
}

function standsAt(bytes: Uint8Array, at: number, block: Uint8Array): boolean {
  for (let i = 0; i < block.length; i++) if (bytes[at + i] !== block[i]) return false;
  return true;
}

/** What the scope is on the wire, not a copy; it is known from now on. @throws RangeError or SyntaxError where a digest is none */
export function scopeBlock(scope: Scope | undefined): Uint8Array {
  if (scope === undefined) return NO_SCOPE.block;
  const same = known.find((each) => each.written === scope || each.scope === scope);
  if (same !== undefined) return same.block;
  const block = encode(ScopeCodec, scope);
  if (Object.isFrozen(scope)) remember(block, scope);
  return block;
}

/** What is read is made of the bytes: what was written may have had more in it, or other letters. */
function remember(block: Uint8Array, written: Scope): void {
  const before = knownScope(block, 0);
  if (before !== undefined && before !== NO_SCOPE) before.written = written;
  if (before !== undefined) return;
  const one = { scope: decode(ScopeCodec, block), block, written };
  if (known.length < MAX_KNOWN) known.push(one);
  else known[oldest++ % MAX_KNOWN] = one;
}
