import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assert } from 'chai';
import { loadCredential } from '../../src/cli/files.ts';
import { defaultProvider } from '../../src/crypto/providers/default.ts';
import { certificates, fixturePath } from '../fixtures.ts';

const certificate = fixturePath('certificates/ecdsa-p256.cert.pem');

/** Files with what is not PEM, and what the error says of each. */
const FILES: readonly (readonly [what: string, content: string | Uint8Array, message: RegExp])[] = [
  ['an empty file', '', /^--key .*key: is empty; a PEM file is wanted$/],
  ['a text', 'hello\n', /^--key .*key: no -----BEGIN in it; a PEM file is wanted$/],
  [
    'a key in DER',
    Uint8Array.of(0x30, 3, 2, 1, 0),
    /key: is DER, .* "openssl pkey -inform DER -in .*key -out .*key\.pem"$/,
  ],
  ['PKCS #12', Uint8Array.of(0x30, 0x82, 0, 3, 2, 1, 3), /key: is PKCS #12, .* "openssl pkcs12 -nodes -in .*key -out/],
  ['a certificate', certificates.ecdsaP256.cert, /^--key .*key: no private key in it, only CERTIFICATE$/],
  [
    'the key of another certificate',
    certificates.ecdsaP384.key,
    /^--key .*key: does not belong to .* --cert .*p256\.cert\.pem;/,
  ],
];

describe('loadCredential()', () => {
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'tls-resume-files-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  for (const [what, content, message] of FILES) {
    it(`names the file, and says what to do about ${what}`, () => {
      const key = join(folder, 'key');
      writeFileSync(key, content);
      assert.throws(() => loadCredential({ cert: certificate, key }, defaultProvider), message);
    });
  }
});
