/**
 * Real clients at our server: full, then resumed, by whatever way the server finds the session; and a full handshake
 * where it may not resume, after which the client resumes from that. Three witnesses must agree: the hellos on the
 * wire, the server, and the client where it says anything.
 */

import { expect } from 'chai';
import type { ServerOptions } from '../../src/engine/server/options.ts';
import type { NoResumption } from '../../src/handshake/outcome.ts';
import type { Session } from '../../src/sessions/session.ts';
import { certificates } from '../fixtures.ts';
import { type Client, clients, opensslSessionFile, type Version } from './clients.ts';
import { describeClient, onTheWire, type Travelled, type Trip, travel, WIRE_VERSION } from './harness.ts';
import { hex, movableWorld, type OurServer, openStore, startOurs } from './our-server.ts';
import { describeWith } from './peers.ts';

/** Where the client can be told. The third shows that what the second left behind is good too. */
const CONNECTIONS = 3;

const ON_THE_WIRE: Readonly<Record<Version, string>> = { 'TLSv1.2': 'session-id', 'TLSv1.3': 'psk' };
const AT_THE_SERVER: Readonly<Record<Version, string>> = { 'TLSv1.2': 'session-id', 'TLSv1.3': 'psk-stateful' };
const X25519 = 29;
const OTHER_SUITES: Readonly<Record<Version, readonly [string, string]>> = {
  'TLSv1.2': ['TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256', 'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384'],
  'TLSv1.3': ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384'],
};

describe('interop: real clients at our server', () => {
  for (const client of clients) {
    describeClient(client, [], () => {
      for (const version of client.versions) describe(version, () => meetings(client, version));
    });
  }

  describeWith(['openssl'], 'psk_ke', () => {
    it('is what a client resumes by that allows it, where the server has nothing else', async () => {
      const client = opensslSessionFile(['-allow_no_dhe_kex']);
      const { passages } = await meet({ client, version: 'TLSv1.3' }, [{ pskModes: ['psk_ke'] }], []);
      expect(passages.map(({ serverHello }) => serverHello?.keyShareGroup)).to.deep.equal([
        X25519,
        undefined,
        undefined,
      ]);
    });

    it('is not for a client that does not allow it, which gets no ticket then', async () => {
      const client = opensslSessionFile();
      await meet({ client, version: 'TLSv1.3' }, [{ pskModes: ['psk_ke'] }], ['not-offered', 'not-offered']);
    });
  });

  describeWith(['openssl'], 'max_fragment_length (RFC 6066 §4)', () => {
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      it(`is kept on resumption for s_client -maxfraglen 512, ${version}`, async () => {
        const kept: unknown[] = [];
        const onNew = ({ foreign }: Session) => void kept.push(foreign.maxFragmentLength);
        await meet({ client: opensslSessionFile(['-maxfraglen', '512']), version }, [{ sessions: { onNew } }], []);
        expect(new Set(kept)).to.deep.equal(new Set([1]));
      });
    }
  });
});

function meetings(client: Client, version: Version): void {
  for (const delayMs of [undefined, 30]) {
    it(`resumes from a store that answers ${delayMs === undefined ? 'at once' : `after ${delayMs} ms`}`, async () => {
      const store = openStore(delayMs);
      const travelled = await meet({ client, version }, [{ sessions: outside(store) }], []);
      expect(store.asked).to.deep.equal(offeredSessions(travelled, version));
    });
  }

  it('resumes from the internal cache alone; RSA', () => {
    return meet({ client, version, certificate: 'rsa-2048' }, [{ credentials: [certificates.rsa2048] }], []);
  });

  if (version === 'TLSv1.3' && client.resumesAfterRetry !== false) {
    it('resumes across a HelloRetryRequest', async () => {
      const store = openStore(30);
      const travelled = await meet({ client, version }, [{ groups: ['secp384r1'], sessions: outside(store) }], []);
      for (const { helloRetryRequest } of travelled.passages) expect(helloRetryRequest?.keyShareGroup).to.equal(24);
      // Once for each session, though it is in both hellos.
      expect(store.asked).to.deep.equal(offeredSessions(travelled, version));
    });
  }

  it('is not resumed when the store has lost its session', async () => {
    const store = openStore();
    await meet({ client, version }, [{ sessions: outside(store) }], ['unknown'], () => store.clear());
  });

  it('is not resumed when its session has expired', async () => {
    const store = openStore();
    const world = movableWorld();
    await meet({ client, version }, [{ world, sessions: { ...outside(store), timeout: 3600 } }], ['expired'], () =>
      world.forward(3602),
    );
  });

  const reason = version === 'TLSv1.3' ? 'hash' : 'cipher-suite';
  it(`is not resumed when the server has other suites (${reason})`, async () => {
    const store = openStore();
    const [before, after] = OTHER_SUITES[version].map((suite) => ({ ciphers: [suite], sessions: outside(store) }));
    if (before === undefined || after === undefined) throw new Error('two lists of suites');
    const { passages } = await meet({ client, version }, [before, after], [reason]);
    expect(passages[0]?.serverHello?.cipherSuite).not.to.equal(passages[1]?.serverHello?.cipherSuite);
  });
}

function outside(store: ReturnType<typeof openStore>): NonNullable<ServerOptions['sessions']> {
  return { cache: false, onNew: store.onNew, onGet: store.onGet };
}

/**
 * A first visit, full; then, after `between` and at the last of the servers, one that is refused for each of
 * `refusals`; the others resume.
 */
async function meet(
  trip: Omit<Trip, 'port'>,
  servers: readonly Partial<ServerOptions>[],
  refusals: readonly NoResumption[],
  between: () => void = () => {},
): Promise<Travelled> {
  const running = await Promise.all(servers.map((options) => startOurs(options)));
  try {
    const port = (index: number): number => {
      if (index === 1) between();
      return running[Math.min(index, running.length - 1)]?.port ?? 0;
    };
    const travelled = await travel({ ...trip, port, connections: CONNECTIONS });
    compare(trip, travelled, running, refusals);
    return travelled;
  } finally {
    await Promise.all(running.map((server) => server.close()));
  }
}

function compare(
  { client, version }: Omit<Trip, 'port'>,
  { passages, told }: Travelled,
  running: readonly OurServer[],
  refusals: readonly NoResumption[],
): void {
  const count = client.connections(CONNECTIONS);
  const reasons: (NoResumption | undefined)[] = ['not-offered', ...refusals];
  const full = Array.from({ length: count }, (_, index) => reasons[index] !== undefined);
  expect(onTheWire(passages), 'on the wire').to.deep.equal(full.map((is) => (is ? 'full' : ON_THE_WIRE[version])));

  const accepted = running.flatMap((server) => server.accepted);
  const says = accepted.map(({ resumption }) => resumption.mechanism ?? resumption.reason);
  const expected = full.map((is, index) => (is ? reasons[index] : AT_THE_SERVER[version]));
  expect(says, 'at the server').to.deep.equal(expected);
  expect(accepted.map((one) => one.isSessionReused)).to.deep.equal(full.map((is) => !is));
  for (const { protocol } of accepted) expect(protocol).to.equal(version);
  expect(running.flatMap((server) => server.errors)).to.deep.equal([]);

  if (told.resumed !== undefined) expect(told.resumed, 'at the client').to.deep.equal(full.map((is) => !is));
  const pages = client.pages(count);
  expect(told.pages).to.deep.equal(expected.slice(count - pages).map((how) => `page: ${how}`));
  for (const { serverHello, helloRetryRequest, clientHellos, resets } of passages) {
    expect(serverHello?.version).to.equal(WIRE_VERSION[version]);
    expect(clientHellos).to.have.length(helloRetryRequest === undefined ? 1 : 2);
    expect(resets).not.to.include('server');
  }
}

/** The ids of the sessions that were resumed, read from the wire: what a store must be asked for, and nothing else. */
function offeredSessions({ passages }: Travelled, version: Version): string[] {
  const resumed = passages.filter((passage) => passage.resumed === true);
  return resumed.map(({ clientHellos: [hello], serverHello }) => {
    const id = version === 'TLSv1.3' ? hello?.pskIdentities[serverHello?.selectedIdentity ?? -1] : hello?.sessionId;
    return hex(id ?? Buffer.alloc(0));
  });
}
