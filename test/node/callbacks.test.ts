/** Callbacks of the user's that throw, reject or do not answer: the process lives, and so does the connection where it can. */

import { once } from 'node:events';
import { expect } from 'chai';
import { defaultProvider, type ServerOptions, type Session, type SessionOptions, TlsAlert } from '../../src/index.ts';
import type { NodeServerOptions, TlsSocket } from '../../src/node/index.ts';
import { trap } from '../support/poisons.ts';
import { credential } from '../support/servers.ts';
import { only, startServer, stopServers, VERSIONS, visit } from './support.ts';

const FAULTS = {
  throws: () => {
    throw new Error('fault');
  },
  rejects: () => Promise.reject(new Error('fault')),
  'never settles': () => new Promise<never>(() => {}),
} as const;

type Fault = keyof typeof FAULTS;

afterEach(stopServers);

/** A server whose callback errors are gathered as `callback: message`. */
async function faulty(options: NodeServerOptions) {
  const started = await startServer(options);
  const errors: string[] = [];
  started.server.on('callbackError', (error, { callback, socket }) => {
    expect(socket).to.be.an('object');
    errors.push(`${callback}: ${(error as Error).message}`);
  });
  return { ...started, errors };
}

describe('a provider that throws what throws when it is looked at', () => {
  it('costs the connection, and an Error with it as the cause', async () => {
    const fault = trap();
    const start = (): never => {
      throw fault;
    };
    const sha256 = { ...defaultProvider.hashes.sha256, start };
    const hashes = { sha256, sha384: { ...defaultProvider.hashes.sha384, start } };
    const { server, port } = await startServer({ crypto: { ...defaultProvider, hashes } });
    const told = once(server, 'tlsClientError');
    await visit({ port }).catch(() => {});
    const [error] = await told;
    expect(error).to.be.an('error');
    expect((error as Error).cause === fault).to.equal(true);
  });
});

for (const version of VERSIONS) {
  for (const fault of Object.keys(FAULTS) as Fault[]) {
    describe(`a callback that ${fault}, ${version}`, () => {
      const fails = FAULTS[fault];

      it('onNew: as if it had answered nothing', async () => {
        const { port, errors } = await faulty({ sessions: { onNew: fails } });
        const { session } = await visit({ port, ...only(version) });
        expect((await visit({ port, ...only(version), session })).isReused).to.equal(true);
        const first = fault === 'never settles' ? undefined : 'onNew: fault';
        expect(errors[0]).to.equal(first);
      });

      it('onGet: a full handshake', async () => {
        const rows: Uint8Array[] = [];
        const onNew = (session: Session) => void rows.push(session.toDer());
        const sessions = { cache: false as const, onNew, onGet: fails, lookupTimeoutMs: 30 };
        const { port, errors } = await faulty({ sessions });
        const { session } = await visit({ port, ...only(version) });
        const second = await visit({ port, ...only(version), session });
        expect([second.isReused, second.text]).to.deep.equal([false, 'bye']);
        expect(errors.length).to.equal(1);
        expect(errors[0]).to.match(/^onGet: /);
      });

      it('onRemove: nothing but an event', async () => {
        // Room for one session: each new one evicts another.
        const sessions = { maxEntries: 1, onRemove: fails } as SessionOptions;
        const { port, errors } = await faulty({ sessions });
        await visit({ port, ...only(version) });
        expect((await visit({ port, ...only(version) })).text).to.equal('bye');
        if (fault !== 'never settles') expect(errors).to.include('onRemove: fault');
      });

      if (version === 'TLSv1.3') {
        it('onTake: a full handshake', async () => {
          const options: NodeServerOptions = {
            tickets: { singleUse: true },
            sessions: { onTake: fails, lookupTimeoutMs: 30 },
          };
          const { port, errors } = await faulty(options);
          const { session } = await visit({ port, ...only(version) });
          const second = await visit({ port, ...only(version), session });
          expect([second.isReused, second.text]).to.deep.equal([false, 'bye']);
          expect(errors[0]).to.match(/^onTake: /);
        });
      }

      for (const [name, options] of [
        ['onServerName', { onServerName: fails }],
        ['onAlpn', { onAlpn: fails }],
        ['sign', { credentials: [{ ...credential('ecdsaP256'), sign: fails }] }],
      ] as const) {
        it(`${name}: the end of the connection, and of nothing else`, async () => {
          const { server, port, errors } = await faulty({
            ...options,
            ...(fault === 'never settles' && { handshakeTimeout: 50 }),
          });
          const failed = once(server, 'tlsClientError') as Promise<
            [Error & { code?: string; alert?: string }, TlsSocket]
          >;
          const refused = visit({ port, ...only(version), ALPNProtocols: ['h2'] }).then(
            () => 'served',
            () => 'refused',
          );
          expect(await refused).to.equal('refused');
          const [error] = await failed;
          if (fault === 'never settles') expect(error.code).to.equal('ERR_TLS_HANDSHAKE_TIMEOUT');
          else {
            expect(error.alert).to.equal('internal_error');
            expect(errors).to.deep.equal([`${name}: fault`]);
          }
        });
      }

      if (fault === 'throws') {
        it('onServerName: an alert of its choice reaches both ends', async () => {
          const refused = new TlsAlert('unrecognized_name', 'no such host');
          const { server, port, errors } = await faulty({
            onServerName: () => {
              throw refused;
            },
          });
          const failed = once(server, 'tlsClientError');
          const heard = await visit({ port, ...only(version) }).catch((error: unknown) => error);
          expect(String(heard)).to.match(/unrecognized name/i);
          expect((await failed)[0]).to.equal(refused);
          expect(errors).to.deep.equal([]);
        });

        for (const [name, options] of [
          ['keylog', { keylog: FAULTS.throws }],
          ['generateId', { sessions: { generateId: FAULTS.throws } }],
        ] as const satisfies readonly (readonly [string, Partial<ServerOptions>])[]) {
          it(`${name}: nothing but an event`, async () => {
            const { port, errors } = await faulty(options);
            const { session } = await visit({ port, ...only(version) });
            expect((await visit({ port, ...only(version), session })).isReused).to.equal(true);
            expect(errors).to.include(`${name}: fault`);
          });
        }
      }
    });
  }
}
