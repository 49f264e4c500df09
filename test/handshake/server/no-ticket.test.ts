/** The event 'no-ticket': why a client gets no ticket, or in TLS 1.2 neither a ticket nor a session id. */

import { expect } from 'chai';
import { SessionCache } from '../../../src/cache/session-cache.ts';
import type { NoTicket } from '../../../src/handshake/outcome.ts';
import { toHex } from '../../../src/wire/bytes.ts';
import {
  Bench,
  type BenchOptions,
  expectResumed,
  firstOffer,
  isStateless,
  MECHANISMS,
  returning,
  versionOf,
} from '../../support/mechanisms.ts';
import type { ClientOptions, Exchange } from '../../support/scripted-client.ts';

const STATEFUL = ['session-id', 'psk-stateful'] as const;
const TLS13 = ['psk-stateful', 'psk-stateless'] as const;

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});
afterEach(() => bench.close());

function reasonsOf({ events }: Exchange): NoTicket[] {
  return events.flatMap((event) => (event.type === 'no-ticket' ? [event.reason] : []));
}

/** What the client has in hand afterwards: tickets, or an id. */
function handedOut({ client }: Exchange): number {
  if (client.version === 'TLSv1.3') return client.tickets.length;
  return client.session.id.length + (client.session.ticket?.length ?? 0);
}

const clientAuth = { mode: 'request', verifyClient: () => true } as const;

interface Case {
  readonly reason: NoTicket;
  readonly mechanisms: readonly (typeof MECHANISMS)[number][];
  readonly server: BenchOptions;
  readonly client?: ClientOptions;
  /** One reason for each ticket that is due, and not one for all. */
  readonly isEach?: boolean;
}

function fail(): never {
  throw new Error('down');
}

const CASES: readonly Case[] = [
  { reason: 'off', mechanisms: ['session-id', 'psk-stateful'], server: { tickets: { mode: 'off' } } },
  { reason: 'id-context', mechanisms: MECHANISMS, server: { clientAuth } },
  { reason: 'not-kept', mechanisms: STATEFUL, server: { sessions: { cache: false } } },
  { reason: 'not-kept', mechanisms: STATEFUL, server: { sessions: { mode: 'off' } } },
  { reason: 'not-found', mechanisms: STATEFUL, server: { sessions: { internalLookup: false } } },
  { reason: 'not-found', mechanisms: STATEFUL, server: { sessions: { internalLookup: false, onNew: () => {} } } },
  { reason: 'not-found', mechanisms: STATEFUL, server: { sessions: { cache: false, onNew: () => {} } } },
  { reason: 'not-resumable', mechanisms: MECHANISMS, server: { sessions: { notResumable: () => true } } },
  { reason: 'psk-mode', mechanisms: TLS13, server: {}, client: { pskModes: ['psk_ke'] } },
  { reason: 'psk-mode', mechanisms: TLS13, server: {}, client: { pskModes: false } },
  { reason: 'not-due', mechanisms: TLS13, server: { tickets: { initial: 0 } } },
  {
    reason: 'not-due',
    mechanisms: TLS13,
    server: {},
    client: { ticketRequest: { newSessionCount: 0, resumptionCount: 0 } },
  },
  {
    reason: 'callback-error',
    mechanisms: ['ticket', ...TLS13],
    server: { tickets: { onGenerate: fail } },
    isEach: true,
  },
  {
    reason: 'callback-error',
    mechanisms: ['ticket', 'psk-stateless'],
    server: { tickets: { keys: { sealingKey: fail, openingKeys: () => [] } } },
    isEach: true,
  },
  {
    reason: 'callback-error',
    mechanisms: ['ticket', 'psk-stateless'],
    server: { tickets: { keys: { sealingKey: () => Object(1), openingKeys: () => [] } } },
    isEach: true,
  },
  {
    reason: 'no-key',
    mechanisms: ['ticket', 'psk-stateless'],
    server: { tickets: { keys: { sealingKey: () => undefined, openingKeys: () => [] } } },
    isEach: true,
  },
  {
    reason: 'not-resumable',
    mechanisms: TLS13,
    server: { tickets: { onGenerate: (session) => session.forbidResumption() } },
    isEach: true,
  },
];

describe("the event 'no-ticket'", () => {
  for (const mechanism of MECHANISMS) {
    it(`is absent where the client gets what it resumes by: ${mechanism}`, () => {
      const config = bench.server(mechanism);
      const first = bench.visit(mechanism, config);
      const second = bench.connect(config, returning(first));
      expectResumed(second, mechanism);
      expect([...reasonsOf(first), ...reasonsOf(second)]).to.deep.equal([]);
    });
  }

  for (const [i, { reason, mechanisms, server, client = {}, isEach = false }] of CASES.entries()) {
    for (const mechanism of mechanisms) {
      it(`says ${reason}: ${mechanism}, case ${i + 1}`, () => {
        const due = isEach && versionOf(mechanism) === 'TLSv1.3' ? 2 : 1;
        const link = bench.connect(bench.server(mechanism, server), { ...firstOffer(mechanism), ...client });
        expect(link.connection.isEstablished).to.equal(true);
        expect(handedOut(link)).to.equal(0);
        expect(reasonsOf(link)).to.deep.equal(Array(due).fill(reason));
      });
    }
  }

  for (const mechanism of TLS13) {
    for (const timing of ['after-finished', 'half-rtt', 'with-first-write', 'manual'] as const) {
      it(`is emitted once with the timing ${timing}: ${mechanism}`, () => {
        const link = bench.visit(mechanism, bench.server(mechanism, { clientAuth, tickets: { timing } }));
        link.step(link.connection.write(Uint8Array.of(1)));
        expect(reasonsOf(link)).to.deep.equal(['id-context']);
      });
    }

    it(`is absent where tickets are sent by hand: ${mechanism}`, () => {
      const link = bench.visit(mechanism, bench.server(mechanism, { tickets: { timing: 'manual', initial: 0 } }));
      expect(reasonsOf(link)).to.deep.equal([]);
    });

    it(`says auth-age where a chain of resumptions has lasted as long as it may: ${mechanism}`, () => {
      const config = bench.server(mechanism, { tickets: { maxAuthAge: 60 } });
      const first = bench.visit(mechanism, config);
      bench.world.advance(60);
      const second = bench.connect(config, returning(first));
      expectResumed(second, mechanism);
      expect(reasonsOf(second)).to.deep.equal(['auth-age']);
    });

    it(`says not-due where none follows a resumption: ${mechanism}`, () => {
      const config = bench.server(mechanism, { tickets: { afterResumption: 0 } });
      const second = bench.connect(config, returning(bench.visit(mechanism, config)));
      expect(reasonsOf(second)).to.deep.equal(['not-due']);
    });
  }

  for (const [what, mechanisms, store] of [
    ['a store with onGet and without onTake', TLS13, { onNew: () => {}, onGet: () => undefined }],
    ['no cache', ['psk-stateless'], { cache: false }],
    ['a cache that new sessions do not go into', ['psk-stateless'], { internalStore: false }],
    ['a cache that keeps none', ['psk-stateless'], { mode: 'off' }],
  ] as const) {
    for (const mechanism of mechanisms) {
      it(`says single-use where a virtual host wants that of ${what}: ${mechanism}`, () => {
        const host = bench.bare({
          tickets: { mode: mechanism === 'psk-stateless' ? 'stateless' : 'stateful', singleUse: true },
        });
        const config = bench.server(mechanism, { sessions: store, onServerName: () => host });
        const link = bench.visit(mechanism, config);
        expect([handedOut(link), reasonsOf(link)]).to.deep.equal([0, ['single-use']]);
      });
    }
  }

  for (const mechanism of MECHANISMS) {
    it(`is absent, and the client resumes, with every callback of a store: ${mechanism}`, () => {
      const find = (id: Uint8Array) => [...bench.cache].find((session) => toHex(session.id) === toHex(id));
      const sessions = { internalLookup: false, onGet: find, onTake: () => true };
      const config = bench.server(mechanism, { sessions, tickets: { singleUse: true } });
      const first = bench.visit(mechanism, config);
      expect(reasonsOf(first)).to.deep.equal([]);
      expectResumed(bench.connect(config, returning(first)), mechanism);
    });
  }

  for (const mechanism of STATEFUL) {
    it(`says not-kept once the cache is closed: ${mechanism}`, () => {
      const config = bench.server(mechanism);
      config.closeSessions();
      const link = bench.visit(mechanism, config);
      expect([handedOut(link), reasonsOf(link)]).to.deep.equal([0, ['not-kept']]);
    });

    it(`is absent where only addSession() fills the cache, of sessions that an event tells of: ${mechanism}`, () => {
      const config = bench.server(mechanism, { sessions: { internalStore: false } });
      const first = bench.visit(mechanism, config);
      for (const event of first.events) if (event.type === 'new-session') config.addSession(event.session);
      expect(reasonsOf(first)).to.deep.equal([]);
      expectResumed(bench.connect(config, returning(first)), mechanism);
    });
  }

  it('is asked about before each ticket: none follows the one whose callback has closed the cache', () => {
    for (const timing of ['after-finished', 'half-rtt'] as const) {
      const closing = () => config.closeSessions();
      const config = bench.server('psk-stateful', {
        sessions: { cache: new SessionCache() },
        tickets: { timing, onGenerate: closing, initial: 3 },
      });
      expect(handedOut(bench.visit('psk-stateful', config)), timing).to.equal(1);
    }
  });

  it('says declined where the key provider will not renew the ticket', () => {
    const keys = {
      sealingKey: () => bench.keys.sealingKey(),
      openingKeys: (name: Uint8Array) =>
        bench.keys.openingKeys(name).map(({ key }) => ({ key, renewal: 'declined' as const })),
    };
    const config = bench.server('psk-stateless', { tickets: { keys } });
    const second = bench.connect(config, returning(bench.visit('psk-stateless', config)));
    expectResumed(second, 'psk-stateless');
    expect(reasonsOf(second)).to.deep.equal(['declined']);
  });

  it('is absent in TLS 1.2 where an id takes the place of a ticket', () => {
    const link = bench.connect(bench.server('ticket'), { version: 'TLSv1.2' });
    expect(isStateless('ticket')).to.equal(true);
    expect([handedOut(link), reasonsOf(link)]).to.deep.equal([32, []]);
  });
});
