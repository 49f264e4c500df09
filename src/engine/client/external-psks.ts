/** The option `psks` of a client: a part of it, so that a bundle has it only where it is wanted. */

import type { CryptoProvider } from '../../crypto/provider.ts';
import type { SuiteParameters } from '../../crypto/suites.ts';
import type { WirePsk } from '../../handshake/psk.ts';
import { list } from '../checks.ts';
import { type ExternalPsk, requireOneUse, targetsOf, wirePsks } from '../psk-options.ts';

/** The part of a client that offers external PSKs, such as `externalPsks` of tls-resume/client13. */
export interface ClientExternalPsks {
  /** @throws TypeError or RangeError that names the option */
  settings(
    given: readonly ExternalPsk[],
    crypto: CryptoProvider,
    suites: readonly SuiteParameters[],
  ): readonly WirePsk[];
}

/** The part that offers external PSKs. */
export const externalPsks: ClientExternalPsks = {
  settings(given, crypto, suites) {
    const how = { crypto, targets: targetsOf(suites) };
    const psks = list('psks', given, '[{ identity, secret }]').flatMap((one, i) => wirePsks(`psks[${i}]`, one, how));
    requireOneUse(given, crypto);
    const own = psks.filter(({ role }) => role !== 'server');
    const tls12 = suites.find(({ authentication }) => authentication === 'psk');
    if (tls12 !== undefined && own.every(({ kind }) => kind === 'imported'))
      throw new TypeError(`ciphers: ${tls12.name} needs a PSK that is not imported (RFC 9258 §5.1), for a client`);
    return Object.freeze(own);
  },
};
