/** The groups of ML-KEM and a curve, by each implementation of ML-KEM that this host has. draft-ietf-tls-ecdhe-mlkem-05 §4, FIPS 203. */

import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import { expect } from 'chai';
import {
  type CryptoProvider,
  type Groups,
  InvalidPublicKey,
  type KeyEncapsulation,
} from '../../../src/crypto/provider.ts';
import { defaultProvider } from '../../../src/crypto/providers/default.ts';
import { hostMlKem768 } from '../../../src/crypto/providers/host-ml-kem.ts';
import { hybridGroups } from '../../../src/crypto/providers/hybrid-groups.ts';
import type { MlKem768 } from '../../../src/crypto/providers/ml-kem.ts';
import { webCrypto } from '../../../src/crypto/providers/web-crypto.ts';
import { nodeCrypto } from '../../../src/node/index.ts';
import { toHex } from '../../../src/wire/bytes.ts';
import type { HybridGroupName } from '../../../src/wire/registry.ts';
import { HYBRID_GROUPS, hybridCrypto, pointOf } from '../../support/hybrid.ts';
import { TestWorld } from '../../support/world.ts';

const [ENCAPSULATION_KEY, CIPHERTEXT] = [1184, 1088];
const LENGTHS = { X25519MLKEM768: [1216, 1120], SecP256r1MLKEM768: [1249, 1153] } as const;
const world = new TestWorld(11);
const random = (length: number): Uint8Array => world.randomBytes(length);

type Source = () => Promise<Pick<Groups, HybridGroupName>>;

/** `undefined` where this host lacks it. */
const SOURCES: Readonly<Record<string, Source | undefined>> = {
  '@noble/post-quantum': () => Promise.resolve(hybridCrypto.groups),
  'node:crypto': nodeCrypto.groups.X25519MLKEM768 && (() => Promise.resolve(nodeCrypto.groups)),
  'Web Crypto': async () => hybridGroups(webCrypto.groups, (await hostMlKem768()) ?? ml_kem768),
};

/** What a call throws or rejects with. */
async function errorOf(run: () => unknown): Promise<unknown> {
  try {
    await run();
  } catch (error) {
    return error;
  }
  return undefined;
}

async function groupOf(source: Source, name: HybridGroupName): Promise<KeyEncapsulation> {
  const { [name]: group } = await source();
  if (group === undefined) throw new Error(`no ${name}`);
  return group;
}

function changed(share: Uint8Array, at: number, bytes: readonly number[]): Uint8Array {
  const copy = share.slice();
  copy.set(bytes, at);
  return copy;
}

for (const [name, source] of Object.entries(SOURCES)) {
  if (source === undefined) {
    it.skip(`hybrid groups by ${name}, which this Node does not have`);
    continue;
  }
  for (const group of HYBRID_GROUPS) contract(name, source, group);
}

function contract(name: string, source: Source, group: HybridGroupName): void {
  const [keyLength, answerLength] = LENGTHS[group];

  describe(`${group} by ${name}`, () => {
    it('agrees with @noble’s, which ever side it is', async () => {
      const [ours, theirs] = [await groupOf(source, group), hybridCrypto.groups[group] as KeyEncapsulation];
      for (const [first, second] of [
        [ours, theirs],
        [theirs, ours],
      ] as const) {
        const key = await first.generate(random);
        const { keyShare, sharedSecret } = await second.encapsulate(key.publicKey, random);
        expect([key.publicKey.length, keyShare.length, sharedSecret.length]).to.deep.equal([
          keyLength,
          answerLength,
          64,
        ]);
        expect(toHex(await key.decapsulate(keyShare))).to.equal(toHex(sharedSecret));
        key.wipe();
      }
    });

    it('refuses a share that is not as long as its parts, in either direction', async () => {
      const made = await groupOf(source, group);
      const key = await made.generate(random);
      for (const length of [0, 31, 32, 65, CIPHERTEXT, ENCAPSULATION_KEY, keyLength - 1, keyLength + 1])
        expect(await errorOf(() => made.encapsulate(new Uint8Array(length), random)), `${length}`).to.be.instanceOf(
          InvalidPublicKey,
        );
      for (const length of [0, 32, CIPHERTEXT, answerLength - 1, answerLength + 1, keyLength])
        expect(await errorOf(() => key.decapsulate(new Uint8Array(length))), `${length}`).to.be.instanceOf(
          InvalidPublicKey,
        );
      key.wipe();
    });

    it('FIPS 203 §7.2: refuses each coefficient that is not below the modulus', async () => {
      const made = await groupOf(source, group);
      const { publicKey } = await made.generate(random);
      const start = group === 'X25519MLKEM768' ? 0 : 65;
      for (let at = start; at < start + ENCAPSULATION_KEY - 32; at += 3) {
        const [a = 0, b = 0, c = 0] = publicKey.subarray(at, at + 3);
        for (const coefficient of [3329, 4095]) {
          const low = [coefficient & 255, (b & 0xf0) | (coefficient >> 8), c];
          const high = [a, (b & 15) | ((coefficient & 15) << 4), coefficient >> 4];
          for (const bytes of [low, high])
            expect(await errorOf(() => made.encapsulate(changed(publicKey, at, bytes), random))).to.be.instanceOf(
              InvalidPublicKey,
            );
        }
      }
    });

    it('takes the largest coefficient, and any seed behind the coefficients', async () => {
      const made = await groupOf(source, group);
      const { publicKey } = await made.generate(random);
      const start = group === 'X25519MLKEM768' ? 0 : 65;
      const largest = changed(publicKey, start, [3328 & 255, 3328 >> 8, 0]);
      const seeded = changed(
        largest,
        start + ENCAPSULATION_KEY - 32,
        Array.from({ length: 32 }, () => 255),
      );
      expect((await made.encapsulate(seeded, random)).keyShare).to.have.length(answerLength);
    });

    it('refuses a point that its curve refuses: all zero, of small order, off the curve', async () => {
      const made = await groupOf(source, group);
      const key = await made.generate(random);
      const { keyShare } = await made.encapsulate(key.publicKey, random);
      const points = group === 'X25519MLKEM768' ? [[], [1]] : [[], [4], [2], [4, ...Array(64).fill(255)]];
      for (const bytes of points) {
        for (const [share, kemLength, run] of [
          [key.publicKey, ENCAPSULATION_KEY, (peer: Uint8Array) => made.encapsulate(peer, random)],
          [keyShare, CIPHERTEXT, (peer: Uint8Array) => key.decapsulate(peer)],
        ] as const) {
          const [at, length] = pointOf(group, kemLength);
          const point = Object.assign(Array(length).fill(0), bytes);
          expect(await errorOf(() => run(changed(share, at, point))), `${bytes}`).to.be.instanceOf(InvalidPublicKey);
        }
      }
      key.wipe();
    });

    it('FIPS 203 §6.3: makes another secret of a ciphertext that is none, always the same', async () => {
      const made = await groupOf(source, group);
      const key = await made.generate(random);
      const { keyShare, sharedSecret } = await made.encapsulate(key.publicKey, random);
      const at = group === 'X25519MLKEM768' ? 0 : 65;
      const altered = changed(keyShare, at, [(keyShare[at] as number) ^ 1]);
      const [first, second] = [await key.decapsulate(altered), await key.decapsulate(altered)];
      expect(toHex(first)).to.equal(toHex(second));
      const kem = group === 'X25519MLKEM768' ? [0, 32] : [32, 64];
      expect(toHex(first.subarray(...kem))).not.to.equal(toHex(sharedSecret.subarray(...kem)));
      key.wipe();
    });

    it('does not decapsulate with a wiped key', async () => {
      const made = await groupOf(source, group);
      const key = await made.generate(random);
      const { keyShare } = await made.encapsulate(key.publicKey, random);
      key.wipe();
      expect(String(await errorOf(() => key.decapsulate(keyShare)))).to.contain('wiped');
    });
  });
}

/** @noble's, which notes what it gets and gives. */
function watched(fail?: keyof MlKem768) {
  const secrets: Uint8Array[] = [];
  const note = <T extends Uint8Array>(bytes: T): T => {
    secrets.push(bytes);
    return bytes;
  };
  const stop = (at: keyof MlKem768): void => {
    if (at === fail) throw new Error(`no ${at}`);
  };
  const mlKem: MlKem768 = {
    keygen: (seed) => {
      stop('keygen');
      const made = ml_kem768.keygen(note(seed));
      note(made.secretKey);
      return made;
    },
    encapsulate: (publicKey, message) => {
      stop('encapsulate');
      const made = ml_kem768.encapsulate(publicKey, note(message));
      note(made.sharedSecret);
      return made;
    },
    decapsulate: (cipherText, secretKey) => {
      stop('decapsulate');
      return note(ml_kem768.decapsulate(cipherText, secretKey));
    },
  };
  return { mlKem, secrets };
}

/** A provider's curve whose secrets are noted as well. */
function watchedCurve(secrets: Uint8Array[]): CryptoProvider['groups'] & { readonly wipes: () => number } {
  let wipes = 0;
  const { x25519 } = defaultProvider.groups;
  if (x25519 === undefined) throw new Error('no curve');
  return {
    wipes: () => wipes,
    x25519: {
      generate: async (randomBytes) => {
        const key = await x25519.generate(randomBytes);
        return {
          publicKey: key.publicKey,
          agree: async (peer) => {
            const secret = await key.agree(peer);
            secrets.push(secret);
            return secret;
          },
          wipe: () => {
            wipes++;
            key.wipe();
          },
        };
      },
    },
  };
}

describe('hybrid groups and their secrets', () => {
  const isGone = (secrets: readonly Uint8Array[]) => secrets.every((secret) => secret.every((byte) => byte === 0));

  it('overwrite seeds, both keys and both secrets', async () => {
    const { mlKem, secrets } = watched();
    const curve = watchedCurve(secrets);
    const group = hybridGroups(curve, mlKem).X25519MLKEM768 as KeyEncapsulation;
    const key = await group.generate(random);
    const { keyShare, sharedSecret } = await group.encapsulate(key.publicKey, random);
    expect(toHex(await key.decapsulate(keyShare))).to.equal(toHex(sharedSecret));
    key.wipe();
    expect(secrets).to.have.length(7);
    expect([isGone(secrets), curve.wipes()]).to.deep.equal([true, 2]);
  });

  it('wipe the curve’s part where ML-KEM fails, which is no fault of the peer', async () => {
    for (const step of ['keygen', 'encapsulate', 'decapsulate'] as const) {
      const { mlKem, secrets } = watched(step);
      const curve = watchedCurve(secrets);
      const group = hybridGroups(curve, mlKem).X25519MLKEM768 as KeyEncapsulation;
      const error = await errorOf(async () => {
        const key = await group.generate(random);
        try {
          const { keyShare } = await group.encapsulate(key.publicKey, random);
          await key.decapsulate(keyShare);
        } finally {
          key.wipe();
        }
      });
      expect(String(error), step).to.equal(`Error: no ${step}`);
      expect(curve.wipes(), step).to.equal(step === 'keygen' ? 1 : 2);
      expect(isGone(secrets), step).to.equal(true);
    }
  });
});

describe('hybridGroups()', () => {
  it('makes the groups of the curves that there are', () => {
    const { x25519, secp256r1 } = defaultProvider.groups;
    expect(Object.keys(hybridGroups({ x25519 }, ml_kem768))).to.deep.equal(['X25519MLKEM768']);
    expect(Object.keys(hybridGroups({ secp256r1 }, ml_kem768))).to.deep.equal(['SecP256r1MLKEM768']);
  });

  it('says what is wanted', () => {
    const { groups } = defaultProvider;
    const call = hybridGroups as (curves: unknown, mlKem: unknown) => unknown;
    for (const curves of [undefined, null, {}, { secp384r1: groups.secp384r1 }])
      expect(() => call(curves, ml_kem768)).to.throw(TypeError, 'curves: ');
    for (const mlKem of [undefined, null, {}, hostMlKem768(), 'ml_kem768'])
      expect(() => call(groups, mlKem)).to.throw(TypeError, '@noble/post-quantum');
  });
});
