/** Early data of real clients, and their flights replayed: accepted once, whoever is asked again. */

import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect } from 'chai';
import { type AntiReplay, SessionCache, singleUse, TicketKeyRing } from '../../src/index.ts';
import { createServer, type NodeServerOptions, type Server, type TlsSocket } from '../../src/node/index.ts';
import { toHex } from '../../src/wire/bytes.ts';
import { certificates, fixturePath } from '../fixtures.ts';
import { TestWorld } from '../support/world.ts';
import { nssDatabase } from './clients.ts';
import { captureFlights, replayFlight } from './first-flights.ts';
import { describeWith, run, workFolder } from './peers.ts';

const REQUEST = 'GET / HTTP/1.0\r\n\r\n';
const TRUST = fixturePath('certificates/ecdsa-p256.cert.pem');

/** Admits each hello once; several servers share it. */
function sharedStore(): AntiReplay {
  const known = new Set<string>();
  return {
    admit: ({ key }) => {
      const name = toHex(key);
      const isNew = !known.has(name);
      known.add(name);
      return isNew;
    },
  };
}

interface Client {
  readonly name: string;
  readonly programs: readonly string[];
  /** Visits a server twice, the second time with early data, and returns what it says. */
  visit(port: number, file: string): Promise<string>;
}

const openssl: Client = {
  name: 'openssl s_client -early_data',
  programs: ['openssl'],
  async visit(port, file) {
    const session = join(workFolder(), 'early.pem');
    const where = ['s_client', '-connect', `127.0.0.1:${port}`, '-servername', 'localhost', '-tls1_3', '-ign_eof'];
    await run('openssl', [...where, '-sess_out', session], { input: REQUEST });
    const { stdout } = await run('openssl', [...where, '-sess_in', session, '-early_data', file]);
    return stdout;
  },
};

const gnutls: Client = {
  name: 'gnutls-cli --earlydata',
  programs: ['gnutls-cli'],
  async visit(port, file) {
    const flags = ['--resume', '--waitresumption', '--priority', 'NORMAL:-VERS-ALL:+VERS-TLS1.3'];
    const where = [
      '--port',
      String(port),
      '--sni-hostname',
      'localhost',
      '--verify-hostname',
      'localhost',
      '127.0.0.1',
    ];
    const { stdout } = await run('gnutls-cli', [...flags, `--earlydata=${file}`, '--x509cafile', TRUST, ...where], {
      input: '\n',
    });
    return stdout;
  },
};

const nss: Client = {
  name: 'NSS tstclnt -Z',
  programs: ['tstclnt', 'certutil'],
  async visit(port, file) {
    const where = ['-4', '-h', '127.0.0.1', '-p', String(port), '-a', 'localhost', '-d', await nssDatabase(TRUST)];
    const { stdout } = await run('tstclnt', [...where, '-o', '-V', 'tls1.3:tls1.3', '-L', '2', '-Z', '-A', file]);
    return stdout;
  },
};

/** What a server has seen of early data, a connection each. */
interface Seen {
  readonly status: string;
  readonly refusal: string | undefined;
  readonly data: string;
}

const closing: { close(): unknown }[] = [];
afterEach(() => {
  for (const server of closing.splice(0)) server.close();
});

async function portOf(server: Server): Promise<number> {
  closing.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** A server that answers each connection, and tells of those that have sent early data. */
function serverOf(options: NodeServerOptions): { server: Server; seen: Seen[] } {
  const seen: Seen[] = [];
  const server = createServer({ credentials: [certificates.ecdsaP256], minVersion: 'TLSv1.3', ...options });
  const answer = (socket: TlsSocket) => {
    let early = '';
    socket.on('error', () => {});
    socket.once('data', (data) => {
      early = String(data);
      socket.end(`page: early data ${socket.earlyData}\n`);
    });
    socket.once('close', () => {
      const { earlyDataRefusal: refusal } = socket.connection;
      if (socket.earlyData !== 'none') seen.push({ status: socket.earlyData, refusal, data: early });
    });
  };
  server.on('secureConnection', answer);
  server.on('tlsEvent', (event, socket) => {
    if (event.type !== 'early-data' || socket.connection.isEstablished) return;
    const { earlyDataRefusal: refusal } = socket.connection;
    replayed.push({ status: event.status, refusal, data: '' });
  });
  server.on('tlsClientError', () => {});
  return { server, seen };
}

/** Every early-data event of any server. */
const replayed: Seen[] = [];
beforeEach(() => {
  replayed.length = 0;
});

describe('interop: early data', () => {
  for (const client of [openssl, gnutls, nss])
    describeWith(client.programs, client.name, () => {
      for (const kind of ['singleUse(), stateful', 'a shared store, stateless'] as const)
        it(`${kind}: accepted, and once however often and wherever its flight comes again`, async () => {
          const isStateful = kind === 'singleUse(), stateful';
          const shared = isStateful
            ? { sessions: { cache: new SessionCache() }, earlyData: { maxSize: 16384, antiReplay: singleUse() } }
            : {
                tickets: { mode: 'stateless' as const, keys: TicketKeyRing.rotating(new TestWorld(1)) },
                earlyData: { maxSize: 16384, antiReplay: sharedStore() },
              };
          const { server, seen } = serverOf(shared);
          const port = await portOf(server);
          const other = await portOf(serverOf(shared).server);
          const relay = await captureFlights(port);
          closing.push(relay);
          const file = join(workFolder(), 'early-data');
          await writeFile(file, REQUEST);
          const said = await client.visit(relay.port, file);
          expect(said).to.include('page: early data accepted');
          expect(seen).to.deep.equal([{ status: 'accepted', refusal: undefined, data: REQUEST }]);
          const flight = relay.flights.at(-1) ?? Buffer.alloc(0);
          for (const place of [port, other, port]) await replayFlight(place, flight);
          const refusal = isStateful ? 'not-resumed' : 'replay';
          expect(replayed.map(({ status, refusal: why }) => [status, why])).to.deep.equal([
            ['accepted', undefined],
            ...new Array(3).fill(['rejected', refusal]),
          ]);
        });
    });
});
