/** The settings of a server that its handshakes read. */

import type { Awaitable } from '../../awaitable.ts';
import type { Credential } from '../../crypto/credentials/credential.ts';
import type { CryptoProvider } from '../../crypto/provider.ts';
import type { SuiteParameters } from '../../crypto/suites.ts';
import type { ConnectionInfo } from '../../sessions/connection-info.ts';
import type { GroupName, PskMode, Version } from '../../wire/registry.ts';
import type { NoEarlyData } from '../outcome.ts';
import type { AntiReplay } from './anti-replay.ts';

/** A behaviour to be compatible with; `ServerOptions.compat` describes it. */
export type Compat = 'openssl-3';

/**
 * Chooses the application protocol; see `onAlpn` of the options. `protocols` are those that the client offers, in its order, at most 128;
 * if the server has a list, only those that are in it.
 */
export type OnAlpn = (protocols: readonly string[], connection: ConnectionInfo) => Awaitable<string | null | undefined>;

/** The user's decisions. engine/server/configure.ts validates them, fills in the defaults and freezes them. */
export interface Settings {
  readonly credentials: readonly Credential[];
  readonly minVersion: Version;
  readonly maxVersion: Version;
  /** The suites of both versions, in the server's order of preference. */
  readonly suites: readonly SuiteParameters[];
  readonly groups: readonly GroupName[];
  readonly alpn: readonly string[];
  readonly onAlpn: OnAlpn | undefined;
  readonly pskModes: readonly PskMode[];
  readonly requireExtendedMasterSecret: boolean;
  /** RFC 8449: the longest content of a record that the server accepts, in bytes; without the byte of the content type. */
  readonly recordSizeLimit: number | undefined;
  readonly compat: Compat | undefined;
  /** The session id context, which a session must have to be resumed here. */
  readonly idContext: Uint8Array;
  readonly scope: {
    readonly label: string;
    readonly shareAcross: string | undefined;
    readonly bindLocalAddress: boolean;
    readonly bindAlpn: boolean;
  };
  /** Returns how long a new session can be resumed, in seconds. SSL_CTX_set_timeout(3) changes it while connections run. */
  sessionTimeout(): number;
  readonly maxIdentities: number;
  readonly tickets: TicketSettings;
  /** `undefined` if clients are not asked for a certificate. */
  readonly clientAuth: ClientAuthSettings | undefined;
  readonly crypto: CryptoProvider;
  /** `undefined` if none is accepted. */
  readonly earlyData: EarlyDataSettings | undefined;
}

/** The option `earlyData` of a server, validated. Sizes are in bytes. */
export interface EarlyDataSettings {
  readonly maxSize: number;
  readonly maxHeld: number;
  /** What is held by the connections of this server, at most. */
  readonly held: { bytes: number };
  readonly windowMs: number;
  /** `undefined` if the session of the hello is taken for its single use instead. */
  readonly admit: AntiReplay['admit'] | undefined;
  /** Whether early data under external PSKs may be admitted. */
  readonly keepsForever: boolean;
  /** Why early data is rejected for now, whatever the strategy would say; `undefined` if it is not. It is asked last of all but the strategy. */
  refusal(connection: ConnectionInfo): NoEarlyData | undefined;
}

/** The option `clientAuth` of a server, validated. */
export interface ClientAuthSettings {
  readonly mode: 'request' | 'require';
  verifyClient(chain: readonly Uint8Array[], connection: ConnectionInfo): Awaitable<boolean>;
  /** The names in DER that CertificateRequest sends. */
  readonly authorities: readonly Uint8Array[];
  /** The certificates in DER that have these names. */
  readonly anchors: readonly Uint8Array[];
}

/** The option `tickets` of a server, validated. Lifetimes and ages are in seconds. */
export interface TicketSettings {
  readonly mode: 'stateful' | 'stateless' | 'off';
  readonly timing: 'after-finished' | 'half-rtt' | 'with-first-write' | 'manual';
  readonly initial: number;
  readonly afterResumption: number;
  /** How many tickets a client may ask for (RFC 9149). */
  readonly maxRequested: number;
  readonly singleUse: boolean;
  /** For how many seconds after the full handshake a chain of resumptions may go on. */
  readonly maxAuthAge: number;
}
