/** The relay and the clients, tried on servers that are known to work, before they judge ours. */

import { once } from 'node:events';
import { type AddressInfo, connect as connectTcp, createServer } from 'node:net';
import { connect } from 'node:tls';
import { expect } from 'chai';
import { certificates } from '../fixtures.ts';
import { type Client, clients, nodeTls, opensslSessionFile, type Version } from './clients.ts';
import { CERTIFICATE, describeClient, fullThen, onTheWire, travel, WIRE_VERSION } from './harness.ts';
import { versionOf } from './peers.ts';
import { type ReferenceOptions, type RunningServer, startNodeServer, startOpensslServer } from './reference-server.ts';
import { openRelay } from './relay.ts';
import { WireWatch } from './wire-watch.ts';

describe('interop: the relay and the clients, against reference servers', () => {
  before('the programs', () => {
    const programs = [...new Set(clients.flatMap((client) => client.programs))];
    for (const name of programs) console.log(`    ${name}: ${versionOf(name)}`);
  });

  describe('what the relay reads', () => {
    it('a hello of node:tls, in any fragments', async () => {
      const flight = await clientFlight();
      const whole = new WireWatch();
      whole.feed('client', flight);
      const [hello] = whole.seen.clientHellos;
      expect(hello?.serverName).to.equal('localhost');
      expect(hello?.supportedVersions).to.include(0x0304);
      expect(hello?.pskModes).to.deep.equal([1]);
      expect(hello?.pskIdentities).to.deep.equal([]);
      expect(hello?.sessionTicket).to.deep.equal(Buffer.alloc(0));
      expect(hello?.extendedMasterSecret).to.equal(true);
      expect(hello?.sessionId).to.have.length(32);
      for (const cut of [bytewise(flight), bytewise(inRecordsOf(flight, 7)), [inRecordsOf(flight, 100)]]) {
        const watch = new WireWatch();
        for (const chunk of cut) watch.feed('client', chunk);
        expect(watch.seen).to.deep.equal(whole.seen);
      }
    });

    it('nothing from what is not TLS, without a fuss', () => {
      const watch = new WireWatch();
      watch.feed('client', Buffer.from('GET / HTTP/1.0\r\n\r\n'));
      expect(watch.seen.problems).to.deep.equal(['client: record type 71']);
      const short = new WireWatch();
      short.feed('client', Buffer.from('16030100060100000203030000', 'hex'));
      expect(short.seen.problems).to.have.length(1);
      expect(short.seen.clientHellos).to.deep.equal([]);
    });

    it('a HelloRetryRequest and the group that it asks for', async () => {
      const server = await startNodeServer(certificates.ecdsaP256, { tickets: true, tls: { ecdhCurve: 'P-384' } });
      try {
        const { passages } = await travel({ client: nodeTls, version: 'TLSv1.3', port: server.port });
        expect(onTheWire(passages)).to.deep.equal(['full', 'psk']);
        for (const passage of passages) {
          expect(passage.clientHellos).to.have.length(2);
          expect(passage.helloRetryRequest?.keyShareGroup).to.equal(24);
          expect(passage.clientHellos[1]?.keyShareGroups).to.deep.equal([24]);
        }
      } finally {
        await server.close();
      }
    });

    it('an alert in plaintext', async () => {
      const server = await startNodeServer(certificates.ecdsaP256, { tickets: true, tls: { minVersion: 'TLSv1.3' } });
      const relay = await openRelay(() => server.port);
      try {
        const socket = connect({
          host: '127.0.0.1',
          port: relay.port,
          maxVersion: 'TLSv1.2',
          rejectUnauthorized: false,
        });
        await once(socket, 'error');
        const [passage] = await relay.gone(1);
        expect(passage?.alerts).to.deep.equal([{ from: 'server', level: 2, description: 70 }]);
        expect(passage?.resumed).to.equal(undefined);
      } finally {
        await relay.close();
        await server.close();
      }
    });
  });

  describe('what the relay carries', () => {
    it('a half-close each way, and the bytes as they are', async () => {
      const echo = createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket));
      echo.listen(0, '127.0.0.1');
      await once(echo, 'listening');
      const relay = await openRelay(() => (echo.address() as AddressInfo).port);
      try {
        const sent = Buffer.alloc(300_000, 23);
        const socket = connectTcp({ host: '127.0.0.1', port: relay.port, allowHalfOpen: true });
        const parts: Buffer[] = [];
        socket.on('data', (part) => parts.push(part));
        socket.end(sent);
        await once(socket, 'end');
        const [passage] = await relay.gone(1);
        expect(Buffer.concat(parts).equals(sent)).to.equal(true);
        expect(passage?.bytes).to.deep.equal({ client: sent.length, server: sent.length });
        expect(passage?.resets).to.deep.equal([]);
      } finally {
        await relay.close();
        echo.close();
      }
    });

    it('the second connection to another server, when it is told so', async () => {
      const servers = await Promise.all([1, 2].map(() => startNodeServer(certificates.ecdsaP256, { tickets: true })));
      try {
        const port = (index: number): number => servers[index]?.port ?? 0;
        const { passages } = await travel({ client: nodeTls, version: 'TLSv1.3', port });
        expect(onTheWire(passages)).to.deep.equal(['full', 'full']);
        expect(passages[1]?.clientHellos[0]?.pskIdentities).to.have.length(1);
      } finally {
        await Promise.all(servers.map((server) => server.close()));
      }
    });
  });

  for (const client of clients) {
    describeClient(client, ['openssl'], () => {
      for (const version of client.versions) {
        it(`${version}: full, then resumed, at openssl s_server without stateless tickets`, () => {
          return resumes(client, version, () => startOpensslServer(CERTIFICATE, { tickets: false }));
        });
      }
      // In TLS 1.3 it would not (nodejs/node#60847), but that is Node's to mend, and not ours to rely on.
      if (client.versions.includes('TLSv1.2')) {
        it('TLSv1.2: full, then resumed, at node:tls with newSession and resumeSession', () => {
          return resumes(client, 'TLSv1.2', () => startNodeServer(certificates.ecdsaP256, { tickets: false }));
        });
      }
    });
  }

  describe('node:tls with tickets', () => {
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const mechanism = version === 'TLSv1.3' ? 'psk' : 'ticket';
      for (const client of [nodeTls, opensslSessionFile()]) {
        it(`${version}: ${client.name} resumes by ${mechanism}`, () => {
          const options: ReferenceOptions = { tickets: true };
          return resumes(client, version, () => startNodeServer(certificates.ecdsaP256, options), mechanism);
        });
      }
    }
  });
});

const STATEFUL: Readonly<Record<Version, string>> = { 'TLSv1.2': 'session-id', 'TLSv1.3': 'psk' };

async function resumes(
  client: Client,
  version: Version,
  start: () => Promise<RunningServer>,
  mechanism: string = STATEFUL[version],
): Promise<void> {
  const server = await start();
  try {
    const { passages, told } = await travel({ client, version, port: server.port });
    const expected = fullThen(mechanism, client.connections(2));
    expect(onTheWire(passages)).to.deep.equal(expected);
    expect(told.pages).to.have.length(client.pages(expected.length));
    if (told.resumed !== undefined) expect(told.resumed).to.deep.equal(expected.map((how) => how !== 'full'));
    for (const { serverHello, clientHellos } of passages) {
      expect(serverHello?.version).to.equal(WIRE_VERSION[version]);
      expect(clientHellos[0]?.serverName).to.equal('localhost');
    }
  } finally {
    await server.close();
  }
}

/** The first bytes of node:tls. */
async function clientFlight(): Promise<Buffer> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect({ host: '127.0.0.1', port: (server.address() as AddressInfo).port, servername: 'localhost' });
  client.on('error', () => {}); // nobody answers it
  const [socket] = await once(server, 'connection');
  const [flight] = await once(socket, 'data');
  client.destroy();
  socket.destroy();
  server.close();
  return flight;
}

function bytewise(bytes: Buffer): Buffer[] {
  return Array.from(bytes, (byte) => Buffer.of(byte));
}

/** One handshake record as many: `length` bytes in each. */
function inRecordsOf(record: Buffer, length: number): Buffer {
  const records: Buffer[] = [];
  for (let at = 5; at < record.length; at += length) {
    const part = record.subarray(at, Math.min(at + length, record.length));
    const header = Buffer.from(record.subarray(0, 5));
    header.writeUInt16BE(part.length, 3);
    records.push(header, part);
  }
  return Buffer.concat(records);
}
