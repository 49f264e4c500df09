/** How connections over sockets end, compared with node:tls: the same client does the same to a server of each kind. */

import { once } from 'node:events';
import { type AddressInfo, connect as connectPlain, type Server as NetServer, type Socket } from 'node:net';
import { connect, createServer as createNodeServer, type TLSSocket } from 'node:tls';
import { expect } from 'chai';
import { accept, createServer, type NodeServerOptions, type TlsSocket } from '../../src/node/index.ts';
import { concat } from '../../src/wire/bytes.ts';
import { certificates } from '../fixtures.ts';
import { testProvider } from '../support/provider.ts';
import { ScriptedClient } from '../support/scripted-client.ts';
import { credentials, memoryPair, only, textOf, until, VERSIONS } from './support.ts';

type AnySocket = TlsSocket | TLSSocket;
type Application = (socket: AnySocket) => void;

interface Running {
  readonly server: NetServer;
  readonly port: number;
  /** What its sockets have emitted of their end, in order. */
  readonly heard: string[];
}

interface Settings {
  readonly options?: NodeServerOptions;
  readonly nodeOptions?: object;
}

/** Starts a server of each kind, tries both, and closes them: only when every connection is gone is that done. */
const KINDS = {
  'node:tls': (application: Application, { nodeOptions }: Settings): NetServer =>
    createNodeServer({ ...certificates.ecdsaP256, ...nodeOptions }, application),
  ours: (application: Application, { options }: Settings): NetServer =>
    createServer({ credentials, crypto: testProvider, ...options }, application),
};

const NAMES = ['end', 'error', 'close'] as const;

async function start(kind: keyof typeof KINDS, application: Application, settings: Settings = {}): Promise<Running> {
  const heard: string[] = [];
  const server = KINDS[kind]((socket) => {
    for (const name of NAMES) {
      socket.on(name, (value?: unknown) => heard.push(value instanceof Error ? name : `${name} ${value ?? ''}`.trim()));
    }
    application(socket);
  }, settings);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, port: (server.address() as AddressInfo).port, heard };
}

/** Resolves when the server has no connection left. */
async function closed({ server }: Running): Promise<void> {
  await new Promise((resolve) => server.close(resolve));
}

function connectTo(port: number, options: object): TLSSocket {
  return connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options });
}

/** What the handshake has to wait for when the client's last flight comes, data, close_notify and FIN right behind it. */
const WAITS: Readonly<Record<string, NodeServerOptions>> = {
  'a verdict on the client': {
    clientAuth: { mode: 'require', verifyClient: () => new Promise((resolve) => setTimeout(() => resolve(true), 20)) },
    sessions: { idContext: Uint8Array.of(1) },
  },
  'data of a ticket': {
    tickets: { onGenerate: () => new Promise((resolve) => setTimeout(() => resolve(new Uint8Array(1)), 20)) },
  },
};

for (const version of VERSIONS) {
  describe(`a client that says everything at once and leaves, ${version}`, () => {
    for (const [wait, options] of Object.entries(WAITS)) {
      for (const certificate of ['ecdsaP256', 'rsa2048'] as const) {
        it(`loses nothing while the handshake waits for ${wait}, its certificate ${certificate}`, async () => {
          for (const kind of ['node:tls', 'ours'] as const) {
            const texts: Promise<string>[] = [];
            const running = await start(
              kind,
              (socket) => {
                texts.push(textOf(socket));
                socket.on('end', () => socket.end('and the answer'));
              },
              {
                options: { allowHalfOpen: true, ...options },
                nodeOptions: { allowHalfOpen: true, requestCert: true, rejectUnauthorized: false },
              },
            );
            for (let i = 0; i < 3; i++) {
              const client = connectTo(running.port, { ...only(version), ...certificates[certificate] });
              client.end('all that I have to say');
              expect(await textOf(client), kind).to.equal('and the answer');
            }
            expect(await Promise.all(texts)).to.deep.equal(Array.from({ length: 3 }, () => 'all that I have to say'));
            await closed(running);
          }
        });
      }
    }
  });
}
/** Applications that do not read, or not yet. */
const APPLICATIONS: Readonly<Record<string, Application>> = {
  'does nothing': () => {},
  'only writes': (socket) => socket.write('hello'),
  'is paused': (socket) => socket.pause(),
  "listens for 'readable' and does not read": (socket) => socket.on('readable', () => {}),
  'has ended its own direction': (socket) => socket.end('bye'),
  'is corked': (socket) => {
    socket.cork();
    socket.write('hello');
  },
};

/** How a client leaves: over a transport of its own, which can end without a close_notify. */
const LEAVING: Readonly<Record<string, (client: TLSSocket, transport: Socket) => void>> = {
  'close_notify and FIN': (client) => client.end(),
  'FIN alone': (_, transport) => transport.end(),
  'a reset': (_, transport) => transport.resetAndDestroy(),
};

for (const version of VERSIONS) {
  describe(`a server that does not read, ${version}`, () => {
    for (const [how, leave] of Object.entries(LEAVING)) {
      for (const [what, application] of Object.entries(APPLICATIONS)) {
        it(`hears of ${how} when it ${what}, as with node:tls`, async () => {
          const heard = await inBoth(async (kind) => {
            const running = await start(kind, application);
            const transport = connectPlain(running.port, '127.0.0.1');
            const client = connectTo(0, { ...only(version), socket: transport });
            client.on('error', () => {});
            await Promise.all([once(running.server, 'secureConnection'), once(client, 'secureConnect')]);
            if (version === 'TLSv1.3') await once(client, 'session'); // nothing of ours is under way
            leave(client, transport);
            await closed(running);
            await until(() => running.heard.at(-1)?.startsWith('close') === true);
            client.destroy();
            return running.heard;
          });
          expect(heard.ours).to.deep.equal(heard['node:tls']);
        });
      }

      it(`keeps its own direction open with allowHalfOpen, and hears of ${how}, as with node:tls`, async () => {
        const allowHalfOpen = { allowHalfOpen: true };
        const heard = await inBoth(async (kind) => {
          const sockets: AnySocket[] = [];
          const both = { options: allowHalfOpen, nodeOptions: allowHalfOpen };
          const running = await start(kind, (socket) => sockets.push(socket), both);
          const transport = connectPlain(running.port, '127.0.0.1');
          const client = connectTo(0, { ...only(version), socket: transport });
          client.on('error', () => {});
          await Promise.all([once(running.server, 'secureConnection'), once(client, 'secureConnect')]);
          if (version === 'TLSv1.3') await once(client, 'session');
          leave(client, transport);
          await until(() => running.heard.length > 0);
          const isWritable = sockets[0]?.writable;
          sockets[0]?.end('the last');
          client.on('data', () => {});
          await closed(running);
          await until(() => running.heard.at(-1)?.startsWith('close') === true);
          client.destroy();
          return [isWritable, ...running.heard];
        });
        expect(heard.ours).to.deep.equal(heard['node:tls']);
      });
    }
  });
}

/** The outcome of the same for a server of each kind. */
async function inBoth<T>(run: (kind: keyof typeof KINDS) => Promise<T>): Promise<Record<keyof typeof KINDS, T>> {
  return { 'node:tls': await run('node:tls'), ours: await run('ours') };
}

describe('a listener that throws', () => {
  /** Collects what listeners throw, in place of mocha. */
  async function catching(run: (thrown: string[]) => Promise<void>): Promise<void> {
    const others = process.listeners('uncaughtException');
    const thrown: string[] = [];
    process.removeAllListeners('uncaughtException').on('uncaughtException', (error) => thrown.push(error.message));
    try {
      await run(thrown);
    } finally {
      process.removeAllListeners('uncaughtException');
      for (const other of others) process.on('uncaughtException', other);
    }
  }

  function raise(message: string): never {
    throw new Error(message);
  }

  for (const version of VERSIONS) {
    it(`for data leaves what follows as it is, as with node:tls, ${version}`, async () => {
      await catching(async (thrown) => {
        const outcome = await inBoth(async (kind) => {
          thrown.length = 0;
          let text = '';
          const running = await start(kind, (socket) => {
            socket.setEncoding('latin1').on('data', (piece: string) => {
              text += piece;
              raise('data');
            });
          });
          const client = connectTo(running.port, only(version));
          for (const piece of ['one ', 'two ', 'three']) {
            const before = thrown.length;
            client.write(piece);
            await until(() => thrown.length > before);
          }
          client.end();
          await closed(running);
          return { text, thrown: [...thrown] };
        });
        expect(outcome.ours).to.deep.equal(outcome['node:tls']);
        expect(outcome.ours.text).to.equal('one two three');
      });
    });

    for (const event of ['keylog', 'tlsEvent'] as const) {
      it(`for ${event} does not keep the connection from going on, ${version}`, async () => {
        await catching(async (thrown) => {
          const running = await start('ours', (socket) => socket.end('bye'));
          running.server.on(event, () => raise(event));
          expect(await textOf(connectTo(running.port, only(version)))).to.equal('bye');
          await closed(running);
          expect(new Set(thrown)).to.deep.equal(new Set([event]));
        });
      });
    }

    it(`for 'secure' does not hold back what has been written, ${version}`, async () => {
      await catching(async (thrown) => {
        const [left, right] = memoryPair();
        const socket = accept(left, { credentials, crypto: testProvider });
        socket.on('secure', () => raise('secure')).end('bye');
        expect(await textOf(connectTo(0, { ...only(version), socket: right }))).to.equal('bye');
        expect(thrown).to.deep.equal(['secure']);
      });
    });
  }

  it('at the end does not keep the transport open, nor replace the error', async () => {
    await catching(async (thrown) => {
      const running = await start('ours', () => {}, { options: { sessions: { removeUnclean: VERSIONS } } });
      const client = connectTo(running.port, {});
      const [[socket]] = await Promise.all([once(running.server, 'secureConnection'), once(client, 'session')]);
      socket.on('tlsEvent', () => raise('told'));
      socket.destroy(new Error('the reason'));
      const [error] = await once(socket, 'error');
      expect(error.message).to.equal('the reason');
      client.destroy();
      await closed(running);
      expect(new Set(thrown)).to.deep.equal(new Set(['told']));
    });
  });
});

/** What an application may do to a socket at any time. */
const DEEDS: Readonly<Record<string, (socket: AnySocket) => void>> = {
  'destroy()': (socket) => socket.destroy(),
  'destroy(error)': (socket) => socket.destroy(new Error('enough')),
  'end() and destroy()': (socket) => socket.end('bye').destroy(),
  'destroySoon()': (socket) => (socket.resume() as TlsSocket).destroySoon(),
  'end() twice': (socket) => socket.end('bye').end(),
  'write() after end()': (socket) => socket.end('bye').write('too late'),
  'write() after destroy()': (socket) => socket.destroy().write('too late', () => {}),
};

describe('a socket that fails', () => {
  it('reads on for a while, so that its alert is not lost, also where the application reads nothing', async () => {
    const [left, right] = memoryPair();
    const socket = accept(left, { credentials, crypto: testProvider });
    const client = new ScriptedClient({});
    right.on('data', (bytes: Uint8Array) => {
      client.receive(bytes);
      right.write(client.take());
    });
    right.write(client.take());
    await once(socket, 'secure');
    client.sendData(new Uint8Array(100_000));
    const noRecord = Uint8Array.of(23, 3, 3, 0, 20, ...new Uint8Array(20));
    const failed = once(socket, 'error');
    right.write(concat(client.take(), noRecord));
    const [error] = await failed;
    expect(error.alert).to.equal('bad_record_mac');
    expect(left.readableFlowing).to.equal(true);
    right.destroy();
  });
});

describe('a socket that is ended', () => {
  for (const [deed, act] of Object.entries(DEEDS)) {
    for (const moment of ['secureConnection', 'data', 'end'] as const) {
      it(`by ${deed} in a listener of '${moment}' ends as with node:tls`, async () => {
        const heard = await inBoth(async (kind) => {
          const running = await start(kind, (socket) => {
            if (moment === 'secureConnection') act(socket.resume());
            else socket.on(moment, () => act(socket)).resume();
            socket.on('close', () => running.server.emit('gone'));
          });
          const client = connectTo(running.port, {});
          client.on('error', () => {}).resume();
          const gone = once(running.server, 'gone');
          client.on('secureConnect', () => (moment === 'end' ? client.end() : client.write('x')));
          client.on('end', () => client.end());
          await gone;
          client.destroy();
          await closed(running);
          return running.heard.filter((name) => name !== 'end');
        });
        expect(heard.ours).to.deep.equal(heard['node:tls']);
        expect(heard.ours.filter((name) => name === 'error').length).to.be.at.most(1);
        expect(heard.ours.at(-1)).to.match(/^close/);
      });
    }
  }

  for (const [state, hello] of [
    ['a client that says nothing', ''],
    ['a client in the middle of its hello', '16030100'],
  ] as const) {
    it(`by close() of the server waits for ${state}, and is done when that has gone, as with node:tls`, async () => {
      const outcome = await inBoth(async (kind) => {
        const errors: string[] = [];
        const running = await start(kind, () => {});
        running.server.on('tlsClientError', (error: NodeJS.ErrnoException) => errors.push(`${error.code}`));
        const transport = connectPlain(running.port, '127.0.0.1').on('error', () => {});
        await once(running.server, 'connection');
        transport.write(Buffer.from(hello, 'hex'));
        let isClosed = false;
        const done = closed(running).then(() => {
          isClosed = true;
        });
        await new Promise((resolve) => setTimeout(resolve, 20));
        const wasClosed = isClosed;
        transport.end();
        await done;
        return [wasClosed, errors];
      });
      expect(outcome.ours).to.deep.equal(outcome['node:tls']);
    });
  }
});
