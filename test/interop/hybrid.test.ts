/**
 * X25519MLKEM768 and SecP256r1MLKEM768 with peers of others, as clients and as servers: those that have nothing else, those that prefer
 * them, HelloRetryRequests to and from them, each resumed by a PSK, and hellos in many records and segments. By which group, the wire says.
 */

import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { createServer as createOurServer, nodeCrypto } from '../../src/node/index.ts';
import { faults } from '../../src/testing/faults.ts';
import { type GroupName, NamedGroup } from '../../src/wire/registry.ts';
import { certificates, fixturePath } from '../fixtures.ts';
import { HYBRID_GROUPS, hybridCrypto } from '../support/hybrid.ts';
import { CHROMIUM_FLAGS } from './browsers.ts';
import { type Client, goTlsWith, nodeTlsWith } from './clients.ts';
import { builtGo, COMPILE_MS } from './compiled.ts';
import { CERTIFICATE, fullThen, onTheWire, travel } from './harness.ts';
import { clientOf, tour, visitServer } from './our-client.ts';
import { startOurs } from './our-server.ts';
import { describeWith, findProgram, run, versionOf } from './peers.ts';
import { type RunningServer, startNodeServer, startProgram } from './reference-server.ts';

/** Whether a version is at least another, of two numbers. */
function isAtLeast(version: string, [major, minor]: readonly [number, number]): boolean {
  const [first = 0, second = 0] = (/\d+\.\d+/.exec(version)?.[0] ?? '').split('.').map(Number);
  return first > major || (first === major && second >= minor);
}

const version = 'TLSv1.3';
/** OpenSSL's names for `ecdhCurve`. */
const OPENSSL = { X25519MLKEM768: 'X25519MLKEM768', SecP256r1MLKEM768: 'SecP256r1MLKEM768' } as const;
const files = [CERTIFICATE].flatMap((name) => [
  fixturePath(`certificates/${name}.cert.pem`),
  fixturePath(`certificates/${name}.key.pem`),
]);

/** What a peer can be told: its groups, in the order of preference as far as it heeds that, or none for its own choice. */
interface Peer {
  readonly name: string;
  readonly programs: readonly string[];
  readonly needs: string;
  readonly isThere: (group: GroupName) => boolean;
  readonly prepare?: (() => Promise<unknown>) | undefined;
  readonly client: (groups: readonly GroupName[] | undefined) => Client;
  readonly server: (group: GroupName) => Promise<RunningServer>;
}

const opensslNames = (groups: readonly GroupName[]): string =>
  groups.map((name) => ({ ...OPENSSL, x25519: 'X25519', secp256r1: 'P-256', secp384r1: 'P-384' })[name]).join(':');

const goVersion = findProgram('go') === undefined ? '' : versionOf('go');

const PEERS: readonly Peer[] = [
  {
    name: 'node:tls',
    programs: [],
    needs: 'OpenSSL 3.5, which Node 24 has',
    isThere: () => isAtLeast(process.versions.openssl, [3, 5]),
    client: (groups) => nodeTlsWith(groups && { ecdhCurve: opensslNames(groups) }),
    server: (group) =>
      startNodeServer(certificates.ecdsaP256, { tickets: true, tls: { ecdhCurve: opensslNames([group]) } }),
  },
  {
    name: 'Go crypto/tls',
    programs: ['go'],
    needs: 'Go 1.24, or 1.26 for SecP256r1MLKEM768',
    isThere: (group) => isAtLeast(goVersion, [1, group === 'SecP256r1MLKEM768' ? 26 : 24]),
    prepare: () => Promise.all([builtGo('client'), builtGo('server')]),
    client: (groups) => goTlsWith(groups?.map((name) => NamedGroup[name])),
    server: async (group) => startProgram(await builtGo('server'), [...files, String(NamedGroup[group]), '']),
  },
];

/** Of each connection: what was asked for, what was agreed on. */
function groupsOf(passages: Awaited<ReturnType<typeof travel>>['passages']): (readonly (number | undefined)[])[] {
  return passages.map(({ helloRetryRequest, serverHello }) => [
    helloRetryRequest?.keyShareGroup,
    serverHello?.keyShareGroup,
  ]);
}

/** Twice: full, then resumed by a PSK beside a key exchange. */
async function visitOurs(client: Client, groups: readonly GroupName[] | undefined, crypto = hybridCrypto) {
  const ours = await startOurs({ crypto, ...(groups && { groups }) });
  try {
    const { passages, told } = await travel({ client, version, port: ours.port });
    expect(ours.errors).to.deep.equal([]);
    expect(told.pages).to.have.length(2);
    expect(onTheWire(passages)).to.deep.equal(fullThen('psk', 2));
    expect(ours.accepted.map(({ resumption }) => resumption.pskMode)).to.deep.equal([undefined, 'psk_dhe_ke']);
    return groupsOf(passages);
  } finally {
    await ours.close();
  }
}

async function visitTheirs(server: RunningServer, groups: readonly GroupName[], keyShares: readonly GroupName[]) {
  try {
    const { visits, passages } = await tour(
      [server.port, server.port],
      clientOf(version, { crypto: hybridCrypto, groups, keyShares }),
    );
    expect(onTheWire(passages)).to.deep.equal(fullThen('psk', 2));
    expect(visits.map(({ pskMode }) => pskMode)).to.deep.equal([undefined, 'psk_dhe_ke']);
    return groupsOf(passages);
  } finally {
    await server.close();
  }
}

const twice = (...groups: readonly (number | undefined)[]) => [groups, groups];

for (const peer of PEERS) {
  describeWith(peer.programs, `interop: hybrid groups, ${peer.name}`, () => {
    before('compile', function () {
      this.timeout(COMPILE_MS);
      return HYBRID_GROUPS.some(peer.isThere) ? peer.prepare?.() : undefined;
    });
    for (const group of HYBRID_GROUPS) {
      if (peer.isThere(group)) rows(peer, group);
      else it.skip(`${group} needs ${peer.needs}`);
    }
  });
}

function rows(peer: Peer, group: (typeof HYBRID_GROUPS)[number]): void {
  const number = NamedGroup[group];

  it(`${group}: a client that has nothing else`, async () => {
    expect(await visitOurs(peer.client([group]), undefined)).to.deep.equal(twice(undefined, number));
  });

  it(`${group}: a client is asked for it by a HelloRetryRequest`, async () => {
    const other = group === 'X25519MLKEM768' && peer.name === 'node:tls' ? 'x25519' : 'X25519MLKEM768';
    const client = peer.client(other === group ? ['x25519', group] : [other, group]);
    const seen = await visitOurs(client, [group]);
    // Go sends a share of X25519MLKEM768 whenever it has it.
    const asked = other === group ? undefined : number;
    expect(seen).to.deep.equal(twice(asked, number));
  });

  it(`${group}: a client is asked for a curve instead`, async () => {
    const seen = await visitOurs(peer.client([group, 'secp384r1']), ['secp384r1']);
    expect(seen).to.deep.equal(twice(NamedGroup.secp384r1, NamedGroup.secp384r1));
  });

  it(`${group}: a server that has nothing else`, async () => {
    const seen = await visitTheirs(await peer.server(group), [group, 'x25519'], [group, 'x25519']);
    expect(seen).to.deep.equal(twice(undefined, number));
  });

  it(`${group}: a server asks for it by a HelloRetryRequest`, async () => {
    const seen = await visitTheirs(await peer.server(group), ['x25519', group], ['x25519']);
    expect(seen).to.deep.equal(twice(number, number));
  });

  it(`${group}: a server asks for a curve instead`, async () => {
    const seen = await visitTheirs(await peer.server('secp384r1'), [group, 'secp384r1'], [group]);
    expect(seen).to.deep.equal(twice(NamedGroup.secp384r1, NamedGroup.secp384r1));
  });

  it(`${group}: hellos in segments of 100 bytes, and ours in records of 90`, async () => {
    const ours = await startOurs({ crypto: hybridCrypto, groups: [group] });
    const [theirs, pieces] = [await peer.server(group), await openPieces(ours.port, 100)];
    const toTheirs = await openPieces(theirs.port, 100);
    try {
      const trust = fixturePath(`certificates/${CERTIFICATE}.cert.pem`);
      const { pages } = await peer.client([group]).visit({ port: pieces.port, version, trust });
      expect(pages).to.have.length(2);
      const split = [faults.split('handshake', 90)];
      const config = clientOf(version, { crypto: hybridCrypto, groups: [group] });
      const visited = await visitServer(toTheirs.port, { config, faults: split });
      expect([visited.group, visited.page.includes('page: full')]).to.deep.equal([group, true]);
    } finally {
      await Promise.all([ours, theirs, pieces, toTheirs].map((one) => one.close()));
    }
  });

  if (group === 'X25519MLKEM768')
    it('a client with its own choice of groups prefers it', async () => {
      expect(await visitOurs(peer.client(undefined), undefined)).to.deep.equal(twice(undefined, number));
      const { X25519MLKEM768 } = nodeCrypto.groups;
      if (X25519MLKEM768 !== undefined)
        expect(await visitOurs(peer.client(undefined), undefined, nodeCrypto)).to.deep.equal(twice(undefined, number));
    });
}

/** A way to a server on which all bytes go in pieces of this size, each a segment of its own where the kernel lets it. */
async function openPieces(target: number, size: number): Promise<RunningServer> {
  const open = new Set<Socket>();
  const carry = (from: Socket, to: Socket): void => {
    from.on('data', (chunk: Uint8Array) => {
      for (let at = 0; at < chunk.length; at += size) to.write(chunk.subarray(at, at + size));
    });
    from.on('end', () => to.end());
    from.on('error', () => to.destroy());
  };
  const listener = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    const server = connect({ port: target, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    for (const socket of [client, server]) open.add(socket);
    carry(client, server);
    carry(server, client);
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  return {
    port: (listener.address() as AddressInfo).port,
    close: async () => {
      for (const socket of open) socket.destroy();
      listener.close();
      await once(listener, 'close');
    },
  };
}

const HTML = '<!doctype html><title>hybrid</title>';
const PAGE = `HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: ${HTML.length}\r\nConnection: close\r\n\r\n${HTML}`;
describeWith(['chromium'], 'interop: hybrid groups, Chromium', () => {
  /** Returns the groups of the connections that a page takes. */
  async function browse(groups: readonly GroupName[]): Promise<ReadonlySet<string | undefined>> {
    const seen = new Set<string | undefined>();
    const options = { credentials: [certificates.ecdsaP256], crypto: hybridCrypto, groups };
    const server = createOurServer(options, (socket) => {
      socket.on('error', () => {});
      socket.once('data', () => {
        seen.add(socket.connection.group);
        socket.end(PAGE);
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const profile = await mkdtemp(join(tmpdir(), 'tls-resume-chromium-'));
    try {
      const page = `https://127.0.0.1:${(server.address() as AddressInfo).port}/`;
      const args = [...CHROMIUM_FLAGS, `--user-data-dir=${profile}`, '--dump-dom', page];
      expect((await run('chromium', args, { timeoutMs: 90_000 })).stdout).to.contain('<title>hybrid</title>');
      return seen;
    } finally {
      server.close();
      await rm(profile, { recursive: true, force: true, maxRetries: 5 });
    }
  }

  it('has X25519MLKEM768 at a server that has nothing else', async function () {
    this.timeout(120_000);
    expect([...(await browse(['X25519MLKEM768']))]).to.deep.equal(['X25519MLKEM768']);
  });

  it('prefers it, and is asked for a curve by a HelloRetryRequest', async function () {
    this.timeout(120_000);
    expect([...(await browse(['X25519MLKEM768', 'x25519', 'secp384r1']))]).to.deep.equal(['X25519MLKEM768']);
    expect([...(await browse(['secp384r1']))]).to.deep.equal(['secp384r1']);
  });
});
