/** SSL_CTX_sess_set_new_cb(3): when it is called, how often, what it finds, what its answer does, and what it may do itself. */

import { expect } from 'chai';
import type { Event } from '../../src/engine/events.ts';
import {
  SESS_CACHE_BOTH,
  SESS_CACHE_CLIENT,
  SESS_CACHE_NO_INTERNAL,
  SESS_CACHE_NO_INTERNAL_LOOKUP,
  SESS_CACHE_NO_INTERNAL_STORE,
  SESS_CACHE_OFF,
  SESS_CACHE_SERVER,
} from '../../src/openssl/constants.ts';
import type { NewSessionCallback, SslContext } from '../../src/openssl/ssl.ts';
import { Ssl } from '../../src/openssl/ssl.ts';
import type { Session } from '../../src/sessions/session.ts';
import { toHex } from '../../src/wire/bytes.ts';
import { ScriptedClient } from '../support/scripted-client.ts';
import { toyCrypto } from '../support/servers.ts';
import { TestWorld } from '../support/world.ts';
import { failures, idOf, Journal, keepAway, leave, offeredIds, promisesAreDone } from './journal.ts';
import { again, connect, context, type Pair, pass, VERSIONS } from './support.ts';

let world: TestWorld;
let ctx: SslContext;

beforeEach(() => {
  world = new TestWorld(61);
  ctx = context(world);
});

for (const version of VERSIONS) {
  const isTls13 = version === 'TLSv1.3';
  const perFull = isTls13 ? 2 : 1;

  describe(`SSL_CTX_sess_set_new_cb, ${version}: when`, () => {
    it(`a full handshake: ${perFull}, each with the id that the client will offer, in the order of the messages`, () => {
      const journal = new Journal(ctx);
      const pair = connect(ctx, { version });
      expect(journal.calls).to.deep.equal(Array(perFull).fill('new'));
      expect(journal.announced.map(idOf)).to.deep.equal(offeredIds(pair));
      expect(ctx.sessNumber()).to.equal(perFull);
    });

    it(`a resumption from the internal cache: ${isTls13 ? 'one, of the new ticket' : 'none'}`, () => {
      const first = connect(ctx, { version });
      const journal = new Journal(ctx);
      const second = connect(ctx, again(first));
      expect(second.ssl.sessionReused()).to.equal(1);
      expect(journal.calls).to.deep.equal(isTls13 ? ['new'] : []);
      expect(ctx.sessNumber()).to.equal(perFull + (isTls13 ? 1 : 0));
    });

    it(`a resumption from the application's store: ${isTls13 ? 'one' : 'none'}, after get`, () => {
      const { pair, session } = keepAway(ctx, { version });
      const journal = new Journal(ctx, { onGet: () => session });
      expect(connect(ctx, again(pair)).ssl.sessionReused()).to.equal(1);
      expect(journal.calls).to.deep.equal(isTls13 ? ['get', 'new'] : ['get']);
    });

    it('a full handshake instead of a resumption: as any full handshake', () => {
      const first = connect(ctx, { version });
      ctx.flushSessions(0);
      const journal = new Journal(ctx);
      expect(connect(ctx, again(first)).ssl.sessionReused()).to.equal(0);
      expect(journal.calls).to.deep.equal(['get', ...Array(perFull).fill('new')]);
    });

    for (const mode of [SESS_CACHE_OFF, SESS_CACHE_CLIENT]) {
      it(`mode ${mode}, without SERVER: never, nothing is kept and nothing handed out`, () => {
        const journal = new Journal(ctx);
        ctx.setSessionCacheMode(mode);
        const pair = connect(ctx, { version });
        expect(pair.client.isEstablished).to.equal(true);
        expect(journal.calls).to.deep.equal([]);
        expect(ctx.sessNumber()).to.equal(0);
        expect(offeredIds(pair)).to.deep.equal([]);
      });
    }

    for (const [name, mode, cached] of [
      ['SERVER', SESS_CACHE_SERVER, perFull],
      ['BOTH', SESS_CACHE_BOTH, perFull],
      ['NO_INTERNAL_LOOKUP', SESS_CACHE_SERVER | SESS_CACHE_NO_INTERNAL_LOOKUP, perFull],
      ['NO_INTERNAL_STORE', SESS_CACHE_SERVER | SESS_CACHE_NO_INTERNAL_STORE, 0],
      ['NO_INTERNAL', SESS_CACHE_SERVER | SESS_CACHE_NO_INTERNAL, 0],
    ] as const) {
      it(`mode ${name}: called, with ${cached} in the internal cache`, () => {
        const journal = new Journal(ctx);
        ctx.setSessionCacheMode(mode);
        connect(ctx, { version });
        expect(journal.count('new')).to.equal(perFull);
        expect(ctx.sessNumber()).to.equal(cached);
      });
    }

    it('the not-resumable callback answered 1: never, and nothing is kept', () => {
      const journal = new Journal(ctx);
      ctx.setNotResumableSessionCallback(() => 1);
      const pair = connect(ctx, { version });
      expect(pair.client.isEstablished).to.equal(true);
      expect(journal.calls).to.deep.equal([]);
      expect([ctx.sessNumber(), offeredIds(pair)]).to.deep.equal([0, []]);
      expect(pair.ssl.getSession()?.isResumable).to.equal(false);
    });

    for (const [name, options] of [
      ['the hello has no suite in common', { ciphers: [0x0005] }],
      ['the Finished of the client is wrong', { rewriteMessage: spoilFinished }],
    ] as const) {
      it(`the handshake fails, as ${name}: never`, () => {
        const journal = new Journal(ctx);
        const pair = connect(ctx, { version, ...options });
        expect(pair.client.alerts.length).to.equal(1);
        leave(pair);
        expect(journal.calls).to.deep.equal([]);
        expect(ctx.sessNumber()).to.equal(0);
      });
    }

    it('the client sends an alert in place of its Finished: never', () => {
      const journal = new Journal(ctx);
      const pair = connect(ctx, { version, stopBefore: 'finished' });
      pair.client.sendAlert('bad_certificate');
      pass(pair);
      expect(pair.ssl.shutdown()).to.equal(-1);
      pair.ssl.free();
      expect(journal.calls).to.deep.equal([]);
    });

    it('the one that is set when the handshake completes, whenever the connection was made', () => {
      const pair = { client: new ScriptedClient({ sni: 'localhost', crypto: toyCrypto, version }), ssl: new Ssl(ctx) };
      const journal = new Journal(ctx);
      pass(pair);
      expect(journal.count('new')).to.equal(perFull);
      ctx.setNewSessionCallback(null);
      connect(ctx, { version });
      expect(journal.count('new')).to.equal(perFull);
    });
  });

  describe(`SSL_CTX_sess_set_new_cb, ${version}: what it finds`, () => {
    it('the session in the internal cache, resumable, and the current one of its connection', () => {
      const seen: unknown[] = [];
      ctx.setNewSessionCallback((ssl, session) => {
        const isCurrent = ssl.getSession() === session;
        seen.push([ctx.sessNumber(), ctx.sessions().includes(session), session.isResumable, isCurrent]);
        return 0;
      });
      ctx.setNumTickets(1);
      connect(ctx, { version });
      expect(seen).to.deep.equal([[1, true, true, true]]);
    });

    it('its own hold beside those of connection and cache', () => {
      const holds: number[] = [];
      const journal = new Journal(ctx, { onNew: (_ssl, session) => holds.push(session.holds) });
      connect(ctx, { version });
      expect(holds).to.deep.equal(Array(perFull).fill(3));
      expect(journal.kept.length).to.equal(perFull);
    });

    it('SSL_is_init_finished 0, the handshake not counted as complete, and the client proved', () => {
      const seen: unknown[] = [];
      const events: Event[] = [];
      let client: ScriptedClient | undefined;
      ctx.setNewSessionCallback((ssl) => {
        const hasFinished = client?.sent.some(({ name }) => name === 'finished');
        const isTold = events.some(({ type }) => type === 'established');
        seen.push([ssl.isInitFinished(), ctx.sessAcceptGood(), isTold, ssl.write(Uint8Array.of(1)), hasFinished]);
        return 0;
      });
      client = new ScriptedClient({ sni: 'localhost', crypto: toyCrypto, version });
      pass({ client, ssl: new Ssl(ctx, { attend: (event) => events.push(event) }) });
      expect(seen).to.deep.equal(Array(perFull).fill([0, 0, false, -1, true]));
      expect(ctx.sessAcceptGood()).to.equal(1);
    });

    it(`no byte of ${isTls13 ? 'a ticket' : 'the Finished'} gone`, () => {
      const heard: string[][] = [];
      const sent: Uint8Array[] = [];
      const client = new ScriptedClient({ sni: 'localhost', crypto: toyCrypto, version });
      ctx.setNewSessionCallback(() => {
        heard.push([...client.heard]);
        return 0;
      });
      const ssl = new Ssl(ctx, { send: (bytes) => void sent.push(bytes) });
      while (!client.isEstablished || heard.length === 0) {
        ssl.receive(client.take());
        for (const bytes of sent.splice(0)) client.receive(bytes);
      }
      const secret = isTls13 ? 'new_session_ticket' : 'finished';
      expect(heard.length).to.equal(perFull);
      expect(heard.flat()).not.to.include(secret);
      expect(client.heard).to.include(secret);
    });

    it('the same connection object each time, with its ex-data', () => {
      const seen: unknown[] = [];
      ctx.setNewSessionCallback((ssl) => seen.push(ssl.getExData(7)));
      const ssl = new Ssl(ctx);
      ssl.setExData(7, 'mine');
      pass({ client: new ScriptedClient({ sni: 'localhost', crypto: toyCrypto, version }), ssl });
      expect(seen).to.deep.equal(Array(perFull).fill('mine'));
    });
  });

  describe(`SSL_CTX_sess_set_new_cb, ${version}: its answer`, () => {
    for (const answer of [1, true, 7]) {
      it(`${answer}: the application keeps the hold, the session stays cached`, () => {
        const journal = new Journal(ctx, { onNew: () => answer });
        const pair = connect(ctx, { version });
        expect(ctx.sessNumber()).to.equal(perFull);
        leave(pair);
        expect(journal.kept.map(({ holds }) => holds)).to.deep.equal(Array(perFull).fill(2));
        ctx.free();
        expect(journal.kept.map(({ holds }) => holds)).to.deep.equal(Array(perFull).fill(1));
        expect(journal.kept[0]?.secret.some((byte) => byte !== 0)).to.equal(true);
      });
    }

    for (const answer of [0, false]) {
      it(`${answer}: out of the internal cache at once, the hold released, an event, and remove not called`, () => {
        const events: Event[] = [];
        const journal = new Journal(ctx, { onNew: () => answer });
        const pair = connect(ctx, { version }, { attend: (event) => events.push(event) });
        expect(ctx.sessNumber()).to.equal(0);
        expect(
          journal.announced.map(({ holds }) => holds),
          'the connection alone',
        ).to.deep.equal(Array(perFull).fill(1));
        expect(events.filter(({ type }) => type === 'session-refused').length).to.equal(perFull);
        const second = connect(ctx, again(pair));
        expect(second.ssl.sessionReused()).to.equal(0);
        pair.ssl.free();
        second.ssl.free();
        expect(journal.announced.map(({ holds }) => holds)).to.deep.equal(Array(2 * perFull).fill(0));
        expect(journal.count('remove')).to.equal(0);
      });
    }

    it('0: the first session has left before the second comes', () => {
      const numbers: number[] = [];
      ctx.setNewSessionCallback(() => {
        numbers.push(ctx.sessNumber());
        return 0;
      });
      connect(ctx, { version });
      expect(numbers).to.deep.equal(Array(perFull).fill(1));
    });

    for (const [answer, cached, holds] of [
      [1, perFull, 1],
      [0, 0, 0],
    ] as const) {
      it(`later ${answer}: the handshake does not wait, and then it counts`, async () => {
        const made: Session[] = [];
        ctx.setNewSessionCallback((_ssl, session) => {
          made.push(session);
          return Promise.resolve(answer);
        });
        const pair = connect(ctx, { version });
        expect([pair.ssl.isInitFinished(), ctx.sessNumber()]).to.deep.equal([1, perFull]);
        expect(made[0]?.holds).to.equal(3);
        await promisesAreDone();
        expect(ctx.sessNumber()).to.equal(cached);
        leave(pair);
        ctx.free();
        expect(made.map((session) => session.holds)).to.deep.equal(Array(perFull).fill(holds));
      });
    }

    it('an error: an event; the session stays and the hold is released', () => {
      const events: Event[] = [];
      const journal = new Journal(ctx, {
        onNew: () => {
          throw new Error('the application');
        },
      });
      const pair = connect(ctx, { version }, { attend: (event) => events.push(event) });
      expect(failures(events)).to.deep.equal(Array(perFull).fill('onNew'));
      expect(ctx.sessNumber()).to.equal(perFull);
      leave(pair);
      expect(journal.announced.map(({ holds }) => holds)).to.deep.equal(Array(perFull).fill(1));
    });
  });

  describe(`SSL_CTX_sess_set_new_cb, ${version}: what it may do`, () => {
    /** One visit, and the end of all; whatever the callback did, only what it has kept is held. */
    function visit(callback: NewSessionCallback): {
      readonly journal: Journal;
      readonly pair: Pair;
      readonly number: number;
    } {
      const journal = new Journal(ctx, { onNew: (ssl, session) => callback(ssl, session) as number });
      ctx.upRef();
      const pair = connect(ctx, { version });
      const number = ctx.sessNumber();
      expect(ctx.sessions().length).to.equal(number);
      leave(pair);
      ctx.free();
      return { journal, pair, number };
    }

    function end(journal: Journal): void {
      ctx.free();
      const held = journal.announced.map((session) => session.holds);
      expect(held).to.deep.equal(journal.announced.map((session) => Number(journal.kept.includes(session))));
      expect(new Set(journal.removed).size, 'each told once').to.equal(journal.removed.length);
    }

    it('add the session again: it is there already', () => {
      const answers: number[] = [];
      const { journal, number } = visit((_ssl, session) => {
        answers.push(ctx.addSession(session));
        return 1;
      });
      expect(answers).to.deep.equal(Array(perFull).fill(0));
      expect([number, journal.count('new')]).to.deep.equal([perFull, perFull]);
      end(journal);
    });

    it('add a copy under the same id: it takes the place without a word to remove, and stays when the answer is 0', () => {
      const { journal, pair, number } = visit((_ssl, session) => {
        const copy = session.dup();
        ctx.addSession(copy);
        copy.free();
        return 0;
      });
      expect([number, journal.count('remove')]).to.deep.equal([perFull, 0]);
      expect(connect(ctx, again(pair)).ssl.sessionReused()).to.equal(1);
    });

    it('remove the session: told once, and whatever the answer is it is out', () => {
      for (const answer of [1, 0]) {
        ctx = context(world);
        const results: number[] = [];
        const { journal, pair, number } = visit((_ssl, session) => {
          results.push(ctx.removeSession(session), ctx.removeSession(session));
          return answer;
        });
        expect(results).to.deep.equal(Array(perFull).fill([1, 0]).flat());
        expect(journal.calls).to.deep.equal(Array(perFull).fill(['new', 'remove removed']).flat());
        expect(number).to.equal(0);
        ctx.setNewSessionCallback(null);
        expect(connect(ctx, again(pair)).ssl.sessionReused()).to.equal(0);
        end(journal);
      }
    });

    it('flush: what it was called for goes too, and is told once', () => {
      connect(ctx, { version });
      const { journal, number } = visit(() => {
        ctx.flushSessions(0);
        return 1;
      });
      expect(number).to.equal(0);
      expect(journal.removed.length).to.equal(2 * perFull);
      end(journal);
    });

    it('free the context: the connection has a reference, and all leave with it', () => {
      let isFreed = false;
      const journal = new Journal(ctx, {
        onNew: () => {
          if (!isFreed) ctx.free();
          isFreed = true;
          return 1;
        },
      });
      const pair = connect(ctx, { version });
      expect([pair.ssl.isInitFinished(), ctx.sessNumber()]).to.deep.equal([1, perFull]);
      leave(pair);
      expect(journal.calls).to.deep.equal([...Array(perFull).fill('new'), ...Array(perFull).fill('remove closed')]);
      expect(journal.kept.map(({ holds }) => holds)).to.deep.equal(Array(perFull).fill(1));
    });

    it('free the connection: the handshake goes no further, and nothing more is announced', () => {
      const journal = new Journal(ctx, {
        onNew: (ssl) => {
          ssl.free();
          return 1;
        },
      });
      const client = new ScriptedClient({ sni: 'localhost', crypto: toyCrypto, version });
      const ssl = new Ssl(ctx);
      ssl.receive(client.take());
      client.receive(ssl.take());
      ssl.receive(client.take());
      expect(ssl.isInitFinished()).to.equal(0);
      expect(journal.calls).to.deep.equal(['new']);
      expect(journal.kept[0]?.holds, 'application and cache').to.equal(2);
      end(journal);
      expect(() => ctx.free()).to.throw('no reference');
    });

    it('set itself to nothing: it is the last call', () => {
      const journal = new Journal(ctx, {
        onNew: () => {
          ctx.setNewSessionCallback(null);
          return 1;
        },
      });
      connect(ctx, { version });
      expect(journal.count('new')).to.equal(1);
      expect(ctx.sessNumber()).to.equal(perFull);
    });
  });
}

describe('SSL_CTX_sess_set_new_cb, TLSv1.2', () => {
  it('a client with the session_ticket extension, empty or not, gets an id all the same', () => {
    for (const ticketExt of [new Uint8Array(0), new Uint8Array(100).fill(1)]) {
      const journal = new Journal(ctx);
      const pair = connect(ctx, { version: 'TLSv1.2', ticketExt });
      expect(journal.announced.map(idOf)).to.deep.equal([toHex(pair.client.session.id)]);
      expect(pair.client.heard).not.to.include('new_session_ticket');
    }
  });
});

describe('SSL_CTX_sess_set_new_cb, TLSv1.3', () => {
  for (const numTickets of [0, 1, 5]) {
    it(`SSL_CTX_set_num_tickets ${numTickets}: as many after a full handshake, at most one after a resumption`, () => {
      ctx.setNumTickets(1);
      const first = connect(ctx, { version: 'TLSv1.3' });
      ctx.setNumTickets(numTickets);
      const journal = new Journal(ctx);
      connect(ctx, { version: 'TLSv1.3' });
      expect(journal.count('new')).to.equal(numTickets);
      connect(ctx, again(first));
      expect(journal.count('new')).to.equal(numTickets + Math.min(1, numTickets));
    });
  }

  it('a client without psk_key_exchange_modes: none, as it could use no ticket', () => {
    const journal = new Journal(ctx);
    const pair = connect(ctx, { version: 'TLSv1.3', pskModes: false });
    expect([pair.client.isEstablished, journal.count('new')]).to.deep.equal([true, 0]);
  });

  it('after a HelloRetryRequest: as without', () => {
    const journal = new Journal(ctx);
    connect(ctx, { version: 'TLSv1.3', keyShares: [] });
    expect(journal.count('new')).to.equal(2);
  });

  it('a cache with room for one: the first ticket’s session is evicted before the second is announced', () => {
    ctx.setSessionCacheSize(1);
    const journal = new Journal(ctx);
    connect(ctx, { version: 'TLSv1.3' });
    expect(journal.calls).to.deep.equal(['new', 'remove evicted', 'new']);
    expect(journal.removed).to.deep.equal(journal.announced.slice(0, 1));
  });
});

/** The message with its last bit wrong. */
function spoilFinished(name: string, raw: Uint8Array): Uint8Array {
  return name === 'finished' ? raw.map((byte, i) => (i === raw.length - 1 ? byte ^ 1 : byte)) : raw;
}
