import { expect } from 'chai';
import { noble } from '../../src/crypto/providers/noble.ts';
import { Secret } from '../../src/crypto/secret.ts';
import { EMPTY } from '../../src/wire/bytes.ts';
import { counting } from '../support/counting.ts';

describe('Secret', () => {
  const keyed = () => {
    const provider = counting(noble);
    return { provider, secret: new Secret<'test'>(provider.hashes.sha256, new Uint8Array(32).fill(5)) };
  };

  it('sets up its key when it is first used, and once', () => {
    const { provider, secret } = keyed();
    expect(provider.take().hmacKeyings).to.equal(0);
    const first = secret.key.sign(EMPTY);
    expect(secret.key.sign(EMPTY)).to.deep.equal(first);
    expect(provider.take().hmacKeyings).to.equal(1);
  });

  it('rests: its key is wiped, and set up anew when it is used again', () => {
    const { provider, secret } = keyed();
    const { key } = secret;
    const first = key.sign(EMPTY);
    secret.dropHmacKey();
    expect(() => key.sign(EMPTY)).to.throw();
    expect(secret.key.sign(EMPTY)).to.deep.equal(first);
    expect(provider.take().hmacKeyings).to.equal(2);
  });

  it('wipes its bytes and its key', () => {
    const { secret } = keyed();
    const { key, bytes } = secret;
    key.sign(EMPTY);
    secret.wipe();
    expect(bytes).to.deep.equal(new Uint8Array(32));
    expect(() => key.sign(EMPTY)).to.throw();
  });
});
