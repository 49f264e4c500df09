/**
 * The vectors of Project Wycheproof, read from the folder WYCHEPROOF_DIR: theirs (testvectors_v1) or the excerpt in
 * fixtures/wycheproof. Symmetric algorithms and HKDF of every provider, key exchange of those groups into which a private key can
 * be put by way of its random bytes, and signatures of our verifying keys.
 */

import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect } from 'chai';
import { Oid } from '../../src/crypto/credentials/certificate.ts';
import { verifyingKey } from '../../src/crypto/credentials/verifying-key.ts';
import {
  type Aead,
  type CryptoProvider,
  type Hash,
  type HashName,
  InvalidPublicKey,
  type KeyAgreement,
  type KeyEncapsulation,
} from '../../src/crypto/provider.ts';
import { defaultProvider } from '../../src/crypto/providers/default.ts';
import { fast } from '../../src/crypto/providers/fast.ts';
import { noble } from '../../src/crypto/providers/noble.ts';
import { nodeCrypto } from '../../src/node/index.ts';
import { concat, EMPTY, fromHex, toHex } from '../../src/wire/bytes.ts';
import { hybridCrypto } from '../support/hybrid.ts';

const folder = process.env['WYCHEPROOF_DIR'] ?? '';
const isWanted = (process.env['CI'] ?? '') !== '';
const PROVIDERS: Readonly<Record<string, CryptoProvider>> = { noble, default: defaultProvider, fast, nodeCrypto };

interface Test {
  readonly tcId: number;
  readonly result: 'valid' | 'invalid' | 'acceptable';
  readonly flags: readonly string[];
  /** Everything else is hexadecimal, but for HKDF's size. */
  readonly [field: string]: unknown;
}

interface Group {
  readonly tests: readonly Test[];
  readonly ivSize?: number;
  readonly keySize?: number;
  readonly publicKey?: { readonly uncompressed?: string; readonly pk?: string };
}

const bytes = (test: Test, field: string): Uint8Array => fromHex(String(test[field]));

/** All tests of a file that are for us. `count`: how many these are, so that none gets lost. */
function testsOf(
  name: string,
  count: number,
  isOurs: (group: Group) => boolean = () => true,
): readonly (readonly [Test, Group])[] {
  const { testGroups } = JSON.parse(readFileSync(join(folder, `${name}_test.json`), 'utf8')) as {
    testGroups: readonly Group[];
  };
  const tests = testGroups
    .filter(isOurs)
    .flatMap((group) => group.tests.map((test): readonly [Test, Group] => [test, group]));
  expect(tests.length, name).to.be.at.least(count);
  return tests;
}

const say = ({ tcId, flags }: Test): string => `test ${tcId} ${flags.join(' ')}`;

function aeadTests(name: string, aead: Aead, count: number): void {
  const isOurs = ({ ivSize, keySize }: Group) => ivSize === 96 && keySize === 8 * aead.keyLength;
  for (const [test] of testsOf(name, count, isOurs)) {
    const key = aead.key(bytes(test, 'key'));
    const [nonce, data, plaintext] = [bytes(test, 'iv'), bytes(test, 'aad'), bytes(test, 'msg')];
    const sealed = concat(bytes(test, 'ct'), bytes(test, 'tag'));
    const opened = key.open(nonce, data, sealed);
    if (test.result === 'valid') {
      expect(toHex(key.seal(nonce, data, plaintext)), say(test)).to.equal(toHex(sealed));
      expect(opened && toHex(opened), say(test)).to.equal(toHex(plaintext));
    } else {
      expect(opened, say(test)).to.equal(undefined);
    }
    key.wipe();
  }
}

/** RFC 5869, out of a provider's HMAC. */
function hkdf(hash: Hash, salt: Uint8Array, secret: Uint8Array, info: Uint8Array, length: number): Uint8Array {
  const key = hash.hmac(hash.hmac(salt).sign(secret));
  const blocks: Uint8Array[] = [];
  for (let i = 1; hash.length * blocks.length < length; i++) {
    blocks.push(key.sign(blocks.at(-1) ?? EMPTY, info, Uint8Array.of(i)));
  }
  return concat(...blocks).subarray(0, length);
}

function hkdfTests(name: HashName, hash: Hash): void {
  for (const [test] of testsOf(`hkdf_${name}`, 80)) {
    const size = Number(test['size']);
    if (test.result !== 'valid') {
      expect(size, say(test)).to.be.above(255 * hash.length);
      continue;
    }
    const output = hkdf(hash, bytes(test, 'salt'), bytes(test, 'ikm'), bytes(test, 'info'), size);
    expect(toHex(output), say(test)).to.equal(test['okm']);
  }
}

function hmacTests(name: HashName, hash: Hash): void {
  for (const [test] of testsOf(`hmac_${name}`, 170)) {
    const tag = String(test['tag']);
    const made = toHex(hash.hmac(bytes(test, 'key')).sign(bytes(test, 'msg'))).slice(0, tag.length);
    expect(made === tag, say(test)).to.equal(test.result === 'valid');
  }
}

/** The shared secret, or why there is none. */
async function agreed(group: KeyAgreement, seed: Uint8Array, peer: Uint8Array): Promise<string> {
  const key = await group.generate(() => seed);
  try {
    return toHex(await key.agree(peer));
  } catch (error) {
    expect(error).to.be.instanceOf(RangeError);
    return 'refused';
  }
}

const big = (hex: string): bigint => BigInt(`0x${hex}`);

/** Random bytes of which @noble makes this private key: it takes them modulo the order less one, and adds one. */
const nobleSeed = (privateKey: string): Uint8Array => fromHex((big(privateKey) - 1n).toString(16).padStart(96, '0'));

/** nodeCrypto takes them as they are. */
const plainSeed = (privateKey: string): Uint8Array => fromHex(big(privateKey).toString(16).padStart(64, '0'));

async function ecdhTests(group: KeyAgreement, seedOf: (privateKey: string) => Uint8Array): Promise<void> {
  for (const [test] of testsOf('ecdh_secp256r1_ecpoint', 350)) {
    const shared = await agreed(group, seedOf(String(test['private'])), bytes(test, 'public'));
    // RFC 9846 §4.3.8.2: uncompressed points alone.
    const isRefused = test.result === 'invalid' || test.flags.includes('CompressedPoint') || !isUncompressed(test);
    expect(shared, say(test)).to.equal(isRefused ? 'refused' : test['shared']);
  }
}

const isUncompressed = (test: Test): boolean => String(test['public']).startsWith('04');

async function x25519Tests(group: KeyAgreement): Promise<void> {
  for (const [test] of testsOf('x25519', 500)) {
    const shared = await agreed(group, bytes(test, 'private'), bytes(test, 'public'));
    const isZero = test.flags.includes('ZeroSharedSecret'); // RFC 7748 §6.1
    expect(shared, say(test)).to.equal(isZero ? 'refused' : test['shared']);
  }
}

/** Random bytes of which a hybrid group makes this key of ML-KEM. */
const kemSeed = (seed: Uint8Array) => (length: number) =>
  length === seed.length ? seed.slice() : new Uint8Array(length).fill(7);

/** ML-KEM's part of a share or of a secret in X25519MLKEM768, which comes first. */
const kemPart = (joined: Uint8Array): string => toHex(joined.subarray(0, -32));

async function mlKemTests(group: KeyEncapsulation): Promise<void> {
  for (const [test] of testsOf('mlkem_768_keygen_seed', 2)) {
    const key = await group.generate(kemSeed(bytes(test, 'seed')));
    expect(kemPart(key.publicKey), say(test)).to.equal(test['ek']);
  }
  for (const [test] of testsOf('mlkem_768', 1)) {
    const key = await group.generate(kemSeed(bytes(test, 'seed')));
    expect(kemPart(key.publicKey), say(test)).to.equal(test['ek']);
    const share = concat(bytes(test, 'c'), key.publicKey.subarray(-32));
    expect(kemPart(await key.decapsulate(share)), say(test)).to.equal(test['K']);
  }
  const { publicKey } = await group.generate((length) => new Uint8Array(length).fill(9));
  for (const [test] of testsOf('mlkem_768_encaps', 11)) {
    const share = concat(bytes(test, 'ek'), publicKey.subarray(-32));
    expect(
      await refusal(() => group.encapsulate(share, (length) => new Uint8Array(length).fill(7))),
      say(test),
    ).to.equal(test.result === 'invalid');
  }
}

/** Whether the share is the peer's fault. */
async function refusal(run: () => unknown): Promise<boolean> {
  try {
    await run();
    return false;
  } catch (error) {
    return error instanceof InvalidPublicKey;
  }
}

async function ecdsaTests(): Promise<void> {
  for (const [test, { publicKey }] of testsOf('ecdsa_secp256r1_sha256', 480)) {
    const point = fromHex(publicKey?.uncompressed ?? '');
    const key = verifyingKey({ algorithm: Oid.ecPublicKey, curve: Oid.secp256r1, bytes: point });
    const holds = await key?.verify('ecdsa_secp256r1_sha256', bytes(test, 'msg'), bytes(test, 'sig'));
    expect(holds, say(test)).to.equal(test.result === 'valid');
  }
}

async function ed25519Tests(): Promise<void> {
  for (const [test, { publicKey }] of testsOf('ed25519', 150)) {
    const key = verifyingKey({ algorithm: Oid.ed25519, curve: undefined, bytes: fromHex(publicKey?.pk ?? '') });
    const holds = await key?.verify('ed25519', bytes(test, 'msg'), bytes(test, 'sig'));
    expect(holds, say(test)).to.equal(test.result === 'valid');
  }
}

describe(`Wycheproof${folder === '' && !isWanted ? ', without WYCHEPROOF_DIR' : ''}`, function () {
  this.timeout(60_000);

  before(function () {
    if (folder === '' && !isWanted) return this.skip();
    expect(folder, 'WYCHEPROOF_DIR').not.to.equal('');
    expect(existsSync(folder), resolve(folder)).to.equal(true);
  });

  for (const [name, { hashes, aeads }] of Object.entries(PROVIDERS)) {
    it(`AES-128-GCM, ${name}`, () => aeadTests('aes_gcm', aeads['aes-128-gcm'], 60));
    it(`AES-256-GCM, ${name}`, () => aeadTests('aes_gcm', aeads['aes-256-gcm'], 60));
    it(`ChaCha20-Poly1305, ${name}`, () => aeadTests('chacha20_poly1305', aeads['chacha20-poly1305'], 300));
    for (const hash of ['sha256', 'sha384'] as const) {
      it(`HKDF with ${hash}, ${name}`, () => hkdfTests(hash, hashes[hash]));
      it(`HMAC with ${hash}, ${name}`, () => hmacTests(hash, hashes[hash]));
    }
  }
  for (const [name, { groups }, seedOf] of [
    ['noble', noble, nobleSeed],
    ['nodeCrypto', nodeCrypto, plainSeed],
  ] as const) {
    it(`X25519, ${name}`, () => x25519Tests(groups.x25519 as KeyAgreement));
    it(`ECDH with secp256r1, ${name}`, () => ecdhTests(groups.secp256r1 as KeyAgreement, seedOf));
  }
  it('X25519 and ECDH, default and fast: noble’s', () => {
    for (const { groups } of [defaultProvider, fast]) expect(groups).to.equal(noble.groups);
  });
  for (const [name, { X25519MLKEM768 }] of [
    ['noble', hybridCrypto.groups],
    ['nodeCrypto', nodeCrypto.groups],
  ] as const) {
    it(`ML-KEM-768, ${name}`, function () {
      if (X25519MLKEM768 === undefined) return this.skip(); // node:crypto has it from Node 24.7 on
      return mlKemTests(X25519MLKEM768);
    });
  }
  it('ECDSA with secp256r1', () => ecdsaTests());
  it('Ed25519', () => ed25519Tests());
});
