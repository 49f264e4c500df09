/** The shim of examples/bogo, with a small runner: it listens, reads the number of each caller, and is the peer of the connection. */

import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { connect as connectByNode, createServer as createNodeServer, type TLSSocket } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { parseFlags } from '../../examples/bogo/flags.ts';
import { main } from '../../examples/bogo/main.ts';
import { singleUse } from '../../src/engine/server/single-use.ts';
import { connect, createServer as createOurServer } from '../../src/node/index.ts';
import type { Session } from '../../src/sessions/session.ts';
import { AlertDescription } from '../../src/wire/registry.ts';
import { certificates, fixturePath } from '../fixtures.ts';

const SHIM_ID = '258';
const EXAMPLE = fileURLToPath(new URL('../../../examples/bogo/', import.meta.url));
const CERTIFICATE = [
  '-cert-file',
  fixturePath('certificates/ecdsa-p256.cert.pem'),
  '-key-file',
  fixturePath('certificates/ecdsa-p256.key.pem'),
];
const { ecdsaP256 } = certificates;

/** What the shim has come to. */
interface Outcome {
  readonly code: number;
  readonly log: string;
  /** The numbers with which it called, in hexadecimal. */
  readonly ids: readonly string[];
}

/** Reads what comes first, and leaves the rest in the socket. */
async function read(socket: Socket, length: number): Promise<Buffer> {
  for (;;) {
    const bytes: Buffer | null = socket.read(length);
    if (bytes !== null) return bytes;
    await once(socket, 'readable');
  }
}

/** Has the shim call a runner that does `play` with each of its connections. */
async function run(flags: readonly string[], play: (socket: Socket, i: number) => unknown): Promise<Outcome> {
  const ids: string[] = [];
  const played: Promise<unknown>[] = [];
  const listener = createServer((socket) => {
    socket.on('error', () => {}); // the shim may reset what it has failed at
    const answer = async () => {
      ids.push((await read(socket, 8)).toString('hex'));
      await play(socket, ids.length - 1);
    };
    played.push(answer());
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  const log: string[] = [];
  try {
    const code = await main(['-port', String(port), '-shim-id', SHIM_ID, ...flags], (line) => log.push(String(line)));
    if (code === 0) await Promise.all(played); // the other end of a failure may wait for ever
    return { code, log: log.join('\n'), ids };
  } finally {
    listener.close();
  }
}

/** What the runner does with a connection: it sends 32 bytes, has them back inverted, and closes. */
async function exchange(socket: Duplex): Promise<void> {
  const echo = new Promise<Buffer>((resolve) => {
    socket.once('data', resolve);
  });
  socket.write(Buffer.alloc(32, 0x42));
  expect(await echo).to.deep.equal(Buffer.alloc(32, 0xbd));
  socket.end();
}

/** A server of node:tls, for connections that are there already. Returns what to play, and which connections have resumed. */
function nodeServer() {
  const resumed: boolean[] = [];
  const server = createNodeServer({ ...ecdsaP256, ALPNProtocols: ['foo'] });
  const play = async (socket: Socket) => {
    const accepted = once(server, 'secureConnection');
    server.emit('connection', Duplex.from({ readable: socket, writable: socket })); // which hands on what has been read
    const [secure] = (await accepted) as [TLSSocket];
    resumed.push(secure.isSessionReused());
    await exchange(secure);
  };
  return { play, resumed };
}

/** The same for a client, which offers the last session that it was given. */
function nodeClient() {
  const resumed: boolean[] = [];
  let session: Buffer | undefined;
  const play = async (socket: Socket) => {
    const secure = connectByNode({ socket, session, rejectUnauthorized: false });
    secure.on('session', (given) => {
      session = given;
    });
    await once(secure, 'secureConnect');
    resumed.push(secure.isSessionReused());
    await exchange(secure);
    await once(secure, 'close');
  };
  return { play, resumed };
}

function start(...flags: string[]): Promise<{ code: number | string; stdout: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [`${EXAMPLE}shim.mjs`, ...flags], (error, stdout) =>
      resolve({ code: error?.code ?? 0, stdout }),
    );
  });
}

describe('the shim for the runner of BoringSSL', () => {
  it('is a program, which leaves with 89 at a flag that it does not have', async () => {
    const [split, dtls] = await Promise.all([start('-is-handshaker-supported'), start('-port', '1', '-dtls')]);
    expect(split).to.deep.equal({ code: 0, stdout: 'No\n' });
    expect(dtls.code).to.equal(89);
  });

  it('takes flags for some of the connections alone', () => {
    const flags = [
      '-on-initial-host-name',
      'a',
      '-on-resume-shim-writes-first',
      '-on-retry-expect-hrr',
      '-curves',
      '23',
    ];
    expect(parseFlags([...flags, '-curves', '29', '-on-shim-key-update', '-read-size', '5'])).to.deep.equal({
      initial: { 'host-name': 'a', curves: [23, 29], 'key-update': true },
      resume: { 'shim-writes-first': true, curves: [23, 29], 'key-update': true },
      retry: { 'expect-hrr': true, curves: [23, 29], 'key-update': true },
    });
  });

  for (const [name, version, ...ofClient] of [
    ['TLS 1.2', '771'],
    ['TLS 1.3', '772', '-on-resume-expect-no-session'], // node:tls renews no ticket
  ] as const) {
    const flags = ['-max-version', version, '-expect-version', version, '-resume-count', '1', '-check-close-notify'];

    it(`is a client of ${name} that resumes`, async () => {
      const { play, resumed } = nodeServer();
      const alpn = ['-advertise-alpn', '\x03foo', '-expect-alpn', 'foo'];
      const { code, log, ids } = await run([...flags, ...ofClient, ...alpn, '-host-name', 'localhost'], play);
      expect(log).to.equal('');
      expect({ code, ids }).to.deep.equal({ code: 0, ids: ['0201000000000000', '0201000000000000'] });
      expect(resumed).to.deep.equal([false, true]);
    });

    it(`is a server of ${name} that resumes`, async () => {
      const { play, resumed } = nodeClient();
      const { code, log } = await run(['-server', ...CERTIFICATE, ...flags], play);
      expect(log).to.equal('');
      expect(code).to.equal(0);
      expect(resumed).to.deep.equal([false, true]);
    });
  }

  it('fails, and says why, if a connection is otherwise than the flags expect', async () => {
    const flags = ['-max-version', '771', '-resume-count', '1', '-expect-session-miss'];
    const { play } = nodeServer();
    const { code, log } = await run(flags, (socket, i) => (i === 0 ? play(socket) : void play(socket).catch(() => {})));
    expect(code).to.equal(1);
    expect(log).to.match(/^Error: resumed: true, where false was expected/);
  });

  it('names the alert that it sends', async () => {
    const { code, log } = await run([], (socket) => socket.end(Buffer.from('160303000402000000', 'hex')));
    expect(code).to.equal(1);
    expect(log).to.match(/^Error: sent decode_error: /);
  });

  it('sends early data', async () => {
    const server = createOurServer({ ...ecdsaP256, earlyData: { maxSize: 16_384, antiReplay: singleUse() } });
    const early: unknown[] = [];
    server.on('secureConnection', async (socket) => {
      if (socket.earlyData === 'accepted') early.push(String((await once(socket, 'data'))[0]));
      else early.push(socket.earlyData);
      await exchange(socket);
    });
    const flags = ['-enable-early-data', '-expect-ticket-supports-early-data', '-on-resume-expect-accept-early-data'];
    const { code, log } = await run(
      [...flags, '-resume-count', '1', '-on-resume-shim-writes-first', '-host-name', 'localhost'],
      (socket) => void server.emit('connection', socket),
    );
    expect(log).to.equal('');
    expect(code).to.equal(0);
    expect(early).to.deep.equal(['none', 'hello']);
  });

  it('accepts early data, and answers it before the handshake is complete', async () => {
    const statuses: string[] = [];
    const flags = ['-enable-early-data', '-on-resume-expect-accept-early-data', '-resume-count', '1'];
    const client = { verifyServer: 'any', serverName: 'localhost' } as const;
    let sessions: Session[] = [];
    const { code, log } = await run(['-server', ...CERTIFICATE, ...flags], async (socket, i) => {
      const earlyData = i === 0 ? undefined : new Uint8Array([1, 2, 3, 4]);
      const secure = connect(socket, { ...client, sessions, earlyData });
      await once(secure, 'secureConnect');
      statuses.push(secure.earlyData);
      if (earlyData !== undefined)
        expect((await once(secure, 'data'))[0]).to.deep.equal(Buffer.from([254, 253, 252, 251]));
      await exchange(secure);
      const last = secure.connection.session;
      if (last !== undefined) sessions = [last.upRef()];
    });
    expect(log).to.equal('');
    expect(code).to.equal(0);
    expect(statuses).to.deep.equal(['none', 'accepted']);
  });

  it('has a configuration that says why a test is not run, and maps errors to what it logs', () => {
    const config: unknown = JSON.parse(readFileSync(`${EXAMPLE}config.json`, 'utf8'));
    const { DisabledTests, ErrorMap } = config as Record<string, Record<string, string>>;
    for (const [pattern, reason] of Object.entries(DisabledTests ?? {})) expect(reason, pattern).to.match(/^\w.{5,}/);
    for (const [name, said] of Object.entries(ErrorMap ?? {})) {
      const [, alert = ''] = /^(?:sent|received) (\w+):$/.exec(said) ?? [];
      expect(AlertDescription, name).to.have.property(alert);
    }
  });
});
