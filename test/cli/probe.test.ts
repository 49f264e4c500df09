/** `tls-resume probe`. */

import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { parseCommand } from '../../src/cli/args.ts';
import { PROBE_HELP } from '../../src/cli/help.ts';
import { runProbe } from '../../src/cli/probe.ts';
import { PROBE_FLAGS, type ProbeSettings } from '../../src/cli/probe-args.ts';
import { defineServer } from '../../src/engine/server/define-server.ts';
import type { ProbeReport } from '../../src/judges/probe-report.ts';
import { accept } from '../../src/node/index.ts';
import { credentials, startServer, stopServers } from '../node/support.ts';
import { faultOf } from './fault-of.ts';

let folder = '';
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'tls-resume-probe-test-'));
});
after(() => rmSync(folder, { recursive: true }));
afterEach(() => stopServers());

function settingsOf(...words: readonly string[]): ProbeSettings {
  const command = parseCommand(['probe', ...words]);
  if (command.name !== 'probe') throw new Error(`${command.name}?`);
  return command.settings;
}

/** The exit code and the lines of a probe that makes a few connections. */
async function run(...words: readonly string[]): Promise<readonly [number, readonly string[]]> {
  const lines: string[] = [];
  const output = { print: (line: string) => void lines.push(line), stop: new Promise<void>(() => {}) };
  return [await runProbe(settingsOf(...words, '--connections', '14'), output), lines];
}

async function reportOf(...words: readonly string[]): Promise<ProbeReport> {
  const [, lines] = await run(...words, '--json');
  expect(lines).to.have.lengthOf(1);
  return JSON.parse(lines[0] ?? '') as ProbeReport;
}

/** Has a server speak POP3 up to TLS, and in it, and calls `work` with its address. Returns what it was told in private. */
async function overPop3(work: (address: string) => Promise<void>): Promise<ReadonlySet<string>> {
  const told = new Set<string>();
  const config = defineServer({ credentials, tickets: { mode: 'stateless' } });
  const server = createServer((transport: Socket) => {
    transport.on('error', () => {}).write('+OK ready\r\n');
    transport.once('data', () => {
      transport.write('+OK begin\r\n');
      const socket = accept(transport, { config });
      socket
        .on('error', () => {})
        .on('data', (chunk) => {
          told.add(chunk.toString());
          socket.end('+OK bye\r\n');
        });
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    await work(`127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.close();
  }
  return told;
}

/** A server of ours that answers, and its address. */
async function answering(): Promise<string> {
  const { port } = await startServer({ tickets: { mode: 'stateless' } }, (socket) =>
    socket.on('error', () => {}).on('data', () => socket.end('hello')),
  );
  return `127.0.0.1:${port}`;
}

describe('tls-resume probe', () => {
  it('has all flags in its help, and how gentle it is', () => {
    for (const flag of Object.keys(PROBE_FLAGS)) expect(PROBE_HELP).to.include(`--${flag}`);
    expect(PROBE_HELP).to.include('4 begin in a second at most and 250 in all');
    expect(parseCommand(['help', 'probe']).name).to.equal('probe-help');
    expect(parseCommand(['probe', '--help']).name).to.equal('probe-help');
  });

  it('takes the server, and the flags on either side of it', () => {
    const { host, port, serverName, starttls, isIntrusive, rate } = settingsOf(
      ...['--sni', 'a.example', '[::1]:25', '--starttls', 'smtp', '--rate', '0.5'],
    );
    expect({ host, port, serverName, starttls, isIntrusive, rate }).to.deep.equal({
      host: '::1',
      port: 25,
      serverName: 'a.example',
      starttls: 'smtp',
      isIntrusive: false,
      rate: 0.5,
    });
  });

  for (const [words, message] of [
    [[], 'which server?'],
    [['a:1', 'b:2'], "'b:2' is one word too many"],
    [['a'], 'is no host:port'],
    [['a:1', '--rate', '0'], "--rate: '0' is not possible"],
    [['a:1', '--connections', 'all'], "--connections: 'all' is not possible"],
    [['a:1', '--time-limit', '-1'], "--time-limit: '-1' is not possible"],
    [['a:1', '--starttls', 'xmpp'], "--starttls: 'xmpp' is not known"],
    [['a:1', '--intrusiv'], 'is --intrusive meant?'],
  ] as const)
    it(`refuses ${words.join(' ') || 'to run without a server'}`, async () => {
      const fault = await faultOf(() => settingsOf(...words));
      expect(fault.message).to.include(message);
      expect(fault.exitCode).to.equal(2);
    });

  it('tells of a server in text, with what the bound has left out', async () => {
    const address = await answering();
    const [code, lines] = await run(address, '--sni', 'localhost');
    expect(code).to.equal(0);
    expect(lines[0]).to.equal(`${address}, 14 connections`);
    expect(lines.some((line) => /^tickets made by, perhaps +tls-resume$/.test(line))).to.equal(true);
    expect(lines.some((line) => /^pass +TLSv1\.3 +RFC 9846 §4\.7\.1 /.test(line))).to.equal(true);
    expect(lines.join('\n')).to.include('the bound of 14 connections is reached');
  });

  it('ends as an interrupted one does where it is stopped before it has connected', async () => {
    const output = { print: () => {}, stop: Promise.resolve() };
    expect(await runProbe(settingsOf(await answering()), output)).to.equal(130);
  });

  it('tells of it in JSON, which a later probe compares with, and as a page', async () => {
    const address = await answering();
    const html = join(folder, 'probe.html');
    const report = await reportOf(address, '--sni', 'localhost', '--html', html);
    expect([report.version, report.serverName, report.connections, report.keys.length]).to.deep.equal([
      ...[1, 'localhost', 14, 1],
    ]);
    const page = readFileSync(html, 'utf8');
    expect(page).to.include('<th scope="row">ticket lifetime</th>').and.to.include(report.keys[0]?.name);
    const before = join(folder, 'before.json');
    writeFileSync(before, JSON.stringify(report));
    const { results } = await reportOf(address, '--before', before);
    const changed = results.find(({ id }) => id === 'probe/keys/changed');
    expect(changed?.got).to.equal('the key is 0.0 days old so far');
  });

  it('refuses a page that it cannot write, before it connects', async () => {
    const fault = await faultOf(() => run('127.0.0.1:1', '--html', join(folder, 'none', 'probe.html')));
    expect(fault.message).to.include('--html').and.to.include('cannot be written');
    expect(fault.exitCode).to.equal(2);
  });

  it('refuses what is no output of a probe, before it connects', async () => {
    const before = join(folder, 'other.json');
    writeFileSync(before, '{"keys":[{}],"time":1}');
    const fault = await faultOf(() => run('127.0.0.1:1', '--before', before));
    expect([fault.exitCode, fault.message]).to.deep.equal([
      2,
      `--before ${before}: is not what 'tls-resume probe --json' prints`,
    ]);
    expect((await faultOf(() => run('127.0.0.1:1', '--before', `${before}.no`))).message).to.include('cannot be read');
  });

  it('turns to TLS by the protocol that it is told', async () => {
    const told = await overPop3(async (address) => {
      const { versions, producers } = await reportOf(address, '--starttls', 'pop3');
      expect(versions.map(({ byTicket }) => byTicket)).to.deep.equal(['resumes', 'resumes']);
      expect(producers).to.deep.equal(['tls-resume']);
    });
    expect([...told]).to.deep.equal(['QUIT\r\n']);
  });

  it('says what the server says instead of turning to TLS', async () => {
    const fault = await faultOf(() => overPop3(async (address) => void (await run(address, '--starttls', 'smtp'))));
    expect([fault.exitCode, fault.message]).to.deep.equal([1, "--starttls smtp: the server says '+OK ready'"]);
  });

  it('fails where nobody is', async () => {
    const fault = await faultOf(() => run('127.0.0.1:1'));
    expect([fault.exitCode, fault.message]).to.deep.equal([
      1,
      'no connection to 127.0.0.1:1: connect ECONNREFUSED 127.0.0.1:1',
    ]);
  });
});
