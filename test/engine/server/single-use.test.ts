/** The strategy of single-use tickets: a value, which the engine recognises. */

import { expect } from 'chai';
import { SingleUse, singleUse } from '../../../src/engine/server/single-use.ts';

describe('singleUse()', () => {
  it('has a window of ten seconds to either side, or as long as it is told', () => {
    expect(singleUse().windowMs).to.equal(10_000);
    expect(singleUse({ windowMs: 500 }).windowMs).to.equal(500);
    expect(singleUse({ windowMs: undefined }).windowMs).to.equal(10_000);
  });

  it('is recognised by its class', () => expect(singleUse()).to.be.instanceOf(SingleUse));

  it('says who admits, if anybody else calls it', () => {
    expect(() => singleUse().admit()).to.throw(Error, /^singleUse\(\): only a server can admit/);
  });

  const WRONG: readonly [unknown, unknown, string][] = [
    [{ window: 5 }, TypeError, 'unknown option window'],
    [{ windowMs: '5' }, TypeError, 'windowMs: a number is wanted, not a string'],
    [{ windowMs: 0 }, RangeError, 'windowMs is 0'],
    [{ windowMs: 604_800_001 }, RangeError, 'windowMs is 604800001'],
    [{ windowMs: null }, TypeError, 'windowMs: null is no value of it'],
    [null, TypeError, 'options: an object is wanted, not null'],
  ];
  for (const [options, type, message] of WRONG)
    it(`refuses ${JSON.stringify(options)}`, () => {
      expect(() => singleUse(options as never)).to.throw(type as typeof TypeError, message);
    });
});
