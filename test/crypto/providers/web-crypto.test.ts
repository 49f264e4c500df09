import { expect } from 'chai';
import { type EphemeralKey, InvalidPublicKey, type KeyAgreement } from '../../../src/crypto/provider.ts';
import { defaultProvider } from '../../../src/crypto/providers/default.ts';
import { noble } from '../../../src/crypto/providers/noble.ts';
import { webCrypto } from '../../../src/crypto/providers/web-crypto.ts';
import { platform } from '../../../src/platform.ts';
import { type Subtle, withSubtle } from '../../support/web-crypto.ts';
import { groupsContract } from './provider-contract.ts';

groupsContract('webCrypto', webCrypto.groups);

const x25519 = (): PromiseLike<EphemeralKey> | EphemeralKey => webCrypto.groups.x25519.generate(() => new Uint8Array());

async function rejection(run: () => unknown): Promise<unknown> {
  try {
    await run();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe('webCrypto', () => {
  it('makes private keys that cannot be exported', async () => {
    const asked: boolean[] = [];
    const { subtle } = platform.crypto;
    const generateKey: Subtle['generateKey'] = (algorithm, extractable, usages) => {
      asked.push(extractable);
      return subtle.generateKey(algorithm, extractable, usages);
    };
    await withSubtle({ generateKey }, async () => {
      for (const group of Object.values(webCrypto.groups)) await group.generate(() => new Uint8Array());
    });
    expect(asked).to.deep.equal([false, false, false]);
  });

  it('tells which groups the host has', async () => {
    expect(Object.keys(await webCrypto.supportedGroups())).to.deep.equal(['x25519', 'secp256r1', 'secp384r1']);
    const { subtle } = platform.crypto;
    const generateKey: Subtle['generateKey'] = (algorithm, ...rest) => {
      if (algorithm.name === 'X25519') throw new DOMException('Unrecognized algorithm name', 'NotSupportedError');
      return subtle.generateKey(algorithm, ...rest);
    };
    const groups = await withSubtle({ generateKey }, () => webCrypto.supportedGroups());
    expect(groups).to.have.all.keys('secp256r1', 'secp384r1');
    const { x25519: fallback } = { ...defaultProvider.groups, ...groups };
    expect(fallback).to.equal(noble.groups.x25519);
  });

  it('refuses the all-zero secret of a host that gives it away (RFC 7748 §6.1)', async () => {
    const deriveBits = () => Promise.resolve(new ArrayBuffer(32));
    const key = await x25519();
    const error = await withSubtle({ deriveBits }, () => rejection(() => key.agree(new Uint8Array(32).fill(9))));
    expect(error).to.be.instanceOf(InvalidPublicKey);
  });

  it('does not blame the peer for what is not his fault', async () => {
    const key = await x25519();
    for (const method of ['importKey', 'deriveBits'] as const) {
      for (const fault of [new DOMException('no', 'NotSupportedError'), new TypeError('no'), 'no']) {
        const failing = { [method]: () => Promise.reject(fault) } as Partial<Subtle>;
        expect(await withSubtle(failing, () => rejection(() => key.agree(key.publicKey)))).to.equal(fault);
      }
    }
  });

  it('refuses a key that has been wiped', async () => {
    for (const group of Object.values<KeyAgreement>(webCrypto.groups)) {
      const key = await group.generate(() => new Uint8Array());
      key.wipe();
      expect(await rejection(() => key.agree(key.publicKey))).to.match(/wiped/);
    }
  });
});
