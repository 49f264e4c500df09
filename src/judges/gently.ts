/** A server under test that is asked no more often, and no more times, than its owner would mind. */

import type { ServerUnderTest } from '../testing/scenarios/bench.ts';
import { NotRun } from '../testing/scenarios/visit.ts';

/** How often, and how many times at most, a server is connected to. */
export interface Gentleness {
  /** Connections that begin in a second. One begins when the one before has ended. */
  readonly perSecond: number;
  readonly most: number;
}

/** A server that is treated gently, and when each connection to it began, in milliseconds since the epoch. */
export interface GentleServer extends ServerUnderTest {
  readonly starts: readonly number[];
}

/** Waits before each connection, and refuses those that are too many: what needs them is not run. @throws RangeError */
export function gently(server: ServerUnderTest, { perSecond, most }: Gentleness): GentleServer {
  if (!(perSecond > 0 && most >= 0)) throw new RangeError(`${perSecond} connections in a second, and ${most} at most`);
  const starts: number[] = [];
  let [count, earliest] = [0, 0];
  return {
    ...server,
    scenarioLimitMs:
      server.scenarioLimitMs === undefined ? undefined : server.scenarioLimitMs + (1000 * most) / perSecond,
    starts,
    connect: async (tester) => {
      if (count >= most) throw new NotRun(`the bound of ${most} connections is reached`);
      count += 1;
      const early = earliest - server.world.now();
      if (early > 0) await server.wait(early);
      const at = server.world.now();
      earliest = at + 1000 / perSecond;
      const ending = await server.connect(tester);
      starts.push(at);
      return ending;
    },
  };
}
