/** SSL_CTX_sess_set_get_cb(3): when it is called, what it is told, what becomes of its answer, and what it may do itself. */

import { expect } from 'chai';
import type { Event } from '../../src/engine/events.ts';
import {
  SESS_CACHE_BOTH,
  SESS_CACHE_CLIENT,
  SESS_CACHE_NO_INTERNAL,
  SESS_CACHE_NO_INTERNAL_LOOKUP,
  SESS_CACHE_NO_INTERNAL_STORE,
  SESS_CACHE_OFF,
  SESS_CACHE_SERVER,
} from '../../src/openssl/constants.ts';
import { d2i_SSL_SESSION, i2d_SSL_SESSION } from '../../src/openssl/session.ts';
import type { GetSessionCallback, SslContext } from '../../src/openssl/ssl.ts';
import { Ssl } from '../../src/openssl/ssl.ts';
import type { Session } from '../../src/sessions/session.ts';
import { toHex } from '../../src/wire/bytes.ts';
import type { Version } from '../../src/wire/registry.ts';
import { type ClientOptions, ScriptedClient } from '../support/scripted-client.ts';
import { toyCrypto } from '../support/servers.ts';
import { TestWorld } from '../support/world.ts';
import { failures, idOf, Journal, keepAway, leave, promisesAreDone } from './journal.ts';
import { again, connect, context, type Pair, pass, VERSIONS } from './support.ts';

let world: TestWorld;
let ctx: SslContext;

beforeEach(() => {
  world = new TestWorld(62);
  ctx = context(world);
});

/** A hello that offers an id of which nobody knows. */
function offering(version: Version, id: Uint8Array): ClientOptions {
  const psk = { identity: id, secret: new Uint8Array(32), hash: 'sha256' } as const;
  return version === 'TLSv1.2' ? { version, sessionId: id } : { version, psks: [psk] };
}

for (const version of VERSIONS) {
  const isTls13 = version === 'TLSv1.3';

  describe(`SSL_CTX_sess_set_get_cb, ${version}: when`, () => {
    it('after an internal miss: one call, and it may answer that it has none', () => {
      const journal = new Journal(ctx);
      const pair = connect(ctx, offering(version, new Uint8Array(32).fill(3)));
      expect([pair.client.isEstablished, pair.ssl.sessionReused()]).to.deep.equal([true, 0]);
      expect(journal.count('get')).to.equal(1);
      expect([ctx.sessMisses(), ctx.sessCbHits(), ctx.sessHits()]).to.deep.equal([1, 0, 0]);
    });

    it('an internal hit: never', () => {
      const first = connect(ctx, { version });
      const journal = new Journal(ctx);
      expect(connect(ctx, again(first)).ssl.sessionReused()).to.equal(1);
      expect(journal.count('get')).to.equal(0);
    });

    it('nothing offered: never', () => {
      const journal = new Journal(ctx);
      connect(ctx, { version });
      connect(ctx, { version, sessionId: new Uint8Array(0) });
      expect(journal.count('get')).to.equal(0);
    });

    it('NO_INTERNAL_LOOKUP: at once, although the internal cache has the session, and no miss is counted', () => {
      ctx.setNumTickets(1);
      const stored: Session[] = [];
      const journal = new Journal(ctx, {
        onNew: (_ssl, session) => stored.push(session),
        onGet: () => stored[0] ?? null,
      });
      const first = connect(ctx, { version });
      ctx.setSessionCacheMode(SESS_CACHE_SERVER | SESS_CACHE_NO_INTERNAL_LOOKUP);
      expect(ctx.sessNumber()).to.equal(1);
      expect(connect(ctx, again(first)).ssl.sessionReused()).to.equal(1);
      expect(journal.count('get')).to.equal(1);
      expect([ctx.sessMisses(), ctx.sessCbHits(), ctx.sessHits()]).to.deep.equal([0, 1, 1]);
    });

    for (const [name, mode] of [
      ['OFF', SESS_CACHE_OFF],
      ['CLIENT', SESS_CACHE_CLIENT],
      ['BOTH', SESS_CACHE_BOTH],
      ['NO_INTERNAL', SESS_CACHE_SERVER | SESS_CACHE_NO_INTERNAL],
      ['OFF with NO_INTERNAL', SESS_CACHE_OFF | SESS_CACHE_NO_INTERNAL],
    ] as const) {
      it(`mode ${name}: called, and what it has resumes`, () => {
        const { pair, session } = keepAway(ctx, { version });
        const journal = new Journal(ctx, { onGet: () => session });
        ctx.setSessionCacheMode(mode);
        expect(connect(ctx, again(pair)).ssl.sessionReused()).to.equal(1);
        expect(journal.count('get')).to.equal(1);
      });
    }

    it('an expired session in the internal cache: no miss, so never', () => {
      const first = connect(ctx, { version });
      const journal = new Journal(ctx);
      world.advance(7201);
      expect(connect(ctx, again(first)).ssl.sessionReused()).to.equal(0);
      expect(journal.count('get')).to.equal(0);
    });

    it('the callback that is set when the hello comes', () => {
      const { pair, session } = keepAway(ctx, { version });
      const journal = new Journal(ctx, { onGet: () => session });
      const callback = ctx.getGetSessionCallback();
      ctx.setGetSessionCallback(null);
      expect(connect(ctx, again(pair)).ssl.sessionReused()).to.equal(0);
      ctx.setGetSessionCallback(callback);
      expect(connect(ctx, again(pair)).ssl.sessionReused()).to.equal(1);
      expect(journal.count('get')).to.equal(1);
    });

    it('the next time the internal cache has it: not called again', () => {
      const { pair, session } = keepAway(ctx, { version });
      const journal = new Journal(ctx, { onGet: () => session });
      leave(connect(ctx, again(pair)));
      expect(ctx.sessions()).to.include(session);
      leave(connect(ctx, again(pair)));
      expect(journal.count('get')).to.equal(1);
    });
  });

  describe(`SSL_CTX_sess_set_get_cb, ${version}: what it is told`, () => {
    it('the id as the client sent it, in bytes of its own', () => {
      const { pair, session } = keepAway(ctx, { version });
      const ids: string[] = [];
      new Journal(ctx, {
        onGet: (_ssl, id) => {
          ids.push(toHex(id));
          id.fill(0);
          return session;
        },
      });
      expect(connect(ctx, again(pair)).ssl.sessionReused()).to.equal(1);
      expect(ids).to.deep.equal([idOf(session)]);
    });

    it('a connection in its ClientHello: its version is known, it has no session, nothing has been sent', () => {
      const seen: unknown[] = [];
      const sent: Uint8Array[] = [];
      ctx.setGetSessionCallback((ssl) => {
        seen.push([ssl.connection?.version, ssl.connection?.serverName, ssl.isInitFinished(), ssl.sessionReused()]);
        seen.push([ssl.getSession(), ssl.getExData(1), sent.length, ctx.sessAccept()]);
        return null;
      });
      const ssl = new Ssl(ctx, { send: (bytes) => sent.push(bytes) });
      ssl.setExData(1, 'mine');
      ssl.receive(
        new ScriptedClient({ sni: 'localhost', ...offering(version, new Uint8Array(32)), crypto: toyCrypto }).take(),
      );
      expect(seen).to.deep.equal([
        [version, 'localhost', 0, 0],
        [null, 'mine', 0, 1],
      ]);
    });

    it('copy, which is 1 when it is called', () => {
      const values: number[] = [];
      ctx.setGetSessionCallback((_ssl, _id, copy) => {
        values.push(copy.value);
        return null;
      });
      connect(ctx, offering(version, new Uint8Array(32).fill(1)));
      expect(values).to.deep.equal([1]);
    });
  });

  describe(`SSL_CTX_sess_set_get_cb, ${version}: its answer`, () => {
    /** The answer as it is, and later. */
    const ways: readonly (readonly [string, (answer: GetSessionCallback) => GetSessionCallback])[] = [
      ['at once', (answer) => answer],
      ['later', (answer) => (ssl, id, copy) => Promise.resolve().then(() => answer(ssl, id, copy))],
      [
        'by a thenable',
        (answer) => (ssl, id, copy) => ({
          // biome-ignore lint/suspicious/noThenProperty: such things are promises to JavaScript.
          then: (resolve) => Promise.resolve(answer(ssl, id, copy)).then(resolve),
        }),
      ],
    ];

    async function visit(options: ClientOptions, callback: GetSessionCallback): Promise<Pair & { events: Event[] }> {
      const events: Event[] = [];
      ctx.setGetSessionCallback(callback);
      const pair = connect(ctx, options, { attend: (event) => events.push(event) });
      await promisesAreDone();
      return { ...pass(pair), events };
    }

    for (const [how, way] of ways) {
      it(`a session, ${how}, copy 1: lent; engine and cache take holds of their own`, async () => {
        const { pair, session } = keepAway(ctx, { version });
        const second = await visit(
          again(pair),
          way(() => session),
        );
        expect([second.ssl.sessionReused(), session.holds]).to.deep.equal([1, 3]);
        leave(second);
        expect(session.holds).to.equal(2);
        ctx.free();
        expect(session.holds).to.equal(1);
      });

      it(`a session, ${how}, copy 0: given; the hold is the engine's`, async () => {
        const { pair, session } = keepAway(ctx, { version });
        const second = await visit(
          again(pair),
          way((_ssl, _id, copy) => {
            copy.value = 0;
            return session;
          }),
        );
        expect([second.ssl.sessionReused(), session.holds]).to.deep.equal([1, 2]);
        leave(second);
        expect(session.holds).to.equal(1);
        ctx.free();
        expect(session.holds).to.equal(0);
      });

      it(`bytes of a session, ${how}: decoded, whatever copy is`, async () => {
        for (const copied of [1, 0]) {
          const { pair, session } = keepAway(ctx, { version });
          const second = await visit(
            again(pair),
            way((_ssl, _id, copy) => {
              copy.value = copied;
              return i2d_SSL_SESSION(session);
            }),
          );
          expect([second.ssl.sessionReused(), session.holds]).to.deep.equal([1, 1]);
          const mine = ctx.sessions().find((other) => idOf(other) === idOf(session));
          expect([mine === session, mine?.holds]).to.deep.equal([false, 2]);
        }
      });

      it(`null, ${how}: a miss, and copy 0 gives nothing`, async () => {
        const { pair } = keepAway(ctx, { version });
        const second = await visit(
          again(pair),
          way((_ssl, _id, copy) => {
            copy.value = 0;
            return null;
          }),
        );
        expect([second.ssl.sessionReused(), second.ssl.isInitFinished()]).to.deep.equal([0, 1]);
        expect(failures(second.events)).to.deep.equal([]);
      });

      it(`an error, ${how}: a miss and an event`, async () => {
        const { pair } = keepAway(ctx, { version });
        const second = await visit(
          again(pair),
          way(() => {
            throw new Error('the application');
          }),
        );
        expect([second.ssl.sessionReused(), second.ssl.isInitFinished()]).to.deep.equal([0, 1]);
        expect(second.ssl.connection?.resumption.reason).to.equal('store-error');
        expect(failures(second.events)).to.deep.equal(['onGet']);
      });

      for (const copied of [1, 0]) {
        const holds = copied; // what was given goes, what was lent is the application's still

        it(`another id than was asked for, ${how}, copy ${copied}: a miss and an event, the session as it was`, async () => {
          const { pair } = keepAway(ctx, { version });
          const { session: other } = keepAway(ctx, { version });
          const second = await visit(
            again(pair),
            way((_ssl, _id, copy) => {
              copy.value = copied;
              return other;
            }),
          );
          expect([second.ssl.sessionReused(), second.ssl.isInitFinished()]).to.deep.equal([0, 1]);
          expect(second.ssl.connection?.resumption.reason).to.equal('wrong-id');
          expect(failures(second.events)).to.deep.equal(['onGet']);
          expect([ctx.sessHits(), ctx.sessCbHits(), ctx.sessions().includes(other)]).to.deep.equal([0, 0, false]);
          leave(second);
          expect(other.holds).to.equal(holds);
        });

        it(`another version than was asked for, ${how}, copy ${copied}: the same`, async () => {
          const { pair, session } = keepAway(ctx, { version });
          const other = session.dup({ version: isTls13 ? 'TLSv1.2' : 'TLSv1.3' });
          const second = await visit(
            again(pair),
            way((_ssl, _id, copy) => {
              copy.value = copied;
              return other;
            }),
          );
          expect([second.ssl.sessionReused(), second.ssl.isInitFinished()]).to.deep.equal([0, 1]);
          expect(second.ssl.connection?.resumption.reason).to.equal('version');
          expect(failures(second.events)).to.deep.equal(['onGet']);
          leave(second);
          expect([other.holds, other.isCached]).to.deep.equal([holds, false]);
        });

        it(`a session that was ruled out, ${how}, copy ${copied}: ignored, not counted, not cached`, async () => {
          const { pair, session } = keepAway(ctx, { version });
          ctx.removeSession(session);
          const journal = new Journal(ctx);
          const second = await visit(
            again(pair),
            way((_ssl, _id, copy) => {
              copy.value = copied;
              return session;
            }),
          );
          expect([second.ssl.sessionReused(), second.ssl.isInitFinished()]).to.deep.equal([0, 1]);
          expect(second.ssl.connection?.resumption.reason).to.equal('not-resumable');
          expect([ctx.sessCbHits(), session.isCached, journal.count('remove')]).to.deep.equal([0, false, 0]);
          leave(second);
          expect(session.holds).to.equal(holds);
        });

        it(`an expired session, ${how}, copy ${copied}: counted, not cached, and remove is told`, async () => {
          const { pair, session } = keepAway(ctx, { version });
          world.advance(7201);
          const journal = new Journal(ctx);
          const second = await visit(
            again(pair),
            way((_ssl, _id, copy) => {
              copy.value = copied;
              return session;
            }),
          );
          expect([second.ssl.sessionReused(), second.ssl.isInitFinished()]).to.deep.equal([0, 1]);
          expect([ctx.sessCbHits(), ctx.sessTimeouts(), ctx.sessHits()]).to.deep.equal([1, 1, 0]);
          expect(journal.removed).to.deep.equal([session]);
          expect(journal.calls[0]).to.equal('remove expired');
          leave(second);
          expect([session.holds, session.isCached]).to.deep.equal([holds, false]);
        });

        it(`a session of another context's cache, ${how}, copy ${copied}: resumes, and stays where it is`, async () => {
          const { pair, session } = keepAway(ctx, { version });
          const other = context(world);
          other.addSession(session);
          const second = await visit(
            again(pair),
            way((_ssl, _id, copy) => {
              copy.value = copied;
              return session;
            }),
          );
          expect(second.ssl.sessionReused()).to.equal(1);
          expect([other.sessions().includes(session), ctx.sessions().includes(session)]).to.deep.equal([true, false]);
          leave(second);
          expect(session.holds).to.equal(1 + holds);
        });

        it(`the end of the connection before the answer, ${how}, copy ${copied}: the holds add up`, async () => {
          const { pair, session } = keepAway(ctx, { version });
          const client = new ScriptedClient({ sni: 'localhost', crypto: toyCrypto, ...again(pair) });
          const ssl = new Ssl(ctx);
          ctx.setGetSessionCallback(async (_ssl, _id, copy) => {
            await Promise.resolve();
            copy.value = copied;
            return session;
          });
          ssl.receive(client.take());
          ssl.free();
          await promisesAreDone();
          expect([session.holds, session.isCached]).to.deep.equal([holds, false]);
        });
      }
    }

    it('a session under another session id context: a full handshake; it is kept, in the internal cache too', async () => {
      const { pair, session } = keepAway(ctx, { version });
      ctx.setSessionIdContext(Uint8Array.of(1));
      const second = await visit(again(pair), () => session);
      expect(second.ssl.connection?.resumption.reason).to.equal('session-id-context');
      expect([ctx.sessCbHits(), ctx.sessHits(), session.isResumable, session.isCached]).to.deep.equal([
        1,
        0,
        true,
        true,
      ]);
    });

    for (const [name, mode, cached] of [
      ['OFF', SESS_CACHE_OFF, true],
      ['SERVER', SESS_CACHE_SERVER, true],
      ['NO_INTERNAL_LOOKUP', SESS_CACHE_SERVER | SESS_CACHE_NO_INTERNAL_LOOKUP, true],
      ['NO_INTERNAL_STORE', SESS_CACHE_SERVER | SESS_CACHE_NO_INTERNAL_STORE, false],
    ] as const) {
      it(`mode ${name}: what it answers ${cached ? 'goes' : 'does not go'} into the internal cache`, async () => {
        const { pair, session } = keepAway(ctx, { version });
        ctx.setSessionCacheMode(mode);
        const second = await visit(again(pair), () => session);
        expect([second.ssl.sessionReused(), session.isCached]).to.deep.equal([1, cached]);
      });
    }

    it('into a cache that is full: another has to leave, never the newcomer', async () => {
      const { pair, session } = keepAway(ctx, { version });
      ctx.setNumTickets(1);
      connect(ctx, { version });
      ctx.setSessionCacheSize(1);
      const events: string[] = [];
      ctx.setRemoveSessionCallback((_ctx, gone, reason) => events.push(`${reason} ${gone === session}`));
      world.advance(10); // so that it is the first to expire
      ctx.setNumTickets(0);
      const second = await visit(again(pair), () => session);
      expect(second.ssl.sessionReused()).to.equal(1);
      expect(events).to.deep.equal(['evicted false']);
      expect(ctx.sessions()).to.deep.equal([session]);
    });

    it('two sessions under one id, one after the other: the second takes the place of none', async () => {
      const { pair, session } = keepAway(ctx, { version });
      ctx.setSessionCacheMode(SESS_CACHE_SERVER | SESS_CACHE_NO_INTERNAL_LOOKUP);
      const journal = new Journal(ctx);
      const bytes = i2d_SSL_SESSION(session);
      for (const twin of [d2i_SSL_SESSION(bytes), d2i_SSL_SESSION(bytes)]) {
        const second = await visit(again(pair), () => twin);
        expect([second.ssl.sessionReused(), twin.isCached]).to.deep.equal([1, true]);
      }
      expect(ctx.sessions().filter((other) => idOf(other) === idOf(session)).length).to.equal(1);
      expect(journal.count('remove')).to.equal(0);
    });
  });

  describe(`SSL_CTX_sess_set_get_cb, ${version}: what it may do`, () => {
    function visit(act: (ssl: Ssl, session: Session) => void): { readonly second: Pair; readonly session: Session } {
      const { pair, session } = keepAway(ctx, { version });
      ctx.setGetSessionCallback((ssl) => {
        act(ssl, session);
        return session;
      });
      return { second: connect(ctx, again(pair)), session };
    }

    function end({ second, session }: { readonly second: Pair; readonly session: Session }, holds = 1): void {
      leave(second);
      ctx.free();
      expect(session.holds).to.equal(holds);
    }

    it('add the session itself', () => {
      const visited = visit((_ssl, session) => expect(ctx.addSession(session)).to.equal(1));
      expect([visited.second.ssl.sessionReused(), visited.session.holds]).to.deep.equal([1, 3]);
      end(visited);
    });

    it('add another copy of it: the answer takes its place, and remove is not told', () => {
      const journal = new Journal(ctx);
      const copies: Session[] = [];
      const visited = visit((_ssl, session) => {
        const copy = session.dup();
        copies.push(copy);
        ctx.addSession(copy);
      });
      expect(visited.second.ssl.sessionReused()).to.equal(1);
      expect([visited.session.isCached, copies[0]?.isCached, journal.count('remove')]).to.deep.equal([true, false, 0]);
      expect(copies[0]?.holds).to.equal(1);
      end(visited);
    });

    it('remove it: then it is ruled out, and is not resumed', () => {
      const journal = new Journal(ctx);
      const visited = visit((_ssl, session) => {
        ctx.addSession(session);
        expect(ctx.removeSession(session)).to.equal(1);
      });
      expect(visited.second.ssl.sessionReused()).to.equal(0);
      expect(journal.removed).to.deep.equal([visited.session]);
      end(visited);
    });

    it('flush', () => {
      leave(connect(ctx, { version }));
      const journal = new Journal(ctx);
      const visited = visit(() => ctx.flushSessions(0));
      expect(visited.second.ssl.sessionReused()).to.equal(1);
      expect(ctx.sessNumber()).to.equal(isTls13 ? 2 : 1);
      expect(journal.count('remove')).to.equal(isTls13 ? 2 : 1);
      end(visited);
    });

    it('free the context: the connection has a reference', () => {
      ctx.upRef();
      const visited = visit(() => ctx.free());
      expect(visited.second.ssl.sessionReused()).to.equal(1);
      end(visited);
    });

    it('free the connection: nothing is sent, the holds add up', () => {
      const { pair, session } = keepAway(ctx, { version });
      for (const copied of [1, 0]) {
        const events: Event[] = [];
        const ssl = new Ssl(ctx, { attend: (event) => events.push(event) });
        ctx.setGetSessionCallback((_ssl, _id, copy) => {
          ssl.free();
          copy.value = copied;
          return session;
        });
        ssl.receive(new ScriptedClient({ sni: 'localhost', crypto: toyCrypto, ...again(pair) }).take());
        expect([ssl.take().length, ssl.isInitFinished(), session.holds]).to.deep.equal([0, 0, copied]);
        expect(failures(events)).to.deep.equal([]);
      }
    });

    it('set itself to nothing', () => {
      const visited = visit(() => ctx.setGetSessionCallback(null));
      expect(visited.second.ssl.sessionReused()).to.equal(1);
      end(visited);
    });
  });
}

describe('SSL_CTX_sess_set_get_cb, TLSv1.2', () => {
  for (const [name, ticketExt] of [
    ['an empty', new Uint8Array(0)],
    ['a full', new Uint8Array(180).fill(1)],
  ] as const) {
    it(`${name} session_ticket extension, where tickets are off: one call with the id`, () => {
      const { pair, session } = keepAway(ctx, { version: 'TLSv1.2' });
      const journal = new Journal(ctx, { onGet: () => session });
      expect(connect(ctx, { ...again(pair), ticketExt }).ssl.sessionReused()).to.equal(1);
      expect(journal.calls).to.deep.equal(['get']);
    });
  }

  it('an id of any length from 1 to 32: one call', () => {
    const ids: number[] = [];
    ctx.setGetSessionCallback((_ssl, id) => {
      ids.push(id.length);
      return null;
    });
    for (const length of [1, 16, 31, 32]) connect(ctx, offering('TLSv1.2', new Uint8Array(length).fill(1)));
    expect(ids).to.deep.equal([1, 16, 31, 32]);
  });

  it('an id that a client of TLS 1.3 has made up, where the server has TLS 1.2 only: one call', () => {
    const old = context(world, { maxVersion: 'TLSv1.2' });
    const journal = new Journal(old);
    expect(connect(old, { version: 'TLSv1.3' }).ssl.connection?.version).to.equal('TLSv1.2');
    expect(journal.count('get')).to.equal(1);
  });
});

describe('SSL_CTX_sess_set_get_cb, TLSv1.3', () => {
  const version = 'TLSv1.3';

  it('the legacy_session_id: never', () => {
    const journal = new Journal(ctx);
    connect(ctx, { version, sessionId: new Uint8Array(32).fill(7) });
    expect(journal.count('get')).to.equal(0);
  });

  for (const length of [1, 16, 31, 33, 200]) {
    it(`an identity of ${length} bytes, which is none of the engine's ids: never`, () => {
      const journal = new Journal(ctx);
      const pair = connect(ctx, offering(version, new Uint8Array(length).fill(1)));
      expect([pair.client.isEstablished, journal.count('get')]).to.deep.equal([true, 0]);
    });
  }

  it('an identity as short as the application makes its ids: called', () => {
    for (const owner of ['context', 'connection']) {
      ctx = context(world);
      const made = (_ssl: Ssl, id: Uint8Array, size: { value: number }) => {
        id.set(world.randomBytes(16));
        size.value = 16;
        return 1;
      };
      if (owner === 'context') ctx.setGenerateSessionId(made);
      else new Ssl(ctx).setGenerateSessionId(made);
      const journal = new Journal(ctx);
      connect(ctx, offering(version, new Uint8Array(16).fill(1)));
      expect(journal.count('get'), owner).to.equal(1);
    }
  });

  it('several identities: one call each, until one can be resumed', () => {
    const { pair, session } = keepAway(ctx, { version });
    const [good] = pair.client.tickets;
    if (good === undefined) throw new Error('no ticket');
    const bad = [1, 2, 3].map((fill) => ({ ...good, identity: new Uint8Array(32).fill(fill) }));
    const ids: string[] = [];
    ctx.setGetSessionCallback((_ssl, id) => {
      ids.push(toHex(id));
      return toHex(id) === idOf(session) ? session : null;
    });
    const psks = [...bad.slice(0, 2), good, ...bad.slice(2)];
    const second = connect(ctx, { version, psks });
    expect(second.ssl.connection?.resumption.identityIndex).to.equal(2);
    expect(ids).to.deep.equal(psks.slice(0, 3).map(({ identity }) => toHex(identity)));
    expect([ctx.sessMisses(), ctx.sessCbHits(), ctx.sessHits()]).to.deep.equal([1, 1, 1]);
  });

  for (const found of [true, false]) {
    it(`a HelloRetryRequest: one call for both hellos, whether it ${found ? 'has the session' : 'has none'}; counted once`, () => {
      const { pair, session } = keepAway(ctx, { version });
      const journal = new Journal(ctx, { onGet: () => (found ? session : null) });
      ctx.setSessionCacheMode(SESS_CACHE_SERVER | SESS_CACHE_NO_INTERNAL_STORE); // or it would be found there the second time
      const second = connect(ctx, { ...again(pair), keyShares: [] });
      expect(second.client.helloRetryRequest).not.to.equal(undefined);
      expect(second.ssl.sessionReused()).to.equal(Number(found));
      expect(journal.count('get')).to.equal(1);
      expect([ctx.sessMisses(), ctx.sessCbHits(), ctx.sessHits()]).to.deep.equal([1, Number(found), Number(found)]);
    });
  }
});
