/** The strategy of recording hellos: what it remembers, for how long, and when it admits nothing. */

import { sha256 } from '@noble/hashes/sha2.js';
import { expect } from 'chai';
import fc from 'fast-check';
import { type RecordHellosOptions, recordHellos } from '../../../src/engine/server/record-hellos.ts';
import { type SeededWorld, seededWorld } from '../../../src/testing/seeded-world.ts';
import { utf8 } from '../../../src/wire/bytes.ts';
import { bufferMemory } from '../../support/memory.ts';

const WINDOW = 1000;
const SKEW = 300;
const PERIOD = 2 * WINDOW + SKEW;
const START = Date.UTC(2026, 0, 1);

/** The key of a hello: as evenly spread as a hash. */
function keyOf(name: string): Uint8Array {
  return sha256(utf8(name));
}

function attempt(name: string, expiresIn = WINDOW) {
  return { key: keyOf(name), expiresIn };
}

function start(world: SeededWorld, options: RecordHellosOptions = {}) {
  return recordHellos({ windowMs: WINDOW, maxSkewMs: SKEW, maxEntries: 100, world, ...options });
}

/** A strategy whose blackout has just ended. */
function ready(options: RecordHellosOptions = {}) {
  const world = seededWorld('ready', { now: START });
  const strategy = start(world, options);
  world.advance(PERIOD + 1);
  return { world, strategy };
}

describe('recordHellos()', () => {
  it('admits a hello once', () => {
    const { strategy } = ready();
    expect(strategy.admit(attempt('a'))).to.equal(true);
    expect(strategy.admit(attempt('a'))).to.equal(false);
    expect(strategy.admit(attempt('b'))).to.equal(true);
  });

  it('has a window of ten seconds to either side, or as long as it is told', () => {
    expect(recordHellos().windowMs).to.equal(10_000);
    expect(ready().strategy.windowMs).to.equal(WINDOW);
  });

  it('waits for 21 seconds by default', () => {
    const world = seededWorld('default');
    const strategy = recordHellos({ world });
    world.advance(21_000);
    expect(strategy.isBlackedOut).to.equal(true);
    world.advance(1);
    expect(strategy.isBlackedOut).to.equal(false);
  });

  it('tells keys apart by their first 64 bits, all of which count', () => {
    const { strategy } = ready();
    expect(strategy.admit({ key: new Uint8Array(32), expiresIn: 1 })).to.equal(true);
    for (let bit = 0; bit < 63; bit++) {
      const key = new Uint8Array(32);
      key[bit >> 3] = 0x80 >> (bit & 7);
      expect(strategy.admit({ key, expiresIn: 1 }), `bit ${bit}`).to.equal(true);
      expect(strategy.admit({ key, expiresIn: 1 }), `bit ${bit}`).to.equal(false);
    }
    expect(strategy.admit({ key: new Uint8Array(32), expiresIn: 1 })).to.equal(false);
  });

  it('reads the key where it is in its buffer', () => {
    const { strategy } = ready();
    const buffer = seededWorld('buffer').randomBytes(64);
    expect(strategy.admit({ key: buffer.subarray(3, 35), expiresIn: 1 })).to.equal(true);
    expect(strategy.admit({ key: buffer.subarray(4, 36), expiresIn: 1 })).to.equal(true);
    expect(strategy.admit({ key: buffer.slice(3, 35), expiresIn: 1 })).to.equal(false);
  });

  it('refuses a hello that is stale or says nonsense of that, and one that outlives its record', () => {
    const { strategy } = ready();
    for (const expiresIn of [-1, Number.NaN, Number.NEGATIVE_INFINITY])
      expect(strategy.admit(attempt('a', expiresIn)), String(expiresIn)).to.equal(false);
    expect(() => strategy.admit(attempt('a', PERIOD + 1))).to.throw(RangeError, 'the windowMs of the server');
    expect(strategy.admit(attempt('a', 0))).to.equal(true);
    expect(strategy.admit(attempt('b', PERIOD))).to.equal(true);
  });

  it('refuses what is no key', () => {
    const { strategy } = ready();
    expect(() => strategy.admit({ key: 'key' as never, expiresIn: 1 })).to.throw(TypeError, 'key: a Uint8Array');
    expect(() => strategy.admit({ key: new Uint8Array(7), expiresIn: 1 })).to.throw(RangeError, 'key has 7 bytes');
  });
});

describe('recordHellos(): two generations', () => {
  it('remember a record for a period to the millisecond, wherever in a generation it was made', () => {
    for (const offset of [0, 1, PERIOD - 1, PERIOD, PERIOD + 1, 2 * PERIOD]) {
      const { world, strategy } = ready();
      world.advance(offset);
      expect(strategy.admit(attempt('a'))).to.equal(true);
      for (const at of [1, 2 * WINDOW, PERIOD - 1, PERIOD]) {
        world.set(START + PERIOD + 1 + offset + at);
        expect(strategy.admit(attempt('a')), `${offset} + ${at}`).to.equal(false);
        strategy.admit(attempt(`another at ${at}`));
      }
    }
  });

  it('forget after two periods if nobody calls in between, and after two turns otherwise', () => {
    const { world, strategy } = ready();
    strategy.admit(attempt('a')); // the first of the generation that follows the blackout
    world.advance(2 * PERIOD);
    expect(strategy.admit(attempt('a'))).to.equal(true);
    world.advance(2 * PERIOD - 1);
    expect(strategy.admit(attempt('b'))).to.equal(true); // turns them
    expect(strategy.admit(attempt('a'))).to.equal(false);
    world.advance(PERIOD - 1);
    expect(strategy.admit(attempt('a'))).to.equal(false);
    world.advance(1);
    expect(strategy.admit(attempt('a'))).to.equal(true);
    expect(strategy.admit(attempt('b'))).to.equal(false);
  });

  it('take so many records each and then reject, without forgetting one', () => {
    const { world, strategy } = ready({ maxEntries: 3 });
    const admits = (name: string) => strategy.admit(attempt(name));
    strategy.admit(attempt('start')); // a generation begins
    expect(['a', 'b', 'c', 'd'].map(admits)).to.deep.equal([true, true, false, false]);
    expect(['start', 'a', 'b'].map(admits)).to.deep.equal([false, false, false]);
    world.advance(PERIOD);
    expect(['a', 'b', 'c', 'd', 'e', 'f'].map(admits)).to.deep.equal([false, false, true, true, true, false]);
  });

  it('reject where a search would be long, as hellos can be made that lie side by side', () => {
    const { strategy } = ready({ maxEntries: 100_000 });
    const key = (low: number) => {
      const bytes = new Uint8Array(32);
      new DataView(bytes.buffer).setUint32(4, low);
      return { key: bytes, expiresIn: 1 };
    };
    const admitted = Array.from({ length: 1000 }, (_, i) => strategy.admit(key(i + 1)));
    expect(admitted.lastIndexOf(true)).to.equal(255);
    expect(admitted.indexOf(false)).to.equal(256);
    expect(strategy.admit(key(1))).to.equal(false);
    expect(strategy.admit(attempt('somebody else'))).to.equal(true);
  });

  it('are as large as is stated, whatever has been admitted', () => {
    const maxEntries = 1_000_000;
    const { world, strategy } = ready({ maxEntries });
    const before = bufferMemory();
    const admitMany = (count: number, seed: number) => {
      const key = new Uint8Array(32);
      const words = new Uint32Array(key.buffer);
      for (let i = 0; i < count; i++) {
        words[0] = Math.imul(i + 1, 0x9e3779b1) ^ seed;
        words[1] = i;
        if (!strategy.admit({ key, expiresIn: 1 })) expect.fail(`number ${i} of ${count}`);
      }
    };
    admitMany(1, 1);
    expect(bufferMemory() - before).to.be.within(11.9 * maxEntries, 12.1 * maxEntries);
    for (let period = 0; period < 3; period++) {
      world.advance(PERIOD);
      admitMany(20_000, period);
    }
    expect(bufferMemory() - before).to.be.within(23.9 * maxEntries, 24.1 * maxEntries);
    strategy.close();
    expect(bufferMemory() - before).to.be.below(0.1 * maxEntries);
  });

  it('have room for all that are stated, whose keys are evenly spread', () => {
    const { strategy } = ready({ maxEntries: 20_000 });
    const dice = seededWorld('full');
    strategy.admit(attempt('start'));
    for (let i = 1; i < 20_000; i++)
      if (!strategy.admit({ key: dice.randomBytes(8), expiresIn: 1 })) expect.fail(`no room for number ${i}`);
    expect(strategy.admit(attempt('one more'))).to.equal(false);
  });
});

describe('recordHellos(): the blackout', () => {
  it('lasts a period from the start, its last millisecond included', () => {
    const world = seededWorld('start', { now: START });
    const strategy = start(world);
    for (const at of [0, 1, PERIOD - 1, PERIOD]) {
      world.set(START + at);
      expect(strategy.isBlackedOut, String(at)).to.equal(true);
      expect(strategy.admit(attempt('a')), String(at)).to.equal(false);
    }
    world.set(START + PERIOD + 1);
    expect(strategy.isBlackedOut).to.equal(false);
    expect(strategy.admit(attempt('a'))).to.equal(true);
  });

  for (const back of [1, SKEW, PERIOD, PERIOD + 1, 10 * PERIOD])
    it(`begins again when the clock is set back by ${back} ms, and lasts as long as a hello from before may be fresh`, () => {
      const { world, strategy } = ready();
      strategy.admit(attempt('a'));
      const highest = world.now();
      world.advance(-back);
      const end = Math.max(highest, world.now() + PERIOD);
      for (const at of [world.now(), Math.max(world.now(), end - 1), end]) {
        world.set(at);
        expect(strategy.isBlackedOut, `${at - highest} from the highest`).to.equal(true);
        expect(strategy.admit(attempt('b'))).to.equal(false);
      }
      world.set(end + 1);
      expect(strategy.isBlackedOut).to.equal(false);
      expect(strategy.admit(attempt('b'))).to.equal(true);
    });

  it('is not extended by a clock that goes on, below the highest time', () => {
    const { world, strategy } = ready();
    const highest = world.now();
    strategy.admit(attempt('a'));
    world.advance(-2 * PERIOD);
    for (; world.now() <= highest; world.advance(100)) expect(strategy.isBlackedOut).to.equal(true);
    expect(strategy.isBlackedOut).to.equal(false);
  });

  it('covers a jump ahead that has made records be forgotten', () => {
    const { world, strategy } = ready();
    expect(strategy.admit(attempt('a'))).to.equal(true);
    world.advance(5 * PERIOD);
    expect(strategy.admit(attempt('b'))).to.equal(true); // 'a' is forgotten
    const highest = world.now();
    world.advance(-5 * PERIOD + 1);
    expect(strategy.admit(attempt('a'))).to.equal(false);
    world.set(highest);
    expect(strategy.admit(attempt('a'))).to.equal(false);
    expect(strategy.admit(attempt('b'))).to.equal(false);
    world.set(highest + 1);
    expect(strategy.admit(attempt('b'))).to.equal(false); // remembered
  });

  it('begins again at each step back, and one that has begun is not cut short', () => {
    const { world, strategy } = ready();
    strategy.admit(attempt('a'));
    const highest = world.now();
    world.advance(-10 * PERIOD);
    expect(strategy.isBlackedOut).to.equal(true);
    world.set(highest - 10);
    world.advance(-1);
    expect(strategy.isBlackedOut).to.equal(true); // seen here for the first time: no step
    world.advance(-1);
    expect(strategy.isBlackedOut).to.equal(true);
    world.set(highest - 12 + PERIOD);
    expect(strategy.isBlackedOut).to.equal(true);
    world.advance(1);
    expect(strategy.isBlackedOut).to.equal(false);
  });
});

describe('recordHellos(): a start with a smaller window', () => {
  const SMALLER = WINDOW / 10;

  /** How often a hello is admitted that came at the early edge just before the restart. */
  function admissions(maxSkewMs: number): number {
    const { world, strategy } = ready();
    const expected = world.now() + WINDOW;
    const first = strategy.admit(attempt('a', 2 * WINDOW));
    const next = start(world, { windowMs: SMALLER, maxSkewMs });
    world.set(expected + SMALLER); // the late edge
    return Number(first) + Number(next.admit(attempt('a', 0)));
  }

  it('needs the difference in maxSkewMs', () => {
    expect(admissions(WINDOW - SMALLER)).to.equal(1);
    expect(admissions(WINDOW - SMALLER - 1)).to.equal(2);
  });
});

describe('recordHellos(): saved records', () => {
  /** A strategy that has admitted 'a', and a period later 'b'. */
  function used(options: RecordHellosOptions = {}) {
    const { world, strategy } = ready(options);
    strategy.admit(attempt('a'));
    world.advance(PERIOD);
    strategy.admit(attempt('b'));
    return { world, strategy };
  }

  it('are taken up without a blackout, and for as long as they would have been kept', () => {
    const { world, strategy } = used();
    const next = start(world, { saved: strategy.close() });
    expect([next.isRestored, next.isBlackedOut]).to.deep.equal([true, false]);
    expect(['a', 'b', 'c'].map((name) => next.admit(attempt(name)))).to.deep.equal([false, false, true]);
    world.advance(PERIOD - 1);
    expect(next.admit(attempt('a'))).to.equal(false);
    world.advance(1);
    expect(next.admit(attempt('a'))).to.equal(true);
    expect(next.admit(attempt('b'))).to.equal(false);
  });

  it('are taken up by tables of another size if they have room, and otherwise not', () => {
    const { world, strategy } = used();
    for (const name of ['c', 'd', 'e']) strategy.admit(attempt(name));
    const saved = strategy.close();
    const larger = start(world, { saved, maxEntries: 1000 });
    expect([larger.isRestored, larger.admit(attempt('e'))]).to.deep.equal([true, false]);
    expect(start(world, { saved, maxEntries: 4 }).isRestored).to.equal(true);
    const smaller = start(world, { saved, maxEntries: 3 });
    expect([smaller.isRestored, smaller.isBlackedOut]).to.deep.equal([false, true]);
  });

  it('end the strategy', () => {
    const { world, strategy } = used();
    strategy.close();
    world.advance(10 * PERIOD);
    expect(strategy.isBlackedOut).to.equal(true);
    expect(strategy.admit(attempt('c'))).to.equal(false);
    expect(() => strategy.close()).to.throw(Error, 'closed');
  });

  it('do not shorten a blackout', () => {
    const world = seededWorld('short', { now: START });
    const saved = start(world).close();
    world.advance(PERIOD);
    const next = start(world, { saved });
    expect(next.isBlackedOut).to.equal(true);
    world.advance(1);
    expect(next.isBlackedOut).to.equal(false);
  });

  it('are taken up, but with a blackout, if the clock has been set back since', () => {
    for (const back of [1, 5 * PERIOD]) {
      const { world, strategy } = used();
      const saved = strategy.close();
      const highest = world.now();
      world.advance(-back);
      const next = start(world, { saved });
      expect([next.isRestored, next.isBlackedOut]).to.deep.equal([false, true]);
      world.set(Math.max(highest, highest - back + PERIOD));
      expect(next.isBlackedOut).to.equal(true);
      world.advance(1);
      expect(next.isBlackedOut).to.equal(false);
    }
  });

  for (const options of [{ windowMs: WINDOW / 10 }, { windowMs: 2 * WINDOW }, { maxSkewMs: 0 }])
    it(`are not taken up with ${JSON.stringify(options)}: the blackout covers the longer of the periods`, () => {
      const { world, strategy } = used();
      const saved = strategy.close();
      const next = start(world, { ...options, saved });
      expect(next.isRestored).to.equal(false);
      const { windowMs = WINDOW, maxSkewMs = SKEW }: RecordHellosOptions = options;
      world.advance(Math.max(PERIOD, 2 * windowMs + maxSkewMs));
      expect(next.isBlackedOut).to.equal(true);
      world.advance(1);
      expect(next.isBlackedOut).to.equal(false);
    });

  it('of another period make for a blackout that covers a clock that was ahead', () => {
    const { world, strategy } = used();
    const highest = world.now();
    const saved = strategy.close();
    world.advance(-5 * PERIOD);
    const next = start(world, { saved, windowMs: WINDOW / 2 });
    world.set(highest + PERIOD);
    expect(next.isBlackedOut).to.equal(true);
    world.advance(1);
    expect(next.isBlackedOut).to.equal(false);
  });

  it('notice a step of the clock at the end and at the start, also if nobody calls in between', () => {
    for (const isBeforeClose of [true, false]) {
      const { world, strategy } = used();
      const highest = world.now();
      if (isBeforeClose) world.advance(-2 * PERIOD);
      const saved = strategy.close();
      if (!isBeforeClose) world.advance(-PERIOD / 2);
      const next = start(world, { saved });
      const end = Math.max(highest, world.now() + PERIOD);
      world.set(end);
      expect(next.isBlackedOut, String(isBeforeClose)).to.equal(true);
      world.advance(1);
      expect(next.isBlackedOut).to.equal(false);
    }
  });

  it('know the time at which they were saved', () => {
    const { world, strategy } = used();
    world.advance(500);
    const saved = strategy.close();
    world.advance(-1);
    expect(start(world, { saved }).isRestored).to.equal(false);
    world.advance(1);
    expect(start(world, { saved }).isRestored).to.equal(true);
  });

  it('whose times are no times are none', () => {
    const world = seededWorld('times', { now: START });
    const times = [WINDOW, SKEW, START, START, 0, START];
    expect(start(world, { saved: forged(times, 1, 16) }).isRestored).to.equal(true);
    for (const [i] of times.entries())
      for (const wrong of [Number.NaN, -1, Number.POSITIVE_INFINITY]) {
        const next = start(world, { saved: forged(Object.assign([...times], { [i]: wrong }), 1, 16) });
        expect([next.isRestored, next.isBlackedOut], `${i}: ${wrong}`).to.deep.equal([false, true]);
        world.advance(PERIOD + 1);
        expect(next.isBlackedOut).to.equal(false);
        world.set(START);
      }
  });

  it('that are damaged in any bit or cut anywhere are none, and do no harm', () => {
    const { world, strategy } = used();
    const saved = strategy.close();
    const damaged = [
      ...Array.from({ length: 8 * saved.length }, (_, bit) =>
        saved.map((byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte)),
      ),
      ...Array.from(saved, (_, length) => saved.subarray(0, length)),
      Buffer.concat([saved, new Uint8Array(8)]),
    ];
    for (const bytes of damaged) {
      const next = start(world, { saved: bytes });
      expect([next.isRestored, next.isBlackedOut]).to.deep.equal([false, true]);
    }
  });

  it('may be any bytes', () => {
    const world = seededWorld('any');
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (saved) => {
        const next = start(world, { saved });
        return !next.isRestored && next.isBlackedOut;
      }),
    );
  });

  it('of a format that fits may have any numbers', () => {
    const world = seededWorld('forged', { now: START });
    const numbers = fc.oneof(fc.constantFrom(START, WINDOW, SKEW, 0, Number.NaN), fc.double(), fc.maxSafeInteger());
    const mostly = (number: number) => fc.oneof({ weight: 5, arbitrary: fc.constant(number) }, numbers);
    fc.assert(
      fc.property(
        fc.tuple(mostly(WINDOW), mostly(SKEW), numbers, numbers, numbers, numbers),
        fc.nat(3),
        fc.nat(16),
        (times, count, length) => {
          const next = start(world, { saved: forged(times, count, length) });
          const admitted = next.admit(attempt('a'));
          expect(admitted).to.equal(!next.isBlackedOut);
          expect(next.isBlackedOut || next.isRestored).to.equal(true);
          next.close();
        },
      ),
    );
  });

  it('used twice are a restart with loss', () => {
    const { world, strategy } = used();
    const saved = strategy.close();
    expect(start(world, { saved }).admit(attempt('c'))).to.equal(true);
    expect(start(world, { saved }).admit(attempt('c'))).to.equal(true); // as the docstring says
  });
});

/** Bytes of the format, with a checksum that fits. */
function forged(times: readonly number[], count: number, length: number): Uint8Array {
  const bytes = new Uint8Array(60 + length);
  const view = new DataView(bytes.buffer);
  times.forEach((time, i) => {
    view.setFloat64(8 + 8 * i, time);
  });
  view.setUint32(56, count);
  bytes.fill(1, 60, 68);
  bytes.fill(2, 68);
  view.setUint32(0, 0x54524801);
  let crc = ~0;
  for (const byte of bytes.subarray(8)) {
    crc ^= byte;
    for (let i = 0; i < 8; i++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  view.setUint32(4, ~crc >>> 0);
  return bytes;
}

describe('recordHellos(): options', () => {
  const WRONG: readonly [unknown, unknown, string][] = [
    [{ maxEntry: 5 }, TypeError, 'unknown option maxEntry; there are windowMs, maxSkewMs, maxEntries, world, saved'],
    [{ windowMs: 0 }, RangeError, 'windowMs is 0'],
    [{ windowMs: 1.5 }, RangeError, 'windowMs is 1.5'],
    [{ maxSkewMs: -1 }, RangeError, 'maxSkewMs is -1'],
    [{ maxSkewMs: '1' }, TypeError, 'maxSkewMs: a number is wanted, not a string'],
    [{ maxEntries: 0 }, RangeError, 'maxEntries is 0'],
    [{ maxEntries: 2 ** 27 + 1 }, RangeError, 'maxEntries is 134217729'],
    [{ world: {} }, TypeError, 'world: now is missing'],
    [{ world: { now: () => Number.NaN } }, TypeError, 'world.now(): milliseconds since the epoch are wanted'],
    [{ saved: 'file' }, TypeError, 'saved: a Uint8Array is wanted, not a string'],
    [{ saved: null }, TypeError, 'saved: null is no value of it'],
    [[], TypeError, 'options: an object is wanted, not an array'],
  ];
  for (const [options, type, message] of WRONG)
    it(`refuses ${JSON.stringify(options)}`, () => {
      expect(() => recordHellos(options as never)).to.throw(type as typeof TypeError, message);
    });

  it('makes no tables before they are needed', () => {
    const before = bufferMemory();
    const strategy = recordHellos({ maxEntries: 2 ** 27 });
    expect(bufferMemory() - before).to.be.below(1_000_000);
    expect(strategy.isBlackedOut).to.equal(true);
  });
});

/** What may happen to a process, for so many milliseconds of its clock. */
const EVENT = fc.record({
  what: fc.constantFrom(
    'hello',
    'hello',
    'hello',
    'hello',
    'hello',
    'wait',
    'wait',
    'wait',
    'step',
    'crash',
    'restart',
  ),
  hello: fc.nat(2),
  ms: fc.oneof(
    fc
      .constantFrom(SKEW, SKEW + 1, WINDOW, 2 * WINDOW, PERIOD, PERIOD + 1, 2 * PERIOD)
      .chain((ms) => fc.constantFrom(ms, -ms)),
    fc.integer({ min: -4 * PERIOD, max: 4 * PERIOD }),
  ),
});
const ARRIVALS = fc.array(fc.integer({ min: -1, max: 6 }), { minLength: 3, maxLength: 3 });

describe('recordHellos(), whatever happens', () => {
  it('admits no hello twice while it is fresh', () => {
    fc.assert(
      fc.property(ARRIVALS, fc.array(EVENT, { minLength: 30, maxLength: 120 }), (arrivals, events) => {
        const world = seededWorld('property', { now: START });
        let strategy = start(world, { maxEntries: 4 });
        let highest = START;
        const admitted = new Set<number>();
        for (const { what, hello, ms } of events) {
          if (what === 'wait') world.advance(Math.abs(ms) / 4);
          else if (what === 'step') world.advance(ms);
          else if (what === 'restart') strategy = start(world, { maxEntries: 4, saved: strategy.close() });
          else if (what === 'crash') {
            world.set(Math.max(world.now(), highest) - (Math.abs(ms) % (SKEW + 1))); // right again, but for the skew
            strategy = start(world, { maxEntries: 4 });
          }
          highest = Math.max(highest, world.now());
          const expected = START + PERIOD * (1 + (arrivals[hello] as number));
          if (strategy.isBlackedOut || Math.abs(expected - world.now()) > WINDOW) continue;
          if (!strategy.admit(attempt(String(hello), expected + WINDOW - world.now()))) continue;
          if (admitted.has(hello)) expect.fail(`hello ${hello} again`);
          admitted.add(hello);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
