/** The files under `fixtures/`, for tests that run from `test/` and from `dist/test/` alike. */

import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = ['../fixtures/', '../../fixtures/']
  .map((relative) => new URL(relative, import.meta.url))
  .find((url) => existsSync(url));

/** The path of a fixture, for programs that want a file. */
export function fixturePath(name: string): string {
  if (folder === undefined) throw new Error(`no fixtures folder above ${import.meta.url}`);
  return fileURLToPath(new URL(name, folder));
}

/** The text of a fixture. */
export function fixture(name: string): string {
  return readFileSync(fixturePath(name), 'utf8');
}

export interface CertificateFixture {
  readonly cert: string;
  readonly key: string;
}

function certificate(name: string, keyName = name): CertificateFixture {
  return { cert: fixture(`certificates/${name}.cert.pem`), key: fixture(`certificates/${keyName}.key.pem`) };
}

/** Made by `fixtures/certificates/make.sh`; all but aExample and bExample are for localhost, 127.0.0.1 and ::1. */
export const certificates = {
  ecdsaP256: certificate('ecdsa-p256'),
  ecdsaP384: certificate('ecdsa-p384'),
  ed25519: certificate('ed25519'),
  rsa2048: certificate('rsa-2048'),
  rsa2048Pkcs1: certificate('rsa-2048', 'rsa-2048-pkcs1'),
  /** a.example, www.a.example */
  aExample: certificate('a.example'),
  /** b.example, *.b.example */
  bExample: certificate('b.example'),
  /** A leaf and its intermediate, issued under {@link rootCertificate}. */
  chain: certificate('chain'),
} as const;

/** The root that `certificates.chain` leads to. */
export const rootCertificate = fixture('certificates/ca.cert.pem');
