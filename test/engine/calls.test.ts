/** Calls on a connection from inside of user code of every kind, and random sequences of calls. */

import { expect } from 'chai';
import type { ServerOptions } from '../../src/engine/server/options.ts';
import { ServerConnection } from '../../src/engine/server/server-connection.ts';
import { runCalls } from '../support/call-sequences.ts';
import { Exchange } from '../support/exchange.ts';
import { VERSIONS } from '../support/mechanisms.ts';
import { unhandledIn } from '../support/rejections.ts';
import { patience, runs } from '../support/runs.ts';
import { type ClientOptions, ScriptedClient } from '../support/scripted-client.ts';
import { quickCredential, testServer, toyCrypto } from '../support/servers.ts';
import { TestWorld } from '../support/world.ts';

type Call = (connection: ServerConnection) => { readonly output: Uint8Array };
type Place = (inside: () => void) => Partial<ServerOptions>;

const CALLS: Readonly<Record<string, Call>> = {
  'end()': (connection) => connection.end(),
  'dispose()': (connection) => connection.dispose(),
  'transportEnded()': (connection) => connection.transportEnded(),
  'receive() of nonsense': (connection) => connection.receive(Uint8Array.of(22, 3, 3, 0, 1, 77)),
  'write()': (connection) =>
    connection.canWrite ? connection.write(Uint8Array.of(1)) : connection.receive(new Uint8Array(0)),
  'answer() to what is no question': (connection) => connection.answer({} as never, { value: undefined }),
};

const PLACES: Readonly<Record<string, Place>> = {
  keylog: (inside) => ({ keylog: inside }),
  'sign()': (inside) => {
    const sign = () => {
      inside();
      return Promise.reject(new Error('the key service is down'));
    };
    return { credentials: [{ ...quickCredential, sign }] };
  },
  onNew: (inside) => ({ sessions: { onNew: inside } }),
  onRemove: (inside) => ({ sessions: { onRemove: inside, maxEntries: 1 } }),
  generateId: (inside) => ({ sessions: { generateId: inside as never } }),
  onGenerate: (inside) => ({ tickets: { onGenerate: inside } }),
  'World.randomBytes()': (inside) => {
    const world = new TestWorld(2);
    const randomBytes = (length: number) => {
      inside();
      return world.randomBytes(length);
    };
    return { world: { now: () => world.now(), randomBytes } };
  },
  'World.now()': (inside) => {
    const now = () => {
      inside();
      return 0;
    };
    const world = new TestWorld(2);
    return { world: { now, randomBytes: (length) => world.randomBytes(length) } };
  },
};

/** How often `inside` has run before it makes its call: the first time, and later. */
const TIMES = [1, 2, 4];

function link(options: Partial<ServerOptions>, client: ClientOptions): Exchange {
  const made = new ScriptedClient({ crypto: toyCrypto, ...client });
  return new Exchange(made, new ServerConnection(testServer({ crypto: toyCrypto, ...options })));
}

describe('a call from inside of user code', () => {
  for (const version of VERSIONS) {
    for (const [place, at] of Object.entries(PLACES)) {
      for (const [name, call] of Object.entries(CALLS)) {
        it(`${name} in ${place}, ${version}: no error, no output that the client cannot read, no rejection unseen`, async () => {
          for (const time of TIMES) {
            let exchange: Exchange | undefined;
            let count = 0;
            const inside = (): void => {
              if (exchange !== undefined && ++count === time) exchange.step(call(exchange.connection) as never);
            };
            exchange = link(at(inside), { version });
            const { connection } = exchange;
            const unhandled = await unhandledIn(() => {
              exchange?.run();
              if (exchange?.question !== undefined) exchange.question.promise.then(undefined, () => {});
              exchange?.step(connection.dispose());
            });
            expect(unhandled).to.deep.equal([]);
            expect(exchange.events.filter(({ type }) => type === 'failed').length).to.be.below(2);
            expect(connection.waitingFor).to.equal(undefined);
          }
        });
      }
    }

    it(`end() in keylog drops the question, whose answer is followed nevertheless, ${version}`, () => {
      const error = new Error('the key service is down');
      const sign = () => Promise.reject(error);
      const keylog = () => {
        exchange.step(exchange.connection.end());
      };
      const exchange = link({ keylog, credentials: [{ ...quickCredential, sign }] }, { version: 'TLSv1.3' });
      exchange.run();
      expect(exchange.question).to.equal(undefined);
      const deferred = exchange.events.flatMap((event) => (event.type === 'deferred' ? [event.deferred] : []));
      expect(deferred.map(({ callback }) => callback)).to.deep.equal(['sign']);
      for (const each of deferred) exchange.step(exchange.connection.settle(each, { error }));
      expect(exchange.events.at(-1)).to.deep.equal({ type: 'callback-error', callback: 'sign', error });
    });
  }

  it('adds its events and output behind those that wait, and the first call that returns has all of them', () => {
    const keylog = (): void => {
      if (!exchange.connection.isEstablished) return;
      exchange.step(exchange.connection.write(Uint8Array.of(7)));
    };
    const exchange: Exchange = link({ keylog }, { version: 'TLSv1.3' });
    exchange.run();
    expect([...exchange.client.data]).to.include(7);
    expect(exchange.events.filter(({ type }) => type === 'established').length).to.equal(1);
  });

  it('of write() amid our own work copies its data', () => {
    const data = Uint8Array.of(1, 2, 3);
    const world = new TestWorld(2);
    let isArmed = false;
    const randomBytes = (length: number) => {
      if (isArmed && length === 4) {
        // ticket_age_add
        isArmed = false;
        expect(exchange.connection.write(data).output.length).to.equal(0); // it waits for its turn
        data.fill(0);
      }
      return world.randomBytes(length);
    };
    const exchange = link({ world: { now: () => 0, randomBytes } }, { version: 'TLSv1.3' });
    exchange.run();
    isArmed = true;
    exchange.step(exchange.connection.sendTicket());
    expect([...exchange.client.data]).to.deep.equal([1, 2, 3]);
  });
});

describe('sequences of calls', function () {
  this.timeout(patience(60_000)); // seconds of computing, which others on the machine may stretch

  it('neither throw nor leave anything behind, whatever they are', async () => {
    const { numRuns } = runs(50);
    for (let seed = 1; seed <= numRuns; seed++) expect(await unhandledIn(() => runCalls(seed))).to.deep.equal([]);
  });
});
