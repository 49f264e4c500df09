/** The PRF of TLS 1.2: published vectors, and a second implementation on node:crypto to compare with. */

import { createHmac } from 'node:crypto';
import { expect } from 'chai';
import fc from 'fast-check';
import {
  prf,
  storedMasterSecret,
  tls12ExportKeyingMaterial,
  tls12ExtendedMasterSecret,
  tls12Keys,
  tls12MasterSecret,
  tls12VerifyData,
} from '../../src/crypto/prf.ts';
import type { HashName } from '../../src/crypto/provider.ts';
import { Secret } from '../../src/crypto/secret.ts';
import { ascii, concat, EMPTY, fromHex, toHex } from '../../src/wire/bytes.ts';
import { synchronousProvider } from '../support/provider.ts';

/** RFC 5246 §5, as it is written there: P_hash(secret, label + seed), A(0) = seed, A(i) = HMAC(secret, A(i-1)). */
function referencePrf(hash: HashName, secret: Uint8Array, label: string, seed: Uint8Array, length: number): string {
  const hmac = (...parts: readonly Uint8Array[]) => createHmac(hash, secret).update(Buffer.concat(parts)).digest();
  const labelled = Buffer.concat([Buffer.from(label, 'latin1'), seed]);
  const blocks: Buffer[] = [];
  for (let a = hmac(labelled); 32 * blocks.length < length; a = hmac(a)) blocks.push(hmac(a, labelled));
  return Buffer.concat(blocks).subarray(0, length).toString('hex');
}

const bytes = (maxLength: number) => fc.uint8Array({ maxLength });
const fixedBytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const hashName = fc.constantFrom<HashName>('sha256', 'sha384');

/** https://www.ietf.org/mail-archive/web/tls/current/msg03416.html */
const PRF_VECTORS = [
  {
    hash: 'sha256',
    secret: '9bbe436ba940f017b17652849a71db35',
    seed: 'a0ba9f936cda311827a6f796ffd5198c',
    output:
      'e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a6b301791e90d35c9c9a46b4e14baf9af' +
      '0fa022f7077def17abfd3797c0564bab4fbc91666e9def9b97fce34f796789baa48082d122ee42c5a72e5a5110fff701' +
      '87347b66',
  },
  {
    hash: 'sha384',
    secret: 'b80b733d6ceefcdc71566ea48e5567df',
    seed: 'cd665cf6a8447dd6ff8b27555edb7465',
    output:
      '7b0c18e9ced410ed1804f2cfa34a336a1c14dffb4900bb5fd7942107e81c83cde9ca0faa60be9fe34f82b1233c9146a0' +
      'e534cb400fed2700884f9dc236f80edd8bfa961144c9e8d792eca722a7b32fc3d416d473ebc2c5fd4abfdad05d918425' +
      '9b5bf8cd4d90fa0d31e2dec479e4f1a26066f2eea9a69236a3e52655c9e9aee691c8f3a26854308d5eaa3be85e099070' +
      '3d73e56f',
  },
] as const;

/** NIST ACVP-Server, sample of the algorithm "TLS-v1.2 KDF RFC7627": tests 1 and 2 with SHA-256, 25 and 26 with SHA-384. */
const EMS_VECTORS = [
  {
    hash: 'sha256',
    preMasterSecret: '8252b983a6459a6fb3b9debe8725247e276139ebf7c9adccdd7d240f3ada7f5e3351b2769b6c8dc169a6d799c3c0ffeb',
    sessionHash: '1359d7df74cb27c67f74c98d521d442b887eaf0decf6e382c62434d6c3dd7d0d',
    clientRandom: 'abe7af69affc5e0944f4009b3e7abd1cc0a5cce8db055eff4a509e5b6de9475a',
    serverRandom: '50e0a1a1fd64a55259781a5c22580a81f99799c32f52d3f48d2c10c5c692e289',
    masterSecret: '43a5e821fcf5446c712207f7cd161ed213ee3b9d001d418c57231befd596b583ecd55ab2c4456b02738698f90bc59ac0',
    keyBlock:
      '4886e75be82dd4fb73c540729072d3e29b93c164e1cffe071f1212b1237b98dc0b0a5895f331f7180ceb30b17bb8c3e9' +
      '2a074b26325ff975237dbd22320c0b88d64931f39c777b1527d36a999ad5fe5ee7f53fc42a509beb22634b17ec7b768e' +
      'af6a87977cf8670b34d0a76ebce6a659dab6c15b4b86b98b9a63c50bbe1e2a09',
  },
  {
    hash: 'sha256',
    preMasterSecret: 'cbf55e41501394407612d1ec385104fa1a8e59eb00832eccbd0b92c2404af47e7171eaec467f04e06f8dcae0add1bbee',
    sessionHash: '6d7cbb7e2dffd4e1ad853998e74c647586838c47b1e113af5b58586d66a26a4d',
    clientRandom: 'f4dd2b599984f5e514320d12dcda8d11b32e61efd888f5aba1ad28b780b2b739',
    serverRandom: '804814a3c29b9d842b5aa0e1f11c4ba580bdacb0a33caab74ccf02da90787397',
    masterSecret: '89902a83be5fe73e31a5dfe1f631effccb490326f2781e9983b5695e728f10f9ea12f659b62dbe98886959aec0833092',
    keyBlock:
      'b0bf5c1f8582fadd3356a1a2d68c438aa17689401a95d5e7564e9743637c2bcd1ae29fc67b553b4a8369548d1f9917ff' +
      '1ff8f977bc45ec6d7ec2c98515e3abd5776b111883d19ef82fb49834f4d3749f902bfce5de527ce7b622728e9a0d368b' +
      '8028019793f2bfd854838c9b02de7e056ad19a71621d986a2fb1757c0901dde8',
  },
  {
    hash: 'sha384',
    preMasterSecret: '25f3abef0a3c865e61e84bc5fa13b21a9baf7ad0fa2d183406a326c72af3a044930dff6857a74e5aeef3a1f54138c1d7',
    sessionHash: '65ee0b3e94dc61b257cc6946a99d0825881798ea40cc92b8f9cd13ebb53d0b9fe01ef873dc0d311eb1ffc2cf4533265d',
    clientRandom: 'adba39368903e53e359a745a6ab6841985c6bff63d8d3a584a393d6ee46b5b68',
    serverRandom: '1f13af3988a535c0f30a8354b97a569bf3618fdc0c5053cfe819332d8fd866a3',
    masterSecret: '3668965ba375b17dafe4d764c0534de0c609ba57757cdebcd6a0cc85855b65bd5a68603265025e1c3b8e487fad0ab4e1',
    keyBlock:
      '76bbeae94641ee5af3367d1730eb349248ac6e7d071940b63b03861b6f891d5cef04b42d765deffcc9ef117eb9db56c6' +
      'e22f9ef8887ee0c32310f2c7247f7eb86465a317f638d939887bf1fe6c6e733bdf39bb8237fb7a36a1ca574c97aebaff' +
      '3cab10158a80b075ce1acb0fafb1b9781848c63b3c4c0b7c10ecfdd5c678df7d',
  },
  {
    hash: 'sha384',
    preMasterSecret: 'cf2e5dbd54d46999c3134963316e5c057acf0dfee24cdf60118faa2fd60eeb005af0be437c6551cb2b124c006125b22f',
    sessionHash: '69c2f2484f0de94ce2e03e196ece7cb103533ad5c63d4bd7b6f7be4fe677ea82bd2c2f0020001423850f229990f39013',
    clientRandom: 'e56ea7b1669a940a43a4be61836ffdc0e9af49e54eb83c99548047e6d2d2163c',
    serverRandom: 'f1a31aac51c88e727e083f834b8f243902fd9285ddd57afc691d8067bf89d488',
    masterSecret: 'b0bd142d364b148c9b81515dc0c96e76004f0535963ba85559ddaa6a697df83e5dff14d64354ab374d96b06574f00723',
    keyBlock:
      'b66e1bd9cea2a812e3c7c9045296d3fc52217aa142256e9043ddb8de70d78f6244f830d3626d55ba62201b17a320667a' +
      '547e0c6f8982643690c6d005103b7d1859958598eaee1c369cb20a6c05fc05fa1620929c1a24c51427e44ab967c17e56' +
      '2b01d976ed30f0faef7282f80cf561693ef67437e159820265aa1ec84ae54f50',
  },
] as const;

describe('the PRF of TLS 1.2', () => {
  for (const { hash, secret, seed, output } of PRF_VECTORS) {
    it(`is that of the published ${hash} vector, at every length`, () => {
      for (let length = output.length / 2; length >= 0; length--) {
        const key = new Secret(synchronousProvider.hashes[hash], fromHex(secret));
        const made = prf(key, ascii('test label'), fromHex(seed), length);
        expect(toHex(made)).to.equal(output.slice(0, 2 * length));
      }
      expect(referencePrf(hash, fromHex(secret), 'test label', fromHex(seed), output.length / 2)).to.equal(output);
    });
  }

  it('is that of a second implementation', () => {
    const label = fc.string({ unit: 'grapheme-ascii', maxLength: 40 });
    fc.assert(
      fc.property(hashName, bytes(80), label, bytes(80), fc.nat(200), (hash, secret, name, seed, length) => {
        const made = prf(new Secret(synchronousProvider.hashes[hash], secret), ascii(name), seed, length);
        expect(toHex(made)).to.equal(referencePrf(hash, secret, name, seed, length));
      }),
    );
  });

  it('leaves secret and seed as they are', () => {
    const [secret, seed] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
    prf(new Secret(synchronousProvider.hashes.sha256, secret), ascii('label'), seed, 100);
    expect(secret).to.deep.equal(new Uint8Array(32).fill(1));
    expect(seed).to.deep.equal(new Uint8Array(32).fill(2));
  });
});

describe('the secrets of TLS 1.2', () => {
  for (const [i, vector] of EMS_VECTORS.entries()) {
    it(`are those of NIST, ${vector.hash}, vector ${i + 1}`, () => {
      const hash = synchronousProvider.hashes[vector.hash];
      const master = tls12ExtendedMasterSecret(hash, fromHex(vector.preMasterSecret), fromHex(vector.sessionHash));
      expect(toHex(master.bytes)).to.equal(vector.masterSecret);
      const randoms = { client: fromHex(vector.clientRandom), server: fromHex(vector.serverRandom) };
      for (const lengths of [
        { key: 16, iv: 4 },
        { key: 32, iv: 4 },
        { key: 32, iv: 12 },
      ]) {
        const keys = tls12Keys(master, randoms, lengths);
        const block = concat(keys.clientKey, keys.serverKey, keys.clientIv, keys.serverIv);
        expect(toHex(block)).to.equal(vector.keyBlock.slice(0, 4 * (lengths.key + lengths.iv)));
        expect([keys.clientKey, keys.serverKey].map(({ length }) => length)).to.deep.equal([lengths.key, lengths.key]);
        expect([keys.clientIv, keys.serverIv].map(({ length }) => length)).to.deep.equal([lengths.iv, lengths.iv]);
      }
    });
  }

  it('have the labels and the order of seeds of RFC 5246 §8.1, §6.3, §7.4.9', () => {
    fc.assert(
      fc.property(hashName, fixedBytes(48), fixedBytes(32), fixedBytes(32), (name, secret, client, server) => {
        const hash = synchronousProvider.hashes[name];
        const reference = (label: string, seed: Uint8Array, length: number) =>
          referencePrf(name, secret, label, seed, length);
        const master = storedMasterSecret(hash, secret);
        expect(toHex(tls12MasterSecret(hash, secret, client, server).bytes)).to.equal(
          reference('master secret', concat(client, server), 48),
        );
        const keys = tls12Keys(master, { client, server }, { key: 16, iv: 4 });
        expect(toHex(concat(keys.clientKey, keys.serverKey, keys.clientIv, keys.serverIv))).to.equal(
          reference('key expansion', concat(server, client), 40),
        );
        for (const sender of ['client', 'server'] as const) {
          expect(toHex(tls12VerifyData(master, sender, client))).to.equal(reference(`${sender} finished`, client, 12));
        }
      }),
      { numRuns: 30 },
    );
  });

  it('refuse a stored master secret of another length, and copy one that fits', () => {
    for (const length of [0, 32, 47, 49]) {
      expect(() => storedMasterSecret(synchronousProvider.hashes.sha256, new Uint8Array(length))).to.throw(
        RangeError,
        `${length}`,
      );
    }
    const stored = new Uint8Array(48).fill(7);
    const master = storedMasterSecret(synchronousProvider.hashes.sha256, stored);
    master.wipe();
    expect(stored).to.deep.equal(new Uint8Array(48).fill(7));
  });
});

describe('the exporter of TLS 1.2 (RFC 5705 §4)', () => {
  const secret = new Uint8Array(48).fill(3);
  const client = new Uint8Array(32).fill(0xc1);
  const server = new Uint8Array(32).fill(0x5e);
  const label = 'EXPORTER-tls-resume-test';

  for (const name of ['sha256', 'sha384'] as const) {
    const master = storedMasterSecret(synchronousProvider.hashes[name], secret);
    const exported = (context: Uint8Array | undefined, length = 50) =>
      toHex(tls12ExportKeyingMaterial(master, { client, server }, { label, context, length }));
    const reference = (...tail: readonly Uint8Array[]) =>
      referencePrf(name, secret, label, concat(client, server, ...tail), 50);

    it(`tells no context from an empty one, ${name}`, () => {
      expect(exported(undefined)).to.equal(reference());
      expect(exported(EMPTY)).to.equal(reference(Uint8Array.of(0, 0)));
      expect(exported(undefined)).not.to.equal(exported(EMPTY));
    });

    it(`takes a context with its length in two bytes, ${name}`, () => {
      expect(exported(ascii('context'))).to.equal(reference(Uint8Array.of(0, 7), ascii('context')));
      const long = new Uint8Array(0x1234).fill(1);
      expect(exported(long)).to.equal(reference(Uint8Array.of(0x12, 0x34), long));
      expect(exported(undefined, 10)).to.equal(reference().slice(0, 20));
    });
  }
});
