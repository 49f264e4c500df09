/** Our client at `openssl s_server` in more depth: suites, keys, exporter, key log, KeyUpdate, and what both print of them. */

import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import type { ClientOptions } from '../../src/engine/client/options.ts';
import { connect, type TlsClientSocket, verifyChain } from '../../src/node/index.ts';
import type { Session } from '../../src/sessions/session.ts';
import { certificates } from '../fixtures.ts';
import type { Version } from './clients.ts';
import { conversing, pairOf } from './conversation.ts';
import { clientOf, tour } from './our-client.ts';
import { describeWith, workFolder } from './peers.ts';
import { gnutls } from './real-servers.ts';
import { startProgram } from './reference-server.ts';

const VERSIONS: readonly Version[] = ['TLSv1.2', 'TLSv1.3'];

type Kind = 'ecdsa-p256' | 'ecdsa-p384' | 'ed25519' | 'rsa-2048';
const CERTIFICATES = {
  'ecdsa-p256': certificates.ecdsaP256,
  'ecdsa-p384': certificates.ecdsaP384,
  ed25519: certificates.ed25519,
  'rsa-2048': certificates.rsa2048,
} as const;

/** Twice at a server with a certificate of this kind. */
async function twice(kind: Kind, version: Version, options: ClientOptions, flags: readonly string[] = []) {
  const { port, close } = await startProgram('openssl', [
    ...['s_server', '-accept', '127.0.0.1:0', '-www', ...pairOf(kind), ...flags],
  ]);
  try {
    const verifyServer = verifyChain({ ca: CERTIFICATES[kind].cert });
    const { visits } = await tour([port, port], clientOf(version, { verifyServer, ...options }));
    return visits;
  } finally {
    await close();
  }
}

/** IANA's name, OpenSSL's, and whose key it takes. */
const SUITES: readonly (readonly [string, string, Kind, Version])[] = [
  ['TLS_AES_128_GCM_SHA256', 'TLS_AES_128_GCM_SHA256', 'ecdsa-p256', 'TLSv1.3'],
  ['TLS_AES_256_GCM_SHA384', 'TLS_AES_256_GCM_SHA384', 'ecdsa-p256', 'TLSv1.3'],
  ['TLS_CHACHA20_POLY1305_SHA256', 'TLS_CHACHA20_POLY1305_SHA256', 'ecdsa-p256', 'TLSv1.3'],
  ['TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256', 'ECDHE-ECDSA-AES128-GCM-SHA256', 'ecdsa-p256', 'TLSv1.2'],
  ['TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384', 'ECDHE-ECDSA-AES256-GCM-SHA384', 'ecdsa-p256', 'TLSv1.2'],
  ['TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256', 'ECDHE-ECDSA-CHACHA20-POLY1305', 'ecdsa-p256', 'TLSv1.2'],
  ['TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256', 'ECDHE-RSA-AES128-GCM-SHA256', 'rsa-2048', 'TLSv1.2'],
  ['TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384', 'ECDHE-RSA-AES256-GCM-SHA384', 'rsa-2048', 'TLSv1.2'],
  ['TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256', 'ECDHE-RSA-CHACHA20-POLY1305', 'rsa-2048', 'TLSv1.2'],
];

describeWith(['openssl'], 'interop: our client and openssl s_server', () => {
  for (const [suite, theirs, kind, version] of SUITES)
    it(`${suite}: full, then resumed`, async () => {
      const visits = await twice(kind, version, { ciphers: [suite] });
      expect(visits.map(({ cipherSuite }) => cipherSuite)).to.deep.equal([suite, suite]);
      expect(visits.map(({ resumed }) => resumed)).to.deep.equal([false, true]);
      for (const [i, how] of ['New', 'Reused'].entries())
        expect(visits[i]?.page).to.contain(`${how}, ${version}, Cipher is ${theirs}\n`);
    });

  for (const group of ['x25519', 'secp256r1', 'secp384r1'] as const)
    for (const version of VERSIONS)
      it(`${version}: ${group}`, async () => {
        const groups = [...new Set([group, 'secp256r1' as const])]; // RFC 8422 §5.1.1: that of the certificate, too
        const [full, resumed] = await twice('ecdsa-p256', version, { groups });
        expect(full?.group).to.equal(group);
        expect(resumed?.group).to.equal(version === 'TLSv1.3' ? group : undefined);
      });

  for (const kind of ['ecdsa-p384', 'ed25519', 'rsa-2048'] as const)
    for (const version of VERSIONS)
      it(`${version}: believes the signature of ${kind}`, async () => {
        const visits = await twice(kind, version, {});
        expect(visits.map(({ isSigned }) => isSigned)).to.deep.equal([true, false]);
        expect(visits.map(({ resumed }) => resumed)).to.deep.equal([false, true]);
      });

  for (const version of VERSIONS)
    it(`${version}: agrees on a length of records, and keeps to it when it resumes`, async () => {
      const visits = await twice('ecdsa-p256', version, { maxFragmentLength: 512 });
      expect(visits.map(({ resumed }) => resumed)).to.deep.equal([false, true]);
      for (const { page } of visits) expect(page.length).to.be.above(512);
    });
});

const LABEL = 'EXPORTER-interop';

async function lineFrom(socket: TlsClientSocket): Promise<string> {
  let text = '';
  while (!text.endsWith('\n')) {
    const [chunk] = await once(socket, 'data');
    text += chunk;
  }
  return text;
}

describeWith(['openssl'], 'interop: our client in conversation with openssl s_server', () => {
  for (const version of VERSIONS) {
    it(`${version}: exports the same keys, full and resumed, with the application protocol`, () => {
      return conversing(['-keymatexport', LABEL, '-keymatexportlen', '24', '-alpn', 'h2,x'], async (server) => {
        const port = await server.port();
        const config = clientOf(version, { alpn: ['y', 'x'] });
        for (const [i, isResumed] of [false, true].entries()) {
          const socket = connect({ host: '127.0.0.1', port }, { config, serverName: 'localhost' });
          await once(socket, version === 'TLSv1.3' ? 'session' : 'secureConnect'); // when it has what it resumes by
          const theirs = await server.says(/^ {4}Keying material: ([0-9A-F]+)$/gm, i + 1);
          expect(socket.exportKeyingMaterial(24, LABEL).toString('hex').toUpperCase()).to.equal(theirs);
          expect(socket.resumption.resumed).to.equal(isResumed);
          expect(await server.says(/^ALPN protocols selected: (.*)$/gm, i + 1)).to.equal('x');
          expect(socket.alpnProtocol).to.equal('x');
          if (isResumed) await server.says(/^(Reused session-id)$/gm);
          await once(socket.resume().end(), 'close');
        }
      });
    });

    it(`${version}: logs the same keys`, async () => {
      const file = join(workFolder(), `s-server-${version}.keys`);
      await conversing(['-keylogfile', file], async (server) => {
        const socket = connect({ host: '127.0.0.1', port: await server.port() }, { config: clientOf(version) });
        const lines: string[] = [];
        socket.on('keylog', (line: Buffer) => lines.push(`${line}`.trim()));
        await once(socket, 'secureConnect');
        socket.write('hello\n');
        await server.says(/^(hello)$/gm);
        const theirs = (await readFile(file, 'latin1')).split('\n').filter((line) => /^[A-Z]/.test(line));
        expect(lines.sort()).to.deep.equal(theirs.sort());
        expect(lines.length).to.equal(version === 'TLSv1.3' ? 5 : 1);
        socket.destroy();
      });
    });
  }

  it('TLSv1.3: changes keys both ways, asked and unasked, and resumes afterwards', () => {
    return conversing([], async (server) => {
      const port = await server.port();
      const sessions: Session[] = [];
      const open = async (): Promise<TlsClientSocket> => {
        const options = { config: clientOf('TLSv1.3', { verifyServer: 'any' }), sessions, serverName: 'localhost' };
        const socket = connect({ host: '127.0.0.1', port }, options);
        socket.on('session', (session) => sessions.unshift(session.upRef()));
        await once(socket, 'secureConnect');
        return socket;
      };
      const socket = await open();
      const say = async (line: string): Promise<void> => {
        socket.write(`${line}\n`);
        await server.says(new RegExp(`^(${line})$`, 'gm'));
      };
      await say('before');
      await server.update('K', say);
      server.type('after theirs');
      expect(await lineFrom(socket)).to.equal('after theirs\n');
      await say('after ours');
      await server.update('k', say);
      server.type('after another');
      expect(await lineFrom(socket)).to.equal('after another\n');
      socket.updateKeys(true);
      await say('after our own');
      server.type('after their answer');
      expect(await lineFrom(socket)).to.equal('after their answer\n');
      await once(socket.resume().end(), 'close');
      const again = await open();
      expect(again.resumption.resumed).to.equal(true);
      again.destroy();
      for (const session of sessions) session.release();
    });
  });
});

describeWith(gnutls.programs, 'interop: our client and gnutls-serv', () => {
  async function twiceAt(version: Version, options: ClientOptions, priority = '') {
    const { port, close } = await gnutls.start({ keeps: 'tickets', priority });
    try {
      return await tour([port, port], clientOf(version, options));
    } finally {
      await close();
    }
  }

  for (const version of VERSIONS)
    it(`${version}: takes short records only (RFC 8449), full and resumed`, async () => {
      const { visits } = await twiceAt(version, { recordSizeLimit: 600 });
      expect(visits.map(({ resumed }) => resumed)).to.deep.equal([false, true]);
      for (const { page } of visits) expect(page.length).to.be.above(600);
    });

  it('TLSv1.2: offers no session without extended_master_secret (RFC 7627 §5.3)', async () => {
    const { visits, passages } = await twiceAt('TLSv1.2', {}, '%NO_SESSION_HASH');
    expect(visits.map(({ resumed }) => resumed)).to.deep.equal([false, false]);
    for (const { clientHellos, serverHello } of passages) {
      expect(clientHellos[0]?.extendedMasterSecret).to.equal(true);
      expect(serverHello?.extensions).to.not.include(23);
    }
  });
});
