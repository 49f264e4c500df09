/** What faults cost where there are none: no operation, no step of the clock, no byte of a bundle. */

import { expect } from 'chai';
import { bundle } from '../../bench/bundle.ts';
import { defineClient } from '../../src/client.ts';
import { defineServer } from '../../src/index.ts';
import { type Fault, faults, pair, seededWorld } from '../../src/testing.ts';
import type { Version } from '../../src/wire/registry.ts';
import type { World } from '../../src/world.ts';
import { certificates } from '../fixtures.ts';
import { counting } from '../support/counting.ts';
import { synchronousProvider } from '../support/provider.ts';

/** Counts the operations of both ends: of a full handshake, of a resumption, of data each way. */
function measure(version: Version, given: readonly Fault[] | undefined) {
  const seeded = seededWorld('none');
  const asked = { now: 0, randomBytes: 0 };
  const world: World = {
    now: () => {
      asked.now++;
      return seeded.now();
    },
    randomBytes: (length, label) => {
      asked.randomBytes++;
      return seeded.randomBytes(length, label);
    },
  };
  const crypto = counting(synchronousProvider);
  const settings = { crypto, world, minVersion: version, maxVersion: version };
  const server = defineServer({ ...settings, credentials: [certificates.ecdsaP256] });
  const client = defineClient({ ...settings, verifyServer: 'any' });
  crypto.take();
  const resumed = [false, true].map(() => {
    const both = pair(client, server, { trace: false, client: { faults: given }, server: { faults: given } }).runSync();
    for (const side of ['client', 'server'] as const) both.take(side, both[side].write(new Uint8Array(100)));
    both.runSync();
    return both.client.resumption.resumed;
  });
  expect(resumed).to.deep.equal([false, true]);
  return { ...asked, counts: crypto.take() };
}

describe('no faults', () => {
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    it(`cost no operation, ${version}`, () => {
      measure(version, undefined); // what is made once for all has been made
      const none = measure(version, undefined);
      expect(measure(version, [])).to.deep.equal(none);
      expect(measure(version, [faults.drop('hello_request')]), 'one that never happens').to.deep.equal(none);
      const { counts } = measure(version, [faults.split('handshake', 10, 'each')]);
      expect(counts.aeadOperations, 'one that does').to.be.above(none.counts.aeadOperations);
    });
  }

  const PEM = `{ cert: '', key: '' }`;
  const SHELLS = {
    'the engine': `import { defineServer, ServerConnection } from 'tls-resume'; new ServerConnection(defineServer({ credentials: [${PEM}] }), { faults: [] });`,
    'the Web shell': `import { accept } from 'tls-resume'; accept({}, { credentials: [${PEM}] }, { faults: [] });`,
    'TLS 1.3 alone': `import { accept, defineServer } from 'tls-resume/tls13'; accept({}, defineServer({ credentials: [] }), { faults: [] });`,
    'the client': `import { ClientConnection, defineClient } from 'tls-resume/client'; new ClientConnection(defineClient({ verifyServer: 'any' }), { faults: [] });`,
    "OpenSSL's names": `import * as openssl from 'tls-resume/openssl'; console.log(openssl);`,
    'the Node shell': `import { accept, connect, createServer } from 'tls-resume/node'; console.log(accept, connect, createServer({ faults: () => [] }));`,
  };
  for (const [what, contents] of Object.entries(SHELLS)) {
    it(`weigh nothing in a bundle of ${what}`, async () => {
      const { modules, bytes } = await bundle(contents);
      expect(modules.filter((path) => path.includes('/testing'))).to.deep.equal([]);
      const named = await bundle(`${contents} import { faults } from 'tls-resume/testing'; console.log(faults);`);
      expect(named.modules.filter((path) => /\/testing\/(faults|outflow|interceptor)\.js$/.test(path))).to.have.length(
        3,
      );
      expect(named.bytes).to.be.above(bytes);
    });
  }
});
