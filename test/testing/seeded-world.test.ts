/** The seeded world: the same seed, the same bytes. */

import { expect } from 'chai';
import { seededWorld } from '../../src/testing.ts';
import { toHex } from '../../src/wire/bytes.ts';

const draw = (world: ReturnType<typeof seededWorld>, label?: string, length = 8): string =>
  toHex(world.randomBytes(length, label));

describe('seededWorld()', () => {
  it('draws the same bytes from the same seed, in every process', () => {
    expect(draw(seededWorld('seed 1'))).to.equal('b5f781823c4391cf');
    expect(draw(seededWorld('seed 1'), 'random')).to.equal('345279fca845247f');
    expect(draw(seededWorld(Uint8Array.of(1, 2)).fork('a'))).to.equal('ae8e964ebc97fd24');
  });

  it('draws other bytes from another seed, also from a text that spells the bytes of one', () => {
    const seeds = ['', 'a', 'b', Uint8Array.of(0x61), Buffer.from('\0a'), new Uint8Array(0)];
    expect(new Set(seeds.map((seed) => draw(seededWorld(seed)))).size).to.equal(seeds.length);
  });

  it('draws other bytes each time, and under each label', () => {
    const world = seededWorld('a');
    const drawn = [draw(world), draw(world), draw(world, 'x'), draw(world, 'x'), draw(world, 'y')];
    expect(new Set(drawn).size).to.equal(5);
  });

  it('keeps the dice of one label where they are, whatever is drawn under another', () => {
    const [one, other] = [seededWorld('a'), seededWorld('a')];
    for (let i = 1; i < 5; i++) other.randomBytes(100 * i, 'more');
    expect(draw(other, 'random')).to.equal(draw(one, 'random'));
    expect(draw(other)).to.equal(draw(one));
  });

  it('keeps them where they are if one draw is longer', () => {
    const [one, other] = [seededWorld('a'), seededWorld('a')];
    one.randomBytes(1, 'x');
    other.randomBytes(1000, 'x');
    expect(draw(other, 'x')).to.equal(draw(one, 'x'));
  });

  for (const length of [0, 1, 31, 32, 33, 64, 1000]) {
    it(`draws ${length} bytes, and no part of them twice`, () => {
      const bytes = seededWorld('a').randomBytes(length);
      expect(bytes.length).to.equal(length);
      const blocks = Array.from({ length: length >> 5 }, (_, i) => toHex(bytes.subarray(32 * i, 32 * i + 32)));
      expect(new Set(blocks).size).to.equal(blocks.length);
    });
  }

  it('forks: the same clock, and dice that depend on the label alone', () => {
    const world = seededWorld('a');
    const early = world.fork('client');
    world.randomBytes(5);
    expect(draw(world.fork('client'))).to.equal(draw(early));
    expect(draw(world.fork('server'))).not.to.equal(draw(world.fork('client')));
    world.advance(5);
    expect(early.now()).to.equal(world.now());
  });

  it('has a clock that stands still until it is moved', () => {
    const world = seededWorld('a', { now: 1000 });
    expect(world.now()).to.equal(1000);
    world.advance(500);
    world.advance(-200);
    expect(world.now()).to.equal(1300);
    world.set(7);
    expect(world.now()).to.equal(7);
    expect(seededWorld('a').now()).to.equal(Date.UTC(2026, 0, 1));
  });

  it('refuses what is no seed and no time', () => {
    const seed: unknown = 5;
    expect(() => seededWorld(seed as string)).to.throw(
      TypeError,
      'seed: a text or a Uint8Array is wanted, not a number',
    );
    expect(() => seededWorld('a', { now: -1 })).to.throw(RangeError, 'now: milliseconds');
    expect(() => seededWorld('a', { now: Number.NaN })).to.throw(RangeError, 'now: milliseconds');
    const world = seededWorld('a', { now: 5 });
    expect(() => world.advance(-6)).to.throw(RangeError, 'milliseconds');
    expect(world.now()).to.equal(5);
    const options: object = { time: 1 };
    expect(() => seededWorld('a', options)).to.throw(TypeError, 'unknown option time');
  });
});
