/** The options by which both sides are authenticated: credentials and the crypto provider; `clientAuth` has its own file. */

import type { Credential } from '../../crypto/credentials/credential.ts';
import type { CryptoProvider } from '../../crypto/provider.ts';
import type { Settings } from '../../handshake/server/settings.ts';
import { kindOf, requireBytes } from '../../wire/kind-of.ts';
import { type Names, requireObject, requireOptions } from '../../wire/options.ts';
import { callback, complete, list, requireArray, requireNoPromise } from './checks.ts';
import type { PemCredential, ServerOptions } from './options.ts';
import type { Parts } from './parts.ts';

const PEM_CREDENTIAL = { cert: true, key: true } satisfies Names<PemCredential>;

/** Returns a provider that has every hash and AEAD, so that a spread that left one out fails here and not at the first client. */
export function provider(given: CryptoProvider): CryptoProvider {
  if (typeof given === 'string') throw new TypeError('crypto: an object is wanted, the provider and not its name');
  const remedy = '; spread a whole provider, and then yours';
  const { hashes, aeads, groups, signer, verifier } = complete('crypto', given, ['hashes', 'aeads', 'groups'], remedy);
  complete('crypto.hashes', hashes, ['sha256', 'sha384'], remedy);
  complete('crypto.aeads', aeads, ['aes-128-gcm', 'aes-256-gcm', 'chacha20-poly1305'], remedy);
  requireNoPromise('crypto.groups', groups);
  callback('crypto.signer', signer);
  callback('crypto.verifier', verifier);
  return given;
}

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
  const credentials = given.map((credential: Credential | PemCredential, i) => {
    const name = `credentials[${i}]`;
    requireObject(name, credential);
    requireNoPromise(name, credential);
    if ('sign' in credential) return ownCredential(name, credential);
    requireOptions(name, credential, PEM_CREDENTIAL);
    if (credentialFromPem === undefined)
      throw new TypeError(`${name}: PEM is for webCryptoCredential(), or credentialFromPem(); give what it returns`);
    try {
      return credentialFromPem(credential, crypto);
    } catch (error) {
      throw given.length > 1 && error instanceof TypeError ? new TypeError(`${name}.${error.message}`) : error;
    }
  });
  return Object.freeze(credentials);
}

/** Checks what the user has made by hand, of which a handshake would only say that it fails. */
function ownCredential(name: string, credential: Credential): Credential {
  complete(name, credential, ['certificateChain', 'schemes', 'names', 'sign']);
  const chain = `${name}.certificateChain`;
  for (const der of list(chain, credential.certificateChain, '[der]')) requireBytes(chain, der);
  list(`${name}.schemes`, credential.schemes, "['ed25519']");
  requireArray(`${name}.names`, credential.names, 'an array', "['localhost']");
  callback(`${name}.sign`, credential.sign);
  return credential;
}

export function clientAuth(given: ServerOptions['clientAuth'], { clientCertificates }: Parts): Settings['clientAuth'] {
  if (given === undefined) return undefined;
  if (clientCertificates !== undefined) return clientCertificates.settings(given);
  throw new TypeError('clientAuth: this server is made without; say defineServer(options, { clientCertificates })');
}
