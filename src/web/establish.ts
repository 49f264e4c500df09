/** The handshake of a connection of either role over byte streams: its limit of time, and how it is given up. */

import { callback } from '../engine/checks.ts';
import type { ConnectionCore } from '../engine/core.ts';
import type { Step } from '../engine/events.ts';
import { type AbortSignalLike, platform, requireGlobals } from '../platform.ts';
import { type Names, wrongKind } from '../wire/options.ts';
import { type OnCallbackError, WebShell } from './shell.ts';
import type { BytesPair } from './streams.ts';
import { DEFAULT_HANDSHAKE_TIMEOUT_MS, handshakeTimedOut, requireMilliseconds, startTimer } from './time-limit.ts';

/** The options of one connection over byte streams, of either role. */
export interface StreamOptions {
  /**
   * Milliseconds that the handshake may take, default 120000; 0 for no limit. After that the transport is aborted, and the promise
   * rejects with an Error whose `code` is 'ERR_TLS_HANDSHAKE_TIMEOUT'.
   */
  readonly handshakeTimeout?: number | undefined;
  /**
   * Aborts the handshake. The transport is aborted, and the promise rejects with the
   * reason of the signal. After the handshake the signal has no effect.
   */
  readonly signal?: (AbortSignalLike & { readonly reason?: unknown }) | undefined;
  /** Called when a callback of the configuration threw, rejected, or did not answer in time. The connection goes on if it can. */
  readonly onCallbackError?: OnCallbackError | undefined;
}

export const STREAM_OPTIONS = {
  handshakeTimeout: true,
  signal: true,
  onCallbackError: true,
} satisfies Names<StreamOptions>;

/** @throws TypeError or RangeError naming the option; MissingGlobal if the host cannot run a shell */
function requireStreamOptions({ signal, onCallbackError, handshakeTimeout }: StreamOptions): void {
  callback('onCallbackError', onCallbackError);
  if (signal !== undefined && typeof signal.addEventListener !== 'function')
    throw wrongKind('signal', 'an AbortSignal', signal);
  requireGlobals('queueMicrotask', 'setTimeout', 'clearTimeout'); // the streams are made at once
  if (handshakeTimeout !== undefined) requireMilliseconds('handshakeTimeout', handshakeTimeout);
}

/** How {@link establish} runs a connection. */
interface Running<C extends ConnectionCore> {
  /** The budget of a Driver. */
  readonly lookupTimeoutMs: number;
  readonly options: StreamOptions;
  /** What the connection says before the peer has said anything. */
  readonly begin?: ((connection: C) => Step) | undefined;
  /** Is called when a server has accepted early data. */
  readonly onEarlyData?: ((shell: WebShell<C>) => void) | undefined;
}

/** Runs a connection over byte streams. Resolves when the handshake is complete. It disposes of the connection in every other case. */
export async function establish<C extends ConnectionCore>(
  transport: BytesPair,
  connection: C,
  { lookupTimeoutMs, options, begin, onEarlyData }: Running<C>,
): Promise<WebShell<C>> {
  const { signal } = options;
  const shell = makeShell(transport, connection, lookupTimeoutMs, options);
  shell.onEarlyData = () => onEarlyData?.(shell);
  const giveUp = (): void => shell.abort(signal?.reason ?? new Error('the handshake was given up'));
  const timer = startLimit(shell, options.handshakeTimeout);
  if (signal?.aborted) giveUp();
  signal?.addEventListener('abort', giveUp);
  if (begin !== undefined) shell.driver.run(() => begin(connection));
  try {
    await shell.established.promise;
  } finally {
    platform.clearTimeout(timer);
    signal?.removeEventListener('abort', giveUp);
  }
  return shell;
}

/** @throws TypeError, RangeError or MissingGlobal, and then the connection holds nothing any more */
function makeShell<C extends ConnectionCore>(
  transport: BytesPair,
  connection: C,
  lookupTimeoutMs: number,
  options: StreamOptions,
): WebShell<C> {
  try {
    requireStreamOptions(options);
    return new WebShell(transport, connection, lookupTimeoutMs, options.onCallbackError);
  } catch (error) {
    connection.dispose();
    throw error;
  }
}

function startLimit<C extends ConnectionCore>(
  shell: WebShell<C>,
  ms = DEFAULT_HANDSHAKE_TIMEOUT_MS,
): ReturnType<typeof startTimer> | undefined {
  return ms === 0 ? undefined : startTimer(() => shell.abort(handshakeTimedOut(ms)), ms);
}
