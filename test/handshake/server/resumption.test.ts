/** Whether a session is resumed, and each reason why it is not. The reasons are a closed union; each has its test here. */

import { expect } from 'chai';
import { SessionCache } from '../../../src/cache/session-cache.ts';
import type { ServerConfig } from '../../../src/engine/server/config.ts';
import type { ServerOptions } from '../../../src/engine/server/options.ts';
import { ServerConnection } from '../../../src/engine/server/server-connection.ts';
import type { NoResumption } from '../../../src/handshake/outcome.ts';
import type { Session } from '../../../src/sessions/session.ts';
import { toHex } from '../../../src/wire/bytes.ts';
import type { Version } from '../../../src/wire/registry.ts';
import {
  type ClientOptions,
  type Exchange,
  exchange,
  exchangeAsync,
  ScriptedClient,
} from '../../support/scripted-client.ts';
import { testServer, toyCrypto } from '../../support/servers.ts';
import { TestWorld } from '../../support/world.ts';

const VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const;
let world: TestWorld;
let clientWorld: TestWorld;
/** The connections of a test: disposed of after it. */
let exchanges: Exchange[];

beforeEach(() => {
  world = new TestWorld(7);
  clientWorld = new TestWorld(9);
  exchanges = [];
});

afterEach(() => {
  for (const { connection } of exchanges) connection.dispose();
});

function server(options: Partial<ServerOptions> = {}): ServerConfig {
  return testServer({ world, crypto: toyCrypto, ...options });
}

function client(options: ClientOptions): ScriptedClient {
  return new ScriptedClient({
    sni: 'localhost',
    crypto: toyCrypto,
    world: clientWorld,
    keyShares: ['x25519'],
    ...options,
  });
}

/** A handshake, ended cleanly; a question of the server's stays open. */
function connect(config: ServerConfig, options: ClientOptions): Exchange {
  const result = exchange(client(options), new ServerConnection(config));
  exchanges.push(result);
  return result;
}

async function connectAsync(config: ServerConfig, options: ClientOptions): Promise<Exchange> {
  const result = await exchangeAsync(client(options), new ServerConnection(config));
  exchanges.push(result);
  return result;
}

/** What a client offers that has been here before. */
function returning({ client: before, connection }: Exchange, options: ClientOptions = {}): ClientOptions {
  const { version } = connection;
  if (version === 'TLSv1.2') return { version, session: before.session, ...options };
  return { version: 'TLSv1.3', psks: before.tickets.slice(0, 1), ...options };
}

function expectResumed({ connection, client: peer, failure }: Exchange): void {
  expect(failure).to.equal(undefined);
  expect(connection.isEstablished).to.equal(true);
  expect(connection.resumption.resumed, String(connection.resumption.reason)).to.equal(true);
  expect(connection.resumption.reason).to.equal(undefined);
  expect(peer.isResumed).to.equal(true);
}

function expectFull({ connection, client: peer, failure }: Exchange, reason: NoResumption): void {
  expect(failure).to.equal(undefined);
  expect(connection.isEstablished).to.equal(true);
  expect(connection.resumption).to.deep.equal({
    resumed: false,
    mechanism: undefined,
    pskMode: undefined,
    identityIndex: undefined,
    session: undefined,
    reason,
  });
  expect(peer.isResumed).to.equal(false);
}

describe('resumption', () => {
  for (const version of VERSIONS) {
    describe(version, () => {
      it('resumes from the internal cache, again and again', () => {
        const config = server();
        const first = connect(config, { version });
        const second = connect(config, returning(first));
        expectResumed(second);
        expectResumed(connect(config, returning(first)));
        expect(second.connection.resumption).to.deep.include({
          mechanism: version === 'TLSv1.2' ? 'session-id' : 'psk-stateful',
          pskMode: version === 'TLSv1.2' ? undefined : 'psk_dhe_ke',
          identityIndex: version === 'TLSv1.2' ? undefined : 0,
        });
        expect(second.connection.resumption.session?.version).to.equal(version);
      });

      it('asks the get callback after an internal miss, and only then', () => {
        const asked: string[] = [];
        const db = new Map<string, Uint8Array>();
        const cache = new SessionCache();
        const config = server({
          sessions: {
            cache,
            onNew: (session) => void db.set(toHex(session.id), session.toDer()),
            onGet: (id) => {
              asked.push(toHex(id));
              return db.get(toHex(id));
            },
          },
        });
        const first = connect(config, { version });
        expect(asked).to.deep.equal([]);
        expectResumed(connect(config, returning(first)));
        expect(asked, 'the cache had it').to.deep.equal([]);
        cache.flush();
        expectResumed(connect(config, returning(first)));
        const [ticket] = first.client.tickets;
        expect(asked).to.deep.equal([
          toHex(version === 'TLSv1.2' ? first.client.session.id : (ticket?.identity as Uint8Array)),
        ]);
        expectResumed(connect(config, returning(first)));
        expect(asked.length, 'what it answered is in the cache now').to.equal(1);
      });

      for (const how of ['lent', 'given', 'bytes'] as const) {
        it(`takes a session that is ${how}, at once or later, and the holds add up`, async () => {
          const { give } = await import('../../../src/cache/callbacks.ts');
          const db = new Map<string, Session>();
          const answer = (session: Session | undefined) => {
            if (session === undefined) return undefined;
            if (how === 'bytes') return session.toDer();
            return how === 'given' ? give(session.upRef()) : session;
          };
          for (const later of [false, true]) {
            const config = server({
              sessions: {
                cache: false,
                onNew: (session) => {
                  db.set(toHex(session.id), session);
                  return true;
                },
                onGet: (id) => (later ? Promise.resolve(answer(db.get(toHex(id)))) : answer(db.get(toHex(id)))),
              },
            });
            const first = connect(config, { version });
            const second = await connectAsync(config, returning(first));
            expectResumed(second);
            first.connection.dispose();
            second.connection.dispose();
            for (const session of db.values()) expect(session.holds, 'the application alone holds it').to.equal(1);
          }
        });
      }

      it('unknown: nobody has it', () => {
        const first = connect(server(), { version });
        expectFull(connect(server(), returning(first)), 'unknown');
        expectFull(connect(server({ sessions: { onGet: () => undefined } }), returning(first)), 'unknown');
        expectFull(connect(server({ sessions: { onGet: () => null } }), returning(first)), 'unknown');
      });

      it('not-offered: a first visit', () => {
        expectFull(connect(server(), { version }), 'not-offered');
      });

      it('disabled: no cache and no get callback', () => {
        const first = connect(server(), { version });
        expectFull(connect(server({ sessions: { cache: false } }), returning(first)), 'disabled');
      });

      it('malformed: bytes that are no session', () => {
        const first = connect(server(), { version });
        const result = connect(
          server({ sessions: { cache: false, onGet: () => Uint8Array.of(1, 2, 3) } }),
          returning(first),
        );
        expectFull(result, 'malformed');
        expect(result.has('callback-error')).to.equal(true);
      });

      it('store-error: the callback throws, rejects, or answers nonsense', async () => {
        const first = connect(server(), { version });
        const boom = new Error('the store is down');
        const answers = [
          () => {
            throw boom;
          },
          () => Promise.reject(boom),
          () => 'a string' as unknown as Session,
        ];
        for (const onGet of answers) {
          const result = await connectAsync(server({ sessions: { cache: false, onGet } }), returning(first));
          expectFull(result, 'store-error');
          expect(result.has('callback-error')).to.equal(true);
        }
      });

      it('store-timeout: no answer in time; what comes later is ignored', () => {
        const first = connect(server(), { version });
        let signal: { readonly aborted: boolean } | undefined;
        const onGet: NonNullable<ServerOptions['sessions']>['onGet'] = (_id, _connection, abort) => {
          signal = abort;
          return new Promise(() => {});
        };
        const result = connect(server({ sessions: { cache: false, onGet } }), returning(first));
        const { question } = result;
        expect(question?.kind).to.equal('session');
        expect(question?.budgeted).to.equal(true);
        result.answer({ late: true });
        expectFull(result, 'store-timeout');
        expect(signal?.aborted).to.equal(true);
        if (question !== undefined) result.step(result.connection.answer(question, { value: undefined })).run();
        expect(result.connection.isEstablished).to.equal(true);
      });

      it('wrong-id: a session with another id than was asked for', () => {
        const config = server({ sessions: { cache: false, onNew: () => true, onGet: () => undefined } });
        const other = connect(config, { version });
        const foreign = other.connection.session as Session;
        const first = connect(config, { version });
        const result = connect(server({ sessions: { cache: false, onGet: () => foreign } }), returning(first));
        expectFull(result, 'wrong-id');
        expect(result.has('callback-error')).to.equal(true);
      });

      it('version: a session of the other version', () => {
        const config = server();
        const first = connect(config, { version });
        const other: Version = version === 'TLSv1.2' ? 'TLSv1.3' : 'TLSv1.2';
        const alien = (id: Uint8Array) =>
          (connect(config, { version: other }).connection.session as Session).dup({ id });
        const result = connect(server({ sessions: { cache: false, onGet: alien } }), returning(first));
        expectFull(result, 'version');
      });

      it('session-id-context: made under another', () => {
        const cache = new SessionCache();
        const a = server({ sessions: { cache, idContext: Uint8Array.of(1) } });
        const b = server({ sessions: { cache, idContext: Uint8Array.of(2) } });
        const first = connect(a, { version });
        expectFull(connect(b, returning(first)), 'session-id-context');
        expectResumed(connect(a, returning(first)));
      });

      it('scope: another host name, whatever its case, or another label', () => {
        const cache = new SessionCache();
        const a = server({ sessions: { cache } });
        const first = connect(a, { version });
        expectFull(connect(a, returning(first, { sni: 'b.example' })), 'scope');
        expectFull(connect(a, returning(first, { sni: undefined })), 'scope');
        expectFull(connect(server({ sessions: { cache }, scope: { label: 'b' } }), returning(first)), 'scope');
        expectResumed(connect(a, returning(first, { sni: 'LocalHost.' })));
      });

      it('shares across host names where both name the same word', () => {
        const cache = new SessionCache();
        const shared = server({ sessions: { cache }, scope: { shareAcross: 'fleet' } });
        const first = connect(shared, { version });
        expectResumed(connect(shared, returning(first, { sni: 'b.example' })));
        expectFull(connect(server({ sessions: { cache } }), returning(first)), 'scope');
        expectFull(
          connect(server({ sessions: { cache }, scope: { shareAcross: 'other' } }), returning(first)),
          'scope',
        );
      });

      it('expired: past its time, to the second; and then it leaves, and remove is told', () => {
        const removed: string[] = [];
        const config = server({
          sessions: { timeout: 100, onRemove: (_session, reason) => void removed.push(reason) },
        });
        const first = connect(config, { version });
        world.advance(100);
        expectResumed(connect(config, returning(first)));
        world.advance(1);
        expectFull(connect(config, returning(first)), 'expired');
        expect(removed).to.deep.equal(['expired']);
        expectFull(connect(config, returning(first)), 'unknown');
      });

      it('expired: a session of the store, of which remove is told as well', () => {
        const removed: string[] = [];
        const db = new Map<string, Uint8Array>();
        const config = server({
          sessions: {
            cache: false,
            timeout: 100,
            onNew: (session) => void db.set(toHex(session.id), session.toDer()),
            onGet: (id) => db.get(toHex(id)),
            onRemove: (session, reason) => void removed.push(`${toHex(session.id)} ${reason}`),
          },
        });
        const first = connect(config, { version });
        world.advance(101);
        expectFull(connect(config, returning(first)), 'expired');
        expect(removed.length).to.equal(1);
        expect(removed[0]).to.match(/ expired$/);
      });

      it('not-resumable: ruled out by the application', () => {
        const config = server();
        const first = connect(config, { version });
        const cache = config.store.cache as SessionCache;
        for (const session of cache) session.forbidResumption();
        expectFull(connect(config, returning(first)), 'not-resumable');
      });

      it('a lookup that was refused keeps the session for the hello that fits', () => {
        const config = server();
        const first = connect(config, { version });
        expectFull(connect(config, returning(first, { sni: 'b.example' })), 'scope');
        expectResumed(connect(config, returning(first)));
      });
    });
  }

  it('cipher-suite: a TLS 1.2 hello, or a server, without the suite of the session; which is kept', () => {
    const cache = new SessionCache();
    const config = server({ sessions: { cache } });
    const first = connect(config, { version: 'TLSv1.2', ciphers: ['TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256'] });
    const others = ['TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384'] as const;
    expectFull(connect(config, returning(first, { ciphers: others })), 'cipher-suite');
    const all = [...others, 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256'] as const;
    const changed = server({ sessions: { cache }, ciphers: others });
    expectFull(connect(changed, returning(first, { ciphers: all })), 'cipher-suite');
    expectResumed(connect(config, returning(first, { ciphers: all })));
  });

  it('hash: no TLS 1.3 suite in common with the hash of the session', () => {
    const config = server();
    const first = connect(config, { version: 'TLSv1.3', ciphers: ['TLS_AES_256_GCM_SHA384'] });
    expectFull(connect(config, returning(first, { ciphers: ['TLS_AES_128_GCM_SHA256'] })), 'hash');
  });

  it('chooses the suite of the session before one that the server prefers', () => {
    const config = server();
    const first = connect(config, { version: 'TLSv1.3', ciphers: ['TLS_AES_256_GCM_SHA384'] });
    const ciphers = ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384'] as const;
    const second = connect(config, returning(first, { ciphers }));
    expectResumed(second);
    expect(second.connection.cipherSuite).to.equal('TLS_AES_256_GCM_SHA384');
    const third = connect(config, { version: 'TLSv1.3', ciphers: ['TLS_AES_128_GCM_SHA256'] });
    const fourth = connect(config, returning(third, { ciphers: ['TLS_CHACHA20_POLY1305_SHA256'] }));
    expectResumed(fourth);
    expect(fourth.connection.cipherSuite, 'another suite with the same hash').to.equal('TLS_CHACHA20_POLY1305_SHA256');
  });

  it('extended-master-secret: without it then, with it now (RFC 7627 §5.3)', () => {
    const config = server();
    const first = connect(config, { version: 'TLSv1.2', ems: false });
    expectFull(connect(config, returning(first, { ems: true })), 'extended-master-secret');
    expectResumed(connect(config, returning(first, { ems: false })));
  });

  it('aborts where the session has the extended master secret and the hello has not', () => {
    const config = server();
    const first = connect(config, { version: 'TLSv1.2', ems: true });
    expect(connect(config, returning(first, { ems: false })).failure?.alert).to.equal('handshake_failure');
    expectResumed(connect(config, returning(first, { ems: true })));
  });

  it('psk-mode: none in common, and nothing is looked up', () => {
    let asked = 0;
    const config = server({ sessions: { onGet: () => void asked++ } });
    const first = connect(config, { version: 'TLSv1.3' });
    expectFull(connect(config, returning(first, { pskModes: ['psk_ke'] })), 'psk-mode');
    expect(asked).to.equal(0);
  });

  it('psk_ke where the server has it, in the server’s order', () => {
    const config = server({ pskModes: ['psk_ke', 'psk_dhe_ke'] });
    const first = connect(config, { version: 'TLSv1.3' });
    const second = connect(config, returning(first, { pskModes: ['psk_dhe_ke', 'psk_ke'] }));
    expectResumed(second);
    expect(second.connection.resumption.pskMode).to.equal('psk_ke');
    expect(second.connection.group).to.equal(undefined);
  });

  it('psk_ke without supported_groups and key_share (RFC 9846 §9.2)', () => {
    const config = server({ pskModes: ['psk_dhe_ke', 'psk_ke'] });
    const first = connect(config, { version: 'TLSv1.3' });
    const bare = { pskModes: ['psk_ke'], groups: false, keyShares: false } as const;
    const second = connect(config, returning(first, bare));
    expectResumed(second);
    expect(second.connection.resumption.pskMode).to.equal('psk_ke');
  });

  it('disabled: tickets are off', () => {
    const cache = new SessionCache();
    const first = connect(server({ sessions: { cache } }), { version: 'TLSv1.3' });
    const off = connect(server({ sessions: { cache }, tickets: { mode: 'off' } }), returning(first));
    expectFull(off, 'disabled');
    expect(off.client.tickets).to.deep.equal([]);
  });

  it('undecryptable: an identity that is no id', () => {
    let asked = 0;
    const config = server({ sessions: { onGet: () => void asked++ } });
    for (const length of [33, 208, 65000]) {
      const psk = {
        identity: new Uint8Array(length).fill(7),
        secret: new Uint8Array(32).fill(1),
        hash: 'sha256',
      } as const;
      expectFull(connect(config, { version: 'TLSv1.3', psks: [psk] }), 'undecryptable');
    }
    expect(asked).to.equal(0);
  });

  it('too-many-identities: the good one comes behind the last that is tried', () => {
    const asked: string[] = [];
    const onGet = (id: Uint8Array) => void asked.push(toHex(id));
    const config = server({ sessions: { onGet, maxIdentities: 3 } });
    const first = connect(config, { version: 'TLSv1.3' });
    const [ticket] = first.client.tickets;
    const junk = (i: number) =>
      ({ identity: new Uint8Array(32).fill(i), secret: new Uint8Array(32), hash: 'sha256' }) as const;
    if (ticket === undefined) throw new Error('no ticket');
    expectFull(connect(config, returning(first, { psks: [junk(1), junk(2), junk(3), ticket] })), 'too-many-identities');
    expect(asked).to.deep.equal(['01', '02', '03'].map((byte) => byte.repeat(32)));
    const second = connect(config, returning(first, { psks: [junk(1), junk(2), ticket] }));
    expectResumed(second);
    expect(second.connection.resumption.identityIndex).to.equal(2);
  });

  it('bounds the work for 900 identities, about as many as an extension can hold', () => {
    let asked = 0;
    const config = server({ sessions: { onGet: () => void asked++ } });
    const psks = Array.from({ length: 900 }, (_, i) => ({
      identity: Uint8Array.from({ length: 32 }, (_zero, at) => (at < 2 ? i >> (8 * at) : 0)),
      secret: new Uint8Array(32),
      hash: 'sha256' as const,
    }));
    expectFull(connect(config, { version: 'TLSv1.3', psks }), 'too-many-identities');
    expect(asked).to.equal(5);
  });

  it('auth-age: a chain of resumptions does not outlive the full handshake', () => {
    const config = server({ sessions: { timeout: 1000 }, tickets: { maxAuthAge: 2000 } });
    let last = connect(config, { version: 'TLSv1.3' });
    for (let i = 0; i < 2; i++) {
      world.advance(900);
      last = connect(config, returning(last));
      expectResumed(last);
      expect(last.client.tickets[0]?.lifetime).to.equal(i === 0 ? 1000 : 200);
    }
    world.advance(201);
    expectFull(connect(config, returning(last)), 'auth-age');
  });

  it('expired: a TLS 1.3 ticket after seven days, whatever the timeout', () => {
    const config = server({ sessions: { timeout: 3_000_000 } });
    const first = connect(config, { version: 'TLSv1.3' });
    expect(first.client.tickets[0]?.lifetime).to.equal(604800);
    world.advance(604801);
    expectFull(connect(config, returning(first)), 'expired');
  });

  describe('single use', () => {
    it('consumed: the second gets a full handshake', () => {
      const removed: string[] = [];
      const config = server({
        tickets: { singleUse: true },
        sessions: { onRemove: (_session, reason) => void removed.push(reason) },
      });
      const first = connect(config, { version: 'TLSv1.3' });
      expectResumed(connect(config, returning(first)));
      expect(removed).to.deep.equal(['consumed']);
      expectFull(connect(config, returning(first)), 'consumed');
    });

    it('consumed: of two at the same time one resumes, and the loser goes on', async () => {
      const taken = new Set<string>();
      const db = new Map<string, Uint8Array>();
      const config = server({
        tickets: { singleUse: true },
        sessions: {
          cache: false,
          onNew: (session) => void db.set(toHex(session.id), session.toDer()),
          onGet: async (id) => db.get(toHex(id)),
          onTake: async (id) => taken.size < taken.add(toHex(id)).size,
        },
      });
      const first = connect(config, { version: 'TLSv1.3' });
      const both = await Promise.all([connectAsync(config, returning(first)), connectAsync(config, returning(first))]);
      const resumed = both.filter(({ connection }) => connection.resumption.resumed);
      expect(resumed.length).to.equal(1);
      const loser = both.find(({ connection }) => !connection.resumption.resumed) as Exchange;
      expectFull(loser, 'consumed');
      expect(loser.client.tickets.length, 'a full handshake has full handshakes’ tickets').to.equal(2);
    });

    it('a forged binder burns nothing', () => {
      const config = server({ tickets: { singleUse: true } });
      const first = connect(config, { version: 'TLSv1.3' });
      const rewriteBinders = (binders: readonly Uint8Array[]) =>
        binders.map((binder) => binder.map((byte) => byte ^ 1));
      expect(connect(config, returning(first, { rewriteBinders })).failure?.alert).to.equal('decrypt_error');
      expectResumed(connect(config, returning(first)));
    });

    it('looks at the binder of the PSK that it selects, and at no other (RFC 9846 §4.3.11)', () => {
      const config = server();
      const first = connect(config, { version: 'TLSv1.3' });
      const psks = first.client.tickets.slice(0, 2);
      const spoilt = (which: number) => (binders: readonly Uint8Array[]) =>
        binders.map((binder, i) => (i === which ? binder.map((byte) => byte ^ 1) : binder));
      expect(psks).to.have.lengthOf(2);
      expectResumed(connect(config, { version: 'TLSv1.3', psks, rewriteBinders: spoilt(1) }));
      const refused = connect(config, { version: 'TLSv1.3', psks, rewriteBinders: spoilt(0) });
      expect(refused.failure?.alert).to.equal('decrypt_error');
    });

    it('a HelloRetryRequest in between burns nothing, and takes once', () => {
      let takes = 0;
      const config = server({ tickets: { singleUse: true }, sessions: { onTake: () => ++takes === 1 } });
      const first = connect(config, { version: 'TLSv1.3' });
      const second = connect(config, returning(first, { keyShares: [] }));
      expectResumed(second);
      expect(second.client.hellos.length).to.equal(2);
      expect(takes).to.equal(1);
    });
  });

  describe('HelloRetryRequest', () => {
    it('keeps the PSK that was chosen, known by its bytes, and looks nothing up again', () => {
      const asked: string[] = [];
      const db = new Map<string, Uint8Array>();
      const config = server({
        sessions: {
          cache: false,
          onNew: (session) => void db.set(toHex(session.id), session.toDer()),
          onGet: (id) => {
            asked.push(toHex(id));
            return db.get(toHex(id));
          },
        },
      });
      const first = connect(config, { version: 'TLSv1.3' });
      const [ticket] = first.client.tickets;
      if (ticket === undefined) throw new Error('no ticket');
      const junk = { ...ticket, identity: new Uint8Array(32).fill(9) };
      const dropFirst = (hello: ScriptedClient['hellos'][number], attempt: number) => {
        const offered = hello.extensions.preSharedKey;
        if (attempt === 1 || offered === undefined) return hello;
        const preSharedKey = { identities: offered.identities.slice(1), binders: offered.binders.slice(1) };
        return { ...hello, extensions: { ...hello.extensions, preSharedKey } };
      };
      const second = connect(
        config,
        returning(first, { psks: [junk, ticket], keyShares: [], rewriteHello: dropFirst }),
      );
      expect(second.failure).to.equal(undefined);
      expect(second.connection.resumption.resumed).to.equal(true);
      expect(second.connection.resumption.identityIndex, 'its place in the second hello').to.equal(0);
      expect(asked).to.deep.equal([toHex(junk.identity), toHex(ticket.identity)]);
    });

    it('does a full handshake where the second hello leaves the PSK out (GnuTLS CVE-2025-6395)', () => {
      const config = server();
      const first = connect(config, { version: 'TLSv1.3' });
      const rewriteHello = (hello: ScriptedClient['hellos'][number], attempt: number) =>
        attempt === 1 ? hello : { ...hello, extensions: { ...hello.extensions, preSharedKey: undefined } };
      expectFull(connect(config, returning(first, { keyShares: [], rewriteHello })), 'not-offered');
    });
  });

  it('issues two tickets after a full handshake and one after a resumption, or as told', () => {
    for (const [initial, afterResumption] of [
      [2, 1],
      [3, 2],
      [1, 0],
    ] as const) {
      const tickets = initial === 2 ? {} : { initial, afterResumption };
      const config = server({ tickets });
      const first = connect(config, { version: 'TLSv1.3' });
      expect(first.client.tickets.length).to.equal(initial);
      expect(new Set(first.client.tickets.map(({ ageAdd }) => ageAdd)).size).to.equal(initial);
      expect(new Set(first.client.tickets.map(({ nonce }) => toHex(nonce))).size).to.equal(initial);
      const second = connect(config, returning(first));
      expectResumed(second);
      expect(second.client.tickets.length).to.equal(afterResumption);
    }
  });

  it('issues none where nobody could keep the session, or the client could not use it', () => {
    expect(connect(server({ sessions: { cache: false } }), { version: 'TLSv1.3' }).client.tickets).to.deep.equal([]);
    const off = server({ sessions: { mode: 'off' } });
    expect(connect(off, { version: 'TLSv1.3' }).client.tickets).to.deep.equal([]);
    expect(connect(server(), { version: 'TLSv1.3', pskModes: false }).client.tickets).to.deep.equal([]);
    const tls12 = connect(server({ sessions: { cache: false } }), { version: 'TLSv1.2' });
    expect(tls12.client.session.id.length).to.equal(0);
  });

  it('issues them where the application may still add the session to the cache', () => {
    const config = server({ sessions: { internalStore: false }, tickets: { initial: 1 } });
    const first = connect(config, { version: 'TLSv1.3' });
    expect(config.addSession(first.connection.session as Session)).to.equal(true);
    expectResumed(connect(config, returning(first)));
  });

  it('gives the legacy_session_id of TLS 1.3 to nobody', () => {
    const asked: string[] = [];
    const config = server({ sessions: { cache: false, onGet: (id) => void asked.push(toHex(id)) } });
    const sessionId = new Uint8Array(32).fill(0xcc);
    connect(config, { version: 'TLSv1.3', sessionId });
    expect(asked).to.deep.equal([]);
  });
});
