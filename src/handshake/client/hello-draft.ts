/**
 * A ClientHello before it is sent. A tester may change any field of it, add extensions of any number with any content, and break
 * every rule; the binders are made afterwards, over the hello as it then is.
 */

import { type EarlySecret, earlySecret, finishedMac, type PskKind, pskBinderKey } from '../../crypto/key-schedule.ts';
import type { CryptoProvider, HashName } from '../../crypto/provider.ts';
import type { Transcript } from '../../crypto/transcript.ts';
import { concat, EMPTY, wipeAll } from '../../wire/bytes.ts';
import {
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
} from '../../wire/codec.ts';
import { ExtensionType, HandshakeType } from '../../wire/registry.ts';

/** An extension as bytes. `type` has IANA's number, known to this library or not. */
export interface DraftExtension {
  type: number;
  data: Uint8Array;
}

/** The fields of RFC 9846 §4.2.2. */
export interface HelloDraft {
  legacyVersion: number;
  /** 32 bytes. */
  random: Uint8Array;
  legacySessionId: Uint8Array;
  /** IANA's numbers. */
  cipherSuites: number[];
  legacyCompressionMethods: Uint8Array;
  /**
   * In the order in which they are sent. The one with which {@link HelloDraft.psks} are offered is last, and has no data yet: it is
   * filled in if it is still there. `undefined` leaves out the whole block.
   */
  extensions: DraftExtension[] | undefined;
  /** TLS 1.3: the identities of the extension pre_shared_key, in their order. */
  psks: DraftPsk[];
}

/** A PSK that is offered: what a ticket gives, or what a tester makes up. */
export interface DraftPsk {
  identity: Uint8Array;
  obfuscatedTicketAge: number;
  /** The PSK and its hash, which make the binder. Without them, there is one of no bytes, unless `binder` says otherwise. */
  secret?: Uint8Array | undefined;
  hash?: HashName | undefined;
  /** Where the PSK is from, which selects the label of its binder. Default: 'resumption', a ticket. */
  kind?: PskKind | undefined;
  /** The binder that is sent instead of the right one. */
  binder?: Uint8Array | undefined;
}

/** The most bytes of extensions that a hello has room for. */
export const MAX_EXTENSIONS = 0xffff;

/** The length of a list of extensions. */
export function lengthOf(extensions: readonly DraftExtension[] = []): number {
  return extensions.reduce((length, { data }) => length + 4 + data.length, 0);
}

/** How many bytes the lists of pre_shared_key take, without their entries; and how many an entry takes in both together. */
export const PSK_LISTS = 4;
export function pskLength(identity: Uint8Array, binderLength: number): number {
  return 2 + identity.length + 4 + 1 + binderLength;
}

/** Without the bounds of the RFC, which a tester may leave. */
const RawHello = struct({
  legacyVersion: uint16,
  random: fixed(32),
  legacySessionId: opaque(0, 255),
  cipherSuites: vector(0, 0xffff, uint16),
  legacyCompressionMethods: opaque(0, 255),
  extensions: optionalTail(vector(0, 0xffff, struct({ type: uint16, data: opaque(0, 0xffff) }))),
});

const Identities = vector(0, 0xffff, struct({ identity: opaque(0, 0xffff), obfuscatedTicketAge: uint32 }));
const Binders = vector(0, 0xffff, opaque(0, 255));
const Header = struct({ type: uint8, length: uint24 });

function frameHello(draft: HelloDraft): Uint8Array {
  const body = encode(RawHello, draft satisfies Infer<typeof RawHello>);
  return concat(encode(Header, { type: HandshakeType.client_hello, length: body.length }), body);
}

/** The place of an offer of PSKs in a draft: the last extension, if it is pre_shared_key and has no data of the tester's. */
function placeOf({ extensions, psks }: HelloDraft): DraftExtension | undefined {
  const last = extensions?.at(-1);
  const isOurs = psks.length > 0 && last?.type === ExtensionType.pre_shared_key && last.data.length === 0;
  return isOurs ? last : undefined;
}

/**
 * Returns the message of a draft, header included, with its binders (§4.3.11.2).
 * @throws RangeError for what has no place in the message, such as a random of 31 bytes
 */
export function encodeHello(draft: HelloDraft, transcript: Transcript, crypto: CryptoProvider): Uint8Array {
  const place = placeOf(draft);
  if (place === undefined) return frameHello(draft);
  const blanks = draft.psks.map(({ hash, binder }) => binder ?? new Uint8Array(hash ? crypto.hashes[hash].length : 0));
  const list = encode(Binders, blanks);
  place.data = concat(encode(Identities, draft.psks), list);
  const raw = frameHello(draft);
  place.data = EMPTY; // for a second hello
  const truncated = raw.subarray(0, raw.length - list.length);
  let at = truncated.length + 2;
  for (const [i, { secret, hash, kind, binder }] of draft.psks.entries()) {
    at++;
    if (binder === undefined && secret !== undefined && hash !== undefined)
      raw.set(binderOf(earlySecret(crypto.hashes[hash], secret), kind, transcript, truncated), at);
    at += blanks[i]?.length ?? 0;
  }
  return raw;
}

/** Wipes the early secret. */
function binderOf(
  early: EarlySecret,
  kind: PskKind = 'resumption',
  transcript: Transcript,
  truncated: Uint8Array,
): Uint8Array {
  const key = pskBinderKey(early, kind);
  const mac = finishedMac(key, transcript.hashWith(early.hash, truncated));
  wipeAll([early, key]);
  return mac;
}
