/** Results to show: of scenarios that were put to our own server, and one whose every word is hostile. */

import { defineServer } from '../../src/engine/server/define-server.ts';
import { ServerConnection } from '../../src/engine/server/server-connection.ts';
import { type ShownResult, shownVisits } from '../../src/judges/html.ts';
import { resultOf } from '../../src/judges/report.ts';
import { scenarios } from '../../src/testing/catalogue/scenarios.ts';
import { note } from '../../src/testing/render.ts';
import { memoryServer } from '../../src/testing/scenarios/in-memory.ts';
import { seededWorld } from '../../src/testing/seeded-world.ts';
import { credential } from '../support/servers.ts';

/** What the page shows of some scenarios, put to our own server. */
export async function shown(...ids: readonly string[]): Promise<ShownResult[]> {
  const all: ShownResult[] = [];
  for (const scenario of scenarios.forServers().filter(({ id }) => ids.includes(id))) {
    const world = seededWorld(scenario.id);
    const config = defineServer({ world: world.fork('peer'), credentials: [credential('ecdsaP256')] });
    const [judgement] = await scenario.judge(memoryServer({ ServerConnection, config, world }));
    if (judgement !== undefined) all.push({ result: resultOf(judgement, new Set()), visits: shownVisits(judgement) });
  }
  return all;
}

export const HOSTILE = `</script></title><script>globalThis.isOurs=true</script><img src=x onerror="isOurs=1">'"\u202e\u0007`;

/** A finding with words of a peer wherever there can be some. */
export function hostile(like: ShownResult): ShownResult {
  const line = { ...note(HOSTILE, HOSTILE, true), place: HOSTILE, mark: HOSTILE };
  const lines = [line, { ...line, kind: 'message' as const, children: [{ ...line, kind: 'field' as const }] }];
  const texts = { title: HOSTILE, clause: HOSTILE, got: `differs: ${HOSTILE}` as const, id: HOSTILE };
  return {
    result: { ...like.result, ...texts, verdict: 'finding', severity: 'must' },
    visits: [{ reaction: HOSTILE, lines, recording: JSON.stringify({ word: HOSTILE }) }],
  };
}
