/** `sessions.mayResume`: the application's last say on a resumption, for every way in which a session can be found. */

import { expect } from 'chai';
import type { MayResume } from '../../../src/cache/callbacks.ts';
import type { ServerConfig } from '../../../src/engine/server/config.ts';
import type { SessionOptions } from '../../../src/engine/server/options.ts';
import type { Mechanism, NoResumption } from '../../../src/handshake/outcome.ts';
import { connectionOf } from '../../../src/index.ts';
import type { Session } from '../../../src/sessions/session.ts';
import { toHex } from '../../../src/wire/bytes.ts';
import {
  Bench,
  type BenchOptions,
  expectFull,
  expectResumed,
  MECHANISMS,
  returning,
} from '../../support/mechanisms.ts';
import type { ClientOptions, Exchange } from '../../support/scripted-client.ts';

const TLS13 = ['psk-stateful', 'psk-stateless'] as const;

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});
afterEach(() => bench.close());

const forge = (binders: readonly Uint8Array[]) => binders.map((binder) => binder.map((byte) => byte ^ 1));

/** The ways of a lookup: options of the server at which the client returns. */
const PATHS: readonly { name: string; mechanisms: readonly Mechanism[]; options: () => BenchOptions }[] = [
  { name: 'the cache, or a ticket', mechanisms: MECHANISMS, options: () => ({}) },
  {
    name: 'onGet, at once',
    mechanisms: ['session-id', 'psk-stateful'],
    options: () => ({ sessions: { internalLookup: false, onGet: find } }),
  },
  {
    name: 'onGet, later, by bytes',
    mechanisms: ['session-id', 'psk-stateful'],
    options: () => ({ sessions: { internalLookup: false, onGet: async (id) => find(id)?.toDer() } }),
  },
  {
    name: 'a ticket that onDecrypt accepts',
    mechanisms: ['ticket', 'psk-stateless'],
    options: () => ({ tickets: { onDecrypt: () => 'use' } }),
  },
  {
    name: 'keys that come later',
    mechanisms: ['ticket', 'psk-stateless'],
    options: () => ({
      tickets: {
        keys: {
          sealingKey: () => bench.keys.sealingKey(),
          openingKeys: async (name) => bench.keys.openingKeys(name),
        },
      },
    }),
  },
];

function find(id: Uint8Array): Session | undefined {
  return [...bench.cache].find((session) => toHex(session.id) === toHex(id));
}

/** A server like any of the bench, with this callback. */
function asking(mechanism: Mechanism, mayResume: unknown, { sessions, ...rest }: BenchOptions = {}): ServerConfig {
  return bench.server(mechanism, { ...rest, sessions: { ...sessions, mayResume: mayResume as MayResume } });
}

async function back(config: ServerConfig, first: Exchange, options: ClientOptions = {}): Promise<Exchange> {
  return await bench.connect(config, returning(first, options)).runAsync();
}

/** Answers that are not `true`, nor a failure. */
const NOES: readonly [string, () => unknown][] = [
  ['false', () => false],
  ['nothing', () => undefined],
  ['1', () => 1],
  ["'true'", () => 'true'],
  ['new Boolean(true)', () => Object(true)],
  ['a promise of false', async () => false],
  ['a promise of 1', async () => 1],
  ['a Proxy that throws', () => hostile()],
  ['a promise of an object', async () => ({})],
  ['a thenable of false', () => thenable((resolve) => resolve(false))],
  ['a thenable that answers twice', () => thenable((resolve) => [0, true].forEach(resolve))],
];

const FAILURES: readonly [string, () => unknown][] = [
  [
    'throws',
    () => {
      throw new Error('down');
    },
  ],
  ['rejects', () => Promise.reject(new Error('down'))],
  [
    'answers with a thenable that throws',
    () =>
      thenable(() => {
        throw new Error('down');
      }),
  ],
];

function thenable(then: (resolve: (value: unknown) => void) => void): object {
  return { then };
}

function hostile(): object {
  const refuse = () => {
    throw new Error('hands off');
  };
  return new Proxy({}, { get: refuse, has: refuse, getPrototypeOf: refuse });
}

function expectVetoed(link: Exchange, reason: NoResumption = 'vetoed'): void {
  expectFull(link, reason);
  expect(link.connection.verdicts.map((verdict) => verdict.reason)).to.deep.equal([reason]);
}

describe('sessions.mayResume', () => {
  for (const { name, mechanisms, options } of PATHS) {
    for (const mechanism of mechanisms) {
      it(`is asked of a session from ${name}: ${mechanism}`, async () => {
        const first = bench.visit(mechanism, bench.server(mechanism));
        for (const answer of [true, false]) {
          const asked: Session[] = [];
          const mayResume = (session: Session) => asked.push(session) === 1 && answer;
          const link = await back(asking(mechanism, mayResume, options()), first);
          if (answer) expectResumed(link, mechanism);
          else expectVetoed(link);
          expect(asked).to.have.lengthOf(1);
          if (answer) expect(asked[0]).to.equal(link.connection.resumption.session);
        }
      });
    }
  }

  for (const mechanism of MECHANISMS) {
    describe(mechanism, () => {
      for (const [what, answer] of NOES) {
        it(`declines by ${what}: vetoed`, async () => {
          const first = bench.visit(mechanism, bench.server(mechanism));
          const link = await back(asking(mechanism, answer), first);
          expectVetoed(link);
          expect(link.has('callback-error')).to.equal(false);
        });
      }

      for (const [how, answer] of FAILURES) {
        it(`declines where it ${how}: store-error`, async () => {
          const first = bench.visit(mechanism, bench.server(mechanism));
          const link = await back(asking(mechanism, answer), first);
          expectVetoed(link, 'store-error');
          const errors = link.events.filter((event) => event.type === 'callback-error');
          expect(errors).to.have.lengthOf(1);
          expect(errors[0]).to.deep.include({ callback: 'mayResume' });
        });
      }

      it('declines where it answers too late: store-timeout', () => {
        const first = bench.visit(mechanism, bench.server(mechanism));
        const link = bench.connect(
          asking(mechanism, () => new Promise(() => {})),
          returning(first),
        );
        expect(link.question).to.deep.include({ kind: 'resumption', budgeted: true });
        link.answer({ late: true });
        expectVetoed(link, 'store-timeout');
      });

      it('accepts by a promise of true, and by a thenable of it', async () => {
        const first = bench.visit(mechanism, bench.server(mechanism));
        for (const answer of [async () => true, () => thenable((resolve) => resolve(true))])
          expectResumed(await back(asking(mechanism, answer), first), mechanism);
      });

      it('declines a session that was ruled out meanwhile, whatever it answers', () => {
        const first = bench.visit(mechanism, bench.server(mechanism));
        const mayResume = (session: Session) => {
          session.forbidResumption();
          return true;
        };
        expectVetoed(bench.connect(asking(mechanism, mayResume), returning(first)), 'not-resumable');
      });

      it('is not asked of a session that breaks a rule, nor where none is offered', () => {
        let asked = 0;
        const config = asking(mechanism, () => ++asked > 0, { scope: { label: 'other' } });
        const first = bench.visit(mechanism, bench.server(mechanism));
        expectFull(bench.connect(config, returning(first)), 'scope');
        expect(asked).to.equal(0);
      });

      it('gets the connection, by connectionOf()', () => {
        const seen: unknown[] = [];
        const mayResume: MayResume = (_, info) => {
          seen.push(connectionOf(info), info.version, info.serverName);
          return true;
        };
        const first = bench.visit(mechanism, bench.server(mechanism));
        const link = bench.connect(asking(mechanism, mayResume), returning(first));
        expect(seen).to.deep.equal([link.connection, link.connection.version, 'localhost']);
      });

      it('leaves the session to later visits, and the client gets another', () => {
        let may = false;
        const config = asking(mechanism, () => may);
        const first = bench.visit(mechanism, bench.server(mechanism));
        const second = bench.connect(config, returning(first, mechanism === 'ticket' ? { ticketExt: undefined } : {}));
        expectVetoed(second);
        may = true;
        expectResumed(bench.connect(config, returning(second)), mechanism);
        expectResumed(bench.connect(config, returning(first)), mechanism);
      });

      it('of the server is asked for a virtual host that has none, also with a store of its own', () => {
        for (const sessions of [
          {},
          { cache: bench.cache },
          { mayResume: () => true },
        ] as const satisfies SessionOptions[]) {
          const host = bench.server(mechanism, { sessions });
          const outer = asking(mechanism, () => false, { onServerName: () => host });
          const first = bench.visit(mechanism, bench.server(mechanism, { onServerName: () => host }));
          const link = bench.connect(outer, returning(first));
          if ('mayResume' in sessions) expectResumed(link, mechanism);
          else expectVetoed(link);
        }
      });
    });
  }

  for (const mechanism of TLS13) {
    describe(mechanism, () => {
      it('is asked after the binder and before onTake, which is not called after a no', () => {
        const order: string[] = [];
        let may = true;
        const sessions = { onTake: () => order.push('take') > 0 };
        const mayResume = () => {
          order.push('may');
          return may;
        };
        const config = asking(mechanism, mayResume, { sessions, tickets: { singleUse: true } });
        const first = bench.visit(mechanism, config);
        expect(bench.connect(config, returning(first, { rewriteBinders: forge })).failure?.alert).to.equal(
          'decrypt_error',
        );
        expect(order.splice(0)).to.deep.equal([]);
        may = false;
        expectVetoed(bench.connect(config, returning(first)));
        expect(order.splice(0)).to.deep.equal(['may']);
        may = true;
        expectResumed(bench.connect(config, returning(first)), mechanism);
        expect(order).to.deep.equal(['may', 'take']);
      });

      for (const answer of [true, false]) {
        it(`is asked once where there is a HelloRetryRequest, and answers ${answer}`, () => {
          let asked = 0;
          const mayResume = () => {
            asked++;
            return answer;
          };
          const first = bench.visit(mechanism, bench.server(mechanism));
          const link = bench.connect(asking(mechanism, mayResume), returning(first, { keyShares: [] }));
          expect(link.client.hellos).to.have.lengthOf(2);
          if (answer) expectResumed(link, mechanism);
          else expectVetoed(link);
          expect(asked).to.equal(1);
        });
      }

      it('is asked once with psk_ke alone, and a no leads to (EC)DHE', () => {
        let asked = 0;
        const config = asking(mechanism, () => ++asked === 0, { pskModes: ['psk_ke'] });
        const first = bench.visit(mechanism, bench.server(mechanism, { pskModes: ['psk_ke'] }));
        for (const keyShares of [['x25519'], []] as const) {
          asked = 0;
          expectVetoed(bench.connect(config, returning(first, { pskModes: ['psk_ke'], keyShares })));
          expect(asked).to.equal(1);
        }
      });

      it('after a no, no other identity is tried', () => {
        let asked = 0;
        const config = asking(mechanism, () => ++asked === 2);
        const { client } = bench.visit(mechanism, bench.server(mechanism));
        expect(client.tickets).to.have.lengthOf(2);
        expectVetoed(bench.connect(config, { psks: client.tickets }));
        expect(asked).to.equal(1);
      });
    });
  }
});

describe('a no to a ticket whose renewal the key provider has declined', () => {
  it('brings the tickets of a full handshake all the same', () => {
    const keys = {
      sealingKey: () => bench.keys.sealingKey(),
      openingKeys: (name: Uint8Array) =>
        bench.keys.openingKeys(name).map(({ key }) => ({ key, renewal: 'declined' as const })),
    };
    const first = bench.visit('psk-stateless', bench.server('psk-stateless'));
    const link = bench.connect(
      asking('psk-stateless', () => false, { tickets: { keys } }),
      returning(first),
    );
    expectVetoed(link);
    expect(link.client.tickets).to.have.lengthOf(2);
  });
});

describe('connectionOf()', () => {
  it('knows no connection of anything else', () => {
    for (const other of [{}, { serverName: undefined, version: undefined }, undefined, null, 1, hostile()])
      expect(connectionOf(other as Parameters<typeof connectionOf>[0])).to.equal(undefined);
  });
});
