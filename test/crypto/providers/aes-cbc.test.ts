import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { expect } from 'chai';
import fc from 'fast-check';
import { decryptCbc, encryptCbc } from '../../../src/crypto/providers/aes-cbc.ts';
import { toHex } from '../../../src/wire/bytes.ts';

const of = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const random = (length: number) => Uint8Array.from(randomBytes(length));

describe('AES-CBC', () => {
  for (const keyLength of [16, 32]) {
    const algorithm = `aes-${8 * keyLength}-cbc`;

    it(`${algorithm} is node:crypto's, both ways`, () => {
      fc.assert(
        fc.property(of(keyLength), of(16), fc.uint8Array({ maxLength: 100 }), (key, iv, plaintext) => {
          const cipher = createCipheriv(algorithm, key, iv);
          const expected = Buffer.concat([cipher.update(plaintext), cipher.final()]).toString('hex');
          const ciphertext = encryptCbc(key, iv, plaintext);
          expect(toHex(ciphertext)).to.equal(expected);
          expect(toHex(decryptCbc(key, iv, ciphertext) ?? random(1))).to.equal(toHex(plaintext));
        }),
      );
    });

    it(`${algorithm} refuses the padding that node:crypto refuses`, () => {
      const refused = { here: 0, there: 0 };
      for (let i = 0; i < 2000; i++) {
        const [key, iv, ciphertext] = [random(keyLength), random(16), random(32)];
        const ours = decryptCbc(key, iv, ciphertext);
        const decipher = createDecipheriv(algorithm, key, iv).setAutoPadding(false);
        const padded = Buffer.concat([decipher.update(ciphertext), decipher.final()]);
        const length = padded.at(-1) ?? 0;
        const isRight = length >= 1 && length <= 16 && padded.subarray(-length).every((byte) => byte === length);
        expect(ours && toHex(ours)).to.equal(isRight ? padded.subarray(0, -length).toString('hex') : undefined);
        refused[isRight ? 'there' : 'here']++;
      }
      expect(refused.here).to.be.above(1900);
    });

    it(`${algorithm} refuses every length that is not whole blocks`, () => {
      for (let length = 0; length < 50; length++) {
        if (length % 16 === 0 && length > 0) continue;
        expect(decryptCbc(random(keyLength), random(16), random(length)), `${length}`).to.equal(undefined);
      }
    });
  }

  it('leaves what it is given as it was, wherever it lies in its memory', () => {
    const memory = random(200);
    const before = toHex(memory);
    const [key, iv, text] = [memory.subarray(1, 33), memory.subarray(35, 51), memory.subarray(61, 109)];
    encryptCbc(key, iv, text);
    decryptCbc(key, iv, text);
    expect(toHex(memory)).to.equal(before);
  });
});
