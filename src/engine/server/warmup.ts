/**
 * Handshakes before the first client: a program in JavaScript is slow until its functions have run a few hundred times. The two
 * flights of a client were recorded. A server that answers with the same random bytes each time accepts them, so no client is needed.
 */

import { SessionCache } from '../../cache/session-cache.ts';
import type { Credential } from '../../crypto/credentials/credential.ts';
import type { CryptoProvider } from '../../crypto/provider.ts';
import { Session } from '../../sessions/session.ts';
import { fromHex } from '../../wire/bytes.ts';
import { kindOf } from '../../wire/kind-of.ts';
import { requireOptions } from '../../wire/options.ts';
import { CipherSuite, type Version } from '../../wire/registry.ts';
import type { World } from '../../world.ts';
import type { ServerConfig } from './config.ts';
import { isServerConfig } from './config-brand.ts';
import { defineServer } from './define-server.ts';
import type { ServerOptions } from './options.ts';
import { ServerConnection } from './server-connection.ts';

/** The flights of a client that resumes, in TLS 1.2 by session id and in TLS 1.3 by psk_ke, with a server that has the dice below. */
export const FLIGHTS: Readonly<Record<Version, readonly [hello: string, finished: string]>> = {
  'TLSv1.2': [
    '1603010084010000800303b8097413c37b7c29438d3115b67acbe152b049ac86d48a02e04fefc46bb6275e205e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e0002c02b01000035000a00080006001d00170018000b00020100000d00160014040105010601040305030603080408050806080700170000ff01000100',
    '14030300010116030300280000000000000000183443ead5d62f355b5e8499527f580414a852dd15a0634be4aae5483378a689',
  ],
  'TLSv1.3': [
    '16030100e8010000e40303b8097413c37b7c29438d3115b67acbe152b049ac86d48a02e04fefc46bb6275e20c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c50002130101000099000a00080006001d00170018000b00020100000d00160014040105010601040305030603080408050806080700170000ff01000100002b00050403040303002d000201000033000200000029004b002600205e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e000000000021209ac4d9b6a3b1814313a61e7c538ad28451433eacc001cf904620cc041d58b212',
    '14030300010117030300350837c31bf75721f797cc538a2416fd5ccb16d7b8e5e344386556093f2638cfc9f79bbc0224298cbd8b3d9a040ba28edcf71d612264',
  ],
};

/** 2026-01-01T00:00:00Z, in seconds. */
const NOW = 1_767_225_600;

/** A fixed time and fixed random bytes. It must not be used for anything else. */
export const dice: World = {
  now: () => 1000 * NOW,
  randomBytes: (length) => Uint8Array.from({ length }, (_, i) => i + 1),
};

const SUITES = {
  'TLSv1.2': CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
  'TLSv1.3': CipherSuite.TLS_AES_128_GCM_SHA256,
} as const;

/** Returns the session that the flights resume: an id of 32 bytes 0x5e, a secret of 0x5f. */
export function sessionOf(version: Version): Session {
  return new Session({
    version,
    cipherSuite: SUITES[version],
    id: new Uint8Array(32).fill(0x5e),
    secret: new Uint8Array(version === 'TLSv1.2' ? 48 : 32).fill(0x5f),
    time: NOW,
    timeout: 7200,
    authTime: NOW,
    extendedMasterSecret: true,
    idContext: Uint8Array.of(1), // so that it resumes under any host name
  });
}

/** A credential that is never asked to sign, as the flights resume. */
const credential: Credential = {
  certificateChain: [new Uint8Array(1)],
  schemes: ['ed25519'],
  names: [],
  sign: () => new Uint8Array(64),
};

/** Returns a server for the flights. */
export function serverFor(crypto: ServerOptions['crypto'], cache: SessionCache): ServerConfig {
  const sessions = { cache, foreign: true, idContext: Uint8Array.of(1) };
  return defineServer({ credentials: [credential], crypto, world: dice, pskModes: ['psk_ke'], sessions });
}

/**
 * Runs handshakes that resume, in memory, so that V8 compiles the code before the first client comes. It uses the crypto provider of
 * `server` and nothing else of it: sessions, counters and callbacks of the server are not touched. A handshake takes some 50 to 500
 * microseconds, the first ones more. The call returns when all are done, so make it before you listen. Once per process is enough.
 * @param server a configuration, or `{ crypto }`. Default: the provider of a server that names none
 * @param handshakes how many handshakes of each of the two versions to run
 * @returns how many handshakes have resumed, which is twice `handshakes`
 * @throws TypeError for a provider that is not wrapped in an object, for another name than `crypto`, or if `handshakes` is not an
 * integer; RangeError if it is negative
 */
export function warmup(server: { readonly crypto?: CryptoProvider | undefined } = {}, handshakes = 1000): number {
  if (typeof server !== 'object' || server === null)
    throw new TypeError(`warmup: a configuration is wanted, or { crypto }, not ${kindOf(server)}`);
  if ('hashes' in server) throw new TypeError('warmup: a provider goes into an object: warmup({ crypto: fast })');
  if (!isServerConfig(server) && !('credentials' in server)) requireOptions('server', server, { crypto: true });
  if (!Number.isInteger(handshakes)) throw new TypeError(`warmup: ${handshakes} is no number of handshakes`);
  if (handshakes < 0) throw new RangeError(`warmup: ${handshakes} handshakes; 0 and more are possible`);
  const { crypto } = server;
  let resumed = 0;
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const cache = new SessionCache();
    const config = serverFor(crypto, cache);
    const flights = FLIGHTS[version].map(fromHex);
    for (let i = 0; i < handshakes; i++) {
      const session = sessionOf(version); // a new one each time, as with new clients
      cache.add(session);
      session.free();
      if (resumes(config, flights)) resumed++;
    }
    cache.close();
  }
  return resumed;
}

function resumes(server: ServerConfig, flights: readonly Uint8Array[]): boolean {
  const connection = new ServerConnection(server);
  for (const flight of flights) connection.receive(flight);
  const { isEstablished, resumption } = connection;
  connection.end();
  connection.dispose(true);
  return isEstablished && resumption.resumed;
}
