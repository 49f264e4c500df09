/** Scenarios as the catalogue lists them: each can be put to a peer by itself, as a test of any runner. */

import type { Version } from '../../wire/registry.ts';
import type { ClientUnderTest, ServerUnderTest } from './bench.ts';
import { type Judgement, judgeClient, judgeServer, notRun } from './judge.ts';
import type { ClientScenario, ServerScenario, Severity } from './scenario.ts';
import { trialOfClient, trialOfServer, trialOnce } from './trial.ts';
import { NotRun } from './visit.ts';

/** How a scenario is judged in a test. */
export interface JudgeOptions {
  /** Which versions it is put in. Default: all of the scenario's. */
  readonly versions?: readonly Version[] | undefined;
  /** Which findings fail: with 'must', the default, those of a MUST alone. */
  readonly severity?: Exclude<Severity, 'observed'> | undefined;
  /**
   * Called where the peer cannot do what the scenario needs, with the reason. The contexts of mocha, node:test and vitest have such a
   * method, so pass the context. Default: that is an error, so that nobody takes it for a pass.
   */
  readonly skip?: ((reason: string) => unknown) | undefined;
}

/**
 * A scenario with a client under test, which a test can put to one. The first that is put to a client makes a handshake without fault
 * before, in each version: for a client that completes none, nothing can be run. Those that are put to it at once take turns.
 */
export interface ListedClientScenario extends ClientScenario {
  /** @throws ScenarioFailure for a finding; NotRun without `skip` */
  judge(client: ClientUnderTest, options?: JudgeOptions): Promise<readonly Judgement[]>;
}

/** The same with a server under test. */
export interface ListedServerScenario extends ServerScenario {
  /** @throws ScenarioFailure for a finding; NotRun without `skip` */
  judge(server: ServerUnderTest, options?: JudgeOptions): Promise<readonly Judgement[]>;
}

/** Thrown where a peer reacts otherwise than it may. */
export class ScenarioFailure extends Error {
  override readonly name = 'ScenarioFailure';
  readonly judgement: Judgement;
  /** What test runners show as a difference. */
  readonly expected: string;
  readonly actual: string;

  constructor(judgement: Judgement) {
    const { id, version, expected, got, clause } = judgement;
    super(`${id} (${version}): ${expected.join(' or ')} is wanted by ${clause}, and not ${got}`);
    this.judgement = judgement;
    this.expected = expected.join(' or ');
    this.actual = got;
  }
}

export function listedClient(scenario: ClientScenario): ListedClientScenario {
  return {
    ...scenario,
    judge: (client, options) =>
      judgeEach(scenario, options, async (version) => {
        const reason = await trialOnce(client, version, () => trialOfClient(client, version));
        return reason === undefined ? judgeClient(scenario, client, version) : notRun(scenario, version, reason);
      }),
  };
}

export function listedServer(scenario: ServerScenario): ListedServerScenario {
  return {
    ...scenario,
    judge: (server, options) =>
      judgeEach(scenario, options, async (version) => {
        const reason = await trialOnce(server, version, () => trialOfServer(server, version));
        return reason === undefined ? judgeServer(scenario, server, version) : notRun(scenario, version, reason);
      }),
  };
}

async function judgeEach(
  scenario: ClientScenario | ServerScenario,
  options: JudgeOptions = {},
  judge: (version: Version) => Promise<Judgement>,
): Promise<readonly Judgement[]> {
  const { versions = scenario.versions, severity: least = 'must' } = options;
  const judgements: Judgement[] = [];
  for (const version of scenario.versions.filter((one) => versions.includes(one))) {
    const judgement = await judge(version);
    judgements.push(judgement);
    const { verdict, severity } = judgement;
    if (verdict === 'finding' && (severity === 'must' || least === 'should')) throw new ScenarioFailure(judgement);
  }
  const none = judgements.find(({ verdict }) => verdict === 'not-run');
  if (none !== undefined && judgements.every(({ verdict }) => verdict === 'not-run')) {
    if (options.skip === undefined)
      throw new NotRun(
        `${scenario.id}: not run: ${none.got}; pass the context of the test, whose skip() is called then`,
      );
    options.skip(none.got); // as a method: it may be one of the test's context
  }
  return judgements;
}
