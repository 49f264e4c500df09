/** The option `clientAuth`, with what carries it out: a part of a server, so that a bundle has it only where it is wanted. */

import { certificatesFromPem } from '../../crypto/credentials/credential-pem.ts';
import type { CryptoProvider } from '../../crypto/provider.ts';
import * as handshake from '../../handshake/server/client-authentication.ts';
import type { ClientCertificates } from '../../handshake/server/context.ts';
import type { Settings } from '../../handshake/server/settings.ts';
import { type Names, requireOptions } from '../../wire/options.ts';
import type { Pem } from '../../wire/pem.ts';
import { callback, oneOf } from '../checks.ts';
import type { ClientAuthOptions } from './options.ts';
import { withWarning } from './warnings.ts';

const CLIENT_AUTH_OPTIONS = { mode: true, verifyClient: true, authorities: true } satisfies Names<ClientAuthOptions>;
const CLIENT_AUTH_MODES = ['request', 'require'] as const;
/** The most bytes of names in the extension, which shares its message with another (RFC 9846 §4.3.4). */
const MAX_NAMES = 0xff00;

/** The part of a server that asks clients for certificates (RFC 9846 §4.4.2), such as `clientCertificates` of tls-resume/tls13. */
export interface ClientAuth extends ClientCertificates {
  /** @throws TypeError or RangeError that names the option */
  settings(given: ClientAuthOptions): Settings['clientAuth'];
  readonly withWarning: typeof withWarning;
  /** The provider of a server whose options name none, in the place of that of its parts. */
  readonly crypto?: CryptoProvider | undefined;
}

/** The part that asks clients for certificates. */
export const clientCertificates: ClientAuth = { ...handshake.clientCertificates, settings, withWarning };

function settings(given: ClientAuthOptions): Settings['clientAuth'] {
  requireOptions('clientAuth', given, CLIENT_AUTH_OPTIONS);
  if (given.verifyClient === undefined)
    throw new TypeError(
      'clientAuth.verifyClient is missing: only you can judge a chain. Give (chain, connection) => boolean',
    );
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
