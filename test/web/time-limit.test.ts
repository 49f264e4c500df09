/** The limit of a handshake's time is the same in every shell. The tests run the timers themselves. */

import { once } from 'node:events';
import { expect } from 'chai';
import { accept, defineServer } from '../../src/index.ts';
import * as node from '../../src/node/index.ts';
import { certificates } from '../fixtures.ts';
import { memoryPair, until } from '../node/support.ts';
import { testProvider } from '../support/provider.ts';
import { Timers } from '../support/timers.ts';
import { duplexOf, portLink, rejection, startClient, streamLink } from './support.ts';

const config = (): ReturnType<typeof defineServer> =>
  defineServer({ credentials: [certificates.ecdsaP256], crypto: testProvider });

describe('the time that a handshake may take', () => {
  let timers: Timers;
  beforeEach(() => {
    timers = new Timers(60_000);
  });
  afterEach(() => timers.restore());

  for (const [name, makeLink] of [
    ['stream pairs', streamLink],
    ['a MessageChannel', portLink],
  ] as const) {
    it(`is two minutes over ${name}, and the transport is aborted then`, async () => {
      const link = makeLink();
      const accepted = accept(link.server, config());
      const heard = duplexOf(link.client).resume();
      heard.on('error', () => {});
      expect(timers.times).to.deep.equal([120_000]);
      timers.expire();
      expect(await rejection(accepted)).to.include({
        code: 'ERR_TLS_HANDSHAKE_TIMEOUT',
        message: 'no handshake within 120000 ms',
      });
      await until(() => heard.destroyed || heard.readableEnded);
      expect(timers.times).to.deep.equal([]);
    });

    it(`is over with the handshake over ${name}`, async () => {
      const link = makeLink();
      startClient(link.client);
      const tls = await accept(link.server, config());
      expect(timers.times).to.deep.equal([]);
      await tls.close();
    });
  }

  it('is over with a handshake that fails', async () => {
    const link = streamLink();
    void link.client.writable.getWriter().close();
    await rejection(accept(link.server, config()));
    expect(timers.times).to.deep.equal([]);
  });

  it('is what handshakeTimeout says; 0 is no limit', async () => {
    const some = accept(streamLink().server, config(), { handshakeTimeout: 70_000 });
    expect(timers.times).to.deep.equal([70_000]);
    timers.expire();
    expect(await rejection(some)).to.have.property('message', 'no handshake within 70000 ms');
    void accept(streamLink().server, config(), { handshakeTimeout: 0 });
    expect(timers.times).to.deep.equal([]);
  });

  it('is refused where it is none, and the streams are not touched', async () => {
    const { server } = streamLink();
    for (const handshakeTimeout of [-1, 2 ** 31, Number.NaN]) {
      expect(await rejection(accept(server, config(), { handshakeTimeout }))).to.be.instanceOf(RangeError);
    }
    const wrong: object = { handshakeTimeout: '1' };
    expect(String(await rejection(accept(server, config(), wrong)))).to.equal(
      'TypeError: handshakeTimeout: a number of milliseconds is wanted, not a string',
    );
    const misspelt: object = { handshakeTimeoutMs: 1 };
    expect(String(await rejection(accept(server, config(), misspelt)))).to.match(
      /^TypeError: unknown option handshakeTimeoutMs; .*is handshakeTimeout meant\?$/,
    );
    server.readable.getReader();
  });

  it('is the same in the Node shell', async () => {
    const [left, right] = memoryPair();
    const socket = node.accept(left, config());
    expect(timers.times).to.deep.equal([120_000]);
    timers.expire();
    const [error] = await once(socket, 'error');
    expect(error).to.include({ code: 'ERR_TLS_HANDSHAKE_TIMEOUT', message: 'no handshake within 120000 ms' });
    expect(timers.times).to.deep.equal([]);
    right.destroy();
  });
});
