import { expect } from 'chai';
import fc from 'fast-check';
import { ByteQueue } from '../../src/wire/byte-queue.ts';

/** What may be done to a queue: bytes go in, or so many come out. */
const operation = fc.oneof(
  fc.uint8Array({ maxLength: 40 }).map((push) => ({ push, take: 0 })),
  fc.nat(60).map((take) => ({ push: new Uint8Array(0), take })),
);

describe('ByteQueue', () => {
  it('gives back what went in, in order, and what it gave stays as it was', () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 60 }), (operations) => {
        const queue = new ByteQueue();
        let waiting: number[] = [];
        const taken: { view: Uint8Array; bytes: number[] }[] = [];
        for (const { push, take } of operations) {
          waiting.push(...push);
          queue.push(push);
          push.fill(0); // the caller's array is the caller's again
          const length = Math.min(take, waiting.length);
          taken.push({ view: queue.take(length), bytes: waiting.slice(0, length) });
          waiting = waiting.slice(length);
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
});
