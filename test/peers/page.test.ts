/** docs/peers.md: how results become a page, and that the page is of this catalogue. */

import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { scenarios } from '../../src/testing/catalogue/scenarios.ts';
import type { ScenarioResult } from '../../src/testing/scenarios/scenario.ts';
import { pageOf, type Remarks } from './page.ts';
import type { PeerRun } from './results.ts';

const NO_REMARKS: Remarks = { unsettled: {}, unsteady: {}, explained: {} };

function result(id: string, verdict: ScenarioResult['verdict'], more: Partial<ScenarioResult> = {}): ScenarioResult {
  return {
    ...{ id, verdict, title: '', clause: '', side: 'server', version: 'TLSv1.3', mechanism: 'psk', severity: 'must' },
    ...{ expected: ['illegal_parameter', 'closes'], got: 'resumes' },
    ...more,
  };
}

function run(name: string, results: readonly ScenarioResult[], more: Partial<PeerRun> = {}): PeerRun {
  return { name, side: 'server', version: '1.0', setup: 'as it comes', missing: [], results, ...more };
}

const RUNS: readonly PeerRun[] = [
  run('one', [
    result('a', 'finding'),
    result('b', 'pass'),
    result('c', 'not-run', { got: 'it has | no ticket' }),
    result('d', 'finding', { severity: 'should', got: 'closes' }),
    result('e', 'differs', { severity: 'observed' }),
  ]),
  run('two', [
    result('a', 'finding'),
    result('b', 'finding', { version: 'TLSv1.2', got: 'differs: <it>' }),
    result('c', 'not-run', { got: 'it has | no ticket' }),
    result('d', 'finding', { got: 'resumes' }),
    result('e', 'pass'),
  ]),
  run('three', [], { version: undefined, missing: ['x', 'y'] }),
];

function lines(page: string): string[] {
  return page.split('\n').filter((line) => /^(\||#|None)/.test(line));
}

describe('the table of peers', () => {
  it('counts, and has a row for each scenario that somebody does not pass', () => {
    expect(lines(pageOf(RUNS, NO_REMARKS)).slice(1)).to.deep.equal([
      '## Servers',
      '| peer | version | how it is run |',
      '|---|---|---|',
      '| one | 1.0 | as it comes |',
      '| two | 1.0 | as it comes |',
      '| three | missing: x, y | as it comes |',
      '| peer | run | passed | must | should | differs | not run |',
      '|---|---|---|---|---|---|---|',
      '| one | 4 | 1 | 1 | 1 | 1 | 1 |',
      '| two | 4 | 1 | 3 | 0 | 0 | 1 |',
      '### Findings of servers',
      '| scenario | expected | reaction |',
      '|---|---|---|',
      '| `a`, 1.3 | illegal_parameter or closes | must: resumes (one, two) |',
      '| `d`, 1.3 | illegal_parameter or closes | should: closes (one); must: resumes (two) |',
      '| `b`, 1.2 | illegal_parameter or closes | must: differs: &lt;it> (two) |',
      '### Where servers differ',
      '| scenario | expected | reaction |',
      '|---|---|---|',
      '| `e`, 1.3 | illegal_parameter or closes | resumes (one) |',
      '### Not run with servers',
      '| why | scenarios, by peer |',
      '|---|---|',
      '| it has \\| no ticket | one: 1, two: 1 |',
    ]);
  });

  it('says no more than that it differs where the text is not settled', () => {
    const page = pageOf(RUNS, { ...NO_REMARKS, unsettled: { two: ['a', 'e'] } });
    expect(page).to.contain('| two | 4 | 1 | 2 | 0 | 1 | 1 |');
    expect(page).to.contain('| `a`, 1.3 | illegal_parameter or closes | must: resumes (one) |');
    expect(page).to.contain('| `a`, 1.3 | illegal_parameter or closes | differs (two) |');
  });

  it('is the same whatever came of what a peer does by chance', () => {
    const unsteady = { one: { a: 'this or that', b: 'that or this' } };
    const page = pageOf(RUNS, { ...NO_REMARKS, unsteady });
    expect(page).to.contain('| one | 4 | 0 | 0 | 1 | 3 | 1 |');
    expect(page).to.contain('| `a`, 1.3 | illegal_parameter or closes | this or that (one) |');
    expect(page).to.contain('| `b`, 1.3 | illegal_parameter or closes | that or this (one) |');
  });

  it('explains what is there to be explained, and no more', () => {
    const explained = { one: { b: 'passed', 'it has | no ticket': 'because' }, two: { 'some/id': 'gone' } };
    const page = pageOf(RUNS, { ...NO_REMARKS, explained });
    expect(lines(page).slice(-3)).to.deep.equal([
      '| peer | what | why |',
      '|---|---|---|',
      '| one | it has \\| no ticket | because |',
    ]);
    expect(pageOf(RUNS, NO_REMARKS)).to.not.contain('and why');
  });

  it('in docs/peers.md is of this catalogue', () => {
    const page = readFileSync(new URL('../../../docs/peers.md', import.meta.url), 'utf8');
    const ids = new Set(scenarios.all().map(({ id }) => id));
    const named = [...page.matchAll(/`((?:client|server)\/[^`]+)`/g)].map(([, id]) => id ?? '');
    expect(named.length).to.be.above(50);
    expect(named.filter((id) => !ids.has(id))).to.deep.equal([]);
    expect(page).to.contain(`version ${scenarios.version}, `);
  });
});
