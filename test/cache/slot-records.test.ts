import { expect } from 'chai';
import { BYTES, HASH, NEXT, PREVIOUS, recordAt, SECOND, SlotRecords } from '../../src/cache/slot-records.ts';

const FIELDS = [0, HASH, SECOND, NEXT, PREVIOUS, BYTES];
const SLOTS = 5000;

describe('SlotRecords', () => {
  it('keep each field of each slot apart, in one page or in several', () => {
    const records = new SlotRecords();
    for (let slot = 0; slot < SLOTS; slot++) {
      records.reach(slot);
      for (const field of FIELDS) records.set(slot, field, 100 * slot + field);
    }
    for (let slot = 0; slot < SLOTS; slot++) {
      const page = records.pageOf(slot);
      for (const field of FIELDS) {
        expect(records.get(slot, field)).to.equal(100 * slot + field);
        expect(page[recordAt(slot) + field]).to.equal(100 * slot + field);
      }
    }
    expect(new Set(Array.from({ length: SLOTS }, (_, slot) => records.pageOf(slot))).size).to.be.greaterThan(1);
  });

  it('have room for all slots before the one that was asked for, and for none once they are reset', () => {
    const records = new SlotRecords();
    records.reach(SLOTS);
    const before = records.pageOf(0);
    records.reach(7);
    expect(records.pageOf(0), 'what is there stays where it is').to.equal(before);
    records.reset();
    expect(records.pageOf(0)).to.equal(undefined);
    records.reach(0);
    expect(records.get(0, NEXT)).to.equal(0);
  });
});
