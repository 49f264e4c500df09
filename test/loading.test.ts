/** Test files only load while they load. */

import { createRequire } from 'node:module';
import { join } from 'node:path';
import { expect } from 'chai';
import { ServerConnection } from '../src/engine/server/server-connection.ts';
import { testServer } from './support/servers.ts';
import { packageFile } from './web/support.ts';

/** What a handshake brings that runs now, while this file loads. */
function attempt(): unknown {
  try {
    new ServerConnection(testServer({})).receive(new Uint8Array(0));
    return undefined;
  } catch (error) {
    return error;
  }
}

const early = attempt();

describe('a test file', () => {
  it('fails if it runs a handshake while it loads', function () {
    const configuration = createRequire(import.meta.url)(join(packageFile, '../.mocharc.cjs')) as { require: unknown };
    expect(configuration.require).to.include('./dist/test/support/late-handshakes.js');
    if (early === undefined) this.skip(); // a run without the configuration
    expect(early).to.be.instanceOf(Error).with.property('message').that.includes('while a test file loads');
  });

  it('runs handshakes in its tests', () => {
    expect(attempt()).to.equal(undefined);
  });
});
