/** The framing of handshake messages: RFC 9846 §4, RFC 5246 §7.4. */

import { TlsAlert } from '../../wire/alert.ts';
import { block, type Codec, decode, encode, struct, uint8 } from '../../wire/codec.ts';
import { MESSAGE_HEADER } from '../../wire/handshake-buffer.ts';
import { DecodeError } from '../../wire/reader.ts';
import { HandshakeType } from '../../wire/registry.ts';

/** One kind of message: its name and number, the struct of its body, and the longest body that is accepted. */
export interface Message<T> {
  readonly name: keyof typeof HandshakeType;
  readonly type: number;
  readonly body: Codec<T>;
  /** The body with its frame, `struct { HandshakeType msg_type; uint24 length; … } Handshake;` */
  readonly framed: Codec<{ readonly type: number; readonly body: T }>;
  readonly limit: number;
}

/** A message as received: the parsed body, and the bytes themselves, which the transcript hashes. */
export interface Received<T> {
  readonly body: T;
  readonly raw: Uint8Array;
}

/** Declares a kind of message. Without a `limit`, the longest body is the longest that its struct allows. */
export function message<T>(name: keyof typeof HandshakeType, body: Codec<T>, limit: number = body.max): Message<T> {
  const framed = struct({ type: uint8, body: block(0, 0xffffff, body) });
  return { name, type: HandshakeType[name], body, framed, limit };
}

/**
 * Runs a decoder on what a peer has sent. Only here is a DecodeError the peer's fault; anywhere else it is a bug.
 * @throws TlsAlert decode_error, or illegal_parameter if the codec says so
 */
export function fromPeer<T>(decoder: () => T): T {
  try {
    return decoder();
  } catch (error) {
    throw error instanceof DecodeError ? new TlsAlert(error.alert, error.message) : error;
  }
}

/** Parses the body of a message that a peer has sent. @throws TlsAlert as {@link fromPeer} */
export function parse<T>({ body }: Message<T>, raw: Uint8Array): T {
  return fromPeer(() => decode(body, raw, MESSAGE_HEADER));
}

/** Returns the bytes of a message on the wire. */
export function frame<T>({ type, framed }: Message<T>, body: T): Uint8Array {
  return encode(framed, { type, body });
}
