/** Puts scenarios to a peer. */

import { AlertDescription, type Version } from '../../wire/registry.ts';
import { ClientBench, type ClientUnderTest, ServerBench, type ServerUnderTest } from './bench.ts';
import {
  type ClientScenario,
  isExpected,
  type Scenario,
  type ScenarioResult,
  type ServerScenario,
} from './scenario.ts';
import { inTurn } from './turns.ts';
import { NotRun, OutOfTime, type Reaction, type Visit } from './visit.ts';

/**
 * RFC 9846 §6.2: to abort with an alert is to send that one, if any is sent: another is no less than a breach of the MUST, and that any
 * is sent is a SHOULD. RFC 5246 §7.2.2 has it be sent in any case, but a reset of the transport may take it away on its way, which
 * nobody can tell from a peer that has said nothing.
 */
function isSilentAbort(got: Reaction, expected: readonly Reaction[]): boolean {
  return got === 'closes' && expected.some((one) => Object.hasOwn(AlertDescription, one));
}

/** A result with the connections that it comes from. */
export interface Judgement extends ScenarioResult {
  readonly visits: readonly Visit[];
}

/** Puts one scenario, in one version, to a client. */
export function judgeClient(scenario: ClientScenario, peer: ClientUnderTest, version: Version): Promise<Judgement> {
  const bench = new ClientBench(peer, version);
  return inTurn(peer, () => {
    peer.forget?.();
    return judge(scenario, version, bench.visits, () => scenario.run(bench));
  });
}

/** Puts one scenario, in one version, to a server. */
export function judgeServer(scenario: ServerScenario, peer: ServerUnderTest, version: Version): Promise<Judgement> {
  const bench = new ServerBench(peer, version);
  return inTurn(peer, () => judge(scenario, version, bench.visits, () => scenario.run(bench)));
}

/** What is told of a scenario, whatever comes of it. */
function about({ id, title, clause, side, mechanism, severity, expect: expected }: Scenario, version: Version) {
  return { id, title, clause, side, version, mechanism, severity, expected };
}

/** The judgement on a scenario that cannot be put to the peer, for this reason. */
export function notRun(scenario: Scenario, version: Version, reason: string): Judgement {
  return { ...about(scenario, version), visits: [], got: reason, verdict: 'not-run' };
}

/** Where the time of a scenario is up since the peer hangs, that is what came of it. @throws the error otherwise */
function untoldHang(error: unknown, visits: readonly Visit[], expected: readonly Reaction[]): Reaction {
  const hangs = visits.some(({ reaction }) => reaction === 'hangs') && !expected.includes('hangs');
  if (error instanceof OutOfTime && hangs) return 'hangs';
  throw error;
}

async function judge(
  scenario: Scenario,
  version: Version,
  visits: readonly Visit[],
  run: Scenario['run'] extends (bench: never) => infer R ? () => R : never,
): Promise<Judgement> {
  const { severity, expect: expected } = scenario;
  const facts = { ...about(scenario, version), visits };
  try {
    const got = await run().catch((error: unknown) => untoldHang(error, visits, expected));
    if (isExpected(got, expected)) return { ...facts, got, verdict: 'pass' };
    if (severity === 'observed') return { ...facts, got, verdict: 'differs' };
    return { ...facts, got, verdict: 'finding', severity: isSilentAbort(got, expected) ? 'should' : severity };
  } catch (error) {
    if (error instanceof NotRun) return { ...notRun(scenario, version, error.message), visits };
    throw error;
  } finally {
    for (const visit of visits) visit.dispose();
  }
}
