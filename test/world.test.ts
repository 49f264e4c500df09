/** The dice of the host, and how they are thrown. */

import { expect } from 'chai';
import { toHex } from '../src/wire/bytes.ts';
import { drawRandom, systemWorld } from '../src/world.ts';

describe('systemWorld.randomBytes()', () => {
  for (const length of [0, 1, 32, 255, 256, 257, 4096, 65536, 65537, 200_000]) {
    it(`draws ${length} bytes`, () => {
      const bytes = systemWorld.randomBytes(length);
      expect(bytes.length).to.equal(length);
      if (length >= 32) expect(bytes.subarray(-32).some((byte) => byte !== 0)).to.equal(true);
    });
  }

  it('hands nothing out twice, however the draws fall on the refills', () => {
    const seen = new Set<string>();
    for (let i = 0; i < 20_000; i++) seen.add(toHex(systemWorld.randomBytes(16 + (i % 240)).subarray(0, 16)));
    expect(seen.size).to.equal(20_000);
  });

  it('gives each caller bytes of its own', () => {
    const [first, second] = [systemWorld.randomBytes(32), systemWorld.randomBytes(32)];
    const before = toHex(second);
    expect(first.buffer).not.to.equal(second.buffer);
    first.fill(0);
    expect(toHex(second)).to.equal(before);
  });

  it('is evenly spread', () => {
    const counts = new Array<number>(256).fill(0);
    for (let i = 0; i < 8192; i++)
      for (const byte of systemWorld.randomBytes(32)) counts[byte] = (counts[byte] ?? 0) + 1;
    for (const count of counts) expect(count).to.be.within(512, 1536); // 1024 expected; 16 standard deviations
  });
});

describe('drawRandom()', () => {
  it('refuses fewer bytes than were asked for', () => {
    const world = { now: () => 0, randomBytes: (length: number) => new Uint8Array(length - 1) };
    expect(() => drawRandom(world, 32)).to.throw(RangeError, 'returned 31 bytes');
  });
});
