/** 'newSession' as code that was written for node:tls knows it: the client gets nothing before the listener has called back. */

import { once } from 'node:events';
import { connect as connectPlain } from 'node:net';
import { type ConnectionOptions, connect } from 'node:tls';
import { expect } from 'chai';
import { defineServer } from '../../src/engine/server/define-server.ts';
import type { Server } from '../../src/node/index.ts';
import { certificates } from '../fixtures.ts';
import { only, startServer, stopServers, textOf, VERSIONS, visit } from './support.ts';

afterEach(stopServers);

/** A store whose rows are there only once it has been told that the client waits. */
function slowStore(server: Server) {
  const rows = new Map<string, Buffer>();
  const waiting: (() => void)[] = [];
  server.on('newSession', (id, data, callback) => {
    waiting.push(() => {
      rows.set(id.toString('hex'), data);
      callback();
      callback(); // once too often
    });
  });
  server.on('resumeSession', (id, callback) => callback(null, rows.get(id.toString('hex'))));
  return { rows, waiting, store: () => waiting.splice(0).map((row) => row()) };
}

/** A client; what it was told so far. */
function start(options: ConnectionOptions) {
  const client = connect({ host: '127.0.0.1', rejectUnauthorized: false, servername: 'localhost', ...options });
  const told: string[] = [];
  for (const event of ['session', 'data', 'end'] as const) client.on(event, () => told.push(event));
  return { client, told };
}

function callbackErrors(server: Server): string[] {
  const errors: string[] = [];
  server.on('callbackError', (error, { callback }) => errors.push(`${callback}: ${(error as Error).message}`));
  return errors;
}

for (const version of VERSIONS) {
  describe(`'newSession', ${version}`, () => {
    it('keeps back the session and all that follows until it has called back', async () => {
      const { server, port } = await startServer({ sessions: { cache: false, lookupTimeoutMs: 15_000 } });
      const store = slowStore(server);
      const [{ client, told }] = [start({ port, ...only(version) }), await once(server, 'secureConnection')];
      const text = textOf(client);
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect(told).to.deep.equal([]);
      expect(store.waiting.length).to.equal(version === 'TLSv1.3' ? 2 : 1);
      const sessions: Buffer[] = [];
      client.on('session', (session: Buffer) => {
        expect(store.rows.size).to.equal(version === 'TLSv1.3' ? 2 : 1);
        sessions.push(session);
      });
      store.store();
      expect(await text).to.equal('bye');
      const session = sessions.at(-1);
      server.removeAllListeners('newSession');
      expect((await visit({ port, ...only(version), session })).isReused).to.equal(true);
    });

    it('goes on without it after lookupTimeoutMs', async () => {
      const { server, port } = await startServer({ sessions: { lookupTimeoutMs: 30 } });
      const errors = callbackErrors(server);
      server.on('newSession', (_id, _data, _callback) => {});
      expect((await visit({ port, ...only(version) })).text).to.equal('bye');
      expect(errors[0]).to.match(/^onNew: .*newSession.* lookupTimeoutMs$/);
    });

    it('goes on where it throws', async () => {
      const { server, port } = await startServer({ sessions: { lookupTimeoutMs: 15_000 } });
      const errors = callbackErrors(server);
      server.on('newSession', (_id, _data, _callback) => {
        throw new Error('no store');
      });
      expect((await visit({ port, ...only(version) })).text).to.equal('bye');
      expect(errors[0]).to.equal('onNew: no store');
    });

    it('is not waited for where it has no use for the callback', async () => {
      const { server, port } = await startServer({ sessions: { lookupTimeoutMs: 15_000 } });
      const ids: Buffer[] = [];
      server.on('newSession', (id) => ids.push(id));
      expect((await visit({ port, ...only(version) })).text).to.equal('bye');
      expect(ids.length).to.equal(version === 'TLSv1.3' ? 2 : 1);
    });

    it("does not make the connection wait for a virtual host's onNew", async () => {
      const onNew = () => new Promise<void>(() => {});
      const host = defineServer({ credentials: [certificates.aExample], sessions: { onNew } });
      const { server, port } = await startServer({ onServerName: () => host });
      server.on('newSession', (_id, _data, callback) => callback());
      expect((await visit({ port, ...only(version), servername: 'a.example' })).text).to.equal('bye');
    });
  });
}

describe("'newSession'", () => {
  it('does not keep back a fatal alert', async () => {
    const { server, port } = await startServer({ sessions: { cache: false, lookupTimeoutMs: 15_000 } }, (socket) => {
      socket.on('error', () => {});
    });
    const store = slowStore(server);
    const wire = connectPlain({ host: '127.0.0.1', port });
    const client = connect({ socket: wire, rejectUnauthorized: false, ...only('TLSv1.3') });
    await Promise.all([once(client, 'secureConnect'), once(server, 'secureConnection')]);
    wire.write(Buffer.from('1703030020'.padEnd(74, '0'), 'hex'));
    const [error] = await once(client, 'error');
    expect(error.code).to.contain('BAD_RECORD_MAC');
    store.store();
  });
});
