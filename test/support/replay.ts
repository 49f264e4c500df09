/**
 * A program that runs connections in a seeded world, and prints a digest of what the server sent in each. Two runs of it are two
 * processes. `ROWS` are the rows of the table "Who draws" in docs/runtimes.md.
 */

import { fileURLToPath } from 'node:url';
import { credentialFromPem } from '../../src/crypto/credentials/credential.ts';
import { selfSignedCertificate } from '../../src/crypto/credentials/self-signed.ts';
import { webCryptoCredential } from '../../src/crypto/credentials/web-crypto-credential.ts';
import { defaultProvider } from '../../src/crypto/providers/default.ts';
import { fast } from '../../src/crypto/providers/fast.ts';
import { noble } from '../../src/crypto/providers/noble.ts';
import { webCrypto } from '../../src/crypto/providers/web-crypto.ts';
import { defineServer } from '../../src/engine/server/define-server.ts';
import type { ServerOptions } from '../../src/engine/server/options.ts';
import { ServerConnection } from '../../src/engine/server/server-connection.ts';
import { nodeCrypto } from '../../src/node/index.ts';
import { concat, toHex } from '../../src/wire/bytes.ts';
import type { Version } from '../../src/wire/registry.ts';
import { certificates } from '../fixtures.ts';
import { type ClientOptions, exchangeAsync, ScriptedClient } from './scripted-client.ts';
import { TestWorld } from './world.ts';

type Part = Pick<ServerOptions, 'credentials' | 'crypto'>;

interface Row {
  /** Whether the part draws random bytes that are not the world's. */
  readonly draws: boolean;
  readonly versions?: readonly Version[];
  readonly client?: ClientOptions;
  make(): Part | Promise<Part>;
}

const { ecdsaP256, ecdsaP384, ed25519, rsa2048 } = certificates;
const BOTH: readonly Version[] = ['TLSv1.2', 'TLSv1.3'];
const PKCS1: Pick<Row, 'versions' | 'client'> = {
  versions: ['TLSv1.2'],
  client: { signatureAlgorithms: ['rsa_pkcs1_sha256'] },
};

/** RSA without a `signer` is Web Crypto's in every row. */
export const ROWS: Readonly<Record<string, Row>> = {
  'PEM, ECDSA P-256, default': { draws: false, make: () => ({ credentials: [ecdsaP256] }) },
  'PEM, ECDSA P-384, default': { draws: false, make: () => ({ credentials: [ecdsaP384] }) },
  'PEM, Ed25519, default': { draws: false, make: () => ({ credentials: [ed25519] }) },
  'PEM, ECDSA P-256, noble': { draws: false, make: () => ({ credentials: [ecdsaP256], crypto: noble }) },
  'PEM, ECDSA P-256, fast': { draws: false, make: () => ({ credentials: [ecdsaP256], crypto: fast }) },
  'credentialFromPem(), ECDSA P-256, nodeCrypto': {
    draws: false,
    make: () => ({ credentials: [credentialFromPem(ecdsaP256)], crypto: nodeCrypto }),
  },
  'PEM, Ed25519, nodeCrypto': { draws: false, make: () => ({ credentials: [ed25519], crypto: nodeCrypto }) },
  'PEM, RSA, PKCS #1 (TLS 1.2), default': { draws: false, ...PKCS1, make: () => ({ credentials: [rsa2048] }) },
  'PEM, RSA, PKCS #1 (TLS 1.2), nodeCrypto': {
    draws: false,
    ...PKCS1,
    make: () => ({ credentials: [rsa2048], crypto: nodeCrypto }),
  },
  'webCryptoCredential(), Ed25519': {
    draws: false,
    make: async () => ({ credentials: [await webCryptoCredential(ed25519)] }),
  },
  'selfSignedCertificate(world)': {
    draws: false,
    make: () => ({ credentials: [selfSignedCertificate(new TestWorld(4))] }),
  },
  'PEM, ECDSA P-256, nodeCrypto': { draws: true, make: () => ({ credentials: [ecdsaP256], crypto: nodeCrypto }) },
  'PEM, RSA, PSS, default': { draws: true, make: () => ({ credentials: [rsa2048] }) },
  'PEM, RSA, PSS, nodeCrypto': { draws: true, make: () => ({ credentials: [rsa2048], crypto: nodeCrypto }) },
  'webCryptoCredential(), ECDSA P-256': {
    draws: true,
    make: async () => ({ credentials: [await webCryptoCredential(ecdsaP256)] }),
  },
  'webCrypto.groups': {
    draws: true,
    make: () => ({ credentials: [ed25519], crypto: { ...defaultProvider, groups: webCrypto.groups } }),
  },
};

/** A full handshake and a resumption in each version, with sessions kept here and in tickets; a digest of all that the server sent. */
async function digestOf({ make, client: script, versions = BOTH }: Row): Promise<string> {
  const sent: Uint8Array[] = [];
  for (const mode of ['stateful', 'stateless'] as const) {
    const config = defineServer({ ...(await make()), world: new TestWorld(1), tickets: { mode } });
    for (const version of versions) {
      const options: ClientOptions = { version, ...script };
      const first = new ScriptedClient({ ...options, ticketExt: new Uint8Array(0), world: new TestWorld(2) });
      const full = await exchangeAsync(first, new ServerConnection(config));
      sent.push(...full.output, full.connection.write(Uint8Array.of(1)).output);
      const offer = version === 'TLSv1.3' ? { psks: first.tickets } : { session: first.session };
      const again = new ScriptedClient({ ...options, ...offer, world: new TestWorld(3) });
      const resumption = await exchangeAsync(again, new ServerConnection(config));
      if (!resumption.connection.resumption.resumed) throw new Error(`${version}, ${mode}: not resumed`);
      sent.push(...resumption.output, resumption.connection.end().output);
    }
    config.closeSessions();
  }
  return toHex(defaultProvider.hashes.sha256.digest(concat(...sent)));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const digests: Record<string, string> = {};
  for (const [name, row] of Object.entries(ROWS)) digests[name] = await digestOf(row);
  process.stdout.write(JSON.stringify(digests));
}
