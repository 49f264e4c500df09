/** `tls-resume scenarios` with openssl on the other end: the tester understands a peer that is not ours. */

import { expect } from 'chai';
import { parseCommand } from '../../src/cli/args.ts';
import { runScenarios } from '../../src/cli/scenarios.ts';
import type { ScenariosReport } from '../../src/judges/report.ts';
import { fixturePath } from '../fixtures.ts';
import { startOnFreePort } from './free-port.ts';
import { CERTIFICATE } from './harness.ts';
import { describeWith } from './peers.ts';

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
