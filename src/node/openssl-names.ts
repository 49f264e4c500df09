/** OpenSSL's names for the cipher suites and groups of IANA, as node:tls reports them. */

/** Turns `TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256` into `ECDHE-RSA-AES128-GCM-SHA256`. Suites of TLS 1.3 keep IANA's name. */
export function opensslCipherName(suite: string): string {
  if (!suite.includes('_WITH_')) return suite;
  return suite
    .replace(/^TLS_/, '')
    .replace('_WITH_', '_')
    .replace(/AES_(\d+)/, 'AES$1')
    .replace(/(CHACHA20_POLY1305)_SHA256$/, '$1')
    .replaceAll('_', '-');
}

/** The result of getEphemeralKeyInfo(), as in node:tls. `size` is in bits. */
export interface EphemeralKeyInfo {
  readonly type: 'ECDH';
  readonly name: string;
  readonly size: number;
}

const GROUPS: Readonly<Record<string, { readonly name: string; readonly size: number }>> = {
  x25519: { name: 'X25519', size: 253 },
  secp256r1: { name: 'prime256v1', size: 256 },
  secp384r1: { name: 'secp384r1', size: 384 },
};

export function opensslGroup(group: string): EphemeralKeyInfo {
  return { type: 'ECDH', ...(GROUPS[group] ?? { name: group, size: 0 }) };
}
