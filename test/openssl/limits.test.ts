/** What OpenSSL's setters take and what they answer, from both sides of each limit: 0, with nothing changed, for what is out of range. */

import { expect } from 'chai';
import { generateId } from '../../src/openssl/callbacks.ts';
import { SSL_SESSION_get_timeout, SSL_SESSION_set_timeout } from '../../src/openssl/session.ts';
import { Session } from '../../src/sessions/session.ts';
import { range, testLimits } from '../support/limits.ts';
import { TestWorld } from '../support/world.ts';
import { context } from './support.ts';

describe("limits of OpenSSL's functions", () => {
  testLimits({
    'SSL_CTX_set_timeout, seconds': {
      ...range(0, Number.MAX_SAFE_INTEGER),
      attempt: (seconds) => context(new TestWorld()).setTimeout(seconds),
      error: 'a timeout of',
    },
    'SSL_CTX_set_generate_session_id, bytes': {
      ...range(1, 32),
      attempt: (bytes) =>
        generateId((_, __, length) => {
          length.value = bytes;
          return 1;
        }, undefined),
      error: 'a session id of',
    },
  });

  it('SSL_CTX_sess_set_cache_size takes 0, which is no limit, and nothing below', () => {
    const ctx = context(new TestWorld());
    const before = ctx.getSessionCacheSize();
    expect([ctx.setSessionCacheSize(-1), ctx.getSessionCacheSize()]).to.deep.equal([0, before]);
    expect([ctx.setSessionCacheSize(0), ctx.getSessionCacheSize()]).to.deep.equal([before, 0]);
  });

  it('SSL_SESSION_set_timeout takes 0, and nothing below', () => {
    const session = new Session({
      version: 'TLSv1.2',
      cipherSuite: 0xc02b,
      id: Uint8Array.of(1),
      secret: new Uint8Array(48),
      time: 1000,
      timeout: 300,
      authTime: 1000,
      extendedMasterSecret: true,
      idContext: new Uint8Array(0),
    });
    expect([SSL_SESSION_set_timeout(session, -1), SSL_SESSION_get_timeout(session)]).to.deep.equal([0, 300]);
    expect([SSL_SESSION_set_timeout(session, 0), SSL_SESSION_get_timeout(session)]).to.deep.equal([1, 0]);
  });
});
