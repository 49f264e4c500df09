/** The Web shell: TLS over any pair of Web Streams. */

import type { ServerConfig } from '../engine/server/config.ts';
import { isServerConfig } from '../engine/server/config-brand.ts';
import { defineServer } from '../engine/server/define-server.ts';
import type { ServerOptions } from '../engine/server/options.ts';
import { type AcceptOptions, acceptDefined } from './accept-defined.ts';
import type { BytesPair } from './streams.ts';
import type { TlsConnection } from './tls-connection.ts';
import { requirePair } from './transport.ts';

/**
 * Serves TLS over a byte stream each way, and resolves when the handshake is complete. It locks both streams and owns them.
 *
 * It reads from the transport only while the application reads, and not while a callback has yet to answer; it encrypts data only
 * when the transport has room for it. `config` may be options, which define a server for this connection alone. To let clients
 * resume, share a result of {@link defineServer}, or a `sessions.cache`, between connections.
 *
 *     const tls = await accept(fromMessagePort(port), defineServer({ credentials: [{ cert, key }] }));
 *     await tls.readable.pipeTo(tls.writable); // echo
 *
 * Rejects with
 * - a TypeError or RangeError for invalid options or streams;
 * - the {@link TlsAlert} that ended the handshake; ours only when it has been written and the transport's writable has closed, or
 *   after two seconds;
 * - a {@link TruncationError} if the transport ended without close_notify (RFC 9846 §6.1);
 * - the error of the transport, or the reason of `options.signal`;
 * - an Error with the code 'ERR_TLS_HANDSHAKE_TIMEOUT' after `options.handshakeTimeout`, default two minutes.
 */
export async function accept(
  transport: BytesPair,
  config: ServerConfig | ServerOptions,
  options?: AcceptOptions,
): Promise<TlsConnection> {
  requirePair(transport);
  return await acceptDefined(transport, isServerConfig(config) ? config : defineServer(config), options);
}
