/** The options by which both sides are authenticated: credentials; `clientAuth` and `psks` have their own files. */

import type { Credential } from '../../crypto/credentials/credential.ts';
import type { CryptoProvider } from '../../crypto/provider.ts';
import type { HandshakeParts } from '../../handshake/server/context.ts';
import type { Settings } from '../../handshake/server/settings.ts';
import { kindOf } from '../../wire/kind-of.ts';
import { credential, type PemCredential } from '../credential-options.ts';
import type { ServerOptions } from './options.ts';
import type { Parts } from './parts.ts';

export function credentials(
  given: ServerOptions['credentials'],
  crypto: CryptoProvider,
  { credentialFromPem }: Parts,
): readonly Credential[] {
  if (!Array.isArray(given) || given.length === 0) {
    const wanted = credentialFromPem ? '{ cert, key }, both PEM' : 'credential, which webCryptoCredential() makes';
    const example = credentialFromPem ? '[{ cert, key }]' : '[await webCryptoCredential({ cert, key })]';
    const hint = Array.isArray(given) ? '' : `; an array is wanted, ${example}, not ${kindOf(given)}`;
    throw new TypeError(`credentials: give at least one ${wanted}${hint}`);
  }
  const credentials = given.map((one: Credential | PemCredential, i) => {
    const name = `credentials[${i}]`;
    try {
      return credential(name, one, crypto, credentialFromPem);
    } catch (error) {
      const isNamed = !(error instanceof TypeError) || error.message.startsWith(name);
      throw given.length === 1 || isNamed ? error : new TypeError(`${name}.${error.message}`);
    }
  });
  return Object.freeze(credentials);
}

/** Returns the external PSKs. @throws TypeError or RangeError that names the option */
export function psks(
  options: ServerOptions,
  { externalPsks }: Parts,
  how: { readonly crypto: CryptoProvider; readonly suites: Settings['suites'] },
): HandshakeParts['psks'] {
  if (externalPsks !== undefined) return externalPsks.settings(options, how.crypto, how.suites);
  if (options.psks === undefined && options.hideUnknownPsks === undefined) return undefined;
  throw new TypeError('psks: this server is made without; say defineServer(options, { externalPsks })');
}

export function clientAuth(given: ServerOptions['clientAuth'], { clientCertificates }: Parts): Settings['clientAuth'] {
  if (given === undefined) return undefined;
  if (clientCertificates !== undefined) return clientCertificates.settings(given);
  throw new TypeError('clientAuth: this server is made without; say defineServer(options, { clientCertificates })');
}
