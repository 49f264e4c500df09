/** The options by which both sides are authenticated: credentials, client certificates, and the crypto provider. */

import type { Credential } from '../../crypto/credentials/credential.ts';
import { certificatesFromPem } from '../../crypto/credentials/credential-pem.ts';
import type { CryptoProvider } from '../../crypto/provider.ts';
import type { Settings } from '../../handshake/server/settings.ts';
import { kindOf } from '../../wire/kind-of.ts';
import type { Pem } from '../../wire/pem.ts';
import { callback, complete, type Names, oneOf, requireKnown, requireNoPromise, requireObject } from './checks.ts';
import type { ClientAuthOptions, PemCredential, ServerOptions } from './options.ts';
import type { Parts } from './parts.ts';

const PEM_CREDENTIAL = { cert: true, key: true } satisfies Names<PemCredential>;
const CLIENT_AUTH_OPTIONS = { mode: true, verifyClient: true, authorities: true } satisfies Names<ClientAuthOptions>;
const CLIENT_AUTH_MODES = ['request', 'require'] as const;
/** The most bytes of names in the extension, which shares its message with another (RFC 8446 §4.2.4). */
const MAX_NAMES = 0xff00;

/** Returns a provider that has every hash and AEAD, so that a spread that left one out fails here and not at the first client. */
export function provider(given: CryptoProvider): CryptoProvider {
  if (typeof given === 'string') {
    throw new TypeError(`crypto: an object is wanted, the provider and not its name: crypto: ${given}, once imported`);
  }
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
    if ('sign' in credential) return complete(name, credential, ['certificateChain', 'schemes', 'names']);
    requireKnown(`${name}.`, credential, PEM_CREDENTIAL);
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

export function clientAuth(given: ServerOptions['clientAuth'], { clientCertificates }: Parts): Settings['clientAuth'] {
  if (given === undefined) return undefined;
  requireObject('clientAuth', given);
  requireKnown('clientAuth.', given, CLIENT_AUTH_OPTIONS);
  if (given.verifyClient === undefined)
    throw new TypeError(
      'clientAuth.verifyClient is missing: only you can judge a chain. Give (chain, connection) => boolean',
    );
  if (clientCertificates === undefined)
    throw new TypeError('clientAuth: this server is made without; say defineServer(options, { clientCertificates })');
  const { authorities = [] } = given;
  const list: readonly Pem[] = Array.isArray(authorities) ? authorities : [authorities];
  const anchors = list.flatMap(authoritiesFromPem);
  const names = anchors.map(({ subject }) => subject);
  const length = names.reduce((sum, name) => sum + 2 + name.length, 0);
  if (length > MAX_NAMES)
    throw new RangeError(`clientAuth.authorities: ${length} bytes of names, more than ${MAX_NAMES}`);
  return Object.freeze({
    mode: oneOf('clientAuth.mode', given.mode, CLIENT_AUTH_MODES),
    verifyClient: callback('clientAuth.verifyClient', given.verifyClient).bind(given),
    authorities: Object.freeze(names),
    anchors: Object.freeze(anchors.map(({ bytes }) => bytes)),
  });
}

function authoritiesFromPem(pem: Pem): ReturnType<typeof certificatesFromPem> {
  const certificates = certificatesFromPem('clientAuth.authorities', pem);
  if (certificates.length === 0) throw new TypeError('clientAuth.authorities: no CERTIFICATE in it');
  return certificates;
}
