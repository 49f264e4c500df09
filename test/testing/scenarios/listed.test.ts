/** Scenarios as tests of a runner. */

import { expect } from 'chai';
import { defineServer } from '../../../src/engine/server/define-server.ts';
import type { ServerOptions } from '../../../src/engine/server/options.ts';
import { ServerConnection } from '../../../src/engine/server/server-connection.ts';
import { scenarios } from '../../../src/testing/catalogue/scenarios.ts';
import type { ServerUnderTest } from '../../../src/testing/scenarios/bench.ts';
import { memoryServer } from '../../../src/testing/scenarios/in-memory.ts';
import { type ListedServerScenario, listedServer, ScenarioFailure } from '../../../src/testing/scenarios/listed.ts';
import { NotRun } from '../../../src/testing/scenarios/visit.ts';
import { seededWorld } from '../../../src/testing/seeded-world.ts';
import { credential } from '../../support/servers.ts';

function serverWith(options: Partial<ServerOptions> = {}): ServerUnderTest {
  const world = seededWorld('listed');
  const config = defineServer({ world: world.fork('peer'), credentials: [credential('ecdsaP256')], ...options });
  return memoryServer({ ServerConnection, config, world });
}

function scenarioOf(id: string, changes: Partial<ListedServerScenario> = {}): ListedServerScenario {
  const found = scenarios.forServers().find((one) => one.id === id);
  if (found === undefined) throw new Error(`no scenario is ${id}`);
  return listedServer({ ...found, ...changes });
}

async function errorOf(run: Promise<unknown>): Promise<unknown> {
  return run.then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe('a scenario in a test', () => {
  const id = 'server/psk/binders-rotated';

  it('passes, and returns what came of each version', async () => {
    const judgements = await scenarioOf(id).judge(serverWith());
    expect(judgements.map(({ version, verdict, got }) => [version, verdict, got])).to.deep.equal([
      ['TLSv1.3', 'pass', 'decrypt_error'],
    ]);
  });

  it('fails with what was expected and what came, and the text that says so', async () => {
    const failure = await errorOf(scenarioOf(id, { expect: ['resumes'] }).judge(serverWith()));
    if (!(failure instanceof ScenarioFailure)) throw new Error('no failure');
    const { clause } = scenarioOf(id);
    expect(failure.message).to.equal(`${id} (TLSv1.3): resumes is wanted by ${clause}, and not decrypt_error`);
    expect([failure.expected, failure.actual]).to.deep.equal(['resumes', 'decrypt_error']);
    expect(failure.judgement.visits.length).to.be.above(1);
  });

  it('fails for a SHOULD only if it is asked to', async () => {
    const scenario = scenarioOf(id, { expect: ['resumes'], severity: 'should' });
    expect((await scenario.judge(serverWith())).map(({ verdict }) => verdict)).to.deep.equal(['finding']);
    expect(await errorOf(scenario.judge(serverWith(), { severity: 'should' }))).to.be.instanceOf(ScenarioFailure);
  });

  it('is skipped by the context of the test where it cannot be run, and without one is an error', async () => {
    const none = () => serverWith({ tickets: { mode: 'off' } });
    const context = {
      reasons: [] as string[],
      skip(reason: string) {
        this.reasons.push(reason);
      },
    };
    await scenarioOf(id).judge(none(), context);
    expect(context.reasons).to.deep.equal(['the server hands out no session']);
    const error = await errorOf(scenarioOf(id).judge(none()));
    expect(error)
      .to.be.instanceOf(NotRun)
      .with.property('message')
      .match(/not run: the server hands out no session; pass/);
  });

  it('is no pass of a peer that completes no handshake, and tries that once', async () => {
    const world = seededWorld('listed');
    let count = 0;
    const closing: ServerUnderTest = {
      world,
      serverName: 'localhost',
      can: () => true,
      wait: async () => {},
      connect: async (tester) => {
        count++;
        tester.transportEnded();
        return 'closed';
      },
    };
    const refusing = scenarioOf('server/hello/compression-other');
    const reasons: string[] = [];
    const context = { versions: ['TLSv1.3'] as const, skip: (reason: string) => void reasons.push(reason) };
    for (let i = 0; i < 3; i++) {
      const judgements = await refusing.judge(closing, context);
      expect(judgements.map(({ verdict }) => verdict)).to.deep.equal(['not-run']);
    }
    expect(reasons).to.deep.equal(new Array(3).fill('a handshake without fault ends so: closes'));
    expect(count).to.equal(2); // a handshake that fails is tried once more
  });

  it('waits for its turn where several are put to one peer at once', async () => {
    const server = serverWith();
    const running = { now: 0, most: 0 };
    const slow: ServerUnderTest = {
      ...server,
      connect: async (tester) => {
        running.most = Math.max(running.most, ++running.now);
        await new Promise(setImmediate);
        const ending = await server.connect(tester);
        running.now--;
        return ending;
      },
    };
    const all = [scenarioOf(id), scenarioOf(id), scenarioOf(id, { expect: ['resumes'] }), scenarioOf(id)];
    const settled = await Promise.allSettled(all.map((one) => one.judge(slow)));
    expect(settled.map(({ status }) => status)).to.deep.equal(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
    expect(running.most).to.equal(1);
  });

  it('throws what skip() throws', async () => {
    const pending = new Error('pending');
    const skip = () => {
      throw pending;
    };
    expect(await errorOf(scenarioOf(id).judge(serverWith({ tickets: { mode: 'off' } }), { skip }))).to.equal(pending);
  });

  it('lets go of the sessions that it was given', async () => {
    const [judgement] = await scenarioOf(id).judge(serverWith());
    const sessions = judgement?.visits.flatMap((visit) => visit.sessions) ?? [];
    expect(sessions.length).to.be.above(0);
    expect(sessions.map(({ holds }) => holds)).to.deep.equal(sessions.map(() => 0));
  });
});
