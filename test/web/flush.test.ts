/** Expiry of a great many at once: nobody has to wait for all of them. */

import { expect } from 'chai';
import type { RemovalReason } from '../../src/cache/callbacks.ts';
import type { ServerConfig } from '../../src/engine/server/config.ts';
import { FLUSH_SLICE } from '../../src/engine/server/store.ts';
import { flushInSlices } from '../../src/index.ts';
import { Session } from '../../src/sessions/session.ts';
import { testServer } from '../support/servers.ts';
import { TestWorld } from '../support/world.ts';

const MANY = 2 * FLUSH_SLICE + 100;
const FULL_FLUSH = 255;

function session(n: number, time: number): Session {
  const id = new Uint8Array(32);
  new DataView(id.buffer).setUint32(0, n);
  return new Session({
    version: 'TLSv1.3',
    cipherSuite: 0x1301,
    id,
    secret: new Uint8Array(32).fill(1),
    time,
    timeout: 10 + (n % 7),
    authTime: time,
    extendedMasterSecret: true,
    idContext: new Uint8Array(0),
  });
}

/** A server whose cache has so many that end within 17 seconds, and what it tells of them. */
function crowded(count: number, onTold = (): void => {}) {
  const world = new TestWorld(3);
  const told: { readonly session: Session; readonly reason: RemovalReason }[] = [];
  const onRemove = (gone: Session, reason: RemovalReason) => {
    told.push({ session: gone, reason });
    onTold();
  };
  const config = testServer({ world, sessions: { maxEntries: 0, onRemove } });
  for (let n = 0; n < count; n++) add(config, n);
  return { world, told, config };
}

function add(config: ServerConfig, n: number): void {
  const one = session(n, config.store.now());
  config.addSession(one);
  one.free();
}

const size = (config: ServerConfig) => config.statistics().number;

describe('the flush every 255 connections', () => {
  it('removes all that has expired, where that is not too much at once', () => {
    const { world, told, config } = crowded(FLUSH_SLICE - 1);
    world.advance(17);
    add(config, MANY);
    for (let i = 1; i < FULL_FLUSH; i++) config.store.completed();
    expect(told).to.have.length(0);
    config.store.completed();
    expect([size(config), told.length]).to.deep.equal([1, FLUSH_SLICE - 1]);
  });

  it('goes on at the next connections, until nothing is left that has expired', () => {
    const { world, told, config } = crowded(MANY);
    world.advance(17);
    for (let i = 1; i < FULL_FLUSH; i++) config.store.completed();
    const sizes = Array.from({ length: 3 }, () => {
      config.store.completed();
      return size(config);
    });
    expect(sizes).to.deep.equal([MANY - FLUSH_SLICE, MANY - 2 * FLUSH_SLICE, 0]);
    expect(new Set(told.map(({ session: { id } }) => id.join())).size, 'each is told once').to.equal(MANY);
    expect(new Set(told.map(({ reason }) => reason))).to.deep.equal(new Set(['expired']));
    const ends = told.map(({ session: { expires } }) => expires);
    expect(ends, 'the soonest to expire first').to.deep.equal([...ends].sort((a, b) => a - b));
    add(config, MANY);
    world.advance(17);
    config.store.completed();
    expect(size(config), 'then it is over until the 510th').to.equal(1);
  });

  it('never costs one that is still good', () => {
    const { world, config } = crowded(2 * FLUSH_SLICE);
    world.advance(16); // those with the longest timeout are in their last second
    for (let i = 0; i < FULL_FLUSH + 5; i++) config.store.completed();
    expect(size(config)).to.equal(Math.floor((2 * FLUSH_SLICE) / 7));
  });
});

describe('flushInSlices', () => {
  it('lets others in between, tells each once and in order, and says how many there were', async () => {
    const turns: number[] = [];
    const { world, told, config } = crowded(MANY);
    world.advance(17);
    add(config, MANY);
    let isOver = false;
    const flushed = flushInSlices(config).finally(() => {
      isOver = true;
    });
    while (!isOver) {
      turns.push(told.length);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await flushed).to.equal(MANY);
    expect(size(config)).to.equal(1);
    expect([...new Set(turns)].slice(0, 2)).to.deep.equal([FLUSH_SLICE, 2 * FLUSH_SLICE]);
    expect(new Set(told.map(({ reason }) => reason))).to.deep.equal(new Set(['flushed']));
    const ends = told.map(({ session: { expires } }) => expires);
    expect(ends).to.deep.equal([...ends].sort((a, b) => a - b));
    expect(told).to.have.length(MANY);
  });

  it('of all takes as many as there are, not those who come meanwhile as well', async () => {
    let next = MANY;
    const { config } = crowded(MANY, () => add(config, next++));
    expect(await flushInSlices(config, 0)).to.equal(MANY);
    expect(size(config)).to.equal(MANY);
  });

  it('of a cache with nothing in it is over at once', async () => {
    const { config } = crowded(0);
    expect(await flushInSlices(config)).to.equal(0);
    expect(await flushInSlices(testServer({ sessions: { cache: false } }), 0)).to.equal(0);
  });

  it('rejects with what the remove callback throws, when the slice has been told', async () => {
    const { config } = crowded(MANY, () => {
      throw new Error('the store is gone');
    });
    const error: unknown = await flushInSlices(config, 0).catch((thrown: unknown) => thrown);
    expect(error).to.be.an('error').with.property('message', 'the store is gone');
    expect(size(config)).to.equal(MANY - FLUSH_SLICE);
  });

  it('refuses milliseconds and text also while there is no session', async () => {
    const config = testServer();
    for (const now of [Date.now(), '5' as unknown as number]) {
      const error: unknown = await flushInSlices(config, now).catch((thrown: unknown) => thrown);
      expect(String(error)).to.match(/milliseconds|now: a number is wanted/);
    }
  });
});
