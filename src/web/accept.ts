/** The Web shell: TLS over any pair of Web Streams. */

import type { ServerConfig } from '../config.ts';
import type { ConnectionOptions } from '../connection.ts';
import { defineServer } from '../define-server.ts';
import type { CallbackName } from '../events.ts';
import type { ServerOptions } from '../options.ts';
import type { AbortSignalLike } from '../platform.ts';
import { SessionStore } from '../session-store.ts';
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
  { addresses, signal, onCallbackError }: AcceptOptions = {},
): Promise<TlsConnection> {
  const server = isDefined(config) ? config : defineServer(config);
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

function isDefined(config: ServerConfig | ServerOptions): config is ServerConfig {
  return typeof config === 'object' && config !== null && 'store' in config && config.store instanceof SessionStore;
}
