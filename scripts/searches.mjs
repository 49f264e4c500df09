// The test files that search with random inputs, or count over a long time, each for ten times as long as `npm test` does. Another
// number on the command line is another factor: `npm run searches -- 100`.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const [given = '10'] = process.argv.slice(2);
const factor = Number(given);
if (!(factor > 0 && Number.isFinite(factor))) {
  console.error(`${given} is no factor: a number above 0 is wanted`);
  process.exit(2);
}

// What can be made longer asks test/support/runs.ts how long it may be.
const files = readdirSync(join(root, 'dist/test'), { recursive: true })
  .filter((name) => name.endsWith('.test.js'))
  .map((name) => join('dist/test', name))
  .filter((path) => /from '[./]+\/support\/runs\.js'/.test(readFileSync(join(root, path), 'utf8')))
  .sort();

const {
  require: modules,
  timeout,
  jobs,
  reporter,
  'node-option': flags,
} = createRequire(import.meta.url)('../.mocharc.cjs');
console.log(`${files.length} files with searches, ${factor} times as long as usual`);
const { status } = spawnSync(
  process.execPath,
  [
    ...flags.map((flag) => `--${flag}`),
    join(root, 'node_modules/mocha/bin/mocha.js'),
    '--no-config',
    '--parallel',
    `--jobs=${jobs}`,
    `--timeout=${Math.ceil(timeout * Math.max(1, factor))}`,
    `--reporter=${reporter}`,
    ...modules.map((path) => `--require=${path}`),
    ...files,
  ],
  { cwd: root, stdio: 'inherit', env: { ...process.env, TEST_RUNS: String(factor) } },
);
process.exitCode = status === 0 ? 0 : 1;
