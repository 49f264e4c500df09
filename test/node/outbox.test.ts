/** What waits to be encrypted: pieces of a limited size, in order, whatever the chunks are. */

import { expect } from 'chai';
import { Outbox } from '../../src/node/outbox.ts';

const LIMIT = 64;

function filled(...sizes: readonly number[]): Outbox {
  const outbox = new Outbox();
  let value = 0;
  outbox.put(
    sizes.map((size) => Buffer.from(Array.from({ length: size }, () => value++))),
    () => {},
  );
  return outbox;
}

describe('an Outbox', () => {
  for (const [sizes, pieces] of [
    [
      [40, 40, 40],
      [64, 56],
    ],
    [[64], [64]],
    [[65], [64, 1]],
    [
      [63, 1, 1],
      [64, 1],
    ],
    [[1, 63], [64]],
    [
      [64, 64],
      [64, 64],
    ],
    [[200], [64, 64, 64, 8]],
    [[0, 5, 0], [5]],
  ] as const) {
    it(`gives at most ${LIMIT} bytes at a time of chunks of ${sizes.join(', ')}, in order`, () => {
      const outbox = filled(...sizes);
      const taken: Buffer[] = [];
      while (!outbox.isEmpty) taken.push(outbox.take(LIMIT));
      expect(taken.map(({ length }) => length)).to.deep.equal(pieces);
      expect([...Buffer.concat(taken)]).to.deep.equal(Array.from(Buffer.concat(taken).keys()));
    });
  }

  it('copies no chunk that is taken alone', () => {
    const outbox = new Outbox();
    const chunk = Buffer.alloc(10);
    outbox.put([chunk], () => {});
    expect(outbox.take(LIMIT).buffer).to.equal(chunk.buffer);
  });

  it('is pending until it is finished, which drops the rest and calls back once', () => {
    const outcomes: unknown[] = [];
    const outbox = new Outbox();
    expect([outbox.isPending, outbox.isEmpty]).to.deep.equal([false, true]);
    outbox.put([Buffer.alloc(LIMIT + 1)], (error) => outcomes.push(error));
    outbox.take(LIMIT);
    expect([outbox.isPending, outbox.isEmpty]).to.deep.equal([true, false]);
    const error = new Error('lost');
    outbox.finish(error);
    outbox.finish();
    expect([outbox.isPending, outbox.isEmpty, outcomes]).to.deep.equal([false, true, [error]]);
  });
});
