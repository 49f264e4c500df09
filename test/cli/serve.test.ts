import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect as connectTcp, createServer as createTcpServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { connect } from 'node:tls';
import { assert } from 'chai';
import { nodeHybridGroups } from '../../src/node/node-ml-kem.ts';
import { fixturePath } from '../fixtures.ts';
import { describeWith, run } from '../interop/peers.ts';
import { HostTimers } from '../support/timers.ts';
import { client, GET, readAll, start, stopAll } from './servers.ts';
import { visit } from './visit.ts';

const VERSIONS = ['TLSv1.3', 'TLSv1.2'] as const;
const certificate = (name: string) => {
  return ['--cert', fixturePath(`certificates/${name}.cert.pem`), '--key', fixturePath(`certificates/${name}.key.pem`)];
};

/** Passes bytes on, and notes the length and type of each record that the server sends. */
async function tap(
  port: number,
): Promise<{ relay: Server; port: number; records: { type: number; length: number }[] }> {
  const records: { type: number; length: number }[] = [];
  const relay = createTcpServer({ allowHalfOpen: true }, (near) => {
    const far = connectTcp({ port, host: '127.0.0.1', allowHalfOpen: true });
    let bytes = Buffer.alloc(0);
    near.pipe(far).pipe(near);
    far.on('data', (chunk) => {
      bytes = Buffer.concat([bytes, chunk]);
      for (; bytes.length >= 5; bytes = bytes.subarray(5 + bytes.readUInt16BE(3))) {
        const length = bytes.readUInt16BE(3);
        if (bytes.length < 5 + length) return;
        records.push({ type: bytes.readUInt8(0), length });
      }
    });
  });
  relay.listen(0, '127.0.0.1');
  await once(relay, 'listening');
  return { relay, port: (relay.address() as AddressInfo).port, records };
}

/** Of TLS 1.3: Node's own clients prefer the hybrid group where Node has it, and so does the server. */
const GROUP = nodeHybridGroups.X25519MLKEM768 === undefined ? 'x25519' : 'X25519MLKEM768';

describe('serve', () => {
  afterEach(stopAll);

  for (const provider of ['noble', 'fast', 'node']) {
    it(`resumes in both versions with --crypto ${provider}, and signs with RSA`, async () => {
      const { port } = await start(['--crypto', provider, ...certificate('rsa-2048')]);
      const ca = readFileSync(fixturePath('certificates/rsa-2048.cert.pem'), 'utf8');
      for (const version of VERSIONS) {
        const first = await visit({ port, version, ca });
        const second = await visit({ port, version, ca, session: first.session });
        assert.deepEqual([first.resumed, second.resumed], [false, true], version);
      }
    });
  }

  for (const version of VERSIONS) {
    it(`tells of a full handshake and of one that resumes, ${version}`, async () => {
      const { port, ca, says } = await start();
      const first = await visit({ port, version, ca });
      const second = await visit({ port, version, ca, session: first.session });
      assert.deepInclude(first, { resumed: false, sessions: version === 'TLSv1.3' ? 2 : 1, answer: 'HTTP/1.1 200 OK' });
      assert.deepInclude(second, { resumed: true, sessions: version === 'TLSv1.3' ? 1 : 0, answer: 'HTTP/1.1 200 OK' });
      const suite = version === 'TLSv1.3' ? 'TLS_AES_128_GCM_SHA256' : 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256';
      const resumed =
        version === 'TLSv1.3'
          ? `${GROUP} resumed \\(psk-stateful, psk_dhe_ke, identity 0\\)`
          : '- resumed \\(session-id\\)';
      await says(
        new RegExp(
          `^#1 127\\.0\\.0\\.1:\\d+ ${version} ${suite} ${version === 'TLSv1.3' ? GROUP : 'x25519'} full \\(not-offered\\)$`,
        ),
      );
      await says(new RegExp(`^#2 127\\.0\\.0\\.1:\\d+ ${version} ${suite} ${resumed}$`));
    });

    it(`answers a GET in one record, then close_notify, then the end, ${version}`, async () => {
      const { port } = await start();
      const { relay, port: through, records } = await tap(port);
      const socket = await client(through, { minVersion: version, maxVersion: version });
      socket.write(GET);
      const answer = await readAll(socket);
      relay.close();
      await once(relay, 'close');
      assert.match(answer, /^HTTP\/1\.1 200 OK\r\n.*\nhandshake +full \(not-offered\)/s);
      const [page, end, ...more] = records.slice(-2);
      // TLS 1.3: a type and a tag. TLS 1.2: an explicit nonce and a tag.
      const [overhead, alert] = version === 'TLSv1.3' ? [17, 23] : [24, 21];
      assert.deepEqual(page, { type: 23, length: answer.length + overhead });
      assert.deepEqual(end, { type: alert, length: 2 + overhead });
      assert.deepEqual(more, []);
    });
  }

  it('sends the tickets before the first application data, after a full handshake and a resumption', async () => {
    const { port } = await start();
    let session: Buffer | undefined;
    for (const expected of [
      ['ticket', 'ticket', 'data'],
      ['ticket', 'data'],
    ]) {
      const socket = await client(port, { minVersion: 'TLSv1.3', session });
      const order: string[] = [];
      socket.on('session', (given: Buffer) => {
        order.push('ticket');
        session = given;
      });
      socket.on('data', () => order.push('data'));
      socket.write(GET);
      await once(socket, 'close');
      assert.deepEqual(order, expected);
    }
  });

  it('waits for the rest of a request, and answers one who has closed his side', async () => {
    const { port } = await start();
    const socket = await client(port, { maxVersion: 'TLSv1.3', minVersion: 'TLSv1.3' });
    let heard = '';
    socket.on('data', (chunk) => {
      heard += chunk;
    });
    socket.write(GET.slice(0, 20));
    await delay(50);
    assert.strictEqual(heard, '');
    socket.end(GET.slice(20));
    await once(socket, 'close');
    assert.match(heard, /^HTTP\/1\.1 200 OK/);
  });

  it('closes on a head that is too long, and refuses other methods', async () => {
    const { port } = await start();
    const long = await client(port);
    long.write(`GET / HTTP/1.1\r\nX: ${'x'.repeat(40_000)}`);
    assert.strictEqual(await readAll(long), '');
    const post = await client(port);
    post.write('POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nhi');
    assert.match(await readAll(post), /^HTTP\/1\.1 405 .*\r\nAllow: GET, HEAD\r\n/s);
  });

  for (const version of VERSIONS) {
    it(`sends back what it receives with --echo, ${version}`, async () => {
      const { port, says } = await start(['--echo', '--verbose']);
      const socket = await client(port, { minVersion: version, maxVersion: version });
      const sent = 'abcdefgh'.repeat(32_768);
      let heard = '';
      socket.setEncoding('latin1').on('data', (text) => {
        heard += text;
        if (heard.length === sent.length) socket.end();
      });
      socket.write(sent);
      await once(socket, 'close');
      assert.isTrue(heard === sent, 'the same comes back');
      await says(/^#1 closed \(clean\)$/);
    });
  }

  it('tells of failed handshakes, with the alert', async () => {
    const { port, says } = await start(['--min-version', '1.3']);
    const error = await client(port, { maxVersion: 'TLSv1.2' }).catch((reason) => reason);
    assert.match(String(error), /protocol version/);
    await says(/^#1 127\.0\.0\.1:\d+ failed, alert sent: protocol_version: /);
    const distrust = await client(port, { rejectUnauthorized: true, ca: [] }).catch((reason) => reason);
    assert.instanceOf(distrust, Error);
    const gone = connectTcp(port, '127.0.0.1', () => gone.end());
    await says(/^#3 127\.0\.0\.1:\d+ failed: the client /);
  });

  it('speaks JSON, one object a line', async () => {
    const { port, ca, lines, says } = await start(['--json', '--alpn', 'http/1.1']);
    const socket = await client(port, { ca, ALPNProtocols: ['h2', 'http/1.1'] });
    socket.write(GET);
    await readAll(socket);
    await client(port, { ca, minVersion: 'TLSv1.2', ciphers: 'AES128-SHA', maxVersion: 'TLSv1.2' }).catch(() => {});
    await says(/handshake-failed/);
    const [listening, connection, failed, ...rest] = lines.map((line) => JSON.parse(line));
    assert.deepEqual(rest, []);
    const versions = ['TLSv1.2', 'TLSv1.3'];
    assert.deepEqual(listening, { event: 'listening', host: '127.0.0.1', port, versions, certificate: 'ephemeral' });
    assert.isAbove(connection.remotePort, 0);
    assert.deepEqual(connection, {
      event: 'connection',
      id: 1,
      remoteAddress: '127.0.0.1',
      remotePort: connection.remotePort,
      version: 'TLSv1.3',
      cipherSuite: 'TLS_AES_128_GCM_SHA256',
      group: GROUP,
      resumed: false,
      mechanism: null,
      pskMode: null,
      identityIndex: null,
      reason: 'not-offered',
      serverName: 'localhost',
      alpnProtocol: 'http/1.1',
      signatureScheme: 'ecdsa_secp256r1_sha256',
    });
    assert.include(failed, { event: 'handshake-failed', id: 2, alert: 'handshake_failure', origin: 'local' });
  });

  it('tells more with --verbose', async () => {
    const { port, ca, lines, says } = await start(['--verbose']);
    await visit({ port, version: 'TLSv1.3', ca });
    await says(/^#1 closed/);
    assert.strictEqual(lines.filter((line) => /^#1 ticket sent for new session [0-9a-f]{16}…$/.test(line)).length, 2);
    assert.include(lines, '#1 server name localhost, no ALPN, signed with ecdsa_secp256r1_sha256');
    assert.include(lines, '#1 alert sent: close_notify');
    assert.include(lines, '#1 closed (clean)');
  });

  describe('--ticket-keys', () => {
    let folder: string;
    before(() => {
      folder = mkdtempSync(join(tmpdir(), 'tls-resume-cli-'));
    });
    after(() => rmSync(folder, { recursive: true, force: true }));

    function keyFile(name: string): string {
      const file = join(folder, name);
      writeFileSync(file, randomBytes(48));
      return file;
    }

    const MECHANISM = { 'TLSv1.2': 'ticket', 'TLSv1.3': 'psk-stateless, psk_dhe_ke, identity 0' } as const;

    /** Resumes, and has the newest session afterwards: in TLS 1.2 no event tells of a ticket that has been renewed. */
    async function comeBack(port: number, version: (typeof VERSIONS)[number], session: Buffer | undefined) {
      const socket = await client(port, { minVersion: version, maxVersion: version, session });
      const resumed = socket.isSessionReused();
      let newest: Buffer = socket.getSession() ?? Buffer.alloc(0);
      socket.on('session', (given: Buffer) => {
        newest = given;
      });
      socket.write(GET);
      await readAll(socket);
      return { resumed, session: newest };
    }

    for (const version of VERSIONS) {
      it(`has a session of one resume at another, and tells by which key, ${version}`, async () => {
        const [older, newer] = [keyFile('older'), keyFile('newer')];
        const pair = certificate('ecdsa-p256');
        const ca = readFileSync(fixturePath('certificates/ecdsa-p256.cert.pem'), 'utf8');
        const one = await start([...pair, '--ticket-keys', `nginx:${older}`]);
        const keys = ['--ticket-keys', `nginx:${newer}`, '--ticket-keys', `nginx:${older}`];
        const other = await start([...pair, ...keys, '--verbose']);
        const first = await visit({ port: one.port, version, ca });
        const second = await comeBack(other.port, version, first.session);
        assert.isTrue(second.resumed);
        assert.isFalse(second.session.equals(first.session ?? Buffer.alloc(0)), 'the older key has a new ticket made');
        assert.isTrue((await comeBack(other.port, version, second.session)).resumed);
        await other.says(new RegExp(` resumed \\(${MECHANISM[version]}\\)$`));
        const name = (file: string) => readFileSync(file).toString('hex', 0, 16);
        await other.says(new RegExp(`^#1 {3}key ${name(older)} \\(aes-128-cbc-hmac-sha256, decrypt-only\\), session`));
        await other.says(new RegExp(`^#2 {3}key ${name(newer)} \\(aes-128-cbc-hmac-sha256, encrypt\\), session`));
        const secrets = [older, newer].flatMap((file) =>
          [16, 32].map((at) => readFileSync(file).toString('hex', at, at + 16)),
        );
        for (const secret of secrets) assert.notInclude(other.lines.join(), secret);
      });

      it(`tells why a session was declined, ${version}`, async () => {
        const keys = ['--ticket-keys', `node:${keyFile('both')}`];
        const pair = certificate('ecdsa-p256');
        const ca = readFileSync(fixturePath('certificates/ecdsa-p256.cert.pem'), 'utf8');
        const one = await start([...pair, ...keys]);
        const other = await start([...pair, ...keys, '--id-context', 'other', '--verbose', '--json']);
        const { session } = await visit({ port: one.port, version, ca });
        assert.isFalse((await visit({ port: other.port, version, ca, session })).resumed);
        const line = JSON.parse(await other.says(/"verdicts"/));
        assert.lengthOf(line.verdicts, 1);
        assert.deepInclude(line.verdicts[0], {
          identityIndex: version === 'TLSv1.3' ? 0 : null,
          accepted: false,
          reason: 'session-id-context',
          remedy: 'sessions.idContext as it was where the session was made; with clientAuth, one that is not empty',
        });
        assert.deepEqual(line.verdicts[0].checks.at(-1), { rule: 'session id context', passed: false });
      });
    }

    it('may not be such as can be guessed', async () => {
      const file = join(folder, 'zeros');
      writeFileSync(file, new Uint8Array(48));
      const error = await start(['--ticket-keys', `nginx:${file}`]).catch((reason) => reason);
      assert.match(String(error), /^Fault: --ticket-keys nginx:.*zeros: this ticket key is not random/);
    });

    it('may not be the same twice', async () => {
      const file = keyFile('twice');
      const words = ['--ticket-keys', `node:${file}`, '--ticket-keys', `apache:${file}`];
      const error = await start(words).catch((reason) => reason);
      assert.match(String(error), /^Fault: --ticket-keys: ticket key 2 of 2 is the same as one before it$/);
    });
  });

  for (const version of VERSIONS) {
    it(`resumes nothing with --tickets off, ${version}`, async () => {
      const { port, ca, says } = await start(['--tickets', 'off']);
      const first = await visit({ port, version, ca });
      assert.strictEqual(version === 'TLSv1.3' ? first.sessions : 0, 0);
      assert.isFalse((await visit({ port, version, ca, session: first.session })).resumed);
      await says(/^#2 .* full /);
    });
  }

  it('chooses between an ECDSA and an RSA pair by signature_algorithms', async () => {
    const { port, says } = await start([...certificate('ecdsa-p256'), ...certificate('rsa-2048'), '--json']);
    for (const [sigalgs, kind] of [
      ['ecdsa_secp256r1_sha256', 'ec'],
      ['rsa_pss_rsae_sha256', 'rsa'],
    ] as const) {
      const socket = await client(port, { sigalgs });
      assert.strictEqual(socket.getPeerX509Certificate()?.publicKey.asymmetricKeyType, kind);
      await says(new RegExp(`"signatureScheme":"${sigalgs}"`));
      socket.destroy();
    }
  });

  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    it(`says with --verbose why a client of ${version} gets no ticket`, async () => {
      const { port, says } = await start(['--tickets', 'off', '--verbose']);
      const socket = await client(port, { maxVersion: version });
      await says(/^#1 no ticket \(off\)/);
      socket.destroy();
    });
  }

  it('keeps to the suites and groups that it is given', async () => {
    const suite = 'TLS_CHACHA20_POLY1305_SHA256';
    const { port, says } = await start(['--ciphers', suite, '--groups', 'secp384r1', '--max-version', '1.3']);
    const socket = await client(port);
    assert.strictEqual(socket.getCipher().standardName, suite);
    await says(new RegExp(` TLSv1\\.3 ${suite} secp384r1 full `));
    socket.destroy();
  });

  describe('to a TLS 1.2 client that does not offer the suite of its session any more', () => {
    const comeBackWithout = async (port: number) => {
      const old = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' } as const;
      const first = await client(port, { ...old, ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' });
      const session = first.getSession();
      first.end();
      await once(first, 'close');
      return client(port, { ...old, ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384', session });
    };

    it('gives a full handshake', async () => {
      const { port, says } = await start();
      (await comeBackWithout(port)).destroy();
      await says(/^#2 .* full \(cipher-suite\)$/);
    });

    it('says illegal_parameter with --compat openssl-3, as OpenSSL does', async () => {
      const { port, says } = await start(['--compat', 'openssl-3', '--verbose']);
      const error = await comeBackWithout(port).catch((reason) => reason);
      assert.match(String(error), /illegal parameter/);
      await says(/^#2 .* failed, alert sent: illegal_parameter: /);
      await says(/^#2 session [0-9a-f]{16}… removed \(alert-sent\)$/);
    });
  });

  it('ends a connection that says nothing', async () => {
    const { port, says } = await start(['--verbose'], { idleMs: 150 });
    const mute = connectTcp(port, '127.0.0.1');
    const idle = await client(port);
    await Promise.all([readAll(idle), once(mute.resume(), 'close')]);
    await says(/failed: nothing heard for 0\.15 s$/);
    await says(/closed \(idle\)$/);
  });

  it('ends a connection whose idle client does not close its side', async () => {
    const { port, says } = await start(['--verbose'], { idleMs: 100 });
    const idle = await client(port, { socket: connectTcp({ port, host: '127.0.0.1', allowHalfOpen: true }) });
    await once(idle.resume(), 'end');
    await says(/closed \(idle\)$/);
    idle.destroy();
  });

  it('ends its connections when it stops', async () => {
    const { port, stop } = await start();
    const talker = await client(port);
    const mute = connectTcp(port, '127.0.0.1');
    await once(mute, 'connect');
    const said = readAll(talker);
    const timers = new HostTimers();
    await Promise.all([stop(), once(mute.resume(), 'close')]).finally(() => timers.restore());
    assert.strictEqual(await said, '', 'an end, and not an error');
    assert.deepEqual(timers.times(500), []);
  });

  describe('--keylog', () => {
    let folder: string;
    before(() => {
      folder = mkdtempSync(join(tmpdir(), 'tls-resume-cli-'));
    });
    after(() => rmSync(folder, { recursive: true, force: true }));

    it('appends the lines that the clients have too, for the eyes of the owner only', async () => {
      const file = join(folder, 'keys');
      const known: string[] = [];
      for (const version of VERSIONS) {
        const { port, stop } = await start(['--keylog', file]);
        const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, maxVersion: version });
        socket.on('keylog', (line: Buffer) => known.push(line.toString().trim()));
        socket.write(GET);
        await readAll(socket);
        await stop();
      }
      const written = readFileSync(file, 'latin1').split('\n');
      assert.strictEqual(written.pop(), '');
      for (const line of written) assert.match(line, /^[A-Z0-9_]+ [0-9a-f]{64} [0-9a-f]{64,96}$/);
      assert.includeMembers(written, known);
      assert.strictEqual(known.filter((line) => line.startsWith('CLIENT_RANDOM ')).length, 1, 'TLS 1.2');
      assert.strictEqual(known.filter((line) => line.startsWith('SERVER_TRAFFIC_SECRET_0 ')).length, 1, 'TLS 1.3');
      assert.strictEqual(statSync(file).mode & 0o777, 0o600);
    });
  });

  describeWith(['curl'], 'and curl', () => {
    for (const [version, flag] of [
      ['TLSv1.3', '--tlsv1.3'],
      ['TLSv1.2', '--tls-max 1.2'],
    ] as const) {
      it(`gets a page twice, the second resumed, ${version}`, async () => {
        const { port } = await start();
        const url = `https://127.0.0.1:${port}/`;
        const { stdout } = await run('curl', ['-sSk', ...flag.split(' '), url, url]);
        const handshakes = [...stdout.matchAll(/^handshake +(.*)$/gm)].map(([, text]) => text);
        const resumed =
          version === 'TLSv1.3' ? 'resumed (psk-stateful, psk_dhe_ke, identity 0)' : 'resumed (session-id)';
        assert.deepEqual(handshakes, ['full (not-offered)', resumed]);
      });
    }
  });
});
