/** Early data in the Node shell: held back until the handshake is complete, or the application asks for it. */

import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { expect } from 'chai';
import { defineClient, type Session } from '../../src/client.ts';
import { singleUse } from '../../src/index.ts';
import { connect, createServer, type NodeServerOptions, type Server, type TlsSocket } from '../../src/node/index.ts';
import { faults } from '../../src/testing.ts';
import { ascii, toHex } from '../../src/wire/bytes.ts';
import { certificates } from '../fixtures.ts';
import { uncaughtIn } from '../support/rejections.ts';
import { listen, stopServers, textOf, until } from './support.ts';

const client = defineClient({ verifyServer: 'any' });

afterEach(stopServers);

function serve(options: Partial<NodeServerOptions> = {}): Server {
  return createServer({
    credentials: [certificates.ecdsaP256],
    earlyData: { maxSize: 2 ** 20, antiReplay: singleUse() },
    ...options,
  });
}

/** A session of the server's, which allows early data. */
async function sessionOf(port: number): Promise<Session> {
  const socket = connect({ host: '127.0.0.1', port }, { config: client, sessions: [] });
  const [session] = await once(socket, 'session');
  const held = session.upRef();
  socket.destroy();
  return held;
}

/** Comes back with early data. */
async function comeBack(port: number, earlyData: Uint8Array | true, more = {}) {
  return connect(
    { host: '127.0.0.1', port },
    { config: client, sessions: [await sessionOf(port)], earlyData, ...more },
  );
}

describe('early data in the Node shell', () => {
  it('is held back until the handshake is complete', async () => {
    const server = serve();
    const told: string[] = [];
    server.on('earlyData', (socket) => {
      socket.on('data', (data) => told.push(`${socket.connection.isEstablished} ${data}`));
      told.push(`${socket.earlyData} ${socket.readableLength}`);
    });
    server.on('secureConnection', (socket) => {
      told.push('secure');
      socket.end('bye');
    });
    const port = await listen(server);
    const socket = await comeBack(port, ascii('hello'));
    expect(await textOf(socket)).to.equal('bye');
    expect(socket.earlyData).to.equal('accepted');
    expect(told.filter((word) => !word.startsWith('secure'))).to.deep.equal(['accepted 0', 'true hello']);
  });

  it('is given to who asks for it, before the handshake is complete, and can be answered', async () => {
    const server = serve();
    const states: boolean[] = [];
    server.on('earlyData', (socket) => {
      socket.readEarlyData().once('data', (data) => {
        states.push(socket.connection.isEstablished);
        socket.write(`echo ${data}`);
      });
    });
    server.on('secureConnection', (socket) => socket.readsEarlyData && socket.end());
    const port = await listen(server);
    // The client's Finished is withheld until the answer is there: only what was written before it can be that.
    const socket = await comeBack(port, ascii('hello'));
    expect(await textOf(socket)).to.equal('echo hello');
    expect(states).to.deep.equal([false]);
  });

  it('may be answered at once by more than a key may protect: the rest waits for the next one', async () => {
    const server = serve({ limits: { recordsPerKey: 4 } });
    server.on('earlyData', (socket) => socket.readEarlyData().write('a'.repeat(200_000)));
    server.on('secureConnection', (socket) => socket.readsEarlyData && socket.end());
    const port = await listen(server);
    const socket = await comeBack(port, ascii('hello'));
    expect(await textOf(socket)).to.equal('a'.repeat(200_000));
  });

  for (const reads of [false, true])
    it(`of a mebibyte comes whole, ${reads ? 'read at once' : 'held back'}, though nobody reads it for a while`, async () => {
      const server = serve();
      const sockets: TlsSocket[] = [];
      if (reads) server.on('earlyData', (socket) => socket.readEarlyData());
      server.on('secureConnection', (socket) => sockets.push(socket.on('error', () => {})));
      const port = await listen(server);
      const sent = new Uint8Array(2 ** 20).fill(7);
      const socket = await comeBack(port, sent);
      await once(socket, 'secureConnect');
      await until(() => sockets.length > 1);
      const [, last] = sockets;
      let length = 0;
      last?.on('data', (data) => {
        length += data.length;
        if (length === sent.length) last.end();
      });
      socket.resume();
      await once(socket, 'end');
      expect(length).to.equal(sent.length);
      socket.destroy();
    });

  for (const reads of [false, true])
    it(`of thousands of records of a byte is held as bytes, ${reads ? 'where nobody reads' : 'until the handshake is complete'}`, async () => {
      const server = serve();
      const pieces: number[] = [];
      const sockets: TlsSocket[] = [];
      server.on('earlyData', (socket) => {
        sockets.push(socket.on('error', () => {}));
        if (reads) socket.readEarlyData();
        else socket.on('data', ({ length }) => pieces.push(length));
      });
      const port = await listen(server);
      const sent = new Uint8Array(2 ** 17);
      const socket = await comeBack(port, sent, { faults: [faults.split('application_data', 8, 'each')] });
      await once(socket, 'secureConnect');
      await until(() => sockets.length > 0 && sockets[0]?.connection.isEstablished === true);
      const [last] = sockets;
      if (reads) last?.on('data', ({ length }) => pieces.push(length));
      await until(() => pieces.reduce((sum, length) => sum + length, 0) === sent.length);
      expect(pieces.length).to.be.below(reads ? 2 ** 14 : 2);
      socket.destroy();
    });

  it('comes behind secureConnection, which a listener that throws does not prevent', async () => {
    const server = serve();
    const told: string[] = [];
    server.on('earlyData', (socket) =>
      socket.on('data', (data) => {
        told.push(String(data));
        throw new Error('of the listener');
      }),
    );
    server.on('secureConnection', (socket) => {
      told.push('secure');
      socket.end();
    });
    const port = await listen(server);
    const session = await sessionOf(port);
    await until(() => told.length > 0);
    told.length = 0;
    const thrown = await uncaughtIn(async () => {
      const target = { host: '127.0.0.1', port };
      const socket = connect(target, { config: client, sessions: [session], earlyData: ascii('hello') });
      await textOf(socket);
      await until(() => told.length > 1);
    });
    expect(told).to.deep.equal(['secure', 'hello']);
    expect(thrown.map(({ message }) => message)).to.deep.equal(['of the listener']);
  });

  it('is nobody’s if the handshake fails', async () => {
    const server = serve();
    const told: string[] = [];
    server.on('earlyData', (socket) => void socket.on('data', (data) => told.push(String(data))));
    const port = await listen(server);
    const failed = once(server, 'tlsClientError');
    const socket = await comeBack(port, ascii('hello'), { faults: [faults.raw('finished', (raw) => raw.fill(0, 4))] });
    socket.on('error', () => {});
    expect(toHex((await failed)[0].alert ?? '')).to.be.a('string');
    expect(told).to.deep.equal([]);
    socket.destroy();
  });

  it('reaches an HTTP server, which answers 425 to what may not come twice', async () => {
    const http = createHttpServer((request, response) => {
      const { connection } = request.socket as unknown as TlsSocket;
      if (!connection.isEstablished && request.method !== 'GET') response.writeHead(425).end();
      else response.end(`early ${!connection.isEstablished}`);
    });
    const server = serve();
    server.on('earlyData', (socket) => http.emit('connection', socket.readEarlyData()));
    server.on('secureConnection', (socket) => !socket.readsEarlyData && http.emit('connection', socket));
    const port = await listen(server);
    const get = await comeBack(port, ascii('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'));
    expect(await textOf(get)).to.match(/^HTTP\/1.1 200 [\s\S]*early true/);
    const post = await comeBack(
      port,
      ascii('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'),
    );
    expect(await textOf(post)).to.match(/^HTTP\/1.1 425 Too Early/);
  });

  it('is not sent again by the client, and can be sent by hand', async () => {
    const server = serve({ earlyData: { maxSize: 100, antiReplay: { admit: () => false } } });
    server.on('secureConnection', (socket) => socket.once('data', (data) => socket.end(`echo ${data}`)));
    const port = await listen(server);
    const socket = await comeBack(port, ascii('early'));
    await once(socket, 'secureConnect');
    expect(socket.earlyData).to.equal('rejected');
    socket.write('late');
    expect(await textOf(socket)).to.equal('echo late');
  });
});
