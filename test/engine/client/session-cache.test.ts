/** The sessions that a client keeps: for whom, how many, for how long, and where they survive a restart. */

import { expect } from 'chai';
import { type ClientOptions, type ClientSessionStore, defineClient, type Session } from '../../../src/client.ts';
import { defineServer, type ServerOptions } from '../../../src/index.ts';
import { type PairOptions, pair, seededWorld } from '../../../src/testing.ts';
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
