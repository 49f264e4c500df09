/** The Web shell's accept() for a server that is already defined, so that a bundle need not contain defineServer(). */

import { callback } from '../engine/checks.ts';
import type { ServerConfig } from '../engine/server/config.ts';
import { isServerConfig, notAConfig } from '../engine/server/config-brand.ts';
import type { ConnectionOptions } from '../engine/server/server-connection.ts';
import type { CallbackName } from '../handshake/outcome.ts';
import { type AbortSignalLike, platform, requireGlobals } from '../platform.ts';
import { type Names, requireOptions, wrongKind } from '../wire/options.ts';
import { WebShell } from './shell.ts';
import type { BytesPair } from './streams.ts';
import { DEFAULT_HANDSHAKE_TIMEOUT_MS, handshakeTimedOut, requireMilliseconds, startTimer } from './time-limit.ts';
import { TlsConnection } from './tls-connection.ts';

export interface AcceptOptions {
  /** The addresses of both ends, for callbacks; a function is called when a callback is. */
  readonly addresses?: ConnectionOptions['addresses'] | undefined;
  /**
   * Milliseconds that the handshake may take, default 120000; 0 for no limit. After that the transport is aborted, and `accept`
   * rejects with an Error whose `code` is 'ERR_TLS_HANDSHAKE_TIMEOUT'.
   */
  readonly handshakeTimeout?: number | undefined;
  /**
   * Aborts the handshake. The transport is aborted, and `accept` rejects with the
   * reason of the signal. After the handshake the signal has no effect.
   */
  readonly signal?: (AbortSignalLike & { readonly reason?: unknown }) | undefined;
  /** Called when a callback of the configuration threw, rejected, or did not answer in time. The connection goes on if it can. */
  readonly onCallbackError?: ((callback: CallbackName, error: unknown) => void) | undefined;
}

const OPTIONS = {
  addresses: true,
  handshakeTimeout: true,
  signal: true,
  onCallbackError: true,
} satisfies Names<AcceptOptions>;

/** @throws TypeError naming the option; the connection checks the addresses */
function requireAcceptOptions(options: AcceptOptions): void {
  requireOptions('options', options, OPTIONS);
  const { signal, onCallbackError } = options;
  callback('onCallbackError', onCallbackError);
  if (signal !== undefined && typeof signal.addEventListener !== 'function')
    throw wrongKind('signal', 'an AbortSignal', signal);
}

/** Serves TLS over a byte stream each way, as {@link accept} of the index does. `server` must be a result of defineServer(). */
export async function acceptDefined(
  transport: BytesPair,
  server: ServerConfig,
  options: AcceptOptions = {},
): Promise<TlsConnection> {
  if (!isServerConfig(server)) throw notAConfig('config', server);
  requireAcceptOptions(options);
  const { addresses, handshakeTimeout = DEFAULT_HANDSHAKE_TIMEOUT_MS, signal, onCallbackError } = options;
  requireGlobals('queueMicrotask', 'setTimeout', 'clearTimeout'); // the streams are made at once
  requireMilliseconds('handshakeTimeout', handshakeTimeout);
  const shell = new WebShell(transport, server, { addresses, onCallbackError });
  const giveUp = (): void => shell.abort(signal?.reason ?? new Error('the handshake was given up'));
  const late = (): void => shell.abort(handshakeTimedOut(handshakeTimeout));
  const timer = handshakeTimeout === 0 ? undefined : startTimer(late, handshakeTimeout);
  if (signal?.aborted) giveUp();
  signal?.addEventListener('abort', giveUp);
  try {
    await shell.established.promise;
  } finally {
    platform.clearTimeout(timer);
    signal?.removeEventListener('abort', giveUp);
  }
  return new TlsConnection(shell);
}
