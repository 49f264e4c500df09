/**
 * Sessions as the client of node:tls hands them out since CVE-2026-48934: with the host that it has been talking to, so that
 * none is offered to another.
 *
 *     struct {
 *         opaque label[22];           -- 00 "nodejs:tls:session:1" 00
 *         opaque host<1..2^16-1>;     -- UTF-8
 *         opaque der[…];              -- SSLSession of der.ts, up to the end
 *     } NodeSession;
 *
 * The host is `servername` of tls.connect(), or else `host`, or else "localhost": as it was written there, an address too. A
 * client takes a session for the same host, letter for letter, and passes over any other without a word. The DER alone, which
 * is what older ones hand out, it takes with `rejectUnauthorized: false` and passes over otherwise.
 */

import { platform } from '../platform.ts';
import { ascii, latin1, utf8 } from '../wire/bytes.ts';
import { decode, encode, fixed, opaque, rest, struct } from '../wire/codec.ts';
import { requireBytes } from '../wire/kind-of.ts';
import { wrongKind } from '../wire/options.ts';
import { DecodeError } from '../wire/reader.ts';
import { SessionDecodeError, sessionFromDer } from './der.ts';

/** A session of Node's client. */
export interface NodeSession {
  /** OpenSSL's. */
  readonly der: Uint8Array;
  /** The server that the client was talking to; `undefined` if there is the DER alone. */
  readonly host: string | undefined;
}

const LABEL = '\0nodejs:tls:session:1\0';

const wrapping = struct({ label: fixed(LABEL.length), host: opaque(1, 0xffff), der: rest });

/**
 * Returns the two parts, as views of the bytes. The DER is not read; it cannot begin as a wrapping does.
 * @throws SessionDecodeError if the bytes begin as a wrapping and are none that is known
 */
export function splitNodeSession(bytes: Uint8Array): NodeSession {
  requireBytes('session', bytes);
  if (bytes[0] !== 0) return { der: bytes, host: undefined };
  try {
    const { label, host, der } = decode(wrapping, bytes);
    if (latin1(label) !== LABEL) throw new DecodeError('label: unknown');
    return { der, host: new platform.TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(host) };
  } catch (cause) {
    const reason = `${cause}; pass all that Node's client gave, or update tls-resume`;
    throw new SessionDecodeError('NodeSession', reason, { cause });
  }
}

/** The same, of what is a session to its last byte. @throws SessionDecodeError */
export function readNodeSession(bytes: Uint8Array): NodeSession {
  const { der, host } = splitNodeSession(bytes);
  sessionFromDer(der);
  return { der, host };
}

/** @throws SessionDecodeError where `der` is no session @throws RangeError where the host does not fit */
export function writeNodeSession(der: Uint8Array, host: string): Uint8Array {
  sessionFromDer(requireBytes('der', der));
  if (typeof host !== 'string') throw wrongKind('host', 'a string', host);
  const bytes = utf8(host);
  if (bytes.length < 1 || bytes.length > 0xffff) throw new RangeError(`host: ${bytes.length} bytes, outside 1..65535`);
  return encode(wrapping, { label: ascii(LABEL), host: bytes, der });
}
