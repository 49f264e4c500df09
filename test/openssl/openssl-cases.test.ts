/** What OpenSSL's own tests of tickets check, by their numbers in the behaviour list that this project goes by. */

import { expect } from 'chai';
import {
  SESS_CACHE_BOTH,
  SSL_OP_ALLOW_NO_DHE_KEX,
  SSL_OP_NO_TICKET,
  SSL_OP_NO_TLSv1_2,
  SSL_OP_NO_TLSv1_3,
  SSL_SESSION_get0_ticket_appdata,
  SSL_SESSION_set1_ticket_appdata,
  SSL_TICKET_EMPTY,
  SSL_TICKET_RETURN_IGNORE_RENEW,
  SSL_TICKET_RETURN_USE,
  type SslContext,
} from '../../src/openssl.ts';
import type { Session } from '../../src/sessions/session.ts';
import { ascii, EMPTY } from '../../src/wire/bytes.ts';
import { ExtensionType, type Version } from '../../src/wire/registry.ts';
import type { ClientOptions, ScriptedClient } from '../support/scripted-client.ts';
import { withoutExtension } from '../support/scripted-hello.ts';
import { TestWorld } from '../support/world.ts';
import { again, connect, context, VERSIONS } from './support.ts';
import {
  countTickets,
  FABRICATED_ID,
  keyCallback,
  outcome,
  revisit,
  ticketContext,
  ticketOf,
  visit,
  watchSessions,
  watchTickets,
} from './tickets-support.ts';

let world: TestWorld;
let ctx: SslContext;

beforeEach(() => {
  world = new TestWorld(53);
  ctx = ticketContext(world);
});

const FULL = { 'TLSv1.2': 'full +1', 'TLSv1.3': 'full +2' } as const;

describe('A. Cache and callbacks, TLS 1.3 with stateless tickets', () => {
  it('7: no callbacks: the session of a connection was not cached, so removing it answers 0', () => {
    const { ssl } = visit(ctx, 'TLSv1.3');
    expect(ctx.removeSession(ssl.getSession())).to.equal(0);
    expect(ctx.sessNumber()).to.equal(0);
  });

  it('10, 12: new twice, then resumed with new once; get never', () => {
    const seen = watchSessions(ctx);
    let removed = 0;
    ctx.setRemoveSessionCallback(() => removed++);
    const first = visit(ctx, 'TLSv1.3');
    expect([seen.news, removed]).to.deep.equal([2, 0]);
    expect(outcome(revisit(ctx, first))).to.equal('resumed +1');
    expect([seen.news, seen.gets.length]).to.deep.equal([3, 0]);
  });
});

describe('B. Tickets', () => {
  for (const numTickets of [0, 1, 2]) {
    it(`25: num_tickets ${numTickets}: the client gets ${numTickets}, and each resumes`, () => {
      ctx.setNumTickets(numTickets);
      const { client } = visit(ctx, 'TLSv1.3');
      expect(client.tickets).to.have.lengthOf(numTickets);
      for (const psk of client.tickets) expect(visit(ctx, 'TLSv1.3', { psks: [psk] }).ssl.sessionReused()).to.equal(1);
    });

    it(`27: num_tickets ${numTickets}: tickets of a context that is gone are not good, and there are ${numTickets} new ones`, () => {
      const first = visit(ctx, 'TLSv1.3');
      first.ssl.free();
      ctx.free();
      const next = ticketContext(world);
      next.setNumTickets(numTickets);
      expect(outcome(revisit(next, first))).to.equal(`full +${numTickets}`);
    });
  }

  it('31: SSL_new_session_ticket twice: nothing is sent and new is not called until a write, which brings two tickets and then the data', () => {
    const seen = watchSessions(ctx);
    const { ssl, client } = visit(ctx, 'TLSv1.3');
    expect([ssl.newSessionTicket(), ssl.newSessionTicket()]).to.deep.equal([1, 1]);
    expect([ssl.take().length, seen.news]).to.deep.equal([0, 2]);
    expect(ssl.write(ascii('data'))).to.equal(4);
    client.receive(ssl.take());
    expect(client.heard.slice(-3)).to.deep.equal(['new_session_ticket', 'new_session_ticket', 'data']);
    expect([seen.news, client.tickets.length]).to.deep.equal([4, 4]);
    for (const psk of client.tickets) expect(visit(ctx, 'TLSv1.3', { psks: [psk] }).ssl.sessionReused()).to.equal(1);
  });

  it('33: asked for while a write is still on its way: the tickets go with the next write, behind what was written', () => {
    const { ssl, client } = visit(ctx, 'TLSv1.3');
    ssl.write(ascii('first'));
    ssl.newSessionTicket();
    const pending = ssl.take();
    client.receive(pending.subarray(0, 7));
    client.receive(pending.subarray(7));
    expect(client.heard.at(-1)).to.equal('data');
    ssl.write(ascii('second'));
    client.receive(ssl.take());
    expect(client.heard.slice(-3)).to.deep.equal(['data', 'new_session_ticket', 'data']);
    expect(client.data).to.deep.equal(ascii('firstsecond'));
  });

  it('34: ticket callbacks and no key callback, first connection: TLS 1.2 gen 1 and dec 1 (EMPTY), TLS 1.3 gen for each ticket and dec 0', () => {
    const seen = watchTickets(ctx, SSL_TICKET_RETURN_IGNORE_RENEW);
    visit(ctx, 'TLSv1.2');
    expect(seen).to.deep.equal({ gens: 1, statuses: [SSL_TICKET_EMPTY] });
    visit(ctx, 'TLSv1.3');
    expect(seen).to.deep.equal({ gens: 3, statuses: [SSL_TICKET_EMPTY] });
  });

  for (const version of VERSIONS) {
    it(`36, ${version}: dec answers IGNORE_RENEW: not reused, gen is called`, () => {
      const first = visit(ctx, version);
      const seen = watchTickets(ctx, SSL_TICKET_RETURN_IGNORE_RENEW);
      expect(outcome(revisit(ctx, first))).to.equal(FULL[version]);
      expect(seen.gens).to.equal(version === 'TLSv1.2' ? 1 : 2);
    });

    it(`37, ${version}: dec answers USE: reused, gen is not called`, () => {
      const first = visit(ctx, version);
      const seen = watchTickets(ctx, SSL_TICKET_RETURN_USE);
      expect(outcome(revisit(ctx, first))).to.equal('resumed +0');
      expect(seen.gens).to.equal(0);
    });

    it(`39, ${version}: the key callback answers 1: reused, gen is not called`, () => {
      ctx.setTlsextTicketKeyCallback(keyCallback({ seal: 1, open: 1 }).callback);
      const first = visit(ctx, version);
      const seen = { gens: 0 };
      ctx.setSessionTicketCallback(() => ++seen.gens, null);
      expect(outcome(revisit(ctx, first))).to.equal('resumed +0');
      expect(seen.gens).to.equal(0);
    });

    it(`41, ${version}: the key callback answers 0 to seal: connected without a ticket, not reused later; dec is called for EMPTY only`, () => {
      ctx.setTlsextTicketKeyCallback(keyCallback({ seal: 0, open: 0 }).callback);
      const seen = watchTickets(ctx, SSL_TICKET_RETURN_IGNORE_RENEW);
      const first = visit(ctx, version);
      expect(first.ssl.isInitFinished()).to.equal(1);
      const session = version === 'TLSv1.2' ? first.client.session : undefined;
      const second = visit(ctx, version, { session, psks: first.client.tickets, ticketExt: session && EMPTY });
      expect([second.ssl.isInitFinished(), second.ssl.sessionReused()]).to.deep.equal([1, 0]);
      expect(seen.statuses).to.deep.equal(version === 'TLSv1.2' ? [SSL_TICKET_EMPTY, SSL_TICKET_EMPTY] : []);
    });

    it(`42, ${version}: what gen has set dec reads, byte for byte`, () => {
      const data = Uint8Array.from({ length: 256 }, (_, i) => i);
      let read: Uint8Array | undefined;
      ctx.setSessionTicketCallback(
        (ssl) => SSL_SESSION_set1_ticket_appdata(ssl.getSession() as Session, data),
        (_ssl, session) => {
          read = session === null ? undefined : SSL_SESSION_get0_ticket_appdata(session);
          return session === null ? SSL_TICKET_RETURN_IGNORE_RENEW : SSL_TICKET_RETURN_USE;
        },
      );
      revisit(ctx, visit(ctx, version));
      expect(read).to.deep.equal(data);
    });
  }

  /** One that leads to another, for the name "localhost". */
  const switching = (options: { first: number; chosen: number }) => {
    const chosen = ticketContext(world);
    chosen.setOptions(options.chosen);
    const first = ticketContext(world, { onServerName: (name) => (name === 'localhost' ? chosen.config : undefined) });
    first.setOptions(options.first);
    return { first, chosen };
  };

  for (const client of [true, false]) {
    for (const first of [0, SSL_OP_NO_TICKET]) {
      for (const chosen of [0, SSL_OP_NO_TICKET]) {
        const on = (isOn: boolean) => (isOn ? 'on' : 'off');
        const isTicket = client && first === 0 && chosen === 0;
        it(`44: tickets are ${on(client)} at the client, ${on(!first)} where it arrives and ${on(!chosen)} where it is led to: ${isTicket ? 'a ticket' : 'an id'}, and it resumes`, () => {
          const { first: arrival } = switching({ first, chosen });
          const visited = visit(arrival, 'TLSv1.2', { ticketExt: client ? EMPTY : false });
          const { id, ticket } = visited.client.session;
          expect([ticket !== undefined, id.length]).to.deep.equal(isTicket ? [true, 0] : [false, 32]);
          const back = isTicket
            ? revisit(arrival, visited)
            : visit(arrival, 'TLSv1.2', { session: visited.client.session, ticketExt: client ? EMPTY : false });
          expect(back.ssl.sessionReused()).to.equal(1);
          expect(back.client.session.id).to.have.lengthOf(32);
        });

        it(`44, TLS 1.3: tickets are ${on(!first)} where it arrives and ${on(!chosen)} where it is led to`, () => {
          const { first: arrival } = switching({ first, chosen });
          const visited = visit(arrival, 'TLSv1.3');
          const isStateful = visited.client.tickets.every(({ identity }) => identity.length === 32);
          expect(isStateful).to.equal(!(first === 0 && chosen === 0));
          expect(outcome(revisit(arrival, visited))).to.equal('resumed +1');
        });
      }
    }
  }

  for (const version of VERSIONS) {
    it(`46, ${version}: led to another context, ticket callbacks and keys are those of the first; the other's are never asked`, () => {
      const { first, chosen } = switching({ first: 0, chosen: 0 });
      const others = watchTickets(chosen, SSL_TICKET_RETURN_USE);
      let asked = 0;
      chosen.setTlsextTicketKeyCallback(() => {
        asked++;
        return -1;
      });
      const seen = watchTickets(first, (_ssl, session) =>
        session === null ? SSL_TICKET_RETURN_IGNORE_RENEW : SSL_TICKET_RETURN_USE,
      );
      const { calls, callback } = keyCallback({ seal: 1, open: 1 });
      first.setTlsextTicketKeyCallback(callback);
      first.setNumTickets(1);
      const visited = visit(first, version);
      expect(countTickets(visited.client)).to.equal(1);
      expect(outcome(revisit(first, visited))).to.equal('resumed +0');
      expect([asked, others.gens, others.statuses.length]).to.deep.equal([0, 0, 0]);
      expect(calls).to.deep.equal(['seal', 'open known']);
      expect(seen.gens).to.equal(1);
    });
  }

  it('46: so it is where the choice comes later', async () => {
    const chosen = ticketContext(world);
    const others = watchTickets(chosen, SSL_TICKET_RETURN_USE);
    const first = ticketContext(world, { onServerName: () => Promise.resolve(chosen.config) });
    const { client, ssl } = visit(first, 'TLSv1.3');
    for (let i = 0; i < 20; i++) await Promise.resolve();
    client.receive(ssl.take());
    ssl.receive(client.take());
    client.receive(ssl.take());
    expect([client.tickets.length, others.gens]).to.deep.equal([2, 0]);
    expect(outcome(revisit(ticketContextWith(first), { client }))).to.equal('resumed +1');
  });

  it('where a name leads nowhere, the context stays', () => {
    const lost = ticketContext(world, { onServerName: () => undefined });
    expect(outcome(revisit(lost, visit(lost, 'TLSv1.3')))).to.equal('resumed +1');
  });

  const ticketContextWith = (other: SslContext): SslContext => {
    const made = ticketContext(world);
    made.setTlsextTicketKeys(other.getTlsextTicketKeys() ?? EMPTY);
    return made;
  };
});

describe('C. TLS 1.2, message by message', () => {
  const extensionOf = ({ serverHello }: ScriptedClient) =>
    serverHello?.extensions !== undefined && 'sessionTicket' in serverHello.extensions
      ? serverHello.extensions.sessionTicket
      : undefined;

  it('47: full: the extension in both hellos, NewSessionTicket before ChangeCipherSpec', () => {
    const { client } = visit(ctx, 'TLSv1.2');
    expect(client.hellos[0]?.extensions.sessionTicket).to.deep.equal(EMPTY);
    expect(extensionOf(client)).to.equal(true);
    expect(client.heard).to.deep.equal([
      'server_hello',
      'certificate',
      'server_key_exchange',
      'server_hello_done',
      'new_session_ticket',
      'change_cipher_spec',
      'finished',
    ]);
  });

  it('49: a client without the extension: neither extension nor ticket', () => {
    const { client } = visit(ctx, 'TLSv1.2', { ticketExt: false });
    expect([extensionOf(client), countTickets(client)]).to.deep.equal([undefined, 0]);
  });

  it('50: resumed by ticket: the extension in the ClientHello only, no new ticket, abbreviated', () => {
    const { client, ssl } = revisit(ctx, visit(ctx, 'TLSv1.2'));
    expect(extensionOf(client)).to.equal(undefined);
    expect(client.heard).to.deep.equal(['server_hello', 'change_cipher_spec', 'finished']);
    expect([ssl.sessionReused(), client.isResumed, client.isEstablished]).to.deep.equal([1, true, true]);
  });

  it('52: an empty ticket in a full handshake: the connection is fine', () => {
    ctx.setTlsextTicketKeyCallback(keyCallback({ seal: 0, open: 0 }).callback);
    const { client, ssl } = visit(ctx, 'TLSv1.2');
    expect([extensionOf(client), client.ticketTls12?.ticket]).to.deep.equal([true, EMPTY]);
    ssl.write(ascii('fine'));
    client.receive(ssl.take());
    expect(client.data).to.deep.equal(ascii('fine'));
  });

  it('53: an empty ticket on a resumption: the client keeps the one before, and resumes with it again', () => {
    const codes = { seal: 1, open: 2 };
    ctx.setTlsextTicketKeyCallback(keyCallback(codes).callback);
    const first = visit(ctx, 'TLSv1.2');
    codes.seal = 0;
    const second = revisit(ctx, first);
    expect([second.ssl.sessionReused(), second.client.ticketTls12?.ticket]).to.deep.equal([1, EMPTY]);
    expect(ticketOf(second)).to.deep.equal(ticketOf(first));
    expect(revisit(ctx, second).ssl.sessionReused()).to.equal(1);
  });
});

describe('D. TLS 1.3, pre-shared keys from tickets', () => {
  const SHA256 = 'TLS_AES_128_GCM_SHA256';
  const SHA384 = 'TLS_AES_256_GCM_SHA384';
  /** ALLOW_NO_DHE_KEX, or not. */
  const optionally = (psk_ke: boolean) => ctx.setOptions(psk_ke ? SSL_OP_ALLOW_NO_DHE_KEX : 0);
  const back = (options: ClientOptions) => revisit(ctx, visit(ctx, 'TLSv1.3'), options);

  it('61: pre_shared_key is not the last extension: illegal_parameter', () => {
    const last = (list: readonly { type: number; data: Uint8Array }[]) => [...list.slice(-1), ...list.slice(0, -1)];
    expect(outcome(back({ rewriteExtensions: last }))).to.equal('illegal_parameter');
  });

  it('63: a HelloRetryRequest with a suite of another hash: the second hello is without the PSK, and the handshake is full', () => {
    const first = visit(ctx, 'TLSv1.3', { ciphers: [SHA384] });
    const other = ticketContext(world, { ciphers: [SHA256] });
    other.setTlsextTicketKeys(ctx.getTlsextTicketKeys() ?? EMPTY);
    const { client, ssl } = revisit(other, first, { keyShares: [] });
    expect(client.hellos.map(({ extensions }) => extensions.preSharedKey !== undefined)).to.deep.equal([true, false]);
    expect(outcome({ client, ssl })).to.equal('full +2');
  });

  it('64: no signature_algorithms: resumed', () => {
    expect(outcome(back({ signatureAlgorithms: false }))).to.equal('resumed +1');
    expect(outcome(visit(ctx, 'TLSv1.3', { signatureAlgorithms: false }))).to.equal('missing_extension');
  });

  it('66: psk_ke alone, allowed on both sides: resumed, without a key share', () => {
    optionally(true);
    const { client, ssl } = back({ pskModes: ['psk_ke'] });
    expect([ssl.sessionReused(), client.group]).to.deep.equal([1, undefined]);
    expect(ssl.connection?.resumption.pskMode).to.equal('psk_ke');
  });

  it('66: psk_ke alone where the server does not allow it: a full handshake', () => {
    const visited = back({ pskModes: ['psk_ke'] });
    expect([visited.ssl.isInitFinished(), visited.ssl.sessionReused()]).to.deep.equal([1, 0]);
    expect(visited.ssl.connection?.resumption.reason).to.equal('psk-mode');
  });

  for (const pskModes of [['psk_dhe_ke'], ['psk_ke', 'psk_dhe_ke']] as const) {
    it(`67: ${pskModes.join(' and ')}: resumed, with a key share`, () => {
      optionally(true);
      const { client, ssl } = back({ pskModes });
      expect([ssl.sessionReused(), client.group]).to.deep.equal([1, 'x25519']);
    });
  }

  it('69: psk_dhe_ke and no share of a common group: a HelloRetryRequest, and then resumed', () => {
    const visited = back({ pskModes: ['psk_dhe_ke'], keyShares: [] });
    expect(visited.client.helloRetryRequest).not.to.equal(undefined);
    expect(outcome(visited)).to.equal('resumed +1');
  });

  it('69: psk_dhe_ke and no common group: handshake_failure', () => {
    const visited = back({ pskModes: ['psk_dhe_ke'], groups: [0x0100], keyShares: [] });
    expect(outcome(visited)).to.equal('handshake_failure');
  });

  it('69: psk_ke too and no common group: resumed, without a key share', () => {
    optionally(true);
    const { client, ssl } = back({ pskModes: ['psk_ke', 'psk_dhe_ke'], groups: [0x0100], keyShares: [] });
    expect([ssl.sessionReused(), client.group]).to.deep.equal([1, undefined]);
  });

  it('70: another suite with the same hash: resumed', () => {
    const first = visit(ctx, 'TLSv1.3', { ciphers: [SHA256] });
    const second = revisit(ctx, first, { ciphers: ['TLS_CHACHA20_POLY1305_SHA256'] });
    expect(outcome(second)).to.equal('resumed +1');
    expect(second.ssl.connection?.cipherSuite).to.equal('TLS_CHACHA20_POLY1305_SHA256');
  });

  for (const tickets of [true, false]) {
    for (const made of VERSIONS) {
      for (const limited of VERSIONS) {
        for (const by of ['client', 'server'] as const) {
          const comes = made === limited ? 'resumed' : 'connected, not resumed';
          it(`74: made in ${made} ${tickets ? 'with' : 'without'} tickets, then the ${by} is limited to ${limited}: ${comes}`, () => {
            if (!tickets) ctx.setOptions(SSL_OP_NO_TICKET);
            ctx.setSessionCacheMode(SESS_CACHE_BOTH);
            const first = visit(ctx, made);
            if (by === 'server') ctx.setOptions(limited === 'TLSv1.2' ? SSL_OP_NO_TLSv1_3 : SSL_OP_NO_TLSv1_2);
            const second = visit(ctx, by === 'server' ? 'TLSv1.3' : limited, offerOf(first.client, made, by, limited));
            expect(second.client.version).to.equal(limited);
            expect([second.ssl.isInitFinished(), second.ssl.sessionReused()]).to.deep.equal([
              1,
              Number(made === limited),
            ]);
          });
        }
      }
    }
  }

  /** All that a client which has the session offers. Where its server is limited it offers both versions. */
  function offerOf(client: ScriptedClient, made: Version, by: 'client' | 'server', limited: Version): ClientOptions {
    const supportedVersions = by === 'client' && limited === 'TLSv1.3' ? [0x0304] : undefined;
    if (made === 'TLSv1.3') {
      const isOffered = by === 'server' || limited === 'TLSv1.3';
      return { supportedVersions, psks: isOffered ? client.tickets : [] };
    }
    const { session } = client;
    return { supportedVersions, session, sessionId: session.ticket === undefined ? session.id : FABRICATED_ID };
  }

  it('75: a HelloRetryRequest in both handshakes: resumed', () => {
    const first = visit(ctx, 'TLSv1.3', { keyShares: [] });
    const second = revisit(ctx, first, { keyShares: [] });
    for (const { client } of [first, second]) expect(client.helloRetryRequest).not.to.equal(undefined);
    expect(outcome(second)).to.equal('resumed +1');
  });

  it('N8: a bad binder does not burn a ticket, not even one for single use', () => {
    for (const singleUse of [false, true]) {
      const single = context(world, { tickets: { singleUse } });
      const first = visit(single, 'TLSv1.3');
      const forged = (binders: readonly Uint8Array[]) => binders.map((binder) => binder.map((byte) => byte ^ 1));
      expect(outcome(connect(single, { ...again(first), rewriteBinders: forged }))).to.equal('decrypt_error');
      expect(outcome(connect(single, again(first)))).to.equal('resumed +1');
    }
  });

  it('a hello without psk_key_exchange_modes gets no ticket, and SSL_new_session_ticket sends none', () => {
    const { client, ssl } = visit(ctx, 'TLSv1.3', {
      rewriteExtensions: (list) => withoutExtension(list, ExtensionType.psk_key_exchange_modes),
    });
    ssl.newSessionTicket();
    ssl.write(ascii('data'));
    client.receive(ssl.take());
    expect([client.tickets.length, client.data]).to.deep.equal([0, ascii('data')]);
  });
});
