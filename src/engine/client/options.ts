/**
 * The options of a client, the same for every shell. configure.ts validates them: each error is a TypeError (an unknown name, a
 * value of the wrong kind) or a RangeError (a value out of range) whose message begins with the name of the option. An option that
 * is `undefined` has its default; `null` is a TypeError.
 */

import type { Awaitable } from '../../awaitable.ts';
import type { Credential } from '../../crypto/credentials/credential.ts';
import type { CryptoProvider } from '../../crypto/provider.ts';
import type { Stapled } from '../../handshake/client/context.ts';
import type { Session } from '../../sessions/session.ts';
import type { CipherSuiteName, GroupName, PskMode, SignatureSchemeName, Version } from '../../wire/registry.ts';
import type { World } from '../../world.ts';
import type { PemCredential } from '../credential-options.ts';
import type { ExternalPsk } from '../psk-options.ts';

/**
 * Decides whether to accept a server. `chain` has its certificates in DER, its own first; the server has proved that it has the key
 * of that one. `name` is the host name that was asked for. Path, names, dates, purpose and revocation are for the callback to judge.
 * `stapled`, which a client always gives, has the OCSP response and the signed certificate timestamps that the server has sent, if the options ask for them: whether
 * they are signed, fresh, and for this certificate is for the callback to judge, too. It refuses a response by a TlsAlert
 * bad_certificate_status_response.
 *
 * Only the answer `true` accepts. With any other answer the server gets certificate_unknown. If the callback throws a TlsAlert, the
 * server gets that alert; any other failure is internal_error and a callback-error event.
 */
export type VerifyServer = (
  chain: readonly Uint8Array[],
  name: string | undefined,
  stapled?: Stapled,
) => Awaitable<boolean>;

/** The options of defineClient(). `verifyServer`, `pins` or `psks` is required: nothing is trusted by accident. */
export interface ClientOptions {
  /**
   * Judges the server's certificates: a callback, or the word 'any', which accepts every server, and with it anybody between. Beside
   * `pins`, both must accept.
   */
  readonly verifyServer?: VerifyServer | 'any' | undefined;
  /**
   * Accepts a server whose key is among these: SHA-256 digests of SubjectPublicKeyInfo (RFC 7469 §2.4), in hexadecimal or base64,
   * at least one. Neither the name nor the dates of the certificate are looked at.
   */
  readonly pins?: readonly string[] | undefined;
  /** The lowest version that is offered. Default 'TLSv1.2'. */
  readonly minVersion?: Version | undefined;
  /** The highest version that is offered. Default 'TLSv1.3'. */
  readonly maxVersion?: Version | undefined;
  /** Cipher suites by their IANA names, in the order of preference. Default: all that the library has, AES-128 first. */
  readonly ciphers?: readonly (CipherSuiteName | (string & {}))[] | undefined;
  /**
   * Groups for the key exchange, in the order of preference. Default X25519MLKEM768, x25519, secp256r1, secp384r1 and SecP256r1MLKEM768, as
   * far as `crypto` has them.
   */
  readonly groups?: readonly GroupName[] | undefined;
  /** TLS 1.3: those of `groups` of which the first hello has a share. Default: the first. None leads to a HelloRetryRequest. */
  readonly keyShares?: readonly GroupName[] | undefined;
  /** The schemes by which the server may sign, in the order of preference. Default: all that the library verifies. */
  readonly signatureAlgorithms?: readonly SignatureSchemeName[] | undefined;
  /** Application protocols, in the order of preference (RFC 7301). Default: none, and no extension. */
  readonly alpn?: readonly string[] | undefined;
  /** The PSK key exchange modes of TLS 1.3 that are offered. Default `['psk_dhe_ke']`; psk_ke has no forward secrecy. */
  readonly pskModes?: readonly PskMode[] | undefined;
  /**
   * External PSKs (RFC 9846 §2.2, RFC 9257), offered in this order after the tickets; those whose role is 'server' are left out. A
   * server that selects one has proved that it has the key, and sends no certificate. Without `verifyServer` and `pins`, a server that
   * sends a certificate all the same is refused with certificate_unknown. docs/psk.md is the guide.
   */
  readonly psks?: readonly ExternalPsk[] | undefined;
  /** What a server that asks for a certificate is shown. Default: none; the server is told so. */
  readonly credential?: Credential | PemCredential | undefined;
  /** TLS 1.2: refuses servers without extended_master_secret with handshake_failure (RFC 7627 §5.2). Default false. */
  readonly requireExtendedMasterSecret?: boolean | undefined;
  /** TLS 1.2: whether tickets are asked for (RFC 5077 §3.2). Default true. */
  readonly sessionTicket?: boolean | undefined;
  /** TLS 1.3: how many tickets are asked for, 0 to 255 each (RFC 9149). Default: the server decides. */
  readonly ticketRequest?: TicketRequest | undefined;
  /** The longest content of a record that is accepted, in bytes: 64 to 16384 (RFC 8449). Default: no extension. */
  readonly recordSizeLimit?: number | undefined;
  /** The longest content of a record in either direction (RFC 6066 §4), for small devices. Default: no extension. */
  readonly maxFragmentLength?: 512 | 1024 | 2048 | 4096 | undefined;
  /**
   * Whether an OCSP response for the server's certificate is asked for (RFC 6066 §8). `verifyServer` is given it, and
   * `connection.ocspResponse` has it; a server need not send one. Default false.
   */
  readonly statusRequest?: boolean | undefined;
  /** Whether signed certificate timestamps are asked for (RFC 6962 §3.3.1), in the same way. Default false. */
  readonly signedCertificateTimestamp?: boolean | undefined;
  /** Whether TLS 1.3 looks like TLS 1.2 to what stands between (RFC 9846 Appendix E.4). Default true. */
  readonly middleboxCompatibility?: boolean | undefined;
  /** The sessions that servers hand out. */
  readonly sessions?: ClientSessionOptions | undefined;
  /** The cryptographic primitives. Default: `defaultProvider`. */
  readonly crypto?: CryptoProvider | undefined;
  /** The clock and the source of randomness. Default: the host's. */
  readonly world?: World | undefined;
  /** How many records one key may protect: at least 4. Default: what its suite allows. */
  readonly recordsPerKey?: number | undefined;
  /** Receives lines in NSS key log format, one per call. They suffice to decrypt the connection. */
  readonly keylog?: ((line: string) => void) | undefined;
}

/** RFC 9149 §3 */
export interface TicketRequest {
  /** If the handshake is a full one. */
  readonly newSessionCount: number;
  /** If it resumes. A hello that offers no ticket says 0. */
  readonly resumptionCount: number;
}

/** What becomes of the sessions that servers hand out. */
export interface ClientSessionOptions {
  /**
   * Whether the client keeps them, and offers them in its next connections to the same host, port and server name that name no
   * `sessions` of their own. Default true.
   */
  readonly cache?: boolean | undefined;
  /** Of how many peers sessions are kept: at least 1, default 256. */
  readonly maxPeers?: number | undefined;
  /** How many sessions are kept of each peer: at least 1, default 4. */
  readonly maxPerPeer?: number | undefined;
  /**
   * How many bytes the sessions that the client keeps may take together, as `byteLength` of a session counts them, which here has the
   * chain of the server in it; 0 is no limit. Those go first whose peers were used least lately. Default: 4096 for each of `maxPeers`
   * times `maxPerPeer`, which is 4 MiB, but at least 1 MiB. What a `store` keeps does not count.
   */
  readonly maxBytes?: number | undefined;
  /**
   * Whether a ticket of TLS 1.3 is offered once only, so that nobody who listens can tell that two connections are of the same client
   * (RFC 9846 Appendix C.4). Default true.
   */
  readonly singleUse?: boolean | undefined;
  /** Keeps the sessions where they survive a restart. */
  readonly store?: ClientSessionStore | undefined;
  /** How long a handshake waits for `store.load`, in milliseconds: 0 to 2^31 - 1, default 1000. A later answer counts as none. */
  readonly lookupTimeoutMs?: number | undefined;
  /** How long a session is offered if its server states no lifetime, in seconds: at least 1, default 7200. */
  readonly timeout?: number | undefined;
  /**
   * Is told of each session: one in TLS 1.2, one a ticket in TLS 1.3, unless no ClientHello has room for it. The connection holds it until
   * its end, if it gets no more than 256 sessions or 1 MiB of them; to keep it longer, take a hold with `upRef()`.
   */
  readonly onNew?: ((session: Session) => void) | undefined;
}

/**
 * A store for the sessions of a client. Whoever reads it can take over what these sessions protect, so keep it as you keep a private
 * key. A session that it brings back is offered if the client has the same `pins`, `label`, credential and versions as before.
 */
export interface ClientSessionStore {
  /** Returns what was saved last under a key, or nothing. A failure costs a full handshake, and is a callback-error event. */
  load(key: string): Awaitable<readonly Uint8Array[] | undefined>;
  /** Saves the sessions of one peer, in the place of those that were there. */
  save(key: string, sessions: readonly Uint8Array[]): Awaitable<void>;
  /** Stands for the decision of `verifyServer`: change it when that becomes stricter. Default: empty. */
  readonly label?: string | undefined;
}
