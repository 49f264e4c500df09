/** Handshakes before the first client. */

import { expect } from 'chai';
import { SessionCache } from '../../../src/cache/session-cache.ts';
import { defaultProvider } from '../../../src/crypto/providers/default.ts';
import { fast } from '../../../src/crypto/providers/fast.ts';
import { noble } from '../../../src/crypto/providers/noble.ts';
import { ServerConnection } from '../../../src/engine/server/server-connection.ts';
import { FLIGHTS, serverFor, sessionOf } from '../../../src/engine/server/warmup.ts';
import { defineServer, warmup } from '../../../src/index.ts';
import { toHex } from '../../../src/wire/bytes.ts';
import type { Version } from '../../../src/wire/registry.ts';
import { type ClientOptions, ScriptedClient } from '../../support/scripted-client.ts';
import { quickCredential } from '../../support/servers.ts';
import { TestWorld } from '../../support/world.ts';

/** The client whose flights were recorded. */
function recorded(version: Version): string[] {
  const { id, secret, cipherSuite } = sessionOf(version);
  const offer: ClientOptions =
    version === 'TLSv1.2'
      ? { session: { id, secret, cipherSuite } }
      : { psks: [{ identity: id, secret, hash: 'sha256' }], pskModes: ['psk_ke'], keyShares: [] };
  const sessionId = version === 'TLSv1.2' ? id : new Uint8Array(32).fill(0xc5);
  const client = new ScriptedClient({ version, ciphers: [cipherSuite], world: new TestWorld(3), sessionId, ...offer });
  const cache = new SessionCache();
  cache.add(sessionOf(version));
  const connection = new ServerConnection(serverFor(noble, cache));
  const flights: string[] = [];
  for (let bytes = client.take(); bytes.length > 0; bytes = client.take()) {
    flights.push(toHex(bytes));
    client.receive(connection.receive(bytes).output);
  }
  expect(client.isEstablished).to.equal(true);
  return flights;
}

describe('warmup()', () => {
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    it(`has the flights of a client of ${version} to a server as it is now`, () => {
      expect(FLIGHTS[version]).to.deep.equal(recorded(version));
    });
  }

  for (const [name, crypto] of Object.entries({ defaultProvider, fast, noble })) {
    it(`resumes each time, ${name}`, () => {
      expect(warmup({ crypto }, 5)).to.equal(10);
    });
  }

  it('takes the default provider where none is named, and no provider for a configuration', () => {
    expect(warmup(undefined, 2)).to.equal(4);
    expect(() => warmup(fast as object, 2)).to.throw(TypeError, 'warmup({ crypto: fast })');
    expect(() => warmup({ crypto: fast }, Number.NaN)).to.throw(TypeError, 'no number of handshakes');
  });

  it('has nothing to do with the sessions and the counters of the server', () => {
    const told: unknown[] = [];
    const onNew = (session: unknown) => void told.push(session);
    const config = defineServer({ credentials: [quickCredential], sessions: { onNew } });
    expect(warmup(config, 3)).to.equal(6);
    expect(config.statistics().number).to.equal(0);
    expect(config.statistics().accept).to.equal(0);
    expect(told).to.deep.equal([]);
  });
});
