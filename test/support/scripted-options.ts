/** The options of a scripted client, and what the product makes of them. */

import type { Credential } from '../../src/crypto/credentials/credential.ts';
import type { CryptoProvider, HashName } from '../../src/crypto/provider.ts';
import { noble } from '../../src/crypto/providers/noble.ts';
import { brandClientConfig, type ClientConfig } from '../../src/engine/client/config.ts';
import { defineClient } from '../../src/engine/client/define-client.ts';
import type { ClientOptions as ProductOptions } from '../../src/engine/client/options.ts';
import type { DraftExtension, DraftPsk } from '../../src/handshake/client/hello-draft.ts';
import type { ClientHello } from '../../src/handshake/messages/client-hello.ts';
import { PEER_SCHEMES } from '../../src/handshake/peer-signature.ts';
import { nodeCrypto } from '../../src/node/index.ts';
import { Session } from '../../src/sessions/session.ts';
import type { InjectorOptions } from '../../src/testing/injector.ts';
import { EMPTY } from '../../src/wire/bytes.ts';
import type { Entries } from '../../src/wire/codec.ts';
import { MAX_PLAINTEXT } from '../../src/wire/record.ts';
import type { CipherSuiteName, GroupName, PskMode, SignatureSchemeName, Version } from '../../src/wire/registry.ts';
import type { World } from '../../src/world.ts';
import type { ClientCertificate } from './client-certificates.ts';
import { reusingKeys } from './provider.ts';
import { TestWorld } from './world.ts';

/** A PSK to offer: what a ticket gives, or anything else. */
export interface ClientPsk {
  readonly identity: Uint8Array;
  readonly secret: Uint8Array;
  readonly hash: HashName;
  readonly obfuscatedTicketAge?: number | undefined;
  /** Default: that of a ticket. */
  readonly kind?: DraftPsk['kind'];
}

/** A value to be written: what is read as entries is an array here. */
type Writable<T> = T extends string | Uint8Array
  ? T
  : T extends Entries<infer E>
    ? readonly Writable<E>[]
    : T extends object
      ? { readonly [K in keyof T as Exclude<K, 'later'>]: Writable<T[K]> }
      : T;
/** A hello by the fields of its struct. */
export type HelloFields = Writable<ClientHello>;
export type RawExtension = Readonly<DraftExtension>;

/** What may be changed on the way from the hello to its bytes, in this order. */
export interface HelloScript {
  readonly rewriteHello?: ((hello: HelloFields, attempt: number) => HelloFields) | undefined;
  readonly rewriteExtensions?:
    | ((list: readonly RawExtension[], attempt: number) => readonly RawExtension[])
    | undefined;
  /** The binders are those of the hello as rewritten so far. */
  readonly rewriteBinders?: ((binders: readonly Uint8Array[], attempt: number) => readonly Uint8Array[]) | undefined;
}

/** Where the client can be made to wait for the test. */
export type ClientStep =
  | 'client_hello'
  | 'second_client_hello'
  | 'certificate'
  | 'certificate_verify'
  | 'client_key_exchange'
  | 'change_cipher_spec'
  | 'finished';

/** What a TLS 1.2 session leaves with its client. */
export interface ClientSession {
  readonly id: Uint8Array;
  readonly secret: Uint8Array;
  readonly cipherSuite: number;
  /** RFC 5077: the last that was not empty. */
  readonly ticket?: Uint8Array | undefined;
  /** RFC 7627, default true. */
  readonly ems?: boolean | undefined;
}

/** A NewSessionTicket with its PSK: may be offered as it is. */
export interface ClientTicket extends ClientPsk {
  readonly cipherSuite: number;
  readonly lifetime: number;
  readonly ageAdd: number;
  readonly nonce: Uint8Array;
}

export interface ClientOptions extends HelloScript {
  /** The highest version; default 'TLSv1.3', which offers TLS 1.2 too. */
  readonly version?: Version | undefined;
  /** The content of supported_versions; `false` leaves the extension out. */
  readonly supportedVersions?: readonly number[] | false | undefined;
  /** Names, or numbers for what has none. Default: every suite of the offered versions. */
  readonly ciphers?: readonly (CipherSuiteName | number)[] | undefined;
  /** Default all three; `false` leaves the extension out. */
  readonly groups?: readonly (GroupName | number)[] | false | undefined;
  /** TLS 1.3: the groups to send a share of; default the first of `groups`, none leads to a HelloRetryRequest. `false` leaves the extension out. */
  readonly keyShares?: readonly GroupName[] | false | undefined;
  readonly sni?: string | undefined;
  readonly alpn?: readonly string[] | undefined;
  /** Default: all that have a name; `false` leaves the extension out. */
  readonly signatureAlgorithms?: readonly SignatureSchemeName[] | false | undefined;
  /** Default both in a TLS 1.3 hello, as without the extension there would be no tickets; `false` leaves it out. */
  readonly pskModes?: readonly PskMode[] | false | undefined;
  readonly psks?: readonly ClientPsk[] | undefined;
  /** TLS 1.2: the session to resume, by its ticket where it has one, else by its id. */
  readonly session?: ClientSession | undefined;
  /** legacy_session_id; default 32 bytes in a TLS 1.3 hello (middlebox compatibility), the session's id or none in TLS 1.2. */
  readonly sessionId?: Uint8Array | undefined;
  /** RFC 5077: the ticket, empty for "I know them"; default the session's. `false` leaves the extension out, as does no session. */
  readonly ticketExt?: Uint8Array | false | undefined;
  /** RFC 9149 */
  readonly ticketRequest?: { readonly newSessionCount: number; readonly resumptionCount: number } | undefined;
  /** extended_master_secret, default true. */
  readonly ems?: boolean | undefined;
  /** Default 'extension', with an empty value. */
  readonly renegotiationInfo?: 'extension' | 'scsv' | false | undefined;
  readonly fallbackScsv?: boolean | undefined;
  readonly recordSizeLimit?: number | undefined;
  /** The code of RFC 6066 §4. */
  readonly maxFragmentLength?: number | undefined;
  readonly earlyData?: boolean | undefined;
  /** Default uncompressed only; `false` leaves it out of a hello that offers TLS 1.2. */
  readonly ecPointFormats?: readonly number[] | false | undefined;
  /** Any handshake message before it is hashed and sent; the hello's binders are not made anew. */
  readonly rewriteMessage?: ((name: string, raw: Uint8Array) => Uint8Array) | undefined;
  /** The same, but on the wire only: the transcript has the message as it was. */
  readonly rewriteWire?: ((name: string, raw: Uint8Array) => Uint8Array) | undefined;
  /** Waits before this step; `proceed()` goes on. */
  readonly stopBefore?: ClientStep | undefined;
  /** Bytes of handshake messages in one record; default as many as fit. */
  readonly fragment?: number | undefined;
  /** TLS 1.3: zeros in every protected record. */
  readonly padding?: number | undefined;
  /** TLS 1.3: `false` leaves out the ChangeCipherSpec of middlebox compatibility mode. */
  readonly changeCipherSpec?: false | undefined;
  /** What it shows where it is asked for a certificate, asked for its scheme or not; default none. */
  readonly certificate?: ClientCertificate | undefined;
  /** Check the server's signature with node:crypto; default false. */
  readonly verify?: boolean | undefined;
  /** Answer update_requested; default true. */
  readonly polite?: boolean | undefined;
  readonly world?: World | undefined;
  readonly crypto?: CryptoProvider | undefined;
}

/** With `verify: false`, every signature verifies. */
export function configure(options: ClientOptions, signed: (signature: Uint8Array) => void): ClientConfig {
  const { version = 'TLSv1.3', crypto = noble, verify = false, world = new TestWorld(3) } = options;
  const { groups, keyShares, recordSizeLimit: limit = 0, maxFragmentLength: code = 0 } = options;
  const named = (groups || []).filter((group) => typeof group !== 'number');
  const shares = keyShares || undefined;
  const offered = groups === undefined ? [...(shares ?? []), ...DEFAULT_GROUPS] : [...(shares ?? []), ...named];
  const known = offered.filter((group) => crypto.groups[group] !== undefined);
  const tls13 = version === 'TLSv1.3' ? 1 : 0;
  const base = configuration(crypto, verify, {
    maxVersion: version,
    groups: known.length === 0 ? undefined : known,
    keyShares: shares ?? (known.length === 0 ? [] : undefined),
    recordSizeLimit: limit - tls13 >= 64 && limit - tls13 <= MAX_PLAINTEXT ? limit - tls13 : undefined,
    maxFragmentLength: ([512, 1024, 2048, 4096] as const)[code - 1],
  });
  const credential = options.certificate && credentialOf(options.certificate, signed);
  return brandClientConfig({ ...base, credential, world });
}

const configurations = new WeakMap<CryptoProvider, Map<string, ClientConfig>>();

/** Made once for all clients that differ in their world and their certificate alone. */
function configuration(crypto: CryptoProvider, verify: boolean, options: Partial<ProductOptions>): ClientConfig {
  const known = configurations.get(crypto) ?? new Map<string, ClientConfig>();
  configurations.set(crypto, known);
  const key = JSON.stringify([verify, options]);
  const config = known.get(key) ?? defineClient({ ...options, ...UNIFORM, crypto: verifying(crypto, verify) });
  known.set(key, config);
  return config;
}

const UNIFORM = { verifyServer: 'any', sessions: { cache: false } } as const;

function verifying(crypto: CryptoProvider, verify: boolean): CryptoProvider {
  return { ...reusingKeys(crypto), verifier: verify ? nodeCrypto.verifier : () => () => true };
}

const DEFAULT_GROUPS = ['x25519', 'secp256r1', 'secp384r1'] as const;

/** It is for every scheme that may be asked for. What it has `signed`, and with which scheme it says it has, comes later. */
function credentialOf({ chain, sign }: ClientCertificate, signed: (signature: Uint8Array) => void): Credential {
  return {
    certificateChain: chain,
    schemes: PEER_SCHEMES,
    names: [],
    sign: (_scheme, content) => {
      signed(sign(content));
      return Uint8Array.of(0);
    },
  };
}

export function sessionOf(
  { id, secret, cipherSuite, ticket, ems = true }: ClientSession,
  options: ClientOptions,
): Session {
  const { ticketExt = ticket } = options;
  const now = Math.floor((options.world ?? new TestWorld(3)).now() / 1000);
  return new Session({
    version: 'TLSv1.2',
    cipherSuite,
    id,
    secret,
    time: now,
    timeout: 7200,
    authTime: now,
    extendedMasterSecret: ems,
    idContext: EMPTY,
    foreign: ticketExt !== false && ticketExt !== undefined && ticketExt.length > 0 ? { ticket: ticketExt } : undefined,
  });
}

/** Where the injector of the product is to hold. A client that does not answer holds back its KeyUpdate, and keeps its key. */
export function holdFor({ stopBefore, polite }: ClientOptions): InjectorOptions {
  if (stopBefore === 'second_client_hello') return { holdBefore: 'client_hello', which: 2 };
  return { holdBefore: stopBefore ?? (polite === false ? 'key_update' : undefined) };
}
