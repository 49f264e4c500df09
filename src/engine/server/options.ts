/**
 * The options of a server, the same for every shell. configure.ts validates them: each error is a TypeError (an unknown name, a
 * value of the wrong kind) or a RangeError (a value out of range) whose message begins with the name of the option. An option that
 * is `undefined` has its default; `null` is a TypeError, for every object of options.
 */

import type { Awaitable } from '../../awaitable.ts';
import type { GenerateId, MayResume, NotResumable, OnGet, OnNew, OnRemove, OnTake } from '../../cache/callbacks.ts';
import type { SessionCache } from '../../cache/session-cache.ts';
import type { Credential } from '../../crypto/credentials/credential.ts';
import type { CryptoProvider } from '../../crypto/provider.ts';
import type { AntiReplay } from '../../handshake/server/anti-replay.ts';
import type { Compat, OnAlpn } from '../../handshake/server/settings.ts';
import type { ConnectionInfo } from '../../sessions/connection-info.ts';
import type { OnDecryptTicket, OnGenerateTicket } from '../../tickets/callbacks.ts';
import type { TicketKeyProvider } from '../../tickets/key-provider.ts';
import type { Pem } from '../../wire/pem.ts';
import type { CipherSuiteName, GroupName, PskMode, Version } from '../../wire/registry.ts';
import type { World } from '../../world.ts';
import type { PemCredential } from '../credential-options.ts';
import type { ExternalPsk } from '../psk-options.ts';
import type { ServerConfig } from './config.ts';
import type { CacheMode } from './policy.ts';

/**
 * Finds the external PSK of an identity, as it is on the wire. Of an imported PSK that is a struct, which `importedIdentity()` reads
 * (RFC 9258 §5.1): answer with the PSK of its `externalIdentity`, with `import: true` and the same `context`. The `identity` of the
 * answer may be left out; if it is there, it must be the one that was asked for.
 *
 * It is asked about tickets as well, as any identity may be a PSK's. Nothing, an error, an answer that is no PSK of this identity and
 * one that comes too late all mean that the identity is unknown here; the last three are callback-error events.
 */
export type FindPsk = (
  identity: Uint8Array,
  connection: ConnectionInfo,
) => Awaitable<Omit<ExternalPsk, 'identity'> | ExternalPsk | undefined>;

/** The options of defineServer(). Only `credentials` is required, or `psks` in their place. */
export interface ServerOptions {
  /**
   * Certificate chains with their private keys, as PEM or as objects that sign. At least one, unless there are `psks`: a server
   * without any takes only clients that have one of these. A handshake uses the first that
   * fits the client's server name and signature_algorithms, so an ECDSA and an RSA pair may stand side by side. `ocspResponse` and
   * `signedCertificateTimestamps` of a credential are sent to clients that ask for them.
   */
  readonly credentials?: readonly (Credential | PemCredential)[] | undefined;
  /** The lowest version that is spoken. Default 'TLSv1.2'. */
  readonly minVersion?: Version | undefined;
  /** The highest version that is spoken. Default 'TLSv1.3'. */
  readonly maxVersion?: Version | undefined;
  /**
   * Cipher suites by their IANA names, in the server's order of preference, which counts. Suites of both versions share the
   * list; a version without a suite in it is not spoken. Default: all that the library has, AES-128 first.
   */
  readonly ciphers?: readonly (CipherSuiteName | (string & {}))[] | undefined;
  /**
   * Groups for the key exchange, in the server's order of preference. Default X25519MLKEM768, x25519, secp256r1, secp384r1
   * and SecP256r1MLKEM768, as far as `crypto` has them; naming one that it lacks is a TypeError.
   * A TLS 1.2 client that names no groups gets secp256r1 if it is among them (RFC 8422 §4).
   */
  readonly groups?: readonly GroupName[] | undefined;
  /**
   * Application protocols, in the server's order of preference (RFC 7301): strings of 1 to 255 characters, each one byte.
   * Without any, the client's extension is ignored.
   */
  readonly alpn?: readonly string[] | undefined;
  /**
   * Chooses the application protocol of a client that offers some: returns one of `protocols`, at once or by a promise; `undefined` to go
   * on without one; or `null` to refuse them all, with no_application_protocol. A TlsAlert that it throws ends the handshake with that
   * alert; if it fails with any other error, or answers with anything else, that is internal_error and a callback-error event.
   *
   * `protocols` are at most 128, in the client's order. With `alpn` as well they are those that are in that list, and if there are none,
   * no_application_protocol ends the handshake and nothing is asked. It is asked once a connection, before any session is looked up.
   */
  readonly onAlpn?: OnAlpn | undefined;
  /**
   * Selects a virtual host: returns the configuration for a server name (`undefined` if the client sent none), or `undefined` to
   * use this one. To refuse a name, throw or reject with a TlsAlert: `new TlsAlert('unrecognized_name', 'no such host')` (RFC 6066
   * §3) ends the handshake with that alert. If the callback fails with any other error, or answers with anything but the result of a
   * defineServer(), the handshake fails with internal_error and there is a callback-error event.
   */
  readonly onServerName?: ((name: string | undefined) => Awaitable<ServerConfig | undefined>) | undefined;
  /** Asks clients for a certificate. By default they are not asked. */
  readonly clientAuth?: ClientAuthOptions | undefined;
  /**
   * External PSKs (RFC 9846 §2.2, RFC 9257): an array, or a function that finds them, within `sessions.lookupTimeoutMs`. An identity
   * is looked up here first, and only if it is unknown among the sessions. A connection that uses one sends no certificate and asks
   * for none; `resumption.mechanism` is 'psk-external' or 'psk-imported'. docs/psk.md is the guide.
   */
  readonly psks?: readonly ExternalPsk[] | FindPsk | undefined;
  /**
   * On a server without `credentials`: whether an unknown identity ends as a wrong key does, with decrypt_error after the same work, so
   * that nobody can find out which identities exist (RFC 9846 Appendix F.6). Default true; false is unknown_psk_identity. With
   * `credentials` it is a TypeError, as there an unknown identity leads to a full handshake.
   */
  readonly hideUnknownPsks?: boolean | undefined;
  /** Accepts early data of clients that resume (0-RTT). By default none is accepted: it is skipped, and its client told so. */
  readonly earlyData?: EarlyDataOptions | undefined;
  /** The session cache and the callbacks of an external store. */
  readonly sessions?: SessionOptions | undefined;
  /** Whether and how sessions are handed out as tickets. */
  readonly tickets?: TicketOptions | undefined;
  /**
   * The PSK key exchange modes of TLS 1.3 that are accepted, in the server's order of preference. Default `['psk_dhe_ke']`;
   * psk_ke has no forward secrecy (RFC 9846 §2.2).
   */
  readonly pskModes?: readonly PskMode[] | undefined;
  /** The conditions for resuming a session, besides its host name. */
  readonly scope?: ScopeOptions | undefined;
  /** Refuses TLS 1.2 clients without extended_master_secret with handshake_failure (RFC 7627 §5.3). Default false. */
  readonly requireExtendedMasterSecret?: boolean | undefined;
  /**
   * The longest content of a record that is accepted, in bytes: 64 to 16384 (RFC 8449), without the byte that TLS 1.3 adds for the
   * content type. It is told to the clients that send the extension; a longer record of theirs is answered with record_overflow.
   * Default 16384, which all records keep.
   */
  readonly recordSizeLimit?: number | undefined;
  /**
   * 'openssl-3' follows OpenSSL 3's code in six things in which it differs from its manual pages, or fails clients for less:
   *
   * - A session stays in the cache if `onNew` answers false.
   * - The cache retains one session less than `maxEntries`.
   * - `updateTime` applies only to sessions that are added to the cache.
   * - `onRemove` is also told of sessions that were never announced, and may be told of one twice.
   * - In TLS 1.2 a session whose cipher suite the client does not offer ends the handshake, and is ruled out.
   * - A session that is offered although `clientAuth` lacks a session id context ends the handshake (internal_error).
   */
  readonly compat?: Compat | undefined;
  /**
   * The cryptographic primitives. Default: `defaultProvider`. Others are `noble`, the reference, `fast`, and `nodeCrypto` of
   * tls-resume/node. Their parts can be combined, as in `{ ...defaultProvider, groups: webCrypto.groups }`; crypto/provider.ts
   * says what a provider must have, and may: `signer` for the private keys in PEM, `verifier` for the proofs of clients.
   */
  readonly crypto?: CryptoProvider | undefined;
  /** The clock and the source of randomness. Default: the host's. */
  readonly world?: World | undefined;
  /** Limits that a server can tighten, and a test can reach. */
  readonly limits?: LimitOptions | undefined;
  /**
   * Receives lines in NSS key log format, one per call. They suffice to decrypt the connection. An error that it throws is a
   * callback-error event.
   */
  readonly keylog?: ((line: string) => void) | undefined;
}

/**
 * Certificates of clients (RFC 9846 §4.4.2, RFC 5246 §7.4.4). The server asks for them in full handshakes. A session keeps the
 * client's own certificate, and `connection.peerCertificate` has it again when the session is resumed. A session ends at the latest
 * with the notAfter of that certificate (reason `expired`), and a client whose certificate has expired already gets none. The dates
 * of its issuers are not looked at again: which of them the path leads through, only `verifyClient` knows.
 *
 * No session is handed out or resumed while `sessions.idContext` is empty, and defineServer() warns of that. Name one, so that a
 * session made under other rules cannot pass for one made under these.
 */
export interface ClientAuthOptions {
  /**
   * 'require' refuses a client without a certificate (certificate_required; in TLS 1.2 handshake_failure), and answers a session
   * without one with a full handshake. 'request' lets the client go on without.
   */
  readonly mode: 'request' | 'require';
  /**
   * Decides whether to accept a client. `chain` has its certificates in DER, its own first. The client has proved that it has the
   * key of that one; path, dates, revocation and purpose are for the callback to judge.
   *
   * Only the answer `true` accepts. With any other answer the client gets certificate_unknown. If the callback throws a TlsAlert,
   * the client gets that alert; any other failure is internal_error and a callback-error event. The handshake waits for the
   * answer without a limit of time.
   */
  verifyClient(chain: readonly Uint8Array[], connection: ConnectionInfo): Awaitable<boolean>;
  /**
   * Certificates in PEM, one text or several, whose names CertificateRequest sends, so that the client can choose among its own. Their names may have
   * 65280 bytes in all. Default: none, which allows any certificate.
   */
  readonly authorities?: Pem | readonly Pem[] | undefined;
}

/**
 * Early data, or 0-RTT (RFC 9846 §2.3): what a client that resumes sends right behind its hello. It has no forward secrecy, and anybody
 * can send a copy of it again, so it takes a strategy against replay: docs/early-data.md says what each one promises. Use early data only
 * for requests that may come twice (§8). The tickets of the server allow it, and those from before do not.
 */
export interface EarlyDataOptions {
  /** How many bytes a client may send: 1 to 2^32 - 1. A ticket that allows more, from before it was lowered, allows none. */
  readonly maxSize: number;
  /** Admits each hello once at most: `singleUse()`, `recordHellos()`, or a strategy of your own. */
  readonly antiReplay: AntiReplay;
  /**
   * How many bytes the connections of the server may hold together until their handshakes are complete, counting what each of them may
   * send. Default 64 times `maxSize`. Beyond it early data is rejected.
   */
  readonly maxHeld?: number | undefined;
}

/** The session cache in OpenSSL's sense: the internal cache, and the callbacks of an external store. */
export interface SessionOptions {
  /**
   * The internal cache. Servers that are given the same object share their sessions; `false` is none. By default the server has
   * a cache of its own.
   */
  readonly cache?: SessionCache | false | undefined;
  /**
   * Whether new sessions are kept: in the cache, by `onNew`, or both. Default 'server'. With 'off' and 'client' they are not,
   * and so none is handed out; sessions that are in the cache, or that `onGet` finds, still resume, as in OpenSSL. To have no
   * resumption at all, set `tickets.mode` to 'off' and `cache` to false.
   */
  readonly mode?: CacheMode | undefined;
  /**
   * Whether lookups consult the internal cache. Default true; false is SSL_SESS_CACHE_NO_INTERNAL_LOOKUP. Without `onGet` no session
   * is found then, and none is handed out.
   */
  readonly internalLookup?: boolean | undefined;
  /**
   * Whether new sessions go into the internal cache. Default true; false is SSL_SESS_CACHE_NO_INTERNAL_STORE, with which only
   * `addSession()` puts sessions there.
   */
  readonly internalStore?: boolean | undefined;
  /** Whether expired sessions are flushed every 255 handshakes. Default true; false is SSL_SESS_CACHE_NO_AUTO_CLEAR. */
  readonly autoClear?: boolean | undefined;
  /** Whether a session's timeout counts from its last use. Default false; true is SSL_SESS_CACHE_UPDATE_TIME. */
  readonly updateTime?: boolean | undefined;
  /** How long a session can be resumed, in seconds: at least 1, default 7200. */
  readonly timeout?: number | undefined;
  /**
   * How many sessions the server's own cache retains. Default 20480; 0 is no limit. With `cache` it is a TypeError: set it on
   * that cache.
   */
  readonly maxEntries?: number | undefined;
  /**
   * How many bytes the sessions in the server's own cache may take together; 0 is no limit. Default: 4096 for each of `maxEntries`,
   * which is 80 MiB for 20480, but at least 1 MiB; no limit if `maxEntries` is 0. A session that is larger than the limit is not
   * cached, and without an `onNew` it is not handed out (event `no-ticket`). With `cache` it is a TypeError, too.
   */
  readonly maxBytes?: number | undefined;
  /**
   * The session id context, at most 32 bytes, which are copied. A session that was made under another context is not resumed.
   * Default: empty. With `clientAuth` it must not be, or nothing resumes.
   */
  readonly idContext?: Uint8Array | undefined;
  /**
   * Whether other servers write to the store as well, whose sessions do not record the scope that they were made in. With true,
   * such sessions are resumed if session id context and host name agree. Default false.
   */
  readonly foreign?: boolean | undefined;
  /**
   * The versions in which a session is removed, and never resumed again, when its connection ends without our close_notify
   * (SSL_get_session(3), RFC 5246 §7.2.1). Default `['TLSv1.2']`: many clients of TLS 1.3 close without one and keep their
   * tickets.
   */
  readonly removeUnclean?: readonly Version[] | undefined;
  /** Chooses the ids of new sessions. Default: 32 random bytes, as also if the callback fails, which is an event. */
  readonly generateId?: GenerateId | undefined;
  /** Decides, in a full handshake, whether its session can be resumed. If the callback throws, it cannot, and there is an event. */
  readonly notResumable?: NotResumable | undefined;
  /**
   * Has the last say on each resumption, for revocation, risk or a change of address, say. It is asked once a connection, of a session
   * that breaks no rule, whether it comes from the cache, from `onGet` or from a ticket. In TLS 1.3 the client has proved by then
   * that it holds the session. In TLS 1.2 it has not, so the answer must have no side effects.
   *
   * Only the answer `true` accepts. After any other there is a full handshake, with the reason 'vetoed'. If the callback throws or
   * rejects, the reason is 'store-error' and there is an event; if it answers after `lookupTimeoutMs`, 'store-timeout'.
   */
  readonly mayResume?: MayResume | undefined;
  /** Is told of each session that is handed out, to put it into an external store. */
  readonly onNew?: OnNew | undefined;
  /** Looks up a session that is not in the internal cache. If the callback fails, the session counts as not found. */
  readonly onGet?: OnGet | undefined;
  /** Takes a session out of the external store for its single use: see `tickets.singleUse`. */
  readonly onTake?: OnTake | undefined;
  /** Is told of each session that has left the internal cache, and why, to remove it from an external store. */
  readonly onRemove?: OnRemove | undefined;
  /**
   * How long the lookups of one handshake, `mayResume`, and `ocspResponse` of a credential may take together, in milliseconds: 0 to 2^31 - 1, default 1000. A later
   * answer counts as not found.
   */
  readonly lookupTimeoutMs?: number | undefined;
  /** How many of the PSK identities that a client offers are tried: at least 1, default 5. */
  readonly maxIdentities?: number | undefined;
}

/** Tickets: where sessions are kept, and how many tickets are sent, and when. */
export interface TicketOptions {
  /**
   * Where sessions are kept. 'stateful' (default): in the cache or the external store; a ticket of TLS 1.3 contains the session's
   * id, and TLS 1.2 uses session ids. 'stateless': in the ticket itself, sealed with `keys`, in both versions. 'off': no session
   * of either version is handed out or resumed.
   */
  readonly mode?: 'stateful' | 'stateless' | 'off' | undefined;
  /** The ticket keys for 'stateless'; with another mode they are a TypeError. Default: a ring of the server's own. */
  readonly keys?: TicketKeyProvider | undefined;
  /**
   * Whether other servers seal with the same keys, whose sessions do not record the scope that they were made in. With true, such
   * sessions are resumed if session id context and host name agree. Default false. For sessions in a store see
   * `sessions.foreign`.
   */
  readonly foreign?: boolean | undefined;
  /** How many NewSessionTickets follow a full handshake: 0 to 255, default 2. */
  readonly initial?: number | undefined;
  /** How many NewSessionTickets follow a resumption: 0 to 255, default 1. */
  readonly afterResumption?: number | undefined;
  /**
   * When NewSessionTickets are sent. 'after-finished' (default): once the handshake is complete. 'half-rtt': with the server's
   * own flight; `onNew` is told of their sessions only once the client has proved its identity. 'with-first-write': in front of
   * the first application data. 'manual': when `sendTicket()` is called.
   */
  readonly timing?: 'after-finished' | 'half-rtt' | 'with-first-write' | 'manual' | undefined;
  /** How many tickets a client may ask for (RFC 9149): 0 to 255, default 10. */
  readonly maxRequested?: number | undefined;
  /** Called before a ticket is made. It may set the application data of the session, or end the handshake. */
  readonly onGenerate?: OnGenerateTicket | undefined;
  /** Called when a client shows a ticket. It decides whether the session is used and whether the client gets a new ticket. */
  readonly onDecrypt?: OnDecryptTicket | undefined;
  /**
   * Whether a session of TLS 1.3 resumes only once. Default false. With `sessions.onGet` it needs `sessions.onTake`, as only the
   * store can tell which of two connections was first; without either it needs an internal cache that new sessions go into.
   */
  readonly singleUse?: boolean | undefined;
  /** For how long a full handshake vouches for the sessions that descend from it, in seconds: 1 to 604800, the default. */
  readonly maxAuthAge?: number | undefined;
}

/** The conditions for resuming a session that a server can set besides the host name. */
export interface ScopeOptions {
  /** A session that was made under another label is not resumed. Default: the empty string. */
  readonly label?: string | undefined;
  /** Replaces host name, label and certificate names in the scope: all servers that name the same word share their sessions. */
  readonly shareAcross?: string | undefined;
  /**
   * Whether a session is resumed only at the local address that it was made at, however it is spelt: `::ffff:192.0.2.1`, as a
   * dual-stack socket says, is `192.0.2.1`. Default false.
   */
  readonly bindLocalAddress?: boolean | undefined;
  /**
   * Whether a session is resumed only with the application protocol that it was made with. Default false: the protocol is
   * negotiated anew.
   */
  readonly bindAlpn?: boolean | undefined;
}

/** Limits on keys and on early data. */
export interface LimitOptions {
  /**
   * How many records one key may protect before it is replaced (TLS 1.3) or the connection is closed (TLS 1.2): at least 4.
   * Default: for what we send the limit of the cipher suite (RFC 9846 §5.5), which applies in any case; for what the client sends
   * none, as RFC 9846 §5.5 leaves that to the client. A number set here bounds both.
   */
  readonly recordsPerKey?: number | undefined;
  /**
   * How many bytes of early data are skipped if a client sends some, its records counted without their headers. Default 18432: the
   * 16384 bytes of data that most servers allow, and what protects them. `earlyData.maxSize` bytes of data are skipped in any case.
   */
  readonly skippedEarlyData?: number | undefined;
}
