/** SSL_CTX_set_max_early_data(3), SSL_read_early_data(3) and what belongs to them: a client that returns with early data. */

import { expect } from 'chai';
import { ClientConnection, type ConnectOptions, defineClient } from '../../src/client.ts';
import type { Step } from '../../src/engine/events.ts';
import type { ServerOptions } from '../../src/engine/server/options.ts';
import { recordHellos } from '../../src/engine/server/record-hellos.ts';
import { singleUse } from '../../src/engine/server/single-use.ts';
import {
  SESS_CACHE_NO_INTERNAL_STORE,
  SESS_CACHE_SERVER,
  SSL_EARLY_DATA_ACCEPTED,
  SSL_EARLY_DATA_NOT_SENT,
  SSL_EARLY_DATA_REJECTED,
  SSL_OP_NO_ANTI_REPLAY,
  SSL_READ_EARLY_DATA_ERROR,
  SSL_READ_EARLY_DATA_FINISH,
  SSL_READ_EARLY_DATA_SUCCESS,
  SSL_SESSION_get_max_early_data,
  Ssl,
  SslContext,
  type SslOptions,
} from '../../src/openssl.ts';
import type { Session } from '../../src/sessions/session.ts';
import { pair } from '../../src/testing.ts';
import { ascii, toHex } from '../../src/wire/bytes.ts';
import { certificates } from '../fixtures.ts';
import { synchronousProvider } from '../support/provider.ts';
import { testServer } from '../support/servers.ts';
import { TestWorld } from '../support/world.ts';
import { sessionOf } from './sessions.ts';

const REQUEST = ascii('GET / HTTP/1.0\r\n\r\n');
const world = new TestWorld(141);
const trusting = defineClient({ verifyServer: 'any', crypto: synchronousProvider, world });

const options = (given: Partial<ServerOptions> = {}): ServerOptions => ({
  credentials: [certificates.ecdsaP256],
  crypto: synchronousProvider,
  world,
  ...given,
});

/** A context as OpenSSL's program would have it. */
function context(given: Partial<ServerOptions> = {}, maxEarlyData = 16384): SslContext {
  const ctx = new SslContext(options(given));
  expect(ctx.setMaxEarlyData(maxEarlyData)).to.equal(1);
  return ctx;
}

interface Visit {
  readonly client: ClientConnection;
  readonly ssl: Ssl;
  readonly heard: string[];
}

/** A client that has said hello to a connection, which has not heard it. */
function arrive(
  ctx: SslContext,
  given: ConnectOptions = {},
  sslOptions: SslOptions = {},
): Visit & { flight: Uint8Array } {
  const client = new ClientConnection(trusting, { serverName: 'localhost', ...given });
  const { output } = client.connect();
  return { client, ssl: new Ssl(ctx, sslOptions), heard: [], flight: output };
}

function hear(visit: Visit, { events, output }: Step): Uint8Array {
  for (const event of events) if (event.type === 'data') visit.heard.push(Buffer.from(event.data).toString());
  return output;
}

/** Passes bytes until neither side has any. */
function pass(visit: Visit, flight: Uint8Array): Visit {
  for (let input = flight; input.length > 0; ) {
    visit.ssl.receive(input);
    const output = visit.ssl.take();
    input = output.length === 0 ? output : hear(visit, visit.client.receive(output));
  }
  return visit;
}

const visit = (ctx: SslContext, given: ConnectOptions = {}, sslOptions: SslOptions = {}): Visit => {
  const arrived = arrive(ctx, given, sslOptions);
  return pass(arrived, arrived.flight);
};

/** What a client has been given, and may send early data under. */
function sessionsOf(ctx: SslContext): Session[] {
  const { client } = visit(ctx, { sessions: [] });
  return [...client.sessions];
}

function returning(ctx: SslContext, given: ConnectOptions = {}): ConnectOptions {
  return { sessions: sessionsOf(ctx).slice(0, 1), earlyData: REQUEST, ...given };
}

/** One call: what it returns, and what it has read. */
function readEarly(ssl: Ssl): [number, string | null] {
  const read: { value: Uint8Array | null } = { value: null };
  const state = ssl.readEarlyData(read);
  return [state, read.value === null ? null : Buffer.from(read.value).toString()];
}

const text = (data: Uint8Array | null): string | null => (data === null ? null : Buffer.from(data).toString());
const WAIT: [number, null] = [SSL_READ_EARLY_DATA_ERROR, null];
const FINISH: [number, null] = [SSL_READ_EARLY_DATA_FINISH, null];
const SUCCESS: [number, string] = [SSL_READ_EARLY_DATA_SUCCESS, Buffer.from(REQUEST).toString()];

describe('SSL_read_early_data(3)', () => {
  it('answers ERROR until something has come, SUCCESS with it, and FINISH once the handshake is complete', () => {
    const ctx = context();
    const arrived = arrive(ctx, returning(ctx));
    const { ssl, client } = arrived;
    expect(readEarly(ssl)).to.deep.equal(WAIT);
    ssl.receive(arrived.flight);
    expect(readEarly(ssl)).to.deep.equal(SUCCESS);
    expect(readEarly(ssl)).to.deep.equal(WAIT);
    expect([ssl.isInitFinished(), ssl.read(), ssl.getEarlyDataStatus()]).to.deep.equal([
      0,
      null,
      SSL_EARLY_DATA_ACCEPTED,
    ]);
    pass(arrived, hear(arrived, client.receive(ssl.take())));
    expect(readEarly(ssl)).to.deep.equal(FINISH);
    expect(readEarly(ssl)).to.deep.equal(WAIT);
    expect([ssl.isInitFinished(), ssl.sessionReused(), ssl.read(), client.earlyData]).to.deep.equal([
      1,
      1,
      null,
      'accepted',
    ]);
  });

  it('has the early data, too, where the handshake was complete before it was called, and SSL_read(3) what comes behind', () => {
    const ctx = context();
    const visited = visit(ctx, returning(ctx));
    visited.ssl.receive(visited.client.write(ascii('more')).output);
    expect(readEarly(visited.ssl)).to.deep.equal(SUCCESS);
    expect(readEarly(visited.ssl)).to.deep.equal(FINISH);
    expect(text(visited.ssl.read())).to.equal('more');
  });

  it('is not needed: what it has not read is in SSL_read(3), in order, when it can be no replay any more', () => {
    const ctx = context();
    const arrived = arrive(ctx, returning(ctx));
    arrived.ssl.receive(arrived.flight);
    expect(arrived.ssl.read()).to.equal(null);
    pass(arrived, hear(arrived, arrived.client.receive(arrived.ssl.take())));
    arrived.ssl.receive(arrived.client.write(ascii('more')).output);
    expect(text(arrived.ssl.read())).to.equal(`${Buffer.from(REQUEST)}more`);
    expect(readEarly(arrived.ssl)).to.deep.equal(FINISH);
  });

  it('finishes at the end of the handshake where none was sent', () => {
    const ctx = context();
    const arrived = arrive(ctx);
    expect(readEarly(arrived.ssl)).to.deep.equal(WAIT);
    pass(arrived, arrived.flight);
    expect(readEarly(arrived.ssl)).to.deep.equal(FINISH);
    expect(arrived.ssl.getEarlyDataStatus()).to.equal(SSL_EARLY_DATA_NOT_SENT);
  });

  it('finishes before the end of the handshake where it was rejected', () => {
    const ctx = context();
    const given = returning(ctx);
    ctx.setMaxEarlyData(16383); // less than the ticket allows
    const arrived = arrive(ctx, given);
    arrived.ssl.receive(arrived.flight);
    expect(arrived.ssl.isInitFinished()).to.equal(0);
    expect(readEarly(arrived.ssl)).to.deep.equal(FINISH);
    pass(arrived, hear(arrived, arrived.client.receive(arrived.ssl.take())));
    expect([arrived.ssl.getEarlyDataStatus(), arrived.client.earlyData]).to.deep.equal([
      SSL_EARLY_DATA_REJECTED,
      'rejected',
    ]);
    expect(arrived.ssl.connection?.earlyDataRefusal).to.equal('not-allowed');
  });

  it('answers ERROR after a failure, and starts anew after SSL_clear(3)', () => {
    const ctx = context();
    const { ssl } = arrive(ctx);
    ssl.receive(ascii('GET / HTTP/1.0\r\n\r\n'));
    expect(readEarly(ssl)).to.deep.equal(WAIT);
    ssl.take(); // the alert
    ssl.clear();
    const arrived = { ...arrive(ctx, returning(ctx)), ssl };
    pass(arrived, arrived.flight);
    expect([readEarly(ssl), readEarly(ssl)]).to.deep.equal([SUCCESS, FINISH]);
  });

  it('answers ERROR once the handshake has failed behind early data', () => {
    const ctx = context();
    const { ssl, flight } = arrive(ctx, returning(ctx));
    ssl.receive(flight);
    ssl.receive(new Uint8Array([23, 3, 3, 0, 20, ...new Uint8Array(20)]));
    expect([readEarly(ssl), ssl.read()]).to.deep.equal([WAIT, null]);
  });

  it('wants an object to write to', () => {
    const { ssl } = arrive(context());
    expect(() => ssl.readEarlyData(null as never)).to.throw(TypeError, 'readEarlyData(read)');
  });
});

describe('SSL_write_early_data(3)', () => {
  it('answers before the handshake is complete, once early data was accepted, and not after', () => {
    const ctx = context();
    const arrived = arrive(ctx, returning(ctx));
    const { ssl, client } = arrived;
    expect(ssl.writeEarlyData(ascii('too early'))).to.equal(-1);
    ssl.receive(arrived.flight);
    expect(ssl.write(ascii('not yet'))).to.equal(-1);
    expect(ssl.writeEarlyData(ascii('early answer'))).to.equal(12);
    pass(arrived, hear(arrived, client.receive(ssl.take())));
    expect(arrived.heard).to.deep.equal(['early answer']);
    expect(ssl.writeEarlyData(ascii('too late'))).to.equal(-1);
  });
});

describe('SSL_CTX_set_max_early_data(3)', () => {
  it('is 0 at first, or what the option earlyData says; a connection copies it', () => {
    const ctx = new SslContext(options());
    expect(ctx.getMaxEarlyData()).to.equal(0);
    const before = new Ssl(ctx);
    ctx.setMaxEarlyData(0xffffffff);
    expect([before.getMaxEarlyData(), new Ssl(ctx).getMaxEarlyData()]).to.deep.equal([0, 0xffffffff]);
    const earlyData = { maxSize: 100, antiReplay: singleUse() };
    expect(new SslContext(options({ earlyData })).getMaxEarlyData()).to.equal(100);
  });

  for (const wrong of [-1, 2 ** 32]) {
    it(`is a RangeError: ${wrong}`, () => {
      expect(() => context({}, wrong)).to.throw(RangeError, `${wrong} is given; 0 to 4294967295 bytes are possible`);
    });
  }

  it('is in the tickets, and SSL_SESSION_get_max_early_data(3) says it on both sides', () => {
    const ctx = context({}, 1234);
    const { client, ssl } = visit(ctx);
    const all = [...client.sessions, sessionOf(ssl)].map(SSL_SESSION_get_max_early_data);
    expect(all).to.deep.equal([1234, 1234, 1234]);
    const [session] = sessionsOf(new SslContext(options()));
    expect(session && SSL_SESSION_get_max_early_data(session)).to.equal(0);
  });

  it('has each session used once, with early data or without, and tickets kept by the server', () => {
    const ctx = context();
    const [first, second] = sessionsOf(ctx);
    if (first === undefined || second === undefined) throw new Error('two tickets are due');
    expect(ctx.sessNumber()).to.equal(2);
    for (const [session, outcome] of [
      [first, [1, 'accepted']],
      [first, [0, 'rejected']],
      [second, [1, 'none']],
      [second, [0, 'none']],
    ] as const) {
      const earlyData = outcome[1] === 'none' ? undefined : REQUEST;
      const { client, ssl } = visit(ctx, { sessions: [session], earlyData, sessionIsTrusted: true });
      expect([ssl.sessionReused(), client.earlyData]).to.deep.equal(outcome);
    }
  });

  it('takes a captured flight once', () => {
    const ctx = context();
    const { flight } = arrive(ctx, returning(ctx));
    const [once, again] = [new Ssl(ctx), new Ssl(ctx)];
    for (const ssl of [once, again]) ssl.receive(flight);
    expect([readEarly(once), readEarly(again)]).to.deep.equal([SUCCESS, FINISH]);
    expect(again.connection?.earlyDataRefusal).to.equal('not-resumed');
  });

  it('takes nothing under sessions that were found by the get callback and are not in the internal cache', () => {
    for (const [mode, outcome] of [
      [SESS_CACHE_SERVER, [1, 'accepted']],
      [SESS_CACHE_SERVER | SESS_CACHE_NO_INTERNAL_STORE, [0, 'rejected']],
    ] as const) {
      const ctx = context();
      const kept = new Map<string, Session>();
      const left: string[] = [];
      ctx.setSessionCacheMode(mode);
      ctx.setNewSessionCallback((_ssl, session) => {
        kept.set(toHex(session.id), session);
        return 1;
      });
      ctx.setGetSessionCallback((_ssl, id) => kept.get(toHex(id)) ?? null);
      ctx.setRemoveSessionCallback((_ctx, session, reason) => {
        kept.delete(toHex(session.id));
        left.push(reason);
      });
      const given = returning(ctx);
      const { flight } = arrive(ctx, given);
      const first = visit(ctx, given);
      expect([first.ssl.sessionReused(), first.client.earlyData]).to.deep.equal(outcome);
      const again = new Ssl(ctx);
      again.receive(flight);
      expect(again.getEarlyDataStatus()).to.equal(SSL_EARLY_DATA_REJECTED);
      if (outcome[0] === 1) expect(left).to.deep.equal(['consumed']);
    }
  });

  it('takes nothing twice from an application that goes on handing out a session', () => {
    const ctx = context();
    const kept = new Map<string, Uint8Array>();
    ctx.setNewSessionCallback((_ssl, session) => {
      kept.set(toHex(session.id), session.toDer());
      return 0;
    });
    ctx.setGetSessionCallback((_ssl, id) => kept.get(toHex(id)) ?? null);
    const { flight } = arrive(ctx, returning(ctx));
    const states = [0, 1].map(() => {
      const ssl = new Ssl(ctx);
      ssl.receive(flight);
      return ssl.getEarlyDataStatus();
    });
    expect(states).to.deep.equal([SSL_EARLY_DATA_ACCEPTED, SSL_EARLY_DATA_REJECTED]);
  });

  it('keeps the strategy of the option earlyData, and tickets as they are with it', () => {
    let asked = 0;
    const antiReplay = { admit: () => ++asked === 1 };
    const ctx = new SslContext(options({ earlyData: { maxSize: 100, antiReplay } }));
    ctx.setMaxEarlyData(200);
    const given = returning(ctx);
    expect(ctx.sessNumber()).to.equal(0); // the tickets have the sessions
    expect(given.sessions?.map(SSL_SESSION_get_max_early_data)).to.deep.equal([200]);
    expect(visit(ctx, given).client.earlyData).to.equal('accepted');
    const again = visit(ctx, { ...given, sessionIsTrusted: true });
    expect([again.ssl.sessionReused(), again.client.earlyData]).to.deep.equal([1, 'rejected']);
    expect(again.ssl.connection?.earlyDataRefusal).to.equal('replay');
  });

  it('does not admit by singleUse() of the option under tickets that nobody can take', () => {
    const ctx = new SslContext(options({ earlyData: { maxSize: 100, antiReplay: singleUse() } }));
    const { flight } = arrive(ctx, returning(ctx));
    expect(ctx.sessNumber()).to.equal(2);
    const states = [0, 1].map(() => {
      const ssl = new Ssl(ctx);
      ssl.receive(flight);
      return ssl.getEarlyDataStatus();
    });
    expect(states).to.deep.equal([SSL_EARLY_DATA_ACCEPTED, SSL_EARLY_DATA_REJECTED]);
  });

  it('says why recordHellos() of the option rejects at first', () => {
    const ctx = new SslContext(options({ earlyData: { maxSize: 100, antiReplay: recordHellos({ world }) } }));
    const { ssl } = visit(ctx, returning(ctx));
    expect(ssl.connection?.earlyDataRefusal).to.equal('blackout');
  });

  it('is the connection’s own, whatever context its server name leads to', () => {
    const other = testServer({ credentials: [certificates.ecdsaP256], world });
    const ctx = context({ onServerName: () => other });
    expect(visit(ctx, returning(ctx)).client.earlyData).to.equal('accepted');
    const none = new SslContext(options({ onServerName: () => context().config }));
    expect(sessionsOf(none).map(SSL_SESSION_get_max_early_data)).to.deep.equal([0, 0]);
  });

  it('bounds what all connections of a context hold together, by 64 times as much', () => {
    const ctx = context();
    const sessions = Array.from({ length: 33 }, () => sessionsOf(ctx)).flat();
    const waiting = sessions.slice(0, 65).map((session) => {
      const arrived = arrive(ctx, { sessions: [session], earlyData: REQUEST });
      arrived.ssl.receive(arrived.flight);
      return arrived.ssl;
    });
    const refusals = waiting.map((ssl) => ssl.connection?.earlyDataRefusal);
    expect(refusals).to.deep.equal([...new Array(64).fill(undefined), 'held']);
    waiting[0]?.free();
    const { client } = visit(ctx, { sessions: sessions.slice(65), earlyData: REQUEST });
    expect(client.earlyData).to.equal('accepted');
  });

  it('is for the shells, too, whose connections the callback is asked about', () => {
    const ctx = context();
    const asked: Ssl[] = [];
    ctx.setAllowEarlyDataCallback((ssl) => asked.push(ssl));
    const given = { ...returning(ctx), serverName: 'localhost' };
    const { server, client } = pair(trusting, ctx.config, { client: given }).runSync();
    expect([server.earlyData, client.earlyData]).to.deep.equal(['accepted', 'accepted']);
    expect(asked.map((ssl) => ssl.connection)).to.deep.equal([server]);
  });

  it('has no effect with tickets.mode off', () => {
    const ctx = context({ tickets: { mode: 'off' } });
    expect(sessionsOf(ctx)).to.deep.equal([]);
  });
});

describe('SSL_CTX_set_allow_early_data_cb(3)', () => {
  it('is asked last and once, and its 0 rejects the early data alone', () => {
    for (const [answer, status] of [
      [1, 'accepted'],
      [true, 'accepted'],
      [0, 'rejected'],
      [false, 'rejected'],
    ] as const) {
      const ctx = context();
      const asked: Ssl[] = [];
      ctx.setAllowEarlyDataCallback((ssl) => {
        asked.push(ssl);
        return answer;
      });
      const given = returning(ctx);
      const { client, ssl } = visit(ctx, given);
      expect([client.earlyData, ssl.sessionReused()]).to.deep.equal([status, 1]);
      expect(asked).to.deep.equal([ssl]);
      if (status === 'rejected') expect(ssl.connection?.earlyDataRefusal).to.equal('not-allowed');
      ctx.setMaxEarlyData(16383);
      visit(ctx, returning(ctx, { sessions: given.sessions, sessionIsTrusted: true }));
      expect(asked).to.have.length(1);
    }
  });

  it('rejects where it fails, with an event', () => {
    for (const failing of [
      () => {
        throw new Error('no');
      },
      () => Promise.resolve(1) as never,
    ]) {
      const ctx = context();
      ctx.setAllowEarlyDataCallback(failing);
      const events: string[] = [];
      const attend: SslOptions['attend'] = (event) => {
        if (event.type === 'callback-error') events.push(event.callback);
      };
      const { client, ssl } = visit(ctx, returning(ctx), { attend });
      expect([client.earlyData, ssl.sessionReused(), events]).to.deep.equal(['rejected', 1, ['admit']]);
      ctx.setAllowEarlyDataCallback(null);
      expect(visit(ctx, returning(ctx)).client.earlyData).to.equal('accepted');
    }
  });

  it('may end the connection, which then holds nothing any more', () => {
    const ctx = context();
    ctx.setAllowEarlyDataCallback((ssl) => {
      ssl.clear();
      return 1;
    });
    for (let i = 0; i < 65; i++) {
      const { ssl, flight } = arrive(ctx, returning(ctx));
      ssl.receive(flight);
      ssl.free();
    }
    ctx.setAllowEarlyDataCallback(null);
    expect(visit(ctx, returning(ctx)).client.earlyData).to.equal('accepted');
  });

  it('uses up no strategy where it says no', () => {
    let admitted = 0;
    const antiReplay = {
      admit: () => {
        admitted++;
        return true;
      },
    };
    const ctx = new SslContext(options({ earlyData: { maxSize: 100, antiReplay } }));
    ctx.setAllowEarlyDataCallback(() => 0);
    expect([visit(ctx, returning(ctx)).client.earlyData, admitted]).to.deep.equal(['rejected', 0]);
  });
});

describe('SSL_OP_NO_ANTI_REPLAY', () => {
  it('is refused by name, with what to do, by contexts and connections', () => {
    const ctx = context();
    for (const side of [ctx, new Ssl(ctx)]) {
      expect(() => side.setOptions(SSL_OP_NO_ANTI_REPLAY)).to.throw(
        RangeError,
        /^SSL_OP_NO_ANTI_REPLAY: .* antiReplay: \{ admit \}.*recordHellos\(\)/,
      );
      expect(side.getOptions()).to.equal(0);
    }
  });
});
