/** Which ends take the session along: SSL_shutdown(3), SSL_set_shutdown(3), SSL_free(3), SSL_clear(3), and `sessions.removeUnclean`. */

import { once } from 'node:events';
import { connect as connectPlain } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { expect } from 'chai';
import { ServerConnection } from '../../src/engine/server/server-connection.ts';
import type { TlsSocket } from '../../src/node/index.ts';
import {
  SSL_OP_IGNORE_UNEXPECTED_EOF,
  SSL_RECEIVED_SHUTDOWN,
  SSL_SENT_SHUTDOWN,
  SSL_SESSION_is_resumable,
  Ssl,
  type SslContext,
} from '../../src/openssl.ts';
import type { Version } from '../../src/wire/registry.ts';
import { only, startServer, stopServers, visit as visitTls } from '../node/support.ts';
import type { Exchange } from '../support/exchange.ts';
import { exchange, ScriptedClient } from '../support/scripted-client.ts';
import { testServer, toyCrypto } from '../support/servers.ts';
import { TestWorld } from '../support/world.ts';
import { resumed, returning, session, sessionOf } from './sessions.ts';
import { again, connect, context, type Pair, pass } from './support.ts';

let world: TestWorld;

beforeEach(() => {
  world = new TestWorld(51);
});

/** A server under test, as its versions and its option have it. */
interface Policy {
  readonly version: Version;
  readonly removeUnclean: readonly Version[] | undefined;
  /** Whether a missing close_notify has the session removed. */
  readonly isStrict: boolean;
}

const POLICIES: readonly Policy[] = [
  { version: 'TLSv1.2', removeUnclean: undefined, isStrict: true },
  { version: 'TLSv1.3', removeUnclean: undefined, isStrict: false },
  { version: 'TLSv1.3', removeUnclean: ['TLSv1.2', 'TLSv1.3'], isStrict: true },
  { version: 'TLSv1.2', removeUnclean: [], isStrict: false },
];

function title({ version, removeUnclean }: Policy): string {
  return `${version}, removeUnclean ${removeUnclean === undefined ? 'by default' : `[${removeUnclean}]`}`;
}

interface Row {
  readonly name: string;
  /** What happens, up to SSL_free(3) or in its place. */
  act(pair: Pair): void;
  /** When the session goes, and why; nothing: it is kept. */
  readonly removed?: 'at once' | 'by free';
  readonly reason?: 'unclean' | 'alert-sent' | 'alert-received';
}

function receiveCloseNotify({ client, ssl }: Pair): void {
  client.close();
  ssl.receive(client.take());
}

/** A record that nobody has sealed. */
const FORGED = Uint8Array.of(23, 3, 3, 0, 32, ...new Uint8Array(32));

const ROWS: readonly Row[] = [
  {
    name: 'SSL_shutdown() once, then SSL_free()',
    act: (pair) => {
      expect(pair.ssl.shutdown()).to.equal(0);
      expect(pass(pair).client.isEnded).to.equal(true);
      expect(pair.ssl.getShutdown()).to.equal(SSL_SENT_SHUTDOWN);
    },
  },
  {
    name: 'SSL_shutdown() both ways',
    act: (pair) => {
      pair.ssl.shutdown();
      receiveCloseNotify(pair);
      expect(pair.ssl.shutdown()).to.equal(1);
    },
  },
  {
    name: 'SSL_shutdown() after the peer’s close_notify',
    act: (pair) => {
      receiveCloseNotify(pair);
      expect(pair.ssl.shutdown()).to.equal(1);
    },
  },
  {
    name: 'SSL_shutdown() that is quiet: nothing is sent',
    act: (pair) => {
      pair.ssl.setQuietShutdown(1);
      expect(pair.ssl.shutdown()).to.equal(1);
      expect(pair.ssl.getShutdown()).to.equal(SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
      expect(pair.ssl.take()).to.have.lengthOf(0);
    },
  },
  {
    name: 'SSL_set_shutdown(SENT): nothing is sent',
    act: ({ ssl }) => {
      ssl.setShutdown(SSL_SENT_SHUTDOWN);
      expect(ssl.take()).to.have.lengthOf(0);
    },
  },
  {
    name: 'SSL_set_shutdown(SENT), and then the transport ends',
    act: ({ ssl }) => {
      ssl.setShutdown(SSL_SENT_SHUTDOWN);
      ssl.receiveEof();
    },
  },
  {
    name: 'SSL_shutdown(), and then the transport ends',
    act: ({ ssl }) => {
      ssl.shutdown();
      ssl.receiveEof();
    },
  },
  {
    name: 'the peer’s close_notify and the end of the transport, then SSL_shutdown()',
    act: (pair) => {
      receiveCloseNotify(pair);
      pair.ssl.receiveEof();
      expect(pair.ssl.shutdown()).to.equal(1);
    },
  },
  { name: 'SSL_free() alone', act: () => {}, removed: 'by free', reason: 'unclean' },
  {
    name: 'SSL_set_shutdown(RECEIVED)',
    act: ({ ssl }) => ssl.setShutdown(SSL_RECEIVED_SHUTDOWN),
    removed: 'by free',
    reason: 'unclean',
  },
  {
    name: 'the peer’s close_notify, and none of ours',
    act: (pair) => {
      receiveCloseNotify(pair);
      expect(pair.ssl.getShutdown()).to.equal(SSL_RECEIVED_SHUTDOWN);
      pair.ssl.receiveEof();
    },
    removed: 'by free',
    reason: 'unclean',
  },
  {
    name: 'quiet shutdown is set, but SSL_shutdown() is not called',
    act: ({ ssl }) => ssl.setQuietShutdown(1),
    removed: 'by free',
    reason: 'unclean',
  },
  {
    name: 'the end of the transport: SSL_shutdown() fails after that',
    act: ({ ssl }) => {
      ssl.receiveEof();
      expect(ssl.shutdown()).to.equal(-1);
      expect(ssl.getShutdown()).to.equal(0);
    },
    removed: 'at once',
    reason: 'unclean',
  },
  {
    name: 'the end of the transport with SSL_OP_IGNORE_UNEXPECTED_EOF',
    act: ({ ssl }) => {
      ssl.setOptions(SSL_OP_IGNORE_UNEXPECTED_EOF);
      ssl.receiveEof();
      expect(ssl.getShutdown()).to.equal(SSL_RECEIVED_SHUTDOWN);
    },
    removed: 'by free',
    reason: 'unclean',
  },
  {
    name: 'the end of the transport with SSL_OP_IGNORE_UNEXPECTED_EOF, then SSL_shutdown()',
    act: ({ ssl }) => {
      ssl.setOptions(SSL_OP_IGNORE_UNEXPECTED_EOF);
      ssl.receiveEof();
      expect(ssl.shutdown()).to.equal(1);
    },
  },
  {
    name: 'a record that does not open: a fatal alert is sent',
    act: ({ client, ssl }) => {
      ssl.receive(FORGED);
      client.receive(ssl.take());
      expect(client.alert?.name).to.equal('bad_record_mac');
      expect(ssl.shutdown()).to.equal(-1);
    },
    removed: 'at once',
    reason: 'alert-sent',
  },
  {
    name: 'a fatal alert of the peer’s',
    act: ({ client, ssl }) => {
      client.sendAlert('bad_certificate');
      ssl.receive(client.take());
      expect(ssl.shutdown()).to.equal(-1);
    },
    removed: 'at once',
    reason: 'alert-received',
  },
  {
    name: 'SSL_clear() instead of SSL_free()',
    act: ({ ssl }) => {
      ssl.clear();
      expect(ssl.getShutdown()).to.equal(0);
    },
    removed: 'at once',
    reason: 'unclean',
  },
  {
    name: 'SSL_shutdown(), then SSL_clear()',
    act: ({ ssl }) => {
      const current = ssl.getSession();
      ssl.shutdown();
      ssl.clear();
      expect(ssl.getSession()).to.equal(current);
    },
  },
];

for (const policy of POLICIES) {
  const { version, removeUnclean, isStrict } = policy;

  describe(`the end of a connection: ${title(policy)}`, () => {
    let ctx: SslContext;
    /** What remove has been told of sessions that are current, and of others. */
    let told: string[];

    beforeEach(() => {
      ctx = context(world, { sessions: { removeUnclean } });
    });

    function open(options = {}): Pair {
      const pair = connect(ctx, { version, ...options });
      const current = pair.ssl.getSession();
      told = [];
      ctx.setRemoveSessionCallback((_ctx, gone, reason) => {
        told.push(`${reason} ${gone === current ? 'current' : 'another'} ${SSL_SESSION_is_resumable(gone)}`);
      });
      return pair;
    }

    /** Whether the current session, and the first ticket of two, still resume. */
    function expectLeft({ client }: Pair, isKept: boolean): void {
      ctx.setRemoveSessionCallback(null);
      const current = connect(ctx, returning(client, 1));
      expect(resumed(current), 'the current session').to.equal(isKept);
      if (version === 'TLSv1.3') expect(resumed(connect(ctx, returning(client, 0))), 'the first ticket').to.equal(true);
    }

    for (const { name, act, removed, reason } of ROWS) {
      const goes = removed !== undefined && (isStrict || reason !== 'unclean') ? removed : undefined;

      it(`${goes === undefined ? 'keeps' : `removes ${goes}`}: ${name}`, () => {
        const pair = open();
        const number = ctx.sessNumber();
        const kept = pair.ssl.get1Session();
        expect(kept && SSL_SESSION_is_resumable(kept)).to.equal(1);
        act(pair);
        const gone = [`${reason} current 0`];
        expect(told).to.deep.equal(goes === 'at once' ? gone : []);
        pair.ssl.free();
        expect(told).to.deep.equal(goes === undefined ? [] : gone);
        expect(kept && SSL_SESSION_is_resumable(kept), 'to whoever holds it').to.equal(goes === undefined ? 1 : 0);
        expect(ctx.sessNumber()).to.equal(number - told.length);
        expectLeft(pair, goes === undefined);
      });
    }

    it('SSL_clear() of an unclean connection leaves it without a session, ready for another', () => {
      const pair = open();
      pair.ssl.clear();
      expect(pair.ssl.getSession()).to.equal(null);
      const second = pass({
        client: new ScriptedClient({ sni: 'localhost', crypto: toyCrypto, version }),
        ssl: pair.ssl,
      });
      expect([second.ssl.isInitFinished(), second.client.isEstablished]).to.deep.equal([1, true]);
      expect(sessionOf(second.ssl).isResumable).to.equal(true);
    });

    it('in mid-handshake nothing goes, and nobody is told', () => {
      const first = open();
      for (const options of [{ version }, again(first)]) {
        const stopBefore = 'finished';
        const client = new ScriptedClient({ sni: 'localhost', crypto: toyCrypto, ...options, stopBefore });
        const pair = pass({ client, ssl: new Ssl(ctx) });
        expect([client.stoppedBefore, pair.ssl.isInitFinished()]).to.deep.equal(['finished', 0]);
        expect(pair.ssl.shutdown()).to.equal(-1);
        pair.ssl.free();
      }
      const unused = new Ssl(ctx);
      unused.accept();
      unused.receiveEof();
      unused.free();
      expect(told).to.deep.equal([]);
      expectLeft(first, true);
    });

    it('goes for the session of a resumption: in TLS 1.3 its new ticket, not that resumed from', () => {
      const first = open();
      first.ssl.shutdown();
      const second = open(again(first));
      expect(resumed(second)).to.equal(true);
      second.ssl.free();
      expect(told).to.deep.equal(isStrict ? ['unclean current 0'] : []);
      const isKept = version === 'TLSv1.3' || !isStrict;
      expect(resumed(connect(ctx, again(first)))).to.equal(isKept);
      if (version === 'TLSv1.3') expect(resumed(connect(ctx, returning(second.client)))).to.equal(!isStrict);
    });

    it('of a session that nobody can resume tells nobody', () => {
      ctx.setNotResumableSessionCallback(() => 1);
      open().ssl.free();
      expect(told).to.deep.equal([]);
    });

    it('a session that has left before is not told of again', () => {
      const pair = open();
      ctx.removeSession(pair.ssl.getSession());
      ctx.addSession(session(7, 2 ** 40));
      pair.ssl.free();
      expect(told).to.deep.equal(['removed current 0']);
    });
  });

  describe(`the end of a ServerConnection: ${title(policy)}`, () => {
    const goes = isStrict ? ['unclean'] : [];
    const ends: readonly (readonly [string, string[], string[], (exchange: Exchange) => void])[] = [
      ['dispose()', [], goes, () => {}],
      ['dispose(true)', [], [], ({ connection }) => void connection.dispose(true)],
      ['end()', [], [], ({ connection }) => void connection.end()],
      ['transportEnded()', goes, goes, ({ connection }) => void connection.transportEnded()],
      [
        'end(), then transportEnded()',
        [],
        [],
        ({ connection }) => {
          connection.end();
          connection.transportEnded();
        },
      ],
      [
        "the peer's close_notify, then transportEnded()",
        [],
        goes,
        (open) => {
          open.client.close();
          open.run();
          open.step(open.connection.transportEnded());
        },
      ],
      [
        "the peer's close_notify, then end()",
        [],
        [],
        (open) => {
          open.client.close();
          open.run();
          open.step(open.connection.end());
        },
      ],
    ];
    for (const [name, atOnce, inTheEnd, act] of ends) {
      it(`${inTheEnd.length === 0 ? 'keeps' : 'removes'} its session: ${name}`, () => {
        const told: string[] = [];
        const config = testServer({
          world,
          crypto: toyCrypto,
          sessions: { removeUnclean, onRemove: (_session, reason) => void told.push(reason) },
        });
        const client = new ScriptedClient({ sni: 'localhost', crypto: toyCrypto, version });
        const open = exchange(client, new ServerConnection(config));
        const current = open.connection.session?.upRef();
        const number = config.statistics().number;
        act(open);
        expect(told).to.deep.equal(atOnce);
        open.connection.dispose();
        open.connection.dispose();
        expect(told).to.deep.equal(inTheEnd);
        expect(current?.isResumable).to.equal(inTheEnd.length === 0);
        expect(config.statistics().number).to.equal(number - inTheEnd.length);
      });
    }
  });

  describe(`the end of a socket of the Node shell: ${title(policy)}`, () => {
    afterEach(stopServers);

    /** A client and its socket on the server, after data has gone both ways, so that the client has all its tickets. */
    async function meet() {
      const told: string[] = [];
      const sockets: TlsSocket[] = [];
      const { server, port } = await startServer(
        { sessions: { removeUnclean, onRemove: (_session, reason) => void told.push(reason) } },
        (socket) => {
          if (sockets.push(socket) === 1) socket.on('error', () => {}).write('hello');
          else socket.end('bye');
        },
      );
      const wire = connectPlain({ host: '127.0.0.1', port });
      const client = connectTls({ socket: wire, rejectUnauthorized: false, servername: 'localhost', ...only(version) });
      const sessions: Buffer[] = [];
      client.on('session', (made: Buffer) => sessions.push(made));
      client.on('error', () => {});
      await once(client, 'data');
      const [socket] = sockets;
      if (socket === undefined) throw new Error('no socket');
      socket.resume();
      client.write('hello');
      await once(socket, 'data');
      return { server, port, wire, client, socket, told, session: sessions.at(-1) };
    }

    type Meeting = Awaited<ReturnType<typeof meet>>;
    const ends: readonly (readonly [string, boolean, (meeting: Meeting) => void])[] = [
      ['socket.end()', true, ({ socket }) => void socket.end()],
      ['socket.destroySoon()', true, ({ socket }) => void socket.destroySoon()],
      ['socket.destroy()', false, ({ socket }) => void socket.destroy()],
      ['the client says close_notify', true, ({ client }) => void client.end()],
      ['the client vanishes without close_notify', false, ({ wire }) => void wire.destroy()],
      ['the client resets the connection', false, ({ wire }) => void wire.resetAndDestroy()],
    ];
    for (const [name, isClean, act] of ends) {
      const isKept = isClean || !isStrict;

      it(`${isKept ? 'keeps' : 'removes'} the session: ${name}`, async () => {
        const meeting = await meet();
        const closed = new Promise((resolve) => meeting.socket.once('close', resolve));
        meeting.client.resume();
        act(meeting);
        await closed;
        meeting.client.destroy();
        expect(meeting.told).to.deep.equal(isKept ? [] : ['unclean']);
        const { port, session: offered } = meeting;
        expect((await visitTls({ port, session: offered, ...only(version) })).isReused).to.equal(isKept);
      });
    }
  });
}

describe('quiet shutdown', () => {
  it('of a context is copied by the connections that are made after it', () => {
    const ctx = context(world);
    const before = new Ssl(ctx);
    ctx.setQuietShutdown(1);
    expect([ctx.getQuietShutdown(), before.getQuietShutdown(), new Ssl(ctx).getQuietShutdown()]).to.deep.equal([
      1, 0, 1,
    ]);
  });
});

describe('SSL_set_shutdown(3)', () => {
  it('sets the state as a whole', () => {
    const ctx = context(world);
    const first = connect(ctx, { version: 'TLSv1.2' });
    first.ssl.setShutdown(SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    expect(first.ssl.getShutdown()).to.equal(3);
    first.ssl.setShutdown(0);
    expect(first.ssl.getShutdown()).to.equal(0);
    first.ssl.free();
    expect(resumed(connect(ctx, again(first)))).to.equal(false);
  });

  it('SENT ends writing', () => {
    const { ssl } = connect(context(world), {});
    expect(ssl.write(Uint8Array.of(1))).to.equal(1);
    ssl.setShutdown(SSL_SENT_SHUTDOWN);
    expect(ssl.write(Uint8Array.of(1))).to.equal(-1);
  });
});

describe('SSL_shutdown(3)', () => {
  it('of a connection that has not begun is −1, and begins none', () => {
    const ctx = context(world);
    expect(new Ssl(ctx).shutdown()).to.equal(-1);
    expect(ctx.sessAccept()).to.equal(0);
  });
});
