/** The block of extensions of a message, as numbers and bytes: it has those that no codec knows. */

import { concat, equalBytes } from '../wire/bytes.ts';
import { decode, encode, type Infer, opaque, struct, uint8, uint16, uint24, vector } from '../wire/codec.ts';
import { MESSAGE_HEADER } from '../wire/handshake-buffer.ts';
import { ExtensionType, HandshakeType, type Version } from '../wire/registry.ts';
import { nameIn } from './messages.ts';

const Extension = struct({ type: uint16, data: opaque(0, 0xffff) });
export type RawExtension = Infer<typeof Extension>;
const Block = vector(0, 0xffff, Extension);
const Header = struct({ type: uint8, length: uint24 });

/** A message in two parts. */
interface Split {
  /** Up to the block, without the header of the message. */
  readonly head: Uint8Array;
  readonly list: readonly RawExtension[];
}

/** Takes a message apart. `undefined` if messages of its kind have no extensions. @throws DecodeError if this one is none */
export function splitMessage(message: Uint8Array, version: Version | undefined): Split | undefined {
  const at = startOfBlock(message, version);
  if (at === undefined) return undefined;
  const block = message.subarray(at);
  const list = block.length === 0 ? [] : decode(Block, block).map((one) => one);
  return { head: message.subarray(MESSAGE_HEADER, at), list };
}

export function joinMessage(type: number, head: Uint8Array, list: readonly RawExtension[]): Uint8Array {
  return framed(type, concat(head, encode(Block, list)));
}

export function framed(type: number, body: Uint8Array): Uint8Array {
  return concat(encode(Header, { type, length: body.length }), body);
}

/** Returns where a new extension goes: before pre_shared_key, which must be last (RFC 9846 §4.3.11). */
export function placeOfNew(list: readonly RawExtension[]): number {
  return list.at(-1)?.type === ExtensionType.pre_shared_key ? list.length - 1 : list.length;
}

/**
 * Returns the `changed` message with the order and the unknown extensions of the `original`. `plain` is the original as the codec writes
 * it, which knows neither. `undefined` if the codec loses more than these, so that the message cannot be changed by fields.
 */
export function keepUnknown(
  version: Version | undefined,
  original: Uint8Array,
  plain: Uint8Array,
  changed: Uint8Array,
): Uint8Array | undefined {
  if (equalBytes(original, plain)) return changed;
  const [was, known, now] = [original, plain, changed].map((message) => splitMessage(message, version));
  if (was === undefined || known === undefined || now === undefined || !equalBytes(was.head, known.head))
    return undefined;
  const list: RawExtension[] = [];
  for (const extension of was.list) {
    const written = find(known.list, extension.type);
    if (written !== undefined && !equalBytes(written.data, extension.data)) return undefined;
    const kept = written === undefined ? extension : find(now.list, extension.type);
    if (kept !== undefined) list.push(kept);
  }
  for (const extension of now.list)
    if (find(was.list, extension.type) === undefined) list.splice(placeOfNew(list), 0, extension);
  return joinMessage(original[0] ?? 0, now.head, list);
}

function find(list: readonly RawExtension[], type: number): RawExtension | undefined {
  return list.find((one) => one.type === type);
}

/** Where the block of extensions of a message begins, which is its last field. `undefined` if it has none */
function startOfBlock(message: Uint8Array, version: Version | undefined): number | undefined {
  let at = MESSAGE_HEADER;
  const skip = (width: number): void => {
    let length = 0;
    for (let i = 0; i < width; i++) length = 256 * length + (message[at + i] ?? 0);
    at += width + length;
  };
  const isTls12 = version === 'TLSv1.2';
  switch (message[0]) {
    case HandshakeType.client_hello:
      at += 34;
      for (const width of [1, 2, 1]) skip(width);
      return at;
    case HandshakeType.server_hello:
      at += 34;
      skip(1);
      return at + 3;
    case HandshakeType.encrypted_extensions:
      return at;
    case HandshakeType.new_session_ticket:
      if (isTls12) return undefined;
      at += 8;
      for (const width of [1, 2]) skip(width);
      return at;
    case HandshakeType.certificate_request:
      if (isTls12) return undefined;
      skip(1);
      return at;
    default:
      return undefined;
  }
}

/** @throws TypeError for a message without extensions */
export function requireSplit(message: Uint8Array, version: Version | undefined): Split {
  const split = splitMessage(message, version);
  if (split === undefined) throw new TypeError(`extension(): ${nameIn(message)} has none; use raw()`);
  return split;
}
