import { expect } from 'chai';
import { SpareWords } from '../../../src/crypto/providers/spare-words.ts';

describe('spare words', () => {
  it('are those that were given back, overwritten, 64 of them at most', () => {
    const spare = new SpareWords(5);
    const given = Array.from({ length: 65 }, () => spare.take().fill(7));
    for (const words of given) spare.giveBack(words);
    const taken = given.map(() => spare.take());
    expect(taken.filter((words) => given.includes(words))).to.have.length(64);
    for (const words of [...given, ...taken]) expect([...words]).to.deep.equal([0, 0, 0, 0, 0]);
  });
});
