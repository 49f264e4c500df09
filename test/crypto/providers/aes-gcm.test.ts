import { createCipheriv } from 'node:crypto';
import { expect } from 'chai';
import { aesGcm } from '../../../src/crypto/providers/aes-gcm.ts';
import { EMPTY, toHex } from '../../../src/wire/bytes.ts';

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

  it('counts texts and data that are longer than a record', () => {
    const [text, data] = [new Uint8Array(70_000).fill(3), new Uint8Array(66_000).fill(4)];
    const cipher = createCipheriv('aes-128-gcm', new Uint8Array(16), nonce).setAAD(data);
    const sealed = Buffer.concat([cipher.update(text), cipher.final(), cipher.getAuthTag()]);
    expect(toHex(aead.key(new Uint8Array(16)).seal(nonce, data, text))).to.equal(sealed.toString('hex'));
  });

  it('overwrites the key schedule, of which the key is a part, and the table of H', () => {
    const bytes = Uint8Array.from({ length: 16 }, (_, i) => 7 * i + 1);
    const h = createCipheriv('aes-128-ecb', bytes, null).update(new Uint8Array(16)).toString('hex');
    for (const records of [0, 300]) {
      const key = aead.key(bytes);
      for (let i = 0; i < records; i++) key.seal(nonce, EMPTY, new Uint8Array(16));
      const overwritten = overwrittenDuring(() => key.wipe());
      expect(overwritten.some((words) => words.startsWith(toHex(bytes)))).to.equal(true);
      expect(overwritten.some((words) => words.includes(h))).to.equal(true);
    }
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

/** The words that were overwritten with zeros, as big-endian bytes. */
function overwrittenDuring(run: () => void): string[] {
  const overwritten: string[] = [];
  const prototype = Object.getPrototypeOf(Int32Array.prototype);
  const { fill } = prototype;
  prototype.fill = function (this: Int32Array | Uint32Array, ...args: [number]) {
    const bytes = Buffer.from(new Uint8Array(this.buffer, this.byteOffset, this.byteLength));
    if (args[0] === 0 && this.BYTES_PER_ELEMENT === 4) {
      overwritten.push(bytes.swap32().toString('hex'));
    }
    return fill.apply(this, args);
  };
  try {
    run();
  } finally {
    prototype.fill = fill;
  }
  return overwritten;
}
