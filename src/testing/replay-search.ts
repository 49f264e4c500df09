/** How often may one hello with early data be admitted? Tries every order of all that can happen in replay-model.ts. */

import { integer, oneOf } from '../engine/checks.ts';
import { type Names, requireOptions } from '../wire/options.ts';
import {
  beginnings,
  type Move,
  movesOf,
  NONE,
  type Node,
  type ReplayFaults,
  type ReplayRule,
  type ReplayStep,
  type ReplayStrategy,
  Rules,
  type State,
} from './replay-model.ts';

/** The world that {@link mostAdmissions} explores. */
export interface ReplayWorld {
  readonly strategy: ReplayStrategy;
  /** Default 3. */
  readonly nodes?: number | undefined;
  /** The half of the window in which the hello is fresh, in ticks. Default 2. */
  readonly window?: number | undefined;
  /** By how many ticks clocks differ at most. Default 1. */
  readonly maxSkew?: number | undefined;
  readonly faults?: ReplayFaults | undefined;
  /** A rule that is not kept. */
  readonly without?: ReplayRule | undefined;
}

/** What {@link mostAdmissions} has found. */
export interface ReplayFindings {
  /** The most admissions of the hello that any order of events leads to. */
  readonly most: number;
  /** The clock of each node at the beginning of the witness. */
  readonly clocks: readonly number[];
  /** Events that lead to as many. */
  readonly witness: readonly ReplayStep[];
  /** When the hello is expected to arrive, by the clock of a node. */
  readonly expected: number;
  /** How many states there are. */
  readonly states: number;
}

/** Finds the most admissions from each state, and remembers them. */
class Search {
  readonly #rules: Rules;
  readonly #most = new Map<string, number>();

  constructor(rules: Rules) {
    this.#rules = rules;
  }

  get states(): number {
    return this.#most.size;
  }

  /** Equal keys have equal answers. A step to the same key changes nothing. */
  mostFrom(state: State, key = keyOf(this.#rules, state)): number {
    const known = this.#most.get(key);
    if (known !== undefined) return known;
    let most = 0;
    for (const { step, next } of movesOf(this.#rules, state)) {
      const nextKey = keyOf(this.#rules, next);
      if (nextKey !== key) most = Math.max(most, admissionsOf(step) + this.mostFrom(next, nextKey));
    }
    this.#most.set(key, most);
    return most;
  }

  /** Returns steps that lead to the most admissions, up to the last of these. */
  witnessFrom(state: State): ReplayStep[] {
    const witness: ReplayStep[] = [];
    for (let at = state, left = this.mostFrom(state); left > 0; ) {
      const key = keyOf(this.#rules, at);
      const moves = movesOf(this.#rules, at).sort((a, b) => weightOf(a.step) - weightOf(b.step));
      const best = moves.find(
        ({ step, next }) => keyOf(this.#rules, next) !== key && admissionsOf(step) + this.mostFrom(next) === left,
      ) as Move;
      witness.push(best.step);
      left -= admissionsOf(best.step);
      at = best.next;
    }
    return witness;
  }
}

/** A witness prefers what is lighter: what happens in it must happen. */
function weightOf(step: ReplayStep): number {
  return step.kind === 'wait' ? 1 : 2 - 2 * admissionsOf(step);
}

function admissionsOf(step: ReplayStep): number {
  return step.kind === 'hello' && step.isAdmitted ? 1 : 0;
}

/** A text that two states share if nothing that may still happen tells them apart. Nodes may be in any order. */
function keyOf(rules: Rules, { time, nodes, store, left }: State): string {
  const mayRestart = left.restarts + left.setBacks + left.staleStarts > 0;
  const parts = nodes.map((node) => nodeKey(rules, node, time, left));
  const faults =
    left.restarts + 16 * (left.clockSteps + 16 * (left.setBacks + 16 * (left.lostWrites + 16 * left.staleStarts)));
  const shared = store.records[0] + 32 * (store.records[1] + 32 * (store.hasSession ? 1 : 0));
  return `${parts.sort().join()};${mayRestart ? time : 0};${shared};${faults}`;
}

function nodeKey(rules: Rules, node: Node, time: number, left: State['left']): string {
  const { clock, memory, peak, hasSession, hasFound } = node;
  const flags = (hasSession ? 1 : 0) + (hasFound ? 2 : 0);
  const right = left.restarts + left.setBacks + left.staleStarts > 0 ? Math.min(clock, time) : clock;
  /** The earliest time that its clock can show from now on, and that a process with the same memory can see. */
  const earliest = left.clockSteps + left.setBacks > 0 ? 0 : right;
  if (earliest > rules.expected + rules.window) return 'over';
  if (rules.strategy !== 'record-hellos') return `${clock} ${flags}`;
  const seen = left.clockSteps > 0 ? 0 : left.restarts > 0 ? right : clock;
  const from = (moment: number) => (moment < seen ? NONE : moment);
  const { records, blackoutUntil, last, highest } = memory;
  /** That is never forgotten while the hello is fresh is recorded for good. */
  const kept = (recorded: number) => {
    if (recorded === NONE || recorded + rules.period < seen) return NONE;
    return left.clockSteps === 0 && last <= clock && recorded + rules.period >= rules.expected + rules.window
      ? rules.end
      : recorded;
  };
  const mayBeBehind = last > seen ? `${last} ${highest}` : '';
  const shown = left.setBacks > 0 || peak - rules.maxSkew > time ? peak : NONE;
  return `${clock} ${kept(records[0])} ${kept(records[1])} ${from(blackoutUntil)} ${mayBeBehind} ${shown}`;
}

const STRATEGIES: readonly ReplayStrategy[] = [
  'record-hellos',
  'single-use',
  'single-use-own',
  'shared-records',
  'kept-records',
];
const RULES: readonly ReplayRule[] = [
  'blackout',
  'clock-blackout',
  'highest-time',
  'two-windows',
  'skew',
  'verified-binder',
  'for-ever',
  'atomic-take',
];
const WORLD = {
  strategy: true,
  nodes: true,
  window: true,
  maxSkew: true,
  faults: true,
  without: true,
} satisfies Names<ReplayWorld>;
const FAULTS = {
  restarts: true,
  clockSteps: true,
  setBacks: true,
  lostWrites: true,
  staleStarts: true,
} satisfies Names<ReplayFaults>;
/** More of each would be more states than a machine has memory for. */
const MAX = 8;

/**
 * Returns the most admissions of one hello that are possible in a world, and events that lead to as many. It looks at every order of
 * events, so that nodes, faults and ticks should be few: three nodes and one fault are some thousand states.
 * @throws TypeError or RangeError for what is no world
 */
export function mostAdmissions(world: ReplayWorld): ReplayFindings {
  requireOptions('world', world, WORLD);
  const { faults = {}, without: removed } = world;
  requireOptions('world.faults', faults, FAULTS);
  const rules = new Rules(
    oneOf('world.strategy', world.strategy, STRATEGIES),
    integer('world.window', world.window, 2, 1, MAX),
    integer('world.maxSkew', world.maxSkew, 1, 0, MAX),
    removed === undefined ? undefined : oneOf('world.without', removed, RULES),
  );
  const few = (name: keyof ReplayFaults) => integer(`world.faults.${name}`, faults[name], 0, 0, MAX);
  const left = {
    restarts: few('restarts'),
    clockSteps: few('clockSteps'),
    setBacks: few('setBacks'),
    lostWrites: few('lostWrites'),
    staleStarts: few('staleStarts'),
  };
  const search = new Search(rules);
  const starts = beginnings(rules, integer('world.nodes', world.nodes, 3, 1, MAX), left);
  const worst = starts.reduce((a, b) => (search.mostFrom(b) > search.mostFrom(a) ? b : a));
  return {
    most: search.mostFrom(worst),
    clocks: worst.nodes.map(({ clock }) => clock),
    witness: search.witnessFrom(worst),
    expected: rules.expected,
    states: search.states,
  };
}
