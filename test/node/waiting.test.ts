/** The Node shell while a callback has yet to answer: what the peer says meanwhile waits in the transport, whole and in order. */

import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { expect } from 'chai';
import { defineServer } from '../../src/engine/server/define-server.ts';
import { accept, type TlsSocket } from '../../src/node/index.ts';
import { ScriptedClient } from '../support/scripted-client.ts';
import { CHUNKS, cut, earlyClient, type Held, heldLookup, heldTicket, pattern } from '../support/waiting.ts';
import { memoryPair, settled, until } from './support.ts';

interface Link {
  readonly socket: TlsSocket;
  readonly client: ScriptedClient;
  /** The transport: the server's end, and the client's. */
  readonly left: Duplex;
  readonly right: Duplex;
}

function connect({ options }: Held, client: ScriptedClient): Link {
  const [left, right] = memoryPair();
  const socket = accept(left, defineServer(options));
  right.on('data', (bytes: Uint8Array) => {
    client.receive(bytes);
    const answer = client.take();
    if (answer.length > 0) right.write(answer);
  });
  return { socket, client, left, right };
}

/** After the handshake, when a ticket waits for its key. */
async function connectHeld(held: Held): Promise<Link> {
  const link = connect(held, new ScriptedClient());
  link.right.write(link.client.take());
  await once(link.socket, 'secure');
  await settled(() => link.client.heard.length); // and the transport has nothing under way
  link.socket.sendTicket();
  expect(held.isAsked()).to.equal(true);
  return link;
}

async function dataOf(socket: TlsSocket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(socket, 'end');
  return Buffer.concat(chunks);
}

it('a client that leaves the handshake while a callback has not answered is let go at once, as by node:tls', async () => {
  const held = heldLookup();
  const { client, flight } = earlyClient(0);
  const { socket, right } = connect(held, client);
  right.end(flight);
  const [error] = await once(socket, 'error');
  expect(held.isAsked()).to.equal(true);
  expect(error).to.have.property('code', 'ECONNRESET');
  expect(socket.destroyed).to.equal(true);
});

for (const size of CHUNKS) {
  describe(`chunks of ${size} bytes while a callback has not answered`, () => {
    const length = Math.max(5000, 2 * size);

    it('wait in the handshake', async () => {
      const held = heldLookup();
      const { client, flight } = earlyClient(length);
      const { socket, right } = connect(held, client);
      for (const chunk of cut(flight, size)) right.write(chunk);
      await until(held.isAsked);
      await settled(() => right.writableLength);
      held.answer();
      await once(socket, 'secure');
      client.sendData(pattern(1000));
      client.close();
      right.end(client.take());
      expect((await dataOf(socket)).equals(pattern(1000))).to.equal(true);
      expect(socket.isTruncated).to.equal(false);
      socket.destroy();
    });

    it('wait after the handshake, and the end of the transport behind them', async () => {
      const held = heldTicket();
      const { socket, client, right } = await connectHeld(held);
      const sent = pattern(length);
      client.sendData(sent);
      client.close();
      for (const chunk of cut(client.take(), size)) right.write(chunk);
      right.end();
      const received = dataOf(socket);
      expect(await settled(() => socket.bytesRead)).to.equal(0);
      held.answer();
      expect((await received).equals(sent)).to.equal(true);
      expect(socket.isTruncated).to.equal(false);
      socket.destroy();
    });

    it('are no reason to overlook an error of the transport', async () => {
      const held = heldTicket();
      const { socket, client, left, right } = await connectHeld(held);
      client.sendData(pattern(length));
      for (const chunk of cut(client.take(), size)) right.write(chunk);
      await settled(() => right.writableLength);
      left.destroy(new Error('the cable'));
      const [error] = await once(socket, 'error');
      expect(error.message).to.equal('the cable');
      held.answer();
      expect(await settled(() => socket.bytesRead)).to.equal(0);
    });
  });
}
