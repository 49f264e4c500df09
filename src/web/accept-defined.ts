/** The Web shell's accept() for a server that is defined already: it brings no defineServer() along. */

import type { ServerConfig } from '../engine/server/config.ts';
import type { ServerOptions } from '../engine/server/options.ts';
import type { ConnectionOptions } from '../engine/server/server-connection.ts';
import { SessionStore } from '../engine/server/store.ts';
import type { CallbackName } from '../handshake/outcome.ts';
import type { AbortSignalLike } from '../platform.ts';
import { WebShell } from './shell.ts';
import type { BytesPair } from './streams.ts';
import { TlsConnection } from './tls-connection.ts';

export interface AcceptOptions {
  /** Addresses of both ends, for the callbacks of the sessions. */
  readonly addresses?: ConnectionOptions['addresses'];
  /**
   * Gives up a handshake that is not complete: `AbortSignal.timeout(10_000)` bounds it. The transport is aborted, and `accept`
   * rejects with the signal's reason. After the handshake it has no effect.
   */
  readonly signal?: (AbortSignalLike & { readonly reason?: unknown }) | undefined;
  /** A callback of the configuration threw, rejected, or did not answer in time; the connection goes on without it. */
  readonly onCallbackError?: ((callback: CallbackName, error: unknown) => void) | undefined;
}

/** Whether defineServer() has made it, or it is still options. */
export function isDefined(config: ServerConfig | ServerOptions): config is ServerConfig {
  return typeof config === 'object' && config !== null && 'store' in config && config.store instanceof SessionStore;
}

/** As `accept()` of the index, whose options may be no configuration yet. */
export async function acceptDefined(
  transport: BytesPair,
  server: ServerConfig,
  { addresses, signal, onCallbackError }: AcceptOptions = {},
): Promise<TlsConnection> {
  if (!isDefined(server)) throw new TypeError('config: what defineServer() returned is wanted');
  const shell = new WebShell(transport, server, { addresses, onCallbackError });
  const giveUp = (): void => shell.abort(signal?.reason ?? new Error('the handshake was given up'));
  if (signal?.aborted) giveUp();
  signal?.addEventListener('abort', giveUp);
  try {
    await shell.established.promise;
  } finally {
    signal?.removeEventListener('abort', giveUp);
  }
  return new TlsConnection(shell);
}
