/** Peers that say too much, or keep the tester waiting. */

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { expect } from 'chai';
import { clientOverTcp } from '../../src/judges/client-over-tcp.ts';
import { gently } from '../../src/judges/gently.ts';
import { serverOverTcp } from '../../src/judges/server-over-tcp.ts';
import { ClientBench, ServerBench } from '../../src/testing/scenarios/bench.ts';
import type { Visit } from '../../src/testing/scenarios/visit.ts';
import { startServer, stopServers } from '../node/support.ts';
import { credential } from '../support/servers.ts';

const MEBIBYTE = 1_048_576;
const CHUNK = new Uint8Array(MEBIBYTE / 4);

/** The bytes of all records that a connection has received. */
function received({ facts }: Visit): number {
  return facts.trace.entries.reduce(
    (sum, entry) => (entry.kind === 'record' && entry.direction === 'received' ? sum + entry.wire : sum),
    0,
  );
}

/** Writes until nobody reads any more. */
function flood(socket: {
  write(bytes: Uint8Array): boolean;
  once(name: 'drain', listener: () => void): unknown;
}): void {
  while (socket.write(CHUNK));
  socket.once('drain', () => flood(socket));
}

async function errorOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'none',
    (error: unknown) => String(error),
  );
}

/** A server that accepts, and does so with each socket. */
async function withListener(serve: (socket: Socket) => void, work: (port: number) => Promise<void>): Promise<void> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket.on('error', () => {}));
    serve(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    await work((server.address() as AddressInfo).port);
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
}

describe('a conversation over TCP', () => {
  afterEach(stopServers);

  it('ends where a server says more than anybody keeps', async () => {
    const { port } = await startServer({}, (socket) => socket.on('error', () => {}).once('data', () => flood(socket)));
    const visit = await new ServerBench(serverOverTcp({ host: '127.0.0.1', port }), 'TLSv1.3').client().visit();
    expect([visit.reaction, visit.facts.ending]).to.deep.equal(['full handshake', 'at-rest']);
    expect(received(visit)).to.be.below(2 * MEBIBYTE);
    visit.dispose();
  });

  it('ends where what should prepare the socket never does', async () => {
    await withListener(
      () => {},
      async (port) => {
        const prepare = () => new Promise<void>(() => {});
        const server = serverOverTcp({ host: '127.0.0.1', port, timeLimitMs: 500, prepare });
        const run = new ServerBench(server, 'TLSv1.3').client().visit();
        expect(await errorOf(run)).to.equal('NotRun: it has taken longer than 0.5 s');
      },
    );
  });
});

describe('a client over TCP that keeps the tester waiting', () => {
  const closing = (socket: Socket): void => void socket.on('error', () => {}).end(Uint8Array.of(21, 3, 3, 0, 2, 2, 40));

  it('need not say that it is done', async () => {
    const client = clientOverTcp({
      credentials: [credential('ecdsaP256')],
      timeLimitMs: 1000,
      startLimitMs: 5000,
      connect: ({ host, port }) => {
        closing(connect(port, host).resume());
        return new Promise(() => {});
      },
    });
    const visit = await new ClientBench(client, 'TLSv1.3').server().accept();
    client.close();
    expect(visit.reaction).to.equal('handshake_failure');
  });

  it('is not waited for any longer when it is closed, nor is anything run then', async () => {
    const client = clientOverTcp({
      credentials: [credential('ecdsaP256')],
      timeLimitMs: 60_000,
      connect: () => {
        setImmediate(() => client.close());
        return new Promise(() => {});
      },
    });
    for (let i = 0; i < 2; i++) {
      const run = new ClientBench(client, 'TLSv1.3').server().accept();
      expect(await errorOf(run)).to.equal('NotRun: the run was stopped');
    }
  });
});

describe('a gentle server', () => {
  it('is not asked at a rate that is none', () => {
    const server = serverOverTcp({ host: '127.0.0.1', port: 1 });
    for (const perSecond of [0, -1, Number.NaN])
      expect(() => gently(server, { perSecond, most: 1 })).to.throw(RangeError);
  });
});
