/** The part for client certificates where the provider is the host's Web Crypto, which then verifies, too. */

import { webProvider } from '../../crypto/providers/web-provider.ts';
import * as all from './client-auth.ts';

/** The part that asks clients for certificates. */
export const clientCertificates: all.ClientAuth = { ...all.clientCertificates, crypto: webProvider };
