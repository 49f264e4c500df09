/** The settings that a connection copies from its context when it is made, and may then change for itself. */

import { copyOf } from '../wire/bytes.ts';
import { requireBytes } from '../wire/kind-of.ts';
import { requireNumber } from '../wire/options.ts';
import {
  type AllowEarlyData,
  type AskPsk,
  type FindPskSession,
  type Int,
  requireCallback,
  requireInt,
  type VerifyChain,
} from './callbacks.ts';
import { SSL_MAX_SID_CTX_LENGTH } from './constants.ts';
import type { EarlyDataLimits } from './early-data.ts';
import { isNumTickets, requireKnown } from './options.ts';
import type { PskCallbacks } from './psk.ts';
import { changedVerify, type Verify } from './verify.ts';

/** Replaced as a whole at each change, so that a connection may share the object with its context. */
export interface Copied<S> extends Verify<S>, EarlyDataLimits<S>, PskCallbacks<S> {
  readonly idContext: Uint8Array;
  readonly options: number;
  readonly numTickets: number;
  readonly quietShutdown: number;
}

/**
 * The functions that SSL_CTX and SSL have in common. In a context they affect connections made later; in a connection they affect
 * a handshake that has not started.
 */
export abstract class CopiedSettings<S> {
  /** @internal */
  protected settings: Copied<S>;
  readonly #exData = new Map<number, unknown>();

  /** @internal */
  protected constructor(settings: Copied<S>) {
    this.settings = settings;
  }

  /** SSL_CTX_set_session_id_context(3). Copies `context` and returns 1; returns 0 if it is longer than 32 bytes. */
  setSessionIdContext(context: Uint8Array): number {
    requireBytes('setSessionIdContext()', context, '; new TextEncoder().encode() makes one of a text');
    if (context.length > SSL_MAX_SID_CTX_LENGTH) return 0;
    this.settings = { ...this.settings, idContext: copyOf(context) };
    return 1;
  }

  /** SSL_CTX_set_options(3). Adds `options`, and returns the result. @throws RangeError for an option without meaning here */
  setOptions(options: number): number {
    requireInt('setOptions()', options);
    this.settings = { ...this.settings, options: this.settings.options | requireKnown(options) };
    return this.settings.options;
  }

  /** SSL_CTX_clear_options(3). Removes `options`, and returns the result. */
  clearOptions(options: number): number {
    requireInt('clearOptions()', options);
    this.settings = { ...this.settings, options: this.settings.options & ~options };
    return this.settings.options;
  }

  /** SSL_CTX_get_options(3) */
  getOptions(): number {
    return this.settings.options;
  }

  /** SSL_CTX_set_num_tickets(3): tickets after a full handshake of TLS 1.3, 0 to 255. Returns 1, or 0 for any other number. */
  setNumTickets(numTickets: number): number {
    requireNumber('setNumTickets()', numTickets);
    if (!isNumTickets(numTickets)) return 0;
    this.settings = { ...this.settings, numTickets };
    return 1;
  }

  /** SSL_CTX_get_num_tickets(3) */
  getNumTickets(): number {
    return this.settings.numTickets;
  }

  /**
   * SSL_CTX_set_verify(3). `null` keeps the present callback, which is `clientAuth.verifyClient` at first. With SSL_VERIFY_PEER
   * and neither callback, a client that presents a certificate is refused; with SSL_VERIFY_PEER and no session id context, no
   * session is issued. @throws RangeError for a mode without meaning here
   */
  setVerify(mode: number, callback: VerifyChain<S> | null = null): void {
    this.settings = { ...this.settings, ...changedVerify(this.settings, mode, callback) };
  }

  /** SSL_CTX_get_verify_mode(3) */
  getVerifyMode(): number {
    return this.settings.verifyMode;
  }

  /**
   * SSL_CTX_set_max_early_data(3): how many bytes of early data a ticket allows its client to send; 0, which is the default, for none. Returns
   * 1. Unless the option `earlyData` has named another strategy against replay, sessions are good for one use from then on, and the server keeps
   * them as with SSL_OP_NO_TICKET. @throws RangeError for what is not 0 to 4294967295
   */
  setMaxEarlyData(maxEarlyData: number): number {
    requireInt('setMaxEarlyData()', maxEarlyData);
    if (maxEarlyData < 0 || maxEarlyData > 0xffffffff)
      throw new RangeError(`setMaxEarlyData(): ${maxEarlyData} is given; 0 to 4294967295 bytes are possible`);
    this.settings = { ...this.settings, maxEarlyData };
    return 1;
  }

  /** SSL_CTX_get_max_early_data(3) */
  getMaxEarlyData(): number {
    return this.settings.maxEarlyData;
  }

  /** SSL_CTX_set_allow_early_data_cb(3). `null` removes the callback. */
  setAllowEarlyDataCallback(callback: AllowEarlyData<S> | null): void {
    requireCallback('setAllowEarlyDataCallback()', callback);
    this.settings = { ...this.settings, allowEarlyData: callback };
  }

  /**
   * SSL_CTX_set_psk_find_session_callback(3). The callback, and that of {@link setPskServerCallback}, replace `psks` of the options; `null`
   * removes it. It is asked about each identity that a client of TLS 1.3 offers, tickets included.
   */
  setPskFindSessionCallback(callback: FindPskSession<S> | null): void {
    requireCallback('setPskFindSessionCallback()', callback);
    this.settings = { ...this.settings, findPskSession: callback };
  }

  /**
   * SSL_CTX_set_psk_server_callback(3). `null` removes the callback. It is asked in both versions, after the one of
   * {@link setPskFindSessionCallback}, and only about identities that are text of at most 256 bytes.
   */
  setPskServerCallback(callback: AskPsk<S> | null): void {
    requireCallback('setPskServerCallback()', callback);
    this.settings = { ...this.settings, pskServer: callback };
  }

  /** SSL_CTX_set_quiet_shutdown(3): whether {@link Ssl.shutdown} sends no close_notify. */
  setQuietShutdown(mode: Int): void {
    if (typeof mode !== 'boolean') requireInt('setQuietShutdown()', mode);
    this.settings = { ...this.settings, quietShutdown: Number(mode) };
  }

  /** SSL_CTX_get_quiet_shutdown(3) */
  getQuietShutdown(): number {
    return this.settings.quietShutdown;
  }

  /** SSL_CTX_set_ex_data(3). Any number is an index. The data of a context can be read in its last remove callbacks, too. */
  setExData(index: number, data: unknown): number {
    this.#exData.set(index, data);
    return 1;
  }

  /** SSL_CTX_get_ex_data(3). Returns `null` if nothing was set. */
  getExData(index: number): unknown {
    return this.#exData.get(index) ?? null;
  }
}
