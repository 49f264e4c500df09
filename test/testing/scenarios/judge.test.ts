/** What a reaction is, set against what is expected: RFC 9846 §6.2. */

import { expect } from 'chai';
import type { ServerBench, ServerUnderTest } from '../../../src/testing/scenarios/bench.ts';
import { judgeServer } from '../../../src/testing/scenarios/judge.ts';
import type { Party } from '../../../src/testing/scenarios/party.ts';
import type { ServerScenario, Severity } from '../../../src/testing/scenarios/scenario.ts';
import type { Ending, Reaction } from '../../../src/testing/scenarios/visit.ts';
import { type SeededWorld, seededWorld } from '../../../src/testing/seeded-world.ts';

const SCENARIO = {
  id: 'server/none/judged',
  title: 'a reaction',
  clause: 'RFC 9846 §6.2',
  reason: '',
  side: 'server',
  versions: ['TLSv1.3'],
  mechanism: 'none',
  severity: 'must',
} as const;

/** Judges this reaction where `expected` are allowed. */
async function judge(got: Reaction, expected: readonly Reaction[], severity: Severity = 'must'): Promise<string> {
  const scenario: ServerScenario = {
    ...SCENARIO,
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

/** Judges a server that does so, by a scenario that connects again and again. The limit is 60 s. */
async function judgeTime(
  connect: (tester: Party, world: SeededWorld) => Promise<Ending>,
  expected: readonly Reaction[] = ['conforms'],
): Promise<{ readonly connections: number; readonly told: string }> {
  const world = seededWorld('time');
  let connections = 0;
  const peer: ServerUnderTest = {
    world,
    scenarioLimitMs: 60_000,
    serverName: undefined,
    can: () => true,
    wait: async () => {},
    connect: (tester) => {
      connections++;
      return connect(tester, world);
    },
  };
  const run = async (bench: ServerBench): Promise<Reaction> => {
    const client = bench.client();
    for (let i = 0; i < 1000; i++) await client.visit();
    return 'conforms';
  };
  const scenario = { ...SCENARIO, expect: expected, run };
  const { verdict, got } = await judgeServer(scenario, peer, 'TLSv1.3');
  return { connections, told: `${verdict}: ${got}` };
}

describe('the time of a scenario', () => {
  it('is bounded for all its connections together: a peer that hangs is found to hang', async () => {
    const hanging = async (_: Party, world: SeededWorld): Promise<Ending> => {
      world.advance(5000);
      return 'late';
    };
    expect(await judgeTime(hanging)).to.deep.equal({ connections: 12, told: 'finding: hangs' });
    expect((await judgeTime(hanging, ['hangs'])).told).to.equal('not-run: its connections have taken 60 s');
  });

  it('is bounded for a peer that is slow as well, of which nothing is found', async () => {
    const slow = async (tester: Party, world: SeededWorld): Promise<Ending> => {
      world.advance(4000);
      tester.transportEnded();
      return 'closed';
    };
    expect(await judgeTime(slow)).to.deep.equal({
      connections: 15,
      told: 'not-run: its connections have taken 60 s',
    });
  });

  it('lets go of a connection whose peer throws', async () => {
    let disposals = 0;
    const failure = await judgeTime((tester) => {
      const dispose = tester.dispose.bind(tester);
      tester.dispose = () => {
        disposals++;
        dispose();
      };
      throw new RangeError('at once');
    }).catch((error: unknown) => error);
    expect(failure).to.be.instanceOf(RangeError);
    expect(disposals).to.equal(1);
  });
});

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
