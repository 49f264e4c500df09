/**
 * Node's Buffer is a Uint8Array whose slice() is a view. Whatever a user hands in may be one: nothing that is ours may share
 * its memory, and above all nothing that is his may be wiped.
 */

import { expect } from 'chai';
import { ServerConnection } from '../../src/engine/server/server-connection.ts';
import { toHex } from '../../src/wire/bytes.ts';
import { exchange, ScriptedClient } from '../support/scripted-client.ts';
import { testServer, toyCrypto } from '../support/servers.ts';
import { TestWorld } from '../support/world.ts';

describe('Buffers from the user', () => {
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    it(`are left alone in ${version}: a stored session resumes again and again`, () => {
      const db = new Map<string, Buffer>();
      const world = new TestWorld(3);
      const config = testServer({
        crypto: toyCrypto,
        world: { now: () => world.now(), randomBytes: (length) => Buffer.from(world.randomBytes(length)) },
        sessions: {
          cache: false,
          idContext: Buffer.from('context'),
          onNew: (session) => void db.set(toHex(session.id), Buffer.from(session.toDer())),
          onGet: (id) => db.get(toHex(id)),
        },
      });
      const options = { version, crypto: toyCrypto, keyShares: ['x25519'] } as const;
      const first = exchange(new ScriptedClient(options), new ServerConnection(config), (bytes) => [
        Buffer.from(bytes),
      ]);
      first.connection.dispose();
      const stored = [...db.values()].map((der) => toHex(der));
      const { client } = first;
      const offer = version === 'TLSv1.2' ? { session: client.session } : { psks: client.tickets.slice(0, 1) };
      for (let i = 0; i < 3; i++) {
        const again = new ServerConnection(config);
        const next = exchange(new ScriptedClient({ ...options, ...offer }), again, (bytes) => [Buffer.from(bytes)]);
        expect(next.failure).to.equal(undefined);
        expect(again.resumption.resumed, String(again.resumption.reason)).to.equal(true);
        again.dispose();
        expect([...db.values()].slice(0, stored.length).map((der) => toHex(der))).to.deep.equal(stored);
      }
    });
  }

  it('are not kept: input may be overwritten as soon as receive() returns', () => {
    const client = new ScriptedClient({ crypto: toyCrypto, keyShares: ['x25519'], verify: false });
    const connection = new ServerConnection(testServer({ crypto: toyCrypto }));
    const result = exchange(client, connection, function* (bytes) {
      for (const half of [bytes.subarray(0, bytes.length / 2), bytes.subarray(bytes.length / 2)]) {
        const input = Buffer.from(half);
        yield input;
        input.fill(0xee);
      }
    });
    expect(result.failure).to.equal(undefined);
    expect(connection.isEstablished).to.equal(true);
  });
});

describe('Buffers for the user', () => {
  it('may be transferred, also where there is nothing in them', () => {
    const config = testServer({ crypto: toyCrypto });
    const { output } = new ServerConnection(config).receive(new Uint8Array(0));
    structuredClone(output, { transfer: [output.buffer as ArrayBuffer] });
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const client = new ScriptedClient({ version, crypto: toyCrypto, keyShares: ['x25519'], verify: false });
      expect(exchange(client, new ServerConnection(config)).has('established'), version).to.equal(true);
    }
  });
});
