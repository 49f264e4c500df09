/** Whether a peer can be judged at all: what never completes a handshake would pass whatever asks it to refuse one. */

import type { Version } from '../../wire/registry.ts';
import { ClientBench, type ClientUnderTest, type PeerUnderTest, ServerBench, type ServerUnderTest } from './bench.ts';
import { inTurn } from './turns.ts';
import { NotRun, type Visit } from './visit.ts';

/** A machine may be busy: a handshake that fails is tried once more. */
const TRIES = 2;

/** Returns why a client cannot be judged in a version; `undefined` if it can. */
export function trialOfClient(client: ClientUnderTest, version: Version): Promise<string | undefined> {
  const bench = new ClientBench(client, version);
  return trial(bench, async () => {
    client.forget?.();
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

function trial(
  bench: ClientBench | ServerBench,
  attempt: () => Promise<Visit | undefined>,
): Promise<string | undefined> {
  return inTurn(bench.peer, () => tried(bench, attempt));
}

const outcomes = new WeakMap<PeerUnderTest, Map<Version, Promise<string | undefined>>>();

/** The same, of a peer that is tried once in each version, however often somebody asks. */
export function trialOnce(
  peer: PeerUnderTest,
  version: Version,
  trial: () => Promise<string | undefined>,
): Promise<string | undefined> {
  const ofPeer = outcomes.get(peer) ?? new Map<Version, Promise<string | undefined>>();
  outcomes.set(peer, ofPeer);
  const known = ofPeer.get(version);
  if (known !== undefined) return known;
  const outcome = trial();
  ofPeer.set(version, outcome);
  outcome.catch(() => ofPeer.delete(version)); // of an error nothing is known
  return outcome;
}

async function tried(
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
