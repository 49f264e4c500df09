/** Test files only load while they load. */

import { readFileSync } from 'node:fs';
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
    const { require } = JSON.parse(readFileSync(join(packageFile, '../.mocharc.json'), 'utf8')) as { require: unknown };
    expect(require).to.deep.equal(['./dist/test/support/late-handshakes.js']);
    if (early === undefined) this.skip(); // a run without the configuration
    expect(early).to.be.instanceOf(Error).with.property('message').that.includes('while a test file loads');
  });

  it('runs handshakes in its tests', () => {
    expect(attempt()).to.equal(undefined);
  });
});
