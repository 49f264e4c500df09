/** defineServer() with the fewest parts: TLS 1.3 and the host's Web Crypto. The caller adds the others that it needs. */

import type { Credential } from '../../crypto/credentials/credential.ts';
import type { CryptoProvider } from '../../crypto/provider.ts';
import { symmetric } from '../../crypto/providers/symmetric.ts';
import { webCryptoGroups } from '../../crypto/providers/web-crypto.ts';
import { tls13 } from '../../handshake/server/server-tls13.ts';
import { type Names, requireOptions } from '../../wire/options.ts';
import type { ClientAuth } from './client-auth.ts';
import type { ServerConfig } from './config.ts';
import { configure } from './configure.ts';
import type { EarlyData } from './early-data.ts';
import type { ExternalPsks } from './external-psks.ts';
import type { ServerOptions } from './options.ts';
import type { SealedTickets } from './ticket-policy.ts';

/** The parts that {@link defineServer} takes from its caller. */
export interface OptionalParts {
  /** For the option `clientAuth`. */
  readonly clientCertificates?: ClientAuth | undefined;
  /** For the option `earlyData`. */
  readonly earlyData?: EarlyData | undefined;
  /** For the `tickets.mode` 'stateless'. */
  readonly sealedTickets?: SealedTickets | undefined;
  /** For the option `psks`. */
  readonly externalPsks?: ExternalPsks | undefined;
}

const OPTIONAL_PARTS = {
  clientCertificates: true,
  earlyData: true,
  externalPsks: true,
  sealedTickets: true,
} satisfies Names<OptionalParts>;

/** {@link webProvider} for a server that verifies nothing. */
const WITHOUT_VERIFIER: CryptoProvider = { ...symmetric, groups: webCryptoGroups };

/** The options of a server that has no TLS 1.2. */
export interface Tls13Options
  extends Omit<ServerOptions, 'credentials' | 'minVersion' | 'maxVersion' | 'requireExtendedMasterSecret'> {
  /**
   * At least one, unless there are `psks`; made by {@link webCryptoCredential} or {@link credentialFromPem}, or an object of your own that signs. A
   * handshake uses the first that fits the client.
   */
  readonly credentials?: readonly Credential[] | undefined;
  /** Default: {@link webProvider}. With {@link defaultProvider} the curves are those of @noble/curves. */
  readonly crypto?: ServerOptions['crypto'] | undefined;
}

/**
 * Returns the configuration of a server without TLS 1.2, which every shell can run. A client without TLS 1.3 gets the alert
 * protocol_version. The option `clientAuth` needs the part `{ clientCertificates }`, `earlyData` the part `{ earlyData }`, the
 * `tickets.mode` 'stateless' the part `{ sealedTickets }`, and the option `psks` the part `{ externalPsks }`.
 * @throws TypeError naming the option that is unknown, missing or of the wrong kind; RangeError for a value out of range
 */
export function defineServer(options: Tls13Options, parts: OptionalParts = {}): ServerConfig {
  requireOptions('parts', parts, OPTIONAL_PARTS);
  const wrong = Object.entries(parts).find(([, part]) => part !== undefined && typeof part !== 'object');
  if (wrong !== undefined) throw new TypeError(`parts.${wrong[0]}: write defineServer(options, { ${wrong[0]} })`);
  const { requireExtendedMasterSecret }: Partial<ServerOptions> = options ?? {}; // configure() refuses what is no object
  if (requireExtendedMasterSecret !== undefined)
    throw new TypeError('requireExtendedMasterSecret is for TLS 1.2, which this server does not have');
  const { clientCertificates, earlyData: zeroRtt, ...others } = parts;
  const config = configure(options, {
    ...others,
    clientCertificates,
    zeroRtt,
    protocols: [tls13],
    crypto: clientCertificates?.crypto ?? WITHOUT_VERIFIER,
  });
  return clientCertificates?.withWarning(config, options.clientAuth) ?? config;
}
