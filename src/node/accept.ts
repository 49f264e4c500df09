/** TLS over a transport that exists already. */

import type { Duplex } from 'node:stream';
import type { ServerConfig } from '../engine/server/config.ts';
import type { NodeServerOptions } from './options.ts';
import { TlsSocket } from './socket.ts';
import { splitOptions } from './split-options.ts';

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
