/** defineServer() with every part of a server. */

import { credentialFromPem } from '../../crypto/credentials/credential.ts';
import { defaultProvider } from '../../crypto/providers/default.ts';
import { tls12 } from '../../handshake/server/server-tls12.ts';
import { tls13 } from '../../handshake/server/server-tls13.ts';
import { clientCertificates } from './client-auth.ts';
import type { ServerConfig } from './config.ts';
import { configure } from './configure.ts';
import { earlyData } from './early-data.ts';
import { externalPsks } from './external-psks.ts';
import type { ServerOptions } from './options.ts';
import type { Parts } from './parts.ts';
import { sealedTickets } from './ticket-sealing.ts';
import { withWarning } from './warnings.ts';

/** Every part of a server. */
export const ALL_PARTS: Parts = {
  protocols: [tls12, tls13],
  crypto: defaultProvider,
  credentialFromPem,
  clientCertificates,
  zeroRtt: earlyData,
  sealedTickets,
  externalPsks,
};

/**
 * Returns the configuration of a server, which every shell can run. The Node shell also takes `cert` and `key` as node:tls does;
 * here there is `credentials`.
 * @throws TypeError naming the option that is unknown, missing or of the wrong kind; RangeError for a value out of range
 */
export function defineServer(options: ServerOptions): ServerConfig {
  return withWarning(configure(options, ALL_PARTS), options.clientAuth);
}
