/** SSL_CTX: what a server's connections share. Every method is a function of OpenSSL's, with its answers. */

import { SessionCache } from '../cache/session-cache.ts';
import type { RandomBytes } from '../crypto/provider.ts';
import type { ServerConfig } from '../engine/server/config.ts';
import { defineServer } from '../engine/server/define-server.ts';
import type { CacheMode, ServerOptions, TicketCallbacks } from '../engine/server/options.ts';
import type { SessionPolicy } from '../engine/server/policy.ts';
import { SessionStore } from '../engine/server/store.ts';
import type { TicketPolicy } from '../engine/server/ticket-judging.ts';
import { sealedTickets } from '../engine/server/ticket-sealing.ts';
import { clientCertificates } from '../handshake/server/client-authentication.ts';
import type { TicketSettings } from '../handshake/server/settings.ts';
import type { ConnectionInfo } from '../sessions/connection-info.ts';
import type { Session } from '../sessions/session.ts';
import { copyOf } from '../wire/bytes.ts';
import {
  type GenerateSessionIdCallback,
  type GetSessionCallback,
  generateId,
  getSession,
  type Int,
  type NewSessionCallback,
  type NotResumableSessionCallback,
  type RemoveSessionCallback,
  then,
  type VerifyCallback,
  yes,
} from './callbacks.ts';
import {
  SESS_CACHE_NO_AUTO_CLEAR,
  SESS_CACHE_NO_INTERNAL,
  SESS_CACHE_NO_INTERNAL_LOOKUP,
  SESS_CACHE_NO_INTERNAL_STORE,
  SESS_CACHE_SERVER,
  SESS_CACHE_UPDATE_TIME,
  SSL_MAX_SID_CTX_LENGTH,
  SSL_OP_ALLOW_NO_DHE_KEX,
  SSL_OP_NO_TLSv1_2,
  SSL_OP_NO_TLSv1_3,
} from './constants.ts';
import { isNumTickets, requireKnown } from './options.ts';
import { Ssl } from './ssl.ts';
import {
  type DecryptTicketCallback,
  type GenerateTicketCallback,
  onDecryptTicket,
  onGenerateTicket,
  type TicketKeyCallback,
  ticketKeyProvider,
} from './ticket-callbacks.ts';
import { ContextTicketKeys } from './ticket-keys.ts';
import { ticketSettings, ticketSettingsOf } from './ticket-settings.ts';
import { changedVerify, clientAuth, initialVerify, type Verify } from './verify.ts';

/** What a connection copies when it is made, and then has as its own. */
export interface Copied extends Verify {
  readonly idContext: Uint8Array;
  readonly options: number;
  readonly numTickets: number;
  readonly quietShutdown: number;
}

const DEFAULT_TIMEOUT = 7200;
const MODES: readonly CacheMode[] = ['off', 'client', 'server', 'both'];
const OWN_CALLBACKS = ['onNew', 'onGet', 'onRemove', 'generateId', 'notResumable'] as const;
const OWN_TICKET_CALLBACKS = ['onGenerate', 'onDecrypt'] as const;

export class SslContext {
  readonly #base: ServerConfig;
  readonly #store: SessionStore;
  readonly #policy: { -readonly [K in keyof SessionPolicy]: SessionPolicy[K] };
  readonly #ticketKeys: ContextTicketKeys;
  readonly #ticketCallbacks: { -readonly [K in keyof TicketCallbacks]: TicketCallbacks[K] } = {};
  readonly #ticketPolicy: TicketPolicy;
  readonly #exData = new Map<number, unknown>();
  #references = 1;
  #mode = SESS_CACHE_SERVER;
  #timeout: number;
  #copied: Copied;
  #newCallback: NewSessionCallback | null = null;
  #getCallback: GetSessionCallback | null = null;
  #removeCallback: RemoveSessionCallback | null = null;
  #generate: GenerateSessionIdCallback | null = null;
  #notResumable: NotResumableSessionCallback | null = null;

  /**
   * `sessions.cache`, `mode` and the other settings of `server` are what the context starts with; but tickets are stateless
   * unless SSL_OP_NO_TICKET is set, whatever `tickets.mode` says (only 'off' remains off).
   * @throws TypeError for `sessions` or `tickets` with callbacks: they are given to the context instead
   */
  constructor(server: ServerConfig | ServerOptions) {
    const base = 'store' in server ? server : defineServer(server);
    const { cache = new SessionCache({ compat: base.compat }), policy } = base.store;
    const other = OWN_CALLBACKS.find((name) => policy[name] !== undefined);
    if (other !== undefined) throw new TypeError(`sessions.${other}: give the context a callback of its own instead`);
    const { keys, callbacks, acceptsForeign } = base.ticketPolicy;
    const otherOfTickets = OWN_TICKET_CALLBACKS.find((name) => callbacks[name] !== undefined);
    if (otherOfTickets !== undefined)
      throw new TypeError(`tickets.${otherOfTickets}: give the context a callback of its own instead`);
    this.#base = base;
    this.#ticketKeys = new ContextTicketKeys(randomBytes(base), base.hasOwnTicketKeys ? keys : undefined);
    const ticketKeys = this.#ticketKeys;
    this.#ticketPolicy = { keys: ticketKeys, sealing: sealedTickets, acceptsForeign, callbacks: this.#ticketCallbacks };
    this.#policy = {
      ...policy,
      notResumable: (info, isForwardSecure) => this.#rulesOut(this.#ssl(info), isForwardSecure),
    };
    this.#store = new SessionStore({ cache, policy: this.#policy, world: base.world, compat: base.compat });
    this.#timeout = base.sessionTimeout;
    this.#copied = {
      idContext: base.idContext,
      options: 0,
      numTickets: base.tickets.initial,
      quietShutdown: 0,
      ...initialVerify(base.clientAuth),
    };
    this.#mode =
      MODES.indexOf(policy.mode) |
      flag(!policy.autoClear, SESS_CACHE_NO_AUTO_CLEAR) |
      flag(!policy.internalLookup, SESS_CACHE_NO_INTERNAL_LOOKUP) |
      flag(!policy.internalStore, SESS_CACHE_NO_INTERNAL_STORE) |
      flag(policy.updateTime, SESS_CACHE_UPDATE_TIME) |
      flag(base.store.cache === undefined, SESS_CACHE_NO_INTERNAL);
    this.setSessionCacheMode(this.#mode);
  }

  /** For the shells: `createServer(ctx.config, …)`, `accept(transport, ctx.config)`. It follows the context as a connection does. */
  get config(): ServerConfig {
    return this.configFor(this.#copied);
  }

  /** What {@link Ssl} copies. */
  get copied(): Copied {
    return this.#copied;
  }

  /** The settings of one connection. Cache, mode, callbacks, ticket keys and timeout stay the context's. */
  configFor(copied: Copied): ServerConfig {
    const { idContext, options } = copied;
    const base = this.#base;
    const store = this.#store;
    const timeout = () => this.#timeout;
    const tickets = ticketSettings(base.tickets, copied);
    return Object.freeze({
      ...base,
      store,
      ticketPolicy: this.#ticketPolicy,
      hasOwnStore: false, // OpenSSL's connections keep to the context that they were made with
      onServerName: base.onServerName && ((name?: string) => this.#select(name, tickets)),
      idContext,
      clientAuth: clientAuth(copied, base.clientAuth, (info) => this.#ssl(info)),
      clientCertificates,
      minVersion: options & SSL_OP_NO_TLSv1_2 ? 'TLSv1.3' : base.minVersion,
      maxVersion: options & SSL_OP_NO_TLSv1_3 ? 'TLSv1.2' : base.maxVersion,
      pskModes: options & SSL_OP_ALLOW_NO_DHE_KEX ? (['psk_dhe_ke', 'psk_ke'] as const) : base.pskModes,
      tickets,
      get sessionTimeout() {
        return timeout();
      },
      addSession: (session: Session) => store.add(session),
      removeSession: (session: Session) => store.remove(session),
      flushSessions: (now?: number, atMost?: number) => store.flush(now, atMost),
      closeSessions: () => store.close(),
      statistics: () => store.statistics(),
    });
  }

  /** SSL_CTX_up_ref(3). @throws Error once the last reference has been freed */
  upRef(): this {
    if (this.#references === 0) throw new Error('use of a context that has no reference left');
    this.#references++;
    return this;
  }

  /** SSL_CTX_free(3). With the last reference, which a connection may have, all sessions leave, and remove is called. */
  free(): void {
    if (this.#references === 0) throw new Error('free() of a context that has no reference left');
    if (--this.#references > 0) return;
    this.#store.close();
    this.#ticketKeys.close();
  }

  /** SSL_CTX_sess_set_new_cb(3); `null` for none. */
  setNewSessionCallback(callback: NewSessionCallback | null): void {
    this.#newCallback = callback;
    this.#policy.onNew = callback === null ? undefined : (session, info) => yes(callback(this.#ssl(info), session));
  }

  /** SSL_CTX_sess_get_new_cb(3) */
  getNewSessionCallback(): NewSessionCallback | null {
    return this.#newCallback;
  }

  /** SSL_CTX_sess_set_get_cb(3) */
  setGetSessionCallback(callback: GetSessionCallback | null): void {
    this.#getCallback = callback;
    this.#policy.onGet = callback === null ? undefined : (id, info) => getSession(callback, this.#ssl(info), id);
  }

  /** SSL_CTX_sess_get_get_cb(3) */
  getGetSessionCallback(): GetSessionCallback | null {
    return this.#getCallback;
  }

  /** SSL_CTX_sess_set_remove_cb(3) */
  setRemoveSessionCallback(callback: RemoveSessionCallback | null): void {
    this.#removeCallback = callback;
    this.#policy.onRemove = callback === null ? undefined : (session, reason) => callback(this, session, reason);
  }

  /** SSL_CTX_sess_get_remove_cb(3) */
  getRemoveSessionCallback(): RemoveSessionCallback | null {
    return this.#removeCallback;
  }

  /** SSL_CTX_set_session_cache_mode(3). The mode before. */
  setSessionCacheMode(mode: number): number {
    const before = this.#mode;
    this.#mode = mode;
    this.#policy.mode = MODES[mode & 3] ?? 'off';
    this.#policy.autoClear = (mode & SESS_CACHE_NO_AUTO_CLEAR) === 0;
    this.#policy.internalLookup = (mode & SESS_CACHE_NO_INTERNAL_LOOKUP) === 0;
    this.#policy.internalStore = (mode & SESS_CACHE_NO_INTERNAL_STORE) === 0;
    this.#policy.updateTime = (mode & SESS_CACHE_UPDATE_TIME) !== 0;
    return before;
  }

  /** SSL_CTX_get_session_cache_mode(3) */
  getSessionCacheMode(): number {
    return this.#mode;
  }

  /** SSL_CTX_sess_set_cache_size(3). The size before; 0, and nothing changed, for a negative size. */
  setSessionCacheSize(size: number): number {
    if (size < 0) return 0;
    const before = this.#cache.maxEntries;
    this.#cache.maxEntries = size;
    return before;
  }

  /** SSL_CTX_sess_get_cache_size(3) */
  getSessionCacheSize(): number {
    return this.#cache.maxEntries;
  }

  /** SSL_CTX_set_timeout(3): seconds, for sessions to come; 0 for the default. The timeout before. @throws RangeError */
  setTimeout(seconds: number): number {
    if (!Number.isSafeInteger(seconds) || seconds < 0) throw new RangeError(`a timeout of ${seconds} seconds`);
    const before = this.#timeout;
    this.#timeout = seconds || DEFAULT_TIMEOUT;
    return before;
  }

  /** SSL_CTX_get_timeout(3) */
  getTimeout(): number {
    return this.#timeout;
  }

  /**
   * SSL_CTX_add_session(3). 0: this very object was there, or nobody could resume it (OpenSSL would take it all the same).
   * @throws Error where another context has the session, or this one is gone
   */
  addSession(session: Session): number {
    if (!session.isResumable) return 0;
    return Number(this.#store.add(session));
  }

  /** SSL_CTX_remove_session(3). 0: there was none. */
  removeSession(session: Session | null): number {
    return session === null ? 0 : Number(this.#store.remove(session));
  }

  /** SSL_CTX_flush_sessions(3): what has expired by then, in seconds since the epoch; 0 for all. */
  flushSessions(time: number): void {
    this.#store.flush(time);
  }

  /** SSL_CTX_sessions(3), the soonest to expire first. They are lent. */
  sessions(): Session[] {
    return [...this.#cache];
  }

  /** SSL_CTX_set_session_id_context(3). 0: too long. */
  setSessionIdContext(context: Uint8Array): number {
    if (context.length > SSL_MAX_SID_CTX_LENGTH) return 0;
    this.#copied = { ...this.#copied, idContext: copyOf(context) };
    return 1;
  }

  /**
   * SSL_CTX_set_verify(3), for connections to come. `null` keeps the callback that there is: `clientAuth.verifyClient` at first. With
   * SSL_VERIFY_PEER and neither of them a client that shows a certificate is refused; with SSL_VERIFY_PEER and no session id
   * context no session is handed out. @throws RangeError for a mode that would mean nothing here
   */
  setVerify(mode: number, callback: VerifyCallback | null = null): void {
    this.#copied = { ...this.#copied, ...changedVerify(this.#copied, mode, callback) };
  }

  /** SSL_CTX_get_verify_mode(3) */
  getVerifyMode(): number {
    return this.#copied.verifyMode;
  }

  /** SSL_CTX_get_verify_callback(3) */
  getVerifyCallback(): VerifyCallback | null {
    return this.#copied.verifyCallback;
  }

  /** SSL_CTX_set_generate_session_id(3) */
  setGenerateSessionId(callback: GenerateSessionIdCallback | null): number {
    this.#generate = callback;
    if (callback !== null) this.expectGeneratedIds();
    return 1;
  }

  /** What {@link Ssl} needs for a callback of its own: from now on there may be ids of other lengths than the engine's. */
  expectGeneratedIds(): void {
    this.#policy.generateId = (info) => this.#generateId(this.#ssl(info));
  }

  /** SSL_CTX_set_not_resumable_session_callback(3) */
  setNotResumableSessionCallback(callback: NotResumableSessionCallback | null): void {
    this.#notResumable = callback;
  }

  /** SSL_CTX_set_options(3). The options now. @throws RangeError for one that would mean nothing here */
  setOptions(options: number): number {
    this.#copied = { ...this.#copied, options: this.#copied.options | requireKnown(options) };
    return this.#copied.options;
  }

  /** SSL_CTX_clear_options(3). The options now. */
  clearOptions(options: number): number {
    this.#copied = { ...this.#copied, options: this.#copied.options & ~options };
    return this.#copied.options;
  }

  /** SSL_CTX_get_options(3) */
  getOptions(): number {
    return this.#copied.options;
  }

  /** SSL_CTX_set_num_tickets(3): after a full handshake of TLS 1.3. 1, or 0 for an impossible number. */
  setNumTickets(numTickets: number): number {
    if (!isNumTickets(numTickets)) return 0;
    this.#copied = { ...this.#copied, numTickets };
    return 1;
  }

  /** SSL_CTX_get_num_tickets(3) */
  getNumTickets(): number {
    return this.#copied.numTickets;
  }

  /**
   * SSL_CTX_get_tlsext_ticket_keys(3): 80 bytes, the caller's to wipe; drawn for this context unless it was given others. `null`
   * where its server was defined with `tickets.keys`.
   */
  getTlsextTicketKeys(): Uint8Array | null {
    return this.#ticketKeys.export() ?? null;
  }

  /**
   * SSL_CTX_set_tlsext_ticket_keys(3): 80 bytes, which are copied; tickets under the keys before are no good any more. 0: of
   * another length. @throws WeakTicketKeyError where they can be guessed
   */
  setTlsextTicketKeys(keys: Uint8Array): number {
    return Number(this.#ticketKeys.import(keys));
  }

  /** SSL_CTX_set_tlsext_ticket_key_evp_cb(3): asked in place of all keys; `null` for none. */
  setTlsextTicketKeyCallback(callback: TicketKeyCallback | null): number {
    this.#ticketKeys.callback =
      callback === null ? undefined : ticketKeyProvider(callback, (info) => this.#ssl(info), randomBytes(this.#base));
    return 1;
  }

  /** SSL_CTX_set_session_ticket_cb(3); `null` for none. */
  setSessionTicketCallback(generate: GenerateTicketCallback | null, decrypt: DecryptTicketCallback | null): number {
    const sslOf = (info: ConnectionInfo) => this.#ssl(info);
    this.#ticketCallbacks.onGenerate = generate === null ? undefined : onGenerateTicket(generate, sslOf);
    this.#ticketCallbacks.onDecrypt = decrypt === null ? undefined : onDecryptTicket(decrypt, sslOf);
    return 1;
  }

  /** SSL_CTX_set_quiet_shutdown(3) */
  setQuietShutdown(mode: Int): void {
    this.#copied = { ...this.#copied, quietShutdown: Number(mode) };
  }

  /** SSL_CTX_get_quiet_shutdown(3) */
  getQuietShutdown(): number {
    return this.#copied.quietShutdown;
  }

  /** SSL_CTX_sess_number(3), and the others of that page. */
  sessNumber(): number {
    return this.#store.statistics().number;
  }
  sessConnect(): number {
    return this.#store.statistics().connect;
  }
  sessConnectGood(): number {
    return this.#store.statistics().connectGood;
  }
  sessConnectRenegotiate(): number {
    return this.#store.statistics().connectRenegotiate;
  }
  sessAccept(): number {
    return this.#store.statistics().accept;
  }
  sessAcceptGood(): number {
    return this.#store.statistics().acceptGood;
  }
  sessAcceptRenegotiate(): number {
    return this.#store.statistics().acceptRenegotiate;
  }
  sessHits(): number {
    return this.#store.statistics().hits;
  }
  sessCbHits(): number {
    return this.#store.statistics().callbackHits;
  }
  sessMisses(): number {
    return this.#store.statistics().misses;
  }
  sessTimeouts(): number {
    return this.#store.statistics().timeouts;
  }
  sessCacheFull(): number {
    return this.#store.statistics().cacheFull;
  }

  /** SSL_CTX_set_ex_data(3); to be had until the context is freed, in its last remove callbacks too. */
  setExData(index: number, data: unknown): number {
    this.#exData.set(index, data);
    return 1;
  }

  /** SSL_CTX_get_ex_data(3): `null` where nothing was set. */
  getExData(index: number): unknown {
    return this.#exData.get(index) ?? null;
  }

  get #cache(): SessionCache {
    return this.#store.cache as SessionCache; // the constructor has seen to it
  }

  /** Another context's certificates and limits; tickets stay with this one, and are stateless where both have them so. */
  #select(name: string | undefined, tickets: TicketSettings) {
    return then(this.#base.onServerName?.(name), (selected) => {
      if (selected?.tickets === undefined) return selected;
      return Object.freeze({
        ...selected,
        ticketPolicy: this.#ticketPolicy,
        tickets: ticketSettingsOf(selected.tickets, tickets),
      });
    });
  }

  #ssl(info: ConnectionInfo): Ssl {
    return Ssl.of(info, this);
  }

  /** The connection's own, where it has one. */
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
  return (length) => world.randomBytes(length);
}

function flag(isSet: boolean, bit: number): number {
  return isSet ? bit : 0;
}
