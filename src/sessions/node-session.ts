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
import { type Codec, decode, encode, fixed, mapped, opaque, rest, struct } from '../wire/codec.ts';
import { DecodeError } from '../wire/reader.ts';
import { SessionDecodeError, sessionFromDer } from './der.ts';

/** A session of Node's client. */
export interface NodeSession {
  /** OpenSSL's. */
  readonly der: Uint8Array;
  /** Whom the client was talking to; `undefined` where there is the DER alone. */
  readonly host: string | undefined;
}

const NAME = 'nodejs:tls:session:1';
const LABEL = `\0${NAME}\0`;

const label: Codec<string> = mapped(
  fixed(LABEL.length),
  (wire) => {
    if (latin1(wire) === LABEL) return LABEL;
    throw new DecodeError(`not "${NAME}"`);
  },
  ascii,
);

const host: Codec<string> = mapped(
  opaque(1, 0xffff),
  (wire) => {
    try {
      return new platform.TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(wire);
    } catch {
      throw new DecodeError('not UTF-8');
    }
  },
  utf8,
);

const wrapping = struct({ label, host, der: rest });

/**
 * The two parts, as views of the bytes. Of the DER nothing is looked at but that no wrapping begins as it does.
 * @throws SessionDecodeError with `label` or `host` for its field
 */
export function splitNodeSession(bytes: Uint8Array): NodeSession {
  if (bytes[0] !== 0) return { der: bytes, host: undefined };
  try {
    return decode(wrapping, bytes);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    const reason = `${error.reason}; hand over all that Node's client gave, or update tls-resume`;
    throw new SessionDecodeError(error.path.join('.'), reason, { cause: error });
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
  sessionFromDer(der);
  const { length } = utf8(host);
  if (length < 1 || length > 0xffff) throw new RangeError(`host: ${length} bytes, outside 1..65535`);
  return encode(wrapping, { label: LABEL, host, der });
}
