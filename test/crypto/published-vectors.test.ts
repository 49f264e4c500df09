/** Published vectors of the algorithms that a provider has, for each that is in TypeScript. */

import { createHash } from 'node:crypto';
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import { expect } from 'chai';
import type { AeadName, HashName, KeyAgreement } from '../../src/crypto/provider.ts';
import { defaultProvider } from '../../src/crypto/providers/default.ts';
import { fast } from '../../src/crypto/providers/fast.ts';
import { hybridGroups } from '../../src/crypto/providers/hybrid-groups.ts';
import { noble } from '../../src/crypto/providers/noble.ts';
import { ascii, concat, fromHex, toHex } from '../../src/wire/bytes.ts';

interface GcmVector {
  readonly key: string;
  readonly nonce: string;
  readonly data: string;
  readonly text: string;
  readonly sealed: string;
  readonly tag: string;
}

const ZERO = '00'.repeat(16);
const KEY = 'feffe9928665731c6d6a8f9467308308';
const NONCE = 'cafebabefacedbaddecaf888';
const TEXT =
  'd9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72' +
  '1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255';
const SEALED_128 =
  '42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e' +
  '21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091473f5985';
const SEALED_256 =
  '522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa' +
  '8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad';
const DATA = 'feedfacedeadbeeffeedfacedeadbeefabaddad2';

/** D. McGrew and J. Viega, "The Galois/Counter Mode of Operation", Appendix B: Test Cases 1 to 4 and 13 to 16. */
const GCM: readonly (readonly [testCase: number, AeadName, GcmVector])[] = [
  [
    1,
    'aes-128-gcm',
    { key: ZERO, nonce: ZERO.slice(8), data: '', text: '', sealed: '', tag: '58e2fccefa7e3061367f1d57a4e7455a' },
  ],
  [
    2,
    'aes-128-gcm',
    {
      key: ZERO,
      nonce: ZERO.slice(8),
      data: '',
      text: ZERO,
      sealed: '0388dace60b6a392f328c2b971b2fe78',
      tag: 'ab6e47d42cec13bdf53a67b21257bddf',
    },
  ],
  [
    3,
    'aes-128-gcm',
    { key: KEY, nonce: NONCE, data: '', text: TEXT, sealed: SEALED_128, tag: '4d5c2af327cd64a62cf35abd2ba6fab4' },
  ],
  [
    4,
    'aes-128-gcm',
    {
      key: KEY,
      nonce: NONCE,
      data: DATA,
      text: TEXT.slice(0, 120),
      sealed: SEALED_128.slice(0, 120),
      tag: '5bc94fbc3221a5db94fae95ae7121a47',
    },
  ],
  [
    13,
    'aes-256-gcm',
    { key: ZERO + ZERO, nonce: ZERO.slice(8), data: '', text: '', sealed: '', tag: '530f8afbc74536b9a963b4f1c4cb738b' },
  ],
  [
    14,
    'aes-256-gcm',
    {
      key: ZERO + ZERO,
      nonce: ZERO.slice(8),
      data: '',
      text: ZERO,
      sealed: 'cea7403d4d606b6e074ec5d3baf39d18',
      tag: 'd0d1c8a799996bf0265b98b5d48ab919',
    },
  ],
  [
    15,
    'aes-256-gcm',
    { key: KEY + KEY, nonce: NONCE, data: '', text: TEXT, sealed: SEALED_256, tag: 'b094dac5d93471bdec1a502270e3cc6c' },
  ],
  [
    16,
    'aes-256-gcm',
    {
      key: KEY + KEY,
      nonce: NONCE,
      data: DATA,
      text: TEXT.slice(0, 120),
      sealed: SEALED_256.slice(0, 120),
      tag: '76fc6ece0f4e1768cddf8853bb2d551b',
    },
  ],
];

const LONG =
  'abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu';

/** NIST, Examples with Intermediate Values, SHA-256 and SHA-384; FIPS 180-2 Appendix B.3 for the million. */
const HASHES: readonly (readonly [HashName, what: string, message: string, digest: string])[] = [
  ['sha256', 'no bytes', '', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
  ['sha256', 'one block', 'abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
  [
    'sha256',
    'two blocks',
    'abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq',
    '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1',
  ],
  ['sha256', '112 bytes', LONG, 'cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1'],
  ['sha256', 'a million', 'a'.repeat(1e6), 'cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0'],
  [
    'sha384',
    'one block',
    'abc',
    'cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7',
  ],
  [
    'sha384',
    'two blocks',
    LONG,
    '09330c33f71147e83d192fc782cd1b4753111b173b3b05d22fa08086e3b0f712fcc7c71a557e2db966c3e9fa91746039',
  ],
];

/** RFC 4231 §4.2 to §4.4, §4.7 and §4.8. */
const HMACS: readonly (readonly [section: string, key: string, message: string, sha256: string, sha384: string])[] = [
  [
    '4.2',
    '0b'.repeat(20),
    toHex(ascii('Hi There')),
    'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7',
    'afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59cfaea9ea9076ede7f4af152e8b2fa9cb6',
  ],
  [
    '4.3',
    toHex(ascii('Jefe')),
    toHex(ascii('what do ya want for nothing?')),
    '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
    'af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649',
  ],
  [
    '4.4',
    'aa'.repeat(20),
    'dd'.repeat(50),
    '773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe',
    '88062608d3e6ad8a0aa2ace014c8a86f0aa635d947ac9febe83ef4e55966144b2a5ab39dc13814b94e3ab6e101a34f27',
  ],
  [
    '4.7',
    'aa'.repeat(131),
    toHex(ascii('Test Using Larger Than Block-Size Key - Hash Key First')),
    '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54',
    '4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c60c2ef6ab4030fe8296248df163f44952',
  ],
  [
    '4.8',
    'aa'.repeat(131),
    toHex(
      ascii(
        'This is a test using a larger than block-size key and a larger than block-size data. ' +
          'The key needs to be hashed before being used by the HMAC algorithm.',
      ),
    ),
    '9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2',
    '6617178e941f020d351e2f254e8fd32c602420feb0b8fb9adccebb82461e99c5a678cc31e799176d3860e6110c46523e',
  ],
];

for (const [name, { hashes, aeads }] of Object.entries({ noble, default: defaultProvider, fast })) {
  describe(`published vectors, ${name}`, () => {
    for (const [testCase, aead, { key, nonce, data, text, sealed, tag }] of GCM) {
      it(`${aead}, Test Case ${testCase}`, () => {
        const aeadKey = aeads[aead].key(fromHex(key));
        expect(toHex(aeadKey.seal(fromHex(nonce), fromHex(data), fromHex(text)))).to.equal(sealed + tag);
        const opened = aeadKey.open(fromHex(nonce), fromHex(data), fromHex(sealed + tag));
        expect(opened && toHex(opened)).to.equal(text);
      });
    }

    for (const [hash, what, message, digest] of HASHES) {
      it(`${hash} of ${what}`, () => {
        expect(toHex(hashes[hash].digest(ascii(message)))).to.equal(digest);
        const running = hashes[hash].start();
        for (let at = 0; at < message.length; at += 100_001) running.update(ascii(message.slice(at, at + 100_001)));
        expect(toHex(running.peek())).to.equal(digest);
      });
    }

    for (const [section, key, message, sha256, sha384] of HMACS) {
      it(`HMAC, RFC 4231 §${section}`, () => {
        expect(toHex(hashes.sha256.hmac(fromHex(key)).sign(fromHex(message)))).to.equal(sha256);
        expect(toHex(hashes.sha384.hmac(fromHex(key)).sign(fromHex(message)))).to.equal(sha384);
      });
    }
  });
}

/** A curve that costs nothing, beside which ML-KEM is seen. */
const noCurve: KeyAgreement = {
  generate: () => ({ publicKey: new Uint8Array(65), agree: () => new Uint8Array(32), wipe: () => {} }),
};

describe('published vectors: ML-KEM-768 of @noble/post-quantum, in a hybrid group', function () {
  this.timeout(60_000);

  /**
   * C2SP/CCTV, ML-KEM/README.md, "accumulated": random keys, messages and ciphertexts out of SHAKE-128; the digest of all encapsulation
   * keys, ciphertexts, shared secrets and implicit rejections of 100 of them (FIPS 203).
   */
  it('CCTV: a hundred accumulated vectors', async () => {
    const [SEED, MESSAGE, CIPHERTEXT, COUNT] = [64, 32, 1088, 100];
    const outputLength = COUNT * (SEED + MESSAGE + CIPHERTEXT);
    const stream = createHash('shake128', { outputLength }).update('').digest();
    let at = 0;
    const draw = (length: number) => {
      at += length;
      return new Uint8Array(stream.subarray(at - length, at));
    };
    const digest = createHash('shake128', { outputLength: 32 });
    const group = hybridGroups({ secp256r1: noCurve }, ml_kem768).SecP256r1MLKEM768;
    if (group === undefined) throw new Error('no group');
    for (let i = 0; i < COUNT; i++) {
      const key = await group.generate(draw);
      const { keyShare, sharedSecret } = await group.encapsulate(key.publicKey, draw);
      const share = concat(keyShare.subarray(0, 65), draw(CIPHERTEXT));
      const rejected = await key.decapsulate(share);
      for (const part of [
        key.publicKey.subarray(65),
        keyShare.subarray(65),
        sharedSecret.subarray(32),
        rejected.subarray(32),
      ])
        digest.update(part);
      expect(toHex(await key.decapsulate(keyShare))).to.equal(toHex(sharedSecret));
    }
    expect(digest.digest('hex')).to.equal('1114b1b6699ed191734fa339376afa7e285c9e6acf6ff0177d346696ce564415');
  });
});
