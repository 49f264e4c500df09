/** What a server is made of. The entries of the package differ in it, and a bundle has what its entry names and nothing else. */

import type { Credential } from '../../crypto/credentials/credential.ts';
import type { CryptoProvider } from '../../crypto/provider.ts';
import type { HandshakeParts } from '../../handshake/server/context.ts';
import type { PemCredential } from './options.ts';
import type { SealedTickets } from './ticket-judging.ts';

/** `protocols` are in rising order of their versions; without `clientCertificates` no client can be asked for one. */
export interface Parts extends HandshakeParts {
  /** The provider of a server that names none. */
  readonly crypto: CryptoProvider;
  /** Makes a credential of PEM; without it there must be credentials already. */
  readonly credentialFromPem?: ((pem: PemCredential, crypto: CryptoProvider) => Credential) | undefined;
  /** Without it there is no mode 'stateless'. */
  readonly sealedTickets?: SealedTickets | undefined;
}
