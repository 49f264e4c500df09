/** SSL_CTX_sess_set_remove_cb(3): every trigger with its reason, what it finds, what it is not called for, what it may do itself. */

import { expect } from 'chai';
import type { RemovalReason } from '../../src/cache/callbacks.ts';
import type { Event } from '../../src/engine/events.ts';
import type { ServerOptions } from '../../src/engine/server/options.ts';
import { SESS_CACHE_NO_INTERNAL, SESS_CACHE_SERVER } from '../../src/openssl/constants.ts';
import { SSL_SESSION_is_resumable } from '../../src/openssl/session.ts';
import type { SslContext } from '../../src/openssl/ssl.ts';
import { Session } from '../../src/sessions/session.ts';
import type { Version } from '../../src/wire/registry.ts';
import { TestWorld } from '../support/world.ts';
import { failures, idOf, Journal, keepAway, leave, promisesAreDone } from './journal.ts';
import { again, connect, context, type Pair, pass, VERSIONS } from './support.ts';

let world: TestWorld;

beforeEach(() => {
  world = new TestWorld(63);
});

/** With one ticket a handshake, so that both versions make one session; unclean ends count in both. */
function strict(options: Partial<ServerOptions> = {}): SslContext {
  const ctx = context(world, { sessions: { removeUnclean: VERSIONS }, ...options });
  ctx.setNumTickets(1);
  return ctx;
}

function now(): number {
  return world.time / 1000;
}

/** A record that no key has made. */
const GARBAGE = Uint8Array.of(23, 3, 3, 0, 24, ...new Uint8Array(24));

interface Stage {
  readonly ctx: SslContext;
  readonly pair: Pair;
  readonly session: Session;
}

interface Trigger {
  readonly name: string;
  readonly reason: RemovalReason;
  /** Default both. */
  readonly versions?: readonly Version[];
  readonly options?: Partial<ServerOptions>;
  /** Sessions in the cache while it is told, default 0. */
  readonly others?: number;
  /** Default 0. */
  readonly isResumable?: number;
  act(stage: Stage): void;
}

const TRIGGERS: readonly Trigger[] = [
  { name: 'SSL_CTX_remove_session', reason: 'removed', act: ({ ctx, session }) => ctx.removeSession(session) },
  { name: 'SSL_CTX_flush_sessions of all', reason: 'flushed', act: ({ ctx }) => ctx.flushSessions(0) },
  {
    name: 'SSL_CTX_flush_sessions of what has expired',
    reason: 'flushed',
    act: ({ ctx }) => ctx.flushSessions(now() + 7201),
  },
  {
    name: 'SSL_CTX_free',
    reason: 'closed',
    act: ({ ctx, pair }) => {
      leave(pair);
      ctx.free();
    },
  },
  {
    name: 'eviction, which says nothing against the session',
    reason: 'evicted',
    others: 1,
    isResumable: 1,
    act: ({ ctx, session }) => {
      ctx.setSessionCacheSize(1);
      connect(ctx, { version: session.version });
    },
  },
  {
    name: 'a lookup that finds it expired',
    reason: 'expired',
    act: ({ ctx, pair }) => {
      world.advance(7201);
      expect(connect(ctx, again(pair)).ssl.sessionReused()).to.equal(0);
    },
  },
  { name: 'SSL_free without SSL_shutdown', reason: 'unclean', act: ({ pair }) => pair.ssl.free() },
  { name: 'SSL_clear without SSL_shutdown', reason: 'unclean', act: ({ pair }) => pair.ssl.clear() },
  {
    name: 'SSL_free after the close_notify of the peer alone',
    reason: 'unclean',
    act: ({ pair }) => {
      pair.client.close();
      pass(pair).ssl.free();
    },
  },
  {
    name: 'the end of the transport without close_notify',
    reason: 'unclean',
    act: ({ pair }) => pair.ssl.receiveEof(),
  },
  { name: 'a fatal alert sent', reason: 'alert-sent', act: ({ pair }) => pair.ssl.receive(GARBAGE) },
  {
    name: 'a fatal alert received',
    reason: 'alert-received',
    act: ({ pair }) => {
      pair.client.sendAlert('bad_certificate');
      pass(pair);
    },
  },
  {
    name: 'single use: the resumption that takes it',
    reason: 'consumed',
    versions: ['TLSv1.3'],
    options: { tickets: { singleUse: true } },
    act: ({ ctx, pair }) => {
      const second = connect(ctx, again(pair));
      expect(second.ssl.sessionReused()).to.equal(1);
      leave(second);
    },
  },
];

for (const version of VERSIONS) {
  const isTls13 = version === 'TLSv1.3';

  describe(`SSL_CTX_sess_set_remove_cb, ${version}: triggers`, () => {
    for (const { name, reason, versions = VERSIONS, options, others = 0, isResumable = 0, act } of TRIGGERS) {
      if (!versions.includes(version)) continue;

      it(`${name}: '${reason}', out of the cache, resumable ${isResumable}, held, once and never again`, () => {
        const ctx = strict(options);
        const pair = connect(ctx, { version });
        const session = pair.ssl.get1Session() as Session;
        const told: unknown[] = [];
        ctx.setRemoveSessionCallback((of, gone, why) => {
          if (gone !== session) return;
          const isHeld = gone.holds >= 2 && gone.secret.some((byte) => byte !== 0);
          told.push([of === ctx, why, ctx.sessNumber(), SSL_SESSION_is_resumable(gone), isHeld, gone.isCached]);
        });
        expect(ctx.sessNumber()).to.equal(1);
        act({ ctx, pair, session });
        const expected = [[true, reason, others, isResumable, true, false]];
        expect(told).to.deep.equal(expected);
        ctx.removeSession(session);
        ctx.flushSessions(0);
        if (reason !== 'closed' && reason !== 'unclean') pair.ssl.free();
        expect(told).to.deep.equal(expected);
      });

      it(`${name}: what is held of it afterwards is the application's`, () => {
        const ctx = strict(options);
        const pair = connect(ctx, { version });
        const session = pair.ssl.get1Session() as Session;
        act({ ctx, pair, session });
        if (reason !== 'closed' && !name.startsWith('SSL_free')) pair.ssl.free();
        expect(session.holds).to.equal(1);
      });
    }

    it('every 255th connection: what has expired, soonest first', () => {
      const ctx = strict();
      const journal = new Journal(ctx, { onNew: () => 0 });
      ctx.setNewSessionCallback(null);
      const made: Session[] = [];
      for (const timeout of [20, 10, 5000]) {
        ctx.setTimeout(timeout);
        const pair = connect(ctx, { version });
        made.push(pair.ssl.getSession() as Session);
        leave(pair);
      }
      world.advance(21);
      for (let i = 4; i <= 254; i++) leave(connect(ctx, { version }));
      expect(journal.calls).to.deep.equal([]);
      leave(connect(ctx, { version }));
      expect(journal.calls).to.deep.equal(['remove expired', 'remove expired']);
      expect(journal.removed).to.deep.equal([made[1], made[0]]);
    });

    it('a session of the application’s own store, under NO_INTERNAL: expired, removed, unclean', () => {
      for (const reason of ['expired', 'removed', 'unclean', 'alert-received'] as const) {
        const ctx = strict();
        ctx.setSessionCacheMode(SESS_CACHE_SERVER | SESS_CACHE_NO_INTERNAL);
        ctx.setGetSessionCallback(() => null);
        const { pair, session } = keepAway(ctx, { version });
        const journal = new Journal(ctx, { onGet: () => session });
        ctx.setNumTickets(0);
        if (reason === 'expired') world.advance(7201);
        const second = reason === 'removed' ? undefined : connect(ctx, again(pair));
        if (reason === 'removed') expect(ctx.removeSession(session), 'it was not cached').to.equal(0);
        if (reason === 'alert-received') {
          second?.client.sendAlert('internal_error');
          pass(second as Pair);
        }
        second?.ssl.free();
        expect(journal.calls.filter((call) => call.startsWith('remove'))[0]).to.equal(`remove ${reason}`);
        expect(journal.removed.filter((gone) => gone === session).length).to.equal(1);
        expect([session.isResumable, session.holds]).to.deep.equal([false, 1]);
      }
    });
  });

  describe(`SSL_CTX_sess_set_remove_cb, ${version}: what get has brought`, () => {
    for (const reason of ['expired', 'unclean', 'alert-received'] as const) {
      it(`is told of as '${reason}', once, though the context has never announced it`, () => {
        const ctx = strict();
        const { pair, session } = keepAway(ctx, { version });
        ctx.setSessionCacheMode(SESS_CACHE_SERVER | SESS_CACHE_NO_INTERNAL);
        const journal = new Journal(ctx, { onGet: () => session.toDer() });
        if (reason === 'expired') world.advance(7201);
        ctx.setNumTickets(0);
        const second = connect(ctx, again(pair));
        if (reason === 'alert-received') second.client.sendAlert('internal_error');
        pass(second).ssl.free();
        const ofIt = journal.removed.filter((gone) => idOf(gone) === idOf(session));
        expect(ofIt.length).to.equal(1);
        expect(journal.calls.filter((call) => call.startsWith('remove'))[0]).to.equal(`remove ${reason}`);
        expect([ofIt[0] === session, ofIt[0]?.isResumable, ofIt[0]?.holds]).to.deep.equal([false, false, 0]);
      });
    }
  });

  describe(`SSL_CTX_sess_set_remove_cb, ${version}: order`, () => {
    /** Three sessions, those that expire last made first. */
    function three(ctx: SslContext): Session[] {
      return [300, 200, 100].map((timeout) => {
        ctx.setTimeout(timeout);
        const pair = connect(ctx, { version });
        const session = pair.ssl.get1Session() as Session;
        leave(pair);
        return session;
      });
    }

    for (const [name, act] of [
      ['flush', (ctx: SslContext) => ctx.flushSessions(0)],
      ['free', (ctx: SslContext) => ctx.free()],
      [
        'eviction of several',
        (ctx: SslContext) => {
          ctx.setTimeout(1);
          ctx.setSessionCacheSize(1);
          connect(ctx, { version });
        },
      ],
    ] as const) {
      it(`${name}: the soonest to expire first`, () => {
        const ctx = strict();
        const sessions = three(ctx);
        const journal = new Journal(ctx);
        act(ctx);
        expect(journal.removed).to.deep.equal([...sessions].reverse());
      });
    }

    it('flush in the middle: strictly what is past its last second', () => {
      const ctx = strict();
      const sessions = three(ctx);
      const journal = new Journal(ctx);
      ctx.flushSessions(now() + 100);
      expect(journal.removed).to.deep.equal([]);
      ctx.flushSessions(now() + 201);
      expect(journal.removed).to.deep.equal([sessions[2], sessions[1]]);
      expect(ctx.sessions()).to.deep.equal([sessions[0]]);
    });

    it('none is in the cache any more when the first is told', () => {
      const ctx = strict();
      three(ctx);
      const numbers: number[] = [];
      new Journal(ctx, { onRemove: () => numbers.push(ctx.sessNumber(), ctx.sessions().length) });
      ctx.flushSessions(0);
      expect(numbers).to.deep.equal(Array(6).fill(0));
    });

    it('new before remove, also where both come of one handshake', () => {
      const ctx = strict();
      const journal = new Journal(ctx);
      ctx.setSessionCacheSize(1);
      for (let i = 0; i < 3; i++) leave(connect(ctx, { version }));
      expect(journal.calls).to.deep.equal(['new', 'remove evicted', 'new', 'remove evicted', 'new']);
      expect(journal.removed).to.deep.equal(journal.announced.slice(0, 2));
    });
  });

  describe(`SSL_CTX_sess_set_remove_cb, ${version}: not called`, () => {
    it('a clean end', () => {
      const ctx = strict();
      const journal = new Journal(ctx);
      leave(connect(ctx, { version }));
      expect(journal.count('remove')).to.equal(0);
      expect(ctx.sessNumber()).to.equal(1);
    });

    it('new answered 0', () => {
      const ctx = strict();
      const journal = new Journal(ctx, { onNew: () => 0 });
      connect(ctx, { version }).ssl.free();
      expect(journal.calls).to.deep.equal(['new']);
    });

    it('another session takes the place under its id: an event, and what was there is not ruled out', () => {
      const ctx = strict();
      const pair = connect(ctx, { version });
      const session = pair.ssl.get1Session() as Session;
      const journal = new Journal(ctx);
      const copy = session.dup();
      expect(ctx.addSession(copy)).to.equal(1);
      expect([journal.count('remove'), session.isResumable, session.isCached]).to.deep.equal([0, true, false]);
      leave(pair);
      expect(session.holds).to.equal(1);
    });

    it('a handshake that fails before its session was announced', () => {
      for (const end of ['alert', 'spoilt', 'free', 'eof'] as const) {
        const ctx = strict();
        const journal = new Journal(ctx);
        const pair = connect(ctx, { version, stopBefore: 'finished' });
        if (end === 'alert') pair.client.sendAlert('unknown_ca');
        if (end === 'spoilt') pair.ssl.receive(GARBAGE);
        if (end === 'eof') pair.ssl.receiveEof();
        pass(pair).ssl.free();
        expect(journal.calls, end).to.deep.equal([]);
      }
    });

    it('a resumption that is broken off without an alert', () => {
      for (const end of ['free', 'eof'] as const) {
        const ctx = strict();
        const first = connect(ctx, { version });
        leave(first);
        const journal = new Journal(ctx);
        const second = connect(ctx, { ...again(first), stopBefore: 'finished' });
        if (end === 'eof') second.ssl.receiveEof();
        second.ssl.free();
        expect(journal.calls, end).to.deep.equal([]);
        expect(connect(ctx, again(first)).ssl.sessionReused()).to.equal(1);
      }
    });

    it('a fatal alert before the client has proved that it holds the session which it offers', () => {
      const ctx = strict();
      const first = connect(ctx, { version });
      leave(first);
      const journal = new Journal(ctx);
      const thief = connect(ctx, { ...again(first), rewriteMessage: spoilFinished, rewriteBinders: spoilBinders });
      expect(thief.client.alert?.name).to.equal('decrypt_error');
      thief.ssl.free();
      expect(journal.calls).to.deep.equal([]);
      if (isTls13) return;
      const rude = connect(ctx, { ...again(first), stopBefore: 'finished' });
      rude.client.sendAlert('internal_error');
      pass(rude).ssl.free();
      expect(journal.calls).to.deep.equal([]);
      expect(connect(ctx, again(first)).ssl.sessionReused()).to.equal(1);
    });

    it('a session id context that differs: the session is kept', () => {
      const ctx = strict();
      const first = connect(ctx, { version });
      const journal = new Journal(ctx);
      ctx.setSessionIdContext(Uint8Array.of(1));
      expect(connect(ctx, again(first)).ssl.sessionReused()).to.equal(0);
      expect(journal.count('remove')).to.equal(0);
    });

    it('SSL_CTX_remove_session of one that was neither cached nor announced, which is ruled out all the same', () => {
      const ctx = strict();
      const journal = new Journal(ctx);
      const stranger = new Session({ ...parameters(version), id: new Uint8Array(32).fill(5) });
      expect(ctx.removeSession(stranger)).to.equal(0);
      expect([journal.count('remove'), stranger.isResumable]).to.deep.equal([0, false]);
    });

    it('SSL_CTX_remove_session of nothing, and of one without an id: no effect at all', () => {
      const ctx = strict();
      const journal = new Journal(ctx);
      ctx.setNotResumableSessionCallback(() => 1);
      const pair = connect(ctx, { version });
      const unnamed = pair.ssl.getSession() as Session;
      expect([ctx.removeSession(null), ctx.removeSession(unnamed)]).to.deep.equal([0, 0]);
      expect(journal.calls).to.deep.equal([]);
    });
  });

  describe(`SSL_CTX_sess_set_remove_cb, ${version}: a twin`, () => {
    it('under the same id is what leaves and what remove is told of; both are ruled out', () => {
      const ctx = strict();
      const session = connect(ctx, { version }).ssl.get1Session() as Session;
      const twin = session.dup();
      const journal = new Journal(ctx);
      expect(ctx.removeSession(twin)).to.equal(1);
      expect(journal.removed).to.deep.equal([session]);
      expect([session.isResumable, twin.isResumable]).to.deep.equal([false, false]);
      expect(ctx.removeSession(twin)).to.equal(0);
      expect(journal.removed.length).to.equal(1);
    });

    it('of the other version is another session', () => {
      const ctx = strict();
      const session = connect(ctx, { version }).ssl.get1Session() as Session;
      const other = session.dup({ version: isTls13 ? 'TLSv1.2' : 'TLSv1.3' });
      const journal = new Journal(ctx);
      expect(ctx.removeSession(other)).to.equal(0);
      expect([journal.count('remove'), session.isCached, session.isResumable]).to.deep.equal([0, true, true]);
    });
  });

  describe(`SSL_CTX_sess_set_remove_cb, ${version}: what it may do`, () => {
    /** Three sessions in the cache, of clean connections, and the journal of what happens then. */
    function stage(onRemove: (ctx: SslContext, session: Session, reason: string) => void) {
      const ctx = strict();
      const sessions = [1, 2, 3].map(() => {
        world.advance(1);
        const pair = connect(ctx, { version });
        leave(pair);
        return ctx.sessions().at(-1) as Session;
      });
      const journal = new Journal(ctx, { onRemove: (session, reason) => onRemove(ctx, session, reason) });
      for (const session of sessions) session.upRef();
      return { ctx, sessions, journal };
    }

    /** Nothing lost, nothing told twice, and the count is right. */
    function check({ ctx, sessions, journal }: ReturnType<typeof stage>): void {
      expect(ctx.sessNumber()).to.equal(ctx.sessions().length);
      expect(new Set(journal.removed).size).to.equal(journal.removed.length);
      for (const session of sessions) expect(session.holds).to.equal(1 + Number(session.isCached));
    }

    it('remove the session that it is told of: 0, and no second call', () => {
      const answers: number[] = [];
      const set = stage((ctx, session) => answers.push(ctx.removeSession(session)));
      set.ctx.removeSession(set.sessions[0] as Session);
      set.ctx.flushSessions(0);
      expect(answers).to.deep.equal([0, 0, 0]);
      expect(set.journal.removed).to.deep.equal(set.sessions);
      check(set);
    });

    it('remove the others: each is told once', () => {
      const set = stage((ctx) => {
        for (const session of ctx.sessions()) ctx.removeSession(session);
      });
      set.ctx.removeSession(set.sessions[1] as Session);
      expect(set.journal.removed).to.deep.equal([set.sessions[1], set.sessions[0], set.sessions[2]]);
      expect(set.ctx.sessNumber()).to.equal(0);
      check(set);
    });

    it('flush: each is told once', () => {
      const set = stage((ctx) => ctx.flushSessions(0));
      set.ctx.removeSession(set.sessions[2] as Session);
      expect(set.journal.calls).to.deep.equal(['remove removed', 'remove flushed', 'remove flushed']);
      check(set);
    });

    it('add the session that it is told of: refused', () => {
      for (const reason of ['removed', 'flushed', 'evicted'] as const) {
        const answers: number[] = [];
        const set = stage((ctx, session) => answers.push(ctx.addSession(session)));
        if (reason === 'removed') set.ctx.removeSession(set.sessions[0] as Session);
        if (reason === 'flushed') set.ctx.flushSessions(0);
        if (reason === 'evicted') {
          set.ctx.setSessionCacheSize(3);
          leave(connect(set.ctx, { version }));
          expect(set.ctx.sessNumber()).to.equal(3);
        }
        expect(answers).to.deep.equal(Array(reason === 'flushed' ? 3 : 1).fill(0));
        expect(set.journal.count('remove')).to.equal(answers.length);
        check(set);
      }
    });

    it('add an evicted session afterwards: it is as good as before', () => {
      const set = stage(() => {});
      set.ctx.setSessionCacheSize(2);
      leave(connect(set.ctx, { version }));
      const [evicted] = set.journal.removed;
      set.ctx.setSessionCacheSize(0);
      expect(set.ctx.addSession(evicted as Session)).to.equal(1);
      expect(evicted?.isCached).to.equal(true);
    });

    it('add another session: it is kept, also while the cache is being flushed', () => {
      const spare = new Session({ ...parameters(version), time: now() });
      const set = stage((ctx) => ctx.addSession(spare));
      set.ctx.flushSessions(0);
      expect(set.ctx.sessions()).to.deep.equal([spare]);
      expect([spare.holds, set.journal.count('remove')]).to.deep.equal([2, 3]);
      check(set);
    });

    it('add another session to a full cache: the next to expire is told in its turn', () => {
      const spare = new Session({ ...parameters(version), time: now(), timeout: 9999 });
      const set = stage((ctx) => ctx.addSession(spare));
      set.ctx.setSessionCacheSize(3);
      leave(connect(set.ctx, { version }));
      expect(set.journal.removed).to.deep.equal(set.sessions.slice(0, 2));
      expect(set.ctx.sessNumber()).to.equal(3);
      expect(spare.isCached).to.equal(true);
      check(set);
    });

    it('make a connection, which resumes one that is left', () => {
      const ctx = strict();
      const first = connect(ctx, { version });
      leave(first);
      const second = connect(ctx, { version });
      const victim = second.ssl.getSession() as Session;
      const reused: number[] = [];
      ctx.setRemoveSessionCallback(() => reused.push(connect(ctx, again(first)).ssl.sessionReused()));
      ctx.removeSession(victim);
      expect(reused).to.deep.equal([1]);
    });

    it('free the context: the others leave as closed, ex-data is to be had until then', () => {
      let isFreed = false;
      const seen: unknown[] = [];
      const set = stage((ctx, _session, reason) => {
        seen.push([reason, ctx.getExData(1)]);
        if (!isFreed) {
          isFreed = true;
          ctx.free();
        }
      });
      set.ctx.setExData(1, 'mine');
      set.ctx.removeSession(set.sessions[0] as Session);
      expect(seen).to.deep.equal([
        ['removed', 'mine'],
        ['closed', 'mine'],
        ['closed', 'mine'],
      ]);
      expect(set.sessions.map(({ holds }) => holds)).to.deep.equal([1, 1, 1]);
    });

    it('free the connection whose session it is', () => {
      const ctx = strict();
      const pair = connect(ctx, { version });
      const session = pair.ssl.get1Session() as Session;
      const calls: string[] = [];
      ctx.setRemoveSessionCallback((_ctx, _session, reason) => {
        calls.push(reason);
        pair.ssl.free();
      });
      pair.client.sendAlert('internal_error');
      pass(pair);
      expect(calls).to.deep.equal(['alert-received']);
      expect(session.holds).to.equal(1);
      ctx.free();
      expect(() => ctx.free(), 'every reference is accounted for').to.throw('no reference');
    });

    it('free once more the connection that is being freed: the error is an event, the references stay right', () => {
      const ctx = strict();
      const events: Event[] = [];
      const { ssl } = connect(ctx, { version }, { attend: (event) => events.push(event) });
      ctx.setRemoveSessionCallback(() => ssl.free());
      ssl.free();
      expect(failures(events)).to.deep.equal(['onRemove']);
      ctx.free();
      expect(() => ctx.free()).to.throw('no reference');
    });

    it('throw: an event of the connection; the session is out, and who removes it by hand gets the error', () => {
      const ctx = strict();
      const events: Event[] = [];
      const first = connect(ctx, { version }, { attend: (event) => events.push(event) });
      const second = connect(ctx, { version });
      const sessions = [first, second].map(({ ssl }) => ssl.get1Session() as Session);
      ctx.setRemoveSessionCallback(() => {
        throw new Error('the application');
      });
      first.ssl.free();
      expect(failures(events)).to.deep.equal(['onRemove']);
      expect(() => ctx.removeSession(sessions[1] as Session)).to.throw('the application');
      expect(ctx.sessNumber()).to.equal(0);
      second.ssl.free();
      expect(sessions.map(({ holds }) => holds)).to.deep.equal([1, 1]);
    });

    it('answer a promise: nobody waits, and a rejection is an event', async () => {
      const ctx = strict();
      const events: Event[] = [];
      const { ssl } = connect(ctx, { version }, { attend: (event) => events.push(event) });
      ctx.setRemoveSessionCallback(async () => {
        throw new Error('the application');
      });
      ssl.receive(GARBAGE);
      expect([ctx.sessNumber(), failures(events)]).to.deep.equal([0, []]);
      await promisesAreDone();
      expect(failures(events)).to.deep.equal(['onRemove']);
    });
  });
}

/** Its last bit is wrong. */
function spoil(bytes: Uint8Array): Uint8Array {
  return bytes.map((byte, i) => (i === bytes.length - 1 ? byte ^ 1 : byte));
}

function spoilFinished(name: string, raw: Uint8Array): Uint8Array {
  return name === 'finished' ? spoil(raw) : raw;
}

function spoilBinders(binders: readonly Uint8Array[]): readonly Uint8Array[] {
  return binders.map(spoil);
}

/** A session that is made by hand. */
function parameters(version: Version) {
  return {
    version,
    cipherSuite: version === 'TLSv1.2' ? 0xc02b : 0x1301,
    id: new Uint8Array(32).fill(8),
    secret: new Uint8Array(version === 'TLSv1.2' ? 48 : 32).fill(1),
    time: 0,
    timeout: 7200,
    authTime: 0,
    extendedMasterSecret: true,
    idContext: new Uint8Array(0),
  };
}
