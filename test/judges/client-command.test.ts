/** Clients that are commands: what each driver makes of a process. */

import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { type ClientCommand, clientCommand } from '../../src/judges/client-command.ts';
import { KNOWN_CLIENTS } from '../../src/judges/known-clients/known-clients.ts';
import { ClientBench } from '../../src/testing/scenarios/bench.ts';
import { NotRun } from '../../src/testing/scenarios/visit.ts';

/** Connects COUNT times, one after the other, each time with the session of the last; `name` is asked for. */
const RECONNECTING = `import { connect } from 'node:tls';
const [, , port, servername, count] = process.argv;
let session;
for (let i = 0; i < count; i++)
  await new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, servername, session, rejectUnauthorized: false });
    socket.on('secureConnect', () => socket.write(\`hello \${i}\`));
    socket.on('session', (given) => { session = given; });
    socket.on('error', () => {});
    socket.on('end', () => socket.end());
    socket.on('close', resolve);
    socket.resume();
  });
`;

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

async function reasonOf(run: () => Promise<unknown>): Promise<string> {
  try {
    await run();
  } catch (error) {
    if (error instanceof NotRun) return error.message;
    throw error;
  }
  throw new Error('it has been run');
}

describe('a client that is a command', () => {
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'tls-resume-command-test-'));
    writeFileSync(join(folder, 'reconnecting.mjs'), RECONNECTING);
  });
  after(() => rmSync(folder, { recursive: true }));

  /** Runs with a tester of the command, and gives back what it holds. */
  async function testing<T>(command: ClientCommand, run: (bench: ClientBench) => Promise<T>): Promise<T> {
    const client = clientCommand(command);
    const bench = new ClientBench(client, 'TLSv1.3');
    try {
      return await run(bench);
    } finally {
      for (const visit of bench.visits) visit.dispose();
      client.close();
    }
  }

  const reconnecting = (count: number): ClientCommand => ({
    command: `'${process.execPath}' '${folder}/reconnecting.mjs' {port} {name} ${count}`,
    driver: 'reconnect',
  });

  it('is not run where it ends before it connects, for the reason that it gives', async () => {
    const command = { command: 'echo no such key >&2; exit 3 # {port}', driver: 'http' } as const;
    const reason = await testing(command, (bench) => reasonOf(() => bench.server().hand()));
    expect(reason).to.equal('the command has ended (3) before it has connected: no such key');
  });

  it('is not run where it says more than anybody reads, and tells the end of it', async () => {
    const command = {
      command: 'head -c 20000000 /dev/zero >&2; echo the end >&2; exit 4 # {port}',
      driver: 'http',
    } as const;
    const reason = await testing(command, (bench) => reasonOf(() => bench.server().hand()));
    expect(reason).to.match(/^the command has ended \(4\) before it has connected: \0*the end$/);
    expect(reason.length).to.be.below(2100);
  });

  it('is not run where there is no such command', async () => {
    const command = { command: 'no-such-command {port}', driver: 'stdin' } as const;
    const reason = await testing(command, (bench) => reasonOf(() => bench.server().hand()));
    expect(reason).to.match(/^the command has ended \(127\) before it has connected: .*no-such-command.*not found$/);
  });

  it('stops what prepares it', async () => {
    const stopping = new AbortController();
    const server = createServer(() => stopping.abort()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const file = join(folder, 'preparing.mjs');
    writeFileSync(file, `import { connect } from 'node:net';\nconnect(${port}, '127.0.0.1');\n`);
    const prepare = `'${process.execPath}' '${file}'`;
    const command = { command: 'true', driver: 'lines', prepare, signal: stopping.signal } as const;
    const reason = await testing(command, (bench) => reasonOf(() => bench.server().hand()));
    server.close();
    expect(reason).to.include('SIGKILL');
  });

  it('leaves nothing that it has started', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const heard = once(server, 'connection');
    const file = join(folder, 'left.mjs');
    writeFileSync(
      file,
      `import { connect } from 'node:net';
import { writeFileSync } from 'node:fs';
process.on('SIGTERM', () => {}).on('SIGHUP', () => {});
connect(${port}, '127.0.0.1').on('connect', () => writeFileSync('${folder}/left', 'x'));
`,
    );
    const words = `mkfifo '${folder}/left'; '${process.execPath}' '${file}' & read line < '${folder}/left'; exit 3 # {port}`;
    expect(
      await testing({ command: words, driver: 'http' }, (bench) => reasonOf(() => bench.server().hand())),
    ).to.include('(3)');
    const [socket] = (await heard) as [Socket];
    if (!socket.destroyed) await once(socket.on('error', () => {}).resume(), 'close');
    server.close();
  });

  it('leaves no file where the process exits in between', () => {
    const file = join(folder, 'exits.mjs');
    const from = JSON.stringify(new URL('../../src/judges/client-command.js', import.meta.url).href);
    writeFileSync(
      file,
      `import { clientCommand } from ${from};
clientCommand({ command: 'x {port}', driver: 'http' });
process.exit(0);
`,
    );
    mkdirSync(join(folder, 'tmp'));
    const { status } = spawnSync(process.execPath, [file], { env: { ...process.env, TMPDIR: join(folder, 'tmp') } });
    expect([status, readdirSync(join(folder, 'tmp'))]).to.deep.equal([0, []]);
  });

  it('is not run where what prepares it fails', async () => {
    const command = { command: 'true', driver: 'lines', prepare: 'echo no compiler >&2; false' } as const;
    const reason = await testing(command, (bench) => reasonOf(() => bench.server().hand()));
    expect(reason).to.match(/^what prepares the command fails: .*no compiler$/);
  });

  it('has a file for the session with each name, which is offered to no other', async () => {
    const log = join(folder, 'log');
    const command = { command: `echo {name} [resumes] >> '${log}'; touch {session} # {port}`, driver: 'http' } as const;
    await testing(command, async (bench) => {
      const server = bench.server();
      for (const errand of [
        { resumes: false },
        { serverName: 'other.example' },
        { serverName: 'other.example' },
        { resumes: true },
      ])
        await reasonOf(() => server.accept(errand));
      bench.peer.forget?.();
      await reasonOf(() => server.accept({ resumes: true }));
    });
    const lines = readFileSync(log, 'utf8').trim().split('\n');
    expect(lines.map((line) => line.trim())).to.deep.equal([
      ...['localhost', 'other.example', 'other.example resumes', 'localhost resumes', 'localhost'],
    ]);
  });

  it('can what its words have a place for', () => {
    const can = (command: string, driver: ClientCommand['driver']): string => {
      const client = clientCommand({ command, driver });
      client.close();
      return (['resume', 'session-store', 'server-name', 'early-data'] as const)
        .filter((one) => client.can(one))
        .join();
    };
    expect(can('x {port}', 'http')).to.equal('');
    expect(can('x {port} {name} {session}', 'stdin')).to.equal('resume,server-name');
    expect(can('x {port} {session} [early-data: -e]', 'stdin')).to.equal('resume,early-data');
    expect(can('x {port}', 'reconnect')).to.equal('resume,session-store');
    expect(can('x {port} [early-data: -e]', 'reconnect')).to.equal('resume,session-store,early-data');
    expect(can('x [early-data: -e]', 'lines')).to.equal('resume,session-store,server-name');
  });

  it('reconnects by itself: a connection that comes early waits for its errand', async () => {
    await testing(reconnecting(3), async (bench) => {
      const server = bench.server();
      const visits = [await server.hand(), await server.accept(), await server.accept()];
      expect(visits.map(({ reaction }) => reaction)).to.deep.equal(['full handshake', 'resumes', 'resumes']);
      expect(visits.map(({ facts }) => text(facts.data))).to.deep.equal(['hello 0', 'hello 1', 'hello 2']);
      expect(await reasonOf(() => server.accept())).to.equal('the command has ended (0) before it has connected');
    });
  });

  it('reconnects by itself: no connection of one process is taken for one of the next', async () => {
    await testing(reconnecting(20), async (bench) => {
      const server = bench.server();
      for (let i = 0; i < 4; i++) {
        const visit = await server.hand();
        expect([visit.reaction, text(visit.facts.data)]).to.deep.equal(['full handshake', 'hello 0']);
      }
    });
  });

  it('reconnects by itself: neither another name nor time can be had of it', async () => {
    await testing(reconnecting(5), async (bench) => {
      const server = bench.server();
      await server.hand();
      expect(await reasonOf(() => server.accept({ serverName: 'other.example' }))).to.equal(
        'the command connects to one name alone',
      );
      expect(await reasonOf(() => bench.wait(1))).to.include('when it likes');
    });
  });

  it('reads lines: one process connects, resumes and forgets', async () => {
    const { node } = KNOWN_CLIENTS;
    if (node === undefined) throw new Error('node is not known');
    const command = { ...node, command: `'${process.execPath}' '{folder}/client.mjs'` };
    await testing(command, async (bench) => {
      const server = bench.server();
      const errands = [{ resumes: false }, {}, { serverName: 'other.example' }, {}, { resumes: false }];
      const reactions: string[] = [];
      for (const errand of errands) reactions.push((await server.accept(errand)).reaction);
      bench.peer.forget?.();
      reactions.push((await server.accept()).reaction);
      expect(reactions).to.deep.equal([
        ...['full handshake', 'resumes', 'full handshake', 'resumes', 'full handshake', 'full handshake'],
      ]);
    });
  });

  it('reads lines: its sessions end with it', async () => {
    const command = { command: 'read line; exit 7', driver: 'lines' } as const;
    await testing(command, async (bench) => {
      const server = bench.server();
      expect(await reasonOf(() => server.accept({ resumes: false }))).to.include('has ended (7)');
      expect(await reasonOf(() => server.accept())).to.equal('the command has ended, and its sessions with it');
    });
  });
});
