/** Each scenario, proved twice: our own peer passes, and a mutant of it, which lacks the one check, does not. */

import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { ClientConnection } from '../../../src/engine/client/client-connection.ts';
import { defineClient } from '../../../src/engine/client/define-client.ts';
import { defineServer } from '../../../src/engine/server/define-server.ts';
import { ServerConnection } from '../../../src/engine/server/server-connection.ts';
import { scenarios } from '../../../src/testing/catalogue/scenarios.ts';
import { memoryClient, memoryServer } from '../../../src/testing/scenarios/in-memory.ts';
import { type Judgement, judgeClient, judgeServer } from '../../../src/testing/scenarios/judge.ts';
import type { Scenario } from '../../../src/testing/scenarios/scenario.ts';
import { seededWorld } from '../../../src/testing/seeded-world.ts';
import type { Version } from '../../../src/wire/registry.ts';
import { buildMutant, type Library, type MutantEdit } from '../../mutants/build.ts';
import { MUTANTS } from '../../mutants/catalogue.ts';
import { peerOptions } from '../../mutants/peers.ts';
import { many } from '../../support/runs.ts';
import { credential } from '../../support/servers.ts';
import { pageOf } from './page.ts';

const STRICT: Library = { ClientConnection, ServerConnection, defineClient, defineServer };

/** Mutants that have been built: several scenarios share edits. */
const built = new Map<readonly MutantEdit[], Library>();

function mutantOf({ id }: Scenario): Library {
  const edits = MUTANTS[id] ?? [];
  const mutant = built.get(edits) ?? buildMutant(edits);
  built.set(edits, mutant);
  return mutant;
}

/** Puts a scenario to a peer that is made of this copy of the library. */
function judge(scenario: Scenario, library: Library, version: Version): Promise<Judgement> {
  const world = seededWorld(scenario.id);
  const credentials = [credential('ecdsaP256')];
  const own = peerOptions(scenario.id);
  if (scenario.side === 'client') {
    const config = library.defineClient({ world: world.fork('peer'), verifyServer: 'any', ...own.client });
    const peer = memoryClient({ ClientConnection: library.ClientConnection, config, world, credentials });
    return judgeClient(scenario, peer, version);
  }
  const config = library.defineServer({ world: world.fork('peer'), credentials, ...own.server });
  return judgeServer(scenario, memoryServer({ ServerConnection: library.ServerConnection, config, world }), version);
}

/** A file of the package. */
function textOf(path: string): string {
  return readFileSync(new URL(`../../../../${path}`, import.meta.url), 'utf8');
}

/** A tenth of them; with `npm run searches` all. */
const all = scenarios.all();
const stride = Math.max(1, Math.floor(all.length / many(all.length / 10)));
const proved = all.filter((_, i) => i % stride === 0);

describe('the catalogue of scenarios', () => {
  after(() => built.clear());

  it('has each id once, and for each a mutant', () => {
    const ids = scenarios.all().map(({ id }) => id);
    expect(new Set(ids).size).to.equal(ids.length);
    expect(Object.keys(MUTANTS).sort()).to.deep.equal([...ids].sort());
  });

  it('is what docs/scenarios.md shows; `npm run scenarios:page` makes that anew', () => {
    expect(textOf('docs/scenarios.md') === pageOf(), 'the page is made of another catalogue').to.equal(true);
  });

  it('has as many as README.md and CHANGELOG.md say', () => {
    expect(textOf('README.md')).to.include(`[${all.length} scenarios](docs/scenarios.md)`);
    expect(textOf('CHANGELOG.md')).to.include(`puts ${all.length} scenarios around resumption`);
  });

  it('lets go of the sessions that a server has handed out', async () => {
    const scenario = scenarios.forServers().find(({ id }) => id === 'server/psk/binders-rotated');
    const { visits } = await judge(scenario as Scenario, STRICT, 'TLSv1.3');
    const sessions = visits.flatMap((visit) => visit.sessions);
    expect(sessions.length).to.be.above(0);
    expect(sessions.map(({ holds }) => holds)).to.deep.equal(sessions.map(() => 0));
  });

  for (const scenario of scenarios.all())
    for (const version of scenario.versions) {
      it(`${scenario.id}, ${version}: our own peer passes`, async () => {
        const { verdict, got } = await judge(scenario, STRICT, version);
        expect([got, verdict]).to.deep.equal([got, 'pass']);
      });
    }

  for (const scenario of proved)
    it(`${scenario.id}: a mutant does not pass`, async () => {
      const mutant = mutantOf(scenario);
      for (const version of scenario.versions)
        expect((await judge(scenario, mutant, version)).verdict, version).to.be.oneOf(['finding', 'differs']);
    });
});
