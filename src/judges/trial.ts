/** Whether a peer can be judged at all: what never completes a handshake would pass whatever asks it to refuse one. */

import { ClientBench, type ClientUnderTest, ServerBench, type ServerUnderTest } from '../testing/scenarios/bench.ts';
import { NotRun, type Visit } from '../testing/scenarios/visit.ts';
import type { Version } from '../wire/registry.ts';

/** A machine may be busy: a handshake that fails is tried once more. */
const TRIES = 2;

/** Returns why a client cannot be judged in a version; `undefined` if it can. */
export function trialOfClient(client: ClientUnderTest, version: Version): Promise<string | undefined> {
  client.forget?.();
  const bench = new ClientBench(client, version);
  return trial(bench, async () => {
    const visit = await bench.server().accept({ resumes: false });
    return visit.facts.isEstablished ? undefined : visit;
  });
}

/** Returns why a server cannot be judged in a version; `undefined` if it can. */
export function trialOfServer(server: ServerUnderTest, version: Version): Promise<string | undefined> {
  const bench = new ServerBench(server, version);
  return trial(bench, async () => {
    const visit = await bench.client().visit();
    return visit.hasData ? undefined : visit;
  });
}

async function trial(
  { visits }: ClientBench | ServerBench,
  attempt: () => Promise<Visit | undefined>,
): Promise<string | undefined> {
  try {
    let failed: Visit | undefined;
    for (let i = 0; i < TRIES; i++) {
      failed = await attempt();
      if (failed === undefined) return undefined;
    }
    return `a handshake without fault ends so: ${failed?.reaction}`;
  } catch (error) {
    if (error instanceof NotRun) return error.message;
    throw error;
  } finally {
    for (const visit of visits) visit.dispose();
  }
}
