/** `tls-resume probe` with openssl on the other end: what it guesses of a server that is not ours is right. */

import { expect } from 'chai';
import { parseCommand } from '../../src/cli/args.ts';
import { runProbe } from '../../src/cli/probe.ts';
import type { ProbeReport } from '../../src/judges/probe-report.ts';
import { fixturePath } from '../fixtures.ts';
import { startOnFreePort } from './free-port.ts';
import { CERTIFICATE } from './harness.ts';
import { describeWith } from './peers.ts';

/** What a probe says of s_server with these flags. */
async function probed(...flags: readonly string[]): Promise<ProbeReport> {
  const [cert, key] = ['cert', 'key'].map((part) => fixturePath(`certificates/${CERTIFICATE}.${part}.pem`));
  const server = await startOnFreePort('openssl', async (port) => [
    ...['s_server', '-accept', `127.0.0.1:${port}`, '-cert', cert ?? '', '-key', key ?? '', '-www', ...flags],
  ]);
  try {
    const words = [`127.0.0.1:${server.port}`, '--sni', 'localhost', '--json', '--time-limit', '30'];
    const command = parseCommand(['probe', ...words, '--connections', '40']);
    if (command.name !== 'probe') throw new Error(`${command.name}?`);
    const lines: string[] = [];
    await runProbe(command.settings, { print: (line) => void lines.push(line), stop: new Promise(() => {}) });
    return JSON.parse(lines[0] ?? '') as ProbeReport;
  } finally {
    await server.close();
  }
}

describeWith(['openssl'], 'interop: a probe, and openssl s_server', () => {
  it('knows its tickets, their key, and what it does about them', async function () {
    this.timeout(120_000);
    const { versions, producers, keys, keyChange, results } = await probed();
    expect(versions.map(({ version, byTicket }) => [version, byTicket])).to.deep.equal([
      ['TLSv1.3', 'resumes'],
      ['TLSv1.2', 'resumes'],
    ]);
    expect(versions.map(({ tickets }) => tickets?.full)).to.deep.equal([2, 1]);
    expect(versions[0]?.tickets).to.deep.include({ lifetimes: [7200], nonces: '8 bytes, a counter' });
    // Another version than 3 may have longer sessions.
    expect(
      producers.every((name) => name.startsWith('OpenSSL')),
      producers.join(),
    ).to.equal(true);
    expect([keys.length, keyChange]).to.deep.equal([1, 'none']);
    const verdict = (id: string) => results.find((one) => one.id === id)?.verdict;
    expect(verdict('probe/keys/secret')).to.equal('pass');
    expect(verdict('probe/tickets/age-add-random')).to.equal('pass');
    expect(verdict('server/psk/binder-wrong')).to.equal('pass');
  });

  it('knows that it keeps the sessions itself', async function () {
    this.timeout(120_000);
    const { versions, keys, producers } = await probed('-no_ticket');
    expect(versions[0]?.tickets?.format?.layout).to.equal('an id: the server keeps the sessions');
    expect([versions[1]?.tickets?.full, versions[1]?.idLength, versions[1]?.byId]).to.deep.equal([0, 32, 'resumes']);
    expect(producers).to.include('OpenSSL and those that use it');
    expect(keys).to.deep.equal([]);
  });
});
