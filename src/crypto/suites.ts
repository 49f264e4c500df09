/** The parameters of the cipher suites: RFC 9846 Appendix B.4, RFC 5289, RFC 7905. */

import { CipherSuite, type CipherSuiteName, type Version } from '../wire/registry.ts';
import type { AeadName, HashName } from './provider.ts';

/** What a cipher suite consists of. `name` and `id` are those of IANA (RFC 9846 Appendix B.4, RFC 5289, RFC 7905). */
export interface SuiteParameters {
  readonly name: CipherSuiteName;
  readonly id: number;
  readonly version: Version;
  readonly aead: AeadName;
  readonly hash: HashName;
  /** TLS 1.2: the kind of key in the certificate, or 'psk' for none. In TLS 1.3 signature_algorithms determines it. */
  readonly authentication?: 'ecdsa' | 'rsa' | 'psk' | undefined;
  /** RFC 9846 §5.5, RFC 9147 Appendix B.4: how many records one key may protect. */
  readonly recordLimit: number;
}

/** 2^24.5 full records under AES-GCM (§5.5). */
const GCM_LIMIT = 23726566;
/** ChaCha20-Poly1305 is limited by the sequence number alone. 2^48 - 1 is far below that and exact in a `number`. */
const CHACHA_LIMIT = 2 ** 48 - 1;

type Kind = readonly [AeadName, HashName];
const AES128: Kind = ['aes-128-gcm', 'sha256'];
const AES256: Kind = ['aes-256-gcm', 'sha384'];
const CHACHA: Kind = ['chacha20-poly1305', 'sha256'];

function tls13(name: CipherSuiteName, [aead, hash]: Kind): SuiteParameters {
  return { name, id: CipherSuite[name], version: 'TLSv1.3', aead, hash, recordLimit: recordLimit(aead) };
}

function tls12(name: CipherSuiteName, authentication: 'ecdsa' | 'rsa' | 'psk', [aead, hash]: Kind): SuiteParameters {
  return {
    name,
    id: CipherSuite[name],
    version: 'TLSv1.2',
    aead,
    hash,
    authentication,
    recordLimit: recordLimit(aead),
  };
}

function recordLimit(aead: AeadName): number {
  return aead === 'chacha20-poly1305' ? CHACHA_LIMIT : GCM_LIMIT;
}

/** The suites that are used if no others are named, in the order of preference. */
export const SUITES: readonly SuiteParameters[] = [
  tls13('TLS_AES_128_GCM_SHA256', AES128),
  tls13('TLS_AES_256_GCM_SHA384', AES256),
  tls13('TLS_CHACHA20_POLY1305_SHA256', CHACHA),
  tls12('TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256', 'ecdsa', AES128),
  tls12('TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256', 'rsa', AES128),
  tls12('TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384', 'ecdsa', AES256),
  tls12('TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384', 'rsa', AES256),
  tls12('TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256', 'ecdsa', CHACHA),
  tls12('TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256', 'rsa', CHACHA),
];

/** Suites that are used only if they are named: that of TLS 1.2 for external PSKs (RFC 7905 §2). */
export const OTHER_SUITES: readonly SuiteParameters[] = [
  tls12('TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256', 'psk', CHACHA),
];

const byId = new Map([...SUITES, ...OTHER_SUITES].map((suite) => [suite.id, suite]));

export function suiteById(id: number): SuiteParameters | undefined {
  return byId.get(id);
}
