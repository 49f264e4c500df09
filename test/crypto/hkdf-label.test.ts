import { expect } from 'chai';
import { Label } from '../../src/crypto/hkdf-label.ts';
import type { HmacKey } from '../../src/crypto/provider.ts';
import { noble } from '../../src/crypto/providers/noble.ts';
import { toHex } from '../../src/wire/bytes.ts';

describe('Label', () => {
  const key = noble.hashes.sha256.hmac(new Uint8Array(32).fill(7));
  const ours = new Uint8Array(32).fill(1);
  const theirs = new Uint8Array(32).fill(2);

  it('keeps the context of a connection whose provider derives for another one meanwhile', () => {
    const label = new Label('c hs traffic', 32, new Uint8Array(32));
    const [expected, other] = [label.expand(key, ours), label.expand(key, theirs)];
    const inner: Uint8Array[] = [];
    const interrupted: HmacKey = {
      sign: (...parts) => {
        inner.push(label.expand(key, theirs));
        return key.sign(...parts);
      },
      wipe: () => {},
    };
    expect(toHex(label.expand(interrupted, ours))).to.equal(toHex(expected));
    expect(inner.map(toHex)).to.deep.equal([toHex(other)]);
    expect(toHex(label.expand(key, theirs))).to.equal(toHex(other));
  });

  it('goes on after a provider that throws', () => {
    const label = new Label('iv', 12, new Uint8Array(0));
    const broken: HmacKey = {
      sign: () => {
        throw new Error('no HMAC today');
      },
      wipe: () => {},
    };
    const expected = label.expand(key);
    expect(() => label.expand(broken)).to.throw('no HMAC today');
    expect(toHex(label.expand(key))).to.equal(toHex(expected));
  });
});
