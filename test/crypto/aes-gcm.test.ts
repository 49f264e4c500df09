import { expect } from 'chai';
import { aesGcm } from '../../src/crypto/aes-gcm.ts';
import { EMPTY } from '../../src/wire/bytes.ts';

describe('AES-GCM', () => {
  const aead = aesGcm('aes-128-gcm', 16);
  const nonce = new Uint8Array(12);

  it('has keys of one length', () => {
    for (const length of [0, 15, 17, 24, 32]) expect(() => aead.key(new Uint8Array(length))).to.throw(RangeError);
  });

  it('has nonces of 12 bytes', () => {
    const key = aead.key(new Uint8Array(16));
    for (const length of [0, 8, 11, 13, 16]) {
      expect(() => key.seal(new Uint8Array(length), EMPTY, EMPTY)).to.throw(RangeError, `${length}`);
      expect(() => key.open(new Uint8Array(length), EMPTY, new Uint8Array(16))).to.throw(RangeError, `${length}`);
    }
  });

  it('wants room for the tag', () => {
    const key = aead.key(new Uint8Array(16));
    const buffer = new Uint8Array(40).fill(1);
    expect(() => key.sealInPlace?.(nonce, EMPTY, buffer, 0, 25)).to.throw(RangeError, 'no room');
    expect(buffer).to.deep.equal(new Uint8Array(40).fill(1));
  });

  it('does nothing under a key that has been wiped, once or twice, and keeps to the others', () => {
    const [wiped, other] = [aead.key(new Uint8Array(16).fill(1)), aead.key(new Uint8Array(16).fill(2))];
    const sealed = other.seal(nonce, EMPTY, nonce);
    wiped.wipe();
    wiped.wipe();
    expect(() => wiped.seal(nonce, EMPTY, EMPTY)).to.throw('wiped');
    expect(() => wiped.open(nonce, EMPTY, sealed)).to.throw('wiped');
    aead.key(new Uint8Array(16).fill(3)); // has the table of the wiped key
    expect(other.seal(nonce, EMPTY, nonce)).to.deep.equal(sealed);
  });
});
