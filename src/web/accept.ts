/** The Web shell: TLS over any pair of Web Streams. */

import type { ServerConfig } from '../engine/server/config.ts';
import { defineServer } from '../engine/server/define-server.ts';
import type { ServerOptions } from '../engine/server/options.ts';
import { type AcceptOptions, acceptDefined, isDefined } from './accept-defined.ts';
import type { BytesPair } from './streams.ts';
import type { TlsConnection } from './tls-connection.ts';

/**
 * Serves TLS over a byte stream each way, which it owns from here on. Resolves when the handshake is complete.
 *
 * Nothing is read while the application does not read, or while one of its callbacks has yet to answer; nothing is protected
 * before the transport has room for it. `config` may be options, which make a server for this one connection: clients resume
 * where connections share what {@link defineServer} returned, or a `sessions.cache`.
 *
 *     const tls = await accept(fromMessagePort(port), defineServer({ credentials: [{ cert, key }] }));
 *     await tls.readable.pipeTo(tls.writable); // echo
 *
 * Rejects with a TypeError or RangeError for options or streams that cannot be; with the {@link TlsAlert}, ours or the peer's,
 * that ended the handshake, after ours has been written and the transport's writable closed (or two seconds have gone by); with a
 * {@link TruncationError} where the transport ended; with the transport's error.
 */
export async function accept(
  transport: BytesPair,
  config: ServerConfig | ServerOptions,
  options?: AcceptOptions,
): Promise<TlsConnection> {
  return await acceptDefined(transport, isDefined(config) ? config : defineServer(config), options);
}
