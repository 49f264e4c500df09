/** What came of the catalogue at a peer. */

import type { ScenarioResult } from '../../src/testing/scenarios/scenario.ts';
import type { Side } from '../../src/testing/trace-entry.ts';

/** Who a peer is, and how it is run. */
export interface PeerFacts {
  readonly name: string;
  readonly side: Side;
  /** What it says of its version; `undefined` if it is not on the machine. */
  readonly version: string | undefined;
  /** How it is run. */
  readonly setup: string;
  /** The programs that it needs and the machine has not. */
  readonly missing: readonly string[];
}

/** A peer with its results; without any if it is missing. */
export interface PeerRun extends PeerFacts {
  readonly results: readonly ScenarioResult[];
}
