/** The event 'OCSPRequest', as in node:tls: who asks, what a listener is given, and what becomes of its answer. */

import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { connect, type TLSSocket } from 'node:tls';
import { expect } from 'chai';
import { defineServer } from '../../src/index.ts';
import { createServer, type NodeServerOptions, type OcspRequestCallback, type Server } from '../../src/node/index.ts';
import { certificates } from '../fixtures.ts';
import { describeWith, run } from '../interop/peers.ts';
import { listen, only, stopServers, VERSIONS } from './support.ts';

/** An OCSPResponse (RFC 6960 §4.2.1) that says unauthorized, and nothing else. */
const RESPONSE = Buffer.from('30030a0106', 'hex');

afterEach(stopServers);

type Listener = (certificate: Buffer, issuer: Buffer | null, callback: OcspRequestCallback) => void;

function serve(listener: Listener, options: NodeServerOptions = {}): Server {
  const { cert, key } = certificates.ecdsaP256;
  const pair = options.credentials === undefined ? { cert, key } : {};
  const server = createServer({ ...pair, ...options }, (socket) => socket.on('error', () => {}).end('bye'));
  server.on('tlsClientError', () => {});
  return server.on('OCSPRequest', listener);
}

/** A client of node:tls: the response that it has been given, or how the handshake failed. */
async function visit(
  port: number,
  options: { version?: (typeof VERSIONS)[number]; servername?: string; asks?: boolean } = {},
) {
  const { version = 'TLSv1.3', servername = 'localhost', asks = true } = options;
  // @types/node has the option for servers alone.
  const given = { host: '127.0.0.1', port, servername, rejectUnauthorized: false, requestOCSP: asks, ...only(version) };
  const socket: TLSSocket = connect(given);
  let response: string | null = null;
  socket.on('OCSPResponse', (bytes: Buffer | null) => {
    response = bytes === null || bytes.length === 0 ? null : bytes.toString('hex');
  });
  try {
    await once(socket, 'secureConnect');
    socket.resume();
    await once(socket, 'close');
    return response;
  } catch (error) {
    return error instanceof Error ? 'failed' : String(error);
  }
}

describe("'OCSPRequest' of node:tls", () => {
  for (const version of VERSIONS)
    it(`${version}: gives the certificate in DER, and sends what the listener answers, at once or later`, async () => {
      const asked: string[] = [];
      const server = serve((certificate, issuer, callback) => {
        asked.push(`${new X509Certificate(certificate).subject} ${issuer}`);
        if (asked.length === 1) callback(null, RESPONSE);
        else setImmediate(callback, null, RESPONSE);
      });
      const port = await listen(server);
      for (const _ of [1, 2]) expect(await visit(port, { version })).to.equal(RESPONSE.toString('hex'));
      const { subject } = new X509Certificate(certificates.ecdsaP256.cert);
      expect(asked).to.deep.equal([`${subject} null`, `${subject} null`]);
    });

  it('is not emitted for clients that do not ask', async () => {
    let asked = 0;
    const port = await listen(serve(() => asked++));
    expect([await visit(port, { asks: false }), asked]).to.deep.equal([null, 0]);
  });

  it('gives the certificate that the client is shown, and the next of its chain', async () => {
    const asked: [string, string | null][] = [];
    const server = serve(
      (certificate, issuer, callback) => {
        const named = (der: Buffer) => new X509Certificate(der).fingerprint256;
        asked.push([named(certificate), issuer === null ? null : named(issuer)]);
        callback();
      },
      { credentials: [certificates.aExample, certificates.chain] },
    );
    const port = await listen(server);
    const given = { host: '127.0.0.1', port, servername: 'localhost', rejectUnauthorized: false, requestOCSP: true };
    const socket = connect(given);
    await once(socket, 'secureConnect');
    const shown = socket.getPeerCertificate(true);
    socket.resume();
    await once(socket, 'close');
    expect(asked).to.deep.equal([[shown.fingerprint256, shown.issuerCertificate.fingerprint256]]);
    expect(await visit(port, { servername: 'a.example' })).to.equal(null);
    expect(asked[1]?.[0]).to.equal(new X509Certificate(certificates.aExample.cert).fingerprint256);
  });

  for (const [what, answer] of Object.entries<(callback: OcspRequestCallback) => void>({
    'null, null': (callback) => callback(null, null),
    nothing: (callback) => callback(),
    'what is no response': (callback) => callback(null, 'response' as never),
    'nothing in time': () => {},
  }))
    it(`answered by ${what}, goes on without a response`, async () => {
      const server = serve((_certificate, _issuer, callback) => answer(callback), {
        sessions: { lookupTimeoutMs: 20 },
      });
      const failed: string[] = [];
      server.on('callbackError', (_error, { callback }) => failed.push(callback));
      const port = await listen(server);
      expect(await visit(port)).to.equal(null);
      expect(failed).to.deep.equal(what.includes('null') || what === 'nothing' ? [] : ['ocspResponse']);
    });

  for (const version of VERSIONS)
    for (const when of ['at once', 'later'])
      it(`${version}: an error, ${when}, ends the connection`, async () => {
        const error = new Error('the responder is gone');
        const server = serve((_certificate, _issuer, callback) => {
          if (when === 'at once') callback(error);
          else setImmediate(callback, error);
        });
        const failed = once(server, 'tlsClientError');
        const port = await listen(server);
        expect(await visit(port, { version })).to.equal('failed');
        expect((await failed)[0]).to.equal(error);
      });

  it('goes beside listeners for sessions, in any order', async () => {
    for (const isFirst of [true, false]) {
      let sessions = 0;
      const { cert, key } = certificates.ecdsaP256;
      const server = createServer({ cert, key }, (socket) => socket.on('error', () => {}).end('bye'));
      const listener: Listener = (_certificate, _issuer, callback) => callback(null, RESPONSE);
      if (isFirst) server.on('OCSPRequest', listener);
      server.on('newSession', () => sessions++);
      server.on('resumeSession', (_id, callback) => callback());
      if (!isFirst) server.on('OCSPRequest', listener);
      const port = await listen(server);
      expect(await visit(port)).to.equal(RESPONSE.toString('hex'));
      expect(sessions).to.be.above(0);
    }
  });

  it('without its listeners again, sends nothing', async () => {
    const listener: Listener = (_certificate, _issuer, callback) => callback(null, RESPONSE);
    const server = serve(listener).off('OCSPRequest', listener);
    expect(await visit(await listen(server))).to.equal(null);
  });

  it('is not emitted for a credential that has a response of its own', async () => {
    const { cert, key } = certificates.ecdsaP256;
    let asked = 0;
    const own = Buffer.from('30030a0102', 'hex');
    const server = serve(() => asked++, { credentials: [{ cert, key, ocspResponse: own }] });
    expect([await visit(await listen(server)), asked]).to.deep.equal([own.toString('hex'), 0]);
  });

  it('is emitted by a server that was made from a configuration, too', async () => {
    const { cert, key } = certificates.ecdsaP256;
    const server = createServer(defineServer({ credentials: [{ cert, key }] }), (socket) => socket.end('bye'));
    server.on('OCSPRequest', (_certificate, _issuer, callback) => callback(null, RESPONSE));
    expect(await visit(await listen(server))).to.equal(RESPONSE.toString('hex'));
  });

  it('is not emitted for a connection that resumes', async () => {
    let asked = 0;
    const server = serve((_certificate, _issuer, callback) => {
      asked++;
      callback(null, RESPONSE);
    });
    const port = await listen(server);
    let session: Buffer | undefined;
    for (const isReused of [false, true]) {
      const options = { host: '127.0.0.1', port, rejectUnauthorized: false, requestOCSP: true, session };
      const socket = connect(options);
      socket.on('session', (given) => {
        session = given;
      });
      await once(socket, 'secureConnect');
      expect(socket.isSessionReused()).to.equal(isReused);
      socket.resume();
      await once(socket, 'close');
    }
    expect(asked).to.equal(1);
  });

  describeWith(['openssl'], 'and openssl', () => {
    for (const flag of ['-tls1_2', '-tls1_3'])
      it(`s_client -status ${flag} reads the response`, async () => {
        const port = await listen(serve((_certificate, _issuer, callback) => callback(null, RESPONSE)));
        const { stdout } = await run('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, '-status', flag]);
        expect(stdout).to.contain('OCSP Response Status: unauthorized');
      });
  });
});
