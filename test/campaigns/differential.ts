/**
 * `npm run differential [-- INPUTS [SEED]]`: the default provider and `fast` against `noble`, with a million random inputs
 * unless told otherwise, and a seed of the day's own, which is printed.
 */

import { defaultProvider } from '../../src/crypto/providers/default.ts';
import { fast } from '../../src/crypto/providers/fast.ts';
import { noble } from '../../src/crypto/providers/noble.ts';
import { compareProviders } from '../support/differential.ts';

const [inputs = 1_000_000, seed = Date.now() % 2 ** 31] = process.argv.slice(2).map(Number);
if (!(Number.isInteger(inputs) && inputs > 0 && Number.isInteger(seed)))
  throw new TypeError('npm run differential [-- INPUTS [SEED]]: whole numbers, INPUTS above 0');
console.log(`default = noble and fast = noble: ${inputs} inputs, seed ${seed}`);
const { user, system } = process.cpuUsage();
compareProviders(noble, { default: defaultProvider, fast }, inputs, seed);
const used = process.cpuUsage();
console.log(`no difference; ${((used.user + used.system - user - system) / 1e6).toFixed(0)} s of CPU time`);
