import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { expect } from 'chai';
import fc from 'fast-check';
import { credentialFromPem } from '../../../src/crypto/credentials/credential.ts';
import { parsePrivateKey } from '../../../src/crypto/credentials/private-key.ts';
import { ascii, concat, fromHex, toHex } from '../../../src/wire/bytes.ts';
import { DerReader, integer, octetString, sequence, Tag } from '../../../src/wire/der.ts';
import { encodePem, parsePem } from '../../../src/wire/pem.ts';
import type { SignatureSchemeName } from '../../../src/wire/registry.ts';
import { certificates, rootCertificate } from '../../fixtures.ts';
import { ecdsa, issue } from '../../support/authority.ts';
import { isSignature, message } from '../../support/signatures.ts';

const pkcs8 = (pem: string) => createPrivateKey(pem).export({ format: 'pem', type: 'pkcs8' }).toString();
const sec1 = (pem: string) => createPrivateKey(pem).export({ format: 'pem', type: 'sec1' }).toString();

const RSA: readonly SignatureSchemeName[] = [
  'rsa_pss_rsae_sha256',
  'rsa_pss_rsae_sha384',
  'rsa_pss_rsae_sha512',
  'rsa_pkcs1_sha256',
  'rsa_pkcs1_sha384',
  'rsa_pkcs1_sha512',
];
const P256: readonly SignatureSchemeName[] = ['ecdsa_secp256r1_sha256'];

describe('credentialFromPem', () => {
  const { ecdsaP256, ecdsaP384, ed25519, rsa2048, rsa2048Pkcs1, bExample, chain } = certificates;

  for (const [what, { cert, key }, schemes] of [
    ['ECDSA P-256, SEC1', ecdsaP256, P256],
    ['ECDSA P-256, PKCS#8', { ...ecdsaP256, key: pkcs8(ecdsaP256.key) }, P256],
    ['ECDSA P-384, SEC1', ecdsaP384, ['ecdsa_secp384r1_sha384']],
    ['ECDSA P-384, PKCS#8', { ...ecdsaP384, key: pkcs8(ecdsaP384.key) }, ['ecdsa_secp384r1_sha384']],
    ['Ed25519', ed25519, ['ed25519']],
    ['RSA, PKCS#8', rsa2048, RSA],
    ['RSA, PKCS#1', rsa2048Pkcs1, RSA],
    ['a chain', chain, P256],
  ] as const) {
    it(`signs with ${what}`, async () => {
      const credential = credentialFromPem({ cert, key });
      expect(credential.schemes).to.deep.equal(schemes);
      for (const scheme of [...schemes, ...schemes]) {
        const signature = await credential.sign(scheme, message);
        expect(isSignature(cert, scheme, signature), scheme).to.equal(true);
        signature[signature.length - 1] = 1 ^ (signature[signature.length - 1] ?? 0);
        expect(isSignature(cert, scheme, signature), scheme).to.equal(false);
      }
    });
  }

  it('signs with any hash of SHA-2 for TLS 1.2 if the key is ECDSA, that of its curve first (RFC 9846 §4.3.3)', async () => {
    const rows = [
      [ecdsaP256, [256, 384, 512]],
      [ecdsaP384, [384, 512, 256]],
    ] as const;
    for (const [pem, hashes] of rows) {
      const { sign, schemesTls12 = [] } = credentialFromPem(pem);
      expect(schemesTls12.map((scheme) => Number(scheme.slice(-3)))).to.deep.equal(hashes);
      for (const scheme of schemesTls12)
        expect(isSignature(pem.cert, scheme, await sign(scheme, message)), scheme).to.equal(true);
    }
    for (const pem of [ed25519, rsa2048]) expect(credentialFromPem(pem)).to.not.have.property('schemesTls12');
  });

  it('signs by ECDSA as RFC 6979 says, the same for the same (RFC 9846 C.3)', async () => {
    // RFC 6979 A.2.5: P-256 with SHA-256, "sample".
    const scalar = fromHex('c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721');
    const r = 'efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716';
    const s = 'f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8';
    const info = new DerReader(parsePem(pkcs8(ecdsaP256.key))[0]?.bytes ?? scalar).enter(Tag.sequence);
    const inner = sequence(integer(1), octetString(scalar));
    const key = { label: 'PRIVATE KEY', encrypted: false, bytes: sequence(info.raw(), info.raw(), octetString(inner)) };
    const { sign } = parsePrivateKey(key);
    for (const _ of [1, 2]) {
      const signature = await sign('ecdsa_secp256r1_sha256', ascii('sample'));
      expect(toHex(signature)).to.equal(`3046022100${r}022100${s}`);
    }
  });

  it('refuses a scheme that the key cannot serve', async () => {
    expect(() => credentialFromPem(ecdsaP256).sign('ed25519', message)).to.throw(TypeError, 'scheme: ed25519');
    expect(() => credentialFromPem(ed25519).sign('rsa_pkcs1_sha256', message)).to.throw(TypeError, 'scheme: rsa_pkcs1');
    const error = await Promise.resolve(credentialFromPem(rsa2048).sign('ed25519', message)).catch((e: unknown) => e);
    expect(error).to.be.instanceOf(TypeError);
  });

  it('carries the chain and the names of its first certificate', () => {
    const credential = credentialFromPem(chain);
    expect(credential.certificateChain).to.deep.equal(parsePem(chain.cert).map(({ bytes }) => bytes));
    expect(credential.certificateChain.length).to.equal(2);
    expect(credential.names).to.deep.equal(['localhost']);
    expect(credentialFromPem(bExample).names).to.deep.equal(['b.example', '*.b.example']);
  });

  it('finds both in one file, and a key behind EC PARAMETERS', () => {
    const params = '-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n';
    const both = `${params}${ecdsaP256.key}${ecdsaP256.cert}`;
    expect(credentialFromPem({ cert: both, key: both }).schemes).to.deep.equal(P256);
  });

  it('pads an EC key whose writer left out leading zeros', () => {
    // The smallest of keys, 1: nobody's certificate, so that "does not belong" says it was read.
    const inner = sequence(integer(1), octetString(Uint8Array.of(1)));
    const info = new DerReader(parsePem(pkcs8(ecdsaP256.key))[0]?.bytes ?? inner).enter(Tag.sequence);
    const key = encodePem('PRIVATE KEY', sequence(info.raw(), info.raw(), octetString(inner)));
    expect(() => credentialFromPem({ cert: ecdsaP256.cert, key })).to.throw(TypeError, 'does not belong');
  });

  describe('refuses, and says what to do about', () => {
    const encrypted = { format: 'pem', cipher: 'aes-128-cbc', passphrase: 'x' } as const;
    const rsaKey = (bits: number) => generateKeyPairSync('rsa', { modulusLength: bits }).privateKey;
    const text = (key: ReturnType<typeof rsaKey>) => key.export({ format: 'pem', type: 'pkcs8' }).toString();
    const p521 = generateKeyPairSync('ec', { namedCurve: 'P-521' }).privateKey.export({ format: 'pem', type: 'pkcs8' });
    const swappedChain = parsePem(chain.cert)
      .reverse()
      .map(({ label, bytes }) => encodePem(label, bytes))
      .join('');
    const zero = encodePem('EC PRIVATE KEY', sequence(integer(1), octetString(new Uint8Array(32))));
    const trailing = encodePem('PRIVATE KEY', concat(parsePem(ed25519.key)[0]?.bytes ?? message, Uint8Array.of(0)));

    for (const [what, cert, key, problem] of [
      [
        'the key of another certificate',
        ecdsaP256.cert,
        bExample.key,
        'key: does not belong to the certificate in cert',
      ],
      ['an RSA key of another certificate', rsa2048.cert, text(rsaKey(2048)), 'key: does not belong'],
      ['a key of another kind', ed25519.cert, rsa2048.key, 'key: does not belong'],
      [
        'a chain in the wrong order',
        swappedChain,
        chain.key,
        'cert: key belongs to certificate 2 of the chain; put that',
      ],
      ['a short RSA key', rsa2048.cert, text(rsaKey(1024)), 'key: RSA with 1024 bits is too short; 2048 at least'],
      ['an RSA key just too short', rsa2048.cert, text(rsaKey(2040)), 'key: RSA with 2040 bits'],
      ['P-521', ecdsaP256.cert, p521, 'key: the curve 1.3.132.0.35 is not supported; use P-256'],
      ['a curve that is not named', ecdsaP256.cert, zero, 'key: the curve that it does not name'],
      [
        'an RSASSA-PSS key',
        rsa2048.cert,
        generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).privateKey.export({ format: 'pem', type: 'pkcs8' }),
        'key: an RSASSA-PSS key (only rsaEncryption is) is not supported',
      ],
      [
        'X25519',
        ed25519.cert,
        generateKeyPairSync('x25519').privateKey.export({ format: 'pem', type: 'pkcs8' }),
        'key: the algorithm 1.3.101.110 is not supported; use ECDSA',
      ],
      [
        'an encrypted PKCS#8 key',
        ecdsaP256.cert,
        createPrivateKey(ecdsaP256.key).export({ ...encrypted, type: 'pkcs8' }),
        'key: is encrypted; decrypt it first',
      ],
      [
        'an encrypted SEC1 key',
        ecdsaP256.cert,
        createPrivateKey(ecdsaP256.key).export({ ...encrypted, type: 'sec1' }),
        'key: is encrypted; decrypt it first',
      ],
      [
        'an OpenSSH key',
        ed25519.cert,
        encodePem('OPENSSH PRIVATE KEY', sequence()),
        'key: OPENSSH PRIVATE KEY is not supported; convert it',
      ],
      [
        'cert and key interchanged',
        ecdsaP256.key,
        ecdsaP256.cert,
        'cert: no CERTIFICATE in it, only EC PRIVATE KEY; were cert and key interchanged?',
      ],
      [
        'a request for cert',
        encodePem('CERTIFICATE REQUEST', sequence()),
        ecdsaP256.key,
        /^cert: no CERTIFICATE in it, only CERTIFICATE REQUEST$/,
      ],
      ['no key', ecdsaP256.cert, ecdsaP256.cert, 'key: no private key in it, only CERTIFICATE'],
      ['two keys', ecdsaP256.cert, ecdsaP256.key + ecdsaP384.key, 'key: more than one private key in it'],
      ['a file name for cert', './cert.pem', ecdsaP256.key, 'cert: no -----BEGIN in it; pass the contents'],
      ['a file name for key', ecdsaP256.cert, './key.pem', 'key: no -----BEGIN in it; pass the contents'],
      ['a damaged certificate', encodePem('CERTIFICATE', message), ecdsaP256.key, 'cert: certificate: tag 30 wanted'],
      ['a damaged key', ed25519.cert, encodePem('PRIVATE KEY', message), 'key: PRIVATE KEY: tag 30 wanted'],
      ['bytes behind the key', ed25519.cert, trailing, 'key: 1 trailing bytes'],
    ] as const) {
      it(what, () => {
        expect(() => credentialFromPem({ cert, key: key.toString() })).to.throw(TypeError, problem);
      });
    }

    it('a chain that MD5 or SHA-1 has signed, but not a root (RFC 9846 §4.5.1.2)', () => {
      const algorithms = ['1.2.840.113549.1.1.4', '1.2.840.113549.1.1.5', '1.2.840.10045.4.1'];
      for (const signer of algorithms.map((algorithm) => ecdsa(algorithm, 'sha1'))) {
        const root = issue({ name: 'root', signer });
        const weak = issue({ name: 'weak', by: root, signer });
        const leaf = issue({ name: 'localhost', by: weak });
        const under = issue({ name: 'localhost', by: root });
        for (const { pem: cert, key } of [weak, { ...leaf, pem: leaf.pem + weak.pem }]) {
          expect(() => credentialFromPem({ cert, key })).to.throw(TypeError, /^cert: signed by MD5 or SHA-1; have it/);
        }
        expect(() => credentialFromPem({ cert: under.pem + root.pem, key: under.key })).to.not.throw();
      }
    });

    it('what is neither text nor bytes', () => {
      const number: unknown = 1;
      expect(() => credentialFromPem({ cert: ecdsaP256.cert, key: number as string })).to.throw(
        TypeError,
        'key: PEM is wanted, a string or the bytes of a file, not a number',
      );
    });

    it('a key out of the range of its curve', () => {
      const [block] = parsePem(sec1(ecdsaP256.key));
      const bytes = block?.bytes.slice() ?? new Uint8Array(64);
      bytes.fill(0xff, 7, 39);
      const key = encodePem('EC PRIVATE KEY', bytes);
      expect(() => credentialFromPem({ cert: ecdsaP256.cert, key })).to.throw(TypeError, 'key: outside the range');
    });
  });

  it('throws nothing but TypeError, whatever is changed in a key', () => {
    const keys = [ecdsaP256, ed25519, rsa2048, rsa2048Pkcs1].map(({ cert, key }) => ({
      cert,
      block: parsePem(key)[0],
    }));
    fc.assert(
      fc.property(fc.constantFrom(...keys), fc.nat(), fc.nat(255), ({ cert, block }, where, byte) => {
        const bytes = block?.bytes.slice() ?? new Uint8Array(1);
        bytes[where % bytes.length] = byte;
        try {
          credentialFromPem({ cert, key: encodePem(block?.label ?? '', bytes) });
        } catch (error) {
          expect(error).to.be.instanceOf(TypeError);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('is not given a root by mistake', () => {
    expect(() => credentialFromPem({ cert: rootCertificate, key: chain.key })).to.throw(TypeError, 'does not belong');
  });
});
