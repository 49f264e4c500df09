/** A client and a server in memory: every mechanism, every chunking, promises and time. */

import { expect } from 'chai';
import { defineClient } from '../../src/client.ts';
import { defineServer, type ServerOptions, type Session } from '../../src/index.ts';
import { type PairOptions, pair, seededWorld } from '../../src/testing.ts';
import { concat, toHex } from '../../src/wire/bytes.ts';
import { certificates } from '../fixtures.ts';
import { testProvider } from '../support/provider.ts';

type Mechanism = 'session-id' | 'ticket' | 'psk-stateful' | 'psk-stateless';

const MECHANISMS: Readonly<Record<Mechanism, Partial<ServerOptions>>> = {
  'session-id': { maxVersion: 'TLSv1.2' },
  ticket: { maxVersion: 'TLSv1.2', tickets: { mode: 'stateless' } },
  'psk-stateful': { minVersion: 'TLSv1.3' },
  'psk-stateless': { minVersion: 'TLSv1.3', tickets: { mode: 'stateless' } },
};

function ends(options: Partial<ServerOptions> = {}, seed = 'pair') {
  const world = seededWorld(seed);
  const server = defineServer({
    credentials: [certificates.ecdsaP256],
    crypto: testProvider,
    world: world.fork('server'),
    ...options,
  });
  const client = defineClient({ verifyServer: 'any', crypto: testProvider, world: world.fork('client') });
  return { world, client, server };
}

describe('pair()', () => {
  for (const [mechanism, options] of Object.entries(MECHANISMS) as [Mechanism, Partial<ServerOptions>][]) {
    for (const chunks of [undefined, 1, 100]) {
      it(`${mechanism}, ${chunks ?? 'any number of'} bytes at a time: a full handshake, then a resumption`, () => {
        const { client, server } = ends(options);
        const full = pair(client, server, { chunks, client: { serverName: 'localhost' } }).runSync();
        expect(full.client.isEstablished && full.server.isEstablished).to.equal(true);
        expect(full.client.resumption).to.include({ resumed: false, reason: 'not-offered' });
        const sessions = [...full.client.sessions];
        const again = pair(client, server, { chunks, client: { serverName: 'localhost', sessions } }).runSync();
        expect(again.client.resumption.resumed).to.equal(true);
        expect(again.server.resumption).to.include({ resumed: true, mechanism });
        const label = 'EXPORTER-test';
        expect(again.client.exportKeyingMaterial(8, label)).to.deep.equal(again.server.exportKeyingMaterial(8, label));
      });
    }
  }

  it('carries data both ways, and the end', () => {
    const { client, server } = ends();
    const both = pair(client, server).runSync();
    both.take('client', both.client.write(Buffer.from('ping'))).take('client', both.client.end());
    both.runSync();
    both.take('server', both.server.write(Buffer.from('pong'))).take('server', both.server.end());
    both.runSync();
    const text = (side: 'client' | 'server') =>
      Buffer.from(concat(...both.eventsOf(side, 'data').map(({ data }) => data))).toString();
    expect([text('server'), text('client')]).to.deep.equal(['ping', 'pong']);
    expect([both.eventsOf('server', 'end').length, both.eventsOf('client', 'end').length]).to.deep.equal([1, 1]);
  });

  it('is the same byte for byte if the seed is', () => {
    const sent = (seed: string, options: PairOptions = {}) => {
      const { client, server } = ends({}, seed);
      const { events } = pair(client, server, { client: { wantsKeylog: () => true }, ...options }).runSync();
      return events.flatMap(({ event }) => (event.type === 'keylog' ? event.line : []));
    };
    expect(sent('a')).to.have.length(5);
    expect(sent('a')).to.deep.equal(sent('a', { chunks: 7 }));
    expect(sent('a')).not.to.deep.equal(sent('b'));
  });

  it('runSync() throws at a question; run() waits for its answer', async () => {
    const asked: Uint8Array[] = [];
    const sessions = {
      onGet: async (id: Uint8Array) => {
        asked.push(id);
        return undefined;
      },
    };
    const { client, server } = ends({ sessions: { cache: false, ...sessions, onNew: () => true } });
    const given = (await pair(client, server).run()).client.sessions.map((session): Session => session.upRef());
    expect(() => pair(client, server, { client: { sessions: given } }).runSync()).to.throw(
      'runSync(): the server waits for session; use run(), which waits as well',
    );
    const both = await pair(client, server, { client: { sessions: given } }).run();
    expect(both.client.resumption).to.include({ resumed: false, reason: 'declined' });
    expect(asked.map(toHex)).to.include(toHex(given[0]?.foreign.ticket ?? new Uint8Array(0)));
  });

  it('waits for promises that no handshake waits for', async () => {
    let isKept = false;
    const onNew = async () => {
      isKept = true;
      throw new Error('full');
    };
    const { client, server } = ends({ sessions: { onNew } });
    const both = await pair(client, server).run();
    expect(isKept).to.equal(true);
    expect(both.eventsOf('server', 'callback-error')).to.have.length(2);
  });

  it('moves the clock by the time that bytes are on their way', () => {
    const { world, client, server } = ends();
    const before = world.now();
    pair(client, server, { latency: { world, ms: 40 } }).runSync();
    expect(world.now() - before).to.equal(4 * 40); // hello; the server's flight; Finished; tickets
  });

  it('ends the transport of one side, and disposes of both', () => {
    const { client, server } = ends({ maxVersion: 'TLSv1.2' });
    const both = pair(client, server).runSync();
    both.endTransport('server').runSync();
    expect(both.eventsOf('server', 'session-removed')).to.have.length(1);
    both.dispose();
    expect(both.client.isEstablished || both.server.isEstablished).to.equal(false);
  });

  it('refuses wrong options', () => {
    const { client, server } = ends();
    expect(() => pair(client, server, { chunks: 0 })).to.throw(RangeError, 'chunks is 0');
    const options: object = { chunk: 1 };
    expect(() => pair(client, server, options)).to.throw(TypeError, 'is chunks meant?');
    const swapped: unknown = server;
    expect(() => pair(swapped as typeof client, server)).to.throw(TypeError, 'config: what defineClient() returned');
  });
});
