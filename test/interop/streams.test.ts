/** The Web shell's client at a real server: over the Web Streams that Node makes of a TCP socket. */

import { once } from 'node:events';
import { connect as connectPlain } from 'node:net';
import { Duplex } from 'node:stream';
import { expect } from 'chai';
import { connect, defineClient, type Session } from '../../src/client.ts';
import * as client13 from '../../src/client13.ts';
import { verifyChain } from '../../src/node/index.ts';
import { certificates } from '../fixtures.ts';
import { rejection } from '../web/support.ts';
import { CERTIFICATE } from './harness.ts';
import { describeWith } from './peers.ts';
import { type RunningServer, startOpensslServer } from './reference-server.ts';

const verifyServer = verifyChain({ ca: certificates.ecdsaP256.cert });

/** A TCP connection as Web Streams. */
async function transportTo(port: number) {
  const socket = connectPlain(port, '127.0.0.1');
  await once(socket, 'connect');
  const { readable, writable } = Duplex.toWeb(socket);
  return { readable: readable as ReadableStream<Uint8Array>, writable: writable as WritableStream<Uint8Array> };
}

type Connection = Awaited<ReturnType<typeof connect>>;

/** Asks for the page of `s_server -www`, and reads to the end. */
async function pageOf(tls: Connection): Promise<string> {
  const writer = tls.writable.getWriter();
  await writer.write(Buffer.from('GET / HTTP/1.0\r\n\r\n'));
  const reader = tls.readable.getReader();
  let text = '';
  for (let next = await reader.read(); !next.done; next = await reader.read()) text += Buffer.from(next.value);
  await writer.close();
  await tls.closed;
  return text;
}

describeWith(['openssl'], 'interop: openssl s_server over Web Streams', () => {
  for (const tickets of [true, false]) {
    describe(tickets ? 'with tickets' : 'with ids', () => {
      let server: RunningServer;
      before(async () => {
        server = await startOpensslServer(CERTIFICATE, { tickets });
      });
      after(() => server.close());

      for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
        it(`${version}: full, then resumed`, async () => {
          const client = defineClient({ verifyServer, minVersion: version, maxVersion: version });
          const peer = { host: '127.0.0.1', port: server.port, serverName: 'localhost' };
          const first = await connect(await transportTo(server.port), client, peer);
          expect(await pageOf(first)).to.match(/^New, TLSv1/m);
          const second = await connect(await transportTo(server.port), client, peer);
          expect(second.resumption.resumed).to.equal(true);
          expect(await pageOf(second)).to.match(/^Reused, TLSv1/m);
        });
      }

      it('TLSv1.3 with client13: full, then resumed', async () => {
        const sessions: Session[] = [];
        const onNew = (session: Session): void => void sessions.push(session.upRef());
        const client = client13.defineClient({ verifyServer, sessions: { cache: false, onNew } });
        const first = await client13.connect(await transportTo(server.port), client, { serverName: 'localhost' });
        expect(await pageOf(first)).to.match(/^New, TLSv1/m);
        const offer = { serverName: 'localhost', sessions: sessions.splice(0, 1) };
        const second = await client13.connect(await transportTo(server.port), client, offer);
        expect(await pageOf(second)).to.match(/^Reused, TLSv1/m);
        for (const session of [...sessions, ...offer.sessions]) session.free();
      });

      it('is refused for another name', async () => {
        const client = defineClient({ verifyServer });
        const options = { serverName: 'other.example' };
        expect(String(await rejection(connect(await transportTo(server.port), client, options)))).to.contain(
          'the certificate is not for other.example',
        );
      });
    });
  }
});
