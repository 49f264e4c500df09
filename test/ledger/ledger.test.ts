/** The ledger: whether it is whole, in order and up to date, and whether the tests exist that it names. */

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { countRows, shareOf, summaryOf } from './counts.ts';
import { readLedgers, toLedger } from './ledger.ts';
import { pageOf } from './page.ts';
import { fingerprint } from './sentences.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const ledgers = readLedgers();

/** The full titles of the tests of these files, by their paths below test/. Mocha loads the files, and runs none of the tests. */
function titlesIn(files: readonly string[]): ReadonlyMap<string, ReadonlySet<string>> {
  const folder = mkdtempSync(join(tmpdir(), 'tls-resume-ledger-'));
  const report = join(folder, 'report.json');
  const mocha = join(root, 'node_modules', 'mocha', 'bin', 'mocha.js');
  const options = ['--no-config', '--dry-run', '--reporter', 'json', '--reporter-option', `output=${report}`];
  try {
    const paths = files.map((file) => `dist/test/${file.replace(/\.ts$/, '.js')}`);
    execFileSync(process.execPath, [mocha, ...options, ...paths], { cwd: root, stdio: 'pipe' });
    const titles = new Map(files.map((file) => [file, new Set<string>()]));
    for (const { file, fullTitle } of testsOf(JSON.parse(readFileSync(report, 'utf8')))) {
      const [, path = ''] = /dist[\\/]test[\\/](.+)\.js$/.exec(file) ?? [];
      titles.get(`${path.replaceAll('\\', '/')}.ts`)?.add(fullTitle);
    }
    return titles;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What Mocha's report says of each test. */
function testsOf(report: unknown): { file: string; fullTitle: string }[] {
  const tests = typeof report === 'object' && report !== null && 'tests' in report ? report.tests : undefined;
  if (!Array.isArray(tests)) throw new TypeError('a report of Mocha has tests');
  return tests.map((test: unknown) => {
    const known = typeof test === 'object' && test !== null && 'file' in test && 'fullTitle' in test ? test : undefined;
    return { file: String(known?.file), fullTitle: String(known?.fullTitle) };
  });
}

/** Where a section stands in its RFC: appendices come last. */
function compareClauses(a: string, b: string): number {
  const parts = (clause: string) =>
    clause.split(/[.-]|(?<=\d)(?=[a-z])/).map((part) => (/^\d+$/.test(part) ? part.padStart(4, '0') : `~${part}`));
  const [left, right] = [parts(a).join(' '), parts(b).join(' ')];
  return left < right ? -1 : Number(left > right);
}

describe('the ledger', () => {
  it('has RFC 9846 first, and the RFCs around it', () => {
    expect(ledgers.map(({ rfc }) => rfc)).to.deep.equal([9846, 5077, 5246, 6066, 7627, 8449, 9149, 9258]);
  });

  for (const { rfc, sections, rows } of ledgers) {
    it(`of RFC ${rfc} has each clause once, in the order of the RFC, in sections that it has`, () => {
      const clauses = rows.map(({ clause }) => clause);
      expect(new Set(clauses).size).to.equal(clauses.length);
      const order = [...sections.keys()];
      const place = (clause: string) => order.indexOf(clause.replace(/-.*/, ''));
      const sorted = [...clauses].sort((a, b) => place(a) - place(b) || compareClauses(a, b));
      expect(clauses).to.deep.equal(sorted);
      for (const { clause, section } of rows) expect(sections.has(section), clause).to.equal(true);
    });

    it(`of RFC ${rfc} leaves no sentence out, and says it in other words`, () => {
      for (const number of new Set(rows.map(({ section }) => section))) {
        const ordinals = new Set(rows.filter(({ section }) => section === number).map(({ ordinal }) => ordinal));
        expect([...ordinals], number).to.deep.equal(Array.from(ordinals, (_, i) => i + 1));
      }
      for (const row of rows) {
        expect(row.fingerprint, row.clause).to.match(/^[0-9a-f]{8}$/);
        expect(row.level, row.clause).to.match(
          /^((MUST|SHALL|SHOULD|RECOMMENDED|REQUIRED)( NOT)?(, )?|NOT RECOMMENDED)+$/,
        );
        expect(fingerprint(row.rule), row.clause).to.not.equal(row.fingerprint);
      }
    });
  }

  it('names tests that exist', function () {
    this.timeout(120_000);
    const named = ledgers.flatMap(({ rfc, rows }) =>
      rows.flatMap(({ clause, status }) =>
        status.kind === 'tested'
          ? [...status.tests].flatMap(([file, titles]) =>
              titles.map((title) => ({ at: `RFC ${rfc} §${clause}`, file, title })),
            )
          : [],
      ),
    );
    const titles = titlesIn([...new Set(named.map(({ file }) => file))]);
    const lost = named.filter(({ file, title }) => !titles.get(file)?.has(title));
    expect(lost.map(({ at, file, title }) => `${at}: no test “${title}” in ${file}`)).to.deep.equal([]);
  });

  it('is what docs/rfc9846.md shows; `npm run ledger -- --write` makes that anew', () => {
    const page = readFileSync(join(root, 'docs', 'rfc9846.md'), 'utf8');
    expect(page.replaceAll('\r\n', '\n') === pageOf(ledgers), 'the page is made of another ledger').to.equal(true);
  });
});

describe('the sections of these RFCs', () => {
  const folders = ['src', 'test', 'bench', 'docs'];
  const inFolders = folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((path) => join(folder, path)),
  );
  const paths = [...inFolders, ...readdirSync(root)].filter((path) => /\.(ts|md)$/.test(path));

  for (const { rfc, sections } of ledgers) {
    it(`are those that are cited: RFC ${rfc}`, () => {
      const citation = new RegExp(`RFC ${rfc} (?:§|App(?:endix|\\.) )([A-Z0-9]+(?:\\.\\d+)*)`, 'g');
      const cited = paths.flatMap((path) =>
        [...readFileSync(join(root, path), 'utf8').matchAll(citation)].map(([, section = '']) => ({ path, section })),
      );
      expect(cited).to.have.lengthOf.at.least(10);
      expect(cited.filter(({ section }) => !sections.has(section))).to.deep.equal([]);
    });
  }
});

describe('npm run ledger', () => {
  const run = (...args: readonly string[]) =>
    spawnSync(process.execPath, [join(root, 'dist', 'test', 'ledger', 'main.js'), ...args], { encoding: 'utf8' });

  it('prints a line for each RFC, and one for all', () => {
    const lines = run().stdout.trim().split('\n').slice(1);
    expect(lines.map((line) => line.split(/ {2,}/)[0])).to.deep.equal([
      ...ledgers.map(({ rfc }) => `RFC ${rfc}`),
      'all',
    ]);
  });

  it('lists what is open', () => {
    const open = ledgers.flatMap(({ rows }) => rows.filter(({ status }) => status.kind === 'open'));
    expect(run('--open').stdout.split('\n').filter(Boolean)).to.have.lengthOf(open.length);
  });

  it('compares a ledger with a text, and fails where they differ', () => {
    const folder = mkdtempSync(join(tmpdir(), 'tls-resume-ledger-'));
    try {
      const path = join(folder, 'rfc9149.txt');
      writeFileSync(path, 'Request for Comments: 9149\n\n3.  Requests\n\n   A server SHOULD do more.\n');
      const { status, stdout } = run('--text', path);
      expect(status).to.equal(1);
      expect(stdout).to.include('3-1 is of another sentence').and.include('3-2 has no sentence');
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe('the page of a ledger', () => {
  const row = { clause: '2-1', level: 'MUST', binds: 'both', rule: 'A | B', fingerprint: '01234567' };
  const ledgerOf = (...rows: readonly object[]) =>
    toLedger({ rfc: 1, title: 'Doors', sections: ['2 Doors', '2.1 Windows'], rows });
  const pageWith = (status: object) => pageOf([ledgerOf({ ...row, ...status })]);

  it('has an anchor, and a cell that its bars do not end', () => {
    expect(pageWith({ open: 'not yet' })).to.include(
      '| <a id="rfc1-2-1"></a>2-1 | MUST | both | A \\| B | *open*: not yet |',
    );
  });

  it('links to the files of tests', () => {
    const cell =
      '[wire/a.test.ts](../test/wire/a.test.ts): “a opens”, “a closes”<br>[b.test.ts](../test/b.test.ts): “b”';
    expect(pageWith({ tests: { 'wire/a.test.ts': ['a opens', 'a closes'], 'b.test.ts': ['b'] } })).to.include(cell);
  });

  it('counts what tests cover, of what they could', () => {
    const ledger = ledgerOf(
      { ...row, tests: { 'b.test.ts': ['b'] } },
      { ...row, clause: '2-2', tests: { 'b.test.ts': ['c'] } },
      { ...row, clause: '2-3', open: 'not yet' },
      { ...row, clause: '2.1-1', untestable: 'nothing shows' },
      { ...row, clause: '2.1-2', unspoken: 'windows' },
      { ...row, clause: '2.1-3', binds: 'application' },
    );
    expect(summaryOf([ledger])).to.deep.equal([
      ['RFC 1', '6', '2', '1', '1', '1', '1', '66.7 %'],
      ['all', '6', '2', '1', '1', '1', '1', '66.7 %'],
    ]);
    expect(shareOf(countRows([]))).to.equal('–');
  });

  for (const [what, change] of [
    ['a clause without a number', { clause: '2', open: 'x' }],
    ['nobody who is bound', { binds: 'nobody', open: 'x' }],
    ['no status', {}],
    ['two', { open: 'x', unspoken: 'x' }],
    ['one for somebody else', { binds: 'application', open: 'x' }],
    ['a reason that is empty', { open: ' ' }],
    ['no titles', { tests: { 'b.test.ts': [] } }],
    ['no rule', { rule: undefined, open: 'x' }],
  ] as const) {
    it(`is not made of a row with ${what}`, () => {
      expect(() => ledgerOf({ ...row, ...change })).to.throw(TypeError);
    });
  }
});
