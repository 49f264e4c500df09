/**
 * The proof of the table in docs/early-data.md: what a strategy admits at most under a fault is computed by trying everything that can
 * happen, and each rule is seen to be needed. recordHellos() itself goes through what the model has found.
 */

import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { type RecordHellos, recordHellos } from '../../src/engine/server/record-hellos.ts';
import {
  describeReplayStep,
  mostAdmissions,
  type ReplayFaults,
  type ReplayFindings,
  type ReplayRule,
  type ReplayStep,
  type ReplayStrategy,
  type ReplayWorld,
  type SeededWorld,
  seededWorld,
} from '../../src/testing.ts';
import { packageFile } from '../web/support.ts';

const DOCUMENT = join(dirname(packageFile), 'docs/early-data.md');

/** A column: how often its fault happens, `k` times at most. */
interface Column {
  readonly title: string;
  readonly fault: keyof ReplayFaults | undefined;
}

const COLUMNS: readonly Column[] = [
  { title: 'nothing fails', fault: undefined },
  { title: 'nodes end or crash, and start again', fault: 'restarts' },
  { title: 'the clocks of running nodes are set, *s* times', fault: 'clockSteps' },
  { title: 'nodes start again with a clock set back, *s* times', fault: 'setBacks' },
  { title: 'the store loses *w* writes', fault: 'lostWrites' },
  { title: 'nodes start with records used before, *u* times', fault: 'staleStarts' },
];

/** A cell: the most admissions, by the number of nodes and how often the fault of the column happens. */
type Cell = (n: number, k: number) => number;
const CELLS: Readonly<Record<string, Cell>> = {
  '1': () => 1,
  '*n*': (n) => n,
  '1 + *s*': (_, k) => 1 + k,
  '1 + *w*': (_, k) => 1 + k,
  '*n* + *s*': (n, k) => n + k,
  '*n* + *u*': (n, k) => n + k,
};

const ROWS: readonly {
  readonly title: string;
  readonly strategy: ReplayStrategy;
  readonly cells: readonly string[];
}[] = [
  {
    title: '`singleUse()`, one store whose take is atomic',
    strategy: 'single-use',
    cells: ['1', '1', '1', '1', '1 + *w*', '–'],
  },
  {
    title: '`singleUse()`, each node with sessions of its own',
    strategy: 'single-use-own',
    cells: ['1', '1', '1', '1', '–', '–'],
  },
  {
    title: 'a strategy of yours that inserts into one store',
    strategy: 'shared-records',
    cells: ['1', '1', '1 + *s*', '1 + *s*', '1 + *w*', '–'],
  },
  {
    title: 'the same, for ever, under an external PSK',
    strategy: 'kept-records',
    cells: ['1', '1', '1', '1', '1 + *w*', '–'],
  },
  {
    title: '`recordHellos()` in each of *n* nodes',
    strategy: 'record-hellos',
    cells: ['*n*', '*n*', '*n*', '*n* + *s*', '–', '*n* + *u*'],
  },
];

/** The worlds in which a cell is computed: three nodes, and fewer with more faults. */
function worldsOf(strategy: ReplayStrategy, fault: keyof ReplayFaults | undefined): ReplayWorld[] {
  if (fault === undefined) return [1, 2, 3].map((nodes) => ({ strategy, nodes }));
  const small = { window: 1, maxSkew: 0 }; // where a clock may be set to anything, there are many states
  const isLarge = strategy === 'record-hellos' && (fault === 'clockSteps' || fault === 'setBacks');
  return [
    { strategy, nodes: 1, faults: { [fault]: 1 } },
    { strategy, nodes: 1, faults: { [fault]: 2 }, ...(isLarge ? small : {}) },
    ...(fault === 'restarts' ? [] : [{ strategy, nodes: 1, faults: { [fault]: 1, restarts: 1 }, ...small }]),
    { strategy, nodes: 2, faults: { [fault]: 1 }, ...(fault === 'clockSteps' && isLarge ? { window: 1 } : {}) },
    { strategy, nodes: 3, faults: { [fault]: 1 }, ...(isLarge ? small : {}) },
    ...(isLarge ? [] : [{ strategy, nodes: 3, faults: { [fault]: 2 } }]),
  ];
}

function lines({ clocks, expected, witness }: ReplayFindings): string {
  return [`clocks ${clocks}, expected ${expected}`, ...witness.map(describeReplayStep)].join('\n');
}

function table(): string {
  const rows = [
    ['strategy', ...COLUMNS.map(({ title }) => title)],
    ['---', ...COLUMNS.map(() => '---')],
    ...ROWS.map(({ title, cells }) => [title, ...cells]),
  ];
  return rows.map((row) => `| ${row.join(' | ')} |\n`).join('');
}

describe('the most admissions of one hello', () => {
  it('are in the table of docs/early-data.md', () => {
    expect(readFileSync(DOCUMENT, 'utf8')).to.contain(table());
  });

  for (const { title, strategy, cells } of ROWS)
    COLUMNS.forEach((column, i) => {
      const cell = cells[i] as string;
      if (cell === '–') return;
      it(`are ${cell} for ${title}: ${column.title}`, () => {
        for (const world of worldsOf(strategy, column.fault)) {
          const count = column.fault === undefined ? 0 : (world.faults?.[column.fault] ?? 0);
          const found = mostAdmissions(world);
          const expected = (CELLS[cell] as Cell)(world.nodes as number, count);
          expect(found.most, `${JSON.stringify(world)}\n${lines(found)}`).to.equal(expected);
          expect(found.witness.filter((step) => step.kind === 'hello' && step.isAdmitted)).to.have.length(expected);
        }
      });
    });

  it('have no cell that another fault could change: those are of what a strategy does not have', () => {
    for (const { strategy, cells } of ROWS)
      COLUMNS.forEach(({ fault }, i) => {
        if (cells[i] !== '–' || fault === undefined || fault === 'staleStarts') return;
        const { most } = mostAdmissions({ strategy });
        expect(mostAdmissions({ strategy, faults: { [fault]: 2 } }).most).to.equal(most);
      });
  });

  it('are those of a wider window and of clocks that differ more', () => {
    for (const [window, maxSkew] of [
      [1, 0],
      [1, 2],
      [3, 1],
    ] as const) {
      const of = (strategy: ReplayStrategy, nodes: number, faults: ReplayFaults) =>
        mostAdmissions({ strategy, nodes, window, maxSkew, faults }).most;
      expect(of('record-hellos', 2, { restarts: 1 })).to.equal(2);
      expect(of('shared-records', 3, { lostWrites: 1, restarts: 1 })).to.equal(2);
    }
  });

  it('add up over faults of several kinds', () => {
    const most = (world: ReplayWorld) => mostAdmissions({ window: 1, maxSkew: 0, ...world }).most;
    expect(
      most({ strategy: 'shared-records', nodes: 2, faults: { lostWrites: 1, clockSteps: 1, restarts: 1 } }),
    ).to.equal(3);
    expect(most({ strategy: 'record-hellos', nodes: 2, faults: { staleStarts: 1, setBacks: 1 } })).to.equal(4);
  });
});

/** For each rule, a world in which everything else is kept. */
const NEEDED: readonly (ReplayWorld & { readonly without: ReplayRule })[] = [
  { strategy: 'record-hellos', nodes: 1, without: 'blackout', faults: { restarts: 1 } },
  { strategy: 'record-hellos', nodes: 1, without: 'clock-blackout', faults: { clockSteps: 1 } },
  { strategy: 'record-hellos', nodes: 1, without: 'highest-time', faults: { clockSteps: 1 } },
  { strategy: 'record-hellos', nodes: 1, without: 'two-windows' },
  { strategy: 'record-hellos', nodes: 1, without: 'skew', faults: { restarts: 1 } },
  { strategy: 'shared-records', nodes: 2, without: 'skew' },
  { strategy: 'record-hellos', nodes: 1, without: 'verified-binder' },
  { strategy: 'shared-records', nodes: 1, without: 'verified-binder' },
  { strategy: 'kept-records', nodes: 1, without: 'verified-binder' },
  { strategy: 'kept-records', nodes: 1, without: 'for-ever' },
  { strategy: 'single-use', nodes: 2, without: 'atomic-take' },
];

describe('a rule that is not kept', () => {
  for (const world of NEEDED)
    it(`costs a second admission: ${world.without}, of ${world.strategy}`, () => {
      const found = mostAdmissions(world);
      expect(found.most, lines(found)).to.equal(2);
      expect(mostAdmissions({ ...world, without: undefined }).most).to.equal(1);
    });

  it('shows how: a restart without a blackout', () => {
    expect(lines(mostAdmissions(NEEDED[0] as ReplayWorld)).split('\n')).to.deep.equal([
      'clocks 2, expected 5',
      'a tick passes',
      'node 1 (clock 3) admits the hello',
      ...Array.from({ length: 4 }, () => 'a tick passes'),
      'node 1 starts again without its memory, clock 7',
      'node 1 (clock 7) admits the hello',
    ]);
  });

  it('shows how: records that are kept for one window', () => {
    expect(lines(mostAdmissions(NEEDED[3] as ReplayWorld)).split('\n')).to.deep.equal([
      'clocks 2, expected 5',
      'a tick passes',
      'node 1 (clock 3) admits the hello',
      ...Array.from({ length: 4 }, () => 'a tick passes'),
      'node 1 (clock 7) admits the hello',
    ]);
  });

  it('shows how: a key that the sender can change', () => {
    expect(lines(mostAdmissions(NEEDED[6] as ReplayWorld)).split('\n')).to.deep.equal([
      'clocks 2, expected 5',
      'a tick passes',
      'node 1 (clock 3) admits the hello',
      'node 1 (clock 3) admits a changed copy of the hello',
    ]);
  });

  it('has a line for every step', () => {
    const steps: ReplayStep[] = [
      { kind: 'find', node: 0, clock: 1 },
      { kind: 'set-clock', node: 1, clock: 2 },
      { kind: 'hello', node: 2, clock: 3, copy: 0, isAdmitted: false, isLost: false },
      { kind: 'hello', node: 2, clock: 3, copy: 0, isAdmitted: true, isLost: true },
      { kind: 'restart', node: 0, clock: 4, memory: 'kept' },
      { kind: 'restart', node: 0, clock: 4, memory: 'stale' },
    ];
    expect(steps.map(describeReplayStep)).to.deep.equal([
      'node 1 (clock 1) finds the session',
      'node 2: its clock is set to 2',
      'node 3 (clock 3) rejects the hello',
      'node 3 (clock 3) admits the hello, and the store loses the write',
      'node 1 starts again with its memory, clock 4',
      'node 1 starts again with records that were used before, clock 4',
    ]);
  });
});

describe('mostAdmissions()', () => {
  const WRONG: readonly [unknown, unknown, string][] = [
    [{ strategy: 'single' }, TypeError, 'world.strategy: "single" is not one of record-hellos, single-use'],
    [{ strategy: 'single-use', nodes: 0 }, RangeError, 'world.nodes is 0'],
    [{ strategy: 'single-use', node: 1 }, TypeError, 'unknown option world.node; there are strategy, nodes'],
    [{ strategy: 'single-use', faults: { crashes: 1 } }, TypeError, 'unknown option world.faults.crashes'],
    [{ strategy: 'single-use', faults: { restarts: 0.5 } }, RangeError, 'world.faults.restarts is 0.5'],
    [{ strategy: 'single-use', without: 'blackouts' }, TypeError, "is 'blackout' meant?"],
  ];
  for (const [world, type, message] of WRONG)
    it(`refuses ${JSON.stringify(world)}`, () => {
      expect(() => mostAdmissions(world as ReplayWorld)).to.throw(type as typeof TypeError, message);
    });
});

// ---- The strategy itself, in the world of the model

const TICK = 1000;
const START = Date.UTC(2026, 0, 1);

/** A node that runs recordHellos(), and what an engine does before it asks. */
class RealNode {
  readonly #world: SeededWorld;
  readonly #options;
  readonly #window: number;
  readonly #used: Uint8Array;
  #strategy: RecordHellos;
  #others = 0;

  constructor(window: number, maxSkew: number, clock: number) {
    this.#window = window;
    this.#world = seededWorld('node', { now: START - 1000 * TICK });
    this.#options = { world: this.#world, windowMs: window * TICK, maxSkewMs: maxSkew * TICK, maxEntries: 100 };
    const first = recordHellos(this.#options);
    this.clock = 0; // its blackout is long over
    this.#used = first.close();
    this.#strategy = recordHellos({ ...this.#options, saved: this.#used });
    this.clock = clock;
  }

  get clock(): number {
    return (this.#world.now() - START) / TICK;
  }

  set clock(clock: number) {
    this.#world.set(START + clock * TICK);
  }

  /** Reports whether a hello that is expected at that time is admitted. Another hello comes first, and has it look at the clock. */
  admits(expected: number): boolean {
    const { key } = attempt(++this.#others);
    if (!this.#strategy.isBlackedOut) this.#strategy.admit({ key, expiresIn: 0 });
    const distance = expected - this.clock;
    if (Math.abs(distance) > this.#window) return false;
    return this.#strategy.admit({ ...attempt(0), expiresIn: (distance + this.#window) * TICK });
  }

  restart(memory: 'kept' | 'lost' | 'stale', clock: number): void {
    const saved = { kept: () => this.#strategy.close(), lost: () => undefined, stale: () => this.#used }[memory]();
    this.clock = clock;
    this.#strategy = recordHellos({ ...this.#options, saved });
  }
}

function attempt(hello: number) {
  return { key: seededWorld(`hello ${hello}`).randomBytes(32) };
}

describe('recordHellos() in the world of the model', () => {
  const FAULTS: readonly ReplayFaults[] = [{}, { restarts: 1 }, { setBacks: 1 }, { staleStarts: 2 }];

  /** Goes through a witness. Returns the steps at which a hello was admitted. */
  function admissionsIn({ clocks, witness, expected }: ReplayFindings): ReplayStep[] {
    const nodes = clocks.map((clock) => new RealNode(2, 1, clock));
    const node = (i: number) => nodes[i] as RealNode;
    return witness.filter((step) => {
      if (step.kind === 'hello') return node(step.node).admits(expected);
      if (step.kind === 'wait') for (const each of nodes) each.clock++;
      else if (step.kind === 'restart') node(step.node).restart(step.memory, step.clock);
      else node(step.node).clock = step.clock;
      return false;
    });
  }

  for (const faults of FAULTS)
    it(`admits as often as the model says that it may: ${JSON.stringify(faults)}`, () => {
      const found = mostAdmissions({ strategy: 'record-hellos', nodes: 'setBacks' in faults ? 1 : 2, faults });
      const admitted = found.witness.filter((step) => step.kind === 'hello' && step.isAdmitted);
      expect(admissionsIn(found)).to.deep.equal(admitted);
    });

  for (const world of NEEDED.filter(({ strategy }) => strategy === 'record-hellos'))
    it(`admits once where it would twice if it did not keep the rule: ${world.without}`, () => {
      expect(admissionsIn(mostAdmissions(world))).to.have.length(1);
    });

  /** What may happen to a node, whether the hello comes after it, and by how many ticks time goes on. */
  const EVENT = fc.record({
    what: fc.constantFrom('nothing', 'nothing', 'set', 'set', 'set', 'kept', 'lost', 'lost', 'stale', 'behind'),
    isSent: fc.boolean(),
    skew: fc.constantFrom(0, 0.5, 1),
    clock: fc.constantFrom(13, 16.999, 18, 20, 22, 23.001, 31),
    ticks: fc.constantFrom(0, 0, 0.001, 1, 4, 5),
  });

  it('admits no more often than the table says, whatever happens', () => {
    const expected = 20;
    let most = 0;
    fc.assert(
      fc.property(fc.array(EVENT, { minLength: 5, maxLength: 25 }), (events) => {
        const node = new RealNode(2, 1, 18); // a tick ahead
        let [time, peak, allowed, admissions] = [17, 18, 1, 0];
        for (const { what, isSent, skew, clock, ticks } of events) {
          const right = what === 'behind' ? Math.min(clock, node.clock) : time + skew;
          if (what === 'set') node.clock = clock;
          else if (what === 'kept') node.restart(what, right);
          else if (what !== 'nothing') {
            if (what === 'stale' || right < peak - 1) allowed++;
            if (right < peak - 1) peak = right;
            node.restart(what === 'stale' ? what : 'lost', right);
          }
          peak = Math.max(peak, node.clock);
          if (isSent && node.admits(expected)) admissions++;
          time += ticks;
          node.clock += ticks;
        }
        most = Math.max(most, admissions);
        if (admissions > allowed) expect.fail(`${admissions} admissions, ${allowed} at most`);
      }),
      { numRuns: 500 },
    );
    expect(most).to.be.at.least(2);
  });
});
