/** The Web shell while a callback has yet to answer: what the peer says meanwhile waits in the transport, whole and in order. */

import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { defineServer } from '../../src/engine/server/define-server.ts';
import { accept } from '../../src/web/accept.ts';
import { TruncationError } from '../../src/web/shell.ts';
import type { BytesWriter } from '../../src/web/streams.ts';
import { ScriptedClient } from '../support/scripted-client.ts';
import { CHUNKS, cut, earlyClient, type Held, heldLookup, heldTicket, pattern } from '../support/waiting.ts';
import { type Link, portLink, readChunks, rejection, streamLink } from './support.ts';

/** The client answers whatever it hears. */
function start({ options }: Held, link: Link, client: ScriptedClient) {
  const accepted = accept(link.server, defineServer(options));
  const writer = link.client.writable.getWriter();
  const reader = link.client.readable.getReader();
  void (async () => {
    for (let heard = await reader.read(); !heard.done; heard = await reader.read()) {
      client.receive(heard.value);
      const answer = client.take();
      if (answer.length > 0) write(writer, [answer]);
    }
  })().catch(() => {});
  return { accepted, writer };
}

function write(writer: BytesWriter, chunks: readonly Uint8Array[]): void {
  for (const chunk of chunks) writer.write(chunk).catch(() => {});
}

/** After the handshake, when a ticket waits for its key. */
async function startHeld(held: Held, link: Link) {
  const client = new ScriptedClient();
  const { accepted, writer } = start(held, link, client);
  write(writer, [client.take()]);
  const tls = await accepted;
  await delay(10); // a read of the transport is under way
  tls.sendTicket();
  expect(held.isAsked()).to.equal(true);
  return { tls, client, writer };
}

for (const [name, makeLink] of [
  ['stream pairs', streamLink],
  ['a MessageChannel', portLink],
] as const) {
  it(`a client that leaves the handshake over ${name} while a callback has not answered is let go at once`, async () => {
    const held = heldLookup();
    const { client, flight } = earlyClient(0);
    const { accepted, writer } = start(held, makeLink(), client);
    write(writer, [flight]);
    while (!held.isAsked()) await delay(1);
    await writer.close();
    expect(await rejection(accepted)).to.be.instanceOf(TruncationError);
  });

  for (const size of CHUNKS) {
    describe(`chunks of ${size} bytes over ${name} while a callback has not answered`, () => {
      const length = Math.max(5000, 2 * size);

      it('wait in the handshake', async () => {
        const held = heldLookup();
        const { client, flight } = earlyClient(length);
        const { accepted, writer } = start(held, makeLink(), client);
        write(writer, cut(flight, size));
        while (!held.isAsked()) await delay(1);
        await delay(10);
        held.answer();
        const tls = await accepted;
        client.sendData(pattern(1000));
        client.close();
        write(writer, [client.take()]);
        expect(Buffer.concat(await readChunks(tls.readable)).equals(pattern(1000))).to.equal(true);
        await tls.close();
      });

      it('wait after the handshake, and the end of the transport behind them', async () => {
        const held = heldTicket();
        const { tls, client, writer } = await startHeld(held, makeLink());
        const sent = pattern(length);
        client.sendData(sent);
        client.close();
        write(writer, cut(client.take(), size));
        void writer.close().catch(() => {});
        let isRead = false;
        const received = readChunks(tls.readable).finally(() => {
          isRead = true;
        });
        await delay(20);
        expect(isRead).to.equal(false);
        held.answer();
        expect(Buffer.concat(await received).equals(sent)).to.equal(true);
        await tls.close();
      });

      it('are read before the transport is found to have been cut off', async () => {
        const held = heldTicket();
        const { tls, client, writer } = await startHeld(held, makeLink());
        const sent = pattern(length);
        client.sendData(sent);
        write(writer, cut(client.take(), size));
        void writer.close().catch(() => {});
        await delay(20);
        held.answer();
        const reader = tls.readable.getReader();
        let read = 0;
        while (read < length) read += (await reader.read()).value?.length ?? 0;
        expect(read).to.equal(length);
        expect(await rejection(reader.read())).to.be.instanceOf(TruncationError);
      });
    });
  }
}

describe('a transport that ends while a callback has not answered', () => {
  it('is a truncation, once it has', async () => {
    const held = heldTicket();
    const { tls, writer } = await startHeld(held, streamLink());
    void writer.close().catch(() => {}); // the read under way has the end now
    await delay(10);
    held.answer();
    expect(await rejection(readChunks(tls.readable))).to.be.instanceOf(TruncationError);
  });

  it('with an error fails the connection with it', async () => {
    const held = heldTicket();
    const { tls, writer } = await startHeld(held, streamLink());
    await writer.abort(new Error('the cable'));
    expect(await rejection(tls.closed)).to.have.property('message', 'the cable');
    held.answer();
  });
});
