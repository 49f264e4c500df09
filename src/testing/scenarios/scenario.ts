/** What a scenario is: a question to a peer, put by one or more connections, and how a peer may react. */

import { AlertDescription, type Version } from '../../wire/registry.ts';
import type { Side } from '../trace-entry.ts';
import type { ClientBench, ServerBench } from './bench.ts';
import type { Reaction } from './visit.ts';

/** By what a session is resumed in a scenario; `none` where it is not about resuming one. */
export type ScenarioMechanism = 'session-id' | 'session-ticket' | 'psk' | 'external-psk' | 'early-data' | 'none';

/**
 * `must` where a MUST of the cited text binds the peer under test, `should` where a SHOULD does, or a MUST of which the text leaves
 * the reaction open; `observed` where no text speaks: it is never a finding.
 */
export type Severity = 'must' | 'should' | 'observed';

/** What a scenario says of itself. */
export interface ScenarioBase {
  /** It never changes, and is of no other scenario: `client/psk/selected-identity-out-of-range`. */
  readonly id: string;
  readonly title: string;
  /** The text that speaks of it, such as `RFC 9846 §4.3.11`. */
  readonly clause: string;
  /** Why it matters, in a sentence or two. */
  readonly reason: string;
  readonly versions: readonly Version[];
  readonly mechanism: ScenarioMechanism;
  readonly severity: Severity;
  /** Whether it floods, replays, or tries many: it asks for `--intrusive` beyond loopback. Default false. */
  readonly isIntrusive?: boolean | undefined;
  /** How a correct peer may react. */
  readonly expect: readonly Reaction[];
}

/** A scenario with a client under test. */
export interface ClientScenario extends ScenarioBase {
  readonly side: 'client';
  /** Returns the reaction. @throws NotRun where the client cannot do what the scenario asks of it */
  run(bench: ClientBench): Promise<Reaction>;
}

/** A scenario with a server under test. */
export interface ServerScenario extends ScenarioBase {
  readonly side: 'server';
  run(bench: ServerBench): Promise<Reaction>;
}

/** A scenario with either under test. */
export type Scenario = ClientScenario | ServerScenario;

/** What came of a scenario in one version. */
export interface ScenarioResult {
  readonly id: string;
  readonly title: string;
  readonly clause: string;
  readonly side: Side;
  readonly version: Version;
  readonly mechanism: ScenarioMechanism;
  readonly severity: Severity;
  readonly expected: readonly Reaction[];
  /** The reaction, or why the scenario was not run. */
  readonly got: Reaction | (string & {});
  /** `finding` is another reaction than the expected ones, if the severity is `must` or `should`; `differs` is one where no text speaks. */
  readonly verdict: 'pass' | 'finding' | 'differs' | 'not-run';
}

/** Whether a reaction is one of those that are expected. */
export function isExpected(got: Reaction, expected: readonly Reaction[]): boolean {
  if (expected.includes(got)) return true;
  if (expected.includes('ignores') && (got === 'resumes' || got === 'full handshake')) return true;
  return expected.includes('aborts') && (got === 'closes' || Object.hasOwn(AlertDescription, got));
}
