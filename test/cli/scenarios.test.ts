/** `tls-resume scenarios`. */

import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { parseCommand } from '../../src/cli/args.ts';
import { SCENARIOS_HELP } from '../../src/cli/help.ts';
import { listScenarios, runScenarios } from '../../src/cli/scenarios.ts';
import { SCENARIOS_FLAGS, type ScenariosSettings } from '../../src/cli/scenarios-args.ts';
import type { ReportedResult, ScenariosReport } from '../../src/judges/report.ts';
import { scenarios } from '../../src/testing/catalogue/scenarios.ts';
import { startServer, stopServers } from '../node/support.ts';
import { faultOf } from './fault-of.ts';
import { Program, stopAll } from './programs.ts';

let folder = '';
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'tls-resume-scenarios-test-'));
});
after(() => rmSync(folder, { recursive: true }));
afterEach(() => stopServers());
afterEach(() => stopAll());

function settingsOf(...words: readonly string[]): ScenariosSettings {
  const command = parseCommand(['scenarios', ...words]);
  if (command.name !== 'scenarios') throw new Error(`${command.name}?`);
  return command.settings;
}

interface Run {
  readonly code: number;
  readonly lines: readonly string[];
  readonly progress: readonly string[];
}

async function run(stop: Promise<void>, ...words: readonly string[]): Promise<Run> {
  const [lines, progress]: [string[], string[]] = [[], []];
  const output = {
    print: (line: string) => void lines.push(line),
    progress: (line: string) => void progress.push(line),
    stop,
  };
  return { code: await runScenarios(settingsOf(...words), output), lines, progress };
}

/** A promise, and what resolves it. */
class Held {
  resolve: () => void = () => {};
  readonly promise = new Promise<void>((resolve) => {
    this.resolve = resolve;
  });
}

const open: Server[] = [];
afterEach(() => {
  for (const server of open.splice(0)) server.close();
});

/** The port of a server without TLS. */
async function listening(serve: (socket: Socket) => void): Promise<number> {
  const server = createServer((socket) => serve(socket.on('error', () => {}))).listen(0, '127.0.0.1');
  open.push(server);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

const never = new Promise<void>(() => {});
const ROTATED = 'server/psk/binders-rotated';
const ONLY = ['--only', ROTATED, '--only', 'server/psk/identity-unknown-in-front'];

/** A server of ours that answers, and its address. */
async function answering(): Promise<string> {
  const { port } = await startServer({}, (socket) =>
    socket.on('error', () => {}).on('data', () => socket.end('hello')),
  );
  return `127.0.0.1:${port}`;
}

describe('tls-resume scenarios', () => {
  it('has all flags in its help', () => {
    for (const flag of Object.keys(SCENARIOS_FLAGS)) expect(SCENARIOS_HELP).to.include(`--${flag}`);
  });

  it('lists the catalogue, a line a scenario', () => {
    expect(listScenarios()).to.have.lengthOf(scenarios.all().length);
    expect(parseCommand(['scenarios', '--list']).name).to.equal('scenarios-list');
    expect(parseCommand(['help', 'scenarios']).name).to.equal('scenarios-help');
  });

  for (const [words, message] of [
    [[], 'either --client or --server'],
    [['--client', 'openssl', '--server', 'a:1'], 'either --client or --server'],
    [['--client', 'echo'], '{host} and {port}'],
    [['--client', 'echo {port}', '--driver', 'telnet'], 'it is one of stdin, http, echo, reconnect, lines'],
    [['--client', 'go', '--driver', 'http'], 'the one of --client go is lines'],
    [['--server', 'localhost'], 'host:port is wanted'],
    [['--server', 'localhost:70000'], 'host:port is wanted'],
    [['--server', '[localhost]:443'], 'host:port is wanted'],
    [['--server', 'a:1', '--driver', 'http'], '--driver is for a --client'],
    [['--server', 'a:1', '--time-limit', 'long'], '--time-limit long: seconds'],
    [['--server', 'a:1', '--onyl', 'psk'], 'is --only meant?'],
    [['a:1'], "'a:1' is one word too many; a server is named by --server"],
    [['--server', 'a:1', '--sni', 'a b'], "--sni: 'a b' is no host name"],
    [['--server', 'a:1', '--only', ''], '--only: the value is empty'],
    [['--server', 'a:1', '--html', ''], '--html: the value is empty'],
    [['--client', 'openssl', '--sni', 'a'], '--sni is for a --server'],
    [['--client', 'openssl', '--request', 'a'], '--request is for a --server'],
  ] as const)
    it(`refuses ${words.join(' ') || 'to run without a peer'}`, async () => {
      const fault = await faultOf(() => settingsOf(...words));
      expect(fault.message).to.include(message);
      expect(fault.exitCode).to.equal(2);
    });

  it('refuses a part that no id has, and a list with an id that nothing has', async () => {
    expect((await faultOf(() => run(never, '--server', 'a:1', '--only', 'client/'))).message).to.include(
      'for a server',
    );
    const known = join(folder, 'unknown');
    writeFileSync(known, 'server/no/such # is none\n');
    const fault = await faultOf(() => run(never, '--server', 'a:1', '--known', known));
    expect(fault.message).to.equal(`--known ${known}: no scenario has the id 'server/no/such'; see --list`);
  });

  it('judges a server, and tells of it in a table, in JSON and in XML', async () => {
    const address = await answering();
    const { code, lines, progress } = await run(never, '--server', address, ...ONLY, '--all');
    expect([code, lines.at(-1)]).to.deep.equal([0, '2 passed, 0 findings, 0 differ, 0 not run']);
    expect(lines[1]).to.match(/^must +server\/psk\/binders-rotated \(TLSv1\.3\) +aborts +decrypt_error +pass$/);
    expect(progress).to.deep.equal([
      'a handshake without fault',
      `1/2 ${ROTATED} (TLSv1.3)`,
      `2/2 ${ONLY[3]} (TLSv1.3)`,
      '',
    ]);
    const junit = join(folder, 'junit.xml');
    const told = await run(never, '--server', address, ...ONLY, '--json', '--junit', junit);
    const { version, results } = JSON.parse(told.lines[0] ?? '') as ScenariosReport;
    expect([version, results.map(({ verdict }) => verdict)]).to.deep.equal([scenarios.version, ['pass', 'pass']]);
    expect(readFileSync(junit, 'utf8')).to.match(
      /tests="2" failures="0" skipped="0">\n {2}<testcase classname="RFC 9846 /,
    );
  });

  it('fails where what is known to fail passes', async () => {
    const known = join(folder, 'known');
    writeFileSync(known, `# since today\n${ROTATED}\n`);
    const { code, lines } = await run(never, '--server', await answering(), ...ONLY, '--known', known, '--json');
    const { results } = JSON.parse(lines[0] ?? '') as ScenariosReport;
    const isKnown = ({ id, isKnown: is }: ReportedResult) => [id, is];
    expect([code, isKnown(results[0] as ReportedResult)]).to.deep.equal([1, [ROTATED, true]]);
  });

  it('knows what fails in one version alone', async () => {
    const known = join(folder, 'known-in-one');
    writeFileSync(known, `${ROTATED} (TLSv1.3) # so does the table name it\n`);
    const { code } = await run(never, '--server', await answering(), ...ONLY, '--known', known);
    expect(code).to.equal(1);
    writeFileSync(known, `${ROTATED} (TLSv1.2)\n`);
    const fault = await faultOf(() => run(never, '--server', 'a:1', '--known', known));
    expect(fault.message).to.equal(`--known ${known}: no scenario has the id '${ROTATED} (TLSv1.2)'; see --list`);
  });

  it('says what to install where a client that is known by name is not there', async () => {
    const path = process.env['PATH'];
    process.env['PATH'] = folder;
    try {
      const fault = await faultOf(() => run(never, '--client', 'java', '--only', 'client/psk/selected-unasked'));
      expect(fault.message).to.equal(
        '--client java: java and javac are not on PATH; on Debian: apt install default-jdk-headless',
      );
      expect(fault.exitCode).to.equal(2);
    } finally {
      process.env['PATH'] = path;
    }
  });

  it('runs nothing where nobody answers, and says so', async () => {
    const fault = await faultOf(() => run(never, '--server', '127.0.0.1:1', '--only', ROTATED));
    expect(fault.message).to.match(/^--server 127\.0\.0\.1:1: no connection to 127\.0\.0\.1:1: connect ECONNREFUSED/);
    expect(fault.exitCode).to.equal(1);
  });

  it('runs nothing where no handshake is completed: whatever refuses all would pass', async () => {
    const port = await listening((socket) => socket.once('data', () => socket.end('HTTP/1.1 400 \x1b[31m\r\n\r\n')));
    const fault = await faultOf(() => run(never, '--server', `127.0.0.1:${port}`, '--only', ROTATED));
    expect(fault.message).to.match(/a handshake without fault ends so: differs: unexpected_message: not TLS/);
    expect(fault.exitCode).to.equal(1);
  });

  it('does not run what is of a version that the server does not speak', async () => {
    const { port } = await startServer({ minVersion: 'TLSv1.3' }, (socket) =>
      socket.on('error', () => {}).on('data', () => socket.end('hello')),
    );
    const ids = ['server/downgrade', ROTATED].flatMap((id) => ['--only', id]);
    const { lines } = await run(never, '--server', `127.0.0.1:${port}`, ...ids, '--json');
    const { results } = JSON.parse(lines[0] ?? '') as ScenariosReport;
    const verdicts = (version: string) =>
      new Set(results.filter((one) => one.version === version).map(({ verdict }) => verdict));
    expect([...verdicts('TLSv1.2')]).to.deep.equal(['not-run']);
    expect([...verdicts('TLSv1.3')]).to.include('pass');
  });

  for (const flag of ['--junit', '--html'])
    it(`says before the run that ${flag} cannot be written`, async () => {
      const fault = await faultOf(() => run(never, '--server', '127.0.0.1:1', flag, join(folder, 'none', 'file')));
      expect(fault.message).to.match(new RegExp(`^${flag} .*cannot be written`));
      expect(fault.exitCode).to.equal(2);
    });

  it('reads a list with the line ends of Windows', async () => {
    const known = join(folder, 'crlf');
    writeFileSync(known, `\ufeff# one\r\n${ROTATED}\r\n\r\n`);
    const { code } = await run(never, '--server', await answering(), ...ONLY, '--known', known);
    expect(code).to.equal(1);
  });

  it('says that what was chosen is not for a server beyond loopback', async () => {
    const id = scenarios.forServers().find(({ isIntrusive }) => isIntrusive)?.id ?? '';
    const fault = await faultOf(() => run(never, '--server', 'server.example:443', '--only', id));
    expect(fault.message).to.equal(`--only ${id}: beyond loopback that is run with --intrusive alone`);
  });

  it('prints what it has when it is stopped', async () => {
    const stop = new Held();
    const [lines, at]: [string[], string[]] = [[], []];
    const progress = (line: string): void => {
      at.push(line);
      if (line.startsWith('2/2')) stop.resolve();
    };
    const settings = settingsOf('--server', await answering(), ...ONLY, '--json');
    const code = await runScenarios(settings, { print: (line) => void lines.push(line), progress, stop: stop.promise });
    const { results } = JSON.parse(lines[0] ?? '') as ScenariosReport;
    expect([code, results.map(({ id }) => id)]).to.deep.equal([130, [ROTATED]]);
  });

  it('does not wait for a server that hangs when it is stopped', async () => {
    const [stop, closed] = [new Held(), new Held()];
    const port = await listening((socket) => {
      socket.once('data', stop.resolve).once('close', closed.resolve);
    });
    const words = ['--server', `127.0.0.1:${port}`, '--time-limit', '3600', '--json'];
    const { code, lines } = await run(stop.promise, ...words);
    await closed.promise;
    expect([code, (JSON.parse(lines[0] ?? '') as ScenariosReport).results]).to.deep.equal([130, []]);
  });

  it('does not wait for a client that hangs when it is stopped, and ends it', async () => {
    const [stop, closed] = [new Held(), new Held()];
    // The client is there once it has connected, to somebody else than the tester, and gone when that connection is.
    const port = await listening((socket) => {
      socket.resume().once('close', closed.resolve);
      stop.resolve();
    });
    const program = join(folder, 'hanging.mjs');
    writeFileSync(program, `import { connect } from 'node:net';\nconnect(${port}, '127.0.0.1');\n`);
    const words = ['--client', `'${process.execPath}' '${program}' {port}`, '--time-limit', '3600', '--json'];
    const { code, lines } = await run(stop.promise, ...words);
    await closed.promise;
    expect([code, (JSON.parse(lines[0] ?? '') as ScenariosReport).results]).to.deep.equal([130, []]);
  });

  it('ends by Ctrl-C as a process: at once, with what it has, and nothing of it is left', async () => {
    const connected = new Held();
    const port = await listening((socket) => {
      socket.resume();
      connected.resolve();
    });
    const program = new Program('main', 'scenarios', '--server', `127.0.0.1:${port}`, '--time-limit', '3600');
    await connected.promise;
    expect(await program.stop('SIGINT')).to.equal(130);
    expect(program.output).to.equal('0 passed, 0 findings, 0 differ, 0 not run\n');
  });
});
