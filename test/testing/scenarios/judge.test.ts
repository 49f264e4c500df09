/** What a reaction is, set against what is expected: RFC 9846 §6.2. */

import { expect } from 'chai';
import { judgeServer } from '../../../src/testing/scenarios/judge.ts';
import type { ServerScenario, Severity } from '../../../src/testing/scenarios/scenario.ts';
import type { Reaction } from '../../../src/testing/scenarios/visit.ts';
import { seededWorld } from '../../../src/testing/seeded-world.ts';

/** Judges this reaction where `expected` are allowed. */
async function judge(got: Reaction, expected: readonly Reaction[], severity: Severity = 'must'): Promise<string> {
  const scenario: ServerScenario = {
    id: 'server/none/judged',
    title: 'a reaction',
    clause: 'RFC 9846 §6.2',
    reason: '',
    side: 'server',
    versions: ['TLSv1.3'],
    mechanism: 'none',
    severity,
    expect: expected,
    run: async () => got,
  };
  const world = seededWorld('judge');
  const peer = {
    world,
    serverName: undefined,
    can: () => true,
    wait: async () => {},
    connect: async () => 'closed' as const,
  };
  const { verdict, severity: found } = await judgeServer(scenario, peer, 'TLSv1.3');
  return verdict === 'finding' ? `${verdict}, ${found}` : verdict;
}

describe('the verdict on a reaction', () => {
  it('§6.2: where an alert is named, another one is as grave as none: the peer must send that one, if it sends any', async () => {
    expect(await judge('illegal_parameter', ['illegal_parameter'])).to.equal('pass');
    expect(await judge('decode_error', ['illegal_parameter'])).to.equal('finding, must');
    expect(await judge('resumes', ['illegal_parameter'])).to.equal('finding, must');
    expect(await judge('decode_error', ['illegal_parameter'], 'should')).to.equal('finding, should');
  });

  it('§6.2: to close without the alert that is named is less grave: that it is sent is a SHOULD', async () => {
    expect(await judge('closes', ['illegal_parameter'])).to.equal('finding, should');
    expect(await judge('closes', ['illegal_parameter', 'closes'])).to.equal('pass');
    expect(await judge('closes', ['full handshake'])).to.equal('finding, must');
  });

  it('§6.2: where no alert is named, each will do, and so will the end of the transport', async () => {
    for (const got of ['illegal_parameter', 'internal_error', 'closes'] as const)
      expect(await judge(got, ['aborts']), got).to.equal('pass');
    for (const got of ['resumes', 'full handshake', 'hangs', 'differs: it is'] as const)
      expect(await judge(got, ['aborts']), got).to.equal('finding, must');
  });

  it('is no finding where no text speaks', async () => {
    expect(await judge('closes', ['illegal_parameter'], 'observed')).to.equal('differs');
  });
});
