/** The names in a certificate against the one that was asked for: RFC 9525. */

import { isIP } from 'node:net';
import { domainToASCII } from 'node:url';
import { canonicalAddress } from '../handshake/server/canonical-address.ts';
import { toHex } from '../wire/bytes.ts';
import type { ChainCertificate } from './chain-certificate.ts';

/**
 * Reports whether a certificate is for a host. An address wants an iPAddress that is equal, a name a dNSName. The left-most label of
 * a dNSName may be `*`, for any one label; two labels at least follow it, as for OpenSSL and Node. Common names count for nothing
 * (RFC 9525 §2).
 */
export function isFor({ names, addresses }: Pick<ChainCertificate, 'names' | 'addresses'>, host: string): boolean {
  const address = addressOf(host);
  if (address !== undefined) return addresses.includes(address);
  const name = domainToASCII(host.endsWith('.') ? host.slice(0, -1) : host);
  const [, parent] = /^[^.]+\.([^.]+\..+)$/.exec(name) ?? [];
  return name !== '' && (names.includes(name) || (parent !== undefined && names.includes(`*.${parent}`)));
}

/** Returns the bytes of an address in hexadecimal; `undefined` for a name. */
function addressOf(host: string): string | undefined {
  const bare = /^\[(.*)\]$/.exec(host)?.[1] ?? host;
  if (isIP(bare) === 0) return undefined;
  const address = canonicalAddress(bare.replace(/%.*$/, ''));
  if (isIP(address) === 4) return toHex(Uint8Array.from(address.split('.'), Number));
  return address
    .split(':')
    .map((group) => group.padStart(4, '0'))
    .join('');
}

/** RFC 6066 §3: a host name in A-labels and without the dot at its end. An address stays as it is. */
export function canonicalHost(host: string): string {
  if (isIP(host) !== 0) return host;
  const name = host.endsWith('.') ? host.slice(0, -1) : host;
  return domainToASCII(name) || name;
}
