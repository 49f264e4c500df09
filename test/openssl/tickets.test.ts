/** Stateless tickets in the façade: when they are made, what they say, who is asked, and their keys. */

import { expect } from 'chai';
import { ServerConnection } from '../../src/engine/server/server-connection.ts';
import { ContextTicketKeys } from '../../src/openssl/ticket-keys.ts';
import {
  SESS_CACHE_OFF,
  SSL_OP_NO_TICKET,
  SSL_TICKET_RETURN_IGNORE,
  SSL_TICKET_SUCCESS,
  SSL_TICKET_SUCCESS_RENEW,
  SslContext,
} from '../../src/openssl.ts';
import { Session } from '../../src/sessions/session.ts';
import type { TicketKey } from '../../src/tickets/key.ts';
import { TicketKeyRing } from '../../src/tickets/key-ring.ts';
import { concat, EMPTY, toHex } from '../../src/wire/bytes.ts';
import { exchange, ScriptedClient } from '../support/scripted-client.ts';
import { testServer, toyCrypto } from '../support/servers.ts';
import { TestWorld } from '../support/world.ts';
import { pass, VERSIONS } from './support.ts';
import {
  countTickets,
  FABRICATED_ID,
  keyCallback,
  keysOf,
  openWith,
  outcome,
  revisit,
  revisitWith,
  sealWith,
  ticketContext,
  ticketOf,
  visit,
  watchSessions,
  watchTickets,
} from './tickets-support.ts';

let world: TestWorld;

beforeEach(() => {
  world = new TestWorld(41);
});

const FULL = { 'TLSv1.2': 'full +1', 'TLSv1.3': 'full +2' } as const;
const RESUMED = { 'TLSv1.2': 'resumed +0', 'TLSv1.3': 'resumed +1' } as const;

describe('new and the internal cache, where tickets are stateless (§2.6)', () => {
  it('TLS 1.2, full, with a ticket: new is not called, nothing is cached, and the session has no id', () => {
    const ctx = ticketContext(world);
    const seen = watchSessions(ctx);
    const { ssl, client } = visit(ctx, 'TLSv1.2');
    expect([countTickets(client), seen.news, ctx.sessNumber()]).to.deep.equal([1, 0, 0]);
    expect(ssl.getSession()?.id).to.have.lengthOf(0);
    expect(client.serverHello?.legacySessionIdEcho).to.have.lengthOf(0);
  });

  it('TLS 1.2, full, a client without the extension: new once, and it is cached', () => {
    const ctx = ticketContext(world);
    const seen = watchSessions(ctx);
    ctx.setNewSessionCallback(() => {
      seen.news++;
      return 1;
    });
    visit(ctx, 'TLSv1.2', { ticketExt: false });
    expect([seen.news, ctx.sessNumber()]).to.deep.equal([1, 1]);
  });

  it('TLS 1.2, resumed by ticket or by id, with a renewed ticket or without: not called, no change', () => {
    const ctx = ticketContext(world);
    const byId = visit(ctx, 'TLSv1.2', { ticketExt: false });
    const byTicket = visit(ctx, 'TLSv1.2');
    const seen = watchSessions(ctx);
    expect(outcome(revisit(ctx, byTicket))).to.equal('resumed +0');
    expect(outcome(visit(ctx, 'TLSv1.2', { session: byId.client.session, ticketExt: false }))).to.equal('resumed +0');
    expect(outcome(visit(ctx, 'TLSv1.2', { session: byId.client.session, ticketExt: EMPTY }))).to.equal('resumed +1');
    const { callback } = keyCallback({ seal: 1, open: 2 });
    ctx.setTlsextTicketKeyCallback(callback);
    const other = visit(ctx, 'TLSv1.2');
    expect(outcome(revisit(ctx, other))).to.equal('resumed +1');
    expect([seen.news, ctx.sessNumber()]).to.deep.equal([0, 1]);
  });

  it('TLS 1.3, full: once for each ticket, and cached only where a remove callback is set', () => {
    for (const isCached of [false, true]) {
      const ctx = ticketContext(world);
      ctx.setNumTickets(3);
      let news = 0;
      ctx.setNewSessionCallback(() => {
        news++;
        return 1;
      });
      if (isCached) ctx.setRemoveSessionCallback(() => {});
      visit(ctx, 'TLSv1.3');
      expect([news, ctx.sessNumber()]).to.deep.equal([3, isCached ? 3 : 0]);
    }
  });

  it('TLS 1.3, resumed: once; not where there are no tickets, or the key callback has declined a new one', () => {
    const ctx = ticketContext(world);
    const first = visit(ctx, 'TLSv1.3');
    const seen = watchSessions(ctx);
    revisit(ctx, first);
    expect(seen.news).to.equal(1);
    ctx.setNumTickets(0);
    expect(outcome(revisit(ctx, first))).to.equal('resumed +0');
    ctx.setNumTickets(2);
    ctx.setTlsextTicketKeyCallback(keyCallback({ seal: 1, open: 1 }).callback);
    const other = visit(ctx, 'TLSv1.3');
    expect(seen.news).to.equal(3);
    expect(outcome(revisit(ctx, other))).to.equal('resumed +0');
    expect(seen.news).to.equal(3);
  });

  it('TLS 1.3, a ticket on demand: once, when it is written', () => {
    const ctx = ticketContext(world);
    const seen = watchSessions(ctx);
    const { ssl } = visit(ctx, 'TLSv1.3');
    ssl.newSessionTicket();
    expect(seen.news).to.equal(2);
    ssl.write(Uint8Array.of(1));
    expect(seen.news).to.equal(3);
  });

  it('TLS 1.3, the key callback answers 0: not called, nothing cached', () => {
    const ctx = ticketContext(world);
    const seen = watchSessions(ctx);
    ctx.setRemoveSessionCallback(() => {});
    ctx.setTlsextTicketKeyCallback(keyCallback({ seal: 0, open: 0 }).callback);
    expect(outcome(visit(ctx, 'TLSv1.3'))).to.equal('full +0');
    expect([seen.news, ctx.sessNumber()]).to.deep.equal([0, 0]);
  });

  for (const version of VERSIONS) {
    it(`${version}, mode off: not called, nothing cached; tickets are made and resume as ever`, () => {
      const ctx = ticketContext(world);
      ctx.setSessionCacheMode(SESS_CACHE_OFF);
      const seen = watchSessions(ctx);
      const first = visit(ctx, version);
      expect(outcome(first)).to.equal(FULL[version]);
      expect(outcome(revisit(ctx, first))).to.equal(RESUMED[version]);
      expect([seen.news, ctx.sessNumber()]).to.deep.equal([0, 0]);
    });

    it(`${version}, the session is ruled out: not called, and no ticket`, () => {
      const ctx = ticketContext(world);
      const seen = watchSessions(ctx);
      ctx.setNotResumableSessionCallback(() => 1);
      expect(outcome(visit(ctx, version))).to.equal('full +0');
      expect(seen.news).to.equal(0);
    });

    it(`${version}, the handshake fails: not called`, () => {
      const ctx = ticketContext(world);
      const seen = watchSessions(ctx);
      const { client, ssl } = visit(ctx, version, { stopBefore: 'finished' });
      client.sendAlert('internal_error');
      ssl.receive(client.take());
      expect([seen.news, ctx.sessNumber(), ssl.isInitFinished()]).to.deep.equal([0, 0, 0]);
    });
  }
});

describe('get, where tickets are stateless (§2.7)', () => {
  const offered = (ticketExt: Uint8Array | false) => ({ sessionId: FABRICATED_ID, ticketExt });

  it('TLS 1.2, an id and no ticket extension, or an empty one: one call, with the id', () => {
    for (const ticketExt of [false, EMPTY] as const) {
      const ctx = ticketContext(world);
      const seen = watchSessions(ctx);
      visit(ctx, 'TLSv1.2', offered(ticketExt));
      expect(seen.gets.map(toHex)).to.deep.equal([toHex(FABRICATED_ID)]);
    }
  });

  it('TLS 1.2, a ticket that is used: none; and the id beside it is echoed', () => {
    const ctx = ticketContext(world);
    const first = visit(ctx, 'TLSv1.2');
    const seen = watchSessions(ctx);
    const { ssl, client } = revisit(ctx, first);
    expect([ssl.sessionReused(), seen.gets.length, ctx.sessMisses()]).to.deep.equal([1, 0, 0]);
    expect(client.serverHello?.legacySessionIdEcho).to.deep.equal(FABRICATED_ID);
  });

  it('TLS 1.2, no id: none', () => {
    const ctx = ticketContext(world);
    const seen = watchSessions(ctx);
    visit(ctx, 'TLSv1.2', { ticketExt: EMPTY });
    expect(seen.gets).to.have.lengthOf(0);
  });

  it('TLS 1.2, a ticket of an unknown key, with a bad MAC, or with no session in it: none, although there is an id', () => {
    const ctx = ticketContext(world);
    const first = visit(ctx, 'TLSv1.2');
    const good = ticketOf(first);
    const keys = keysOf(ctx);
    const bad = [
      concat(new Uint8Array(16), good.subarray(16)),
      concat(good.subarray(0, -1), Uint8Array.of((good.at(-1) ?? 0) ^ 1)),
      sealWith(keys, new Uint8Array(100)),
    ];
    const seen = watchSessions(ctx);
    for (const ticket of bad) expect(outcome(revisitWith(ctx, first, ticket))).to.equal('full +1');
    expect([seen.gets.length, ctx.sessMisses()]).to.deep.equal([0, 0]);
  });

  it('TLS 1.2, a bad ticket beside the id of a cached session: that is not resumed', () => {
    const ctx = ticketContext(world);
    const byId = visit(ctx, 'TLSv1.2', { ticketExt: false });
    const { session } = byId.client;
    expect(outcome(visit(ctx, 'TLSv1.2', { session, ticketExt: new Uint8Array(100) }))).to.equal('full +1');
    expect(outcome(visit(ctx, 'TLSv1.2', { session, ticketExt: false }))).to.equal('resumed +0');
  });

  it('TLS 1.2, ignored by the ticket callback: none, where OpenSSL would look up the id (RFC 5077 §3.4)', () => {
    const ctx = ticketContext(world);
    const first = visit(ctx, 'TLSv1.2');
    const seen = watchSessions(ctx);
    watchTickets(ctx, SSL_TICKET_RETURN_IGNORE);
    revisit(ctx, first);
    revisitWith(ctx, first, new Uint8Array(100));
    expect(seen.gets).to.have.lengthOf(0);
  });

  it('TLS 1.3: never, whatever is offered', () => {
    const ctx = ticketContext(world);
    const first = visit(ctx, 'TLSv1.3');
    const seen = watchSessions(ctx);
    revisit(ctx, first);
    for (const length of [1, 31, 32, 33, 200]) revisitWith(ctx, first, new Uint8Array(length).fill(0x77));
    revisit(ctx, first, { keyShares: [] });
    expect([seen.gets.length, ctx.sessMisses(), ctx.sessHits()]).to.deep.equal([0, 0, 2]);
  });

  it('TLS 1.3 with SSL_OP_NO_TICKET: one call for each identity, until one is usable', () => {
    const ctx = ticketContext(world);
    ctx.setOptions(SSL_OP_NO_TICKET);
    const first = visit(ctx, 'TLSv1.3');
    const seen = watchSessions(ctx);
    const [known] = first.client.tickets;
    const unknown = [1, 2].map((fill) => ({ ...known, identity: new Uint8Array(32).fill(fill) }));
    const psks = [...unknown, known].map((psk) => psk as NonNullable<typeof known>);
    expect(visit(ctx, 'TLSv1.3', { psks }).ssl.sessionReused()).to.equal(1);
    expect(seen.gets).to.have.lengthOf(2);
  });
});

describe('SSL_CTX_remove_session', () => {
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    it(`does not stop a stateless ticket, ${version}`, () => {
      const ctx = ticketContext(world);
      const first = visit(ctx, version);
      expect(ctx.removeSession(first.ssl.getSession())).to.equal(0);
      expect(outcome(revisit(ctx, first))).to.equal(RESUMED[version]);
    });

    it(`stops a session under SSL_OP_NO_TICKET, ${version}`, () => {
      const ctx = ticketContext(world);
      ctx.setOptions(SSL_OP_NO_TICKET);
      const first = visit(ctx, version);
      for (const session of ctx.sessions()) expect(ctx.removeSession(session)).to.equal(1);
      expect(revisit(ctx, first).ssl.connection?.resumption.reason).to.equal('unknown');
    });
  }
});

describe('remove, where TLS 1.2 tickets are stateless (§2.8)', () => {
  for (const compat of [undefined, 'openssl-3'] as const) {
    it(`an unclean end of a resumed one tells nobody of the id that the client has made up${compat ? ', compat' : ''}`, () => {
      const ctx = ticketContext(world, { compat });
      const removed: string[] = [];
      ctx.setRemoveSessionCallback((_ctx, { id }) => removed.push(toHex(id)));
      const first = visit(ctx, 'TLSv1.2');
      revisit(ctx, first).ssl.free();
      expect(removed).to.deep.equal([]);
      expect(outcome(revisit(ctx, first))).to.equal('resumed +0');
    });

    it(`nor does it remove another's session that is cached under this id${compat ? ', compat' : ''}`, () => {
      const ctx = ticketContext(world, { compat });
      const victim = visit(ctx, 'TLSv1.2', { ticketExt: false });
      victim.ssl.shutdown();
      const first = visit(ctx, 'TLSv1.2');
      revisit(ctx, first, { sessionId: victim.client.session.id }).ssl.free();
      expect(outcome(visit(ctx, 'TLSv1.2', { session: victim.client.session }))).to.equal('resumed +0');
    });
  }
});

describe('NewSessionTicket (§5.2)', () => {
  const FORTNIGHT = 14 * 86400;

  it('TLS 1.2: the hint is the timeout, 14 days as they are', () => {
    for (const seconds of [300, FORTNIGHT]) {
      const ctx = ticketContext(world);
      ctx.setTimeout(seconds);
      expect(visit(ctx, 'TLSv1.2').client.ticketTls12?.ticketLifetimeHint).to.equal(seconds);
    }
  });

  it('TLS 1.2, N19: the hint is 0 with a ticket that comes on a resumption, by ticket or by id', () => {
    const ctx = ticketContext(world);
    const byId = visit(ctx, 'TLSv1.2', { ticketExt: false });
    const { session } = byId.client;
    const again = visit(ctx, 'TLSv1.2', { session, ticketExt: EMPTY });
    ctx.setTlsextTicketKeyCallback(keyCallback({ seal: 1, open: 2 }).callback);
    const renewed = revisit(ctx, visit(ctx, 'TLSv1.2'));
    for (const { client, ssl } of [again, renewed]) {
      expect(ssl.sessionReused()).to.equal(1);
      expect(client.ticketTls12?.ticketLifetimeHint).to.equal(0);
      expect(client.ticketTls12?.ticket).to.have.length.above(0);
    }
  });

  it('TLS 1.2: a renewed ticket has the session as it was made, as old as it is', () => {
    const ctx = ticketContext(world);
    ctx.setTimeout(100);
    ctx.setTlsextTicketKeyCallback(keyCallback({ seal: 1, open: 2 }).callback);
    const first = visit(ctx, 'TLSv1.2');
    world.advance(60);
    const second = revisit(ctx, first);
    expect(ticketOf(second)).not.to.deep.equal(ticketOf(first));
    world.advance(40);
    expect(outcome(revisit(ctx, second))).to.equal('resumed +1');
    world.advance(1);
    expect(outcome(revisit(ctx, second))).to.equal('full +1');
  });

  it('TLS 1.3: a lifetime of seven days at most, ages and nonces of 8 bytes that are never the same', () => {
    const ctx = ticketContext(world);
    ctx.setTimeout(FORTNIGHT);
    ctx.setNumTickets(4);
    const { tickets } = visit(ctx, 'TLSv1.3').client;
    expect(tickets.map(({ lifetime }) => lifetime)).to.deep.equal(Array(4).fill(7 * 86400));
    expect(tickets.map(({ nonce }) => toHex(nonce))).to.deep.equal([0, 1, 2, 3].map((i) => `000000000000000${i}`));
    expect(new Set(tickets.map(({ ageAdd }) => ageAdd))).to.have.lengthOf(4);
  });

  it('TLS 1.3: a ticket that could not be made counts for the nonces', () => {
    const ctx = ticketContext(world);
    const codes = { seal: 0, open: 0 };
    const { callback, calls } = keyCallback(codes);
    ctx.setTlsextTicketKeyCallback((ssl, keyName, iv, cipher, mac, enc) => {
      codes.seal = calls.length % 2;
      return callback(ssl, keyName, iv, cipher, mac, enc);
    });
    ctx.setNumTickets(4);
    const nonces = visit(ctx, 'TLSv1.3').client.tickets.map(({ nonce }) => nonce.at(-1));
    expect(nonces).to.deep.equal([1, 3]);
  });
});

describe('what comes of a ticket (§5.3)', () => {
  for (const version of VERSIONS) {
    const firstVisit = () => {
      const ctx = ticketContext(world);
      const first = visit(ctx, version);
      return { ctx, first, good: ticketOf(first), keys: keysOf(ctx) };
    };

    it(`${version}: a good one resumes, again and again`, () => {
      const { ctx, first } = firstVisit();
      for (let i = 0; i < 3; i++) expect(outcome(revisit(ctx, first))).to.equal(RESUMED[version]);
    });

    it(`${version}: one that node:crypto has made of the same session resumes`, () => {
      const { ctx, first, good, keys } = firstVisit();
      const plaintext = openWith(keys, good);
      expect(outcome(revisitWith(ctx, first, sealWith(keys, plaintext)))).to.equal(RESUMED[version]);
    });

    const bad: Readonly<Record<string, (good: Uint8Array, keys: ReturnType<typeof keysOf>) => Uint8Array>> = {
      'of 1 byte': () => Uint8Array.of(7),
      'of 31 bytes': (good) => good.subarray(0, 31),
      'of name and vector alone': (good) => good.subarray(0, 32),
      'of name, vector and MAC alone': (good) => concat(good.subarray(0, 32), good.subarray(-32)),
      'cut by a block': (good) => good.subarray(0, -16),
      'with a byte more': (good) => concat(good, Uint8Array.of(0)),
      'with another name': (good) => flipped(good, 15),
      'with another vector': (good) => flipped(good, 16),
      'with other content': (good) => flipped(good, 40),
      'with another MAC': (good) => flipped(good, good.length - 1),
      'with no padding under the MAC': (_good, keys) => sealWith(keys, new Uint8Array(160).fill(0xaa), false),
      'with no session in it': (_good, keys) => sealWith(keys, new Uint8Array(160)),
      'with nothing in it': (_good, keys) => sealWith(keys, EMPTY),
      'with a byte after the session': (good, keys) => sealWith(keys, concat(openWith(keys, good), Uint8Array.of(0))),
      'with a session cut short': (good, keys) => sealWith(keys, openWith(keys, good).subarray(0, -1)),
    };
    for (const [what, make] of Object.entries(bad)) {
      it(`${version}: one ${what} leads to a full handshake, and new tickets`, () => {
        const { ctx, first, good, keys } = firstVisit();
        const visited = revisitWith(ctx, first, make(good, keys));
        expect(outcome(visited)).to.equal(FULL[version]);
        expect(visited.ssl.getSession()?.secret).not.to.deep.equal(first.ssl.getSession()?.secret);
      });
    }

    it(`${version}: an expired one leads to a full handshake and new tickets, and counts as a timeout`, () => {
      const { ctx, first } = firstVisit();
      world.advance(7201);
      expect(outcome(revisit(ctx, first))).to.equal(FULL[version]);
      expect([ctx.sessTimeouts(), ctx.sessHits()]).to.deep.equal([1, 0]);
    });

    for (const open of [1, 2]) {
      it(`${version}: so it does where the key callback has answered ${open}: the client needs another`, () => {
        const ctx = ticketContext(world);
        ctx.setTlsextTicketKeyCallback(keyCallback({ seal: 1, open }).callback);
        const first = visit(ctx, version);
        world.advance(7201);
        expect(outcome(revisit(ctx, first))).to.equal(FULL[version]);
      });
    }

    it(`${version}: one made under another session id context leads to a full handshake and new tickets`, () => {
      const { ctx, first } = firstVisit();
      ctx.setSessionIdContext(Uint8Array.of(1));
      expect(outcome(revisit(ctx, first))).to.equal(FULL[version]);
    });

    it(`${version}: under the context's own keys an opened one is ${version === 'TLSv1.3' ? 'SUCCESS_RENEW' : 'SUCCESS'}`, () => {
      const { ctx, first } = firstVisit();
      const { statuses } = watchTickets(ctx, 3);
      revisit(ctx, first);
      expect(statuses).to.deep.equal([version === 'TLSv1.3' ? SSL_TICKET_SUCCESS_RENEW : SSL_TICKET_SUCCESS]);
    });
  }

  it('TLS 1.2: the id that the client sends is echoed, byte for byte and at any length', () => {
    const ctx = ticketContext(world);
    const first = visit(ctx, 'TLSv1.2');
    for (let length = 1; length <= 32; length++) {
      const sessionId = Uint8Array.from({ length }, (_, i) => 0xff - i);
      const { client, ssl } = revisit(ctx, first, { sessionId });
      expect(ssl.sessionReused()).to.equal(1);
      expect(client.serverHello?.legacySessionIdEcho).to.deep.equal(sessionId);
      expect(ssl.getSession()?.id).to.deep.equal(sessionId);
    }
  });
});

describe('how many tickets (§5.6)', () => {
  it('TLS 1.3: after a full handshake as many as are set, after a resumption one of them', () => {
    for (const numTickets of [0, 1, 2, 5]) {
      const ctx = ticketContext(world);
      const first = visit(ctx, 'TLSv1.3');
      ctx.setNumTickets(numTickets);
      expect(outcome(visit(ctx, 'TLSv1.3'))).to.equal(`full +${numTickets}`);
      expect(outcome(revisit(ctx, first))).to.equal(`resumed +${Math.min(1, numTickets)}`);
    }
  });

  it('a connection has its own number', () => {
    const ctx = ticketContext(world);
    const { ssl } = visit(ctx, 'TLSv1.3');
    ssl.clear();
    ssl.setNumTickets(1);
    expect(ctx.getNumTickets()).to.equal(2);
  });

  it('TLS 1.2: one, whatever the number is', () => {
    const ctx = ticketContext(world);
    ctx.setNumTickets(5);
    expect(outcome(visit(ctx, 'TLSv1.2'))).to.equal('full +1');
    ctx.setNumTickets(0);
    expect(outcome(visit(ctx, 'TLSv1.2'))).to.equal('full +1');
  });

  it('N10: a suite with another hash leads to a full handshake, and to tickets (as in OpenSSL since 3.5.7)', () => {
    const ctx = ticketContext(world);
    const first = visit(ctx, 'TLSv1.3', { ciphers: ['TLS_AES_256_GCM_SHA384'] });
    const second = revisit(ctx, first, { ciphers: ['TLS_AES_128_GCM_SHA256'] });
    expect(outcome(second)).to.equal('full +2');
    expect(second.ssl.connection?.resumption.reason).to.equal('hash');
  });

  it('SSL_new_session_ticket: 0 in TLS 1.2, before the handshake is complete, after the end, and where tickets are off', () => {
    const ctx = ticketContext(world);
    expect(visit(ctx, 'TLSv1.2').ssl.newSessionTicket()).to.equal(0);
    expect(visit(ctx, 'TLSv1.3', { stopBefore: 'finished' }).ssl.newSessionTicket()).to.equal(0);
    const { ssl } = visit(ctx, 'TLSv1.3');
    ssl.shutdown();
    expect(ssl.newSessionTicket()).to.equal(0);
    const off = ticketContext(world, { tickets: { mode: 'off' } });
    const established = visit(off, 'TLSv1.3');
    expect([established.ssl.isInitFinished(), established.ssl.newSessionTicket()]).to.deep.equal([1, 0]);
    expect(established.ssl.write(Uint8Array.of(1))).to.equal(1);
  });

  it('SSL_new_session_ticket: 1 only where one will go out', () => {
    const ctx = ticketContext(world);
    ctx.setNumTickets(0);
    expect(visit(ctx, 'TLSv1.3', { pskModes: false }).ssl.newSessionTicket()).to.equal(0);
    expect(visit(ctx, 'TLSv1.3', { pskModes: ['psk_ke'] }).ssl.newSessionTicket()).to.equal(0);
    const { ssl, client } = visit(ctx, 'TLSv1.3');
    client.close();
    ssl.receive(client.take());
    expect(ssl.newSessionTicket()).to.equal(1);
    ssl.write(Uint8Array.of(1));
    client.receive(ssl.take());
    expect(client.tickets).to.have.lengthOf(1);
    ctx.setNotResumableSessionCallback(() => 1);
    expect(visit(ctx, 'TLSv1.3').ssl.newSessionTicket()).to.equal(0);
  });

  it('SSL_new_session_ticket: whatever the number is, with the next SSL_accept too, and each resumes', () => {
    const ctx = ticketContext(world);
    ctx.setNumTickets(0);
    const { ssl, client } = visit(ctx, 'TLSv1.3');
    expect(ssl.newSessionTicket()).to.equal(1);
    expect(ssl.take()).to.have.lengthOf(0);
    ssl.accept();
    client.receive(ssl.take());
    expect(client.tickets).to.have.lengthOf(1);
    expect(outcome(revisit(ctx, { client }))).to.equal('resumed +0');
    ssl.accept();
    expect(ssl.take()).to.have.lengthOf(0);
  });

  it('SSL_new_session_ticket: what is due is forgotten with the connection', () => {
    const ctx = ticketContext(world);
    const { ssl } = visit(ctx, 'TLSv1.3');
    ssl.newSessionTicket();
    ssl.clear();
    expect(ssl.newSessionTicket()).to.equal(0);
    const { client } = pass({ client: new ScriptedClient({ sni: 'localhost', crypto: toyCrypto }), ssl });
    ssl.write(Uint8Array.of(1));
    client.receive(ssl.take());
    expect([client.data.length, client.tickets.length]).to.deep.equal([1, 2]);
  });

  it('SSL_new_session_ticket: none for a session that is ruled out', () => {
    const ctx = ticketContext(world);
    const seen = watchSessions(ctx);
    ctx.setNotResumableSessionCallback(() => 1);
    const { ssl, client } = visit(ctx, 'TLSv1.3');
    ssl.newSessionTicket();
    ssl.write(Uint8Array.of(1));
    client.receive(ssl.take());
    expect([countTickets(client), seen.news]).to.deep.equal([0, 0]);
    expect(client.data).to.deep.equal(Uint8Array.of(1));
  });
});

describe('SSL_OP_NO_TICKET (§5.7)', () => {
  it('TLS 1.2: the extension is ignored, none is issued, and sessions go by their ids', () => {
    const ctx = ticketContext(world);
    const ticketed = visit(ctx, 'TLSv1.2');
    ctx.setOptions(SSL_OP_NO_TICKET);
    expect(outcome(revisit(ctx, ticketed))).to.equal('full +0');
    const byId = visit(ctx, 'TLSv1.2');
    expect(outcome(byId)).to.equal('full +0');
    expect(outcome(visit(ctx, 'TLSv1.2', { session: byId.client.session }))).to.equal('resumed +0');
  });

  it('TLS 1.3: a ticket is an id of 32 bytes; stateless ones are not opened', () => {
    const ctx = ticketContext(world);
    const stateless = visit(ctx, 'TLSv1.3');
    ctx.setOptions(SSL_OP_NO_TICKET);
    expect(outcome(revisit(ctx, stateless))).to.equal('full +2');
    const stateful = visit(ctx, 'TLSv1.3');
    expect(stateful.client.tickets.map(({ identity }) => identity.length)).to.deep.equal([32, 32]);
    expect(outcome(revisit(ctx, stateful))).to.equal('resumed +1');
    ctx.clearOptions(SSL_OP_NO_TICKET);
    expect(outcome(revisit(ctx, stateful))).to.equal('full +2');
    expect(outcome(revisit(ctx, stateless))).to.equal('resumed +1');
  });

  it('a connection has copied it', () => {
    const ctx = ticketContext(world);
    const { ssl } = visit(ctx, 'TLSv1.3');
    ssl.setOptions(SSL_OP_NO_TICKET);
    expect([ssl.getOptions(), ctx.getOptions()]).to.deep.equal([SSL_OP_NO_TICKET, 0]);
  });

  it("tickets.mode 'off' remains off; 'stateful' does not count", () => {
    for (const version of VERSIONS) {
      const off = ticketContext(world, { tickets: { mode: 'off' } });
      const first = visit(off, version);
      expect(outcome(first)).to.equal('full +0');
      const on = ticketContext(world, { tickets: { mode: 'stateful' } });
      expect(outcome(visit(on, version))).to.equal(FULL[version]);
    }
  });
});

describe('SSL_CTX_get_tlsext_ticket_keys(3), SSL_CTX_set_tlsext_ticket_keys(3)', () => {
  const bytesOf = (ctx: SslContext) => ctx.getTlsextTicketKeys() ?? EMPTY;

  it('80 bytes, another 80 for each context, and the same each time', () => {
    const [one, other] = [ticketContext(world), ticketContext(world)];
    expect(bytesOf(one)).to.have.lengthOf(80);
    expect(bytesOf(one)).to.deep.equal(bytesOf(one));
    expect(bytesOf(one)).not.to.deep.equal(bytesOf(other));
  });

  for (const version of VERSIONS) {
    it(`${version}: name, HMAC key, AES key, with which node:crypto opens a ticket: the session in DER, and nothing else`, () => {
      const ctx = ticketContext(world);
      const visited = visit(ctx, version);
      const plaintext = openWith(keysOf(ctx), ticketOf(visited));
      const session = Session.fromDer(plaintext);
      expect(session.toDer()).to.deep.equal(plaintext);
      expect([session.version, session.serverName]).to.deep.equal([version, 'localhost']);
    });

    it(`${version}: a ticket is good in another context with the same keys, and in none with others`, () => {
      const [one, same, other] = [ticketContext(world), ticketContext(world), ticketContext(world)];
      expect(same.setTlsextTicketKeys(bytesOf(one))).to.equal(1);
      const first = visit(one, version);
      expect(outcome(revisit(same, first))).to.equal(RESUMED[version]);
      expect(outcome(revisit(other, first))).to.equal(FULL[version]);
    });

    it(`${version}: with new keys the tickets before are no good any more`, () => {
      const ctx = ticketContext(world);
      const first = visit(ctx, version);
      const before = bytesOf(ctx);
      ctx.setTlsextTicketKeys(bytesOf(ticketContext(world)));
      const second = revisit(ctx, first);
      expect(outcome(second)).to.equal(FULL[version]);
      ctx.setTlsextTicketKeys(before);
      expect(outcome(revisit(ctx, first))).to.equal(RESUMED[version]);
    });
  }

  it('another length than 80: 0, and nothing changes', () => {
    const ctx = ticketContext(world);
    const before = bytesOf(ctx);
    for (const length of [0, 48, 79, 81]) expect(ctx.setTlsextTicketKeys(world.randomBytes(length))).to.equal(0);
    expect(bytesOf(ctx)).to.deep.equal(before);
  });

  it('keys that can be guessed are refused, and nothing changes', () => {
    const ctx = ticketContext(world);
    const before = bytesOf(ctx);
    expect(() => ctx.setTlsextTicketKeys(new Uint8Array(80))).to.throw('not random');
    expect(bytesOf(ctx)).to.deep.equal(before);
  });

  it('what is set is copied, and what is answered is a copy', () => {
    const ctx = ticketContext(world);
    const keys = bytesOf(ticketContext(world));
    const hex = toHex(keys);
    ctx.setTlsextTicketKeys(keys);
    keys.fill(0);
    bytesOf(ctx).fill(0);
    expect(toHex(bytesOf(ctx))).to.equal(hex);
  });

  it('tickets.keys of the server are used instead, until others are set', () => {
    const keys = TicketKeyRing.rotating(world);
    const ctx = ticketContext(world, { tickets: { mode: 'stateless', keys } });
    expect(ctx.getTlsextTicketKeys()).to.equal(null);
    const first = visit(ctx, 'TLSv1.3');
    expect(toHex(ticketOf(first).subarray(0, 16))).to.equal(keys.keys[0]?.name);
    expect(revisit(ctx, first).ssl.connection?.verdicts[0]?.ticket?.phase).to.equal('encrypt');
    expect(ctx.setTlsextTicketKeys(bytesOf(ticketContext(world)))).to.equal(1);
    expect(outcome(revisit(ctx, first))).to.equal('full +2');
    expect(keys.keys).to.have.lengthOf(1);
  });

  it("a server whose tickets are stateless, but with no keys of the user's: the context draws its own", () => {
    const ctx = ticketContext(world, { tickets: { mode: 'stateless' } });
    expect(openWith(keysOf(ctx), ticketOf(visit(ctx, 'TLSv1.3')))).to.have.length.above(100);
  });

  it('a server that leads to a context: one with tickets.keys brings them along, any other has those of the server', () => {
    const [server, own] = [TicketKeyRing.rotating(world), TicketKeyRing.rotating(world)];
    for (const tickets of [undefined, { mode: 'stateless', keys: own }] as const) {
      const ctx = ticketContext(world, { tickets });
      const config = testServer({
        world,
        crypto: toyCrypto,
        tickets: { mode: 'stateless', keys: server },
        onServerName: () => ctx.config,
      });
      const { client } = exchange(new ScriptedClient({ crypto: toyCrypto }), new ServerConnection(config));
      const { keys } = tickets ?? { keys: server };
      expect(toHex(ticketOf({ client }).subarray(0, 16))).to.equal(keys.keys[0]?.name);
    }
  });

  it('keys that are replaced are overwritten, those of the user are not', () => {
    const defined = TicketKeyRing.rotating(world);
    const info = { serverName: undefined, version: undefined };
    const keys = new ContextTicketKeys((length) => world.randomBytes(length), defined);
    const [first] = [keys.sealingKey(info)] as TicketKey[];
    keys.import(bytesOf(ticketContext(world)));
    const [second] = [keys.sealingKey(info)] as TicketKey[];
    keys.import(bytesOf(ticketContext(world)));
    expect([first?.isDestroyed, second?.isDestroyed]).to.deep.equal([false, true]);
    const [third] = [keys.sealingKey(info)] as TicketKey[];
    keys.close();
    expect(third?.isDestroyed).to.equal(true);
  });

  it('what a verdict says of a ticket: its key, and that it is the one in use', () => {
    const ctx = ticketContext(world);
    const first = visit(ctx, 'TLSv1.3');
    expect(revisit(ctx, first).ssl.connection?.verdicts[0]?.ticket).to.deep.equal({
      keyName: toHex(keysOf(ctx).name),
      format: 'aes-256-cbc-hmac-sha256',
      phase: 'encrypt',
      failure: undefined,
    });
  });

  it('the last free of the context is the end of its keys', () => {
    const ctx = ticketContext(world);
    expect(bytesOf(ctx)).to.have.lengthOf(80);
    ctx.free();
    expect(ctx.getTlsextTicketKeys()).to.equal(null);
  });

  it('callbacks of the server are refused: the context is given them', () => {
    for (const name of ['onGenerate', 'onDecrypt'] as const) {
      const server = testServer({ world, crypto: toyCrypto, tickets: { [name]: () => undefined } });
      expect(() => new SslContext(server)).to.throw(TypeError, `tickets.${name}`);
    }
  });
});

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  return bytes.map((byte, i) => (i === at ? byte ^ 1 : byte));
}
