/**
 * The parts that a server is made of. Each entry of the package has a selection of its own, and a bundle contains only the parts
 * that its entry names.
 */

import type { CryptoProvider } from '../../crypto/provider.ts';
import type { HandshakeParts } from '../../handshake/server/context.ts';
import type { CredentialFromPem } from '../credential-options.ts';
import type { ClientAuth } from './client-auth.ts';
import type { EarlyData } from './early-data.ts';
import type { ExternalPsks } from './external-psks.ts';
import type { SealedTickets } from './ticket-policy.ts';

/** `protocols` are in rising order of their versions; without `clientCertificates`, the option `clientAuth` is refused. */
export interface Parts extends Omit<HandshakeParts, 'psks'> {
  readonly clientCertificates?: ClientAuth | undefined;
  /** Without it, the option `earlyData` is refused. */
  readonly zeroRtt?: EarlyData | undefined;
  /** The provider of a server whose options name none. */
  readonly crypto: CryptoProvider;
  /** Makes a credential from PEM. Without it, `credentials` must hold credentials only. */
  readonly credentialFromPem?: CredentialFromPem | undefined;
  /** Without it, the ticket mode 'stateless' is refused. */
  readonly sealedTickets?: SealedTickets | undefined;
  /** Without it, the option `psks` is refused. */
  readonly externalPsks?: ExternalPsks | undefined;
}
