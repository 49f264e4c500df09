import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { assert } from 'chai';
import { fixturePath } from '../fixtures.ts';
import { finished, Program, stopAll } from './programs.ts';
import { client, GET, readAll } from './servers.ts';

describe('the command', () => {
  afterEach(stopAll);

  it('explains itself', () => {
    const help = finished('--help');
    assert.strictEqual(help.status, 0);
    assert.match(help.stdout, /^tls-resume: .*\n\nUsage: tls-resume <command>/);
    const serve = finished('serve', '--help');
    assert.strictEqual(serve.status, 0);
    assert.match(serve.stdout, /^Usage: tls-resume serve \[flags\]/);
    const inspect = finished('inspect', '--help');
    assert.strictEqual(inspect.status, 0);
    assert.match(inspect.stdout, /^Usage: tls-resume inspect --session F/);
  });

  it('ends at once by a second Ctrl-C, and what is to be done at the exit is done', async () => {
    const from = new URL('../../src/cli/run.js', import.meta.url).href;
    const text = `import { stopSignal } from ${JSON.stringify(from)};
process.on('exit', (code) => console.log('exit', code));
setInterval(() => {}, 1000);
const stop = stopSignal();
console.log('ready');
await stop;
console.log('stopping');
`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', text], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const closed = once(child, 'close');
    const said: string[] = [];
    for await (const line of createInterface(child.stdout)) {
      said.push(line);
      if (!line.startsWith('exit')) child.kill('SIGINT');
    }
    assert.deepStrictEqual(
      [said, await closed],
      [
        ['ready', 'stopping', 'exit 130'],
        [130, null],
      ],
    );
  });

  it('shows a session', () => {
    const { status, stdout } = finished('inspect', '--session', fixturePath('sessions/s12id.der'));
    assert.strictEqual(status, 0);
    assert.match(stdout, /^version +TLSv1\.2\ncipher suite +TLS_/);
  });

  it('says in one line why it shows none', () => {
    const { status, stdout, stderr } = finished('inspect', '--session', fixturePath('certificates/ca.cert.pem'));
    assert.match(
      stderr,
      /^tls-resume: --session .*ca\.cert\.pem: no session, in OpenSSL's DER or PEM: .*SSL SESSION PARAMETERS.*\n$/,
    );
    assert.strictEqual(stdout, '');
    assert.strictEqual(status, 1);
  });

  it('knows its version', () => {
    const { version } = JSON.parse(readFileSync(fixturePath('../package.json'), 'utf8'));
    assert.strictEqual(finished('--version').stdout, `${version}\n`);
  });

  const cert = fixturePath('certificates/ecdsa-p256.cert.pem');
  const key = fixturePath('certificates/rsa-2048.key.pem');
  const noPem = fixturePath('sessions/s12id.der');
  const mistakes: readonly (readonly [string, readonly string[], RegExp])[] = [
    [
      'a wrong flag',
      ['serve', '--prot', '1'],
      /^tls-resume: unknown flag '--prot'; is --port meant\? see 'tls-resume serve --help'\n$/,
    ],
    ['a missing file', ['serve', '--cert', cert, '--key', '/no/such'], /^tls-resume: --key \/no\/such: cannot be read/],
    [
      'a file that is no PEM',
      ['serve', '--cert', noPem, '--key', cert],
      /^tls-resume: --cert .*: is DER, and PEM is wanted; convert it, as with "openssl x509 -inform DER -in .*s12id\.der/,
    ],
    ['a foreign key', ['serve', '--cert', cert, '--key', key], /^tls-resume: --key .*rsa.*: does not belong to/],
    ['no ticket key', ['serve', '--ticket-keys', `node:${cert}`], /^tls-resume: --ticket-keys node:.*: \d+ bytes; a/],
    ['a keylog nowhere', ['serve', '--keylog', '/no/such'], /^tls-resume: --keylog \/no\/such: cannot be written/],
  ];
  for (const [what, words, expected] of mistakes) {
    it(`complains in one line of ${what}`, () => {
      const { status, stdout, stderr } = finished(...words);
      assert.match(stderr, expected);
      assert.strictEqual(stderr.indexOf('\n'), stderr.length - 1, 'one line');
      assert.strictEqual(stdout, '');
      assert.strictEqual(status, 2);
    });
  }

  it('says what to do when the port is in use', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const { status, stderr } = finished('serve', '--port', `${port}`);
    other.close();
    assert.strictEqual(
      stderr,
      `tls-resume: 127.0.0.1:${port} is in use; choose another --port, or --port 0 for a free one\n`,
    );
    assert.strictEqual(status, 1);
  });

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`serves until ${signal}, says goodbye, and exits 0`, async () => {
      const program = new Program('main', 'serve', '--port', '0');
      const [, port] = await program.says(/^listening on 127\.0\.0\.1:(\d+) \(.*\)\n/);
      const socket = await client(Number(port));
      const said = readAll(socket);
      await program.says(/^#1 .* full \(not-offered\)\n/m);
      assert.strictEqual(await program.stop(signal), 0);
      assert.strictEqual(await said, '');
    });
  }
});

describe('the demo', () => {
  afterEach(stopAll);

  it('resumes in both versions, and goes on serving', async () => {
    const program = new Program('demo', '--port', '0');
    const [, port] = await program.says(/^serving on https:\/\/localhost:(\d+)\/.*\n/m);
    assert.match(program.output, /^tls-resume, .* is the server and the client\.$/m);
    assert.match(program.output, /^ {2}server: #2 .* TLSv1\.3 .* resumed \(psk-stateful, psk_dhe_ke, identity 0\)$/m);
    assert.match(program.output, /^ {2}server: #4 .* TLSv1\.2 .* resumed \(session-id\)$/m);
    assert.strictEqual(program.output.match(/^ {2}client: full handshake, /gm)?.length, 2);
    assert.strictEqual(program.output.match(/^ {2}client: resumed its session, /gm)?.length, 2);
    const given = [...program.output.matchAll(/; given (.*) for next time$/gm)].map(([, what]) => what);
    assert.deepEqual(given, ['2 sessions', '1 session', '1 session', '0 sessions']);
    const socket = await client(Number(port));
    socket.write(GET);
    assert.match(await readAll(socket), /^HTTP\/1\.1 200 OK/);
    await program.says(/^#5 /m);
    assert.strictEqual(await program.stop('SIGTERM'), 0);
  });

  it('takes another port where 8443 is in use', async () => {
    const other = createServer().listen(8443, '127.0.0.1');
    await once(other, 'listening').catch(() => {}); // in use by somebody else is as good
    const program = new Program('demo');
    await program.says(/^Port 8443 is in use here: taking a free one instead\.$/m);
    const [, port] = await program.says(/^serving on https:\/\/localhost:(\d+)\//m);
    other.close();
    assert.notStrictEqual(port, '8443');
  });
});
