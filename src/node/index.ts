/** The Node shell: a server like node:tls's, over node:net, and TLS over any Duplex. */

import type { Duplex } from 'node:stream';
import type { ServerConfig } from '../engine/server/config.ts';
import type { NodeSession } from '../sessions/node-session.ts';
import { readNodeSession, writeNodeSession } from '../sessions/node-session.ts';
import type { NodeServerOptions } from './options.ts';
import { Server } from './server.ts';
import { TlsSocket } from './socket.ts';
import { splitOptions } from './split-options.ts';

export type { Listen, TlsEvent, TlsSocketEvents } from './events.ts';
export { nodeCrypto } from './node-crypto.ts';
export type { EphemeralKeyInfo } from './openssl-names.ts';
export type { NodeServerOptions, TlsSocketOptions } from './options.ts';
export { Server } from './server.ts';
export type { ResumeSessionCallback, ServerEvents } from './server-events.ts';
export { TlsSocket } from './socket.ts';

/**
 * A server. `onConnection` hears of each connection once its handshake is complete.
 * @throws TypeError or RangeError naming the option that is wrong
 */
export function createServer(
  options: NodeServerOptions | ServerConfig,
  onConnection?: (socket: TlsSocket) => void,
): Server {
  const server = new Server(options);
  if (onConnection !== undefined) server.on('secureConnection', onConnection);
  return server;
}

/**
 * The server's end of TLS over a transport that is there already, which belongs to the socket from here on. 'secure' tells
 * that the handshake is complete; what goes wrong before that is an 'error' of the socket's, too. For several connections
 * make one configuration with defineServer(): of options each has a session cache of its own, and none resumes.
 * @throws TypeError or RangeError naming the option that is wrong; TypeError for a transport that does not give bytes
 */
export function accept(transport: Duplex, options: NodeServerOptions | ServerConfig): TlsSocket {
  const { config, socket } = splitOptions(options);
  return new TlsSocket(transport, config, socket);
}

/**
 * What is in a session that the client of `node:tls` has handed out, by its event 'session' or by getSession(): OpenSSL's DER, and the
 * host where there is one. Node wraps both in one since CVE-2026-48934; before that it is the DER alone, and so is what
 * `session.toDer()` gives. `der` is a view of the bytes.
 * @throws SessionDecodeError where they are neither, to their last byte
 */
export function unwrapNodeSession(session: Uint8Array): NodeSession & { readonly der: Buffer } {
  const { der, host } = readNodeSession(session);
  return { der: Buffer.from(der.buffer, der.byteOffset, der.length), host };
}

/**
 * The other way round: what tls.connect() takes as its option `session`, where it verifies its server. Of the DER alone such a
 * client makes nothing, and a full handshake. `host` is the `servername` of that tls.connect(), or else its `host`, letter for letter.
 * Name no other than the session was made with: with the session the client takes over what it has verified then, and does not
 * verify again.
 * @throws SessionDecodeError where `der` is not a session's, as where it is wrapped already
 * @throws RangeError where `host` is empty, or longer than 65535 bytes
 */
export function wrapNodeSession(der: Uint8Array, host: string): Buffer {
  const { buffer, byteOffset, length } = writeNodeSession(der, host);
  return Buffer.from(buffer, byteOffset, length);
}
