/** What every crypto provider has to do, compared with node:crypto. One call a provider. */

import {
  createCipheriv,
  createDecipheriv,
  createECDH,
  createHash,
  createHmac,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  randomBytes,
} from 'node:crypto';
import { p256, p384 } from '@noble/curves/nist.js';
import { expect } from 'chai';
import fc from 'fast-check';
import {
  type Aead,
  type AeadName,
  type CryptoProvider,
  type EphemeralKey,
  type Hash,
  type HashName,
  InvalidPublicKey,
  type KeyAgreement,
  openInPlace,
  sealInPlace,
} from '../../../src/crypto/provider.ts';

import { concat, EMPTY, fromHex, toHex } from '../../../src/wire/bytes.ts';
import type { CurveName } from '../../../src/wire/registry.ts';

const bytes = (maxLength: number) => fc.uint8Array({ maxLength });
const random = (length: number) => Uint8Array.from(randomBytes(length));

/** The result in hexadecimal, or that there is none: a wiped key may refuse or compute something else. */
async function attempt(run: () => unknown): Promise<string> {
  try {
    const result = await run();
    return result instanceof Uint8Array ? toHex(result) : 'nothing';
  } catch {
    return 'refused';
  }
}

/** What the call rejects with or throws. */
async function errorOf(run: () => unknown): Promise<unknown> {
  try {
    await run();
  } catch (error) {
    return error;
  }
  return undefined;
}

export function providerContract(name: string, provider: CryptoProvider): void {
  describe(`provider ${name}`, () => {
    for (const hash of ['sha256', 'sha384'] as const) hashContract(hash, provider.hashes[hash]);
    for (const [aead, keyLength] of [
      ['aes-128-gcm', 16],
      ['aes-256-gcm', 32],
      ['chacha20-poly1305', 32],
    ] as const) {
      aeadContract(aead, keyLength, provider.aeads[aead]);
    }
    groupContracts(provider.groups);
  });
}

/** The same for what is no more than a provider's key agreement. */
export function groupsContract(name: string, groups: CryptoProvider['groups']): void {
  describe(`groups of ${name}`, () => groupContracts(groups));
}

function groupContracts(groups: CryptoProvider['groups']): void {
  for (const [group, peer] of Object.entries(PEERS) as [CurveName, Peer][]) {
    const agreement = groups[group];
    if (agreement !== undefined) groupContract(group, agreement, peer);
  }
  if (groups.x25519 !== undefined) x25519Contract(groups.x25519);
  for (const group of ['secp256r1', 'secp384r1'] as const) {
    const agreement = groups[group];
    if (agreement !== undefined) pointContract(group, agreement);
  }
}

function hashContract(name: HashName, hash: Hash): void {
  const digest = (message: Uint8Array) => createHash(name).update(message).digest('hex');

  describe(name, () => {
    it('has its name and length', () => {
      expect(hash.name).to.equal(name);
      expect(hash.length).to.equal(hash.digest(EMPTY).length);
    });

    it('digests', () => {
      fc.assert(
        fc.property(bytes(300), (message) => {
          expect(toHex(hash.digest(message))).to.equal(digest(message));
        }),
      );
    });

    it('digests and authenticates at every length around the end of a block, in one part and in two', () => {
      const message = random(260);
      const key = hash.hmac(message.subarray(0, 40));
      for (let length = 0; length <= message.length; length++) {
        const all = message.subarray(0, length);
        expect(toHex(hash.digest(all)), `${length} bytes`).to.equal(digest(all));
        const tag = createHmac(name, message.subarray(0, 40)).update(all).digest('hex');
        expect(toHex(key.sign(all)), `${length} bytes`).to.equal(tag);
        expect(toHex(key.sign(all.subarray(0, 32), all.subarray(32))), `${length} bytes`).to.equal(tag);
      }
    });

    it('takes keys of every length around a block, and two at once', () => {
      for (let length = 0; length <= 2 * 128 + 1; length++) {
        const [key, other] = [random(length), random(length)];
        const [keyed, otherKeyed] = [hash.hmac(key), hash.hmac(other)];
        const expected = (bytes: Uint8Array) => createHmac(name, bytes).update('x').digest('hex');
        expect(toHex(keyed.sign(Uint8Array.of(120))), `${length} bytes`).to.equal(expected(key));
        keyed.wipe();
        expect(toHex(otherKeyed.sign(Uint8Array.of(120))), `${length} bytes`).to.equal(expected(other));
      }
    });

    it('keeps a wiped key away from those that come after it, wiped twice or not', async () => {
      const expected = (key: Uint8Array) => createHmac(name, key).update('x').digest('hex');
      const wiped = hash.hmac(random(32));
      wiped.wipe();
      wiped.wipe();
      const keys = [random(32), random(32), random(32)];
      const keyed = keys.map((key) => hash.hmac(key));
      const stale = await attempt(() => wiped.sign(Uint8Array.of(120)));
      expect(keys.map(expected)).not.to.include(stale);
      expect(keyed.map((key) => toHex(key.sign(Uint8Array.of(120))))).to.deep.equal(keys.map(expected));
    });

    it('looks ahead of a running hash', () => {
      const message = random(200);
      for (let at = 0; at <= message.length; at++) {
        const running = hash.start();
        running.update(message.subarray(0, at));
        expect(toHex(running.peek(message.subarray(at))), `at ${at}`).to.equal(digest(message));
        expect(toHex(running.peek()), `at ${at}`).to.equal(digest(message.subarray(0, at)));
      }
    });

    it('runs on after a look at the digest', () => {
      fc.assert(
        fc.property(fc.array(bytes(150), { maxLength: 6 }), (parts) => {
          const running = hash.start();
          expect(toHex(running.peek())).to.equal(digest(EMPTY));
          for (const [index, part] of parts.entries()) {
            running.update(part);
            const peeked = running.peek();
            expect(toHex(peeked)).to.equal(digest(concat(...parts.slice(0, index + 1))));
            peeked.fill(0); // it is the caller's
          }
        }),
      );
    });

    it('authenticates with a key set up once', () => {
      fc.assert(
        fc.property(bytes(200), fc.array(fc.array(bytes(100), { maxLength: 3 }), { maxLength: 4 }), (key, messages) => {
          const given = key.slice();
          const keyed = hash.hmac(given);
          given.fill(0); // the key has been taken in
          for (const parts of messages) {
            const tag = keyed.sign(...parts);
            expect(toHex(tag)).to.equal(
              createHmac(name, key)
                .update(concat(...parts))
                .digest('hex'),
            );
            tag.fill(0);
          }
          keyed.wipe();
        }),
      );
    });

    it('forgets a wiped key, and leaves the caller his', async () => {
      const key = new Uint8Array(32).fill(7);
      const keyed = hash.hmac(key);
      const before = toHex(keyed.sign(EMPTY));
      keyed.wipe();
      expect(await attempt(() => keyed.sign(EMPTY))).not.to.equal(before);
      expect(key).to.deep.equal(new Uint8Array(32).fill(7));
    });
  });
}

function sealByNode(name: AeadName, key: Uint8Array, nonce: Uint8Array, data: Uint8Array, plaintext: Uint8Array) {
  const cipher = createCipheriv(name as 'aes-128-gcm', key, nonce, { authTagLength: 16 });
  cipher.setAAD(data, { plaintextLength: plaintext.length });
  const sealed = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  return new Uint8Array(Buffer.concat([sealed, cipher.getAuthTag()]));
}

function openByNode(name: AeadName, key: Uint8Array, nonce: Uint8Array, data: Uint8Array, sealed: Uint8Array) {
  const decipher = createDecipheriv(name as 'aes-128-gcm', key, nonce, { authTagLength: 16 });
  decipher.setAAD(data, { plaintextLength: sealed.length - 16 });
  decipher.setAuthTag(sealed.subarray(-16));
  return Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()]).toString('hex');
}

function aeadContract(name: AeadName, keyLength: number, aead: Aead): void {
  const exactly = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });

  describe(name, () => {
    it('has its name and the length of its keys', () => {
      expect(aead.name).to.equal(name);
      expect(aead.keyLength).to.equal(keyLength);
    });

    it('seals and opens as node:crypto does, and leaves its inputs as they are', () => {
      fc.assert(
        fc.property(exactly(keyLength), exactly(12), bytes(40), bytes(200), (key, nonce, data, plaintext) => {
          const inputs = [key, nonce, data, plaintext].map((input) => input.slice());
          const aeadKey = aead.key(key);
          const sealed = aeadKey.seal(nonce, data, plaintext);
          expect(toHex(sealed)).to.equal(toHex(sealByNode(name, key, nonce, data, plaintext)));
          expect(openByNode(name, key, nonce, data, sealed)).to.equal(toHex(plaintext));
          const received = sealed.slice();
          const opened = aeadKey.open(nonce, data, received);
          expect(opened && toHex(opened)).to.equal(toHex(plaintext));
          expect(received).to.deep.equal(sealed);
          expect([key, nonce, data, plaintext]).to.deep.equal(inputs);
        }),
      );
    });

    it('seals and opens a whole record', () => {
      const [key, nonce, data, plaintext] = [random(keyLength), random(12), random(5), random(16385)];
      const sealed = aead.key(key).seal(nonce, data, plaintext);
      expect(toHex(sealed)).to.equal(toHex(sealByNode(name, key, nonce, data, plaintext)));
      expect(toHex(aead.key(key).open(nonce, data, sealed) ?? EMPTY)).to.equal(toHex(plaintext));
    });

    it('opens nothing that has been changed', () => {
      const [key, nonce, data, plaintext] = [random(keyLength), random(12), random(13), random(40)];
      const aeadKey = aead.key(key);
      const sealed = aeadKey.seal(nonce, data, plaintext);
      const flipped = (input: Uint8Array, at: number) => input.map((byte, i) => (i === at ? byte ^ 0x10 : byte));
      for (let at = 0; at < sealed.length; at++) {
        expect(aeadKey.open(nonce, data, flipped(sealed, at)), `byte ${at}`).to.equal(undefined);
      }
      for (let at = 0; at < 12; at++) expect(aeadKey.open(flipped(nonce, at), data, sealed)).to.equal(undefined);
      for (let at = 0; at < 13; at++) expect(aeadKey.open(nonce, flipped(data, at), sealed)).to.equal(undefined);
      expect(aeadKey.open(nonce, concat(data, Uint8Array.of(0)), sealed)).to.equal(undefined);
      expect(aeadKey.open(nonce, EMPTY, sealed)).to.equal(undefined);
      expect(aead.key(flipped(key, 0)).open(nonce, data, sealed)).to.equal(undefined);
      expect(aeadKey.open(nonce, data, sealed)).to.deep.equal(plaintext);
    });

    it('does the same in place, and touches nothing else', () => {
      const [key, nonce, data] = [aead.key(random(keyLength)), random(12), random(5)];
      for (const length of [0, 1, 15, 16, 17, 100, 16384]) {
        const text = random(length);
        const [before, after] = [random(7), random(3)];
        const buffer = concat(before, text, new Uint8Array(16), after);
        sealInPlace(key, nonce, data, buffer, 7, 7 + length);
        const sealed = concat(before, key.seal(nonce, data, text), after);
        expect(toHex(buffer), `${length} bytes`).to.equal(toHex(sealed));
        for (const at of [7, 7 + (length >> 1), 7 + length, 7 + length + 15]) {
          buffer[at] = (buffer[at] as number) ^ 1;
          const damaged = buffer.slice();
          expect(openInPlace(key, nonce, data, buffer, 7, 7 + length + 16)).to.equal(false);
          expect(toHex(buffer)).to.equal(toHex(damaged)); // nothing has been released
          buffer[at] = (buffer[at] as number) ^ 1;
        }
        expect(openInPlace(key, nonce, data, buffer, 7, 7 + length + 16)).to.equal(true);
        expect(toHex(buffer.subarray(0, 7 + length))).to.equal(toHex(concat(before, text)));
        expect(toHex(buffer.subarray(7 + length + 16))).to.equal(toHex(after));
      }
      for (let length = 0; length < 16; length++) {
        expect(openInPlace(key, nonce, data, random(20), 2, 2 + length), `${length} bytes`).to.equal(false);
      }
    });

    it('stays the same for all that passes under one key', () => {
      const bytesOfKey = random(keyLength);
      const key = aead.key(bytesOfKey);
      for (let i = 0; i < 90; i++) {
        const [nonce, data, plaintext] = [random(12), random(i % 20), random(3 * i)];
        const sealed = key.seal(nonce, data, plaintext);
        expect(toHex(sealed), `record ${i}`).to.equal(toHex(sealByNode(name, bytesOfKey, nonce, data, plaintext)));
        expect(key.open(nonce, data, sealed), `record ${i}`).to.deep.equal(plaintext);
      }
    });

    it('opens nothing that has been cut, nor what is too short for a tag', () => {
      const [key, nonce] = [random(keyLength), random(12)];
      const sealed = aead.key(key).seal(nonce, EMPTY, random(20));
      for (let length = 0; length < sealed.length; length++) {
        expect(aead.key(key).open(nonce, EMPTY, sealed.subarray(0, length)), `${length} bytes`).to.equal(undefined);
      }
    });

    it('copies its key, and forgets it when wiped', async () => {
      const key = random(keyLength);
      const given = key.slice();
      const aeadKey = aead.key(given);
      given.fill(0);
      const nonce = random(12);
      const sealed = toHex(sealByNode(name, key, nonce, EMPTY, EMPTY));
      expect(toHex(aeadKey.seal(nonce, EMPTY, EMPTY))).to.equal(sealed);
      aeadKey.wipe();
      expect(await attempt(() => aeadKey.seal(nonce, EMPTY, EMPTY))).not.to.equal(sealed);
      // Zeros are a key as well, and everybody's.
      expect(() => aeadKey.seal(nonce, EMPTY, EMPTY)).to.throw('wiped');
      expect(() => aeadKey.open(nonce, EMPTY, fromHex(sealed))).to.throw('wiped');
      expect(() => sealInPlace(aeadKey, nonce, EMPTY, new Uint8Array(16), 0, 0)).to.throw('wiped');
      const other = aead.key(key);
      other.wipe();
      expect(toHex(aead.key(key).seal(nonce, EMPTY, EMPTY))).to.equal(sealed);
    });
  });
}

/** The other side, played by node:crypto. */
interface Peer {
  readonly publicKeyLength: number;
  readonly sharedLength: number;
  generate(): PeerKey;
  /** A key whose secret with this one begins with a zero. */
  withZero(publicKey: Uint8Array): PeerKey;
}

interface PeerKey {
  readonly publicKey: Uint8Array;
  agree(peer: Uint8Array): Uint8Array;
}

const X25519_SPKI = fromHex('302a300506032b656e032100');

function ecdhPeer(curve: string, length: number, { Point }: Pick<typeof p256, 'Point'>): Peer {
  return {
    publicKeyLength: 1 + 2 * length,
    sharedLength: length,
    generate: () => {
      const ecdh = createECDH(curve);
      return {
        publicKey: new Uint8Array(ecdh.generateKeys()),
        agree: (peer) => new Uint8Array(ecdh.computeSecret(peer)),
      };
    },
    // The secret of k is the x of k times the point: an addition for each k, where a random key costs two multiplications.
    withZero: (publicKey) => {
      const point = Point.fromBytes(publicKey);
      let k = 1n;
      for (let sum = point; sum.x >> BigInt(8 * (length - 1)) !== 0n; sum = sum.add(point)) k++;
      const ecdh = createECDH(curve);
      ecdh.setPrivateKey(k.toString(16).padStart(2 * length, '0'), 'hex');
      return {
        publicKey: new Uint8Array(ecdh.getPublicKey()),
        agree: (peer) => new Uint8Array(ecdh.computeSecret(peer)),
      };
    },
  };
}

function x25519Key(): PeerKey {
  const { privateKey, publicKey } = generateKeyPairSync('x25519');
  const spki = publicKey.export({ format: 'der', type: 'spki' });
  return {
    publicKey: new Uint8Array(spki.subarray(-32)),
    agree: (peer) => {
      const key = createPublicKey({ key: Buffer.concat([X25519_SPKI, peer]), format: 'der', type: 'spki' });
      return new Uint8Array(diffieHellman({ privateKey, publicKey: key }));
    },
  };
}

const PEERS: Record<CurveName, Peer> = {
  x25519: {
    publicKeyLength: 32,
    sharedLength: 32,
    generate: x25519Key,
    withZero: (publicKey) => {
      let key = x25519Key();
      while (key.agree(publicKey)[0] !== 0) key = x25519Key();
      return key;
    },
  },
  secp256r1: ecdhPeer('prime256v1', 32, p256),
  secp384r1: ecdhPeer('secp384r1', 48, p384),
};

function groupContract(name: CurveName, agreement: KeyAgreement, peer: Peer): void {
  const generate = async (): Promise<EphemeralKey> => await agreement.generate(random);

  describe(name, () => {
    it('agrees with node:crypto', async () => {
      for (let i = 0; i < 4; i++) {
        const [ours, theirs] = [await generate(), peer.generate()];
        expect(ours.publicKey).to.have.length(peer.publicKeyLength);
        const shared = await ours.agree(theirs.publicKey);
        expect(shared).to.have.length(peer.sharedLength);
        expect(toHex(shared)).to.equal(toHex(theirs.agree(ours.publicKey)));
      }
    });

    it('keeps the zeros in front of a shared secret (RFC 9846 §7.4.2)', async () => {
      const ours = await generate();
      const theirs = peer.withZero(ours.publicKey);
      const shared = theirs.agree(ours.publicKey);
      expect(shared[0]).to.equal(0);
      expect(toHex(await ours.agree(theirs.publicKey))).to.equal(toHex(shared));
    });

    it('makes a new key each time', async () => {
      expect(toHex((await generate()).publicKey)).not.to.equal(toHex((await generate()).publicKey));
    });

    it('refuses a public key of any other length', async () => {
      const [ours, theirs] = [await generate(), peer.generate()];
      for (const length of [0, 1, 31, 32, 33, 48, 49, 64, 65, 66, 96, 97, 98, 133]) {
        if (length === peer.publicKeyLength) continue;
        const key = concat(theirs.publicKey, new Uint8Array(133)).slice(0, length);
        expect(await errorOf(() => ours.agree(key)), `${length} bytes`).to.be.instanceOf(InvalidPublicKey);
      }
    });

    it('does not blame the peer for a stack that is at its end', async () => {
      const [ours, theirs] = [await generate(), peer.generate()];
      await ours.agree(theirs.publicKey);
      const errors: unknown[] = [];
      let isDone = false;
      const descend = (): void => {
        try {
          descend();
        } catch {} // from here on there is a little more room at each return
        if (isDone) return;
        try {
          ours.agree(theirs.publicKey);
          isDone = true;
        } catch (error) {
          errors.push(error);
        }
      };
      descend();
      expect(isDone).to.equal(true);
      expect(errors.filter((error) => error instanceof InvalidPublicKey)).to.deep.equal([]);
    });

    it('forgets a wiped key, and what it was made of', async () => {
      const handedOut: Uint8Array[] = [];
      const ours = await agreement.generate((length) => {
        const seed = random(length);
        handedOut.push(seed);
        return seed;
      });
      const theirs = peer.generate();
      const shared = toHex(await ours.agree(theirs.publicKey));
      ours.wipe();
      expect(await attempt(() => ours.agree(theirs.publicKey))).not.to.equal(shared);
      for (const seed of handedOut) expect(seed).to.deep.equal(new Uint8Array(seed.length));
    });
  });
}

/** RFC 7748 §6.1: u coordinates of small order, and those that are the same unreduced. */
const SMALL_ORDER = [
  '00'.repeat(32),
  `01${'00'.repeat(31)}`,
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  `ec${'ff'.repeat(30)}7f`,
  `ed${'ff'.repeat(30)}7f`,
  `ee${'ff'.repeat(30)}7f`,
];

function x25519Contract(agreement: KeyAgreement): void {
  describe('x25519, RFC 7748', () => {
    it('refuses a shared secret that is all zero (§6.1)', async () => {
      const ours = await agreement.generate(random);
      for (const point of SMALL_ORDER) {
        expect(await errorOf(() => ours.agree(fromHex(point))), point).to.be.instanceOf(InvalidPublicKey);
      }
    });

    it('agrees with every key that it makes: some providers change how, after the first', async () => {
      const theirs = PEERS.x25519.generate();
      for (let i = 0; i < 100; i++) {
        const ours = await agreement.generate(random);
        expect(toHex(await ours.agree(theirs.publicKey))).to.equal(toHex(theirs.agree(ours.publicKey)));
      }
    });

    it('does not look at the highest bit of a public key (§5)', async () => {
      const [ours, theirs] = [await agreement.generate(random), PEERS.x25519.generate()];
      const marked = theirs.publicKey.map((byte, i) => (i === 31 ? byte ^ 0x80 : byte));
      expect(toHex(await ours.agree(marked))).to.equal(toHex(await ours.agree(theirs.publicKey)));
    });
  });
}

function pointContract(name: 'secp256r1' | 'secp384r1', agreement: KeyAgreement): void {
  const length = name === 'secp256r1' ? 32 : 48;
  const prime = {
    secp256r1: 'ffffffff00000001000000000000000000000000ffffffffffffffffffffffff',
    secp384r1: `${'ff'.repeat(31)}feffffffff0000000000000000ffffffff`,
  }[name];

  describe(`${name}, points`, () => {
    it('refuses what is no point of the curve in uncompressed form (RFC 9846 §4.3.8.2)', async () => {
      const ours = await agreement.generate(random);
      const { publicKey } = PEERS[name].generate();
      const [x, y] = [publicKey.slice(1, 1 + length), publicKey.slice(1 + length)];
      const point = (form: number, ...coordinates: readonly Uint8Array[]) =>
        concat(Uint8Array.of(form), ...coordinates);
      const zero = new Uint8Array(length);
      const flipped = y.map((byte, i) => (i === length - 1 ? byte ^ 1 : byte));
      const odd = (y[length - 1] ?? 0) & 1;
      for (const [what, key] of [
        ['off the curve', point(4, x, flipped)],
        ['coordinates interchanged', point(4, y, x)],
        ['the origin', point(4, zero, zero)],
        ['x is the prime', point(4, fromHex(prime), y)],
        ['all ones', point(4, zero.fill(0xff), zero)],
        ['the point at infinity', Uint8Array.of(0)],
        ['compressed', point(2 + odd, x)],
        ['hybrid', point(6 + odd, x, y)],
        ['without its form', point(x[0] ?? 0, x.subarray(1), y, Uint8Array.of(0))],
        ['of another form', point(5, x, y)],
      ] as const) {
        if (what === 'without its form' && x[0] === 4) continue; // once in 256 runs it has the look of a form
        expect(await errorOf(() => ours.agree(key)), what).to.be.instanceOf(InvalidPublicKey);
      }
    });
  });
}
