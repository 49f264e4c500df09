/** Our client at the servers of others: full, then resumed, by every mechanism that each of them has. */

import { expect } from 'chai';
import type { ClientOptions } from '../../src/engine/client/options.ts';
import type { PskMode } from '../../src/wire/registry.ts';
import type { Version } from './clients.ts';
import { COMPILE_MS } from './compiled.ts';
import { fullThen, onTheWire, WIRE_VERSION } from './harness.ts';
import { clientOf, clientPair, type Tour, tour } from './our-client.ts';
import { describeWith, versionOf } from './peers.ts';
import { type Keeping, type RealServer, realServers, type ServerSetup } from './real-servers.ts';

const VERSIONS: readonly Version[] = ['TLSv1.2', 'TLSv1.3'];
/** An identity of TLS 1.3 that is no more than an id. A sealed ticket has at least a secret in it. */
const LONGEST_ID = 32;

interface Journey {
  readonly version: Version;
  readonly setup: ServerSetup;
  readonly options?: ClientOptions;
}

/** Three visits at one server: the last resumes a session that was made in a resumption, where there is such. */
async function visitThrice(server: RealServer, { version, setup, options }: Journey): Promise<Tour> {
  const { port, close } = await server.start(setup);
  try {
    return await tour([port, port, port], clientOf(version, options));
  } finally {
    await close();
  }
}

interface Expected {
  readonly version: Version;
  readonly mechanism: 'session-id' | 'ticket' | 'psk';
  readonly pskMode?: PskMode;
  /** Default x25519. */
  readonly group?: string;
}

/** By the client, by the wire, and by the server. */
function expectResumed(server: RealServer, { visits, passages }: Tour, expected: Expected): void {
  const { version, mechanism, pskMode, group = 'x25519' } = expected;
  expect(onTheWire(passages)).to.deep.equal(fullThen(mechanism, 3));
  expect(visits.map(({ page }) => server.saysResumed(page))).to.deep.equal([false, true, true]);
  const [first, ...others] = visits;
  const suite = first?.cipherSuite;
  expect(suite).to.match(/^TLS_/);
  const always = { version, cipherSuite: suite, isTruncated: false, hasCertificate: true };
  const notResumed = { resumed: false, mechanism: undefined, pskMode: undefined, identityIndex: undefined };
  expect(first).to.include({ ...always, ...notResumed, reason: 'not-offered', group, isSigned: true });
  expect(first?.sessions).to.be.at.least(1);
  for (const visit of others) {
    expect(visit).to.include({ ...always, resumed: true, mechanism, pskMode, reason: undefined, isSigned: false });
    expect(visit.identityIndex).to.equal(version === 'TLSv1.3' ? 0 : undefined);
    expect(visit.group).to.equal(pskMode === 'psk_dhe_ke' ? group : undefined);
  }
  for (const { serverHello } of passages) expect(serverHello?.version).to.equal(WIRE_VERSION[version]);
}

/** Stateful and stateless tickets look the same but for their lengths. */
function expectKept(keeps: Keeping, { passages }: Tour): void {
  const identities = passages.flatMap(({ clientHellos }) => clientHellos.flatMap(({ pskIdentities }) => pskIdentities));
  expect(identities.length).to.be.at.least(2);
  for (const identity of identities) {
    if (keeps === 'ids') expect(identity.length).to.be.at.most(LONGEST_ID);
    else expect(identity.length).to.be.above(LONGEST_ID);
  }
}

describe('interop: our client at servers of others', () => {
  before('the programs', () => {
    const programs = [...new Set(realServers.flatMap((server) => server.programs))];
    for (const name of programs) console.log(`    ${name}: ${versionOf(name)}`);
  });

  for (const server of realServers) {
    describeServer(server, () => {
      for (const keeps of server.keeps['TLSv1.2']) resumptionsOfTls12(server, keeps);
      for (const keeps of server.keeps['TLSv1.3']) resumptionsOfTls13(server, keeps);
      for (const version of VERSIONS) {
        withCertificates(server, version);
        declines(server, version);
      }
      selectsVersion(server);
    });
  }
});

/** They are there and compiled when their tests begin. */
function describeServer(server: RealServer, body: () => void): void {
  describeWith(server.programs, server.name, () => {
    before('compile', function () {
      this.timeout(COMPILE_MS);
      return server.prepare?.();
    });
    body();
  });
}

function resumptionsOfTls12(server: RealServer, keeps: Keeping): void {
  const version = 'TLSv1.2';
  const mechanism = keeps === 'ids' ? 'session-id' : 'ticket';

  it(`TLSv1.2: resumes by ${mechanism}`, async () => {
    const seen = await visitThrice(server, { version, setup: { keeps } });
    expectResumed(server, seen, { version, mechanism });
  });

  if (keeps === 'tickets')
    it(`TLSv1.2: takes no ticket if it is told so, and ${server.hasIdsBesideTickets ? 'resumes by id' : 'does not resume'}`, async () => {
      const seen = await visitThrice(server, { version, setup: { keeps }, options: { sessionTicket: false } });
      for (const { clientHellos } of seen.passages) expect(clientHellos[0]?.sessionTicket).to.equal(undefined);
      if (server.hasIdsBesideTickets) return expectResumed(server, seen, { version, mechanism: 'session-id' });
      expect(onTheWire(seen.passages)).to.deep.equal(['full', 'full', 'full']);
      expect(seen.visits.map(({ page }) => server.saysResumed(page))).to.deep.equal([false, false, false]);
    });
}

function resumptionsOfTls13(server: RealServer, keeps: Keeping): void {
  const version = 'TLSv1.3';
  const mechanism = 'psk';
  const how = keeps === 'ids' ? 'stateful' : 'stateless';

  it(`TLSv1.3: resumes by psk_dhe_ke, ${how}`, async () => {
    const seen = await visitThrice(server, { version, setup: { keeps } });
    expectResumed(server, seen, { version, mechanism, pskMode: 'psk_dhe_ke' });
    expectKept(keeps, seen);
  });

  const canResume = server.resumesAfterRetry.includes(keeps);
  it(`TLSv1.3: ${canResume ? 'resumes' : 'is declined'} across a HelloRetryRequest, ${how}`, async () => {
    const seen = await visitThrice(server, { version, setup: { keeps, retries: true } });
    if (!canResume) {
      expect(seen.visits.map(({ reason }) => reason)).to.deep.equal(['not-offered', 'declined', 'declined']);
      expect(seen.visits.map(({ page }) => server.saysResumed(page))).to.deep.equal([false, false, false]);
    } else expectResumed(server, seen, { version, mechanism, pskMode: 'psk_dhe_ke', group: 'secp384r1' });
    for (const { helloRetryRequest, clientHellos } of seen.passages) {
      expect(helloRetryRequest?.keyShareGroup).to.equal(24);
      expect(clientHellos.map(({ keyShareGroups }) => keyShareGroups)).to.deep.equal([[29], [24]]);
    }
  });

  const pskKe: ClientOptions = { pskModes: ['psk_ke'] };
  if (server.canPskKe)
    it(`TLSv1.3: resumes by psk_ke, ${how}`, async () => {
      const seen = await visitThrice(server, { version, setup: { keeps, acceptsPskKe: true }, options: pskKe });
      expectResumed(server, seen, { version, mechanism, pskMode: 'psk_ke' });
      expectKept(keeps, seen);
    });
  else
    it(`TLSv1.3: does not resume by psk_ke, ${how}`, async () => {
      const { visits, passages } = await visitThrice(server, { version, setup: { keeps }, options: pskKe });
      expect(onTheWire(passages)).to.deep.equal(['full', 'full', 'full']);
      expect(visits.map(({ page }) => server.saysResumed(page))).to.deep.equal([false, false, false]);
      for (const [i, { reason }] of visits.entries()) {
        const wasGiven = (visits[i - 1]?.sessions ?? 0) > 0; // some give tickets that are of no use
        expect(reason).to.equal(wasGiven ? 'declined' : 'not-offered');
      }
    });
}

function withCertificates(server: RealServer, version: Version): void {
  for (const keeps of server.keeps[version])
    it(`${version}: shows its certificate once, and resumes with ${keeps}`, async () => {
      const options: ClientOptions = { credential: clientPair };
      const seen = await visitThrice(server, { version, setup: { keeps, asksCertificate: true }, options });
      const isOld = version === 'TLSv1.2';
      const mechanism = isOld ? (keeps === 'ids' ? 'session-id' : 'ticket') : 'psk';
      expectResumed(server, seen, { version, mechanism, ...(!isOld && { pskMode: 'psk_dhe_ke' }) });
      if (server.namesClient) for (const { page } of seen.visits) expect(page).to.match(/\becdsa-p256\b/);
    });
}

function declines(server: RealServer, version: Version): void {
  for (const keeps of server.keeps[version])
    it(`${version}: full where another server, with ${keeps} of its own, does not know the session`, async () => {
      const [one, other] = await Promise.all([server.start({ keeps }), server.start({ keeps })]);
      try {
        const { visits, passages } = await tour([one.port, other.port, other.port], clientOf(version));
        expect(visits.map(({ resumed }) => resumed)).to.deep.equal([false, false, true]);
        expect(visits.map(({ reason }) => reason)).to.deep.equal(['not-offered', 'declined', undefined]);
        expect(visits.map(({ page }) => server.saysResumed(page))).to.deep.equal([false, false, true]);
        expect(passages.map(({ resumed }) => resumed)).to.deep.equal([false, false, true]);
      } finally {
        await Promise.all([one.close(), other.close()]);
      }
    });
}

function selectsVersion(server: RealServer): void {
  it('both versions offered: TLS 1.3, and resumed', async () => {
    const { port, close } = await server.start({ keeps: 'tickets' });
    try {
      const config = clientOf('TLSv1.3', { minVersion: 'TLSv1.2' });
      const { visits } = await tour([port, port], config);
      expect(visits.map(({ version }) => version)).to.deep.equal(['TLSv1.3', 'TLSv1.3']);
      expect(visits.map(({ mechanism }) => mechanism)).to.deep.equal([undefined, 'psk']);
      expect(visits.map(({ page }) => server.saysResumed(page))).to.deep.equal([false, true]);
    } finally {
      await close();
    }
  });
}
