/** defineServer() of a server with all its parts. */

import { credentialFromPem } from '../../crypto/credentials/credential.ts';
import { defaultProvider } from '../../crypto/providers/default.ts';
import { clientCertificates } from '../../handshake/server/client-authentication.ts';
import { tls12 } from '../../handshake/server/server-tls12.ts';
import { tls13 } from '../../handshake/server/server-tls13.ts';
import { configure, type ServerConfig } from './config.ts';
import type { ServerOptions } from './options.ts';
import type { Parts } from './parts.ts';
import { sealedTickets } from './ticket-sealing.ts';

const ALL: Parts = {
  protocols: [tls12, tls13],
  crypto: defaultProvider,
  credentialFromPem,
  clientCertificates,
  sealedTickets,
};

/**
 * A server that any shell can run. `cert` and `key` as in node:tls are the Node shell's; here there is `credentials`.
 * @throws TypeError naming the option that is unknown, missing or of the wrong kind; RangeError for a value out of range
 */
export function defineServer(options: ServerOptions): ServerConfig {
  return configure(options, ALL);
}
