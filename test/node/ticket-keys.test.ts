/** `ticketKeys`, getTicketKeys() and setTicketKeys() as in node:tls; tickets on demand. */

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { expect } from 'chai';
import { defineServer, TicketKeyRing, ticketKeysFrom, WeakTicketKeyError } from '../../src/index.ts';
import { createServer, type NodeServerOptions, type TlsSocket } from '../../src/node/index.ts';
import { systemWorld } from '../../src/world.ts';
import { credentials, only, open, startServer, stopServers, textOf, VERSIONS, visit } from './support.ts';

afterEach(stopServers);

for (const version of VERSIONS) {
  describe(`ticketKeys, ${version}`, () => {
    it('are enough for a second server to resume', async () => {
      const ticketKeys = randomBytes(48);
      const one = await startServer({ ticketKeys });
      const other = await startServer({ ticketKeys });
      const first = await visit({ port: one.port, ...only(version) });
      const second = await visit({ port: other.port, ...only(version), session: first.session });
      expect([first.isReused, second.isReused]).to.deep.equal([false, true]);
    });

    it('seal in the format of node:tls', async () => {
      const ticketKeys = randomBytes(48);
      const [key] = ticketKeysFrom('node', ticketKeys);
      if (key === undefined) throw new Error('no key');
      const keys = TicketKeyRing.of([key], systemWorld);
      const { port } = await startServer({ ticketKeys });
      const other = await startServer({ tickets: { mode: 'stateless', keys } });
      const { session } = await visit({ port, ...only(version) });
      expect((await visit({ port: other.port, ...only(version), session })).isReused).to.equal(true);
    });

    it('can be replaced, and then the old ones open nothing', async () => {
      const { server, port } = await startServer({ ticketKeys: randomBytes(48) });
      const { session } = await visit({ port, ...only(version) });
      server.setTicketKeys(randomBytes(48));
      const second = await visit({ port, ...only(version), session });
      expect(second.isReused).to.equal(false);
      expect((await visit({ port, ...only(version), session: second.session })).isReused).to.equal(true);
    });

    for (const [whose, options] of [
      ['given', () => ({ ticketKeys: randomBytes(48) })],
      ["the server's own", () => ({ tickets: { mode: 'stateless' } }) as const],
    ] as const) {
      it(`are still those when listeners of node:tls's kind have come: ${whose}`, async () => {
        const { server, port } = await startServer(options());
        const { session } = await visit({ port, ...only(version) });
        server.on('resumeSession', (_id, callback) => callback(null, null));
        expect((await visit({ port, ...only(version), session })).isReused).to.equal(true);
      });
    }
  });
}

describe('ticketKeys', () => {
  it('can be read', () => {
    const [before, after] = [randomBytes(48), randomBytes(48)];
    const server = createServer({ credentials, ticketKeys: before });
    expect(server.getTicketKeys().equals(before)).to.equal(true);
    server.setTicketKeys(after);
    expect(server.getTicketKeys().equals(after)).to.equal(true);
    server.setTicketKeys(after);
    expect(server.getTicketKeys().equals(after)).to.equal(true);
  });

  it('are only there where they were given', () => {
    const server = createServer({ credentials });
    expect(() => server.getTicketKeys()).to.throw(Error, 'made without the option ticketKeys');
    expect(() => server.setTicketKeys(randomBytes(48))).to.throw(Error, 'made without the option ticketKeys');
  });

  const ticketKeys = randomBytes(48);
  const keys = TicketKeyRing.rotating(systemWorld);
  const config = defineServer({ credentials });
  const refused: readonly (readonly [string, NodeServerOptions, new (message: string) => Error, string])[] = [
    ['with other keys', { ticketKeys, tickets: { keys } }, TypeError, 'give either ticketKeys or tickets.keys'],
    ['with stateful tickets', { ticketKeys, tickets: { mode: 'stateful' } }, TypeError, "tickets.mode 'stateful' uses"],
    ['without tickets', { ticketKeys, tickets: { mode: 'off' } }, TypeError, "tickets.mode 'off' uses none"],
    ['with a configuration', { config, ticketKeys }, TypeError, 'give either config or ticketKeys'],
    ['as text', { ticketKeys: 'x'.repeat(48) as unknown as Buffer }, TypeError, 'ticketKeys: a Buffer of 48 bytes'],
    ['of another length', { ticketKeys: randomBytes(80) }, RangeError, 'ticketKeys has 80 bytes; 48 are wanted'],
    ['that are not random', { ticketKeys: Buffer.alloc(48) }, WeakTicketKeyError, 'not random'],
  ];
  for (const [how, options, type, message] of refused) {
    it(`are refused ${how}`, () => {
      const given = options.config === undefined ? { credentials, ...options } : { config, ticketKeys };
      expect(() => createServer(given)).to.throw(type, message);
    });
  }
});

describe('sendTicket() of a socket', () => {
  it('sends the only ticket where the timing is manual, and it resumes', async () => {
    const { server, port } = await startServer({ tickets: { timing: 'manual' } }, () => {});
    const [[socket], client] = await Promise.all([
      once(server, 'secureConnection') as Promise<[TlsSocket]>,
      open({ port, ...only('TLSv1.3') }),
    ]);
    let tickets = 0;
    client.on('session', () => tickets++);
    socket.sendTicket();
    const [session] = (await once(client, 'session')) as [Buffer];
    client.resume();
    socket.end();
    await once(client, 'close');
    expect(tickets).to.equal(1);
    socket.sendTicket(); // nobody is there any more, which is no error
    server.on('secureConnection', (next) => next.end());
    expect((await visit({ port, ...only('TLSv1.3'), session })).isReused).to.equal(true);
  });

  it('is a mistake in TLS 1.2, which the connection survives', async () => {
    const { server, port } = await startServer({}, () => {});
    const [[socket], client] = await Promise.all([
      once(server, 'secureConnection') as Promise<[TlsSocket]>,
      open({ port, ...only('TLSv1.2') }),
    ]);
    expect(() => socket.sendTicket()).to.throw(Error, 'sendTicket() is for TLS 1.3');
    socket.end('bye');
    expect(await textOf(client)).to.equal('bye');
  });
});
