/** Ssl.receive() while a callback has yet to answer: like a memory BIO it takes what it is given, up to a limit. */

import { expect } from 'chai';
import { SSL_RECEIVED_SHUTDOWN } from '../../src/openssl/constants.ts';
import { Ssl, SslContext } from '../../src/openssl/ssl.ts';
import { ScriptedClient } from '../support/scripted-client.ts';
import { testServer, toyCrypto } from '../support/servers.ts';
import { CHUNKS, cut, pattern } from '../support/waiting.ts';
import { type Pair, pass } from './support.ts';

const MIB = 2 ** 20;

/** The answer is a promise, and what follows from it comes in later turns. */
const soon = () => new Promise<void>((resolve) => void setImmediate(resolve));

/** A connection after its handshake whose next ticket waits for its key. */
function heldPair(): Pair & { answer(): void } {
  let answer = (): void => {};
  const ctx = new SslContext(testServer({ crypto: toyCrypto }));
  ctx.setNumTickets(0);
  ctx.setTlsextTicketKeyCallback(
    () =>
      new Promise((resolve) => {
        answer = () => resolve(0);
      }),
  );
  const pair = pass({ client: new ScriptedClient({ crypto: toyCrypto }), ssl: new Ssl(ctx) });
  expect(pair.ssl.newSessionTicket()).to.equal(1);
  pair.ssl.accept();
  return { ...pair, answer: () => answer() };
}

describe('Ssl.receive() while a callback has not answered', () => {
  for (const size of CHUNKS) {
    it(`keeps chunks of ${size} bytes, and the end of the transport behind them`, async () => {
      const { ssl, client, answer } = heldPair();
      const sent = pattern(Math.max(5000, 2 * size));
      client.sendData(sent);
      client.close();
      for (const chunk of cut(client.take(), size)) ssl.receive(chunk);
      ssl.receiveEof();
      expect(ssl.read()).to.equal(null);
      answer();
      await soon();
      expect(Buffer.from(ssl.read() ?? []).equals(sent)).to.equal(true);
      expect(ssl.getShutdown()).to.equal(SSL_RECEIVED_SHUTDOWN);
      expect(ssl.shutdown(), 'no error').to.equal(1);
      ssl.free();
    });
  }

  it('takes an end without close_notify for one, behind what was sent', async () => {
    const { ssl, client, answer } = heldPair();
    client.sendData(pattern(10));
    ssl.receive(client.take());
    ssl.receiveEof();
    answer();
    await soon();
    expect(ssl.read()).to.deep.equal(pattern(10));
    expect(ssl.shutdown()).to.equal(-1);
    ssl.free();
  });

  it('ends a handshake that wants more, though the callback never answers', async () => {
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const ctx = new SslContext(
        testServer({ crypto: toyCrypto, onServerName: () => new Promise<undefined>(() => {}) }),
      );
      const { ssl } = pass({ client: new ScriptedClient({ crypto: toyCrypto, version }), ssl: new Ssl(ctx) });
      expect(ssl.connection?.waitingFor?.kind).to.equal('task');
      ssl.receiveEof();
      await soon();
      expect(ssl.connection?.waitingFor).to.equal(undefined);
      expect([ssl.isInitFinished(), ssl.shutdown()]).to.deep.equal([0, -1]);
      ssl.free();
    }
  });

  it('does not end one that has all it wants', async () => {
    let answer = (): void => {};
    const ctx = new SslContext(testServer({ crypto: toyCrypto }));
    ctx.setTlsextTicketKeyCallback(
      () =>
        new Promise((resolve) => {
          answer = () => resolve(0);
        }),
    );
    const { ssl, client } = pass({ client: new ScriptedClient({ crypto: toyCrypto }), ssl: new Ssl(ctx) });
    client.sendData(pattern(10));
    ssl.receive(client.take());
    ssl.receiveEof();
    for (let i = 0; i < 5; i++) {
      answer();
      await soon();
    }
    expect(ssl.isInitFinished()).to.equal(1);
    expect(ssl.read()).to.deep.equal(pattern(10));
    expect(ssl.shutdown()).to.equal(-1);
    ssl.free();
  });

  it('copies what it is given', async () => {
    const { ssl, client, answer } = heldPair();
    client.sendData(pattern(10));
    const input = client.take();
    ssl.receive(input);
    input.fill(0);
    answer();
    await soon();
    expect(ssl.read()).to.deep.equal(pattern(10));
    ssl.free();
  });

  it('refuses what is more than 16 MiB, and loses nothing by it', async () => {
    const { ssl, client, answer } = heldPair();
    const sent = pattern(1000);
    client.sendData(sent);
    const input = client.take();
    ssl.receive(input.slice(0, 100));
    for (let i = 0; i < 15; i++)
      expect(() => ssl.receive(new Uint8Array(16 * MIB))).to.throw(RangeError, 'wait for the answer');
    ssl.receive(input.slice(100));
    answer();
    await soon();
    expect(ssl.read()).to.deep.equal(sent);
    ssl.free();
  });

  it('takes 16 MiB, and not a byte more', () => {
    const { ssl } = heldPair();
    ssl.receive(new Uint8Array(16 * MIB - 1));
    expect(() => ssl.receive(new Uint8Array(2))).to.throw(RangeError, 'wait for the answer');
    ssl.receive(new Uint8Array(1));
    expect(() => ssl.receive(new Uint8Array(1))).to.throw(RangeError, 'wait for the answer');
    ssl.free();
  });

  it('forgets it where the connection is cleared', async () => {
    const { ssl, client, answer } = heldPair();
    client.sendData(pattern(10));
    ssl.receive(client.take());
    ssl.receiveEof();
    ssl.clear();
    answer();
    await soon();
    const next = pass({ client: new ScriptedClient({ crypto: toyCrypto }), ssl });
    expect(next.ssl.isInitFinished()).to.equal(1);
    expect(next.ssl.read()).to.equal(null);
    ssl.free();
  });
});
