/** SSL_VERIFY_PEER: whether clients are asked, who judges them, and which sessions there are then. */

import { expect } from 'chai';
import {
  SSL_VERIFY_CLIENT_ONCE,
  SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
  SSL_VERIFY_NONE,
  SSL_VERIFY_PEER,
} from '../../src/openssl/constants.ts';
import { SSL_SESSION_get0_peer } from '../../src/openssl/session.ts';
import type { SslContext } from '../../src/openssl/ssl.ts';
import { Ssl } from '../../src/openssl/ssl.ts';
import type { Session } from '../../src/sessions/session.ts';
import { clientCertificate } from '../support/client-certificates.ts';
import { trap } from '../support/poisons.ts';
import { type ClientOptions, ScriptedClient } from '../support/scripted-client.ts';
import { toyCrypto } from '../support/servers.ts';
import { TestWorld } from '../support/world.ts';
import { again, connect, context, pass, VERSIONS } from './support.ts';

const certificate = clientCertificate('ecdsaP256');
const [leaf] = certificate.chain;
const MUST = SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
const accept = () => 1;

let world: TestWorld;
let ctx: SslContext;

beforeEach(() => {
  world = new TestWorld(21);
  ctx = context(world);
  ctx.setSessionIdContext(Uint8Array.of(1));
});

/** All new sessions; the application keeps none. */
function announced(of: SslContext = ctx): Session[] {
  const sessions: Session[] = [];
  of.setNewSessionCallback((_, session) => {
    sessions.push(session);
    return 0;
  });
  return sessions;
}

for (const version of VERSIONS) {
  const showing: ClientOptions = { version, certificate };

  describe(`SSL_VERIFY_PEER in ${version}`, () => {
    it('is off at first: nobody is asked', () => {
      expect(ctx.getVerifyMode()).to.equal(SSL_VERIFY_NONE);
      const { client, ssl } = connect(ctx, showing);
      expect(client.certificateRequest).to.equal(undefined);
      expect(ssl.getPeerCertificate()).to.equal(null);
    });

    it('waits for any thenable, and lets none end the program', async () => {
      // biome-ignore-start lint/suspicious/noThenProperty: that is the point.
      const answers: [object, boolean][] = [
        [{ then: (resolve: (answer: number) => void) => resolve(1) }, true], // whose then() returns nothing
        [{ then: (resolve: (answer: number) => void) => [0, 1].forEach(resolve) }, false],
        [{ then: (_: unknown, reject: (reason: unknown) => void) => reject(trap()) }, false],
        [
          {
            then: () => {
              throw trap();
            },
          },
          false,
        ],
        [trap(), false], // which is no int
      ];
      // biome-ignore-end lint/suspicious/noThenProperty: that is the point.
      for (const [answer, isAccepted] of answers) {
        ctx.setVerify(MUST, () => answer as never);
        const pair = connect(ctx, showing);
        await new Promise(setImmediate);
        const { ssl } = pass(pair);
        expect(ssl.isInitFinished()).to.equal(isAccepted ? 1 : 0);
      }
    });

    it('calls back with the connection and the chain, and keeps the leaf in the session', () => {
      const calls: unknown[] = [];
      ctx.setVerify(SSL_VERIFY_PEER, (ssl, chain) => calls.push(ssl, [...chain]));
      const pair = connect(ctx, showing);
      expect(pair.ssl.isInitFinished()).to.equal(1);
      expect(calls).to.deep.equal([pair.ssl, [leaf]]);
      expect(pair.ssl.getPeerCertificate()).to.deep.equal(leaf);
      expect(SSL_SESSION_get0_peer(pair.ssl.getSession() as Session)).to.deep.equal(leaf);
      const { client, ssl } = connect(ctx, again(pair));
      expect(ssl.sessionReused()).to.equal(1);
      expect(client.certificateRequest).to.equal(undefined);
      expect(ssl.getPeerCertificate()).to.deep.equal(leaf);
      expect(calls).to.have.length(2);
    });

    it('goes on without a certificate, and with SSL_VERIFY_FAIL_IF_NO_PEER_CERT does not', () => {
      ctx.setVerify(SSL_VERIFY_PEER, accept);
      const { ssl } = connect(ctx, { version });
      expect(ssl.isInitFinished()).to.equal(1);
      expect(ssl.getPeerCertificate()).to.equal(null);
      expect(SSL_SESSION_get0_peer(ssl.getSession() as Session)).to.equal(null);
      ctx.setVerify(MUST, accept);
      expect(connect(ctx, { version }).client.alert?.name).to.equal(
        version === 'TLSv1.3' ? 'certificate_required' : 'handshake_failure',
      );
      expect(connect(ctx, showing).ssl.isInitFinished()).to.equal(1);
    });

    it('refuses with an answer of 0, and later too', async () => {
      ctx.setVerify(SSL_VERIFY_PEER, () => 0);
      expect(connect(ctx, showing).client.alert?.name).to.equal('certificate_unknown');
      ctx.setVerify(SSL_VERIFY_PEER, () => Promise.resolve(0));
      const pair = connect(ctx, showing);
      expect(pair.client.alert).to.equal(undefined);
      await new Promise(setImmediate);
      expect(pass(pair).client.alert?.name).to.equal('certificate_unknown');
    });

    it('is a function, or nothing', () => {
      const wrong: unknown = 1;
      expect(() => ctx.setVerify(SSL_VERIFY_PEER, wrong as never)).to.throw(TypeError, 'setVerify()');
      expect(() => ctx.setVerify(SSL_VERIFY_PEER, null)).not.to.throw();
    });

    it('refuses who shows a certificate where there is nobody to judge it', () => {
      ctx.setVerify(SSL_VERIFY_PEER);
      const errors: unknown[] = [];
      const attend = (event: { readonly type: string }) => void (event.type === 'callback-error' && errors.push(event));
      expect(connect(ctx, showing, { attend }).client.alert?.name).to.equal('internal_error');
      expect(errors).to.have.length(1);
      expect(connect(ctx, { version }).ssl.isInitFinished()).to.equal(1);
    });

    it('without a session id context: no new callback, nothing in the cache', () => {
      ctx.setSessionIdContext(new Uint8Array(0));
      ctx.setVerify(SSL_VERIFY_PEER, accept);
      const sessions = announced();
      for (const options of [showing, { version }]) {
        const { client, ssl } = connect(ctx, options);
        expect(ssl.isInitFinished()).to.equal(1);
        expect(client.tickets).to.deep.equal([]);
        expect(ssl.newSessionTicket()).to.equal(0);
        expect(ssl.write(Uint8Array.of(1))).to.equal(1);
        expect(client.serverHello?.legacySessionIdEcho).to.deep.equal(
          version === 'TLSv1.3' ? client.hellos[0]?.legacySessionId : new Uint8Array(0),
        );
      }
      expect(sessions).to.deep.equal([]);
      expect(ctx.sessNumber()).to.equal(0);
    });

    it('without a session id context: a session made before leads to a full handshake', () => {
      ctx.setSessionIdContext(new Uint8Array(0));
      const before = connect(ctx, { version });
      expect(connect(ctx, again(before)).ssl.sessionReused()).to.equal(1);
      ctx.setVerify(SSL_VERIFY_PEER, accept);
      const { ssl } = connect(ctx, again(before));
      expect(ssl.isInitFinished()).to.equal(1);
      expect(ssl.connection?.resumption.reason).to.equal('session-id-context');
    });

    it('a session is good only under the verification that it was made under', () => {
      const unasked = connect(ctx, { version });
      ctx.setVerify(SSL_VERIFY_PEER, accept);
      const unshown = connect(ctx, again(unasked));
      expect(unshown.ssl.connection?.resumption.reason, 'was not asked for a certificate').to.equal('scope');
      expect(connect(ctx, again(unshown)).ssl.sessionReused()).to.equal(1);
      ctx.setVerify(MUST, accept);
      const { ssl } = connect(ctx, { ...again(unshown), certificate });
      expect(ssl.connection?.resumption.reason, 'has shown none').to.equal('scope');
      expect(ssl.getPeerCertificate()).to.deep.equal(leaf);
    });

    it('is copied by a connection when it is made, which may have its own', () => {
      const own = new Ssl(ctx);
      const copied = new Ssl(ctx);
      own.setVerify(SSL_VERIFY_PEER | SSL_VERIFY_CLIENT_ONCE, accept);
      ctx.setVerify(MUST, () => 0);
      expect([own.getVerifyMode(), copied.getVerifyMode()]).to.deep.equal([5, 0]);
      for (const [ssl, asked] of [
        [own, true],
        [copied, false],
      ] as const) {
        const client = new ScriptedClient({ sni: 'localhost', crypto: toyCrypto, ...showing });
        pass({ client, ssl });
        expect(ssl.isInitFinished()).to.equal(1);
        expect(client.certificateRequest !== undefined).to.equal(asked);
      }
      expect(connect(ctx, showing).client.alert?.name).to.equal('certificate_unknown');
    });
  });
}

describe('a handshake of TLS 1.2 that lacks a certificate', () => {
  for (const [compat, told] of [
    [undefined, []],
    ['openssl-3', ['alert-sent']],
  ] as const) {
    it(`${compat ?? 'default'}: remove is ${told.length === 0 ? 'not ' : ''}told of its session`, () => {
      const own = context(world, { compat, sessions: { idContext: Uint8Array.of(1) } });
      const reasons: string[] = [];
      own.setRemoveSessionCallback((_, __, reason) => void reasons.push(reason));
      own.setVerify(MUST, accept);
      expect(connect(own, { version: 'TLSv1.2' }).ssl.isInitFinished()).to.equal(0);
      expect(reasons).to.deep.equal(told);
    });
  }
});

describe('SSL_CTX_set_verify(3)', () => {
  it('keeps its callback where none is given', () => {
    ctx.setVerify(SSL_VERIFY_PEER, accept);
    ctx.setVerify(MUST, null);
    expect(ctx.getVerifyCallback()).to.equal(accept);
    expect(ctx.getVerifyMode()).to.equal(MUST);
    expect(connect(ctx, { certificate }).ssl.getPeerCertificate()).to.deep.equal(leaf);
  });

  it('asks nobody without SSL_VERIFY_PEER', () => {
    ctx.setVerify(SSL_VERIFY_FAIL_IF_NO_PEER_CERT, accept);
    expect(connect(ctx, {}).client.certificateRequest).to.equal(undefined);
  });

  it('refuses what would mean nothing here', () => {
    expect(() => ctx.setVerify(8, accept)).to.throw(RangeError, 'verify mode 0x8');
    expect(() => new Ssl(ctx).setVerify(16, accept)).to.throw(RangeError, 'verify mode 0x10');
    expect(ctx.getVerifyMode()).to.equal(SSL_VERIFY_NONE);
  });

  it('starts with what the server was defined with', () => {
    for (const [mode, verifyMode] of [
      ['request', SSL_VERIFY_PEER],
      ['require', MUST],
    ] as const) {
      const defined = context(world, { clientAuth: { mode, verifyClient: () => true } });
      expect(defined.getVerifyMode()).to.equal(verifyMode);
      expect(defined.getVerifyCallback()).to.equal(null);
      expect(connect(defined, { certificate }).ssl.getPeerCertificate()).to.deep.equal(leaf);
      defined.setVerify(SSL_VERIFY_NONE);
      expect(connect(defined, { certificate }).client.certificateRequest).to.equal(undefined);
    }
  });
});
