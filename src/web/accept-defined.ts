/** The Web shell's accept() for a server that is already defined, so that a bundle need not contain defineServer(). */

import { setKeyTimer } from '../engine/key-timer.ts';
import type { ServerConfig } from '../engine/server/config.ts';
import { isServerConfig, notAConfig } from '../engine/server/config-brand.ts';
import { type ConnectionOptions, ServerConnection } from '../engine/server/server-connection.ts';
import { type Names, requireOptions } from '../wire/options.ts';
import { establish, STREAM_OPTIONS, type StreamOptions } from './establish.ts';
import type { BytesPair } from './streams.ts';
import { TlsConnection } from './tls-connection.ts';

/** The options of {@link accept}. */
export interface AcceptOptions extends StreamOptions {
  /** The addresses of both ends, for callbacks; a function is called when a callback is. */
  readonly addresses?: ConnectionOptions['addresses'] | undefined;
  /** What the connection is to send otherwise than it should, for tests of clients: values of tls-resume/testing. */
  readonly faults?: ConnectionOptions['faults'] | undefined;
}

const OPTIONS = { ...STREAM_OPTIONS, addresses: true, faults: true } satisfies Names<AcceptOptions>;

/** Serves TLS over a byte stream each way, as {@link accept} of the index does. `server` must be a result of defineServer(). */
export async function acceptDefined(
  transport: BytesPair,
  server: ServerConfig,
  options: AcceptOptions = {},
): Promise<TlsConnection> {
  if (!isServerConfig(server)) throw notAConfig('config', server);
  requireOptions('options', options, OPTIONS);
  const { addresses, faults } = options;
  const connection = new ServerConnection(server, { addresses, faults, keyTimer: setKeyTimer });
  const { lookupTimeoutMs } = server;
  return new TlsConnection(await establish(transport, connection, { lookupTimeoutMs, options }));
}
