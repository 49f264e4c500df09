// Recordings of random exchanges, made here, replayed elsewhere: all of them in another Node, the first hundred under Bun and Deno, of
// their npm packages, and in Chromium. `npm run test:runtimes [-- EXCHANGES [SEED]]`: 1000 exchanges, and a seed of the day's own, which
// is printed. In CI a runtime that is missing is a failure.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { replayInChromium } from '../dist/test/campaigns/chromium.js';

const ELSEWHERE = 100;
const campaigns = fileURLToPath(new URL('../dist/test/campaigns/', import.meta.url));

const [count = 1000, seed = Date.now() % 2 ** 31] = process.argv.slice(2).map(Number);
if (!(Number.isInteger(count) && count > 0 && Number.isInteger(seed))) {
  console.error('npm run test:runtimes [-- EXCHANGES [SEED]]: whole numbers, EXCHANGES above 0');
  process.exit(2);
}

const folder = mkdtempSync(join(tmpdir(), 'tls-resume-recordings-'));
const recordings = join(folder, 'recordings');
mkdirSync(recordings);
const failed = [];

function run(name, program, args) {
  console.log(`\n== ${name}`);
  const { status, error } = spawnSync(program, args, { stdio: 'inherit', timeout: 900_000 });
  if (error !== undefined) console.error(`${name}: ${error.message}`);
  if (status !== 0) failed.push(name);
}

/** The program of an npm package, which is installed for this; `undefined` if it cannot be. */
function programOf(name) {
  const args = ['install', '--no-audit', '--no-fund', '--prefix', folder, name];
  const { status } = spawnSync('npm', args, { stdio: ['ignore', 'ignore', 'inherit'] });
  const program = join(folder, 'node_modules', '.bin', name);
  return status === 0 && spawnSync(program, ['--version']).status === 0 ? program : undefined;
}

function missing(name) {
  console.log(`\n== ${name}: skipped, it is not to be had`);
  if (process.env.CI) failed.push(`${name}, which is missing`);
}

try {
  run('recorded by Node', process.execPath, [join(campaigns, 'recordings.js'), recordings, count, seed].map(String));
  run('replayed by another Node', process.execPath, [join(campaigns, 'replays.js'), recordings]);
  const replays = [join(campaigns, 'replays.js'), recordings, String(ELSEWHERE)];
  for (const [name, args] of [
    ['bun', replays],
    ['deno', ['run', '--no-lock', '--allow-read', '--allow-env', ...replays]],
  ]) {
    const program = programOf(name);
    if (program === undefined) missing(name);
    else run(`replayed by ${name}`, program, args);
  }
  const files = readdirSync(recordings).sort().slice(0, ELSEWHERE);
  const texts = files.flatMap((name) => JSON.parse(readFileSync(join(recordings, name), 'utf8')));
  const replayed = await replayInChromium(texts);
  if (replayed === undefined) missing('chromium');
  else {
    console.log('\n== replayed by chromium');
    for (const failure of replayed.failures) console.error(failure);
    console.log(`  ${replayed.passed} passing`);
    if (replayed.failures.length > 0 || replayed.passed !== texts.length) failed.push('chromium');
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
if (failed.length > 0) console.error(`\nfailed: ${failed.join(', ')}; the seed was ${seed}`);
process.exitCode = failed.length > 0 ? 1 : 0;
