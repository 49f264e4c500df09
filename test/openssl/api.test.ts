/** What the functions of contexts, connections and sessions answer, and what they do besides. */

import { expect } from 'chai';
import {
  d2i_SSL_SESSION,
  i2d_SSL_SESSION,
  SESS_CACHE_NO_INTERNAL,
  SESS_CACHE_SERVER,
  SSL_MAX_SID_CTX_LENGTH,
  SSL_OP_NO_TICKET,
  SSL_SESSION_dup,
  SSL_SESSION_free,
  SSL_SESSION_get_ex_data,
  SSL_SESSION_get_id,
  SSL_SESSION_get_max_fragment_length,
  SSL_SESSION_get_time,
  SSL_SESSION_get_timeout,
  SSL_SESSION_is_resumable,
  SSL_SESSION_set_ex_data,
  SSL_SESSION_set_time,
  SSL_SESSION_set_timeout,
  SSL_SESSION_up_ref,
  Ssl,
  SslContext,
} from '../../src/openssl.ts';
import type { Session } from '../../src/sessions/session.ts';
import { toHex } from '../../src/wire/bytes.ts';
import { ScriptedClient } from '../support/scripted-client.ts';
import { testServer, toyCrypto } from '../support/servers.ts';
import { TestWorld } from '../support/world.ts';
import { failedCallbacks, idOf, resumed, returning, session, sessionOf, visit } from './sessions.ts';
import { again, connect, context, type Pair, pass, VERSIONS } from './support.ts';

let world: TestWorld;
let ctx: SslContext;
let told: string[];

beforeEach(() => {
  world = new TestWorld(41);
  ctx = context(world);
  told = [];
  ctx.setRemoveSessionCallback((_ctx, gone, reason) => void told.push(`${reason} ${idOf(gone)}`));
});

describe('SSL_CTX_add_session(3)', () => {
  it('1 for a new key and for another object, 0 for the same', () => {
    const one = session(1, 10);
    expect([ctx.addSession(one), ctx.addSession(one), ctx.addSession(session(1, 10))]).to.deep.equal([1, 0, 1]);
    expect(ctx.sessNumber()).to.equal(1);
  });

  it('takes a hold of its own, and once', () => {
    const one = session(1, 10);
    ctx.addSession(one);
    ctx.addSession(one);
    expect(one.holds).to.equal(2);
    one.free();
    expect(one.secret).to.have.lengthOf(48);
    ctx.flushSessions(0);
    expect(one.holds).to.equal(0);
  });

  it('0 for what nobody could resume: ruled out, released, without an id', () => {
    const [out, gone] = [session(1, 10), session(2, 10)];
    ctx.removeSession(out);
    gone.free();
    for (const one of [out, gone, session(3, 10, { id: new Uint8Array(0) })]) expect(ctx.addSession(one)).to.equal(0);
    expect(ctx.sessNumber()).to.equal(0);
  });

  for (const version of VERSIONS) {
    it(`0 for the session of a connection, which is there already, ${version}`, () => {
      const { ssl } = connect(ctx, { version });
      expect(ctx.addSession(sessionOf(ssl))).to.equal(0);
    });
  }

  it('a session is in one context only, and its copy may be in another', () => {
    const other = context(world);
    const one = session(1, 10);
    ctx.addSession(one);
    expect(() => other.addSession(one)).to.throw('in another cache');
    expect([one.holds, other.sessNumber()]).to.deep.equal([2, 0]);
    expect(other.addSession(SSL_SESSION_dup(one))).to.equal(1);
    ctx.removeSession(one);
    expect(other.sessions()[0]?.isResumable, 'the copy is another session').to.equal(true);
  });

  it('in a context that is gone is an error', () => {
    ctx.free();
    expect(() => ctx.addSession(session(1, 10))).to.throw('closed');
  });
});

describe('SSL_CTX_remove_session(3)', () => {
  it('1 where it was cached; it is ruled out then, released by the cache, and remove is told', () => {
    const one = session(1, 10);
    ctx.addSession(one);
    expect(ctx.removeSession(one)).to.equal(1);
    expect([one.holds, SSL_SESSION_is_resumable(one)]).to.deep.equal([1, 0]);
    expect(told).to.deep.equal(['removed 1']);
    expect([ctx.removeSession(one), told.length]).to.deep.equal([0, 1]);
  });

  it('0 where it was not; it is ruled out all the same, and remove is not told', () => {
    const one = session(1, 10);
    expect(ctx.removeSession(one)).to.equal(0);
    expect(SSL_SESSION_is_resumable(one)).to.equal(0);
    expect(told).to.deep.equal([]);
  });

  it('0 without any effect for none, and for one without an id', () => {
    expect(ctx.removeSession(null)).to.equal(0);
    const none = session(1, 10, { id: new Uint8Array(0) });
    expect(ctx.removeSession(none)).to.equal(0);
    expect(told).to.deep.equal([]);
  });

  it('goes by the key: the object that was cached is told and ruled out with it', () => {
    const [cached, twin] = [session(1, 10), session(1, 10)];
    const removed: Session[] = [];
    ctx.setRemoveSessionCallback((_ctx, gone) => void removed.push(gone));
    ctx.addSession(cached);
    expect(ctx.removeSession(twin)).to.equal(1);
    expect(removed).to.deep.equal([cached]);
    expect([cached, twin].map(SSL_SESSION_is_resumable)).to.deep.equal([0, 0]);
  });

  for (const version of VERSIONS) {
    it(`tells remove of a session that new was told of, though no cache had it, ${version}`, () => {
      ctx.setNumTickets(1);
      ctx.setSessionCacheMode(SESS_CACHE_SERVER | SESS_CACHE_NO_INTERNAL);
      ctx.setNewSessionCallback(() => 1);
      ctx.setGetSessionCallback(() => null);
      const { ssl } = connect(ctx, { version });
      expect(ctx.removeSession(sessionOf(ssl))).to.equal(0);
      expect(told).to.deep.equal([`removed ${idOf(sessionOf(ssl))}`]);
    });
  }
});

describe('SSL_CTX_free(3)', () => {
  it('the last one tells of every session, the soonest to expire first', () => {
    for (const [id, expires] of [
      [1, 30],
      [2, 10],
      [3, 20],
    ] as const)
      ctx.addSession(session(id, expires));
    ctx.upRef();
    ctx.free();
    expect(told).to.deep.equal([]);
    ctx.free();
    expect(told).to.deep.equal(['closed 2', 'closed 3', 'closed 1']);
    expect(ctx.sessNumber()).to.equal(0);
  });

  it('waits for the connections; the last callbacks still have the data of the context', () => {
    ctx.setExData(0, 'ours');
    const seen: unknown[] = [];
    ctx.setRemoveSessionCallback((from, gone) => seen.push([from === ctx, from.getExData(0), gone.isResumable]));
    const [first, second] = [connect(ctx, { version: 'TLSv1.2' }), connect(ctx, { version: 'TLSv1.2' })];
    for (const { ssl } of [first, second]) ssl.shutdown();
    ctx.free();
    first.ssl.free();
    expect(seen).to.deep.equal([]);
    const third = connect(ctx, again(first));
    expect(resumed(third)).to.equal(true);
    third.ssl.shutdown();
    third.ssl.free();
    expect(seen).to.deep.equal([]);
    second.ssl.free();
    expect(seen).to.deep.equal(Array(2).fill([true, 'ours', false]));
  });

  it('one time too many, and any use after that, is an error that says so', () => {
    ctx.free();
    expect(() => ctx.free()).to.throw('no reference left');
    expect(() => ctx.upRef()).to.throw('no reference left');
    expect(() => new Ssl(ctx)).to.throw('no reference left');
  });

  it('leaves the sessions to those who hold them', () => {
    const one = session(1, 10);
    ctx.addSession(one);
    ctx.free();
    expect([one.holds, one.isResumable]).to.deep.equal([1, false]);
    expect(one.secret).to.have.lengthOf(48);
  });
});

describe('SSL_free(3)', () => {
  it('frees the context with the last connection', () => {
    const { ssl } = connect(ctx, { version: 'TLSv1.3' });
    ctx.free();
    expect(told).to.deep.equal([]);
    ssl.free();
    expect(told.map((line) => line.split(' ')[0])).to.deep.equal(['closed', 'closed']);
  });

  it('gives back every hold, that of a session kept by SSL_clear(3) too', () => {
    const { ssl } = connect(ctx, { version: 'TLSv1.2' });
    const current = sessionOf(ssl);
    ssl.shutdown();
    ssl.clear();
    ctx.flushSessions(0);
    expect([ssl.getSession(), current.holds]).to.deep.equal([current, 1]);
    ssl.free();
    expect(current.holds).to.equal(0);
  });

  it('twice, and use after it, is an error that says so', () => {
    const { ssl } = connect(ctx, {});
    ssl.free();
    expect(() => ssl.free()).to.throw('has been freed');
    expect(() => ssl.clear()).to.throw('has been freed');
    expect(() => ssl.receive(new Uint8Array(1))).to.throw('has been freed');
    expect(() => ssl.write(new Uint8Array(1))).to.throw('has been freed');
    expect(() => ssl.shutdown()).to.throw('has been freed');
  });
});

describe('SSL_SESSION', () => {
  it('up_ref and free: the last one wipes the secret, and every use after that names the mistake', () => {
    const one = session(1, 10);
    const { secret } = one;
    expect(SSL_SESSION_up_ref(one)).to.equal(one);
    SSL_SESSION_free(one);
    expect(secret[0]).to.equal(2);
    SSL_SESSION_free(one);
    SSL_SESSION_free(null);
    expect(secret).to.deep.equal(new Uint8Array(48));
    for (const use of [SSL_SESSION_up_ref, SSL_SESSION_free, SSL_SESSION_dup, i2d_SSL_SESSION]) {
      expect(() => use(one)).to.throw(/after its last free\(\)/);
    }
    expect(SSL_SESSION_is_resumable(one)).to.equal(0);
  });

  it('is_resumable: with an id and not ruled out; expiry does not matter', () => {
    expect(SSL_SESSION_is_resumable(session(1, 0))).to.equal(1);
    expect(SSL_SESSION_is_resumable(session(1, 10, { id: new Uint8Array(0) }))).to.equal(0);
    const out = session(1, 10);
    out.forbidResumption();
    expect(SSL_SESSION_is_resumable(out)).to.equal(0);
  });

  it('dup: with one hold, in no cache, with the same content; ruled out where the first is', () => {
    const one = session(1, 10);
    SSL_SESSION_set_ex_data(one, 'data');
    ctx.addSession(one);
    const copy = SSL_SESSION_dup(one);
    expect(copy).not.to.equal(one);
    expect([copy.holds, copy.isCached, SSL_SESSION_is_resumable(copy)]).to.deep.equal([1, false, 1]);
    expect([SSL_SESSION_get_id(copy), SSL_SESSION_get_ex_data(copy)]).to.deep.equal([one.id, 'data']);
    expect(i2d_SSL_SESSION(copy)).to.deep.equal(i2d_SSL_SESSION(one));
    copy.free();
    expect(one.secret[0], 'each has a secret of its own').to.equal(2);
    ctx.removeSession(one);
    expect(SSL_SESSION_is_resumable(SSL_SESSION_dup(one))).to.equal(0);
  });

  it('set_time answers the time, set_timeout 1; negative ones change nothing', () => {
    const one = session(1, 10);
    expect([SSL_SESSION_set_time(one, 7), SSL_SESSION_set_time(one, 0)]).to.deep.equal([7, 0]);
    expect(SSL_SESSION_set_timeout(one, 9)).to.equal(1);
    expect(SSL_SESSION_set_timeout(one, -1)).to.equal(0);
    expect(() => SSL_SESSION_set_time(one, -1)).to.throw(RangeError);
    expect([SSL_SESSION_get_time(one), SSL_SESSION_get_timeout(one)]).to.deep.equal([0, 9]);
  });

  it('has a place for data, null where nothing was set', () => {
    const one = session(1, 10);
    expect(SSL_SESSION_get_ex_data(one)).to.equal(null);
    expect(SSL_SESSION_set_ex_data(one, 5)).to.equal(1);
    expect(SSL_SESSION_get_ex_data(one)).to.equal(5);
  });

  it('goes through its DER without holds, flags and data', () => {
    const one = session(1, 10, { time: 100 });
    SSL_SESSION_set_ex_data(one, 5);
    one.upRef();
    one.forbidResumption();
    const read = d2i_SSL_SESSION(i2d_SSL_SESSION(one));
    expect([read.holds, SSL_SESSION_is_resumable(read), SSL_SESSION_get_ex_data(read)]).to.deep.equal([1, 1, null]);
    expect([read.time, read.timeout, toHex(read.id)]).to.deep.equal([100, 10, '01']);
  });
});

describe('SSL_get_session(3)', () => {
  for (const version of VERSIONS) {
    it(`lends the session that the cache has; get1 gives a hold, ${version}`, () => {
      const { ssl } = connect(ctx, { version });
      const current = sessionOf(ssl);
      expect(ctx.sessions()).to.include(current);
      expect(ssl.get0Session()).to.equal(current);
      const { holds } = current;
      expect(ssl.get1Session()).to.equal(current);
      expect(current.holds).to.equal(holds + 1);
      ssl.shutdown();
      ssl.free();
      ctx.flushSessions(0);
      expect(current.holds).to.equal(1);
    });

    it(`is the session resumed from${version === 'TLSv1.3' ? ' until the next ticket' : ''}, ${version}`, () => {
      const first = connect(ctx, { version });
      const known = ctx.sessions()[0];
      const { ssl } = connect(ctx, again(first));
      expect(ssl.connection?.resumption.session).to.equal(known);
      if (version === 'TLSv1.2') expect(ssl.getSession()).to.equal(known);
      else expect(ctx.sessions().at(-1)).to.equal(ssl.getSession());
    });
  }

  it('null before the handshake; without a ticket a session without an id', () => {
    expect(new Ssl(ctx).getSession()).to.equal(null);
    expect(new Ssl(ctx).get1Session()).to.equal(null);
    ctx.setNumTickets(0);
    const current = sessionOf(connect(ctx, {}).ssl);
    expect([current.id.length, SSL_SESSION_is_resumable(current)]).to.deep.equal([0, 0]);
  });
});

describe('getters', () => {
  it('answer null where nothing was set, and else what was', () => {
    const bare = new SslContext(testServer({ world, crypto: toyCrypto }));
    bare.setOptions(SSL_OP_NO_TICKET);
    expect(bare.getNewSessionCallback()).to.equal(null);
    expect(bare.getGetSessionCallback()).to.equal(null);
    expect(bare.getRemoveSessionCallback()).to.equal(null);
    expect(bare.getExData(0)).to.equal(null);
    const ssl = new Ssl(bare);
    expect([ssl.getExData(0), ssl.read(), ssl.getShutdown(), ssl.isInitFinished(), ssl.sessionReused()]).to.deep.equal([
      null,
      null,
      0,
      0,
      0,
    ]);
    const [onNew, onGet, onRemove] = [() => 1, () => null, () => {}];
    bare.setNewSessionCallback(onNew);
    bare.setGetSessionCallback(onGet);
    bare.setRemoveSessionCallback(onRemove);
    expect(bare.getNewSessionCallback()).to.equal(onNew);
    expect(bare.getGetSessionCallback()).to.equal(onGet);
    expect(bare.getRemoveSessionCallback()).to.equal(onRemove);
    bare.setNewSessionCallback(null);
    bare.setGetSessionCallback(null);
    bare.setRemoveSessionCallback(null);
    expect(bare.getNewSessionCallback()).to.equal(null);
    expect(bare.getGetSessionCallback()).to.equal(null);
    expect(bare.getRemoveSessionCallback()).to.equal(null);
    connect(bare, {});
    expect(bare.sessNumber()).to.equal(2);
  });

  it('data of contexts and connections are found under their index, in callbacks too', () => {
    const seen: unknown[] = [];
    ctx.setNewSessionCallback((ssl) => seen.push([ssl.getExData(1), ssl.getSslContext().getExData(2)]));
    expect(ctx.setExData(2, 'context')).to.equal(1);
    const pair: Pair = { client: new ScriptedClient({ crypto: toyCrypto, version: 'TLSv1.2' }), ssl: new Ssl(ctx) };
    expect(pair.ssl.setExData(1, 'connection')).to.equal(1);
    pass(pair);
    expect(seen).to.deep.equal([['connection', 'context']]);
  });

  it('settings without a meaning here are refused', () => {
    expect(() => ctx.setOptions(1)).to.throw(RangeError, 'not known');
    expect([ctx.setNumTickets(-1), ctx.setNumTickets(1.5), ctx.setNumTickets(3)]).to.deep.equal([0, 0, 1]);
    expect(ctx.getNumTickets()).to.equal(3);
    expect(connect(ctx, {}).client.tickets).to.have.lengthOf(3);
  });

  it('a connection copies what is its own when it is made', () => {
    const ssl = new Ssl(ctx);
    ctx.setNumTickets(0);
    ctx.setSessionIdContext(Uint8Array.of(1));
    const { client } = pass({ client: new ScriptedClient({ crypto: toyCrypto, sni: 'localhost' }), ssl });
    expect(client.tickets).to.have.lengthOf(2);
    expect(sessionOf(ssl).idContext).to.have.lengthOf(0);
    expect(connect(ctx, {}).client.tickets).to.deep.equal([]);
  });
});

describe('a connection that a shell runs with the configuration of a context', () => {
  it('has an Ssl in callbacks, always the same, which is to be looked at only', () => {
    const seen: Ssl[] = [];
    ctx.setNewSessionCallback((ssl) => seen.push(ssl));
    ctx.setGenerateSessionId((ssl, id) => {
      seen.push(ssl);
      return id.fill(seen.length).length;
    });
    const { connection } = visit(ctx.config, {});
    const [ssl] = seen as [Ssl];
    expect(seen).to.deep.equal([ssl, ssl, ssl, ssl]);
    expect(ssl.connection).to.equal(connection);
    expect([ssl.isInitFinished(), ssl.getSession()]).to.deep.equal([1, connection.session]);
    expect(ssl.getSslContext()).to.equal(ctx);
    for (const use of [
      () => ssl.shutdown(),
      () => ssl.clear(),
      () => ssl.receive(new Uint8Array(1)),
      () => ssl.accept(),
    ]) {
      expect(use).to.throw('a shell runs this connection');
    }
  });

  it('follows the context', () => {
    const { config } = ctx;
    ctx.setTimeout(5);
    ctx.setSessionCacheSize(1);
    visit(config, {});
    expect(ctx.sessions().map(({ timeout }) => timeout)).to.deep.equal([5]);
    expect(config.statistics()).to.deep.equal(ctx.config.statistics());
    expect(config.flushSessions(0)).to.equal(1);
    expect(told).to.have.lengthOf(2);
  });
});

describe('SSL_CTX_set_session_id_context(3)', () => {
  const [a, b] = [Uint8Array.of(1), Uint8Array.of(2)];

  it('32 bytes at most, or 0 and nothing has changed', () => {
    for (const target of [ctx, new Ssl(ctx)]) {
      expect(target.setSessionIdContext(new Uint8Array(SSL_MAX_SID_CTX_LENGTH).fill(7))).to.equal(1);
      expect(target.setSessionIdContext(new Uint8Array(33))).to.equal(0);
    }
    expect(ctx.config.idContext).to.deep.equal(new Uint8Array(32).fill(7));
  });

  for (const version of VERSIONS) {
    it(`a session made under another is not resumed, and stays, ${version}`, () => {
      ctx.setSessionIdContext(a);
      const first = connect(ctx, { version });
      const number = ctx.sessNumber();
      ctx.setSessionIdContext(b);
      const second = connect(ctx, again(first));
      expect(second.ssl.connection?.resumption.reason).to.equal('session-id-context');
      expect(told).to.deep.equal([]);
      expect(ctx.sessNumber()).to.equal(2 * number);
      ctx.setSessionIdContext(a);
      expect(resumed(connect(ctx, again(first)))).to.equal(true);
    });

    it(`a connection may have one of its own, ${version}`, () => {
      const at = (context: Uint8Array, options = {}) => {
        const ssl = new Ssl(ctx);
        expect(ssl.setSessionIdContext(context)).to.equal(1);
        return pass({ client: new ScriptedClient({ crypto: toyCrypto, sni: 'localhost', ...options }), ssl });
      };
      const first = at(a, { version });
      expect(sessionOf(first.ssl).idContext).to.deep.equal(a);
      expect(resumed(at(b, again(first)))).to.equal(false);
      expect(resumed(connect(ctx, again(first)))).to.equal(false);
      expect(resumed(at(a, again(first)))).to.equal(true);
    });
  }
});

describe('SSL_CTX_set_generate_session_id(3)', () => {
  for (const version of VERSIONS) {
    const idsOf = ({ client }: Pair) =>
      version === 'TLSv1.2' ? [toHex(client.session.id)] : client.tickets.map(({ identity }) => toHex(identity));

    it(`is given 32 zeros, and its answer is the id, ${version}`, () => {
      ctx.setNumTickets(1);
      const given: unknown[] = [];
      ctx.setGenerateSessionId((ssl, id, length) => {
        given.push([ssl instanceof Ssl, toHex(id), length.value]);
        id.fill(0xab);
        return 1;
      });
      const first = connect(ctx, { version });
      expect(given).to.deep.equal([[true, '00'.repeat(32), 32]]);
      expect(idsOf(first)).to.deep.equal(['ab'.repeat(32)]);
      expect(resumed(connect(ctx, again(first)))).to.equal(true);
    });

    it(`may be shorter, and still resumes, ${version}`, () => {
      ctx.setNumTickets(1);
      ctx.setGenerateSessionId((_ssl, id, length) => {
        id.set([1, 2, 3]);
        length.value = 3;
        return 1;
      });
      const first = connect(ctx, { version });
      expect(idsOf(first)).to.deep.equal(['010203']);
      expect(resumed(connect(ctx, again(first)))).to.equal(true);
    });

    it(`the connection's goes before the context's, ${version}`, () => {
      ctx.setNumTickets(1);
      ctx.setGenerateSessionId((_ssl, id) => id.fill(1).length);
      const ssl = new Ssl(ctx);
      expect(ssl.setGenerateSessionId((_ssl, id) => id.fill(2).length)).to.equal(1);
      const pair = pass({ client: new ScriptedClient({ crypto: toyCrypto, sni: 'localhost', version }), ssl });
      expect(idsOf(pair)).to.deep.equal(['02'.repeat(32)]);
      expect(idsOf(connect(ctx, { version }))).to.deep.equal(['01'.repeat(32)]);
    });

    it(`an id that is in use, no id, and one that is too long are replaced, and told, ${version}`, () => {
      ctx.setNumTickets(1);
      const generators = {
        'in use': (_ssl: Ssl, id: Uint8Array) => id.fill(9).length,
        'answers 0': () => 0,
        empty: (_ssl: Ssl, _id: Uint8Array, length: { value: number }) => {
          length.value = 0;
          return 1;
        },
        'too long': (_ssl: Ssl, _id: Uint8Array, length: { value: number }) => {
          length.value = 33;
          return 1;
        },
        throws: () => {
          throw new Error('the application');
        },
      };
      ctx.setGenerateSessionId(generators['in use']);
      connect(ctx, { version });
      for (const [what, generator] of Object.entries(generators)) {
        ctx.setGenerateSessionId(generator);
        const failed: unknown[] = [];
        const attend = {
          attend: (event: Parameters<typeof failedCallbacks>[0][number]) => failed.push(...failedCallbacks([event])),
        };
        const pair = connect(ctx, { version }, attend);
        expect(pair.ssl.isInitFinished(), what).to.equal(1);
        expect(failed, what).to.deep.equal(['generateId']);
        expect(idsOf(pair)[0], what).to.match(/^(?!(09){32})[0-9a-f]{64}$/);
        expect(resumed(connect(ctx, again(pair))), what).to.equal(true);
      }
    });

    it(`SSL_has_matching_session_id(3) knows what is in the cache under this version, ${version}`, () => {
      ctx.setNumTickets(1);
      const seen: number[] = [];
      ctx.setGenerateSessionId((ssl, id) => {
        id.fill(5);
        seen.push(ssl.hasMatchingSessionId(id));
        return id.fill(6).length;
      });
      ctx.addSession(session(0, 2 ** 40, { version, id: new Uint8Array(32).fill(5) }));
      ctx.addSession(session(0, 2 ** 40, { version: other(version), id: new Uint8Array(32).fill(6) }));
      const { ssl } = connect(ctx, { version });
      expect(seen).to.deep.equal([1]);
      expect(toHex(sessionOf(ssl).id), 'the same id under the other version is another').to.equal('06'.repeat(32));
      expect(ssl.hasMatchingSessionId(sessionOf(ssl).id)).to.equal(1);
      expect(ssl.hasMatchingSessionId(new Uint8Array(32))).to.equal(0);
      expect(new Ssl(ctx).hasMatchingSessionId(new Uint8Array(32).fill(5)), 'no version yet').to.equal(0);
    });
  }
});

describe('SSL_CTX_set_not_resumable_session_callback(3)', () => {
  for (const version of VERSIONS) {
    it(`rules the session of a full handshake out: no id, no ticket, nothing cached or told, ${version}`, () => {
      const asked: unknown[] = [];
      ctx.setNewSessionCallback(() => told.push('new'));
      ctx.setNotResumableSessionCallback((ssl, isForwardSecure) => {
        asked.push([ssl.getSslContext() === ctx, isForwardSecure]);
        return 1;
      });
      const { client, ssl } = connect(ctx, { version });
      expect(asked).to.deep.equal([[true, version === 'TLSv1.2' ? 1 : 0]]);
      expect(told).to.deep.equal([]);
      expect(ctx.sessNumber()).to.equal(0);
      expect(SSL_SESSION_is_resumable(sessionOf(ssl))).to.equal(0);
      if (version === 'TLSv1.2') expect(client.session.id).to.have.lengthOf(0);
      else expect(client.tickets).to.deep.equal([]);
    });

    it(`is asked for full handshakes only, once each, ${version}`, () => {
      let asked = 0;
      ctx.setNotResumableSessionCallback(() => {
        asked++;
        return 0;
      });
      const first = connect(ctx, { version, keyShares: [] });
      expect(asked).to.equal(1);
      const second = connect(ctx, again(first));
      expect([resumed(second), asked]).to.deep.equal([true, 1]);
    });

    it(`the connection's goes before the context's; where it throws, better none, ${version}`, () => {
      ctx.setNotResumableSessionCallback(() => 1);
      const ssl = new Ssl(ctx);
      ssl.setNotResumableSessionCallback(() => 0);
      pass({ client: new ScriptedClient({ crypto: toyCrypto, sni: 'localhost', version }), ssl });
      expect(SSL_SESSION_is_resumable(sessionOf(ssl))).to.equal(1);
      ctx.setNotResumableSessionCallback(() => {
        throw new Error('the application');
      });
      const events: string[] = [];
      const second = connect(ctx, { version }, { attend: (event) => events.push(...failedCallbacks([event])) });
      expect(SSL_SESSION_is_resumable(sessionOf(second.ssl))).to.equal(0);
      expect(events).to.deep.equal(['notResumable']);
    });
  }
});

describe('single use by the application', () => {
  for (const inside of [true, false]) {
    it(`removeSession(connection.resumption.session): then the ticket gets a full handshake, ${inside ? 'internal cache' : 'a store of bytes'}`, () => {
      const store = new Map<string, Uint8Array>();
      const config = testServer({
        world,
        crypto: toyCrypto,
        sessions: inside
          ? {}
          : {
              cache: false,
              onNew: (made) => void store.set(toHex(made.id), made.toDer()),
              onGet: (id) => store.get(toHex(id))?.slice(),
              onRemove: (gone) => void store.delete(toHex(gone.id)),
            },
      });
      const first = visit(config);
      let ticket = first.client;
      for (let i = 0; i < 3; i++) {
        const { client, connection } = visit(config, returning(ticket));
        const { session: used, resumed: isResumed } = connection.resumption;
        expect(isResumed).to.equal(true);
        expect(config.removeSession(used as Session)).to.equal(inside);
        expect(used?.isResumable).to.equal(false);
        const second = visit(config, returning(ticket));
        expect(second.connection.resumption).to.include({ resumed: false, reason: 'unknown' });
        expect(second.client.tickets, 'a full handshake, with its tickets').to.have.lengthOf(2);
        ticket = client;
      }
      expect(visit(config, returning(first.client, 1)).connection.resumption.resumed, 'the other one').to.equal(true);
    });
  }

  it('with a store of bytes and the internal cache, both lose it', () => {
    const store = new Map<string, Uint8Array>();
    const make = () =>
      testServer({
        world,
        crypto: toyCrypto,
        sessions: {
          onNew: (made) => void store.set(toHex(made.id), made.toDer()),
          onGet: (id) => store.get(toHex(id))?.slice(),
          onRemove: (gone) => void store.delete(toHex(gone.id)),
        },
      });
    const [origin, other] = [make(), make()];
    const first = visit(origin);
    const { connection } = visit(other, returning(first.client));
    expect(connection.resumption.session?.isCached).to.equal(true);
    expect(other.removeSession(connection.resumption.session as Session)).to.equal(true);
    expect(visit(other, returning(first.client)).connection.resumption.reason).to.equal('unknown');
    expect(store.size).to.equal(1 + 1 + 2);
  });

  it('through the façade', () => {
    const first = connect(ctx, {});
    const { ssl } = connect(ctx, again(first));
    expect(ctx.removeSession(ssl.connection?.resumption.session ?? null)).to.equal(1);
    expect(resumed(connect(ctx, again(first)))).to.equal(false);
  });
});

describe('SSL_SESSION_get_max_fragment_length(3)', () => {
  it('answers the length of fragments by its code, 0 if the client asked for none', () => {
    for (const version of VERSIONS) {
      for (const maxFragmentLength of [undefined, 1, 4]) {
        const { ssl } = connect(ctx, { version, maxFragmentLength });
        expect(SSL_SESSION_get_max_fragment_length(ssl.getSession() as Session)).to.equal(maxFragmentLength ?? 0);
      }
    }
  });
});

function other(version: 'TLSv1.2' | 'TLSv1.3'): 'TLSv1.2' | 'TLSv1.3' {
  return version === 'TLSv1.2' ? 'TLSv1.3' : 'TLSv1.2';
}
