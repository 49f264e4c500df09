/**
 * Our client's early data at the servers of others: accepted, and rejected for every reason that can be had of them. What they say of it
 * themselves has to be what our client says. node:tls and Java JSSE have no early data, and Go's crypto/tls has it over QUIC alone.
 */

import { once } from 'node:events';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import type { ClientOptions } from '../../src/engine/client/options.ts';
import { connect, type Fault, type TlsClientSocket, verifyChain } from '../../src/node/index.ts';
import type { Session } from '../../src/sessions/session.ts';
import { faults } from '../../src/testing/faults.ts';
import { certificates, fixturePath } from '../fixtures.ts';
import { builtC } from './compiled.ts';
import { type Conversation, conversing } from './conversation.ts';
import { captureFlights, replayFlight } from './first-flights.ts';
import { startOnFreePort, type TalkingServer } from './free-port.ts';
import { CERTIFICATE } from './harness.ts';
import { clientOf } from './our-client.ts';
import { describeWith, run, workFolder } from './peers.ts';

const cert = fixturePath(`certificates/${CERTIFICATE}.cert.pem`);
const key = fixturePath(`certificates/${CERTIFICATE}.key.pem`);

/** One for all, as a session knows by whom its server was accepted. */
const verifyServer = verifyChain({ ca: certificates.ecdsaP256.cert });

/** A client of ours that offers the newest of its sessions. */
class Visitor {
  readonly #sessions: Session[] = [];

  /** Resolves when the handshake is done and, of a full one, when there is a session. */
  async open(
    port: number,
    earlyData?: Uint8Array,
    options: ClientOptions = {},
    given: readonly Fault[] = [],
  ): Promise<TlsClientSocket> {
    const config = clientOf('TLSv1.3', { sessions: { cache: false }, verifyServer, ...options });
    const sessions = this.#sessions.slice(0, 1);
    const socket = connect(
      { host: '127.0.0.1', port },
      {
        config,
        serverName: 'localhost',
        sessions,
        earlyData,
        faults: given,
      },
    );
    socket.on('session', (session) => this.#sessions.unshift(session.upRef()));
    await once(socket, sessions.length === 0 ? 'session' : 'secureConnect');
    return socket;
  }

  /** Forgets the newest sessions, so that those of the first visit are offered again. */
  keepFirst(count: number): void {
    for (const session of this.#sessions.splice(0, this.#sessions.length - count)) session.release();
  }

  get count(): number {
    return this.#sessions.length;
  }

  release(): void {
    this.keepFirst(0);
  }
}

async function visiting(visit: (visitor: Visitor) => Promise<void>): Promise<void> {
  const visitor = new Visitor();
  try {
    await visit(visitor);
  } finally {
    visitor.release();
  }
}

async function left(socket: TlsClientSocket): Promise<void> {
  await once(socket.resume().end(), 'close');
}

const bytes = (text: string): Uint8Array => Buffer.from(text);

/** What our client says of a connection that has offered early data. */
function told({ earlyData, resumption }: TlsClientSocket): readonly [string, boolean] {
  return [earlyData, resumption.resumed];
}

describeWith(['openssl'], 'interop: our early data and openssl s_server -early_data', () => {
  const hears = (server: Conversation, line: string) => server.says(new RegExp(`^(${line})$`, 'gm'));
  const count = ({ said }: Conversation, pattern: RegExp) => [...said.matchAll(pattern)].length;

  /** Resolves when the server has come to the end of all that it was sent before. */
  async function synchronize(server: Conversation, port: number): Promise<void> {
    await visiting(async (visitor) => {
      const socket = await visitor.open(port);
      socket.write('synchronized\n');
      await hears(server, 'synchronized');
      socket.destroy();
    });
  }

  const served = (
    flags: readonly string[],
    use: (server: Conversation, port: number, visitor: Visitor) => Promise<void>,
  ) =>
    conversing(['-early_data', ...flags], async (server) => {
      const port = await server.port();
      await visiting((visitor) => use(server, port, visitor));
    });

  it('is accepted, and the connection goes on both ways', () =>
    served([], async (server, port, visitor) => {
      await left(await visitor.open(port));
      const socket = await visitor.open(port, bytes('early\n'));
      expect(told(socket)).to.deep.equal(['accepted', true]);
      await server.says(/^(Early data received):$/gm);
      await hears(server, 'early');
      socket.write('late\n');
      await hears(server, 'late');
      server.type('answer');
      expect(`${(await once(socket, 'data'))[0]}`).to.equal('answer\n');
      await left(socket);
    }));

  it('is sent up to what the ticket allows, in several records, and not beyond', () =>
    served(['-max_early_data', '40000', '-recv_max_early_data', '40000'], async (server, port, visitor) => {
      const longest = Buffer.alloc(40_000, `${'~'.repeat(99)}\n`);
      await left(await visitor.open(port));
      const socket = await visitor.open(port, longest);
      expect(told(socket)).to.deep.equal(['accepted', true]);
      socket.write('late\n');
      await hears(server, 'late');
      expect(count(server, /~/g)).to.equal(400 * 99);
      await left(socket);
      const beyond = await visitor.open(port, Buffer.alloc(40_001));
      expect(told(beyond)).to.deep.equal(['none', true]);
      await server.says(/^(No early data received)$/gm, 2);
      await left(beyond);
    }));

  for (const [flags, admissions] of [
    [[], 1],
    [['-no_anti_replay'], 3],
  ] as const)
    it(`its flight again and again is accepted ${admissions === 1 ? 'once' : 'each time with -no_anti_replay'}`, () =>
      served(flags, async (server, port, visitor) => {
        await left(await visitor.open(port));
        const capture = await captureFlights(port);
        try {
          const socket = await visitor.open(capture.port, bytes('early\n'));
          expect(told(socket)).to.deep.equal(['accepted', true]);
          await left(socket);
          const flight = capture.flights[0] ?? Buffer.alloc(0);
          for (let i = 0; i < 2; i++) await replayFlight(port, flight);
          await synchronize(server, port);
          expect(count(server, /^early$/gm)).to.equal(admissions);
        } finally {
          await capture.close();
        }
      }));

  it('is rejected with a session that has been used, and not sent again by itself', () =>
    served([], async (server, port, visitor) => {
      await left(await visitor.open(port));
      const first = visitor.count;
      await left(await visitor.open(port, bytes('early\n')));
      visitor.keepFirst(first);
      const again = await visitor.open(port, bytes('rejected\n'));
      expect(told(again)).to.deep.equal(['rejected', false]);
      await server.says(/^(Early data was rejected)$/gm);
      again.write('late\n');
      await hears(server, 'late');
      expect(server.said).to.not.contain('rejected\nlate');
      expect(count(server, /^rejected$/gm)).to.equal(0);
      await left(again);
    }));

  it('is rejected after a restart', () =>
    visiting(async (visitor) => {
      await conversing(['-early_data'], async (server) => left(await visitor.open(await server.port())));
      await conversing(['-early_data'], async (server) => {
        const socket = await visitor.open(await server.port(), bytes('rejected\n'));
        expect(told(socket)).to.deep.equal(['rejected', false]);
        await server.says(/^(Early data was rejected)$/gm);
        await left(socket);
      });
    }));

  /** It takes the session for the first hello, and against replays out of its cache: it is not there for the second one. */
  for (const [flags, resumed] of [
    [[], false],
    [['-no_anti_replay'], true],
  ] as const)
    it(`is rejected by a HelloRetryRequest, across which the session resumes ${resumed ? 'with -no_anti_replay' : 'no more'}`, () =>
      served(['-groups', 'P-384', ...flags], async (server, port, visitor) => {
        await left(await visitor.open(port));
        const socket = await visitor.open(port, bytes('rejected\n'));
        expect(told(socket)).to.deep.equal(['rejected', resumed]);
        await server.says(/^(Early data was rejected)$/gm);
        socket.write('late\n');
        await hears(server, 'late');
        await left(socket);
      }));

  it('is rejected where another protocol is selected, and the session resumes', () =>
    served(['-alpn', 'h2,x'], async (server, port, visitor) => {
      await left(await visitor.open(port, undefined, { alpn: ['x'] }));
      const socket = await visitor.open(port, bytes('rejected\n'), { alpn: ['x', 'h2'] });
      expect(socket.alpnProtocol).to.equal('h2');
      expect(told(socket)).to.deep.equal(['rejected', true]);
      await server.says(/^(Early data was rejected)$/gm);
      await left(socket);
    }));
});

async function onLoopback(): Promise<{ LD_PRELOAD: string }> {
  return { LD_PRELOAD: await builtC('loopback', ['-shared', '-fPIC', '-ldl']) };
}

/** For the duration of a function. */
async function running<T extends { close(): Promise<void> }>(started: Promise<T>, use: (server: T) => Promise<void>) {
  const server = await started;
  try {
    await use(server);
  } finally {
    await server.close();
  }
}

/** It does not show what it has read; what it thinks of it, it says to who debugs it. */
describeWith(['gnutls-serv', 'gcc'], 'interop: our early data and gnutls-serv --earlydata', () => {
  const pair = ['--x509certfile', cert, '--x509keyfile', key, '-a'];
  const start = async (...flags: readonly string[]): Promise<TalkingServer> =>
    startOnFreePort(
      'gnutls-serv',
      async (port) => ['--port', String(port), '--echo', '--earlydata', '-d', '4', ...pair, ...flags],
      await onLoopback(),
    );
  const echoed = async (socket: TlsClientSocket): Promise<void> => {
    socket.write('late\n');
    expect(`${(await once(socket, 'data'))[0]}`).to.equal('late\n');
    await left(socket);
  };
  const accepted = ({ said }: TalkingServer) => [...said.matchAll(/: early data accepted$/gm)].length;
  const replays = ({ said }: TalkingServer) => [...said.matchAll(/: replay detected; rejecting early data$/gm)].length;

  it('is accepted, and its flight again is not', () =>
    running(start(), (server) =>
      running(captureFlights(server.port), ({ port, flights }) =>
        visiting(async (visitor) => {
          await echoed(await visitor.open(server.port));
          const socket = await visitor.open(port, bytes('early\n'));
          expect(told(socket)).to.deep.equal(['accepted', true]);
          await echoed(socket);
          expect([accepted(server), replays(server)]).to.deep.equal([1, 0]);
          await replayFlight(server.port, flights[0] ?? Buffer.alloc(0));
          expect([accepted(server), replays(server)]).to.deep.equal([1, 1]);
        }),
      ),
    ));

  it('is sent up to what the ticket allows, and not beyond', () =>
    running(start('--maxearlydata', '10'), ({ port }) =>
      visiting(async (visitor) => {
        await echoed(await visitor.open(port));
        for (const [length, status] of [
          [10, 'accepted'],
          [11, 'none'],
        ] as const) {
          const socket = await visitor.open(port, new Uint8Array(length));
          expect(told(socket)).to.deep.equal([status, true]);
          await echoed(socket);
        }
      }),
    ));

  it('is rejected after a restart', () =>
    visiting(async (visitor) => {
      await running(start(), async ({ port }) => echoed(await visitor.open(port)));
      await running(start(), async ({ port }) => {
        const socket = await visitor.open(port, bytes('early\n'));
        expect(told(socket)).to.deep.equal(['rejected', false]);
        await echoed(socket);
      });
    }));
});

/** One that has answered early data may close before it has read the rest, which resets the connection: its answer has come by then. */
function requireReset(error: Error): void {
  if (!('code' in error && error.code === 'ECONNRESET')) throw error;
}

/** A request, in early data where there is a session, and a second time where that was not accepted. */
async function ask(
  visitor: Visitor,
  port: number,
  request: string,
  given: readonly Fault[] = [],
): Promise<readonly [string, boolean, string]> {
  const socket = await visitor.open(port, bytes(request), {}, given);
  let page = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    page += chunk;
  });
  if (socket.earlyData !== 'accepted') socket.write(request);
  await new Promise((resolve) => socket.on('error', requireReset).once('end', resolve).once('close', resolve));
  socket.destroy(); // what we send to a server that has closed is answered by a reset
  return [...told(socket), page];
}

/** As a server of ours with recordHellos(), it has a blackout at the start: of 10 seconds. */
describeWith(
  ['selfserv', 'certutil', 'pk12util', 'openssl', 'gcc'],
  'interop: our early data and NSS selfserv -Z',
  () => {
    const NICKNAME = 'server';

    async function database(): Promise<string> {
      const folder = await mkdtemp(join(workFolder(), 'selfserv-'));
      const [file, place] = [join(folder, 'pair.p12'), `sql:${folder}`];
      const out = ['pkcs12', '-export', '-out', file, '-passout', 'pass:', '-name', NICKNAME];
      await run('openssl', [...out, '-inkey', key, '-in', cert]);
      await run('certutil', ['-N', '-d', place, '--empty-password']);
      await run('pk12util', ['-i', file, '-d', place, '-W', '']);
      return place;
    }

    it('is rejected in the first seconds of a process, and accepted afterwards', async function () {
      this.timeout(90_000);
      const flags = ['-d', await database(), '-e', NICKNAME, '-V', 'tls1.3:tls1.3', '-u', '-Z'];
      const start = async () =>
        startOnFreePort('selfserv', async (port) => ['-p', String(port), ...flags], await onLoopback());
      await running(start(), async ({ port }) => {
        const [request, EARLY] = ['GET / HTTP/1.0\r\n\r\n', 'GET /early HTTP/1.0\r\n\r\n'];
        for (;;) {
          let seen: readonly [string, boolean, string] | undefined;
          await visiting(async (visitor) => {
            const full = await visitor.open(port);
            full.write(request);
            await once(full.resume(), 'end');
            full.destroy();
            seen = await ask(visitor, port, EARLY);
          });
          expect(seen?.[1]).to.equal(true);
          expect(seen?.[2]).to.match(/^HTTP\/1\.0 200 OK\r\n.*GET \/early HTTP\/1\.0\r\n\r\nEOF/s); // it sends back what it has read
          if (seen?.[0] === 'accepted') return;
          expect(seen?.[0]).to.equal('rejected');
          await delay(500);
        }
      });
    });
  },
);

const REQUEST = 'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';

/** By turns full, and with early data; what the page says of it. */
async function visitTwice(port: number): Promise<void> {
  await visiting(async (visitor) => {
    const full = await visitor.open(port);
    full.write(REQUEST);
    await left(full);
    // What comes before the end of early data is early: so that comes once the server has had time to answer.
    const late = faults.delay('end_of_early_data', 3000, { isBefore: true });
    const [status, resumed, page] = await ask(visitor, port, REQUEST, [late]);
    expect([status, resumed]).to.deep.equal(['accepted', true]);
    expect(page).to.match(/^HTTP\/1\.1 200 OK\r\n.*page: early 1\n/s);
  });
}

describeWith(['nginx'], 'interop: our early data and nginx with ssl_early_data', () => {
  it('is accepted, and is early to the application', async () => {
    const folder = await mkdtemp(join(workFolder(), 'nginx-early-'));
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
    const configuration = (port: number) => `
      daemon off;
      master_process off;
      pid ${folder}/pid;
      error_log stderr;
      events { worker_connections 64; }
      http {
        access_log off;
        ${temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join('\n')}
        server {
          listen 127.0.0.1:${port} ssl;
          ssl_certificate ${cert};
          ssl_certificate_key ${key};
          ssl_protocols TLSv1.3;
          ssl_early_data on;
          location / { default_type text/plain; return 200 "page: early $ssl_early_data\\n"; }
        }
      }`;
    const start = startOnFreePort('nginx', async (port) => {
      const file = join(folder, 'nginx.conf');
      await writeFile(file, configuration(port));
      return ['-e', 'stderr', '-p', folder, '-c', file];
    });
    await running(start, ({ port }) => visitTwice(port));
  });
});

describe('interop: our early data and servers that have none', () => {
  for (const [name, why] of [
    ['Go crypto/tls', 'has it over QUIC alone'],
    ['node:tls', 'does not expose it'],
    ['Java JSSE', 'has none'],
  ] as const)
    it.skip(`${name} ${why}`);
});
