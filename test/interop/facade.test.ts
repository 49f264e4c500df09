/** The names of OpenSSL, as its own client sees them: an {@link Ssl} over a socket, as a program of OpenSSL's would run an SSL. */

import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect } from 'chai';
import type { ServerOptions } from '../../src/index.ts';
import {
  Session,
  SSL_EARLY_DATA_ACCEPTED,
  SSL_EARLY_DATA_NOT_SENT,
  SSL_EARLY_DATA_REJECTED,
  SSL_READ_EARLY_DATA_FINISH,
  SSL_READ_EARLY_DATA_SUCCESS,
  Ssl,
  SslContext,
} from '../../src/openssl.ts';
import { EMPTY, fromHex, utf8 } from '../../src/wire/bytes.ts';
import { certificates } from '../fixtures.ts';
import { describeWith, run, workFolder } from './peers.ts';

const HEX = '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f';
const REQUEST = 'GET / HTTP/1.0\r\n\r\n';
const SUITE = 'TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

interface Seen {
  status: number;
  early: string;
  mechanism: string | undefined;
}

/** Serves with the loop of SSL_read_early_data(3): early data first, then the rest. It answers the early data early. */
async function serve(ctx: SslContext): Promise<{ port: number; seen: Seen[] }> {
  const seen: Seen[] = [];
  const server = createServer((socket) => attend(socket, ctx, seen));
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, seen };
}

function attend(socket: Socket, ctx: SslContext, seen: Seen[]): void {
  const ssl = new Ssl(ctx, { send: (bytes) => socket.write(bytes) });
  const of: Seen = { status: SSL_EARLY_DATA_NOT_SENT, early: '', mechanism: undefined };
  const read: { value: Uint8Array | null } = { value: null };
  let isEarly = true;
  socket.on('data', (bytes) => {
    ssl.receive(bytes);
    while (isEarly) {
      const state = ssl.readEarlyData(read);
      if (state === SSL_READ_EARLY_DATA_SUCCESS) of.early += Buffer.from(read.value ?? EMPTY);
      else if (state === SSL_READ_EARLY_DATA_FINISH) isEarly = false;
      else break;
      if (state === SSL_READ_EARLY_DATA_SUCCESS) ssl.writeEarlyData(utf8('early answer\n'));
    }
    if (isEarly || seen.includes(of) || !ssl.isInitFinished() || (of.early === '' && ssl.read() === null)) return;
    of.status = ssl.getEarlyDataStatus();
    of.mechanism = ssl.connection?.resumption.mechanism;
    seen.push(of);
    ssl.write(utf8('answer\n'));
    ssl.shutdown();
    socket.end();
  });
  socket.on('error', () => {});
  socket.on('close', () => ssl.free());
}

function context(options: Partial<ServerOptions> = {}): SslContext {
  return new SslContext({ credentials: [certificates.ecdsaP256], ...options });
}

const where = (port: number): string[] => [
  's_client',
  '-connect',
  `127.0.0.1:${port}`,
  '-servername',
  'localhost',
  '-ign_eof',
];

describeWith(['openssl'], 'interop: the names of OpenSSL, and openssl s_client', () => {
  it('-early_data is read by SSL_read_early_data() and answered at once, and the same session serves once', async () => {
    const ctx = context();
    ctx.setMaxEarlyData(16384);
    const { port, seen } = await serve(ctx);
    const [session, file] = ['facade.pem', 'facade.data'].map((name) => join(workFolder(), name)) as [string, string];
    writeFileSync(file, REQUEST);
    await run('openssl', [...where(port), '-tls1_3', '-sess_out', session], { input: REQUEST });
    const early = [...where(port), '-tls1_3', '-sess_in', session, '-early_data', file];
    const first = await run('openssl', early);
    const second = await run('openssl', early, { input: REQUEST });
    expect(first.stdout).to.match(/Early data was accepted[\s\S]*early answer\nanswer/);
    expect(second.stdout).to.contain('Early data was rejected');
    expect(seen.map(({ status, early: data }) => [status, data])).to.deep.equal([
      [SSL_EARLY_DATA_NOT_SENT, ''],
      [SSL_EARLY_DATA_ACCEPTED, REQUEST],
      [SSL_EARLY_DATA_REJECTED, ''],
    ]);
  });

  for (const version of ['-tls1_2', '-tls1_3'])
    it(`-psk ${version} is known to the callback of SSL_CTX_set_psk_server_callback()`, async () => {
      const ctx = context({ psks: () => undefined, ciphers: ['TLS_AES_128_GCM_SHA256', SUITE] });
      ctx.setPskServerCallback((_ssl, identity, psk) => {
        if (identity !== 'sensor7') return 0;
        psk.set(fromHex(HEX));
        return 32;
      });
      const { port, seen } = await serve(ctx);
      const psk = ['-psk_identity', 'sensor7', '-psk', HEX, version];
      const cipher = version === '-tls1_2' ? ['-cipher', 'ECDHE-PSK-CHACHA20-POLY1305'] : [];
      const { stdout } = await run('openssl', [...where(port), ...psk, ...cipher], { input: REQUEST });
      expect(stdout).to.contain('answer');
      expect(seen.map(({ mechanism }) => mechanism)).to.deep.equal(['psk-external']);
    });

  it('-psk_session is known to the callback of SSL_CTX_set_psk_find_session_callback()', async () => {
    const made = new Session({
      version: 'TLSv1.3',
      cipherSuite: 0x1302,
      id: EMPTY,
      secret: fromHex(HEX + HEX.slice(0, 32)),
      time: Math.floor(Date.now() / 1000),
      timeout: 3600,
      authTime: 0,
      extendedMasterSecret: true,
      idContext: EMPTY,
    });
    const file = join(workFolder(), 'facade-psk.pem');
    writeFileSync(file, made.toPem());
    const ctx = context();
    ctx.setPskFindSessionCallback((_ssl, identity, session) => {
      if (Buffer.from(identity).toString() === 'sensor7') session.value = Session.fromPem(made.toPem());
      return 1;
    });
    const { port, seen } = await serve(ctx);
    const psk = ['-psk_identity', 'sensor7', '-psk_session', file, '-tls1_3'];
    const { stdout } = await run('openssl', [...where(port), ...psk], { input: REQUEST });
    expect(stdout).to.contain('TLS_AES_256_GCM_SHA384');
    expect(seen.map(({ mechanism }) => mechanism)).to.deep.equal(['psk-external']);
  });
});
