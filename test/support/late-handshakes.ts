/**
 * Loaded before all test files: a file that runs a handshake while it loads, in the body of a describe() say, fails. Otherwise each run
 * pays for it, whichever tests are chosen, and its failure is no test's.
 */

import { ConnectionCore } from '../../src/engine/core.ts';

const { receive } = ConnectionCore.prototype;

ConnectionCore.prototype.receive = () => {
  throw new Error('a handshake while a test file loads: run it in before() or it()');
};

export const mochaHooks = {
  beforeAll(): void {
    ConnectionCore.prototype.receive = receive;
  },
};
