import { expect } from 'chai';
import fc from 'fast-check';
import { ascii, concat, EMPTY, fromHex, toHex } from '../../src/wire/bytes.ts';
import * as der from '../../src/wire/der.ts';
import { DerError, DerReader, explicitTag, implicitTag, Tag } from '../../src/wire/der.ts';
import { runs } from '../support/runs.ts';

const reader = (hex: string) => new DerReader(fromHex(hex));

/** Reads one value of every kind, the record that the properties below turn over. */
interface Everything {
  readonly flag: boolean;
  readonly count: number;
  readonly large: Uint8Array;
  readonly data: Uint8Array;
  readonly bits: Uint8Array;
  readonly oid: string;
  readonly time: number;
  readonly option: number | undefined;
  readonly implicit: Uint8Array;
}

function write(value: Everything): Uint8Array {
  return der.sequence(
    der.boolean(value.flag),
    der.integer(value.count),
    der.integer(value.large),
    der.octetString(value.data),
    der.bitString(value.bits),
    der.oid(value.oid),
    der.time(value.time),
    value.option === undefined ? EMPTY : der.explicit(3, der.integer(value.option)),
    der.implicit(4, value.implicit),
  );
}

function read(bytes: Uint8Array): Everything {
  const whole = new DerReader(bytes);
  const body = whole.enter(Tag.sequence, 'everything');
  whole.finish();
  const value: Everything = {
    flag: body.boolean('flag'),
    count: body.integer('count'),
    large: body.bigInteger('large'),
    data: body.octets('data'),
    bits: body.bits('bits'),
    oid: body.oid('oid'),
    time: body.time('time'),
    option: readOption(body.optional(explicitTag(3), 'option')),
    implicit: body.read(implicitTag(4), 'implicit'),
  };
  body.finish();
  return value;
}

function readOption(option: DerReader | undefined): number | undefined {
  const value = option?.integer();
  option?.finish();
  return value;
}

/** Follows every constructed value down, as a reader of unknown DER would. */
function walk(r: DerReader): void {
  while (!r.isEmpty) {
    const tag = r.peekTag() ?? 0;
    if ((tag & 0x20) !== 0) walk(r.enter(tag));
    else r.raw();
  }
}

const bytes = (constraints: fc.IntArrayConstraints = {}) => fc.uint8Array({ maxLength: 300, ...constraints });
const arc = fc.oneof(fc.nat(200), fc.maxSafeNat());
const anyOid = fc
  .tuple(fc.oneof(fc.tuple(fc.nat(1), fc.nat(39)), fc.tuple(fc.constant(2), fc.nat())), fc.array(arc))
  .map(([root, arcs]) => [...root, ...arcs].join('.'));
const everything: fc.Arbitrary<Everything> = fc.record({
  flag: fc.boolean(),
  count: fc.maxSafeNat(),
  large: bytes({ minLength: 1 }).map((b) => Uint8Array.of(1 + ((b[0] ?? 0) % 255), ...b.subarray(1))),
  data: bytes(),
  bits: bytes(),
  oid: anyOid,
  time: fc
    .date({ min: new Date('1900-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true })
    .map((date) => Math.floor(date.getTime() / 1000) * 1000),
  option: fc.option(fc.nat(), { nil: undefined }),
  implicit: bytes(),
});

describe('DER', () => {
  it('writes and reads every kind of value', () => {
    fc.assert(fc.property(everything, (value) => void expect(read(write(value))).to.deep.equal(value)));
  });

  it('refuses every proper prefix', () => {
    fc.assert(
      fc.property(everything, fc.double({ min: 0, max: 1, noNaN: true }), (value, part) => {
        const whole = write(value);
        const cut = Math.min(whole.length - 1, Math.floor(part * whole.length));
        expect(() => read(whole.subarray(0, cut))).to.throw(DerError);
      }),
    );
  });

  it('refuses one byte more', () => {
    fc.assert(
      fc.property(everything, fc.nat(255), (value, extra) => {
        expect(() => read(concat(write(value), Uint8Array.of(extra)))).to.throw(DerError, '1 trailing bytes');
      }),
    );
  });

  it('throws nothing but DerError, whatever is changed, and what it still reads has that one encoding', () => {
    fc.assert(
      fc.property(everything, fc.nat(), fc.nat(255), (value, where, byte) => {
        const mutated = write(value);
        mutated[where % mutated.length] = byte;
        let again: Everything;
        try {
          again = read(mutated);
        } catch (error) {
          expect(error).to.be.instanceOf(DerError);
          return;
        }
        const { time } = again;
        // A year from 1950 to 2049 may also stand in a GeneralizedTime.
        if (time < Date.UTC(1950) || time >= Date.UTC(2050)) expect(toHex(write(again))).to.equal(toHex(mutated));
      }),
      runs(300),
    );
  });

  it('throws nothing but DerError on noise', () => {
    fc.assert(
      fc.property(bytes(), (noise) => {
        try {
          walk(new DerReader(noise));
        } catch (error) {
          expect(error).to.be.instanceOf(DerError);
        }
      }),
      runs(300),
    );
  });

  it('says where it went wrong', () => {
    const bad = der.sequence(der.integer(1), der.sequence(der.octetString(ascii('ab')), fromHex('020180')));
    const whole = new DerReader(bad).enter(Tag.sequence, 'outer');
    whole.integer('version');
    const inner = whole.enter(Tag.sequence, 'inner');
    inner.octets('data');
    expect(() => inner.integer('serial'))
      .to.throw(DerError, 'outer.inner.serial: INTEGER is negative (at byte 11)')
      .that.includes({ path: 'outer.inner.serial', offset: 11, reason: 'INTEGER is negative' });
    expect(() => reader('0500').octets()).to.throw(DerError, 'tag 04 wanted, 05 found (at byte 0)');
    expect(() => reader('').octets('key')).to.throw(DerError, 'key: tag 04 wanted, nothing found');
  });

  it('an optional value, read at once, is what a reader in between makes of it, error for error', () => {
    const told = (bytes: Uint8Array, read: (body: DerReader) => unknown) => {
      try {
        const body = new DerReader(bytes).enter(Tag.sequence, 'outer');
        return JSON.stringify([read(body), toHex(body.isEmpty ? EMPTY : body.raw('next'))]);
      } catch (error) {
        if (error instanceof DerError) return JSON.stringify([error.message, error.path, error.offset]);
        throw error;
      }
    };
    const inside = <T>(body: DerReader, read: (field: DerReader) => T): T | undefined => {
      const field = body.optional(explicitTag(3), 'field');
      const value = field && read(field);
      field?.finish();
      return value;
    };
    const good = [der.integer(300), der.octetString(ascii('ab')), concat(der.integer(1), der.integer(2)), EMPTY];
    for (const contents of good) {
      const whole = der.sequence(der.explicit(3, contents), der.integer(7));
      for (let at = 0; at < whole.length; at++) {
        for (let value = 0; value < 256; value++) {
          const bytes = whole.map((byte, i) => (i === at ? value : byte));
          expect(told(bytes, (body) => body.optionalInteger(explicitTag(3), 'field'))).to.equal(
            told(bytes, (body) => inside(body, (field) => field.integer())),
          );
          expect(told(bytes, (body) => body.optionalOctets(explicitTag(3), 'field'))).to.equal(
            told(bytes, (body) => inside(body, (field) => field.octets())),
          );
        }
      }
    }
  });

  it('ends with the value that it reads, whatever comes after that', () => {
    const nested = reader('3003020100a003020101').enter(Tag.sequence);
    expect(nested.integer()).to.equal(0);
    expect(nested.peekTag()).to.equal(undefined);
    expect(nested.optional(explicitTag(0))).to.equal(undefined);
    expect(nested.optionalInteger(explicitTag(0), 'field')).to.equal(undefined);
  });

  it('bounds the depth of an optional value, too', () => {
    const nest = (depth: number) => {
      let nested = der.explicit(3, der.integer(5));
      for (let i = 0; i < depth; i++) nested = der.sequence(nested);
      let body = new DerReader(nested);
      for (let i = 0; i < depth; i++) body = body.enter(Tag.sequence);
      return body.optionalInteger(explicitTag(3), 'field');
    };
    expect(nest(15)).to.equal(5);
    expect(() => nest(16)).to.throw(DerError, 'field: nested deeper than 16');
  });

  describe('lengths', () => {
    for (const [hex, reason] of [
      ['04', 'value breaks off'],
      ['0480', 'length 80 refused'],
      ['04850000000001aa', 'length 85 refused'],
      ['0482', 'length breaks off'],
      ['04820100', 'length 256, but 0 bytes left'],
      ['048101aa', 'length is not minimal'],
      [`048200ff${'00'.repeat(255)}`, 'length is not minimal'],
      ['0484ffffffff', 'length 4294967295, but 0 bytes left'],
      ['0402aa', 'length 2, but 1 bytes left'],
    ] as const) {
      it(`refuses ${hex.slice(0, 16)}: ${reason}`, () => {
        expect(() => reader(hex).octets()).to.throw(DerError, reason);
      });
    }

    it('takes the fewest octets', () => {
      for (const [length, header] of [
        [0, '0400'],
        [127, '047f'],
        [128, '048180'],
        [255, '0481ff'],
        [256, '04820100'],
        [65536, '0483010000'],
      ] as const) {
        const whole = der.octetString(new Uint8Array(length));
        expect(toHex(whole.subarray(0, whole.length - length))).to.equal(header);
        expect(new DerReader(whole).octets().length).to.equal(length);
      }
    });
  });

  it('refuses tags of several octets and the reserved tag', () => {
    expect(() => reader('1f8101').raw()).to.throw(DerError, 'tag 1f not supported');
    expect(() => reader('0000').raw()).to.throw(DerError, 'tag 00 not supported');
    expect(() => explicitTag(31)).to.throw(RangeError);
  });

  it('bounds the depth', () => {
    let nested = der.sequence();
    for (let i = 0; i < 15; i++) nested = der.sequence(nested);
    walk(new DerReader(nested));
    expect(() => walk(new DerReader(der.sequence(nested)))).to.throw(DerError, 'nested deeper than 16');
  });

  describe('integers', () => {
    for (const [hex, reason] of [
      ['0200', 'without contents'],
      ['0201ff', 'negative'],
      ['0202007f', 'not minimal'],
      ['02020000', 'not minimal'],
      ['020720000000000000', 'too large'],
    ] as const) {
      it(`refuses ${hex}: ${reason}`, () => {
        expect(() => reader(hex).integer()).to.throw(DerError, reason);
      });
    }

    it('have a zero in front from 128 on, where the high bit is set', () => {
      for (const [hex, value] of [
        ['02017f', 127],
        ['02020080', 128],
        ['020200ff', 255],
        ['02020100', 256],
      ] as const)
        expect([toHex(der.integer(value)), reader(hex).integer()]).to.deep.equal([hex, value]);
    });

    it('are written as X.690 §8.3 has it', () => {
      expect(toHex(der.integer(0))).to.equal('020100');
      expect(toHex(der.integer(127))).to.equal('02017f');
      expect(toHex(der.integer(128))).to.equal('02020080');
      expect(toHex(der.integer(Number.MAX_SAFE_INTEGER))).to.equal('02071fffffffffffff');
      expect(toHex(der.integer(fromHex('000080')))).to.equal('02020080');
      expect(toHex(der.integer(EMPTY))).to.equal('020100');
      expect(() => der.integer(-1)).to.throw(RangeError);
      expect(() => der.integer(0.5)).to.throw(RangeError);
      expect(() => der.integer(2 ** 53)).to.throw(RangeError);
    });
  });

  describe('object identifiers', () => {
    it('are written as X.690 §8.19 has it', () => {
      expect(toHex(der.oid('1.2.840.113549'))).to.equal('06062a864886f70d');
      expect(toHex(der.oid('2.999.3'))).to.equal('0603883703');
      expect(reader('0603883703').oid()).to.equal('2.999.3');
    });

    for (const hex of ['0600', '060180', '06022a80', '06032a8001', '060a2affffffffffffffff7f']) {
      it(`refuses ${hex}`, () => void expect(() => reader(hex).oid()).to.throw(DerError, 'OBJECT IDENTIFIER'));
    }

    for (const text of ['', '1', '3.1', '1.40', '0.100', '1..2', '1.2.', 'a.b', '1.2.-1', '1.2.99999999999999999999']) {
      it(`does not write "${text}"`, () => void expect(() => der.oid(text)).to.throw(RangeError));
    }
  });

  it('refuses other booleans and bit strings', () => {
    for (const hex of ['010101', '0100', '0102ffff']) expect(() => reader(hex).boolean()).to.throw(DerError, 'BOOLEAN');
    expect(reader('030100').namedBits()).to.have.length(0);
    expect(reader('030205a0').namedBits()).to.deep.equal(Uint8Array.of(0xa0));
    expect(reader('03030700' + '80').namedBits()).to.deep.equal(Uint8Array.of(0, 0x80));
    for (const hex of ['0300', '030101', '030107', '03020840', '030205a1', '03020781', '03020fa0'])
      expect(() => reader(hex).namedBits(), hex).to.throw(DerError, 'BIT STRING');
    for (const hex of ['0300', '03020780']) expect(() => reader(hex).bits()).to.throw(DerError, 'BIT STRING');
    expect(toHex(der.bitString(Uint8Array.of(0x80), 7))).to.equal('03020780');
  });

  describe('times', () => {
    const utc = (text: string) => new DerReader(der.tlv(Tag.utcTime, ascii(text))).time();
    const generalized = (text: string) => new DerReader(der.tlv(Tag.generalizedTime, ascii(text))).time();

    it('turn at 2050 (RFC 5280 §4.1.2.5)', () => {
      expect(utc('491231235959Z')).to.equal(Date.UTC(2049, 11, 31, 23, 59, 59));
      expect(utc('500101000000Z')).to.equal(Date.UTC(1950, 0));
      expect(toHex(der.time(Date.UTC(2050, 0)))).to.equal(toHex(der.tlv(0x18, ascii('20500101000000Z'))));
      expect(toHex(der.time(Date.UTC(2049, 11, 31, 23, 59, 59, 999)))).to.equal(
        toHex(der.tlv(0x17, ascii('491231235959Z'))),
      );
    });

    it('are refused where they are none', () => {
      for (const text of [
        '',
        '2',
        '250431000000Z',
        '250101000000',
        '2501010000Z',
        '250101000000+0100',
        '25010100000xZ',
      ]) {
        expect(() => utc(text), text).to.throw(DerError, 'not a time');
      }
      for (const text of ['20250101000000.5Z', '2025-01-01T00:00:00.000Z', '20250230000000Z', 'Z']) {
        expect(() => generalized(text), text).to.throw(DerError, 'not a time');
      }
    });
  });

  it('hands out whole values', () => {
    const both = new DerReader(concat(der.utf8String('ü'), der.set(der.boolean(false))));
    expect(toHex(both.raw())).to.equal('0c02c3bc');
    expect(both.optional(Tag.sequence)).to.equal(undefined);
    expect(toHex(both.raw())).to.equal('3103010100');
    expect(both.isEmpty).to.equal(true);
    both.finish();
  });
});
