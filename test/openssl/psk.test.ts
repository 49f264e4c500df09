/** SSL_CTX_set_psk_find_session_callback(3), SSL_CTX_set_psk_server_callback(3): whom they are asked about, and what becomes of the answer. */

import { expect } from 'chai';
import { type ClientOptions, defineClient } from '../../src/client.ts';
import type { ServerOptions } from '../../src/engine/server/options.ts';
import {
  type PskServerCallback,
  Session,
  SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
  SSL_VERIFY_PEER,
  Ssl,
  SslContext,
} from '../../src/openssl.ts';
import { type Pair, pair } from '../../src/testing.ts';
import { ascii, EMPTY, utf8 } from '../../src/wire/bytes.ts';
import { certificates } from '../fixtures.ts';
import { synchronousProvider } from '../support/provider.ts';
import { TestWorld } from '../support/world.ts';
import { failedCallbacks } from './sessions.ts';

const SECRET = new Uint8Array(48).fill(7);
const NAME = 'sensor 7';
const world = new TestWorld(142);
const crypto = synchronousProvider;

function context(given: Partial<ServerOptions> = {}): SslContext {
  return new SslContext({ credentials: [certificates.ecdsaP256], crypto, world, ...given });
}

/** As OpenSSL's programs make one of a PSK: its suite names the hash. */
function pskSession(changes: { cipherSuite?: number; version?: 'TLSv1.2' | 'TLSv1.3' } = {}): Session {
  const [time, timeout, authTime] = [0, 3600, 0];
  const version = changes.version ?? 'TLSv1.3';
  const cipherSuite = changes.cipherSuite ?? 0x1302;
  const negotiated = { version, cipherSuite, id: EMPTY, idContext: EMPTY, secret: SECRET, extendedMasterSecret: true };
  return new Session({ ...negotiated, time, timeout, authTime });
}

const SHA384 = { identity: utf8(NAME), secret: SECRET, hash: 'sha384' as const };
const SHA256 = { identity: utf8(NAME), secret: SECRET };

const clientWith = (options: Partial<ClientOptions> = {}) =>
  defineClient({ verifyServer: 'any', crypto, world, ...options });

const visit = (ctx: SslContext, options: Partial<ClientOptions>): Pair =>
  pair(clientWith(options), ctx.config).runSync();
const alert = ({ events }: Pair) =>
  events.flatMap(({ side, event }) => (side === 'server' && event.type === 'failed' ? [event.error.alert] : []))[0];
const failed = ({ events }: Pair) =>
  failedCallbacks(events.flatMap(({ side, event }) => (side === 'server' ? [event] : [])));
/** Says that there are PSKs: the callbacks have them. */
const NO_PSKS = { psks: () => undefined };
const write: PskServerCallback = (_ssl, identity, psk) => {
  if (identity !== NAME) return 0;
  psk.set(SECRET);
  return SECRET.length;
};

describe('SSL_CTX_set_psk_find_session_callback(3)', () => {
  it('finds a session, whose suite names the hash of the PSK, and whose hold is the engine’s', () => {
    const ctx = context();
    const asked: string[] = [];
    const made = pskSession().upRef();
    ctx.setPskFindSessionCallback((ssl, identity, session) => {
      expect(ssl).to.be.instanceOf(Ssl);
      asked.push(Buffer.from(identity).toString());
      session.value = made;
      return 1;
    });
    const { server } = visit(ctx, { psks: [SHA384] });
    expect(server.resumption).to.include({ resumed: false, mechanism: 'psk-external' });
    expect([server.cipherSuite, asked, made.holds]).to.deep.equal(['TLS_AES_256_GCM_SHA384', [NAME], 1]);
  });

  it('may answer by a promise', async () => {
    const ctx = context();
    ctx.setPskFindSessionCallback(async (_ssl, _identity, session) => {
      session.value = pskSession();
      return 1;
    });
    const { server } = await pair(clientWith({ psks: [SHA384] }), ctx.config).run();
    expect(server.resumption.mechanism).to.equal('psk-external');
  });

  it('is asked about tickets as well, which resume where it knows nothing', () => {
    const ctx = context();
    let asked = 0;
    ctx.setPskFindSessionCallback(() => {
      asked++;
      return 1;
    });
    const client = clientWith();
    const [session] = pair(client, ctx.config).runSync().client.sessions;
    const again = pair(client, ctx.config, { client: { sessions: session && [session] } }).runSync();
    expect([again.server.resumption.resumed, asked]).to.deep.equal([true, 1]);
  });

  for (const [what, find] of Object.entries({
    'answers 0': () => 0,
    throws: () => {
      throw new Error('no');
    },
    'finds a session of TLS 1.2': (_: Ssl, __: Uint8Array, session: { value: Session | null }) => {
      session.value = pskSession({ version: 'TLSv1.2', cipherSuite: 0xc02b });
      return 1;
    },
    'finds no session': (_: Ssl, __: Uint8Array, session: { value: unknown }) => {
      session.value = { secret: SECRET };
      return 1;
    },
  }))
    it(`${what}: there is an event, and a full handshake`, () => {
      const ctx = context();
      ctx.setPskFindSessionCallback(find);
      const visited = visit(ctx, { psks: [SHA384] });
      expect(visited.server.resumption).to.include({ mechanism: undefined, reason: 'store-error' });
      expect([visited.server.isEstablished, failed(visited)]).to.deep.equal([true, ['psks']]);
    });

  it('is not asked in TLS 1.2', () => {
    const ctx = context({
      ...NO_PSKS,
      maxVersion: 'TLSv1.2',
      ciphers: ['TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256'],
    });
    let asked = 0;
    ctx.setPskFindSessionCallback(() => ++asked);
    const ciphers = ['TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256'];
    expect(alert(visit(ctx, { psks: [SHA256], ciphers }))).to.equal('unknown_psk_identity');
    expect(asked).to.equal(0);
  });
});

describe('SSL_CTX_set_psk_server_callback(3)', () => {
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const)
    it(`writes the PSK of an identity, and returns its length: ${version}`, () => {
      const suites = ['TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256', 'TLS_AES_128_GCM_SHA256'];
      const ctx = context({ ...NO_PSKS, ciphers: suites });
      ctx.setPskServerCallback(write);
      const { server } = visit(ctx, { psks: [SHA256], ciphers: suites, maxVersion: version });
      expect(server.resumption.mechanism).to.equal('psk-external');
    });

  it('is asked behind the other callback, where that one knows nothing', () => {
    const ctx = context();
    const asked: string[] = [];
    ctx.setPskFindSessionCallback(() => {
      asked.push('find');
      return 1;
    });
    ctx.setPskServerCallback((...given) => {
      asked.push('server');
      return write(...given);
    });
    expect(visit(ctx, { psks: [SHA256] }).server.resumption.mechanism).to.equal('psk-external');
    expect(asked).to.deep.equal(['find', 'server']);
  });

  it('is asked about text alone, of at most 256 bytes', () => {
    for (const [identity, isAsked] of [
      ['é'.repeat(128), true],
      [Uint8Array.of(0xff), false],
      ['nul\0', false],
      ['n'.repeat(257), false],
    ] as const) {
      const ctx = context();
      const asked: string[] = [];
      ctx.setPskServerCallback((_ssl, name) => {
        asked.push(name);
        return 0;
      });
      const { server } = visit(ctx, {
        psks: [{ ...SHA256, identity: typeof identity === 'string' ? utf8(identity) : identity }],
      });
      expect(asked).to.deep.equal(isAsked ? [identity] : []);
      expect(server.resumption.mechanism).to.equal(undefined);
    }
  });

  for (const length of [-1, 513, 1.5, '16', 15])
    it(`answers ${JSON.stringify(length)}: there is an event, and a full handshake`, () => {
      const ctx = context();
      ctx.setPskServerCallback(() => length as number);
      const visited = visit(ctx, { psks: [SHA256] });
      expect([visited.server.resumption.mechanism, failed(visited)]).to.deep.equal([undefined, ['psks']]);
    });
});

describe('callbacks for PSKs', () => {
  it('replace psks of the options, and give way to them again', () => {
    const ctx = context({ psks: [{ ...SHA256, identity: ascii('listed') }] });
    const listed = { psks: [{ ...SHA256, identity: ascii('listed') }] };
    expect(visit(ctx, listed).server.resumption.mechanism).to.equal('psk-external');
    ctx.setPskServerCallback(write);
    expect(visit(ctx, listed).server.resumption.mechanism).to.equal(undefined);
    expect(visit(ctx, { psks: [SHA256] }).server.resumption.mechanism).to.equal('psk-external');
    ctx.setPskServerCallback(null);
    expect(visit(ctx, listed).server.resumption.mechanism).to.equal('psk-external');
  });

  it('are enough for a context without credentials, where unknown identities are hidden', () => {
    const ctx = context({ ...NO_PSKS, credentials: undefined });
    ctx.setPskServerCallback(write);
    expect(visit(ctx, { psks: [SHA256], verifyServer: undefined }).server.resumption.mechanism).to.equal(
      'psk-external',
    );
    const unknown = { ...SHA256, identity: utf8('unknown') };
    expect(alert(visit(ctx, { psks: [unknown], verifyServer: undefined }))).to.equal('decrypt_error');
  });

  it('do not stand for a certificate that must be shown', () => {
    const ctx = context();
    ctx.setSessionIdContext(utf8('shop'));
    ctx.setPskServerCallback(write);
    ctx.setVerify(SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, () => 1);
    const visited = visit(ctx, { psks: [SHA256] });
    expect(visited.server.resumption.reason).to.equal('client-certificate');
    expect(alert(visited)).to.equal('certificate_required');
  });

  it('are copied by a connection, which may have others', () => {
    const ctx = context();
    const ssl = new Ssl(ctx);
    ctx.setPskServerCallback(write);
    let asked = 0;
    ssl.setPskServerCallback(() => {
      asked++;
      return 0;
    });
    const client = pair(clientWith({ psks: [SHA256] }), context().config).client;
    ssl.receive(client.connect().output);
    expect(asked).to.equal(1);
  });

  it('take a function, or null', () => {
    const ctx = context();
    for (const wrong of [1, 'psk', undefined]) {
      expect(() => ctx.setPskServerCallback(wrong as never)).to.throw(TypeError, 'setPskServerCallback()');
      expect(() => ctx.setPskFindSessionCallback(wrong as never)).to.throw(TypeError, 'setPskFindSessionCallback()');
      expect(() => ctx.setAllowEarlyDataCallback(wrong as never)).to.throw(TypeError, 'setAllowEarlyDataCallback()');
    }
  });
});
