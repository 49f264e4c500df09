/** `compat: 'openssl-3'`: six things as OpenSSL 3's code has them, each beside what happens without it, and nothing else. */

import { expect } from 'chai';
import { SessionCache } from '../../src/cache/session-cache.ts';
import type { ServerOptions } from '../../src/engine/server/options.ts';
import type { Compat } from '../../src/handshake/server/settings.ts';
import {
  i2d_SSL_SESSION,
  SESS_CACHE_NO_INTERNAL_STORE,
  SESS_CACHE_OFF,
  SESS_CACHE_SERVER,
  SESS_CACHE_UPDATE_TIME,
  SSL_SESSION_is_resumable,
  SSL_VERIFY_PEER,
  type SslContext,
} from '../../src/openssl.ts';
import type { Session } from '../../src/sessions/session.ts';
import type { ClientOptions } from '../support/scripted-client.ts';
import { testServer, toyCrypto } from '../support/servers.ts';
import { TestWorld } from '../support/world.ts';
import { failedCallbacks, resumed, returning, seconds, session, sessionOf, visit } from './sessions.ts';
import { again, connect, context, type Pair, VERSIONS } from './support.ts';

const AES_128 = 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256';
const AES_256 = 'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384';

/** A context that writes down why sessions were removed. */
interface Recorded {
  readonly world: TestWorld;
  readonly ctx: SslContext;
  readonly told: string[];
}

function recorded(compat: Compat | undefined, options: Partial<ServerOptions> = {}): Recorded {
  const world = new TestWorld(71);
  const ctx = context(world, { compat, ...options });
  const told: string[] = [];
  ctx.setRemoveSessionCallback((_ctx, _session, reason) => void told.push(reason));
  return { world, ctx, told };
}

const PAGES = 'as the manual pages have it';
const CODE = "compat: 'openssl-3'";

/** One behaviour under both: what `run` tells of it. */
function twins<T>(run: (recorded: Recorded) => T, pages: T, code: T, options: Partial<ServerOptions> = {}): void {
  it(PAGES, () => expect(run(recorded(undefined, options))).to.deep.equal(pages));
  it(CODE, () => expect(run(recorded('openssl-3', options))).to.deep.equal(code));
}

/** A client whose Finished does not verify. */
const spoil: ClientOptions = {
  rewriteMessage: (name, raw) =>
    name === 'finished' ? raw.map((byte, i) => (i === raw.length - 1 ? byte ^ 1 : byte)) : raw,
};

const spoilBinders: ClientOptions = {
  rewriteBinders: (all) => all.map((binder) => binder.map((byte) => byte ^ 1)),
};

describe('1. a new callback that answers 0', () => {
  for (const version of VERSIONS) {
    const number = version === 'TLSv1.2' ? 1 : 2;

    describe(version, () => {
      const run = ({ ctx, told }: Recorded) => {
        ctx.setNewSessionCallback(() => 0);
        const first = connect(ctx, { version });
        return [ctx.sessNumber(), resumed(connect(ctx, again(first))), told];
      };
      twins<unknown>(run, [0, false, []], [number, true, []]);
    });

    describe(`${version}, by false`, () => {
      for (const [how, compat, left] of [
        [PAGES, undefined, 0],
        [CODE, 'openssl-3', number],
      ] as const) {
        it(how, () => {
          const config = testServer({ crypto: toyCrypto, compat, sessions: { onNew: () => false } });
          const { connection } = visit(config, { version });
          expect(config.statistics().number).to.equal(left);
          const current = connection.session as Session;
          connection.dispose(true);
          expect(current.holds, 'the hold that came with it is released').to.equal(left === 0 ? 0 : 1);
        });
      }
    });
  }
});

describe('2. the capacity', () => {
  for (const [size, code] of [
    [1, 1],
    [2, 1],
    [3, 2],
    [5, 4],
  ] as const) {
    describe(`of ${size}`, () => {
      const run = ({ ctx }: Recorded) => {
        ctx.setSessionCacheSize(size);
        for (let id = 0; id < 9; id++) ctx.addSession(session(id, 10 + id));
        return [ctx.sessNumber(), ctx.sessCacheFull()];
      };
      twins(run, [size, 9 - size], [code, 9 - code]);
    });
  }

  describe('made smaller: ten are there, then 3, then one is added', () => {
    const run = ({ ctx, told }: Recorded) => {
      for (let id = 0; id < 10; id++) ctx.addSession(session(id, 10 + id));
      ctx.setSessionCacheSize(3);
      ctx.addSession(session(99, 1));
      return [ctx.sessNumber(), ctx.sessCacheFull(), told.length];
    };
    twins(run, [3, 8, 8], [2, 9, 9]);
  });

  describe('of 0', () => {
    const run = ({ ctx }: Recorded) => {
      ctx.setSessionCacheSize(0);
      for (let id = 0; id < 9; id++) ctx.addSession(session(id, 10 + id));
      return ctx.sessNumber();
    };
    twins(run, 9, 9);
  });

  it('is also that of a cache that is made apart', () => {
    for (const [compat, size] of [
      [undefined, 3],
      ['openssl-3', 2],
    ] as const) {
      const cache = new SessionCache({ maxEntries: 3, compat });
      for (let id = 0; id < 5; id++) cache.add(session(id, 10 + id));
      expect(cache.size).to.equal(size);
    }
  });
});

describe('3. UPDATE_TIME', () => {
  for (const version of VERSIONS) {
    describe(`${version}, a session of the internal cache resumes`, () => {
      const run = ({ ctx, world }: Recorded) => {
        ctx.setSessionCacheMode(SESS_CACHE_SERVER | SESS_CACHE_UPDATE_TIME);
        const first = connect(ctx, { version });
        const [known] = ctx.sessions() as [Session];
        const { time } = known;
        world.advance(60);
        expect(resumed(connect(ctx, again(first)))).to.equal(true);
        return known.time - time;
      };
      twins(run, 60, 0);
    });

    describe(`${version}, one of the get callback's resumes, and is added`, () => {
      const run = ({ ctx, world }: Recorded) => {
        const first = connect(ctx, { version });
        const bytes = i2d_SSL_SESSION(ctx.sessions()[0] as Session);
        const then = seconds(world);
        ctx.flushSessions(0);
        ctx.setSessionCacheMode(SESS_CACHE_UPDATE_TIME);
        ctx.setGetSessionCallback(() => bytes.slice());
        world.advance(60);
        expect(resumed(connect(ctx, again(first)))).to.equal(true);
        return ctx.sessions().map(({ time }) => time - then);
      };
      twins(run, [60], [60]);
    });
  }

  describe('a session is added', () => {
    const run = ({ ctx, world }: Recorded) => {
      ctx.setSessionCacheMode(SESS_CACHE_SERVER | SESS_CACHE_UPDATE_TIME);
      const one = session(1, 10);
      ctx.addSession(one);
      return one.time - seconds(world);
    };
    twins(run, 0, 0);
  });
});

describe('4. remove, and sessions that nobody was told of', () => {
  describe('SSL_CTX_remove_session() of one that was never cached', () => {
    twins<unknown>(({ ctx, told }) => [ctx.removeSession(session(1, 10)), told], [0, []], [0, ['removed']]);
  });

  describe('SSL_CTX_remove_session() twice', () => {
    const run = ({ ctx, told }: Recorded) => {
      const one = session(1, 10);
      ctx.addSession(one);
      return [ctx.removeSession(one), ctx.removeSession(one), ...told];
    };
    twins<unknown>(run, [1, 0, 'removed'], [1, 0, 'removed', 'removed']);
  });

  describe('SSL_CTX_remove_session() from inside of the callback', () => {
    const run = ({ ctx, told }: Recorded) => {
      ctx.setRemoveSessionCallback((_ctx, gone, reason) => {
        told.push(reason);
        expect(ctx.removeSession(gone)).to.equal(0);
      });
      const one = session(1, 10);
      ctx.addSession(one);
      ctx.removeSession(one);
      ctx.addSession(session(2, 10));
      ctx.flushSessions(0);
      return told;
    };
    twins(run, ['removed', 'flushed'], ['removed', 'flushed']);
  });

  describe('SSL_CTX_remove_session() of one without an id', () => {
    const run = ({ ctx, told }: Recorded) => [ctx.removeSession(session(1, 10, { id: new Uint8Array(0) })), told];
    twins<unknown>(run, [0, []], [0, []]);
  });

  describe('a full handshake of TLS 1.2 that fails: its id has been sent', () => {
    const run = ({ ctx, told }: Recorded) => {
      const ids: number[] = [];
      ctx.setRemoveSessionCallback((_ctx, gone, reason) => {
        told.push(reason);
        ids.push(gone.id.length, gone.secret.length, SSL_SESSION_is_resumable(gone));
      });
      const { ssl } = connect(ctx, { version: 'TLSv1.2', ...spoil });
      ssl.free();
      return [told, ids, ctx.sessNumber()];
    };
    twins<unknown>(run, [[], [], 0], [['alert-sent'], [32, 48, 0], 0]);
  });

  describe('a full handshake of TLS 1.3 that fails: there is no session yet', () => {
    const run = ({ ctx, told }: Recorded) => {
      connect(ctx, { version: 'TLSv1.3', ...spoil }).ssl.free();
      return told;
    };
    twins<string[]>(run, [], []);
  });

  describe('an unclean end of a session that no cache had and new was not told of', () => {
    const run = ({ ctx, told }: Recorded) => {
      ctx.setSessionCacheMode(SESS_CACHE_SERVER | SESS_CACHE_NO_INTERNAL_STORE);
      connect(ctx, { version: 'TLSv1.2' }).ssl.free();
      return told;
    };
    twins(run, [], ['unclean']);
  });

  describe('an unclean end of a session that was evicted before', () => {
    const run = ({ ctx, told }: Recorded) => {
      ctx.setSessionCacheSize(1);
      const first = connect(ctx, { version: 'TLSv1.2' });
      connect(ctx, { version: 'TLSv1.2' });
      first.ssl.free();
      return told;
    };
    twins(run, ['evicted'], ['evicted', 'unclean']);
  });
});

describe("5. TLS 1.2: the session's suite is not offered", () => {
  const run = ({ ctx, told }: Recorded) => {
    const first = connect(ctx, { version: 'TLSv1.2', ciphers: [AES_128] });
    const { client, ssl } = connect(ctx, { ...again(first), ciphers: [AES_256] });
    const [known] = ctx.sessions();
    return {
      alert: client.alert?.name,
      isComplete: ssl.isInitFinished(),
      hits: ctx.sessHits(),
      reason: ssl.connection?.resumption.reason,
      told,
      isKept: SSL_SESSION_is_resumable(sessionOf(first.ssl)),
      number: ctx.sessNumber(),
      returns: known !== undefined && resumed(connect(ctx, { ...again(first), ciphers: [AES_128, AES_256] })),
    };
  };
  const pages = {
    alert: undefined,
    isComplete: 1,
    hits: 0,
    reason: 'cipher-suite',
    told: [],
    isKept: 1,
    number: 2,
    returns: true,
  };
  const code = {
    alert: 'illegal_parameter',
    isComplete: 0,
    hits: 1,
    reason: 'not-offered',
    told: ['alert-sent'],
    isKept: 0,
    number: 0,
    returns: false,
  };
  twins<unknown>(run, pages, code);

  describe('it is offered, but the server has it no more', () => {
    const cache = () => new SessionCache();
    const runServer = (compat: Compat | undefined) => {
      const shared = cache();
      const world = new TestWorld(3); // of both, as two sessions with one id would be one
      const make = (ciphers: readonly string[]) =>
        testServer({ crypto: toyCrypto, compat, ciphers, world, sessions: { cache: shared } });
      const first = visit(make([AES_128]), { version: 'TLSv1.2' });
      return visit(make([AES_256]), returning(first.client)).connection.resumption.reason;
    };
    it(PAGES, () => expect(runServer(undefined)).to.equal('cipher-suite'));
    it(CODE, () => expect(runServer('openssl-3')).to.equal('cipher-suite'));
  });
});

describe('6. SSL_VERIFY_PEER without a session id context, and a session of before', () => {
  for (const version of VERSIONS) {
    describe(version, () => {
      const run = ({ ctx }: Recorded) => {
        const before = connect(ctx, { version });
        ctx.setVerify(SSL_VERIFY_PEER, () => 1);
        const { client, ssl } = connect(ctx, again(before));
        return [client.alert?.name, ssl.isInitFinished(), ssl.connection?.resumption.resumed];
      };
      twins<unknown>(run, [undefined, 1, false], ['internal_error', 0, false]);
    });
  }
});

describe('nothing else differs', () => {
  /** The same under both. */
  function same(what: string, run: (recorded: Recorded) => unknown, expected: unknown): void {
    describe(what, () => twins<unknown>(run, expected, expected));
  }

  const reasonOf = ({ ssl }: Pair) => ssl.connection?.resumption.reason;

  for (const version of VERSIONS) {
    const is12 = version === 'TLSv1.2';
    const full = is12 ? 1 : 2;

    same(
      `${version}: another host name is declined, and the session stays`,
      ({ ctx, told }) => {
        const first = connect(ctx, { version });
        return [
          reasonOf(connect(ctx, { ...again(first), sni: 'other.example' })),
          told,
          resumed(connect(ctx, again(first))),
        ];
      },
      ['scope', [], true],
    );

    same(
      `${version}: an alert before the peer has proved anything ends no session`,
      ({ ctx, told }) => {
        const first = connect(ctx, { version });
        const { client, ssl } = connect(ctx, { ...again(first), ...(is12 ? spoil : spoilBinders) });
        ssl.free();
        return [client.alert?.name, told, resumed(connect(ctx, again(first)))];
      },
      ['decrypt_error', [], true],
    );

    same(
      `${version}: a fatal alert later ends it`,
      ({ ctx, told }) => {
        const { client, ssl } = connect(ctx, { version });
        client.sendAlert('bad_certificate');
        ssl.receive(client.take());
        ssl.free();
        return [told, ctx.sessNumber()];
      },
      [['alert-received'], full - 1],
    );

    same(
      `${version}: an unclean end, and a clean one`,
      ({ ctx, told }) => {
        connect(ctx, { version }).ssl.free();
        const second = connect(ctx, { version });
        second.ssl.shutdown();
        second.ssl.free();
        return told;
      },
      is12 ? ['unclean'] : [],
    );

    same(
      `${version}: what has expired leaves, and is told`,
      ({ ctx, world, told }) => {
        ctx.setTimeout(10);
        const first = connect(ctx, { version });
        world.advance(11);
        return [reasonOf(connect(ctx, again(first))), told, ctx.sessTimeouts()];
      },
      ['expired', ['expired'], 1],
    );

    same(
      `${version}: mode OFF gives the client nothing to come back with`,
      ({ ctx }) => {
        ctx.setSessionCacheMode(SESS_CACHE_OFF);
        const { client } = connect(ctx, { version });
        return [ctx.sessNumber(), client.tickets.length, is12 && client.session.id.length];
      },
      [0, 0, is12 && 0],
    );

    same(
      `${version}: another session than get was asked for is a miss and an event`,
      ({ ctx }) => {
        const first = connect(ctx, { version });
        ctx.flushSessions(0);
        const wrong = session(1, 2 ** 40, { version });
        ctx.setGetSessionCallback(() => wrong);
        const failed: string[] = [];
        const attend = {
          attend: (event: Parameters<typeof failedCallbacks>[0][number]) => failed.push(...failedCallbacks([event])),
        };
        return [reasonOf(connect(ctx, again(first), attend)), failed, ctx.sessCbHits(), ctx.sessMisses()];
      },
      ['wrong-id', ['onGet'], 0, 1],
    );

    same(
      `${version}: the counters, and how often new is called`,
      ({ ctx }) => {
        let calls = 0;
        ctx.setNewSessionCallback(() => ++calls);
        const first = connect(ctx, { version, keyShares: [] });
        connect(ctx, { ...again(first), keyShares: [] });
        connect(ctx, { ...again(first), ...spoil });
        const { number: _, ...counted } = ctx.config.statistics();
        return [calls, counted.accept, counted.acceptGood, counted.hits, counted.misses];
      },
      [full + (is12 ? 0 : 1), 3, 2, 2, 0],
    );

    same(
      `${version}: the flush comes with the 255th connection`,
      ({ ctx, world, told }) => {
        ctx.setNotResumableSessionCallback(() => 1);
        ctx.addSession(session(1, seconds(world) - 1));
        for (let i = 1; i < 255; i++) connect(ctx, { version });
        const before = told.length;
        connect(ctx, { version });
        return [before, told];
      },
      [0, ['expired']],
    );
  }

  same(
    'TLS 1.2: extended_master_secret that has gone missing is a handshake_failure',
    ({ ctx, told }) => {
      const first = connect(ctx, { version: 'TLSv1.2' });
      const { client } = connect(ctx, { ...again(first), ems: false });
      return [client.alert?.name, told];
    },
    ['handshake_failure', []],
  );

  same(
    'TLS 1.3: another suite with the same hash resumes, another hash is a full handshake with tickets',
    ({ ctx }) => {
      const first = connect(ctx, { ciphers: ['TLS_AES_128_GCM_SHA256'] });
      const alike = connect(ctx, { ...again(first), ciphers: ['TLS_CHACHA20_POLY1305_SHA256'] });
      const other = connect(ctx, { ...again(first), ciphers: ['TLS_AES_256_GCM_SHA384'] });
      return [resumed(alike), reasonOf(other), other.client.tickets.length];
    },
    [true, 'hash', 2],
  );

  same(
    'a session without an id cannot be added; one that takes the place of another is not told',
    ({ ctx, told }) => [
      ctx.addSession(session(1, 10, { id: new Uint8Array(0) })),
      ctx.addSession(session(1, 10)),
      ctx.addSession(session(1, 20)),
      ctx.sessNumber(),
      told,
    ],
    [0, 1, 1, 1, []],
  );

  same(
    'the soonest to expire leaves first, and flushing is strict',
    ({ ctx, told }) => {
      for (const [id, expires] of [
        [1, 30],
        [2, 10],
        [3, 20],
      ] as const)
        ctx.addSession(session(id, expires));
      ctx.flushSessions(10);
      ctx.flushSessions(11);
      ctx.free();
      return told;
    },
    ['flushed', 'closed', 'closed'],
  );
});
