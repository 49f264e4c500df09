import { expect } from 'chai';
import fc from 'fast-check';
import { NONE, SlotTable } from '../../src/cache/slot-table.ts';
import { runs } from '../support/runs.ts';

/** Some that collide, and some that do not but lie beside each other, in the same part and in others. */
const hashes = fc.oneof(
  fc.constantFrom(0, 1, 2, 3, 4, 8, -1, -2, 0x3ffffff, 0x4000000),
  fc.integer({ min: 0, max: 40 }),
  fc.integer(),
);

function slotsUnder(table: SlotTable, hash: number): number[] {
  const slots: number[] = [];
  for (let slot = table.find(hash); slot !== NONE; slot = table.find(hash, slots.length)) slots.push(slot);
  return slots.sort((a, b) => a - b);
}

describe('SlotTable', () => {
  it('is what a list of pairs is, whatever is inserted and deleted', () => {
    const operations = fc.array(fc.tuple(fc.constantFrom('insert', 'insert', 'delete'), hashes, fc.nat()), {
      maxLength: 300,
      size: 'max',
    });
    fc.assert(
      fc.property(operations, (history) => {
        const table = new SlotTable();
        const pairs: { readonly hash: number; readonly slot: number }[] = [];
        let next = 0;
        for (const [verb, hash, n] of history) {
          const pair = pairs[n % Math.max(1, pairs.length)];
          if (verb === 'insert') {
            pairs.push({ hash, slot: next });
            table.insert(hash, next++);
          } else if (pair !== undefined) {
            table.delete(pair.hash, pair.slot);
            pairs.splice(pairs.indexOf(pair), 1);
          }
        }
        for (const hash of new Set(history.map(([, one]) => one))) {
          const expected = pairs.filter((pair) => pair.hash === hash).map(({ slot }) => slot);
          expect(slotsUnder(table, hash)).to.deep.equal(expected.sort((a, b) => a - b));
        }
      }),
      runs(200),
    );
  });

  it('keeps no trace of what was deleted, however much has gone through it', () => {
    const table = new SlotTable();
    for (let n = 0; n < 100_000; n++) {
      table.insert(n % 7, n);
      if (n >= 5) table.delete((n - 5) % 7, n - 5);
    }
    expect([0, 1, 2, 3, 4, 5, 6].flatMap((hash) => slotsUnder(table, hash))).to.have.members([
      99_995, 99_996, 99_997, 99_998, 99_999,
    ]);
    for (let n = 99_995; n < 100_000; n++) table.delete(n % 7, n);
    table.reset();
    expect(slotsUnder(table, 1)).to.deep.equal([]);
  });
});
