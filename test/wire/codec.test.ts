import { expect } from 'chai';
import fc from 'fast-check';
import { fromHex, toHex } from '../../src/wire/bytes.ts';
import {
  block,
  type Codec,
  decode,
  empty,
  encode,
  entries,
  extensions,
  fixed,
  flag,
  mapped,
  numbers,
  opaque,
  optionalTail,
  rest,
  struct,
  text,
  uint8,
  uint16,
  uint24,
  uint32,
  vector,
} from '../../src/wire/codec.ts';
import { DecodeError, Reader } from '../../src/wire/reader.ts';
import { Writer } from '../../src/wire/writer.ts';

/** What decoding comes to: "" or the message of its DecodeError. */
function refusal<T>(codec: Codec<T>, hex: string): string {
  try {
    decode(codec, fromHex(hex));
  } catch (error) {
    if (error instanceof DecodeError) return error.message;
    throw error;
  }
  return '';
}

function roundTrip<T>(codec: Codec<T>, arbitrary: fc.Arbitrary<T>): void {
  fc.assert(
    fc.property(arbitrary, (value) => {
      expect(decode(codec, encode(codec, value))).to.deep.equal(value);
    }),
  );
}

const hexOf = <T>(codec: Codec<T>, value: T) => toHex(encode(codec, value));

describe('numbers', () => {
  for (const [codec, width] of [
    [uint8, 1],
    [uint16, 2],
    [uint24, 3],
    [uint32, 4],
  ] as const) {
    it(`uint${8 * width} is big-endian in ${width} bytes`, () => {
      roundTrip(codec, fc.integer({ min: 0, max: 256 ** width - 1 }));
      expect(hexOf(codec, 256 ** width - 2)).to.equal(`${'ff'.repeat(width - 1)}fe`);
      expect(hexOf(codec, 1)).to.equal('01'.padStart(2 * width, '0'));
      for (const value of [-1, 256 ** width, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
        expect(() => encode(codec, value), `${value}`).to.throw(RangeError, `uint${8 * width}`);
      }
      expect(refusal(codec, '00'.repeat(width - 1))).to.equal(`${width} bytes wanted, ${width - 1} left`);
      expect(refusal(codec, '00'.repeat(width + 1))).to.equal('1 trailing bytes');
    });
  }
});

describe('byte strings', () => {
  it('fixed has exactly so many bytes', () => {
    roundTrip(fixed(5), fc.uint8Array({ minLength: 5, maxLength: 5 }));
    expect(() => encode(fixed(5), new Uint8Array(4))).to.throw(RangeError, '4 bytes, 5 wanted');
    expect(refusal(fixed(5), '00000000')).to.equal('5 bytes wanted, 4 left');
  });

  it('opaque has as many length bytes as its ceiling needs (§3.4)', () => {
    expect(hexOf(opaque(0, 255), Uint8Array.of(9))).to.equal('0109');
    expect(hexOf(opaque(0, 256), Uint8Array.of(9))).to.equal('000109');
    expect(hexOf(opaque(0, 0xffff), Uint8Array.of(9))).to.equal('000109');
    expect(hexOf(opaque(0, 0x10000), Uint8Array.of(9))).to.equal('00000109');
    roundTrip(opaque(0, 0xffff), fc.uint8Array({ maxLength: 600 }));
  });

  it('opaque keeps to its floor and its ceiling, both ways', () => {
    const codec = opaque(2, 4);
    roundTrip(codec, fc.uint8Array({ minLength: 2, maxLength: 4 }));
    for (const length of [0, 1, 5]) {
      expect(() => encode(codec, new Uint8Array(length))).to.throw(RangeError, `length ${length} outside <2..4>`);
    }
    expect(refusal(codec, '0100')).to.equal('length 1 outside <2..4>');
    expect(refusal(codec, '05')).to.equal('length 5 outside <2..4>');
    expect(refusal(codec, '0300')).to.equal('3 bytes wanted, 1 left');
    expect(() => encode(opaque(0, 255), new Uint8Array(256))).to.throw(RangeError);
  });

  it('rest is what there is', () => {
    roundTrip(rest, fc.uint8Array({ maxLength: 40 }));
  });

  it('text is one byte a character, and nothing of it is interpreted', () => {
    roundTrip(
      text(0, 255),
      fc.uint8Array({ maxLength: 200 }).map((bytes) => String.fromCharCode(...bytes)),
    );
    expect(hexOf(text(1, 255), 'h2')).to.equal('026832');
    expect(refusal(text(1, 255), '00')).to.equal('length 0 outside <1..255>');
    expect(decode(text(1, 0xffff), fromHex(`ffff${'61'.repeat(0xffff)}`))).to.have.length(0xffff);
  });

  it('are views of what was received', () => {
    const bytes = fromHex('0201027f');
    const value = decode(struct({ name: opaque(0, 255), tail: uint8 }), bytes);
    expect(value.name.buffer).to.equal(bytes.buffer);
  });
});

describe('vectors and blocks', () => {
  it('vector counts bytes, not items', () => {
    const codec = vector(2, 6, uint16);
    roundTrip(codec, fc.array(fc.nat(0xffff), { minLength: 1, maxLength: 3 }));
    expect(hexOf(codec, [1, 2])).to.equal('0400010002');
    expect(() => encode(codec, [])).to.throw(RangeError, 'length 0 outside <2..6>');
    expect(() => encode(codec, [1, 2, 3, 4])).to.throw(RangeError, 'length 8 outside <2..6>');
    expect(refusal(codec, '00')).to.equal('length 0 outside <2..6>');
  });

  it('vector says which item does not fit', () => {
    expect(refusal(vector(0, 255, uint16), '03000100')).to.equal('[1]: 2 bytes wanted, 1 left');
    const list = struct({ list: vector(0, 255, struct({ name: opaque(1, 9) })) });
    expect(refusal(list, '03010000')).to.equal('list.[1].name: length 0 outside <1..9>');
  });

  it('entries and numbers are vectors of any length, of which one beyond 1024 bytes is not decoded until it is read', () => {
    for (const count of [0, 1, 511, 512, 513, 2000]) {
      const values = Array.from({ length: count }, (_, n) => n);
      const bytes = encode(vector(0, 0xffff, uint16), values);
      for (const codec of [entries(0, 0xffff, uint16), numbers(0, 0xffff)]) {
        expect(encode(codec, values)).to.deep.equal(bytes);
        const read = decode(codec, bytes);
        expect([read.length, ...read, ...read], 'twice').to.deep.equal([count, ...values, ...values]);
        expect(Array.isArray(read)).to.equal(count <= 512);
      }
      const read = decode(numbers(0, 0xffff), bytes);
      expect([0, count - 1, count].map((value) => read.includes(value))).to.deep.equal([count > 0, count > 0, false]);
    }
  });

  it('entries and numbers say which item does not fit, however many there are', () => {
    for (const count of [0, 511, 512, 2000]) {
      const hex = (2 * count + 1).toString(16).padStart(4, '0') + '00'.repeat(2 * count + 1);
      for (const codec of [entries(0, 0xffff, uint16), numbers(0, 0xffff)])
        expect(refusal<unknown>(codec, hex)).to.equal(`[${count}]: 2 bytes wanted, 1 left`);
    }
  });

  it('block is filled exactly by one value', () => {
    const codec = block(0, 255, uint16);
    expect(hexOf(codec, 7)).to.equal('020007');
    expect(decode(codec, fromHex('020007'))).to.equal(7);
    expect(refusal(codec, '03000700')).to.equal('1 trailing bytes');
    expect(refusal(codec, '0100')).to.equal('2 bytes wanted, 1 left');
  });
});

describe('struct', () => {
  const Inner = struct({ a: uint8, b: opaque(0, 9) });
  const Outer = struct({ inner: Inner, tail: optionalTail(uint16) });

  it('has its fields in the order of the declaration', () => {
    const value = { tail: 0x0102, inner: { b: Uint8Array.of(5), a: 3 } };
    expect(hexOf(Outer, value)).to.equal('0301050102');
    expect(Object.keys(decode(Outer, fromHex('0301050102')))).to.deep.equal(['inner', 'tail']);
  });

  it('names the path of what does not fit, and the message of the error has it too', () => {
    expect(refusal(Outer, '0302')).to.equal('inner.b: 2 bytes wanted, 0 left');
    expect(refusal(Outer, '030a')).to.equal('inner.b: length 10 outside <0..9>');
    expect(refusal(Outer, '030001')).to.equal('tail: 2 bytes wanted, 1 left');
    expect(refusal(Outer, '0300000000')).to.equal('1 trailing bytes');
    const error = new DecodeError('why', 'illegal_parameter').within('inner').within('outer');
    expect(error).to.include({ message: 'outer.inner: why', reason: 'why', alert: 'illegal_parameter' });
    expect(error.path).to.deep.equal(['outer', 'inner']);
    expect(new DecodeError('why').alert).to.equal('decode_error');
  });

  it('optionalTail is absent at the end, and only there', () => {
    expect(decode(Outer, fromHex('0300'))).to.deep.equal({
      inner: { a: 3, b: new Uint8Array(0) },
      tail: undefined,
    });
    roundTrip(
      Outer,
      fc.record({
        inner: fc.record({ a: fc.nat(255), b: fc.uint8Array({ maxLength: 9 }) }),
        tail: fc.option(fc.nat(0xffff), { nil: undefined }),
      }),
    );
  });

  it('empty takes nothing', () => {
    expect(hexOf(empty, {})).to.equal('');
    expect(refusal(empty, '00')).to.equal('1 trailing bytes');
  });

  it('lets an error that is not one of decoding through as it is', () => {
    const broken = mapped(
      uint8,
      () => {
        throw new TypeError('a bug');
      },
      () => 0,
    );
    for (const [codec, hex] of [
      [struct({ broken }), '00'],
      [vector(0, 9, broken), '0100'],
      [extensions({ broken: [1, broken] }), '00050001000100'],
    ] as readonly [Codec<unknown>, string][]) {
      expect(() => decode(codec, fromHex(hex))).to.throw(TypeError, 'a bug');
    }
  });
});

describe('extensions', () => {
  const Block = extensions({ size: [28, uint16], names: [16, vector(1, 255, text(1, 9))], here: [23, flag] });

  it('are written in the order of the declaration, without those that are undefined', () => {
    expect(hexOf(Block, { here: true, names: undefined, size: 5 })).to.equal('000a001c0002000500170000');
    expect(hexOf(Block, {})).to.equal('0000');
    expect(hexOf(Block, { order: [1, 2, 3] })).to.equal('0000');
  });

  it('are read in any order, and the order is known', () => {
    expect(decode(Block, fromHex('000a00170000001c00020005'))).to.deep.equal({ here: true, size: 5, order: [23, 28] });
  });

  it('of unknown type are passed over, whatever is in them', () => {
    expect(decode(Block, fromHex('000d0a0a0003ffffff001c00020007'))).to.deep.equal({
      size: 7,
      order: [0x0a0a, 28],
    });
  });

  it('of one type twice are an illegal_parameter, known or not', () => {
    for (const hex of ['00080017000000170000', '00080a0a00000a0a0000']) {
      expect(() => decode(Block, fromHex(hex)))
        .to.throw(DecodeError, /^extension \d+ twice$/)
        .with.property('alert', 'illegal_parameter');
    }
  });

  it('must be filled exactly, and say which is not', () => {
    const Message = struct({ extensions: Block });
    expect(refusal(Message, '0009001c00050005010200')).to.equal('extensions.size: 3 trailing bytes');
    expect(refusal(Message, '0005001c000100')).to.equal('extensions.size: 2 bytes wanted, 1 left');
    expect(refusal(Message, '00050017000100')).to.equal('extensions.here: 1 trailing bytes');
    expect(refusal(Message, '0003001700')).to.equal('extensions: 2 bytes wanted, 1 left');
    expect(refusal(Message, '0006001c00050005')).to.equal('extensions: 5 bytes wanted, 2 left');
    expect(refusal(Message, '0005001700')).to.equal('extensions: 5 bytes wanted, 3 left');
  });

  it('round-trip', () => {
    const option = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
    const value = fc.record({
      size: option(fc.nat(0xffff)),
      names: option(fc.array(fc.constantFrom('h2', 'http/1.1'), { minLength: 1, maxLength: 5 })),
      here: option(fc.constant(true as const)),
    });
    fc.assert(
      fc.property(value, (given) => {
        const { order, ...read } = decode(Block, encode(Block, given));
        expect({ size: undefined, names: undefined, here: undefined, ...read }).to.deep.equal(given);
        expect(order).to.have.length(Object.values(given).filter((body) => body !== undefined).length);
      }),
    );
  });
});

describe('Writer and Reader', () => {
  it('grow and shrink without losing a byte', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 500 }), { maxLength: 20 }), (parts) => {
        const writer = new Writer();
        for (const part of parts) writer.raw(part);
        const reader = new Reader(writer.finish());
        for (const part of parts) expect(reader.take(part.length)).to.deep.equal(part);
        reader.finish();
      }),
    );
  });

  it('fill in the length of a block once it is known, also when the buffer has been replaced meanwhile', () => {
    const writer = new Writer();
    const [outer, inner] = [writer.open(3), writer.open(2)];
    writer.raw(new Uint8Array(1000).fill(1));
    writer.close(inner, 2);
    writer.close(outer, 3);
    expect(toHex(writer.finish().subarray(0, 6))).to.equal('0003ea03e801');
    const small = new Writer();
    const at = small.open(1);
    expect(small.close(at, 1)).to.equal(0);
    small.raw(new Uint8Array(256));
    expect(() => small.close(at, 1)).to.throw(RangeError, '256 bytes');
  });

  it('never read past the end, whatever the bytes', () => {
    const Message = struct({
      a: uint8,
      list: vector(0, 0xffff, struct({ b: opaque(0, 0xffff) })),
      c: block(0, 255, uint32),
    });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        try {
          expect(encode(Message, decode(Message, bytes))).to.deep.equal(bytes);
        } catch (error) {
          if (!(error instanceof DecodeError)) throw error;
        }
      }),
    );
  });
});
