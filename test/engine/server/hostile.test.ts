/** What peers and stores may do to a server without ending a session, a connection or a process; and what is wiped after all. */

import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { expect } from 'chai';
import { give } from '../../../src/cache/callbacks.ts';
import { SessionCache } from '../../../src/cache/session-cache.ts';
import type { Aead, CryptoProvider, KeyAgreement } from '../../../src/crypto/provider.ts';
import { noble } from '../../../src/crypto/providers/noble.ts';
import { Driver } from '../../../src/engine/driver.ts';
import type { ServerConfig } from '../../../src/engine/server/config.ts';
import type { ServerOptions } from '../../../src/engine/server/options.ts';
import { ServerConnection } from '../../../src/engine/server/server-connection.ts';
import type { Session } from '../../../src/sessions/session.ts';
import { ExtensionType } from '../../../src/wire/registry.ts';
import { startServer, stopServers } from '../../node/support.ts';
import { Exchange, exchangeAsync } from '../../support/exchange.ts';
import { uncaughtIn, unhandledIn } from '../../support/rejections.ts';
import { type ClientOptions, exchange, ScriptedClient } from '../../support/scripted-client.ts';
import { withRawExtension } from '../../support/scripted-hello.ts';
import { testServer, toyCrypto } from '../../support/servers.ts';
import { TestWorld } from '../../support/world.ts';

type SessionOptions = NonNullable<ServerOptions['sessions']>;
const VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const;
const SHELL = { send: () => {}, attend: () => {}, crash: () => {} };
let world: TestWorld;

beforeEach(() => {
  world = new TestWorld(11);
});

function server(sessions: SessionOptions = {}, options: Partial<ServerOptions> = {}): ServerConfig {
  return testServer({ world, crypto: toyCrypto, sessions, ...options });
}

function client(options: ClientOptions): ScriptedClient {
  return new ScriptedClient({ sni: 'localhost', crypto: toyCrypto, ...options });
}

function connect(config: ServerConfig, options: ClientOptions): Exchange {
  return exchange(client(options), new ServerConnection(config));
}

function again({ client: before, connection }: Exchange): ClientOptions {
  const { version } = connection;
  return version === 'TLSv1.2' ? { version, session: before.session } : { psks: before.tickets.slice(0, 1) };
}

describe('hostile peers', () => {
  const record = (type: number, ...content: readonly number[]) =>
    Uint8Array.of(type, 3, 3, 0, content.length, ...content);
  const interferences: Readonly<Record<string, (connection: ServerConnection) => unknown>> = {
    'an alert in the clear': (connection) => connection.receive(record(21, 2, 40)),
    'a close_notify in the clear': (connection) => connection.receive(record(21, 1, 0)),
    'a ChangeCipherSpec and an alert': (connection) => {
      connection.receive(record(20, 1));
      connection.receive(record(21, 2, 40));
    },
    'a handshake message in the clear': (connection) => connection.receive(record(22, 20, 0, 0, 0)),
    'a record that does not open': (connection) => connection.receive(record(23, ...new Uint8Array(40))),
    'no record of any kind': (connection) => connection.receive(Uint8Array.of(99, 99, 99, 0, 0)),
    'the end of the transport': (connection) => connection.transportEnded(),
    'the end of the connection': (connection) => connection.end(),
  };
  for (const version of VERSIONS) {
    for (const [what, interfere] of Object.entries(interferences)) {
      it(`${what} before the Finished removes no session, be the hello live or replayed, ${version}`, () => {
        const left: string[] = [];
        const onRemove = (_: Session, reason: string) => void left.push(reason);
        const config = server({ onRemove, removeUnclean: VERSIONS });
        const first = connect(config, { version });
        first.connection.end();
        const attacked = new ServerConnection(config);
        attacked.receive(client(again(first)).take());
        interfere(attacked);
        attacked.dispose();
        expect(left).to.deep.equal([]);
        expect(connect(config, again(first)).connection.resumption.resumed).to.equal(true);
      });
    }
  }

  it('ten times as many key shares take some ten times the work, and not a hundred times', () => {
    const u16 = (value: number) => [value >> 8, value & 255];
    const helloWith = (count: number): Uint8Array => {
      const groups = Array.from({ length: 2.5 * count }, (_, i) => 0x4000 + i);
      const shares = groups.slice(-count).flatMap((group) => [...u16(group), 0, 1, 1]);
      const rewriteExtensions: ClientOptions['rewriteExtensions'] = (list) =>
        [
          { type: ExtensionType.supported_groups, data: Uint8Array.from([...u16(5 * count), ...groups.flatMap(u16)]) },
          { type: ExtensionType.key_share, data: Uint8Array.from([...u16(shares.length), ...shares]) },
        ].reduce(withRawExtension, [...list]);
      return client({ rewriteExtensions }).take();
    };
    // CPU time of the process, which some systems count in ticks of milliseconds.
    const work = (hello: Uint8Array, times: number): number => {
      const start = process.cpuUsage();
      for (let i = 0; i < times; i++) new ServerConnection(server()).receive(hello);
      const { user, system } = process.cpuUsage(start);
      return user + system;
    };
    const [many, few] = [helloWith(6400), helloWith(640)];
    work(many, 10);
    expect(work(many, 10) / work(few, 100)).to.be.below(4);
  });

  it('early data in records too short for a tag is idle', () => {
    const { connection } = exchange(
      client({ earlyData: true, stopBefore: 'finished' }),
      new ServerConnection(server()),
    );
    const records = Array.from({ length: 100 }, () => [23, 3, 3, 0, 1, 7]).flat();
    const { events } = connection.receive(Uint8Array.from(records));
    expect(events.map(({ type }) => type)).to.include('failed');
  });

  it('the answers to our own key updates are not idle', () => {
    const { connection, ...rest } = connect(server(), {});
    const ex = new Exchange(rest.client, connection);
    for (let i = 0; i < 40; i++) {
      ex.step(connection.updateKeys(true)).run();
      ex.step(connection.write(Uint8Array.of(i))); // without data, they are idle records to the client
    }
    expect(connection.canWrite).to.equal(true);
  });
});

for (const version of VERSIONS) {
  describe(`hostile stores in ${version}`, () => {
    const answers: Record<string, (session: Session) => unknown> = {
      'give() of nothing': () => give(undefined as never),
      'give() of bytes': (session) => give(session.toDer() as never),
      'give() of a Proxy': (session) => give(new Proxy(session, {})),
      'what throws when asked for then': () => ({
        // biome-ignore lint/suspicious/noThenProperty: that is the point.
        get then() {
          throw new Error('then');
        },
      }),
      'a revoked Proxy': () => {
        const { proxy, revoke } = Proxy.revocable({}, {});
        revoke();
        return proxy;
      },
    };
    for (const [what, answer] of Object.entries(answers)) {
      for (const isAsync of [false, true]) {
        it(`onGet answers ${isAsync ? 'later ' : ''}${what}: a full handshake and an event`, async () => {
          let known: Session | undefined;
          const onGet = () =>
            isAsync ? Promise.resolve().then(() => answer(known as Session)) : answer(known as Session);
          const onNew = (session: Session) => {
            known ??= session;
            return true;
          };
          const config = server({ cache: false, onNew, onGet: onGet as never });
          const first = connect(config, { version });
          const second = await exchangeAsync(client(again(first)), new ServerConnection(config));
          expect(second.connection.isEstablished).to.equal(true);
          expect(second.connection.resumption.reason).to.equal('store-error');
          expect(second.has('callback-error')).to.equal(true);
          second.connection.dispose();
        });
      }
    }

    it('onNew answers what throws when asked for then: nothing is lost', () => {
      const told: Session[] = [];
      const onNew = (session: Session) => {
        told.push(session);
        return answers['what throws when asked for then']?.(session);
      };
      const { connection } = connect(server({ onNew: onNew as never }), { version });
      expect(connection.isEstablished).to.equal(true);
      connection.dispose(true);
      for (const session of told) expect(session.holds).to.equal(1);
    });

    it('a session that is given too late, and freed before, ends nothing', () => {
      let known: Session | undefined;
      const onNew = (session: Session) => {
        known ??= session;
        return true;
      };
      const config = server({ cache: false, onNew, onGet: () => new Promise(() => {}) });
      const first = connect(config, { version });
      first.connection.dispose();
      const second = exchange(client(again(first)), new ServerConnection(config));
      const { question } = second;
      second.answer({ late: true });
      known?.free();
      second.connection.answer(question as never, { value: give(known as Session) });
      expect(second.connection.isEstablished).to.equal(true);
    });

    it('onGet closes the connection and then rejects, or gives: neither a crash nor a lost hold', async () => {
      let driver: Driver<ServerConnection> | undefined;
      let known: Session | undefined;
      let isGenerous = false;
      const onNew = (session: Session) => {
        known ??= session;
        return true;
      };
      const onGet = async () => {
        driver?.run(() => (driver as Driver<ServerConnection>).connection.dispose());
        if (!isGenerous) throw new Error('banned');
        return give((known as Session).upRef());
      };
      const config = server({ cache: false, onNew, onGet });
      const first = connect(config, { version });
      first.connection.dispose(true);
      for (isGenerous of [false, true]) {
        driver = new Driver(new ServerConnection(config), SHELL, config.lookupTimeoutMs);
        const unhandled = await unhandledIn(() => driver?.receive(client(again(first)).take()));
        expect(unhandled).to.deep.equal([]);
        expect(known?.holds).to.equal(1);
      }
    });
  });
}

describe('hostile stores', () => {
  it('expired is the reason after a HelloRetryRequest, too', () => {
    let der: Uint8Array | undefined;
    const onNew = (session: Session) => {
      der ??= session.toDer();
    };
    const config = server({ cache: false, onNew, onGet: () => der });
    const first = connect(config, {});
    world.advance(8000);
    const { connection } = connect(config, { ...again(first), keyShares: [] });
    expect(connection.resumption.reason).to.equal('expired');
  });

  it('generateId with the very id that the client offers: its echo would say that it resumes', () => {
    const generateId = () => new Uint8Array(32).fill(9);
    const config = server({ cache: false, generateId, onNew: () => {}, onGet: () => undefined });
    const options = { version: 'TLSv1.2' } as const;
    const first = connect(config, options);
    const second = connect(config, { ...options, session: first.client.session });
    expect(second.client.isEstablished).to.equal(true);
    expect(second.client.isResumed).to.equal(false);
  });

  it('of two servers with one cache each hears of what it was told of', () => {
    const told: string[] = [];
    let der: Uint8Array | undefined;
    const cache = new SessionCache();
    const onNew = (session: Session) => {
      der ??= session.toDer();
    };
    const a = server({ cache, onNew, onRemove: () => void told.push('a') });
    const apart = { internalLookup: false, internalStore: false };
    const b = server({ cache, ...apart, onGet: () => der, onRemove: () => void told.push('b') });
    const { connection } = connect(b, again(connect(a, {})));
    b.removeSession(connection.resumption.session as Session);
    expect(told.sort()).to.deep.equal(['a', 'b']);
  });

  it('a keylog that calls the connection hears of each line once', () => {
    const lines: string[] = [];
    let connection: ServerConnection | undefined;
    const keylog = (line: string) => {
      lines.push(line);
      if (lines.length < 100) connection?.end();
    };
    connection = new ServerConnection(server({}, { keylog }));
    connection.receive(client({}).take());
    expect(lines.length).to.equal(new Set(lines).size);
  });
});

/** A provider that knows which of its keys have not been wiped. */
function bookkeeper() {
  const live = new Set<object>();
  const watched = <T extends { wipe(): void }>(key: T): T => {
    live.add(key);
    const wipe = () => {
      live.delete(key);
      key.wipe();
    };
    return { ...key, wipe };
  };
  const aead = (made: Aead): Aead => ({ ...made, key: (bytes) => watched(made.key(bytes)) });
  const group = toyCrypto.groups.x25519 as KeyAgreement;
  const crypto: CryptoProvider = {
    ...noble,
    aeads: {
      'aes-128-gcm': aead(noble.aeads['aes-128-gcm']),
      'aes-256-gcm': aead(noble.aeads['aes-256-gcm']),
      'chacha20-poly1305': aead(noble.aeads['chacha20-poly1305']),
    },
    groups: { x25519: { generate: (randomBytes) => watched(group.generate(randomBytes) as never) } },
  };
  return { live, crypto };
}

describe('keys of a handshake that comes to nothing are wiped', () => {
  for (const version of VERSIONS) {
    for (const isResumed of [false, true]) {
      for (const stopBefore of ['client_key_exchange', 'change_cipher_spec', 'finished'] as const) {
        it(`${version}, ${isResumed ? 'resumed' : 'full'}, before ${stopBefore}`, () => {
          const { live, crypto } = bookkeeper();
          const config = server({}, { crypto });
          const first = connect(config, { version });
          first.connection.end();
          first.connection.dispose();
          const { connection } = connect(config, { version, ...(isResumed ? again(first) : {}), stopBefore });
          connection.dispose();
          expect(live.size).to.equal(0);
        });
      }
    }
  }
});

describe('a listener that throws while its socket is destroyed', () => {
  afterEach(stopServers);

  it('leaves no transport behind', async () => {
    const transports: Socket[] = [];
    const { server: listening, port } = await startServer({}, (socket) => {
      socket.on('error', () => {});
      socket.on('tlsEvent', () => {
        throw new Error('the listener');
      });
      socket.destroy(); // in TLS 1.2 that removes the session, of which the listener hears
    });
    listening.on('connection', (transport) => void transports.push(transport));
    const peer = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false, maxVersion: 'TLSv1.2' });
    peer.on('error', () => {});
    const uncaught = await uncaughtIn(async () => {
      await once(peer, 'secureConnect');
      await delay(50);
    });
    expect(uncaught.map(({ message }) => message)).to.deep.equal(['the listener']); // as of any listener
    const isDestroyed = transports.map(({ destroyed }) => destroyed);
    for (const transport of transports) transport.destroy();
    expect(isDestroyed).to.deep.equal([true]);
  });
});
