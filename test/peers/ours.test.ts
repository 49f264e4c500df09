/** What docs/peers.md says of our own client and server: what they do not pass, or are not asked, is what is explained there. */

import { expect } from 'chai';
import { ClientConnection } from '../../src/engine/client/client-connection.ts';
import { defineClient } from '../../src/engine/client/define-client.ts';
import { defineServer } from '../../src/engine/server/define-server.ts';
import { ServerConnection } from '../../src/engine/server/server-connection.ts';
import { scenarios } from '../../src/testing/catalogue/scenarios.ts';
import { memoryClient, memoryServer } from '../../src/testing/scenarios/in-memory.ts';
import { judgeClient, judgeServer } from '../../src/testing/scenarios/judge.ts';
import type { ScenarioResult } from '../../src/testing/scenarios/scenario.ts';
import { seededWorld } from '../../src/testing/seeded-world.ts';
import { many } from '../support/runs.ts';
import { credential } from '../support/servers.ts';
import { CLIENT_OPTIONS, type Mode, OUR_CLIENT_NAME, ourServerName, serverOptions } from './ours.ts';
import { isAbout } from './page.ts';
import { REMARKS } from './remarks.ts';

/** A twentieth of them; with `npm run searches` all. Those that are explained are among them in any case. */
function someOf<S extends { readonly id: string }>(all: readonly S[], explained: readonly string[]): S[] {
  const stride = Math.max(1, Math.floor(all.length / many(all.length / 20)));
  return all.filter(({ id }, i) => i % stride === 0 || explained.includes(id));
}

async function clientResults(explained: readonly string[]): Promise<ScenarioResult[]> {
  const results: ScenarioResult[] = [];
  for (const scenario of someOf(scenarios.forClients(), explained))
    for (const version of scenario.versions) {
      const world = seededWorld(scenario.id);
      const config = defineClient({ world: world.fork('peer'), verifyServer: 'any', ...CLIENT_OPTIONS });
      const credentials = [credential('ecdsaP256')];
      const peer = memoryClient({ ClientConnection, config, world, credentials });
      results.push(await judgeClient(scenario, peer, version));
    }
  return results;
}

async function serverResults(mode: Mode, explained: readonly string[]): Promise<ScenarioResult[]> {
  const results: ScenarioResult[] = [];
  for (const scenario of someOf(scenarios.forServers(), explained))
    for (const version of scenario.versions) {
      const world = seededWorld(scenario.id);
      const config = defineServer({ world: world.fork('peer'), ...serverOptions(mode) });
      results.push(await judgeServer(scenario, memoryServer({ ServerConnection, config, world }), version));
    }
  return results;
}

describe('our own peers in the table of peers', () => {
  for (const [name, run] of [
    [OUR_CLIENT_NAME, clientResults],
    [ourServerName('stateful'), (explained: readonly string[]) => serverResults('stateful', explained)],
    [ourServerName('stateless'), (explained: readonly string[]) => serverResults('stateless', explained)],
  ] as const)
    it(`${name}: what it does not pass, or is not asked, is what is explained`, async () => {
      const explained = Object.keys(REMARKS.explained[name] ?? {});
      const open = (await run(explained)).filter(({ verdict }) => verdict !== 'pass');
      const unexplained = open.filter((result) => !explained.some((what) => isAbout(result, what)));
      expect(unexplained.map(({ id, got }) => `${id}: ${got}`)).to.deep.equal([]);
      const ids = explained.filter((what) => what.includes('/'));
      expect(ids.filter((id) => !open.some((result) => isAbout(result, id)))).to.deep.equal([]);
      expect(open.filter(({ verdict, severity }) => verdict === 'finding' && severity === 'must')).to.deep.equal([]);
    });
});
