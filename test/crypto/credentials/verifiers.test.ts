/** The verifiers of clients' signatures, by node:crypto, Web Crypto and @noble, accept the same keys and signatures. */

import {
  constants,
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
} from 'node:crypto';
import { ed25519 } from '@noble/curves/ed25519.js';
import { expect } from 'chai';
import { Oid, type PublicKey, parseCertificate } from '../../../src/crypto/credentials/certificate.ts';
import { verifyingKey } from '../../../src/crypto/credentials/verifying-key.ts';
import { InvalidPublicKey, type PublicKeyDer, type Verify } from '../../../src/crypto/provider.ts';
import { webCrypto } from '../../../src/crypto/providers/web-crypto.ts';
import { nodeCrypto } from '../../../src/node/index.ts';
import { concat, EMPTY, fromHex, toHex } from '../../../src/wire/bytes.ts';
import { DerReader, integer, sequence, Tag, tlv } from '../../../src/wire/der.ts';
import type { SignatureSchemeName } from '../../../src/wire/registry.ts';
import { certificates } from '../../fixtures.ts';
import { certificateFor, clientCertificate } from '../../support/client-certificates.ts';
import { many, patience } from '../../support/runs.ts';
import { withSubtle } from '../../support/web-crypto.ts';

const message = new TextEncoder().encode('TLS 1.3, client CertificateVerify');
const ECDSA_SCHEMES = ['ecdsa_secp256r1_sha256', 'ecdsa_secp384r1_sha384'] as const;
const VERIFIERS = { '@noble': {}, nodeCrypto, webCrypto } as const;
const ORDERS = {
  secp256r1: 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551',
  secp384r1: 'ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973',
} as const;

function publicKeyOf(key: KeyObject): PublicKey {
  return parseCertificate(certificateFor(key.export({ format: 'der', type: 'spki' }))).publicKey;
}

const createPublicKeyOf = (kind: keyof typeof certificates): KeyObject => createPublicKey(certificates[kind].cert);

/** The verdict on which all agree. */
async function verdict(
  key: PublicKey,
  signature: Uint8Array,
  what: string,
  scheme: SignatureSchemeName,
): Promise<boolean | undefined> {
  const verdicts = Object.values(VERIFIERS).map((crypto) =>
    verifyingKey(key, crypto)?.verify(scheme, message, signature),
  );
  const [first, ...others] = await Promise.all(verdicts);
  for (const other of others) expect(other, `${what}, ${scheme}, ${toHex(signature)}`).to.equal(first);
  return first;
}

const big = (bytes: Uint8Array) => BigInt(`0x${toHex(bytes)}`);
const bytesOf = (value: bigint) =>
  fromHex(value.toString(16).padStart(2 * Math.ceil(value.toString(16).length / 2), '0'));
const raw = (...contents: number[]) => tlv(Tag.integer, Uint8Array.from(contents));

/** Encodings of Ecdsa-Sig-Value around one that holds, and whether they hold. */
function ecdsaSignatures(signature: Uint8Array, order: bigint): [string, Uint8Array, boolean][] {
  const reader = new DerReader(signature).enter(Tag.sequence);
  const [r, s] = [reader.bigInteger(), reader.bigInteger()];
  const [R, S] = [integer(r), integer(s)];
  const body = concat(R, S);
  return [
    ['as it was made', signature, true],
    ['with the other root', sequence(R, integer(bytesOf(order - big(s)))), true],
    ['r = 0', sequence(integer(0), S), false],
    ['s = 0', sequence(R, integer(0)), false],
    ['r = the order', sequence(integer(bytesOf(order)), S), false],
    ['s = the order', sequence(R, integer(bytesOf(order))), false],
    ['r above the order', sequence(integer(bytesOf(order + big(r))), S), false],
    ['s above the order', sequence(R, integer(bytesOf(order + big(s)))), false],
    ['a negative r', sequence(raw(0x80 | (r[0] ?? 0), ...r.subarray(1)), S), false],
    ['a negative s', sequence(R, raw(0x80 | (s[0] ?? 0), ...s.subarray(1))), false],
    ['an r that is not minimal', sequence(raw(0, 0, ...r), S), false],
    ['an r without contents', sequence(raw(), S), false],
    ['r and s exchanged', sequence(S, R), false],
    ['r alone', sequence(R), false],
    ['a third number', sequence(R, S, integer(1)), false],
    ['bytes after it', concat(signature, Uint8Array.of(0)), false],
    ['a length that is not minimal', concat(Uint8Array.of(0x30, 0x82, 0, body.length), body), false],
    ['an indefinite length', concat(Uint8Array.of(0x30, 0x80), body, Uint8Array.of(0, 0)), false],
    ['a SET', tlv(Tag.set, R, S), false],
    ['without its last byte', signature.subarray(0, -1), false],
    ['the halves of Web Crypto', concat(r, s), false],
    ['nothing', EMPTY, false],
  ];
}

describe('verifiers', () => {
  for (const [name, crypto] of Object.entries(VERIFIERS)) {
    for (const kind of ['ecdsaP256', 'ecdsaP384', 'ed25519', 'rsa2048'] as const) {
      it(`${name} takes a signature of ${kind} by each of its schemes, and by no other`, async () => {
        const key = verifyingKey(publicKeyOf(createPublicKeyOf(kind)), crypto);
        if (key === undefined) throw new Error('no key');
        for (const scheme of key.schemes['TLSv1.2']) {
          const { sign: signWith } = clientCertificate(kind, scheme);
          const signature = signWith(message);
          expect(await key.verify(scheme, message, signature), scheme).to.equal(true);
          expect(await key.verify(scheme, message.subarray(1), signature), scheme).to.equal(false);
          for (const other of key.schemes['TLSv1.2'].filter((candidate) => candidate !== scheme))
            expect(await key.verify(other, message, signature), `${scheme} as ${other}`).to.equal(false);
        }
      });
    }
  }

  for (const [namedCurve, order] of Object.entries(ORDERS)) {
    it(`agree on what a signature of ${namedCurve} is, with either hash`, async function () {
      this.timeout(patience());
      const { publicKey, privateKey } = generateKeyPairSync('ec', {
        namedCurve: namedCurve === 'secp256r1' ? 'prime256v1' : namedCurve,
      });
      const key = publicKeyOf(publicKey);
      for (const scheme of ECDSA_SCHEMES) {
        const signature = Uint8Array.from(sign(scheme.slice(-6), message, privateKey));
        for (const [what, encoding, holds] of ecdsaSignatures(signature, BigInt(`0x${order}`)))
          expect(await verdict(key, encoding, what, scheme), what).to.equal(holds);
        const step = (8 * signature.length) / Math.min(many(17), 8 * signature.length);
        for (let i = 0; i * step < 8 * signature.length; i++) {
          const bit = Math.floor(i * step);
          const flipped = signature.map((byte, at) => (at === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
          expect(await verdict(key, flipped, `bit ${bit}`, scheme)).to.equal(false);
        }
      }
    });
  }

  it('take a compressed point, RFC 5480 §2.2, and no point of another curve', async () => {
    for (const namedCurve of ['prime256v1', 'secp384r1']) {
      const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve });
      const { bytes, ...key } = publicKeyOf(publicKey);
      const half = (bytes.length - 1) / 2;
      const compressed = concat(Uint8Array.of(2 + ((bytes.at(-1) ?? 0) & 1)), bytes.subarray(1, 1 + half));
      const [scheme] = ECDSA_SCHEMES;
      const signature = sign('sha256', message, privateKey);
      expect(await verdict({ ...key, bytes: compressed }, signature, 'compressed', scheme)).to.equal(true);
      const asked: PublicKeyDer[] = [];
      const other = { ...key, curve: key.curve === Oid.secp256r1 ? Oid.secp384r1 : Oid.secp256r1, bytes };
      const off = { ...key, bytes: bytes.map((byte, i) => (i === 3 ? byte ^ 1 : byte)) };
      for (const wrong of [other, off]) {
        const verifier = (der: PublicKeyDer) => void asked.push(der);
        expect(() => verifyingKey(wrong, { verifier })).to.throw(InvalidPublicKey);
      }
      expect(asked).to.deep.equal([]);
    }
  });

  it('agree on what a signature of RSA is: its length, and a salt as long as the digest', async () => {
    const key = publicKeyOf(createPublicKeyOf('rsa2048'));
    const privateKey = createPrivateKey(certificates.rsa2048.key);
    const padding = constants.RSA_PKCS1_PSS_PADDING;
    for (const hash of ['sha256', 'sha384', 'sha512'] as const) {
      const scheme = `rsa_pss_rsae_${hash}` as const;
      for (const saltLength of [0, 20, 32, 48, 64, constants.RSA_PSS_SALTLEN_MAX_SIGN]) {
        const signature = sign(hash, message, { key: privateKey, padding, saltLength });
        const isLong = saltLength === Number(hash.slice(3)) / 8;
        expect(await verdict(key, signature, `a salt of ${saltLength}`, scheme)).to.equal(isLong);
      }
    }
    const scheme = 'rsa_pkcs1_sha256';
    const signature = Uint8Array.from(sign('sha256', message, privateKey));
    const modulus = new DerReader(key.bytes).enter(Tag.sequence).bigInteger();
    for (const [what, other] of [
      ['a zero before it', concat(Uint8Array.of(0), signature)],
      ['a byte after it', concat(signature, Uint8Array.of(0))],
      ['a byte less', signature.subarray(1)],
      ['the modulus', modulus],
      ['zeros', new Uint8Array(256)],
      ['ones', new Uint8Array(256).fill(0xff)],
      ['nothing', EMPTY],
    ] as const)
      expect(await verdict(key, other, what, scheme), what).to.equal(false);
  });

  it('agree on what a signature of Ed25519 is: without the cofactor, and s below the order', async () => {
    const { Point } = ed25519;
    const small = Point.fromHex('c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a');
    const little = (value: bigint) =>
      bytesOf(value + (1n << 256n))
        .subarray(1)
        .reverse();
    const [a, r] = [123456789n, 987654321n];
    const signedBy = (key: typeof small, R: typeof small, above = 0n) => {
      const challenge = createHash('sha512').update(R.toBytes()).update(key.toBytes()).update(message).digest();
      const s = Point.Fn.create(r + Point.Fn.create(big(challenge.reverse())) * a) + above;
      return concat(R.toBytes(), little(s));
    };
    const [key, R] = [Point.BASE.multiply(a), Point.BASE.multiply(r)];
    const publicKey = { algorithm: Oid.ed25519, curve: undefined, bytes: key.toBytes() };
    for (const [what, signature, holds] of [
      ['as it should be', signedBy(key, R), true],
      ['an s above the order', signedBy(key, R, Point.Fn.ORDER), false],
      ['an R with a part of small order', signedBy(key, R.add(small)), false],
      ['a byte more', concat(signedBy(key, R), Uint8Array.of(0)), false],
      ['a byte less', signedBy(key, R).subarray(0, -1), false],
      ['zeros', new Uint8Array(64), false],
    ] as const)
      expect(await verdict(publicKey, signature, what, 'ed25519'), what).to.equal(holds);
    for (const point of [small, Point.ZERO])
      expect(() => verifyingKey({ ...publicKey, bytes: point.toBytes() })).to.throw(InvalidPublicKey);
  });

  it('are asked only for keys that the server supports, RSA of 2048 to 8192 bits with an exponent of up to 64', () => {
    const asked: PublicKeyDer[] = [];
    const verifier = (der: PublicKeyDer) => void asked.push(der);
    const rsa = publicKeyOf(createPublicKeyOf('rsa2048'));
    const odd = (length: number) => new Uint8Array(length).fill(0xff);
    const keyWith = (modulus: Uint8Array, exponent: Uint8Array) =>
      verifyingKey({ ...rsa, bytes: sequence(integer(modulus), integer(exponent)) }, { verifier });
    const three = Uint8Array.of(3);
    for (const [modulus, exponent] of [
      [odd(255), three],
      [odd(1025), three],
      [odd(256), odd(9)],
    ] as const)
      expect(keyWith(modulus, exponent)).to.equal(undefined);
    for (const [modulus, exponent] of [
      [odd(256), odd(8)],
      [odd(1024), three],
    ] as const) {
      const key = keyWith(modulus, exponent);
      expect(key?.verify('rsa_pkcs1_sha256', message, modulus.subarray(1))).to.equal(false); // by its length
    }
    expect(asked).to.deep.equal([]);
  });

  it('get a SubjectPublicKeyInfo and its kind, and are called once there is a signature', async () => {
    const kinds = { ecdsaP256: 'secp256r1', ecdsaP384: 'secp384r1', ed25519: 'ed25519', rsa2048: 'rsa' } as const;
    for (const [fixture, kind] of Object.entries(kinds) as [keyof typeof kinds, PublicKeyDer['kind']][]) {
      const given: unknown[] = [];
      const verify: Verify = (...rest) => given.push(rest) > 0;
      const verifier = (der: PublicKeyDer) => {
        given.push(der);
        return Promise.resolve(verify);
      };
      const publicKey = createPublicKeyOf(fixture);
      const key = verifyingKey(publicKeyOf(publicKey), { verifier });
      const { scheme, sign: signWith } = clientCertificate(fixture);
      expect(given).to.deep.equal([]);
      const signature = signWith(message);
      expect(await key?.verify(scheme, message, signature)).to.equal(true);
      const bytes = Uint8Array.from(publicKey.export({ format: 'der', type: 'spki' }));
      expect(given).to.deep.equal([{ format: 'spki', kind, bytes }, [scheme, message, signature]]);
    }
  });

  it('leave a key that they do not support to @noble', async () => {
    const signature = clientCertificate('ed25519').sign(message);
    const key = publicKeyOf(createPublicKeyOf('ed25519'));
    for (const verifier of [() => undefined, () => Promise.resolve(undefined)])
      expect(await verifyingKey(key, { verifier })?.verify('ed25519', message, signature)).to.equal(true);
    const lacks = { importKey: () => Promise.reject(new DOMException('no Ed25519', 'NotSupportedError')) };
    const verdicts = withSubtle(lacks, async () => verifyingKey(key, webCrypto)?.verify('ed25519', message, signature));
    expect(await verdicts).to.equal(true);
    expect(nodeCrypto.verifier?.({ format: 'spki', kind: 'rsa', bytes: EMPTY })).to.equal(undefined);
  });

  it('of nodeCrypto answer at once', () => {
    for (const kind of ['ecdsaP256', 'ecdsaP384', 'ed25519', 'rsa2048'] as const) {
      const { scheme, sign: signWith } = clientCertificate(kind);
      const key = verifyingKey(publicKeyOf(createPublicKeyOf(kind)), nodeCrypto);
      expect(key?.verify(scheme, message, signWith(message))).to.equal(true);
    }
  });
});
