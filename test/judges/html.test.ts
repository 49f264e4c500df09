/** The page of a run. */

import { expect } from 'chai';
import { defineServer } from '../../src/engine/server/define-server.ts';
import { ServerConnection } from '../../src/engine/server/server-connection.ts';
import { htmlOf, type ShownResult, shownVisits } from '../../src/judges/html.ts';
import { resultOf } from '../../src/judges/report.ts';
import { scenarios } from '../../src/testing/catalogue/scenarios.ts';
import type { Recording } from '../../src/testing/recording.ts';
import { replay } from '../../src/testing/replay.ts';
import { memoryServer } from '../../src/testing/scenarios/in-memory.ts';
import { seededWorld } from '../../src/testing/seeded-world.ts';
import { credential } from '../support/servers.ts';

/** What the page shows of some scenarios, put to our own server. */
async function shown(...ids: readonly string[]): Promise<ShownResult[]> {
  const all: ShownResult[] = [];
  for (const scenario of scenarios.forServers().filter(({ id }) => ids.includes(id))) {
    const world = seededWorld(scenario.id);
    const config = defineServer({ world: world.fork('peer'), credentials: [credential('ecdsaP256')] });
    const [judgement] = await scenario.judge(memoryServer({ ServerConnection, config, world }));
    if (judgement !== undefined) all.push({ result: resultOf(judgement, new Set()), visits: shownVisits(judgement) });
  }
  return all;
}

const HEAD = { peer: '<script>alert(1)</script>', version: '1.0', time: Date.UTC(2026, 0, 1) };

describe('the page of a run', () => {
  it('counts, and has a row for each scenario under its clause', async () => {
    const page = htmlOf(HEAD, await shown('server/psk/binders-rotated', 'server/psk/key-share-absent'));
    expect(page).to.include('<b>2</b> passed').and.to.include('<b>0</b> findings');
    expect(page.match(/<details class="result pass"/g)).to.have.lengthOf(2);
    expect(page).to.match(/<h2>RFC 9846 §4\.3\.11/);
  });

  it('takes nothing from elsewhere, and no word for a tag', async () => {
    const page = htmlOf(HEAD, await shown('server/psk/binders-rotated'));
    expect(page).to.not.match(/(?:src|href)=/);
    expect(page).to.not.include('<script>alert');
    expect(page.match(/<script[ >]/g)?.length).to.equal(page.match(/<\/script>/g)?.length);
  });

  it('has the recordings, which replay', async () => {
    const [first] = await shown('server/psk/binders-rotated');
    const page = htmlOf(HEAD, first === undefined ? [] : [first]);
    const recordings = [...page.matchAll(/<script type="application\/json">(.*?)<\/script>/g)].map(
      ([, json = '']) => json,
    );
    expect(recordings).to.have.lengthOf(first?.visits.length ?? 0);
    for (const json of recordings) replay(JSON.parse(json) as Recording);
  });

  it('marks what a fault has changed', async () => {
    const [result] = await shown('server/second-flight/finished-wrong');
    const marks = result?.visits.flatMap(({ lines }) => lines.flatMap(({ mark }) => mark ?? []));
    expect(marks).to.deep.equal(['.finished.verifyData']);
  });
});
