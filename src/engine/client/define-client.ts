/** defineClient() with every part: both versions, and credentials in PEM. */

import { credentialFromPem } from '../../crypto/credentials/credential.ts';
import { verifyingKey } from '../../crypto/credentials/verifying-key.ts';
import { defaultProvider } from '../../crypto/providers/default.ts';
import { tls12 } from '../../handshake/client/client-tls12.ts';
import { tls13 } from '../../handshake/client/client-tls13.ts';
import type { ClientConfig } from './config.ts';
import { configure, type Parts } from './configure.ts';
import { externalPsks } from './external-psks.ts';
import type { ClientOptions } from './options.ts';

const PARTS: Parts = {
  protocols: [tls12, tls13],
  readPublicKey: verifyingKey,
  crypto: defaultProvider,
  credentialFromPem,
  externalPsks,
};

/**
 * Returns the configuration of a client, which any number of connections and every shell can use.
 * @throws TypeError naming the option that is unknown, missing or of the wrong kind; RangeError for a value out of range
 */
export function defineClient(options: ClientOptions): ClientConfig {
  return configure(options, PARTS);
}
