import { expect } from 'chai';
import fc from 'fast-check';
import {
  ascii,
  concat,
  EMPTY,
  equalBytes,
  equalConstantTime,
  fromHex,
  latin1,
  toHex,
  wipe,
} from '../../src/wire/bytes.ts';

const bytes = fc.uint8Array({ maxLength: 64 });

describe('bytes', () => {
  it('concat puts all parts one after the other, into an array of its own', () => {
    fc.assert(
      fc.property(fc.array(bytes, { maxLength: 6 }), (parts) => {
        expect(Array.from(concat(...parts))).to.deep.equal(parts.flatMap((part) => Array.from(part)));
      }),
    );
    const part = Uint8Array.of(1);
    concat(part)[0] = 2;
    expect(part[0]).to.equal(1);
    expect(concat()).to.have.length(0);
  });

  for (const equal of [equalBytes, equalConstantTime]) {
    it(`${equal.name} compares lengths and every byte`, () => {
      fc.assert(
        fc.property(bytes, bytes, (a, b) => {
          expect(equal(a, b)).to.equal(Buffer.compare(a, b) === 0);
          expect(equal(a, a.slice())).to.equal(true);
        }),
      );
      fc.assert(
        fc.property(fc.uint8Array({ minLength: 1, maxLength: 64 }), fc.nat(), fc.nat(7), (a, at, bit) => {
          const b = a.slice();
          b[at % b.length] = (b[at % b.length] ?? 0) ^ (1 << bit);
          expect(equal(a, b)).to.equal(false);
          expect(equal(a, a.subarray(1))).to.equal(false);
        }),
      );
      expect(equal(EMPTY, EMPTY)).to.equal(true);
    });
  }

  it('wipe overwrites each of them with zeros, and passes over what is not there', () => {
    const [a, b] = [Uint8Array.of(1, 2), Uint8Array.of(3)];
    wipe(a, undefined, b);
    expect([...a, ...b]).to.deep.equal([0, 0, 0]);
  });

  it('toHex and fromHex are each the way back of the other', () => {
    fc.assert(
      fc.property(bytes, (value) => {
        expect(toHex(value)).to.equal(Buffer.from(value).toString('hex'));
        expect(fromHex(toHex(value))).to.deep.equal(value);
        expect(fromHex(toHex(value).toUpperCase())).to.deep.equal(value);
      }),
    );
  });

  it('fromHex refuses anything else', () => {
    for (const text of ['0', '0g', ' 00', '0x00', '00\n']) expect(() => fromHex(text), text).to.throw(SyntaxError);
  });

  it('ascii and latin1 are one byte a character', () => {
    fc.assert(
      fc.property(bytes, (value) => {
        expect(ascii(latin1(value))).to.deep.equal(value);
      }),
    );
    expect(ascii('tls13 ')).to.deep.equal(Uint8Array.of(0x74, 0x6c, 0x73, 0x31, 0x33, 0x20));
    expect(latin1(new Uint8Array(0x20000))).to.have.length(0x20000);
  });
});
