/** The internal cache through the façade: keys, expiry, order, capacity, flushing (SSL_CTX_add_session(3), SSL_CTX_flush_sessions(3)). */

import { expect } from 'chai';
import type { ServerConfig } from '../../src/engine/server/config.ts';
import {
  SESS_CACHE_NO_AUTO_CLEAR,
  SESS_CACHE_SERVER,
  SSL_SESSION_set_time,
  SSL_SESSION_set_timeout,
  type SslContext,
} from '../../src/openssl.ts';
import type { Session } from '../../src/sessions/session.ts';
import { testServer, toyCrypto } from '../support/servers.ts';
import { TestWorld } from '../support/world.ts';
import { idOf, resumed, returning, seconds, session, sessionOf, visit } from './sessions.ts';
import { connect, context, VERSIONS } from './support.ts';

const MAX = Number.MAX_SAFE_INTEGER;
let world: TestWorld;
let ctx: SslContext;
/** What the remove callback has been told: ids with reasons. */
let told: string[];

beforeEach(() => {
  world = new TestWorld(31);
  ctx = context(world);
  told = [];
  ctx.setRemoveSessionCallback((_ctx, gone, reason) => void told.push(`${reason} ${idOf(gone)}`));
});

const ids = () => ctx.sessions().map(idOf);

/** Adds sessions whose id is their place in the list, counted from 1, and whose last second is given. */
function add(...expires: number[]): Session[] {
  const added = expires.map((last, i) => session(i + 1, last));
  for (const one of added) expect(ctx.addSession(one)).to.equal(1);
  return added;
}

describe('the key of a session', () => {
  it('is its version with its id: equal ids of two versions are two sessions', () => {
    const [older, newer] = [session(1, 10), session(1, 10, { version: 'TLSv1.3' })];
    expect([ctx.addSession(older), ctx.addSession(newer)]).to.deep.equal([1, 1]);
    expect(ctx.sessNumber()).to.equal(2);
    expect(ctx.removeSession(older)).to.equal(1);
    expect(ctx.sessions()).to.deep.equal([newer]);
  });

  it('has one session: a later one takes the place of an earlier one, and remove is not told', () => {
    const [first, second] = [session(1, 10), session(1, 20)];
    ctx.addSession(first);
    expect(ctx.addSession(second)).to.equal(1);
    expect(ctx.sessions()).to.deep.equal([second]);
    expect(told).to.deep.equal([]);
    expect([first.holds, first.isResumable, first.isCached]).to.deep.equal([1, true, false]);
  });

  it('is of its whole length', () => {
    ctx.addSession(session(0, 10, { id: Uint8Array.of(1) }));
    ctx.addSession(session(0, 10, { id: Uint8Array.of(1, 0) }));
    expect(ctx.sessNumber()).to.equal(2);
  });

  it('of no length is refused', () => {
    const none = session(0, 10, { id: new Uint8Array(0) });
    expect(ctx.addSession(none)).to.equal(0);
    expect([ctx.sessNumber(), none.holds]).to.deep.equal([0, 1]);
  });
});

describe('expiry', () => {
  for (const version of VERSIONS) {
    it(`the last second is still good, the next is not, ${version}`, () => {
      ctx.setTimeout(100);
      ctx.setNumTickets(1);
      const first = connect(ctx, { version });
      ctx.setSessionCacheMode(0); // what resumes leaves nothing new
      world.advance(100);
      expect(resumed(connect(ctx, returning(first.client)))).to.equal(true);
      world.advance(1);
      const second = connect(ctx, returning(first.client));
      expect(second.ssl.connection?.resumption.reason).to.equal('expired');
      expect(told).to.have.lengthOf(1);
      expect(told[0]).to.match(/^expired /);
      expect([ctx.sessNumber(), ctx.sessTimeouts()]).to.deep.equal([0, 1]);
    });
  }

  it('is time and timeout, whichever of them has been set', () => {
    const [one] = add(10) as [Session];
    SSL_SESSION_set_time(one, 50);
    ctx.flushSessions(60);
    expect(ctx.sessNumber()).to.equal(1);
    SSL_SESSION_set_timeout(one, 9);
    ctx.flushSessions(60);
    expect(ctx.sessNumber()).to.equal(0);
  });

  it('beyond all numbers is never, and comes last', () => {
    const never = session(9, 0, { time: MAX, timeout: MAX });
    ctx.addSession(never);
    ctx.addSession(session(1, MAX));
    ctx.addSession(session(2, 10));
    expect(ids()).to.deep.equal([2, 1, 9]);
    ctx.flushSessions(MAX);
    expect(ids()).to.deep.equal([1, 9]);
    ctx.flushSessions(MAX + 1);
    expect(ids()).to.deep.equal([9]);
    const later = session(3, 0, { time: MAX, timeout: 5 });
    ctx.addSession(later);
    expect(ids(), 'the sooner of those beyond').to.deep.equal([3, 9]);
  });
});

describe('the order', () => {
  it('is that of expiry, in whatever order they come', () => {
    add(30, 10, 50, 20, 40);
    expect(ids()).to.deep.equal([2, 4, 1, 5, 3]);
  });

  it('of those that expire together is that in which they came', () => {
    const [first] = add(10, 10, 5, 10) as [Session];
    expect(ids()).to.deep.equal([3, 1, 2, 4]);
    expect(ctx.addSession(first), 'again').to.equal(0);
    expect(ids()).to.deep.equal([3, 2, 4, 1]);
  });

  it("follows time and timeout, as in OpenSSL's own test", () => {
    const now = seconds(world);
    const [a, b, c] = [-10, 0, 10].map((age, i) => session(i + 1, 0, { time: now + age, timeout: 10 })) as [
      Session,
      Session,
      Session,
    ];
    for (const one of [b, a, c]) ctx.addSession(one);
    expect(ids()).to.deep.equal([1, 2, 3]);
    expect(SSL_SESSION_set_time(a, now + 20)).to.equal(now + 20);
    expect(ids()).to.deep.equal([2, 3, 1]);
    expect(SSL_SESSION_set_timeout(c, 100)).to.equal(1);
    expect(ids()).to.deep.equal([2, 1, 3]);
    SSL_SESSION_set_time(a, now - 10);
    SSL_SESSION_set_timeout(c, 10);
    for (const [time, left] of [
      [now + 9, [2, 3]],
      [now + 11, [3]],
      [now + 21, []],
    ] as const) {
      ctx.flushSessions(time);
      expect(ids()).to.deep.equal(left);
    }
  });
});

describe('the capacity', () => {
  for (const size of [1, 2, 3, 5]) {
    it(`of ${size} retains ${size}; who expires first goes, and is counted`, () => {
      ctx.setSessionCacheSize(size);
      add(...Array.from({ length: 8 }, (_, i) => 10 * (i + 1)));
      expect(ids()).to.deep.equal([1, 2, 3, 4, 5, 6, 7, 8].slice(-size));
      expect(told).to.deep.equal([1, 2, 3, 4, 5, 6, 7].slice(0, 8 - size).map((id) => `evicted ${id}`));
      expect(ctx.sessCacheFull()).to.equal(8 - size);
    });
  }

  it('of 0 has no end', () => {
    ctx.setSessionCacheSize(0);
    add(...Array.from({ length: 200 }, () => 5));
    expect([ctx.sessNumber(), ctx.sessCacheFull()]).to.deep.equal([200, 0]);
  });

  it('never costs the newcomer, even where it is the first to expire; but it is the next', () => {
    ctx.setSessionCacheSize(2);
    add(30, 20, 1);
    expect(ids()).to.deep.equal([3, 1]);
    ctx.addSession(session(4, 2));
    expect(ids()).to.deep.equal([4, 1]);
    expect(told).to.deep.equal(['evicted 2', 'evicted 3']);
  });

  it('made smaller takes effect with the next session, all at once', () => {
    add(...Array.from({ length: 10 }, (_, i) => i + 1));
    expect(ctx.setSessionCacheSize(3)).to.equal(20480);
    expect(ctx.sessNumber()).to.equal(10);
    ctx.addSession(session(11, 5));
    expect(ids()).to.deep.equal([11, 9, 10]);
    expect(ctx.sessCacheFull()).to.equal(8);
  });

  it('is not touched by a session that is there already, nor by one that takes its place', () => {
    ctx.setSessionCacheSize(2);
    const [first] = add(10, 20) as [Session];
    expect(ctx.addSession(first)).to.equal(0);
    expect(ctx.addSession(session(2, 30))).to.equal(1);
    expect([ids(), told]).to.deep.equal([[1, 2], []]);
  });

  for (const version of VERSIONS) {
    it(`bounds what handshakes leave, full ones and resumptions, ${version}`, () => {
      ctx.setSessionCacheSize(5);
      for (let i = 0; i < 10; i++) {
        const first = connect(ctx, { version });
        const second = connect(ctx, returning(first.client));
        expect(resumed(second)).to.equal(true);
        expect(
          resumed(connect(ctx, version === 'TLSv1.2' ? returning(first.client) : returning(second.client))),
        ).to.equal(true);
        expect(ctx.sessNumber()).to.be.at.most(5);
      }
      expect(ctx.sessNumber()).to.equal(5);
    });
  }

  for (const version of VERSIONS) {
    it(`costs nobody for a session of the get callback's that has expired, ${version}`, () => {
      ctx.setTimeout(10);
      const first = connect(ctx, { version });
      const late = sessionOf(first.ssl).dup();
      ctx.flushSessions(0);
      ctx.setSessionCacheMode(0);
      ctx.setSessionCacheSize(1);
      ctx.addSession(session(1, 2 ** 40));
      world.advance(11);
      ctx.setGetSessionCallback(() => late);
      const { ssl } = connect(ctx, returning(first.client, 1));
      expect(ssl.connection?.resumption.reason).to.equal('expired');
      expect([ids(), ctx.sessCacheFull()]).to.deep.equal([[1], 0]);
    });
  }

  it('says nothing against an evicted session that somebody holds', () => {
    ctx.setSessionCacheSize(1);
    const [first] = add(10, 20) as [Session];
    expect([first.holds, first.isResumable]).to.deep.equal([1, true]);
  });
});

describe('SSL_CTX_flush_sessions(3)', () => {
  it('at 0 takes all, the soonest to expire first', () => {
    add(30, 10, 20);
    ctx.flushSessions(0);
    expect(told).to.deep.equal(['flushed 2', 'flushed 3', 'flushed 1']);
    expect(ctx.sessNumber()).to.equal(0);
  });

  it('takes what has expired, and not what does so in that very second', () => {
    add(103, 101, 102, 100);
    ctx.flushSessions(100);
    expect(told).to.deep.equal([]);
    ctx.flushSessions(102);
    expect(told).to.deep.equal(['flushed 4', 'flushed 2']);
    expect(ids()).to.deep.equal([3, 1]);
  });

  it('touches no counter', () => {
    add(1, 2, 3);
    const { number: _, ...before } = ctx.config.statistics();
    ctx.flushSessions(0);
    const { number, ...after } = ctx.config.statistics();
    expect(after).to.deep.equal(before);
    expect(number).to.equal(0);
  });

  it('has the remove callback see a session that is out, ruled out and still whole', () => {
    const seen: unknown[] = [];
    ctx.setRemoveSessionCallback((_ctx, gone) => {
      seen.push([idOf(gone), ctx.sessNumber(), gone.isResumable, gone.isCached, gone.secret.length]);
    });
    for (const one of add(10, 20)) one.free();
    ctx.flushSessions(0);
    expect(seen).to.deep.equal([
      [1, 0, false, false, 48],
      [2, 0, false, false, 48],
    ]);
  });

  it('lets the callback flush, add and remove', () => {
    ctx.setRemoveSessionCallback((_ctx, gone, reason) => {
      told.push(`${reason} ${idOf(gone)}`);
      if (idOf(gone) === 1) {
        ctx.flushSessions(0);
        ctx.addSession(session(9, 90));
        expect(ctx.removeSession(gone)).to.equal(0);
      }
    });
    add(10, 20, 30);
    ctx.flushSessions(15);
    expect(told).to.deep.equal(['flushed 1', 'flushed 2', 'flushed 3']);
    expect(ids()).to.deep.equal([9]);
  });
});

describe('the flush every 255 connections', () => {
  /** Handshakes until something is told, and how many there were. */
  function handshakesUntilFlush(handshake: () => void, max = 600): number {
    for (let i = 1; i <= max; i++) {
      handshake();
      if (told.splice(0).some((line) => line.startsWith('expired'))) return i;
    }
    return Number.POSITIVE_INFINITY;
  }

  function addExpired(id = 1): void {
    ctx.addSession(session(id, seconds(world) - 1));
  }

  for (const version of VERSIONS) {
    it(`comes with the 255th and the 510th that is complete, ${version}`, () => {
      addExpired();
      expect(handshakesUntilFlush(() => connect(ctx, { version }))).to.equal(255);
      expect(ctx.sessAcceptGood()).to.equal(255);
      addExpired();
      expect(handshakesUntilFlush(() => connect(ctx, { version }))).to.equal(255);
    });

    it(`counts resumptions, and no handshake that has failed, ${version}`, () => {
      addExpired();
      const first = connect(ctx, { version });
      connect(ctx, { version, ciphers: [0x1399] });
      expect(ctx.sessAccept()).to.equal(2);
      const resume = () => expect(resumed(connect(ctx, returning(first.client)))).to.equal(true);
      expect(handshakesUntilFlush(resume)).to.equal(254);
    });

    it(`comes where nothing was stored, too, ${version}`, () => {
      ctx.setNumTickets(0);
      ctx.setNotResumableSessionCallback(() => 1);
      addExpired();
      expect(handshakesUntilFlush(() => connect(ctx, { version }))).to.equal(255);
    });
  }

  it('counts both versions together', () => {
    addExpired();
    let i = 0;
    const version = () => VERSIONS[i++ % 2];
    expect(handshakesUntilFlush(() => connect(ctx, { version: version() }))).to.equal(255);
  });

  it('takes only what has expired', () => {
    ctx.setNotResumableSessionCallback(() => 1);
    addExpired();
    ctx.addSession(session(2, seconds(world)));
    expect(handshakesUntilFlush(() => connect(ctx, { version: 'TLSv1.2' }))).to.equal(255);
    expect(ids()).to.deep.equal([2]);
  });

  it('does not come with NO_AUTO_CLEAR', () => {
    ctx.setSessionCacheMode(SESS_CACHE_SERVER | SESS_CACHE_NO_AUTO_CLEAR);
    addExpired();
    expect(handshakesUntilFlush(() => connect(ctx, { version: 'TLSv1.2' }), 260)).to.equal(Number.POSITIVE_INFINITY);
  });

  it('of a virtual host counts the connections that it serves, in the cache that is its own', () => {
    const removed: string[] = [];
    const host = (name: string, onServerName?: () => ServerConfig): ServerConfig =>
      testServer({
        world,
        crypto: toyCrypto,
        onServerName,
        sessions: { onRemove: (_session, reason) => void removed.push(`${name} ${reason}`) },
      });
    const selected = host('selected');
    const front = host('front', () => selected);
    for (const config of [front, selected]) config.addSession(session(1, seconds(world) - 1));
    for (let i = 1; i < 255; i++) visit(front, { version: 'TLSv1.2' });
    expect(removed).to.deep.equal([]);
    visit(front, { version: 'TLSv1.2' });
    expect(removed).to.deep.equal(['selected expired']);
  });
});

describe('the newest session', () => {
  it('of a TLS 1.3 connection is its last ticket, and both tickets are in the cache', () => {
    const { ssl } = connect(ctx, {});
    expect(ctx.sessions().at(-1)).to.equal(sessionOf(ssl));
    expect(ctx.sessNumber()).to.equal(2);
  });
});
