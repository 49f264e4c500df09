/** Servers for tests: credentials of every kind, one that costs nothing, and configurations in a world of their own. */

import { createPublicKey } from 'node:crypto';
import { type Credential, credentialFromPem } from '../../src/crypto/credentials/credential.ts';
import { type CryptoProvider, InvalidPublicKey, type KeyAgreement } from '../../src/crypto/provider.ts';
import type { ServerConfig } from '../../src/engine/server/config.ts';
import { defineServer } from '../../src/engine/server/define-server.ts';
import type { ServerOptions } from '../../src/engine/server/options.ts';
import { octetString, oid, sequence } from '../../src/wire/der.ts';
import { certificates } from '../fixtures.ts';
import { certificateFor } from './client-certificates.ts';
import { synchronousProvider } from './provider.ts';
import { TestWorld } from './world.ts';

export type CredentialKind = 'ecdsaP256' | 'ecdsaP384' | 'ed25519' | 'rsa2048' | 'aExample' | 'bExample' | 'chain';

const known = new Map<CredentialKind, Credential>();

/** The credential of a fixture, parsed once. RSA signs through a promise, so its handshakes want `exchangeAsync`. */
export function credential(kind: CredentialKind): Credential {
  const credential = known.get(kind) ?? credentialFromPem(certificates[kind]);
  known.set(kind, credential);
  return credential;
}

/** A certificate for the key of a fixture: it can be read, and that is all. That of ECDSA has 300 bytes. */
function quickCertificate(kind: 'ecdsaP256' | 'rsa2048'): Uint8Array {
  const publicKey = createPublicKey(certificates[kind].cert).export({ format: 'der', type: 'spki' });
  const extensions = [sequence(oid('2.5.29.14'), octetString(new Uint8Array(16)))];
  return certificateFor(publicKey, 'quick', { extensions });
}

/** Signs with bytes that verify nowhere, at no cost: for tests that do not look at the signature. */
export const quickCredential: Credential = {
  certificateChain: [quickCertificate('ecdsaP256')],
  schemes: ['ecdsa_secp256r1_sha256'],
  names: ['localhost'],
  sign: () => new Uint8Array(70).fill(0x5a),
};

/** The same as an RSA key, for the ECDHE_RSA suites without a promise. */
export const quickRsaCredential: Credential = {
  ...quickCredential,
  certificateChain: [quickCertificate('rsa2048')],
  schemes: ['rsa_pss_rsae_sha256', 'rsa_pkcs1_sha256'],
  sign: () => new Uint8Array(256).fill(0x5a),
};

/** What looks like X25519 and is none: public keys are the private ones and both sides add. For fuzzing, where a curve would cost a millisecond a run. */
const toyGroup: KeyAgreement = {
  generate: (randomBytes) => {
    const secretKey = randomBytes(32);
    return {
      publicKey: secretKey,
      agree: (peer) => {
        if (peer.length !== 32 || peer.every((byte) => byte === 0)) throw new InvalidPublicKey('not a public key');
        return synchronousProvider.hashes.sha256.digest(secretKey.map((byte, i) => byte ^ (peer[i] as number)));
      },
      wipe: () => {},
    };
  },
};

export const toyCrypto: CryptoProvider = {
  ...synchronousProvider,
  groups: { x25519: toyGroup, secp256r1: synchronousProvider.groups.secp256r1 as KeyAgreement },
};

/** A server with the quick credential in a {@link TestWorld}, unless told otherwise. */
export function testServer(options: Partial<ServerOptions> = {}): ServerConfig {
  return defineServer({
    credentials: [quickCredential],
    world: new TestWorld(2),
    crypto: synchronousProvider,
    ...options,
  });
}
