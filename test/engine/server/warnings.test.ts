/** What a server warns of when it is defined. */

import { expect } from 'chai';
import { clientCertificates } from '../../../src/engine/server/client-auth.ts';
import { defineServer } from '../../../src/engine/server/define-server.ts';
import { defineServer as defineTls13 } from '../../../src/engine/server/define-server-tls13.ts';
import type { ServerOptions } from '../../../src/engine/server/options.ts';
import { createServer } from '../../../src/node/index.ts';
import { SSL_VERIFY_PEER, SslContext } from '../../../src/openssl.ts';
import { credential } from '../../support/servers.ts';

const idContext = Uint8Array.of(1);
const clientAuth = () => ({ mode: 'request', verifyClient: () => true }) as const;
const options = (rest: Omit<ServerOptions, 'credentials'>) => ({ credentials: [credential('ecdsaP256')], ...rest });

/** Runs `action`, and returns the warnings that it leads to. */
function warningsOf(action: () => unknown): string[] {
  const { emitWarning } = process;
  const heard: string[] = [];
  process.emitWarning = (message: string | Error) => void heard.push(String(message));
  try {
    action();
  } finally {
    process.emitWarning = emitWarning;
  }
  return heard;
}

describe('clientAuth without sessions.idContext', () => {
  for (const [what, define] of [
    ['defineServer()', () => defineServer(options({ clientAuth: clientAuth() }))],
    ['that of tls13', () => defineTls13(options({ clientAuth: clientAuth() }), { clientCertificates })],
    ['createServer()', () => createServer(options({ clientAuth: clientAuth() }))],
  ] as const) {
    it(`is warned of by ${what}`, () => {
      const [warning, ...others] = warningsOf(define);
      expect(warning).to.match(/^clientAuth without sessions\.idContext: .*Set sessions\.idContext/);
      expect(others).to.deep.equal([]);
    });
  }

  it('is warned of once where a shell defines the server again', () => {
    const define = () => {
      const server = createServer(options({ clientAuth: clientAuth() }));
      server.on('newSession', () => {});
      server.on('resumeSession', () => {});
    };
    expect(warningsOf(define)).to.have.lengthOf(1);
  });

  for (const [what, rest] of [
    ['with a session id context', { clientAuth: clientAuth(), sessions: { idContext } }],
    ['without clientAuth', {}],
    ["with tickets.mode 'off', which means the same", { clientAuth: clientAuth(), tickets: { mode: 'off' } }],
  ] as readonly [string, Omit<ServerOptions, 'credentials'>][]) {
    it(`is not warned of ${what}`, () => expect(warningsOf(() => defineServer(options(rest)))).to.deep.equal([]));
  }

  it('is warned of once by a context, when its settings are used', () => {
    const start = () => {
      const ctx = new SslContext(options({ clientAuth: clientAuth() }));
      return [ctx.config, ctx.config];
    };
    expect(warningsOf(start)).to.have.lengthOf(1);
  });

  it('is not warned of by a context that gets its session id context later', () => {
    const start = () => {
      const ctx = new SslContext(options({ clientAuth: clientAuth() }));
      ctx.setSessionIdContext(idContext);
      ctx.setVerify(SSL_VERIFY_PEER);
      return ctx.config;
    };
    expect(warningsOf(start)).to.deep.equal([]);
  });

  it('is said on the console where there is no process', () => {
    const { process } = globalThis;
    const { warn } = console;
    const heard: unknown[] = [];
    console.warn = (message: unknown) => void heard.push(message);
    Reflect.deleteProperty(globalThis, 'process');
    try {
      defineServer(options({ clientAuth: clientAuth() }));
    } finally {
      globalThis.process = process;
      console.warn = warn;
    }
    expect(heard).to.have.lengthOf(1);
  });
});
