/** The timer of ticket keys: which servers and connections lend it, and that it keeps no process running. */

import { expect } from 'chai';
import { setKeyTimer } from '../../src/engine/key-timer.ts';
import { ServerConnection } from '../../src/engine/server/server-connection.ts';
import { createServer } from '../../src/node/index.ts';
import { platform } from '../../src/platform.ts';
import { TicketKeyRing } from '../../src/tickets/key-ring.ts';
import { certificates } from '../fixtures.ts';
import { unhandledIn } from '../support/rejections.ts';
import { exchange, ScriptedClient } from '../support/scripted-client.ts';
import { testServer, toyCrypto } from '../support/servers.ts';
import { TestWorld } from '../support/world.ts';

/** Runs with another setTimeout() of the host. */
function withTimeout(setTimeout: (action: () => void, delayMs: number) => unknown, run: () => void): void {
  const before = platform.setTimeout;
  Object.assign(platform, { setTimeout });
  try {
    run();
  } finally {
    Object.assign(platform, { setTimeout: before });
  }
}

describe('the timer of ticket keys', () => {
  it('does not keep a process running: in Node, in Deno, and where timers are numbers that never do', () => {
    const told: unknown[] = [];
    withTimeout(
      () => ({ unref: () => told.push('unref') }),
      () => setKeyTimer(() => {}, 5),
    );
    withTimeout(
      () => 7,
      () => {
        setKeyTimer(() => {}, 5);
        Object.assign(globalThis, { Deno: { unrefTimer: (timer: unknown) => told.push(timer) } });
        try {
          setKeyTimer(() => {}, 5);
        } finally {
          Reflect.deleteProperty(globalThis, 'Deno');
        }
      },
    );
    expect(told).to.deep.equal(['unref', 7]);
  });

  it('is lent to the ring of a Node server, which need not have a connection', () => {
    const world = new TestWorld(3);
    const keys = TicketKeyRing.rotating(world);
    const timers: (() => void)[] = [];
    withTimeout(
      (action) => timers.push(action),
      () => {
        for (let i = 0; i < 2; i++)
          createServer({ ...certificates.ecdsaP256, tickets: { mode: 'stateless', keys }, world });
        const key = keys.sealingKey();
        expect(timers).to.have.length(1);
        world.advance(10 * 86400);
        timers.shift()?.();
        expect(key?.isDestroyed).to.equal(true);
        expect(timers).to.have.length(0);
      },
    );
  });

  it('is lent by a Node server to keys that may reject it, which ends no process', async () => {
    const useTimer = () => Promise.reject(new Error('broken'));
    const keys = { sealingKey: () => undefined, openingKeys: () => [], useTimer };
    const serve = () => createServer({ ...certificates.ecdsaP256, tickets: { mode: 'stateless', keys } });
    expect(await unhandledIn(serve)).to.deep.equal([]);
  });

  for (const isHost of [false, true]) {
    it(`is lent by a connection to the ring of its ${isHost ? 'virtual host' : 'server'}`, () => {
      const world = new TestWorld(3);
      const keys = TicketKeyRing.rotating(world);
      const stateless = testServer({ world, crypto: toyCrypto, tickets: { mode: 'stateless', keys } });
      const config = isHost ? testServer({ world, crypto: toyCrypto, onServerName: () => stateless }) : stateless;
      const set: number[] = [];
      const keyTimer = (_: () => void, delayMs: number) => void set.push(delayMs);
      const connect = () =>
        exchange(
          new ScriptedClient({ sni: 'localhost', crypto: toyCrypto }),
          new ServerConnection(config, { keyTimer }),
        );
      for (let i = 0; i < 3; i++) expect(connect().client.tickets).to.have.length(2);
      expect(set).to.deep.equal([60_000]);
    });
  }
});
