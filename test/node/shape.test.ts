/** What a socket has of node:tls's and node:net's, name by name. */

import { once } from 'node:events';
import { connect as connectPlain, Socket } from 'node:net';
import { createServer as createNodeServer, TLSSocket } from 'node:tls';
import { expect } from 'chai';
import { accept, createServer, TlsClientSocket, TlsSocket } from '../../src/node/index.ts';
import { certificates } from '../fixtures.ts';
import { ScriptedClient } from '../support/scripted-client.ts';
import { credentials, listen, memoryPair, only, open, startServer, stopServers, until, VERSIONS } from './support.ts';

afterEach(stopServers);

/** The table in docs/node-tls.md says what to use instead. Some versions of Node lack some. */
const ABSENT = [
  'connect',
  'disableRenegotiation',
  'enableTrace',
  'getCertificate',
  'getFinished',
  'getPeerCertificate',
  'getPeerFinished',
  'getPeerX509Certificate',
  'getSession',
  'getSharedSigalgs',
  'getTLSTicket',
  'getTypeOfService',
  'getX509Certificate',
  'renegotiate',
  'setKeyCert',
  'setMaxSendFragment',
  'setServername',
  'setSession',
  'setTypeOfService',
];

function namesOf(prototype: object): string[] {
  return Object.getOwnPropertyNames(prototype).filter((name) => !name.startsWith('_'));
}

describe('a socket of the Node shell', () => {
  it('has every property and method of those of node:tls and node:net but for a known few', () => {
    const names = new Set([TLSSocket.prototype, Socket.prototype].flatMap(namesOf));
    for (const { prototype } of [TlsSocket, TlsClientSocket]) {
      const missing = [...names].filter((name) => !(name in prototype)).sort();
      expect(missing.filter((name) => !ABSENT.includes(name))).to.deep.equal([]);
      expect(ABSENT.filter((name) => name in prototype)).to.deep.equal([]);
    }
  });

  it('hands to the TCP socket what is for that, and does nothing over another transport', () => {
    const told: unknown[] = [];
    const tcp = new Socket();
    for (const name of ['setNoDelay', 'setKeepAlive', 'ref', 'unref'] as const)
      tcp[name] = (...words: unknown[]) => {
        told.push([name, ...words]);
        return tcp;
      };
    for (const transport of [tcp, memoryPair()[0]]) {
      const socket = accept(transport, { credentials });
      told.push('accepted');
      expect(socket.setNoDelay(true).setKeepAlive(true, 5).ref().unref()).to.equal(socket);
      socket.destroy();
    }
    const expected = [['setNoDelay', true], ['setKeepAlive', true, 5], ['ref'], ['unref']];
    expect(told.slice(told.indexOf('accepted'))).to.deep.equal(['accepted', ...expected, 'accepted']);
  });

  it('has a readyState, pending and bufferSize as those of node:tls, open, half-closed and closed', async () => {
    const seen: Record<string, unknown[]> = {};
    for (const [kind, server] of [
      ['node:tls', createNodeServer({ ...certificates.ecdsaP256, allowHalfOpen: true })],
      ['ours', createServer({ credentials, allowHalfOpen: true })],
    ] as const) {
      const states: unknown[] = [];
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      const address = server.address();
      const port = typeof address === 'object' ? address?.port : undefined;
      const [[socket], client] = await Promise.all([once(server, 'secureConnection'), open({ port: port ?? 0 })]);
      const look = () => states.push([socket.readyState, socket.pending, socket.bufferSize, socket.connecting]);
      look();
      states.push(socket.localFamily, socket.remoteFamily);
      socket.resume();
      client.end();
      await once(socket, 'end');
      look();
      socket.end();
      look();
      await once(socket, 'close');
      look();
      await new Promise((resolve) => server.close(resolve));
      seen[kind] = states;
    }
    expect(seen['ours']).to.deep.equal(seen['node:tls']);
  });

  it('says readOnly once its own direction has ended', async () => {
    const { server, port } = await startServer({}, (socket) => socket.end());
    const [[socket], client] = await Promise.all([
      once(server, 'secureConnection'),
      open({ port, ...{ allowHalfOpen: true } }),
    ]);
    expect(socket.readyState).to.equal('readOnly');
    socket.resume();
    client.resume().end();
    await once(socket, 'close');
  });

  it('closes by a reset with resetAndDestroy(), which a peer sees and a second one does not', async () => {
    const server = createServer({ credentials }, (socket) => {
      expect(socket.resetAndDestroy()).to.equal(socket);
      socket.resetAndDestroy();
    });
    const port = await listen(server);
    const transport = connectPlain(port, '127.0.0.1');
    const client = new ScriptedClient({});
    transport.on('data', (bytes: Uint8Array) => {
      client.receive(bytes);
      transport.write(client.take());
    });
    transport.write(client.take());
    const [error] = await once(transport, 'error');
    expect(error.code).to.equal('ECONNRESET');
  });

  it('destroys a transport that is no socket with resetAndDestroy()', async () => {
    const [left] = memoryPair();
    const socket = accept(left, { credentials });
    socket.resetAndDestroy();
    const [hadError] = await once(socket, 'close');
    expect([hadError, left.destroyed]).to.deep.equal([false, true]);
  });

  it('destroys a transport that Node cannot reset, such as TLS itself', async () => {
    const outer = createNodeServer(certificates.ecdsaP256, (transport) => {
      accept(transport, { credentials }).resetAndDestroy();
    });
    outer.listen(0, '127.0.0.1');
    await once(outer, 'listening');
    const address = outer.address();
    const client = await open({ port: typeof address === 'object' ? (address?.port ?? 0) : 0 });
    client.on('error', () => {}).resume();
    await new Promise((resolve) => outer.close(resolve));
  });

  it('says false of hadError where it has just ended, and true behind an error, once each', async () => {
    for (const [end, expected] of [
      [(socket: TlsSocket) => socket.resume().end(), [false]],
      [(socket: TlsSocket) => socket.destroy(), [false]],
      [(socket: TlsSocket) => socket.destroy(new Error('x')), ['error', true]],
    ] as const) {
      const heard: unknown[] = [];
      const { server, port } = await startServer({}, (socket) => {
        socket.on('error', () => heard.push('error')).on('close', (hadError) => heard.push(hadError));
        end(socket);
      });
      const client = await open({ port });
      client.on('error', () => {}).resume();
      await until(() => typeof heard.at(-1) === 'boolean');
      expect(heard).to.deep.equal(expected);
      client.destroy();
      server.close();
    }
  });

  for (const version of VERSIONS) {
    it(`replaces its key with updateKeys(), and asks for the peer's, ${version}`, async () => {
      const { server, port } = await startServer({}, () => {});
      const [[socket], client] = await Promise.all([
        once(server, 'secureConnection'),
        open({ port, ...only(version) }),
      ]);
      if (version === 'TLSv1.2') expect(() => socket.updateKeys()).to.throw('updateKeys() is for TLS 1.3');
      else {
        socket.updateKeys();
        socket.updateKeys(true);
      }
      socket.end('under the new key');
      client.end('and so is this');
      const [[text], [answer]] = await Promise.all([once(client, 'data'), once(socket, 'data')]);
      expect([String(text), String(answer)]).to.deep.equal(['under the new key', 'and so is this']);
    });
  }
});
