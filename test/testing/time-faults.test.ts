/** Faults of time, in memory: what waits, what never comes, and what is cut off. */

import { expect } from 'chai';
import { ClientConnection, defineClient } from '../../src/client.ts';
import { defineServer, type World } from '../../src/index.ts';
import { type Fault, faults, type Pair, type PairOptions, pair, seededWorld } from '../../src/testing.ts';
import { concat } from '../../src/wire/bytes.ts';
import type { Version } from '../../src/wire/registry.ts';
import { certificates } from '../fixtures.ts';
import { testProvider as crypto } from '../support/provider.ts';

interface Given {
  readonly client?: readonly Fault[];
  readonly server?: readonly Fault[];
  readonly version?: Version;
  readonly options?: PairOptions;
}

function connect({ client, server, version = 'TLSv1.3', options }: Given) {
  const world = seededWorld('time');
  const settings = { crypto, world, minVersion: version, maxVersion: version };
  const both = pair(
    defineClient({ ...settings, verifyServer: 'any' }),
    defineServer({ ...settings, credentials: [certificates.ecdsaP256] }),
    { ...options, client: { faults: client }, server: { faults: server } },
  );
  return { world, both, start: world.now() };
}

const textOf = (both: Pair, side: 'client' | 'server') =>
  Buffer.from(concat(...both.eventsOf(side, 'data').map(({ data }) => data))).toString();

/** The messages that a side has received. */
const received = (both: Pair, side: 'client' | 'server') =>
  both.trace.messages.filter((one) => one.side === side && one.direction === 'received').map(({ name }) => name);

describe('delay()', () => {
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    it(`runSync() lets it pass by the clock of the world, ${version}`, () => {
      const { world, both, start } = connect({
        server: [faults.delay('server_hello', 3_600_000)],
        client: [faults.delay('finished', 400, { isBefore: true })],
        version,
      });
      both.runSync();
      expect(both.client.isEstablished && both.server.isEstablished).to.equal(true);
      expect(world.now() - start).to.equal(3_600_400);
    });
  }

  it('run() does so, too', async () => {
    const { world, both, start } = connect({ server: [faults.delay('server_hello', 3_600_000)] });
    await both.run();
    expect(both.client.isEstablished && both.server.isEstablished).to.equal(true);
    expect(world.now() - start).to.equal(3_600_000);
  });

  it('what comes before it is there, and what follows is not until the time has come', () => {
    const { world, both } = connect({ server: [faults.delay('encrypted_extensions', 500)] });
    while (both.step());
    expect(received(both, 'client')).to.deep.equal(['server_hello', 'encrypted_extensions']);
    world.advance(499);
    expect(both.step()).to.equal(false);
    world.advance(1);
    while (both.step());
    expect(received(both, 'client').slice(2, 5)).to.deep.equal(['certificate', 'certificate_verify', 'finished']);
    expect(both.server.isEstablished).to.equal(true);
  });

  it('isBefore: the message itself waits', () => {
    const { both, world } = connect({ server: [faults.delay('server_hello', 5, { isBefore: true })] });
    while (both.step());
    expect(received(both, 'client')).to.deep.equal([]);
    world.advance(5);
    both.runSync();
    expect(both.client.isEstablished).to.equal(true);
  });

  it('of each record: they drip', () => {
    const { both, world, start } = connect({});
    both.runSync();
    const drip = connect({
      server: [faults.split('handshake', 50, 'each'), faults.delay('handshake', 10, { which: 'each' })],
    });
    drip.both.runSync();
    const records = drip.both.trace.entries.filter(
      (one) => one.kind === 'record' && one.side === 'server' && one.direction === 'sent' && one.type === 'handshake',
    );
    expect(records.length).to.be.above(10);
    expect(drip.world.now() - drip.start).to.equal(10 * records.length);
    expect(world.now()).to.equal(start);
    expect(drip.both.client.sessions).to.have.length(both.client.sessions.length);
  });

  it('of data, which(2): the first is there at once', () => {
    const { both, world } = connect({ client: [faults.delay('application_data', 70, { which: 2, isBefore: true })] });
    both.runSync();
    for (const text of ['a', 'b', 'c']) both.take('client', both.client.write(Buffer.from(text)));
    both.take('client', both.client.end());
    while (both.step());
    expect(textOf(both, 'server')).to.equal('a');
    expect(both.eventsOf('server', 'end')).to.have.length(0);
    const before = world.now();
    both.runSync();
    expect(textOf(both, 'server')).to.equal('abc');
    expect(both.eventsOf('server', 'end')).to.have.length(1);
    expect(world.now() - before).to.equal(70);
  });

  it('of both sides, the shorter first, with chunks and latency', () => {
    const world = seededWorld('both');
    const settings = { crypto, world, minVersion: 'TLSv1.3' as const };
    const both = pair(
      defineClient({ ...settings, verifyServer: 'any' }),
      defineServer({ ...settings, credentials: [certificates.ecdsaP256] }),
      {
        chunks: 10,
        latency: { world, ms: 1 },
        client: { faults: [faults.delay('finished', 20, { isBefore: true })] },
        server: { faults: [faults.delay('finished', 30)] },
      },
    );
    both.runSync();
    expect(both.client.sessions).to.have.length(2);
  });

  it('in a world without hands, run() waits and runSync() says so', async () => {
    const real = seededWorld('hands');
    const world: World = { now: () => real.now(), randomBytes: (length, label) => real.randomBytes(length, label) };
    const ends = () =>
      pair(
        defineClient({ crypto, world, verifyServer: 'any' }),
        defineServer({ crypto, world, credentials: [certificates.ecdsaP256] }),
        { server: { faults: [faults.delay('server_hello', 1)] } },
      );
    expect(() => ends().runSync()).to.throw(
      'runSync(): the server has a delay, and its world no advance(); use a seededWorld, or run(), which waits as well',
    );
    const both = await ends().run();
    expect(both.client.isEstablished).to.equal(true);
  });

  it("in a shell of one's own it is a 'deferred' event, and settle() returns what has waited", async () => {
    const client = defineClient({ crypto, verifyServer: 'any' });
    const connection = new ClientConnection(client, { faults: [faults.delay('client_hello', 1, { isBefore: true })] });
    const { output, events } = connection.connect();
    expect(output).to.have.length(0);
    const [event] = events;
    if (event?.type !== 'deferred') throw new Error('no event');
    expect(event.deferred.callback).to.equal('faults');
    await event.deferred.promise;
    const later = connection.settle(event.deferred, { value: undefined });
    expect(later.output[0]).to.equal(22);
    expect(connection.settle(event.deferred, { value: undefined }).output).to.have.length(0);
    connection.dispose();
  });

  it('an alert waits as well', () => {
    const { both, world, start } = connect({
      client: [faults.insert('finished', Uint8Array.of(24, 0, 0, 1, 0))],
      server: [faults.delay('finished', 800)],
    });
    while (both.step());
    expect(both.server.hasFailed).to.equal(true);
    expect(both.client.hasFailed).to.equal(false);
    both.runSync();
    expect(both.eventsOf('client', 'failed')[0]?.error.alert).to.equal('unexpected_message');
    expect(world.now() - start).to.equal(800);
  });
});

describe('stall()', () => {
  for (const side of ['client', 'server'] as const) {
    const at = side === 'client' ? 'client_hello' : 'server_hello';
    it(`of a ${side}: nothing comes after ${at}, and nothing ends`, () => {
      const { both } = connect({ [side]: [faults.stall(at)] });
      both.runSync();
      const other = side === 'client' ? 'server' : 'client';
      expect(received(both, other)).to.deep.equal([at]);
      expect(both.events.filter(({ event }) => event.type === 'failed' || event.type === 'end')).to.deep.equal([]);
      expect(both.server.isEstablished).to.equal(false);
    });
  }

  it('isBefore: not even that', () => {
    const { both } = connect({ server: [faults.stall('handshake', { isBefore: true })] });
    expect(received(both.runSync(), 'client')).to.deep.equal([]);
  });

  it('of data: neither the data that follows nor close_notify', () => {
    const { both } = connect({ server: [faults.stall('application_data')] });
    both.runSync();
    for (const text of ['a', 'b']) both.take('server', both.server.write(Buffer.from(text)));
    both.take('server', both.server.end()).runSync();
    expect(textOf(both, 'client')).to.equal('a');
    expect(both.eventsOf('client', 'end')).to.have.length(0);
  });

  it('after a delay: what waits is sent, and nothing else', () => {
    const { both } = connect({
      server: [faults.delay('server_hello', 9), faults.stall('encrypted_extensions')],
    });
    expect(received(both.runSync(), 'client')).to.deep.equal(['server_hello', 'encrypted_extensions']);
  });
});

describe('closeAt()', () => {
  for (const side of ['client', 'server'] as const) {
    const at = side === 'client' ? 'client_hello' : 'encrypted_extensions';
    const other = side === 'client' ? 'server' : 'client';
    for (const closeNotify of [false, true]) {
      it(`of a ${side}, after ${at}, with${closeNotify ? '' : 'out'} close_notify`, () => {
        const { both } = connect({ [side]: [faults.closeAt(at, { closeNotify })] });
        both.runSync();
        const [failed] = both.eventsOf(side, 'failed');
        expect([failed?.error.alert, failed?.error.origin]).to.deep.equal(['close_notify', 'local']);
        expect(received(both, other).at(-1)).to.equal(at);
        expect(both.eventsOf(other, 'end')).to.have.length(closeNotify ? 1 : 0);
        expect(both[other].waitingFor, 'the end of the transport is seen').to.equal(undefined);
      });
    }
  }

  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    for (const closeNotify of [false, true]) {
      it(`amid data, with${closeNotify ? '' : 'out'} close_notify, ${version}`, () => {
        const { both } = connect({ server: [faults.closeAt('application_data', { closeNotify })], version });
        both.runSync();
        for (const text of ['a', 'b']) {
          if (both.server.canWrite) both.take('server', both.server.write(Buffer.from(text)));
        }
        both.runSync();
        expect(textOf(both, 'client')).to.equal('a');
        expect(both.eventsOf('client', 'end')).to.have.length(closeNotify ? 1 : 0);
        expect(both.server.hasFailed).to.equal(true);
      });
    }
  }

  for (const version of ['TLSv1.2', 'TLSv1.3'] as const)
    it(`before data, with a close_notify that opens, ${version}`, () => {
      const before = faults.closeAt('application_data', { which: 2, isBefore: true, closeNotify: true });
      const { both } = connect({ server: [before], version });
      both.runSync();
      for (const text of ['a', 'b']) {
        if (both.server.canWrite) both.take('server', both.server.write(Buffer.from(text)));
      }
      both.runSync();
      expect(textOf(both, 'client')).to.equal('a');
      expect(both.eventsOf('client', 'end')).to.have.length(1);
    });

  it('keeps the session: the client resumes', () => {
    const world = seededWorld('kept');
    const settings = { crypto, world, maxVersion: 'TLSv1.2' as const };
    const server = defineServer({ ...settings, credentials: [certificates.ecdsaP256] });
    const client = defineClient({ ...settings, verifyServer: 'any' });
    const first = pair(client, server, { server: { faults: [faults.closeAt('finished')] } }).runSync();
    expect(first.eventsOf('server', 'session-removed')).to.deep.equal([]);
    expect(first.client.session).to.not.equal(undefined);
    const again = pair(client, server, { client: { sessions: first.client.sessions } }).runSync();
    expect(again.server.resumption.resumed).to.equal(true);
  });

  it('after a delay: the end of the transport waits, too', () => {
    const { both, world } = connect({
      server: [faults.delay('server_hello', 9), faults.closeAt('certificate')],
    });
    while (both.step());
    expect(both.server.hasFailed).to.equal(true);
    expect(both.client.waitingFor?.kind, 'still open').to.equal('message');
    world.advance(9);
    both.runSync();
    expect(received(both, 'client')).to.deep.equal(['server_hello', 'encrypted_extensions', 'certificate']);
    expect(both.client.waitingFor).to.equal(undefined);
  });

  it('at an alert: it is the last thing, or is not sent', () => {
    for (const isBefore of [false, true]) {
      const { both } = connect({
        client: [faults.drop('finished'), faults.repeat('client_hello')],
        server: [faults.closeAt('alert', { isBefore })],
      });
      both.runSync();
      const [failed] = both.eventsOf('server', 'failed');
      expect(failed?.error.alert).to.equal('unexpected_message');
      expect(both.eventsOf('client', 'failed')).to.have.length(isBefore ? 0 : 1);
    }
  });

  it('at our own close_notify: end() sends none', () => {
    const { both } = connect({ client: [faults.closeAt('alert', { isBefore: true })] });
    both.runSync();
    both.take('client', both.client.end()).runSync();
    expect(both.eventsOf('server', 'end')).to.deep.equal([]);
  });
});

describe('what a fault of time is given', () => {
  const rows: readonly (readonly [string, () => unknown, typeof TypeError | typeof RangeError, string])[] = [
    [
      'a message that is none',
      () => faults.delay('serverhello' as 'server_hello', 1),
      TypeError,
      "is 'server_hello' meant?",
    ],
    ['no time', () => faults.delay('server_hello', -1), RangeError, 'delay(ms) is -1'],
    ['a time that no timer has', () => faults.delay('server_hello', 2 ** 31), RangeError, 'delay(ms) is 2147483648'],
    ['which 0', () => faults.stall('alert', { which: 0 }), RangeError, 'stall: which is 0; the first is 1'],
    ['which of a text', () => faults.stall('alert', { which: 'all' as 'each' }), TypeError, "from 1 on or 'each', not"],
    [
      'an unknown option',
      () => faults.stall('alert', { before: true } as object),
      TypeError,
      'is stall(options).isBefore meant?',
    ],
    [
      'what is no option',
      () => faults.closeAt('alert', 2 as never),
      TypeError,
      'closeAt(options): an object is wanted',
    ],
    ['a word', () => faults.closeAt('alert', { closeNotify: 'no' as never }), TypeError, 'closeNotify'],
  ];
  for (const [title, make, type, message] of rows) {
    it(`${title} is refused at once`, () => {
      expect(make).to.throw(type, message);
    });
  }
});
