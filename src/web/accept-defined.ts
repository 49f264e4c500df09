/** The Web shell's accept() for a server that is already defined, so that a bundle need not contain defineServer(). */

import { callback } from '../engine/checks.ts';
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
  /**
   * Called when early data has been accepted, before the handshake is complete, with the connection that {@link accept} will resolve
   * with. Its `earlyReadable` has the early data, and `writable` may be written to. Without it, early data is the first in `readable`, once
   * the handshake is complete.
   */
  readonly onEarlyData?: ((connection: TlsConnection) => void) | undefined;
  /** What the connection is to send otherwise than it should, for tests of clients: values of tls-resume/testing. */
  readonly faults?: ConnectionOptions['faults'] | undefined;
}

const OPTIONS = { ...STREAM_OPTIONS, addresses: true, onEarlyData: true, faults: true } satisfies Names<AcceptOptions>;

/** Serves TLS over a byte stream each way, as {@link accept} of the index does. `server` must be a result of defineServer(). */
export async function acceptDefined(
  transport: BytesPair,
  server: ServerConfig,
  options: AcceptOptions = {},
): Promise<TlsConnection> {
  if (!isServerConfig(server)) throw notAConfig('config', server);
  requireOptions('options', options, OPTIONS);
  const { addresses, faults, onEarlyData } = options;
  callback('onEarlyData', onEarlyData);
  const connection = new ServerConnection(server, { addresses, faults, keyTimer: setKeyTimer });
  const { lookupTimeoutMs } = server;
  let early: TlsConnection | undefined;
  const shell = await establish(transport, connection, {
    lookupTimeoutMs,
    options,
    onEarlyData: (begun) => {
      if (onEarlyData === undefined) return;
      early = new TlsConnection(begun);
      onEarlyData(early);
    },
  });
  return early ?? new TlsConnection(shell);
}
