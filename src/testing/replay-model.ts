/**
 * A model of the strategies against replay (RFC 9846 §8), small enough to be explored whole: some nodes that have the same tickets, their
 * clocks, and somebody who sends copies of one hello to any of them at any time. It says what can happen next; replay-search.ts asks
 * what the worst of it is.
 *
 * Times are whole ticks. A node's clock says the true time, or up to `maxSkew` more, unless a fault sets it. The hello is fresh on a
 * node while its clock is within `window` of the expected arrival, both edges included.
 *
 * The model gives a strategy no more than it promises: what it may forget, it forgets at once.
 */

/**
 * A strategy, and where its state is: `recordHellos()` in each node; `singleUse()` with one store, whose take is atomic, or with
 * sessions that each node keeps for itself; or a strategy of your own that inserts records into one store, if they are not there. The
 * hello of the last one, `kept-records`, is under an external PSK: it has no age, and is fresh at any time.
 */
export type ReplayStrategy = 'record-hellos' | 'single-use' | 'single-use-own' | 'shared-records' | 'kept-records';

/**
 * A rule without which some hello is admitted twice.
 * - `blackout`: no admission after a start, until the records of the process before it would be of no more use.
 * - `clock-blackout`: no admission after the clock has been set back.
 * - `highest-time`: that one lasts until the clock says again what it has said already.
 * - `two-windows`: a record is kept for 2 · window, not for one.
 * - `skew`: and for maxSkew more; so is the blackout.
 * - `verified-binder`: the key of the record is what the sender cannot change without the key of the session.
 * - `for-ever`: under an external PSK a record is never dropped.
 * - `atomic-take`: to find a session and to remove it is one step.
 */
export type ReplayRule =
  | 'blackout'
  | 'clock-blackout'
  | 'highest-time'
  | 'two-windows'
  | 'skew'
  | 'verified-binder'
  | 'for-ever'
  | 'atomic-take';

/** How many of each fault there may be at most. Default 0 of each. */
export interface ReplayFaults {
  /** A node ends and starts again, with its memory or without. Its clock is right afterwards, but for the skew. */
  readonly restarts?: number | undefined;
  /** The clock of a running node is set to any time. */
  readonly clockSteps?: number | undefined;
  /** A node starts again without its memory, and its clock is behind what it has shown, by more than `maxSkew`. */
  readonly setBacks?: number | undefined;
  /** The store confirms what it has been given to write, and loses it. */
  readonly lostWrites?: number | undefined;
  /** A node starts with saved records that were used before. */
  readonly staleStarts?: number | undefined;
}

/** One thing that happens. `clock` is what the clock of the node says then. */
export type ReplayStep =
  | { readonly kind: 'wait' }
  | {
      readonly kind: 'hello';
      readonly node: number;
      readonly clock: number;
      readonly copy: number;
      readonly isAdmitted: boolean;
      readonly isLost: boolean;
    }
  | { readonly kind: 'find'; readonly node: number; readonly clock: number }
  | { readonly kind: 'set-clock'; readonly node: number; readonly clock: number }
  | {
      readonly kind: 'restart';
      readonly node: number;
      readonly clock: number;
      readonly memory: 'kept' | 'lost' | 'stale';
    };

/** Returns a line for a step. Nodes count from 1. */
export function describeReplayStep(step: ReplayStep): string {
  if (step.kind === 'wait') return 'a tick passes';
  const node = `node ${step.node + 1}`;
  const at = `clock ${step.clock}`;
  switch (step.kind) {
    case 'hello': {
      const copy = step.copy === 0 ? 'the hello' : 'a changed copy of the hello';
      return `${node} (${at}) ${step.isAdmitted ? 'admits' : 'rejects'} ${copy}${step.isLost ? ', and the store loses the write' : ''}`;
    }
    case 'find':
      return `${node} (${at}) finds the session`;
    case 'set-clock':
      return `${node}: its clock is set to ${step.clock}`;
    case 'restart': {
      const memory = {
        kept: 'with its memory',
        lost: 'without its memory',
        stale: 'with records that were used before',
      };
      return `${node} starts again ${memory[step.memory]}, ${at}`;
    }
  }
}

// ---- The rules

/** No record, no blackout. */
export const NONE = -1;

export class Rules {
  readonly strategy: ReplayStrategy;
  readonly window: number;
  readonly maxSkew: number;
  readonly without: ReplayRule | undefined;
  /** For how long a record is kept, and a blackout lasts. */
  readonly period: number;
  /** When the window begins: the time before it is enough to set a clock back into. */
  readonly opens: number;
  readonly expected: number;
  /** A time after which nothing is fresh and all is forgotten. Times above it are this one. */
  readonly end: number;

  constructor(strategy: ReplayStrategy, window: number, maxSkew: number, without: ReplayRule | undefined) {
    this.strategy = strategy;
    this.window = window;
    this.maxSkew = maxSkew;
    this.without = without;
    this.period = (this.has('two-windows') ? 2 : 1) * window + (this.has('skew') ? maxSkew : 0);
    this.opens = maxSkew + 2;
    this.expected = this.opens + window;
    this.end = this.expected + window + this.period + 1;
  }

  has(rule: ReplayRule): boolean {
    return this.without !== rule;
  }

  isFresh(clock: number): boolean {
    return Math.abs(this.expected - clock) <= this.window;
  }

  /** The key of a copy of the hello, in which the sender has changed what is not verified. */
  keyOf(copy: number): number {
    return this.has('verified-binder') ? 0 : copy;
  }

  /** A copy whose key is that of another adds nothing. */
  get copies(): readonly number[] {
    return this.has('verified-binder') ? [0] : [0, 1];
  }
}

// ---- The state

/** What recordHellos() knows. All are times of the node's clock. */
interface Memory {
  /** When the hello was recorded, by key. */
  readonly records: readonly [number, number];
  readonly blackoutUntil: number;
  readonly last: number;
  readonly highest: number;
}

export interface Node {
  readonly clock: number;
  readonly memory: Memory;
  /** The highest time that its clock has shown to any of its processes. */
  readonly peak: number;
  /** It has the session. */
  readonly hasSession: boolean;
  /** It has found the session in the store, and has not yet removed it. */
  readonly hasFound: boolean;
}

interface Store {
  readonly hasSession: boolean;
  /** For how many ticks more the hello is recorded, by key. */
  readonly records: readonly [number, number];
}

export interface State {
  /** The true time. */
  readonly time: number;
  readonly nodes: readonly Node[];
  readonly store: Store;
  readonly left: Required<ReplayFaults> & Readonly<Record<keyof ReplayFaults, number>>;
}

export interface Move {
  readonly step: ReplayStep;
  readonly next: State;
}

function emptyMemory(clock: number, blackoutUntil: number): Memory {
  return { records: [NONE, NONE], blackoutUntil, last: clock, highest: clock };
}

/** All states to begin with: clocks differ by no more than the skew. */
export function beginnings(rules: Rules, nodes: number, left: State['left']): State[] {
  const time = rules.opens - 1;
  let clocks: number[][] = [[]];
  for (let i = 0; i < nodes; i++)
    clocks = clocks.flatMap((before) =>
      range(before.at(-1) ?? time, time + rules.maxSkew).map((clock) => [...before, clock]),
    );
  return clocks.map((of) => ({
    time,
    nodes: of.map((clock, i) => ({
      clock,
      memory: emptyMemory(clock, NONE),
      peak: clock,
      hasSession: rules.strategy === 'single-use-own' && i === 0,
      hasFound: false,
    })),
    store: { hasSession: rules.strategy === 'single-use', records: [0, 0] },
    left,
  }));
}

// ---- What can happen

/** All that can happen next. What would change nothing is left out. */
export function movesOf(rules: Rules, state: State): Move[] {
  const moves = state.nodes.flatMap((_, node) => [
    ...rules.copies.flatMap((copy) => hellos(rules, state, node, copy)),
    ...restarts(rules, state, node),
    ...clockSteps(rules, state, node),
  ]);
  const next = wait(rules, state);
  return next === undefined ? moves : [...moves, { step: { kind: 'wait' }, next }];
}

/** A tick passes for all; `undefined` once no clock goes on. */
function wait(rules: Rules, state: State): State | undefined {
  if (state.time === rules.end && state.nodes.every(({ clock }) => clock === rules.end)) return undefined;
  const tick = (time: number) => Math.min(time + 1, rules.end);
  const [first, second] = state.store.records;
  const isKept = rules.strategy === 'kept-records' && rules.has('for-ever');
  return {
    ...state,
    time: tick(state.time),
    nodes: state.nodes.map((node) => ({ ...node, clock: tick(node.clock) })),
    store: isKept ? state.store : { ...state.store, records: [Math.max(0, first - 1), Math.max(0, second - 1)] },
  };
}

/** A copy of the hello reaches a node. */
function hellos(rules: Rules, state: State, node: number, copy: number): Move[] {
  switch (rules.strategy) {
    case 'record-hellos':
      return helloOfRecorder(rules, state, node, copy);
    case 'shared-records':
    case 'kept-records':
      return hellosOfStore(rules, state, node, copy);
    case 'single-use':
      return hellosOfTaker(rules, state, node, copy);
    case 'single-use-own': {
      const { clock, hasSession } = nodeOf(state, node);
      if (!rules.isFresh(clock) || !hasSession) return [];
      return [{ step: admitted(node, clock, copy), next: withNode(state, node, { hasSession: false }) }];
    }
  }
}

/** `recordHellos()`: it looks at the clock, also if the hello is not fresh. */
function helloOfRecorder(rules: Rules, state: State, node: number, copy: number): Move[] {
  const { clock, memory, peak } = nodeOf(state, node);
  const seen = look(rules, memory, clock);
  const key = rules.keyOf(copy);
  const isAdmitted = rules.isFresh(clock) && clock > seen.blackoutUntil && seen.records[key] === NONE;
  const after = isAdmitted ? { ...seen, records: withRecord(seen.records, key, clock) } : seen;
  const next = withNode(state, node, { memory: after, peak: Math.max(peak, clock) });
  return [{ step: { ...admitted(node, clock, copy), isAdmitted }, next }];
}

function look(rules: Rules, memory: Memory, clock: number): Memory {
  const isBack = clock < memory.last && rules.has('clock-blackout');
  const end = Math.max(clock + rules.period, rules.has('highest-time') ? memory.highest : 0);
  const keep = (recorded: number) => (clock > recorded + rules.period ? NONE : recorded);
  return {
    records: [keep(memory.records[0]), keep(memory.records[1])],
    blackoutUntil: isBack ? Math.max(memory.blackoutUntil, end) : memory.blackoutUntil,
    last: clock,
    highest: Math.max(memory.highest, clock),
  };
}

/**
 * A store that keeps a record for as long as the hello is fresh on the node that writes it, and for the skew, as others may be behind; or,
 * where it is fresh for ever, for ever.
 */
function hellosOfStore(rules: Rules, state: State, node: number, copy: number): Move[] {
  const { clock } = nodeOf(state, node);
  const key = rules.keyOf(copy);
  const isFresh = rules.strategy === 'kept-records' || rules.isFresh(clock);
  if (!isFresh || state.store.records[key] !== 0) return [];
  if (rules.strategy === 'kept-records') {
    const store = { ...state.store, records: withRecord(state.store.records, key, rules.period + 1) };
    return written(state, admitted(node, clock, copy), store);
  }
  const expiresIn = rules.expected + rules.window - clock;
  const ticks = expiresIn + (rules.has('skew') ? rules.maxSkew : 0) + 1; // the last tick is part of the window
  const store = { ...state.store, records: withRecord(state.store.records, key, ticks) };
  return written(state, admitted(node, clock, copy), store);
}

/** `singleUse()`: the session is found and removed, in one step unless that rule is not kept. */
function hellosOfTaker(rules: Rules, state: State, node: number, copy: number): Move[] {
  const { clock, hasFound } = nodeOf(state, node);
  const isAtomic = rules.has('atomic-take');
  if (!isAtomic && !hasFound && state.store.hasSession)
    return [{ step: { kind: 'find', node, clock }, next: withNode(state, node, { hasFound: true }) }];
  if (!rules.isFresh(clock) || !(isAtomic ? state.store.hasSession : hasFound)) return [];
  const after = withNode(state, node, { hasFound: false });
  return written(after, admitted(node, clock, copy), { ...state.store, hasSession: false });
}

/** The store writes, or says that it has. */
function written(state: State, step: ReplayStep & { kind: 'hello' }, store: Store): Move[] {
  const moves: Move[] = [{ step, next: { ...state, store } }];
  const left = without(state, 'lostWrites');
  if (left !== undefined) moves.push({ step: { ...step, isLost: true }, next: left });
  return moves;
}

/** A node ends and starts again, at once: what is down admits nothing, so a later start is the same as a later end. */
function restarts(rules: Rules, state: State, node: number): Move[] {
  const { clock: now, peak } = nodeOf(state, node);
  const right = range(state.time, Math.min(state.time + rules.maxSkew, rules.end));
  const restart = (left: State | undefined, memory: 'kept' | 'lost' | 'stale', clocks: () => readonly number[]) =>
    left === undefined ? [] : clocks().map((clock) => started(rules, left, node, clock, memory));
  return [
    ...restart(without(state, 'restarts'), 'kept', () => right),
    ...restart(without(state, 'restarts'), 'lost', () => right.filter((clock) => clock >= peak - rules.maxSkew)),
    ...restart(without(state, 'setBacks'), 'lost', () => range(0, Math.max(peak, now) - rules.maxSkew - 1)),
    ...restart(without(state, 'staleStarts'), 'stale', () => right),
  ];
}

function started(rules: Rules, left: State, node: number, clock: number, memory: 'kept' | 'lost' | 'stale'): Move {
  const before = nodeOf(left, node);
  const known = memory === 'kept' ? look(rules, before.memory, clock) : emptyMemory(clock, NONE);
  const blackoutUntil = memory === 'lost' && rules.has('blackout') ? clock + rules.period : known.blackoutUntil;
  const isSetBack = clock < before.peak - rules.maxSkew;
  const next = withNode(left, node, {
    clock,
    memory: { ...known, blackoutUntil },
    peak: isSetBack ? clock : Math.max(before.peak, clock),
    hasSession: before.hasSession && memory === 'kept',
    hasFound: false,
  });
  return { step: { kind: 'restart', node, clock, memory }, next };
}

function clockSteps(rules: Rules, state: State, node: number): Move[] {
  const left = without(state, 'clockSteps');
  if (left === undefined) return [];
  const others = range(0, rules.end).filter((clock) => clock !== nodeOf(state, node).clock);
  return others.map((clock) => ({ step: { kind: 'set-clock', node, clock }, next: withNode(left, node, { clock }) }));
}

function admitted(node: number, clock: number, copy: number) {
  return { kind: 'hello', node, clock, copy, isAdmitted: true, isLost: false } as const;
}

function nodeOf(state: State, node: number): Node {
  return state.nodes[node] as Node;
}

function withNode(state: State, node: number, change: Partial<Node>): State {
  return { ...state, nodes: state.nodes.map((old, i) => (i === node ? { ...old, ...change } : old)) };
}

function withRecord([first, second]: readonly [number, number], key: number, value: number): readonly [number, number] {
  return key === 0 ? [value, second] : [first, value];
}

/** The state with a fault less to come; `undefined` if there are no more. */
function without(state: State, fault: keyof ReplayFaults): State | undefined {
  const count = state.left[fault] as number;
  return count === 0 ? undefined : { ...state, left: { ...state.left, [fault]: count - 1 } };
}

function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i);
}
