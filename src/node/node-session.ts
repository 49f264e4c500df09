/** Sessions of Node's own client, as Buffers: node:tls takes nothing else. */

import { type NodeSession, readNodeSession, writeNodeSession } from '../sessions/node-session.ts';

/**
 * Reads a session that a client of `node:tls` handed out, by its event 'session' or by getSession(): returns OpenSSL's DER, and the host
 * if there is one. Node has wrapped the two together since CVE-2026-48934; before that it gave the DER alone, which is also what
 * `session.toDer()` gives. `der` is a view of the bytes.
 * @throws SessionDecodeError if the bytes are neither, up to their last
 */
export function unwrapNodeSession(session: Uint8Array): NodeSession & { readonly der: Buffer } {
  const { der, host } = readNodeSession(session);
  return { der: Buffer.from(der.buffer, der.byteOffset, der.length), host };
}

/**
 * Wraps a session for the option `session` of tls.connect(). A client that verifies its server ignores the DER alone, and does a full
 * handshake. `host` is the `servername` of that tls.connect(), or else its `host`, letter for letter. Name only the host that the
 * session was made with: with the session the client takes over what it verified then, and does not verify again.
 * @throws SessionDecodeError if `der` is not a session, for instance because it is wrapped already
 * @throws RangeError if `host` is empty, or longer than 65535 bytes
 */
export function wrapNodeSession(der: Uint8Array, host: string): Buffer {
  const { buffer, byteOffset, length } = writeNodeSession(der, host);
  return Buffer.from(buffer, byteOffset, length);
}
