/** The conditions for resuming a session, one field each. A field holds a digest, so that it can be compared but not read. */

import { fromHex, toHex } from '../wire/bytes.ts';
import { type Codec, decode, encode, fixed, mapped, struct, uint8, vector } from '../wire/codec.ts';
import { DecodeError } from '../wire/reader.ts';

/** The numbers of the fields in a session's DER. */
const FIELDS = {
  serverName: 1,
  clientAuthentication: 2,
  certificateNames: 3,
  label: 4,
  localAddress: 5,
  alpn: 6,
  shared: 7,
  /** An external PSK has taken the place of the client's certificate. */
  clientPsk: 8,
} as const;

/** The names of what a session may be bound to. */
export type ScopeField = keyof typeof FIELDS;

/** Digests of 16 bytes in hexadecimal. A field that is absent imposes no condition. */
export type Scope = Readonly<Partial<Record<ScopeField, string | undefined>>>;

export const SCOPE_FIELDS = Object.keys(FIELDS) as readonly ScopeField[];

const Entry = struct({ field: uint8, digest: fixed(16) });

/** `struct { uint8 field; opaque digest[16]; } ScopeEntry; ScopeEntry scope<0..2^16-1>;` An empty list means no scope. */
export const ScopeCodec: Codec<Scope | undefined> = mapped(
  vector(0, 0xffff, Entry),
  (entries) => (entries.length === 0 ? undefined : scopeOfEntries(entries)),
  (scope = {}) =>
    SCOPE_FIELDS.flatMap((name) => {
      const digest = scope[name];
      return digest === undefined ? [] : [{ field: FIELDS[name], digest: fromHex(digest) }];
    }),
);

/** Fields come in ascending order. An unknown field is refused, as it may state a condition that is not checked here. */
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

/** A decoded scope, its encoding with the length in front, and the frozen object that was last encoded to it. */
interface KnownScope {
  readonly scope: Scope | undefined;
  readonly block: Uint8Array;
  written: Scope | undefined;
}

const NO_SCOPE: KnownScope = { scope: undefined, block: encode(ScopeCodec, undefined), written: undefined };

/** A server uses few scopes, one for each of its names. */
const MAX_KNOWN = 16;
const known: KnownScope[] = [];
let oldest = 0;

/** Returns the scope encoded at this place if it was read or written recently; it then need not be decoded. */
export function knownScope(bytes: Uint8Array, at: number): KnownScope | undefined {
  if (standsAt(bytes, at, NO_SCOPE.block)) return NO_SCOPE;
  return known.find(({ block }) => standsAt(bytes, at, block));
}

function standsAt(bytes: Uint8Array, at: number, block: Uint8Array): boolean {
  for (let i = 0; i < block.length; i++) if (bytes[at + i] !== block[i]) return false;
  return true;
}

/** Returns the encoding of a scope, not a copy, and remembers it. @throws RangeError or SyntaxError if a digest is invalid */
export function scopeBlock(scope: Scope | undefined): Uint8Array {
  if (scope === undefined) return NO_SCOPE.block;
  const same = known.find((each) => each.written === scope || each.scope === scope);
  if (same !== undefined) return same.block;
  const block = encode(ScopeCodec, scope);
  if (Object.isFrozen(scope)) remember(block, scope);
  return block;
}

/** Decodes the block: the object that was written may have further properties, or upper-case digits. */
function remember(block: Uint8Array, written: Scope): void {
  const before = knownScope(block, 0);
  if (before !== undefined && before !== NO_SCOPE) before.written = written;
  if (before !== undefined) return;
  const one = { scope: decode(ScopeCodec, block), block, written };
  if (known.length < MAX_KNOWN) known.push(one);
  else known[oldest++ % MAX_KNOWN] = one;
}
