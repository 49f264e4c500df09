/** The counters of SSL_CTX_sess_number(3): each of them, once a connection; and the snapshot of the idiomatic API. */

import { expect } from 'chai';
import type { ServerConfig } from '../../src/engine/server/config.ts';
import type { ServerOptions, SessionOptions } from '../../src/engine/server/options.ts';
import type { SessionStatistics } from '../../src/engine/server/statistics.ts';
import {
  i2d_SSL_SESSION,
  SESS_CACHE_NO_INTERNAL_LOOKUP,
  SESS_CACHE_OFF,
  SESS_CACHE_SERVER,
  Ssl,
  type SslContext,
} from '../../src/openssl.ts';
import type { Session } from '../../src/sessions/session.ts';
import { type ClientOptions, ScriptedClient } from '../support/scripted-client.ts';
import { testServer, toyCrypto } from '../support/servers.ts';
import { TestWorld } from '../support/world.ts';
import { resumed, returning, session, sessionOf, visit } from './sessions.ts';
import { again, connect, context, type Pair, pass, VERSIONS } from './support.ts';

const NOTHING: SessionStatistics = {
  number: 0,
  connect: 0,
  connectGood: 0,
  connectRenegotiate: 0,
  accept: 0,
  acceptGood: 0,
  acceptRenegotiate: 0,
  hits: 0,
  callbackHits: 0,
  misses: 0,
  timeouts: 0,
  cacheFull: 0,
};

let world: TestWorld;
let ctx: SslContext;

beforeEach(() => {
  world = new TestWorld(61);
  ctx = context(world);
});

/** All counters, read one by one. */
function counters(of: SslContext): SessionStatistics {
  return {
    number: of.sessNumber(),
    connect: of.sessConnect(),
    connectGood: of.sessConnectGood(),
    connectRenegotiate: of.sessConnectRenegotiate(),
    accept: of.sessAccept(),
    acceptGood: of.sessAcceptGood(),
    acceptRenegotiate: of.sessAcceptRenegotiate(),
    hits: of.sessHits(),
    callbackHits: of.sessCbHits(),
    misses: of.sessMisses(),
    timeouts: of.sessTimeouts(),
    cacheFull: of.sessCacheFull(),
  };
}

/** What an action adds to the counters. */
function added(action: () => void, of = ctx): Partial<SessionStatistics> {
  const before = counters(of);
  action();
  const after = counters(of);
  const changes = Object.entries(after)
    .map(([name, value]) => [name, value - before[name as keyof SessionStatistics]] as const)
    .filter(([, change]) => change !== 0);
  return Object.fromEntries(changes);
}

/** A client in whose hello, or Finished, nobody can believe. */
function spoiled(options: ClientOptions): ClientOptions {
  return {
    ...options,
    rewriteMessage: (name, raw) =>
      name === 'finished' ? raw.map((byte, i) => (i === raw.length - 1 ? byte ^ 1 : byte)) : raw,
  };
}

it('a new context has counted nothing', () => expect(counters(ctx)).to.deep.equal(NOTHING));

for (const version of VERSIONS) {
  const perFull = version === 'TLSv1.2' ? 1 : 2;
  const perResumption = version === 'TLSv1.2' ? {} : { number: 1 };

  describe(`counters, ${version}`, () => {
    it('a full handshake: accept at its beginning, acceptGood at its end', () => {
      const ssl = new Ssl(ctx);
      expect(added(() => ssl.accept())).to.deep.equal({ accept: 1 });
      const client = new ScriptedClient({ crypto: toyCrypto, sni: 'localhost', version });
      expect(added(() => void pass({ client, ssl }))).to.deep.equal({ acceptGood: 1, number: perFull });
    });

    it('a resumption is a hit', () => {
      const first = connect(ctx, { version });
      const second = added(() => void connect(ctx, again(first)));
      expect(second).to.deep.equal({ accept: 1, acceptGood: 1, hits: 1, ...perResumption });
    });

    it('a handshake that fails is an accept, and nothing else', () => {
      expect(added(() => void connect(ctx, { version, ciphers: [0x1399] }))).to.deep.equal({ accept: 1 });
      expect(added(() => void connect(ctx, spoiled({ version })))).to.deep.equal({ accept: 1 });
      expect(added(() => new Ssl(ctx).receive(Uint8Array.of(1, 2, 3, 4, 5)))).to.deep.equal({ accept: 1 });
    });

    it('a connection that fails afterwards, or is closed, is not counted again', () => {
      const { client, ssl } = connect(ctx, { version });
      const number = -1;
      client.sendAlert('bad_certificate');
      expect(added(() => ssl.receive(client.take()))).to.deep.equal({ number });
      expect(added(() => ssl.free())).to.deep.equal({});
    });

    it('a hit stays one where the handshake fails later', () => {
      const first = connect(ctx, { version });
      // Without a Finished nothing is proved, so the alert leaves the session where it is.
      expect(added(() => void connect(ctx, spoiled(again(first))))).to.deep.equal({ accept: 1, hits: 1 });
    });

    it('a miss: the internal cache was searched in vain', () => {
      const first = connect(ctx, { version });
      ctx.flushSessions(0);
      const { number, ...second } = added(() => void connect(ctx, again(first)));
      expect(second).to.deep.equal({ accept: 1, acceptGood: 1, misses: 1 });
      expect(number).to.equal(perFull);
    });

    it('no session offered is no miss', () => {
      expect(added(() => void connect(ctx, { version }))).not.to.have.property('misses');
    });

    it('what get finds is a callback hit, a hit, and a miss of the internal cache', () => {
      const first = connect(ctx, { version });
      const bytes = i2d_SSL_SESSION(ctx.sessions()[0] as Session);
      ctx.flushSessions(0);
      ctx.setSessionCacheMode(SESS_CACHE_OFF);
      ctx.setGetSessionCallback(() => bytes.slice());
      const second = added(() => void connect(ctx, again(first)));
      expect(second).to.deep.equal({ accept: 1, acceptGood: 1, hits: 1, callbackHits: 1, misses: 1, number: 1 });
      const third = added(() => void connect(ctx, again(first)));
      expect(third, 'by now it is in the internal cache').to.deep.equal({ accept: 1, acceptGood: 1, hits: 1 });
    });

    it('NO_INTERNAL_LOOKUP: never a miss', () => {
      const first = connect(ctx, { version });
      const bytes = i2d_SSL_SESSION(ctx.sessions()[0] as Session);
      ctx.flushSessions(0);
      ctx.setSessionCacheMode(SESS_CACHE_NO_INTERNAL_LOOKUP);
      expect(added(() => void connect(ctx, again(first)))).to.deep.equal({ accept: 1, acceptGood: 1 });
      ctx.setGetSessionCallback(() => null);
      expect(added(() => void connect(ctx, again(first)))).to.deep.equal({ accept: 1, acceptGood: 1 });
      ctx.setGetSessionCallback(() => bytes.slice());
      const found = added(() => void connect(ctx, again(first)));
      expect(found).to.deep.equal({ accept: 1, acceptGood: 1, hits: 1, callbackHits: 1, number: 1 });
    });

    it('a callback hit that does not fit is no hit; one with another id, or ruled out, is not even that', () => {
      ctx.setSessionIdContext(Uint8Array.of(1));
      const first = connect(ctx, { version });
      const known = (ctx.sessions()[0] as Session).dup();
      ctx.flushSessions(0);
      ctx.setSessionCacheMode(SESS_CACHE_NO_INTERNAL_LOOKUP);
      ctx.setSessionIdContext(Uint8Array.of(2));
      const usual = { accept: 1, acceptGood: 1 };
      const answer = (found: Session) => {
        ctx.setGetSessionCallback(() => found);
        const { number: _, ...counted } = added(() => void connect(ctx, again(first)));
        return counted;
      };
      expect(answer(known)).to.deep.equal({ ...usual, callbackHits: 1 });
      expect(answer(session(1, 2 ** 40, { version }))).to.deep.equal(usual);
      known.forbidResumption();
      expect(answer(known)).to.deep.equal(usual);
    });

    it('a session that has expired is a timeout, whoever had it', () => {
      ctx.setTimeout(10);
      const first = connect(ctx, { version });
      const bytes = i2d_SSL_SESSION(ctx.sessions()[0] as Session);
      const number = ctx.sessNumber();
      world.advance(11);
      ctx.setSessionCacheMode(SESS_CACHE_OFF);
      const usual = { accept: 1, acceptGood: 1, timeouts: 1 };
      expect(added(() => void connect(ctx, again(first)))).to.deep.equal({ ...usual, number: -1 });
      expect(ctx.sessNumber()).to.equal(number - 1);
      ctx.setGetSessionCallback(() => bytes.slice());
      const outside = added(() => void connect(ctx, again(first)));
      expect(outside).to.deep.equal({ ...usual, callbackHits: 1, misses: 1 });
    });

    it('cacheFull: one for each session that had to go', () => {
      ctx.setSessionCacheSize(2);
      connect(ctx, { version });
      connect(ctx, { version });
      expect(ctx.sessCacheFull()).to.equal(2 * perFull - 2);
      connect(ctx, { version });
      expect(counters(ctx)).to.include({ number: 2, cacheFull: 3 * perFull - 2 });
    });

    it('number goes up and down; nothing else is ever taken back', () => {
      connect(ctx, { version });
      const before = counters(ctx);
      ctx.removeSession(ctx.sessions()[0] as Session);
      expect(counters(ctx)).to.deep.equal({ ...before, number: perFull - 1 });
      ctx.flushSessions(0);
      expect(counters(ctx)).to.deep.equal({ ...before, number: 0 });
    });

    it('through the idiomatic API: one frozen object, as things were then', () => {
      const config = testServer({ world, crypto: toyCrypto });
      expect(config.statistics()).to.deep.equal(NOTHING);
      const first = visit(config, { version });
      const then = config.statistics();
      visit(config, returning(first.client));
      const now = config.statistics();
      expect(then).to.deep.equal({ ...NOTHING, number: perFull, accept: 1, acceptGood: 1 });
      const number = perFull + (perResumption.number ?? 0);
      expect(now).to.deep.equal({ ...NOTHING, number, accept: 2, acceptGood: 2, hits: 1 });
      expect([then, now].every(Object.isFrozen)).to.equal(true);
      expect(() => Object.assign(then, { hits: 9 })).to.throw(TypeError);
    });
  });
}

describe('once a connection', () => {
  const retried: ClientOptions = { keyShares: [] };

  it('HelloRetryRequest: hit, miss, callback hit and timeout are counted once', () => {
    const first = connect(ctx, {});
    const usual = { accept: 1, acceptGood: 1 };
    const hit = added(() => {
      const second = connect(ctx, { ...again(first), ...retried });
      expect([second.client.helloRetryRequest !== undefined, resumed(second)]).to.deep.equal([true, true]);
    });
    expect(hit).to.deep.equal({ ...usual, hits: 1, number: 1 });
    const bytes = i2d_SSL_SESSION(ctx.sessions()[0] as Session);
    ctx.flushSessions(0);
    ctx.setSessionCacheMode(SESS_CACHE_OFF);
    expect(added(() => void connect(ctx, { ...again(first), ...retried }))).to.deep.equal({ ...usual, misses: 1 });
    let calls = 0;
    ctx.setGetSessionCallback(() => {
      calls++;
      return bytes.slice();
    });
    const found = added(() => void connect(ctx, { ...again(first), ...retried }));
    expect(found).to.deep.equal({ ...usual, misses: 1, callbackHits: 1, hits: 1, number: 1 });
    expect(calls).to.equal(1);
    world.advance(7201);
    const late = added(() => void connect(ctx, { ...again(first), ...retried }));
    expect(late).to.deep.equal({ ...usual, timeouts: 1, number: -1 });
  });

  it('several identities: one miss, one callback hit, one timeout, one hit', () => {
    ctx.setNumTickets(3);
    const { client } = connect(ctx, {});
    const known = new Map(ctx.sessions().map((one) => [one.id.join(), i2d_SSL_SESSION(one)]));
    ctx.flushSessions(0);
    ctx.setNumTickets(0);
    const offer = () => void connect(ctx, { psks: client.tickets });
    const usual = { accept: 1, acceptGood: 1 };
    expect(added(offer)).to.deep.equal({ ...usual, misses: 1 });
    ctx.setSessionIdContext(Uint8Array.of(1)); // none of them fits
    ctx.setSessionCacheMode(SESS_CACHE_SERVER | SESS_CACHE_NO_INTERNAL_LOOKUP);
    ctx.setGetSessionCallback((_ssl, id) => known.get(id.join())?.slice() ?? null);
    const { number: _, ...found } = added(offer);
    expect(found).to.deep.equal({ ...usual, callbackHits: 1 });
    ctx.setSessionIdContext(new Uint8Array(0));
    world.advance(7201);
    const { number: __, ...late } = added(offer);
    expect(late).to.deep.equal({ ...usual, callbackHits: 1, timeouts: 1 });
  });

  it('the second identity hits after the first has missed', () => {
    const first = connect(ctx, {});
    ctx.removeSession(ctx.sessions()[0] as Session);
    const second = added(() => {
      const pair = connect(ctx, { psks: first.client.tickets });
      expect(pair.ssl.connection?.resumption.identityIndex).to.equal(1);
    });
    expect(second).to.deep.equal({ accept: 1, acceptGood: 1, hits: 1, misses: 1, number: 1 });
  });

  it('a wrong binder is neither a hit nor an acceptGood', () => {
    const first = connect(ctx, {});
    const rewriteBinders = (all: readonly Uint8Array[]) => all.map((binder) => binder.map((byte) => byte ^ 1));
    expect(added(() => void connect(ctx, { ...again(first), rewriteBinders }))).to.deep.equal({ accept: 1 });
  });

  it('TLS 1.2: an EMS that has gone missing is neither', () => {
    const first = connect(ctx, { version: 'TLSv1.2' });
    expect(added(() => void connect(ctx, { ...again(first), ems: false }))).to.deep.equal({ accept: 1 });
  });
});

describe('virtual hosts', () => {
  function host(sessions?: SessionOptions, options: Partial<ServerOptions> = {}): ServerConfig {
    return testServer({ world, crypto: toyCrypto, sessions, ...options });
  }

  for (const version of VERSIONS) {
    it(`with a store of its own counts the connections that it serves, ${version}`, () => {
      const selected = host({ onNew: () => undefined });
      const front = host({}, { onServerName: (name) => (name === 'localhost' ? selected : undefined) });
      const first = visit(front, { version });
      visit(front, returning(first.client));
      visit(front, spoiled({ version }));
      const { number: _, ...counted } = selected.statistics();
      expect(counted).to.include({ accept: 3, acceptGood: 2, hits: 1, misses: 0 });
      expect(front.statistics()).to.deep.equal(NOTHING);
      visit(front, { version, sni: 'other.example' });
      expect(front.statistics()).to.include({ accept: 1, acceptGood: 1 });
      expect(selected.statistics().accept).to.equal(3);
    });

    it(`without one is counted with the server that the connection came to, ${version}`, () => {
      const selected = host();
      const front = host({}, { onServerName: () => selected });
      const first = visit(front, { version });
      visit(front, returning(first.client));
      expect(front.statistics()).to.include({ accept: 2, acceptGood: 2, hits: 1 });
      expect(selected.statistics()).to.deep.equal(NOTHING);
    });
  }

  it('a connection that ends before its hello stays with the server that it came to', () => {
    const selected = host({ onNew: () => undefined });
    const front = host({}, { onServerName: () => selected });
    visit(front, { rewriteMessage: () => new Uint8Array(4) });
    expect(front.statistics().accept).to.equal(1);
    expect(selected.statistics().accept).to.equal(0);
  });

  it('that are contexts of the façade: a connection stays with its own', () => {
    const told: string[] = [];
    const selected = context(world);
    selected.setNewSessionCallback(() => told.push('selected'));
    ctx = context(world, { onServerName: () => selected.config });
    ctx.setNewSessionCallback((ssl) => told.push(ssl.getSslContext() === ctx ? 'own' : 'another'));
    const pair: Pair = connect(ctx, {});
    expect(told).to.deep.equal(['own', 'own']);
    expect(ctx.sessions()).to.include(sessionOf(pair.ssl));
    expect(counters(ctx)).to.include({ accept: 1, acceptGood: 1, number: 2 });
    expect(counters(selected)).to.deep.equal(NOTHING);
  });
});
