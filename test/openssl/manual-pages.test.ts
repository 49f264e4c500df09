/**
 * Points in which OpenSSL's manual pages and its code differ, or the pages among themselves, numbered; each with what is so here:
 * as the pages have it, or more careful. What `compat` changes of it is in compat.test.ts.
 */

import { expect } from 'chai';
import { SESS_CACHE_OFF, SESS_CACHE_SERVER, SESS_CACHE_UPDATE_TIME } from '../../src/openssl/constants.ts';
import { SSL_SESSION_is_resumable, SSL_SESSION_set_timeout } from '../../src/openssl/session.ts';
import type { SslContext } from '../../src/openssl/ssl.ts';
import type { Session } from '../../src/sessions/session.ts';
import { TestWorld } from '../support/world.ts';
import { idOf, Journal, keepAway, leave, offeredIds } from './journal.ts';
import { again, connect, context, type Pair, pass, VERSIONS } from './support.ts';

let world: TestWorld;
let ctx: SslContext;

beforeEach(() => {
  world = new TestWorld(64);
  ctx = context(world);
});

/** The session of a visit that ended well, with a hold for the test. */
function visit(options: Parameters<typeof connect>[1]): { readonly pair: Pair; readonly session: Session } {
  const pair = connect(ctx, options);
  const session = pair.ssl.get1Session();
  if (session === null) throw new Error('no session');
  leave(pair);
  return { pair, session };
}

for (const version of VERSIONS) {
  const isTls13 = version === 'TLSv1.3';
  const perFull = isTls13 ? 2 : 1;

  describe(`manual pages and code, ${version}`, () => {
    it('1. new is called for what has been negotiated and can be resumed: once an id, never for what nobody can resume', () => {
      const journal = new Journal(ctx);
      const { pair } = visit({ version });
      expect(journal.announced.map(idOf)).to.deep.equal(offeredIds(pair));
      ctx.setNotResumableSessionCallback(() => 1);
      visit({ version });
      expect(journal.count('new')).to.equal(perFull);
    });

    it('1. new is called whether or not the internal cache takes the session', () => {
      const journal = new Journal(ctx);
      ctx.setNumTickets(1);
      visit({ version });
      const { closeSessions } = ctx.config;
      closeSessions();
      visit({ version });
      expect([journal.count('new'), ctx.sessNumber()]).to.deep.equal([2, 0]);
    });

    it('2. new answers 0: the session leaves the internal cache and its hold is released', () => {
      const journal = new Journal(ctx, { onNew: () => 0 });
      const { pair } = visit({ version });
      expect(ctx.sessNumber()).to.equal(0);
      expect(journal.announced[0]?.holds).to.equal(isTls13 ? 0 : 1); // the test has the last one
      expect(connect(ctx, again(pair)).ssl.sessionReused()).to.equal(0);
    });

    it('3. remove is called for what was cached or announced, and for nothing else', () => {
      const journal = new Journal(ctx);
      const failed = connect(ctx, { version, stopBefore: 'finished' });
      failed.client.sendAlert('bad_certificate');
      pass(failed).ssl.free();
      const { session } = visit({ version });
      const stranger = session.dup({ id: new Uint8Array(32) });
      ctx.removeSession(stranger);
      expect(journal.count('remove')).to.equal(0);
      ctx.removeSession(session);
      expect(journal.removed).to.deep.equal([session]);
    });

    it('4. get is called after an internal miss, with caching off too', () => {
      const { pair, session } = keepAway(ctx, { version });
      for (const mode of [SESS_CACHE_SERVER, SESS_CACHE_OFF]) {
        ctx = context(world);
        ctx.setSessionCacheMode(mode);
        const journal = new Journal(ctx, { onGet: () => session.dup() });
        expect(connect(ctx, again(pair)).ssl.sessionReused()).to.equal(1);
        expect(connect(ctx, again(pair)).ssl.sessionReused(), 'from the internal cache').to.equal(1);
        expect(journal.count('get')).to.equal(1);
      }
    });

    it('5. get: copy is 1, and what is answered stays the application’s to free', () => {
      const { pair, session } = keepAway(ctx, { version });
      const copies: number[] = [];
      ctx.setGetSessionCallback((_ssl, _id, copy) => {
        copies.push(copy.value);
        return session;
      });
      leave(connect(ctx, again(pair)));
      ctx.free();
      expect([copies, session.holds]).to.deep.equal([[1], 1]);
      session.free();
      expect(() => session.secret).to.throw('last free()');
    });

    it('6. get: the id is to be read; what is written into it reaches nobody', () => {
      const { pair, session } = keepAway(ctx, { version });
      ctx.setGetSessionCallback((_ssl, id) => {
        id.fill(0xff);
        return session;
      });
      expect(connect(ctx, again(pair)).ssl.sessionReused()).to.equal(1);
      expect(idOf(session)).to.equal(offeredIds(pair)[0]);
    });

    it('7. a session resumes as often as it is offered, unless the application has it removed after its first use', () => {
      const { pair } = visit({ version });
      for (let i = 0; i < 3; i++) expect(connect(ctx, again(pair)).ssl.sessionReused()).to.equal(1);
      const last = connect(ctx, again(pair)).ssl;
      const used = last.connection?.resumption.session ?? null;
      expect(ctx.removeSession(used)).to.equal(1);
      expect(connect(ctx, again(pair)).ssl.sessionReused()).to.equal(0);
    });

    it('8. new is called when the client’s Finished has been verified, before the handshake is complete for the server', () => {
      const seen: unknown[] = [];
      ctx.setNewSessionCallback((ssl) => seen.push([ssl.isInitFinished(), ssl.connection?.waitingFor?.kind]));
      const { pair } = visit({ version });
      expect(seen).to.deep.equal(Array(perFull).fill([0, 'task']));
      expect(pair.client.isEstablished).to.equal(true);
      const spoilt = {
        rewriteMessage: (name: string, raw: Uint8Array) => (name === 'finished' ? raw.map((b) => b ^ 1) : raw),
      };
      connect(ctx, { version, ...spoilt });
      expect(seen.length).to.equal(perFull);
    });

    it('9. adding a session under the key of another replaces it: the other is released, not ruled out, and remove is not told', () => {
      const { pair, session } = visit({ version });
      const journal = new Journal(ctx);
      const twin = session.dup();
      const foreign = session.dup({ version: isTls13 ? 'TLSv1.2' : 'TLSv1.3' });
      const number = ctx.sessNumber();
      expect([ctx.addSession(twin), ctx.addSession(foreign)]).to.deep.equal([1, 1]);
      expect(ctx.sessNumber(), 'the key has the version in it').to.equal(number + 1);
      expect([session.holds, session.isResumable, journal.count('remove')]).to.deep.equal([1, true, 0]);
      expect(connect(ctx, again(pair)).ssl.sessionReused()).to.equal(1);
    });

    it('10. adding a session that is there answers 0 and sorts it anew; with UPDATE_TIME its time begins anew', () => {
      ctx.setNumTickets(1);
      const [one, two] = [visit({ version }).session, visit({ version }).session];
      expect(ctx.sessions()).to.deep.equal([one, two]);
      expect(ctx.addSession(one)).to.equal(0);
      expect(ctx.sessions()).to.deep.equal([two, one]);
      world.advance(50);
      ctx.setSessionCacheMode(SESS_CACHE_SERVER | SESS_CACHE_UPDATE_TIME);
      const { time } = two;
      expect(ctx.addSession(two)).to.equal(0);
      expect([ctx.sessions(), two.time]).to.deep.equal([[one, two], time + 50]);
    });

    it('11. removing a session removes what is cached under its key, of which remove is told; 0 where nothing is', () => {
      const { session } = visit({ version });
      const twin = session.dup();
      const journal = new Journal(ctx);
      expect([ctx.removeSession(twin), ctx.removeSession(twin), ctx.removeSession(session)]).to.deep.equal([1, 0, 0]);
      expect(journal.removed).to.deep.equal([session]);
      expect([SSL_SESSION_is_resumable(session), SSL_SESSION_is_resumable(twin), session.holds]).to.deep.equal([
        0, 0, 1,
      ]);
    });

    it('12. 0 also for no session, and for one without an id; adding what nobody could resume is refused', () => {
      const { session } = visit({ version });
      const unnamed = session.dup({ id: new Uint8Array(0) });
      expect([ctx.removeSession(null), ctx.removeSession(unnamed), ctx.addSession(unnamed)]).to.deep.equal([0, 0, 0]);
      ctx.removeSession(session);
      expect([ctx.addSession(session), ctx.sessNumber()]).to.deep.equal([0, perFull - 1]);
    });

    it('13. an unclean end rules out the current session alone; in TLS 1.3 only where it is asked for', () => {
      const pair = connect(ctx, { version });
      pair.ssl.free();
      expect(ctx.sessNumber()).to.equal(isTls13 ? 2 : 0);
      ctx = context(world, { sessions: { removeUnclean: VERSIONS } });
      const other = connect(ctx, { version });
      const current = other.ssl.get1Session();
      other.ssl.free();
      expect([ctx.sessNumber(), current?.isResumable]).to.deep.equal([perFull - 1, false]);
      expect(connect(ctx, again(other)).ssl.sessionReused()).to.equal(perFull - 1);
    });

    it('14. SSL_get_session: the session of the last id that was sent, or one that nobody can resume', () => {
      const pair = connect(ctx, { version });
      const sent = offeredIds(pair).at(-1);
      expect(pair.ssl.getSession()).to.satisfy((session: Session) => idOf(session) === sent);
      ctx.setSessionCacheMode(SESS_CACHE_OFF);
      const none = connect(ctx, { version }).ssl.getSession();
      expect([none?.id.length, none?.isResumable]).to.deep.equal([0, false]);
    });

    it('15. a session is in the cache of one context; a copy of it is in none', () => {
      const { session } = visit({ version });
      const other = context(world);
      expect(() => other.addSession(session)).to.throw('another cache');
      expect(session.dup().isCached).to.equal(false);
      expect(other.addSession(session.dup())).to.equal(1);
    });

    it('16. a session can leave while a connection has it: that one goes on, and nobody resumes it', () => {
      for (const act of [() => ctx.flushSessions(0), () => ctx.setSessionCacheSize(1)]) {
        ctx = context(world);
        const pair = connect(ctx, { version });
        const session = pair.ssl.getSession();
        act();
        world.advance(1);
        ctx.addSession(visit({ version }).session.dup({ id: new Uint8Array(32) }));
        expect(session?.isCached).to.equal(false);
        expect([pair.ssl.write(Uint8Array.of(1)), session?.secret.some((byte) => byte !== 0)]).to.deep.equal([1, true]);
        expect(connect(ctx, again(pair)).ssl.sessionReused()).to.equal(0);
      }
    });

    it('17. an expired session that is looked up leaves, and remove is told', () => {
      const { pair } = visit({ version });
      const journal = new Journal(ctx, { onNew: () => 0 });
      world.advance(7200);
      const good = connect(ctx, { ...again(pair) });
      expect(good.ssl.sessionReused(), 'its last second').to.equal(1);
      leave(good);
      world.advance(1);
      expect(connect(ctx, again(pair)).ssl.sessionReused()).to.equal(0);
      expect(journal.calls.filter((call) => call.startsWith('remove'))).to.deep.equal(['remove expired']);
      expect(journal.removed.map(idOf)).to.deep.equal(offeredIds(pair).slice(0, 1));
      expect(ctx.sessTimeouts()).to.equal(1);
    });

    it('the default timeout is 7200 seconds; a session keeps the one that it was made with', () => {
      expect(ctx.getTimeout()).to.equal(7200);
      const { session } = visit({ version });
      expect(ctx.setTimeout(10)).to.equal(7200);
      expect([session.timeout, visit({ version }).session.timeout]).to.deep.equal([7200, 10]);
      expect([SSL_SESSION_set_timeout(session, -1), session.timeout]).to.deep.equal([0, 7200]);
    });

    it('UPDATE_TIME: the timeout counts from the last use, wherever the session was found', () => {
      ctx.setSessionCacheMode(SESS_CACHE_SERVER | SESS_CACHE_UPDATE_TIME);
      const { pair, session } = visit({ version });
      const [used] = ctx.sessions();
      const { time } = session;
      world.advance(5000);
      expect(connect(ctx, again(pair)).ssl.sessionReused()).to.equal(1);
      expect(used?.time).to.equal(time + 5000);
      world.advance(5000);
      expect(connect(ctx, again(pair)).ssl.sessionReused()).to.equal(1);
    });

    it('a not-resumable session is handed out under no id', () => {
      ctx.setNotResumableSessionCallback(() => 1);
      const pair = connect(ctx, { version });
      expect(offeredIds(pair)).to.deep.equal([]);
      expect(ctx.sessNumber()).to.equal(0);
    });
  });
}
