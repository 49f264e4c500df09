import { expect } from 'chai';
import fc from 'fast-check';
import { ExpiryLists } from '../../src/cache/expiry-lists.ts';
import { NONE } from '../../src/cache/slot-table.ts';
import { runs } from '../support/runs.ts';

/** Few, so that many meet; and some that differ in the upper half only. */
const seconds = fc.oneof(
  fc.nat(12),
  fc.nat(12).map((n) => n * 2 ** 32),
  fc.constantFrom(2 ** 31, 2 ** 53 - 1, 2 ** 54 - 2),
);

describe('ExpiryLists', () => {
  it('are what a sorted array is, in which a newcomer is the last of its second', () => {
    const operation = fc.tuple(fc.constantFrom('insert', 'insert', 'move', 'delete', 'first'), fc.nat(60), seconds);
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 300, size: 'max' }), (history) => {
        const lists = new ExpiryLists();
        let model: { readonly slot: number; readonly expires: number }[] = [];
        const without = (slot: number) => model.filter((one) => one.slot !== slot);
        for (const [verb, slot, expires] of history) {
          const isIn = model.some((one) => one.slot === slot);
          const first = model[0]?.slot ?? NONE;
          expect(lists.first).to.equal(first);
          if (verb === 'first' && first !== NONE) {
            lists.delete(first);
            model = without(first);
          } else if (verb === 'delete' && isIn) {
            lists.delete(slot);
            model = without(slot);
          } else if (verb === 'insert' ? !isIn : verb === 'move' && isIn) {
            if (isIn) lists.move(slot, expires);
            else lists.insert(slot, expires);
            model = [...without(slot), { slot, expires }].sort((a, b) => a.expires - b.expires);
          }
          const listed = lists.sorted().map((one) => `${one}: ${lists.expires(one)}`);
          expect(listed.join()).to.equal(model.map((one) => `${one.slot}: ${one.expires}`).join());
        }
      }),
      runs(80),
    );
  });

  it('have each second in its turn, though no two end together', () => {
    const lists = new ExpiryLists();
    const spread = (n: number) => (n * 7919) % 100_003; // prime: each second once
    for (let slot = 0; slot < 100_003; slot++) lists.insert(slot, spread(slot));
    for (let second = 0; second < 100_003; second++) {
      const expires = lists.expires(lists.first);
      if (expires !== second) expect.fail(`${expires} in the turn of ${second}`);
      lists.delete(lists.first);
    }
    lists.reset();
    lists.insert(3, 5);
    expect(lists.sorted()).to.deep.equal([3]);
  });
});
