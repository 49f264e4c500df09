/**
 * Given, when, then: behaviours of a server's session cache, numbered as they are in the list that this suite works through; N for
 * those in which implementations differ, with what is so here by default. What `compat` changes of it is in compat.test.ts.
 */

import { expect } from 'chai';
import { SessionCache } from '../../src/cache/session-cache.ts';
import type { CryptoProvider, KeyAgreement } from '../../src/crypto/provider.ts';
import type { Event } from '../../src/engine/events.ts';
import type { ServerOptions } from '../../src/engine/server/options.ts';
import { ServerConnection } from '../../src/engine/server/server-connection.ts';
import {
  SESS_CACHE_NO_INTERNAL,
  SESS_CACHE_NO_INTERNAL_STORE,
  SESS_CACHE_OFF,
  SESS_CACHE_SERVER,
  SESS_CACHE_UPDATE_TIME,
} from '../../src/openssl/constants.ts';
import { SSL_SESSION_set_time, SSL_SESSION_set_timeout } from '../../src/openssl/session.ts';
import type { SslContext } from '../../src/openssl/ssl.ts';
import type { Session } from '../../src/sessions/session.ts';
import { toHex } from '../../src/wire/bytes.ts';
import { ExtensionType, type Version } from '../../src/wire/registry.ts';
import { type ClientOptions, exchange, ScriptedClient } from '../support/scripted-client.ts';
import { testServer, toyCrypto } from '../support/servers.ts';
import { TestWorld } from '../support/world.ts';
import { failures, idOf, Journal, keepAway, leave, offeredIds, promisesAreDone } from './journal.ts';
import { again, connect, context, type Pair, pass, VERSIONS } from './support.ts';

let world: TestWorld;
let ctx: SslContext;

beforeEach(() => {
  world = new TestWorld(65);
  ctx = context(world);
});

function now(): number {
  return world.time / 1000;
}

/** A visit that ends well. */
function visit(options: ClientOptions, of: SslContext = ctx): Pair {
  const pair = connect(of, options);
  leave(pair);
  return pair;
}

function reused(options: ClientOptions, of: SslContext = ctx): number {
  return visit(options, of).ssl.sessionReused();
}

/** With the ticket that came last. */
function latest(pair: Pair): ClientOptions {
  const { version } = pair.client;
  return version === 'TLSv1.2' ? again(pair) : { psks: pair.client.tickets.slice(-1) };
}

for (const version of VERSIONS) {
  const isTls13 = version === 'TLSv1.3';
  const perFull = isTls13 ? 2 : 1;

  describe(`cache and callbacks, ${version}`, () => {
    it('9. given caching on the server, when connected, then adding its session answers 0', () => {
      const pair = connect(ctx, { version });
      const session = pair.ssl.getSession();
      if (session === null) throw new Error('no session');
      expect([ctx.addSession(session), ctx.sessNumber()]).to.deep.equal([0, perFull]);
    });

    it(`10. given external callbacks, when a full handshake completes, then new = ${perFull}, get = 0, remove = 0`, () => {
      ctx.setSessionCacheMode(SESS_CACHE_SERVER | SESS_CACHE_NO_INTERNAL_STORE);
      const journal = new Journal(ctx);
      visit({ version });
      expect(['new', 'get', 'remove'].map((name) => journal.count(name as 'new'))).to.deep.equal([perFull, 0, 0]);
      expect(ctx.sessNumber()).to.equal(0);
    });

    it('12. … when the session comes back, then it is resumed, with get = 1 and new = one a ticket', () => {
      ctx.setSessionCacheMode(SESS_CACHE_SERVER | SESS_CACHE_NO_INTERNAL);
      const journal: Journal = new Journal(ctx, {
        onGet: (_ssl, id) => journal.kept.find((session) => idOf(session) === toHex(id)) ?? null,
      });
      const first = visit({ version });
      journal.calls.length = 0;
      expect(reused(again(first))).to.equal(1);
      expect(journal.calls).to.deep.equal(isTls13 ? ['get', 'new'] : ['get']);
    });

    it('12. … and by the internal cache, then get = 0', () => {
      const journal = new Journal(ctx);
      const first = visit({ version });
      journal.calls.length = 0;
      expect(reused(again(first))).to.equal(1);
      expect(journal.calls).to.deep.equal(isTls13 ? ['new'] : []);
    });

    it('13. given a copy of a cached session, then the copy is in no cache while the original is in one', () => {
      visit({ version });
      const [original] = ctx.sessions();
      const copy = original?.dup();
      expect([original?.isCached, copy?.isCached, copy?.holds]).to.deep.equal([true, false, 1]);
      expect(copy?.secret).to.deep.equal(original?.secret);
    });

    it('15. given times now−10, now and now+10 and a timeout of 10, then their order follows SSL_SESSION_set_time and _timeout', () => {
      const [a, b, c] = three(version);
      expect(ctx.sessions()).to.deep.equal([a, b, c]);
      SSL_SESSION_set_time(a, now() + 20);
      expect(ctx.sessions()).to.deep.equal([b, c, a]);
      SSL_SESSION_set_timeout(b, 100);
      expect(ctx.sessions()).to.deep.equal([c, a, b]);
    });

    it('16. when flushed at now+9, +11 and +21, then the first, the second and the third are gone', () => {
      const [a, b, c] = three(version);
      const journal = new Journal(ctx);
      for (const [after, removed, left] of [
        [9, [a], [b, c]],
        [10, [a], [b, c]],
        [11, [a, b], [c]],
        [21, [a, b, c], []],
      ] as const) {
        ctx.flushSessions(now() + after);
        expect(journal.removed).to.deep.equal(removed);
        expect(ctx.sessions()).to.deep.equal(left);
      }
    });

    for (const isOn of [true, false]) {
      it(`18. given UPDATE_TIME ${isOn ? 'on' : 'off'}, when a session of now−10 is added, then its time is ${isOn ? 'now' : 'as it was'}`, () => {
        if (isOn) ctx.setSessionCacheMode(SESS_CACHE_SERVER | SESS_CACHE_UPDATE_TIME);
        const { session } = keepAway(ctx, { version });
        session.time = now() - 10;
        ctx.addSession(session);
        expect(session.time).to.equal(isOn ? now() : now() - 10);
      });
    }

    it('20. given room for 5, when 30 connections go full, resumed, resumed …, then these resume and there are never more than 5', () => {
      ctx.setSessionCacheSize(5);
      let last: Pair | undefined;
      for (let i = 0; i < 30; i++) {
        const options = i % 3 === 0 || last === undefined ? { version } : latest(last);
        const pair = visit(options);
        expect(pair.ssl.sessionReused(), `connection ${i}`).to.equal(i % 3 === 0 ? 0 : 1);
        expect(ctx.sessNumber()).to.be.at.most(5);
        last = isTls13 || i % 3 === 0 ? pair : last;
      }
      expect(ctx.sessNumber()).to.equal(5);
    });

    it('N1. given room for N, then exactly N are retained, and 0 is no limit', () => {
      for (const size of [1, 2, 3, 4, 0]) {
        ctx = context(world);
        ctx.setSessionCacheSize(size);
        for (let i = 0; i < 6; i++) visit({ version });
        expect(ctx.sessNumber()).to.equal(size || 6 * perFull);
        expect(ctx.sessCacheFull()).to.equal(size && 6 * perFull - size);
      }
    });

    it('N2. when new answers 0, then the session is out of the internal cache and does not resume', () => {
      ctx.setNewSessionCallback(() => 0);
      const first = visit({ version });
      expect([ctx.sessNumber(), reused(again(first))]).to.deep.equal([0, 0]);
    });

    it('N4. given mode OFF, when get has a session, then it resumes and is in the internal cache afterwards', () => {
      const { pair, session } = keepAway(ctx, { version });
      ctx.setSessionCacheMode(SESS_CACHE_OFF);
      ctx.setGetSessionCallback(() => session);
      expect([reused(again(pair)), ctx.sessions()]).to.deep.equal([1, [session]]);
      ctx.setGetSessionCallback(null);
      expect(reused(again(pair))).to.equal(1);
    });

    it('N5. when get answers a session with another id, then a full handshake and an event; remove is not called', () => {
      const { pair } = keepAway(ctx, { version });
      const { session } = keepAway(ctx, { version });
      const journal = new Journal(ctx, { onGet: () => session });
      const events: Event[] = [];
      const second = connect(ctx, again(pair), { attend: (event) => events.push(event) });
      expect([second.client.isEstablished, second.ssl.sessionReused(), ctx.sessHits()]).to.deep.equal([true, 0, 0]);
      expect([failures(events), journal.count('remove'), session.isResumable]).to.deep.equal([['onGet'], 0, true]);
    });

    it('N9. when an expired session is looked up, then its entry leaves and remove is told', () => {
      ctx.setNumTickets(1);
      const first = visit({ version });
      const journal = new Journal(ctx, { onNew: () => 0 });
      world.advance(7201);
      expect(reused(again(first))).to.equal(0);
      expect([journal.calls, ctx.sessNumber(), ctx.sessTimeouts()]).to.deep.equal([['remove expired', 'new'], 0, 1]);
    });

    it('N12. when the 255th handshake completes, then what has expired is flushed, and again at the 510th', () => {
      ctx.setTimeout(1);
      const numbers: number[] = [];
      ctx.setNumTickets(1);
      for (let i = 1; i <= 510; i++) {
        if (i % 255 === 0) world.advance(2);
        visit({ version });
        if (i % 255 === 254 || i % 255 === 0) numbers.push(ctx.sessNumber());
      }
      expect(numbers).to.deep.equal([254, 1, 255, 1]);
    });

    it('N13. given ids of 16 bytes by the application’s callback, then they resume', () => {
      ctx.setGenerateSessionId((_ssl, id, length) => {
        id.set(world.randomBytes(16));
        length.value = 16;
        return 1;
      });
      const first = visit({ version });
      expect(offeredIds(first).map(({ length }) => length)).to.deep.equal(Array(perFull).fill(32));
      expect(reused(again(first))).to.equal(1);
    });

    it('N14. given UPDATE_TIME, when a session resumes from the internal cache, then its time is now', () => {
      ctx.setSessionCacheMode(SESS_CACHE_SERVER | SESS_CACHE_UPDATE_TIME);
      ctx.setNumTickets(1);
      const first = visit({ version });
      const [session] = ctx.sessions();
      world.advance(7000);
      expect(reused(again(first))).to.equal(1);
      expect(session?.time).to.equal(now());
    });

    it('22. given a resumption that waits for the server name, when another of the same session fails, then the first has a full handshake and keeps what can be resumed', async () => {
      let answer = (): void => {};
      let isPaused = false;
      const onServerName = () =>
        isPaused ? new Promise<undefined>((resolve) => (answer = () => resolve(undefined))) : undefined;
      ctx = context(world, { onServerName });
      ctx.setSessionCacheSize(5);
      const first = visit({ version });
      isPaused = true;
      const waiting = connect(ctx, again(first));
      isPaused = false;
      failAfterResuming(again(first));
      answer();
      await promisesAreDone();
      expect([pass(waiting).client.isEstablished, waiting.ssl.sessionReused()]).to.deep.equal([true, 0]);
      expectToComeBack(waiting);
    });

    it('22. … that waits for the get callback, then the same: what get answers is looked at again', async () => {
      const { pair, session } = keepAway(ctx, { version });
      let answer = (): void => {};
      ctx.setSessionCacheSize(5);
      ctx.setGetSessionCallback(() => new Promise((resolve) => (answer = () => resolve(session))));
      const waiting = connect(ctx, again(pair));
      ctx.setGetSessionCallback(() => session);
      const events = failAfterResuming(again(pair));
      if (!isTls13) expect(events).to.include('session-removed');
      ctx.removeSession(session);
      answer();
      await promisesAreDone();
      expect([pass(waiting).client.isEstablished, waiting.ssl.sessionReused()]).to.deep.equal([true, 0]);
      expect(waiting.ssl.connection?.resumption.reason).to.equal('not-resumable');
      expectToComeBack(waiting);
    });
  });

  /** Another connection with the same session, which it resumes; then it fails. */
  function failAfterResuming(options: ClientOptions): string[] {
    const events: Event[] = [];
    const { client, ssl } = connect(ctx, options, { attend: (event) => events.push(event) });
    const { session } = ssl.connection?.resumption ?? {};
    expect(ssl.sessionReused()).to.equal(1);
    client.sendAlert('internal_error');
    ssl.receive(client.take());
    ssl.free();
    if (isTls13) ctx.removeSession(session ?? null); // its alert ends the session of the new ticket
    expect(session?.isResumable).to.equal(false);
    return events.map(({ type }) => type);
  }

  /** Its session is cached, and the cache as small as it has to be. */
  function expectToComeBack(pair: Pair): void {
    expect(ctx.sessNumber()).to.be.within(1, 5);
    expect(ctx.sessions().every(({ isResumable }) => isResumable)).to.equal(true);
    leave(pair);
    expect(reused(latest(pair))).to.equal(1);
  }

  describe(`server names and application protocols, ${version}`, () => {
    it('76. given a name accepted, when resumed under the same, then both sides have it', () => {
      const first = visit({ version, sni: 'localhost' });
      const second = connect(ctx, again(first));
      expect(second.ssl.sessionReused()).to.equal(1);
      expect([second.ssl.connection?.serverName, second.ssl.getSession()?.serverName]).to.deep.equal([
        'localhost',
        'localhost',
      ]);
      expect(second.client.encryptedExtensions?.serverName).to.equal(undefined);
    });

    it('78. … when another name is sent, then a full handshake under that name; the session is kept', () => {
      const first = visit({ version, sni: 'a.example' });
      const second = connect(ctx, { ...again(first), sni: 'b.example' });
      expect([second.ssl.sessionReused(), second.ssl.connection?.resumption.reason]).to.deep.equal([0, 'scope']);
      expect([second.ssl.connection?.serverName, second.ssl.getSession()?.serverName]).to.deep.equal([
        'b.example',
        'b.example',
      ]);
      expect(reused({ ...again(first), sni: 'a.example' })).to.equal(1);
    });

    it('80. … when no name is sent, then a full handshake without one; the session is kept', () => {
      const first = visit({ version, sni: 'a.example' });
      const second = connect(ctx, { ...again(first), sni: undefined });
      expect([second.ssl.sessionReused(), second.ssl.connection?.serverName]).to.deep.equal([0, undefined]);
      expect(reused({ ...again(first), sni: 'a.example' })).to.equal(1);
    });

    it('81. given another list of application protocols than before, when resumed, then with the one that is negotiated now', () => {
      const [one, two] = hosts({ alpn: ['h2'] }, { alpn: ['http/1.1', 'h2'] });
      const alpn = ['h2', 'http/1.1'];
      const first = visit({ version, alpn }, one);
      expect(first.ssl.connection?.alpnProtocol).to.equal('h2');
      const second = connect(two, { ...again(first), alpn });
      expect([second.ssl.sessionReused(), second.ssl.connection?.alpnProtocol]).to.deep.equal([1, 'http/1.1']);
    });

    it('83. … and none in common, then no_application_protocol; the session is kept', () => {
      const [one, two] = hosts({ alpn: ['h2'] }, { alpn: ['http/1.1'] });
      const alpn = ['h2'];
      const first = visit({ version, alpn }, one);
      const second = connect(two, { ...again(first), alpn });
      expect([second.client.alert?.name, second.ssl.isInitFinished()]).to.deep.equal(['no_application_protocol', 0]);
      expect(reused({ ...again(first), alpn }, one)).to.equal(1);
    });

    it('84. when no application protocol is offered any more, or the server has none, then resumed without one', () => {
      const [one, two] = hosts({ alpn: ['h2'] }, {});
      const first = visit({ version, alpn: ['h2'] }, one);
      for (const [of, alpn] of [
        [one, undefined],
        [two, ['h2']],
      ] as const) {
        const second = connect(of, { ...again(first), alpn });
        expect([second.ssl.sessionReused(), second.ssl.connection?.alpnProtocol]).to.deep.equal([1, undefined]);
      }
    });
  });

  describe(`ClientHello, ${version}`, () => {
    it('99. when an extension comes twice, then a fatal alert; the session that was offered is kept', () => {
      const first = visit({ version });
      const twice: ClientOptions = {
        rewriteExtensions: (list) => [...list.slice(0, 1), ...list],
      };
      const second = connect(ctx, { ...again(first), ...twice });
      expect([second.client.alert?.name, second.ssl.sessionReused()]).to.deep.equal(['illegal_parameter', 0]);
      expect(reused(again(first))).to.equal(1);
    });
  });
}

describe('TLS 1.2', () => {
  const version = 'TLSv1.2';

  it('22. given a resumption between its hellos and its Finished, when the session is ruled out, then it completes and is not cached again', () => {
    const first = visit({ version });
    const waiting = connect(ctx, { ...again(first), stopBefore: 'finished' });
    ctx.flushSessions(0);
    waiting.client.proceed();
    expect([pass(waiting).client.isEstablished, waiting.ssl.sessionReused(), ctx.sessNumber()]).to.deep.equal([
      true,
      1,
      0,
    ]);
    leave(waiting);
    expect(reused(again(first))).to.equal(0);
  });

  it('55. given extended_master_secret on both sides, then it is negotiated; missing in the hello, then not; either way a full handshake', () => {
    for (const ems of [true, false]) {
      const pair = connect(ctx, { version, ems });
      expect(extensionTypes(pair, 'server_hello').includes(ExtensionType.extended_master_secret)).to.equal(ems);
      expect([pair.ssl.sessionReused(), pair.ssl.getSession()?.extendedMasterSecret]).to.deep.equal([0, ems]);
    }
  });

  it('56. given a session with it, when resumed with it, then abbreviated', () => {
    const first = visit({ version, ems: true });
    const second = connect(ctx, { ...again(first), ems: true });
    expect([second.ssl.sessionReused(), second.client.heard.includes('certificate')]).to.deep.equal([1, false]);
    expect(extensionTypes(second, 'server_hello')).to.include(ExtensionType.extended_master_secret);
  });

  it('58. given a session with it, when the hello is without it, then the handshake is aborted; the session is kept', () => {
    const first = visit({ version, ems: true });
    const journal = new Journal(ctx);
    const second = connect(ctx, { ...again(first), ems: false });
    expect([second.client.alert?.name, second.ssl.isInitFinished()]).to.deep.equal(['handshake_failure', 0]);
    second.ssl.free();
    expect(journal.count('remove')).to.equal(0);
    expect(reused(again(first))).to.equal(1);
  });

  it('58. given a session without it, when the hello has it, then a full handshake; without it, then resumed', () => {
    const first = visit({ version, ems: false });
    expect(reused({ ...again(first), ems: true })).to.equal(0);
    expect(reused({ ...again(first), ems: false })).to.equal(1);
  });

  it('99. given an empty block of extensions, then the hello is in order: the session resumes', () => {
    const bare: ClientOptions = { version, sni: undefined, ems: false };
    const first = visit(bare);
    const second = connect(ctx, { ...again(first), ...bare, rewriteExtensions: () => [] });
    expect([second.ssl.sessionReused(), second.client.isEstablished]).to.deep.equal([1, true]);
    expect(second.client.sent[0]?.raw.subarray(-2)).to.deep.equal(new Uint8Array(2));
  });

  it('N3. when a full handshake fails, then remove is not called for a session that was never announced', () => {
    const journal = new Journal(ctx);
    const pair = connect(ctx, { version, stopBefore: 'finished' });
    pair.client.sendAlert('bad_certificate');
    pass(pair).ssl.free();
    expect(journal.calls).to.deep.equal([]);
  });

  it('N15. given a session of a suite that the server has no more, when it is offered, then a full handshake; it is kept', () => {
    const suite = 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256';
    const other = 'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384';
    const [one, two] = hosts({ ciphers: [suite] }, { ciphers: [other] });
    const first = visit({ version }, one);
    const second = connect(two, again(first));
    expect([second.ssl.sessionReused(), second.ssl.connection?.resumption.reason]).to.deep.equal([0, 'cipher-suite']);
    expect(second.ssl.connection?.cipherSuite).to.equal(other);
    expect(reused(again(first), one)).to.equal(1);
  });
});

describe('TLS 1.3', () => {
  const version = 'TLSv1.3';

  it('22. given a resumption that waits after its session was accepted, when that is ruled out, then it resumes and keeps what can be resumed', async () => {
    const { crypto, pause, go } = pausing();
    ctx = context(world, { crypto });
    ctx.setSessionCacheSize(5);
    const first = visit({ version });
    pause();
    const waiting = connect(ctx, again(first));
    const { session } = waiting.ssl.connection?.resumption ?? {};
    expect(ctx.removeSession(session ?? null)).to.equal(1);
    go();
    await promisesAreDone();
    expect([pass(waiting).client.isEstablished, waiting.ssl.sessionReused()]).to.deep.equal([true, 1]);
    expect(waiting.ssl.getSession()?.isCached).to.equal(true);
    leave(waiting);
    expect(ctx.sessions().every(({ isResumable }) => isResumable)).to.equal(true);
    expect(reused(latest(waiting))).to.equal(1);
    expect(reused(again(first)), 'the one that was ruled out').to.equal(0);
  });

  it('59. extended_master_secret is never answered', () => {
    const first = connect(ctx, { version, ems: true });
    const second = connect(ctx, again(first));
    for (const pair of [first, second]) {
      expect(pair.client.hellos[0]?.extensions.extendedMasterSecret).to.equal(true);
      expect(extensionTypes(pair, 'server_hello')).not.to.include(ExtensionType.extended_master_secret);
      expect(extensionTypes(pair, 'encrypted_extensions')).not.to.include(ExtensionType.extended_master_secret);
    }
  });

  it('N6. given a HelloRetryRequest, then everything is looked up and counted once', () => {
    const { pair, session } = keepAway(ctx, { version });
    const journal = new Journal(ctx, { onGet: () => session });
    expect(reused({ ...again(pair), keyShares: [] })).to.equal(1);
    expect(journal.count('get')).to.equal(1);
    expect([ctx.sessHits(), ctx.sessCbHits(), ctx.sessMisses()]).to.deep.equal([1, 1, 1]);
  });

  for (const [removeUnclean, left] of [
    [['TLSv1.2'], 2],
    [VERSIONS, 1],
  ] as const) {
    it(`N11. given two tickets, when the connection ends uncleanly under removeUnclean ${removeUnclean}, then ${left} can be resumed, the first among them`, () => {
      ctx = context(world, { sessions: { removeUnclean } });
      const journal = new Journal(ctx);
      const pair = connect(ctx, { version });
      pair.ssl.free();
      expect(journal.removed).to.deep.equal(journal.announced.slice(left));
      expect([reused(again(pair)), reused(latest(pair))]).to.deep.equal([1, left - 1]);
    });
  }
});

describe('a cache that a context and a server of the idiomatic API share', () => {
  for (const version of VERSIONS) {
    it(`${version}: a session resumes with either, and each is told of its own, whoever has it removed`, () => {
      const cache = new SessionCache();
      const told: string[] = [];
      const onRemove = (_session: Session, reason: string) => void told.push(`server ${reason}`);
      const server = testServer({ world, crypto: toyCrypto, sessions: { cache, onRemove }, tickets: { initial: 1 } });
      ctx = context(world, { sessions: { cache } });
      ctx.setNumTickets(1);
      ctx.setRemoveSessionCallback((_ctx, _session, reason) => told.push(`context ${reason}`));
      const options = { sni: 'localhost', crypto: toyCrypto, version };
      const { client, connection } = exchange(new ScriptedClient(options), new ServerConnection(server));
      const mine = connect(ctx, { version });
      const offered = version === 'TLSv1.2' ? { session: client.session } : { psks: client.tickets };
      const { session } = connection;
      if (session === undefined) throw new Error('no session');
      expect(connect(ctx, { version, ...offered }).ssl.sessionReused()).to.equal(1);
      const second = exchange(new ScriptedClient({ ...options, ...again(mine) }), new ServerConnection(server));
      expect(second.connection.resumption.resumed).to.equal(true);
      ctx.removeSession(session);
      expect(told).to.deep.equal(['server removed']);
      server.removeSession(mine.ssl.getSession() as Session);
      expect(told).to.deep.equal(['server removed', 'context removed']);
    });
  }
});

/** The same cache under two configurations. */
function hosts(one: Partial<ServerOptions>, two: Partial<ServerOptions>): [SslContext, SslContext] {
  const cache = new SessionCache();
  const host = (options: Partial<ServerOptions>) => context(world, { ...options, sessions: { cache } });
  return [host(one), host(two)];
}

/** In the cache, with times now−10, now and now+10 and a timeout of 10. */
function three(version: Version) {
  const { session } = keepAway(ctx, { version });
  const made = [-10, 0, 10].map((shift, i) =>
    session.dup({ id: new Uint8Array(32).fill(i), time: now() + shift, timeout: 10 }),
  ) as [typeof session, typeof session, typeof session];
  for (const one of [2, 0, 1]) ctx.addSession(made[one] ?? session);
  return made;
}

/** The types of the extensions in a message of the server's, as it came. */
function extensionTypes({ client }: Pair, name: 'server_hello' | 'encrypted_extensions'): number[] {
  const message = client.received.find((item) => item.kind === 'handshake' && item.name === name);
  if (message?.kind !== 'handshake') throw new Error(`no ${name}`);
  const { raw } = message;
  const uint16 = (at: number) => ((raw[at] ?? 0) << 8) | (raw[at + 1] ?? 0);
  const start = name === 'server_hello' ? 4 + 2 + 32 + 1 + (raw[38] ?? 0) + 2 + 1 : 4;
  const types: number[] = [];
  for (let at = start + 2; at < raw.length; at += 4 + uint16(at + 2)) types.push(uint16(at));
  return types;
}

/** A provider whose key agreement can be made to wait. */
function pausing(): { readonly crypto: CryptoProvider; pause(): void; go(): void } {
  const { x25519 } = toyCrypto.groups as { readonly x25519: KeyAgreement };
  let gate: Promise<void> | undefined;
  let open = (): void => {};
  const generate: KeyAgreement['generate'] = (randomBytes) =>
    gate === undefined ? x25519.generate(randomBytes) : gate.then(() => x25519.generate(randomBytes));
  return {
    crypto: { ...toyCrypto, groups: { x25519: { ...x25519, generate } } },
    pause: () => {
      gate = new Promise((resolve) => {
        open = resolve;
      });
    },
    go: () => {
      open();
      gate = undefined;
    },
  };
}
