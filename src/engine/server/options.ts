/** What a user may ask of a server: one shape for every shell. Unknown names are a TypeError, see config.ts. */

import type { Awaitable } from '../../awaitable.ts';
import type { GenerateId, NotResumable, OnGet, OnNew, OnRemove, OnTake } from '../../cache/callbacks.ts';
import type { Compat, SessionCache } from '../../cache/session-cache.ts';
import type { Credential } from '../../crypto/credentials/credential.ts';
import type { CryptoProvider } from '../../crypto/provider.ts';
import type { ConnectionInfo } from '../../sessions/connection-info.ts';
import type { OnDecryptTicket, OnGenerateTicket } from '../../tickets/callbacks.ts';
import type { TicketKeyProvider } from '../../tickets/key-provider.ts';
import type { CipherSuiteName, GroupName, PskMode, Version } from '../../wire/registry.ts';
import type { World } from '../../world.ts';
import type { ServerConfig } from './config.ts';

export interface ServerOptions {
  /**
   * Certificate chain and private key, as PEM or as something that signs. The first that fits server name and
   * signature_algorithms is used, so an ECDSA and an RSA pair may stand side by side.
   */
  readonly credentials: readonly (Credential | PemCredential)[];
  /** Default 'TLSv1.2'. */
  readonly minVersion?: Version | undefined;
  /** Default 'TLSv1.3'. */
  readonly maxVersion?: Version | undefined;
  /** IANA names of the suites of both versions, in the server's order. */
  readonly ciphers?: readonly (CipherSuiteName | (string & {}))[] | undefined;
  /** In the server's order. Default x25519, secp256r1, secp384r1, as far as `crypto` has them. */
  readonly groups?: readonly GroupName[] | undefined;
  /** Application protocols in the server's order (RFC 7301). Without it the extension is ignored. */
  readonly alpn?: readonly string[] | undefined;
  /** Virtual hosts: the configuration for a name; `undefined` for this one. A rejection ends the handshake (internal_error). */
  readonly onServerName?: ((name: string | undefined) => Awaitable<ServerConfig | undefined>) | undefined;
  /** Ask clients for a certificate. Without it none is asked for. */
  readonly clientAuth?: ClientAuthOptions | undefined;
  readonly sessions?: SessionOptions | undefined;
  readonly tickets?: TicketOptions | undefined;
  /** In the server's order. Default `['psk_dhe_ke']`; psk_ke has no forward secrecy (RFC 8446 §2.2). */
  readonly pskModes?: readonly PskMode[] | undefined;
  /** What a session is bound to besides its host name. */
  readonly scope?: ScopeOptions | undefined;
  /** RFC 7627 §5.3: refuse TLS 1.2 clients without extended_master_secret (handshake_failure). Default false. */
  readonly requireExtendedMasterSecret?: boolean | undefined;
  /**
   * 'openssl-3': where OpenSSL 3's code and its manual pages differ, do as the code does, in five things. A new callback that
   * answers false keeps the session cached; the cache retains one session less than `maxEntries`; `updateTime` counts for what
   * is added to the cache only; the remove callback also hears of sessions that were never announced, and may hear of one
   * twice; in TLS 1.2 a session whose cipher suite the client does not offer ends the handshake, and itself.
   */
  readonly compat?: Compat | undefined;
  /**
   * Default: `defaultProvider`. Others are `noble`, the reference, `fast`, and `nodeCrypto` of tls-resume/node; parts of them go
   * together, as in `{ ...defaultProvider, groups: webCrypto.groups }`. See crypto/provider.ts for one of your own.
   */
  readonly crypto?: CryptoProvider | undefined;
  readonly world?: World | undefined;
  readonly limits?: LimitOptions | undefined;
  /** Lines in NSS key log format: they let anyone who has them read the connection. */
  readonly keylog?: ((line: string) => void) | undefined;
}

export interface PemCredential {
  /** PEM: PKCS#8, SEC1 or PKCS#1, not encrypted. */
  readonly key: string;
  /** PEM: the server's certificate first, then the intermediates. */
  readonly cert: string;
}

/**
 * Certificates of clients (RFC 8446 §4.3.2, RFC 5246 §7.4.4). They are asked for in full handshakes; a session keeps the client's
 * own, and `connection.peerCertificate` shows it again when the session is resumed.
 *
 * With an empty `sessions.idContext` no session is handed out: name one, so that no session made under other rules passes for one
 * made under these.
 */
export interface ClientAuthOptions {
  /**
   * 'require': a client without one is refused (certificate_required, in TLS 1.2 handshake_failure), and a session without one
   * leads to a full handshake. 'request': it goes on without.
   */
  readonly mode: 'request' | 'require';
  /**
   * Whether to accept the client by its certificates, DER, its own first. It has proved that it has the key of that one; all
   * else, path, dates, revocation and purpose, is for you to judge. Only `true` accepts. Anything else is certificate_unknown, a
   * TlsAlert that is thrown is what the client gets, and any other failure is internal_error and an event. The handshake waits
   * as long as the answer takes.
   */
  verifyClient(chain: readonly Uint8Array[], connection: ConnectionInfo): Awaitable<boolean>;
  /** Certificates, PEM, whose names CertificateRequest tells the client, so that it can choose. Default none: any will do. */
  readonly authorities?: readonly string[] | undefined;
}

/** SSL_CTX_set_session_cache_mode(3). A server's sessions are kept in 'server' and 'both'. */
export type CacheMode = 'off' | 'client' | 'server' | 'both';

/** What OpenSSL calls the session cache. */
export interface SessionOptions {
  /** Shared by all that are given the same object; `false` for none. By default the server has one of its own. */
  readonly cache?: SessionCache | false | undefined;
  /**
   * Default 'server'. 'off' and 'client' keep no new session and tell `onNew` of none, so that none is handed out; what is in
   * the cache, and what `onGet` has, still resumes, as in OpenSSL. To have no resumption at all there is `tickets.mode` 'off'
   * and `cache: false`.
   */
  readonly mode?: CacheMode | undefined;
  /** Default true; false is SSL_SESS_CACHE_NO_INTERNAL_LOOKUP. */
  readonly internalLookup?: boolean | undefined;
  /** Default true; false is SSL_SESS_CACHE_NO_INTERNAL_STORE: only `addSession()` puts a session into the cache. */
  readonly internalStore?: boolean | undefined;
  /** Default true: expired sessions are flushed every 255 connections; false is SSL_SESS_CACHE_NO_AUTO_CLEAR. */
  readonly autoClear?: boolean | undefined;
  /** Default false; true is SSL_SESS_CACHE_UPDATE_TIME: a session's timeout counts from its last use. */
  readonly updateTime?: boolean | undefined;
  /** Seconds, default 7200. */
  readonly timeout?: number | undefined;
  /** Default 20480; 0 is unlimited. For a cache of the server's own. */
  readonly maxEntries?: number | undefined;
  /** Session id context, at most 32 bytes. A session made under another is not resumed. `clientAuth` wants one that is not empty. */
  readonly idContext?: Uint8Array | undefined;
  /**
   * Default false. True: other servers write to the store as well, and their sessions say nothing of the scope that they were
   * made in; they are resumed by session id context and host name alone.
   */
  readonly foreign?: boolean | undefined;
  /**
   * In which versions a connection that ends without our close_notify takes its session along, so that it is never resumed
   * (SSL_get_session(3), RFC 5246 §7.2.1). Default `['TLSv1.2']`: in TLS 1.3 many clients close without a word, and keep
   * their tickets.
   */
  readonly removeUnclean?: readonly Version[] | undefined;
  readonly generateId?: GenerateId | undefined;
  readonly notResumable?: NotResumable | undefined;
  readonly onNew?: OnNew | undefined;
  readonly onGet?: OnGet | undefined;
  readonly onTake?: OnTake | undefined;
  readonly onRemove?: OnRemove | undefined;
  /** Default 1000, for all lookups of one handshake together; what comes later is a miss. */
  readonly lookupTimeoutMs?: number | undefined;
  /** How many of the offered PSK identities are tried, default 5. */
  readonly maxIdentities?: number | undefined;
}

export interface TicketOptions {
  /**
   * Default 'stateful': the ticket of TLS 1.3 is the session's id, and the session is in cache or store; TLS 1.2 has session ids.
   * 'stateless': the ticket of both versions is the session itself, sealed with `keys`. 'off': no session of either version is
   * handed out or resumed.
   */
  readonly mode?: 'stateful' | 'stateless' | 'off' | undefined;
  /** For 'stateless'; without it the server makes a ring of its own, whose keys nobody else has. */
  readonly keys?: TicketKeyProvider | undefined;
  /**
   * For 'stateless'; of a store that is `sessions.foreign`. Default false. True: other servers seal with these keys, and their
   * sessions say nothing of the scope that they were made in; they are resumed by session id context and host name alone.
   */
  readonly foreign?: boolean | undefined;
  /** NewSessionTickets after a full handshake, default 2. */
  readonly initial?: number | undefined;
  /** NewSessionTickets after a resumption, default 1. */
  readonly afterResumption?: number | undefined;
  /**
   * When they are sent. 'after-finished' (default): when the handshake is complete. 'half-rtt': with the server's own flight,
   * but announced when the client has proved who it is. 'with-first-write': in front of the first application data. 'manual':
   * when `sendTicket()` is called.
   */
  readonly timing?: 'after-finished' | 'half-rtt' | 'with-first-write' | 'manual' | undefined;
  /** RFC 9149: how many a client may ask for, default 10; 0 to 255. */
  readonly maxRequested?: number | undefined;
  /** Before a ticket is made: may put application data into its session, or end the handshake. */
  readonly onGenerate?: OnGenerateTicket | undefined;
  /** When a client shows a ticket: says whether its session is used, and whether the client gets a new one. */
  readonly onDecrypt?: OnDecryptTicket | undefined;
  /** Default false. True: a TLS 1.3 session resumes once. With an `onGet` there must be an `onTake`, which alone can say who is the one. */
  readonly singleUse?: boolean | undefined;
  /** Seconds after the full handshake in which sessions that descend from it are good, default and at most 604800. */
  readonly maxAuthAge?: number | undefined;
}

export type TicketCallbacks = Pick<TicketOptions, 'onGenerate' | 'onDecrypt'>;

export interface ScopeOptions {
  /** Sessions made under another label are not resumed. */
  readonly label?: string | undefined;
  /** Instead of host name, label and the names in the certificate: all that name the same word share their sessions. */
  readonly shareAcross?: string | undefined;
  /** Default false. Whether a session is good at the local address only that it was made at. */
  readonly bindLocalAddress?: boolean | undefined;
  /** Default false: the application protocol is negotiated afresh on resumption. True: a session is good for its own only. */
  readonly bindAlpn?: boolean | undefined;
}

/** Bounds that a user may tighten, or a test reach. */
export interface LimitOptions {
  /** Records under one key before it is replaced (TLS 1.3) or the connection closed (TLS 1.2); RFC 8446 §5.5 by default. */
  readonly recordsPerKey?: number | undefined;
  /** Bytes of early data that are skipped where a client offers it, default 16384. */
  readonly skippedEarlyData?: number | undefined;
}
