/**
 * Loaded before all test files: a file that runs a handshake while it loads, in the body of a describe() say, fails. Otherwise each run
 * pays for it, whichever tests are chosen, and its failure is no test's.
 */

import { AsyncLocalStorage } from 'node:async_hooks';
import Mocha from 'mocha';
import { ConnectionCore } from '../../src/engine/core.ts';

/** Tells what a file does while it loads from what the tests of the file before it have left to happen. */
const loading = new AsyncLocalStorage<true>();

const { loadFilesAsync } = Mocha.prototype;
const { receive } = ConnectionCore.prototype;

Mocha.prototype.loadFilesAsync = function (...options) {
  return loading.run(true, () => loadFilesAsync.apply(this, options));
};

ConnectionCore.prototype.receive = function (input) {
  if (input?.length > 0 && loading.getStore())
    throw new Error('a handshake while a test file loads: run it in before() or it()');
  return receive.call(this, input);
};
