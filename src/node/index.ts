/** The Node shell: a server like node:tls's, over node:net, and TLS over any Duplex. */

import type { Duplex } from 'node:stream';
import type { ServerConfig } from '../engine/server/config.ts';
import { type NodeServerOptions, splitOptions } from './options.ts';
import { Server } from './server.ts';
import { TlsSocket } from './socket.ts';

export type { Listen, ResumeSessionCallback, ServerEvents, TlsEvent, TlsSocketEvents } from './events.ts';
export { nodeCrypto } from './node-crypto.ts';
export type { EphemeralKeyInfo } from './openssl-names.ts';
export type { NodeServerOptions } from './options.ts';
export { Server } from './server.ts';
export { TlsSocket, type TlsSocketOptions } from './socket.ts';

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
