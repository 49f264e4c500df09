/** Early data on the command line: `serve --early-data`, `connect --early-data`. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { expect } from 'chai';
import { parseCommand } from '../../src/cli/args.ts';
import { connectTo } from '../../src/cli/connect.ts';
import { type Running, serve } from '../../src/cli/serve.ts';
import { textOf } from '../node/support.ts';

let folder = '';
let request = '';
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'tls-resume-early-'));
  request = join(folder, 'request');
  writeFileSync(request, 'GET / HTTP/1.0\r\n\r\n');
});
after(() => rmSync(folder, { recursive: true }));

const running: Running[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map(({ close }) => close()));
});

async function serveWith(...words: string[]): Promise<{ readonly port: number; readonly lines: string[] }> {
  const command = parseCommand(['serve', '--port', '0', '--verbose', ...words]);
  if (command.name !== 'serve') throw new Error(command.name);
  const lines: string[] = [];
  const server = await serve(command.settings, { write: (line) => lines.push(line) });
  running.push(server);
  return { port: server.port, lines };
}

/** Two connections, the second with a session: what is printed, and what is reported. */
async function twice(port: number, ...words: string[]): Promise<{ readonly output: string; readonly report: string }> {
  const command = parseCommand(['connect', `127.0.0.1:${port}`, '--insecure', '--reconnect', '1', ...words]);
  if (command.name !== 'connect') throw new Error(command.name);
  const [output, report] = [new PassThrough(), new PassThrough()];
  const said = [textOf(output), textOf(report)];
  await connectTo(command.settings, { input: Readable.from([]), output, report });
  output.end();
  report.end();
  return { output: (await said[0]) ?? '', report: (await said[1]) ?? '' };
}

describe('early data on the command line', () => {
  it('is accepted where sessions are kept here, and answered', async () => {
    const { port, lines } = await serveWith('--early-data', '16384');
    const { output, report } = await twice(port, '--early-data', request);
    expect(output).to.contain('HTTP/1.1 200 OK');
    const [first, second] = report.split('\n');
    expect(first).to.contain('full (not-offered), early data not sent, 2 sessions');
    expect(second).to.contain('resumed (psk, psk_dhe_ke, identity 0), early data accepted');
    expect(lines.join('\n')).to.match(/^#2 early data: accepted$/m);
  });

  it('is rejected for the first while where tickets are sealed, and not sent again', async () => {
    const { port, lines } = await serveWith('--early-data', '16384', '--tickets', 'stateless');
    const { output, report } = await twice(port, '--early-data', request);
    expect(output).to.equal('');
    expect(report).to.contain('early data rejected');
    expect(lines.join('\n')).to.match(/^#2 early data: rejected \(blackout\)$/m);
  });

  it('is rejected by a server that was not told to accept it', async () => {
    const accepting = await serveWith('--early-data', '16384');
    const session = join(folder, 'session.pem');
    const words = ['connect', `127.0.0.1:${accepting.port}`, '--insecure', '--session-out', session];
    const command = parseCommand(words);
    if (command.name !== 'connect') throw new Error(command.name);
    const streams = { output: new PassThrough().resume(), report: new PassThrough().resume() };
    await connectTo(command.settings, { input: Readable.from([]), ...streams });
    const { port, lines } = await serveWith();
    await twice(port, '--early-data', request, '--session-in', session);
    expect(lines.join('\n')).to.match(/^#1 early data: rejected \(disabled\)$/m);
  });

  it('is said not to have been sent where the session allows less, and is not spoken of where there is none', async () => {
    const { port } = await serveWith('--early-data', '8');
    const { report } = await twice(port, '--early-data', request);
    expect(report.match(/early data not sent/g)).to.have.length(2);
    expect((await twice(port)).report).not.to.contain('early data');
  });

  for (const [words, complaint] of [
    [['serve', '--early-data', '0'], /--early-data 0: a number of bytes is wanted, 1 to 4294967295/],
    [['serve', '--early-data', 'much'], /--early-data much: a number of bytes/],
    [['serve', '--early-data', '1', '--tickets', 'off'], /--early-data is for clients that resume/],
    [['serve', '--early-data', '1', '--max-version', '1.2'], /--early-data: TLS 1.2 has none/],
    [['connect', 'localhost:1', '--insecure', '--early-data', ''], /--early-data/],
    [['connect', 'localhost:1', '--insecure', '--early-data', 'F', '--tls1_2'], /--early-data: TLS 1.2 has none/],
  ] as const)
    it(`${words.join(' ')}: says what is wrong`, () => {
      expect(() => parseCommand(words)).to.throw(Error, complaint);
    });
});
