/** defineClient() with the fewest parts: TLS 1.3 and the host's Web Crypto. */

import type { Credential } from '../../crypto/credentials/credential.ts';
import { readPlainKey } from '../../crypto/credentials/public-key.ts';
import { webProvider } from '../../crypto/providers/web-provider.ts';
import { tls13 } from '../../handshake/client/client-tls13.ts';
import { type Names, requireOptions } from '../../wire/options.ts';
import type { ClientConfig } from './config.ts';
import { configure } from './configure.ts';
import type { ClientExternalPsks } from './external-psks.ts';
import type { ClientOptions } from './options.ts';

/** The options of a client that has no TLS 1.2. */
export interface Tls13ClientOptions
  extends Omit<
    ClientOptions,
    'credential' | 'minVersion' | 'maxVersion' | 'requireExtendedMasterSecret' | 'sessionTicket'
  > {
  /** Made by {@link webCryptoCredential} or {@link credentialFromPem}, or an object of your own that signs. */
  readonly credential?: Credential | undefined;
  /** Default: {@link webProvider}. With {@link defaultProvider} the curves are those of @noble/curves. */
  readonly crypto?: ClientOptions['crypto'] | undefined;
}

/** The parts that {@link defineClient} takes from its caller. */
export interface OptionalClientParts {
  /** For the option `psks`. */
  readonly externalPsks?: ClientExternalPsks | undefined;
}

/**
 * Returns the configuration of a client without TLS 1.2, which every shell can run. A server without TLS 1.3 gets the alert
 * protocol_version. The option `psks` needs the part `{ externalPsks }`.
 * @throws TypeError naming the option that is unknown, missing or of the wrong kind; RangeError for a value out of range
 */
export function defineClient(options: Tls13ClientOptions, parts: OptionalClientParts = {}): ClientConfig {
  requireOptions('parts', parts, { externalPsks: true } satisfies Names<OptionalClientParts>);
  return configure(options, { ...parts, protocols: [tls13], readPublicKey: readPlainKey, crypto: webProvider });
}
