/** External PSKs on the command line: `serve --psk`, `connect --psk` and `--psk-file`. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { expect } from 'chai';
import { parseCommand } from '../../src/cli/args.ts';
import { connectTo } from '../../src/cli/connect.ts';
import { type Running, serve } from '../../src/cli/serve.ts';
import { fixturePath } from '../fixtures.ts';
import { textOf } from '../node/support.ts';

const KEY = '00112233445566778899aabbccddeeff';
const SUITE = 'TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256';
const PAIR = ['cert', 'key'].flatMap((what) => [`--${what}`, fixturePath(`certificates/ecdsa-p256.${what}.pem`)]);

let folder = '';
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'tls-resume-psk-'));
});
after(() => rmSync(folder, { recursive: true }));

const running: Running[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map(({ close }) => close()));
});

function fileOf(text: string): string {
  const file = join(folder, 'psks.txt');
  writeFileSync(file, text);
  return file;
}

async function serveWith(...words: string[]): Promise<{ readonly port: number; readonly lines: string[] }> {
  const command = parseCommand(['serve', '--port', '0', ...words]);
  if (command.name !== 'serve') throw new Error(command.name);
  const lines: string[] = [];
  const server = await serve(command.settings, { write: (line) => lines.push(line) });
  running.push(server);
  return { port: server.port, lines };
}

/** What is reported; rejects with the complaint. */
async function connectWith(port: number, ...words: string[]): Promise<string> {
  const command = parseCommand(['connect', `127.0.0.1:${port}`, ...words]);
  if (command.name !== 'connect') throw new Error(command.name);
  const [output, report] = [new PassThrough(), new PassThrough()];
  const said = textOf(report);
  try {
    await connectTo(command.settings, { input: Readable.from([]), output: output.resume(), report });
  } finally {
    report.end();
  }
  return said;
}

const failure = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'no error',
    (error: unknown) => String(error),
  );

describe('external PSKs on the command line', () => {
  it('serve --psk has no certificate, and connect --psk needs none; then it resumes', async () => {
    const { port, lines } = await serveWith('--psk', fileOf(`# devices\n\nsensor7:${KEY}\n`), '--verbose');
    expect(lines[0]).to.match(/no certificate/);
    const said = await connectWith(port, '--psk', `sensor7:${KEY}`, '--reconnect', '1');
    expect(said.split('\n')[0]).to.contain('external PSK (psk-external, psk_dhe_ke, identity 0)');
    expect(said.split('\n')[1]).to.contain('resumed (psk, psk_dhe_ke, identity 0)');
    expect(lines.join('\n')).to.contain('external PSK (psk-external, psk_dhe_ke, identity 0)');
    expect(lines.join('\n')).to.contain('offered psk-external, identity 0: accepted');
  });

  it('says what is wrong with a PSK that is not known, and does not tell the client', async () => {
    const { port, lines } = await serveWith('--psk', fileOf(`sensor7:${KEY}\n`), '--verbose');
    expect(await failure(connectWith(port, '--psk', `sensor8:${KEY}`))).to.match(/decrypt_error/);
    expect(lines.join('\n')).to.contain('it takes: an identity that psks knows');
  });

  it('takes more PSKs from a file, and TLS 1.2 with its suite', async () => {
    const { port } = await serveWith(
      '--psk',
      fileOf(`a:${KEY}\nb:c:${KEY}\n`),
      '--ciphers',
      SUITE,
      '--max-version',
      '1.2',
    );
    const said = await connectWith(port, '--psk-file', fileOf(`b:c:${KEY}\n`), '--ciphers', SUITE, '--tls1_2');
    expect(said).to.contain(`TLSv1.2 ${SUITE} x25519 external PSK (psk-external)`);
  });

  it('does a full handshake where there is a certificate, and the client can judge it', async () => {
    const { port } = await serveWith('--psk', fileOf(`sensor7:${KEY}\n`), ...PAIR);
    const psk = ['--psk', `sensor8:${KEY}`];
    expect(await connectWith(port, ...psk, '--insecure')).to.contain('full (declined)');
    expect(await failure(connectWith(port, ...psk))).to.match(/certificate_unknown/);
  });

  it('names the mistake, and not the key', async () => {
    const cases: [string, RegExp][] = [
      ['', /there is no PSK in it/],
      ['sensor7', /line 1: identity:hex is wanted/],
      [`\n:${KEY}`, /line 2: identity:hex is wanted/],
      [`sensor7:${KEY}zz`, /line 1: the key of 'sensor7' is not hexadecimal$/],
      ['sensor7:0011', /line 1: the key of 'sensor7' has 2 bytes; 16 are the least$/],
      [`sensor7:${KEY}f`, /line 1: the key of 'sensor7' has 33 hexadecimal digits; a byte is two$/],
      [`# two\na:${KEY}\n\na:${KEY}`, /line 4: 'a' has a key already, in line 2$/],
    ];
    for (const [text, expected] of cases)
      expect(await failure(serveWith('--psk', fileOf(text))), text)
        .to.match(expected)
        .and.not.to.contain(KEY);
    expect(await failure(serveWith('--psk', join(folder, 'none')))).to.match(/--psk .*none: cannot be read/);
    expect(await failure(serveWith('--psk', `sensor7:${KEY}`)))
      .to.match(/--psk: the name of a file is wanted/)
      .and.not.to.contain(KEY);
    for (const encoding of ['latin1', 'utf16le'] as const) {
      const file = join(folder, encoding);
      writeFileSync(file, Buffer.from(`\ufeffger\u00e4t:${KEY}\n`, encoding));
      expect(await failure(serveWith('--psk', file)), encoding).to.match(/line 1: is not UTF-8$/);
    }
    expect(() => parseCommand(['connect', 'localhost:1', '--psk', 'psks.txt'])).to.throw(
      /in a file are for --psk-file$/,
    );
    expect(await failure(serveWith('--ciphers', SUITE))).to.match(/--ciphers: .* needs psks/);
    expect(() => parseCommand(['connect', 'localhost:1', '--psk', 'x'])).to.throw(/--psk: identity:hex/);
  });
});
