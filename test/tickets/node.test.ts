/** Tickets of a server of node:tls: ours opens what it has sealed, and it resumes from what ours has sealed. */

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type SecureVersion, type Server, type TLSSocket } from 'node:tls';
import { expect } from 'chai';
import { Session } from '../../src/sessions/session.ts';
import { ticketKeysFrom } from '../../src/tickets/key-files.ts';
import type { OpeningKey } from '../../src/tickets/key-provider.ts';
import { openSession, sealSession } from '../../src/tickets/ticket.ts';
import { toHex } from '../../src/wire/bytes.ts';
import { certificates } from '../fixtures.ts';
import { random } from './support.ts';

/** Late enough for every clock: times are taken as they are. */
const NOW = 4e9;

interface Visit {
  readonly resumed: boolean;
  /** The client's session, its ticket in it. */
  readonly session: Session;
}

/** One connection, until the client has its ticket. */
async function visit(server: Server, version: SecureVersion, session?: Session): Promise<Visit> {
  const { port } = server.address() as AddressInfo;
  const { cert } = certificates.ecdsaP256;
  // A client that verifies wants its session wrapped, on some Nodes; test/node/node-session.test.ts is about that.
  const resumption = session && { session: Buffer.from(session.toDer()), rejectUnauthorized: false };
  const options = { host: '127.0.0.1', port, servername: 'localhost', ca: cert, maxVersion: version, ...resumption };
  const socket: TLSSocket = connect(options);
  let latest: Buffer | undefined;
  socket.on('session', (der: Buffer) => {
    latest = der;
  });
  socket.resume();
  await once(socket, 'end');
  const resumed = socket.isSessionReused();
  const der = latest ?? socket.getSession();
  socket.end();
  await once(socket, 'close');
  return { resumed, session: Session.fromDer(der ?? new Uint8Array(0)) };
}

describe('tickets of node:tls', () => {
  const ticketKeys = Buffer.from(random(48));
  const [key] = ticketKeysFrom('node', ticketKeys);
  const keys: OpeningKey[] = key === undefined ? [] : [{ key, renewal: 'declined' }];
  let server: Server;

  before(async () => {
    server = createServer({ ...certificates.ecdsaP256, ticketKeys }, (socket) => socket.end('bye'));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  after(() => server.close());

  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    it(`${version}: ours opens its ticket, and it resumes from ours`, async () => {
      const first = await visit(server, version);
      const { ticket } = first.session.foreign;
      const opened = openSession(ticket ?? new Uint8Array(0), keys, NOW);
      if (opened.status !== 'opened') throw new Error(opened.status);
      expect([first.resumed, opened.session.version]).to.deep.equal([false, version]);
      expect(toHex(opened.session.secret)).to.equal(toHex(first.session.secret));
      const ours = sealSession(key, opened.session, random);
      if (typeof ours === 'string') throw new Error(ours);
      expect(toHex(ours)).to.not.equal(toHex(ticket ?? random(1)));
      const changed = first.session.dup({ foreign: { ...first.session.foreign, ticket: ours } });
      expect((await visit(server, version, changed)).resumed).to.equal(true);
    });

    it(`${version}: neither does anything with another's`, async () => {
      const { session } = await visit(server, version);
      const [stranger] = ticketKeysFrom('node', random(48));
      const strange = sealSession(stranger, session, random);
      if (typeof strange === 'string') throw new Error(strange);
      expect(openSession(strange, keys, NOW).status).to.equal('unknown-key');
      const changed = session.dup({ foreign: { ...session.foreign, ticket: strange } });
      expect((await visit(server, version, changed)).resumed).to.equal(false);
    });
  }
});
