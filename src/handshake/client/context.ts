/** The interfaces of a client's handshake besides {@link HandshakeIO}: settings, offer, trust, and the parts of the client. */

import type { Credential } from '../../crypto/credentials/credential.ts';
import type { KeyReader } from '../../crypto/credentials/public-key.ts';
import type { DecapsulationKey, HashName } from '../../crypto/provider.ts';
import type { SuiteParameters } from '../../crypto/suites.ts';
import type { ForeignFields } from '../../sessions/parameters.ts';
import type { Session } from '../../sessions/session.ts';
import type { GroupName, PskMode, SignatureSchemeName, Version } from '../../wire/registry.ts';
import type { Established } from '../established.ts';
import type { HandshakeIO } from '../io.ts';
import type { Received } from '../messages/message.ts';
import type { UndecidedServerHello } from '../messages/undecided-server-hello.ts';
import type { ClientResumption, Facts } from '../outcome.ts';
import type { EarlyDataTerms, WirePsk } from '../psk.ts';
import type { Handshake, Task } from '../wait.ts';
import type { HelloDraft } from './hello-draft.ts';

/** The user's decisions. engine/client/configure.ts validates them, fills in the defaults and freezes them. */
export interface ClientSettings {
  readonly minVersion: Version;
  readonly maxVersion: Version;
  /** The suites of both versions, in the client's order of preference. */
  readonly suites: readonly SuiteParameters[];
  readonly groups: readonly GroupName[];
  /** TLS 1.3: the groups of which the first hello has a share. */
  readonly keyShares: readonly GroupName[];
  readonly signatureAlgorithms: readonly SignatureSchemeName[];
  readonly alpn: readonly string[];
  readonly pskModes: readonly PskMode[];
  /** The external PSKs that are offered, in their order. */
  readonly psks: readonly WirePsk[];
  /** What a server that asks for a certificate is shown. */
  readonly credential: Credential | undefined;
  readonly requireExtendedMasterSecret: boolean;
  /** TLS 1.2: whether tickets are asked for (RFC 5077 §3.2). */
  readonly sessionTicket: boolean;
  /** RFC 9149 */
  readonly ticketRequest: { readonly newSessionCount: number; readonly resumptionCount: number } | undefined;
  /** RFC 8449: the longest content of a record that the client accepts, in bytes; without the byte of the content type. */
  readonly recordSizeLimit: number | undefined;
  /** The code of RFC 6066 §4. */
  readonly maxFragmentLength: number | undefined;
  /** Whether an OCSP response is asked for (RFC 6066 §8), and signed certificate timestamps (RFC 6962 §3.3.1). */
  readonly statusRequest: boolean;
  readonly signedCertificateTimestamp: boolean;
  /** RFC 9846 Appendix E.4: whether a session id and ChangeCipherSpec records make TLS 1.3 look like TLS 1.2. */
  readonly middleboxCompatibility: boolean;
}

/** A session to be offered. */
export interface SessionOffer {
  readonly session: Session;
  readonly psk?: undefined;
  /** TLS 1.3: an age to state instead of the right one, in milliseconds. */
  readonly age?: number | undefined;
  /** TLS 1.3: the hash of the suite that the session was made under. */
  readonly hash: HashName;
  /** The ticket: of TLS 1.3, or RFC 5077's. `undefined` if the session is resumed by its id. */
  readonly ticket: Uint8Array | undefined;
}

/** An external PSK to be offered. */
export interface ExternalOffer {
  readonly psk: WirePsk;
  readonly hash: HashName;
  readonly session?: undefined;
}

/** What stands behind an identity of a hello. */
export type PskOffer = SessionOffer | ExternalOffer;

/** What a handshake knows of a new session. The rest is the connection's. */
export interface NewClientSession {
  readonly version: Version;
  readonly cipherSuite: number;
  /** Without one, the session gets a digest of its ticket as its id. */
  readonly id?: Uint8Array | undefined;
  readonly secret: Uint8Array;
  /** Seconds. `undefined` if the server has stated none. */
  readonly timeout: number | undefined;
  readonly extendedMasterSecret: boolean;
  readonly group: number;
  readonly ticketAgeAdd?: number | undefined;
  readonly foreign: ForeignFields | undefined;
}

/**
 * What the server has shown beside its certificate, as far as it was asked for and has it. Nobody has looked into it: who judges the
 * certificate may.
 */
export interface Stapled {
  /** The OCSP response for the server's own certificate, in DER (RFC 6066 §8). */
  readonly ocspResponse: Uint8Array | undefined;
  /** The signed certificate timestamps, each as bytes (RFC 6962 §3.3). */
  readonly signedCertificateTimestamps: readonly Uint8Array[] | undefined;
}

export interface ClientFacts extends Facts {
  stapled: Stapled;
  resumption: ClientResumption;
  /** The external PSK that the server has selected. */
  psk?: WirePsk | undefined;
}

/** The changes that a tester makes to a hello. `attempt` is 1, and 2 after a HelloRetryRequest. */
export interface HelloEdits {
  /** Changes the hello before its binders are made, in place, or returns another. */
  hello?: ((draft: HelloDraft, attempt: 1 | 2) => HelloDraft | undefined) | undefined;
  /** Returns the message, header included, that is sent and hashed instead. */
  bytes?: ((raw: Uint8Array, attempt: 1 | 2) => Uint8Array) | undefined;
}

/** The early data of a hello that has been sent. */
export interface SentEarlyData {
  readonly suite: SuiteParameters;
  /** What the PSK that it goes under says of it; `undefined` for one that a tester has made up. */
  readonly terms: EarlyDataTerms | undefined;
}

/** A ClientHello that has been sent, and what is needed to understand its answer. */
export interface SentHello {
  readonly draft: HelloDraft;
  /** The private keys of the shares in it. */
  readonly keys: ReadonlyMap<GroupName, DecapsulationKey>;
  /** What stands behind its PSKs, in their order. */
  readonly psks: readonly PskOffer[];
  /** The session of TLS 1.2 that it offers. */
  readonly tls12: SessionOffer | undefined;
  /** The early data that goes with it. */
  readonly early: SentEarlyData | undefined;
  /** How many bytes the first hello has beside its extensions, without the tickets and PSKs in them. */
  readonly room: number;
}

/** A version of TLS, as an optional part of a client. A bundle contains only the versions that it names. */
export interface ClientProtocol {
  readonly version: Version;
  /** Runs the handshake to its end, from the ServerHello, which has selected this version. */
  connect(context: ClientHandshake, sent: SentHello, hello: Received<UndecidedServerHello>): Handshake<Established>;
}

export interface ClientParts {
  /** The versions that this client is made with, in rising order. */
  readonly protocols: readonly ClientProtocol[];
  /** Reads the public key of a server's certificate. */
  readonly readPublicKey: KeyReader;
}

/** The connection, as a client's handshake sees it. */
export interface ClientHandshake extends HandshakeIO {
  readonly settings: ClientSettings;
  readonly parts: ClientParts;
  readonly facts: ClientFacts;
  /** The host name for the extension server_name (RFC 6066 §3), if one is sent. */
  readonly serverName: string | undefined;
  /** Looks for sessions to offer. Concludes with those of TLS 1.3, any number, in their order, and one of TLS 1.2 at most. */
  findOffers(): Task<unknown, readonly SessionOffer[]>;
  readonly edits: HelloEdits;
  /** How much early data the application has from the start; `undefined` if it wants to send none. */
  readonly earlyDataLength: number | undefined;
  /** Sends the early data that the application had from the start. */
  writeEarlyData(): void;
  /** TLS 1.3: returns what a hello says now of the age of a ticket, in whole milliseconds, 0 to 2^32 - 1, before ticket_age_add is added. */
  ageOf(offer: SessionOffer): number;
  /** Queues a message that is encoded already, and returns what enters the transcript. */
  sendRaw(raw: Uint8Array): Uint8Array;
  /** Asks who has a say on the server's certificates. The conclusion throws the TlsAlert of a refusal. */
  verifyServer(chain: readonly Uint8Array[], stapled: Stapled): Task<unknown, void>;
  /** Notes that the server resumes a session, or a PSK without one; TLS 1.3: by which identity, and in which mode. */
  resume(offer: PskOffer | undefined, identityIndex: number | undefined, pskMode: PskMode | undefined): void;
  /** Keeps a session that the server has handed out, in the handshake or after it. The secret is copied. */
  adopt(session: NewClientSession): void;
}
