/** What the bench computes with: if it were wrong, so would be every figure. */

import { expect } from 'chai';
import fc from 'fast-check';
import { figure } from '../bench/figure.ts';
import { FULL, RESUMPTIONS } from '../bench/modes.ts';
import { parseOptions } from '../bench/options.ts';
import { toSvg } from '../bench/plot.ts';
import { Replay, runCalls } from '../bench/replay.ts';
import { toMarkdown } from '../bench/report.ts';
import { pairedRatios, spreadOf } from '../bench/statistics.ts';
import { targetOf } from '../bench/targets.ts';
import type { CryptoProvider, KeyAgreement } from '../src/crypto/provider.ts';
import { noble } from '../src/crypto/providers/noble.ts';

const MEASURED = {
  name: 'sockets/tls12-id/fast',
  peerName: 'node:tls',
  unit: 'us',
  ours: [50, 60, 90],
  peer: [100, 100, 100],
};

describe('bench: figures', () => {
  it('describe measurements by their quartiles', () => {
    expect(spreadOf([4, 1, 3, 2])).to.deep.equal({ min: 1, q1: 1.75, median: 2.5, q3: 3.25, max: 4 });
    expect(() => spreadOf([])).to.throw(RangeError);
  });

  it('are ordered, whatever is measured', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 1 }), (values) => {
        const { min, q1, median, q3, max } = spreadOf(values);
        expect([min, q1, median, q3, max]).to.deep.equal([min, q1, median, q3, max].sort((a, b) => a - b));
        expect([min, max]).to.deep.equal([Math.min(...values), Math.max(...values)]);
      }),
    );
  });

  it('compare round with round: a spell that slows both down changes nothing', () => {
    expect(pairedRatios([50, 500, 50], [100, 1000, 100])).to.deep.equal([0.5, 0.5, 0.5]);
    expect(() => pairedRatios([1], [1, 2])).to.throw(RangeError);
  });

  it('know their target, and say whether it is reached', () => {
    const reached = figure(MEASURED);
    expect(reached.ratio).to.equal(0.6);
    expect(reached.target).to.deep.equal({ must: 0.75, aim: 0.6 });
    expect(toMarkdown([reached])).to.include('| ≤ 0.75 | reached |');
    expect(toMarkdown([figure({ ...MEASURED, ours: [80, 80, 80] })])).to.include('| ≤ 0.75 | MISSED |');
  });

  it('of a million sessions have targets, of fewer they have none', () => {
    for (const what of ['hit', 'evict', 'memory', 'longest GC pause under load']) {
      expect(targetOf(`cache/1000000/${what}`)).to.deep.equal({ must: 1, aim: 0.8 });
      expect(targetOf(`cache/20480/${what}`)).to.equal(undefined);
    }
  });

  it('of accepted early data have one target, whatever the provider, against a resumption without data', () => {
    for (const provider of ['default', 'fast+nodeCrypto'])
      expect(targetOf(`early-data/tls13-psk_dhe_ke/${provider}`)).to.deep.equal({ must: 1.25 });
    expect(targetOf('early-data/tls13-psk_dhe_ke/default/data')).to.equal(undefined);
  });

  it('are drawn, each under its name', () => {
    const svg = toSvg([figure(MEASURED)]);
    expect(svg).to.match(/^<svg [^>]+>\n/);
    expect(svg).to.include('>sockets/tls12-id/fast</text>');
    expect(svg).to.not.include('NaN');
  });
});

describe('bench: command line', () => {
  it('takes what it knows and names what it does not', () => {
    expect(parseOptions(['--rounds', '9', '--modes', 'tls12-id'], 'f.json')).to.include({ rounds: 9, json: 'f.json' });
    expect(parseOptions(['--help'], '')).to.equal(undefined);
    expect(() => parseOptions(['--providers', 'magic'], '')).to.throw(TypeError, 'magic');
    expect(() => parseOptions(['--modes', 'tls11'], '')).to.throw(TypeError, 'tls11');
    expect(() => parseOptions(['--rounds', '0'], '')).to.throw(TypeError, '--rounds');
  });
});

/** Answers later, and never with the same key: as a provider does that has its own dice. */
const waiting: CryptoProvider = {
  ...noble,
  groups: { x25519: { generate: async () => (noble.groups.x25519 as KeyAgreement).generate(freshBytes) } },
};

function freshBytes(length: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(length));
}

describe('bench: replay', () => {
  for (const mode of [...RESUMPTIONS, ...FULL]) {
    it(`repeats a handshake of ${mode}, and the calls of its provider alone`, async () => {
      const replay = await Replay.of(mode, noble);
      replay.run();
      replay.run();
      expect(replay.isWaiting).to.equal(false);
      expect(replay.calls).to.have.lengthOf.at.least(10);
      runCalls(replay.calls);
    });
  }

  it('waits for a provider that answers later', async () => {
    const replay = await Replay.of('tls13-psk_dhe_ke', waiting);
    await replay.runWaiting();
    expect(replay.isWaiting).to.equal(true);
  });
});
