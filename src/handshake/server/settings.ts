/** The settings of a server, as far as its handshakes go by them. */

import type { Awaitable } from '../../awaitable.ts';
import type { Credential } from '../../crypto/credentials/credential.ts';
import type { CryptoProvider } from '../../crypto/provider.ts';
import type { SuiteParameters } from '../../crypto/suites.ts';
import type { ConnectionInfo } from '../../sessions/connection-info.ts';
import type { GroupName, PskMode, Version } from '../../wire/registry.ts';

/** A behaviour to be compatible with; `ServerOptions.compat` says in what. */
export type Compat = 'openssl-3';

/** What the user has decided. engine/server/configure.ts validates it, fills in the defaults and freezes it. */
export interface Settings {
  readonly credentials: readonly Credential[];
  readonly minVersion: Version;
  readonly maxVersion: Version;
  /** In the server's order, of both versions. */
  readonly suites: readonly SuiteParameters[];
  readonly groups: readonly GroupName[];
  readonly alpn: readonly string[];
  readonly pskModes: readonly PskMode[];
  readonly requireExtendedMasterSecret: boolean;
  readonly compat: Compat | undefined;
  /** What a session must agree in to be resumed here. */
  readonly idContext: Uint8Array;
  readonly scope: {
    readonly label: string;
    readonly shareAcross: string | undefined;
    readonly bindLocalAddress: boolean;
    readonly bindAlpn: boolean;
  };
  /** How long a new session can be resumed, in seconds. OpenSSL's SSL_CTX_set_timeout(3) changes it while connections run. */
  sessionTimeout(): number;
  readonly maxIdentities: number;
  readonly tickets: TicketSettings;
  /** `undefined`: clients are not asked for a certificate. */
  readonly clientAuth: ClientAuthSettings | undefined;
  readonly crypto: CryptoProvider;
}

export interface ClientAuthSettings {
  readonly mode: 'request' | 'require';
  verifyClient(chain: readonly Uint8Array[], connection: ConnectionInfo): Awaitable<boolean>;
  /** Names, DER, that CertificateRequest tells the client. */
  readonly authorities: readonly Uint8Array[];
  /** The certificates, DER, that those are the names of. */
  readonly anchors: readonly Uint8Array[];
}

export interface TicketSettings {
  readonly mode: 'stateful' | 'stateless' | 'off';
  readonly timing: 'after-finished' | 'half-rtt' | 'with-first-write' | 'manual';
  readonly initial: number;
  readonly afterResumption: number;
  /** RFC 9149: how many a client may ask for. */
  readonly maxRequested: number;
  readonly singleUse: boolean;
  /** Seconds from the full handshake after which no chain of resumptions goes on. */
  readonly maxAuthAge: number;
}
