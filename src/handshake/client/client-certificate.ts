/** The client's own certificate: RFC 9846 §4.4.2, §4.5.1.2; RFC 5246 §7.4.6. */

import type { Credential } from '../../crypto/credentials/credential.ts';
import type { SignatureSchemeName, Version } from '../../wire/registry.ts';
import type { Signing } from '../key-exchange.ts';

/** Returns the credential with the first of its schemes that the server accepts, or `undefined` if there is none. */
export function selectSigning(
  credential: Credential | undefined,
  isAccepted: (scheme: SignatureSchemeName) => boolean,
  version: Version,
): Signing | undefined {
  const schemes = version === 'TLSv1.2' ? (credential?.schemesTls12 ?? credential?.schemes) : credential?.schemes;
  const scheme = schemes?.find((name) => {
    const isForCertificatesOnly = version === 'TLSv1.3' && name.startsWith('rsa_pkcs1_'); // §4.3.3
    return !isForCertificatesOnly && isAccepted(name);
  });
  return credential && scheme && { credential, scheme };
}
