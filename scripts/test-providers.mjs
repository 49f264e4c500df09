// The same tests under each crypto provider that is not the default; `npm test` runs them under that.
// Words on the command line choose some: `npm run test:providers -- node web`.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const USUAL = ['handshake', 'vectors', 'openssl', 'interop'];
// A test in memory is synchronous, and Web Crypto is not: what waits is for the shells.
const SUITES = { noble: USUAL, fast: USUAL, node: [...USUAL, 'node'], web: ['interop', 'node', 'web'] };

/** For one provider. Its tests may pass, and a port that one has left open keep the process. */
const LIMIT_MS = 900_000;

const chosen = process.argv.slice(2);
const unknown = chosen.find((name) => !Object.hasOwn(SUITES, name));
if (unknown !== undefined) {
  console.error(`no provider ${unknown}; there are ${Object.keys(SUITES).join(', ')}`);
  process.exit(2);
}

let failed = false;
for (const [provider, suites] of Object.entries(SUITES)) {
  if (chosen.length > 0 && !chosen.includes(provider)) continue;
  console.log(`\n== provider ${provider}: ${suites.join(', ')}`);
  const { status, error } = spawnSync(
    process.execPath,
    [
      '--enable-source-maps',
      `${root}node_modules/mocha/bin/mocha.js`,
      '--no-config',
      '--timeout=60000',
      '--reporter=dot',
      '--ignore=dist/test/interop/early-data-browsers.test.js', // which takes a minute, and sees nothing of a provider
      ...suites.map((suite) => `dist/test/${suite}/**/*.test.js`),
    ],
    { cwd: root, stdio: 'inherit', env: { ...process.env, TLS_RESUME_PROVIDER: provider }, timeout: LIMIT_MS },
  );
  if (error) console.error(`provider ${provider}: ${error.message}; a test may have left something open`);
  failed ||= status !== 0;
}
process.exitCode = failed ? 1 : 0;
