import { spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { assert, expect } from 'chai';
import { parseCommand } from '../../src/cli/args.ts';
import { type ConnectionReport, connectTo, type Limits } from '../../src/cli/connect.ts';
import { CONNECT_FLAGS } from '../../src/cli/connect-args.ts';
import { Fault } from '../../src/cli/fault.ts';
import { CONNECT_HELP } from '../../src/cli/help.ts';
import { accept, type NodeServerOptions, type TlsSocket } from '../../src/node/index.ts';
import { Session } from '../../src/sessions/session.ts';
import { faults } from '../../src/testing/faults.ts';
import { fromHex } from '../../src/wire/bytes.ts';
import { certificates, fixturePath } from '../fixtures.ts';
import { describeWith, run } from '../interop/peers.ts';
import { type RunningServer, startOpensslServer } from '../interop/reference-server.ts';
import { credentials, settled, startServer, stopServers, textOf, until } from '../node/support.ts';
import { finished, Program, stopAll } from './programs.ts';

const CA = fixturePath('certificates/ecdsa-p256.cert.pem');
const VERSIONS = ['tls1_2', 'tls1_3'] as const;
const GET = 'GET / HTTP/1.0\r\n\r\n';

let folder = '';
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'tls-resume-connect-'));
});
after(() => rmSync(folder, { recursive: true }));

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()));
  await stopServers();
  await stopAll();
});

interface Said {
  readonly output: string;
  readonly report: string;
}

/** `tls-resume connect` in this process. */
async function connectWith(words: readonly string[], input: string = '', limits: Partial<Limits> = {}): Promise<Said> {
  const command = parseCommand(['connect', ...words]);
  if (command.name !== 'connect') throw new Error(`${command.name}?`);
  const [output, report] = [new PassThrough(), new PassThrough()];
  const said = Promise.all([textOf(output), textOf(report)]);
  try {
    const streams = { input: Readable.from(input === '' ? [] : [input]), output, report };
    await connectTo(command.settings, streams, limits);
  } finally {
    output.end();
    report.end();
  }
  const [answer, lines] = await said;
  return { output: answer, report: lines };
}

async function reports(words: readonly string[], input?: string): Promise<ConnectionReport[]> {
  const { output } = await connectWith([...words, '--json'], input);
  return output
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

async function fault(words: readonly string[], limits?: Partial<Limits>): Promise<Fault> {
  const error = await connectWith(words, '', limits).catch((thrown) => thrown);
  assert.instanceOf(error, Fault);
  return error;
}

async function running(server: Promise<RunningServer>): Promise<string> {
  const { port, close } = await server;
  closing.push(close);
  return `127.0.0.1:${port}`;
}

/** A server that answers whether it has resumed once it has been asked. */
async function serving(options: NodeServerOptions = {}): Promise<string> {
  const { port } = await startServer(options, (socket) => {
    socket.on('data', () => socket.end(socket.isSessionReused() ? 'resumed\n' : 'full\n'));
  });
  return `127.0.0.1:${port}`;
}

describe('tls-resume connect: its words', () => {
  const wrong: readonly (readonly [readonly string[], RegExp])[] = [
    [['localhost:1'], /^who judges the server\? give --ca F .*, --pin SHA256 .* or --insecure/],
    [['localhost:1', '--insecure', '--ca', CA], /^--insecure: nobody judges then/],
    [['--insecure'], /^where to\?/],
    [['localhost', '--insecure'], /^'localhost' is no host:port; write it as in localhost:443/],
    [['::1:443', '--insecure'], /\[::1\]:443/],
    [['localhost:0', '--insecure'], /no host:port/],
    [['a:1', 'b:2', '--insecure'], /^'b:2' is one word too many/],
    [['a:1', '--insecur'], /is --insecure meant\?/],
    [['a:1', '--insecure', '--starttls', 'xmpp'], /^--starttls: 'xmpp' is not known; smtp, imap, pop3, ftp are/],
    [['a:1', '--insecure', '--reconnect', '-1'], /^--reconnect: '-1'/],
    [['a:1', '--insecure', '--cert', CA], /^--cert without --key/],
    [['a:1', '--insecure', '--ciphers', 'TLS_AES'], /^--ciphers: unknown/],
    [['a:1', '--insecure', '--tls1_2', '--ciphers', 'TLS_AES_128_GCM_SHA256'], /^--ciphers: none of these/],
    [['a:1', '--ca', '/no/such'], /^--ca \/no\/such: cannot be read/],
    [['a:1', '--ca', fixturePath('sessions/s12id.der')], /^--ca .*s12id\.der: /],
    [
      ['a:1', '--ca', fixturePath('certificates/make.sh')],
      /^--ca .*make\.sh: no -----BEGIN in it; a PEM file is wanted$/,
    ],
    [['a:1', '--insecure', '--sni', 'b\u00fc'], /^--sni: 'b\u00fc' is no host name; .*xn--/],
    [['a:1', '--pin', 'abc'], /^--pin: a SHA-256 digest is wanted/],
    [['a:1', '--insecure', '--session-in', '/no/such'], /^--session-in \/no\/such: cannot be read/],
  ];
  for (const [words, expected] of wrong)
    it(`are wrong as ${words.join(' ')}`, async () => {
      const { message, exitCode } = await fault(words);
      assert.match(message, expected);
      assert.strictEqual(exitCode, 2);
    });

  it('are all explained', () => {
    for (const flag of Object.keys(CONNECT_FLAGS)) assert.include(CONNECT_HELP, `--${flag}`);
    for (const line of CONNECT_HELP.split('\n')) assert.isAtMost(line.length, 128);
    for (const words of [
      ['connect', '--help'],
      ['help', 'connect'],
    ])
      assert.strictEqual(parseCommand(words).name, 'connect-help');
  });

  it('may stand in any order', () => {
    const command = parseCommand(['connect', '--ca', 'F', '[::1]:443', '--json']);
    expect(command).to.deep.include({ name: 'connect' });
    expect('settings' in command && command.settings).to.deep.include({ host: '::1', port: 443, json: true });
  });
});

describe('tls-resume connect: at our server', () => {
  for (const version of VERSIONS) {
    const only = ['--ca', CA, `--${version}`];

    it(`${version}: sends what is piped in, prints the answer, and says what came of it`, async () => {
      const { output, report } = await connectWith([await serving(), ...only], GET);
      assert.strictEqual(output, 'full\n');
      assert.match(
        report,
        /^127\.0\.0\.1:\d+ TLSv1\.[23] TLS_\w+ x25519 full \(not-offered\), [12] sessions? handed out\n$/,
      );
    });

    it(`${version}: resumes when it connects again, and tells how`, async () => {
      const all = await reports([await serving(), ...only, '--reconnect', '2'], GET);
      assert.deepEqual(
        all.map(({ resumed, answer }) => [resumed, answer]),
        [
          [false, 'full\n'],
          [true, 'resumed\n'],
          [true, 'resumed\n'],
        ],
      );
      const [first, second] = all;
      assert.deepInclude(first, { event: 'connection', mechanism: null, reason: 'not-offered', truncated: false });
      const isOld = version === 'tls1_2';
      assert.deepInclude(second, { mechanism: isOld ? 'session-id' : 'psk', reason: null });
      assert.deepInclude(second, isOld ? { pskMode: null } : { pskMode: 'psk_dhe_ke', identityIndex: 0 });
    });

    it(`${version}: says why it did not resume`, async () => {
      const [one, other] = [await serving(), await serving()];
      const file = join(folder, `${version}-other.pem`);
      await connectWith([one, ...only, '--session-out', file], GET);
      const [report] = await reports([other, ...only, '--session-in', file], GET);
      assert.deepInclude(report, { resumed: false, mechanism: null, reason: 'declined' });
    });

    it(`${version}: closes at once without input, and has the sessions all the same`, async () => {
      const [report] = await reports([await serving(), ...only]);
      assert.isAtLeast(report?.sessions ?? 0, 1);
      assert.strictEqual(report?.answer, '');
    });
  }

  it('trusts by pin, or nobody, and offers what it is told', async () => {
    const at = await serving({ alpn: ['h2'], pskModes: ['psk_ke'] });
    const spki = new X509Certificate(certificates.ecdsaP256.cert).publicKey.export({ type: 'spki', format: 'der' });
    const { createHash } = await import('node:crypto');
    const pin = createHash('sha256').update(spki).digest();
    for (const trust of [['--pin', pin.toString('hex')], ['--pin', pin.toString('base64')], ['--insecure']])
      assert.lengthOf(await reports([at, ...trust]), 1);
    const ciphers = ['--ciphers', 'TLS_CHACHA20_POLY1305_SHA256', '--groups', 'secp256r1'];
    const [, second] = await reports(
      [at, '--insecure', ...ciphers, '--alpn', 'h2', '--psk-modes', 'psk_ke', '--sni', 'localhost', '--reconnect', '1'],
      GET,
    );
    assert.deepInclude(second, {
      cipherSuite: 'TLS_CHACHA20_POLY1305_SHA256',
      group: null,
      alpnProtocol: 'h2',
      serverName: 'localhost',
      pskMode: 'psk_ke',
    });
  });

  it('fails with 1 and the reason, in JSON as well', async () => {
    const at = await serving();
    const stranger = fixturePath('certificates/a.example.cert.pem');
    const { message, exitCode } = await fault([at, '--ca', stranger]);
    assert.match(message, /^127\.0\.0\.1:\d+ failed, alert sent: unknown_ca: .*add it to ca or to pins/);
    assert.strictEqual(exitCode, 1);
    const output = new PassThrough();
    const command = parseCommand(['connect', at, '--ca', stranger, '--json']);
    if (command.name !== 'connect') throw new Error('connect it is');
    await connectTo(command.settings, { input: Readable.from([]), output, report: output }).catch(() => output.end());
    assert.deepInclude(JSON.parse(await textOf(output)), {
      event: 'handshake-failed',
      alert: 'unknown_ca',
      origin: 'local',
    });
  });

  it('shows a certificate', async () => {
    const at = await serving({
      clientAuth: { mode: 'require', verifyClient: () => true },
      sessions: { idContext: fromHex('01') },
    });
    const pair = ['client-ed25519.cert.pem', 'client-ed25519.key.pem'].map((file) =>
      fixturePath(`certificates/${file}`),
    );
    const flags = ['--ca', CA, '--cert', `${pair[0]}`, '--key', `${pair[1]}`];
    assert.strictEqual((await connectWith([at, ...flags], GET)).output, 'full\n');
  });

  it('logs keys, and keeps sessions to their owner', async () => {
    const [keys, session] = [join(folder, 'keys'), join(folder, 'session.pem')];
    await connectWith([await serving(), '--ca', CA, '--keylog', keys, '--session-out', session]);
    assert.match(readFileSync(keys, 'latin1'), /^CLIENT_HANDSHAKE_TRAFFIC_SECRET /m);
    assert.strictEqual(statSync(session).mode & 0o777, 0o600);
    assert.strictEqual(Session.fromPem(readFileSync(session, 'latin1')).version, 'TLSv1.3');
  });
});

describeWith(['openssl'], 'tls-resume connect: openssl', () => {
  for (const version of VERSIONS) {
    const only = ['--ca', CA, `--${version}`];

    for (const tickets of [true, false])
      it(`${version} with ${tickets ? 'tickets' : 'ids'}: s_server's sessions, connecting again`, async () => {
        const at = await running(startOpensslServer('ecdsa-p256', { tickets }));
        const [first, second] = await reports([at, ...only, '--reconnect', '1'], GET);
        assert.match(first?.answer ?? '', /^New, TLSv1/m);
        assert.match(second?.answer ?? '', /^Reused, TLSv1/m);
        assert.strictEqual(second?.resumed, true);
      });

    it(`${version}: s_client resumes with -sess_in what --session-out wrote, and the other way round`, async () => {
      const at = await running(startOpensslServer('ecdsa-p256', { tickets: true }));
      const [ours, theirs] = [join(folder, `${version}-ours.pem`), join(folder, `${version}-theirs.pem`)];
      await connectWith([at, ...only, '--session-out', ours], GET);
      const openssl = ['s_client', '-connect', at, `-${version}`, '-CAfile', CA, '-ign_eof'];
      const resumed = await run('openssl', [...openssl, '-sess_in', ours], { input: GET });
      assert.match(resumed.stdout, /^Reused, TLSv1/m);
      await run('openssl', [...openssl, '-sess_out', theirs], { input: GET });
      const [report] = await reports([at, ...only, '--session-in', theirs], GET);
      assert.deepInclude(report, { resumed: true, reason: null });
      assert.match(report?.answer ?? '', /^Reused, TLSv1/m);
    });
  }

  it('is a program that exits', async () => {
    const at = await running(startOpensslServer('ecdsa-p256', { tickets: true }));
    const good = finished('connect', at, '--ca', CA, '--json');
    assert.strictEqual(good.status, 0);
    assert.deepInclude(JSON.parse(good.stdout), { resumed: false, mechanism: null, reason: 'not-offered' });
    const bad = finished('connect', at);
    assert.deepEqual([bad.status, bad.stdout], [2, '']);
    assert.match(bad.stderr, /^tls-resume: who judges the server\? .*--ca.*--pin.*--insecure.*\n$/);
    const refused = finished('connect', at, '--ca', fixturePath('certificates/ca.cert.pem'));
    assert.strictEqual(refused.status, 1);
    assert.match(refused.stderr, /^tls-resume: 127\.0\.0\.1:\d+ failed, alert sent: unknown_ca/);
  });
});

describe('tls-resume connect: --starttls', () => {
  /** A server that says these lines, each but the first after it has heard one, and then speaks TLS. */
  async function speaking(lines: readonly string[], heard: string[] = []): Promise<string> {
    const server: Server = createServer((transport: Socket) => {
      const left = [...lines];
      transport.on('error', () => {});
      transport.write(left.shift() ?? '');
      const onData = (chunk: Buffer): void => {
        heard.push(chunk.toString());
        transport.write(left.shift() ?? '');
        if (left.length > 0) return;
        transport.off('data', onData);
        const socket: TlsSocket = accept(transport, { credentials });
        socket.on('error', () => {}).end('in private');
      };
      transport.on('data', onData);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    closing.push(() => new Promise((resolve) => server.close(resolve)));
    return `127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  const talks: readonly (readonly [string, readonly string[], readonly string[]])[] = [
    [
      'smtp',
      ['220-mail.example\r\n220 ready\r\n', '250-mail.example\r\n250-PIPELINING\r\n250 STARTTLS\r\n', '220 go\r\n'],
      ['EHLO localhost\r\n', 'STARTTLS\r\n'],
    ],
    ['imap', ['* OK ready\r\n', '* CAPABILITY IMAP4rev2\r\na1 OK begin\r\n'], ['a1 STARTTLS\r\n']],
    ['pop3', ['+OK ready\r\n', '+OK begin\r\n'], ['STLS\r\n']],
    ['ftp', ['220-welcome\r\n to this\r\n220 ready\r\n', '234 begin\r\n'], ['AUTH TLS\r\n']],
  ];
  for (const [protocol, lines, expected] of talks)
    it(`speaks ${protocol} first`, async () => {
      const heard: string[] = [];
      const at = await speaking(lines, heard);
      const { output } = await connectWith([at, '--ca', CA, '--starttls', protocol]);
      assert.strictEqual(output, 'in private');
      assert.deepEqual(heard, expected);
    });

  it('says what the server says instead', async () => {
    const at = await speaking(['+OK ready\r\n', '-ERR not here\r\n']);
    const { message, exitCode } = await fault([at, '--ca', CA, '--starttls', 'pop3']);
    assert.strictEqual(message, "--starttls pop3: the server says '-ERR not here'");
    assert.strictEqual(exitCode, 1);
  });

  it('takes nothing in clear after the server has agreed', async () => {
    const at = await speaking(['+OK ready\r\n', '+OK begin\r\n+OK injected\r\n']);
    assert.match((await fault([at, '--ca', CA, '--starttls', 'pop3'])).message, /goes on in clear/);
  });
});

describe('tls-resume connect: where something goes wrong', () => {
  async function plainServer(onConnection: (socket: Socket) => void): Promise<string> {
    const open = new Set<Socket>();
    const server = createServer((socket) => {
      open.add(socket);
      socket.on('error', () => {});
      onConnection(socket);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    closing.push(() => {
      for (const socket of open) socket.destroy();
      return new Promise((resolve) => server.close(resolve));
    });
    return `127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  it('says it in one line: nobody listens, a silent server, one without TLS', async () => {
    const gone = await plainServer(() => {});
    await closing.pop()?.();
    assert.strictEqual((await fault([gone, '--ca', CA])).message, `${gone}: nobody listens there (ECONNREFUSED)`);
    const silent = await plainServer((socket) => void socket.resume());
    const soon = { handshakeMs: 50 };
    const { message, exitCode } = await fault([silent, '--ca', CA], soon);
    assert.match(message, /^127\.0\.0\.1:\d+ failed: no handshake /);
    assert.strictEqual(exitCode, 1);
    const mail = await fault([silent, '--ca', CA, '--starttls', 'imap'], soon);
    assert.strictEqual(mail.message, '--starttls imap: the server does not answer');
    const web = await plainServer((socket) => void socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'));
    assert.match((await fault([web, '--ca', CA])).message, /failed, alert sent: unexpected_message: .*plain HTTP/);
    const notMail = await fault([web, '--ca', CA, '--starttls', 'smtp']);
    assert.strictEqual(notMail.message, "--starttls smtp: the server says 'HTTP/1.1 400 Bad Request'");
  });

  it('with --json, prints an object also if it never gets to TLS', async () => {
    const gone = await plainServer(() => {});
    await closing.pop()?.();
    const { stdout, status } = finished('connect', gone, '--insecure', '--json');
    const [host, port] = gone.split(':');
    const message = `${gone}: nobody listens there (ECONNREFUSED)`;
    const told = { event: 'unreachable', host, port: Number(port), alert: null, origin: null, message };
    assert.deepEqual(JSON.parse(stdout), told);
    assert.strictEqual(status, 1);
  });

  it('with --json, tells a handshake that fails from a connection that fails later', async () => {
    const cases = [
      [faults.corrupt('handshake'), 'handshake-failed'],
      [faults.corrupt('application_data'), 'connection-failed'],
    ] as const;
    for (const [fault, event] of cases) {
      const { port } = await startServer({ faults: [fault] }, (socket) => socket.on('error', () => {}).write('y'));
      const said = new PassThrough();
      const command = parseCommand(['connect', `127.0.0.1:${port}`, '--insecure', '--json']);
      if (command.name !== 'connect') throw new Error(`${command.name}?`);
      const streams = { input: Readable.from(['x']), output: said, report: new PassThrough() };
      await connectTo(command.settings, streams).catch(() => said.end());
      assert.deepInclude(JSON.parse(await textOf(said)), { event, origin: 'local' });
    }
  });

  it('fails before it connects, if the session could not be written', async () => {
    const at = await plainServer(() => assert.fail('connected'));
    for (const file of [join(folder, 'no', 'such'), folder]) {
      const { message, exitCode } = await fault([at, '--ca', CA, '--session-out', file]);
      assert.match(message, /^--session-out .*: cannot be written \(/);
      assert.strictEqual(exitCode, 2);
    }
  });

  it('keeps a file of sessions from others, also one that was there', async () => {
    const file = join(folder, 'was-there.pem');
    writeFileSync(file, 'x'.repeat(10_000), { mode: 0o644 });
    await connectWith([await serving(), '--ca', CA, '--session-out', file], GET);
    assert.strictEqual(statSync(file).mode & 0o777, 0o600);
    assert.strictEqual(Session.fromPem(readFileSync(file, 'latin1')).version, 'TLSv1.3');
    assert.isBelow(statSync(file).size, 10_000);
  });

  it('names the version of a session that is not spoken', async () => {
    const at = await serving();
    const file = join(folder, 'new.pem');
    await connectWith([at, '--ca', CA, '--session-out', file], GET);
    const { message, exitCode } = await fault([at, '--ca', CA, '--session-in', file, '--tls1_2']);
    assert.strictEqual(message, `--session-in ${file}: is of TLSv1.3, and only TLSv1.2 is to be spoken`);
    assert.strictEqual(exitCode, 2);
    const other = await fault([at, '--ca', CA, '--session-in', file, '--sni', 'localhost']);
    assert.strictEqual(other.message, `--session-in ${file}: it is for 127.0.0.1, not for localhost`);
  });

  it('waits longer for the first byte of an answer than for the next', async () => {
    const { port } = await startServer({}, (socket) => {
      socket.once('data', () => setTimeout(() => socket.write('late'), 200));
      socket.on('end', () => socket.end());
    });
    const limits = { quietMs: 20, graceMs: 20 };
    assert.strictEqual((await connectWith([`127.0.0.1:${port}`, '--ca', CA], GET, limits)).output, 'late');
    const silent = await startServer({}, (socket) => void socket.resume());
    const none = await connectWith([`127.0.0.1:${silent.port}`, '--ca', CA], GET, { answerMs: 20 });
    assert.strictEqual(none.output, '');
  });

  it('reads no faster than what it prints is read', async () => {
    const size = 8 << 20;
    const { port } = await startServer({}, (socket) => {
      socket.once('data', () => socket.end(Buffer.alloc(size)));
    });
    const command = parseCommand(['connect', `127.0.0.1:${port}`, '--ca', CA]);
    if (command.name !== 'connect') throw new Error('connect it is');
    const [output, report] = [new PassThrough(), new PassThrough()];
    const done = connectTo(command.settings, { input: Readable.from([GET]), output, report }, { quietMs: 60_000 });
    await until(() => output.readableLength > 0);
    assert.isBelow(await settled(() => output.readableLength + output.writableLength), size / 2);
    let read = 0;
    output.on('data', (chunk: Buffer) => {
      read += chunk.length;
    });
    await done;
    await until(() => read === size);
  });

  it('is ended by Ctrl-C, also while it waits', async () => {
    let hello: () => void = () => {};
    const hasSaidHello = new Promise<void>((resolve) => {
      hello = resolve;
    });
    const at = await plainServer((socket) => void socket.once('data', hello));
    const program = new Program('main', 'connect', at, '--ca', CA);
    await hasSaidHello;
    assert.strictEqual(await program.stop('SIGINT'), 'SIGINT');
    assert.strictEqual(program.output, '');
  });

  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    it(`writes the recording and the listing of a connection that ${signal} has ended`, async () => {
      let hello: () => void = () => {};
      const hasSaidHello = new Promise<void>((resolve) => {
        hello = resolve;
      });
      const at = await plainServer((socket) => void socket.once('data', hello));
      const records = join(folder, signal);
      const program = new Program('main', 'connect', at, '--ca', CA, '--trace', '--record', records);
      await hasSaidHello;
      assert.strictEqual(await program.stop(signal), 1);
      assert.match(program.output, /client_hello/);
      assert.match(program.output, /failed: interrupted$/m);
      const [name = '', ...others] = readdirSync(records);
      assert.deepEqual(others, []);
      assert.strictEqual(statSync(join(records, name)).mode & 0o777, 0o600);
      assert.strictEqual(finished('replay', join(records, name)).status, 0);
    });

  it('ends in one line where its output cannot be written', function () {
    if (!existsSync('/dev/full')) this.skip();
    const main = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
    const full = openSync('/dev/full', 'w');
    const { status, stderr } = spawnSync(process.execPath, [main, '--help'], {
      stdio: ['ignore', full, 'pipe'],
      encoding: 'utf8',
    });
    closeSync(full);
    assert.strictEqual(stderr, 'tls-resume: the output cannot be written (ENOSPC: no space left on device)\n');
    assert.strictEqual(status, 1);
  });
});
