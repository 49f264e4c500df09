import { expect } from 'chai';
import fc from 'fast-check';
import { ExpirySeconds } from '../../src/cache/expiry-seconds.ts';
import { NONE } from '../../src/cache/slot-table.ts';
import { growth } from '../support/memory.ts';
import { runs } from '../support/runs.ts';

/** Near each other, and some that differ in the upper half only. */
const seconds = fc.oneof(
  fc.nat(40),
  fc.nat(5).map((n) => n * 2 ** 32),
);

describe('ExpirySeconds', () => {
  it('are what a Map from seconds to numbers is, and know the soonest', () => {
    fc.assert(
      fc.property(fc.array(seconds, { maxLength: 300, size: 'max' }), (history) => {
        const table = new ExpirySeconds();
        const model = new Map<number, number>();
        for (const [n, expires] of history.entries()) {
          const number = model.get(expires);
          expect(table.find(expires)).to.equal(number ?? NONE);
          if (number === undefined) {
            model.set(expires, table.open(expires, n));
          } else {
            table.close(number);
            model.delete(expires);
          }
          const sorted = [...model].sort(([a], [b]) => a - b).map(([, one]) => one);
          expect(table.sorted()).to.deep.equal(sorted);
          expect(table.first).to.equal(sorted[0] ?? NONE);
        }
        for (const [expires, number] of model) {
          expect(table.expires(number)).to.equal(expires);
          expect(history[table.head(number)], 'the head that it was opened with').to.equal(expires);
        }
      }),
      runs(200),
    );
  });

  it('use the numbers of seconds that are over again', () => {
    const table = new ExpirySeconds();
    const numbers = new Set<number>();
    for (let second = 0; second < 1000; second++) {
      numbers.add(table.open(second, second));
      if (second >= 9) table.close(table.find(second - 9));
    }
    expect(numbers.size).to.equal(10);
  });

  it('keep none of their lists after a reset', () => {
    const tables: ExpirySeconds[] = [];
    const limit = 300_000; // each list would be 400 kB, and the heap of a long run is not quiet
    const grown = growth(() => {
      const table = new ExpirySeconds();
      for (let n = 0; n < 50_000; n++) table.open(n, n);
      for (let n = 0; n < 50_000; n++) table.close(table.first);
      table.reset();
      tables.push(table);
    }, limit);
    expect(grown).to.be.below(limit);
    for (const table of tables) expect(table.open(5, 7)).to.equal(0);
  });
});
