/** SSL_CTX_set_session_cache_mode(3), flag by flag: under OpenSSL's numbers, and as named options. */

import { expect } from 'chai';
import type { SessionOptions } from '../../src/engine/server/options.ts';
import type { SessionStatistics } from '../../src/engine/server/statistics.ts';
import * as openssl from '../../src/openssl.ts';
import { SslContext } from '../../src/openssl.ts';
import type { Session } from '../../src/sessions/session.ts';
import type { Version } from '../../src/wire/registry.ts';
import type { ClientOptions, ScriptedClient } from '../support/scripted-client.ts';
import { testServer, toyCrypto } from '../support/servers.ts';
import { TestWorld } from '../support/world.ts';
import { resumed, returning, seconds, session, sessionOf, visit } from './sessions.ts';
import { connect, context, VERSIONS } from './support.ts';

const {
  SESS_CACHE_BOTH,
  SESS_CACHE_CLIENT,
  SESS_CACHE_NO_AUTO_CLEAR,
  SESS_CACHE_NO_INTERNAL,
  SESS_CACHE_NO_INTERNAL_LOOKUP,
  SESS_CACHE_NO_INTERNAL_STORE,
  SESS_CACHE_OFF,
  SESS_CACHE_SERVER,
  SESS_CACHE_UPDATE_TIME,
} = openssl;

let world: TestWorld;

beforeEach(() => {
  world = new TestWorld(21);
});

describe('constants and defaults of a context', () => {
  it("the numbers are OpenSSL's", () => {
    expect(openssl).to.include({
      SESS_CACHE_OFF: 0,
      SESS_CACHE_CLIENT: 1,
      SESS_CACHE_SERVER: 2,
      SESS_CACHE_BOTH: 3,
      SESS_CACHE_NO_AUTO_CLEAR: 0x80,
      SESS_CACHE_NO_INTERNAL_LOOKUP: 0x100,
      SESS_CACHE_NO_INTERNAL_STORE: 0x200,
      SESS_CACHE_NO_INTERNAL: 0x300,
      SESS_CACHE_UPDATE_TIME: 0x400,
      SSL_SESSION_CACHE_MAX_SIZE_DEFAULT: 20480,
      SSL_MAX_SSL_SESSION_ID_LENGTH: 32,
      SSL_MAX_SID_CTX_LENGTH: 32,
      SSL_SENT_SHUTDOWN: 1,
      SSL_RECEIVED_SHUTDOWN: 2,
      SSL_OP_NO_TICKET: 0x4000,
    });
  });

  it('a new context caches as a server, 20480 sessions, two hours each, two tickets', () => {
    const ctx = new SslContext(testServer({ world }));
    expect(ctx.getSessionCacheMode()).to.equal(SESS_CACHE_SERVER);
    expect(ctx.getSessionCacheSize()).to.equal(20480);
    expect(ctx.getTimeout()).to.equal(7200);
    expect(ctx.getNumTickets()).to.equal(2);
    expect(ctx.getOptions()).to.equal(0);
    expect(ctx.config.idContext).to.deep.equal(new Uint8Array(0));
    expect(ctx.sessNumber()).to.equal(0);
  });

  it('the mode is any number, and setting it answers the one before', () => {
    const ctx = context(world);
    expect(ctx.setSessionCacheMode(SESS_CACHE_OFF)).to.equal(SESS_CACHE_SERVER);
    expect(ctx.setSessionCacheMode(0xfff3)).to.equal(SESS_CACHE_OFF);
    expect(ctx.setSessionCacheMode(SESS_CACHE_BOTH | SESS_CACHE_NO_INTERNAL)).to.equal(0xfff3);
    expect(ctx.getSessionCacheMode()).to.equal(0x303);
  });

  it('the size: the one before, and 0 without effect for a negative one', () => {
    const ctx = context(world);
    expect(ctx.setSessionCacheSize(5)).to.equal(20480);
    expect(ctx.setSessionCacheSize(-1)).to.equal(0);
    expect(ctx.getSessionCacheSize()).to.equal(5);
    expect(ctx.setSessionCacheSize(0)).to.equal(5);
    expect(ctx.getSessionCacheSize()).to.equal(0);
  });

  it('the timeout: the one before, 0 for the default, nothing negative; sessions made before keep theirs', () => {
    const ctx = context(world);
    const timeouts = () => ctx.sessions().map(({ timeout }) => timeout);
    connect(ctx, { version: 'TLSv1.2' });
    expect(ctx.setTimeout(10)).to.equal(7200);
    expect(timeouts()).to.deep.equal([7200]);
    connect(ctx, { version: 'TLSv1.2' });
    expect(timeouts()).to.deep.equal([10, 7200]);
    expect(ctx.setTimeout(0)).to.equal(10);
    connect(ctx, { version: 'TLSv1.2' });
    expect(timeouts()).to.deep.equal([10, 7200, 7200]);
    expect(() => ctx.setTimeout(-1)).to.throw(RangeError);
  });

  it('what the server was defined with is what the context starts with', () => {
    const mode = (sessions: SessionOptions) => new SslContext(testServer({ world, sessions })).getSessionCacheMode();
    expect(mode({ mode: 'off' })).to.equal(SESS_CACHE_OFF);
    expect(mode({ mode: 'both', autoClear: false })).to.equal(SESS_CACHE_BOTH | SESS_CACHE_NO_AUTO_CLEAR);
    expect(mode({ internalLookup: false })).to.equal(SESS_CACHE_SERVER | SESS_CACHE_NO_INTERNAL_LOOKUP);
    expect(mode({ internalStore: false, updateTime: true })).to.equal(0x602);
    expect(mode({ cache: false })).to.equal(SESS_CACHE_SERVER | SESS_CACHE_NO_INTERNAL);
  });
});

/** A server with its callbacks written down, whichever API it was made with. */
interface Subject {
  /** Calls of the callbacks, in order. */
  readonly told: string[];
  add(session: Session): void;
  statistics(): SessionStatistics;
  /** A handshake and a clean end. */
  handshake(options: ClientOptions): { readonly client: ScriptedClient; readonly isResumed: boolean };
}

/** `outside` is what the get callback finds. */
type Make = (outside?: Session) => Subject;

function byNumber(mode: number): Make {
  return (outside = undefined) => {
    const told: string[] = [];
    const ctx = context(world);
    ctx.setSessionCacheMode(mode);
    ctx.setNewSessionCallback(() => told.push('new'));
    ctx.setGetSessionCallback(() => {
      told.push('get');
      return outside ?? null;
    });
    ctx.setRemoveSessionCallback((_ctx, _session, reason) => void told.push(`remove ${reason}`));
    return {
      told,
      add: (made) => void ctx.addSession(made),
      statistics: () => ctx.config.statistics(),
      handshake: (options) => {
        const { client, ssl } = connect(ctx, options);
        ssl.shutdown();
        ssl.free();
        return { client, isResumed: client.isResumed };
      },
    };
  };
}

function byName(sessions: SessionOptions): Make {
  return (outside) => {
    const told: string[] = [];
    const callbacks: SessionOptions = {
      onNew: () => void told.push('new'),
      onGet: () => {
        told.push('get');
        return outside;
      },
      onRemove: (_session, reason) => void told.push(`remove ${reason}`),
    };
    const config = testServer({ world, crypto: toyCrypto, sessions: { ...sessions, ...callbacks } });
    return {
      told,
      add: (made) => void config.addSession(made),
      statistics: () => config.statistics(),
      handshake: (options) => {
        const { client, connection } = visit(config, options);
        connection.end();
        connection.dispose();
        return { client, isResumed: connection.resumption.resumed };
      },
    };
  };
}

/** A session that no cache has, and the client that it was made for. */
function elsewhere(version: Version): { readonly client: ScriptedClient; readonly known: Session } {
  const ctx = context(world);
  ctx.setNumTickets(1);
  const { client, ssl } = connect(ctx, { version });
  return { client, known: sessionOf(ssl).dup() };
}

interface Row {
  readonly mode: number;
  readonly named: SessionOptions;
  /** Whether a full handshake's session goes into the internal cache, and is told. */
  readonly isStored: boolean;
  readonly isTold: boolean;
  /** Whether the client is given something to come back with. */
  readonly hasId: boolean;
  /** Whether the internal cache is looked into. */
  readonly isSearched: boolean;
  readonly isAutoFlushed: boolean;
}

const USUAL = { isStored: true, isTold: true, hasId: true, isSearched: true, isAutoFlushed: true } as const;
const UNKEPT = { ...USUAL, isStored: false, isTold: false, hasId: false, isAutoFlushed: false } as const;

const ROWS: Readonly<Record<string, Row>> = {
  SERVER: { ...USUAL, mode: SESS_CACHE_SERVER, named: {} },
  BOTH: { ...USUAL, mode: SESS_CACHE_BOTH, named: { mode: 'both' } },
  OFF: { ...UNKEPT, mode: SESS_CACHE_OFF, named: { mode: 'off' } },
  CLIENT: { ...UNKEPT, mode: SESS_CACHE_CLIENT, named: { mode: 'client' } },
  NO_INTERNAL_LOOKUP: {
    ...USUAL,
    mode: SESS_CACHE_SERVER | SESS_CACHE_NO_INTERNAL_LOOKUP,
    named: { internalLookup: false },
    isSearched: false,
  },
  NO_INTERNAL_STORE: {
    ...USUAL,
    mode: SESS_CACHE_SERVER | SESS_CACHE_NO_INTERNAL_STORE,
    named: { internalStore: false },
    isStored: false,
  },
  NO_INTERNAL: {
    ...USUAL,
    mode: SESS_CACHE_SERVER | SESS_CACHE_NO_INTERNAL,
    named: { internalLookup: false, internalStore: false },
    isStored: false,
    isSearched: false,
  },
  NO_AUTO_CLEAR: {
    ...USUAL,
    mode: SESS_CACHE_SERVER | SESS_CACHE_NO_AUTO_CLEAR,
    named: { autoClear: false },
    isAutoFlushed: false,
  },
  UPDATE_TIME: { ...USUAL, mode: SESS_CACHE_SERVER | SESS_CACHE_UPDATE_TIME, named: { updateTime: true } },
};

for (const [name, row] of Object.entries(ROWS)) {
  const isCopied = !/NO_INTERNAL($|_STORE)/.test(name);
  for (const [how, make] of [
    ['by number', byNumber(row.mode)],
    ['by name', byName(row.named)],
  ] as const) {
    describe(`cache mode ${name}, ${how}`, () => {
      for (const version of VERSIONS) {
        const perFull = version === 'TLSv1.2' ? 1 : 2;

        it(`${version}, full handshake: ${row.isStored ? '' : 'not '}stored, ${row.isTold ? '' : 'not '}told`, () => {
          const server = make();
          const { client } = server.handshake({ version });
          expect(server.statistics().number).to.equal(row.isStored ? perFull : 0);
          expect(server.told).to.deep.equal(row.isTold ? Array(perFull).fill('new') : []);
          const tickets = client.tickets.map(({ identity }) => identity.length);
          if (version === 'TLSv1.2') expect(client.session.id).to.have.lengthOf(row.hasId ? 32 : 0);
          else expect(tickets).to.deep.equal(row.hasId ? [32, 32] : []);
        });

        it(`${version}, lookup: ${row.isSearched ? 'in the internal cache' : 'with get alone'}`, () => {
          const { client, known } = elsewhere(version);
          const server = make();
          server.add(known);
          const { isResumed } = server.handshake(returning(client));
          expect(isResumed).to.equal(row.isSearched);
          expect(server.told.includes('get')).to.equal(!row.isSearched);
          expect(server.statistics()).to.include({ hits: row.isSearched ? 1 : 0, misses: 0 });
        });

        it(`${version}, what get finds resumes${isCopied ? ', and is cached' : ''}`, () => {
          const { client, known } = elsewhere(version);
          const server = make(known);
          expect(server.handshake(returning(client)).isResumed).to.equal(true);
          expect(server.told[0]).to.equal('get');
          expect(known.isCached).to.equal(isCopied);
          expect(server.statistics()).to.include({ hits: 1, callbackHits: 1, misses: row.isSearched ? 1 : 0 });
          server.told.length = 0;
          expect(server.handshake(returning(client)).isResumed).to.equal(true);
          expect(server.told.includes('get')).to.equal(!(isCopied && row.isSearched));
        });
      }

      it(`${row.isAutoFlushed ? 'flushes' : 'does not flush'} what has expired with the 255th connection`, () => {
        const server = make();
        const now = seconds(world);
        server.add(session(1, 0, { time: now, timeout: 5 }));
        world.advance(6);
        for (let i = 1; i < 255; i++) server.handshake({ version: 'TLSv1.2' });
        expect(server.told).not.to.include('remove expired');
        server.handshake({ version: 'TLSv1.2' });
        expect(server.told.includes('remove expired')).to.equal(row.isAutoFlushed);
      });
    });
  }
}

describe('what is off is not forgotten', () => {
  for (const version of VERSIONS) {
    it(`mode OFF after a full handshake: its session still resumes, ${version}`, () => {
      const ctx = context(world);
      const { client } = connect(ctx, { version });
      ctx.setSessionCacheMode(SESS_CACHE_OFF);
      const number = ctx.sessNumber();
      const second = connect(ctx, returning(client));
      expect(resumed(second)).to.equal(true);
      expect(second.client.tickets).to.deep.equal([]);
      expect(ctx.sessNumber()).to.equal(number);
    });

    it(`NO_INTERNAL_STORE: the application may add the session by hand, ${version}`, () => {
      const ctx = context(world);
      ctx.setNumTickets(1);
      ctx.setSessionCacheMode(SESS_CACHE_SERVER | SESS_CACHE_NO_INTERNAL_STORE);
      const first = connect(ctx, { version });
      expect(ctx.sessNumber()).to.equal(0);
      expect(ctx.addSession(sessionOf(first.ssl))).to.equal(1);
      expect(resumed(connect(ctx, returning(first.client)))).to.equal(true);
    });

    it(`UPDATE_TIME: the timeout counts from the last use, ${version}`, () => {
      for (const [mode, isGood] of [
        [SESS_CACHE_SERVER | SESS_CACHE_UPDATE_TIME, true],
        [SESS_CACHE_SERVER, false],
      ] as const) {
        const ctx = context(world);
        ctx.setTimeout(100);
        ctx.setSessionCacheMode(mode);
        const first = connect(ctx, { version });
        world.advance(60);
        expect(resumed(connect(ctx, returning(first.client)))).to.equal(true);
        world.advance(60);
        expect(resumed(connect(ctx, returning(first.client)))).to.equal(isGood);
      }
    });
  }

  it('UPDATE_TIME: adding sets the time, again too', () => {
    const ctx = context(world);
    const one = session(1, 0, { time: seconds(world) - 10, timeout: 100 });
    ctx.addSession(one);
    expect(one.time).to.equal(seconds(world) - 10);
    ctx.setSessionCacheMode(SESS_CACHE_SERVER | SESS_CACHE_UPDATE_TIME);
    expect(ctx.addSession(one)).to.equal(0);
    expect(one.time).to.equal(seconds(world));
  });
});
