/** The sessions that a client keeps: for whom, how many, for how long, and where they survive a restart. */

import { expect } from 'chai';
import {
  type ClientOptions,
  ClientSession,
  type ClientSessionStore,
  defineClient,
  type Session,
} from '../../../src/client.ts';
import { defineServer, type ServerOptions } from '../../../src/index.ts';
import { faults, type Pair, type PairOptions, pair, seededWorld } from '../../../src/testing.ts';
import { concat } from '../../../src/wire/bytes.ts';
import { certificates } from '../../fixtures.ts';
import { testProvider as crypto } from '../../support/provider.ts';

const world = seededWorld('session cache');
const credentials = [certificates.ecdsaP256];
const serve = (options: Partial<ServerOptions> = {}) => defineServer({ credentials, crypto, world, ...options });
const client = (options: Partial<ClientOptions> = {}) =>
  defineClient({ verifyServer: 'any', crypto, world, ...options });
const PEER = { serverName: 'localhost', host: '127.0.0.1', port: 443 };

type Client = ReturnType<typeof client>;

/** Whether a visit resumed. */
function visit(from: Client, to: ReturnType<typeof serve>, options: PairOptions['client'] = PEER): boolean {
  return pair(from, to, { client: options }).runSync().client.resumption.resumed;
}

/** A store in memory, which counts. */
class Memory implements ClientSessionStore {
  readonly kept = new Map<string, readonly Uint8Array[]>();
  loads = 0;
  load(key: string): readonly Uint8Array[] | undefined {
    this.loads++;
    return this.kept.get(key);
  }
  save(key: string, sessions: readonly Uint8Array[]): void {
    this.kept.set(key, sessions);
  }
}

describe('tickets of a client, of which the server has declined one (RFC 9149 §3)', () => {
  const tickets = { initial: 3 };
  const countOf = (one: Client, store: Memory) => [one.sessions.cache?.size, [...store.kept.values()][0]?.length];

  it('are given up, if they are of the same session', () => {
    const store = new Memory();
    const one = client({ sessions: { store } });
    visit(one, serve({ tickets }));
    expect(countOf(one, store)).to.deep.equal([3, 3]);
    world.advance(1000);
    const other = serve({ tickets: { initial: 0 } }); // knows none of them, and gives none
    expect(visit(one, other)).to.equal(false);
    expect(countOf(one, store)).to.deep.equal([0, 0]);
  });

  it('are given up with those of resumptions of that session, and no others', () => {
    const store = new Memory();
    const one = client({ sessions: { store, maxPerPeer: 20 } });
    const before = serve({ tickets });
    visit(one, before, { ...PEER, sessions: [] });
    world.advance(1000);
    const server = serve({ tickets });
    visit(one, server, { ...PEER, sessions: [] });
    world.advance(1000);
    expect(visit(one, server)).to.equal(true); // takes one of six, and brings another
    expect(countOf(one, store)).to.deep.equal([6, 6]);
    expect(visit(one, serve({ tickets: { initial: 0 } }))).to.equal(false);
    expect(countOf(one, store)).to.deep.equal([3, 3]);
    expect(visit(one, before)).to.equal(true);
  });

  it('stay for other peers, and where the handshake fails', () => {
    const store = new Memory();
    const one = client({ sessions: { store } });
    const first = serve({ tickets });
    visit(one, first);
    visit(one, first, { ...PEER, port: 444 });
    const alert = { client: PEER, server: { faults: [faults.raw('finished', (raw: Uint8Array) => raw.fill(0, 4))] } };
    pair(one, serve(), alert).runSync();
    expect(one.sessions.cache?.size).to.equal(5); // the one that was offered is used up
    visit(one, serve({ tickets: { initial: 0 } }));
    expect(one.sessions.cache?.size).to.equal(3);
    expect(visit(one, first, { ...PEER, port: 444 })).to.equal(true);
  });
});

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  describe(`sessions of a client, ${version}`, () => {
    const server = serve({ minVersion: version, maxVersion: version });

    it('resume the next connection to the same peer', () => {
      const one = client();
      expect([visit(one, server), visit(one, server), visit(one, server)]).to.deep.equal([false, true, true]);
    });

    it('are for one host, port and server name', () => {
      const one = client();
      visit(one, server);
      expect(visit(one, server, { ...PEER, host: '127.0.0.2' })).to.equal(false);
      expect(visit(one, server, { ...PEER, port: 444 })).to.equal(false);
      expect(visit(one, server, { ...PEER, serverName: 'other.example' })).to.equal(false);
      expect(visit(one, server, { ...PEER, serverName: 'LocalHost' })).to.equal(true);
    });

    it('are for one client', () => {
      const one = client();
      visit(one, server);
      expect(visit(client(), server)).to.equal(false);
    });

    it('are not kept with cache: false, and not offered where others are given', () => {
      const none = client({ sessions: { cache: false } });
      expect([visit(none, server), visit(none, server)]).to.deep.equal([false, false]);
      const one = client();
      visit(one, server);
      expect(visit(one, server, { ...PEER, sessions: [] })).to.equal(false);
    });

    it('are not offered after they have expired', () => {
      const short = serve({ minVersion: version, maxVersion: version, sessions: { timeout: 10 } });
      const one = client({ sessions: { timeout: 10 } });
      visit(one, short);
      world.advance(10_000);
      expect(visit(one, short)).to.equal(true);
      world.advance(11_000);
      expect(visit(one, short)).to.equal(false);
    });

    it('survive a restart in a store, under the same policy', () => {
      const store = new Memory();
      visit(client({ sessions: { store } }), server);
      expect(visit(client({ sessions: { store } }), server)).to.equal(true);
      visit(client({ sessions: { store } }), server);
      const stricter = (sessions: ClientOptions['sessions'], more: Partial<ClientOptions> = {}) =>
        visit(client({ sessions, ...more }), server);
      const other = { load: (key: string) => store.load(key), save: () => {} };
      expect(stricter({ store: { ...other, label: 'new rules' } })).to.equal(false);
      expect(stricter({ store: other }, { verifyServer: () => true })).to.equal(false);
      expect(stricter({ store: other }, { credential: certificates.ecdsaP384 })).to.equal(false);
      expect(stricter({ store: other })).to.equal(true);
    });

    it('cost a full handshake and an event if the store fails, or brings what is none', () => {
      for (const answer of [[Uint8Array.of(1, 2, 3)], [5], 'x', {}] as unknown[]) {
        const store = { load: () => answer as Uint8Array[], save: () => {} };
        const one = pair(client({ sessions: { store } }), server, { client: PEER }).runSync();
        expect(one.client.isEstablished && !one.client.resumption.resumed).to.equal(true);
        expect(one.eventsOf('client', 'callback-error').length).to.equal(Array.isArray(answer) ? 0 : 1);
      }
      const fails = () => {
        throw new Error('no disk');
      };
      const one = pair(client({ sessions: { store: { load: fails, save: fails } } }), server, {
        client: PEER,
      }).runSync();
      expect(one.client.isEstablished).to.equal(true);
      const named = one.eventsOf('client', 'callback-error').map(({ callback }) => callback);
      expect(named[0]).to.equal('load');
      expect(new Set(named.slice(1))).to.deep.equal(new Set(['save']));
    });

    it('wait for a store that takes its time', async () => {
      const store = new Memory();
      visit(client({ sessions: { store } }), server);
      const slow: ClientSessionStore = {
        load: async (key) => store.load(key),
        save: async () => Promise.reject(new Error('full')),
      };
      const again = await pair(client({ sessions: { store: slow } }), server, { client: PEER }).run();
      expect(again.client.resumption.resumed).to.equal(true);
      expect(again.eventsOf('client', 'callback-error').map(({ callback }) => callback)).to.include('save');
    });
  });
}

describe('sessions of a client', () => {
  const tls13 = serve({ minVersion: 'TLSv1.3' });

  it('of TLS 1.3 are for one use, unless singleUse is false', () => {
    for (const singleUse of [true, false]) {
      const given: Session[] = [];
      const one = client({ sessions: { singleUse, onNew: (session) => void given.push(session.upRef()) } });
      const noMore = serve({ minVersion: 'TLSv1.3', tickets: { initial: 1, afterResumption: 0 } });
      visit(one, noMore);
      expect(visit(one, noMore)).to.equal(true);
      expect(visit(one, noMore)).to.equal(!singleUse);
      expect(given).to.have.length(singleUse ? 2 : 1);
    }
  });

  it('are bounded: the oldest of a peer goes, and the peer that was used least lately', () => {
    const one = client({ sessions: { maxPeers: 2, maxPerPeer: 1 } });
    for (const port of [1, 2, 3]) visit(one, tls13, { ...PEER, port });
    expect(one.sessions.cache?.size).to.equal(2);
    expect(visit(one, tls13, { ...PEER, port: 1 })).to.equal(false);
    expect(visit(one, tls13, { ...PEER, port: 3 })).to.equal(true);
  });

  /** A server whose tickets have this many bytes. */
  const long = (bytes: number) =>
    faults.change<{ ticket: Uint8Array }>(
      'new_session_ticket',
      (body) => ({ ...body, ticket: concat(body.ticket, new Uint8Array(bytes - body.ticket.length)) }),
      'each',
    );
  const flood = (one: Client, port: number, bytes = 60_000): Pair =>
    pair(one, tls13, {
      client: { ...PEER, port, sessions: [] },
      server: { faults: [long(bytes)] },
      trace: false,
    }).runSync();

  it('are bounded in bytes: tickets of 60,000 bytes from many servers take 4 MiB at most', () => {
    const one = client();
    const cache = one.sessions.cache;
    for (let port = 1; port <= 45; port++) flood(one, port).dispose();
    expect(cache?.bytes).to.be.within(4 * 2 ** 20 - 130_000, 4 * 2 ** 20);
    expect(cache?.size).to.equal(Math.floor((4 * 2 ** 20) / ((cache?.bytes ?? 0) / (cache?.size ?? 0))));
    expect(visit(one, tls13, { ...PEER, port: 1 })).to.equal(false);
  });

  it('are bounded in bytes as maxBytes says: those of the peer that was used least lately go first, then the oldest', () => {
    const one = client({ sessions: { maxBytes: 200_000 } });
    const { cache } = one.sessions;
    visit(one, tls13, { ...PEER, port: 1 });
    const small = cache?.bytes ?? 0;
    expect(cache?.size).to.equal(2);
    flood(one, 2).dispose();
    expect([cache?.size, visit(one, tls13, { ...PEER, port: 1 })]).to.deep.equal([4, true]);
    flood(one, 3).dispose(); // a third pair has no room: the second peer's oldest goes
    expect(cache?.size).to.equal(5);
    expect(cache?.bytes).to.be.within(3 * 60_000 + small, 200_000);
    flood(one, 3).dispose(); // more of the same peer
    expect(cache?.bytes).to.be.at.most(200_000);
    expect(cache?.size).to.equal(3);
    expect(visit(one, tls13, { ...PEER, port: 1 })).to.equal(false);
  });

  it('are not kept one by one if they are larger than maxBytes, and all are with maxBytes 0', () => {
    const none = client({ sessions: { maxBytes: 50_000 } });
    visit(none, tls13, { ...PEER, port: 2 });
    flood(none, 1).dispose();
    expect(none.sessions.cache?.size, 'those of another peer stay').to.equal(2);
    const all = client({ sessions: { maxBytes: 0 } });
    for (let port = 1; port <= 45; port++) flood(all, port).dispose();
    expect(all.sessions.cache?.size).to.equal(90);
    expect(all.sessions.cache?.bytes).to.be.above(5 * 2 ** 20);
  });

  it('count what they take, the chain of the server included, and nothing once they are gone', () => {
    const one = client();
    const { cache } = one.sessions;
    const first = pair(one, tls13, { client: PEER }).runSync();
    expect(cache?.bytes).to.equal(first.client.sessions.reduce((sum, { byteLength }) => sum + byteLength, 0));
    const [session] = first.client.sessions;
    const { origin } = session as ClientSession;
    const issuer = new Uint8Array(1000);
    const chained = new ClientSession((session as ClientSession).parameters(), {
      ...origin,
      peerChain: [issuer, issuer, issuer],
    });
    expect(chained.byteLength - (session?.byteLength ?? 0)).to.equal(2000);
    world.advance(8 * 86_400_000);
    visit(one, tls13, { ...PEER, port: 1 });
    visit(one, tls13);
    expect(cache?.size).to.equal(4);
    const noTickets = serve({ minVersion: 'TLSv1.3', tickets: { initial: 0, afterResumption: 0 } });
    for (const port of [443, 443, 1, 1]) visit(one, noTickets, { ...PEER, port });
    expect([cache?.size, cache?.bytes]).to.deep.equal([0, 0]);
  });

  it('have limits that are numbers', () => {
    for (const maxBytes of [-1, 1.5, Number.NaN])
      expect(() => client({ sessions: { maxBytes } })).to.throw(RangeError, 'sessions.maxBytes');
  });

  it('are not offered after a fatal alert', () => {
    const one = client();
    const first = pair(one, tls13, { client: PEER }).runSync();
    first.take('server', first.client.write(Buffer.from('x')));
    expect(first.client.isEstablished).to.equal(true);
    first.take('client', first.client.receive(Uint8Array.of(23, 3, 3, 0, 1, 0))); // a record that does not open
    expect(first.client.hasFailed).to.equal(true);
    expect(visit(one, tls13)).to.equal(false);
  });

  it('that were given are TypeErrors where they do not fit', () => {
    const any = client();
    const [session] = pair(any, tls13, { client: PEER })
      .runSync()
      .client.sessions.map((one) => one.upRef());
    const attempt = (of: Client, options: PairOptions['client']) => () =>
      pair(of, tls13, { client: { sessions: session ? [session] : [], ...options } });
    expect(attempt(any, { serverName: 'other.example' })).to.throw(
      TypeError,
      'sessions[0]: it is for localhost, not for other.example',
    );
    expect(attempt(any, { serverName: 'other.example', forceSessions: true })).not.to.throw();
    const judge = client({ verifyServer: () => true });
    expect(attempt(judge, PEER)).to.throw(TypeError, 'sessionIsTrusted');
    expect(attempt(judge, { ...PEER, sessionIsTrusted: true })).not.to.throw();
    expect(attempt(client({ ciphers: ['TLS_AES_256_GCM_SHA384'] }), PEER)).to.throw(
      TypeError,
      'no suite with its hash',
    );
    const wrong: object = { sessions: [5] };
    expect(() => pair(any, tls13, { client: wrong })).to.throw(TypeError, 'sessions[0]: a Session is wanted');
  });
});
