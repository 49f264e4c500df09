/** The Node shell as a server: handshakes, events, HTTP, virtual hosts, listeners in the manner of node:tls. */

import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { type Agent, createServer as createHttpServer, get } from 'node:http';
import * as https from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { defineServer } from '../../src/engine/server/define-server.ts';
import { type Session, SessionCache } from '../../src/index.ts';
import { createServer, type NodeServerOptions, type TlsSocket } from '../../src/node/index.ts';
import { certificates } from '../fixtures.ts';
import { credentials, only, open, startServer, stopServers, VERSIONS, visit } from './support.ts';

afterEach(stopServers);

for (const version of VERSIONS) {
  describe(`the Node shell's server, ${version}`, () => {
    it('shakes hands, then resumes', async () => {
      const seen: TlsSocket[] = [];
      const { port } = await startServer({}, (socket) => {
        seen.push(socket);
        socket.end('bye');
      });
      const first = await visit({ port, ...only(version) });
      const second = await visit({ port, ...only(version), session: first.session });
      expect([first.isReused, first.text, first.protocol]).to.deep.equal([false, 'bye', version]);
      expect([second.isReused, second.text, second.protocol]).to.deep.equal([true, 'bye', version]);
      expect(seen.map((socket) => socket.isSessionReused())).to.deep.equal([false, true]);
      expect(seen.map((socket) => socket.resumption.mechanism)).to.deep.equal([
        undefined,
        version === 'TLSv1.3' ? 'psk-stateful' : 'session-id',
      ]);
    });

    it('tells what was negotiated under the names of node:tls', async () => {
      const { server, port } = await startServer({ alpn: ['http/1.1'] }, () => {});
      const [[socket], client] = await Promise.all([
        once(server, 'secureConnection') as Promise<[TlsSocket]>,
        open({ port, ...only(version), ALPNProtocols: ['x', 'http/1.1'], servername: 'localhost' }),
      ]);
      expect(socket.getProtocol()).to.equal(version);
      expect(socket.getCipher()).to.deep.equal(client.getCipher());
      expect(socket.alpnProtocol).to.equal('http/1.1');
      expect(socket.servername).to.equal('localhost');
      expect(socket.getEphemeralKeyInfo()).to.deep.equal(client.getEphemeralKeyInfo());
      const exported = client.exportKeyingMaterial(40, 'EXPORTER-test', Buffer.from('context'));
      expect(socket.exportKeyingMaterial(40, 'EXPORTER-test', Buffer.from('context')).equals(exported)).to.equal(true);
      expect(socket.remotePort).to.equal(client.localPort);
      expect([socket.encrypted, socket.authorized]).to.deep.equal([true, false]);
      client.end();
      socket.resume();
      await once(socket, 'close');
    });

    it('shows the certificate of the client, and again when it resumes', async () => {
      const seen: unknown[] = [];
      const { port } = await startServer(
        {
          clientAuth: { mode: 'request', verifyClient: async () => true },
          sessions: { idContext: Uint8Array.of(1) },
        },
        (socket) => {
          seen.push([socket.isSessionReused(), socket.authorized, socket.peerCertificate]);
          socket.end('bye');
        },
      );
      const { session } = await visit({ port, ...only(version), ...certificates.ed25519 });
      await visit({ port, ...only(version), session });
      await visit({ port, ...only(version) });
      const leaf = new Uint8Array(new X509Certificate(certificates.ed25519.cert).raw);
      expect(seen).to.deep.equal([
        [false, true, leaf],
        [true, true, leaf],
        [false, false, undefined],
      ]);
    });

    it('says false where nothing was negotiated', async () => {
      const { server, port } = await startServer();
      const [[socket]] = await Promise.all([
        once(server, 'secureConnection') as Promise<[TlsSocket]>,
        visit({ port, ...only(version), servername: '' }),
      ]);
      expect([socket.alpnProtocol, socket.servername]).to.deep.equal([false, false]);
    });

    it('serves HTTP: keep-alive, POST, a body in chunks', async () => {
      const web = createHttpServer((request, response) => {
        let length = 0;
        request.on('data', (chunk: Buffer) => {
          length += chunk.length;
        });
        request.on('end', () => {
          response.write(`${request.method} `);
          response.end(`${length}`);
        });
      });
      let connections = 0;
      const { port } = await startServer({}, (socket) => {
        connections++;
        web.emit('connection', socket);
      });
      const agent = new https.Agent({ keepAlive: true, maxSockets: 1, rejectUnauthorized: false, ...only(version) });
      expect(await request(port, agent)).to.equal('GET 0');
      expect(await request(port, agent, Buffer.alloc(300_000))).to.equal('POST 300000');
      expect(await request(port, agent)).to.equal('GET 0');
      expect(connections).to.equal(1);
      agent.destroy();
    });

    it('closes after "Connection: close"', async () => {
      const web = createHttpServer((_, response) => response.end('x'.repeat(200_000)));
      const { port } = await startServer({}, (socket) => void web.emit('connection', socket));
      const agent = new https.Agent({ keepAlive: false, rejectUnauthorized: false, ...only(version) });
      expect((await request(port, agent)).length).to.equal(200_000);
    });

    it('asks listeners of node:tls’s kind, with a store that takes its time', async () => {
      const store = new Map<string, Buffer>();
      const asked: string[] = [];
      const { server, port } = await startServer({ sessions: { cache: false } });
      server.on('newSession', (id, data, callback) => {
        store.set(id.toString('hex'), data);
        setTimeout(callback, 5);
      });
      server.on('resumeSession', (id, callback) => {
        asked.push(id.toString('hex'));
        setTimeout(() => callback(null, store.get(id.toString('hex')) ?? null), 10);
      });
      const first = await visit({ port, ...only(version) });
      expect(store.size).to.equal(version === 'TLSv1.3' ? 2 : 1);
      // The store hands out the same bytes each time.
      for (let i = 0; i < 3; i++) {
        expect((await visit({ port, ...only(version), session: first.session })).isReused).to.equal(true);
      }
      expect(asked.length).to.equal(3);
      store.clear();
      expect((await visit({ port, ...only(version), session: first.session })).isReused).to.equal(false);
    });

    it('hears listeners that are added by once and prependListener, and goes on when they are gone', async () => {
      const { server, port } = await startServer({ sessions: { cache: false } });
      const store = new Map<string, Buffer>();
      server.prependListener('newSession', (id, data, callback) => {
        store.set(id.toString('hex'), data);
        callback();
      });
      server.once('resumeSession', (id, callback) => callback(null, store.get(id.toString('hex'))));
      const { session } = await visit({ port, ...only(version) });
      expect((await visit({ port, ...only(version), session })).isReused).to.equal(true);
      expect((await visit({ port, ...only(version), session })).isReused).to.equal(false);
    });

    for (const [what, onResume] of [
      ['answers with an error', (_: Buffer, callback: (error: Error) => void) => callback(new Error('no store'))],
      ['throws', () => raise('no store')],
    ] as const) {
      it(`makes a full handshake where a 'resumeSession' listener ${what}`, async () => {
        const { server, port } = await startServer({ sessions: { cache: false } });
        const errors: unknown[] = [];
        server.on('newSession', (_id, _data, callback) => callback());
        server.on('resumeSession', onResume);
        server.on('callbackError', (error, { callback, socket }) => {
          errors.push([(error as Error).message, callback, socket.getProtocol()]);
        });
        const { session } = await visit({ port, ...only(version) });
        expect((await visit({ port, ...only(version), session })).isReused).to.equal(false);
        expect(errors).to.deep.equal([['no store', 'onGet', version]]);
      });
    }

    it('resumes one session on 100 connections at once', async () => {
      const store = new Map<string, Uint8Array>();
      const { port } = await startServer({
        sessions: {
          cache: false,
          lookupTimeoutMs: 15_000,
          onNew: (session) => void store.set(Buffer.from(session.id).toString('hex'), session.toDer()),
          onGet: async (id) => {
            await delay(1 + ((id[0] ?? 0) % 7));
            return store.get(Buffer.from(id).toString('hex'))?.slice();
          },
        },
      });
      const { session } = await visit({ port, ...only(version) });
      const all = await Promise.all(Array.from({ length: 100 }, () => visit({ port, ...only(version), session })));
      expect(all.filter((one) => one.isReused && one.text === 'bye').length).to.equal(100);
    });

    it('signs with RSA, for which it has to wait', async () => {
      const { port } = await startServer({ credentials: [certificates.rsa2048] });
      expect((await visit({ port, ...only(version) })).text).to.equal('bye');
    });

    for (const [how, later] of [
      ['at once', false],
      ['later', true],
    ] as const) {
      it(`serves virtual hosts that are chosen ${how}, each with its certificate`, async () => {
        const hosts = new Map([
          ['a.example', defineServer({ credentials: [certificates.aExample] })],
          ['b.example', defineServer({ credentials: [certificates.bExample] })],
        ]);
        const { port } = await startServer({
          onServerName: (name = '') => (later ? delay(2).then(() => hosts.get(name)) : hosts.get(name)),
        });
        for (const [servername, subject] of [
          ['a.example', 'a.example'],
          ['b.example', 'b.example'],
          ['other.example', 'localhost'],
        ] as const) {
          const client = await open({ port, ...only(version), servername });
          expect(client.getPeerCertificate().subjectaltname).to.contain(`DNS:${subject}`);
          client.end().resume();
          await once(client, 'close');
        }
      });
    }

    it('leaves a shared cache alone when it closes', async () => {
      const cache = new SessionCache();
      const one = await startServer({ sessions: { cache } });
      const { session } = await visit({ port: one.port, ...only(version) });
      await new Promise((resolve) => one.server.close(resolve));
      expect(cache.size).to.be.greaterThan(0);
      const two = await startServer({ sessions: { cache } });
      expect((await visit({ port: two.port, ...only(version), session })).isReused).to.equal(true);
    });

    it('has its sessions told: tlsEvent', async () => {
      const told: string[] = [];
      const { server, port } = await startServer({ sessions: { onNew: () => false } });
      server.on('tlsEvent', ({ type }) => told.push(type));
      const closed = new Promise((resolve) =>
        server.once('secureConnection', (socket) => socket.once('close', resolve)),
      );
      await visit({ port, ...only(version) });
      await closed;
      expect(told.filter((type) => type === 'session-refused').length).to.equal(version === 'TLSv1.3' ? 2 : 1);
      expect(told).to.include.members(['new-session', 'established', 'alert', 'end']);
      expect(told).not.to.include.members(['data', 'keylog']);
    });

    it('makes no lines of a key log that nobody listens for', async () => {
      const { server, port } = await startServer({}, () => {});
      const [[socket], client] = await Promise.all([
        once(server, 'secureConnection') as Promise<[TlsSocket]>,
        open({ port, ...only(version) }),
      ]);
      expect(socket.listenerCount('keylog')).to.equal(0);
      expect(socket.connection.wantsKeylog()).to.equal(false);
      socket.destroy();
      client.destroy();
    });

    it('emits the lines of the key log that the client has, too', async () => {
      const lines: string[] = [];
      const theirs: string[] = [];
      const { server, port } = await startServer();
      server.on('keylog', (line) => lines.push(line.toString()));
      const client = await open({ port, ...only(version) });
      client.on('keylog', (line: Buffer) => theirs.push(line.toString()));
      client.resume();
      await once(client, 'close');
      expect(lines.length).to.be.greaterThan(0);
      for (const line of lines) expect(line).to.match(/^[A-Z_0-9]+ [0-9a-f]{64} [0-9a-f]+\n$/);
    });
  });
}

it('names plain HTTP in tlsClientError, and says what to do', async () => {
  const { server, port } = await startServer();
  const failed = once(server, 'tlsClientError');
  const asked = get({ host: '127.0.0.1', port });
  asked.on('error', () => {}); // an alert is no answer by HTTP
  const [error] = await failed;
  expect((error as Error).message).to.equal(
    'unexpected_message: not TLS but plain HTTP: the URL must begin with https://',
  );
});

describe('the options of the Node shell', () => {
  const wrong = (options: unknown) => () => createServer(options as NodeServerOptions);

  it('do not pass over those of node:tls, and say what to write instead', () => {
    const names = { requestCert: 'clientAuth', ca: 'clientAuth.authorities', sessionIdContext: 'sessions.idContext' };
    for (const [name, instead] of Object.entries(names)) {
      const message = new RegExp(`^unknown option ${name}, which is one of node:tls; here: .*${instead}`);
      expect(wrong({ credentials, [name]: undefined })).to.throw(TypeError, message);
    }
  });

  it('are named where they are wrong', () => {
    expect(wrong({ credentials, sesions: {} })).to.throw(TypeError, 'sesions');
    expect(wrong({ credentials, sessions: { onGett: 1 } })).to.throw(TypeError, 'sessions.onGett');
    expect(wrong({ credentials, allowHalfOpen: 1 })).to.throw(TypeError, 'allowHalfOpen');
    expect(wrong({ credentials, handshakeTimeout: -1 })).to.throw(RangeError, 'handshakeTimeout');
    expect(wrong({ credentials, handshakeTimeout: 2 ** 31 })).to.throw(RangeError, 'handshakeTimeout');
    expect(wrong({ credentials, handshakeTimeout: '1' })).to.throw(TypeError, 'handshakeTimeout');
    expect(wrong({ credentials, ...certificates.ecdsaP256 })).to.throw(TypeError, 'credentials');
    expect(wrong({ cert: certificates.ecdsaP256.cert })).to.throw(TypeError, 'cert without its key; give key');
    expect(wrong({ key: certificates.ecdsaP256.key })).to.throw(TypeError, 'key without its cert; give cert');
    const { cert, key } = certificates.ecdsaP256;
    expect(wrong({ cert: [cert, cert], key })).to.throw(TypeError, '2 cert and 1 key; they go in pairs');
    expect(wrong({})).to.throw(TypeError, 'a certificate is wanted: cert and key');
    expect(wrong(() => {})).to.throw(TypeError, 'options: an object is wanted, with cert and key');
    expect(wrong({ cert: 1, key: 1 })).to.throw(TypeError, 'cert');
    expect(wrong({})).to.throw(TypeError, 'credentials');
    expect(wrong({ config: {} })).to.throw(TypeError, 'config');
    expect(wrong({ credentials, ticketkeys: 1 })).to.throw(
      TypeError,
      /^unknown option ticketkeys; .* keylog, cert, key, ti/,
    );
    expect(wrong({ config: defineServer({ credentials }), alpn: [] })).to.throw(TypeError, 'alpn');
    for (const nothing of [undefined, null, 'x']) expect(wrong(nothing)).to.throw(TypeError, 'options');
    expect(wrong({ ...certificates.ecdsaP256, key: certificates.ecdsaP384.key })).to.throw(TypeError, 'belong');
  });

  it('take cert and key as node:tls does: a string, a Buffer, several', async () => {
    const { ecdsaP256, rsa2048 } = certificates;
    const options = {
      cert: [Buffer.from(ecdsaP256.cert), rsa2048.cert],
      key: [ecdsaP256.key, Buffer.from(rsa2048.key)],
    };
    const { port } = await startServer(options);
    const ciphers = 'ECDHE-RSA-AES128-GCM-SHA256';
    expect((await visit({ port, ...only('TLSv1.2'), ciphers })).text).to.equal('bye');
    expect((await visit({ port })).text).to.equal('bye');
  });

  it('may be a configuration that is ready, with options of the socket’s', async () => {
    const config = defineServer({ credentials });
    const { port } = await startServer({ config, allowHalfOpen: true }, (socket) => {
      expect(socket.allowHalfOpen).to.equal(true);
      socket.end('bye');
    });
    expect((await visit({ port })).text).to.equal('bye');
    expect(createServer(config).config).to.equal(config);
  });

  it('do not go together with listeners that mean the same', () => {
    const onNew = (_: Session) => {};
    expect(() => createServer({ credentials, sessions: { onNew } }).on('newSession', () => {})).to.throw('onNew');
    expect(() => createServer(defineServer({ credentials })).once('newSession', () => {})).to.throw('newSession');
  });
});

function request(port: number, agent: Agent, body?: Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { port, host: '127.0.0.1', agent, method: body === undefined ? 'GET' : 'POST' };
    const outgoing = https.request(options, (response) => {
      let text = '';
      response.setEncoding('latin1').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve(text));
    });
    outgoing.on('error', reject).end(body);
  });
}

function raise(message: string): never {
  throw new Error(message);
}
