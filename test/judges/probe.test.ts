/** What a probe finds out about servers of ours, in memory. */

import { expect } from 'chai';
import type { ConnectOptions } from '../../src/engine/client/client-connection.ts';
import type { ServerConfig } from '../../src/engine/server/config.ts';
import { defineServer } from '../../src/engine/server/define-server.ts';
import type { ServerOptions } from '../../src/engine/server/options.ts';
import { ServerConnection } from '../../src/engine/server/server-connection.ts';
import { singleUse } from '../../src/engine/server/single-use.ts';
import { type Gentleness, gently } from '../../src/judges/gently.ts';
import { type Probe, type ProbeOptions, probe } from '../../src/judges/probe.ts';
import { probeFacts, probeFails, probeLines, reportOf } from '../../src/judges/probe-report.ts';
import { faults } from '../../src/testing/faults.ts';
import { type MemoryServerOptions, memoryServer } from '../../src/testing/scenarios/in-memory.ts';
import { type SeededWorld, seededWorld } from '../../src/testing/seeded-world.ts';
import { credential } from '../support/servers.ts';

const QUICK: Gentleness = { perSecond: 1000, most: 1000 };

interface Given {
  readonly ServerConnection?: MemoryServerOptions['ServerConnection'];
  readonly gentleness?: Gentleness;
  readonly world?: SeededWorld;
}

/** Probes a server with these options. */
function probed(
  options: Partial<ServerOptions>,
  about: ProbeOptions = {},
  { ServerConnection: Kind = ServerConnection, gentleness = QUICK, world = seededWorld('probe') }: Given = {},
): Promise<Probe> {
  const config = defineServer({ world: world.fork('peer'), credentials: [credential('ecdsaP256')], ...options });
  return probe(gently(memoryServer({ ServerConnection: Kind, config, world }), gentleness), about);
}

/** A server that does something wrong on each connection. */
function faulty(wrong: NonNullable<ConnectOptions['faults']>): MemoryServerOptions['ServerConnection'] {
  return class extends ServerConnection {
    constructor(config: ServerConfig) {
      super(config, { faults: wrong });
    }
  };
}

const report = (found: Probe) => reportOf(found, { host: 'a', port: 1, serverName: null });

/** Verdict and reaction by id and version. */
function verdicts({ judgements }: Probe): ReadonlyMap<string, string> {
  return new Map(judgements.map(({ id, version, verdict, got }) => [`${id} ${version}`, `${verdict}: ${got}`]));
}

function fact(found: Probe, what: string): readonly string[] {
  return probeFacts(report(found)).flatMap(([label, text]) => (label.trim() === what ? [text] : []));
}

const PROMISE = 'server/ticket-tls12/promise-kept';
const USED_TWICE = 'server/tickets/used-twice';
const REPLAY: ProbeOptions = { scenarios: ['server/early-data/replayed', 'server/tickets/bit-flips'] };
const NONE: ProbeOptions = { scenarios: [] };
const STATELESS = { tickets: { mode: 'stateless' } } as const;

describe('a probe', () => {
  let stateless: Probe;
  before(async () => {
    stateless = await probed(STATELESS);
  });

  it('knows sealed tickets of ours, and their key', () => {
    const found = stateless;
    expect(report(found).producers).to.deep.equal(['tls-resume']);
    expect(found.keys).to.have.lengthOf(1);
    expect(found.keyChange).to.equal('none');
    expect(fact(found, 'tickets')).to.deep.equal([
      '2 after a full handshake, 1 after a resumption',
      '1 after a full handshake, 0 after a resumption',
    ]);
    expect(fact(found, 'ticket_nonce')).to.deep.equal(['8 bytes, a counter']);
    expect(fact(found, 'early data')).to.deep.equal(['not allowed by its tickets']);
    expect(fact(found, 'TLSv1.1')).to.deep.equal(['no handshake: protocol_version']);
  });

  it('finds nothing wrong with a server of ours, and has a verdict for each clause', () => {
    const found = stateless;
    expect(found.judgements.filter(({ verdict }) => verdict === 'finding')).to.deep.equal([]);
    expect(probeFails(report(found))).to.equal(false);
    const all = verdicts(found);
    for (const [what, outcome] of [
      ['probe/tickets/lifetime TLSv1.3', 'pass: conforms'],
      ['probe/tickets/age-add-random TLSv1.3', 'pass: conforms'],
      ['probe/tickets/nonces TLSv1.3', 'pass: conforms'],
      ['probe/keys/secret TLSv1.3', 'pass: conforms'],
      ['probe/keys/shared TLSv1.3', 'pass: conforms'],
      ['server/tickets/used-twice TLSv1.3', 'differs: resumes'],
      ['server/tickets/another-name TLSv1.3', 'pass: full handshake'],
      ['server/psk/modes-psk-ke-only TLSv1.3', 'pass: full handshake'],
      ['server/psk/binder-wrong TLSv1.3', 'pass: decrypt_error'],
      ['server/session-id/after-alert-of-client TLSv1.2', 'pass: full handshake'],
    ] as const)
      expect(all.get(what), what).to.equal(outcome);
  });

  it('knows a server that keeps the sessions, and that takes each ticket once', async () => {
    const found = await probed({ tickets: { mode: 'stateful', singleUse: true } }, { scenarios: [USED_TWICE] });
    expect(fact(found, 'ticket format')[0]).to.equal('an id: the server keeps the sessions');
    expect(fact(found, 'id')).to.deep.equal(['32 bytes; offered: resumes']);
    expect(found.keys).to.deep.equal([]);
    expect(verdicts(found).get('server/tickets/used-twice TLSv1.3')).to.equal('pass: full handshake');
  });

  it('says of a server without sessions that nothing could be run', async () => {
    const found = await probed({ tickets: { mode: 'off' } }, { scenarios: [USED_TWICE] });
    expect(fact(found, 'tickets')).to.deep.equal(['0 after a full handshake', '0 after a full handshake']);
    expect(verdicts(found).get('server/tickets/used-twice TLSv1.3')).to.match(
      /^not-run: the server hands out no session/,
    );
    expect(verdicts(found).get('probe/tickets/lifetime TLSv1.3')).to.equal('not-run: 0 tickets have come');
  });

  it('asks nothing in a version that the server does not speak', async () => {
    const found = await probed({ ...STATELESS, maxVersion: 'TLSv1.2' }, { scenarios: [USED_TWICE, PROMISE] });
    expect(fact(found, 'TLSv1.3')).to.deep.equal(['no handshake: protocol_version']);
    expect(found.judgements.filter(({ version }) => version === 'TLSv1.3')).to.deep.equal([]);
    expect(found.judgements).to.not.deep.equal([]);
  });

  it('sees early data accepted, and replays them only if it may', async () => {
    const options: Partial<ServerOptions> = { earlyData: { maxSize: 16_384, antiReplay: singleUse() } };
    const gentle = await probed(options, REPLAY);
    expect(fact(gentle, 'early data')).to.deep.equal(['up to 16384 bytes; accepted']);
    expect([...verdicts(gentle).keys()].filter((id) => /replayed|bit-flips/.test(id))).to.deep.equal([]);
    const intrusive = verdicts(await probed(options, { ...REPLAY, isIntrusive: true }));
    expect(intrusive.get('server/early-data/replayed TLSv1.3')).to.match(/^pass/);
    expect(intrusive.get('server/tickets/bit-flips TLSv1.3')).to.equal('pass: full handshake');
  });

  it('finds what is wrong with tickets', async () => {
    const wrong = [faults.ticket({ lifetime: 604_801, ageAdd: 7, nonce: Uint8Array.of(1) })];
    const found = await probed(STATELESS, { scenarios: [USED_TWICE] }, { ServerConnection: faulty(wrong) });
    const all = verdicts(found);
    expect(all.get('probe/tickets/lifetime TLSv1.3')).to.equal('finding: differs: 604801 seconds');
    expect(all.get('probe/tickets/age-add-fresh TLSv1.3')).to.match(/^finding: differs: the same came twice/);
    expect(all.get('probe/tickets/age-add-random TLSv1.3')).to.match(/^finding/);
    expect(all.get('probe/tickets/nonces TLSv1.3')).to.equal('finding: differs: one came twice on a connection');
    expect(probeFails(report(found))).to.equal(true);
  });

  it('keeps no more tickets of a connection than tell anything', async () => {
    const found = await probed({ tickets: { mode: 'stateless', initial: 200 } }, NONE);
    const [tls13] = found.versions;
    expect(tls13?.tickets?.full).to.equal(200);
    expect(tls13?.tickets?.ageAdd?.count).to.equal(301); // of three full handshakes, and the one of a resumption
  });

  it('sees that several servers answer, with keys of their own', async () => {
    const world = seededWorld('fleet');
    const define = (name: string) =>
      defineServer({ world: world.fork(name), credentials: [credential('ecdsaP256')], ...STATELESS });
    const configs = [define('one'), define('other')];
    let count = 0;
    const Fleet = class extends ServerConnection {
      constructor() {
        super(configs[count++ % 2] as ServerConfig);
      }
    };
    const found = await probed(STATELESS, NONE, { ServerConnection: Fleet, world });
    expect([found.keys.length, found.keyChange]).to.deep.equal([2, 'alternating']);
    expect(verdicts(found).get('probe/keys/shared TLSv1.3')).to.equal('differs: differs: 2 keys come to and fro');
  });

  it('compares the key with that of an earlier probe', async () => {
    const world = seededWorld('earlier');
    const { keys } = await probed(STATELESS, NONE, { world: seededWorld('earlier') });
    const now = world.now();
    const verdictOn = async (name: string, days: number) => {
      const first = now - days * 86_400_000;
      const earlier = { time: first, keys: [{ name, first }] };
      return verdicts(await probed(STATELESS, { ...NONE, earlier }, { world: seededWorld('earlier') })).get(
        'probe/keys/changed TLSv1.3',
      );
    };
    const [key] = keys;
    expect(await verdictOn(key?.name ?? '', 8)).to.equal('finding: differs: the key of 8.0 days ago is still in use');
    expect(await verdictOn(key?.name ?? '', 1)).to.equal('not-run: the key is 1.0 days old so far');
    expect(await verdictOn('00'.repeat(16), 8)).to.equal('pass: conforms');
  });

  it('connects no more often than it may, and no more times', async () => {
    const world = seededWorld('gentle');
    const config = defineServer({ world: world.fork('peer'), credentials: [credential('ecdsaP256')] });
    const server = gently(memoryServer({ ServerConnection, config, world }), { perSecond: 4, most: 20 });
    const found = await probe(server);
    expect([found.connections, server.starts.length]).to.deep.equal([20, 20]);
    const gaps = server.starts.slice(1).map((at, i) => at - (server.starts[i] as number));
    expect(Math.min(...gaps)).to.equal(250);
    expect(found.judgements.at(-1)?.got).to.equal('the bound of 20 connections is reached');
  });

  it('stops, and tells what it has', async () => {
    const found = await probed(STATELESS, { stop: Promise.resolve() });
    expect(found.versions.length).to.be.lessThan(2);
    expect(probeLines(report(found)).at(-1)).to.match(/^\d+ passed, 0 findings/);
  });
});
