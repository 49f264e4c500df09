/** External PSKs with the programs of others, which take plain ones alone: none that is installed has an importer (RFC 9258). */

import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls, createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { expect } from 'chai';
import { defineClient } from '../../src/engine/client/define-client.ts';
import type { ClientOptions } from '../../src/engine/client/options.ts';
import { connect, type EarlyDataAttempt, type ExternalPsk, type NodeServerOptions } from '../../src/node/index.ts';
import { Session } from '../../src/sessions/session.ts';
import { EMPTY, fromHex, toHex, utf8 } from '../../src/wire/bytes.ts';
import { testProvider } from '../support/provider.ts';
import { builtC } from './compiled.ts';
import { startOnFreePort } from './free-port.ts';
import { visitServer } from './our-client.ts';
import { type OurServer, startOurs } from './our-server.ts';
import { describeWith, run, workFolder } from './peers.ts';
import { startProgram } from './reference-server.ts';

const HEX = '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f';
const NAME = 'sensor7';
const PSK: ExternalPsk = { identity: utf8(NAME), secret: fromHex(HEX) };
const SUITE = 'TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256';
const OPENSSL_SUITE = 'ECDHE-PSK-CHACHA20-POLY1305';
const REQUEST = 'GET / HTTP/1.0\r\n\r\n';

/** What differs by version: our options, and those of the others. */
const VERSIONS = {
  'TLSv1.3': {
    ours: {},
    openssl: ['-tls1_3'],
    gnutls: 'NORMAL:-VERS-ALL:+VERS-TLS1.3:+ECDHE-PSK:+PSK',
    node: { minVersion: 'TLSv1.3' as const },
    pskMode: 'psk_dhe_ke',
  },
  'TLSv1.2': {
    ours: { maxVersion: 'TLSv1.2' as const, ciphers: [SUITE] },
    openssl: ['-tls1_2', '-cipher', OPENSSL_SUITE],
    gnutls: 'NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+ECDHE-PSK:-CIPHER-ALL:+CHACHA20-POLY1305',
    node: { maxVersion: 'TLSv1.2' as const, ciphers: OPENSSL_SUITE },
    pskMode: undefined,
  },
} as const;

async function withOurs(options: NodeServerOptions, use: (server: OurServer) => Promise<unknown>): Promise<OurServer> {
  const server = await startOurs({ credentials: undefined, psks: [PSK], ...options });
  try {
    await use(server);
  } finally {
    await server.close();
  }
  return server;
}

const visit = (port: number, options: ClientOptions) =>
  visitServer(port, { config: defineClient({ psks: [PSK], crypto: testProvider, ...options }) });

/** It makes a session of the PSK, which names the suite, and how much early data goes under it. */
async function withPskSession(use: (file: string) => Promise<unknown>, maxEarlyData = 0): Promise<void> {
  const folder = workFolder();
  const session = new Session({
    version: 'TLSv1.3',
    cipherSuite: 0x1302,
    id: EMPTY,
    secret: fromHex(HEX + HEX.slice(0, 32)),
    time: Math.floor(Date.now() / 1000),
    timeout: 3600,
    authTime: 0,
    extendedMasterSecret: true,
    idContext: EMPTY,
    foreign: { maxEarlyData },
  });
  const file = join(folder, 'psk.pem');
  writeFileSync(file, session.toPem());
  await use(file);
}

for (const [version, how] of Object.entries(VERSIONS)) {
  const expected = { resumed: false, mechanism: 'psk-external', pskMode: how.pskMode, reason: undefined };

  describeWith(['openssl'], `interop: ${version} with an external PSK, and openssl`, () => {
    it('s_client -psk has its answer', async () => {
      const { accepted, errors } = await withOurs(how.ours, async ({ port }) => {
        const args = ['s_client', '-connect', `127.0.0.1:${port}`, '-psk_identity', NAME, '-psk', HEX, '-ign_eof'];
        const { stdout } = await run('openssl', [...args, ...how.openssl], { input: REQUEST });
        expect(stdout).to.contain('page: psk-external');
      });
      expect(errors).to.deep.equal([]);
      expect(accepted[0]?.resumption).to.include(expected);
    });

    it('s_client with another key is refused', async () => {
      const { errors } = await withOurs(how.ours, async ({ port }) => {
        const wrong = HEX.replaceAll('0', '1');
        const args = ['s_client', '-connect', `127.0.0.1:${port}`, '-psk_identity', NAME, '-psk', wrong];
        const failed = await run('openssl', [...args, ...how.openssl]).then(
          () => undefined,
          (error: unknown) => error,
        );
        expect(String(failed)).to.match(version === 'TLSv1.3' ? /decrypt error/ : /bad record mac/);
      });
      expect(errors).to.have.length(1);
    });

    it('s_server -psk serves our client', async () => {
      const flags = ['-nocert', '-psk_identity', NAME, '-psk', HEX, ...how.openssl];
      const { port, close } = await startProgram('openssl', ['s_server', '-accept', '127.0.0.1:0', '-www', ...flags]);
      try {
        const visited = await visit(port, how.ours);
        expect(visited).to.include({ ...expected, version, hasCertificate: false });
        expect(visited.page).to.contain(version === 'TLSv1.3' ? 'TLS_AES_128_GCM_SHA256' : OPENSSL_SUITE);
      } finally {
        await close();
      }
    });
  });

  describeWith(['gnutls-cli', 'gnutls-serv', 'gcc'], `interop: ${version} with an external PSK, and GnuTLS`, () => {
    it('gnutls-cli --pskusername has its answer', async () => {
      const { accepted } = await withOurs(how.ours, async ({ port }) => {
        const args = ['--port', String(port), '--pskusername', NAME, '--pskkey', HEX, '--priority', how.gnutls];
        const ran = run('gnutls-cli', [...args, '--no-ca-verification', '127.0.0.1'], { input: REQUEST });
        // gnutls-cli 3.7 dies in TLS 1.2 when it describes the handshake that it has completed, at its own server as well.
        if (version === 'TLSv1.2') await ran.catch(() => {});
        else expect((await ran).stdout).to.contain('page: psk-external');
      });
      expect(accepted[0]?.resumption).to.include(expected);
    });

    it('gnutls-serv --pskpasswd serves our client', async () => {
      const folder = workFolder();
      const passwords = join(folder, 'psk.txt');
      writeFileSync(passwords, `${NAME}:${HEX}\n`);
      const env = { LD_PRELOAD: await builtC('loopback', ['-shared', '-fPIC', '-ldl']) };
      const args = ['--http', '--priority', how.gnutls, '--pskpasswd', passwords];
      const { port, close } = await startOnFreePort(
        'gnutls-serv',
        async (free) => ['--port', String(free), ...args],
        env,
      );
      try {
        expect(await visit(port, how.ours)).to.include({ ...expected, version, hasCertificate: false });
      } finally {
        await close();
      }
    });
  });

  describe(`interop: ${version} with an external PSK, and node:tls`, () => {
    it('a client with pskCallback has its answer', async () => {
      const { accepted, errors } = await withOurs(how.ours, async ({ port }) => {
        const psk = Buffer.from(HEX, 'hex');
        const pskCallback = () => ({ psk, identity: NAME });
        const socket = connectTls({
          host: '127.0.0.1',
          port,
          ...how.node,
          pskCallback,
          checkServerIdentity: () => undefined,
        });
        let text = '';
        socket.setEncoding('latin1').on('data', (chunk: string) => {
          text += chunk;
        });
        socket.once('secureConnect', () => socket.write(REQUEST));
        await once(socket, 'close');
        expect(text).to.contain('page: psk-external');
      });
      expect(errors).to.deep.equal([]);
      expect(accepted[0]?.resumption).to.include(expected);
    });

    it('a server with pskCallback serves our client', async () => {
      const pskCallback = (_: TLSSocket, identity: string) => (identity === NAME ? Buffer.from(HEX, 'hex') : null);
      const server = createTlsServer({ ...how.node, pskCallback, pskIdentityHint: 'hint' }, (socket) => {
        socket.on('error', () => {}).end('page: served\n');
      });
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      try {
        const visited = await visit((server.address() as AddressInfo).port, how.ours);
        expect(visited).to.include({ ...expected, version, page: 'page: served\n' });
      } finally {
        server.close();
      }
    });
  });
}

describeWith(['openssl'], 'interop: an external PSK of SHA-384, and openssl', () => {
  const psk = { ...PSK, hash: 'sha384', secret: fromHex(HEX + HEX.slice(0, 32)) } as const;

  it('s_client -psk_session has its answer', () =>
    withPskSession(async (file) => {
      const { accepted } = await withOurs({ psks: [psk] }, async ({ port }) => {
        const args = [
          's_client',
          '-connect',
          `127.0.0.1:${port}`,
          '-psk_identity',
          NAME,
          '-psk_session',
          file,
          '-ign_eof',
        ];
        const { stdout } = await run('openssl', [...args, '-tls1_3'], { input: REQUEST });
        expect(stdout).to.contain('page: psk-external').and.to.contain('TLS_AES_256_GCM_SHA384');
      });
      expect(accepted[0]?.resumption).to.include({ resumed: false, mechanism: 'psk-external' });
    }));

  it('s_server -psk_session serves our client', () =>
    withPskSession(async (file) => {
      const flags = ['-nocert', '-psk_identity', NAME, '-psk_session', file, '-tls1_3'];
      const { port, close } = await startProgram('openssl', ['s_server', '-accept', '127.0.0.1:0', '-www', ...flags]);
      try {
        const visited = await visit(port, { psks: [psk] });
        expect(visited).to.include({ mechanism: 'psk-external', cipherSuite: 'TLS_AES_256_GCM_SHA384' });
      } finally {
        await close();
      }
    }));

  const early = { ...psk, earlyData: { maxSize: 1000, cipherSuite: 'TLS_AES_256_GCM_SHA384' } } as const;

  it('s_client -psk_session -early_data sends early data that is accepted', () =>
    withPskSession(async (file) => {
      const known = new Set<string>();
      const admit = ({ key }: EarlyDataAttempt) => known.size < known.add(toHex(key)).size;
      const earlyData = { maxSize: 1000, antiReplay: { keepsForever: true, admit } };
      const data = join(workFolder(), 'early-data');
      writeFileSync(data, REQUEST);
      const { accepted } = await withOurs({ psks: [early], earlyData }, async ({ port }) => {
        const where = ['s_client', '-connect', `127.0.0.1:${port}`, '-tls1_3', '-ign_eof'];
        const args = [...where, '-psk_identity', NAME, '-psk_session', file, '-early_data', data];
        const { stdout } = await run('openssl', args);
        expect(stdout).to.contain('page: psk-external').and.to.contain('Early data was accepted');
      });
      expect(accepted[0]?.verdicts[0]).to.include({ mechanism: 'psk-external', earlyData: 'accepted' });
    }, 1000));

  it('s_server -psk_session -early_data accepts what our client sends', () =>
    withPskSession(async (file) => {
      const flags = ['-nocert', '-psk_identity', NAME, '-psk_session', file, '-tls1_3', '-early_data'];
      const { port, close } = await startProgram('openssl', ['s_server', '-accept', '127.0.0.1:0', ...flags]);
      try {
        const socket = connect({ host: '127.0.0.1', port }, { psks: [early], earlyData: utf8(REQUEST) });
        await once(socket, 'secureConnect');
        expect(socket.earlyData).to.equal('accepted');
        socket.destroy();
      } finally {
        await close();
      }
    }, 1000));
});
