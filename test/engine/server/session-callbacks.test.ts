/** The new, get and remove callbacks: when each is called, how often, and what its answer does. */

import { expect } from 'chai';
import { give, type RemovalReason } from '../../../src/cache/callbacks.ts';
import { SessionCache } from '../../../src/cache/session-cache.ts';
import type { Event } from '../../../src/engine/events.ts';
import type { ServerConfig } from '../../../src/engine/server/config.ts';
import type { ServerOptions } from '../../../src/engine/server/options.ts';
import { ServerConnection } from '../../../src/engine/server/server-connection.ts';
import type { Session } from '../../../src/sessions/session.ts';
import { toHex } from '../../../src/wire/bytes.ts';
import { Exchange } from '../../support/exchange.ts';
import { type ClientOptions, exchange, ScriptedClient } from '../../support/scripted-client.ts';
import { testServer, toyCrypto } from '../../support/servers.ts';
import { TestWorld } from '../../support/world.ts';

type SessionOptions = NonNullable<ServerOptions['sessions']>;
const VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const;
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

function errors(events: readonly Event[]): unknown[] {
  return events.flatMap((event) => (event.type === 'callback-error' ? [event.callback] : []));
}

for (const version of VERSIONS) {
  const perFull = version === 'TLSv1.2' ? 1 : 2;
  const perResumption = version === 'TLSv1.2' ? 0 : 1;

  describe(`callbacks in ${version}`, () => {
    it(`new: ${perFull} after a full handshake, ${perResumption} after a resumption`, () => {
      const ids: string[] = [];
      const config = server({ onNew: (session) => void ids.push(toHex(session.id)) });
      const first = connect(config, { version });
      expect(ids.length).to.equal(perFull);
      const offered = version === 'TLSv1.2' ? [first.client.session.id] : first.client.tickets.map((t) => t.identity);
      expect(ids).to.deep.equal(offered.map(toHex));
      connect(config, again(first));
      expect(ids.length).to.equal(perFull + perResumption);
      expect(new Set(ids).size).to.equal(ids.length);
    });

    it('new: has the session in its cache, and runs before a byte of the announcement can leave', () => {
      const cache = new SessionCache();
      const seen: { cached: boolean; sent: number }[] = [];
      let result: Exchange | undefined;
      const config = server({
        cache,
        onNew: (session) => {
          const sent = result?.client.heard.filter((name) => /ticket|finished/.test(name)).length ?? 0;
          seen.push({ cached: cache.has(session.version, session.id), sent });
        },
      });
      result = new Exchange(client({ version }), new ServerConnection(config));
      result.run();
      const finished = version === 'TLSv1.2' ? 0 : 1; // TLS 1.3 has sent its own before
      expect(seen).to.deep.equal(Array(perFull).fill({ cached: true, sent: finished }));
    });

    it('new: tells the version, the host name and the addresses', () => {
      const infos: unknown[] = [];
      const addresses = { remoteAddress: '127.0.0.1', remotePort: 1234 };
      const config = server({ onNew: (_session, info) => void infos.push(info) });
      exchange(client({ version }), new ServerConnection(config, { addresses }));
      expect(infos[0]).to.deep.equal({ serverName: 'localhost', version, ...addresses });
    });

    it('get: a session that is not resumed is held until the handshake is complete, and no longer', () => {
      const stored = connect(server({}, { tickets: { initial: 1 } }), { version });
      const kept = stored.connection.session?.dup();
      if (kept === undefined) throw new Error('no session');
      let lent = 0;
      let abort: { readonly aborted: boolean } | undefined;
      const onGet: SessionOptions['onGet'] = (_id, _connection, signal) => {
        abort = signal;
        return kept;
      };
      const mayResume = () => {
        lent = kept.holds;
        return false;
      };
      const refusing = server({ cache: false, onGet, mayResume });
      const { connection } = connect(refusing, again(stored));
      expect([connection.isEstablished, connection.resumption.reason]).to.deep.equal([true, 'vetoed']);
      expect([lent, kept.holds]).to.deep.equal([2, 1]);
      const [verdict] = connection.verdicts;
      kept.time = 0;
      kept.free();
      expect([verdict?.sessionId, verdict?.age], 'told as it was').to.deep.equal([toHex(kept.id), 0]);
      connection.dispose();
      expect(abort?.aborted, 'the lookup was over long before').to.equal(false);
    });

    it('get: a session that is given and not resumed is wiped once the handshake is complete, unless a cache keeps it', () => {
      for (const isCached of [true, false]) {
        const stored = connect(server({}, { tickets: { initial: 1 } }), { version });
        const kept = stored.connection.session?.dup();
        if (kept === undefined) throw new Error('no session');
        const cache = new SessionCache();
        const refusing = server({ cache: isCached ? cache : false, onGet: () => give(kept), mayResume: () => false });
        const { connection } = connect(refusing, again(stored));
        expect(connection.resumption.reason).to.equal('vetoed');
        expect(kept.holds, `cached: ${isCached}`).to.equal(isCached ? 1 : 0);
        expect(cache.has(version, kept.id)).to.equal(isCached);
        connection.dispose();
      }
    });

    it('new answers false: the session is out at once, and remove is not told', () => {
      const removed: unknown[] = [];
      const sessions: Session[] = [];
      const cache = new SessionCache();
      const onNew = (session: Session) => {
        sessions.push(session);
        return false;
      };
      const config = server({ cache, onNew, onRemove: (session) => void removed.push(session) });
      const first = connect(config, { version });
      expect(cache.size).to.equal(0);
      expect(removed).to.deep.equal([]);
      expect(first.events.filter(({ type }) => type === 'session-refused').length).to.equal(perFull);
      expect(connect(config, again(first)).connection.resumption.reason).to.equal('unknown');
      first.connection.dispose();
      expect(sessions[0]?.holds, 'nobody holds it').to.equal(0);
    });

    for (const [answer, holds] of [
      [true, 1],
      [undefined, 0],
    ] as const) {
      it(`new answers ${answer}: the session stays, and the application has ${holds} holds`, () => {
        const sessions: Session[] = [];
        const cache = new SessionCache();
        const config = server({
          cache,
          onNew: (session) => {
            sessions.push(session);
            return answer;
          },
        });
        const first = connect(config, { version });
        expect(cache.size).to.equal(perFull);
        first.connection.dispose(true);
        expect(sessions[0]?.holds).to.equal(1 + holds);
        cache.close();
        expect(sessions[0]?.holds).to.equal(holds);
        if (holds === 0) expect(() => sessions[0]?.secret).to.throw(/free/);
      });
    }

    it('new answers a promise: held until it settles, and then its value counts', () => {
      for (const [outcome, size] of [
        [{ value: false }, 0],
        [{ value: true }, perFull],
        [{ error: new Error('rejected') }, perFull],
      ] as const) {
        const cache = new SessionCache();
        const sessions: Session[] = [];
        const config = server({
          cache,
          onNew: (session) => {
            sessions.push(session);
            return new Promise<boolean>(() => {});
          },
        });
        const result = connect(config, { version });
        expect(result.connection.isEstablished, 'the handshake does not wait').to.equal(true);
        result.connection.dispose(true);
        expect(sessions[0]?.holds).to.equal(2);
        for (const event of [...result.events]) {
          if (event.type === 'deferred') result.step(result.connection.settle(event.deferred, outcome));
        }
        expect(cache.size).to.equal(size);
        expect(errors(result.events).length).to.equal('error' in outcome ? perFull : 0);
        expect(sessions[0]?.holds).to.equal('error' in outcome ? 1 : outcome.value ? 2 : 0);
      }
    });

    it('new throws: an event, and as if it had answered nothing', () => {
      const cache = new SessionCache();
      const config = server({
        cache,
        onNew: () => {
          throw new Error('the application');
        },
      });
      const first = connect(config, { version });
      expect(first.connection.isEstablished).to.equal(true);
      expect(errors(first.events)).to.deep.equal(Array(perFull).fill('onNew'));
      expect(cache.size).to.equal(perFull);
      expect(connect(config, again(first)).connection.resumption.resumed).to.equal(true);
    });

    it('remove: when the cache is full, soonest to expire first', () => {
      const removed: [string, RemovalReason][] = [];
      const config = server({
        maxEntries: 2,
        onRemove: (session, reason) => void removed.push([toHex(session.id), reason]),
      });
      const ids: string[] = [];
      for (let i = 0; i < 3; i++) {
        world.advance(10);
        const { client: peer } = connect(config, { version });
        ids.push(...(version === 'TLSv1.2' ? [peer.session.id] : peer.tickets.map((t) => t.identity)).map(toHex));
      }
      expect(removed).to.deep.equal(ids.slice(0, -2).map((id) => [id, 'evicted']));
      expect(config.store.cache?.size).to.equal(2);
    });

    it('remove: once for each, also where it removes one that left with it and has yet to be told', () => {
      const removed: string[] = [];
      const sessions: Session[] = [];
      const config = server({
        onNew: (session) => void sessions.push(session),
        onRemove: (session, reason) => {
          removed.push(`${sessions.indexOf(session)} ${reason}`);
          for (const one of sessions) config.removeSession(one);
        },
      });
      connect(config, { version: 'TLSv1.3' });
      config.flushSessions(0);
      expect(removed).to.deep.equal(['0 flushed', '1 flushed']);
    });

    it('new: not of a session that has left already, as remove of another has flushed the cache', () => {
      const told: string[] = [];
      const config = server({
        maxEntries: 1,
        onNew: (session) => {
          told.push(`new ${session.isResumable}`);
        },
        onRemove: (session, reason) => {
          told.push(reason);
          config.flushSessions(0);
          expect(session.isCached).to.equal(false);
        },
      });
      connect(config, { version });
      const before = told.splice(0);
      expect(before[0]).to.equal('new true');
      const second = connect(config, { version });
      expect(second.connection.isEstablished).to.equal(true);
      expect(told.filter((what) => what === 'new false')).to.deep.equal([]);
      expect(told).to.include.members(['evicted', 'flushed']);
    });

    it('remove: throws, or rejects, and nothing comes of it but an event', async () => {
      for (const onRemove of [
        () => {
          throw new Error('the application');
        },
        () => Promise.reject(new Error('the application')),
      ]) {
        const config = server({ maxEntries: 1, onRemove });
        connect(config, { version });
        const second = connect(config, { version });
        expect(second.connection.isEstablished).to.equal(true);
        for (const event of [...second.events]) {
          if (event.type !== 'deferred') continue;
          const error = await Promise.resolve(event.deferred.promise).catch((reason: unknown) => reason);
          second.step(second.connection.settle(event.deferred, { error }));
        }
        expect(errors(second.events)).to.include('onRemove');
      }
    });

    it('all of them may use the cache from inside', () => {
      const cache = new SessionCache();
      const config = server({
        cache,
        onNew: () => void cache.flush(),
        onRemove: (session) => void cache.remove(session),
        onGet: () => {
          cache.flush();
          return undefined;
        },
      });
      const first = connect(config, { version });
      expect(first.connection.isEstablished).to.equal(true);
      expect(connect(config, again(first)).connection.isEstablished).to.equal(true);
    });

    it('a fatal alert ends the session, but only once the peer has proved that it holds it', () => {
      const removed: RemovalReason[] = [];
      const config = server({ onRemove: (_session, reason) => void removed.push(reason) });
      const first = connect(config, { version });
      const thief =
        version === 'TLSv1.2'
          ? { ...again(first), rewriteMessage: spoil }
          : {
              ...again(first),
              rewriteBinders: (all: readonly Uint8Array[]) => all.map((binder) => binder.map((b) => b ^ 1)),
            };
      expect(connect(config, thief).failure?.alert).to.equal('decrypt_error');
      expect(removed).to.deep.equal([]);
      const second = connect(config, again(first));
      expect(second.connection.resumption.resumed).to.equal(true);
      const current = second.connection.session;
      second.client.sendAlert('bad_certificate');
      second.run();
      expect(second.failure?.origin).to.equal('remote');
      expect(removed).to.deep.equal(['alert-received']);
      expect(current?.isResumable).to.equal(false);
      const third = connect(config, { version });
      third.client.sendRecord(23, new Uint8Array(0));
      third.send(Uint8Array.of(23, 3, 3, 0, 24, ...new Uint8Array(24)));
      expect(third.failure?.alert).to.equal('bad_record_mac');
      expect(removed).to.deep.equal(['alert-received', 'alert-sent']);
    });

    it('an id of the application’s own making; a bad one is replaced by one of ours', () => {
      let next: () => Uint8Array = () => Uint8Array.of(1, 2, 3);
      const ids: string[] = [];
      const config = server({ generateId: () => next(), onNew: (session) => void ids.push(toHex(session.id)) });
      const first = connect(config, { version });
      expect(ids[0]).to.equal('010203');
      if (version === 'TLSv1.3') expect(ids[1], 'in use').to.have.lengthOf(64);
      expect(connect(config, again(first)).connection.resumption.resumed).to.equal(true);
      for (const bad of [() => new Uint8Array(0), () => new Uint8Array(33), () => 'id' as unknown as Uint8Array]) {
        next = bad;
        ids.length = 0;
        const result = connect(config, { version });
        expect(result.connection.isEstablished).to.equal(true);
        expect(ids[0]).to.have.lengthOf(64);
        expect(errors(result.events)).to.include('generateId');
      }
    });

    it('what has expired while the store was asked is not resumed', () => {
      const removed: RemovalReason[] = [];
      const first = connect(server({ timeout: 10 }, { tickets: { initial: 1 } }), { version });
      const kept = first.connection.session?.dup() as Session;
      const onRemove = (_session: Session, reason: RemovalReason) => void removed.push(reason);
      const second = connect(server({ cache: false, onGet: () => new Promise(() => {}), onRemove }), again(first));
      world.advance(11);
      second.answer({ value: kept });
      expect(second.connection.resumption.reason).to.equal('expired');
      expect(removed).to.deep.equal(['expired']);
    });

    it('what is given too late is given back', () => {
      const config = server({ onNew: () => true });
      const first = connect(config, { version });
      const kept = first.connection.session?.dup() as Session;
      const slow = server({ cache: false, onGet: () => new Promise(() => {}) });
      const second = connect(slow, again(first));
      const { question } = second;
      if (question === undefined) throw new Error('no question');
      second.answer({ late: true });
      expect(second.connection.resumption.reason).to.equal('store-timeout');
      second.step(second.connection.answer(question, { value: give(kept) }));
      expect(kept.holds).to.equal(0);
    });
  });
}

describe('a cache of the application that fails', () => {
  const fail = (): never => {
    throw new Error('out of order');
  };
  const failures = {
    get: ['onGet', 'unknown'],
    add: ['onNew', undefined],
    take: ['onTake', 'consumed'],
    remove: ['onRemove', undefined],
  } as const;
  for (const [method, [callback, reason]] of Object.entries(failures)) {
    it(`is named by what it was to do, and costs no connection: ${method}() as ${callback}`, () => {
      const cache = new SessionCache();
      const config = server({ cache }, { tickets: { singleUse: method === 'take', initial: 1 } });
      const first = connect(config, {});
      Object.defineProperty(cache, method, { value: fail });
      const second = connect(config, again(first));
      expect([second.connection.isEstablished, second.connection.resumption.reason]).to.deep.equal([true, reason]);
      second.client.sendAlert('handshake_failure');
      second.run();
      expect(new Set(errors(second.events))).to.deep.equal(new Set([callback]));
    });
  }
});

describe('a session cache for several servers', () => {
  it('serves them all, and closing it tells remove for every session, soonest to expire first', () => {
    const cache = new SessionCache();
    const told: string[] = [];
    const a = server({ cache, timeout: 200, onRemove: (_session, reason) => void told.push(`a ${reason}`) });
    const b = server({ cache, timeout: 100, onRemove: (_session, reason) => void told.push(`b ${reason}`) });
    const first = connect(a, { version: 'TLSv1.2' });
    expect(connect(b, again(first)).connection.resumption.resumed).to.equal(true);
    connect(b, { version: 'TLSv1.2' });
    cache.close();
    expect(told).to.deep.equal(['b closed', 'a closed']);
    expect(connect(a, again(first)).connection.resumption.reason).to.equal('unknown');
  });

  it('a remove callback that fails is an event of the connection that took the session, and costs it nothing', async () => {
    for (const fail of [
      () => {
        throw new Error('the application');
      },
      () => Promise.reject(new Error('the application')),
    ]) {
      const cache = new SessionCache();
      const first = connect(server({ cache, onRemove: fail }), { version: 'TLSv1.3' });
      const other = server({ cache }, { tickets: { singleUse: true } });
      const second = connect(other, again(first));
      expect(second.connection.resumption.resumed).to.equal(true);
      for (const event of [...second.events]) {
        if (event.type !== 'deferred') continue;
        const error = await Promise.resolve(event.deferred.promise).catch((reason: unknown) => reason);
        second.step(second.connection.settle(event.deferred, { error }));
      }
      expect(errors(second.events)).to.deep.equal(['onRemove']);
      const types = second.events.map(({ type }) => type);
      expect(types, "another server's session").to.not.include('session-removed');
    }
  });
});

describe('the cache, used by a remove callback', () => {
  /** A server whose cache has room for one; its remove callback adds the spare sessions, one a call, and then throws. */
  function stage() {
    const spare: Session[] = [];
    const caught: unknown[] = [];
    const told: string[] = [];
    const config: ServerConfig = server({
      maxEntries: 1,
      onRemove: (_session, reason) => {
        told.push(reason);
        const next = spare.shift();
        if (next === undefined) throw new Error('the innermost');
        try {
          config.addSession(next);
        } catch (error) {
          caught.push(error);
          throw error;
        }
      },
    });
    return { config, spare, caught, told };
  }

  function sessionsFrom(count: number): Session[] {
    const kept: Session[] = [];
    const sessions = {
      cache: false,
      onNew: (session: Session) => kept.push(session) > 0,
      onGet: () => undefined,
    } as const;
    const maker = server(sessions, { tickets: { initial: count } });
    connect(maker, { version: 'TLSv1.3' });
    return kept;
  }

  it('what an addSession() of its own brings about is for the callback to catch, and an event once it has not', () => {
    const { config, spare, caught, told } = stage();
    connect(config, { version: 'TLSv1.2' });
    spare.push(...sessionsFrom(2));
    const second = connect(config, { version: 'TLSv1.2' });
    expect(second.connection.isEstablished).to.equal(true);
    expect(told).to.deep.equal(['evicted', 'evicted', 'evicted']);
    expect(caught.map(String)).to.deep.equal(['Error: the innermost', 'Error: the innermost']);
    expect(errors(second.events)).to.deep.equal(['onRemove']);
    expect(second.events.filter(({ type }) => type === 'session-removed')).to.have.length(1);
  });

  it('outside of any connection the error comes out of the first call', () => {
    const { config, spare, caught, told } = stage();
    const [first, ...others] = sessionsFrom(4);
    config.addSession(first as Session);
    spare.push(...others.slice(1));
    expect(() => config.addSession(others[0] as Session)).to.throw('the innermost');
    expect(caught).to.have.length(2);
    expect(told).to.deep.equal(['evicted', 'evicted', 'evicted']);
    expect(config.statistics().number).to.equal(1);
  });

  it('a connection that is stepped from inside hears of its own sessions only', () => {
    let inner: Exchange | undefined;
    const config: ServerConfig = server({
      maxEntries: 1,
      onRemove: () => {
        inner ??= connect(config, { version: 'TLSv1.2' });
      },
    });
    connect(config, { version: 'TLSv1.2' });
    const outer = connect(config, { version: 'TLSv1.2' });
    const removed = (events: readonly Event[] = []) => events.filter(({ type }) => type === 'session-removed');
    expect(removed(outer.events)).to.have.length(1);
    expect(removed(inner?.events)).to.have.length(1);
  });
});

describe('a session that is larger than sessions.maxBytes', () => {
  for (const version of VERSIONS) {
    it(`is not handed out, and an event says why (${version})`, () => {
      const config = server({ maxBytes: 700 });
      const first = connect(config, { version });
      expect(first.connection.isEstablished).to.equal(true);
      const due = version === 'TLSv1.3' ? 2 : 1;
      const reasons = first.events.flatMap((event) => (event.type === 'no-ticket' ? [event.reason] : []));
      expect(reasons).to.deep.equal(Array.from({ length: due }, () => 'too-large'));
      expect(first.client.tickets).to.have.length(0);
      expect(config.statistics()).to.include({ number: 0, cacheFull: 0 });
      expect(first.connection.session?.isResumable).to.equal(false);
    });

    it(`is still told to onNew, and found by onGet, past the cache (${version})`, () => {
      const store = new Map<string, Uint8Array>();
      const onNew = (session: Session) => void store.set(toHex(session.id), session.toDer());
      const config = server({ maxBytes: 700, onNew, onGet: (id) => store.get(toHex(id)) });
      const first = connect(config, { version });
      const second = connect(config, again(first));
      expect(second.connection.resumption.resumed).to.equal(true);
      expect(errors([...first.events, ...second.events])).to.deep.equal([]);
      expect(config.statistics().number).to.equal(0);
    });
  }

  it('cannot be added by hand', () => {
    const session = connect(server(), { version: 'TLSv1.2' }).connection.session as Session;
    expect(() => server({ maxBytes: 700 }).addSession(session.dup())).to.throw(RangeError, 'maxBytes');
  });
});

describe('housekeeping', () => {
  it('flushes what has expired with every 255th connection, unless told not to', () => {
    for (const autoClear of [true, false]) {
      const removed: RemovalReason[] = [];
      const onRemove = (_session: Session, reason: RemovalReason) => void removed.push(reason);
      const config = server({ autoClear, timeout: 10, onRemove });
      connect(config, { version: 'TLSv1.2' });
      world.advance(11);
      for (let i = 1; i < 254; i++) connect(config, { version: 'TLSv1.2' });
      expect(removed).to.deep.equal([]);
      connect(config, { version: 'TLSv1.2' });
      expect(removed).to.deep.equal(autoClear ? ['expired'] : []);
    }
  });

  it('flushes nothing that is good while the clock stands in second 0', () => {
    world = new TestWorld(11, 0);
    const config = server();
    for (let i = 0; i < 255; i++) connect(config, { version: 'TLSv1.2' });
    expect(config.statistics().number).to.equal(255);
    expect(config.flushSessions()).to.equal(0);
    expect(config.flushSessions(0)).to.equal(255);
  });

  it('counts the timeout from the last use where updateTime says so', () => {
    for (const updateTime of [true, false]) {
      const config = server({ updateTime, timeout: 100 });
      const first = connect(config, { version: 'TLSv1.2' });
      world.advance(60);
      expect(connect(config, again(first)).connection.resumption.resumed).to.equal(true);
      world.advance(60);
      expect(connect(config, again(first)).connection.resumption.resumed).to.equal(updateTime);
    }
  });
});

/** A Finished that does not verify. */
function spoil(name: string, raw: Uint8Array): Uint8Array {
  return name === 'finished' ? raw.map((byte, i) => (i === raw.length - 1 ? byte ^ 1 : byte)) : raw;
}
