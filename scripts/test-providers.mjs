// The same tests under each crypto provider that is not the default; `npm test` runs them under that.
// Words on the command line choose some: `npm run test:providers -- node web`.
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const USUAL = ['handshake', 'vectors', 'openssl', 'interop'];
// A test in memory is synchronous, and Web Crypto is not: what waits is for the shells.
const SUITES = { noble: USUAL, fast: USUAL, node: [...USUAL, 'node'], web: ['interop', 'node', 'web'] };

/** For one provider. Its tests may pass, and a port that one has left open keep the process. */
const LIMIT_MS = 1_500_000;

const chosen = process.argv.slice(2);
const unknown = chosen.find((name) => !Object.hasOwn(SUITES, name));
if (unknown !== undefined) {
  console.error(`no provider ${unknown}; there are ${Object.keys(SUITES).join(', ')}`);
  process.exit(2);
}

// What takes its time, and is not about cryptography.
const ELSEWHERE = [
  'early-data-browsers',
  'facade',
  'fleet',
  'lenient',
  'node-60847',
  'probe',
  'relay',
  'report-page',
  'scenarios',
];

/** Runs the tests under one, and prints what they have said. Whether all is well. */
function test(provider) {
  const suites = SUITES[provider];
  const args = [
    '--enable-source-maps',
    `${root}node_modules/mocha/bin/mocha.js`,
    '--no-config',
    '--timeout=60000',
    '--reporter=dot',
    ...ELSEWHERE.map((name) => `--ignore=dist/test/interop/${name}.test.js`),
    ...suites.map((suite) => `dist/test/${suite}/**/*.test.js`),
  ];
  const env = { ...process.env, TLS_RESUME_PROVIDER: provider };
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], env, timeout: LIMIT_MS });
  const output = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => output.push(chunk));
  return new Promise((resolve) => {
    child.on('error', (error) => output.push(Buffer.from(`${error.message}\n`)));
    child.on('close', (code, signal) => {
      console.log(`\n== provider ${provider}: ${suites.join(', ')}\n${Buffer.concat(output)}`);
      if (signal !== null) console.log(`provider ${provider}: ended by ${signal}; a test may have left something open`);
      resolve(code === 0);
    });
  });
}

// One process for each core: a single one has no use for a second.
const waiting = Object.keys(SUITES).filter((provider) => chosen.length === 0 || chosen.includes(provider));
async function lane() {
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
    if (!(await test(next))) process.exitCode = 1;
}
await Promise.all(Array.from({ length: availableParallelism() }, lane));
