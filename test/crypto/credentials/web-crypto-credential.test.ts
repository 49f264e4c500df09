import { createPrivateKey } from 'node:crypto';
import { expect } from 'chai';
import { credentialFromPem } from '../../../src/crypto/credentials/credential.ts';
import { webCryptoCredential } from '../../../src/crypto/credentials/web-crypto-credential.ts';
import { DerReader, integer, octetString, sequence, Tag } from '../../../src/wire/der.ts';
import { encodePem, parsePem } from '../../../src/wire/pem.ts';
import { certificates, rootCertificate } from '../../fixtures.ts';
import { isSignature, message } from '../../support/signatures.ts';

const { ecdsaP256, ecdsaP384, ed25519, rsa2048, rsa2048Pkcs1, bExample, chain } = certificates;

const pkcs8 = (pem: string) => createPrivateKey(pem).export({ format: 'pem', type: 'pkcs8' }).toString();
const rejection = (pem: { readonly cert: string; readonly key: string }): Promise<unknown> =>
  webCryptoCredential(pem).then(
    () => undefined,
    (error: unknown) => error,
  );

/** SEC1 that has the scalar alone, which PKCS#8 around it names the curve of. */
function withoutPublicKey(pem: string): string {
  const [block] = parsePem(pkcs8(pem));
  const info = new DerReader(block?.bytes ?? new Uint8Array()).enter(Tag.sequence);
  info.integer('version');
  const algorithm = info.raw('algorithm');
  const key = info.enter(Tag.octetString).enter(Tag.sequence);
  key.integer('version');
  const bare = sequence(integer(1), octetString(key.octets('privateKey')));
  return encodePem('PRIVATE KEY', sequence(integer(0), algorithm, octetString(bare)));
}

describe('webCryptoCredential', () => {
  for (const [what, { cert, key }] of [
    ['ECDSA P-256, SEC1', ecdsaP256],
    ['ECDSA P-256, PKCS#8', { ...ecdsaP256, key: pkcs8(ecdsaP256.key) }],
    ['ECDSA P-256 without the public key', { ...ecdsaP256, key: withoutPublicKey(ecdsaP256.key) }],
    ['ECDSA P-384, SEC1', ecdsaP384],
    ['Ed25519', ed25519],
    ['RSA, PKCS#8', rsa2048],
    ['RSA, PKCS#1', rsa2048Pkcs1],
    ['a chain', chain],
  ] as const) {
    it(`signs with ${what}, and says of it what credentialFromPem() says`, async () => {
      const { sign, ...said } = await webCryptoCredential({ cert, key });
      const { sign: other, ...expected } = credentialFromPem({ cert, key });
      expect(sign).to.not.equal(other);
      expect(said).to.deep.equal(expected);
      for (const scheme of [...said.schemes, ...said.schemes, ...(said.schemesTls12 ?? [])]) {
        const signature = await sign(scheme, message);
        expect(isSignature(cert, scheme, signature), scheme).to.equal(true);
        signature[signature.length - 1] = 1 ^ (signature[signature.length - 1] ?? 0);
        expect(isSignature(cert, scheme, signature), scheme).to.equal(false);
      }
    });
  }

  it('writes signatures whose halves begin with zeros or with a high bit', async () => {
    const { sign } = await webCryptoCredential(ecdsaP256);
    const lengths = new Set<number>();
    for (let i = 0; i < 300; i++) {
      const signature = await sign('ecdsa_secp256r1_sha256', message);
      lengths.add(signature.length);
      expect(isSignature(ecdsaP256.cert, 'ecdsa_secp256r1_sha256', signature)).to.equal(true);
    }
    expect([...lengths]).to.include.members([70, 71, 72]);
  });

  it('refuses a scheme that the key cannot serve', async () => {
    const { sign } = await webCryptoCredential(ecdsaP256);
    const refused = Promise.resolve(sign('ed25519', message));
    expect(await refused.catch((error: unknown) => error)).to.match(/^TypeError: scheme: ed25519 is not one of/);
  });

  for (const [what, pem, text] of [
    ['the key of another certificate', { cert: bExample.cert, key: ecdsaP256.key }, 'key: does not belong'],
    ['a key of another kind', { cert: rsa2048.cert, key: ecdsaP256.key }, 'key: does not belong'],
    ['a chain the wrong way round', { cert: `${rootCertificate}${chain.cert}`, key: chain.key }, 'certificate 2 of'],
    ['cert and key interchanged', { cert: ecdsaP256.key, key: ecdsaP256.cert }, 'cert: no CERTIFICATE in it'],
    ['no PEM', { cert: ecdsaP256.cert, key: 'key.pem' }, 'key: no -----BEGIN in it'],
  ] as const) {
    it(`refuses ${what} in the words of credentialFromPem()`, async () => {
      const error = await rejection(pem);
      expect(error).to.be.instanceOf(TypeError).with.property('message').that.contains(text);
      expect(() => credentialFromPem(pem)).to.throw(TypeError, (error as TypeError).message);
    });
  }

  it('refuses a number that is no key of its curve, with a cause and another way', async () => {
    const scalar = new Uint8Array(32);
    const [block] = parsePem(pkcs8(ecdsaP256.key));
    const info = new DerReader(block?.bytes ?? new Uint8Array()).enter(Tag.sequence);
    info.integer('version');
    const bare = sequence(integer(1), octetString(scalar));
    const key = encodePem('PRIVATE KEY', sequence(integer(0), info.raw('algorithm'), octetString(bare)));
    const error = await rejection({ cert: ecdsaP256.cert, key });
    expect(error).to.match(/^TypeError: key: the Web Crypto of this host does not take it; credentialFromPem\(\) may/);
    expect(error).to.have.property('cause');
  });
});
