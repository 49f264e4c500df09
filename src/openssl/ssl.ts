/**
 * SSL_CTX and SSL. Each method is a function of OpenSSL's, with its return values; the base classes have those that need no
 * callback. The two are in one file because each names the other: a callback of the context gets the connection.
 */

import { later } from '../awaitable.ts';
import type { OnTake } from '../cache/callbacks.ts';
import type { RandomBytes } from '../crypto/provider.ts';
import type { ServerConfig } from '../engine/server/config.ts';
import { brandConfig, isServerConfig } from '../engine/server/config-brand.ts';
import { configure } from '../engine/server/configure.ts';
import { ALL_PARTS } from '../engine/server/define-server.ts';
import { earlyData } from '../engine/server/early-data.ts';
import type { ServerOptions } from '../engine/server/options.ts';
import { connectionOf, type ServerConnection } from '../engine/server/server-connection.ts';
import type { TicketCallbacks, TicketPolicy } from '../engine/server/ticket-policy.ts';
import { sealedTickets } from '../engine/server/ticket-sealing.ts';
import { withWarning } from '../engine/server/warnings.ts';
import { clientCertificates } from '../handshake/server/client-authentication.ts';
import type { TicketSettings } from '../handshake/server/settings.ts';
import type { ConnectionInfo } from '../sessions/connection-info.ts';
import type { Session } from '../sessions/session.ts';
import { kindOf, requireBytes } from '../wire/kind-of.ts';
import { drawRandom } from '../world.ts';
import {
  type AllowEarlyData,
  type AskPsk,
  type FindPskSession,
  type GenerateSessionId,
  type GetSession,
  generateId,
  getSession,
  type NewSession,
  type NotResumableSession,
  type RemoveSession,
  requireCallback,
  type VerifyChain,
  yes,
} from './callbacks.ts';
import { SSL_OP_ALLOW_NO_DHE_KEX, SSL_OP_NO_TLSv1_2, SSL_OP_NO_TLSv1_3 } from './constants.ts';
import { ContextSessions } from './context-sessions.ts';
import type { Copied } from './copied-settings.ts';
import { earlyDataSettings, takesSessions, UsedIds } from './early-data.ts';
import { pskSource } from './psk.ts';
import { attached, requireSslOptions, SslConnection, type SslOptions } from './ssl-connection.ts';
import {
  type AskTicketKey,
  type DecryptTicket,
  type GenerateTicket,
  onDecryptTicket,
  onGenerateTicket,
  ticketKeyProvider,
} from './ticket-callbacks.ts';
import { ContextTicketKeys } from './ticket-keys.ts';
import { ticketSettings, ticketSettingsOf } from './ticket-settings.ts';
import { clientAuth, initialVerify } from './verify.ts';

/** SSL_CTX_sess_set_new_cb(3); see {@link NewSession}. */
export type NewSessionCallback = NewSession<Ssl>;
/** SSL_CTX_sess_set_get_cb(3); see {@link GetSession}. */
export type GetSessionCallback = GetSession<Ssl>;
/** SSL_CTX_sess_set_remove_cb(3); see {@link RemoveSession}. */
export type RemoveSessionCallback = RemoveSession<SslContext>;
/** SSL_CTX_set_generate_session_id(3); see {@link GenerateSessionId}. */
export type GenerateSessionIdCallback = GenerateSessionId<Ssl>;
/** SSL_CTX_set_not_resumable_session_callback(3); see {@link NotResumableSession}. */
export type NotResumableSessionCallback = NotResumableSession<Ssl>;
/** SSL_CTX_set_allow_early_data_cb(3); see {@link AllowEarlyData}. */
export type AllowEarlyDataCallback = AllowEarlyData<Ssl>;
/** SSL_CTX_set_psk_find_session_callback(3); see {@link FindPskSession}. */
export type PskFindSessionCallback = FindPskSession<Ssl>;
/** SSL_CTX_set_psk_server_callback(3); see {@link AskPsk}. */
export type PskServerCallback = AskPsk<Ssl>;
/** SSL_CTX_set_verify(3), SSL_CTX_set_cert_verify_callback(3); see {@link VerifyChain}. */
export type VerifyCallback = VerifyChain<Ssl>;
/** SSL_CTX_set_tlsext_ticket_key_evp_cb(3); see {@link AskTicketKey}. */
export type TicketKeyCallback = AskTicketKey<Ssl>;
/** SSL_CTX_set_session_ticket_cb(3), `gen_cb`; see {@link GenerateTicket}. */
export type GenerateTicketCallback = GenerateTicket<Ssl>;
/** SSL_CTX_set_session_ticket_cb(3), `dec_cb`; see {@link DecryptTicket}. */
export type DecryptTicketCallback = DecryptTicket<Ssl>;

/**
 * SSL: one connection. Bytes of the peer go in by {@link Ssl.receive}; bytes for it come out by {@link Ssl.take}, or by
 * `send` of the options. Settings change only a handshake that has not started.
 */
export class Ssl extends SslConnection<Ssl> {
  readonly #ctx: SslContext;
  #generate: GenerateSessionIdCallback | null = null;
  #notResumable: NotResumableSessionCallback | null = null;

  /** SSL_new(3). Takes a reference to the context, which {@link free} gives back. */
  constructor(ctx: SslContext, options: SslOptions = {}, connection?: ServerConnection) {
    if (!(ctx instanceof SslContext)) throw new TypeError(`ctx: an SslContext is wanted, not ${kindOf(ctx)}`);
    requireSslOptions(options);
    super(ctx, options, connection);
    this.#ctx = ctx;
  }

  /** The connection that a callback is called for: always the same object for a connection. */
  static of(info: ConnectionInfo, ctx: SslContext): Ssl {
    const connection = connectionOf(info);
    if (connection === undefined) throw new Error('no connection of this engine');
    const ssl = attached.get(connection);
    return ssl instanceof Ssl ? ssl : new Ssl(ctx, {}, connection);
  }

  /** SSL_get_SSL_CTX(3) */
  getSslContext(): SslContext {
    return this.#ctx;
  }

  /** SSL_set_generate_session_id(3) */
  setGenerateSessionId(callback: GenerateSessionIdCallback | null): number {
    requireCallback('setGenerateSessionId()', callback);
    this.#generate = callback;
    if (callback !== null) this.#ctx.expectGeneratedIds();
    return 1;
  }

  get generateSessionId(): GenerateSessionIdCallback | null {
    return this.#generate;
  }

  /** SSL_set_not_resumable_session_callback(3) */
  setNotResumableSessionCallback(callback: NotResumableSessionCallback | null): void {
    requireCallback('setNotResumableSessionCallback()', callback);
    this.#notResumable = callback;
  }

  get notResumableSession(): NotResumableSessionCallback | null {
    return this.#notResumable;
  }

  /** SSL_has_matching_session_id(3). Returns 1 if the internal cache has a session with this id. */
  hasMatchingSessionId(id: Uint8Array): number {
    const version = this.connection?.version;
    const { cache } = this.#ctx.config.store;
    return Number(version !== undefined && cache?.has(version, id));
  }
}

const OWN_TICKET_CALLBACKS = ['onGenerate', 'onDecrypt'] as const;

/** SSL_CTX: what the connections of a server share. Its settings are for connections made later. */
export class SslContext extends ContextSessions<Ssl> {
  readonly #base: ServerConfig;
  readonly #ticketKeys: ContextTicketKeys;
  readonly #ticketCallbacks: { -readonly [K in keyof TicketCallbacks]: TicketCallbacks[K] } = {};
  readonly #ticketPolicy: TicketPolicy;
  readonly #onTake: OnTake | undefined;
  readonly #used = new UsedIds();
  /** Bytes of early data that all connections hold together. */
  readonly #held: { bytes: number };
  #references = 1;
  #newCallback: NewSessionCallback | null = null;
  #getCallback: GetSessionCallback | null = null;
  #removeCallback: RemoveSessionCallback | null = null;
  #generate: GenerateSessionIdCallback | null = null;
  #notResumable: NotResumableSessionCallback | null = null;

  /**
   * SSL_CTX_new(3). The context starts with the settings of `server`, except that tickets are stateless until SSL_OP_NO_TICKET
   * is set, unless `tickets.mode` is 'off'.
   * @throws TypeError if `sessions` or `tickets` has callbacks, which the setters of the context take instead; whatever
   * defineServer() throws
   */
  constructor(server: ServerConfig | ServerOptions) {
    const base = isServerConfig(server) ? server : configure(server, ALL_PARTS);
    super(base, {
      idContext: base.idContext,
      options: 0,
      numTickets: base.tickets.initial,
      quietShutdown: 0,
      maxEarlyData: base.earlyData?.maxSize ?? 0,
      allowEarlyData: null,
      findPskSession: null,
      pskServer: null,
      ...initialVerify(base.clientAuth),
    });
    const { keys, callbacks, acceptsForeign } = base.ticketPolicy;
    const other = OWN_TICKET_CALLBACKS.find((name) => callbacks[name] !== undefined);
    if (other !== undefined) throw new TypeError(`tickets.${other}: give the context a callback of its own instead`);
    this.#base = base;
    this.#held = base.earlyData?.held ?? { bytes: 0 };
    this.#onTake = base.store.policy.onTake;
    this.#ticketKeys = new ContextTicketKeys(randomBytes(base), base.hasOwnTicketKeys ? keys : undefined);
    const ticketKeys = this.#ticketKeys;
    this.#ticketPolicy = { keys: ticketKeys, sealing: sealedTickets, acceptsForeign, callbacks: this.#ticketCallbacks };
    this.policy.notResumable = (info, isForwardSecure) => this.#rulesOut(this.#ssl(info), isForwardSecure);
  }

  /**
   * The configuration for a shell: `createServer(ctx.config, …)`, `accept(transport, ctx.config)`. It copies and shares the same
   * settings as an {@link Ssl}.
   */
  get config(): ServerConfig {
    return this.configFor(this.settings);
  }

  /** @internal The settings that a new {@link Ssl} copies. */
  get copied(): Copied<Ssl> {
    return this.settings;
  }

  /** @internal The configuration of one connection. Cache, mode, callbacks, ticket keys and timeout remain those of the context. */
  configFor(copied: Copied<Ssl>): ServerConfig {
    const { idContext, options } = copied;
    const base = this.#base;
    const store = this.store;
    const sslOf = (info: ConnectionInfo) => this.#ssl(info);
    const own = {
      earlyData: earlyDataSettings(copied, { ...base, held: this.#held }, sslOf),
      zeroRtt: base.zeroRtt ?? earlyData,
      tickets: this.#tickets(copied),
    };
    const psksOf = (server: ServerConfig) => pskSource(copied, server, sslOf);
    const config = brandConfig({
      ...base,
      store,
      ticketPolicy: this.#ticketPolicy,
      hasOwnStore: false, // in OpenSSL a connection keeps the cache of the context that it was made with
      onServerName: base.onServerName && ((name?: string) => this.#select(name, own, psksOf)),
      idContext,
      clientAuth: clientAuth(copied, base.clientAuth, sslOf),
      clientCertificates,
      minVersion: options & SSL_OP_NO_TLSv1_2 ? 'TLSv1.3' : base.minVersion,
      maxVersion: options & SSL_OP_NO_TLSv1_3 ? 'TLSv1.2' : base.maxVersion,
      pskModes: options & SSL_OP_ALLOW_NO_DHE_KEX ? (['psk_dhe_ke', 'psk_ke'] as const) : base.pskModes,
      ...own,
      psks: psksOf(base),
      sessionTimeout: () => this.getTimeout(),
      addSession: (session: Session) => store.add(session),
      removeSession: (session: Session) => store.remove(session),
      flushSessions: (now?: number, atMost?: number) => store.flush(now, atMost),
      closeSessions: () => store.close(),
      statistics: () => store.statistics(),
    });
    return withWarning(config, this);
  }

  /** SSL_CTX_up_ref(3). Takes a reference, and returns the context. @throws Error if no reference is left */
  upRef(): this {
    if (this.#references === 0) throw new Error('use of a context that has no reference left');
    this.#references++;
    return this;
  }

  /**
   * SSL_CTX_free(3). Gives back a reference. The last call, which may be that of a connection, removes all sessions, which calls the
   * remove callback, and wipes the ticket keys. @throws Error if no reference is left
   */
  free(): void {
    if (this.#references === 0) throw new Error('free() of a context that has no reference left');
    if (--this.#references > 0) return;
    this.store.close();
    this.#ticketKeys.close();
  }

  /** SSL_CTX_sess_set_new_cb(3). `null` removes the callback. */
  setNewSessionCallback(callback: NewSessionCallback | null): void {
    requireCallback('setNewSessionCallback()', callback);
    this.#newCallback = callback;
    this.policy.onNew = callback === null ? undefined : (session, info) => yes(callback(this.#ssl(info), session));
  }

  /** SSL_CTX_sess_get_new_cb(3) */
  getNewSessionCallback(): NewSessionCallback | null {
    return this.#newCallback;
  }

  /** SSL_CTX_sess_set_get_cb(3) */
  setGetSessionCallback(callback: GetSessionCallback | null): void {
    requireCallback('setGetSessionCallback()', callback);
    this.#getCallback = callback;
    this.policy.onGet = callback === null ? undefined : (id, info) => getSession(callback, this.#ssl(info), id);
    // SSL_read_early_data(3), replay protection: the internal cache decides who is first, and the remove callback is told.
    this.policy.onTake = this.#onTake ?? (callback === null ? undefined : (id) => this.#takeOnce(id));
  }

  /** SSL_CTX_sess_get_get_cb(3) */
  getGetSessionCallback(): GetSessionCallback | null {
    return this.#getCallback;
  }

  /** SSL_CTX_sess_set_remove_cb(3) */
  setRemoveSessionCallback(callback: RemoveSessionCallback | null): void {
    requireCallback('setRemoveSessionCallback()', callback);
    this.#removeCallback = callback;
    this.policy.onRemove = callback === null ? undefined : (session, reason) => callback(this, session, reason);
  }

  /** SSL_CTX_sess_get_remove_cb(3) */
  getRemoveSessionCallback(): RemoveSessionCallback | null {
    return this.#removeCallback;
  }

  /** SSL_CTX_get_verify_callback(3) */
  getVerifyCallback(): VerifyCallback | null {
    return this.settings.verifyCallback;
  }

  /** SSL_CTX_set_generate_session_id(3) */
  setGenerateSessionId(callback: GenerateSessionIdCallback | null): number {
    requireCallback('setGenerateSessionId()', callback);
    this.#generate = callback;
    if (callback !== null) this.expectGeneratedIds();
    return 1;
  }

  /** Called by an {@link Ssl} with a callback of its own: from now on ids may have other lengths than the engine's. */
  expectGeneratedIds(): void {
    this.policy.generateId = (info) => this.#generateId(this.#ssl(info));
  }

  /** SSL_CTX_set_not_resumable_session_callback(3) */
  setNotResumableSessionCallback(callback: NotResumableSessionCallback | null): void {
    requireCallback('setNotResumableSessionCallback()', callback);
    this.#notResumable = callback;
  }

  /**
   * SSL_CTX_get_tlsext_ticket_keys(3). Returns 80 bytes, for the caller to wipe: random ones, unless others were set. Returns
   * `null` if the server was defined with `tickets.keys`.
   */
  getTlsextTicketKeys(): Uint8Array | null {
    return this.#ticketKeys.export() ?? null;
  }

  /**
   * SSL_CTX_set_tlsext_ticket_keys(3). Copies 80 bytes and returns 1; returns 0 for any other length. Tickets sealed under the
   * previous keys no longer open. @throws WeakTicketKeyError for keys that can be guessed
   */
  setTlsextTicketKeys(keys: Uint8Array): number {
    requireBytes('setTlsextTicketKeys()', keys);
    return Number(this.#ticketKeys.import(keys));
  }

  /** SSL_CTX_set_tlsext_ticket_key_evp_cb(3). The callback replaces all other keys; `null` removes it. */
  setTlsextTicketKeyCallback(callback: TicketKeyCallback | null): number {
    requireCallback('setTlsextTicketKeyCallback()', callback);
    this.#ticketKeys.callback =
      callback === null ? undefined : ticketKeyProvider(callback, (info) => this.#ssl(info), randomBytes(this.#base));
    return 1;
  }

  /** SSL_CTX_set_session_ticket_cb(3). `null` removes a callback. */
  setSessionTicketCallback(generate: GenerateTicketCallback | null, decrypt: DecryptTicketCallback | null): number {
    for (const callback of [generate, decrypt]) requireCallback('setSessionTicketCallback()', callback);
    const sslOf = (info: ConnectionInfo) => this.#ssl(info);
    this.#ticketCallbacks.onGenerate = generate === null ? undefined : onGenerateTicket(generate, sslOf);
    this.#ticketCallbacks.onDecrypt = decrypt === null ? undefined : onDecryptTicket(decrypt, sslOf);
    return 1;
  }

  /** Takes a session out of the internal cache. Both are done in any case: the remove callback is to hear of each. */
  #takeOnce(id: Uint8Array): boolean {
    const wasCached = this.store.cache?.take('TLSv1.3', id) === true;
    return this.#used.isFirst(id) && wasCached;
  }

  #tickets(copied: Copied<Ssl>): TicketSettings {
    const base = this.#base;
    const takes = takesSessions(copied, base.earlyData);
    const tickets = ticketSettings(base.tickets, copied, takes);
    return takes && base.earlyData === undefined ? { ...tickets, singleUse: true } : tickets;
  }

  /**
   * The configuration that a server name selects. Tickets remain those of this context, stateless only if both say so. Early data and PSKs
   * that callbacks find are the connection's own.
   */
  #select(
    name: string | undefined,
    own: Pick<ServerConfig, 'earlyData' | 'zeroRtt' | 'tickets'>,
    psksOf: (server: ServerConfig) => ServerConfig['psks'],
  ) {
    return later(this.#base.onServerName?.(name), (selected) => {
      if (!isServerConfig(selected)) return selected; // nothing, or an error that the engine reports
      return brandConfig({
        ...selected,
        ticketPolicy: this.#ticketPolicy,
        ...own,
        psks: psksOf(selected),
        tickets: ticketSettingsOf(selected.tickets, own.tickets),
      });
    });
  }

  #ssl(info: ConnectionInfo): Ssl {
    return Ssl.of(info, this);
  }

  /** The connection's own callback comes before the context's. */
  #generateId(ssl: Ssl): Uint8Array | undefined {
    const callback = ssl.generateSessionId ?? this.#generate;
    return callback === null ? undefined : generateId(callback, ssl);
  }

  #rulesOut(ssl: Ssl, isForwardSecure: boolean): boolean {
    const callback = ssl.notResumableSession ?? this.#notResumable;
    return callback !== null && Boolean(callback(ssl, Number(isForwardSecure)));
  }
}

function randomBytes({ world }: ServerConfig): RandomBytes {
  return (length) => drawRandom(world, length);
}
