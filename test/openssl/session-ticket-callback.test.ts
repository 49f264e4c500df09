/** SSL_CTX_set_session_ticket_cb(3): every status with every answer, in both versions (§5.5). */

import { expect } from 'chai';
import * as openssl from '../../src/openssl.ts';
import {
  SSL_OP_NO_TICKET,
  SSL_SESSION_get_ticket_lifetime_hint,
  SSL_SESSION_get0_ticket,
  SSL_SESSION_get0_ticket_appdata,
  SSL_SESSION_has_ticket,
  SSL_SESSION_set1_ticket_appdata,
  type SslContext,
} from '../../src/openssl.ts';
import type { Session } from '../../src/sessions/session.ts';
import { ascii, EMPTY, fromHex, toHex } from '../../src/wire/bytes.ts';
import { TestWorld } from '../support/world.ts';
import { VERSIONS } from './support.ts';
import {
  FABRICATED_ID,
  keyCallback,
  outcome,
  revisit,
  revisitWith,
  settle,
  ticketContext,
  ticketOf,
  visit,
  watchSessions,
  watchTickets,
} from './tickets-support.ts';

const { SSL_TICKET_EMPTY: EMPTY_TICKET, SSL_TICKET_NO_DECRYPT: NO_DECRYPT } = openssl;
const { SSL_TICKET_SUCCESS: SUCCESS, SSL_TICKET_SUCCESS_RENEW: SUCCESS_RENEW } = openssl;
const ANSWERS = {
  ABORT: openssl.SSL_TICKET_RETURN_ABORT,
  IGNORE: openssl.SSL_TICKET_RETURN_IGNORE,
  IGNORE_RENEW: openssl.SSL_TICKET_RETURN_IGNORE_RENEW,
  USE: openssl.SSL_TICKET_RETURN_USE,
  USE_RENEW: openssl.SSL_TICKET_RETURN_USE_RENEW,
  'what is none': 99,
} as const;
type Answer = keyof typeof ANSWERS;

let world: TestWorld;
let ctx: SslContext;

beforeEach(() => {
  world = new TestWorld(47);
  ctx = ticketContext(world);
});

it("SSL_TICKET_…: the numbers are OpenSSL's", () => {
  expect(openssl).to.include({
    SSL_TICKET_FATAL_ERR_MALLOC: 0,
    SSL_TICKET_FATAL_ERR_OTHER: 1,
    SSL_TICKET_NONE: 2,
    SSL_TICKET_EMPTY: 3,
    SSL_TICKET_NO_DECRYPT: 4,
    SSL_TICKET_SUCCESS: 5,
    SSL_TICKET_SUCCESS_RENEW: 6,
    SSL_TICKET_RETURN_ABORT: 0,
    SSL_TICKET_RETURN_IGNORE: 1,
    SSL_TICKET_RETURN_IGNORE_RENEW: 2,
    SSL_TICKET_RETURN_USE: 3,
    SSL_TICKET_RETURN_USE_RENEW: 4,
  });
});

const FATAL = 'internal_error';

describe('dec_cb, TLS 1.2 (§5.5)', () => {
  const expected: Readonly<Record<'EMPTY' | 'NO_DECRYPT' | 'SUCCESS', Readonly<Record<Answer, string>>>> = {
    EMPTY: {
      ABORT: FATAL,
      IGNORE: 'full +0',
      IGNORE_RENEW: 'full +1',
      USE: FATAL,
      USE_RENEW: FATAL,
      'what is none': FATAL,
    },
    NO_DECRYPT: {
      ABORT: FATAL,
      IGNORE: 'full +0',
      IGNORE_RENEW: 'full +1',
      USE: FATAL,
      USE_RENEW: FATAL,
      'what is none': FATAL,
    },
    SUCCESS: {
      ABORT: FATAL,
      IGNORE: 'full +0',
      IGNORE_RENEW: 'full +1',
      USE: 'resumed +0',
      USE_RENEW: 'resumed +1',
      'what is none': FATAL,
    },
  };

  for (const answer of Object.keys(ANSWERS) as Answer[]) {
    it(`EMPTY, ${answer}: ${expected.EMPTY[answer]}`, () => {
      const { statuses } = watchTickets(ctx, ANSWERS[answer]);
      expect(outcome(visit(ctx, 'TLSv1.2'))).to.equal(expected.EMPTY[answer]);
      expect(statuses).to.deep.equal([EMPTY_TICKET]);
    });

    it(`NO_DECRYPT, ${answer}: ${expected.NO_DECRYPT[answer]}; the id beside it is not looked up`, () => {
      const first = visit(ctx, 'TLSv1.2');
      const seen = watchSessions(ctx);
      const { statuses } = watchTickets(ctx, ANSWERS[answer]);
      expect(outcome(revisitWith(ctx, first, new Uint8Array(100)))).to.equal(expected.NO_DECRYPT[answer]);
      expect(statuses).to.deep.equal([NO_DECRYPT]);
      expect(seen.gets).to.have.lengthOf(0);
    });

    for (const open of [1, 2] as const) {
      const status = open === 2 ? 'SUCCESS_RENEW' : 'SUCCESS';
      it(`${status}, ${answer}: ${expected.SUCCESS[answer]}; the id beside it is not looked up`, () => {
        ctx.setTlsextTicketKeyCallback(keyCallback({ seal: 1, open }).callback);
        const first = visit(ctx, 'TLSv1.2');
        const seen = watchSessions(ctx);
        const { statuses } = watchTickets(ctx, ANSWERS[answer]);
        expect(outcome(revisit(ctx, first))).to.equal(expected.SUCCESS[answer]);
        expect(statuses).to.deep.equal([open === 2 ? SUCCESS_RENEW : SUCCESS]);
        expect(seen.gets).to.have.lengthOf(0);
      });
    }
  }

  for (const answer of ['IGNORE', 'IGNORE_RENEW'] as const) {
    it(`EMPTY, ${answer}: the id is looked up, and resumes`, () => {
      const { session } = visit(ctx, 'TLSv1.2', { ticketExt: false }).client;
      watchTickets(ctx, ANSWERS[answer]);
      const visited = visit(ctx, 'TLSv1.2', { session, ticketExt: EMPTY });
      expect(outcome(visited)).to.equal(answer === 'IGNORE' ? 'resumed +0' : 'resumed +1');
    });
  }

  it('N17: IGNORE of a good ticket beside the id of a cached session: that is not resumed (RFC 5077 §3.4)', () => {
    const { session } = visit(ctx, 'TLSv1.2', { ticketExt: false }).client;
    const ticketed = visit(ctx, 'TLSv1.2');
    watchTickets(ctx, ANSWERS.IGNORE);
    expect(outcome(visit(ctx, 'TLSv1.2', { session, ticketExt: ticketOf(ticketed) }))).to.equal('full +0');
  });

  it('is not asked where there is no ticket extension', () => {
    const { statuses } = watchTickets(ctx, ANSWERS.ABORT);
    expect(outcome(visit(ctx, 'TLSv1.2', { ticketExt: false }))).to.equal('full +0');
    expect(statuses).to.deep.equal([]);
  });
});

describe('dec_cb, TLS 1.3 (§5.5)', () => {
  const expected: Readonly<Record<'NO_DECRYPT' | 'SUCCESS', Readonly<Record<Answer, string>>>> = {
    NO_DECRYPT: {
      ABORT: FATAL,
      IGNORE: 'full +0',
      IGNORE_RENEW: 'full +2',
      USE: FATAL,
      USE_RENEW: FATAL,
      'what is none': FATAL,
    },
    SUCCESS: {
      ABORT: FATAL,
      IGNORE: 'full +0',
      IGNORE_RENEW: 'full +2',
      USE: 'resumed +0',
      USE_RENEW: 'resumed +1',
      'what is none': FATAL,
    },
  };

  for (const answer of Object.keys(ANSWERS) as Answer[]) {
    it(`NO_DECRYPT, ${answer}: ${expected.NO_DECRYPT[answer]}`, () => {
      const first = visit(ctx, 'TLSv1.3');
      const { statuses } = watchTickets(ctx, ANSWERS[answer]);
      expect(outcome(revisitWith(ctx, first, new Uint8Array(100)))).to.equal(expected.NO_DECRYPT[answer]);
      expect(statuses).to.deep.equal([NO_DECRYPT]);
    });

    for (const open of [1, 2] as const) {
      it(`${open === 2 ? 'SUCCESS_RENEW' : 'SUCCESS'}, ${answer}: ${expected.SUCCESS[answer]}`, () => {
        ctx.setTlsextTicketKeyCallback(keyCallback({ seal: 1, open }).callback);
        const first = visit(ctx, 'TLSv1.3');
        const { statuses } = watchTickets(ctx, ANSWERS[answer]);
        expect(outcome(revisit(ctx, first))).to.equal(expected.SUCCESS[answer]);
        expect(statuses).to.deep.equal([open === 2 ? SUCCESS_RENEW : SUCCESS]);
      });
    }
  }

  it('IGNORE has the next identity looked at', () => {
    const { client } = visit(ctx, 'TLSv1.3');
    let asked = 0;
    watchTickets(ctx, () => (++asked === 1 ? ANSWERS.IGNORE : ANSWERS.USE_RENEW));
    const visited = visit(ctx, 'TLSv1.3', { psks: client.tickets });
    expect(outcome(visited)).to.equal('resumed +1');
    expect(visited.ssl.connection?.resumption.identityIndex).to.equal(1);
  });

  it('after a HelloRetryRequest: asked once', () => {
    const first = visit(ctx, 'TLSv1.3');
    const { statuses } = watchTickets(ctx, ANSWERS.USE_RENEW);
    expect(outcome(revisit(ctx, first, { keyShares: [] }))).to.equal('resumed +1');
    expect(statuses).to.deep.equal([SUCCESS_RENEW]);
  });

  it('N20: is not asked about stateful tickets; gen_cb is, before each', () => {
    ctx.setOptions(SSL_OP_NO_TICKET);
    const seen = watchTickets(ctx, ANSWERS.ABORT);
    const first = visit(ctx, 'TLSv1.3');
    expect(outcome(revisit(ctx, first))).to.equal('resumed +1');
    expect(seen).to.deep.equal({ gens: 3, statuses: [] });
  });
});

for (const version of VERSIONS) {
  const full = version === 'TLSv1.2' ? 1 : 2;

  describe(`gen_cb and dec_cb, ${version}`, () => {
    it('gen_cb is called before each ticket; what it puts into the session, dec_cb finds there, byte for byte', () => {
      const data = fromHex('00ff0102417070004461746180');
      const told: string[] = [];
      let gens = 0;
      ctx.setSessionTicketCallback(
        (ssl) => {
          gens++;
          return SSL_SESSION_set1_ticket_appdata(ssl.getSession() as Session, data);
        },
        (_ssl, session) => {
          told.push(session === null ? 'none' : toHex(SSL_SESSION_get0_ticket_appdata(session)));
          return session === null ? ANSWERS.IGNORE_RENEW : ANSWERS.USE;
        },
      );
      const first = visit(ctx, version);
      expect(gens).to.equal(full);
      expect(outcome(revisit(ctx, first))).to.equal('resumed +0');
      expect(told).to.deep.equal(version === 'TLSv1.2' ? ['none', toHex(data)] : [toHex(data)]);
    });

    it('the session that gen_cb sees is the one of the ticket', () => {
      const seen: (Session | null)[] = [];
      const announced: Session[] = [];
      ctx.setNewSessionCallback((_ssl, session) => announced.push(session));
      ctx.setSessionTicketCallback((ssl) => seen.push(ssl.getSession()), null);
      const { ssl } = visit(ctx, version);
      if (version === 'TLSv1.3') expect(seen).to.deep.equal(announced);
      expect(seen).to.have.lengthOf(full);
      expect(seen.at(-1)).to.equal(ssl.getSession());
    });

    it('application data go on to the tickets that follow on a resumption', () => {
      let isFirst = true;
      ctx.setSessionTicketCallback(
        (ssl) => {
          if (isFirst) SSL_SESSION_set1_ticket_appdata(ssl.getSession() as Session, ascii('kept'));
          return 1;
        },
        (_ssl, session) => (session === null ? ANSWERS.IGNORE_RENEW : ANSWERS.USE_RENEW),
      );
      const first = visit(ctx, version);
      isFirst = false;
      const third = revisit(ctx, revisit(ctx, first));
      const session = third.ssl.connection?.resumption.session as Session;
      expect(SSL_SESSION_get0_ticket_appdata(session)).to.deep.equal(ascii('kept'));
    });

    for (const [what, generate] of [
      ['answers 0', () => 0],
      ['answers 0 later', () => Promise.resolve(0)],
    ] as const) {
      it(`gen_cb ${what}: fatal internal_error`, async () => {
        ctx.setSessionTicketCallback(generate, null);
        const { client, ssl } = visit(ctx, version);
        for (let i = 0; i < 20; i++) await Promise.resolve();
        const output = ssl.take();
        if (output.length > 0) client.receive(output);
        expect(client.alert?.name).to.equal(FATAL);
      });
    }

    it('gen_cb that throws costs the ticket, dec_cb the resumption: C has no such case', () => {
      const throws = () => {
        throw new Error('of the user');
      };
      ctx.setSessionTicketCallback(throws, null);
      const without = visit(ctx, version);
      expect(without.ssl.connection?.isEstablished).to.equal(true);
      expect(without.client.tickets.length + (without.client.ticketTls12?.ticket.length ?? 0)).to.equal(0);
      ctx.setSessionTicketCallback(null, null);
      const first = visit(ctx, version);
      ctx.setSessionTicketCallback(null, throws);
      const second = revisit(ctx, first);
      expect(second.client.isEstablished).to.equal(true);
      expect(second.client.isResumed).to.equal(false);
    });

    it('both may answer later; the session stays the one of the ticket until then', async () => {
      const seen: (Session | null)[] = [];
      ctx.setSessionTicketCallback(
        async (ssl) => {
          await Promise.resolve();
          return SSL_SESSION_set1_ticket_appdata(ssl.getSession() as Session, ascii('late'));
        },
        async (_ssl, session) => {
          await Promise.resolve();
          seen.push(session);
          return session === null ? ANSWERS.IGNORE_RENEW : ANSWERS.USE;
        },
      );
      const first = visit(ctx, version);
      await settle(first);
      expect(outcome(first)).to.equal(`full +${full}`);
      first.ssl.clear();
      expect(first.ssl.getSession()).to.equal(null);
      const second = revisit(ctx, first);
      await settle(second);
      expect(outcome(second)).to.equal('resumed +0');
      expect(SSL_SESSION_get0_ticket_appdata(seen.at(-1) as Session)).to.deep.equal(ascii('late'));
    });

    it('dec_cb is told the name of the key: 16 bytes, fewer where the ticket has fewer, and no session where there is none', () => {
      const first = visit(ctx, version);
      const told: string[] = [];
      ctx.setSessionTicketCallback(null, (_ssl, session, keyName) => {
        told.push(`${toHex(keyName)} ${session === null ? 'none' : session.version}`);
        return session === null ? ANSWERS.IGNORE_RENEW : ANSWERS.USE;
      });
      const ticket = ticketOf(first);
      revisit(ctx, first);
      const others = [ticket.subarray(0, 60), ticket.subarray(0, 20), ticket.subarray(0, 5)];
      for (const other of others) revisitWith(ctx, first, other);
      const name = toHex(ticket.subarray(0, 16));
      expect(told).to.deep.equal([`${name} ${version}`, `${name} none`, `${name} none`, `${name.slice(0, 10)} none`]);
    });

    it('dec_cb says USE of a session that may not be resumed: a full handshake, and new tickets', () => {
      const first = visit(ctx, version);
      watchTickets(ctx, (_ssl, session) => (session === null ? ANSWERS.IGNORE_RENEW : ANSWERS.USE));
      world.advance(7201);
      expect(outcome(revisit(ctx, first))).to.equal(`full +${full}`);
    });

    it('null for both: nobody is asked', () => {
      const seen = watchTickets(ctx, ANSWERS.ABORT);
      expect(ctx.setSessionTicketCallback(null, null)).to.equal(1);
      const first = visit(ctx, version);
      expect(revisit(ctx, first).ssl.sessionReused()).to.equal(1);
      expect(seen).to.deep.equal({ gens: 0, statuses: [] });
    });
  });
}

describe('SSL_SESSION and tickets', () => {
  it('application data: set to be read, up to 65535 bytes', () => {
    const { ssl } = visit(ctx, 'TLSv1.3');
    const session = ssl.getSession() as Session;
    expect(SSL_SESSION_get0_ticket_appdata(session)).to.have.lengthOf(0);
    expect(SSL_SESSION_set1_ticket_appdata(session, new Uint8Array(65535).fill(7))).to.equal(1);
    expect(SSL_SESSION_get0_ticket_appdata(session)).to.deep.equal(new Uint8Array(65535).fill(7));
    expect(() => SSL_SESSION_set1_ticket_appdata(session, new Uint8Array(65536))).to.throw(RangeError);
  });

  it("a server's session has no ticket; a client's has, with its hint", () => {
    const session = visit(ctx, 'TLSv1.3').ssl.getSession() as Session;
    expect(SSL_SESSION_has_ticket(session)).to.equal(0);
    expect(SSL_SESSION_get0_ticket(session)).to.equal(null);
    expect(SSL_SESSION_get_ticket_lifetime_hint(session)).to.equal(0);
    const clients = session.dup({ foreign: { ticket: FABRICATED_ID, ticketLifetimeHint: 300 } });
    const read = openssl.d2i_SSL_SESSION(openssl.i2d_SSL_SESSION(clients));
    expect(SSL_SESSION_has_ticket(read)).to.equal(1);
    expect(SSL_SESSION_get0_ticket(read)).to.deep.equal(FABRICATED_ID);
    expect(SSL_SESSION_get_ticket_lifetime_hint(read)).to.equal(300);
  });
});
