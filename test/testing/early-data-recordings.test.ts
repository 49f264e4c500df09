/** Connections with early data, recorded and replayed. */

import { expect } from 'chai';
import { defineClient } from '../../src/client.ts';
import { type AntiReplay, defineServer, recordHellos, singleUse } from '../../src/index.ts';
import { pair, replay, seededWorld } from '../../src/testing.ts';
import { ascii, toHex } from '../../src/wire/bytes.ts';
import { certificates } from '../fixtures.ts';
import { testProvider as crypto } from '../support/provider.ts';

const REQUEST = ascii('a request that nobody else may read');

const STRATEGIES: Readonly<Record<string, (world: ReturnType<typeof seededWorld>) => AntiReplay>> = {
  'accepted by singleUse()': () => singleUse(),
  'rejected by recordHellos(), in its blackout': (world) => recordHellos({ world }),
  'accepted by an object': () => ({ admit: () => true }),
  'rejected by one that throws': () => ({
    admit: () => {
      throw new Error('down');
    },
  }),
};

for (const [title, make] of Object.entries(STRATEGIES))
  for (const later of [false, true])
    for (const data of [false, true])
      it(`a recording of early data ${title} replays, ${later ? 'by writeEarlyData()' : 'with the hello'}, ${data ? 'with' : 'without'} its data`, () => {
        const world = seededWorld('early data, recorded');
        const server = defineServer({
          credentials: [certificates.ecdsaP256],
          crypto,
          world: world.fork('server'),
          earlyData: { maxSize: 1000, antiReplay: make(world) },
        });
        const client = defineClient({ verifyServer: 'any', crypto, world: world.fork('client') });
        const full = pair(client, server).runSync();
        const run = pair(client, server, {
          client: { sessions: full.client.sessions.slice(0, 1), earlyData: later ? true : REQUEST },
          record: { applicationData: data },
        });
        run.take('client', run.client.connect());
        if (later) run.take('client', run.client.writeEarlyData(REQUEST));
        run.runSync();
        expect(run.client.earlyData).to.equal(title.startsWith('accepted') ? 'accepted' : 'rejected');
        for (const side of ['client', 'server'] as const) {
          const recording = run.recordings[side];
          const hasData = JSON.stringify(recording).includes(toHex(REQUEST));
          expect(hasData, side).to.equal(data && side === 'client');
          expect(replay(recording).connection.earlyData, side).to.equal(run[side].earlyData);
        }
      });

for (const isExternal of [false, true])
  it(`a recording of early data under a PSK that is not accepted replays, with its data: ${isExternal ? 'an external PSK' : 'a session'}`, () => {
    const world = seededWorld('early data, not accepted');
    const server = defineServer({
      credentials: [certificates.ecdsaP256],
      crypto,
      world: world.fork('server'),
      earlyData: { maxSize: 1000, antiReplay: singleUse() },
      sessions: { mayResume: () => false },
    });
    const earlyData = { maxSize: 1000, cipherSuite: 'TLS_AES_128_GCM_SHA256' } as const;
    const psks = [{ identity: ascii('a stranger'), secret: ascii('a secret of some length'), earlyData }];
    const client = defineClient({
      verifyServer: 'any',
      crypto,
      world: world.fork('client'),
      psks: isExternal ? psks : undefined,
    });
    const full = pair(client, server).runSync();
    const sessions = isExternal ? [] : full.client.sessions.slice(0, 1);
    const run = pair(client, server, { client: { sessions, earlyData: REQUEST }, record: { applicationData: true } });
    run.take('client', run.client.connect());
    const amid = run.recordings.client;
    run.runSync();
    expect([run.client.earlyData, run.server.earlyDataRefusal]).to.deep.equal(['rejected', 'not-resumed']);
    for (const recording of [amid, run.recordings.client, run.recordings.server]) replay(recording);
  });

it('a recording of an alert behind early data replays: its key is that of the early data', () => {
  const world = seededWorld('early data, and TLS 1.2');
  const server = defineServer({ credentials: [certificates.ecdsaP256], crypto, world, maxVersion: 'TLSv1.2' });
  const earlyData = { maxSize: 1000, cipherSuite: 'TLS_AES_128_GCM_SHA256' } as const;
  const psks = [{ identity: ascii('sensor 7'), secret: ascii('a secret of some length'), earlyData }];
  const client = defineClient({ verifyServer: 'any', crypto, world: world.fork('client'), psks });
  const run = pair(client, server, { client: { earlyData: REQUEST }, record: true }).runSync();
  expect(run.client.hasFailed).to.equal(true);
  expect(JSON.stringify(run.recordings.client)).not.to.include(toHex(REQUEST));
  for (const recording of Object.values(run.recordings)) replay(recording);
});
