/** `serve --fault`: every name does what the help says, to a client of ours. */

import { once } from 'node:events';
import { assert } from 'chai';
import { FAULT_NAMES } from '../../src/cli/serve-faults.ts';
import { connect, type TlsClientSocket } from '../../src/node/index.ts';
import type { Session } from '../../src/sessions/session.ts';
import type { Version } from '../../src/wire/registry.ts';
import { settled } from '../node/support.ts';
import { finished, Program, stopAll as stopPrograms } from './programs.ts';
import { GET, start, stopAll } from './servers.ts';

interface Visit {
  readonly socket: TlsClientSocket;
  readonly sessions: readonly Session[];
  readonly answer: string;
  readonly error: string | undefined;
}

/** A client that sends a request, to the end of the connection. */
async function visit(port: number, ca: string, version: Version, sessions?: readonly Session[]): Promise<Visit> {
  const options = { ca, minVersion: version, maxVersion: version, serverName: 'localhost', sessions };
  const socket = connect({ host: '127.0.0.1', port }, options);
  const given: Session[] = [];
  let answer = '';
  let error: string | undefined;
  socket.on('session', (session) => {
    if (socket.connection.isEstablished) given.push(session.upRef());
  });
  socket.on('error', (reason: Error & { alert?: string; code?: string }) => {
    error = reason.alert ?? reason.code ?? reason.message;
  });
  socket.on('data', (data) => {
    answer += String(data);
  });
  socket.write(GET);
  await new Promise((resolve) => socket.once('close', resolve));
  return { socket, sessions: given, answer, error };
}

describe('serve --fault', function () {
  this.timeout(20_000);
  afterEach(() => Promise.all([stopAll(), stopPrograms()]));

  /** What the client makes of it: an alert of its own, a code, or `answered`. */
  const rows: readonly (readonly [string, Version, string])[] = [
    ['bad-finished', 'TLSv1.3', 'decrypt_error'],
    ['bad-finished', 'TLSv1.2', 'decrypt_error'],
    ['bad-signature', 'TLSv1.3', 'decrypt_error'],
    ['bad-signature', 'TLSv1.2', 'decrypt_error'],
    ['unsolicited-extension', 'TLSv1.3', 'unsupported_extension'],
    ['unsolicited-extension', 'TLSv1.2', 'unsupported_extension'],
    ['drop:certificate_verify', 'TLSv1.3', 'unexpected_message'],
    ['repeat:server_hello', 'TLSv1.2', 'unexpected_message'],
    ['swap:certificate', 'TLSv1.3', 'unexpected_message'],
    ['split:100', 'TLSv1.3', 'answered'],
    ['pad:1000', 'TLSv1.3', 'answered'],
    ['corrupt:handshake#2', 'TLSv1.3', 'bad_record_mac'],
    ['corrupt:application_data', 'TLSv1.2', 'bad_record_mac'],
    ['wrong-key:handshake', 'TLSv1.2', 'bad_record_mac'],
    ['plaintext:application_data', 'TLSv1.3', 'bad_record_mac'],
    ['retry-with:secp384r1', 'TLSv1.3', 'answered'],
    ['retry-with:x25519', 'TLSv1.3', 'illegal_parameter'],
    ['delay:server_hello=1', 'TLSv1.3', 'answered'],
    ['delay:handshake=1#each', 'TLSv1.2', 'answered'],
    ['close:server_hello', 'TLSv1.2', 'ECONNRESET'],
    ['close:application_data', 'TLSv1.3', 'answered, cut off'],
    ['close-notify:application_data', 'TLSv1.3', 'answered'],
  ];
  for (const [name, version, expected] of rows) {
    it(`${name}, ${version}: ${expected}`, async () => {
      const { port, ca, warnings } = await start(['--fault', name]);
      const { error, answer, socket } = await visit(port, ca, version);
      const how = `${answer === '' ? 'nothing' : 'answered'}${socket.isTruncated ? ', cut off' : ''}`;
      assert.strictEqual(error ?? how, expected);
      assert.deepEqual(warnings, [
        `warning: --fault ${name}: this server does wrong on purpose, to whoever connects to 127.0.0.1`,
      ]);
    });
  }

  it('ticket-…: what the tickets say', async () => {
    const words = ['ticket-lifetime:5', 'ticket-age-add:7', 'ticket-nonce:00ff'].flatMap((name) => ['--fault', name]);
    const { port, ca } = await start(words);
    const { sessions } = await visit(port, ca, 'TLSv1.3');
    assert.deepEqual(
      sessions.map(({ timeout, ticketAgeAdd }) => [timeout, ticketAgeAdd]),
      [
        [5, 7],
        [5, 7],
      ],
    );
    const { socket } = await visit(port, ca, 'TLSv1.3', sessions.slice(0, 1));
    assert.strictEqual(socket.isSessionReused(), true);
  });

  it('select-identity and resume-under', async () => {
    const suite = 'TLS_CHACHA20_POLY1305_SHA256';
    const { port, ca } = await start(['--fault', 'select-identity:1', '--fault', `resume-under:${suite}`]);
    const { sessions } = await visit(port, ca, 'TLSv1.3');
    const { socket } = await visit(port, ca, 'TLSv1.3', sessions);
    assert.strictEqual(socket.resumption.identityIndex, 1);
    assert.strictEqual(socket.connection.cipherSuite, suite);
  });

  it('stall: nothing comes', async () => {
    const { port, ca } = await start(['--fault', 'stall:server_hello']);
    const options = { ca, serverName: 'localhost', minVersion: 'TLSv1.3' as const };
    const socket = connect({ host: '127.0.0.1', port }, options);
    while (socket.connection.version === undefined) await new Promise((resolve) => setImmediate(resolve));
    assert.isAbove(await settled(() => 1), 0);
    assert.strictEqual(socket.connection.isEstablished, false);
    socket.destroy();
    await once(socket, 'close');
  });

  it('has a test for every name', () => {
    const tested = new Set(rows.map(([name]) => name.replace(/[:#].*/, '')));
    const others = ['ticket-lifetime', 'ticket-age-add', 'ticket-nonce', 'select-identity', 'resume-under', 'stall'];
    assert.sameMembers([...tested, ...others], FAULT_NAMES as string[]);
  });

  it('warns on stderr, and not without a fault', async () => {
    const { warnings } = await start();
    assert.deepEqual(warnings, []);
    const program = new Program(
      'main',
      'serve',
      '--port',
      '0',
      '--fault',
      'bad-finished',
      '--fault',
      'drop:finished#2',
    );
    await program.says(
      /^tls-resume: warning: --fault bad-finished --fault drop:finished#2: this server does wrong on purpose, to whoever connects to 127\.0\.0\.1$/m,
    );
    assert.strictEqual(await program.stop('SIGTERM'), 0);
  });

  it('is 2 for an unknown name', () => {
    const { status, stderr, stdout } = finished('serve', '--fault', 'bad-finish');
    assert.deepEqual([status, stdout], [2, '']);
    assert.match(stderr, /^tls-resume: --fault: unknown 'bad-finish'; is bad-finished meant\? there are .*\n$/);
  });
});
