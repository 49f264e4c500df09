import { expect } from 'chai';
import fc from 'fast-check';
import { concat, toHex } from '../../src/wire/bytes.ts';
import * as der from '../../src/wire/der.ts';
import { DerWriter } from '../../src/wire/der-writer.ts';

/** One value, as it is and as a step of either way to write it. */
type Value =
  | { readonly kind: 'integer'; readonly n: number | undefined; readonly value: number }
  | { readonly kind: 'octets'; readonly n: number | undefined; readonly value: Uint8Array }
  | { readonly kind: 'raw'; readonly value: Uint8Array }
  | { readonly kind: 'sequence'; readonly values: readonly Value[] };

const tag = fc.option(fc.nat(30), { nil: undefined });
const length = fc.oneof(fc.nat(200), fc.constantFrom(64, 65, 127, 128, 255, 256, 1023, 1024, 1025, 70000));
const bytes = length.chain((size) => fc.uint8Array({ minLength: size, maxLength: size, max: 255 }));
const number = fc.oneof(fc.maxSafeNat(), fc.constantFrom(0, 1, 127, 128, 255, 256, 2 ** 31, 2 ** 32, 2 ** 53 - 1));
const values = fc.letrec<{ values: readonly Value[] }>((tie) => ({
  values: fc.array(
    fc.oneof(
      { maxDepth: 3 },
      fc.record({ kind: fc.constant('integer' as const), n: tag, value: number }),
      fc.record({ kind: fc.constant('octets' as const), n: tag, value: bytes }),
      fc.record({ kind: fc.constant('raw' as const), value: bytes }),
      fc.record({ kind: fc.constant('sequence' as const), values: tie('values') }),
    ),
    { maxLength: 5 },
  ),
})).values;

/** By der.ts, from the first to the last. */
function built(value: Value): Uint8Array {
  if (value.kind === 'sequence') return der.sequence(...value.values.map(built));
  if (value.kind === 'raw') return value.value;
  const inner = value.kind === 'integer' ? der.integer(value.value) : der.octetString(value.value);
  return value.n === undefined ? inner : der.explicit(value.n, inner);
}

/** From the last to the first. */
function write(writer: DerWriter, value: Value): void {
  if (value.kind === 'sequence') {
    const before = writer.length;
    for (const each of [...value.values].reverse()) write(writer, each);
    writer.wrap(der.Tag.sequence, before);
  } else if (value.kind === 'raw') writer.raw(value.value);
  else if (value.kind === 'integer') {
    if (value.n === undefined) writer.integer(value.value);
    else writer.explicitInteger(value.n, value.value);
  } else if (value.n === undefined) writer.octetString(value.value);
  else writer.explicitOctets(value.n, value.value);
}

describe('DerWriter', () => {
  it('writes what der.ts does, again and again', () => {
    const writer = new DerWriter();
    fc.assert(
      fc.property(values, (list) => {
        for (const value of [...list].reverse()) write(writer, value);
        const expected = concat(...list.map(built));
        expect(writer.length).to.equal(expected.length);
        expect(toHex(writer.finish())).to.equal(toHex(expected));
        expect(writer.length).to.equal(0);
      }),
    );
  });

  it('writes integers of a fixed width, and none that does not fit', () => {
    const writer = new DerWriter();
    writer.uint(8, Number.MAX_SAFE_INTEGER);
    writer.uint(2, 0x0102);
    expect(toHex(writer.finish())).to.equal('0102001fffffffffffff');
    for (const [width, value] of [
      [1, 256],
      [2, 65536],
      [4, -1],
      [4, 0.5],
      [8, 2 ** 53],
    ] as const) {
      expect(() => writer.uint(width, value), `${value}`).to.throw(RangeError, `${value}`);
    }
    for (const value of [-1, 0.5, 2 ** 53, Number.NaN]) {
      expect(() => writer.integer(value), `${value}`).to.throw(RangeError, `${value} is not an unsigned safe integer`);
    }
  });

  it('keeps nothing of what it has written, or has given up to write', () => {
    const filled: Uint8Array[] = [];
    const { fill } = Uint8Array.prototype;
    Uint8Array.prototype.fill = function (this: Uint8Array, ...args: Parameters<typeof fill>) {
      filled.push(this.slice());
      return fill.apply(this, args);
    };
    try {
      for (const size of [40, 5000, 20000]) {
        const writer = new DerWriter();
        writer.raw(new Uint8Array(size).fill(7));
        writer.clear();
        expect(writer.length).to.equal(0);
      }
    } finally {
      Uint8Array.prototype.fill = fill;
    }
    const sizes = filled.map((each) => each.filter((byte) => byte === 7).length).filter((count) => count > 0);
    expect(sizes).to.deep.equal([40, 5000, 20000]);
  });
});
