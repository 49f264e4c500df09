/** The handshakes that are measured, and how each of the servers, and the client, is told to do them. */

import { constants } from 'node:crypto';
import type { SecureContextOptions, TlsOptions } from 'node:tls';
import type { ClientOptions } from '../src/client.ts';
import type { ServerOptions } from '../src/index.ts';
import { certificates } from '../test/fixtures.ts';

export const RESUMPTIONS = ['tls12-id', 'tls12-ticket', 'tls13-psk_dhe_ke', 'tls13-psk_ke'] as const;
export const FULL = ['tls12-full', 'tls13-full'] as const;
export type ModeName = (typeof RESUMPTIONS)[number] | (typeof FULL)[number];

/** A small certificate, and one suite for all: what is compared is the work, not the choice. */
const { cert, key } = certificates.ecdsaP256;
const SUITES = { 'TLSv1.2': 'ECDHE-ECDSA-AES128-GCM-SHA256', 'TLSv1.3': 'TLS_AES_128_GCM_SHA256' } as const;

const OUR_SUITES = {
  'TLSv1.2': 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256',
  'TLSv1.3': 'TLS_AES_128_GCM_SHA256',
} as const;

export function versionOf(mode: ModeName): 'TLSv1.2' | 'TLSv1.3' {
  return mode.startsWith('tls12') ? 'TLSv1.2' : 'TLSv1.3';
}

export function isResumption(mode: ModeName): boolean {
  return !mode.endsWith('full');
}

/** X25519 comes first and is taken; without P-256 no certificate of that curve would do in TLS 1.2 (RFC 8422 §5.1.1). */
function versions(mode: ModeName) {
  const version = versionOf(mode);
  return { minVersion: version, maxVersion: version, ciphers: SUITES[version], ecdhCurve: 'X25519:P-256' } as const;
}

/** Whether the handshake has a key agreement. */
export function isAgreeing(mode: ModeName): boolean {
  return mode === 'tls13-psk_dhe_ke' || !isResumption(mode);
}

/** Session ids alone: both sides are told. */
function withoutTickets(mode: ModeName): number {
  return mode === 'tls12-id' || mode === 'tls12-full' ? constants.SSL_OP_NO_TICKET : 0;
}

/**
 * One client for all servers. SSL_OP_ALLOW_NO_DHE_KEX lets it offer psk_ke beside psk_dhe_ke; node:tls's server takes psk_dhe_ke,
 * as it cannot do without.
 */
export function clientOptions(mode: ModeName): SecureContextOptions & { ecdhCurve: string } {
  const secureOptions = mode === 'tls13-psk_ke' ? constants.SSL_OP_ALLOW_NO_DHE_KEX : withoutTickets(mode);
  return { ...versions(mode), secureOptions };
}

/** Of node:tls; with lemon-tls as well, which has its interface. */
export function peerOptions(mode: ModeName): TlsOptions {
  return { ...versions(mode), cert, key, secureOptions: withoutTickets(mode), sessionTimeout: 7200, noDelay: true };
}

/** Of our client, to the same effect. */
export function ourClientOptions(mode: ModeName): Omit<ClientOptions, 'verifyServer' | 'pins'> {
  const version = versionOf(mode);
  return {
    minVersion: version,
    maxVersion: version,
    ciphers: [OUR_SUITES[version]],
    groups: ['x25519', 'secp256r1'],
    sessionTicket: withoutTickets(mode) === 0,
    pskModes: mode === 'tls13-psk_ke' ? ['psk_ke', 'psk_dhe_ke'] : ['psk_dhe_ke'],
  };
}

/** Of ours: what a user gets who only says what the mode is; in psk_ke also that the ticket leaves with the server's flight. */
export function ourOptions(mode: ModeName): ServerOptions {
  const version = versionOf(mode);
  return {
    credentials: [{ cert, key }],
    minVersion: version,
    maxVersion: version,
    ciphers: [OUR_SUITES[version]],
    groups: ['x25519'],
    ...(mode === 'tls12-ticket' && { tickets: { mode: 'stateless' } }),
    ...(mode === 'tls13-psk_ke' && { pskModes: ['psk_ke', 'psk_dhe_ke'], tickets: { timing: 'half-rtt' } }),
  };
}
