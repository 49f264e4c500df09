import { createCipheriv } from 'node:crypto';
import { expect } from 'chai';
import fc from 'fast-check';
import { AesKey } from '../../../src/crypto/providers/aes.ts';
import { fromHex, toHex } from '../../../src/wire/bytes.ts';

function encrypt(key: AesKey, block: Uint8Array): string {
  const at = (i: number) => new DataView(block.buffer, block.byteOffset).getInt32(i);
  const output = new Int32Array(4);
  key.encrypt(at(0), at(4), at(8), at(12), output);
  return Buffer.from(output.buffer).swap32().toString('hex');
}

describe('AES', () => {
  const plaintext = fromHex('00112233445566778899aabbccddeeff');

  it('is that of FIPS 197, Appendix C.1 and C.3', () => {
    const key = fromHex('000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f');
    expect(encrypt(new AesKey(key.slice(0, 16)), plaintext)).to.equal('69c4e0d86a7b0430d8cdb78070b4c55a');
    expect(encrypt(new AesKey(key), plaintext)).to.equal('8ea2b7ca516745bfeafc49904b496089');
  });

  it('is that of node:crypto, whatever the key and the block', () => {
    const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
    fc.assert(
      fc.property(fc.constantFrom(16, 32).chain(bytes), bytes(16), (key, block) => {
        const cipher = createCipheriv(`aes-${8 * key.length}-ecb`, key, null);
        const ours = new AesKey(key);
        expect(encrypt(ours, block)).to.equal(cipher.update(block).toString('hex'));
        ours.wipe(); // its round keys are the next one's
      }),
      { numRuns: 500 },
    );
  });

  it('refuses under a key that has been wiped, once or twice, and leaves the caller his bytes', () => {
    const bytes = new Uint8Array(16).fill(7);
    const key = new AesKey(bytes);
    key.wipe();
    key.wipe();
    expect(() => encrypt(key, plaintext)).to.throw('wiped');
    expect(toHex(bytes)).to.equal('07'.repeat(16));
  });
});
