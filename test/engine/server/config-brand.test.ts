import { PassThrough } from 'node:stream';
import { expect } from 'chai';
import type { ServerConfig } from '../../../src/engine/server/config.ts';
import { defineServer } from '../../../src/engine/server/define-server.ts';
import type { ServerOptions } from '../../../src/engine/server/options.ts';
import { ServerConnection } from '../../../src/engine/server/server-connection.ts';
import { accept } from '../../../src/index.ts';
import { createServer, accept as nodeAccept, TlsSocket } from '../../../src/node/index.ts';
import { SslContext } from '../../../src/openssl.ts';
import { accept as acceptTls13 } from '../../../src/tls13.ts';
import { TlsAlert } from '../../../src/wire/alert.ts';
import { exchange } from '../../support/exchange.ts';
import { ScriptedClient } from '../../support/scripted-client.ts';
import { testServer, toyCrypto } from '../../support/servers.ts';

const REMEDY = 'what defineServer() returned is wanted, and no copy';

const config = testServer({ crypto: toyCrypto });
const streams = () => ({ readable: new ReadableStream(), writable: new WritableStream() });

const COPIES: Readonly<Record<string, () => ServerConfig>> = {
  'a spread': () => ({ ...config }),
  'a spread with a change': () => ({ ...config, alpn: ['h2'] }),
  'Object.assign()': () => Object.assign({}, config),
  'an heir': () => Object.create(config),
  'an object with all of its properties': () =>
    Object.create(Object.prototype, Object.getOwnPropertyDescriptors(config)),
};

/** Each way to give a configuration to a shell, and what the error calls it. */
const SHELLS: Readonly<Record<string, readonly [name: string, give: (copy: ServerConfig) => unknown]>> = {
  defineServer: ['options', (copy) => defineServer(copy as unknown as ServerOptions)],
  ServerConnection: ['config', (copy) => new ServerConnection(copy)],
  'accept of Web Streams': ['options', (copy) => accept(streams(), copy)],
  'accept of tls-resume/tls13': ['config', (copy) => acceptTls13(streams(), copy)],
  'accept of a Duplex': ['options', (copy) => nodeAccept(new PassThrough(), copy)],
  TlsSocket: ['config', (copy) => new TlsSocket(new PassThrough(), copy)],
  createServer: ['options', (copy) => createServer(copy)],
  'the option config of createServer': ['config', (copy) => createServer({ config: copy })],
  SslContext: ['options', (copy) => new SslContext(copy)],
};

async function errorOf(action: () => unknown): Promise<unknown> {
  try {
    await action();
    return undefined;
  } catch (error) {
    return error;
  }
}

describe('a copy of a configuration', () => {
  for (const [what, copy] of Object.entries(COPIES)) {
    for (const [shell, [name, give]] of Object.entries(SHELLS)) {
      it(`${what} is refused by ${shell}`, async () => {
        expect(await errorOf(() => give(copy())))
          .to.be.instanceOf(TypeError)
          .with.property('message', `${name}: ${REMEDY}`);
      });
    }

    for (const [server, serve] of [
      ['a server', (onServerName: () => ServerConfig) => testServer({ crypto: toyCrypto, onServerName })],
      [
        'an SSL_CTX',
        (onServerName: () => ServerConfig) => new SslContext(testServer({ crypto: toyCrypto, onServerName })).config,
      ],
    ] as const) {
      it(`${what} is refused from onServerName of ${server}`, () => {
        const { events } = exchange(new ScriptedClient({ crypto: toyCrypto }), new ServerConnection(serve(copy)));
        const [failure] = events.filter((event) => event.type === 'callback-error');
        expect(failure).to.include({ callback: 'onServerName' });
        expect(failure?.error).to.be.instanceOf(TypeError).with.property('message', `onServerName: ${REMEDY}`);
        const [end] = events.filter((event) => event.type === 'failed');
        expect(end?.error).to.be.instanceOf(TlsAlert).with.property('alert', 'internal_error');
      });
    }
  }

  it('is told from what is no configuration at all', async () => {
    const revoked = Proxy.revocable({}, {});
    revoked.revoke();
    for (const value of ['config', {}, revoked.proxy]) {
      const error = await errorOf(() => createServer({ config: value as unknown as ServerConfig }));
      expect(error).to.have.property('message', `config: ${REMEDY}`);
    }
  });
});

describe('a configuration', () => {
  it('is taken by every shell, made by defineServer() or by an SSL_CTX', () => {
    for (const made of [config, new SslContext(config).config]) {
      new ServerConnection(made).dispose();
      expect(createServer(made).config).to.equal(made);
      expect(createServer({ config: made }).config).to.equal(made);
      nodeAccept(new PassThrough(), made).destroy();
    }
    expect(new SslContext(config).config.groups).to.equal(config.groups);
  });

  it('of an SSL_CTX has the timeout of its context, also once another server has selected it', async () => {
    const ctx = new SslContext(config);
    const { config: before } = ctx;
    ctx.setTimeout(5);
    expect(before.sessionTimeout()).to.equal(5);
    const front = new SslContext(testServer({ crypto: toyCrypto, onServerName: () => before }));
    const selected = await front.config.onServerName?.(undefined);
    ctx.setTimeout(6);
    expect(selected?.sessionTimeout()).to.equal(6);
  });
});
