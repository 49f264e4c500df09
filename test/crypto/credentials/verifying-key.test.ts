/** Signatures that OpenSSL has made, and keys that are none. */

import { generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto';
import { expect } from 'chai';
import { parseCertificate } from '../../../src/crypto/credentials/certificate.ts';
import { verifyingKey } from '../../../src/crypto/credentials/verifying-key.ts';
import { InvalidPublicKey } from '../../../src/crypto/provider.ts';
import { concat } from '../../../src/wire/bytes.ts';
import { DerError, DerReader, integer, sequence, Tag } from '../../../src/wire/der.ts';
import { SignatureScheme, type SignatureSchemeName } from '../../../src/wire/registry.ts';
import { type CertificateFixture, certificates } from '../../fixtures.ts';
import { type ClientCertificateKind, certificateFor, clientCertificate } from '../../support/client-certificates.ts';
import { withSubtle } from '../../support/web-crypto.ts';

const message = new TextEncoder().encode('TLS 1.3, client CertificateVerify');
const SCHEMES = Object.keys(SignatureScheme) as SignatureSchemeName[];

const publicKeyOf = ({ cert }: CertificateFixture) => parseCertificate(new X509Certificate(cert).raw).publicKey;

function keyOf(kind: ClientCertificateKind) {
  const key = verifyingKey(publicKeyOf(certificates[kind]));
  if (key === undefined) throw new Error('no key');
  return key;
}

function keyFrom(publicKey: KeyObject) {
  return verifyingKey(parseCertificate(certificateFor(publicKey.export({ format: 'der', type: 'spki' }))).publicKey);
}

describe('verifyingKey()', () => {
  for (const kind of ['ecdsaP256', 'ecdsaP384', 'ed25519', 'rsa2048'] as const) {
    it(`${kind} verifies what its owner has signed, and nothing else`, async () => {
      const key = keyOf(kind);
      for (const scheme of key.schemes['TLSv1.2']) {
        const signature = clientCertificate(kind, scheme).sign(message);
        expect(await key.verify(scheme, message, signature), scheme).to.equal(true);
        expect(await key.verify(scheme, message.subarray(1), signature), scheme).to.equal(false);
        expect(await key.verify(scheme, message, signature.subarray(1)), scheme).to.equal(false);
        for (const other of SCHEMES.filter((name) => name !== scheme)) {
          expect(await key.verify(other, message, signature), other).to.equal(false);
        }
      }
      expect(key.schemes['TLSv1.2']).to.include.members([...key.schemes['TLSv1.3']]);
    });
  }

  it('takes no signature of RSA without its leading zero, RFC 8017 §8.1.2', async () => {
    const key = keyOf('rsa2048');
    let shortened: Uint8Array | undefined;
    for (let i = 0; shortened === undefined; i++) {
      const signature = clientCertificate('rsa2048').sign(concat(message, Uint8Array.of(i >> 8, i)));
      if (signature[0] !== 0) continue;
      const signed = concat(message, Uint8Array.of(i >> 8, i));
      expect(await key.verify('rsa_pss_rsae_sha256', signed, signature)).to.equal(true);
      shortened = signature.subarray(1);
      expect(await key.verify('rsa_pss_rsae_sha256', signed, shortened)).to.equal(false);
    }
  });

  it('takes a signature of ECDSA with either root, as FIPS 186-5 has it', () => {
    const key = keyOf('ecdsaP256');
    let isHigh = false;
    for (let i = 0; i < 40; i++) {
      const signature = clientCertificate('ecdsaP256').sign(message); // OpenSSL has no preference
      expect(key.verify('ecdsa_secp256r1_sha256', message, signature)).to.equal(true);
      const r = signature[3] ?? 0;
      isHigh ||= signature[5 + r] === 33; // a zero before an s above 2^255
    }
    expect(isHigh).to.equal(true);
  });

  it('is nothing for kinds, curves and sizes that are not served', () => {
    expect(keyFrom(generateKeyPairSync('ec', { namedCurve: 'secp521r1' }).publicKey)).to.equal(undefined);
    expect(keyFrom(generateKeyPairSync('ed448').publicKey)).to.equal(undefined);
    expect(keyFrom(generateKeyPairSync('x25519').publicKey)).to.equal(undefined);
    expect(keyFrom(generateKeyPairSync('rsa', { modulusLength: 2040 }).publicKey)).to.equal(undefined);
  });

  it('refuses points that are none, and what is no RSAPublicKey', () => {
    const p256 = publicKeyOf(certificates.ecdsaP256);
    const ed25519 = publicKeyOf(certificates.ed25519);
    const rsa = publicKeyOf(certificates.rsa2048);
    expect(() => verifyingKey({ ...p256, bytes: p256.bytes.map((byte, i) => (i === 64 ? byte ^ 1 : byte)) })).to.throw(
      InvalidPublicKey,
    );
    expect(() => verifyingKey({ ...p256, bytes: Uint8Array.of(0) })).to.throw(InvalidPublicKey);
    expect(() => verifyingKey({ ...ed25519, bytes: ed25519.bytes.subarray(1) })).to.throw(InvalidPublicKey);
    expect(() => verifyingKey({ ...rsa, bytes: rsa.bytes.subarray(1) })).to.throw(DerError);
    expect(() => verifyingKey({ ...rsa, bytes: Uint8Array.of(...rsa.bytes, 0) })).to.throw(DerError);
  });

  it('refuses RSA keys whose signatures anybody could make, or would cost more than they are worth', () => {
    const rsa = publicKeyOf(certificates.rsa2048);
    const modulus = new DerReader(rsa.bytes).enter(Tag.sequence).bigInteger();
    const keyWith = (n: Uint8Array, exponent: Uint8Array) =>
      verifyingKey({ ...rsa, bytes: sequence(integer(n), integer(exponent)) });
    const even = Uint8Array.from(modulus, (byte, i) => (i === modulus.length - 1 ? byte & 0xfe : byte));
    expect(keyWith(modulus, Uint8Array.of(3))).to.not.equal(undefined);
    expect(keyWith(modulus, new Uint8Array(8).fill(0xff))).to.not.equal(undefined);
    for (const byte of [0, 1, 2]) expect(() => keyWith(modulus, Uint8Array.of(byte))).to.throw(InvalidPublicKey);
    expect(() => keyWith(even, Uint8Array.of(3))).to.throw(InvalidPublicKey);
    expect(keyWith(modulus, new Uint8Array(9).fill(1))).to.equal(undefined);
    expect(() => verifyingKey({ ...rsa, bytes: sequence(integer(modulus)) })).to.throw(DerError);
  });

  it('blames an RSA key for what Web Crypto says of it, and for nothing else', async () => {
    const signature = clientCertificate('rsa2048').sign(message);
    const errorOf = (fault: unknown) =>
      withSubtle({ importKey: () => Promise.reject(fault) }, async () => {
        try {
          await keyOf('rsa2048').verify('rsa_pss_rsae_sha256', message, signature);
        } catch (error) {
          return error;
        }
        return undefined;
      });
    expect(await errorOf(new DOMException('no key', 'DataError'))).to.be.instanceOf(InvalidPublicKey);
    for (const fault of [new DOMException('no RSA', 'NotSupportedError'), new RangeError('Maximum call stack size')])
      expect(await errorOf(fault)).to.equal(fault);
  });
});
