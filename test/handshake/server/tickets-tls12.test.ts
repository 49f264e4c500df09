/** Tickets of TLS 1.2 (RFC 5077): what is on the wire, and what becomes of each ticket that a client may show. */

import { expect } from 'chai';
import type { ServerConfig } from '../../../src/engine/server/config.ts';
import type { TicketKey } from '../../../src/tickets/key.ts';
import type { TicketKeyProvider } from '../../../src/tickets/key-provider.ts';
import { TicketKeyRing } from '../../../src/tickets/key-ring.ts';
import { type OpenedSession, openSession } from '../../../src/tickets/ticket.ts';
import { concat, EMPTY, toHex } from '../../../src/wire/bytes.ts';
import { Bench, expectFull, expectResumed, returning, ticketOf } from '../../support/mechanisms.ts';
import type { ClientOptions, Exchange } from '../../support/scripted-client.ts';
import { FORMATS, newKey, sealed } from '../../tickets/support.ts';

const FULL = ['server_hello', 'certificate', 'server_key_exchange', 'server_hello_done'];
const END = ['change_cipher_spec', 'finished'];
const WITH_TICKET = [...FULL, 'new_session_ticket', ...END];
const TLS12 = { version: 'TLSv1.2' } as const;
const ASKING = { ...TLS12, ticketExt: EMPTY } as const;

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});
afterEach(() => bench.close());

/** A server whose one key the test has too. */
function withKey(key: TicketKey, options: Parameters<Bench['server']>[1] = {}): ServerConfig {
  return bench.server('ticket', {
    ...options,
    tickets: { ...options.tickets, keys: TicketKeyRing.of([key], bench.world) },
  });
}

/** The session in a ticket. */
function inside(key: TicketKey, ticket: Uint8Array): OpenedSession['session'] {
  const opened = openSession(ticket, [{ key, renewal: 'as-usual' }], bench.world.now() / 1000);
  if (opened.status !== 'opened') throw new Error(opened.status);
  return opened.session;
}

function hasExtension({ client }: Exchange): boolean {
  return client.serverHello?.extensions.order?.includes(35) ?? false;
}

/** A full handshake, at the end of which the client has a good ticket. */
function expectTicketed(link: Exchange): void {
  expect(link.client.heard).to.deep.equal(WITH_TICKET);
  expect(hasExtension(link)).to.equal(true);
  expect(link.client.session.id, 'no id beside a ticket (RFC 5077 §3.4)').to.deep.equal(EMPTY);
  expect(ticketOf(link).length).to.be.above(0);
}

describe('tickets of TLS 1.2', () => {
  describe('in a full handshake', () => {
    it('without the extension there is none, but a session id', () => {
      const link = bench.connect(bench.server('ticket'), TLS12);
      expectFull(link, 'not-offered');
      expect(link.client.heard).to.deep.equal([...FULL, ...END]);
      expect(hasExtension(link)).to.equal(false);
      expect(link.client.session.id.length).to.equal(32);
      expectResumed(bench.connect(bench.server('ticket'), returning(link)), 'session-id');
    });

    it('an empty extension gets one, behind the client’s Finished, with the session’s timeout as its hint', () => {
      const link = bench.connect(bench.server('ticket', { sessions: { timeout: 1234 } }), ASKING);
      expectFull(link, 'not-offered');
      expectTicketed(link);
      expect(link.client.ticketTls12?.ticketLifetimeHint).to.equal(1234);
    });

    it('the hint is not capped at seven days, only at what it can say', () => {
      for (const [timeout, hint] of [
        [1_209_600, 1_209_600],
        [2 ** 32 - 1, 2 ** 32 - 1],
        [2 ** 40, 2 ** 32 - 1],
      ] as const) {
        const link = bench.connect(bench.server('ticket', { sessions: { timeout } }), ASKING);
        expectTicketed(link);
        expect(link.client.ticketTls12?.ticketLifetimeHint).to.equal(hint);
      }
    });

    it('nobody else is told of its session, nor keeps it', () => {
      let told = 0;
      const config = bench.server('ticket', { sessions: { onNew: () => void told++, onRemove: () => void told++ } });
      const link = bench.connect(config, ASKING);
      expectTicketed(link);
      expect(link.has('new-session')).to.equal(false);
      expect(bench.cache.size).to.equal(0);
      const again = bench.connect(config, returning(link));
      expectResumed(again, 'ticket');
      expect(again.has('new-session')).to.equal(false);
      expect(told).to.equal(0);
    });

    it('the ticket has the whole session sealed in it', () => {
      const key = newKey();
      const link = bench.connect(withKey(key, { alpn: ['h2'] }), { ...ASKING, alpn: ['h2'] });
      const session = inside(key, ticketOf(link));
      expect(session).to.deep.include({ version: 'TLSv1.2', serverName: 'localhost', alpnProtocol: 'h2' });
      expect(session.id).to.deep.equal(EMPTY);
      expect(session.cipherSuite).to.equal(link.client.suite?.id);
      expect(toHex(session.secret)).to.equal(toHex(link.client.session.secret));
      expect(toHex(ticketOf(link))).not.to.contain(toHex(session.secret));
    });

    for (const [mode, idLength] of [
      ['stateful', 32],
      ['off', 0],
    ] as const) {
      it(`the mode ${mode} ignores the extension`, () => {
        const config = bench.server('session-id', { tickets: { mode } });
        const link = bench.connect(config, ASKING);
        expect(link.client.heard).to.deep.equal([...FULL, ...END]);
        expect(hasExtension(link)).to.equal(false);
        expect(link.client.session.id.length).to.equal(idLength);
        const ticket = ticketOf(bench.connect(bench.server('ticket'), ASKING));
        const shown = bench.connect(config, { ...TLS12, ticketExt: ticket });
        expectFull(shown, 'disabled');
        expect(hasExtension(shown)).to.equal(false);
      });
    }

    it('who is not to be resumed gets none, and no id', () => {
      const link = bench.connect(bench.server('ticket', { sessions: { notResumable: () => true } }), ASKING);
      expect(link.client.heard).to.deep.equal([...FULL, ...END]);
      expect(hasExtension(link)).to.equal(false);
      expect(bench.cache.size).to.equal(0);
    });
  });

  describe('in an abbreviated handshake', () => {
    it('resumes without a new one (as OpenSSL does)', () => {
      const config = bench.server('ticket');
      const first = bench.connect(config, ASKING);
      for (let i = 0; i < 3; i++) {
        const link = bench.connect(config, returning(first));
        expectResumed(link, 'ticket');
        expect(link.client.heard).to.deep.equal(['server_hello', ...END]);
        expect(hasExtension(link)).to.equal(false);
        expect(link.connection.session?.time).to.equal(first.connection.session?.time);
      }
    });

    it('echoes the id beside the ticket to the byte, whatever its length (Ticketbleed, CVE-2016-9244)', () => {
      const config = bench.server('ticket');
      const first = bench.connect(config, ASKING);
      for (let length = 0; length <= 32; length++) {
        const sessionId = Uint8Array.from({ length }, (_, i) => 200 - i);
        const link = bench.connect(config, returning(first, { sessionId }));
        expectResumed(link, 'ticket');
        expect(toHex(link.client.serverHello?.legacySessionIdEcho ?? Uint8Array.of(1))).to.equal(toHex(sessionId));
        expect(toHex(link.connection.session?.id ?? Uint8Array.of(1))).to.equal(toHex(sessionId));
      }
    });

    it('a full handshake echoes no id: the client would take it for a resumption', () => {
      const config = bench.server('ticket');
      for (let length = 1; length <= 32; length++) {
        const sessionId = new Uint8Array(length).fill(7);
        const link = bench.connect(config, { ...TLS12, sessionId, ticketExt: new Uint8Array(100).fill(9) });
        expectFull(link, 'undecryptable');
        expect(link.client.session.id).to.deep.equal(EMPTY);
      }
    });

    it('under an older key it gets a new one at once, with a hint of 0, and is as old as it was', () => {
      const config = bench.server('ticket');
      const first = bench.connect(config, ASKING);
      bench.world.advance(50);
      bench.keys.rotate();
      const second = bench.connect(config, returning(first, { sessionId: new Uint8Array(8).fill(3) }));
      expectResumed(second, 'ticket');
      expect(second.client.heard).to.deep.equal(['server_hello', 'new_session_ticket', ...END]);
      expect(hasExtension(second)).to.equal(true);
      expect(second.client.ticketTls12?.ticketLifetimeHint).to.equal(0);
      expect(toHex(ticketOf(second))).not.to.equal(toHex(ticketOf(first)));
      bench.world.advance(50);
      const third = bench.connect(config, returning(second, { sessionId: EMPTY }));
      expectResumed(third, 'ticket');
      expect(third.connection.session?.time, 'a renewed ticket is no younger').to.equal(first.connection.session?.time);
      expect(third.client.heard).to.deep.equal(['server_hello', ...END]);
    });

    it('without a key to seal with, the new one is empty; the client keeps the old and resumes again', () => {
      const key = newKey();
      const first = bench.connect(withKey(key), ASKING);
      const keys = {
        sealingKey: () => undefined,
        openingKeys: () => [{ key, renewal: 'due' }],
      } satisfies TicketKeyProvider;
      const config = bench.server('ticket', { tickets: { keys } });
      const second = bench.connect(config, returning(first));
      expectResumed(second, 'ticket');
      expect(second.client.ticketTls12).to.deep.equal({ ticketLifetimeHint: 0, ticket: EMPTY });
      expectResumed(bench.connect(config, returning(second)), 'ticket');
    });

    it('keeps suite and extended master secret of the session', () => {
      const config = bench.server('ticket');
      const ciphers = ['TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384'] as const;
      const first = bench.connect(config, { ...ASKING, ciphers });
      const second = bench.connect(config, returning(first));
      expectResumed(second, 'ticket');
      expect(second.connection.cipherSuite).to.equal(ciphers[0]);
      expect(bench.connect(config, returning(first, { ems: false })).failure?.alert).to.equal('handshake_failure');
    });
  });

  describe('that cannot be used', () => {
    /** A full handshake with a new ticket, whatever was wrong. */
    function expectReplaced(link: Exchange, reason: Parameters<typeof expectFull>[1]): void {
      expectFull(link, reason);
      expectTicketed(link);
    }

    for (const { format } of FORMATS) {
      describe(format.name, () => {
        it('an unknown key; a changed byte in the name, the head and each place of the MAC', () => {
          const config = withKey(newKey(format));
          const first = bench.connect(config, ASKING);
          const ticket = ticketOf(first);
          expectReplaced(bench.connect(withKey(newKey(format)), returning(first)), 'undecryptable');
          const stride = Math.max(1, Math.floor(ticket.length / 60));
          for (let at = 0; at < ticket.length; at += at < 40 || at > ticket.length - 50 ? 1 : stride) {
            const ticketExt = ticket.map((byte, i) => (i === at ? byte ^ 0x40 : byte));
            const link = bench.connect(config, returning(first, { ticketExt }));
            expect(link.connection.resumption.resumed, `byte ${at}`).to.equal(false);
            expectTicketed(link);
          }
          expectResumed(bench.connect(config, returning(first)), 'ticket');
        });

        it('each length that is too short, and one byte too many', () => {
          const config = withKey(newKey(format));
          const first = bench.connect(config, ASKING);
          const ticket = ticketOf(first);
          for (let length = 1; length < ticket.length; length += length < 100 ? 1 : 7) {
            const link = bench.connect(config, returning(first, { ticketExt: ticket.subarray(0, length) }));
            expect(link.connection.resumption.resumed, `${length} bytes`).to.equal(false);
            expectTicketed(link);
          }
          const longer = bench.connect(config, returning(first, { ticketExt: concat(ticket, Uint8Array.of(0)) }));
          expect(longer.connection.resumption.resumed).to.equal(false);
          expectTicketed(longer);
        });

        it('one that is authentic and has no session in it, or more than a session', () => {
          const key = newKey(format);
          const config = withKey(key);
          const first = bench.connect(config, ASKING);
          const der = inside(key, ticketOf(first)).toDer();
          for (const plaintext of [
            Uint8Array.of(0),
            new Uint8Array(100).fill(0x30),
            der.subarray(0, -1),
            concat(der, Uint8Array.of(0)),
            concat(der, der),
          ]) {
            const link = bench.connect(config, returning(first, { ticketExt: sealed(key, plaintext) }));
            expectReplaced(link, 'malformed');
          }
          expectResumed(bench.connect(config, returning(first, { ticketExt: sealed(key, der) })), 'ticket');
        });
      });
    }

    it('a ticket as long as an extension can be', () => {
      const link = bench.connect(bench.server('ticket'), { ...TLS12, ticketExt: new Uint8Array(60_000).fill(1) });
      expectReplaced(link, 'undecryptable');
    });

    it('a TLS 1.3 session in it, or a master secret of another length', () => {
      const key = newKey();
      const config = withKey(key);
      const first = bench.connect(config, ASKING);
      const good = inside(key, ticketOf(first));
      const alien = good.dup({ version: 'TLSv1.3', cipherSuite: 0x1301 });
      const short = good.dup({ secret: new Uint8Array(32).fill(1) });
      const show = (session: typeof good) => returning(first, { ticketExt: sealed(key, session.toDer()) });
      expectReplaced(bench.connect(config, show(alien)), 'version');
      expectReplaced(bench.connect(config, show(short)), 'malformed');
    });

    it('an expired one, to the second', () => {
      const config = bench.server('ticket', { sessions: { timeout: 100 } });
      const first = bench.connect(config, ASKING);
      bench.world.advance(100);
      expectResumed(bench.connect(config, returning(first)), 'ticket');
      bench.world.advance(1);
      const late = bench.connect(config, returning(first));
      expectReplaced(late, 'expired');
      expect(config.statistics().timeouts).to.equal(1);
    });

    it('one past its authentication, which no renewal puts off', () => {
      const config = bench.server('ticket', { sessions: { timeout: 1000 }, tickets: { maxAuthAge: 300 } });
      let link = bench.connect(config, ASKING);
      for (let i = 0; i < 3; i++) {
        bench.world.advance(100);
        bench.keys.rotate();
        link = bench.connect(config, returning(link));
        expectResumed(link, 'ticket');
      }
      bench.world.advance(1);
      expectReplaced(bench.connect(config, returning(link)), 'auth-age');
    });

    const refusals: readonly [
      string,
      Parameters<typeof expectFull>[1],
      Parameters<Bench['server']>[1],
      ClientOptions,
    ][] = [
      ['session id context', 'session-id-context', { sessions: { idContext: Uint8Array.of(1) } }, {}],
      ['host name', 'scope', {}, { sni: 'b.example' }],
      ['suite', 'cipher-suite', {}, { ciphers: ['TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384'] }],
    ];
    for (const [what, reason, options, offer] of refusals) {
      it(`another ${what}: a new ticket, whoever wanted the old one kept`, () => {
        const key = newKey();
        const ciphers = ['TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256'] as const;
        const first = bench.connect(withKey(key), { ...ASKING, ciphers });
        const keeping: TicketKeyProvider = {
          sealingKey: () => key,
          openingKeys: () => [{ key, renewal: 'declined' }],
        };
        expectReplaced(bench.connect(withKey(key, options), returning(first, offer)), reason);
        const declined = bench.server('ticket', { ...options, tickets: { keys: keeping } });
        expectReplaced(bench.connect(declined, returning(first, offer)), reason);
        const used = bench.server('ticket', { ...options, tickets: { keys: keeping, onDecrypt: () => 'use' } });
        expectReplaced(bench.connect(used, returning(first, offer)), reason);
      });
    }

    it('without extended master secret then, with it now', () => {
      const config = bench.server('ticket');
      const first = bench.connect(config, { ...ASKING, ems: false });
      expectReplaced(bench.connect(config, returning(first, { ems: true })), 'extended-master-secret');
    });
  });

  describe('beside a session id (RFC 5077 §3.4)', () => {
    it('a ticket, good or bad, is never looked up by the id', () => {
      const asked: string[] = [];
      const config = bench.server('ticket', { sessions: { onGet: (id) => void asked.push(toHex(id)) } });
      const byId = bench.connect(config, TLS12);
      const byTicket = bench.connect(config, ASKING);
      expect(bench.cache.size).to.equal(1);
      const { id } = byId.client.session;
      for (const ticketExt of [Uint8Array.of(1), new Uint8Array(200).fill(7)]) {
        const link = bench.connect(config, returning(byId, { ticketExt }));
        expect(link.connection.resumption.resumed, 'although the cache has the id').to.equal(false);
        expectTicketed(link);
      }
      const good = bench.connect(config, returning(byTicket, { sessionId: id }));
      expectResumed(good, 'ticket');
      expect(asked).to.deep.equal([]);
      expectResumed(bench.connect(config, returning(byId)), 'session-id');
    });

    it('an empty ticket is: it resumes by the id, and gets a ticket with a hint of 0', () => {
      const config = bench.server('ticket');
      const first = bench.connect(config, TLS12);
      const second = bench.connect(config, returning(first, { ticketExt: EMPTY }));
      expectResumed(second, 'session-id');
      expect(second.client.heard).to.deep.equal(['server_hello', 'new_session_ticket', ...END]);
      expect(second.client.ticketTls12?.ticketLifetimeHint).to.equal(0);
      const third = bench.connect(config, returning(second, { sessionId: EMPTY }));
      expectResumed(third, 'ticket');
      expect(toHex(third.client.session.secret)).to.equal(toHex(first.client.session.secret));
    });

    it('an empty ticket and an id that nobody knows: a full handshake with a ticket', () => {
      const asked: string[] = [];
      const config = bench.server('ticket', { sessions: { onGet: (id) => void asked.push(toHex(id)) } });
      const link = bench.connect(config, { ...ASKING, sessionId: new Uint8Array(32).fill(5) });
      expectFull(link, 'unknown');
      expectTicketed(link);
      expect(asked).to.deep.equal(['05'.repeat(32)]);
    });

    it('is the client’s to choose, so that nothing done to its session is done to whose id it is', () => {
      const removed: string[] = [];
      const config = bench.server('ticket', {
        sessions: { timeout: 100, onRemove: (_session, reason) => void removed.push(reason) },
      });
      const other = bench.connect(config, TLS12);
      other.step(other.connection.end());
      const mine = bench.connect(config, ASKING);
      const offer = returning(mine, { sessionId: other.client.session.id });
      const unclean = bench.connect(config, offer);
      expectResumed(unclean, 'ticket');
      unclean.connection.dispose();
      const alerting = bench.connect(config, offer);
      alerting.client.sendAlert('internal_error');
      alerting.run();
      expect(alerting.failure?.origin).to.equal('remote');
      for (const session of bench.cache) session.time += 50;
      bench.world.advance(101);
      expectFull(bench.connect(config, offer), 'expired');
      expect(removed).to.deep.equal([]);
      expectResumed(bench.connect(config, returning(other)), 'session-id');
    });
  });

  describe('without a key', () => {
    const none: TicketKeyProvider = { sealingKey: () => undefined, openingKeys: () => [] };

    it('the promised ticket is an empty one, with a hint of 0, and the connection is as good', () => {
      const config = bench.server('ticket', { tickets: { keys: none } });
      for (const ticketExt of [EMPTY, new Uint8Array(150).fill(3)]) {
        const link = bench.connect(config, { ...TLS12, ticketExt });
        expect(link.client.heard).to.deep.equal(WITH_TICKET);
        expect(link.client.ticketTls12).to.deep.equal({ ticketLifetimeHint: 0, ticket: EMPTY });
        expect(link.events).to.deep.include({ type: 'no-ticket', reason: 'no-key' });
        expect(link.connection.isEstablished).to.equal(true);
      }
    });

    it('a closed ring has none, and never a default one', () => {
      const config = bench.server('ticket');
      const first = bench.connect(config, ASKING);
      bench.keys.close();
      const link = bench.connect(config, returning(first));
      expectFull(link, 'undecryptable');
      expect(link.client.ticketTls12?.ticket).to.deep.equal(EMPTY);
    });

    it('nor is one made of a session that is too large', () => {
      const config = bench.server('ticket', { tickets: { onGenerate: () => new Uint8Array(65_535) } });
      const link = bench.connect(config, ASKING);
      expect(link.client.ticketTls12?.ticket).to.deep.equal(EMPTY);
      expect(link.events).to.deep.include({ type: 'no-ticket', reason: 'too-large' });
      expect(link.connection.isEstablished).to.equal(true);
    });
  });

  it('a client that asks for both versions gets what the chosen one has', () => {
    const config = bench.server('ticket');
    const link = bench.connect(config, { ticketExt: EMPTY });
    expect(link.connection.version).to.equal('TLSv1.3');
    expect(link.client.tickets.length).to.equal(2);
    const old = bench.connect(bench.server('ticket', { maxVersion: 'TLSv1.2' }), {
      ticketExt: EMPTY,
      sessionId: EMPTY,
    });
    expectTicketed(old);
    expectResumed(bench.connect(config, returning(old)), 'ticket');
  });
});
