/** `tls-resume scenarios` with programs on the other end: the tester understands a peer that is not ours. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { parseCommand } from '../../src/cli/args.ts';
import { runScenarios } from '../../src/cli/scenarios.ts';
import { KNOWN_CLIENTS } from '../../src/judges/known-clients/known-clients.ts';
import type { ScenariosReport } from '../../src/judges/report.ts';
import { fixturePath } from '../fixtures.ts';
import { startOnFreePort } from './free-port.ts';
import { CERTIFICATE } from './harness.ts';
import { describeWith, sourcePath, workFolder } from './peers.ts';

/** What came of each scenario, by its id. */
async function judged(...words: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const command = parseCommand(['scenarios', ...words, '--json', '--time-limit', '30']);
  if (command.name !== 'scenarios') throw new Error(`${command.name}?`);
  const lines: string[] = [];
  await runScenarios(command.settings, { print: (line) => void lines.push(line), stop: new Promise(() => {}) });
  const { results } = JSON.parse(lines[0] ?? '') as ScenariosReport;
  return new Map(results.map(({ id, verdict, got }) => [id, `${got}: ${verdict}`]));
}

const only = (...ids: readonly string[]): string[] => ids.flatMap((id) => ['--only', id]);

describeWith(['openssl'], 'interop: the scenarios, and openssl', () => {
  it('judge its server', async function () {
    this.timeout(120_000);
    const [cert, key] = ['cert', 'key'].map((part) => fixturePath(`certificates/${CERTIFICATE}.${part}.pem`));
    const server = await startOnFreePort('openssl', async (port) => [
      ...['s_server', '-accept', `127.0.0.1:${port}`, '-cert', cert ?? '', '-key', key ?? '', '-www'],
    ]);
    try {
      const ids = ['server/psk/binders-rotated', 'server/psk/binder-missing-at-5', 'server/session-id/resumed'];
      const results = await judged('--server', `127.0.0.1:${server.port}`, '--sni', 'localhost', ...only(...ids));
      for (const id of ids) expect(results.get(id), id).to.match(/^(?:illegal_parameter|decode_error|resumes): pass$/);
    } finally {
      await server.close();
    }
  });

  it('judge its client', async function () {
    this.timeout(120_000);
    const ids = [
      'client/psk/selected-identity-out-of-range',
      'client/psk/selected-unasked',
      'client/session-id/resumed',
    ];
    const results = await judged('--client', 'openssl', ...only(...ids));
    expect([...results]).to.deep.equal([
      ['client/psk/selected-identity-out-of-range', 'illegal_parameter: pass'],
      ['client/psk/selected-unasked', 'unsupported_extension: pass'],
      ['client/session-id/resumed', 'resumes: pass'],
    ]);
  });
});

/** On what these all agree: how they resume, and how they end a handshake. */
const AGREED: Readonly<Record<string, string>> = {
  'client/psk/key-update-while-resumed': 'resumes: pass',
  'client/psk/selected-identity-short': 'decode_error: pass',
  'client/psk/finished-wrong': 'decrypt_error: pass',
  'client/hello-retry/suite-not-offered': 'illegal_parameter: pass',
};
/** Where the choice of a session is the client's, and where it is that of whoever calls it. */
const NAMES = 'client/psk/tickets-of-two-names';
const CHOICE: Readonly<Record<string, string>> = {
  curl: 'the command connects to one name alone: not-run',
  nss: 'the command connects to one name alone: not-run',
  java: 'conforms: pass',
  go: 'conforms: pass',
};

for (const [name, { programs }] of Object.entries(KNOWN_CLIENTS))
  describeWith(Object.keys(programs), `interop: the scenarios, and --client ${name}`, () => {
    it('connects, resumes and reacts', async function () {
      this.timeout(240_000);
      const results = await judged('--client', name, ...only(...Object.keys(AGREED), NAMES));
      for (const [id, expected] of Object.entries(AGREED)) expect(results.get(id), id).to.equal(expected);
      expect(results.get(NAMES)).to.equal(CHOICE[name] ?? 'it needs session-store: not-run');
    });
  });

describeWith(['python3'], 'interop: the scenarios, and the client in docs/conformance.md', () => {
  it('judge it', async function () {
    this.timeout(120_000);
    const [, program = ''] = /```python\n(.*?)```/s.exec(readFileSync(sourcePath('docs/conformance.md'), 'utf8')) ?? [];
    const file = join(workFolder(), 'client.py');
    writeFileSync(file, program);
    const ids = ['client/psk/ticket-reused', ...Object.keys(AGREED)];
    const results = await judged('--driver', 'lines', '--client', `python3 '${file}' {ca}`, ...only(...ids));
    expect(results.get('client/psk/ticket-reused')).to.equal('conforms: pass');
    for (const [id, expected] of Object.entries(AGREED)) expect(results.get(id), id).to.equal(expected);
  });
});

describeWith(['openssl'], 'interop: the scenarios, and early data of openssl', () => {
  it('judge it', async function () {
    this.timeout(120_000);
    const results = await judged(
      '--client',
      'openssl',
      ...only('client/early-data/accepted', 'client/early-data/max-size'),
    );
    expect(results.get('client/early-data/accepted')).to.equal('resumes: pass');
    expect(results.get('client/early-data/max-size')).to.equal('conforms: pass');
    // Its alert is in the clear, but is of the length of one that is not.
    expect(results.get('client/early-data/accepted-in-server-hello')).to.equal('closes: finding');
  });
});
