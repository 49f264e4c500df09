/** SSL_CTX_set_tlsext_ticket_key_evp_cb(3): its answers, both ways and in both versions (§5.4). */

import { createHmac } from 'node:crypto';
import { expect } from 'chai';
import { ServerConnection } from '../../src/engine/server/server-connection.ts';
import { ticketKeyProvider } from '../../src/openssl/ticket-callbacks.ts';
import type { Ssl, SslContext, TicketKeyCallback } from '../../src/openssl.ts';
import type { TicketKey } from '../../src/tickets/key.ts';
import { concat, toHex } from '../../src/wire/bytes.ts';
import { exchange, ScriptedClient } from '../support/scripted-client.ts';
import { toyCrypto } from '../support/servers.ts';
import { TestWorld } from '../support/world.ts';
import { VERSIONS } from './support.ts';
import {
  AES_KEY,
  HMAC_KEY,
  keyCallback,
  NAME,
  openWith,
  outcome,
  revisit,
  revisitWith,
  sealWith,
  settle,
  ticketContext,
  ticketOf,
  visit,
  watchSessions,
} from './tickets-support.ts';

const KEYS = { name: NAME, hmac: HMAC_KEY, aes: AES_KEY };

let world: TestWorld;
let ctx: SslContext;

beforeEach(() => {
  world = new TestWorld(43);
  ctx = ticketContext(world);
});

/** A first visit with a good ticket, and then other answers. */
function withTicket(version: 'TLSv1.2' | 'TLSv1.3') {
  const codes = { seal: 1, open: 1 };
  const { callback, calls } = keyCallback(codes);
  ctx.setTlsextTicketKeyCallback(callback);
  const first = visit(ctx, version);
  calls.length = 0;
  return { first, codes, calls };
}

for (const version of VERSIONS) {
  const full = version === 'TLSv1.2' ? 1 : 2;
  const seals = (count: number) => Array<string>(count).fill('seal');

  describe(`the ticket key callback, ${version} (§5.4)`, () => {
    for (const code of [-1, -7]) {
      it(`${code} to seal: fatal internal_error`, () => {
        const { codes, calls } = withTicket(version);
        codes.seal = code;
        expect(outcome(visit(ctx, version))).to.equal('internal_error');
        expect(calls).to.deep.equal(seals(1));
      });

      it(`${code} to open: fatal internal_error`, () => {
        const { first, codes, calls } = withTicket(version);
        codes.open = code;
        expect(outcome(revisit(ctx, first))).to.equal('internal_error');
        expect(calls).to.deep.equal(['open known']);
      });
    }

    it(
      version === 'TLSv1.2'
        ? '0 to seal: an empty ticket with the hint 0'
        : '0 to seal: no message, no call of new, and the callback is asked for each ticket',
      () => {
        const seen = watchSessions(ctx);
        const { callback, calls } = keyCallback({ seal: 0, open: 0 });
        ctx.setTlsextTicketKeyCallback(callback);
        const visited = visit(ctx, version);
        const { client, events } = visited;
        expect(calls).to.deep.equal(seals(full));
        expect(events.filter(({ type }) => type === 'no-ticket')).to.have.lengthOf(full);
        expect(seen.news).to.equal(0);
        expect(outcome(visited)).to.equal(version === 'TLSv1.2' ? 'full +1' : 'full +0');
        if (version === 'TLSv1.2')
          expect(client.ticketTls12).to.deep.equal({ ticketLifetimeHint: 0, ticket: new Uint8Array(0) });
      },
    );

    it('0 to open: a full handshake, and the callback is asked again for new tickets', () => {
      const { first, codes, calls } = withTicket(version);
      codes.open = 0;
      expect(outcome(revisit(ctx, first))).to.equal(`full +${full}`);
      expect(calls).to.deep.equal(['open known', ...seals(full)]);
    });

    for (const code of [1, 2]) {
      it(`${code} to seal: a ticket of its key, which node:crypto opens`, () => {
        ctx.setTlsextTicketKeyCallback(keyCallback({ seal: code, open: 1 }).callback);
        const visited = visit(ctx, version);
        expect(outcome(visited)).to.equal(`full +${full}`);
        expect(openWith(KEYS, ticketOf(visited))).to.have.length.above(100);
      });
    }

    it('1 to open: resumed, and no new ticket', () => {
      const { first, calls } = withTicket(version);
      expect(outcome(revisit(ctx, first))).to.equal('resumed +0');
      expect(calls).to.deep.equal(['open known']);
    });

    it('2 to open: resumed, and a new ticket, which resumes as well', () => {
      const { first, codes, calls } = withTicket(version);
      codes.open = 2;
      const second = revisit(ctx, first);
      expect(outcome(second)).to.equal('resumed +1');
      expect(calls).to.deep.equal(['open known', 'seal']);
      expect(toHex(ticketOf(second))).not.to.equal(toHex(ticketOf(first)));
      expect(outcome(revisit(ctx, second))).to.equal('resumed +1');
    });

    it('an answer above 2 is as 1', () => {
      const { first, codes } = withTicket(version);
      codes.open = 3;
      expect(outcome(revisit(ctx, first))).to.equal('resumed +0');
    });

    it('is asked by name, and a ticket of another key is no error', () => {
      const { first, calls } = withTicket(version);
      const other = ticketContext(world);
      const ticket = ticketOf(visit(other, version));
      ctx.setTlsextTicketKeyCallback((ssl, keyName, iv, cipher, mac, enc) => {
        if (enc || toHex(keyName) === toHex(NAME)) {
          [cipher.key, mac.key] = [AES_KEY, HMAC_KEY];
          if (enc) keyName.set(NAME);
          return 1;
        }
        calls.push(`${toHex(keyName)} ${toHex(iv)}`);
        return ssl.isInitFinished();
      });
      expect(outcome(revisitWith(ctx, first, ticket))).to.equal(`full +${full}`);
      expect(calls).to.deep.equal([`${toHex(ticket.subarray(0, 16))} ${toHex(ticket.subarray(16, 32))}`]);
      expect(outcome(revisit(ctx, first))).to.equal('resumed +0');
    });

    it('is not asked about what is too short for a name and a vector', () => {
      const { first, calls } = withTicket(version);
      expect(outcome(revisitWith(ctx, first, new Uint8Array(31)))).to.equal(`full +${full}`);
      expect(calls).to.deep.equal(seals(full));
    });

    it('a bad MAC under a good key: a full handshake, and new tickets although the answer was 1', () => {
      const { first } = withTicket(version);
      const ticket = ticketOf(first).map((byte, i) => (i === 40 ? byte ^ 1 : byte));
      expect(outcome(revisitWith(ctx, first, ticket))).to.equal(`full +${full}`);
    });

    it('AES-128 and HMAC-SHA384 too, with keys of the same length', () => {
      const keyed: TicketKeyCallback = (_ssl, keyName, _iv, cipher, mac, enc) => {
        if (enc) keyName.set(NAME);
        cipher.key = AES_KEY.subarray(0, 16);
        mac.key = HMAC_KEY.subarray(0, 16);
        mac.hash = 'sha384';
        return 1;
      };
      ctx.setTlsextTicketKeyCallback(keyed);
      const first = visit(ctx, version);
      const ticket = ticketOf(first);
      const mac = createHmac('sha384', HMAC_KEY.subarray(0, 16)).update(ticket.subarray(0, -48)).digest();
      expect(toHex(ticket.subarray(-48))).to.equal(toHex(mac));
      expect(outcome(revisit(ctx, first))).to.equal('resumed +0');
    });

    it('a callback that leaves the vector alone has another each time', () => {
      ctx.setTlsextTicketKeyCallback(keyCallback({ seal: 1, open: 1 }).callback);
      const vectors = [1, 2].map(() => toHex(ticketOf(visit(ctx, version)).subarray(16, 32)));
      expect(new Set([...vectors, '00'.repeat(16)])).to.have.lengthOf(3);
    });

    it('a vector of its own', () => {
      const own = new Uint8Array(16).map((_, i) => 200 - 3 * i);
      ctx.setTlsextTicketKeyCallback((_ssl, keyName, iv, cipher, mac) => {
        keyName.set(NAME);
        iv.set(own);
        [cipher.key, mac.key] = [AES_KEY, HMAC_KEY];
        return 1;
      });
      expect(ticketOf(visit(ctx, version)).subarray(16, 32)).to.deep.equal(own);
    });

    it('one that throws, or answers no number or keys of a wrong length, is an event: no ticket, a full handshake', () => {
      const { first } = withTicket(version);
      const wrong: TicketKeyCallback[] = [
        () => {
          throw new Error('of the user');
        },
        (_ssl, _name, _iv, cipher, mac) => {
          [cipher.key, mac.key] = [AES_KEY, HMAC_KEY];
          return undefined as unknown as number;
        },
        () => 1,
        (_ssl, _name, _iv, cipher, mac) => {
          [cipher.key, mac.key] = [AES_KEY, HMAC_KEY.subarray(0, 16)];
          return 1;
        },
      ];
      for (const callback of wrong) {
        ctx.setTlsextTicketKeyCallback(callback);
        const visited = revisit(ctx, first);
        expect(visited.ssl.isInitFinished()).to.equal(1);
        expect(visited.ssl.sessionReused()).to.equal(0);
        const failed = visited.events.flatMap((event) => (event.type === 'callback-error' ? [event.callback] : []));
        expect(failed).to.deep.equal(['openingKeys', ...Array(full).fill('sealingKey')]);
        expect(visited.client.tickets).to.have.lengthOf(0);
        expect(visited.client.ticketTls12?.ticket ?? []).to.have.lengthOf(0);
      }
    });

    it('may answer later', async () => {
      const { first } = withTicket(version);
      const { callback } = keyCallback({ seal: 1, open: 2 });
      ctx.setTlsextTicketKeyCallback(async (...call) => {
        await Promise.resolve();
        return callback(...call);
      });
      const visited = revisit(ctx, first);
      expect(visited.ssl.isInitFinished()).to.equal(0);
      await settle(visited);
      expect(outcome(visited)).to.equal('resumed +1');
    });

    it('a negative answer that comes later is fatal as well', async () => {
      const { first } = withTicket(version);
      ctx.setTlsextTicketKeyCallback(() => Promise.resolve(-1));
      const visited = revisit(ctx, first);
      await settle(visited);
      expect(outcome(visited)).to.equal('internal_error');
    });

    it('null: the keys of the context again', () => {
      const first = visit(ctx, version);
      const { callback } = keyCallback({ seal: 1, open: 1 });
      ctx.setTlsextTicketKeyCallback(callback);
      expect(outcome(revisit(ctx, first))).to.equal(`full +${full}`);
      ctx.setTlsextTicketKeyCallback(null);
      expect(revisit(ctx, first).ssl.sessionReused()).to.equal(1);
    });
  });
}

describe('the ticket key callback', () => {
  it('is given the connection: its data, and its context', () => {
    const seen: unknown[] = [];
    ctx.setTlsextTicketKeyCallback((ssl) => {
      seen.push(ssl.getSslContext());
      return 0;
    });
    visit(ctx, 'TLSv1.2');
    expect(seen).to.deep.equal([ctx]);
  });

  it('is given one for a connection that a shell runs as well; that cannot be asked for a ticket through it', () => {
    const seen: Ssl[] = [];
    const { callback } = keyCallback({ seal: 1, open: 1 });
    ctx.setTlsextTicketKeyCallback((...call) => {
      seen.push(call[0]);
      return callback(...call);
    });
    ctx.setSessionTicketCallback((ssl) => seen.push(ssl), null);
    const connection = new ServerConnection(ctx.config);
    const { client } = exchange(new ScriptedClient({ sni: 'localhost', crypto: toyCrypto }), connection);
    expect(client.tickets).to.have.lengthOf(2);
    expect(new Set(seen)).to.have.lengthOf(1);
    expect(seen[0]?.connection).to.equal(connection);
    expect(seen[0]?.newSessionTicket()).to.equal(0);
  });

  it('TLS 1.3, several identities: asked about each until one is good; a new ticket where that one has it so', () => {
    const { first, codes, calls } = withTicket('TLSv1.3');
    codes.open = 2;
    const [known] = first.client.tickets;
    const psks = [new Uint8Array(64).fill(1), sealWith(KEYS, new Uint8Array(90)), known?.identity].map((identity) => ({
      ...known,
      identity,
    }));
    const visited = visit(ctx, 'TLSv1.3', { psks: psks as NonNullable<typeof known>[] });
    expect(calls).to.deep.equal(['open unknown', 'open known', 'open known', 'seal']);
    expect(visited.ssl.connection?.resumption.identityIndex).to.equal(2);
  });

  it('TLS 1.3 after a HelloRetryRequest: asked once', () => {
    const { first, calls } = withTicket('TLSv1.3');
    const visited = revisit(ctx, first, { keyShares: [] });
    expect(visited.client.helloRetryRequest).not.to.equal(undefined);
    expect(outcome(visited)).to.equal('resumed +0');
    expect(calls).to.deep.equal(['open known']);
  });

  it('TLS 1.2, a new ticket on resumption stands right after ServerHello', () => {
    const { first, codes } = withTicket('TLSv1.2');
    codes.open = 2;
    const { client } = revisit(ctx, first);
    expect(client.heard).to.deep.equal(['server_hello', 'new_session_ticket', 'change_cipher_spec', 'finished']);
  });

  it('keys that it has answered remain its own; the copies are overwritten once they have been used', () => {
    const keys = [concat(AES_KEY), concat(HMAC_KEY)] as const;
    const callback: TicketKeyCallback = (_ssl, keyName, _iv, cipher, mac) => {
      keyName.set(NAME);
      [cipher.key, mac.key] = keys;
      return 1;
    };
    const { ssl } = visit(ctx, 'TLSv1.3');
    const provider = ticketKeyProvider(
      callback,
      () => ssl,
      (length) => world.randomBytes(length),
    );
    const info = { serverName: undefined, version: undefined };
    const [sealing, opening] = [provider.sealingKey(info), provider.sealingKey(info)] as TicketKey[];
    const ticket = sealing?.seal(Uint8Array.of(1, 2, 3), (length) => world.randomBytes(length)) as Uint8Array;
    expect(sealing?.isDestroyed).to.equal(true);
    expect(opening?.open(ticket)).to.deep.equal(Uint8Array.of(1, 2, 3));
    expect(opening?.isDestroyed).to.equal(true);
    expect(keys.map(toHex)).to.deep.equal([AES_KEY, HMAC_KEY].map(toHex));
  });
});
