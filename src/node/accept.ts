/** TLS over a transport that exists already. */

import type { Duplex } from 'node:stream';
import type { ServerConfig } from '../engine/server/config.ts';
import type { NodeServerOptions } from './options.ts';
import { TlsSocket } from './socket.ts';
import { splitOptions } from './split-options.ts';
import { requireDuplex } from './transport.ts';

/**
 * Runs the server's end of TLS over an existing transport. The socket takes ownership of `transport`: the caller must not read,
 * write, end or destroy it any more. 'secure' is emitted when the handshake is complete; a failure before that is an 'error' of
 * the socket. To let clients resume, pass the same result of defineServer() for all connections: each call with options makes
 * a session cache of its own.
 * @throws TypeError or RangeError naming the option that is wrong; TypeError for a transport that does not produce bytes
 */
export function accept(transport: Duplex, options: NodeServerOptions | ServerConfig): TlsSocket {
  requireDuplex(transport);
  const { config, socket, faults } = splitOptions(options);
  if (typeof faults === 'function') throw new TypeError('faults: an array is wanted, as this is one connection');
  return new TlsSocket(transport, config, { ...socket, faults });
}
