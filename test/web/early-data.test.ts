/** Early data over Web Streams: in `readable` once the handshake is complete, or by itself for who asks before. */

import { expect } from 'chai';
import { connect, defineClient, type Session } from '../../src/client.ts';
import {
  type AcceptOptions,
  accept,
  defineServer,
  type ServerOptions,
  singleUse,
  type TlsConnection,
} from '../../src/index.ts';
import { faults } from '../../src/testing.ts';
import { ascii } from '../../src/wire/bytes.ts';
import { certificates } from '../fixtures.ts';
import { testProvider as crypto } from '../support/provider.ts';
import { readText, rejection, streamLink, writeText } from './support.ts';

const PEER = { serverName: 'localhost' };
const client = defineClient({ verifyServer: 'any', crypto });
const serve = (options: Partial<ServerOptions> = {}) =>
  defineServer({
    credentials: [certificates.ecdsaP256],
    crypto,
    earlyData: { maxSize: 2 ** 18, antiReplay: singleUse() },
    ...options,
  });

async function sessionOf(server: ReturnType<typeof serve>): Promise<Session> {
  const link = streamLink();
  const accepted = accept(link.server, server);
  const here = await connect(link.client, client, { ...PEER, sessions: [] });
  const there = await accepted;
  const said = readText(here.readable);
  await there.writable.close();
  await said;
  const [session] = here.connection.sessions;
  if (session === undefined) throw new Error('no session');
  const held = session.upRef();
  await here.writable.close();
  await there.readable.cancel();
  return held;
}

/** Both ends of a connection that comes with early data. */
async function comeBack(earlyData: Uint8Array, accepting: AcceptOptions = {}, server = serve()) {
  const sessions = [await sessionOf(server)];
  const link = streamLink();
  const accepted = accept(link.server, server, accepting);
  accepted.catch(() => {});
  const here = await connect(link.client, client, { ...PEER, sessions, earlyData });
  return { here, there: await accepted };
}

async function end({ here, there }: Awaited<ReturnType<typeof comeBack>>): Promise<void> {
  await Promise.all([here.writable.close(), there.writable.close()]);
}

describe('early data over Web Streams', () => {
  it('is the first in readable, once the handshake is complete', async () => {
    const ends = await comeBack(ascii('early, '));
    expect([ends.here.earlyData, ends.there.earlyData]).to.deep.equal(['accepted', 'accepted']);
    const heard = readText(ends.there.readable);
    await writeText(ends.here.writable, 'and late');
    await end(ends);
    expect(await heard).to.equal('early, and late');
  });

  it('of a quarter of a mebibyte does not keep the handshake waiting, though nobody reads', async () => {
    const ends = await comeBack(new Uint8Array(2 ** 18).fill(0x61));
    const heard = readText(ends.there.readable);
    await end(ends);
    expect((await heard).length).to.equal(2 ** 18);
  });

  it('is by itself for onEarlyData, which can answer at once; accept() resolves with the same connection', async () => {
    let early: TlsConnection | undefined;
    let heard: Promise<string> | undefined;
    let written: Promise<void> | undefined;
    const states: boolean[] = [];
    const ends = await comeBack(ascii('early'), {
      onEarlyData: (connection) => {
        early = connection;
        states.push(connection.connection.isEstablished);
        heard = readText(connection.earlyReadable);
        written = writeText(connection.writable, 'at once');
      },
    });
    expect(early).to.equal(ends.there);
    expect(states).to.deep.equal([false]);
    expect(await heard).to.equal('early');
    await written;
    const [ours, theirs] = [readText(ends.here.readable), readText(ends.there.readable)];
    await end(ends);
    expect([await ours, await theirs]).to.deep.equal(['at once', '']);
  });

  it('may be answered at once by more than a key may protect: the rest waits for the next one', async () => {
    let written: Promise<unknown> | undefined;
    const answer = async ({ writable }: TlsConnection) => {
      const writer = writable.getWriter();
      await writer.write(new Uint8Array(200_000).fill(0x61));
      writer.releaseLock();
    };
    const accepting: AcceptOptions = {
      onEarlyData: (connection) => {
        written = answer(connection);
      },
    };
    const ends = await comeBack(ascii('early'), accepting, serve({ limits: { recordsPerKey: 4 } }));
    const heard = readText(ends.here.readable);
    await written;
    await end(ends);
    expect(await heard).to.equal('a'.repeat(200_000));
  });

  it('that nobody has asked for by then is in readable, and earlyReadable is empty', async () => {
    const ends = await comeBack(ascii('early'), { onEarlyData: () => {} });
    expect(await readText(ends.there.earlyReadable)).to.equal('');
    const heard = readText(ends.there.readable);
    await end(ends);
    expect(await heard).to.equal('early');
  });

  it('may be given up: the connection goes on without it', async () => {
    let cancelled: Promise<void> | undefined;
    const ends = await comeBack(new Uint8Array(2 ** 17), {
      onEarlyData: ({ earlyReadable }) => {
        cancelled = earlyReadable.cancel();
      },
    });
    await cancelled;
    const heard = readText(ends.there.readable);
    await writeText(ends.here.writable, 'late');
    await end(ends);
    expect(await heard).to.equal('late');
  });

  for (const how of ['writable.close()', 'close()'] as const)
    it(`may be answered and ${how} called before the handshake is complete, which it does not give up`, async () => {
      let closed: Promise<void> | undefined;
      const ends = await comeBack(ascii('early'), {
        onEarlyData: (connection) => {
          closed = writeText(connection.writable, 'at once').then(() =>
            how === 'close()' ? connection.close() : connection.writable.close(),
          );
          closed.catch(() => {});
        },
      });
      expect(await readText(ends.here.readable)).to.equal('at once');
      await ends.here.writable.close();
      await closed;
    });

  it('of a client that leaves before its Finished: accept() rejects, also after close()', async () => {
    const server = serve();
    const sessions = [await sessionOf(server)];
    const link = streamLink();
    const accepted = rejection(
      accept(link.server, server, { onEarlyData: (connection) => void connection.close().catch(() => {}) }),
    );
    const leaving = faults.closeAt('end_of_early_data');
    connect(link.client, client, { ...PEER, sessions, earlyData: ascii('early'), faults: [leaving] }).catch(() => {});
    expect(await accepted).to.be.instanceOf(Error);
  });

  it('ends with the error of a handshake that fails', async () => {
    const server = serve();
    const sessions = [await sessionOf(server)];
    const link = streamLink();
    let heard: Promise<unknown> | undefined;
    const accepted = rejection(
      accept(link.server, server, {
        onEarlyData: ({ earlyReadable }) => {
          heard = rejection(readText(earlyReadable));
        },
      }),
    );
    const wrong = faults.raw('finished', (raw) => raw.fill(0, 4));
    connect(link.client, client, { ...PEER, sessions, earlyData: ascii('early'), faults: [wrong] }).catch(() => {});
    expect(await accepted).to.have.property('alert', 'decrypt_error');
    expect(await heard).to.have.property('alert', 'decrypt_error');
  });

  it('that is asked for once the handshake has failed ends with an error, too, and not as if it were complete', async () => {
    const server = serve();
    const sessions = [await sessionOf(server)];
    const link = streamLink();
    let early: TlsConnection | undefined;
    const accepted = rejection(
      accept(link.server, server, {
        onEarlyData: (connection) => {
          early = connection;
        },
      }),
    );
    const wrong = faults.raw('finished', (raw) => raw.fill(0, 4));
    connect(link.client, client, { ...PEER, sessions, earlyData: ascii('early'), faults: [wrong] }).catch(() => {});
    expect(await accepted).to.have.property('alert', 'decrypt_error');
    if (early === undefined) throw new Error('no early data');
    expect(await rejection(readText(early.earlyReadable))).to.have.property('alert', 'decrypt_error');
  });

  it('of thousands of records of a byte is held as bytes, asked for or not', async () => {
    const records = { faults: [faults.split('application_data', 8, 'each')] };
    for (const asks of [false, true]) {
      let earlyReadable: TlsConnection['earlyReadable'] | undefined;
      const server = serve();
      const sessions = [await sessionOf(server)];
      const link = streamLink();
      const accepted = accept(link.server, server, {
        onEarlyData: (connection) => {
          if (asks) ({ earlyReadable } = connection);
        },
      });
      const earlyData = new Uint8Array(2 ** 17);
      const here = await connect(link.client, client, { ...PEER, sessions, earlyData, ...records });
      const there = await accepted;
      const reader = (earlyReadable ?? there.readable).getReader();
      let pieces = 0;
      for (let left = earlyData.length; left > 0; pieces++) left -= (await reader.read()).value?.length ?? left;
      expect(pieces).to.be.below(asks ? 2 ** 12 : 2);
      reader.releaseLock();
      await end({ here, there });
    }
  });

  it('refuses an onEarlyData that is no function', async () => {
    const onEarlyData: unknown = 1;
    const error = await rejection(accept(streamLink().server, serve(), { onEarlyData } as AcceptOptions));
    expect(error)
      .to.be.instanceOf(TypeError)
      .with.property('message')
      .that.matches(/^onEarlyData/);
  });
});
