/** HTTP clients over connect(): node:https and undici, at a server of node:https. */

import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { Agent, createServer, type RequestOptions, request } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { expect } from 'chai';
import * as undici from 'undici';
import type { ClientConfig } from '../../src/engine/client/config.ts';
import { defineClient } from '../../src/engine/client/define-client.ts';
import type { ClientOptions } from '../../src/engine/client/options.ts';
import { type ConnectTarget, connect, type NodeClientOptions, verifyChain } from '../../src/node/index.ts';
import { TlsAlert } from '../../src/wire/alert.ts';
import { certificates } from '../fixtures.ts';
import { testProvider } from '../support/provider.ts';
import { textOf, VERSIONS } from './support.ts';

const ca = certificates.ecdsaP256.cert;

const closing: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()));
});

interface Web {
  readonly port: number;
  /** One for each connection: whether it has resumed. */
  readonly connections: readonly boolean[];
}

/** Answers with what it was asked: the method, the path, and the length of the body. */
async function webServer(): Promise<Web> {
  const connections: boolean[] = [];
  const open = new Set<Socket>();
  const server = createServer(certificates.ecdsaP256, async (asked, answer) => {
    let length = 0;
    for await (const chunk of asked) length += chunk.length;
    answer.end(`${asked.method} ${asked.url} ${length}`);
  });
  server.on('secureConnection', (socket: TLSSocket) => {
    connections.push(socket.isSessionReused());
    open.add(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => {
    for (const socket of open) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  return { port: (server.address() as AddressInfo).port, connections };
}

/** A client that keeps its sessions. */
function pooling(options: ClientOptions = {}): ClientConfig {
  return defineClient({ verifyServer: verifyChain({ ca }), crypto: testProvider, ...options });
}

const BODY = Buffer.alloc(200_000, 'body ');

describe('https.request over connect()', () => {
  const where = { host: 'localhost', family: 4 };

  /** An agent over connect(), as one would write it. */
  function agentOver(options: NodeClientOptions | ClientConfig, keepAlive: boolean): Agent {
    return Object.assign(new Agent({ keepAlive, maxSockets: 1 }), {
      createConnection: (target: ConnectTarget) => connect(target, options),
    });
  }

  async function ask(options: RequestOptions, body?: Buffer): Promise<{ text: string; response: IncomingMessage }> {
    const asked = request({ ...where, ...options });
    asked.end(body);
    const [response] = await once(asked, 'response');
    return { text: await textOf(response), response };
  }

  for (const version of VERSIONS) {
    const only = { minVersion: version, maxVersion: version };

    it(`${version}: sends a body, and reads the answer`, async () => {
      const { port } = await webServer();
      const createConnection = (target: ConnectTarget) => connect(target, { ca, ...only });
      const { text } = await ask({ port, path: '/post', method: 'POST', createConnection }, BODY);
      expect(text).to.equal(`POST /post ${BODY.length}`);
    });

    it(`${version}: has one connection for two requests, if the agent keeps it`, async () => {
      const { port, connections } = await webServer();
      const agent = agentOver({ ca, ...only }, true);
      expect((await ask({ port, path: '/1', agent })).text).to.equal('GET /1 0');
      expect((await ask({ port, path: '/2', method: 'POST', agent }, BODY)).text).to.equal(`POST /2 ${BODY.length}`);
      expect(connections).to.deep.equal([false]);
      agent.destroy();
    });

    it(`${version}: resumes what its configuration has kept, if the agent does not`, async () => {
      const { port, connections } = await webServer();
      const agent = agentOver(pooling(only), false);
      for (const path of ['/1', '/2', '/3']) expect((await ask({ port, path, agent })).text).to.equal(`GET ${path} 0`);
      expect(connections).to.deep.equal([false, true, true]);
      agent.destroy();
    });
  }

  it('sends and reads in parts', async () => {
    const { port } = await webServer();
    const asked = request({ ...where, port, method: 'PUT', path: '/parts', createConnection: over });
    for (let sent = 0; sent < 10; sent++) {
      asked.write(BODY);
      await new Promise(setImmediate);
    }
    asked.end();
    const [response] = await once(asked, 'response');
    expect(await textOf(response)).to.equal(`PUT /parts ${10 * BODY.length}`);
  });

  it('is aborted', async () => {
    const { port } = await webServer();
    const abort = new AbortController();
    const asked = request({ ...where, port, method: 'POST', signal: abort.signal, createConnection: over });
    asked.write('never whole');
    const failed = once(asked, 'error');
    asked.once('socket', (socket) => socket.once('secureConnect', () => abort.abort()));
    expect((await failed)[0]).to.include({ name: 'AbortError' });
  });

  function over(target: ConnectTarget): Duplex {
    return connect(target, { ca });
  }
});

/** What is used of undici. */
interface Undici {
  readonly Agent: new (options: {
    connect: (target: UndiciTarget, callback: (error: Error | null, socket: Duplex | null) => void) => void;
    connections?: number;
  }) => { close(): Promise<void>; destroy(): Promise<void> };
  request(
    url: string,
    options: { dispatcher: object; method?: string; body?: Buffer },
  ): Promise<{ statusCode: number; headers: object; body: { text(): Promise<string> } }>;
}

interface UndiciTarget {
  readonly hostname: string;
  readonly port: string;
  readonly servername: string | null;
}

/** Its types want a net.Socket of a connector; a Duplex will do. */
const { Agent: UndiciAgent, request: ask } = undici as unknown as Undici;

describe('undici over connect()', () => {
  /** A connector, as one would write it. */
  function connecting(options: NodeClientOptions | ClientConfig) {
    return (
      { hostname, port, servername }: UndiciTarget,
      callback: (error: Error | null, socket: Duplex | null) => void,
    ) => {
      const socket = connect(
        { host: hostname, family: 4, port: port || 443, servername: servername ?? undefined },
        options,
      );
      const failed = (error: Error): void => callback(error, null);
      socket.once('error', failed).once('secureConnect', () => {
        socket.off('error', failed);
        callback(null, socket);
      });
    };
  }

  function agentOver(options: NodeClientOptions | ClientConfig, connections?: number) {
    const agent = new UndiciAgent({ connect: connecting(options), ...(connections && { connections }) });
    closing.push(() => agent.destroy());
    return agent;
  }

  for (const version of VERSIONS) {
    const only = { minVersion: version, maxVersion: version };

    it(`${version}: has one connection for three requests, one of them with a body`, async () => {
      const { port, connections } = await webServer();
      const dispatcher = agentOver({ ca, ...only }, 1);
      const url = `https://localhost:${port}`;
      const texts: string[] = [];
      for (const [path, method, body] of [
        ['/1', 'GET'],
        ['/2', 'POST', BODY],
        ['/3', 'GET'],
      ] as const) {
        const answer = await ask(url + path, { dispatcher, method, ...(body && { body }) });
        expect(answer.statusCode).to.equal(200);
        texts.push(await answer.body.text());
      }
      expect(texts).to.deep.equal(['GET /1 0', `POST /2 ${BODY.length}`, 'GET /3 0']);
      expect(connections).to.deep.equal([false]);
    });

    it(`${version}: resumes what its configuration has kept`, async () => {
      const { port, connections } = await webServer();
      const config = pooling(only);
      for (const path of ['/1', '/2']) {
        const dispatcher = agentOver(config);
        const { body } = await ask(`https://localhost:${port}${path}`, { dispatcher });
        expect(await body.text()).to.equal(`GET ${path} 0`);
        await dispatcher.close();
      }
      expect(connections).to.deep.equal([false, true]);
    });
  }

  it('asks several at once', async () => {
    const { port } = await webServer();
    const dispatcher = agentOver({ ca });
    const answers = await Promise.all(
      ['/a', '/b', '/c', '/d'].map(async (path) =>
        (await ask(`https://localhost:${port}${path}`, { dispatcher })).body.text(),
      ),
    );
    expect(answers).to.deep.equal(['GET /a 0', 'GET /b 0', 'GET /c 0', 'GET /d 0']);
  });

  it('fails with the alert', async () => {
    const { port } = await webServer();
    const dispatcher = agentOver({ ca: certificates.aExample.cert });
    const failed = await ask(`https://localhost:${port}/`, { dispatcher }).catch((error: unknown) => error);
    expect(failed).to.be.instanceOf(TlsAlert);
  });
});
