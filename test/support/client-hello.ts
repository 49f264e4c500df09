/** The ClientHello of the scripted client: every field can be wrong, and the binders still be right. */

import { earlySecret, finishedMac, resumptionBinderKey } from '../../src/crypto/key-schedule.ts';
import type { CryptoProvider, HashName } from '../../src/crypto/provider.ts';
import type { Transcript } from '../../src/crypto/transcript.ts';
import { ClientHello, clientHello } from '../../src/handshake/messages/client-hello.ts';
import { concat } from '../../src/wire/bytes.ts';
import {
  decode,
  type Entries,
  encode,
  fixed,
  type Infer,
  opaque,
  optionalTail,
  struct,
  uint8,
  uint16,
  uint24,
  uint32,
  vector,
} from '../../src/wire/codec.ts';
import { ExtensionType, HandshakeType } from '../../src/wire/registry.ts';

/** An extension as bytes: of any type, with any content. */
const RawExtension = struct({ type: uint16, data: opaque(0, 0xffff) });
export type RawExtension = Infer<typeof RawExtension>;

const RawHello = struct({
  legacyVersion: uint16,
  random: fixed(32),
  legacySessionId: opaque(0, 32),
  cipherSuites: vector(0, 0xffff, uint16),
  legacyCompressionMethods: opaque(0, 255),
  extensions: optionalTail(vector(0, 0xffff, RawExtension)),
});

/** OfferedPsks without its bounds. */
const LoosePsks = struct({
  identities: vector(0, 0xffff, struct({ identity: opaque(0, 0xffff), obfuscatedTicketAge: uint32 })),
  binders: vector(0, 0xffff, opaque(0, 255)),
});

const Framed = struct({ type: uint8, length: uint24 });

/** A PSK to offer: what a ticket gives, or anything else. */
export interface ClientPsk {
  readonly identity: Uint8Array;
  readonly secret: Uint8Array;
  readonly hash: HashName;
  readonly obfuscatedTicketAge?: number | undefined;
}

/** A value to be written: what is read as entries is an array here. */
type Draft<T> = T extends string | Uint8Array
  ? T
  : T extends Entries<infer E>
    ? readonly Draft<E>[]
    : T extends object
      ? { readonly [K in keyof T as Exclude<K, 'later'>]: Draft<T[K]> }
      : T;
export type HelloDraft = Draft<ClientHello>;

/** What may be changed on the way from the hello to its bytes, in this order. */
export interface HelloScript {
  readonly rewriteHello?: ((hello: HelloDraft, attempt: number) => HelloDraft) | undefined;
  readonly rewriteExtensions?:
    | ((list: readonly RawExtension[], attempt: number) => readonly RawExtension[])
    | undefined;
  /** The binders are those of the hello as rewritten so far. */
  readonly rewriteBinders?: ((binders: readonly Uint8Array[], attempt: number) => readonly Uint8Array[]) | undefined;
}

export interface HelloBasis {
  readonly hello: HelloDraft;
  readonly psks: readonly ClientPsk[];
  readonly transcript: Transcript;
  readonly crypto: CryptoProvider;
  /** 1, or 2 after a HelloRetryRequest. */
  readonly attempt: number;
}

/** The message, header included. */
export function encodeHello({ hello, psks, transcript, crypto, attempt }: HelloBasis, script: HelloScript): Uint8Array {
  const written = script.rewriteHello?.(hello, attempt) ?? hello;
  const { preSharedKey: offered, ...others } = written.extensions;
  const raw = decode(RawHello, encode(ClientHello, { ...written, extensions: others }));
  const list = [...(raw.extensions ?? [])];
  if (offered !== undefined) list.push({ type: ExtensionType.pre_shared_key, data: encode(LoosePsks, offered) });
  const rewritten = script.rewriteExtensions?.(list, attempt) ?? list;
  const extensions = rewritten.length === 0 && raw.extensions === undefined ? undefined : rewritten;
  const last = rewritten.at(-1);
  // A pre_shared_key that rewriteExtensions has touched is on its own.
  if (offered === undefined || last === undefined || last !== list.at(-1)) return frameHello({ ...raw, extensions });
  const withBinders = (binders: readonly Uint8Array[]): Uint8Array => {
    const data = encode(LoosePsks, { identities: offered.identities, binders });
    return frameHello({ ...raw, extensions: [...rewritten.slice(0, -1), { type: last.type, data }] });
  };
  const dummy = withBinders(offered.binders);
  const truncated = dummy.subarray(0, dummy.length - offered.binders.reduce((sum, { length }) => sum + 1 + length, 2));
  const binders = offered.binders.map((given, index) => {
    const psk = psks.find(({ identity }) => identity.join() === offered.identities[index]?.identity.join());
    if (psk === undefined) return given;
    const hash = crypto.hashes[psk.hash];
    const key = resumptionBinderKey(earlySecret(hash, psk.secret));
    return finishedMac(key, transcript.hashWith(hash, truncated));
  });
  return withBinders(script.rewriteBinders?.(binders, attempt) ?? binders);
}

function frameHello(hello: Infer<typeof RawHello>): Uint8Array {
  const body = encode(RawHello, hello);
  const header = encode(Framed, { type: clientHello.type, length: body.length });
  return concat(header, body);
}

/** The bytes of one extension of a hello, by another name. */
export function rawExtension(type: number, ...data: readonly number[]): RawExtension {
  return { type, data: Uint8Array.from(data) };
}

/** A list with one extension changed; where it is not there yet it is added, before pre_shared_key. */
export function withExtension(list: readonly RawExtension[], type: number, ...data: readonly number[]): RawExtension[] {
  const changed = rawExtension(type, ...data);
  if (list.some((extension) => extension.type === type)) {
    return list.map((extension) => (extension.type === type ? changed : extension));
  }
  const before = list.filter((extension) => extension.type !== ExtensionType.pre_shared_key);
  return [...before, changed, ...list.filter((extension) => extension.type === ExtensionType.pre_shared_key)];
}

export function withoutExtension(list: readonly RawExtension[], ...types: readonly number[]): RawExtension[] {
  return list.filter(({ type }) => !types.includes(type));
}

/** Any message as its bytes, for tests that write one by hand. */
export function rawMessage(name: keyof typeof HandshakeType, ...body: readonly number[]): Uint8Array {
  return Uint8Array.of(HandshakeType[name], body.length >> 16, (body.length >> 8) & 0xff, body.length & 0xff, ...body);
}
