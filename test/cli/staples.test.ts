/** What is shown beside a certificate, and the size of records, on the command line of `serve` and `connect`. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { expect } from 'chai';
import { parseCommand } from '../../src/cli/args.ts';
import { connectTo } from '../../src/cli/connect.ts';
import { fromHex } from '../../src/wire/bytes.ts';
import { fixturePath } from '../fixtures.ts';
import { describeWith, run } from '../interop/peers.ts';
import { textOf } from '../node/support.ts';
import { client, readAll, start, stopAll } from './servers.ts';

const CERT = [
  '--cert',
  fixturePath('certificates/ecdsa-p256.cert.pem'),
  '--key',
  fixturePath('certificates/ecdsa-p256.key.pem'),
];
/** An OCSPResponse (RFC 6960 §4.2.1) that says unauthorized, and nothing else. */
const RESPONSE = fromHex('30030a0106');
const TIMESTAMP = new Uint8Array(119);

let folder = '';
let response = '';
let timestamp = '';
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'tls-resume-staples-'));
  [response, timestamp] = ['response.der', 'log.sct'].map((name) => join(folder, name)) as [string, string];
  writeFileSync(response, RESPONSE);
  writeFileSync(timestamp, TIMESTAMP);
});
after(() => rmSync(folder, { recursive: true }));
afterEach(stopAll);

/** `tls-resume connect`: what it prints, and what it reports. */
async function connectWith(port: number, ...words: string[]): Promise<{ output: string; report: string }> {
  const command = parseCommand(['connect', `127.0.0.1:${port}`, '--insecure', ...words]);
  if (command.name !== 'connect') throw new Error(command.name);
  const [output, report] = [new PassThrough(), new PassThrough()];
  const said = [textOf(output), textOf(report)];
  await connectTo(command.settings, { input: Readable.from([]), output, report });
  output.end();
  report.end();
  return { output: (await said[0]) ?? '', report: (await said[1]) ?? '' };
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

describe('serve --ocsp-response, --sct; connect --status, --ct', () => {
  for (const version of ['--tls1_2', '--tls1_3'])
    it(`${version}: are shown to who asks, and printed`, async () => {
      const { port } = await start([...CERT, '--ocsp-response', response, '--sct', timestamp, '--sct', timestamp]);
      const { report } = await connectWith(port, version, '--status', '--ct');
      const [line, status, list, ...each] = report.trimEnd().split('\n');
      expect(line).to.contain('full (not-offered)');
      expect(status).to.equal(`OCSP response: ${base64(RESPONSE)}`);
      expect(list).to.equal('signed certificate timestamps: 2');
      expect(each).to.deep.equal([base64(TIMESTAMP), base64(TIMESTAMP)]);
      expect((await connectWith(port, version)).report).not.to.contain('OCSP');
    });

  it('with --json are fields, null where nothing was shown', async () => {
    const { port } = await start([...CERT, '--ocsp-response', response]);
    const told = JSON.parse((await connectWith(port, '--status', '--ct', '--json')).output);
    expect([told.ocspResponse, told.timestamps]).to.deep.equal([base64(RESPONSE), null]);
  });

  it('say so where the server shows nothing', async () => {
    const { port } = await start();
    const { report } = await connectWith(port, '--status', '--ct');
    expect(report).to.match(/\nOCSP response: none\nsigned certificate timestamps: none\n$/);
  });

  describeWith(['openssl'], 'and openssl', () => {
    it('s_client -status reads the response', async () => {
      const { port } = await start([...CERT, '--ocsp-response', response]);
      const { stdout } = await run('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, '-status']);
      expect(stdout).to.contain('OCSP Response Status: unauthorized');
    });
  });

  it('complain of what cannot be shown', async () => {
    const [empty, long] = ['empty', 'long'].map((name) => join(folder, name)) as [string, string];
    writeFileSync(empty, '');
    writeFileSync(long, Buffer.concat([fromHex('3083010000'), Buffer.alloc(65536)]));
    for (const [words, complaint] of [
      [['--ocsp-response', 'nowhere'], /^--ocsp-response nowhere: cannot be read/],
      [['--ocsp-response', empty], /^--ocsp-response .*empty: is not DER, as 'openssl ocsp -respout/],
      [['--ocsp-response', long], /^--ocsp-response .*long: has 65541 bytes; 49152 are the most/],
      [['--sct', response], /^--sct .*: is no signed certificate timestamp/],
    ] as const)
      expect(await start([...CERT, ...words]).then(String, (error: Error) => error.message)).to.match(complaint);
  });

  for (const [words, complaint] of [
    [['serve', '--ocsp-response', 'f'], '--ocsp-response: is about a certificate; give it with --cert F --key F'],
    [['serve', '--sct', 'f'], '--sct: is about a certificate'],
    [['serve', ...CERT, '--ocsp-response', ''], '--ocsp-response: the value is empty'],
    [['serve', ...CERT, ...CERT, '--ocsp-response', 'f'], '--ocsp-response: 1 for 2 --cert; give one for each'],
    [['serve', ...CERT, ...CERT, '--sct', 'f'], '--sct: whose is it?'],
  ] as const)
    it(`${words.filter((word) => !word.includes('/')).join(' ')}: says what is wrong`, () => {
      expect(() => parseCommand(words)).to.throw(complaint);
    });
});

describe('--record-size-limit', () => {
  it('of connect bounds the records of the server, and that of serve those of the client', async () => {
    const { port } = await start(['--record-size-limit', '100', '--echo']);
    const words = ['--insecure', '--tls1_3', '--trace', '--record-size-limit', '64'];
    const command = parseCommand(['connect', `127.0.0.1:${port}`, ...words]);
    if (command.name !== 'connect') throw new Error(command.name);
    const [output, report] = [new PassThrough(), new PassThrough()];
    const said = [textOf(output), textOf(report)];
    await connectTo(command.settings, { input: Readable.from([Buffer.alloc(500, 'x')]), output, report });
    output.end();
    report.end();
    expect(await said[0]).to.equal('x'.repeat(500));
    const trace = Buffer.from((await said[1]) ?? '', 'latin1').toString();
    const longest = (way: string) =>
      Math.max(
        ...[...trace.matchAll(new RegExp(`client ${way} .*record application_data +(\\d+) bytes`, 'g'))].map(([, n]) =>
          Number(n),
        ),
      );
    const overhead = 5 + 1 + 16; // header, content type, tag
    expect([longest('→'), longest('←')]).to.deep.equal([100 + overhead, 64 + overhead]);
  });

  it('leaves clients alone that do not know it', async () => {
    const { port, ca } = await start(['--record-size-limit', '64']);
    const socket = await client(port, { ca });
    socket.write('GET / HTTP/1.0\r\n\r\n');
    expect(await readAll(socket)).to.contain('200 OK');
  });

  for (const text of ['63', '16385', 'many', ''])
    for (const command of [['serve'], ['connect', 'localhost:1', '--insecure']])
      it(`${command[0]} '${text}': says what is possible`, () => {
        expect(() => parseCommand([...command, '--record-size-limit', text])).to.throw(
          `--record-size-limit: '${text}' is not possible; 64 to 16384 bytes are`,
        );
      });
});
