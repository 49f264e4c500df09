import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { connect as connectHttp2, createSecureServer as createHttp2Server } from 'node:http2';
import { Agent, createServer as createHttpsServer, request } from 'node:https';
import {
  type AddressInfo,
  connect as connectPlain,
  createServer as createPlainServer,
  type Server,
  Socket,
} from 'node:net';
import type { Readable } from 'node:stream';
import {
  type ConnectionOptions,
  connect as connectByNode,
  createServer as createNodeServer,
  type TLSSocket,
  type TlsOptions,
} from 'node:tls';
import { expect } from 'chai';
import { defineClient } from '../../src/engine/client/define-client.ts';
import {
  accept,
  type ConnectTarget,
  connect,
  type NodeClientOptions,
  type TlsClientSocket,
  type TlsSocket,
  unwrapNodeSession,
  verifyChain,
  wrapNodeSession,
} from '../../src/node/index.ts';
import { Session } from '../../src/sessions/session.ts';
import { faults } from '../../src/testing.ts';
import { TlsAlert } from '../../src/wire/alert.ts';
import { certificates, fixture, fixturePath } from '../fixtures.ts';
import { describeWith } from '../interop/peers.ts';
import { type RunningServer, startNodeServer, startOpensslServer, startProgram } from '../interop/reference-server.ts';
import { memoryPair, settled, startServer, stopServers, textOf, until, VERSIONS } from './support.ts';

const ca = certificates.ecdsaP256.cert;
const clientCa = fixture('certificates/client-ca.cert.pem');
const clientPair = {
  cert: fixture('certificates/client-ecdsa-p256.cert.pem'),
  key: fixture('certificates/client-ecdsa-p256.key.pem'),
};

const closing: (() => Promise<unknown> | unknown)[] = [];

afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()));
  await stopServers();
});

/** For servers that others start. */
async function running(server: Promise<RunningServer>): Promise<number> {
  const { port, close } = await server;
  closing.push(close);
  return port;
}

async function listening(server: Server): Promise<number> {
  const open = new Set<Socket>();
  server.on('connection', (socket) => open.add(socket));
  closing.push(() => {
    for (const socket of open) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function nodeServer(options: TlsOptions, onConnection: (socket: TLSSocket) => void): Promise<number> {
  return listening(createNodeServer({ ...certificates.ecdsaP256, ...options }, onConnection));
}

interface Visit {
  readonly resumed: boolean;
  readonly mechanism: string | undefined;
  readonly text: string;
  /** The last that the server has handed out. The caller has a hold. */
  readonly session: Session | undefined;
}

const GET = 'GET / HTTP/1.0\r\n\r\n';

/** Connects, asks for a page, and reads to the end. */
async function visit(port: number, options: Parameters<typeof connect>[1], target: ConnectTarget = {}): Promise<Visit> {
  const socket = connect({ host: 'localhost', family: 4, port, ...target }, options);
  let session: Session | undefined;
  socket.on('session', (given) => {
    session?.release();
    session = given.upRef();
  });
  await once(socket, 'secureConnect');
  const { resumed, mechanism } = socket.resumption;
  socket.write(GET);
  const text = await textOf(socket);
  if (!socket.closed) await once(socket, 'close');
  return { resumed, mechanism, text, session };
}

/** The same with a client of node:tls. */
async function visitByNode(options: ConnectionOptions): Promise<{ text: string; session: Buffer | undefined }> {
  const socket = connectByNode({ host: '127.0.0.1', ...options });
  let session: Buffer | undefined;
  socket.on('session', (given: Buffer) => {
    session = given;
  });
  await once(socket, 'secureConnect');
  socket.write(GET);
  return { text: await textOf(socket), session };
}

/** OpenSSL's servers take the first, and resume no session of TLS 1.3 that was made under another hash. */
const SUITES_OF_NODE = [
  'TLS_AES_256_GCM_SHA384',
  'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384',
  'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256',
];

function errorOf(socket: TlsClientSocket): Promise<Error> {
  return once(socket, 'error').then(([error]) => error as Error);
}

async function failure(port: number, options: NodeClientOptions, target: ConnectTarget = {}): Promise<string> {
  const { message } = await errorOf(connect({ host: 'localhost', family: 4, port, ...target }, options));
  return message;
}

describe('connect: full, then resumed', () => {
  for (const version of VERSIONS) {
    const only = { ca, minVersion: version, maxVersion: version };

    const twice = async (port: number, mechanism: string): Promise<void> => {
      const first = await visit(port, only);
      expect(first.resumed).to.equal(false);
      expect(first.session?.version).to.equal(version);
      expect(first.text).to.contain('full');
      const second = await visit(port, { ...only, sessions: [first.session as Session] });
      expect(second.mechanism).to.equal(version === 'TLSv1.3' ? 'psk' : mechanism);
      expect(second.text).to.contain('resumed');
    };

    for (const tickets of [true, false]) {
      const how = tickets ? 'tickets' : 'ids';
      it(`${version} with ${how} at our server`, async () => {
        const { port } = await startServer(tickets ? { tickets: { mode: 'stateless' } } : {}, (socket) => {
          socket.once('data', () => socket.end(socket.isSessionReused() ? 'resumed' : 'full'));
        });
        await twice(port, tickets ? 'ticket' : 'session-id');
      });

      if (tickets || version === 'TLSv1.2')
        it(`${version} with ${how} at node:tls`, async () =>
          twice(
            await running(startNodeServer(certificates.ecdsaP256, { tickets })),
            tickets ? 'ticket' : 'session-id',
          ));
    }
  }
});

describe('connect: sessions of node:tls', () => {
  for (const version of VERSIONS) {
    const versions = { minVersion: version, maxVersion: version };

    it(`${version}: each client resumes those of the other`, async () => {
      const port = await running(startNodeServer(certificates.ecdsaP256, { tickets: true }));
      const theirs = await visitByNode({ port, ca, servername: 'localhost', ...versions });
      expect(theirs.text).to.contain('full');
      const { der, host } = unwrapNodeSession(theirs.session ?? new Uint8Array());
      const session = Session.fromDer(der);
      const ours = await visit(port, {
        ca,
        ...versions,
        ciphers: SUITES_OF_NODE,
        sessions: [session],
        sessionIsTrusted: true,
      });
      expect(ours.text).to.contain('resumed');
      const ourDer = (ours.session ?? session).toDer();
      const given = host === undefined ? Buffer.from(ourDer) : wrapNodeSession(ourDer, host); // as this Node has it
      const again = await visitByNode({ port, ca, servername: 'localhost', ...versions, session: given });
      expect(again.text).to.contain('resumed');
    });
  }
});

describeWith(['openssl'], 'connect: openssl s_server', () => {
  for (const version of VERSIONS) {
    const only = { ca, minVersion: version, maxVersion: version };

    for (const tickets of [true, false])
      it(`${version} with ${tickets ? 'tickets' : 'ids'}: full, then resumed`, async () => {
        const port = await running(startOpensslServer('ecdsa-p256', { tickets }));
        const first = await visit(port, only);
        expect(first.text).to.match(/^New, TLSv1/m);
        const second = await visit(port, { ...only, sessions: [first.session as Session] });
        expect(second.text).to.match(/^Reused, TLSv1/m);
        expect(second.resumed).to.equal(true);
      });

    it(`${version}: shows the client's certificate`, async () => {
      const pair = ['-cert', fixturePath('certificates/ecdsa-p256.cert.pem')];
      const key = ['-key', fixturePath('certificates/ecdsa-p256.key.pem')];
      const auth = ['-Verify', '1', '-verify_return_error', '-CAfile', fixturePath('certificates/client-ca.cert.pem')];
      const args = ['s_server', '-accept', '127.0.0.1:0', '-www', ...pair, ...key, ...auth];
      const port = await running(startProgram('openssl', args));
      expect((await visit(port, { ...only, ...clientPair })).text).to.match(/^New, TLSv1/m);
      const socket = connect({ host: 'localhost', family: 4, port }, only);
      socket.on('secureConnect', () => socket.write(GET)).resume();
      const alert = (await errorOf(socket)) as TlsAlert;
      expect(alert).to.be.instanceOf(TlsAlert);
      expect(alert.origin).to.equal('remote');
    });
  }
});

describe('connect: certificates of clients', () => {
  for (const version of VERSIONS) {
    it(`${version}: are judged by verifyChain() at our server, and by node:tls`, async () => {
      const { port } = await startServer(
        {
          clientAuth: { mode: 'require', verifyClient: verifyChain({ ca: clientCa, purpose: 'client' }) },
          sessions: { idContext: new Uint8Array([1]) },
        },
        (socket) => socket.end(`authorized: ${socket.authorized}`),
      );
      const only = { ca, minVersion: version, maxVersion: version };
      expect((await visit(port, { ...only, ...clientPair })).text).to.equal('authorized: true');
      expect((await visit(port, { ...only, credential: clientPair })).text).to.equal('authorized: true');
      const options = { requestCert: true, ca: clientCa };
      const other = await nodeServer(options, (socket) => socket.end(`authorized: ${socket.authorized}`));
      expect((await visit(other, { ...only, ...clientPair })).text).to.equal('authorized: true');
    });
  }

  it('of others are refused', async () => {
    const { port, server } = await startServer({
      clientAuth: { mode: 'require', verifyClient: verifyChain({ ca: clientCa, purpose: 'client' }) },
      sessions: { idContext: new Uint8Array([1]) },
    });
    const refused = once(server, 'tlsClientError');
    expect(await failure(port, { ca, credential: certificates.ed25519 })).to.match(/unsupported_certificate/);
    expect((await refused)[0].message).to.contain('is not for TLS clients');
  });
});

describe('connect: trust', () => {
  it('is by ca, for the name of the host or its address, or the serverName', async () => {
    const names: (string | false)[] = [];
    const { port } = await startServer({}, (socket) => {
      names.push(socket.servername);
      socket.end('bye');
    });
    expect((await visit(port, { ca })).text).to.equal('bye');
    expect((await visit(port, { ca }, { host: '127.0.0.1' })).text).to.equal('bye');
    expect((await visit(port, { ca, serverName: 'localhost' }, { host: '127.0.0.1' })).text).to.equal('bye');
    expect((await visit(port, { ca }, { host: '127.0.0.1', servername: 'localhost' })).text).to.equal('bye');
    expect(names).to.deep.equal(['localhost', false, 'localhost', 'localhost']);
    expect(await failure(port, { ca, serverName: 'a.example' })).to.match(
      /^bad_certificate: the certificate is not for a.example: it is for localhost, 127.0.0.1, ::1$/,
    );
  });

  it('takes the host for a name in one spelling', () => {
    const nameOf = (host: string) => {
      const socket = connect({ host, port: 1 }, { ca });
      socket.on('error', () => {}).destroy();
      return socket.servername;
    };
    expect(nameOf('LocalHost.')).to.equal('localhost');
    expect(nameOf('bücher.localhost')).to.equal('xn--bcher-kva.localhost');
    expect(nameOf('::1')).to.equal('::1');
  });

  it('of a stranger is refused, and the server is told', async () => {
    const { port, server } = await startServer();
    const told = once(server, 'tlsClientError');
    expect(await failure(port, { ca: certificates.aExample.cert })).to.match(/^unknown_ca: .*add it to ca or to pins/);
    expect((await told)[0].message).to.match(/^unknown_ca/);
  });

  it('goes by the clock of the world', async () => {
    const { port } = await startServer();
    const { systemWorld } = await import('../../src/world.ts');
    const world = { ...systemWorld, now: () => Date.UTC(2001, 0) };
    expect(await failure(port, { ca, world })).to.match(/^certificate_expired/);
  });

  it('shows in authorized: not with the word any', async () => {
    const { port } = await startServer();
    const seen: boolean[] = [];
    for (const trust of [{ ca }, { verifyServer: () => true }, { verifyServer: 'any' as const }]) {
      const socket = connect({ host: 'localhost', family: 4, port }, trust);
      await once(socket.resume(), 'secureConnect');
      seen.push(socket.authorized);
      expect(socket.peerCertificateChain?.[0]).to.deep.equal(socket.peerCertificate);
      await once(socket, 'close');
    }
    expect(seen).to.deep.equal([true, true, false]);
  });

  it('may be that of a configuration, which connections share', async () => {
    const { port } = await startServer();
    const config = defineClient({ verifyServer: verifyChain({ ca }) });
    expect((await visit(port, config)).text).to.equal('bye');
    expect((await visit(port, { config, serverName: 'localhost' })).text).to.equal('bye');
    expect((await visit(port, { config }, { host: '127.0.0.1' })).text).to.equal('bye');
  });
});

describe('connect: sessions', () => {
  const serving = () =>
    startServer({}, (socket) => {
      socket.once('data', () => socket.end(socket.isSessionReused() ? 'resumed' : 'full'));
    });

  it('are offered where the same authorities or pins judge, and refused where others do', async () => {
    const { port } = await serving();
    const { session } = await visit(port, { ca });
    const sessions = [session as Session];
    expect((await visit(port, { ca: Buffer.from(ca), sessions })).text).to.equal('resumed');
    expect(() => connect({ port }, { ca: certificates.aExample.cert, sessions })).to.throw(
      TypeError,
      'sessionIsTrusted',
    );
    expect(() => connect({ port }, { ca, pins: ['00'.repeat(32)], sessions })).to.throw(TypeError, 'sessionIsTrusted');
    expect(() => connect({ port, host: '127.0.0.1' }, { ca, sessions })).to.throw(TypeError, 'it is for localhost');
    const judge = () => true;
    const own = await visit(port, { verifyServer: judge });
    expect((await visit(port, { verifyServer: judge, sessions: [own.session as Session] })).text).to.equal('resumed');
    expect(() => connect({ port }, { verifyServer: () => true, sessions: [own.session as Session] })).to.throw(
      TypeError,
      'sessionIsTrusted',
    );
  });

  it('are kept by a configuration, and offered to the same host and port', async () => {
    const [one, other] = [await serving(), await serving()];
    const config = defineClient({ verifyServer: verifyChain({ ca }) });
    expect((await visit(one.port, config)).text).to.equal('full');
    expect((await visit(one.port, config)).text).to.equal('resumed');
    expect((await visit(other.port, config)).text).to.equal('full');
    expect((await visit(one.port, { config, sessions: [] })).text).to.equal('full');
  });

  it('are alive for a listener, also if the connection fails at once, and told to nobody after destroy()', async () => {
    const serve = (timing: 'with-first-write' | 'after-finished') => {
      const [here, there] = memoryPair();
      const plaintext = faults.plaintext('application_data');
      const server = accept(there, { credentials: [certificates.ecdsaP256], tickets: { timing }, faults: [plaintext] });
      server.on('error', () => {});
      return { here, server };
    };
    const define = (onNew?: () => void) =>
      defineClient({ verifyServer: verifyChain({ ca }), sessions: { cache: false, onNew } });
    const failing = serve('with-first-write');
    const sessions: Session[] = [];
    const client = connect(failing.here, { config: define(), serverName: 'localhost' });
    client.on('session', (session) => sessions.push(session.upRef()));
    client.once('secureConnect', () => failing.server.write('in the clear'));
    const [error] = await once(client, 'error');
    expect(error).to.be.instanceOf(TlsAlert);
    expect(sessions.map(({ holds }) => holds)).to.deep.equal([1, 1]);

    const config = define(() => leaving.destroy());
    const leaving: TlsClientSocket = connect(serve('after-finished').here, { config, serverName: 'localhost' });
    leaving.on('session', () => expect.fail('after destroy()'));
    await once(leaving, 'close');
  });

  it('survive a restart in a store that takes its time', async () => {
    const { port } = await serving();
    const kept = new Map<string, readonly Uint8Array[]>();
    const store = {
      load: (key: string) =>
        new Promise<readonly Uint8Array[] | undefined>((done) => setImmediate(() => done(kept.get(key)))),
      save: async (key: string, list: readonly Uint8Array[]) => void kept.set(key, list),
    };
    const restarted = () => defineClient({ verifyServer: verifyChain({ ca }), sessions: { store } });
    expect((await visit(port, restarted())).text).to.equal('full');
    expect((await visit(port, restarted())).text).to.equal('resumed');
    const slow = { ...store, load: () => new Promise<undefined>(() => {}) };
    const impatient = { store: slow, lookupTimeoutMs: 1 };
    expect((await visit(port, defineClient({ verifyServer: verifyChain({ ca }), sessions: impatient }))).text).to.equal(
      'full',
    );
  });
});

describe('connect: what it is given', () => {
  const bad =
    (options: unknown, target: unknown = { port: 1 }) =>
    () =>
      connect(target as ConnectTarget, options as NodeClientOptions);

  it('has to say who judges the server', () => {
    expect(bad({})).to.throw(TypeError, /ca \(authorities\), pins .* or verifyServer .*'any'/);
    expect(bad(undefined)).to.throw(TypeError, /with ca, pins or verifyServer/);
    expect(bad({ ca, verifyServer: 'any' })).to.throw(TypeError, 'give either ca or verifyServer');
  });

  it('names the option that is wrong', () => {
    expect(bad({ ca, servername: 'a' })).to.throw(TypeError, 'is serverName meant?');
    expect(bad({ ca, rejectUnauthorized: false })).to.throw(TypeError, "verifyServer: 'any'");
    expect(bad({ ca, ALPNProtocols: [] })).to.throw(TypeError, 'here: alpn');
    expect(bad({ ca, session: 1 })).to.throw(TypeError, /session/);
    expect(bad({ ca, cert: clientPair.cert })).to.throw(TypeError, 'give key, too');
    expect(bad({ ca, key: clientPair.key })).to.throw(TypeError, 'give cert, too');
    expect(bad({ ca, ...clientPair, credential: clientPair })).to.throw(TypeError, 'give either credential');
    expect(bad({ ca, handshakeTimeout: -1 })).to.throw(RangeError, /^handshakeTimeout/);
    expect(bad({ ca, allowHalfOpen: 1 })).to.throw(TypeError, /^allowHalfOpen/);
    expect(bad({ ca, sessions: [1] })).to.throw(TypeError, /^sessions/);
    const config = defineClient({ verifyServer: 'any' });
    expect(bad({ config, ca })).to.throw(TypeError, 'give either config or ca');
    expect(bad({ config: { ...config } })).to.throw(TypeError, /^config/);
    expect(bad({ ca }, {})).to.throw(TypeError, /^target: port is missing/);
    expect(bad({ ca }, 443)).to.throw(TypeError, /^target: /);
    expect(bad({ ca }, { port: 70000 })).to.throw(RangeError);
  });

  it('may be a transport that exists already', async () => {
    const [here, there] = memoryPair();
    const server = accept(there, { credentials: [certificates.ecdsaP256] });
    const client = connect(here, { ca, serverName: 'localhost' });
    server.end('over anything');
    expect(await textOf(client)).to.equal('over anything');
    expect(client.remoteAddress).to.equal(undefined);
    const nameless = connect(memoryPair()[0], { ca });
    expect(nameless.servername).to.equal(false);
    nameless.destroy();
  });
});

describe('connect: the socket', () => {
  it('has the properties of the connection, of TLS and of TCP', async () => {
    const { port } = await startServer({ alpn: ['http/1.1'] }, (socket) => void socket.pipe(socket));
    const socket = connect({ host: 'localhost', family: 4, port }, { ca, alpn: ['http/1.1'] });
    expect([socket.connecting, socket.pending, socket.readyState]).to.deep.equal([true, true, 'opening']);
    const events: string[] = [];
    for (const event of ['lookup', 'connect', 'ready', 'secureConnect', 'session'])
      socket.once(event, () => events.push(event));
    const lines: Buffer[] = [];
    socket.on('keylog', (line) => lines.push(line));
    await once(socket, 'session');
    expect(events).to.deep.equal(['lookup', 'connect', 'ready', 'secureConnect', 'session']);
    expect([socket.connecting, socket.pending, socket.readyState]).to.deep.equal([false, false, 'open']);
    expect(socket.getProtocol()).to.equal('TLSv1.3');
    expect(socket.getCipher()?.standardName).to.equal('TLS_AES_128_GCM_SHA256');
    expect(socket.getEphemeralKeyInfo()).to.deep.include({ type: 'ECDH', name: 'X25519' });
    expect(socket.alpnProtocol).to.equal('http/1.1');
    expect(socket.servername).to.equal('localhost');
    expect([socket.encrypted, socket.authorized, socket.isSessionReused()]).to.deep.equal([true, true, false]);
    expect(socket.remotePort).to.equal(port);
    expect(`${lines[0]}`).to.match(/^[A-Z_]+ [0-9a-f]{64} [0-9a-f]+\n$/);
    expect(socket.exportKeyingMaterial(16, 'label').length).to.equal(16);
    socket.end('echo');
    expect(await textOf(socket)).to.equal('echo');
    expect([socket.bytesRead, socket.bytesWritten]).to.deep.equal([4, 4]);
  });

  it('sends at once what was written before it was connected', async () => {
    const { port } = await startServer({}, (socket) => void socket.pipe(socket));
    const socket = connect({ host: 'localhost', family: 4, port }, { ca });
    socket.end('early');
    expect(await textOf(socket)).to.equal('early');
  });

  it('half-closes, and reads on', async () => {
    const { port } = await startServer({ allowHalfOpen: true }, (socket) => {
      socket.on('end', () => socket.end('after your end')).resume();
    });
    const socket = connect({ host: 'localhost', family: 4, port }, { ca });
    socket.end('x');
    expect(await textOf(socket)).to.equal('after your end');
    expect(socket.isTruncated).to.equal(false);
  });

  it('says that the end came without a close_notify', async () => {
    const { port } = await startServer({}, (socket) => {
      socket.write('cut', () => socket.destroy());
    });
    const socket = connect({ host: 'localhost', family: 4, port }, { ca });
    expect(await textOf(socket)).to.equal('cut');
    expect(socket.isTruncated).to.equal(true);
  });

  it('is destroyed with its transport, which the server sees', async () => {
    const sockets: TlsSocket[] = [];
    const { port } = await startServer({}, (socket) => {
      sockets.push(socket);
      socket.on('error', () => {}).resume();
    });
    const socket = connect({ host: 'localhost', family: 4, port }, { ca });
    await once(socket, 'secureConnect');
    await until(() => sockets.length > 0);
    socket.destroy();
    await once(socket, 'close');
    await until(() => sockets[0]?.closed === true);
  });

  it('stops a server that floods it until it reads, and is stopped by one that does not read', async () => {
    const peers: TlsSocket[] = [];
    const { port } = await startServer({}, (socket) => void peers.push(socket));
    const socket = connect({ host: 'localhost', family: 4, port }, { ca });
    await once(socket, 'secureConnect');
    await until(() => peers.length > 0);
    const peer = peers[0] as TlsSocket;
    const amount = 16 << 20;
    for (const [from, to] of [
      [peer, socket],
      [socket, peer],
    ] as const) {
      from.write(Buffer.alloc(amount));
      expect(await settled(() => to.bytesRead)).to.be.below(amount / 2);
      (to as Readable).resume();
      await until(() => to.bytesRead === amount);
    }
    socket.destroy();
  }).timeout(60_000);

  it('can be destroyed at any time', async () => {
    const { port } = await startServer({}, (socket) => void socket.on('error', () => {}).end('bye'));
    for (const when of ['at once', 'lookup', 'connect', 'secureConnect', 'session']) {
      const socket = connect({ host: 'localhost', family: 4, port }, { ca });
      if (when !== 'at once') await once(socket, when);
      socket.destroy();
      const [hadError] = await once(socket, 'close');
      expect(hadError, when).to.equal(false);
    }
    const abort = new AbortController();
    const aborted = connect({ host: 'localhost', family: 4, port, signal: abort.signal }, { ca });
    abort.abort();
    expect(await errorOf(aborted)).to.include({ name: 'AbortError' });
  });

  it('fails as net.Socket does where nobody listens', async () => {
    const other = createPlainServer();
    other.listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    await new Promise((resolve) => other.close(resolve));
    const error = await errorOf(connect({ host: '127.0.0.1', port }, { ca }));
    expect(error).to.include({ code: 'ECONNREFUSED' });
  });

  it('fails where the server leaves in the handshake, or takes too long, or speaks no TLS', async () => {
    const port = await listening(
      createPlainServer(
        (socket) =>
          void socket
            .on('error', () => {})
            .resume()
            .end(),
      ),
    );
    const left = await errorOf(connect({ host: 'localhost', family: 4, port }, { ca }));
    expect(left).to.include({ code: 'ECONNRESET', message: 'the server has disconnected in the handshake' });
    const silent = await listening(createPlainServer((socket) => void socket.on('error', () => {}).resume()));
    const late = await errorOf(connect({ host: 'localhost', family: 4, port: silent }, { ca, handshakeTimeout: 50 }));
    expect(late).to.include({ code: 'ERR_TLS_HANDSHAKE_TIMEOUT' });
    const smtp = await listening(
      createPlainServer((socket) => void socket.on('error', () => {}).end('220 mail ESMTP\r\n')),
    );
    expect(await failure(smtp, { ca })).to.match(/SMTP|unexpected_message|protocol_version/);
  });

  it('goes on over a socket that is connected already, or about to be', async () => {
    const { port } = await startServer();
    const connected = connectPlain({ host: '127.0.0.1', port });
    await once(connected, 'connect');
    expect(await textOf(connect(connected, { ca, serverName: 'localhost' }))).to.equal('bye');
    const pending = new Socket();
    pending.connect({ host: '127.0.0.1', port });
    expect(await textOf(connect(pending, { ca, serverName: 'localhost' }))).to.equal('bye');
  });
});

describe('connect: https.request', () => {
  async function get(port: number, options: NodeClientOptions): Promise<string> {
    const asked = request({
      host: 'localhost',
      family: 4,
      port,
      path: '/page',
      createConnection: (target) => connect(target, options),
    });
    asked.end();
    const [response] = await once(asked, 'response');
    return textOf(response);
  }

  it("works over it, at node:https's server and at ours", async () => {
    const web = createHttpsServer(certificates.ecdsaP256, (asked, answer) => void answer.end(`page ${asked.url}`));
    expect(await get(await listening(web), { ca })).to.equal('page /page');
    const plain = createHttpServer((asked, answer) => void answer.end(`ours ${asked.url}`));
    const { port } = await startServer({}, (socket) => void plain.emit('connection', socket));
    expect(await get(port, { ca })).to.equal('ours /page');
  });

  it('works over it with an agent that keeps connections', async () => {
    const ports: (number | undefined)[] = [];
    const web = createHttpsServer(certificates.ecdsaP256, (asked, answer) => {
      ports.push(asked.socket.remotePort);
      answer.end(`page ${asked.url}`);
    });
    const port = await listening(web);
    const agent = Object.assign(new Agent({ keepAlive: true }), {
      createConnection: (target: ConnectTarget) => connect(target, { ca }),
    });
    for (const path of ['/1', '/2']) {
      const asked = request({ host: 'localhost', family: 4, port, path, agent });
      asked.end();
      const [response] = await once(asked, 'response');
      expect(await textOf(response)).to.equal(`page ${path}`);
    }
    expect(ports[0]).to.equal(ports[1]);
    agent.destroy();
  });

  it('times out as the request says', async () => {
    const silent = await listening(createPlainServer((socket) => void socket.on('error', () => {}).resume()));
    const asked = request({
      host: 'localhost',
      family: 4,
      port: silent,
      timeout: 50,
      createConnection: (target) => connect(target, { ca }),
    });
    asked.on('error', () => {}).end();
    await once(asked, 'timeout');
    asked.destroy();
  });

  it('is not all: http2.connect works over it, too', async () => {
    const web = createHttp2Server({ ...certificates.ecdsaP256 });
    web.on('stream', (stream) => {
      stream.respond({ ':status': 200 });
      stream.end('over h2');
    });
    const port = await listening(web as unknown as Server);
    const session = connectHttp2('https://localhost', {
      createConnection: () => connect({ host: 'localhost', family: 4, port }, { ca, alpn: ['h2'] }),
    });
    expect(await textOf(session.request({ ':path': '/' }))).to.equal('over h2');
    session.close();
  });

  it('reports a refusal as the error of the request', async () => {
    const { port } = await startServer();
    const failed = await get(port, { ca: certificates.aExample.cert }).catch((error) => error);
    expect(failed).to.be.instanceOf(TlsAlert);
  });
});
