/** Finding and running the programs that other people wrote. */

import { spawn, spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * A program on PATH, or where Debian puts those that it does not put there; a path is taken as it is. Of a header, as
 * `openssl/ssl.h`, where it is.
 */
export function findProgram(name: string): string | undefined {
  if (name.endsWith('.h')) return [join('/usr/include', name)].find(existsSync);
  if (name.includes(sep)) return isExecutable(name) ? name : undefined;
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  return [...folders, ...debianFolders()].map((folder) => join(folder, name)).find(isExecutable);
}

/** unsupported-tools of NSS, and versioned Go, are not on PATH; servers are on that of root alone. */
function debianFolders(): string[] {
  const go = existsSync('/usr/lib') ? readdirSync('/usr/lib').filter((name) => /^go-\d/.test(name)) : [];
  return ['/usr/sbin', '/usr/lib/nss/unsupported-tools', ...go.map((name) => `/usr/lib/${name}/bin`)];
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** How each says what it is. tstclnt does not: it is of the version of its library. What Python has of TLS is OpenSSL's. */
const VERSION_ARGUMENTS: Readonly<Record<string, readonly string[]>> = {
  openssl: ['version'],
  curl: ['--version'],
  'gnutls-cli': ['--version'],
  'gnutls-serv': ['--version'],
  java: ['-version'],
  javac: ['-version'],
  go: ['version'],
  gcc: ['--version'],
  nginx: ['-v'],
  haproxy: ['-v'],
  python3: ['-c', "import sys, ssl; print('Python', sys.version.split()[0] + ',', ssl.OPENSSL_VERSION)"],
};

/** The first line that it says of itself, for the log. */
export function versionOf(name: string): string {
  const path = findProgram(name);
  const args = VERSION_ARGUMENTS[name];
  if (path === undefined) return 'not installed';
  if (args === undefined) return 'version unknown';
  const { stdout, stderr } = spawnSync(path, args, { encoding: 'utf8', timeout: 10_000, env: plainEnvironment() });
  return `${stdout ?? ''}${stderr ?? ''}`.split('\n')[0]?.trim() ?? '';
}

function isCi(): boolean {
  return (process.env['CI'] ?? '') !== '';
}

const told = new Set<string>();

/** A reporter that is short names no test that is skipped. */
function tellMissing(programs: readonly string[]): void {
  for (const name of programs) {
    if (!told.has(name)) console.warn(`${name} is not installed here: what needs it is skipped`);
    told.add(name);
  }
}

/**
 * `describe` for tests that need programs. Where one is missing the tests are one skip that names it; under CI, which
 * installs them all (install-peers.sh), it is a failure.
 */
export function describeWith(programs: readonly string[], title: string, body: () => void): void {
  const missing = programs.filter((name) => findProgram(name) === undefined);
  if (missing.length === 0) {
    describe(title, body);
    return;
  }
  if (!isCi()) tellMissing(missing);
  describe(title, () => {
    it(`needs ${missing.join(' and ')}, not installed here`, function () {
      if (isCi()) throw new Error(`${missing.join(', ')} not found: run test/interop/install-peers.sh`);
      this.skip();
    });
  });
}

export interface Ran {
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly input?: string | Uint8Array | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly cwd?: string | undefined;
  /** Then it is killed, and this rejects. Default 15000. */
  readonly timeoutMs?: number | undefined;
}

/** No test reads so much, and a client that runs wild must not fill the memory. */
const LONGEST_OUTPUT = 1 << 20;

/** Runs a program to its end. Rejects with what it said when it fails or is late. Kills nothing but its own child. */
export function run(name: string, args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const path = findProgram(name);
  if (path === undefined) return Promise.reject(new Error(`${name} is not installed`));
  return new Promise((resolve, reject) => {
    const child = spawn(path, args, { cwd: options.cwd, env: { ...plainEnvironment(), ...options.env } });
    const said = { stdout: '', stderr: '' };
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      child.kill('SIGKILL');
    }, options.timeoutMs ?? 45_000);
    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream].setEncoding('utf8').on('data', (text: string) => {
        if (said[stream].length < LONGEST_OUTPUT) said[stream] += text;
      });
    }
    child.stdin.on('error', () => {}); // it may leave without having read its input
    child.stdin.write(options.input ?? '');
    child.stdin.end();
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      if (code === 0) {
        resolve(said);
        return;
      }
      const why = late ? 'was too slow' : `ended with ${code ?? signal}`;
      reject(new Error([`${name} ${args.join(' ')} ${why}`, said.stdout, said.stderr].join('\n')));
    });
  });
}

/** Nothing of the caller's may turn a client's head: locale, trust stores, proxies, tool options. */
export function plainEnvironment(): Record<string, string> {
  const kept = ['PATH', 'HOME', 'TMPDIR', 'JAVA_HOME', 'LD_LIBRARY_PATH'];
  const entries = kept.map((name) => [name, process.env[name]] as const);
  const known = entries.filter((entry): entry is readonly [string, string] => entry[1] !== undefined);
  return { ...Object.fromEntries(known), LC_ALL: 'C', OPENSSL_CONF: '/dev/null' };
}

let folder: string | undefined;

/** A folder for what the clients must have as files. It goes when the process does. */
export function workFolder(): string {
  if (folder === undefined) {
    const made = mkdtempSync(join(tmpdir(), 'tls-resume-interop-'));
    process.once('exit', () => rmSync(made, { recursive: true, force: true }));
    folder = made;
  }
  return folder;
}

/** A file of the source tree, also from compiled code. */
export function sourcePath(relative: string): string {
  let at = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(at, 'package.json'))) {
    if (at === dirname(at)) throw new Error(`no package.json above ${import.meta.url}`);
    at = dirname(at);
  }
  return join(at, relative);
}
