/** The Web shell's connect() for a client that is already defined, so that a bundle need not contain both versions. */

import { ClientConnection, type ConnectOptions } from '../engine/client/client-connection.ts';
import { type ClientConfig, isClientConfig } from '../engine/client/config.ts';
import { type Names, requireOptions } from '../wire/options.ts';
import { establish, STREAM_OPTIONS, type StreamOptions } from './establish.ts';
import type { BytesPair } from './streams.ts';
import { TlsClientConnection } from './tls-client-connection.ts';

/** The options of {@link connect}: those of a {@link ClientConnection}, and how long its handshake may take. */
export interface StreamConnectOptions extends StreamOptions, Omit<ConnectOptions, 'wantsKeylog'> {}

const OPTIONS = {
  ...STREAM_OPTIONS,
  serverName: true,
  host: true,
  port: true,
  sessions: true,
  sessionIsTrusted: true,
  forceSessions: true,
  ticketAge: true,
  earlyData: true,
  edits: true,
  faults: true,
} satisfies Names<StreamConnectOptions>;

/** Runs the client's end of TLS, as {@link connect} of tls-resume/client does. `client` must be a result of defineClient(). */
export async function connectDefined(
  transport: BytesPair,
  client: ClientConfig,
  options: StreamConnectOptions = {},
): Promise<TlsClientConnection> {
  if (!isClientConfig(client)) throw new TypeError('config: what defineClient() returned is wanted, and no copy');
  requireOptions('options', options, OPTIONS);
  const { handshakeTimeout: _, signal: __, onCallbackError: ___, ...ofConnection } = options;
  const connection = new ClientConnection(client, ofConnection);
  const { lookupTimeoutMs } = client.sessions;
  const begin = () => connection.connect();
  return new TlsClientConnection(await establish(transport, connection, { lookupTimeoutMs, options, begin }));
}
