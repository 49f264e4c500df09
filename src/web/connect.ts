/** The Web shell's client: TLS over any pair of Web Streams. */

import { type ClientConfig, isClientConfig } from '../engine/client/config.ts';
import { defineClient } from '../engine/client/define-client.ts';
import type { ClientOptions } from '../engine/client/options.ts';
import { connectDefined, type StreamConnectOptions } from './connect-defined.ts';
import type { BytesPair } from './streams.ts';
import type { TlsClientConnection } from './tls-client-connection.ts';
import { requirePair } from './transport.ts';

/**
 * Runs the client's end of TLS over a byte stream each way, and resolves when the handshake is complete. It locks both streams and
 * owns them.
 *
 * It reads from the transport only while the application reads, and not while a callback has yet to answer; it encrypts data only
 * when the transport has room for it. `config` may be options, which define a client for this connection alone. To resume, share a
 * result of {@link defineClient} between connections, and say by `host` and `port` where each transport leads to: sessions are kept by them
 * and by `serverName`.
 *
 *     const client = defineClient({ pins: [pin] });
 *     const tls = await connect(fromMessagePort(port), client, { serverName: 'example.com' });
 *     const writer = tls.writable.getWriter();
 *     await writer.write(request);
 *
 * Rejects with
 * - a TypeError or RangeError for invalid options, sessions or streams;
 * - the {@link TlsAlert} that ended the handshake, such as certificate_unknown after `verifyServer` has refused the server; ours only when
 *   it has been written and the transport's writable has closed, or after two seconds;
 * - a {@link TruncationError} if the transport ended without close_notify (RFC 9846 §6.1);
 * - the error of the transport, or the reason of `options.signal`;
 * - an Error with the code 'ERR_TLS_HANDSHAKE_TIMEOUT' after `options.handshakeTimeout`, default two minutes.
 */
export async function connect(
  transport: BytesPair,
  config: ClientConfig | ClientOptions,
  options?: StreamConnectOptions,
): Promise<TlsClientConnection> {
  requirePair(transport);
  return await connectDefined(transport, isClientConfig(config) ? config : defineClient(config), options);
}
