import { expect } from 'chai';
import fc from 'fast-check';
import { ByteQueue, withoutSlack } from '../../src/wire/byte-queue.ts';

/** What may be done to a queue: bytes go in, or so many come out. */
const operation = fc.oneof(
  fc.uint8Array({ maxLength: 40 }).map((push) => ({ push, take: 0, trims: false })),
  fc.uint8Array({ minLength: 3000, maxLength: 5000 }).map((push) => ({ push, take: 0, trims: false })),
  fc.record({ take: fc.nat(6000), trims: fc.boolean() }).map((taking) => ({ push: new Uint8Array(0), ...taking })),
);

/** The memory that a view keeps. */
const memoryOf = (view: Uint8Array): number => view.buffer.byteLength;

describe('ByteQueue', () => {
  it('gives back what went in, in order, and what it gave stays as it was', () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 60 }), (operations) => {
        const queue = new ByteQueue();
        let waiting: number[] = [];
        const taken: { view: Uint8Array; bytes: number[] }[] = [];
        for (const { push, take, trims } of operations) {
          waiting.push(...push);
          queue.push(push);
          push.fill(0); // the caller's array is the caller's again
          const length = Math.min(take, waiting.length);
          taken.push({ view: queue.take(length), bytes: waiting.slice(0, length) });
          waiting = waiting.slice(length);
          if (trims) queue.trim();
          expect(queue.length).to.equal(waiting.length);
          expect(waiting.map((_, index) => queue.at(index))).to.deep.equal(waiting);
        }
        for (const { view, bytes } of taken) expect([...view]).to.deep.equal(bytes);
      }),
    );
  });

  it('is empty after clear, and can be used again', () => {
    const queue = new ByteQueue();
    queue.push(Uint8Array.of(1, 2, 3));
    queue.take(1);
    queue.clear();
    expect(queue.length).to.equal(0);
    queue.push(Uint8Array.of(4));
    expect([...queue.take(1)]).to.deep.equal([4]);
  });

  it('takes a megabyte in single bytes without copying it each time', () => {
    const queue = new ByteQueue();
    for (let i = 0; i < 1_000_000; i++) queue.push(Uint8Array.of(i & 0xff));
    expect(queue.length).to.equal(1_000_000);
    expect(queue.at(999_999)).to.equal(999_999 & 0xff);
  }).timeout(5000);

  it('takes at most a quarter more memory than it has bytes, and 512 bytes, however they come', () => {
    for (const size of [1, 7, 1000, 16_384]) {
      const queue = new ByteQueue();
      for (let length = 0; length < 100_000; length += size) queue.push(new Uint8Array(size));
      const { length } = queue;
      expect(memoryOf(queue.take(length)), `pieces of ${size}`).to.be.within(length, length * 1.25 + 512);
    }
  });

  it('keeps no more than that of a large array once it is trimmed', () => {
    const queue = new ByteQueue();
    queue.push(new Uint8Array(65_536));
    queue.take(60_000);
    queue.trim();
    expect(memoryOf(queue.take(5536))).to.equal(5536);
  });

  it('keeps nothing of what an adopted view is a view of once it is trimmed', () => {
    const queue = new ByteQueue();
    queue.adopt(new Uint8Array(65_536).subarray(100, 200));
    queue.trim();
    expect(memoryOf(queue.take(100))).to.equal(512);
  });

  it('is left as it is if there is little to give back', () => {
    const bytes = new Uint8Array(1000);
    const queue = new ByteQueue();
    queue.adopt(bytes.subarray(200));
    queue.trim();
    expect(queue.take(800).buffer).to.equal(bytes.buffer);
  });
});

describe('withoutSlack', () => {
  it('copies a view if more than 512 bytes would be kept for nothing', () => {
    for (const [length, isCopied] of [
      [1312, false],
      [1313, true],
      [70_000, true],
    ] as const) {
      const view = new Uint8Array(length).subarray(0, 800);
      view[0] = 7;
      const bytes = withoutSlack(view);
      expect(memoryOf(bytes), `of ${length}`).to.equal(isCopied ? 800 : length);
      expect(bytes[0]).to.equal(7);
    }
  });

  it('copies at most 64 bytes in any case, which would keep all that came with them', () => {
    for (const [length, memory] of [
      [64, 64],
      [65, 577],
    ] as const)
      expect(memoryOf(withoutSlack(new Uint8Array(577).subarray(0, length)))).to.equal(memory);
  });
});
