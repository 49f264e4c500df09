/** OpenSSL's names for IANA's cipher suites: what node:tls's getCipher().name shows. */

/** `TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256` is `ECDHE-RSA-AES128-GCM-SHA256`; those of TLS 1.3 have IANA's name there too. */
export function opensslName(suite: string): string {
  if (!suite.includes('_WITH_')) return suite;
  return suite
    .replace(/^TLS_/, '')
    .replace('_WITH_', '_')
    .replace(/AES_(\d+)/, 'AES$1')
    .replace(/(CHACHA20_POLY1305)_SHA256$/, '$1')
    .replaceAll('_', '-');
}
