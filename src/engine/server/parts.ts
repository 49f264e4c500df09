/** What a server is made of. The entries of the package differ in it, and a bundle has what its entry names and nothing else. */

import type { Credential } from '../../crypto/credentials/credential.ts';
import type { CryptoProvider } from '../../crypto/provider.ts';
import type { ClientCertificates } from '../../handshake/server/client-authentication.ts';
import type { Protocol } from '../../handshake/server/protocol.ts';
import type { PemCredential } from './options.ts';
import type { SealedTickets } from './ticket-judging.ts';

export interface Parts {
  /** In rising order of their versions. */
  readonly protocols: readonly Protocol[];
  /** The provider of a server that names none. */
  readonly crypto: CryptoProvider;
  /** Makes a credential of PEM; without it there must be credentials already. */
  readonly credentialFromPem?: ((pem: PemCredential, crypto: CryptoProvider) => Credential) | undefined;
  /** Without it clients cannot be asked for a certificate. */
  readonly clientCertificates?: ClientCertificates | undefined;
  /** Without it there is no mode 'stateless'. */
  readonly sealedTickets?: SealedTickets | undefined;
}
