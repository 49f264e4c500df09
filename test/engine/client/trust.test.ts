import { expect } from 'chai';
import { defaultProvider } from '../../../src/crypto/providers/default.ts';
import { isSameTrust, trust } from '../../../src/engine/client/trust.ts';

const [pin, other] = ['00'.repeat(32), 'ff'.repeat(32)];

describe('the decision about servers', () => {
  const judge = () => true;
  const of = (verifyServer: Parameters<typeof trust>[0], ...pins: readonly string[]) =>
    trust(verifyServer, pins.length === 0 ? undefined : pins, defaultProvider);

  it('is the same by the same function and the same pins, in any order', () => {
    expect(isSameTrust(of(judge), of(judge))).to.equal(true);
    expect(isSameTrust(of(judge, pin, other), of(judge, other, pin))).to.equal(true);
    expect(isSameTrust(of(undefined, pin), of(undefined, pin))).to.equal(true);
  });

  it('is another by another function, or by other pins', () => {
    expect(
      isSameTrust(
        of(() => true),
        of(() => true),
      ),
    ).to.equal(false);
    expect(isSameTrust(of(judge), of(judge, pin))).to.equal(false);
    expect(isSameTrust(of(judge, pin), of(judge, pin, other))).to.equal(false);
    expect(isSameTrust(of('any'), of(judge))).to.equal(false);
    expect(isSameTrust(of('any', pin), of(undefined, other))).to.equal(false);
  });

  it('is the same for a copy of it, as for what a session keeps of it', () => {
    const own = of(judge, pin);
    expect(isSameTrust({ ...own }, own)).to.equal(true);
    expect(isSameTrust({ verifyServer: judge, pins: [pin] }, own)).to.equal(true);
    expect(isSameTrust({ verifyServer: judge, pins: [] }, own)).to.equal(false);
  });
});
